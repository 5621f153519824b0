"""`theano.scan`: meaning, gradients, errors; native code against NumPy, one step at a time."""

import pickle
import signal
import threading
import tracemalloc

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano import scan
from theano._core.base.errors import MissingInputError
from theano._core.ir.graph import toposort
from theano._core.lower.reference import evaluate
from theano._core.ops.control.scan import Loop
from theano.gradient import verify_grad
from theano.scan_module import until

REFERENCE = theano.Mode("py", None)
MODES = [None, theano.Mode("llvm", "fast_compile"), theano.Mode("llvm", None), REFERENCE]
F8 = "float64"


def const(value, dtype=F8):
    return T.constant(value, dtype=dtype)


def everywhere(inputs, outputs, *values, **options):
    """Return the results of all modes, which must agree."""
    results = [
        theano.function(inputs, outputs, mode=mode, on_unused_input="ignore", **options)(*values)
        for mode in MODES
    ]
    for result in results[:-1]:
        for got, wanted in zip(result, results[-1], strict=True):
            assert got.dtype == wanted.dtype and got.shape == wanted.shape
            np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-13)
    return results[0]


x, m, c3 = T.dvector("x"), T.dmatrix("m"), T.dtensor3("c3")
s, n = T.dscalar("s"), T.lscalar("n")
X = np.array([0.5, -1.0, 2.0, 0.25, 3.0, -0.5, 1.5])
M = np.arange(12.0).reshape(4, 3) / 7


def test_sum_of_a_sequence():
    out, updates = scan(lambda a, total: total + a, sequences=x, outputs_info=const(0.0))
    assert not updates
    got, last = everywhere([x], [out, out[-1]], X)
    np.testing.assert_array_equal(got, np.cumsum(X))
    assert last == np.cumsum(X)[-1]


def test_power():
    out, _ = scan(lambda p, a: p * a, outputs_info=T.ones_like(x), non_sequences=x, n_steps=n)
    (got,) = everywhere([x, n], [out[-1]], X, 3)
    np.testing.assert_allclose(got, X**3, rtol=1e-15)


def test_polynomial_with_a_map():
    terms, _ = scan(
        lambda a, power, free: a * free**power,
        sequences=[x, T.arange(10000, dtype="int64")],
        outputs_info=None,
        non_sequences=s,
    )
    (got,) = everywhere([x, s], [terms.sum()], X, 0.5)
    np.testing.assert_allclose(got, np.polyval(X[::-1], 0.5), rtol=1e-13)


def test_taps_of_sequences_and_outputs():
    out, _ = scan(
        lambda a, b, third, first: a + b + third * first,
        sequences=[{"input": x, "taps": [-1, 2]}],
        outputs_info=[{"initial": x, "taps": [-3, -1]}],
    )
    (got,) = everywhere([x], [out], np.arange(1.0, 8))
    np.testing.assert_array_equal(got, [8.0, 23.0, 78.0, 635.0])


def test_several_outputs_some_without_recurrence():
    (sums, doubles, pairs), _ = scan(
        lambda a, total, b, last: [total + a * b, 2 * a, b + last],
        sequences=x,
        outputs_info=[const(1.0), None, {"initial": const([1.0, 1.0]), "taps": [-2, -1]}],
    )
    got = everywhere([x], [sums, doubles, pairs], X)
    fib = [1.0, 1.0]
    total, wanted = 1.0, []
    for a in X:
        total += a * fib[-2]
        wanted.append(total)
        fib.append(fib[-1] + fib[-2])
    np.testing.assert_allclose(got[0], wanted, rtol=1e-14)
    np.testing.assert_array_equal(got[1], 2 * X)
    np.testing.assert_array_equal(got[2], fib[2:])


def test_backwards():
    out, _ = scan(
        lambda a, b: a + 10 * b, sequences=[{"input": x, "taps": [-1, 2]}], go_backwards=True
    )
    (got,) = everywhere([x], [out], np.arange(1.0, 8))
    np.testing.assert_array_equal(got, [74.0, 63.0, 52.0, 41.0])


def test_shortest_sequence_sets_the_steps():
    out, _ = scan(lambda a, b, t: t + a * b, sequences=[x, m[:, 0]], outputs_info=const(0.0))
    (got,) = everywhere([x, m], [out], X, M)
    np.testing.assert_allclose(got, np.cumsum(X[:4] * M[:, 0]), rtol=1e-14)


def test_rows_of_matrices():
    out, _ = scan(lambda row, h: T.tanh(row + h), sequences=m, outputs_info=T.zeros((3,)))
    (got,) = everywhere([m], [out], M)
    h, wanted = np.zeros(3), []
    for row in M:
        h = np.tanh(row + h)
        wanted.append(h)
    np.testing.assert_allclose(got, wanted, rtol=1e-14)


