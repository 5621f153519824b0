"""What `theano.scan` computes, in every mode, with its gradients; and what it refuses."""

import pickle
import signal
import threading
import tracemalloc

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import variables
from support.tables import case
from theano import scan
from theano._core.ir.graph import toposort
from theano._core.ops.control.scan import Loop
from theano.scan_module import until

REFERENCE = theano.Mode("py", None)
MODES = [None, theano.Mode("llvm", "fast_compile"), theano.Mode("llvm", None), REFERENCE]


def const(value, dtype="float64"):
    return T.constant(value, dtype=dtype)


def everywhere(inputs, outputs, *values):
    """Return the results of all modes, which must agree."""
    results = [
        theano.function(inputs, outputs, mode=mode, on_unused_input="ignore")(*values)
        for mode in MODES
    ]
    for result in results[:-1]:
        for got, wanted in zip(result, results[-1], strict=True):
            assert got.dtype == wanted.dtype and got.shape == wanted.shape
            np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-13)
    return results[0]


def rows(*arguments, **options):
    """Return the results of a loop whose steps update nothing."""
    results, updates = scan(*arguments, **options)
    assert not updates
    return results


def stepped(step, state, *sequences, n=None):
    """Return the states that steps make one after the other, of NumPy arrays."""
    states = []
    for items in zip(*sequences, strict=True) if sequences else [()] * n:
        state = step(*items, state)
        states.append(state)
    return np.array(states)


x, m, c3 = T.dvector("x"), T.dmatrix("m"), T.dtensor3("c3")
s, n = T.dscalar("s"), T.lscalar("n")
X = np.array([0.5, -1.0, 2.0, 0.25, 3.0, -0.5, 1.5])
M = np.arange(12.0).reshape(4, 3) / 7
UP = np.arange(1.0, 8)
shared = theano.shared(np.array(2.0))
fib = np.array([1.0, 1, 2, 3, 5, 8, 13, 21, 34])
powers = rows(
    lambda p, top: (p * 2, until(p * 2 > top)),
    outputs_info=const(1.0),
    non_sequences=s,
    n_steps=1024,
)
grown = rows(lambda p, a: (p * a, until(p * a > 20)), None, const(1.0), s, n_steps=99)
far_taps = {"input": x, "taps": [-1, 2]}
Y, U, V, P = T.dmatrices("Y", "U", "V", "P")
R = np.random.RandomState(0).rand
Y_, U_, V_, P_, H_ = R(5, 2), R(2, 3), R(4, 3), R(5, 4), R(3)


def inner(row):
    return rows(lambda a, t: t * 0.5 + a, sequences=row, outputs_info=const(0.0))[-1]


def network(u, y0, x0, a, feed, back, out):
    """Return the states and results of a network with taps far back and ahead."""
    return rows(
        lambda u_far, u_now, x_far, x_one, y_one, a, feed, back, out: [
            T.tanh(T.dot(x_one, a) + T.dot(u_now, feed) + T.dot(u_far, feed) + y_one * back),
            T.dot(x_far, out).sum(),
        ],
        sequences={"input": u, "taps": [-4, -0]},
        outputs_info=[{"initial": x0, "taps": [-3, -1]}, y0[0]],
        non_sequences=[a, feed, back[0], out],
        strict=True,
    )


NETWORK = T.dmatrix(), T.dvector(), *(T.dmatrix() for _ in range(5))
GIVEN = R(7, 2), np.zeros(1), R(3, 3), R(3, 3), R(2, 3), R(1, 3), R(3, 3)


def network_of_arrays(u, y0, x0, a, feed, back, out):
    states, y, ys = list(x0), y0[0], []
    for t in range(4, 7):
        one, y_one, y = states[-1], y, (states[-3] @ out).sum()
        states.append(np.tanh(one @ a + (u[t] + u[t - 4]) @ feed + y_one * back[0]))
        ys.append(y)
    return [states[3:], ys]


def cumulated(row, h):
    return np.tanh(stepped(lambda a, t: t * 0.5 + a, 0.0, row)[-1] + h)


