"""Programs as LLVM text, and long ones in pieces."""