@pytest.mark.parametrize(
    "view", [np.asfortranarray, lambda a: a[::-1], lambda a: a.repeat(2, 1)[:, ::2]]
)
def test_sequences_of_any_strides(view):
    out, _ = scan(lambda row, h: row * 2 + h, sequences=m, outputs_info=T.zeros((3,)))
    (got,) = everywhere([m], [out], view(M))
    np.testing.assert_allclose(got, np.cumsum(2 * np.asarray(view(M)), axis=0), rtol=1e-14)


def test_free_variables_are_found():
    w = theano.shared(np.array(2.0))
    scaled = m**2
    out, _ = scan(lambda h: T.dot(h, scaled) * w, outputs_info=x, n_steps=3)
    square = M[:3] / 3
    (got,) = everywhere([x, m], [out[-1]], X[:3], square)
    wanted = X[:3]
    for _ in range(3):
        wanted = wanted @ square**2 * 2
    np.testing.assert_allclose(got, wanted, rtol=1e-13)


def test_zero_steps():
    out, _ = scan(lambda a, h: h + a, sequences=m, outputs_info=T.ones((3,)))
    got, total = everywhere([m], [out, T.grad(out.sum(), m)], np.zeros((0, 3)))
    assert got.shape == (0, 3) and total.shape == (0, 3)
    f = theano.function([m], out[-1])
    with pytest.raises(IndexError, match="size 0"):
        f(np.zeros((0, 3)))


def test_one_step_needs_no_loop():
    out, _ = scan(lambda h: h * 2, outputs_info=x, n_steps=1)
    assert not any(isinstance(node.op, Loop) for node in toposort([out]))
    np.testing.assert_array_equal(theano.function([x], out)(X), [2 * X])


def test_until():
    out, _ = scan(
        lambda p, top: (p * 2, until(p * 2 > top)),
        outputs_info=const(1.0),
        non_sequences=s,
        n_steps=1024,
    )
    got, last, count = everywhere([s], [out, out[-1], out.shape[0]], 45.0)
    np.testing.assert_array_equal(got, [2.0, 4, 8, 16, 32, 64])
    assert last == 64 and count == 6


def test_until_takes_part_in_gradients():
    out, _ = scan(
        lambda p, a: (p * a, until(p * a > 20)),
        outputs_info=const(1.0),
        non_sequences=s,
        n_steps=99,
    )
    got = everywhere([s], [T.grad(out[-1], s), T.grad(out.sum(), s)], 2.0)
    assert got == [80.0, 129.0]


def test_shared_variables_that_steps_update():
    a, b = theano.shared(np.array(1.0)), theano.shared(np.zeros(2))
    out, updates = scan(lambda v: (v * a, [(a, a * 2), (b, b + v)]), sequences=x)
    for mode in MODES:
        a.set_value(1.0), b.set_value(np.zeros(2))
        f = theano.function([x], out, updates=updates, mode=mode)
        np.testing.assert_array_equal(f([1.0, 1, 1, 1]), [1.0, 2, 4, 8])
        assert a.get_value() == 16
        np.testing.assert_array_equal(b.get_value(), [4.0, 4])


def test_only_updates():
    a = theano.shared(0)
    out, updates = scan(lambda: {a: a + 1}, n_steps=n)
    assert out is None
    f = theano.function([n], [], updates=updates)
    f(5), f(3)
    assert a.get_value() == 8


def test_random_streams_inside():
    rng = T.shared_randomstreams.RandomStreams(3)
    out, updates = scan(lambda: rng.uniform(()), n_steps=5)
    f = theano.function([], out, updates=updates)
    stream = np.random.RandomState(int(np.random.RandomState(3).randint(2**30)))
    np.testing.assert_array_equal(f(), stream.uniform(size=5))
    np.testing.assert_array_equal(f(), stream.uniform(size=5))


def test_draws_outside_are_drawn_anew_in_each_step():
    """As in Theano, which copies the whole expression into the step unless it is passed in."""
    rng = T.shared_randomstreams.RandomStreams(3)
    draw = rng.uniform(())
    inside, updates = scan(lambda: draw * 1, n_steps=3)
    given, _ = scan(lambda q: q * 1, non_sequences=draw, n_steps=3)
    got, same = theano.function([], [inside, given], updates=updates)()
    assert len(set(got)) == 3
    np.testing.assert_array_equal(same, got[:1].repeat(3))


def test_gradient_uses_the_numbers_that_were_drawn():
    rng = T.shared_randomstreams.RandomStreams(3)
    out, updates = scan(lambda h: rng.uniform(()) * h * s, outputs_info=const(1.0), n_steps=3)
    value, slope = theano.function([s], [out[-1], T.grad(out[-1], s)], updates=updates)(2.0)
    np.testing.assert_allclose(slope, 3 * value / 2.0, rtol=1e-13)


