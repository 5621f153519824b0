"""Derivatives where eigenvalues or singular values are equal, nearly equal, or zero.

What does not depend on the choice of vectors is compared with the same function written without
a spectrum, as the solution of a linear system, whose derivatives divide by no differences.
"""

import pickle
from functools import cache

import mpmath
import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.gradient import jvp
from theano.tensor import nlinalg as nl, slinalg as sl

rng = np.random.default_rng(11)
Y, Z = rng.normal(size=4), rng.normal(size=4)
Q, R = (np.linalg.qr(rng.normal(size=(4, 4)))[0] for _ in range(2))
TURN = np.linalg.qr(rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4)))[0]
DIRECTION = rng.normal(size=(4, 4))
GAPS = [0, 1e-16, 1e-15, 1e-12, 1e-9, 1e-7, 1e-6, 1e-5, 1e-4, 1e-2]


def spectra(gap):
    """Return a pair, three in a row, two pairs, and four, with gaps of this size."""
    return [
        [0.5, 1, 1 + gap, 2],
        [1, 1 + gap, 1 + 2 * gap, 3],
        [1, 1 + gap, 2, 2 + gap],
        [1, 1 + gap, 1 + 3 * gap, 1 + 4 * gap],
    ]


def eye(x):
    return T.eye(4, dtype=x.dtype)


def hermitian(x):
    return (x + x.conj().T) / 2


def of_eigh(f, x):
    w, v = nl.eigh(x)
    return T.dot(v * f(w), T.conj(v).T)


def of_eig(f, x):
    w, v = nl.eig(x)
    return T.dot(v * f(w), nl.matrix_inverse(v))


def of_svd(f, x):
    u, s, vh = nl.svd(x, full_matrices=False)
    return T.dot(u * f(s), vh)


def resolvent(w):
    return 1 / (w + 0.5)


def odd(s):
    return s / (1 + s * s)


def costs(matrix):
    """Return a number that depends on a matrix in a way that is not linear."""
    part = T.real if matrix.dtype.startswith("complex") else (lambda v: v)
    one, two = part(T.dot(Y, T.dot(matrix, Z))), part(T.dot(Z, T.dot(matrix, Z)))
    return T.sin(one) + one * two**2


def derivatives(cost, dtype="float64"):
    x, d = T.TensorType(dtype, (False, False))(), T.TensorType(dtype, (False, False))()
    value = cost(x)
    slope = T.grad(value, x)
    along = T.real(slope * T.conj(d)).sum() if dtype.startswith("complex") else (slope * d).sum()
    return theano.function([x, d], [value, slope, T.grad(along, x)])


def off(got, wanted):
    return float(abs(got - wanted).max() / max(abs(wanted).max(), 1e-3))


def symmetric(x):
    """Return a Hermitian matrix, made of the lower triangle of one."""
    lower = T.tril(x, -1)
    return lower + T.conj(lower).T + T.real(x) * eye(x)


def test_a_multiple_of_a_matrix_with_equal_eigenvalues():
    p = T.dscalar()
    base, y = np.eye(3) + 0.3, np.array([1, -2, 0.5])
    w, v = nl.eigh(p * base)
    loss = (T.dot(v.T, y) ** 2 / (w + 0.1)).sum()
    slope = T.grad(loss, p)
    f = theano.function([p], [loss, slope, T.grad(slope, p), jvp(loss, p, T.ones_like(p))])
    with mpmath.workdps(40):
        b, column = mpmath.matrix(base.tolist()), mpmath.matrix(y.tolist())

        def exact(q):
            return (column.T * (q * b + mpmath.mpf(0.1) * mpmath.eye(3)) ** -1 * column)[0]

        for at in (1, 1.3, 2.7):
            wanted = [float(mpmath.diff(exact, at, k)) for k in (0, 1, 2, 1)]
            np.testing.assert_allclose(f(at), wanted, rtol=1e-13)


def inverse(x):
    return nl.matrix_inverse(x + 0.5 * eye(x))


