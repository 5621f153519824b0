"""States that steps read and write part by part are handed on as so many states."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.agreement import agree
from support.comparison import DERIVATIVES, SUMS
from support.compiling import ops
from support.errors import refused
from theano._core.ops.control.scan import Loop
from theano.ifelse import ifelse
from theano.scan_module import until

rng = np.random.default_rng(7)
x, m, v = T.dmatrix("x"), T.dmatrix("m"), T.dvector("v")
X, M, V = rng.normal(size=(4, 3)), rng.normal(size=(3, 4)), rng.normal(size=3)


def lorenz(u):
    return T.stack([10 * (u[1] - u[0]), u[0] * (28 - u[2]) - u[1], u[0] * u[1] - 2.5 * u[2]])


def runge_kutta(u):
    a = lorenz(u)
    b = lorenz(u + 0.005 * a)
    return u + 0.01 * (a + 2 * b) / 3


def columns(u):
    a, b, c = u[:, 0], u[:, 1], u[:, 2]
    return u + 0.01 * T.stack([b - a, a * c, a - b], axis=1)


def rows(steps, start, **options):
    return theano.scan(steps, outputs_info=start, n_steps=6, **options)[0]


def written(u):
    u = T.set_subtensor(u[0], u[1] * 0.5)
    u = T.inc_subtensor(u[1:], u[:2] * 0.25)
    return T.set_subtensor(u[-1], 0.75 * u[2])


def two_back(a, b):
    return T.stack([a[0] + b[1], T.tanh(b[2] * a[1]), b[0] * 0.5])


def turned(u):
    return u + 0.1 * T.stack([u[:, 1], -u[:, 0], T.tanh(u[:, 2])]).T


def matrix_of_stacks(u):
    a, b, c = u[0, 0], u[1, 0], u[1, 1]
    return T.stack([T.stack([a * 0.9 + b, c]), T.stack([c - a, T.tanh(b)])])


def shifted(u):
    return T.concatenate([u[1:] * 0.5, T.tanh(u[:1])])


def with_shapes(u):
    return T.stack([u[1], u[2] * u.shape[0], u[0] / u.size]) * 0.5


LOOPS = {
    "numbers": (rows(runge_kutta, v), V, 3),
    "the last numbers": (rows(runge_kutta, v)[-1], V, 3),
    "columns": (rows(columns, x), X, 3),
    "the last columns": (rows(columns, x)[-1], X, 3),
    "rows of a matrix": (rows(lambda u: 0.1 * lorenz(u), m), M, 3),
    "written to": (rows(written, v * np.arange(1.0, 4.0)), V, 3),
    "two steps back": (rows(two_back, {"initial": T.stack([v, v + 1]), "taps": [-2, -1]}), V, 3),
    "older only": (rows(lorenz, {"initial": T.stack([v, v + 1]) * 0.1, "taps": [-2]}), V, 3),
    "turned": (rows(turned, x), X, 3),
    "two axes": (rows(matrix_of_stacks, x[:2, :2]), X, 4),
    "shifted": (rows(shifted, v * np.arange(1.0, 4.0)), V, 3),
    "lengths": (rows(with_shapes, v), V, 3),
    "a condition": (
        theano.scan(lambda u: (columns(u), until(u[0, 0] < -5)), outputs_info=x, n_steps=6)[0],
        X,
        3,
    ),
    "a constant": (rows(lambda u: lorenz(u) * 0.1 + np.array([1.0, 2.0, 3.0]), v), V, 3),
}


def of(given):
    """Return the variable that a loop starts with."""
    return v if given is V else x if given is X else m


def loops_of(f):
    return ops(f, Loop)


@pytest.mark.parametrize("name", LOOPS)
def test_states_are_split_and_keep_values_and_gradients(name):
    value, given, count = LOOPS[name]
    start = of(given)
    (op,) = loops_of(agree([start], value, [given], tolerance=SUMS))
    assert len(op.states) == count
    agree([start], T.grad((value**2).sum(), start), [given], tolerance=DERIVATIVES)


def test_gradients_are_split_too():
    g = T.grad((rows(runge_kutta, v)[-1] ** 2).sum(), v)
    f = theano.function([v], g)
    assert [value.type.ndim for op in loops_of(f) for value in op.new_values] == [0] * 6


@pytest.mark.parametrize(
    "whole",
    [
        lambda u: T.dot(T.ones((3, 3)), lorenz(u)),
        lambda u: lorenz(T.sort(u)),
        lambda u: lorenz(u) + u[T.argmax(u)],
    ],
    ids=["a product", "a sorted state", "an index that changes"],
)
def test_what_needs_the_whole_state_is_one_state(whole):
    f = agree([v], rows(lambda u: 0.01 * whole(u), v), [V], tolerance=SUMS)
    assert len(loops_of(f)[0].states) == 1


@pytest.mark.parametrize("length", [2, 4])
@pytest.mark.parametrize("step", [runge_kutta, lambda u: lorenz(u) + v], ids=["sum", "fixed"])
def test_other_lengths_are_refused(step, length):
    with pytest.raises((ValueError, IndexError)):
        theano.function([v], rows(step, v))(np.ones(length))
    w = T.dvector("w")
    with refused(ValueError, "mis-match"):
        theano.function([v, w], rows(lambda u: lorenz(u) + w, v))(V, np.ones(4))


def test_branches_that_are_not_taken_refuse_nothing():
    wanted = T.eq(v.shape[0], 3)
    f = theano.function([v], ifelse(wanted, rows(runge_kutta, v)[-1].sum(), v.sum()))
    assert f(np.ones(4)) == 4
    assert np.isfinite(f(V))


def test_gradients_read_rows_of_parts_where_they_lie():
    f = theano.function([x], T.grad((rows(columns, x)[-1] ** 2).sum(), x))
    nodes = [n for n in f.maker.fgraph.toposort() if isinstance(n.op, Loop)]
    sequences = [v for n in nodes for v in n.op.outer(n).sequences]
    # Joined rows have three axes.
    assert sequences
    assert all(v.type.ndim == 2 for v in sequences)