def test_nested():
    def inner(row):
        out, _ = scan(lambda a, t: t * 0.5 + a, sequences=row, outputs_info=const(0.0))
        return out[-1]

    out, _ = scan(lambda row, h: T.tanh(inner(row) + h), sequences=m, outputs_info=const(0.0))
    got, slope = everywhere([m], [out, T.grad(out[-1], m)], M)
    h, wanted = 0.0, []
    for row in M:
        t = 0.0
        for a in row:
            t = t * 0.5 + a
        h = np.tanh(t + h)
        wanted.append(h)
    np.testing.assert_allclose(got, wanted, rtol=1e-13)
    assert np.isfinite(slope).all() and slope.any()


def test_jacobian_by_scan():
    y = T.tanh(T.dot(x, m))
    rows, _ = scan(
        lambda i, y, x: T.grad(y[i], x), sequences=T.arange(y.shape[0]), non_sequences=[y, x]
    )
    (got,) = everywhere([x, m], [rows], X[:4], M)
    t = np.tanh(X[:4] @ M)
    np.testing.assert_allclose(got, ((1 - t**2) * M).T, rtol=1e-12)


def test_map_reduce_and_folds():
    squares, _ = theano.map(lambda a: a**2, x)
    product, _ = theano.reduce(lambda a, p: p * a, x, const(1.0))
    left, _ = theano.foldl(lambda a, p: p - a, x, const(0.0))
    right, _ = theano.foldr(lambda a, p: a - p, x, const(0.0))
    got = everywhere([x], [squares, product, left, right], X)
    fold = 0.0
    for a in X[::-1]:
        fold = a - fold
    np.testing.assert_allclose(got[0], X**2)
    np.testing.assert_allclose(got[1:], [X.prod(), -X.sum(), fold], rtol=1e-13)


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "float32", "complex64", "bool"])
def test_dtypes(dtype):
    v = T.TensorType(dtype, [False])("v")
    step = (lambda a, h: T.or_(a, h)) if dtype == "bool" else (lambda a, h: a + h)
    out, _ = scan(step, sequences=v, outputs_info=T.zeros((), dtype=dtype))
    data = np.array([1, 0, 3, 100, 100]).astype(dtype)
    (got,) = everywhere([v], [out], data)
    assert got.dtype == dtype
    wanted = np.logical_or.accumulate(data) if dtype == "bool" else np.cumsum(data, dtype=dtype)
    np.testing.assert_array_equal(got, wanted)


def test_float16_rows():
    v = T.TensorType("float16", [False, False])("v")
    out, _ = scan(lambda a, h: a + h, sequences=v, outputs_info=T.zeros((3,), dtype="float16"))
    (got,) = everywhere([v], [out], M.astype("float16"))
    np.testing.assert_array_equal(got, np.cumsum(M.astype("float16"), axis=0, dtype="float16"))


def test_rows_whose_length_a_step_tells():
    v = T.lvector("v")
    out, _ = scan(lambda k: T.arange(k) * 2, sequences=v)
    (got,) = everywhere([v], [out], [3, 3])
    np.testing.assert_array_equal(got, [[0, 2, 4]] * 2)


@pytest.mark.parametrize("width", [0, 1, 2, 3, 4, 7, 8, 9, 16, 17])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int32"])
def test_rows_that_fit_a_register_and_rows_that_do_not(width, dtype):
    h0, w = (T.TensorType(dtype, [False])() for _ in range(2))
    rows = T.TensorType(dtype, [False, False])()
    (one, two, total), _ = scan(
        lambda r, h, g, w: [w * h - r + h.sum(dtype=dtype), h + g * 2 - r, (h * r).sum()],
        sequences=rows,
        outputs_info=[h0, h0 * 2, None],
        non_sequences=w,
    )
    rng = np.random.RandomState(0)
    values = [rng.randint(-2, 3, shape).astype(dtype) for shape in (width, width, (4, width))]
    for data in (values[2], np.asfortranarray(values[2]), values[2][::-1]):
        everywhere([h0, w, rows], [one, two[-1], total, total[-1]], *values[:2], data)


# -- gradients ------------------------------------------------------------------------------------


def _rnn(rows, w, u):
    out, _ = scan(
        lambda r, h: T.tanh(T.dot(r, w) + T.dot(h, u)),
        sequences=rows,
        outputs_info=T.dot(rows[0], w) * 0,
    )
    return out


