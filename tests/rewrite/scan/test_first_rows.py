"""Of a loop of which only the first rows are read, no other steps are run."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.scan_module import until

x, s, X = T.dvector("x"), T.dscalar("s"), T.dmatrix("X")
n, k = T.lscalars("n", "k")
REFERENCE = theano.Mode("py", None)
steps = []


@theano.compile.ops.as_op(itypes=[T.dscalar], otypes=[T.dscalar])
def counted(value):
    steps.append("step")
    return np.asarray(value * 2)


carried, _ = theano.scan(counted, outputs_info=s, n_steps=n)
mapped, _ = theano.scan(counted, x)
tapped, _ = theano.scan(
    lambda two, one: counted(two) + one,
    outputs_info={"initial": X[:2, 0], "taps": [-2, -1]},
    n_steps=n,
)
backwards, _ = theano.scan(lambda v, h: counted(v) + h, x, s, go_backwards=True)


def last(rows):
    return rows[-1]


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
    (last, 6),
    (lambda o: o[k:], 6),
    (lambda o: T.exp(o)[:2].sum() + o[3] + o.shape[0], 4),
]


def run(f, count, at):
    """Return the result, or the class of the error, and how many steps were run."""
    steps.clear()
    matrix = np.arange(1.0, 9).reshape(4, 2)
    try:
        found = f(np.arange(1.0, count + 1), 0.5, matrix, count, at)
    except Exception as error:
        found = type(error)
    return found, len(steps)


@pytest.mark.parametrize("loop", [carried, mapped, tapped, backwards])
@pytest.mark.parametrize("number", range(len(READ)))
def test_first_rows(loop, number):
    read, most = READ[number]
    f, plain = (
        theano.function([x, s, X, n, k], read(loop), mode=mode, on_unused_input="ignore")
        for mode in (None, REFERENCE)
    )
    for count, at in ((6, 2), (6, -2), (4, 9), (4, -9), (1, 0), (0, 2)):
        found, ran = run(f, count, at)
        wanted, _ = run(plain, count, at)
        if read is last and loop is carried and count == 0:
            wanted = 0.5  # as in Theano 1.0.5: the initial row is the last
        if (count, at) == (6, 2):
            assert ran == most
        if isinstance(wanted, type):
            assert found is wanted
        else:
            # The exponential is another one than NumPy's.
            np.testing.assert_allclose(found, wanted, rtol=1e-14)


def test_the_output_that_is_read_furthest_counts():
    (one, two), _ = theano.scan(lambda v, h: (counted(v), h + v), x, [None, s])
    for outputs, most in (([one[:2], two[:4]], 4), ([one[:2]], 2), ([one[1], two], 6)):
        f = theano.function([x, s, X, n, k], outputs, on_unused_input="ignore")
        assert run(f, 6, 0)[1] == most
    again, _ = theano.scan(lambda v: v + 1, carried)
    f = theano.function([x, s, X, n, k], again[:3], on_unused_input="ignore")
    found, ran = run(f, 6, 0)
    np.testing.assert_array_equal(found, [2, 3, 5])
    assert ran == 3


def test_updates_and_ends_are_those_of_all_steps():
    count = theano.shared(0)
    rows, updates = theano.scan(lambda h: (counted(h), {count: count + 1}), None, s, n_steps=n)
    f = theano.function([s, n], rows[:2], updates=updates)
    np.testing.assert_array_equal(f(1.0, 5), [2, 4])
    assert count.get_value() == 5
    rows, _ = theano.scan(lambda v, h: (counted(v) + h, until(h > 4)), x, s)
    for read, most in ((rows[:2], 2), (rows[:7], 3), (rows[-1], 3), (rows[:-1], 3)):
        f = theano.function([x, s, X, n, k], read, on_unused_input="ignore")
        assert run(f, 6, 0)[1] == most


def test_steps_that_are_not_run_do_not_fail():
    rows, _ = theano.scan(lambda v: x[T.cast(v, "int64")], x)
    assert theano.function([x], rows[:2])([1.0, 0.0, 9.0]).tolist() == [0, 1]
    with pytest.raises(IndexError):
        theano.function([x], rows)([1.0, 0.0, 9.0])
