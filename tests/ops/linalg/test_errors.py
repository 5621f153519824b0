"""What linear algebra refuses, and what it says."""

import warnings

import numpy as np
import pytest
from numpy.linalg import LinAlgError

import theano
import theano.tensor as T
from theano.sandbox.linalg import spectral_radius_bound
from theano.tensor import nlinalg as nl, slinalg as sl

A, b = T.dmatrix("A"), T.dvector("b")

SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])
NOT_POSITIVE = np.array([[1.0, 2.0], [2.0, 1.0]])
NAN = np.full((3, 3), np.nan)
WIDE, MINOR = np.ones((2, 3)), "its leading minor of order 2"

# name: (expression, argument, what the message says)
AT_RUN_TIME = {
    "inverse": (nl.matrix_inverse(A), SINGULAR, r"Singular matrix: .* number 1 \(0-based\)"),
    "solve": (sl.solve(A, A), SINGULAR, "Singular matrix"),
    "solve lower": (sl.solve_lower_triangular(A, A), np.diag([1.0, 0.0]), "Singular matrix"),
    "solve positive": (
        sl.solve_positive_definite(A, A),
        NOT_POSITIVE,
        f"not positive definite: {MINOR}",
    ),
    "cholesky": (sl.cholesky(A), NOT_POSITIVE, f"{MINOR} is not positive"),
    "eigvalsh of a pair": (sl.eigvalsh(A, A), NOT_POSITIVE, "not positive definite"),
    "eigh": (nl.eigh(A), NAN, "Eigenvalues did not converge"),
    "eig": (nl.eig(A), NAN, "Array must not contain infs or NaNs"),
    "eig not square": (nl.eig(A), WIDE, "2 rows and 3 columns"),
    "expm not square": (sl.expm(A), WIDE, "2 rows and 3 columns"),
    "svd": (nl.svd(A), NAN, "SVD did not converge"),
    "pinv": (nl.pinv(A), NAN, "SVD did not converge"),
    "inverse not square": (nl.matrix_inverse(A), WIDE, "2 rows and 3 columns"),
    "cholesky not square": (sl.cholesky(A), WIDE, "2 rows and 3 columns"),
    "det not square": (nl.det(A), WIDE, "2 rows and 3 columns"),
    "slogdet not square": (nl.slogdet(A), WIDE, "2 rows and 3 columns"),
    "solve not square": (sl.solve(A, A), WIDE, "2 rows and 3 columns"),
    "eigh not square": (nl.eigh(A), WIDE, "2 rows and 3 columns"),
    "solve with other rows": (sl.solve(A, A[:1]), SINGULAR, "A has 2 rows, b has 1"),
    "lstsq with other rows": (nl.lstsq()(A, A[:1], -1.0)[0], SINGULAR, "A has 2 rows, b has 1"),
    "tensorinv not square": (nl.tensorinv(A, 1), WIDE, "2 rows and 3 columns"),
}


@pytest.mark.parametrize("name", list(AT_RUN_TIME))
def test_at_run_time(name):
    out, value, text = AT_RUN_TIME[name]
    f = theano.function([A], out)
    with pytest.raises(LinAlgError, match=text) as caught:
        f(value)
    assert "Apply node that caused the error" in str(caught.value)