CASES = {
    "all steps": (lambda v: scan(lambda a, h: T.tanh(a * h + 0.5), v, const(0.3))[0], [X]),
    "last step": (lambda v: scan(lambda a, h: T.tanh(a * h + 0.5), v, const(0.3))[0][-1], [X]),
    "a middle step": (lambda v: scan(lambda a, h: a * h + 0.5, v, const(0.3))[0][3], [X]),
    "initial value": (lambda v: scan(lambda h: T.sin(h) * 1.5, None, v, n_steps=4)[0], [X]),
    "taps": (
        lambda v: scan(
            lambda a, b, p, q: T.tanh(a * q + b * p),
            {"input": v, "taps": [-1, 1]},
            {"initial": v[:3], "taps": [-3, -1]},
        )[0],
        [X],
    ),
    "fixed matrix": (
        lambda v, w: scan(lambda h, w: T.tanh(T.dot(h, w)), None, v, w, 4)[0][-1],
        [X[:3], M[:3]],
    ),
    "network": (_rnn, [M, M[:3] / 2, M[1:] / 3]),
    "batches": (_rnn, [np.stack([M, M + 1]) / 9, M[:3] / 2, M[1:] / 3]),
    "backwards": (lambda v: scan(lambda a, h: a * h + 1, v, const(1.0), go_backwards=True)[0], [X]),
    "fewer steps than items": (
        lambda v: scan(lambda a, h: a * h + 1, v, const(1.0), n_steps=4)[0],
        [X],
    ),
    "handed on unchanged": (
        lambda v: T.stack(scan(lambda a, p, q: [a * p, p * q], v, [const(1.0), const(2.0)])[0]),
        [X],
    ),
    "read twice": (lambda v: scan(lambda a, b, h: a * b + h, [v, v], const(0.0))[0], [X]),
    "indexed": (
        lambda v: scan(lambda i, h: T.tanh(v[i] + h), T.arange(v.shape[0]), const(0.0))[0],
        [X],
    ),
    "written": (
        lambda v: scan(
            lambda i, h: T.set_subtensor(h[i], (h * v).sum()), T.arange(v.shape[0]), v * 0 + 1
        )[0][-1],
        [X[:3]],
    ),
    "map": (
        lambda v, w: scan(lambda r, w: T.exp(T.dot(r, w)), v, non_sequences=w)[0],
        [M, M[:3] / 5],
    ),
}


@pytest.mark.parametrize("name", list(CASES))
def test_gradients(name):
    function, values = CASES[name]
    verify_grad(function, values, rng=np.random.RandomState(0))


@pytest.mark.parametrize("name", ["all steps", "last step", "taps", "network", "written"])
def test_gradients_of_gradients(name):
    function, values = CASES[name]

    def slope(*variables):
        out = function(*variables)
        return T.grad((out * T.cos(out)).sum(), variables[0])

    verify_grad(slope, values, rng=np.random.RandomState(0))


@pytest.mark.parametrize("name", list(CASES))
def test_gradients_are_the_same_everywhere(name):
    function, values = CASES[name]
    inputs = [T.TensorType(F8, [False] * v.ndim)() for v in values]
    out = function(*inputs)
    everywhere(inputs, [out, *T.grad((out**2).sum(), inputs)], *values)


# Measured with Theano 1.0.5: x, h0, w for the last value, then for the sum of all.
TRUNCATED = {
    -1: (
        [0.07446315, 0.14504398, 0.28878661, 0.63721147], 0.04467789, 0.52408673,
        [1.55461227, 1.3615042, 1.04412615, 0.63721147], 0.93276736, 2.03122641,
    ),
    2: (
        [0, 0, 0.28878661, 0.63721147], 0, 0.43174584,
        [0, 0, 1.04412615, 0.63721147], 0, 0.73661817,
    ),
    9: (
        [0.07446315, 0.14504398, 0.28878661, 0.63721147], 0.04467789, 0.52408673,
        [1.55461227, 1.3615042, 1.04412615, 0.63721147], 0.93276736, 2.03122641,
    ),
}  # fmt: skip


@pytest.mark.parametrize("steps", list(TRUNCATED))
def test_truncated_gradients(steps):
    h0, w = T.dscalar("h0"), T.dscalar("w")
    out, _ = scan(lambda a, h, w: T.tanh(w * h + a), x, h0, w, truncate_gradient=steps)
    wrt = [x, h0, w]
    grads = T.grad(out[-1], wrt) + T.grad(out.sum(), wrt)
    got = everywhere([x, h0, w], grads, [0.1, 0.2, 0.3, 0.4], 0.5, 0.6)
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


