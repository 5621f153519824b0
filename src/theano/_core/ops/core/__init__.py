"""What an operation is, the dtypes of results, and calls of definitions in Python."""
