"""Short rows are walked as one where some of what is read has one item for each of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower.llvm.kernels import flat_rows
from theano._core.lower.llvm.target.codegen import has_avx512

KINDS = ["uint8", "int32", "int64", "float16", "float32", "float64", "complex64"]
LENGTHS = (1, 2, 3, 4, 5, 7, 8, 9, 13, 15, 16, 17, 27, 31, 32, 33)
ROWS = (0, 1, 2, 3, 5, 16, 17, 100, 1000)
RANDOM = np.random.default_rng(4)


def drawn(shape: tuple[int, ...], kind: str) -> np.ndarray:
    return (RANDOM.random(shape) * 100).astype(kind)


def flat(f: Any) -> int:
    """Return how many kernels of a function may walk rows as one."""
    kernels = f.maker.program_text.kernels
    return sum(getattr(k, "flat", False) and not k.loop.reductions for k in kernels)


@pytest.mark.parametrize("width", [128, 256, 512])
@pytest.mark.parametrize("other", ["uint8", "float16", "int32", "float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
@np.errstate(over="ignore", invalid="ignore")
def test_rows_of_every_length(kind: str, other: str, width: int) -> None:
    x, q, r, s = T.matrix(dtype=kind), T.vector(dtype=other), T.vector(dtype=other), T.scalar()
    with theano.config.change_flags(vector_width=width):
        columns = x - q[:, None]
        f = theano.function([x, q, r, s], [columns, x * q[:, None] + r * s.astype(other)])
    for length in LENGTHS:
        for rows in ROWS:
            a, b, c = drawn((rows, length), kind), drawn((rows,), other), drawn((length,), other)
            for given in (a, np.asfortranarray(a)):
                first, second = f(given, b, c, 2)
                np.testing.assert_array_equal(first, (given - b[:, None]).astype(first.dtype))
                wanted = given.astype(second.dtype) * b[:, None] + c * np.asarray(2, other)
                np.testing.assert_array_equal(second, wanted.astype(second.dtype))


@pytest.mark.skipif(not has_avx512(0), reason="needs AVX-512")
def test_which_loops_walk_rows_as_one() -> None:
    x, v, i = T.fmatrix("x"), T.fvector("v"), T.TensorType("uint8", (False,))("i")
    assert flat(theano.function([x, v], x * v[:, None])) == 1
    assert flat(theano.function([x, v], x * v[:, None] + v)) == 1
    assert flat(theano.function([x, i], x * i[:, None])) == 1
    # One row for all is repeated; vectors of bytes have no instruction.
    assert flat(theano.function([x, v], x * v)) == 0
    assert flat(theano.function([i], T.alloc(i[:, None], i.shape[0], 3))) == 0
    assert flat(theano.function([x, v], (x * v[:, None]).sum(axis=1))) == 0


def test_numbers_of_rows_are_exact() -> None:
    for length in range(1, flat_rows.LONGEST + 1):
        reciprocal = (2**64 - 1) // (2 * length) + 1
        narrow = (1 << flat_rows._SHIFT) // length + 1
        for row in (0, 1, 7, 10**9, 2**46):
            for item in (row * length, row * length + length - 1):
                assert (2 * item + 1) * reciprocal >> 64 == row
        for place in range(length + 16):
            assert place * narrow >> flat_rows._SHIFT == place // length


def test_what_is_stored_is_overwritten_row_by_row() -> None:
    w, v = theano.shared(drawn((1000, 10), "float32")), T.fvector("v")
    f = theano.function([v], updates=[(w, w * v[:, None])])
    before, by = w.get_value(), drawn((1000,), "float32")
    f(by)
    np.testing.assert_array_equal(w.get_value(), before * by[:, None])
    with pytest.raises(ValueError, match="mis-match"):
        f(by[:5])


@pytest.mark.parametrize("kind", ["float32", "float64", "int64", "bool"])
def test_an_item_of_each_row_beside_the_row(kind: str) -> None:
    x = T.matrix(dtype=kind)
    y = ~x if kind == "bool" else x + x
    last = T.neq(y, y[:, -1][:, None]) if kind == "bool" else y - y[:, -1][:, None]
    f = theano.function([x], [last, T.eq(y, y[::-1, 0][:, None])])
    for length in (1, 2, 4, 16, 33, 100):
        for rows in (0, 1, 5, 300):
            a = drawn((rows, length), kind)
            for given in (a, a[:, ::-1], np.asfortranarray(a)):
                b = ~given if kind == "bool" else given + given
                first, second = f(given)
                right = b != b[:, -1:] if kind == "bool" else b - b[:, -1:]
                np.testing.assert_array_equal(first, right)
                np.testing.assert_array_equal(second, b == b[::-1, :1])


def test_an_item_that_is_repeated_along_its_row_is_copied_once() -> None:
    x, v, w = T.dmatrix("x"), T.dvector("v"), T.dmatrix("w")
    apart = v[::2].dimshuffle(0, "x")
    f = theano.function([x, v], x * 2 + T.alloc(apart, *x.shape))
    g = theano.function([x, v, w], x * 2 + T.extra_ops.broadcast_to(apart, w.shape))
    for shape in ((3, 4), (300, 5), (4, 100), (0, 3)):
        a, b = drawn(shape, "float64"), drawn((2 * shape[0],), "float64")
        wanted = a * 2 + b[::2, None]
        np.testing.assert_array_equal(f(a, b), wanted)
        np.testing.assert_array_equal(g(a, b, a), wanted)
        if shape[1] > 1:
            with pytest.raises(ValueError, match="mis-match"):
                g(a, b, a[:, 1:])


@pytest.mark.parametrize("kind", ["float32", "float64", "int32", "uint8", "complex64"])
def test_rows_within_other_axes(kind: str) -> None:
    """Items that are repeated along two axes, and one number for each of many short rows."""
    x, y = T.TensorType(kind, (False, False))("x"), T.TensorType(kind, (False,) * 4)("y")
    n = T.lscalar("n")
    rows, columns = x.shape
    spread = T.alloc(x.dimshuffle(0, "x", 1, "x"), rows, 3, columns, n)
    f = theano.function([x, n], spread)
    first = y[:, 0, :, 0][:, None, :, None]
    g = theano.function([y, x], [y * x[:, None, :, None], y + first * x[0, 0]])
    if has_avx512(0):
        assert flat(f) == (kind in ("float32", "float64", "int32"))
    for shape in ((0, 3), (1, 1), (2, 7), (3, 40), (5, 129), (40, 64)):
        a = drawn(shape, kind)
        for given in (a, np.asfortranarray(a), a[::-1, ::-1]):
            for times in (0, 1, 2, 3, 4, 7, 8, 16, 17, 33):
                wanted = np.broadcast_to(given[:, None, :, None], (shape[0], 3, shape[1], times))
                np.testing.assert_array_equal(f(given, times), wanted)
                if not given.size or not times:
                    continue
                b = drawn(wanted.shape, kind)
                one, two = g(b, given)
                np.testing.assert_array_equal(one, b * given[:, None, :, None])
                np.testing.assert_allclose(two, b + b[:, :1, :, :1] * given[0, 0], rtol=1e-5)


def test_narrow_items_beside_wider_ones() -> None:
    """A table of classes, and a mask for each row."""
    labels, x, mask = T.TensorType("uint8", (False, False))("labels"), T.fmatrix("x"), T.bvector()
    kinds = np.arange(4, dtype="uint8")
    f = theano.function([labels], T.eq(labels[..., None], kinds).astype("float32"))
    g = theano.function([x, mask], T.switch(T.neq(mask, 0)[:, None], x, -x))
    for shape in ((0, 3), (1, 1), (5, 7), (40, 33)):
        a = RANDOM.integers(0, 5, shape).astype("uint8")
        np.testing.assert_array_equal(f(a), (a[..., None] == kinds).astype("float32"))
        b, keep = drawn(shape, "float32"), RANDOM.integers(0, 2, shape[:1]).astype("int8")
        np.testing.assert_array_equal(g(b, keep), np.where(keep[:, None] != 0, b, -b))
