"""The XLA backend: graphs become JAX functions."""
