"""`lstsq` in native code against NumPy's."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.tensor import nlinalg

SHAPES = [(4, 2), (2, 4), (3, 3), (0, 2), (3, 0), (0, 0), (1, 1)]
rng = np.random.RandomState(0)


def random(shape, dtype):
    values = rng.randn(*shape)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * rng.randn(*shape)
    return (values * (5 if dtype == "int32" else 1)).astype(dtype)


def check(a, b, rcond):
    inputs = [T.TensorType(str(v.dtype), (False,) * v.ndim)() for v in (a, b)]
    r = T.dscalar()
    f = theano.function([*inputs, r], nlinalg.lstsq()(*inputs, r))
    assert not f.maker.callbacks
    wanted = np.linalg.lstsq(a, b, rcond)
    for got, want, out in zip(f(a, b, rcond), wanted, f.maker.graph.outputs, strict=True):
        assert got.dtype == out.type.dtype
        assert got.shape == np.shape(want)
        close = 2e-5 if a.dtype in ("float32", "complex64") else 1e-11
        np.testing.assert_allclose(got, want, rtol=close, atol=close)


@pytest.mark.parametrize("dtype", ["int32", "float32", "float64", "complex64", "complex128"])
def test_values(dtype):
    for m, n in SHAPES:
        for columns in ((), (0,), (2,)):
            check(random((m, n), dtype), random((m, *columns), dtype), -1.0)


@pytest.mark.parametrize("rcond", [-1.0, 0.0, 0.3, 0.6, 1.0, 2.0])
def test_rank(rcond):
    b = np.arange(1.0, 5.0)
    check(np.diag([1.0, 0.5, 0.1, 0.0])[:, :3], b, rcond)
    check(np.diag([1.0, 0.5, 0.1, 0.0]), b, rcond)
    check(np.zeros((4, 2)), b, rcond)
    near = np.vander(np.float32([1, 1.0001, 1.0002, 1.0003]), 4)
    check(near * np.float32([1, 0, 1, 0]), b.astype("float32"), rcond)


def test_rows_that_differ():
    a, b = T.dmatrix(), T.dvector()
    f = theano.function([a, b], nlinalg.lstsq()(a, b, -1.0)[0])
    with pytest.raises(np.linalg.LinAlgError, match="A has 2 rows, b has 3"):
        f(np.ones((2, 2)), np.ones(3))
    with pytest.raises(np.linalg.LinAlgError, match="did not converge"):
        f(np.full((2, 2), np.nan), np.ones(2))
