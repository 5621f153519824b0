"""Gradients of loops: by states, sequences and what is fixed, truncated, and with checkpoints."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.agreement import agree
from support.arrays import variables
from support.comparison import DERIVATIVES
from support.compiling import DEFINITION
from support.tables import case
from theano import scan
from theano._core.lower.reference import evaluate
from theano.gradient import DisconnectedInputError, NullTypeGradError, verify_grad
from theano.ifelse import ifelse
from theano.scan_module import until

MODES = [None, theano.Mode("llvm", "fast_compile"), theano.Mode("llvm", None)]
x, s = T.dvector("x"), T.dscalar("s")
X = np.array([0.5, -1.0, 2.0, 0.25, 3.0, -0.5, 1.5])
M = np.arange(12.0).reshape(4, 3) / 7


def const(value):
    return T.constant(value, dtype="float64")


def rows(*arguments, **options):
    return scan(*arguments, **options)[0]


def network(sequence, w, u):
    return rows(lambda r, h: T.tanh(T.dot(r, w) + T.dot(h, u)), sequence, T.dot(sequence[0], w) * 0)


def tapped(v):
    taps = {"input": v, "taps": [-1, 1]}, {"initial": v[:3], "taps": [-3, -1]}
    return rows(lambda a, b, p, q: T.tanh(a * q + b * p), *taps)


def written(v):
    count = T.arange(v.shape[0])
    return rows(lambda i, h: T.set_subtensor(h[i], (h * v).sum()), count, v * 0 + 1)[-1]


CASES = {
    "all steps": (lambda v: rows(lambda a, h: T.tanh(a * h + 0.5), v, const(0.3)), [X]),
    "last step": (lambda v: rows(lambda a, h: T.tanh(a * h + 0.5), v, const(0.3))[-1], [X]),
    "a middle step": (lambda v: rows(lambda a, h: a * h + 0.5, v, const(0.3))[3], [X]),
    "initial value": (lambda v: rows(lambda h: T.sin(h) * 1.5, None, v, n_steps=4), [X]),
    "taps": (tapped, [X]),
    "fixed matrix": case(
        lambda v, w: rows(lambda h, w: T.tanh(T.dot(h, w)), None, v, w, 4)[-1], [X[:3], M[:3]]
    ),
    "network": (network, [M, M[:3] / 2, M[1:] / 3]),
    "batches": (network, [np.stack([M, M + 1]) / 9, M[:3] / 2, M[1:] / 3]),
    "backwards": (lambda v: rows(lambda a, h: a * h + 1, v, const(1.0), go_backwards=True), [X]),
    "fewer steps": (lambda v: rows(lambda a, h: a * h + 1, v, const(1.0), n_steps=4), [X]),
    "handed on unchanged": case(
        lambda v: T.stack(rows(lambda a, p, q: [a * p, p * q], v, [const(1.0), const(2.0)])), [X]
    ),
    "read twice": (lambda v: rows(lambda a, b, h: a * b + h, [v, v], const(0.0)), [X]),
    "indexed": case(
        lambda v: rows(lambda i, h: T.tanh(v[i] + h), T.arange(v.shape[0]), const(0.0)), [X]
    ),
    "written": (written, [X[:3]]),
    "map": (lambda v, w: rows(lambda r, w: T.exp(T.dot(r, w)), v, None, w), [M, M[:3] / 5]),
}


@pytest.mark.parametrize("name", CASES)
def test_gradients_are_finite_differences_and_the_same_everywhere(name):
    function, values = CASES[name]
    verify_grad(function, values, rng=np.random.RandomState(0))
    inputs = variables(*values)
    out = function(*inputs)
    for mode in MODES:
        outputs = [out, *T.grad((out**2).sum(), inputs)]
        agree(inputs, outputs, values, mode=mode, tolerance=DERIVATIVES)


@pytest.mark.parametrize("name", ["all steps", "last step", "taps", "network", "written"])
def test_gradients_of_gradients(name):
    function, values = CASES[name]

    def slope(*variables):
        out = function(*variables)
        return T.grad((out * T.cos(out)).sum(), variables[0])

    verify_grad(slope, values, rng=np.random.RandomState(0))


# Measured with Theano 1.0.5: x, h0, w for the last value, then for the sum of all.
WHOLE = [0.07446315, 0.14504398, 0.28878661, 0.63721147], 0.04467789, 0.52408673
WHOLE += [1.55461227, 1.3615042, 1.04412615, 0.63721147], 0.93276736, 2.03122641
TWO = [0, 0, 0.28878661, 0.63721147], 0, 0.43174584
TWO += [0, 0, 1.04412615, 0.63721147], 0, 0.73661817
TRUNCATED = {-1: WHOLE, 2: TWO, 9: WHOLE}


@pytest.mark.parametrize("mode", [*MODES, DEFINITION])
@pytest.mark.parametrize("steps", TRUNCATED)
def test_truncated_gradients(steps, mode):
    h0, w = T.dscalar("h0"), T.dscalar("w")
    out = rows(lambda a, h, w: T.tanh(w * h + a), x, h0, w, truncate_gradient=steps)
    gradients = T.grad(out[-1], [x, h0, w]) + T.grad(out.sum(), [x, h0, w])
    got = theano.function([x, h0, w], gradients, mode=mode)([0.1, 0.2, 0.3, 0.4], 0.5, 0.6)
    for value, wanted in zip(got, TRUNCATED[steps], strict=True):
        np.testing.assert_allclose(value, wanted, atol=1e-8)


# What Theano 1.0.5 returns: how many steps gradients flow back, steps → gradient of y0.
TRUNCATED_TAPS = {
    (1, 1): [0.2, 0.0, 0.5],
    (1, 2): [0.0, 0.4, 0.0],
    (2, 2): [0.3, 0.4, 0.75],
    (2, 3): [0.0, 0.6, 0.6],
    (2, 4): [0.0, 0.0, 0.9],
    (2, 5): [0.0, 0.0, 0.0],
    (3, 5): [0.0, 0.0, 1.05],
}


@pytest.mark.parametrize("mode", [*MODES, DEFINITION])
@pytest.mark.parametrize(("kept", "steps"), TRUNCATED_TAPS)
def test_initial_values_that_the_last_steps_read_have_truncated_gradients(kept, steps, mode):
    y0, n = T.dvector("y0"), T.lscalar("n")
    out = rows(
        lambda far, near: 0.5 * near + 0.1 * far * far,
        outputs_info={"initial": y0, "taps": [-3, -1]},
        n_steps=n,
        truncate_gradient=kept,
    )
    f = theano.function([y0, n], T.grad(out.sum(), y0), mode=mode)
    np.testing.assert_allclose(f([1.0, 2, 3], steps), TRUNCATED_TAPS[kept, steps], atol=1e-12)


@pytest.mark.parametrize("checkpoint", [1, 3, 7, 40, "auto"])
@pytest.mark.parametrize("mode", [None, DEFINITION])
def test_checkpoints_change_no_result(checkpoint, mode):
    def build(checkpoint):
        a, b, f = rows(
            lambda v, h, p, q, w: [T.tanh(v * w + h), v * h, 0.5 * p + q * v],
            x,
            [const(0.3), None, {"initial": x[:2], "taps": [-2, -1]}],
            s,
            checkpoint=checkpoint,
        )
        costs = [a[-1] ** 2, (a**2).sum() + b.sum(), f[-1] * 2, f[3]]
        return [a, b, f, *(g for c in costs for g in T.grad(c, [x, s], None, "ignore"))]

    wanted = theano.function([x, s], build(None))(X, 0.7)
    got = theano.function([x, s], build(checkpoint), mode=mode)(X, 0.7)
    for one, two in zip(got, wanted, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12, atol=1e-14)


def test_checkpoints_keep_few_states():
    steps, largest = 100, []
    for checkpoint in (None, "auto"):
        out = rows(lambda h: T.tanh(h * 1.1), None, x, n_steps=steps, checkpoint=checkpoint)
        graph = theano.function([x], T.grad(out[-1].sum(), x)).maker.graph
        sizes = []
        watch = lambda node, inputs, outputs, s=sizes: s.extend(np.size(v) for v in outputs)
        evaluate(graph.outputs, {graph.inputs[0]: np.linspace(0, 1, 50)}, watch)
        largest.append(max(sizes))
    assert largest[0] >= steps * 50 and largest[1] <= 12 * 50


def test_scan_checkpoints_returns_every_third_state():
    out, _ = theano.scan_checkpoints(lambda a, h: T.tanh(a + h), x, const(0.0), save_every_N=3)
    every = rows(lambda a, h: T.tanh(a + h), x, const(0.0))
    f = theano.function([x], [out, every, T.grad(out[-1], x), T.grad(every[-1], x)])
    got, some, slope, wanted = f(X)
    np.testing.assert_array_equal(got, some[[2, 5, 6]])
    np.testing.assert_allclose(slope, wanted, rtol=1e-14)
    with pytest.raises(RuntimeError, match="taps"):
        theano.scan_checkpoints(lambda h: h, None, {"initial": x, "taps": [-1]}, n_steps=3)
    for wrong in (0, -1, "some", 2.5):
        with pytest.raises(ValueError, match="checkpoint"):
            scan(lambda a: a, x, checkpoint=wrong)
    with pytest.raises(ValueError, match="until"):
        scan(lambda a: (a, until(a > 1)), x, checkpoint=2)


# Which inputs the gradient knows of; the expected numbers are those of Theano 1.0.5.


@pytest.mark.parametrize("checkpoint", [None, 2])
def test_gradients_by_integers(checkpoint):
    i, w, n = T.ivector(), T.dscalar(), T.iscalar()
    rows, _ = scan(lambda a, w, n: a * w * n, i, non_sequences=[w, n], checkpoint=checkpoint)
    run = theano.function([i, w, n], T.grad(rows.sum(), [i, w, n]))
    by_i, by_w, by_n = run([1, 2, 3], 2.5, 2)
    assert by_i.dtype == "float64" and by_i.tolist() == [0, 0, 0]
    assert by_w == 12
    assert by_n.dtype == "float64" and by_n == 15


def test_gradients_by_an_integer_state():
    start, w = T.iscalar(), T.dscalar()
    (_, products), _ = scan(lambda a, w: (a + 1, a * w), None, [start, None], w, n_steps=3)
    by_start, by_w = theano.function([start, w], T.grad(products.sum(), [start, w]))(2, 2.5)
    assert by_start == 0 and by_w == 2 + 3 + 4


def test_powers_of_an_integer_in_second_order():
    x, n = T.dscalar(), T.lscalar()
    rows, _ = scan(lambda p, x, n: p * x**n, None, T.ones(()), [x, n], n_steps=2)
    slope = T.grad(rows[-1], x)
    # x**(2n), twice differentiated.
    assert theano.function([x, n], T.grad(slope, x))(1.5, 2) == pytest.approx(12 * 1.5**2)


def test_an_initial_value_that_no_step_reads_is_disconnected():
    x0, y0, z0 = T.dvectors(3)
    (x, y, z), _ = scan(lambda x, y, z: (x**2, y, x + 1), None, [x0, y0, z0], n_steps=3)
    cost = (x + y + z).sum()
    run = theano.function([x0, y0, z0], T.grad(cost, [x0, y0]))
    by_x, by_y = run([0.5], [7.0], [9.0])
    # x0**2 + x0**4 + x0**8, and x0 + x0**2 + x0**4 in the last state.
    assert by_x == pytest.approx(1 + 4 * 0.5 + 8 * 0.5**3 + 8 * 0.5**7) and by_y == 3
    for target, output in ((z0, cost), (y0, x.sum())):
        with pytest.raises(DisconnectedInputError):
            T.grad(output, target)


def test_what_is_given_to_steps_counts_as_used_and_may_be_computed():
    x, spare = T.dvector(), T.dmatrix() + 2
    rows, _ = scan(lambda a, _: a + 1, x, non_sequences=spare)
    assert theano.function([x, spare], rows)([1, 2], np.zeros((1, 1))).tolist() == [2, 3]


def test_states_after_an_undefined_gradient_have_none():
    start, other = T.dscalars(2)

    def step(a, b):
        return theano.gradient.undefined_grad(a) * 2, b * 3

    (a, b), _ = scan(step, None, [start, other], n_steps=2)
    for cost in (b.sum(), (a + b).sum()):
        assert theano.function([start, other], T.grad(cost, other))(0.0, 1.0) == 12
    with pytest.raises(NullTypeGradError):
        T.grad((a + b).sum(), start)


@pytest.mark.parametrize("checkpoint", [None, 2])
def test_a_gradient_without_steps_has_the_lengths_of_its_sequence(checkpoint):
    rows, start = T.dmatrix(), T.dvector()

    def step(row, x):
        return ifelse(T.gt(row.sum(), 0), x * row, T.tanh(x) + T.concatenate([row[1:], x[:1]]))

    results, _ = scan(step, rows, start, checkpoint=checkpoint)
    run = theano.function([rows, start], T.grad((results**2).sum(), [rows, start]))
    assert [g.shape for g in run(np.zeros((0, 3)), np.ones(3))] == [(0, 3), (3,)]
    assert [g.shape for g in run(np.ones((5, 3)), np.ones(3))] == [(5, 3), (3,)]


# Steps in which values have other shapes than in the step before.


def two_products(rows, n, w):
    hidden = T.tanh(T.dot(rows[:n], w))
    return T.tanh(T.dot(hidden, hidden.T)).sum()


def inner_loop(rows, n, w):
    values = T.log(1 + T.dot(rows[:n], w) ** 2)
    sums, _ = scan(lambda a, b: a + T.tanh(b), values, T.zeros_like(values[0]))
    return T.exp(sums - T.max(sums)).sum()


def inner_while(rows, n, w):
    step = lambda a, b, w: (T.tanh(T.dot(b, w)) + a, until(T.sum(b) > n))
    return T.sin(T.dot(scan(step, rows, T.ones_like(rows[0]), w)[0], w)).sum()


def flat(rows, n, w):
    values = T.exp(T.dot(rows[:n], w)).reshape((-1,))
    return T.tanh(values[1:] * values[:-1]).sum()


CHANGING = {
    "product": lambda rows, n, w: T.exp(T.tanh(T.dot(rows[:n], w))).sum(),
    "two products": two_products,
    "inner loop": inner_loop,
    "inner loop with an end": inner_while,
    "mask": lambda rows, n, w: T.exp(T.dot(rows[(rows[:, 0] * n > 1.5).nonzero()], w)).sum(),
    "window": lambda rows, n, w: T.tanh(T.dot(T.arange(n) * 0.1, T.exp(T.dot(rows[:n], w)))).sum(),
    "branch": lambda rows, n, w: T.exp(
        T.tanh(ifelse(T.gt(n, 3), T.dot(rows[:n], w), T.dot(rows[n:], w * w)))
    ).sum(),
    "flat": flat,
    "second derivative": two_products,
}
LENGTHS = [6, 5, 2, 6]


@pytest.mark.parametrize("name", CHANGING)
@pytest.mark.parametrize("mode", [None, "FAST_COMPILE", theano.Mode(optimizer=None)])
@pytest.mark.parametrize("checkpoint", [None, 2])
def test_gradients_of_steps_with_other_shapes(name, mode, checkpoint):
    """The expected numbers are those of the same steps written one after the other."""
    x, n, w = T.dtensor3(), T.lvector(), T.dmatrix()
    body = CHANGING[name]
    looped = scan(body, [x, n], non_sequences=w, checkpoint=checkpoint)[0].sum()
    written = sum(body(x[i], length, w) for i, length in enumerate(LENGTHS))
    rng = np.random.default_rng(1)
    values = [rng.random((4, 6, 3)), LENGTHS, rng.random((3, 3)) * 0.5]

    def results(cost):
        if name == "second derivative":
            return [T.grad((T.grad(cost, w) ** 2).sum(), w)]
        return [cost, *T.grad(cost, [x, w])]

    run = theano.function([x, n, w], results(looped), mode=mode)
    expected = theano.function([x, n, w], results(written), on_unused_input="ignore")
    for a, b in zip(run(*values), expected(*values), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)
