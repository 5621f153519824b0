"""Of a loop of which only some rows are read, only these are kept, and no later steps are run."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.agreement import agree
from support.comparison import DERIVATIVES, SUMS
from support.compiling import DEFINITION, ops
from theano._core.ops.control.scan import Loop
from theano.scan_module import until

x, s, X, Z = T.dvector("x"), T.dscalar("s"), T.dmatrix("X"), T.dmatrix("Z")
n, k = T.lscalars("n", "k")
one, _ = theano.scan(lambda h: T.tanh(h * 0.9) + 0.1, outputs_info=x, n_steps=n)
two, _ = theano.scan(
    lambda a, b: T.tanh(a + b), outputs_info={"initial": X, "taps": [-2, -1]}, n_steps=n
)
ended, _ = theano.scan(lambda r, h: (h + r, until(h.sum() > 3)), Z, x)
PAIRS = np.array([[0.1, 0.2], [0.3, 0.5]])
VALUES = np.array([0.3, 0.7]), PAIRS, np.arange(8.0).reshape(4, 2) / 2


@pytest.mark.parametrize(
    ("outputs", "kept"),
    [
        ([one[-1]], 1),
        ([one[-2:]], 2),
        ([one[-1] + one[-3]], 3),
        ([one[-3:, 1], one[-2], one.shape[0]], 3),
        ([two[-3:]], 3),
        ([two[-4], two[-1]], 4),
        ([ended[-2:], ended[-1]], 2),
        # The more that is kept, the less it saves.
        ([one[-100:]], "new"),
        ([one[-2:], one[0]], "all"),
    ],
)
def test_the_last_rows_are_kept(outputs, kept):
    # After no step the last row is the initial one, unlike in the definition.
    steps = (0, 1, 2, 3, 9) if kept != 1 else (1, 2, 3, 9)
    f = agree([x, X, Z, n], outputs, *((*VALUES, count) for count in steps), tolerance=SUMS)
    (loop,) = ops(f, Loop)
    assert [state.keep for state in loop.states] == [kept]


def test_gradients_of_last_rows():
    gradient = T.grad((one[-2:] ** 2).sum(), x)
    agree([x, n], gradient, *((VALUES[0], c) for c in (0, 1, 2, 5)), tolerance=DERIVATIVES)


@pytest.mark.parametrize("steps", [0, n])
def test_last_row_after_no_step_is_the_initial_one(steps):
    """As in the default mode of Theano 1.0.5, where nothing else is read: `A ** 0` is 1."""
    rows, _ = theano.scan(lambda h, a: h * a, None, T.ones_like(x), x, n_steps=steps)
    for last, wanted in ((rows[-1], 1), (T.grad(rows[-1].sum(), x), 0)):
        f = theano.function([x, n], last, on_unused_input="ignore")
        assert f(VALUES[0], 0).tolist() == [wanted, wanted]
    for other in (rows[-2], rows[0]):
        with pytest.raises(IndexError):
            theano.function([x, n], other, on_unused_input="ignore")(VALUES[0], 0)


def test_rows_that_sequences_end_are_counted():
    rows, _ = theano.scan(lambda r, h: h + r, Z, x)
    with pytest.raises(IndexError):
        theano.function([x, Z], rows[-1])(VALUES[0], np.zeros((0, 2)))


steps = []


@theano.compile.ops.as_op(itypes=[T.dscalar], otypes=[T.dscalar])
def counted(value):
    steps.append("step")
    return np.asarray(value * 2)


LOOPS = {
    "carried": theano.scan(counted, outputs_info=s, n_steps=n)[0],
    "mapped": theano.scan(counted, x)[0],
    "two taps": theano.scan(
        lambda two, one: counted(two) + one,
        outputs_info={"initial": X[:2, 0], "taps": [-2, -1]},
        n_steps=n,
    )[0],
    "backwards": theano.scan(lambda v, h: counted(v) + h, x, s, go_backwards=True)[0],
}
# What is read, and how many of six steps are run for it, where k is 2.
READ = [
    (lambda o: o[:3], 3),
    (lambda o: o[2], 3),
    (lambda o: o[:k], 2),
    (lambda o: o[k], 3),
    (lambda o: o[k:4], 4),
    (lambda o: o[:-k], 4),
    (lambda o: o[:-1], 5),
    (lambda o: o[-2], 5),
    (lambda o: o[1:5:2], 5),
    (lambda o: o[3:1:-1], 4),
    (lambda o: o[k::-1], 3),
    (lambda o: o[:100], 6),
    (lambda o: o[:0], 1),
    (lambda o: o[-1], 6),
    (lambda o: o[k:], 6),
    (lambda o: T.exp(o)[:2].sum() + o[3] + o.shape[0], 4),
]


def given(count, at):
    return np.arange(1.0, count + 1), 0.5, np.arange(1.0, 9).reshape(4, 2), count, at


def steps_run(f):
    """Return how many of six steps are run."""
    steps.clear()
    f(*given(6, 2))
    return len(steps)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("number", range(len(READ)))
def test_steps_behind_the_last_row_that_is_read_are_not_run(loop, number):
    read, most = READ[number]
    cases = [given(*c) for c in ((6, 2), (6, -2), (4, 9), (4, -9), (1, 0), (0, 2))]
    if most == 6 and number == 13 and loop == "carried":
        del cases[-1]  # As in Theano 1.0.5, the initial row is the last.
    assert steps_run(agree([x, s, X, n, k], read(LOOPS[loop]), *cases)) == most


first, second = theano.scan(lambda v, h: (counted(v), h + v), x, [None, s])[0]
again, _ = theano.scan(lambda v: v + 1, LOOPS["carried"])
until_4, _ = theano.scan(lambda v, h: (counted(v) + h, until(h > 4)), x, s)


@pytest.mark.parametrize(
    ("outputs", "most"),
    [
        ([first[:2], second[:4]], 4),
        ([first[:2]], 2),
        ([first[1], second], 6),
        ([again[:3]], 3),
        ([until_4[:2]], 2),
        ([until_4[:7]], 3),
        ([until_4[-1]], 3),
        ([until_4[:-1]], 3),
    ],
)
def test_the_output_that_is_read_furthest_and_the_end_count(outputs, most):
    f = theano.function([x, s, X, n, k], outputs, on_unused_input="ignore")
    assert steps_run(f) == most
    plain = theano.function([x, s, X, n, k], outputs, mode=DEFINITION, on_unused_input="ignore")
    for got, wanted in zip(f(*given(6, 2)), plain(*given(6, 2)), strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_updates_are_those_of_all_steps():
    count = theano.shared(0)
    rows, updates = theano.scan(lambda h: (counted(h), {count: count + 1}), None, s, n_steps=n)
    f = theano.function([s, n], rows[:2], updates=updates)
    np.testing.assert_array_equal(f(1.0, 5), [2, 4])
    assert count.get_value() == 5


def test_steps_that_are_not_run_do_not_fail():
    rows, _ = theano.scan(lambda v: x[T.cast(v, "int64")], x)
    assert theano.function([x], rows[:2])([1.0, 0.0, 9.0]).tolist() == [0, 1]
    with pytest.raises(IndexError):
        theano.function([x], rows)([1.0, 0.0, 9.0])
