"""What Python and packages for it removed since the clients were written: a pytest plugin.

Nothing of Theano is here: what a client needs of it is for the library to have.
"""

from __future__ import annotations

import collections.abc
import inspect
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

REMOVED_FROM_NUMPY = {
    "asscalar": lambda array: array.item(),
    "Inf": np.inf,
    "Infinity": np.inf,
    "NaN": np.nan,
    "bool8": np.bool_,
    "complex": complex,
    "complex_": np.complex128,
    "cumproduct": np.cumprod,
    "float": float,
    "float_": np.float64,
    "in1d": np.isin,
    "infty": np.inf,
    "int": int,
    "object": object,
    "product": np.prod,
    "row_stack": np.vstack,
    "sometrue": np.any,
    "string_": np.bytes_,
    "unicode_": np.str_,
}


class ArgSpec(NamedTuple):
    """What `inspect.getargspec` returned."""

    args: Any
    varargs: Any
    keywords: Any
    defaults: Any


def getargspec(function: Any) -> ArgSpec:
    """Return the arguments of a function."""
    full = inspect.getfullargspec(function)
    return ArgSpec(full.args, full.varargs, full.varkw, full.defaults)


def texts_of_h5py_are_bytes() -> None:
    """Have ASCII attributes of HDF5 files be bytes, as in h5py 2."""
    import h5py

    read = h5py.AttributeManager.__getitem__

    def as_bytes(self: Any, name: Any) -> Any:
        value = read(self, name)
        if isinstance(value, str):
            kind = self.get_id(name).get_type()
            return value.encode() if kind.get_cset() == h5py.h5t.CSET_ASCII else value
        if isinstance(value, np.ndarray) and value.dtype == object:
            return np.array([v.encode() if isinstance(v, str) else v for v in value], object)
        return value

    h5py.AttributeManager.__getitem__ = as_bytes


def files_of_h5py_are_written() -> None:
    """Have HDF5 files be opened for reading and writing by default, as in h5py 2."""
    import h5py

    names = h5py.File.__init__.__code__.co_varnames
    defaults = list(h5py.File.__init__.__defaults__)
    defaults[names.index("mode") - (h5py.File.__init__.__code__.co_argcount - len(defaults))] = "a"
    h5py.File.__init__.__defaults__ = tuple(defaults)


def windows_are_signals() -> None:
    """Have windows be in `scipy.signal`, too."""
    import scipy.signal.windows

    for name in scipy.signal.windows.__all__:
        setattr(scipy.signal, name, getattr(scipy.signal.windows, name))


def counts_are_misc() -> None:
    """Have binomial coefficients be in `scipy.misc`, too."""
    import scipy.misc
    import scipy.special

    scipy.misc.comb = scipy.special.comb


def items_of_pandas_are_iterated() -> None:
    """Have `items` of pandas go by its former name, too."""
    import pandas as pd

    pd.Series.iteritems = pd.Series.items
    pd.DataFrame.iteritems = pd.DataFrame.items


class Tester:
    """What ran the tests of a package."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.test = None


for name in collections.abc.__all__:
    setattr(collections, name, getattr(collections.abc, name))
for name, value in REMOVED_FROM_NUMPY.items():
    if name not in vars(np):
        setattr(np, name, value)
np.testing.Tester = Tester  # type: ignore[attr-defined]
inspect.getargspec = getargspec  # type: ignore[attr-defined]
with suppress(ImportError):
    windows_are_signals()
with suppress(ImportError):
    counts_are_misc()
with suppress(ImportError):
    items_of_pandas_are_iterated()
with suppress(ImportError):
    texts_of_h5py_are_bytes()
    files_of_h5py_are_written()
