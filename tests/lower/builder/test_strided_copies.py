"""Arrays in any order are copied by the runtime, which finds out how their items lie."""

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import kernels
from support.loops import agree, assert_agree, small

DTYPES = ["bool", "uint8", "int16", "float16", "float32", "float64", "complex64", "complex128"]
LENGTHS = (0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 33, 64, 65, 100)


def in_any_order(rng, dtype, rank):
    """Return an array whose axes lie in any order, apart, backwards, or as one item for all."""
    shape = [int(rng.choice(LENGTHS)) for _ in range(rank)]
    while np.prod(shape) > 200_000:
        shape[int(np.argmax(shape))] = 3
    order = rng.permutation(rank)
    around = [shape[i] * int(rng.integers(1, 4)) for i in order]
    x = small(tuple(around), dtype).transpose(np.argsort(order))
    x = x[tuple(slice(None, None, int(rng.choice([1, 1, 1, 2, 3, -1, -1, -2]))) for _ in shape)]
    pairs = zip(x.shape, shape, strict=True)
    starts = [int(rng.integers(0, n - m + 1)) if n > m else 0 for n, m in pairs]
    x = x[tuple(slice(s, s + m) for s, m in zip(starts, shape, strict=True))]
    axis = int(rng.integers(0, rank))
    if rng.random() < 0.2 and x.shape[axis]:
        x = np.broadcast_to(x.take([0], axis), x.shape)
    return x


@pytest.mark.parametrize("rank", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("dtype", DTYPES)
def test_any_order(dtype, rank):
    rng = np.random.default_rng(rank)
    x, order = T.TensorType(dtype, (False,) * rank)(), tuple(int(i) for i in rng.permutation(rank))

    def build(m, x):
        turned = m.transpose(x, order)
        same = order == tuple(range(rank))
        joined = m.concatenate([x, turned[::-1]], axis=rank - 1) if same else x
        return [x, turned.flatten(), turned[::-1], joined]

    f = theano.function([theano.In(x, borrow=True)], build(T, x))
    assert kernels(f).count("copy") >= 2
    for threads in (1, 2, 3) * 14:
        a = in_any_order(rng, dtype, rank)
        with theano.config.change_flags(threads=threads):
            assert_agree(f(a), build(np, a))


def test_nothing_with_steps_that_lead_anywhere():
    x = T.dtensor3()
    f = theano.function([x], x.dimshuffle(2, 0, 1).flatten())
    for shape in ((0, 3, 2), (3, 0, 2), (3, 2, 0), (0, 0, 0)):
        empty = np.lib.stride_tricks.as_strided(np.zeros(1), shape, (1 << 40, -(1 << 50), 8))
        assert f(empty).shape == (0,)
    one = np.lib.stride_tricks.as_strided(np.ones(1), (1, 1, 1), (1 << 60, -(1 << 62), 1 << 62))
    assert f(one).tolist() == [1.0]


# Turned around; every second; every third, backwards; two and one of all; columns; rows turned
# around; every second row.
PARTS = [np.s_[..., ::-1], np.s_[..., 1::2], np.s_[::-1, ..., ::-3], np.s_[..., :2]]
PARTS += [np.s_[..., 1:2], np.s_[..., 0], np.s_[..., ::-1, :], np.s_[..., ::2, :]]


@pytest.mark.parametrize("width", [0, 256])
@pytest.mark.parametrize("dtype", ["uint8", "bool", "float16", "float32", "float64", "complex128"])
def test_copies_of_short_rows(dtype, width):
    sizes = itertools.product((0, 1, 2, 50, 131), (1, 2, 3, 8, 17, 40))
    f = agree(
        lambda m, x, y: [v[part] for part in PARTS for v in (x, y)],
        dtype,
        [[size, (3, *size)] for size in sizes],
        width=width,
    )
    assert kernels(f).count("copy") >= 2 * len(PARTS) - 1


def test_copies_that_wait():
    array = small((100, 3))
    shared, i, v = theano.shared(array.copy()), T.lscalar("i"), T.dscalar("v")
    new = T.inc_subtensor(shared[i], v)
    f = theano.function([i, v], [new[:, ::-1], shared[:, ::-1]], updates=[(shared, new)])
    got, before = f(5, 2.0)
    assert np.array_equal(before, array[:, ::-1])
    array[5] += 2
    assert np.array_equal(got, array[:, ::-1])
    assert np.array_equal(shared.get_value(), array)


@pytest.mark.parametrize("dtype", ["uint8", "bool", "int16", "float32", "float64", "complex128"])
def test_small_matrices_column_by_column(dtype):
    def build(m, x, y):
        turned = m.transpose(x, (0, 2, 1))
        return [m.equal(turned, y), turned.flatten(), m.equal(turned[::-1], x)]

    sizes = itertools.product((0, 1, 63, 64, 300), (1, 2, 3, 4, 7, 8, 9))
    f = agree(build, dtype, [[(count, n, n)] * 2 for count, n in sizes])
    assert kernels(f).count("copy") >= 3


def test_rows_of_one_item_are_filled_by_kernels():
    n, x = T.lscalar(), T.dvector()
    f = theano.function([n, x], [T.zeros((n, 66)), T.alloc(x, n, x.shape[0]).T.copy()])
    assert "copy" not in kernels(f)
    zeros, columns = f(100, np.arange(3.0))
    assert not zeros.any()
    assert np.array_equal(columns, np.repeat(np.arange(3.0)[:, None], 100, 1))
