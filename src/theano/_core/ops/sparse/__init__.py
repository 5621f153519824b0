"""Sparse matrices: their type, and operations on them.

A sparse matrix is a matrix of `scipy.sparse` (CSR, CSC, BSR), which travels through a program as a
Python object. SciPy computes; what only concerns the stored items is expressed by operations on the
vector of these, which are native.
"""
