"""Functions of the items of arrays, each by itself."""
