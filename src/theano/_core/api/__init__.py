"""What users call: constructors, operators and functions on tensors."""
