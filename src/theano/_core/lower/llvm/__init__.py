"""The native backend: loops become machine code by way of LLVM text."""
