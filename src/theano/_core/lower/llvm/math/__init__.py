"""Functions of numbers as LLVM text: arithmetic, elementary functions, random words."""
