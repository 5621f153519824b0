"""States that are written over the ones before, and those that may not be."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.agreement import agree
from support.arrays import values
from support.comparison import SUMS
from theano._core.lower import program as ir

# What a step makes of two states.
STEPS = {
    "each by itself": lambda m, a, b: (a * 0.5 + 1, m.sin(b)),
    "from both": lambda m, a, b: (a + b, a - b),
    "exchanged": lambda m, a, b: (b * 1.5, a * 0.5),
    "handed on": lambda m, a, b: (a + b, a),
    "read by a product later": lambda m, a, b: (a * 0.5, b + m.dot(a[None], b[:, None])[0]),
    "a sum that is read later": lambda m, a, b: (a + 1, b + a.sum()),
    "a sum that is read before": lambda m, a, b: (a + a.sum(), b * 0.5),
    "backwards": lambda m, a, b: (a[::-1] * 0.5 + b, b + a),
    "moved": lambda m, a, b: (m.concatenate([a[1:], a[:1]]) + b, b * 0.5),
    "one for another": lambda m, a, b: (m.where(a > 0, b, a) - 0.1, m.where(b > a, a, b)),
    "both the same": lambda m, a, b: (a * b + 1, a * b + 1),
}

INSIDE = slice(1, -1)


def put(m, x, part, y, add=False):
    """Return `x` with a part of it set to `y`, or with `y` added to it."""
    if m is T:
        return (T.inc_subtensor if add else T.set_subtensor)(x[part], y)
    x = x.copy()
    x[part] = x[part] + y if add else y
    return x


def relaxed(x):
    """Return the mean of the neighbours of the items inside."""
    return (x[:-2] + x[2:]) * 0.5


def in_turn(m, a, b):
    b = put(m, b, INSIDE, relaxed(a))
    return put(m, a, INSIDE, relaxed(b)), b


def from_its_own_parts(m, a, b):
    a = put(m, a, slice(1, None), a[1:] * a[0])
    return put(m, a, slice(2, None), a[2:] - a[1], add=True), b + a


def a_copied_part(m, a, b):
    a = put(m, put(m, a, slice(-1, None), a[-2:-1]), slice(0, 1), a[1:2])
    return a, put(m, b, slice(0, 2), a[:2])


def read_between(m, a, b):
    first = put(m, a, slice(0, 1), a[1:2] + 1)
    return put(m, first, INSIDE, 0.5), b + first


def handed_on_between(m, a, b):
    first = put(m, a, slice(0, 1), b[1:2])
    return put(m, first, slice(0, 1), 0.5), first


STEPS |= {
    "a part after a reader": read_between,
    "a part after an output": handed_on_between,
    "a state shown by another": lambda m, a, b: (put(m, a, INSIDE, relaxed(b)), a[::-1]),
    "all of itself turned": lambda m, a, b: (put(m, a, slice(None, None, -1), a), b + 1),
    "inside": lambda m, a, b: (put(m, a, INSIDE, relaxed(a)), put(m, b, INSIDE, a[INSIDE])),
    "inside, in turn": in_turn,
    "inside, crosswise": lambda m, a, b: (
        put(m, a, INSIDE, relaxed(b)),
        put(m, b, INSIDE, relaxed(a)),
    ),
    "a part added to": lambda m, a, b: (put(m, a, INSIDE, relaxed(b), add=True), b * 0.5 + a),
    "parts from parts": from_its_own_parts,
    "a part copied": a_copied_part,
    "a part moved along": lambda m, a, b: (put(m, a, slice(1, None), a[:-1]), b + a),
    "a part turned": lambda m, a, b: (
        put(m, a, slice(None), a[::-1]),
        put(m, b, INSIDE, a[INSIDE]),
    ),
    "a part that is read later": lambda m, a, b: (put(m, a, INSIDE, 2.0), b + a),
    "a part handed on": lambda m, a, b: (put(m, b, INSIDE, relaxed(a)), b),
    "an item from an item": lambda m, a, b: (
        put(m, a, slice(0, 1), a[1:2] + b[:1].sum()),
        put(m, b, slice(2, 3), a[2:3] * 3, add=True),
    ),
    "a part of a turned state": lambda m, a, b: (put(m, a[::-1], INSIDE, b[INSIDE]), b + a),
    "a part of the same state twice": lambda m, a, b: (
        put(m, a, INSIDE, relaxed(b)),
        put(m, a, INSIDE, relaxed(b)),
    ),
    "at positions": lambda m, a, b: (
        put(m, a, [1, 2], a[[0, 1]]),
        put(m, b, [0], a[[2]], add=True),
    ),
}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("shape", [(0,), (1,), (3,), (7,), (40,)])
def test_states(name, shape):
    start = [values(shape, seed=5) * 0.1, values(shape, seed=6) * 0.1]
    given = [v.copy() for v in start]
    a, b, n = T.dvector(), T.dvector(), T.lscalar()
    step = STEPS[name]
    rows, _ = theano.scan(lambda a, b: step(T, a, b), outputs_info=[a, b], n_steps=n)
    f = theano.function([a, b, n], [rows[0][-1], rows[1][-1]])
    states = start
    for steps in (1, 2, 3):
        try:
            states = step(np, *states)
        except (IndexError, ValueError):
            with pytest.raises((IndexError, ValueError)):
                f(*given, steps)
            break
        for got, wanted in zip(f(*given, steps), states, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-13, atol=1e-15)
    # What was given is not what was written over.
    for one, two in zip(given, start, strict=True):
        np.testing.assert_array_equal(one, two)


def test_an_end_and_an_error():
    x, y = T.dmatrix(), T.dmatrix()

    def step(h):
        return h * 2 + y, theano.scan_module.until(T.max(h) > 50)

    rows, _ = theano.scan(step, outputs_info=x, n_steps=100)
    f = theano.function([x, y], rows[-1])
    # The step after 64, the first state above 50.
    np.testing.assert_array_equal(f(np.ones((3, 11)), np.zeros((3, 11))), np.full((3, 11), 128.0))
    with pytest.raises(ValueError):
        f(np.ones((3, 11)), np.zeros((3, 1)))


@pytest.mark.parametrize("over", [True, False])
def test_where_rows_lie_does_not_change(over):
    x = T.dvector()
    rows, _ = theano.scan(
        lambda h: T.tanh(h) + 1 if over else h[::-1] + h, outputs_info=x, n_steps=5
    )
    program = theano.function([x], rows[-1]).maker.program_text.program
    loops = [i for i in ir.walk(program.body) if isinstance(i, ir.For)]
    stays = [c.after == c.name for loop in loops for c in loop.carried if c.type == "ptr"]
    assert stays and all(stays) == over


M = T.TensorType("bool", (False,))("m")
# What shows a row of a sequence that is computed for the loop alone, and is used once more.
SHOWN = {
    "mask": lambda row: row[M],
    "printed": theano.printing.Print("a row", attrs=("ndim",)),
    "clipped gradient": lambda row: theano.gradient.grad_clip(row, -1, 1),
    "asserted": lambda row: theano.tensor.opt.Assert("a row")(row, T.ge(row.max(), row.min())),
    "asserted, backwards": lambda row: theano.tensor.opt.Assert("rows")(row[::-1], row.size > 0),
    "backwards": lambda row: row[::-1],
}
WRITES = {
    "part": lambda row: T.inc_subtensor(row[:2], -1),
    "items": lambda row: T.inc_subtensor(row[T.arange(2)], -1),
    "mask": lambda row: T.set_subtensor(row[T.eq(T.arange(row.size) % 2, 0)], 3.0),
    "masked part": lambda row: T.inc_subtensor(row, -1),
}


@pytest.mark.parametrize(
    ("shows", "write"), [(s, w) for s in SHOWN for w in WRITES if w != "masked part" or s == "mask"]
)
def test_a_row_that_is_read_later_is_not_written(shows, write):
    x = T.dmatrix("x")

    def step(row):
        written = WRITES[write](SHOWN[shows](row))
        return written.sum() + (row * T.arange(row.size)).sum()

    rows, _ = theano.scan(step, T.exp(x))
    mask = np.array([True, False, True, True, False])
    agree([x, M], rows, (values((4, 5)), mask), tolerance=SUMS)
