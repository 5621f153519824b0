"""Small helpers of `theano.gof.utils` and its neighbours that old programs import."""

from __future__ import annotations

import os
import pickle
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from theano._core.ir.types import TensorType
from theano._core.ir.variable import Variable

# Relative and absolute tolerance of items of a dtype.
float16_rtol, float16_atol = 1e-3, 1e-3
float32_rtol, float32_atol = 1e-5, 1e-5
float64_rtol, float64_atol = 1e-5, 1e-8
_TOLERANCES = {
    "float16": (float16_rtol, float16_atol),
    "float32": (float32_rtol, float32_atol),
    "complex64": (float32_rtol, float32_atol),
}
_lock = threading.RLock()

string_types, integer_types = (str,), (int,)
imported_scipy = True
HIGHEST_PROTOCOL, DEFAULT_PROTOCOL = pickle.HIGHEST_PROTOCOL, pickle.DEFAULT_PROTOCOL
# What Theano-PyMC raises where a test value is missing, and Theano an AttributeError.
TestValueError = AttributeError


# What the matrix of `Solve` may be said to be.
MATRIX_STRUCTURES = (
    *("general", "symmetric", "lower_triangular", "upper_triangular"),
    *("hermitian", "banded", "diagonal", "toeplitz"),
)


def cpu_count() -> int:
    """Return how many processors there are; -1 if that is not known."""
    return os.cpu_count() or -1


def allclose(a: Any, b: Any, rtol: float | None = None, atol: float | None = None) -> bool:
    """Tell whether arrays are equal up to the rounding of the less precise dtype."""
    return bool(np.allclose(a, b, *tolerances(a, b, rtol, atol)))


def tolerances(a: object, b: object, rtol: float | None, atol: float | None) -> tuple[float, float]:
    """Return the tolerances that are given, or those of the less precise of two dtypes."""
    kinds = [
        _TOLERANCES.get(str(np.asarray(v).dtype), (float64_rtol, float64_atol)) for v in (a, b)
    ]
    relative, absolute = max(kinds)
    return relative if rtol is None else rtol, absolute if atol is None else atol


def tolerances_of(a: object, b: object) -> tuple[float, float]:
    """Return the absolute and the relative tolerance of the less precise of two dtypes."""
    relative, absolute = tolerances(a, b, None, None)
    return absolute, relative


# What stands for no value where None is one.
undef = object()
# Whether libraries are there that programs ask for: they are not needed here.
have_fblas = mpi_enabled = pydot_imported = register_local_1msigmoid = False
pydot_imported_msg = "theano.printing.pydotprint draws graphs without pydot"


def hist(coll: Iterable[object]) -> dict[Any, int]:
    """Return how often each item occurs."""
    return dict(Counter(coll))


def uniq(seq: Iterable[object]) -> list[Any]:
    """Return the items in order, each once."""
    return list(dict.fromkeys(seq))


def unique(x: Sequence[object]) -> bool:
    """Tell whether no item occurs twice."""
    return len(set(x)) == len(x)


def difference(seq1: Iterable[object], seq2: Iterable[object]) -> list[Any]:
    """Return the items of `seq1` that are not in `seq2`."""
    gone = set(seq2)
    return [item for item in seq1 if item not in gone]


def memoize(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that computes each value of `f` once."""
    return cache(f)


def remove(predicate: Callable[[Any], Any], coll: Iterable[object]) -> list[Any]:
    """Return the items for which the predicate does not hold."""
    return [item for item in coll if not predicate(item)]


def flatten(a: object) -> list[Any]:
    """Return what is in nested lists, tuples and sets as one list."""
    if not isinstance(a, (tuple, list, set)):
        return [a]
    return [item for part in a for item in flatten(part)]


def to_return_values(values: Sequence[Variable]) -> Any:
    """Return the only value, or the sequence."""
    return values[0] if len(values) == 1 else values


def from_return_values(values: object) -> Any:
    """Return a sequence as it is, another value in a list."""
    return values if isinstance(values, (list, tuple)) else [values]


def give_variables_names(variables: Iterable[Variable]) -> Iterable[Any]:
    """Give names to variables without one, and to those whose names occur twice; return them.

    Raises
    ------
    ValueError
        Texts of two variables are still equal.
    """
    counts = Counter(v.name for v in variables)
    unclear = [v for v in variables if not v.name or counts[v.name] > 1]
    for index, variable in enumerate(unclear):
        variable.name = f"{variable.name or ''}_{index}"
    if not unique([str(v) for v in variables]):
        raise ValueError("Not all variables have unique names: some are named alike")
    return variables


def traverse(out: Variable, x: Variable, x_copy: object, d: object, visited: object = None) -> Any:
    """Return `d`: it would hold what crosses between devices, and all is on one."""
    return d


def get_lock(lock_dir: object = None, **options: object) -> None:
    """Take a lock of this process: the compile cache itself needs none."""
    _lock.acquire()


def release_lock() -> None:
    """Give back what `get_lock` took."""
    _lock.release()


@contextmanager
def lock_ctx(lock_dir: object = None, keep_lock: bool = False, **options: object) -> Iterator[None]:
    """Hold the lock in a block of code; with `keep_lock` after it, too."""
    get_lock(lock_dir, **options)
    yield
    if not keep_lock:
        release_lock()


def set_lock_status(use_lock: bool) -> None:
    """Do nothing: no file locks the compile cache, so that there is none to do without."""


def force_unlock() -> None:
    """Do nothing: a program that ended leaves no lock behind."""


def disturb_mem() -> None:
    """Do nothing: results here do not depend on addresses."""


def _rounded_alike(remove_nan: bool, remove_inf: bool) -> Callable[..., bool]:
    """Return a comparison of arrays up to rounding that leaves NaN or infinities out."""

    def approximately_equal(a: object, b: object, *args: object, **options: object) -> bool:
        a, b = np.asarray(a), np.asarray(b)
        if a.shape != b.shape:
            return False
        left_out = np.zeros(a.shape, bool)
        if remove_nan:
            left_out |= np.isnan(a) | np.isnan(b)
        if remove_inf:
            left_out |= np.isinf(a) | np.isinf(b)
        return allclose(a[~left_out], b[~left_out])

    return approximately_equal


values_eq_approx_remove_nan = _rounded_alike(remove_nan=True, remove_inf=False)
values_eq_approx_remove_inf = _rounded_alike(remove_nan=False, remove_inf=True)
values_eq_approx_remove_inf_nan = _rounded_alike(remove_nan=True, remove_inf=True)


values_eq_approx = TensorType.values_eq_approx


def values_eq_approx_always_true(a: Variable, b: Variable) -> bool:
    """Return True: for results that are not determined."""
    return True
