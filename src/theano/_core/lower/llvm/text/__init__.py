"""Typed lines of LLVM text."""
