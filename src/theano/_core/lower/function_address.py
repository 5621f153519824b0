"""Addresses of SciPy's C functions: each process has them elsewhere."""

from __future__ import annotations

import ctypes
from functools import cache

import numpy as np

from theano._core.base.records import Record


@cache
def address_of(name: str, count: int) -> int:
    """Return the address of a function of `count` doubles in `scipy.special.cython_special`.

    Raises
    ------
    NotImplementedError
        This SciPy has no such function.
    """
    from scipy.special import cython_special

    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype = ctypes.c_char_p
    api.PyCapsule_GetName.argtypes = [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    wanted = f"double ({'double, ' * count}int __pyx_skip_dispatch)".encode()
    # A function for several types has one entry for each.
    for key in (name, f"__pyx_fuse_0{name}", f"__pyx_fuse_1{name}"):
        capsule = cython_special.__pyx_capi__.get(key)
        if capsule is not None and api.PyCapsule_GetName(capsule) == wanted:
            return api.PyCapsule_GetPointer(capsule, wanted)
    raise NotImplementedError(f"scipy.special.cython_special has no {name} of {count} doubles")


class FunctionAddress(Record):
    """A constant of a program: the address of a function, which each process has elsewhere."""

    name: str
    count: int

    @property
    def array(self) -> np.ndarray:
        """The address here, as the one item of an array."""
        return np.array([address_of(self.name, self.count)], dtype="int64")
