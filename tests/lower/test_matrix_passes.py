"""A matrix that is multiplied from both sides is read once; results are those of two products."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import values
from support.comparison import Tolerance
from support.errors import refused
from support.loops import agree
from theano._core.lower import program as ir
from theano._core.lower.passes.outline import inlined

# No rows, no columns, a part of a tile, several tiles and blocks, rows too long and too short.
SHAPES = [(0, 4), (4, 0), (1, 1), (5, 9), (400, 784), (1037, 33), (9001, 100), (30, 20_000)]
SHAPES += [(999, 3)]
X, w, y = T.dmatrix("X"), T.dvector("w"), T.dvector("y")


def calls(f):
    """Return the functions of the runtime that multiply in a program."""
    body = inlined(f.maker.program_text.program).body
    found = [i.function for i in ir.walk(body) if isinstance(i, ir.Call)]
    return [name for name in found if name in ("matmul", "matrix_pass")]


def is_one_pass(f):
    return "matrix_pass" in calls(f) and "matmul" not in calls(f)


def logistic(m, x, w, y):
    s = m.dot(x, w)
    if m is np:
        cost = np.logaddexp(0, s) - y * s
        return [x.T @ (1 / (1 + np.exp(-s)) - y), cost.sum() / np.float64(len(cost)), cost]
    cost = T.nnet.binary_crossentropy(T.nnet.sigmoid(s), y)
    return [T.grad(cost.sum(), w), cost.mean(), cost]


def least_squares(m, x, w, y):
    s = m.dot(x, w) - y
    return T.grad((s**2).sum(), w) if m is T else x.T @ (2 * s)


# Whether all of it is one pass.
FORMS = {
    "logistic": (logistic, True),
    "least squares": (least_squares, True),
    "turned": (lambda m, x, w, y: m.dot(m.tanh(m.dot(w, x.T)) * y, x), True),
    "no loop": (lambda m, x, w, y: [m.dot(x.T, m.dot(x, w)), y + 1], True),
    "added": (
        lambda m, x, w, y: [
            w * 3 - 2 * m.dot(x.T, m.exp(-abs(m.dot(x, w))) * y),
            (w**2).sum(),
        ],
        False,
    ),
    # The other way round: what is a row here is a column of the matrix.
    "of columns": (lambda m, x, w, y: [m.dot(x, m.tanh(m.dot(x.T, y))), w + 1], False),
}


def small_products(shape, dtype, seed):
    """Return a matrix, whose rows have a size of 1, or a vector."""
    return (values(shape, dtype, seed) / max(shape[-1], 1) ** 0.5).astype(dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", FORMS)
def test_results_are_those_of_numpy(name, dtype):
    build, one_pass = FORMS[name]
    close = Tolerance(2000, "sums of products", floor=2000)
    shapes = [[shape, shape[1:], shape[:1]] for shape in SHAPES]
    f = agree(build, dtype, shapes, make=small_products, tolerance=close)
    assert "matrix_pass" in calls(f)
    if one_pass:
        assert is_one_pass(f)


@pytest.mark.parametrize("rows", [8, 100, 255])
def test_tiles_do_not_change_bits(rows):
    """Of few items, sums are added up in the order of separate products."""
    out, apart = FORMS["turned"][0](T, X, w, y), theano.Mode(optimizer="fast_run")
    f = theano.function([X, w, y], out)
    g = theano.function([X, w, y], out, mode=apart.excluding("fusion"))
    given = values((rows, 900)), values(900), values(rows)
    assert is_one_pass(f) and not is_one_pass(g)
    assert f(*given).tobytes() == g(*given).tobytes()


def test_what_is_updated_is_read_before():
    """The sums are added to the weights in place, which all rows are multiplied by."""
    given, wanted, labels = values((5000, 70)), values(70) / 8, values(5000) > 0
    shared = theano.shared(wanted.copy())
    gradient = logistic(T, X, shared, y)[0]
    f = theano.function([X, y], updates=[(shared, shared - 1e-3 * gradient)])
    assert calls(f)[-1] == "matmul" and "matrix_pass" in calls(f)
    assert any(isinstance(i, ir.Fence) for i in f.maker.program_text.program.body)
    for _ in range(3):
        f(given, labels)
        wanted = wanted - 1e-3 * logistic(np, given, wanted, labels)[0]
        np.testing.assert_allclose(shared.get_value(), wanted, rtol=1e-10)


def test_a_loop_that_is_updated_keeps_its_step():
    """What the loop makes would overwrite a shared variable before all else is checked."""
    given, start, labels = values((50, 7)), values(7), values(50)
    state = theano.shared(labels.copy())
    residual = T.dot(X, w) - state
    f = theano.function([X, w], T.dot(X.T, residual), updates=[(state, residual)])
    got, wanted = f(given, start), given @ start - labels
    np.testing.assert_allclose(state.get_value(), wanted, atol=1e-14)
    np.testing.assert_allclose(got, given.T @ wanted)
    before = state.get_value()
    with pytest.raises(ValueError, match="dot"):
        f(given, start[:-1])
    np.testing.assert_array_equal(state.get_value(), before)


def test_what_needs_all_rows_between_is_no_part():
    """A softmax over rows needs a sum before the second product."""
    f = theano.function([X, w], T.grad(T.log(T.exp(T.dot(X, w)).sum()), w))
    assert "matrix_pass" not in calls(f)
    given, start = values((500, 20)), values(20)
    e = np.exp(given @ start)
    np.testing.assert_allclose(f(given, start), given.T @ (e / e.sum()), rtol=1e-10)


def test_one_row_that_is_repeated_is_no_part():
    given, start, labels, row = values((1, 6)), values(6), values(1), T.row("X")
    f = theano.function([row, w, y], T.dot(row.T, T.tanh(T.dot(row, w) + y)))
    wanted = given.T @ np.tanh(given @ start + labels)
    np.testing.assert_allclose(f(given, start, labels), wanted)
    with pytest.raises(ValueError):
        f(given, start, np.ones(3))


@pytest.mark.parametrize(("w_length", "y_length", "told"), [(4, 30, "4"), (5, 29, "29")])
def test_lengths_that_do_not_fit_are_named(w_length, y_length, told):
    f = theano.function([X, w, y], logistic(T, X, w, y))
    with refused(ValueError, "test_matrix_passes.py", told):
        f(np.ones((30, 5)), np.ones(w_length), np.ones(y_length))


def test_two_models_of_one_matrix():
    """Each step belongs to one pass; what two products need is made once."""

    def build(m, x, w, v, y):
        both = m.tanh(m.dot(x, w)) * m.tanh(m.dot(x, v))
        return [m.dot(x.T, both), m.dot(x.T, both * y), both.sum()]

    close = Tolerance(2000, "sums of products", floor=2000)
    shapes = [[(600, 80), (80,), (80,), (600,)]]
    agree(build, "float64", shapes, make=small_products, tolerance=close)


def test_a_second_derivative_times_a_vector_reads_the_matrix_once():
    v = T.dvector("v")
    gradient = T.grad(((T.dot(X, w) - y) ** 2).sum(), w)
    f = theano.function([X, w, y, v], T.Rop(gradient, w, v), on_unused_input="ignore")
    assert is_one_pass(f)
    given, start = values((300, 40)), values(40)
    wanted = 2 * given.T @ (given @ start)
    np.testing.assert_allclose(f(given, start, np.ones(300), start), wanted, rtol=1e-10)
