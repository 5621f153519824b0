"""From LLVM text to machine code, in memory and on disk."""
