"""Short rows are walked as one where some of what is read has one item for each of them."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import layouts
from support.loops import WIDTHS, agree, small
from theano._core.lower.llvm.kernels import flat_rows
from theano._core.lower.llvm.target.codegen import has_avx512

KINDS = ["uint8", "int32", "int64", "float16", "float32", "float64", "complex64"]
LENGTHS = (1, 2, 3, 4, 5, 7, 8, 9, 13, 15, 16, 17, 27, 31, 32, 33)
ROWS = (0, 1, 2, 5, 16, 17, 100, 1000)


def flat(f):
    """Return how many kernels of a function may walk rows as one."""
    kernels = f.maker.program_text.kernels
    return sum(getattr(k, "flat", False) and not k.loop.reductions for k in kernels)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("other", ["uint8", "float16", "int32", "float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_every_length(kind, other, width):
    def build(m, x, q, r, s):
        return [x - q[:, None], x * q[:, None] + r * s]

    shapes = [[(rows, n), (rows,), (n,), ()] for rows in ROWS for n in LENGTHS]
    agree(build, [kind, *[other] * 3], shapes, width=width)


@pytest.mark.skipif(not has_avx512(0), reason="needs AVX-512")
def test_which_loops_walk_rows_as_one():
    x, v, i = T.fmatrix("x"), T.fvector("v"), T.TensorType("uint8", (False,))("i")
    assert flat(theano.function([x, v], x * v[:, None])) == 1
    assert flat(theano.function([x, v], x * v[:, None] + v)) == 1
    assert flat(theano.function([x, i], x * i[:, None])) == 1
    # One row for all is repeated; vectors of bytes have no instruction.
    assert flat(theano.function([x, v], x * v)) == 0
    assert flat(theano.function([i], T.alloc(i[:, None], i.shape[0], 3))) == 0
    assert flat(theano.function([x, v], (x * v[:, None]).sum(axis=1))) == 0


def test_numbers_of_rows_are_exact():
    for length in range(1, flat_rows.LONGEST + 1):
        reciprocal = (2**64 - 1) // (2 * length) + 1
        narrow = (1 << flat_rows._SHIFT) // length + 1
        for row in (0, 1, 7, 10**9, 2**46):
            for item in (row * length, row * length + length - 1):
                assert (2 * item + 1) * reciprocal >> 64 == row
        for place in range(length + 16):
            assert place * narrow >> flat_rows._SHIFT == place // length


def test_what_is_stored_is_overwritten_row_by_row():
    w, v = theano.shared(small((1000, 10), "float32")), T.fvector("v")
    f = theano.function([v], updates=[(w, w * v[:, None])])
    before, by = w.get_value(), small(1000, "float32", 1)
    f(by)
    np.testing.assert_array_equal(w.get_value(), before * by[:, None])
    with pytest.raises(ValueError, match="mis-match"):
        f(by[:5])


@pytest.mark.parametrize("kind", ["float32", "float64", "int64", "bool"])
def test_an_item_of_each_row_beside_the_row(kind):
    def build(m, x):
        y = ~x if kind == "bool" else x + x
        last = y[:, -1][:, None]
        by_last = m.not_equal(y, last) if kind == "bool" else y - last
        return [by_last, m.equal(y, y[::-1, 0][:, None])]

    agree(build, kind, [[(r, n)] for n in (1, 2, 4, 16, 33, 100) for r in (0, 1, 5, 300)])


def test_an_item_that_is_repeated_along_its_row_is_copied_once():
    x, v, w = T.dmatrix("x"), T.dvector("v"), T.dmatrix("w")
    apart = v[::2].dimshuffle(0, "x")
    f = theano.function([x, v], x * 2 + T.alloc(apart, *x.shape))
    g = theano.function([x, v, w], x * 2 + T.extra_ops.broadcast_to(apart, w.shape))
    for shape in ((3, 4), (300, 5), (4, 100), (0, 3)):
        a, b = small(shape), small(2 * shape[0])
        for found in (f(a, b), g(a, b, a)):
            np.testing.assert_array_equal(found, a * 2 + b[::2, None])
        with pytest.raises(ValueError, match="mis-match"):
            g(a, b, a[:, 1:])


@pytest.mark.parametrize("kind", ["float32", "float64", "int32", "uint8", "complex64"])
def test_items_that_are_repeated_along_two_axes(kind):
    x, n = T.matrix(dtype=kind), T.lscalar("n")
    rows, columns = x.shape
    f = theano.function([x, n], T.alloc(x.dimshuffle(0, "x", 1, "x"), rows, 3, columns, n))
    if has_avx512(0):
        assert flat(f) == (kind in ("float32", "float64", "int32"))
    for shape in ((0, 3), (1, 1), (2, 7), (3, 40), (5, 129), (40, 64)):
        for given in layouts(small(shape, kind)):
            for times in (0, 1, 2, 3, 4, 7, 8, 16, 17, 33):
                wanted = np.broadcast_to(given[:, None, :, None], (shape[0], 3, shape[1], times))
                np.testing.assert_array_equal(f(given, times), wanted)


@pytest.mark.parametrize("kind", ["float32", "float64", "int32", "uint8", "complex64"])
def test_one_number_for_each_of_many_short_rows(kind):
    def build(m, y, x):
        first = y[:, 0, :, 0][:, None, :, None]
        return [y * x[:, None, :, None], y + first * x[0, 0]]

    shapes = [(a, b, n) for a, b in ((1, 1), (2, 7), (3, 40), (5, 129)) for n in (1, 2, 3, 8, 17)]
    agree(build, kind, [[(a, 3, b, n), (a, b)] for a, b, n in shapes])


def test_narrow_items_beside_wider_ones():
    def build(m, labels, x, mask):
        classes = m.equal(labels[..., None], np.arange(4, dtype="uint8"))
        return [classes.astype("float32"), m.where(m.not_equal(mask, 0)[:, None], x, -x)]

    shapes = [[shape, shape, shape[:1]] for shape in ((0, 3), (1, 1), (5, 7), (40, 33))]
    agree(build, ["uint8", "float32", "int8"], shapes)