@pytest.mark.parametrize(("kept", "steps"), TRUNCATED_TAPS)
def test_initial_values_that_the_last_steps_read_have_truncated_gradients(kept, steps):
    y0, n = T.dvector("y0"), T.lscalar("n")
    out, _ = scan(
        lambda far, near: 0.5 * near + 0.1 * far * far,
        outputs_info=[{"initial": y0, "taps": [-3, -1]}],
        n_steps=n,
        truncate_gradient=kept,
    )
    (found,) = everywhere([y0, n], [T.grad(out.sum(), y0)], [1.0, 2.0, 3.0], steps)
    np.testing.assert_allclose(found, TRUNCATED_TAPS[kept, steps], atol=1e-12)


# -- gradients that keep few states ---------------------------------------------------------------


@pytest.mark.parametrize("checkpoint", [1, 3, 7, 40, "auto"])
@pytest.mark.parametrize("mode", [None, REFERENCE])
def test_checkpoints_change_no_result(checkpoint, mode):
    def build(checkpoint):
        (a, b, f), _ = scan(
            lambda v, h, p, q, w: [T.tanh(v * w + h), v * h, 0.5 * p + q * v],
            x,
            [const(0.3), None, {"initial": x[:2], "taps": [-2, -1]}],
            s,
            checkpoint=checkpoint,
        )
        costs = [a[-1] ** 2, (a**2).sum() + b.sum(), f[-1] * 2, f[3]]
        return [
            a,
            b,
            f,
            *(g for cost in costs for g in T.grad(cost, [x, s], disconnected_inputs="ignore")),
        ]

    wanted = theano.function([x, s], build(None))(X, 0.7)
    got = theano.function([x, s], build(checkpoint), mode=mode)(X, 0.7)
    for one, two in zip(got, wanted, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12, atol=1e-14)


def _largest_history(f, *values):
    """Return the items of the largest array that an operation of a function makes."""
    sizes = [0]
    graph = f.maker.graph

    def watch(node, inputs, outputs):
        sizes.extend(np.size(v) for v in outputs)

    evaluate(graph.outputs, dict(zip(graph.inputs, values, strict=True)), watch)
    return max(sizes)


def test_checkpoints_keep_few_states():
    steps, width = 100, 50
    data = np.linspace(0, 1, width)
    sizes = []
    for checkpoint in (None, "auto"):
        out, _ = scan(lambda h: T.tanh(h * 1.1), None, x, n_steps=steps, checkpoint=checkpoint)
        f = theano.function([x], T.grad(out[-1].sum(), x))
        sizes.append(_largest_history(f, data))
    assert sizes[0] >= steps * width
    assert sizes[1] <= 12 * width


def test_scan_checkpoints():
    out, _ = theano.scan_checkpoints(lambda a, h: T.tanh(a + h), x, const(0.0), save_every_N=3)
    every, _ = scan(lambda a, h: T.tanh(a + h), x, const(0.0))
    got, some, slope, wanted = theano.function(
        [x], [out, every, T.grad(out[-1], x), T.grad(every[-1], x)]
    )(X)
    np.testing.assert_array_equal(got, some[[2, 5, 6]])
    np.testing.assert_allclose(slope, wanted, rtol=1e-14)
    with pytest.raises(RuntimeError, match="taps"):
        theano.scan_checkpoints(lambda h: h, None, {"initial": x, "taps": [-1]}, n_steps=3)
    for wrong in (0, -1, "some", 2.5):
        with pytest.raises(ValueError, match="checkpoint"):
            scan(lambda a: a, x, checkpoint=wrong)
    with pytest.raises(ValueError, match="until"):
        scan(lambda a: (a, until(a > 1)), x, checkpoint=2)


# -- what the engine makes of it ------------------------------------------------------------------


def loops_of(f):
    return [node for node in f.maker.graph.toposort() if isinstance(node.op, Loop)]


def test_only_the_last_row_is_kept():
    out, _ = scan(lambda h: T.tanh(h), outputs_info=x, n_steps=1000)
    (loop,) = loops_of(theano.function([x], out[-1]))
    assert [state.keep for state in loop.op.states] == [1]


def test_a_dead_output_costs_nothing():
    (one, _), _ = scan(lambda h, g: [h + 1, T.tanh(g)], outputs_info=[s, x], n_steps=10)
    (loop,) = loops_of(theano.function([s, x], one, on_unused_input="ignore"))
    assert len(loop.op.states) == 1


def test_work_that_no_step_changes_moves_out():
    out, _ = scan(lambda h: h + T.exp(m).sum(), outputs_info=s, n_steps=10)
    (loop,) = loops_of(theano.function([s, m], out))
    assert [str(node.op) for node in loop.op.body.nodes] == ["Elemwise{add,no_inplace}"]