NOT_FINITE = "did not converge: the matrix has infinities or NaN"
INFINITE = {
    "svd": (nl.svd(A), f"SVD {NOT_FINITE}"),
    "singular values": (nl.svd(A, 0, 0), f"SVD {NOT_FINITE}"),
    "pinv": (nl.pinv(A), f"SVD {NOT_FINITE}"),
    "lstsq": (nl.lstsq()(A, T.ones_like(A), -1)[0], f"SVD {NOT_FINITE}"),
    "norm 2": (nl.norm(A, 2), f"SVD {NOT_FINITE}"),
    "norm nuc": (nl.norm(A, "nuc"), f"SVD {NOT_FINITE}"),
    "eigh": (nl.eigh(A), f"Eigenvalues {NOT_FINITE}"),
    "eigvalsh": (sl.eigvalsh(A, None), f"Eigenvalues {NOT_FINITE}"),
    "eig": (nl.eig(A), "must not contain infs or NaNs"),
}


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE", theano.Mode(linker="py")])
@pytest.mark.parametrize("name", list(INFINITE))
def test_routines_that_iterate_refuse_what_is_not_finite(name, mode):
    """LAPACK may never return from these."""
    out, text = INFINITE[name]
    f = theano.function([A], out, mode=mode)
    for n in (1, 2, 3, 30):
        for value in (np.inf, -np.inf, np.nan):
            for place in ((0, 0), (n - 1, 0), (n // 2, n // 2)):
                x = np.eye(n) + 0.1
                x[place] = value
                with pytest.raises(LinAlgError, match=text):
                    f(x)


def test_an_infinity_in_the_triangle_that_is_not_read():
    x = np.eye(3)
    x[0, 2] = np.inf
    np.testing.assert_array_equal(theano.function([A], sl.eigvalsh(A, None))(x), np.ones(3))


DIRECT = {
    "qr": nl.qr(A),
    "cholesky": sl.cholesky(A),
    "solve": sl.solve(A, T.ones_like(A)),
    "solve positive": sl.solve_positive_definite(A, T.ones_like(A)),
    "inverse": nl.matrix_inverse(A),
    "det": nl.det(A),
    "slogdet": nl.slogdet(A),
    "lu": sl.lu(A),
    "expm": sl.expm(A),
    "norm": nl.norm(A, "fro"),
    "matrix_power": nl.matrix_power(A, 3),
}


@pytest.mark.parametrize("name", list(DIRECT))
def test_other_routines_return_with_what_is_not_finite_or_refuse_it(name):
    f = theano.function([A], DIRECT[name])
    for n in (1, 2, 30, 130):
        for value in (np.inf, -np.inf, np.nan):
            x = np.eye(n) + 0.1
            x[n - 1, 0] = value
            try:
                found = f(x)
            except LinAlgError:
                continue
            if name in ("qr", "cholesky", "lu", "norm", "matrix_power"):
                parts = found if isinstance(found, list) else [found]
                assert not all(np.isfinite(part).all() for part in parts)


def test_which_matrix_of_a_stack():
    stack = np.stack([np.eye(2)] * 3 + [SINGULAR] * 2)
    with pytest.raises(LinAlgError, match=r"Matrix 3 \(0-based\) of the stack"):
        nl.matrix_inverse(T.constant(stack)).eval()


def test_a_failed_call_changes_nothing():
    state = theano.shared(np.eye(2))
    f = theano.function([A], [], updates=[(state, nl.matrix_inverse(A))])
    with pytest.raises(LinAlgError):
        f(SINGULAR)
    np.testing.assert_array_equal(state.get_value(), np.eye(2))
    f(2 * np.eye(2))
    np.testing.assert_array_equal(state.get_value(), np.eye(2) / 2)


def test_nan_instead_of_an_error():
    x = T.dtensor3()
    f = theano.function([x], sl.Cholesky(on_error="nan")(x))
    got = f(np.stack([np.eye(2), NOT_POSITIVE, 4 * np.eye(2)]))
    np.testing.assert_array_equal(got, [np.eye(2), np.full((2, 2), np.nan), 2 * np.eye(2)])


WHEN_BUILT = {
    "inverse of a vector": (lambda: nl.matrix_inverse(b), AssertionError, "needs a matrix"),
    "det of a vector": (lambda: nl.det(b), AssertionError, "needs a matrix"),
    "cholesky of a vector": (lambda: sl.cholesky(b), AssertionError, "needs a matrix"),
    "svd of a vector": (lambda: nl.svd(b), AssertionError, "needs a matrix"),
    "solve with a scalar": (lambda: sl.solve(A, T.dscalar()), AssertionError, "on the right"),
    "structure": (lambda: sl.Solve("round"), ValueError, "Invalid matrix structure"),
    "on_error": (lambda: sl.Cholesky(on_error="ignore"), ValueError, "on_error must be"),
    "UPLO": (lambda: nl.eigh(A, "lower"), AssertionError, "UPLO"),
    "mode of qr": (lambda: nl.qr(A, "some"), ValueError, "mode of qr"),
    "kron": (lambda: sl.kron(b, b), TypeError, "sum to 3 or more. You passed 1 and 1"),
    "trace": (lambda: nl.trace(b), ValueError, "trace needs a matrix"),
    "diag": (lambda: nl.diag(T.dscalar()), TypeError, "requires vector or matrix"),
    "norm of a scalar": (lambda: nl.norm(T.dscalar(), 2), ValueError, "out of bounds"),
    "norm of a stack": (lambda: nl.norm(T.dtensor3(), 2), NotImplementedError, "ndim > 2"),
    "order of a vector": (lambda: nl.norm(b, "fro"), ValueError, "order for vectors"),
    "order of a matrix": (lambda: nl.norm(A, 3), ValueError, "order for matrices"),
    "bound of a vector": (lambda: spectral_radius_bound(b, 2), TypeError, "a matrix argument"),
    "bound to a fraction": (lambda: spectral_radius_bound(A, 2.5), TypeError, "integer exponent"),
    "bound to 0": (lambda: spectral_radius_bound(A, 0), ValueError, "a positive exponent"),
    "tensorinv": (lambda: nl.tensorinv(A, 0), ValueError, "must be positive"),
}


@pytest.mark.parametrize("name", list(WHEN_BUILT))
def test_when_built(name):
    build, error, text = WHEN_BUILT[name]
    with pytest.raises(error, match=text):
        build()


def test_gradients_that_need_a_square_matrix():
    for outs in (nl.svd(A)[0], sl.lu(A)[1]):
        f = theano.function([A], T.grad(outs.sum(), A))
        with pytest.raises(AssertionError, match="needs a square matrix"):
            f(WIDE)
    f = theano.function([A], T.grad(nl.qr(A, "complete")[0].sum(), A))
    with pytest.raises(AssertionError, match="no more rows than columns"):
        f(WIDE.T)


def test_real_eigenvectors_of_a_rotation_are_a_warning_which_may_be_an_error():
    turn, count = np.array([[0.0, 1.0], [-1.0, 0.0]]), theano.shared(0)
    f = theano.function([A], nl.eig(A), updates=[(count, count + 1)])
    with warnings.catch_warnings(action="error"), pytest.raises(np.exceptions.ComplexWarning):
        f(turn)
    assert count.get_value() == 0
    with pytest.warns(np.exceptions.ComplexWarning):
        f(turn)
    f(np.eye(2))
    assert count.get_value() == 2
    w, _ = theano.function([A], nl.eig(T.cast(A, "complex128")))(turn)
    np.testing.assert_allclose(sorted(w.imag), [-1, 1])
