"""Derivatives where eigenvalues or singular values are equal, nearly equal, or zero.

What does not depend on the choice of vectors is compared with the same function written without
a spectrum, as the solution of a linear system, whose derivatives divide by no differences.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.gradient import jvp
from theano.tensor import nlinalg as nl

rng = np.random.default_rng(11)
Y, Z = rng.normal(size=4), rng.normal(size=4)
Q, R = (np.linalg.qr(rng.normal(size=(4, 4)))[0] for _ in range(2))
TURN = np.linalg.qr(rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4)))[0]
GAPS = [0, 1e-16, 1e-15, 1e-13, 1e-11, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2]


def spectra(gap: float) -> list[list[float]]:
    """Return a pair, three in a row, two pairs, and four, with gaps of this size."""
    return [
        [0.5, 1, 1 + gap, 2],
        [1, 1 + gap, 1 + 2 * gap, 3],
        [1, 1 + gap, 2, 2 + gap],
        [1, 1 + gap, 1 + 3 * gap, 1 + 4 * gap],
    ]


def eye(x: Any) -> Any:
    return T.eye(4, dtype=x.dtype)


def of_eigh(f: Callable[[Any], Any], x: Any) -> Any:
    w, v = nl.eigh(x)
    return T.dot(v * f(w), T.conj(v).T)


def of_eig(f: Callable[[Any], Any], x: Any) -> Any:
    w, v = nl.eig(x)
    return T.dot(v * f(w), nl.matrix_inverse(v))


def of_svd(f: Callable[[Any], Any], x: Any) -> Any:
    u, s, vh = nl.svd(x, full_matrices=False)
    return T.dot(u * f(s), vh)


def resolvent(w: Any) -> Any:
    return 1 / (w + 0.5)


def odd(s: Any) -> Any:
    return s / (1 + s * s)


def costs(matrix: Any) -> Any:
    """Return a number that depends on a matrix in a way that is not linear."""
    part = T.real if matrix.dtype.startswith("complex") else (lambda v: v)
    one, two = part(T.dot(Y, T.dot(matrix, Z))), part(T.dot(Z, T.dot(matrix, Z)))
    return T.sin(one) + one * two**2


def derivatives(cost: Callable[[Any], Any], dtype: str = "float64") -> Any:
    x, d = T.TensorType(dtype, (False, False))(), T.TensorType(dtype, (False, False))()
    value = cost(x)
    slope = T.grad(value, x)
    along = T.real(slope * T.conj(d)).sum() if dtype.startswith("complex") else (slope * d).sum()
    return theano.function([x, d], [value, slope, T.grad(along, x)])


def off(got: np.ndarray, wanted: np.ndarray, hermitian: bool) -> float:
    if hermitian:
        # One triangle is read, or both: of a Hermitian matrix the same.
        got, wanted = got + got.conj().T, wanted + wanted.conj().T
    return float(abs(got - wanted).max() / abs(wanted).max())


def symmetric(x: Any) -> Any:
    """Return a Hermitian matrix, made of the lower triangle of one."""
    lower = T.tril(x, -1)
    return lower + T.conj(lower).T + T.real(x) * eye(x)


def test_a_multiple_of_a_matrix_with_equal_eigenvalues() -> None:
    p = T.dscalar()
    base, y = np.eye(3) + 0.3, np.array([1, -2, 0.5])
    w, v = nl.eigh(p * base)
    loss = (T.dot(v.T, y) ** 2 / (w + 0.1)).sum()
    slope = T.grad(loss, p)
    f = theano.function([p], [loss, slope, T.grad(slope, p), jvp(loss, p, T.ones_like(p))])
    with mpmath.workdps(40):
        b, column = mpmath.matrix(base.tolist()), mpmath.matrix(y.tolist())

        def exact(q: Any) -> Any:
            return (column.T * (q * b + mpmath.mpf(0.1) * mpmath.eye(3)) ** -1 * column)[0]

        for at in (1, 1.3, 2.7):
            wanted = [float(mpmath.diff(exact, at, k)) for k in (0, 1, 2, 1)]
            np.testing.assert_allclose(f(at), wanted, rtol=1e-13)


EIGH = derivatives(lambda x: costs(of_eigh(resolvent, x)))
SOLVED = derivatives(lambda x: costs(nl.matrix_inverse(symmetric(x) + 0.5 * eye(x))))


@pytest.mark.parametrize("gap", GAPS)
def test_eigh(gap: float) -> None:
    direction = rng.normal(size=(4, 4))
    for w in spectra(gap):
        for turn in (Q, np.eye(4)):
            x = (turn * w) @ turn.T
            x = (x + x.T) / 2
            got, wanted = EIGH(x, direction), SOLVED(x, direction)
            assert off(got[1], wanted[1], False) < 3e-10
            # Half of the digits, and less where neither the quotient nor its limit has more.
            assert off(got[2], wanted[2], False) < max(1e-10, 2e-4 * (1e-7 < gap < 1e-4), 60 * gap)


@pytest.mark.parametrize("gap", GAPS)
def test_eigh_of_complex_matrices(gap: float) -> None:
    f = derivatives(lambda x: costs(of_eigh(resolvent, x)), "complex128")
    g = derivatives(lambda x: costs(nl.matrix_inverse(symmetric(x) + 0.5 * eye(x))), "complex128")
    direction = rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4))
    for w in spectra(gap):
        x = (TURN * w) @ TURN.conj().T
        x = (x + x.conj().T) / 2
        got, wanted = f(x, direction), g(x, direction)
        assert off(got[1], wanted[1], False) < 3e-10
