"""`NanGuardMode`: what it reports, and what it looks at in native code."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.compile import ranges
from theano._core.lower import program as ir
from theano._core.ops.elementwise.elementwise import Elementwise
from theano.compile.debugmode import DebugMode
from theano.compile.nanguardmode import NanGuardMode
from theano.configparser import change_flags
from theano.ifelse import ifelse

x, v = T.dmatrix("x"), T.dvector("v")
ONES = np.ones((2, 2))
WARN = {"NanGuardMode.action": "warn"}


def guarded(inputs, outputs, *errors, **options):
    return theano.function(inputs, outputs, mode=NanGuardMode(*errors), **options)


FAULTS = {
    "NaN in an output": (T.log(x), -ONES, r"NaN detected\n.*output of a node"),
    "infinity": (T.log(x), 0 * ONES, r"Inf detected\nBig value detected\n.*output of a node"),
    "big output": (x * 1e9, 99 * ONES, "Big value detected"),
    "NaN in an input": (x + 1, np.nan * ONES, r"NaN detected\n.*an input of the graph: x"),
    "in a step": (theano.scan(lambda v: T.sqrt(v - 2), x)[0], ONES, r"NaN detected\n.*output"),
    "that does not last": (T.switch(T.isnan(T.log(x)), 0, x), -ONES, "NaN detected"),
}


@pytest.mark.parametrize(("out", "value", "text"), FAULTS.values(), ids=FAULTS)
def test_what_is_reported(out, value, text):
    f = theano.function([x], out, mode="NanGuardMode")
    with pytest.raises(AssertionError, match=text) as caught:
        f(value)
    assert "test_nan_guard.py" in str(caught.value)
    f(np.full((2, 2), 3.0))


def test_the_step_is_named_and_a_branch_that_is_not_taken_is_not_looked_at():
    c = T.iscalar("c")
    rows, _ = theano.scan(lambda h: T.log(h) - 1, outputs_info=v, n_steps=5)
    with pytest.raises(AssertionError, match=r"NaN detected(.|\n)*in step 1 \(0-based\) of for"):
        guarded([v], rows[-1])([1.5, 2.5])
    f = guarded([v, c], ifelse(c, T.log(v), v * 2))
    assert f([-1.0], 0).tolist() == [-2.0]
    with pytest.raises(AssertionError, match="NaN detected"):
        f([-1.0], 1)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "complex128"])
def test_numbers_of_every_dtype(dtype):
    vector, number = T.vector(dtype=dtype), T.dscalar()
    value = np.linspace(1, 2, 40).astype(dtype)
    out = T.set_subtensor(vector[7], T.cast(vector[7] * number, dtype)) + 1
    # It must not be the number itself that is reported.
    number.tag.nan_guard_mode_check = False
    f = guarded([vector, number], out)
    np.testing.assert_array_equal(f(value, 1.0), value + 1)
    for wrong in (np.nan, np.inf, -np.inf, 5e10):
        with pytest.raises(AssertionError, match=r"(NaN|Inf|Big value) detected"):
            f(value, wrong)


def test_constants_and_variables_that_are_left_out():
    with pytest.raises(AssertionError, match="NaN detected"):
        guarded([v], T.switch(v > 0, v, np.nan))([1.0])
    hidden = T.log(v)
    hidden.tag.nan_guard_mode_check = False
    f = guarded([v], T.switch(T.isnan(hidden), 0.0, 1.0))
    assert f([-1.0, 1.0]).tolist() == [0.0, 1.0]


def test_a_report_that_is_a_warning_lets_results_and_updates_through():
    w = theano.shared(np.array([1.0, -2.0]))
    out = T.log(v * w)
    for outputs, kind in ((out, np.ndarray), ([out], list), ({"out": out}, dict), (None, list)):
        w.set_value(np.array([1.0, -2.0]))
        f = guarded([v], outputs, updates=[(w, out)])
        with pytest.raises(AssertionError, match="NaN detected"):
            f([1.0, 1.0])
        assert w.get_value().tolist() == [1.0, -2.0]
        with change_flags(WARN), pytest.warns(UserWarning, match="NaN detected"):
            assert type(f([1.0, 1.0])) is kind
        np.testing.assert_array_equal(w.get_value(), [0.0, np.nan])


def test_after_a_warning_a_call_returns_the_outputs_that_it_was_asked_for():
    a, b = T.log(v), v + 1
    for outputs, subset, wanted in (
        ([a, b], [1], [[0.0]]),
        ([a, b], [1, -1], [[0.0], [0.0]]),
        ({"a": a, "b": b}, ["b"], {"b": [0.0]}),
        (T.switch(T.isnan(a), b, a), [0], [[0.0]]),
    ):
        with change_flags(WARN), pytest.warns(UserWarning, match="NaN detected"):
            assert guarded([v], outputs)([-1.0], output_subset=subset) == wanted


def test_what_is_not_asked_for_is_not_reported():
    f = guarded([x], T.log(x), True, False, False)
    for g in (f, copy.deepcopy(f), pickle.loads(pickle.dumps(f))):
        assert g(0 * ONES)[0, 0] == -np.inf
        with pytest.raises(AssertionError, match=r"^NaN detected"):
            g(-ONES)
    with change_flags(WARN), pytest.warns(UserWarning, match="NaN detected"):
        assert np.isnan(f(-ONES)).all()


def test_infinity_is_big():
    f = guarded([x], T.log(x), False, False, True)
    with pytest.raises(AssertionError, match=r"^Big value detected"):
        f(0 * ONES)
    assert np.isnan(f(-ONES)).all()


def test_modes_differ_by_what_they_check():
    assert NanGuardMode() == NanGuardMode() != NanGuardMode(inf_is_error=False)
    assert NanGuardMode() != theano.Mode("py") and NanGuardMode() != DebugMode()
    changed = NanGuardMode(nan_is_error=False).excluding("fusion")
    assert isinstance(changed, NanGuardMode) and not changed.nan_is_error
    assert theano.function([x], T.log(x), mode=changed)(ONES).sum() == 0


class ByNode(NanGuardMode):
    """Looks at each node, with NumPy."""

    def native(self, maker, rewritten):
        """Return no native graph."""


def runs(function):
    """Return, for each loop over steps, what a step of it runs."""
    loops = [i for i in ir.walk(function.maker.program_text.program.body) if isinstance(i, ir.For)]
    work = (ir.Launch, ir.Reduce, ir.Call)
    return [[i for i in ir.walk(loop.body) if isinstance(i, work)] for loop in loops]


def recurrent(width, mode):
    """Return a training step of a small recurrent network."""
    inner, outer = (theano.shared(np.eye(width) / k) for k in (2, 3))
    bias = theano.shared(np.zeros(width))
    step = lambda a, h: T.tanh(T.dot(a, outer) + T.dot(h, inner) + bias)
    rows, _ = theano.scan(step, sequences=x, outputs_info=T.zeros((width,)))
    cost = (rows[-1] ** 2).sum()
    weights = [inner, outer, bias]
    updates = [(w, w - 0.1 * g) for w, g in zip(weights, T.grad(cost, weights), strict=True)]
    return theano.function([x], cost, updates=updates, mode=mode)


def test_steps_of_a_loop_look_at_what_they_compute_and_at_nothing_else():
    plain, checked = (recurrent(16, mode) for mode in (None, NanGuardMode()))
    for one, two in zip(runs(plain), runs(checked), strict=True):
        # Only the product that the next step reads has a loop of its own.
        assert len(two) <= len(one) + 1
    kernels = checked.maker.program_text.program.kernels
    for step in runs(checked):
        loops = [kernels[i.kernel].loop for i in step if not isinstance(i, ir.Call)]
        assert loops and all(loop.rank == 1 for loop in loops)  # no weights
    value = np.random.default_rng(3).normal(size=(20, 16))
    np.testing.assert_array_equal(checked(value), plain(value))


def test_what_is_within_limits_of_necessity_is_not_looked_at():
    # The result too, in whose loop the others are compared, unless there is no other loop.
    for out, compared in (
        (T.tanh(v) * T.nnet.sigmoid(v) + 3, 2),  # v
        (T.exp(-(v**2)) * 2, 2),  # the square: v is good then, and what is made of it
        ((v**2).sum(), 1),  # the sum
        (T.switch(v > 0, v, -v), 2),  # v
        (v * v.sum(), 3),  # v, the sum, the product
    ):
        f = guarded([v], out)
        bodies = [k.loop.body for k in f.maker.kernels if hasattr(k, "loop") and k.eager]
        instructions = ir.walk(f.maker.program_text.program.body)
        bodies += [i.body for i in instructions if isinstance(i, ir.Compute)]
        numbers = [op.function for body in bodies for op in body.operations]
        assert sum(getattr(op, "name", op) == "le" for op in numbers) == compared, out


EDGES = np.array(
    [0, 1, -1, 0.5, 3.0, -7.5, 1e4, -1e4, 1e6, 7e9, -9e9, 2e10, np.inf, -np.inf, np.nan]
)
UNARY = [
    *(T.neg, abs, T.sqr, T.exp, T.sin, T.tanh, T.erf, T.erfc, T.arctan, T.sgn, T.nnet.sigmoid),
    *(T.log, T.sqrt, lambda a: a.T, lambda a: a[::-1], lambda a: a.sum(0), lambda a: a[0]),
    *(lambda a: T.cast(T.cast(a, "float32"), "float64"), lambda a: T.cast(a, "float16")),
    lambda a: T.cast(T.cast(T.clip(a, -1e9, 1e9), "int64") * 10**6, "float64"),
    *(lambda a: a.sum(1, keepdims=True), lambda a: a.max(0), T.nnet.softplus, lambda a: 1 - a),
]
BINARY = [
    *(T.add, T.sub, T.mul, T.maximum, T.minimum, T.true_div, T.arctan2, T.lt),
    *(lambda a, b: T.switch(T.isnan(a), b, a), lambda a, b: T.clip(a, -b, b)),
    lambda a, b: T.concatenate([T.atleast_2d(a), T.atleast_2d(b)]),
    # A loop that carries a value.
    lambda a, b: theano.scan(lambda u, h: T.tanh(u) * h + u, a, b.sum(0) * 1.0)[0],
    lambda a, b: ifelse(T.gt(a.sum(), 1), a * 2, a - b),
]


def random_graph(rng):
    made = [x, x * 0.25, T.tanh(x)]
    for _ in range(rng.integers(2, 8)):
        one, two = (made[rng.integers(len(made))] for _ in range(2))
        try:
            if rng.uniform() < 0.5:
                out = UNARY[rng.integers(len(UNARY))](one)
            else:
                out = BINARY[rng.integers(len(BINARY))](one, two)
        except (TypeError, ValueError, IndexError):
            continue
        made.append(out)
    return made[-1] + made[-2].sum() if rng.uniform() < 0.3 else made[-1]


def told(function, value):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            function(value)
        except AssertionError as error:
            return str(error)
        except (ValueError, TypeError, IndexError) as error:
            return type(error).__name__
    return None


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("errors", [(True, True, True), (True, True, False), (True, False, False)])
def test_native_code_reports_what_a_look_at_each_node_does(seed, errors):
    rng = np.random.default_rng(seed)
    reported = 0
    for _ in range(12):
        out = random_graph(rng)
        native, by_node = (
            theano.function([x], out, mode=mode(*errors), on_unused_input="ignore")
            for mode in (NanGuardMode, ByNode)
        )
        for few in range(4):
            value = rng.normal(size=(3, 3)) * 10.0 ** rng.integers(-2, 5)
            value.flat[rng.integers(9, size=few)] = EDGES[rng.integers(len(EDGES), size=few)]
            found, wanted = told(native, value), told(by_node, value)
            if found == "ValueError":
                # Lengths are looked at before numbers are.
                assert wanted is not None
                continue
            assert found == wanted, (theano.printing.debugprint(out, file="str"), value)
            reported += found is not None
    assert reported > 2


def test_ranges_hold():
    rng = np.random.default_rng(0)
    names = {*ranges._FIXED, *ranges._CHOOSE, *ranges._COMPUTE}
    seen = set()
    ops = [op for op in (getattr(T, n, None) for n in names) if isinstance(op, Elementwise)]
    for op in [*ops, T.nnet.sigmoid, T.tensor_copy]:
        variables = [T.dvector() for _ in range(op.nin)]
        node = op(*variables).owner
        compute = theano.function(variables, node.outputs[0])
        for _ in range(30):
            ends = np.sort(rng.choice(EDGES[:-1], size=(op.nin, 2)), axis=1)
            found = ranges.of_result(node, [tuple(pair) for pair in ends])
            with np.errstate(all="ignore"):
                inner = [np.clip(rng.normal(size=40) * 10.0 ** rng.integers(11), *p) for p in ends]
                values = [np.concatenate([p, i]) for p, i in zip(ends, inner, strict=True)]
                got = compute(*np.stack([g.ravel() for g in np.meshgrid(*values)]))
            if found is None:
                continue
            seen.add(op.name)
            low, high = np.nextafter(found, (-np.inf, np.inf))
            assert ((got >= low) & (got <= high)).all(), (op, ends)
    assert seen == names


def test_a_cast_may_be_too_narrow():
    i = T.lvector("i")
    for out, good, bad in (
        (T.cast(T.cast(i, "float64") * 1.0, "float16"), 60000, 70000),
        (T.cast(i, "float64"), 2**30, 2**40),
        (T.cast(i, "float32"), 2**30, 2**40),
    ):
        f = guarded([i], out)
        f([good])
        with pytest.raises(AssertionError, match=r"(Inf|Big value) detected"):
            f([bad])
