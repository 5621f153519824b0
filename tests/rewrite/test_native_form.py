"""The last form of a graph: positions of what is written stand with their bounds, read once."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.agreement import agree
from support.arrays import values
from support.comparison import EXACT, ROUNDING
from theano._core.lower import program as ir
from theano.ifelse import ifelse

x, y, w = T.dmatrix("x"), T.dmatrix("y"), T.dvector("w")
i, j = T.lvector("i"), T.lvector("j")
narrow = T.bvector("narrow")
COUNTED = T.bincount(i, w, minlength=4)

# Expressions, and how often the positions are read for their bounds.
READ = {
    "rows": (x[i] + y[narrow], 0),
    "columns": (x[:, i], 1),
    "twice": (x[:, i] + y[:, i] * 2, 1),
    "gathered and scattered": (T.inc_subtensor(x[i], T.tanh(x[i])), 1),
    "two arrays": (x[i, j], 0),
    "two that broadcast": (x[i, j[:1, None]], 2),
    "narrow": (x[:, narrow], 1),
    "counted": (COUNTED, 1),
    "counted and summed": ([COUNTED, T.inc_subtensor(w[i], 1.0)], 1),
    "asserted": (x[:, T.opt.Assert("no")(i, w.sum() > 0)] + T.inc_subtensor(y[i], 1.0), 1),
    "known": (x[[2, 0, -1]] + x[:, np.array([[1, 0]])].sum(), 0),
    "numbers": (x[1, i[0]], 0),
}


def reductions(f):
    """Return the kernels for vectors without gaps that reduce positions."""
    program = f.maker.program_text.program
    used = [program.kernels[r.kernel] for r in ir.walk(program.body) if isinstance(r, ir.Reduce)]
    return [
        kernel
        for kernel in used
        if kernel.layout == "packed" and kernel.eager and "int" in kernel.loop.reductions[0].dtype
    ]


@pytest.mark.parametrize("name", READ)
def test_positions_are_read_once_for_their_bounds(name, monkeypatch):
    monkeypatch.setattr(theano.config, "cache_programs", False)
    outputs, times = READ[name]
    f = theano.function([x, y, w, i, j, narrow], outputs, on_unused_input="ignore")
    assert len(reductions(f)) == times


def test_narrow_positions_are_compared_as_they_are():
    (kernel,) = reductions(theano.function([x, narrow], x[:, narrow]))
    assert [r.dtype for r in kernel.loop.reductions] == ["int8", "int8"]


X = np.arange(12.0).reshape(4, 3)


@pytest.mark.parametrize("position", [4, -5, 2**62, -(2**63)])
@pytest.mark.parametrize("known", [False, True])
def test_the_position_that_lies_outside_is_named(position, known):
    positions = np.array([1, position, 0])
    index = T.constant(positions) if known else i
    text = f"index {position} is out of bounds for axis 0 with size 4"
    inputs = [x] if known else [x, i]
    given = [X] if known else [X, positions]
    for outputs in (x[index], T.set_subtensor(x[index], 0.0)):
        with pytest.raises(IndexError, match=text):
            theano.function(inputs, outputs)(*given)


def test_of_no_position_none_lies_outside():
    nothing = np.zeros(0, "int64")
    for f in (theano.function([x, i], x[i]), theano.function([x, i], [x[i].sum(), x[i, i]])):
        for array in (X, X[:0]):
            f(array, nothing)
    assert theano.function([x], x[np.zeros((0, 2), int)])(X[:0]).shape == (0, 2, 3)


def test_positions_of_each_step_have_bounds_of_their_own():
    rows = T.lmatrix("rows")
    taken, _ = theano.scan(lambda r: x[r].sum(axis=0), sequences=rows)
    f = theano.function([x, rows], taken)
    steps = np.array([[0, 3], [-4, 1]])
    assert np.array_equal(f(X, steps), X[steps].sum(axis=1))
    with pytest.raises(IndexError, match="index 4 is out of bounds"):
        f(X, steps + 1)


SIDES = {
    "gathered": lambda at: x[at].sum(),
    "scattered": lambda at: T.set_subtensor(x[at], 2.0).sum(),
    "in the steps of a loop": lambda at: theano.scan(lambda r: x[at + r].sum(), T.arange(2))[0][-1],
    "in a branch": lambda at: ifelse(w[0] > 0, x[at].sum(), x[at, 0].sum()),
    "counted": lambda at: T.bincount(at, minlength=3).sum(),
}


@pytest.mark.parametrize("name", SIDES)
def test_positions_in_branches_have_bounds(name):
    taken, left = SIDES[name](i), SIDES[name](j)
    f = theano.function([x, w, i, j], ifelse(w[1] > 0, taken, left), on_unused_input="ignore")
    mixed = theano.function(
        [x, w, i, j], T.switch(w[1] > 0, taken, left), mode="FAST_COMPILE", on_unused_input="ignore"
    )
    inside, outside = np.array([0, 2]), np.array([1, -9])
    for numbers in ([1.0, 1.0], [1.0, -1.0], [-1.0, 1.0]):
        assert f(X, numbers, inside, inside) == mixed(X, numbers, inside, inside)
    # Those of the other side are not looked at.
    f(X, [1.0, 1.0], inside, outside)
    with pytest.raises((IndexError, AssertionError), match=r"-9|negative"):
        f(X, [1.0, -1.0], inside, outside)


def test_messages_show_positions_without_their_bounds():
    numbers = x.shape[0] + i
    for outputs in (x[numbers], T.inc_subtensor(x[numbers], 1.0)):
        f = theano.function([x, i], outputs)
        for verbosity in ("low", "high"):
            setting = theano.change_flags(exception_verbosity=verbosity)
            with setting, pytest.raises(IndexError, match="index 5 is out of bounds") as raised:
                f(X, np.array([-4, 1]))
            text = str(raised.value)
            assert "array([0, 5])]" in text
            assert "Infimum" not in text
            assert ("Toposort index" in text) == (verbosity == "high")


def calls_a_library(f):
    program = f.maker.program_text.program
    called = [i.function for i in ir.walk(program.body) if isinstance(i, ir.Call)]
    return any("matmul" in name or "multiply" in name for name in called)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float32", "complex128"])
def test_products_of_one_term_are_loops(dtype):
    patterns = (0, 1), (1, 0), (0, 0, 1), (0, 1, 0)
    inputs = [T.TensorType(dtype, pattern)() for pattern in patterns]
    cases = []
    for n, m in ((3, 70), (1, 1), (0, 4), (5, 0)):
        left, right = values((2, n, 1), dtype), values((2, 1, m), dtype, seed=1)
        cases.append((left[0], right[1][:, ::-1], left[::-1], right))
    # The parts of complex products are rounded in another order.
    close = ROUNDING if "complex" in dtype else EXACT
    products = [T.dot(*inputs[:2]), T.batched_dot(*inputs[2:])]
    assert not calls_a_library(agree(inputs, products, *cases, tolerance=close))


def test_sums_with_products_of_one_term_are_loops():
    column, row, a = T.dcol("column"), T.drow("row"), T.dscalar("a")
    outs = [x + T.dot(column, row), a * x - 2 * T.dot(column, row), T.tanh(T.dot(column, row) * a)]
    given = np.arange(6.0).reshape(2, 3), np.array([[1.0], [np.nan]]), np.array([[0, 1, -2.0]])
    assert not calls_a_library(agree([x, column, row, a], outs, (*given, 3.0)))


def test_what_only_one_factor_declares_is_still_checked():
    column = T.dcol("column")
    f = theano.function([column, x], T.dot(column, x))
    np.testing.assert_array_equal(f([[1.0], [2.0]], [[3.0, 4.0]]), [[3, 4], [6, 8]])
    with pytest.raises(ValueError, match="shape"):
        f([[1.0], [2.0]], np.ones((2, 2)))