def twice_at_most(gap):
    """Return what second derivatives may be off by: half of the digits are left at worst."""
    return 1e-11 + min(1e3 * gap, 5e-4, 1e-13 / max(gap, 1e-16) ** 2)


def agree(f, g, x, direction, gap):
    got, wanted = f(x, direction), g(x, direction)
    np.testing.assert_allclose(got[0], wanted[0], rtol=1e-12, atol=1e-13)
    assert off(got[1], wanted[1]) < 1e-9
    assert off(got[2], wanted[2]) < twice_at_most(gap)


@cache
def eigh(dtype="float64"):
    return derivatives(lambda x: costs(of_eigh(resolvent, x)), dtype)


@cache
def solved(dtype="float64"):
    return derivatives(lambda x: costs(inverse(symmetric(x))), dtype)


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("turn", [Q, np.eye(4)], ids=["turned", "diagonal"])
def test_eigh(gap, number, turn):
    agree(eigh(), solved(), hermitian((turn * spectra(gap)[number]) @ turn.T), DIRECTION, gap)


@pytest.mark.parametrize("gap", GAPS)
def test_all_eigenvalues_are_near_each_other_next_to_zero(gap):
    x = gap * (Q + Q.T)
    assert off(eigh()(x, DIRECTION)[1], solved()(x, DIRECTION)[1]) < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("number", range(4))
def test_eigh_of_complex_matrices(gap, number):
    x = hermitian((TURN * spectra(gap)[number]) @ TURN.conj().T)
    agree(eigh("complex128"), solved("complex128"), x, DIRECTION + 1j * DIRECTION.T, gap)


def test_the_upper_triangle_and_a_stack_with_one_such_matrix():
    x = T.dtensor3()
    w, v = nl.eigh(x, "U")
    cost = (T.sqr((v * Y[:, None]).sum(axis=1)) * resolvent(w)).sum()
    f = theano.function([x], T.grad(cost, x))
    stack = np.stack([np.eye(4), np.diag([1.0, 2, 3, 4]), Q @ np.diag([1.0, 1, 2, 2]) @ Q.T])
    stack[0, 3, 0] = 5  # not read
    for got, a in zip(f(stack), stack, strict=True):
        a = np.triu(a) + np.triu(a, 1).T
        column = np.linalg.solve(a + 0.5 * np.eye(4), Y)
        wanted = -np.outer(column, column)
        np.testing.assert_allclose(got, np.triu(wanted) + np.triu(wanted, 1), atol=1e-12)


