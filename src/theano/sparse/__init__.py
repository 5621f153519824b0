"""Sparse matrices: variables that hold the matrices of `scipy.sparse`, and functions of them."""

from theano._core.base.stubs import listed_in_stub as _listed_in_stub
from theano._core.legacy.paths import old_names as _old_names

# Variables of sparse matrices have operators once the functions are loaded.
__getattr__ = _listed_in_stub(__name__, _old_names, at_once=True)
