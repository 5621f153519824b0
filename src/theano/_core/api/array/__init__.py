"""Functions on arrays, as users call them."""
