"""Theano: array expressions, symbolic gradients, and one native function."""
