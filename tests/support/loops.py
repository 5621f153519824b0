"""Loops against NumPy: of all lengths, layouts and dtypes, by vectors of any width, on threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

import theano
import theano.tensor as T
from support.arrays import broadcast, layouts, variable
from support.comparison import Tolerance, assert_close
from support.compiling import compiled

# Bits of a vector.
WIDTHS = [128, 256, 512]
# Items, from which on an array has some layouts only.
LARGE = 5_000

Shapes = Iterable[Sequence[tuple[int, ...]]]


def small(shape: tuple[int, ...] | int, dtype: str = "float64", seed: int = 0) -> np.ndarray:
    """Return integers of any dtype from -3 (0 if unsigned) to 3: their sums are exact."""
    rng, kind = np.random.default_rng(seed), np.dtype(dtype).kind
    found = rng.integers({"b": 0, "u": 0}.get(kind, -3), 2 if kind == "b" else 4, shape)
    return np.asarray(found + (1j * rng.integers(-3, 4, shape) if kind == "c" else 0), dtype)


def agree(
    build: Callable[..., Any],
    dtypes: str | Sequence[str],
    shapes: Shapes,
    *,
    make: Callable[..., np.ndarray] = small,
    width: int = 0,
    threads: int = 1,
    tolerance: Tolerance | None = None,
) -> Any:
    """Compile `build(T, *variables)` once; compare with `build(np, *arrays)` in every layout.

    Parameters
    ----------
    build : callable
        Of a library and its arrays: the list of results, or one.
    dtypes : str or list of str
        Of all arguments, or of each.
    shapes : iterable
        Of lists: a shape for each argument. All arguments have each layout, and in the course of
        the shapes each layout meets each other one.
    make : callable
        Makes an array of a shape, a dtype and a seed.
    width, threads : int
        Settings.
    tolerance : Tolerance, optional
        Without it, results are equal, but for the sign of zero and the dtype.
    """
    shapes = [list(one) for one in shapes]
    kinds = [dtypes] * len(shapes[0]) if isinstance(dtypes, str) else dtypes
    pairs = zip(kinds, shapes[0], strict=True)
    inputs = [variable(d, len(s), f"x{i}") for i, (d, s) in enumerate(pairs)]
    with theano.config.change_flags(vector_width=width or theano.config.vector_width):
        f = theano.function(inputs, build(T, *inputs), on_unused_input="ignore")
    with theano.config.change_flags(threads=threads), np.errstate(all="ignore"):
        for number, each in enumerate(shapes):
            arrays = [make(s, d, i) for i, (s, d) in enumerate(zip(each, kinds, strict=True))]
            for given in _laid_out(arrays, number):
                assert_agree(f(*given), build(np, *map(_exact, given)), tolerance)
    return f


def _laid_out(arrays: Sequence[np.ndarray], turn: int) -> Iterable[list[np.ndarray]]:
    """Yield the arrays in every layout: the same one for all, or one after the other.

    The last is one row in the place of all. Of many items, in every third layout: the next arrays
    have another third of them.
    """
    many = [[*layouts(array), broadcast(array)] for array in arrays]
    step = 1 if sum(array.size for array in arrays) < LARGE else 3
    shift = turn % 2 and 1 + turn // 2 % 6
    for number in range(turn % step, max(map(len, many)), step):
        yield [one[(number + shift * i) % len(one)] for i, one in enumerate(many)]


def _exact(array: np.ndarray) -> np.ndarray:
    # NumPy's sums of halves lose digits.
    return array.astype("float32") if array.dtype == "float16" else array


def assert_agree(found: Any, wanted: Any, tolerance: Tolerance | None = None) -> None:
    """Compare results whose dtypes may differ; without a tolerance they are equal."""
    for one, other in zip(_listed(found), _listed(wanted), strict=True):
        other = np.asarray(other)
        if tolerance is None or one.dtype == np.float16:
            other = other.astype(one.dtype)
        if tolerance is not None:
            assert_close(one, other, tolerance)
        else:
            equal = np.array_equal(one, other, one.dtype.kind in "fc")
            assert equal, (one.shape, one, other)


def same_bits(
    build: Callable[..., Any],
    *arrays: np.ndarray,
    widths: Sequence[int] = (0,),
    threads: Sequence[int] = (1, 2, 3),
) -> Any:
    """Compile `build(T, *variables)` for each width, and run it on each number of threads.

    Return the results, which are always the same.
    """
    found = []
    for width in widths:
        with theano.config.change_flags(vector_width=width):
            f = compiled(lambda *inputs: build(T, *inputs), *arrays)
        for count in threads:
            with theano.config.change_flags(threads=count):
                found.append(f(*arrays))
    for other in found[1:]:
        pairs = zip(_listed(other), _listed(found[0]), strict=True)
        assert all(a.tobytes() == b.tobytes() for a, b in pairs)
    return found[0]


def _listed(results: Any) -> list[Any]:
    return list(results) if isinstance(results, (list, tuple)) else [results]
