"""Random numbers as functions of a key: the same bits on any number of threads and any machine."""

from theano._core.base.stubs import listed_in_stub as _listed_in_stub

__getattr__ = _listed_in_stub(__name__)
