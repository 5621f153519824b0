"""Reductions over what is only put together for them: `T.max(T.stack([x, y]), axis=0)`."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.agreement import agree
from support.arrays import variables
from support.comparison import EXACT, ROUNDING, SUMS
from support.compiling import ops
from theano.tensor.basic import Join

KINDS = ("sum", "prod", "max", "min", "mean")


def joins(f):
    return len(ops(f, Join))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "uint8", "int64", "float16", "float32", "float64", "complex128"]
)
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_values_and_dtypes_of_all_kinds(kind, dtype, axis):
    rng = np.random.default_rng(3)
    values = [np.asarray(rng.normal(size=(3, 5)) * 40).astype(dtype) for _ in range(4)]
    values[1][0, 1:3] = values[2][0, 2:4] = 0
    if np.dtype(dtype).kind == "f":
        values[0][1, 1] = values[3][2, 2] = np.nan
        values[2][1, 3] = np.inf
    inputs = variables(*values)
    out = getattr(T, kind)(T.stack(inputs, axis=axis), axis=axis)
    exact = kind in ("max", "min") or np.dtype(dtype).kind in "biu"
    with np.errstate(all="ignore"):
        assert not joins(agree(inputs, out, values, tolerance=EXACT if exact else ROUNDING))


def test_an_accumulator_that_was_asked_for_is_kept():
    x, y = T.fmatrices("x", "y")
    big, small = np.full((1, 2), 1e8, "float32"), np.ones((1, 2), "float32")
    total = T.stack([x, y, -x]).sum(axis=0, acc_dtype="float64")
    f = theano.function([x, y], total)
    assert not joins(f) and f(big, small).tolist() == [[1, 1]] and f(big, small).dtype == "float32"


def test_joins_of_several_rows_and_of_what_others_need_stay():
    x, y = T.dmatrices("x", "y")
    rows, both = T.concatenate([x, y]), T.stack([x, y])
    outputs = [rows.sum(axis=0), both.max(axis=1), both.sum(), [both, both.max(axis=0)]]
    for output in outputs:
        agree([x, y], output, (np.arange(6.0).reshape(2, 3), np.ones((2, 3))))


def test_lengths_that_do_not_fit_are_an_error_as_of_the_join():
    x, y = T.dmatrices("x", "y")
    f = theano.function([x, y], T.stack([x, y]).sum(axis=0))
    assert not joins(f) and f(np.ones((0, 3)), np.ones((0, 3))).shape == (0, 3)
    for shape in ((1, 3), (2, 1), (2, 4)):
        with pytest.raises(ValueError, match=r"shape|length|mismatch"):
            f(np.ones((2, 3)), np.ones(shape))
    # One that is known to have one row is no partner that a join takes.
    row = T.drow("row")
    g = theano.function([x, row], T.stack([x, row]).sum(axis=0))
    np.testing.assert_array_equal(g(np.ones((1, 3)), np.ones((1, 3))), [[2, 2, 2]])
    with pytest.raises(ValueError, match=r"shape|length|join"):
        g(np.ones((2, 3)), np.ones((1, 3)))


def same(inputs, out, *values):
    """Check a function that joins nothing against the graph as written."""
    assert not joins(agree(inputs, out, values, tolerance=SUMS))


@pytest.mark.parametrize("rows", [0, 1, 4])
def test_sums_of_functions_of_joins_are_of_each_part(rows):
    x, y, v, s = T.dmatrix("x"), T.fmatrix("y"), T.dvector("v"), T.dscalar("s")
    a = np.arange(3.0 * rows).reshape(3, rows)
    b = np.arange(6.0, dtype="float32").reshape(3, 2)
    both = T.concatenate([x, y], axis=1)
    same([x, y], both.sum(axis=1), a, b)
    same([x, y], both.prod(axis=1, keepdims=True), a, b)
    same([x, y, s], T.tanh(T.sqr(both * s) - 1).sum(axis=1), a, b, 0.5)
    same([x, v], T.concatenate([x.flatten(), v, v]).norm(2), a, np.ones(2))
    same([x, y], T.concatenate([x > 1, y > 2], axis=1).sum(axis=1), a, b)
    same([x, y], T.concatenate([x, y], axis=1).astype("int8").sum(axis=1, dtype="int16"), a, b)


def test_lengths_that_a_join_checks_are_checked():
    x, y = T.dmatrices("x", "y")
    # The axis that is kept is checked by the sum of both; one that is reduced is not.
    for axis, shape in ((1, (2, 4)), (None, (2, 4)), (1, (1, 4)), (None, (1, 4))):
        f = theano.function([x, y], T.concatenate([x, y], axis=1).sum(axis=axis))
        with pytest.raises(ValueError, match=r"shape|length|mismatch|join"):
            f(np.ones((3, 2)), np.ones(shape))
    g = theano.function([x], T.concatenate([x, x * 2], axis=1).sum())
    assert not joins(g) and g(np.ones((2, 3))) == 18


@pytest.mark.parametrize("kind", ["sum", "prod", "max", "min"])
@pytest.mark.parametrize("shape", [(2, 3, 4), (1, 3, 1), (2, 0, 4), (0, 3, 4)])
def test_reductions_of_what_is_flattened(kind, shape):
    t = T.dtensor3("t")
    value = np.linspace(-1, 2, int(np.prod(shape))).reshape(shape)
    reduction = getattr(T, kind)
    flat = reduction(T.tanh(t).flatten())
    rows = reduction(T.tanh(t).flatten(2), axis=1)
    whole = reduction(reduction(T.tanh(t), axis=2), axis=0)
    for out, empty in ((flat, 0 in shape), (rows, shape[1] == 0), (whole, shape[0] == 0)):
        if kind in ("max", "min") and empty:
            with pytest.raises(ValueError, match=r"no identity|empty|zero|items"):
                theano.function([t], out)(value)
        else:
            same([t], out, value)
            nodes = theano.function([t], out).maker.fgraph.toposort()
            (one,) = (node for node in nodes if isinstance(node.op, T.CAReduce))
            assert isinstance(one.inputs[0].owner.op, T.Elemwise)


def test_reshapes_that_may_not_fit_and_axes_that_stay_are_left():
    x, t = T.dmatrix("x"), T.dtensor3("t")
    f = theano.function([x], T.sqr(x).reshape((6,)).sum())
    assert f(np.ones((2, 3))) == 6
    with pytest.raises(ValueError, match="reshape"):
        f(np.ones((2, 2)))
    value = np.arange(24.0).reshape(2, 3, 4)
    agree([t], T.sqr(t).flatten(2).sum(axis=0), [value])
    agree([t], t.sum(axis=2).max(axis=1), [value])
    agree([t], t.sum(axis=2, dtype="float32").sum(axis=1), [value])