@pytest.mark.parametrize("apart", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_values_of_one_application_and_vectors_of_another(apart):
    def cost(x):
        w, v = nl.eigh(x)
        return costs(T.dot(v * resolvent(sl.eigvalsh(x, None) if apart else w), v.T))

    agree(derivatives(cost), solved(), np.eye(4) * 2, DIRECTION, 0)


@cache
def of_values():
    return (
        derivatives(lambda x: T.sin(T.log(sl.eigvalsh(x, None) + 0.5).sum())),
        derivatives(lambda x: T.sin(nl.slogdet(symmetric(x) + 0.5 * eye(x))[1])),
    )


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("number", range(4))
def test_functions_of_eigenvalues_only(gap, number):
    agree(*of_values(), hermitian((Q * spectra(gap)[number]) @ Q.T), DIRECTION, gap)


@cache
def svd():
    return (
        derivatives(lambda x: costs(of_svd(odd, x))),
        derivatives(lambda x: costs(T.dot(x, nl.matrix_inverse(eye(x) + T.dot(x.T, x))))),
    )


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("number", range(7))
@pytest.mark.parametrize("turns", [(Q, R), (np.eye(4), np.eye(4))], ids=["turned", "diagonal"])
def test_svd(gap, number, turns):
    of_low_rank = [[2, 1, 0.5, gap], [2, 1, gap, 0], [2, 1, 3 * gap, gap]]
    s = [*spectra(gap), *of_low_rank][number]
    agree(*svd(), (turns[0] * s) @ turns[1].T, DIRECTION, gap)


@pytest.mark.parametrize("shape", [(5, 3), pytest.param((3, 5), marks=pytest.mark.slow)])
def test_svd_of_other_matrices_that_miss_a_rank(shape):
    one = rng.normal(size=shape)
    left, right = np.linalg.qr(rng.normal(size=(5, 5)))[0], R[:3, :3]

    def cost(matrix):
        return T.sin((matrix * one).sum())

    f = derivatives(lambda x: cost(of_svd(odd, x)))
    g = derivatives(lambda x: cost(T.dot(x, nl.matrix_inverse(T.eye(shape[1]) + T.dot(x.T, x)))))
    for s in ([1, 1, 0.5], [1, 0.5, 0], [1, 0, 0]):
        middle = np.zeros((5, 3))
        middle[range(3), range(3)] = s
        x = left @ middle @ np.linalg.qr(right)[0]
        agree(f, g, x if shape[0] > 3 else x.T, rng.normal(size=shape), 0)


@cache
def eig():
    return (
        derivatives(lambda x: costs(of_eig(resolvent, x)), "complex128"),
        derivatives(lambda x: costs(inverse(x)), "complex128"),
    )


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize(
    "turn", [Q, np.eye(4), np.eye(4) + 0.3 * R], ids=["turned", "diagonal", "oblique"]
)
def test_eig(gap, number, turn):
    x = (turn * spectra(gap)[number]) @ np.linalg.inv(turn) + 0j
    agree(*eig(), x, DIRECTION + 0j, gap)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_huge_and_tiny_matrices(scale):
    x = T.dmatrix()
    w, v = nl.eigh(x)
    f = theano.function([x], T.grad(T.dot(Y, v[:, 0]) ** 2 + (w / w[-1]).sum(), x))
    a = Q @ np.diag([1.0, 2, 3, 4]) @ Q.T
    np.testing.assert_allclose(f(a * scale) * scale, f(a), atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
def test_single_precision(dtype, mode):
    x = T.TensorType(dtype, (False, False))()
    f, g = (
        theano.function([x], T.grad(costs(m), x), mode=mode)
        for m in (of_eigh(resolvent, x), inverse(symmetric(x)))
    )
    for gap in (0, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1):
        for w in spectra(gap):
            a = ((Q * w) @ Q.T).astype(dtype)
            assert off(f(a), g(a)) < 1e-3


def test_a_subspace_depends_on_no_choice_of_vectors():
    """What is within it, or within the rest, counts for nothing."""
    x, weight = T.dmatrix(), rng.normal(size=(4, 4))
    v = nl.eigh(x)[1][:, :2]
    projector = T.dot(v, v.T)
    f = theano.function([x], [projector, T.grad((projector * weight).sum(), x)])
    found, gradient = f(hermitian((Q * [1, 1, 2, 2]) @ Q.T))
    direction = hermitian(rng.normal(size=(4, 4)))
    low, high = Q[:, :2] @ Q[:, :2].T, Q[:, 2:] @ Q[:, 2:].T
    turned = -(low @ direction @ high + high @ direction @ low)
    np.testing.assert_allclose(found, low, atol=1e-14)
    np.testing.assert_allclose((gradient * direction).sum(), (turned * weight).sum(), rtol=1e-12)


def test_what_depends_on_the_choice_has_no_derivative():
    x = T.dmatrix()
    for out in (nl.eigh(x)[1], nl.svd(x)[0], nl.eig(x)[1]):
        f = theano.function([x], T.grad(out[0, 0] + out[0, 1] * 2, x))
        assert not np.isfinite(f(np.eye(3))).all()
        assert np.isfinite(f(np.diag([3.0, 2, 1]) + 0.1)).all()


def test_forward_mode():
    x, d = T.dmatrices("x", "d")
    w, v = nl.eigh(x)
    f = theano.function([x, d], jvp([costs(T.dot(v * resolvent(w), v.T)), w.sum(), v], x, d))
    g = theano.function([x, d], jvp(costs(inverse(x)), x, d))
    a = (Q * [1, 1, 2, 2]) @ Q.T
    a = (a + a.T) / 2
    # Eigenvectors need not turn along a function of the matrix.
    along = a @ a
    np.testing.assert_allclose(f(a, along)[0], g(a, along), rtol=1e-12)
    np.testing.assert_allclose(f(a, along)[2], 0, atol=1e-12)
    other = rng.normal(size=(4, 4))
    other = other + other.T
    of_cost, of_trace, of_vectors = f(a, other)
    assert not np.isfinite(of_cost) and not np.isfinite(of_vectors).all()
    np.testing.assert_allclose(of_trace, np.trace(other), rtol=1e-12)
    for out in (T.dot(nl.svd(x)[0], nl.svd(x)[2]), T.dot(nl.eig(x)[1], nl.eig(x)[1].T)):
        h = theano.function([x, d], jvp(out.sum(), x, d))
        np.testing.assert_allclose(h(np.eye(4), np.diag([1.0, 2, 3, 4])), 0, atol=1e-12)


def test_loops():
    """Limits are found in a body; what leaves it as vectors has none that is known."""
    x, factors = T.dmatrix(), T.constant(np.array([1.0, 2.0]))
    inside = theano.scan(lambda p, a: of_eigh(resolvent, a * p), [factors], None, [x])[0]
    w, v = theano.scan(lambda p, a: nl.eigh(a * p), [factors], None, [x])[0]
    outside = [T.dot(v[i] * resolvent(w[i]), v[i].T) for i in range(2)]
    wanted = [inverse(symmetric(x)), inverse(symmetric(x * 2))]
    f, g, h = (
        theano.function([x], T.grad(costs(one) + costs(two), x))
        for one, two in ((inside[0], inside[1]), outside, wanted)
    )
    apart = np.diag([1.0, 2, 3, 4])
    assert off(f(np.eye(4)), h(np.eye(4))) < 1e-12
    assert off(f(apart), h(apart)) < 1e-12
    assert not np.isfinite(g(np.eye(4))).all()
    assert off(g(apart), h(apart)) < 1e-12


class Doubled(theano.Op):
    """An operation whose derivative has none."""

    itypes, otypes = [T.dvector], [T.dvector]

    def perform(self, node, inputs, outputs):
        outputs[0][0] = 2 * inputs[-1]

    def grad(self, inputs, gradients):
        return [DoubledGrad()(inputs[0], gradients[0])]


class DoubledGrad(theano.Op):
    itypes, otypes, perform = [T.dvector, T.dvector], [T.dvector], Doubled.perform


def test_what_has_no_second_derivative_has_no_limit():
    x = T.dmatrix()
    w, v = nl.eigh(x)
    f = theano.function([x], T.grad((T.dot(v.T, Y) ** 2 * Doubled()(w)).sum(), x))
    apart = np.diag([1.0, 2, 3, 4])
    np.testing.assert_allclose(f(apart), 2 * np.outer(Y, Y) * np.tri(4) * (2 - np.eye(4)))
    assert not np.isfinite(f(np.eye(4))).all()


def test_functions_with_limits_can_be_pickled_and_keep_shared_variables():
    x, shift = T.dmatrix(), theano.shared(0.5)
    w, v = nl.eigh(x)
    f = theano.function([x], T.grad((T.dot(v.T, Y) ** 2 / (w + shift)).sum(), x))
    copy = pickle.loads(pickle.dumps(f))
    for value in (0.5, 2.0):
        shift.set_value(value)
        wanted = -np.outer(Y, Y) / (1 + value) ** 2 * np.tri(4) * (2 - np.eye(4))
        np.testing.assert_allclose(f(np.eye(4)), wanted, atol=1e-13)
    np.testing.assert_allclose(copy(np.eye(4)), f(np.eye(4)) * (3 / 1.5) ** 2, atol=1e-13)
