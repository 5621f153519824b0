"""Gradients of linear algebra: against central differences, to order two, real and complex."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.tensor import nlinalg as nl
from theano.tensor import slinalg as sl

rng = np.random.default_rng(5)


def _random(*shape: int, dtype: str = "float64") -> np.ndarray:
    real = rng.normal(size=shape)
    return real if dtype == "float64" else real + 1j * rng.normal(size=shape)


def _positive(*shape: int, dtype: str = "float64") -> np.ndarray:
    a = _random(*shape, dtype=dtype)
    return a @ np.conj(np.swapaxes(a, -1, -2)) + np.eye(shape[-1])


def _well(*shape: int, dtype: str = "float64") -> np.ndarray:
    """Matrices far from singular, with eigenvalues apart."""
    return _random(*shape, dtype=dtype) + np.diag(3.0 * np.arange(1, shape[-1] + 1))


def _real_eigenvalues(n: int) -> np.ndarray:
    v = _random(n, n) + 2 * np.eye(n)
    return v @ np.diag(np.arange(1.0, n + 1)) @ np.linalg.inv(v)


# name: (what, makers of its arguments)
Maker = Callable[..., np.ndarray]
CASES: dict[str, tuple[Callable[..., Any], tuple[np.ndarray, ...]]] = {
    "cholesky": (sl.cholesky, (_positive(3, 3),)),
    "cholesky of a stack": (sl.cholesky, (_positive(2, 3, 3),)),
    "cholesky upper": (sl.Cholesky(lower=False), (_positive(3, 3),)),
    "solve": (sl.solve, (_well(3, 3), _random(3, 2))),
    "solve vector": (sl.solve, (_well(3, 3), _random(3))),
    "solve stack": (sl.solve, (_well(2, 3, 3), _random(2, 3, 2))),
    "solve stack of vector": (sl.solve, (_well(2, 3, 3), _random(3))),
    "solve stack of matrix": (sl.solve, (_well(2, 3, 3), _random(3, 2))),
    "solve one matrix, stack": (sl.solve, (_well(3, 3), _random(2, 3, 2))),
    "solve lower": (sl.solve_lower_triangular, (_well(3, 3), _random(3, 2))),
    "solve upper vector": (sl.solve_upper_triangular, (_well(3, 3), _random(3))),
    "solve positive": (sl.solve_positive_definite, (_positive(3, 3), _random(3, 2))),
    "solve positive upper": (sl.Solve("positive_definite"), (_positive(3, 3), _random(3))),
    "inverse": (nl.matrix_inverse, (_well(3, 3),)),
    "inverse of a stack": (nl.matrix_inverse, (_well(2, 2, 3, 3),)),
    "det": (nl.det, (_well(3, 3),)),
    "det of a stack": (nl.det, (_well(2, 3, 3),)),
    "logdet": (lambda x: nl.slogdet(x)[1], (_well(3, 3),)),
    "lu": (lambda x: sl.lu(x)[1:], (_well(3, 3),)),
    "lu of a stack": (lambda x: sl.lu(x)[1:], (_well(2, 3, 3),)),
    "eigh": (nl.eigh, (_positive(3, 3),)),
    "eigh upper, stack": (lambda x: nl.eigh(x, "U"), (_positive(2, 3, 3),)),
    "eigvalsh": (sl.eigvalsh, (_positive(3, 3),)),
    "eigvalsh of a pair": (sl.eigvalsh, (_positive(3, 3), _positive(3, 3))),
    "eigvalsh upper": (lambda a, b: sl.eigvalsh(a, b, False), (_positive(3, 3), _positive(3, 3))),
    "eig": (nl.eig, (_real_eigenvalues(3),)),
    "svd": (nl.svd, (_random(3, 3),)),
    "svd tall": (lambda x: nl.svd(x, 0), (_random(4, 3),)),
    "svd wide": (lambda x: nl.svd(x, 0), (_random(3, 4),)),
    "svd of a stack": (lambda x: nl.svd(x, 0), (_random(2, 3, 2),)),
    "singular values": (lambda x: nl.svd(x, 1, 0), (_random(3, 4),)),
    "qr": (nl.qr, (_random(3, 3),)),
    "qr tall": (nl.qr, (_random(4, 3),)),
    "qr wide": (nl.qr, (_random(2, 4),)),
    "qr of a stack": (nl.qr, (_random(2, 3, 2),)),
    "qr complete": (lambda x: nl.qr(x, "complete"), (_random(3, 4),)),
    "r": (lambda x: nl.qr(x, "r"), (_random(4, 3),)),
    "pinv": (nl.pinv, (_random(4, 3),)),
    "pinv wide": (nl.pinv, (_random(2, 3, 4),)),
    "lstsq": (lambda a, b: nl.lstsq()(a, b, -1)[0], (_random(4, 3), _random(4, 2))),
    "lstsq vector": (lambda a, b: nl.lstsq()(a, b, -1)[0], (_random(3, 4), _random(3))),
    "expm": (sl.expm, (_random(3, 3),)),
    "expm of a stack": (sl.expm, (_random(2, 3, 3),)),
    "kron": (sl.kron, (_random(2, 3), _random(3, 2))),
    "trace": (nl.trace, (_random(3, 4),)),
    "diag of vector": (nl.diag, (_random(3),)),
    "diag of matrix": (nl.diag, (_random(3, 4),)),
    "alloc_diag": (nl.AllocDiag(1, 0, 2), (_random(2, 3),)),
    "extract_diag": (nl.ExtractDiag(1, 1, 2), (_random(2, 3, 3),)),
    "matrix_power": (lambda x: nl.matrix_power(x, 5), (_random(3, 3),)),
    "matrix_power of the inverse": (lambda x: nl.matrix_power(x, -2), (_well(3, 3),)),
    "matrix_dot": (nl.matrix_dot, (_random(2, 3), _random(3, 3), _random(3))),
    "tensorinv": (nl.tensorinv, (_well(6, 6).reshape(2, 3, 3, 2),)),
    "tensorsolve": (nl.tensorsolve, (_well(6, 6).reshape(2, 3, 6), _random(2, 3))),
    **{
        f"norm {order}": (lambda x, order=order: nl.norm(x, order), (_random(3, 4),))
        for order in (None, "fro", "nuc", "inf", "-inf", 1, -1, 2, -2)
    },
    **{
        f"norm of a vector {order}": (lambda x, order=order: nl.norm(x, order), (_random(4),))
        for order in (None, "inf", "-inf", 1, 2, 3, 2.5)
    },
}


def _cost(build: Callable[..., Any], inputs: list[Any], weights: np.random.Generator) -> Any:
    """Return a scalar that depends on every item of every result."""
    results = build(*inputs)
    results = list(results) if isinstance(results, (list, tuple)) else [results]
    total: Any = 0
    for out in results:
        if out.type.dtype.startswith("complex"):
            out = abs(out)
        wave = T.cos(T.arange(out.size).reshape(out.shape, ndim=out.ndim) + weights.uniform())
        total = total + (wave * out).sum()
    return total


def _derivative(f: Any, arrays: list[np.ndarray], directions: list[np.ndarray], h: float) -> Any:
    """Return the derivative along a direction: central differences of order four."""
    at = [
        f(*(a + k * h * d for a, d in zip(arrays, directions, strict=True))) for k in (-2, -1, 1, 2)
    ]
    return (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * h)


def _tensors(arrays: tuple[np.ndarray, ...]) -> list[Any]:
    return [T.TensorType(str(a.dtype), (False,) * a.ndim)() for a in arrays]


@pytest.mark.parametrize("name", list(CASES))
def test_gradient_to_order_two(name: str) -> None:
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


@pytest.mark.parametrize("build", [nl.matrix_inverse, sl.expm, nl.det, nl.svd, nl.qr])
def test_forward_mode(build: Callable[..., Any]) -> None:
    x, d = T.dmatrix("x"), T.dmatrix("d")
    outs = build(x)
    outs = list(outs) if isinstance(outs, (list, tuple)) else [outs]
    point, direction = _well(3, 3), _random(3, 3)
    got = theano.function([x, d], T.Rop(outs, x, d))(point, direction)
    f = theano.function([x], outs)
    for k, part in enumerate(got):
        slope = _derivative(lambda a, k=k: f(a)[k], [point], [direction], 1e-4)
        np.testing.assert_allclose(part, slope, rtol=1e-6, atol=1e-7)


def test_gradient_through_scan() -> None:
    x, y = T.dmatrix("x"), T.dvector("y")
    steps, _ = theano.scan(
        lambda h, m: sl.solve(m, h) + 0.01 * nl.det(m),
        outputs_info=[y],
        non_sequences=[x],
        n_steps=4,
    )
    cost = steps[-1].sum()
    f = theano.function([x, y], [cost, *T.grad(cost, [x, y])])
    arrays, directions = [_well(3, 3), _random(3)], [_random(3, 3), _random(3)]
    got = sum((g * d).sum() for g, d in zip(f(*arrays)[1:], directions, strict=True))
    slope = _derivative(lambda *a: f(*a)[0], arrays, directions, 1e-4)
    np.testing.assert_allclose(got, slope, rtol=1e-6)


COMPLEX: dict[str, tuple[Callable[..., Any], tuple[np.ndarray, ...]]] = {
    "cholesky": (sl.cholesky, (_positive(3, 3, dtype="complex128"),)),
    "cholesky upper": (sl.Cholesky(lower=False), (_positive(3, 3, dtype="complex128"),)),
    "solve": (sl.solve, (_well(3, 3, dtype="complex128"), _random(3, 2, dtype="complex128"))),
    "solve vector": (sl.solve, (_well(3, 3, dtype="complex128"), _random(3, dtype="complex128"))),
    "solve lower": (
        sl.solve_lower_triangular,
        (_well(3, 3, dtype="complex128"), _random(3, 2, dtype="complex128")),
    ),
    "solve positive": (
        sl.solve_positive_definite,
        (_positive(3, 3, dtype="complex128"), _random(3, 2, dtype="complex128")),
    ),
    "inverse": (nl.matrix_inverse, (_well(2, 3, 3, dtype="complex128"),)),
    "det": (nl.det, (_well(3, 3, dtype="complex128"),)),
    "slogdet": (
        lambda x: [nl.slogdet(x)[1], T.real(nl.slogdet(x)[0]), T.imag(nl.slogdet(x)[0])],
        (_well(3, 3, dtype="complex128"),),
    ),
    "lu": (lambda x: sl.lu(x)[1:], (_well(3, 3, dtype="complex128"),)),
    "eigh": (nl.eigh, (_positive(3, 3, dtype="complex128"),)),
    "eigvalsh of a pair": (
        sl.eigvalsh,
        (_positive(3, 3, dtype="complex128"), _positive(3, 3, dtype="complex128")),
    ),
    "eig": (nl.eig, (_well(3, 3, dtype="complex128"),)),
    "svd": (lambda x: nl.svd(x, 0), (_random(4, 3, dtype="complex128"),)),
    "svd, vectors together": (
        lambda x: [T.dot(nl.svd(x, 0)[0], nl.svd(x, 0)[2])],
        (_random(3, 3, dtype="complex128"),),
    ),
    "qr": (nl.qr, (_random(4, 3, dtype="complex128"),)),
    "qr wide": (nl.qr, (_random(2, 3, dtype="complex128"),)),
    "pinv": (nl.pinv, (_random(4, 3, dtype="complex128"),)),
    "expm": (sl.expm, (_random(3, 3, dtype="complex128"),)),
    "norm": (nl.norm, (_random(3, 4, dtype="complex128"),)),
}


@pytest.mark.parametrize("name", list(COMPLEX))
def test_gradient_of_complex_matrices(name: str) -> None:
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


def test_of_one_singular_value_written_over_itself() -> None:
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