# Results, values of the inputs, and what must come out.
PROGRAMS = {
    "sum of a sequence": (
        [(o := rows(lambda a, total: total + a, x, const(0.0))), o[-1]],
        {x: X},
        [np.cumsum(X), np.cumsum(X)[-1]],
    ),
    "power": case(
        [rows(lambda p, a: p * a, None, T.ones_like(x), x, n_steps=n)[-1]], {x: X, n: 3}, [X**3]
    ),
    "polynomial": (
        [rows(lambda a, k, f: a * f**k, [x, T.arange(10000)], None, s).sum()],
        {x: X, s: 0.5},
        [np.polyval(X[::-1], 0.5)],
    ),
    "polynomial without the terms": (
        [rows(lambda a, k, so_far, f: so_far + a * f**k, [x, T.arange(9)], const(0.0), s)[-1]],
        {x: X, s: 0.5},
        [np.polyval(X[::-1], 0.5)],
    ),
    "taps of sequences and outputs": (
        [
            rows(
                lambda a, b, third, first: a + b + third * first,
                far_taps,
                {"initial": x, "taps": [-3, -1]},
            )
        ],
        {x: UP},
        [[8.0, 23, 78, 635]],
    ),
    "taps that are a range": (
        [rows(lambda v, *h: v + sum(h), x, {"initial": T.ones(3), "taps": range(-3, 0)})],
        {x: [0.0, 1]},
        [[3.0, 6]],
    ),
    "some outputs without recurrence": (
        rows(
            lambda a, total, b, last: [total + a * b, 2 * a, b + last],
            x,
            [const(1.0), None, {"initial": const([1.0, 1.0]), "taps": [-2, -1]}],
        ),
        {x: X},
        [1 + np.cumsum(X * fib[:7]), 2 * X, fib[2:]],
    ),
    "matrices two steps back": (
        [
            rows(
                lambda two, one: T.dot(two, U) + T.dot(one, V) + T.tanh(one),
                outputs_info={"initial": m[:2], "taps": [-2, -1]},
                n_steps=2,
            )
        ],
        {m: M, U: np.eye(3), V: 2 * np.eye(3)},
        [[(h := M[0] + 2 * M[1] + np.tanh(M[1])), M[1] + 2 * h + np.tanh(h)]],
    ),
    "network with far taps": case(
        network(*NETWORK), dict(zip(NETWORK, GIVEN, strict=True)), network_of_arrays(*GIVEN)
    ),
    "backwards": case(
        [rows(lambda a, b: a + 10 * b, far_taps, go_backwards=True)], {x: UP}, [[74.0, 63, 52, 41]]
    ),
    "the shortest sequence sets the steps": (
        [rows(lambda a, b, t: t + a * b, [x, m[:, 0]], const(0.0))],
        {x: X, m: M},
        [np.cumsum(X[:4] * M[:, 0])],
    ),
    "two sequences of rows": (
        [rows(lambda y, p, h: T.tanh(T.dot(h, m) + T.dot(y, U) + T.dot(p, V)), [Y, P[::-1]], [x])],
        {x: H_, m: M[1:], Y: Y_, U: U_, P: P_, V: V_},
        [stepped(lambda y, p, h: np.tanh(h @ M[1:] + y @ U_ + p @ V_), H_, Y_, P_[::-1])],
    ),
    "free variables are found": (
        [rows(lambda h: T.dot(h, m**2) * shared, outputs_info=x, n_steps=3)[-1]],
        {x: X[:3], m: M[:3] / 3},
        [stepped(lambda h: h @ (M[:3] / 3) ** 2 * 2, X[:3], n=3)[-1]],
    ),
    "until": ([powers, powers[-1], powers.shape[0]], {s: 45.0}, [[2.0, 4, 8, 16, 32, 64], 64.0, 6]),
    "until takes part in gradients": case(
        [T.grad(grown[-1], s), T.grad(grown.sum(), s)], {s: 2.0}, [80.0, 129.0]
    ),
    "nested": (
        [rows(lambda row, h: T.tanh(inner(row) + h), m, const(0.0))],
        {m: M},
        [stepped(cumulated, 0.0, M)],
    ),
    "Jacobian": (
        [rows(lambda i: T.grad(T.tanh(T.dot(x, m))[i], x), T.arange(m.shape[1]))],
        {x: X[:4], m: M},
        [((1 - np.tanh(X[:4] @ M) ** 2) * M).T],
    ),
    "map, reduce and folds": (
        [
            theano.map(lambda a: a**2, x)[0],
            theano.reduce(lambda a, p: p * a, x, const(1.0))[0],
            theano.foldl(lambda a, p: p - a, x, const(0.0))[0],
            theano.foldr(lambda a, p: a - p, x, const(0.0))[0],
        ],
        {x: X},
        [X**2, X.prod(), -X.sum(), stepped(lambda a, f: a - f, 0.0, X[::-1])[-1]],
    ),
    "float16": (
        [rows(lambda a, h: a + h, m.astype("float16"), T.zeros((3,), dtype="float16"))],
        {m: M},
        [np.cumsum(M.astype("float16"), axis=0, dtype="float16")],
    ),
    "rows whose length a step computes": case(
        [rows(lambda k: T.arange(k) * 2, T.cast(x, "int64"))], {x: [3.0, 3]}, [[[0, 2, 4]] * 2]
    ),
    "values written at positions": (
        [
            rows(
                lambda at, v, model: T.set_subtensor(T.zeros_like(model)[at[0], at[1]], v),
                [T.cast(Y, "int32"), x],
                None,
                m,
            )
        ],
        {Y: [[0.0, 1], [1, 0]], x: [42.0, 50], m: np.zeros((2, 2))},
        [[[[0.0, 42], [0, 0]], [[0, 0], [50, 0]]]],
    ),
    "norms and a trace": (
        [
            rows(lambda v: T.sqrt((v**2).sum()), [m]),
            rows(lambda v: T.sqrt((v**2).sum()), [m.T]),
            rows(
                lambda i, j, so_far: T.cast(m[i, j] + so_far, "float32"),
                [T.arange(m.shape[0]), T.arange(m.shape[1])],
                np.float32(0),
            )[-1],
        ],
        {m: M},
        [np.linalg.norm(M, axis=1), np.linalg.norm(M, axis=0), np.float32(np.trace(M))],
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_results_are_those_of_steps_one_after_the_other(name):
    outputs, given, wanted = PROGRAMS[name]
    for got, want in zip(everywhere(list(given), outputs, *given.values()), wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6 if got.dtype == "float32" else 1e-13)


@pytest.mark.parametrize(
    "view", [np.asfortranarray, lambda a: a[::-1], lambda a: a.repeat(2, 1)[:, ::2]]
)
def test_sequences_of_any_strides(view):
    out = rows(lambda row, h: row * 2 + h, sequences=m, outputs_info=T.zeros((3,)))
    (got,) = everywhere([m], [out], view(M))
    np.testing.assert_allclose(got, np.cumsum(2 * np.asarray(view(M)), axis=0), rtol=1e-14)


def test_zero_steps_make_no_rows():
    out = rows(lambda a, h: h + a, sequences=m, outputs_info=T.ones((3,)))
    got, total = everywhere([m], [out, T.grad(out.sum(), m)], np.zeros((0, 3)))
    assert got.shape == (0, 3) and total.shape == (0, 3)
    with pytest.raises(IndexError, match="size 0"):
        theano.function([m], out[-1])(np.zeros((0, 3)))


def test_one_step_needs_no_loop():
    out = rows(lambda h: h * 2, outputs_info=x, n_steps=1)
    assert not any(isinstance(node.op, Loop) for node in toposort([out]))
    np.testing.assert_array_equal(theano.function([x], out)(X), [2 * X])


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "float32", "complex64", "bool"])
def test_states_keep_their_dtype(dtype):
    v = T.TensorType(dtype, [False])("v")
    out = rows(T.or_ if dtype == "bool" else T.add, v, T.zeros((), dtype=dtype))
    data = np.array([1, 0, 3, 100, 100]).astype(dtype)
    (got,) = everywhere([v], [out], data)
    assert got.dtype == dtype
    wanted = np.logical_or.accumulate(data) if dtype == "bool" else np.cumsum(data, dtype=dtype)
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("width", [0, 1, 2, 3, 4, 7, 8, 9, 16, 17])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int32"])
def test_rows_that_fit_a_register_and_rows_that_do_not(width, dtype):
    values = [np.random.RandomState(k).randint(-2, 3, width).astype(dtype) for k in range(2)]
    table = np.random.RandomState(0).randint(-2, 3, (4, width)).astype(dtype)
    inputs = variables(*values, table)
    h0, w, sequence = inputs
    one, two, total = rows(
        lambda r, h, g, w: [w * h - r + h.sum(dtype=dtype), h + g * 2 - r, (h * r).sum()],
        sequence,
        [h0, h0 * 2, None],
        w,
    )
    for data in (table, np.asfortranarray(table), table[::-1]):
        everywhere(inputs, [one, two[-1], total, total[-1]], *values, data)


