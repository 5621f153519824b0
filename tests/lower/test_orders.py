"""Results lie in the order of the operands, and transposes of results are not copied."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.runtime import native


def layouts(a: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the array in every kind of memory."""
    yield a
    yield np.asfortranarray(a)
    yield a[::-1]
    yield np.asfortranarray(a)[:, ::-1]
    wide = np.zeros([2 * n for n in a.shape], a.dtype)
    wide[tuple(slice(0, 2 * n, 2) for n in a.shape)] = a
    yield wide[tuple(slice(0, 2 * n, 2) for n in a.shape)]
    longer = np.zeros((*a.shape[:-1], a.shape[-1] + 3), a.dtype)
    longer[..., 1:-2] = a
    yield longer[..., 1:-2]
    across = np.zeros((a.shape[0] + 1, *a.shape[1:]), a.dtype, order="F")
    across[1:] = a
    yield across[1:]


SHAPES = [(7, 9), (1, 5), (5, 1), (1, 1), (0, 3), (3, 0), (40, 33)]


@pytest.mark.parametrize("dtype", ["float64", "float32", "int8", "complex128", "bool"])
def test_two_operands_in_any_layout(dtype: str) -> None:
    random = np.random.default_rng(7)
    x, y = T.matrix(dtype=dtype), T.matrix(dtype=dtype)
    f = theano.function([x, y], T.mul(x, y))
    turned = theano.function([x, y], T.mul(x.T, y))
    alone = theano.function([x], -x.T if dtype != "bool" else T.invert(x.T))
    for shape in SHAPES:
        a, b = ((random.normal(size=shape) * 4).astype(dtype) for _ in range(2))
        if dtype.startswith("float") and a.size:
            a.flat[-1] = np.nan
        for one, two in itertools.product(layouts(a), layouts(b)):
            np.testing.assert_array_equal(f(one, two), one * two)
            np.testing.assert_array_equal(turned(one, two.T), (one * two).T)
        for one in layouts(a):
            np.testing.assert_array_equal(alone(one), -one.T if dtype != "bool" else ~one.T)


def test_the_order_of_the_operands_is_kept() -> None:
    x, y = T.dmatrices("x", "y")
    a = np.arange(12.0).reshape(3, 4)
    across = np.asfortranarray(a)
    one = theano.function([x], x.T + 1)
    assert one(a).flags.f_contiguous and one(across).flags.c_contiguous
    two = theano.function([x, y], x * y + 1)
    assert two(across, across).flags.f_contiguous
    assert two(a, across).flags.c_contiguous and two(a, a).flags.c_contiguous
    # A row that stands for all is no matrix in some order.
    row = theano.function([x], x + x[0])
    assert row(across).flags.c_contiguous
    for result in (one(a), two(across, across)):
        assert result.flags.owndata and result.flags.writeable and result.base is None


@pytest.mark.parametrize("dtype", ["float64", "float32", "int8", "complex128"])
def test_rows_and_columns_beside_what_lies_by_columns(dtype: str) -> None:
    random = np.random.default_rng(8)
    x, v, w = T.matrix(dtype=dtype), T.vector(dtype=dtype), T.vector(dtype=dtype)
    f = theano.function([x, v, w], x.T * v - w[:, None])
    plain = theano.function([x, v, w], x * v.dimshuffle(0, "x") - w)
    for shape in SHAPES:
        a = (random.normal(size=shape) * 4).astype(dtype)
        b, c = ((random.normal(size=n) * 4).astype(dtype) for n in shape)
        for one in layouts(a):
            for first, second in ((b, c), (np.repeat(b, 2)[::2], c[::-1][::-1])):
                wanted = one.T * first - second[:, None]
                got = f(one, first, second)
                np.testing.assert_array_equal(got, wanted)
                np.testing.assert_array_equal(plain(one, first, second), wanted.T)
    a = np.ones((7, 9), dtype)
    assert f(a, a[:, 0].copy(), a[0]).flags.f_contiguous
    assert f(np.asfortranarray(a), a[:, 0].copy(), a[0]).flags.c_contiguous
    assert plain(a, a[:, 0].copy(), a[0]).flags.c_contiguous


@pytest.mark.parametrize("rank", [3, 4])
def test_results_lie_as_transposed_arguments(rank: int) -> None:
    x, y = (T.TensorType("float64", (False,) * rank)(name) for name in "xy")
    v = T.dvector("v")
    shape = (3, 4, 5, 6)[:rank]
    a, b = np.random.default_rng(2).normal(size=(2, *shape))
    for order in itertools.permutations(range(rank)):
        one, two = (z.dimshuffle(order) for z in (x, y))
        f = theano.function([x, y, v], [2 * one, one * two + 1, T.maximum(one, v)])
        summed = theano.function([x, y], [one - two, (one * two).sum(0)])
        for first, second in itertools.product(layouts(a), layouts(b)):
            p, q = np.transpose(first, order), np.transpose(second, order)
            w = np.linspace(-1, 1, p.shape[-1])
            wanted = [2 * p, p * q + 1, np.maximum(p, w), p - q, (p * q).sum(0)]
            for got, want in zip(
                [*f(first, second, w), *summed(first, second)], wanted, strict=True
            ):
                np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-15)
        w = np.ones(a.shape[order[-1]])
        for got in f(a, b, w):
            assert got.strides == (2 * np.transpose(a, order)).strides
        # Where they lie in different orders, by rows.
        assert f(a, np.asfortranarray(b), w)[1].flags.c_contiguous


