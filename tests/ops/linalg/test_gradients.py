"""Gradients of linear algebra: against central differences, to order two, real and complex."""

import numpy as np
import pytest
from linalg_programs import CASES, positive, random, well

import theano
import theano.tensor as T
from support.arrays import values, variables
from theano.tensor import nlinalg as nl, slinalg as sl


def _listed(results):
    return list(results) if isinstance(results, (list, tuple)) else [results]


def _cost(build, inputs):
    """Return a scalar that depends on every element of every result."""
    rng, total = np.random.default_rng(1), 0
    for out in _listed(build(*inputs)):
        wave = T.cos(T.arange(out.size).reshape(out.shape, ndim=out.ndim) + rng.uniform())
        total = total + (wave * (abs(out) if out.dtype.startswith("complex") else out)).sum()
    return total


def _along(gradients, directions):
    return sum((g * d).sum() for g, d in zip(gradients, directions, strict=True))


def _derivative(f, arrays, directions, h=1e-4):
    """Return the derivative along a direction: central differences of order four."""
    at = [
        f(*(a + k * h * d for a, d in zip(arrays, directions, strict=True))) for k in (-2, -1, 1, 2)
    ]
    return (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * h)


@pytest.mark.parametrize("name", CASES)
def test_gradient_to_order_two(name):
    build, arrays = CASES[name]
    inputs = variables(*arrays)
    cost = _cost(build, inputs)
    directions = [np.random.default_rng(2 + k).normal(size=a.shape) for k, a in enumerate(arrays)]
    along = _along(T.grad(cost, inputs), directions)
    twice = T.grad(along, inputs, disconnected_inputs="ignore")
    f = theano.function(inputs, [cost, along, *twice])
    _, first, *second = f(*arrays)
    wanted = _derivative(lambda *x: f(*x)[0], arrays, directions)
    np.testing.assert_allclose(first, wanted, rtol=1e-6, atol=1e-7)
    wanted = _derivative(lambda *x: f(*x)[1], arrays, directions)
    np.testing.assert_allclose(_along(second, directions), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_forward_mode_and_values_of_constants(name):
    """Constants have lengths that are numbers, not variables."""
    build, arrays = CASES[name]
    inputs = variables(*arrays)
    along = [v.type() for v in inputs]
    outs = _listed(build(*inputs))
    floats = [v for v in outs if "int" not in v.dtype]
    directions = [random(*a.shape) for a in arrays]
    f = theano.function([*inputs, *along], [*T.Rop(floats, inputs, along), *floats, *outs])
    n = len(floats)
    found = f(*arrays, *directions)
    for k, part in enumerate(found[:n]):
        wanted = _derivative(lambda *a, k=k: f(*a, *directions)[n + k], arrays, directions)
        np.testing.assert_allclose(part, wanted, rtol=1e-6, atol=1e-7)
    of_constants = theano.function([], _listed(build(*map(T.constant, arrays))))()
    for got, wanted in zip(of_constants, found[2 * n :], strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-10, atol=1e-12)


def test_gradient_through_scan():
    x, y = T.dmatrix("x"), T.dvector("y")
    steps, _ = theano.scan(
        lambda h, m: sl.solve(m, h) + 0.01 * nl.det(m), None, [y], [x], n_steps=4
    )
    cost = steps[-1].sum()
    f = theano.function([x, y], [cost, *T.grad(cost, [x, y])])
    arrays, directions = [well(3, 3), random(3)], [random(3, 3), random(3)]
    wanted = _derivative(lambda *a: f(*a)[0], arrays, directions)
    np.testing.assert_allclose(_along(f(*arrays)[1:], directions), wanted, rtol=1e-6)


def of(make, *shape):
    return make(*shape, dtype="complex128")


def sign_and_logarithm(x):
    sign, logarithm = nl.slogdet(x)
    return [logarithm, T.real(sign), T.imag(sign)]


def vectors_together(x):
    u, _, vh = nl.svd(x, 0)
    return T.dot(u, vh)


COMPLEX = {
    "cholesky": (sl.cholesky, of(positive, 3, 3)),
    "cholesky upper": (sl.Cholesky(lower=False), of(positive, 3, 3)),
    "solve": (sl.solve, of(well, 3, 3), of(random, 3, 2)),
    "solve vector": (sl.solve, of(well, 3, 3), of(random, 3)),
    "solve lower": (sl.solve_lower_triangular, of(well, 3, 3), of(random, 3, 2)),
    "solve positive": (sl.solve_positive_definite, of(positive, 3, 3), of(random, 3, 2)),
    "inverse": (nl.matrix_inverse, of(well, 2, 3, 3)),
    "det": (nl.det, of(well, 3, 3)),
    "slogdet": (sign_and_logarithm, of(well, 3, 3)),
    "lu": (lambda x: sl.lu(x)[1:], of(well, 3, 3)),
    "eigh": (nl.eigh, of(positive, 3, 3)),
    "eigvalsh of a pair": (sl.eigvalsh, of(positive, 3, 3), of(positive, 3, 3)),
    "eig": (nl.eig, of(well, 3, 3)),
    "svd": (lambda x: nl.svd(x, 0), of(random, 4, 3)),
    "svd, vectors together": (vectors_together, of(random, 3, 3)),
    "qr": (nl.qr, of(random, 4, 3)),
    "qr wide": (nl.qr, of(random, 2, 3)),
    "pinv": (nl.pinv, of(random, 4, 3)),
    "expm": (sl.expm, of(random, 3, 3)),
    "norm": (nl.norm, of(random, 3, 4)),
}


@pytest.mark.parametrize("name", COMPLEX)
def test_gradient_of_complex_matrices(name):
    build, *arrays = COMPLEX[name]
    inputs = variables(*arrays)
    cost = _cost(build, inputs)
    f = theano.function(inputs, [cost, *T.grad(cost, inputs)])
    directions = [values(a.shape, "complex128", seed) for seed, a in enumerate(arrays)]
    got = _along(map(np.conj, f(*arrays)[1:]), directions).real
    wanted = _derivative(lambda *x: f(*x)[0], arrays, directions)
    np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-7)


def test_of_one_singular_value_written_over_itself():
    """The zeros that the gradient starts from are folded, and keep their declared length of 1."""
    x = T.dmatrix("x")
    value = nl.svd(T.tanh(T.specify_shape(x, (1, 4))), full_matrices=False)[1]
    row = T.inc_subtensor(value[None, ::2], value[None, ::2][..., ::-1])
    diagonal = T.diag(row)
    cost = T.tanh(diagonal.sum())
    given = np.array([[0.3, 0.0, 0.4, 0.0]])
    _, of_x = theano.function([x], [diagonal, T.grad(cost, x)])(given)
    flat = np.tanh(given)
    size = np.sqrt((flat**2).sum())
    wanted = (1 - np.tanh(2 * size) ** 2) * 2 * flat / size * (1 - flat**2)
    np.testing.assert_allclose(of_x, wanted, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("lower", [True, False])
def test_gradient_of_what_has_no_factor(lower):
    x = T.dmatrix("x")
    f = theano.function([x], T.grad(sl.Cholesky(lower, on_error="nan")(x).sum(), x))
    assert np.isnan(f(np.array([[1.0, 0.2], [0.2, -2.0]]))).all()
    assert not np.isnan(f(np.array([[1.0, 0.2], [0.2, 2.0]]))).any()