def test_products_of_a_sequence_move_out():
    w = T.dmatrix("w")
    out, _ = scan(lambda r, h: T.tanh(T.dot(r, w) + h), sequences=m, outputs_info=T.zeros((3,)))
    f = theano.function([m, w], out)
    (loop,) = loops_of(f)
    assert "dot" not in [str(node.op) for node in loop.op.body.nodes]
    np.testing.assert_allclose(
        f(M, M[:3]), theano.function([m, w], out, mode=REFERENCE)(M, M[:3]), rtol=1e-13
    )


def test_sums_of_products_leave_the_gradient_loop():
    w, u = T.dmatrix("w"), T.dmatrix("u")
    cost = (_rnn(c3, w, u)[-1] ** 2).sum()
    f = theano.function([c3, w, u], T.grad(cost, [w, u]))
    for loop in loops_of(f):
        products = [str(node.op) for node in loop.op.body.nodes if "dot" in str(node.op)]
        assert len(products) <= 1


def test_sums_of_columns_times_rows_leave_the_gradient_loop():
    w, u = T.dmatrix("w"), T.dmatrix("u")
    cost = (_rnn(m, w, u)[-1] ** 2).sum()
    arguments = M, M.T @ M / 9, M.T @ M / 7
    gradients = T.grad(cost, [w, u])
    f = theano.function([m, w, u], gradients)
    for loop in loops_of(f):
        assert max(v.type.ndim for v in loop.op.body.outputs) == 1
    wanted = theano.function([m, w, u], gradients, mode=REFERENCE)(*arguments)
    for got, right in zip(f(*arguments), wanted, strict=True):
        np.testing.assert_allclose(got, right, rtol=1e-12)
    # What is added may be a sequence or the rows of another state, and may be in any order.
    for summand in (
        lambda a, h: a[:, None] * h[None, :],
        lambda a, h: T.tanh(a)[None, :] * (a * h)[:, None],
        lambda a, h: (a + h).dimshuffle(0, "x") * a.dimshuffle("x", 0),
        lambda a, h: T.outer(h, h),
    ):
        rows, _ = scan(
            lambda a, h, total, s=summand: [a * h, total + s(a, h)], m, [m[0], T.dot(m.T, m)]
        )
        f = theano.function([m], rows[1][-1])
        (loop,) = loops_of(f)
        assert max(v.type.ndim for v in loop.op.body.outputs) == 1
        right = theano.function([m], rows[1][-1], mode=REFERENCE)(M)
        np.testing.assert_allclose(f(M), right, rtol=1e-12)


def test_loops_that_compute_the_same_merge():
    one, _ = scan(lambda a, h: T.tanh(a + h), x, const(0.0))
    two, _ = scan(lambda a, h, g: [T.tanh(a + h), g + h], x, [const(0.0), const(1.0)])
    f = theano.function([x], [one, two[1], two[0][-1]])
    assert len(loops_of(f)) == 1
    wanted = theano.function([x], [one, two[1], two[0][-1]], mode=REFERENCE)(X)
    for got, right in zip(f(X), wanted, strict=True):
        np.testing.assert_allclose(got, right, rtol=1e-14)


def test_loops_that_differ_stay_right():
    one, _ = scan(lambda a, h: T.tanh(a + h), x, const(0.0))
    two, _ = scan(lambda a, h: T.tanh(a - h), x, const(0.0))
    three, _ = scan(lambda a, h: T.tanh(a + h) * 2, x, const(0.0))
    outputs = [one, two, three]
    for got, right in zip(
        theano.function([x], outputs)(X),
        theano.function([x], outputs, mode=REFERENCE)(X),
        strict=True,
    ):
        np.testing.assert_allclose(got, right, rtol=1e-14)


def test_numbers_are_drawn_once_for_value_and_gradient():
    rng = T.shared_randomstreams.RandomStreams(3)
    out, updates = scan(lambda h: rng.uniform(()) * h * s, outputs_info=const(1.0), n_steps=3)
    f = theano.function([s], [out[-1], T.grad(out[-1], s)], updates=updates)
    assert sum("RandomFunction" in str(n.op) for g in loops_of(f) for n in g.op.body.nodes) == 1


def test_independent_steps_need_no_loop():
    out, _ = scan(lambda a, b: T.exp(a) * b, sequences=[x, x])
    f = theano.function([x], out)
    assert not loops_of(f)
    np.testing.assert_allclose(f(X), np.exp(X) * X, rtol=1e-15)


def test_functions_with_loops_can_be_pickled_and_copied():
    w = theano.shared(np.array(3.0), name="w")
    out, _ = scan(lambda a, h: h * w + a, sequences=x, outputs_info=const(0.0))
    f = theano.function([x], out)
    wanted = f(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(f))(X), wanted)
    np.testing.assert_array_equal(f.copy()(X)[0], wanted)


