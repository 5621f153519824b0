"""Of a loop of which only the last rows are read, only these are kept."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.ops.control.scan import Loop
from theano.scan_module import until

REFERENCE = theano.Mode("py", None)
x, X, Z, n = T.dvector("x"), T.dmatrix("X"), T.dmatrix("Z"), T.lscalar("n")
one, _ = theano.scan(lambda h: T.tanh(h * 0.9) + 0.1, outputs_info=x, n_steps=n)
two, _ = theano.scan(
    lambda a, b: T.tanh(a + b), outputs_info={"initial": X, "taps": [-2, -1]}, n_steps=n
)
ended, _ = theano.scan(lambda r, h: (h + r, until(h.sum() > 3)), Z, x)
VALUES = (
    np.array([0.3, 0.7]),
    np.array([[0.1, 0.2], [0.3, 0.5]]),
    np.arange(8.0).reshape(4, 2) / 2,
)


def result(run, steps):
    try:
        return run(*VALUES, steps)
    except IndexError:
        return None


@pytest.mark.parametrize(
    ("outputs", "kept"),
    [
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
def test_last_rows(outputs, kept):
    run = theano.function([x, X, Z, n], outputs, on_unused_input="ignore")
    (loop,) = [node for node in run.maker.graph.toposort() if isinstance(node.op, Loop)]
    assert [s.keep for s in loop.op.states] == [kept]
    plain = theano.function([x, X, Z, n], outputs, mode=REFERENCE, on_unused_input="ignore")
    for steps in (0, 1, 2, 3, 9):
        got, wanted = result(run, steps), result(plain, steps)
        assert (got is None) == (wanted is None)
        for a, b in zip(got or (), wanted or (), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-13)
            assert a.shape == b.shape


def test_gradients_of_last_rows():
    run = theano.function([x, n], T.grad((one[-2:] ** 2).sum(), x))
    plain = theano.function([x, n], T.grad((one[-2:] ** 2).sum(), x), mode=REFERENCE)
    for steps in (0, 1, 2, 5):
        np.testing.assert_allclose(run(VALUES[0], steps), plain(VALUES[0], steps), rtol=1e-12)


@pytest.mark.parametrize("steps", [0, n])
def test_last_row_after_no_step_is_the_initial_one(steps):
    """As in the default mode of Theano 1.0.5, where nothing else is read: `A ** 0` is 1."""
    rows, _ = theano.scan(
        lambda h, a: h * a, outputs_info=T.ones_like(x), non_sequences=x, n_steps=steps
    )
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
