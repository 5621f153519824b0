"""Reductions of many short rows reduce some rows as one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower.llvm.kernels.flat_columns import LONGEST_ROW
from theano._core.lower.llvm.kernels.rows_together import CACHED
from theano._core.runtime import native

KINDS = ["bool", "uint8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64"]
LENGTHS = (0, 1, 2, 3, 5, 7, 8, 9, 16, 17, 31, LONGEST_ROW, LONGEST_ROW + 1)
ROWS = (0, 1, 31, 32, 33, 63, 64, 127, 131, 255, 256, 257, 1000, 1031, 4099)
RANDOM = np.random.default_rng(7)


def drawn(shape: tuple[int, ...], kind: str) -> np.ndarray:
    """Return numbers whose sums are exact in any order."""
    a = RANDOM.integers(-3, 4, shape)
    return (a > 0) if kind == "bool" else (a + 3 * kind.startswith("uint")).astype(kind)


def flat(f: Any) -> int:
    """Return how many kernels of a function reduce some rows as one."""
    kernels = f.maker.program_text.kernels
    return sum(getattr(k, "flat", False) and bool(k.loop.reductions) for k in kernels)


def reductions(m: Any, x: Any, y: Any, kind: str) -> list[Any]:
    """Return reductions over rows, of what has one row for all as well."""
    if kind == "bool":
        return [x.sum(axis=1), (x & y).any(axis=1), (x | y).all(axis=(0, 1))]
    return [
        x.sum(axis=1),
        (x - y).sum(axis=(0, 1)),
        (x * y).sum(axis=1),
        *([] if kind.startswith("complex") else [m.maximum(x, y).max(axis=1)]),
    ]


@pytest.mark.parametrize("width", [128, 256, 512])
@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_every_length(kind: str, width: int) -> None:
    x, y = T.TensorType(kind, (False,) * 3)("x"), T.TensorType(kind, (False,))("y")
    with theano.config.change_flags(vector_width=width):
        f = theano.function([x, y], reductions(T, x, y, kind))
    for length in LENGTHS:
        for rows in ROWS:
            a, b = drawn((2, rows, length), kind), drawn((length,), kind)
            if not (rows and length) and len(f.maker.graph.outputs) > 3:
                continue
            # NumPy's sums of halves lose digits.
            exact = [n.astype("float32") for n in (a, b)] if kind == "float16" else [a, b]
            wanted = reductions(np, *exact, kind)
            for given in (a, np.asfortranarray(a), a[:, ::-1][:, ::-1]):
                for one, two in zip(f(given, b), wanted, strict=True):
                    np.testing.assert_array_equal(one, two.astype(one.dtype))


@pytest.mark.parametrize(("length", "kind"), [(3, "float64"), (11, "float64"), (30, "float32")])
def test_rows_that_no_cache_holds(length: int, kind: str) -> None:
    """The bits are the same for any width of vectors and any number of threads."""
    x = T.TensorType(kind, (False,) * 2)("x")
    rows = CACHED // np.dtype(kind).itemsize // length + 5
    exact, any_ = drawn((rows, length), kind), RANDOM.standard_normal((rows, length)).astype(kind)
    bits = set()
    for width, threads in (128, 1), (256, 2), (512, 1), (512, 3):
        with theano.config.change_flags(vector_width=width, threads=threads):
            f = theano.function([x], [x.sum(axis=0), abs(x).max(axis=0)])
            assert flat(f) > 0
            sums, largest = f(exact)
            np.testing.assert_array_equal(sums, exact.sum(axis=0))
            np.testing.assert_array_equal(largest, abs(exact).max(axis=0))
            bits.add(f(any_)[0].tobytes())
    assert len(bits) == 1


@pytest.mark.parametrize("shape", [(40, 33, 3), (300, 100, 5), (9, 130, 11), (1, 64, 3)])
@pytest.mark.parametrize("kind", ["float32", "float64", "complex64"])
def test_few_rows_have_the_same_bits_for_any_width(kind: str, shape: tuple[int, ...]) -> None:
    x = T.TensorType(kind, (False,) * 3)("x")
    a = RANDOM.standard_normal(shape).astype(kind)
    bits = set()
    for width, threads in (128, 1), (256, 2), (512, 1), (512, 3):
        with theano.config.change_flags(vector_width=width, threads=threads):
            f = theano.function([x], [x.sum(axis=1), T.sqr(x).mean(axis=1)])
            assert flat(f) > 0
            found = f(a)
            wanted = a.sum(axis=1), (a * a).mean(axis=1)
            for one, two in zip(found, wanted, strict=True):
                np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5)
            bits.add(b"".join(one.tobytes() for one in found))
    assert len(bits) == 1


def test_axes_around_the_rows() -> None:
    x, mean = T.TensorType("uint8", (False,) * 5)("x"), T.fmatrix("mean")
    d = x.astype("float32") - mean.dimshuffle("x", "x", 0, "x", 1)
    f = theano.function([x, mean], [T.sqr(d).sum(axis=(1, 3)), abs(d).max(axis=(0, 1, 3))])
    a, m = RANDOM.integers(0, 9, (2, 3, 4, 1030, 3)).astype("uint8"), drawn((4, 3), "float32")
    difference = a.astype("float32") - m[:, None]
    first, second = f(a, m)
    np.testing.assert_array_equal(first, (difference**2).sum(axis=(1, 3)))
    np.testing.assert_array_equal(second, abs(difference).max(axis=(0, 1, 3)))


def test_which_loops_reduce_rows_as_one() -> None:
    x, row, column = T.fmatrix("x"), T.fvector("row"), T.fvector("column")
    assert flat(theano.function([x], x.sum(axis=0))) > 0
    assert flat(theano.function([x, row], T.exp(x - row).sum(axis=0))) > 0
    assert flat(theano.function([x, column], (x * column[:, None]).sum(axis=0))) == 0
    assert flat(theano.function([x], [T.exp(x), T.exp(x).sum(axis=0)])) == 0
    # A stack is not large: that of a thread may have as little as 512 KB.
    assert flat(theano.function([x], [T.maximum(x, n).sum(axis=0) for n in range(4)])) > 0
    assert flat(theano.function([x], [T.maximum(x, n).sum(axis=0) for n in range(12)])) == 0
    few, whole = x.reshape((20, 3)), x.reshape((1000, 32))
    assert flat(theano.function([x], few.sum(axis=0))) == 0
    assert flat(theano.function([x], whole.sum(axis=0))) == 0


def test_special_numbers_stay_in_their_columns() -> None:
    x = T.dmatrix("x")
    f = theano.function([x], [x.sum(axis=0), x.max(axis=0), T.exp(x).sum(axis=0)])
    a = RANDOM.normal(size=(1031, 5))
    a[1030, 0], a[17, 1], a[500, 3] = np.nan, np.inf, -np.inf
    total, largest, exponentials = f(a)
    np.testing.assert_allclose(total, a.sum(axis=0), rtol=1e-12)
    np.testing.assert_array_equal(largest, a.max(axis=0))
    np.testing.assert_allclose(exponentials, np.exp(a).sum(axis=0), rtol=1e-12)


@pytest.mark.parametrize("shape", [(300_001, 3), (5, 60_001, 3)])
def test_threads_have_the_same_bits(shape: tuple[int, ...]) -> None:
    x = T.TensorType("float32", (False,) * len(shape))("x")
    f = theano.function([x], [T.tanh(x).sum(axis=-2), T.sqr(x).sum(axis=-2)])
    a, count, results = RANDOM.normal(size=shape).astype("float32"), native.get_threads(), []
    try:
        for threads in (1, 2, 4):
            native.set_threads(threads)
            results.append(f(a))
    finally:
        native.set_threads(count)
    np.testing.assert_allclose(results[0][0], np.tanh(a.astype("float64")).sum(axis=-2), rtol=1e-4)
    for other in results[1:]:
        assert all(x.tobytes() == y.tobytes() for x, y in zip(results[0], other, strict=True))
