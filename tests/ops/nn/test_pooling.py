"""Pools: generic tests of the operations, ties, and errors."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import values
from theano._core.ops.nn.pooling import (
    MODES,
    AveragePoolGrad,
    DownsampleFactorMaxGradGrad,
    MaxPoolGrad,
    Pool,
)
from theano.extend import check
from theano.tensor.signal import downsample, pool

# Lengths of images; windows, steps, borders; whether windows beyond the image are left out.
CASES = {
    "apart": ((2, 3, 4, 6), [(2, 3), (2, 3), (0, 0)], True),
    "overlapping": ((2, 5, 4), [(3, 2), (1, 1), (1, 0)], True),
    "with gaps": ((1, 2, 7, 5), [(2, 1), (3, 2), (0, 0)], True),
    "cut": ((2, 5, 7), [(2, 3), (2, 2), (0, 0)], False),
    "three axes": ((2, 3, 4, 3), [(2, 2, 2), (1, 2, 1), (1, 0, 1)], True),
    "one axis": ((2, 7), [(3,), (2,), (1,)], True),
    "no images": ((0, 2, 4, 4), [(2, 2), (2, 2), (0, 0)], True),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", CASES)
def test_generic(name, mode):
    shape, parameters, ignore_border = CASES[name]
    n, vectors, x = len(parameters[0]), [np.array(v) for v in parameters], values(shape)
    op = Pool(ignore_border, mode, n)
    check(op, (x, *vectors), ulp=2**10)
    g, h = values(op.compute(np, None, x, *vectors)[0].shape, seed=1), values(shape, seed=2)
    if mode != "max":
        check(AveragePoolGrad(ignore_border, mode, n), (x, g, *vectors), ulp=2**10)
        return
    # The maxima are no free variables: they are given in float32, where they are no derivative of.
    low = x.astype("float32")
    top = op.compute(np, None, low, *vectors)[0]
    check(MaxPoolGrad(ignore_border, n), (low, top, g, *vectors), ulp=2**10)
    check(DownsampleFactorMaxGradGrad(ignore_border, ndim=n), (low, top, h, *vectors), ulp=2**10)


def test_every_maximum_has_the_gradient():
    x = T.dmatrix("x")
    out = pool.pool_2d(x, (2, 2), ignore_border=True)
    f = theano.function([x], [out, T.grad(out.sum(), x)])
    value, slope = f([[1, 3, 0, 0], [3, 2, 0, 0]])
    assert value.tolist() == [[3, 0]]
    assert slope.tolist() == [[0, 1, 1, 1], [1, 0, 1, 1]]


@pytest.mark.parametrize("mode", MODES)
def test_forward_mode(mode):
    x, dx = T.dmatrices("x", "dx")
    out = pool.pool_2d(x, (2, 2), ignore_border=True, mode=mode, stride=(1, 1))
    (a, b), f = values((2, 4, 5)), theano.function([x], out)
    got = theano.function([x, dx], T.Rop(out, x, dx))(a, b)
    np.testing.assert_allclose(got, (f(a + 1e-6 * b) - f(a - 1e-6 * b)) / 2e-6, atol=1e-8)


def test_integers_and_missing_numbers():
    x = T.TensorType("int8", (False,) * 2)("x")
    value = np.array([[-5, -7], [-6, -8]], "int8")
    for mode, wanted in (("max", -5), ("sum", -26), ("average_inc_pad", -6)):
        out = pool.pool_2d(x, (2, 2), ignore_border=True, mode=mode)
        assert out.dtype == "int8" and out.eval({x: value}).tolist() == [[wanted]]
    y = T.dmatrix("y")
    out = pool.pool_2d(y, (2, 2), ignore_border=True)
    assert np.isnan(out.eval({y: [[1, np.nan], [2, 3]]}))


def test_old_names():
    x = T.dtensor4("x")
    value = np.random.default_rng(9).normal(size=(2, 1, 5, 5))
    newer = pool.pool_2d(x, ws=(2, 2), stride=(1, 1), pad=(1, 1), ignore_border=True)
    older = pool.pool_2d(x, ds=(2, 2), st=(1, 1), padding=(1, 1), ignore_border=True)
    oldest = downsample.max_pool_2d(x, ds=(2, 2), ignore_border=True, st=(1, 1), padding=(1, 1))
    results = theano.function([x], [newer, older, oldest])(value)
    assert all((r == results[0]).all() for r in results)
    assert Pool.out_shape((2, 1, 5, 5), (2, 2), True, (1, 1), (1, 1)) == [2, 1, 6, 6]
    same = pool.max_pool_2d_same_size(x, (2, 2)).eval({x: value})
    assert same.shape == value.shape and ((same == 0) | (same == value)).all()


def test_symbolic_windows():
    x, ws, st, pad = T.dmatrix("x"), T.lvector("ws"), T.lvector("st"), T.lvector("pad")
    out = pool.pool_2d(x, ws, ignore_border=True, stride=st, pad=pad)
    f = theano.function([x, ws, st, pad], [out, out.shape])
    got, shape = f(np.arange(20.0).reshape(4, 5), [2, 3], [1, 2], [1, 1])
    assert got.shape == tuple(shape) == (5, 3)
    for wrong in ([[0, 2], [1, 1], [0, 0]], [[2, 2], [1, 0], [0, 0]], [[2, 2], [1, 1], [2, 0]]):
        with pytest.raises(ValueError, match=r"windows|steps|borders"):
            f(np.zeros((4, 5)), *wrong)


@pytest.mark.parametrize("mode", ["max", "sum"])
def test_windows_apart_have_their_gradient_in_one_loop(mode):
    x, g = T.ftensor4s("x", "g")
    out = pool.pool_2d(x, (2, 3), ignore_border=True, mode=mode)
    f = theano.function([x, g], T.grad((out * g).sum(), x))
    stores = [len(k.loop.stores) for k in f.maker.kernels if k.eager or k.layout == "strided"]
    assert max(stores) == 6


@pytest.mark.parametrize(
    "options, error",
    [
        ({"ws": (2, 2), "pad": (1, 0), "ignore_border": False}, NotImplementedError),
        ({"ws": (2, 2), "pad": (2, 0), "ignore_border": True}, NotImplementedError),
        ({"ws": (2, 2), "mode": "min", "ignore_border": True}, ValueError),
        ({"ws": (2, 2), "ds": (2, 2), "ignore_border": True}, ValueError),
        ({"ws": (2, 2, 2), "ignore_border": True}, ValueError),
        ({"ignore_border": True}, ValueError),
        ({"ws": T.dvector(), "ignore_border": True}, TypeError),
    ],
)
def test_options_that_are_refused(options, error):
    with pytest.raises(error):
        pool.pool_2d(T.dtensor4(), **options)


def test_images_that_are_refused():
    with pytest.raises(NotImplementedError, match="requires a dimension >= 2"):
        pool.pool_2d(T.dvector(), (2, 2), ignore_border=True)
    with pytest.raises(TypeError, match="real numbers"):
        pool.pool_2d(T.zmatrix(), (2, 2), ignore_border=True)
    with pytest.warns(UserWarning, match="ignore_border"):
        pool.pool_2d(T.dmatrix(), (2, 2))


@pytest.mark.parametrize("mode", MODES)
def test_classes_of_gradients(mode):
    x, e = T.dmatrices("x", "e")
    out = pool.Pool(True, mode)(x, (2, 3))
    of_x = T.grad(out.sum(), x).owner.op
    assert isinstance(of_x, pool.PoolGrad) and of_x == pool.PoolGrad(True, mode)
    assert not isinstance(out.owner.op, pool.PoolGrad)
    moved = pool.MaxPoolRop(True, mode)(x, e, (2, 3))
    got, wanted = theano.function([x, e], [moved, T.Rop(out, x, e)])(*values((2, 4, 6)))
    np.testing.assert_allclose(got, wanted, rtol=1e-14)


@pytest.mark.parametrize("mode", ["sum", "average_inc_pad"])
def test_borders_as_wide_as_windows(mode):
    # Theano 1.0.5: a pool refuses them, gradients of averages do not.
    x, g = np.random.rand(1, 1, 10, 5), np.random.rand(1, 1, 6, 4)

    def spread(x, g):
        return AveragePoolGrad(ignore_border=True, mode=mode)(x, g, (3, 2), (2, 2), (2, 2))

    a, b = T.dtensor4s("ab")
    for compiled in (None, theano.Mode("py", None)):
        found = theano.function([a, b], spread(a, b), mode=compiled)(x, g)
        wide = np.zeros((16, 9))
        for i, j in np.ndindex(6, 4):
            share = g[0, 0, i, j] / (1 if mode == "sum" else 6)
            wide[2 * i : 2 * i + 3, 2 * j : 2 * j + 2] += share
        np.testing.assert_allclose(found[0, 0], wide[2:12, 2:7], rtol=1e-12)
    theano.gradient.verify_grad(spread, [x, g], rng=np.random.RandomState(0))
    with pytest.raises(NotImplementedError, match="smaller than strides"):
        pool.pool_2d(a, (3, 2), True, pad=(2, 2), mode=mode)
    with pytest.raises(NotImplementedError, match="smaller than strides"):
        AveragePoolGrad(True, "average_exc_pad")(a, b, (3, 2), (2, 2), (2, 2))
