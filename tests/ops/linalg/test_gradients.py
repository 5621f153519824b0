"""Gradients of linear algebra: against central differences, to order two, real and complex."""

import numpy as np
import pytest
from linalg_programs import CASES, positive, random, well

import theano
import theano.tensor as T
from theano.tensor import nlinalg as nl, slinalg as sl


def _cost(build, inputs, weights):
    """Return a scalar that depends on every item of every result."""
    results = build(*inputs)
    results = list(results) if isinstance(results, (list, tuple)) else [results]
    total = 0
    for out in results:
        if out.type.dtype.startswith("complex"):
            out = abs(out)
        wave = T.cos(T.arange(out.size).reshape(out.shape, ndim=out.ndim) + weights.uniform())
        total = total + (wave * out).sum()
    return total


def _derivative(f, arrays, directions, h):
    """Return the derivative along a direction: central differences of order four."""
    at = [
        f(*(a + k * h * d for a, d in zip(arrays, directions, strict=True))) for k in (-2, -1, 1, 2)
    ]
    return (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * h)


def _tensors(arrays):
    return [T.TensorType(str(a.dtype), (False,) * a.ndim)() for a in arrays]


@pytest.mark.parametrize("name", list(CASES))
def test_gradient_to_order_two(name):
    build, arrays = CASES[name]
    inputs = _tensors(arrays)
    cost = _cost(build, inputs, np.random.default_rng(1))
    directions = [np.random.default_rng(2 + k).normal(size=a.shape) for k, a in enumerate(arrays)]
    along = sum((g * d).sum() for g, d in zip(T.grad(cost, inputs), directions, strict=True))
    twice = T.grad(along, inputs, disconnected_inputs="ignore")
    f = theano.function(inputs, [cost, along, *twice], mode="FAST_RUN")
    values = f(*arrays)
    slope = _derivative(lambda *x: f(*x)[0], list(arrays), directions, 1e-4)
    np.testing.assert_allclose(values[1], slope, rtol=1e-6, atol=1e-7)
    bend = _derivative(lambda *x: f(*x)[1], list(arrays), directions, 1e-4)
    got = sum((g * d).sum() for g, d in zip(values[2:], directions, strict=True))
    np.testing.assert_allclose(got, bend, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_forward_mode(name):
    build, arrays = CASES[name]
    inputs = [T.TensorType("float64", (False,) * a.ndim)() for a in arrays]
    along = [v.type() for v in inputs]
    outs = build(*inputs)
    outs = [
        v for v in (outs if isinstance(outs, (list, tuple)) else [outs]) if "int" not in v.dtype
    ]
    directions = [random(*a.shape) for a in arrays]
    got = theano.function([*inputs, *along], T.Rop(outs, inputs, along))(*arrays, *directions)
    f = theano.function(inputs, outs)
    for k, part in enumerate(got):
        slope = _derivative(lambda *a, k=k: f(*a)[k], list(arrays), directions, 1e-4)
        np.testing.assert_allclose(part, slope, rtol=1e-6, atol=1e-7)


def test_gradient_through_scan():
    x, y = T.dmatrix("x"), T.dvector("y")
    steps, _ = theano.scan(
        lambda h, m: sl.solve(m, h) + 0.01 * nl.det(m),
        outputs_info=[y],
        non_sequences=[x],
        n_steps=4,
    )
    cost = steps[-1].sum()
    f = theano.function([x, y], [cost, *T.grad(cost, [x, y])])
    arrays, directions = [well(3, 3), random(3)], [random(3, 3), random(3)]
    got = sum((g * d).sum() for g, d in zip(f(*arrays)[1:], directions, strict=True))
    slope = _derivative(lambda *a: f(*a)[0], arrays, directions, 1e-4)
    np.testing.assert_allclose(got, slope, rtol=1e-6)


COMPLEX = {
    "cholesky": (sl.cholesky, (positive(3, 3, dtype="complex128"),)),
    "cholesky upper": (sl.Cholesky(lower=False), (positive(3, 3, dtype="complex128"),)),
    "solve": (sl.solve, (well(3, 3, dtype="complex128"), random(3, 2, dtype="complex128"))),
    "solve vector": (sl.solve, (well(3, 3, dtype="complex128"), random(3, dtype="complex128"))),
    "solve lower": (
        sl.solve_lower_triangular,
        (well(3, 3, dtype="complex128"), random(3, 2, dtype="complex128")),
    ),
    "solve positive": (
        sl.solve_positive_definite,
        (positive(3, 3, dtype="complex128"), random(3, 2, dtype="complex128")),
    ),
    "inverse": (nl.matrix_inverse, (well(2, 3, 3, dtype="complex128"),)),
    "det": (nl.det, (well(3, 3, dtype="complex128"),)),
    "slogdet": (
        lambda x: [nl.slogdet(x)[1], T.real(nl.slogdet(x)[0]), T.imag(nl.slogdet(x)[0])],
        (well(3, 3, dtype="complex128"),),
    ),
    "lu": (lambda x: sl.lu(x)[1:], (well(3, 3, dtype="complex128"),)),
    "eigh": (nl.eigh, (positive(3, 3, dtype="complex128"),)),
    "eigvalsh of a pair": (
        sl.eigvalsh,
        (positive(3, 3, dtype="complex128"), positive(3, 3, dtype="complex128")),
    ),
    "eig": (nl.eig, (well(3, 3, dtype="complex128"),)),
    "svd": (lambda x: nl.svd(x, 0), (random(4, 3, dtype="complex128"),)),
    "svd, vectors together": (
        lambda x: [T.dot(nl.svd(x, 0)[0], nl.svd(x, 0)[2])],
        (random(3, 3, dtype="complex128"),),
    ),
    "qr": (nl.qr, (random(4, 3, dtype="complex128"),)),
    "qr wide": (nl.qr, (random(2, 3, dtype="complex128"),)),
    "pinv": (nl.pinv, (random(4, 3, dtype="complex128"),)),
    "expm": (sl.expm, (random(3, 3, dtype="complex128"),)),
    "norm": (nl.norm, (random(3, 4, dtype="complex128"),)),
}


@pytest.mark.parametrize("name", list(COMPLEX))
def test_gradient_of_complex_matrices(name):
    build, arrays = COMPLEX[name]
    inputs = _tensors(arrays)
    cost = _cost(build, inputs, np.random.default_rng(1))
    f = theano.function(inputs, [cost, *T.grad(cost, inputs)])
    draws = np.random.default_rng(3)
    directions = [draws.normal(size=a.shape) + 1j * draws.normal(size=a.shape) for a in arrays]
    got = sum(
        np.real(np.conj(g) * d).sum() for g, d in zip(f(*arrays)[1:], directions, strict=True)
    )
    slope = _derivative(lambda *x: f(*x)[0], list(arrays), directions, 1e-4)
    np.testing.assert_allclose(got, slope, rtol=1e-6, atol=1e-7)


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


def test_gradient_of_what_has_no_factor():
    x = T.dmatrix("x")
    for lower in (True, False):
        out = T.grad(sl.Cholesky(lower, on_error="nan")(x).sum(), x)
        f = theano.function([x], out)
        assert np.isnan(f(np.array([[1.0, 0.2], [0.2, -2.0]]))).all()
        assert not np.isnan(f(np.array([[1.0, 0.2], [0.2, 2.0]]))).any()


@pytest.mark.parametrize("name", CASES)
def test_of_constants(name):
    """Whose lengths are numbers, not variables."""
    build, arrays = CASES[name]
    results = []
    for operands in (_tensors(arrays), [T.constant(a) for a in arrays]):
        outs = build(*operands)
        outs = list(outs) if isinstance(outs, (list, tuple)) else [outs]
        inputs = [v for v in operands if not isinstance(v, T.TensorConstant)]
        f = theano.function(inputs, outs, on_unused_input="ignore")
        results.append(f(*arrays[: len(inputs)]))
    for got, wanted in zip(*results, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-10, atol=1e-12)