def test_shared_variables_that_steps_update():
    a, b, c = theano.shared(np.array(1.0)), theano.shared(np.zeros(2)), theano.shared(0)
    out, updates = scan(lambda v: (v * a, [(a, a * 2), (b, b + v)]), sequences=x)
    for mode in MODES:
        a.set_value(1.0), b.set_value(np.zeros(2))
        f = theano.function([x], out, updates=updates, mode=mode)
        np.testing.assert_array_equal(f([1.0, 1, 1, 1]), [1.0, 2, 4, 8])
        assert a.get_value() == 16
        np.testing.assert_array_equal(b.get_value(), [4.0, 4])
    out, updates = scan(lambda: {c: c + 1}, n_steps=n)
    assert out is None
    f = theano.function([n], [], updates=updates)
    f(5), f(3)
    assert c.get_value() == 8


def test_a_failed_step_changes_no_shared_variable():
    total = theano.shared(np.array(0.0))
    out, updates = scan(lambda i: (x[i], {total: total + x[i]}), sequences=T.arange(n))
    f = theano.function([x, n], out, updates=updates)
    f(X, 3)
    before = total.get_value()
    with pytest.raises(IndexError):
        f(X, 8)
    assert total.get_value() == before


def test_functions_with_loops_can_be_pickled_copied_and_given_other_inputs():
    out = rows(lambda a, h: h * shared * s + a, sequences=x, outputs_info=const(0.0))
    f = theano.function([x, s], out)
    wanted = f(X, M.sum())
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(f))(X, M.sum()), wanted)
    np.testing.assert_array_equal(f.copy()(X, M.sum())[0], wanted)
    other = theano.function([x, m], theano.clone(out, {s: m.sum()}))
    np.testing.assert_allclose(other(X, M), wanted, rtol=1e-14)