def test_replacing_inputs_of_a_loop():
    out, _ = scan(lambda a, h: h * s + a, sequences=x, outputs_info=const(0.0))
    f = theano.function([x, m], theano.clone(out, {s: m.sum()}))
    g = theano.function([x, s], out)
    np.testing.assert_allclose(f(X, M), g(X, M.sum()), rtol=1e-15)


def test_memory_does_not_grow_with_the_steps():
    out, _ = scan(lambda h: T.tanh(T.concatenate([h[1:], h[:1]])), outputs_info=x, n_steps=n)
    f = theano.function([x, n], out[-1])
    data = np.linspace(0, 1, 100_000)
    f(data, 2)
    tracemalloc.start()
    f(data, 300)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * data.nbytes


def test_steps_let_go_of_what_python_returned():
    rng = T.shared_randomstreams.RandomStreams(1)
    out, updates = scan(
        lambda h: h + rng.uniform((1000,)), outputs_info=T.zeros((1000,)), n_steps=n
    )
    f = theano.function([n], out[-1], updates=updates)
    f(10)
    tracemalloc.start()
    f(1000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 * 8000


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no timers")
@pytest.mark.parametrize("width", [0, 4, 100])
def test_a_long_loop_can_be_interrupted(width):
    start = T.TensorType(F8, [False] * bool(width))()
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


# -- errors ---------------------------------------------------------------------------------------


def run(build, *values):
    variables = [x, n][: len(values)]
    return theano.function(variables, build(), on_unused_input="ignore")(*values)


ERRORS = {
    "another dtype": (
        lambda: scan(lambda a, h: h + a, x, T.bscalar())[0],
        (X,),
        ValueError,
        "int8.*float64",
    ),
    "another rank": (
        lambda: scan(lambda h: T.stack([h, h]), None, x, n_steps=3)[0],
        (X,),
        ValueError,
        "dimension",
    ),
    "a declared length given up": (
        lambda: scan(lambda h: h + m, None, T.zeros((1, 3)), n_steps=3)[0],
        (X,),
        TypeError,
        "unbroadcast",
    ),
    "another shape": (
        lambda: scan(lambda h: T.concatenate([h, h]), None, x, n_steps=3)[0],
        (X,),
        ValueError,
        "step 0",
    ),
    "too short a sequence": (
        lambda: scan(lambda a, h: a + h, x, const(0.0), n_steps=n)[0],
        (X, 9),
        ValueError,
        "7 items",
    ),
    "too short a sequence for a map": (
        lambda: scan(lambda a: 2 * a, x, n_steps=n)[0],
        (X, 9),
        ValueError,
        "7 items",
    ),
    "negative steps": (
        lambda: scan(lambda h: h * 2, None, const(1.0), n_steps=n)[0],
        (X, -2),
        IndexError,
        "-2",
    ),
    "an index inside": (
        lambda: scan(lambda i, h: h + x[i], T.arange(99), const(0.0))[0],
        (X,),
        IndexError,
        "(?s)index 7.*step 7",
    ),
    "too few initial values": (
        lambda: scan(lambda a, b: a + b, None, {"initial": x, "taps": [-2, -1]}, n_steps=3)[0],
        (X[:1],),
        ValueError,
        "2 initial",
    ),
    "no steps known": (lambda: scan(lambda: const(1.0))[0], (), ValueError, "number of steps"),
    "future taps of outputs": (
        lambda: scan(lambda h: h, None, {"initial": x, "taps": [1]}, n_steps=3),
        (),
        ValueError,
        "smaller than 0",
    ),
    "taps twice": (
        lambda: scan(lambda h, g: h, None, {"initial": x, "taps": [-1, -1]}, n_steps=3),
        (),
        ValueError,
        "different",
    ),
    "taps without initial value": (
        lambda: scan(lambda h: h, None, {"taps": [-1]}, n_steps=3),
        (),
        ValueError,
        "initial state",
    ),
    "other number of outputs": (
        lambda: scan(lambda a, h: [h, h], x, const(0.0)),
        (),
        ValueError,
        "provide None",
    ),
    "steps that are no integer": (
        lambda: scan(lambda h: h, None, const(0.0), n_steps=s),
        (),
        ValueError,
        "must be an int",
    ),
    "half a step": (lambda: scan(lambda h: h, None, const(0.0), n_steps=2.5), (), TypeError, "2.5"),
    "gradients through no step": (
        lambda: T.grad(scan(lambda a: a * a, x, truncate_gradient=0)[0].sum(), x),
        (),
        NotImplementedError,
        "truncate_gradient=0",
    ),
    "a condition alone": (lambda: scan(lambda a: until(a > 1), x), (), ValueError, "cannot parse"),
    "a number returned": (lambda: scan(lambda a: 3.0, x), (), ValueError, "tensor.constant"),
    "things in the wrong order": (
        lambda: scan(lambda a: ([(a, a)], [a, a, a]), x),
        (),
        ValueError,
        "cannot parse",
    ),
    "a scalar sequence": (lambda: scan(lambda a: a, s), (), IndexError, "scalar"),
    "a vector condition": (lambda: until(x > 1), (), AssertionError, "scalar"),
}


@pytest.mark.parametrize("name", list(ERRORS))
def test_errors(name):
    build, values, kind, text = ERRORS[name]
    with pytest.raises(kind, match=text):
        run(build, *values)


def test_strict():
    w = theano.shared(2.0, name="w")
    with pytest.raises(MissingInputError, match="w"):
        scan(lambda h: h * w, outputs_info=const(0.0), n_steps=3, strict=True)
    out, _ = scan(lambda h, w: h * w, None, const(1.0), w, 3, strict=True)
    assert theano.function([], out[-1])() == 8


def test_a_failed_step_changes_nothing():
    total = theano.shared(np.array(0.0))
    out, updates = scan(lambda i: (x[i], {total: total + x[i]}), sequences=T.arange(n))
    f = theano.function([x, n], out, updates=updates)
    f(X, 3)
    before = total.get_value()
    with pytest.raises(IndexError):
        f(X, 8)
    assert total.get_value() == before


def test_rows_of_a_matrix_that_only_the_program_knows():
    """Its strides are needed by the loop over short rows and by the one over long rows."""
    x = T.dmatrix("x")
    at = np.zeros((2, 2), "int64")
    rows = T.tril(T.set_subtensor(x[:4:2, at], 2.0), 1)
    last = theano.foldl(lambda r, s: T.tanh(s + r), rows, T.zeros_like(rows[0]))[0]
    for length in (3, 40):
        value = np.ones((3, length))
        wanted = value.copy()
        wanted[:4:2, 0] = 2
        state = np.zeros(length)
        for row in np.tril(wanted, 1):
            state = np.tanh(state + row)
        np.testing.assert_allclose(last.eval({x: value}), state, rtol=1e-14)


@pytest.mark.parametrize("backwards", [False, True])
def test_short_rows_of_one_number(backwards):
    """A row that `alloc` makes of a number is one item in memory, read for every position."""
    x = T.fscalar("x")
    rows = T.alloc(x, 2, 3)
    states, _ = theano.scan(
        lambda r, s: T.tanh(r + 0.5 * s), rows, T.zeros_like(rows[0]), go_backwards=backwards
    )
    value = np.float32(0.8)
    first = np.tanh(value)
    wanted = [[first] * 3, [np.tanh(value + 0.5 * first)] * 3]
    np.testing.assert_allclose(states.eval({x: value}), wanted, rtol=1e-6)


def test_short_rows_of_a_column():
    x = T.fcol("x")
    rows = T.alloc(x, 4, 3)
    states, _ = theano.scan(lambda r, s: r + 0.5 * s, rows, T.zeros_like(rows[0]))
    value = np.arange(4, dtype="float32")[:, None]
    state, wanted = np.zeros(3, "float32"), []
    for row in np.broadcast_to(value, (4, 3)):
        state = row + np.float32(0.5) * state
        wanted.append(state)
    np.testing.assert_allclose(states.eval({x: value}), wanted, rtol=1e-6)


@pytest.mark.parametrize(("count", "copies", "turned"), [(3, 0, 1), (16, 2, 2)])
def test_a_matrix_that_steps_multiply_vectors_by_is_copied_once_or_packed(count, copies, turned):
    a, v = T.dmatrix("a"), T.dvector("v")
    steps, _ = theano.scan(lambda v: T.dot(T.dot(a, v), a), outputs_info=v, n_steps=count)
    f = theano.function([a, v], steps[-1])
    given, start = np.random.default_rng(4).normal(size=(200, 100)) / 10, np.ones(100)
    wanted = start
    for _ in range(count):
        wanted = given @ wanted @ given
    for matrix, times in ((given, copies), (np.asfortranarray(given), turned)):
        np.testing.assert_allclose(f(matrix, start), wanted, rtol=1e-10)
        peak = f.memory_plan(matrix, start).peak
        assert times * given.nbytes <= peak < (times + 0.5) * given.nbytes


def test_taps_may_be_a_range():
    x = T.dvector("x")
    initial = {"initial": T.ones(3), "taps": range(-3, 0)}
    out, _ = theano.scan(lambda v, a, b, c: v + a + b + c, x, outputs_info=initial)
    assert theano.function([x], out)([0.0, 1]).tolist() == [3, 6]
