"""Walks over graphs and helpers of `theano.gof`."""
