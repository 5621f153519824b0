"""Kernels as LLVM text: loop nests, vectors, and kernels that are no loop nest."""
