"""What rewriting makes of linear algebra: systems for inverses, and no work for known structure."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.ir.graph import toposort
from theano._core.lower.reference import evaluate
from theano._core.ops.array.products import Dot, Gemm
from theano._core.ops.linalg.shared_factorization import factor
from theano._core.ops.linalg.systems import Det, MatrixInverse, SLogDet, Solve
from theano._core.rewrite.pipeline import rewrite
from theano.tensor import nlinalg as nl, slinalg as sl

A, B = T.dmatrix("A"), T.dmatrix("B")
v = T.dvector("v")
rng = np.random.default_rng(3)
matrix = rng.normal(size=(4, 4)) + 4 * np.eye(4)
positive = matrix @ matrix.T
other = rng.normal(size=(4, 4))
vector = rng.normal(size=4)


def _ops(out):
    return [node.op for node in toposort(rewrite([out]))]


def _value(out):
    f = theano.function([A, B, v], out, on_unused_input="ignore")
    return f(positive, other, vector)


inverse = np.linalg.inv(positive)
lower = np.linalg.cholesky(positive)
# name: (expression, value, operations that are gone, an operation that is there)
CASES = {
    "I B": (T.dot(T.eye(A.shape[0]), B), other, (Dot,), None),
    "B I": (T.dot(B, T.eye(B.shape[1])), other, (Dot,), None),
    "v I": (T.dot(v, T.eye(v.shape[0])), vector, (Dot,), None),
    "inv(A) B": (T.dot(nl.matrix_inverse(A), B), inverse @ other, (MatrixInverse,), sl.solve),
    "B inv(A)": (T.dot(B, nl.matrix_inverse(A)), other @ inverse, (MatrixInverse,), sl.solve),
    "inv(A) v": (T.dot(nl.matrix_inverse(A), v), inverse @ vector, (MatrixInverse,), sl.solve),
    "v inv(A)": (T.dot(v, nl.matrix_inverse(A)), vector @ inverse, (MatrixInverse,), sl.solve),
    "inv(A)^T B": (T.dot(nl.matrix_inverse(A).T, B), inverse.T @ other, (MatrixInverse,), sl.solve),
    "L \\ B": (
        sl.solve(sl.cholesky(A), B),
        np.linalg.solve(lower, other),
        (),
        sl.solve_lower_triangular,
    ),
    "L^T \\ B": (
        sl.solve(sl.cholesky(A).T, B),
        np.linalg.solve(lower.T, other),
        (),
        sl.solve_upper_triangular,
    ),
    "inv(L) B": (
        T.dot(nl.matrix_inverse(sl.cholesky(A)), B),
        np.linalg.solve(lower, other),
        (MatrixInverse,),
        sl.solve_lower_triangular,
    ),
    "R \\ B": (
        sl.solve(nl.qr(A)[1], B),
        np.linalg.solve(np.linalg.qr(positive)[1], other),
        (),
        sl.solve_upper_triangular,
    ),
    "log(det(A))": (T.log(nl.det(A)), np.linalg.slogdet(positive)[1], (Det,), nl.slogdet),
    "log(det(L))": (
        T.log(nl.det(sl.cholesky(A))),
        np.linalg.slogdet(lower)[1],
        (Det, SLogDet),
        sl.cholesky,
    ),
    "det(diag(v))": (nl.det(nl.diag(v)), np.prod(vector), (Det,), None),
    "diag(v) B": (T.dot(nl.diag(v), B), np.diag(vector) @ other, (Dot, Gemm), None),
    "B diag(v)": (T.dot(B, nl.diag(v)), other @ np.diag(vector), (Dot, Gemm), None),
    "trace(A B)": (nl.trace(T.dot(A, B)), np.trace(positive @ other), (Dot, Gemm), None),
}


@pytest.mark.parametrize("name", list(CASES))
def test_rule(name):
    out, wanted, gone, there = CASES[name]
    ops = _ops(out)
    assert not [op for op in ops if isinstance(op, gone)]
    assert there is None or there in ops
    np.testing.assert_allclose(_value(out), wanted, rtol=1e-10, atol=1e-12)


def test_an_inverse_that_is_needed_stays():
    x = nl.matrix_inverse(A)
    outs = rewrite([x, T.dot(x, B)])
    assert not [node for node in toposort(outs) if isinstance(node.op, Solve)]


def test_a_part_of_a_diagonal_matrix_is_none():
    zeros = T.zeros((4, 4))
    steps = T.arange(2)
    out = T.dot(T.set_subtensor(zeros[steps, steps], v[:2]), B)
    np.testing.assert_allclose(_value(out), np.diag([*vector[:2], 0, 0]) @ other)


def test_log_det_and_its_gradient_do_not_overflow():
    big = 1e150 * positive
    cost = T.log(nl.det(A))
    value, gradient = theano.function([A], [cost, T.grad(cost, A)])(big)
    np.testing.assert_allclose(value, np.linalg.slogdet(big)[1], rtol=1e-14)
    np.testing.assert_allclose(gradient, np.linalg.inv(big).T, rtol=1e-9)


def test_log_det_of_a_negative_determinant_is_nan():
    flip = np.diag([1.0, -1.0])
    with np.errstate(invalid="ignore"):
        assert np.isnan(theano.function([A], T.log(nl.det(A)))(flip))
    assert theano.function([A], T.log(abs(nl.det(A))))(flip) == 0
    assert theano.function([A], T.log(nl.det(A)))(0 * flip) == -np.inf


def test_an_identity_matrix_must_fit():
    f = theano.function([A, v], T.dot(T.eye(v.shape[0]), A))
    with pytest.raises(ValueError, match="identity matrix and its factor do not fit"):
        f(other, vector[:3])


def test_a_singular_triangle_is_still_refused():
    f = theano.function([v, B], sl.solve(nl.diag(v), B))
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        f(np.array([1.0, 0, 2, 3]), other)


def _bilinear(dtype, shape):
    draws = np.random.default_rng(6)
    a = draws.normal(size=shape) + 1j * draws.normal(size=shape) * dtype.startswith("complex")
    a = (a if dtype.startswith("complex") else a.real).astype(dtype) + 3 * np.eye(shape[-1])
    b = np.ones((*shape[:-1], 2), dtype)
    x, y = (T.TensorType(dtype, (False,) * len(shape))() for _ in range(2))
    adjoint = T.conj(x) if dtype.startswith("complex") else x
    order = [*range(len(shape) - 2), len(shape) - 1, len(shape) - 2]
    outs = [sl.solve(x, y), sl.solve(adjoint.dimshuffle(order), y), nl.matrix_inverse(x)]
    return x, y, [*outs, nl.det(x), *nl.slogdet(x)], a.astype(dtype), b


@pytest.mark.parametrize("shape", [(4, 4), (1, 1), (0, 0), (2, 3, 3), (2, 0, 3, 3)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_one_factorisation_for_all(dtype, shape):
    x, y, outs, a, b = _bilinear(dtype, shape)
    nodes = toposort(rewrite(outs))
    # Solutions are SciPy's, in single precision; inverses and determinants NumPy's, in double.
    single = dtype in ("float32", "complex64")
    assert sum(node.op == factor for node in nodes) == 1 + single
    assert not [n for n in nodes if isinstance(n.op, (Solve, MatrixInverse, Det, SLogDet))]
    wanted = [
        np.linalg.solve(a, b),
        np.linalg.solve(np.conj(np.swapaxes(a, -1, -2)), b),
        np.linalg.inv(a),
        np.linalg.det(a),
        *np.linalg.slogdet(a),
    ]
    near = 1e-4 if single else 1e-11
    known = {x: a, y: b}
    for results in (theano.function([x, y], outs)(a, b), evaluate(rewrite(outs), known)):
        for got, want in zip(results, wanted, strict=True):
            assert got.dtype == want.dtype
            assert got.shape == want.shape
            np.testing.assert_allclose(got, want, rtol=near, atol=near)


def test_gradient_of_a_solution_factorises_once():
    cost = sl.solve(A, v).sum()
    outs = rewrite([cost, *T.grad(cost, [A, v])])
    assert sum(node.op == factor for node in toposort(outs)) == 1
    f = theano.function([A, v], [cost, T.grad(cost, A)])
    with pytest.raises(np.linalg.LinAlgError, match=r"Singular matrix: .* number 3 \(0-based\)"):
        f(np.diag([1.0, 2, 3, 0]), vector)
    with pytest.raises(np.linalg.LinAlgError, match="3 rows and 4 columns"):
        f(other[:3], vector)


@pytest.mark.parametrize(
    "a",
    [
        np.array([[1.0, 2], [2, 4]]),
        np.arange(9.0).reshape(3, 3),
        np.zeros((1, 1)),
        np.zeros((3, 3)),
        np.diag([0.0, 0, 5]),
        np.array([[0.0, 1], [0, 0]]),
        np.array([[0.0, 1e-200], [0, 0]]),
        positive,
        np.zeros((0, 0)),
    ],
)
def test_gradient_of_det_at_singular_matrices(a):
    out = T.grad(3 * nl.det(A), A)
    got = theano.function([A], out)(a)
    n = len(a)
    cofactors = np.empty((n, n))
    for i, j in np.ndindex(n, n):
        minor = np.delete(np.delete(a, i, 0), j, 1)
        cofactors[i, j] = 3 * (-1) ** (i + j) * np.linalg.det(minor)
    # Relative to what the products of a minor are made of.
    scale = 3 * abs(a).max(initial=0) ** max(n - 1, 0)
    np.testing.assert_allclose(got, cofactors, rtol=1e-12, atol=1e-14 * scale)


def test_gradient_of_det_neither_overflows_nor_underflows_on_the_way():
    got = theano.function([A], T.grad(nl.det(A), A))(np.diag([1e200, -1e100, 1e-200, 1e-250]))
    np.testing.assert_allclose(np.diag(got), [-0.0, 1e-250, -1e50, -1e100], rtol=1e-12, atol=0)


def test_gaussian_process_needs_no_general_factorisation():
    factor = sl.cholesky(A)
    half = sl.solve(factor, v)
    cost = 0.5 * T.dot(half, half) + T.log(nl.det(factor))
    ops = _ops(cost)
    assert [op for op in ops if isinstance(op, Solve)] == [sl.solve_lower_triangular]
    assert not [op for op in ops if isinstance(op, (Det, SLogDet))]
    wanted = 0.5 * vector @ inverse @ vector + 0.5 * np.linalg.slogdet(positive)[1]
    np.testing.assert_allclose(_value(cost), wanted, rtol=1e-12)
    slope = _value(T.grad(cost, A))
    alpha = inverse @ vector
    full = 0.5 * (inverse - np.outer(alpha, alpha))
    # The factor reads one triangle, each item of which stands for two.
    np.testing.assert_allclose(slope, np.tril(full) + np.tril(full, -1), rtol=1e-9, atol=1e-12)