def peak_of(f, *values):
    """Return the memory that a call takes, in bytes."""
    tracemalloc.start()
    f(*values)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_steps():
    out = rows(lambda h: T.tanh(T.concatenate([h[1:], h[:1]])), outputs_info=x, n_steps=n)
    f = theano.function([x, n], out[-1])
    data = np.linspace(0, 1, 100_000)
    f(data, 2)
    assert peak_of(f, data, 300) < 20 * data.nbytes


def test_steps_let_go_of_what_python_returned():
    rng = T.shared_randomstreams.RandomStreams(1)
    out, updates = scan(lambda h: h + rng.uniform((1000,)), None, T.zeros((1000,)), n_steps=n)
    f = theano.function([n], out[-1], updates=updates)
    f(10)
    assert peak_of(f, 1000) < 100 * 8000


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no timers")
@pytest.mark.parametrize("width", [0, 4, 100])
def test_a_long_loop_can_be_interrupted(width):
    start = T.TensorType("float64", [False] * bool(width))()
    out, _ = scan(lambda h: T.tanh(h * 1.5), outputs_info=start, n_steps=n)
    f = theano.function([start, n], out[-1])

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt):
            f(np.ones(width) if width else 1.0, 10**12)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert np.isfinite(f(np.ones(width) if width else 1.0, 3000)).all()


def test_other_threads_run_during_a_loop():
    out, _ = scan(lambda h: 3.7 * h * (1 - h), outputs_info=s, n_steps=n)
    f = theano.function([s, n], out[-1])
    running = threading.Thread(target=f, args=(0.3, 10**8))
    running.start()
    beats = 0
    while running.is_alive():
        beats += 1
        running.join(0.001)
    assert beats > 10
