"""Adapters that keep programs written for Theano 1.0.5 running."""
