"""What errors of loops say: the output, the step, the types and the user's line."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.errors import refused
from support.tables import case
from theano import scan
from theano._core.base.errors import MissingInputError
from theano.scan_module import until

x, X, W, start = T.dvector("x"), T.dmatrix("X"), T.dmatrix("W"), T.dscalar("start")
n, number, zero = T.lscalar("n"), T.constant(1.0, dtype="float64"), T.zeros(())
VALUES = np.array([0.5, -1.0, 2.0, 0.25, 3.0, -0.5, 1.5])
taps = lambda *at: {"initial": x, "taps": list(at)}
ends = lambda v: (v, until(x > 1))

# What is refused when a loop is made: how it is made, the class of the error, and a pattern.
MADE = {
    "another dtype": case(
        lambda: scan(lambda a, h: h + a, x, T.bscalar()), ValueError, "int8.*float64"
    ),
    "another dtype of output 1": (
        lambda: scan(lambda a, b: (a, T.cast(b, "float32")), outputs_info=[start] * 2, n_steps=2),
        ValueError,
        r"output 1 .*float64, scalar.*float32, scalar.*in <lambda>",
    ),
    "another rank": case(
        lambda: scan(lambda h: T.stack([h, h]), None, x, n_steps=3), ValueError, "dimension"
    ),
    "a declared length given up": case(
        lambda: scan(lambda h: h + X, None, T.zeros((1, 3)), n_steps=3), TypeError, "unbroadcast"
    ),
    "no steps known": (lambda: scan(lambda: number), ValueError, "number of steps"),
    "future taps of outputs": case(
        lambda: scan(lambda h: h, None, taps(1), n_steps=3), ValueError, "smaller than 0"
    ),
    "taps twice": case(
        lambda: scan(lambda h, g: h, None, taps(-1, -1), n_steps=3), ValueError, "different"
    ),
    "taps without initial value": case(
        lambda: scan(lambda h: h, None, {"taps": [-1]}, n_steps=3), ValueError, "initial state"
    ),
    "taps of a scalar": (
        lambda: scan(lambda a, b: a, None, {"initial": start, "taps": [-2, -1]}, n_steps=2),
        IndexError,
        r"taps \[-2, -1\] needs a first axis",
    ),
    "other number of outputs": case(
        lambda: scan(lambda a, h: [h, h], x, zero), ValueError, "provide None"
    ),
    "steps that are no integer": case(
        lambda: scan(lambda h: h, None, zero, n_steps=start), ValueError, "must be an int"
    ),
    "half a step": (lambda: scan(lambda h: h, None, zero, n_steps=2.5), TypeError, "2.5"),
    "a vector of steps": (
        lambda: scan(lambda h: h * 2, None, start, n_steps=T.lvector("i")),
        TypeError,
        "n_steps must be a scalar",
    ),
    "gradients through no step": (
        lambda: T.grad(scan(lambda a: a * a, x, truncate_gradient=0)[0].sum(), x),
        NotImplementedError,
        "truncate_gradient=0",
    ),
    "a condition alone": (lambda: scan(lambda a: until(a > 1), x), ValueError, "cannot parse"),
    "a vector condition": case(
        lambda: scan(ends, x), AssertionError, "the condition of until must be a scalar"
    ),
    "a number returned": (lambda: scan(lambda a: 3.0, x), ValueError, "tensor.constant"),
    "things in the wrong order": case(
        lambda: scan(lambda a: ([(a, a)], [a, a, a]), x), ValueError, "cannot parse"
    ),
    "a scalar sequence": case(
        lambda: scan(lambda a: a, start), IndexError, "a sequence of scan needs at least one axis"
    ),
    "a number as a sequence": case(
        lambda: theano.map(lambda v: v, 3), TypeError, "a sequence of scan needs at least one axis"
    ),
    "a free shared variable, strictly": (
        lambda: scan(lambda h: h * theano.shared(2.0, "w"), None, zero, n_steps=3, strict=True),
        MissingInputError,
        "w",
    ),
    "a number that the dtype of the step does not hold": (
        lambda: scan(lambda n: T.cast(n, "int32") + 1, None, T.constant(0.5), n_steps=3),
        ValueError,
        r"int32 does not hold the value 0.5.*'float32'.*'int32'",
    ),
    "a narrow variable": (
        lambda: scan(lambda v, total: total + v, x, T.fscalar()),
        ValueError,
        r"cast\(initial, 'float64'\)",
    ),
}


@pytest.mark.parametrize("name", MADE)
def test_a_loop_that_cannot_be_made_is_refused(name):
    build, kind, pattern = MADE[name]
    with pytest.raises(kind, match=pattern):
        build()


def doubled(a, b):
    grown = T.concatenate([b, b])
    grown.name = "grown"
    return a + 1, grown


def product(row, h):
    product = T.dot(row, W)
    return product + h


grown = scan(doubled, outputs_info=[x, x], n_steps=3)[0][1]
line = ("Backtrace", "test_messages.py")
OUTPUT = (
    "shape of output 1 (0-based, 'grown'): its axis 0 had 2 items and now has 4",
    *("step 0", "TensorType(float64, vector)", "test_messages.py", "in doubled"),
)
# What is refused when a loop runs: a result, values, the class of the error, and words.
RUN = {
    "another shape of an output": (grown, {x: np.ones(2)}, ValueError, OUTPUT),
    "another shape, in a gradient": (T.grad(grown.sum(), x), {x: np.ones(2)}, ValueError, OUTPUT),
    "too short a sequence": (
        scan(lambda a, h: a + h, x, zero, n_steps=n)[0],
        {x: VALUES, n: 9},
        ValueError,
        ("7 items", *line),
    ),
    "too short a sequence for a map": case(
        scan(lambda a: 2 * a, x, n_steps=n)[0], {x: VALUES, n: 9}, ValueError, ("7 items", *line)
    ),
    "no last step": case(
        scan(lambda a, b: a + b, x, start)[0][-1], {x: np.ones(0), start: 1.0}, IndexError, line
    ),
    "negative steps": case(
        scan(lambda h: h * 2, None, number, n_steps=n)[0], {n: -2}, IndexError, ("-2",)
    ),
    "an index inside": (
        scan(lambda i, h: h + x[i], T.arange(99), zero)[0],
        {x: VALUES},
        IndexError,
        ("index 7", "step 7"),
    ),
    "too few initial values": (
        scan(lambda a, b, c: [a + 1, b + c], None, [start, taps(-2, -1)], n_steps=2)[0][1],
        {x: np.ones(1), start: 1.0},
        ValueError,
        ("output 1 (0-based) needs 2 initial values, got 1",),
    ),
    "work that left the loop": (
        scan(product, X, T.zeros(3))[0],
        {X: np.ones((2, 2)), W: np.ones((3, 3))},
        ValueError,
        ("in T.dot(row, W), axis 0 of X[t] has 2 items, axis 0 of W has 3.", "in product\n"),
    ),
}


@pytest.mark.parametrize("name", RUN)
def test_a_loop_that_cannot_run_is_refused(name):
    out, given, kind, words = RUN[name]
    f = theano.function(list(given), out, on_unused_input="ignore")
    with refused(kind, *words):
        f(*given.values())


def test_a_shared_variable_that_grows_is_named():
    memory = theano.shared(np.ones(2), "memory")
    _, updates = scan(lambda: {memory: T.concatenate([memory, memory])}, n_steps=3)
    with refused(ValueError, "the new memory"):
        theano.function([], [], updates=updates)()


def test_strict_loops_take_what_is_given():
    w = theano.shared(2.0, name="w")
    out, _ = scan(lambda h, w: h * w, None, number, w, 3, strict=True)
    assert theano.function([], out[-1])() == 8


def test_numbers_as_initial_values_take_the_dtype_of_the_step():
    wide = T.constant(2.0, dtype="float64")
    (a, b), _ = scan(lambda a, b: (a + 0.5, a * wide), outputs_info=[1.0, 0.0], n_steps=3)
    assert (a.dtype, b.dtype) == ("float32", "float64")
    np.testing.assert_array_equal(b.eval(), [2, 3, 4])
    total, _ = scan(lambda v, total: total + v, x, outputs_info=0)
    assert total.dtype == "float64"
    np.testing.assert_array_equal(total.eval({x: [1, 2]}), [1, 3])
    pair = {"initial": np.array([1, 2], "int8"), "taps": [-1, -2]}
    fibonacci, _ = scan(lambda a, b: T.cast(a + b, "int64"), outputs_info=pair, n_steps=3)
    np.testing.assert_array_equal(fibonacci.eval(), [3, 5, 8])
    narrow, _ = scan(lambda a: T.cast(a, "float32"), outputs_info=np.float64(1), n_steps=2)
    assert narrow.dtype == "float32"
