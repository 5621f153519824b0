"""Shape, indexing, reductions, products: operations on whole arrays."""
