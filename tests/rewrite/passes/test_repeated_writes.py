"""Items set to themselves plus something, where positions repeat: as Theano 1.0.5 does."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.tables import case

x, m, v, i = T.dvector("x"), T.dmatrix("m"), T.dvector("v"), T.lvector("i")
X, M, V, REPEATED = np.full(3, 10.0), np.full((3, 3), 10.0), np.array([1.0, 2, 3]), [0, 0, 1]

put = T.set_subtensor
PAIRS = [[11, 10, 10], [10, 11, 10], [10, 10, 10]]
# Expression, what Theano 1.0.5 gives by default, and NumPy.
CASES = {
    "x[i] + v": (put(x[i], x[i] + v), [13, 13, 10], [12, 13, 10]),
    "v + x[i]": (put(x[i], v + x[i]), [13, 13, 10], [12, 13, 10]),
    "x[i] + 1": (put(x[i], x[i] + 1), [12, 11, 10], [11, 11, 10]),
    "rows": case(
        put(m[i], m[i] + v), [[12, 14, 16], [11, 12, 13], [10] * 3], [[11, 12, 13]] * 2 + [[10] * 3]
    ),
    "columns": (put(m[:, i], m[:, i] + 1), [[12, 11, 10]] * 3, [[11, 11, 10]] * 3),
    "x[i] - v": (put(x[i], x[i] - v), [8, 7, 10], [8, 7, 10]),
    "x[i] + v + v": (put(x[i], x[i] + v + v), [14, 16, 10], [14, 16, 10]),
    "x[i] * v": (put(x[i], x[i] * v), [20, 30, 10], [20, 30, 10]),
    "pairs": (put(m[i, i], m[i, i] + 1), PAIRS, PAIRS),
    "other elements": (put(x[i], (x * 1)[i] + v), [12, 13, 10], [12, 13, 10]),
}


@pytest.mark.parametrize("name", CASES)
def test_sums_with_the_elements_that_are_there_are_added_where_positions_repeat(name):
    out, as_theano, as_numpy = CASES[name]
    by_numpy = theano.Mode().excluding("add_repeated")
    by_old_name = theano.Mode().excluding("local_set_to_inc_subtensor")
    for mode, wanted in (
        ("FAST_RUN", as_theano),
        ("FAST_COMPILE", as_numpy),
        (by_numpy, as_numpy),
        (by_old_name, as_numpy),
    ):
        f = theano.function([x, m, v, i], out, mode=mode, on_unused_input="ignore")
        np.testing.assert_array_equal(f(X, M, V, REPEATED), wanted)


def test_updates_and_steps():
    w = theano.shared(X)
    step = theano.function([i, v], updates=[(w, T.set_subtensor(w[i], w[i] + v))])
    step(REPEATED, V)
    assert w.get_value().tolist() == [13, 13, 10]
    last = theano.scan(lambda h: T.set_subtensor(h[i], h[i] + v), outputs_info=x, n_steps=2)[0][-1]
    assert theano.function([x, i, v], last)(X, REPEATED, V).tolist() == [16, 16, 10]