def test_planes_beside_what_lies_by_columns() -> None:
    x, m = T.dtensor3("x"), T.dmatrix("m")
    turned = m.dimshuffle(1, 0, "x") * 2, m.dimshuffle("x", 1, 0), m.dimshuffle(1, "x", 0)
    f = theano.function([x, m], [T.exp(x.dimshuffle(2, 1, 0)) + y for y in turned])
    for n in (1, 2, 5, 17):
        a, b = np.random.default_rng(1).normal(size=(n, n, n)), np.arange(1.0 * n * n).reshape(n, n)
        for one in layouts(a):
            for two in layouts(b):
                e = np.exp(one.transpose(2, 1, 0))
                planes = 2 * two.T[:, :, None], two.T[None], two.T[:, None]
                for got, plane in zip(f(one, two), planes, strict=True):
                    np.testing.assert_allclose(got, e + plane, rtol=1e-14)


def test_transposes_of_results_are_not_copied() -> None:
    z = T.dtensor3("z")
    value = np.arange(60.0).reshape(3, 4, 5)
    doubled = z * 2
    f = theano.function([z], [doubled.dimshuffle(2, 0, 1), doubled, T.exp(-doubled)])
    for given in layouts(value):
        moved, plain, other = f(given)
        np.testing.assert_array_equal(moved, np.transpose(2 * given, (2, 0, 1)))
        np.testing.assert_array_equal(plain, 2 * given)
        np.testing.assert_allclose(other, np.exp(-2 * given), rtol=1e-14)
        assert not np.shares_memory(moved, plain)
        assert moved.strides == (8, 160, 40)
    twice = theano.function([z], [doubled.dimshuffle(2, 0, 1)] * 2)(value)
    np.testing.assert_array_equal(*twice)
    assert not np.shares_memory(*twice)


def test_variables_stay_in_the_order_of_rows() -> None:
    x, w = T.dmatrix("x"), theano.shared(np.zeros((2, 3)))
    values: Any = [np.ones((3, 2)), np.asfortranarray(np.ones((3, 2)))]
    for new in ((x + 1).T, x.T + 1):
        f = theano.function([x], new * 1, updates=[(w, new)])
        for value in values:
            np.testing.assert_array_equal(f(value), np.full((2, 3), 2.0))
            assert w.get_value(borrow=True).flags.c_contiguous


def test_axes_that_are_walked_alike_are_one() -> None:
    x, y = T.TensorType("float32", (False,) * 4)("x"), T.fvector("y")
    n, h, w, c = (x.shape[i] for i in range(4))
    cut = x.reshape((n, h // 2, 2, w // 3, 3, c)).dimshuffle(0, 1, 3, 2, 4, 5)
    f = theano.function([x], (cut * 2).reshape((n, -1, 6 * c)))
    # Rows of 3 * c items, which are 2 * w * c of the image apart.
    assert f.maker.kernels[0].groups == [[0, 1], [2], [3], [4, 5]]
    # A row for all others is one axis of the loop.
    scaled = theano.function([x, y], cut * y)
    assert scaled.maker.kernels[0].groups == [[0, 1], [2], [3], [4], [5]]
    random = np.random.default_rng(3)
    for shape in [(2, 4, 6, 5), (3, 2, 3, 1), (1, 6, 9, 40), (0, 4, 6, 5), (2, 4, 0, 5)]:
        a, b = random.normal(size=shape).astype("float32"), np.arange(shape[3], dtype="float32")
        n, h, w, c = shape
        for one in layouts(a):
            wanted = one.reshape(n, h // 2, 2, w // 3, 3, c).transpose(0, 1, 3, 2, 4, 5)
            np.testing.assert_array_equal(scaled(one, b), wanted * b)
            if a.size:
                np.testing.assert_array_equal(f(one), 2 * wanted.reshape(n, -1, 6 * c))


@pytest.mark.parametrize("axis", [0, 1, (0, 1)])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int8", "bool", "complex64"])
def test_reductions_of_what_lies_by_columns_walk_it_so(dtype: str, axis: Any) -> None:
    random, before = np.random.default_rng(3), native.get_threads()
    x, y = (T.matrix(dtype=dtype) for _ in range(2))
    f = theano.function([x, y], [T.any(x & y, axis) if dtype == "bool" else (x * y).sum(axis)])
    single = "float32" in dtype or dtype == "complex64"
    for shape in ((0, 3), (3, 0), (1, 7), (7, 1), (40, 33), (1300, 70)):
        a, b = (np.asarray(random.normal(size=shape) * 4, dtype) for _ in range(2))
        wanted = (a & b).any(axis) if dtype == "bool" else (a * b).sum(axis)
        for turn in (np.asfortranarray, lambda z: np.asfortranarray(np.repeat(z, 2, 1))[:, ::2]):
            found = []
            for threads in (1, 3):
                native.set_threads(threads)
                found.append(f(turn(a), turn(b))[0])
            native.set_threads(before)
            assert found[0].tobytes() == found[1].tobytes()
            np.testing.assert_allclose(found[0], wanted, 1e-3 if single else 1e-9, 1e-2 * single)
    assert any(k.groups == [[1], [0]] for k in f.maker.kernels if hasattr(k, "groups"))
