"""Functions that NumPy has outside its core."""

from theano._core.base.stubs import listed_in_stub as _listed_in_stub
from theano._core.legacy.paths import old_names as _old_names

__getattr__ = _listed_in_stub(__name__, _old_names)
