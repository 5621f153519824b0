"""Results lie in the order of the operands, and transposes of results are not copied."""

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import layouts, values
from support.comparison import ROUNDING
from support.loops import agree, assert_agree

SHAPES = [(7, 9), (1, 5), (5, 1), (1, 1), (0, 3), (3, 0), (40, 33)]
KINDS = ["float64", "float32", "int8", "complex128"]


@pytest.mark.parametrize("dtype", [*KINDS, "bool"])
def test_two_operands_in_any_layout(dtype):
    def build(m, x, y):
        return [x * y, m.multiply(x.T, y.T), ~x.T if dtype == "bool" else -x.T]

    agree(build, dtype, [[shape, shape] for shape in SHAPES for _ in range(14)])


def test_the_order_of_the_operands_is_kept():
    x, y = T.dmatrices("x", "y")
    a = np.arange(12.0).reshape(3, 4)
    across = np.asfortranarray(a)
    one = theano.function([x], x.T + 1)
    assert one(a).flags.f_contiguous and one(across).flags.c_contiguous
    two = theano.function([x, y], x * y + 1)
    assert two(across, across).flags.f_contiguous
    assert two(a, across).flags.c_contiguous and two(a, a).flags.c_contiguous
    # A row that stands for all is no matrix in some order.
    assert theano.function([x], x + x[0])(across).flags.c_contiguous
    for result in (one(a), two(across, across)):
        assert result.flags.owndata and result.flags.writeable and result.base is None


@pytest.mark.parametrize("dtype", KINDS)
def test_rows_and_columns_beside_what_lies_by_columns(dtype):
    def build(m, x, v, w):
        return [x.T * v - w[:, None], x * v[:, None] - w]

    f = agree(build, dtype, [[shape, shape[:1], shape[1:]] for shape in SHAPES * 2])
    a = np.ones((7, 9), dtype)
    turned, plain = f(a, a[:, 0].copy(), a[0])
    assert turned.flags.f_contiguous and plain.flags.c_contiguous
    assert f(np.asfortranarray(a), a[:, 0].copy(), a[0])[0].flags.c_contiguous


@pytest.mark.parametrize("rank", [3, 4])
def test_results_lie_as_transposed_arguments(rank):
    shape = (3, 4, 5, 6)[:rank]
    for order in itertools.permutations(range(rank)):

        def build(m, x, y, v, order=order):
            one, two = m.transpose(x, order), m.transpose(y, order)
            return [2 * one, one * two + 1, m.maximum(one, v)]

        def reduced(m, x, y, order=order):
            one, two = m.transpose(x, order), m.transpose(y, order)
            return [one - two, (one * two).sum(axis=0)]

        last = shape[order[-1]]
        agree(reduced, "float64", [[shape, shape]] * 4)
        f = agree(build, "float64", [[shape, shape, (last,)]] * 4)
        a, b, w = values(shape), values(shape, seed=1), np.ones(last)
        for got in f(a, b, w):
            assert got.strides == (2 * np.transpose(a, order)).strides
        # Where they lie in different orders, by rows.
        assert f(a, np.asfortranarray(b), w)[1].flags.c_contiguous


def test_planes_beside_what_lies_by_columns():
    def build(m, x, y):
        planes = y.T[:, :, None] * 2, y.T[None], y.T[:, None]
        return [m.exp(m.transpose(x, (2, 1, 0))) + plane for plane in planes]

    shapes = [[(n, n, n), (n, n)] for n in (1, 2, 5, 17) for _ in range(4)]
    agree(build, "float64", shapes, tolerance=ROUNDING)


def test_transposes_of_results_are_not_copied():
    z, value = T.dtensor3("z"), np.arange(60.0).reshape(3, 4, 5)
    doubled = z * 2
    f = theano.function([z], [doubled.dimshuffle(2, 0, 1), doubled, T.exp(-doubled)])
    for given in layouts(value):
        moved, plain, other = f(given)
        assert_agree([moved, plain], [np.transpose(2 * given, (2, 0, 1)), 2 * given])
        assert_agree(other, np.exp(-2 * given), ROUNDING)
        assert not np.shares_memory(moved, plain)
        assert moved.strides == (8, 160, 40)
    twice = theano.function([z], [doubled.dimshuffle(2, 0, 1)] * 2)(value)
    np.testing.assert_array_equal(*twice)
    assert not np.shares_memory(*twice)


def test_variables_stay_in_the_order_of_rows():
    x, w = T.dmatrix("x"), theano.shared(np.zeros((2, 3)))
    for new in ((x + 1).T, x.T + 1):
        f = theano.function([x], new * 1, updates=[(w, new)])
        for value in [np.ones((3, 2)), np.asfortranarray(np.ones((3, 2)))]:
            np.testing.assert_array_equal(f(value), np.full((2, 3), 2.0))
            assert w.get_value(borrow=True).flags.c_contiguous


def test_axes_that_are_walked_alike_are_one():
    def cut(m, x):
        n, h, w, c = (x.shape[i] for i in range(4))
        return m.transpose(x.reshape((n, h // 2, 2, w // 3, 3, c)), (0, 1, 3, 2, 4, 5))

    shapes = [(2, 4, 6, 5), (3, 2, 3, 1), (1, 6, 9, 40), (0, 4, 6, 5), (2, 4, 0, 5)]
    # A row for all others is one axis of the loop.
    f = agree(lambda m, x, y: cut(m, x) * y, "float32", [[s, s[3:]] for s in shapes])
    assert f.maker.kernels[0].groups == [[0, 1], [2], [3], [4], [5]]
    f = agree(
        lambda m, x: (cut(m, x) * 2).reshape((x.shape[0], -1, 6 * x.shape[3])),
        "float32",
        [[shape] for shape in shapes[:3]],
    )
    # Rows of 3 * c items, which are 2 * w * c of the image apart.
    assert f.maker.kernels[0].groups == [[0, 1], [2], [3], [4, 5]]


@pytest.mark.parametrize("axis", [0, 1, (0, 1)])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int8", "bool", "complex64"])
def test_reductions_of_what_lies_by_columns_walk_it_so(dtype, axis):
    def build(m, x, y):
        return m.any(x & y, axis) if dtype == "bool" else (x * y).sum(axis)

    shapes = [(0, 3), (3, 0), (1, 7), (7, 1), (40, 33), (1300, 70)]
    f = agree(build, dtype, [[s, s] for s in shapes * 2], threads=3)
    assert any(k.groups == [[1], [0]] for k in f.maker.kernels if hasattr(k, "groups"))
