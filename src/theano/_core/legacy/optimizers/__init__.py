"""Rewrites in the manner of Theano 1.0.5, and where they are registered."""
