"""Theano: array expressions, symbolic gradients, and one native function."""
from theano._core.base.settings import config
from theano import tensor
from theano._core.autodiff.reverse import grad
