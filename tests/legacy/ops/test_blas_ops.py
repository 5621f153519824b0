"""Products by the names that BLAS has for them."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import evaluate
from theano.gof import InconsistencyError
from theano.tensor import blas

z, x, y, v = T.dmatrix("z"), T.dmatrix("x"), T.dmatrix("y"), T.dvector("v")
I = T.imatrix()
Z, X, Y = (np.random.default_rng(k).normal(size=(2, 2)) for k in range(3))


def test_values():
    outs = [
        blas.Gemv(False)(z[0], 2.0, x, v, 3.0),
        blas.ger(x, 2.0, z[0], v),
        blas.Dot22Scalar()(x, y, 4.0),
        blas.gemm_no_inplace(z, 2.0, x, y, 3.0),
    ]
    found = evaluate(outs, {z: Z, x: X, y: Y, v: Y[0]})
    wanted = [3 * Z[0] + 2 * X @ Y[0], X + 2 * np.outer(Z[0], Y[0]), 4 * X @ Y, 3 * Z + 2 * X @ Y]
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other)


def test_products_in_place_write_into_arguments_and_shared_variables():
    out = blas.gemm_inplace(z, 1.0, x, x, 1.0)
    assert isinstance(out.owner.op, blas.Gemm)
    one, two = np.ones((2, 2)), np.full((2, 2), 2.0)
    f = theano.function([z, x], out, accept_inplace=True)
    assert f(one, two).tolist() == one.tolist() == [[9.0, 9.0], [9.0, 9.0]]
    state, factor = theano.shared(np.ones((2, 2))), theano.shared(two)
    out = blas.gemm_inplace(state, 1.0, factor, factor, T.constant(np.float64(1)))
    g = theano.function([], out, accept_inplace=True)
    for total in (9.0, 17.0):
        assert g().tolist() == state.get_value().tolist() == [[total] * 2] * 2
    assert blas.Ger(True) == blas.ger_destructive != blas.ger
    assert hash(blas.Ger(True)) == hash(blas.ger_destructive)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: blas.gemm_no_inplace([1.0], 1.0, [1.0], [1.0], 1.0), TypeError, "E_rank"),
        (lambda: blas.gemm_no_inplace(Z, [1.0], X, Y, 1.0), TypeError, "E_scalar"),
        (lambda: blas.gemm_no_inplace(T.fmatrix(), 1.0, x, x, 1.0), TypeError, "E_mixed"),
        (
            lambda: blas.gemm_no_inplace(*[T.imatrix(), 1, *[T.imatrix()] * 2, 1]),
            TypeError,
            "E_float",
        ),
        (lambda: blas.gemm_inplace(z, 1.0, z, x, 1.0), InconsistencyError, "E_z_uniq"),
        (lambda: blas.gemm_inplace(z, 1.0, x, z.T, 1.0), InconsistencyError, "E_z_uniq"),
        (lambda: blas.gemm_inplace(z, 1.0, z.T, x, 1.0), InconsistencyError, "E_z_uniq"),
        (lambda: blas.ger(z, T.fscalar(), T.fvector(), T.fvector()), TypeError, None),
        (lambda: blas.gemv(v, 1.0, v, v, 1.0), TypeError, "Gemv: A must have 2 axes"),
        (lambda: blas.ger(z), TypeError, "Ger takes A, alpha, x, y"),
    ],
)
def test_operands_that_are_refused(make, error, text):
    with pytest.raises(error) as caught:
        make()
    if text and text.startswith("E_"):
        assert caught.value.args[0] is getattr(blas.Gemm, text)
    assert not text or getattr(blas.Gemm, text, text) in str(caught.value)
