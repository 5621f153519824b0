"""Memory whose neighbours must not be touched."""

import ctypes
import mmap

import numpy as np
import pytest


@pytest.fixture
def page():
    """The bytes of a page between two that fault when they are touched."""
    size = mmap.PAGESIZE
    memory = mmap.mmap(-1, 3 * size)
    whole = np.frombuffer(memory, "uint8")
    protect = ctypes.CDLL(None, use_errno=True).mprotect
    protect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for start in (0, 2 * size):
        assert protect(whole.ctypes.data + start, size, 0) == 0
    yield whole[size : 2 * size]
    assert protect(whole.ctypes.data, 3 * size, mmap.PROT_READ | mmap.PROT_WRITE) == 0
