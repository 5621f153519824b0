"""Sparse matrices: their type, and operations on them.

A sparse matrix is a matrix of `scipy.sparse` (CSR, CSC, BSR), and SciPy says what an operation
means. Rewriting replaces matrices by their arrays (`compressed.py`) wherever items stay in their
places, and products by loops of the runtime (`kernels.py`); only what is left travels through a
program as a Python object.
"""
