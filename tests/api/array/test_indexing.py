"""Indexing, against NumPy."""

import re

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import variable
from support.comparison import assert_same
from support.errors import refused
from theano._core.base.errors import AdvancedIndexingError
from theano._core.compile.function import function
from theano._core.ir.graph import toposort
from theano._core.ops.array.indexing import Subtensor
from theano._core.ops.core.dimshuffle import DimShuffle
from theano.tensor.type_other import MakeSlice, NoneConst, NoneTypeT, make_slice, slicetype

# Expressions that NumPy and Theano read alike.
READS = """
x[0]; x[-1, 1:]; x[...]; x[()]; s[()]; x[None, :, 0]; x[:, None]; x[i]; x[:, i]; x[i, i]; x[i, 1]
x[1, i]; x[m]; x[1:, i]; t[0, :, i]; t[:, i, i]; t[m % 2, :, 0]; t[:, None, i]; t[1, None, i, ::2]
x[ROWS]; x[MASK]; x[ROWS, 1:]; x[[0, 2]]; x[range(2)]; x[:, range(3, 0, -1)]; x[range(0)]
t[0, range(2), i[:2]]; x[[]]; x[::-1, ::2]; t[..., 0]; t[i % 2, ..., None, i]; x[:, :3].trace()
x[np.int64(1)]; x[np.array(1)]; x[-3:, -1]; t[:, 1:2, ::-2]; x[x > 0]; x[w > 0]; x[:, v > 0]
t[:, x > 0]; t[..., v > 0, None]; t[x[0, :2] > 9]; x[1:, v > 0]; t[0, w > 0, ::-1]
t[:, i, ..., i]; x[x > 99]; x[i.astype('int8')]; x[None, :, :]; x[..., None]"""


@pytest.mark.parametrize("expression", re.split("; |\n", READS.strip()))
def test_read(bench, expression):
    bench.check(bench.build(expression), bench.numpy(expression))


TAKES = [
    "take(x, i, axis=0)",
    "take(x, m, axis=1)",
    "take(x, i)",
    "take(t, m, axis=1)",
    "take(x, i + 3, axis=1, mode='wrap')",
    "take(x, i - 5, axis=1, mode='clip')",
    "take(x, 1, axis=-1)",
]


@pytest.mark.parametrize("expression", TAKES)
def test_take(bench, expression):
    bench.check(bench.build(f"T.{expression}"), bench.numpy(expression, take=np.take))


def test_positions_of_what_is_not_zero(bench):
    x, t = bench.values["x"], bench.values["t"]
    for number, wanted in enumerate(np.nonzero(t > 0)):
        bench.check(bench.build(f"T.nonzero(t > 0)[{number}]"), wanted)
    bench.check(bench.build("(x > 0).nonzero(return_matrix=True)"), np.array(np.nonzero(x > 0)))
    bench.check(bench.build("T.flatnonzero(x > 0)"), np.flatnonzero(x > 0))
    bench.check(bench.build("T.nonzero_values(T.maximum(x, 0))"), x[x > 0])
    bench.check(bench.build("T.maximum(v, 0).nonzero_values()"), bench.numpy("v[v > 0]"))
    bench.check(bench.build("x[(x > 0).nonzero()]"), x[x > 0])


# A part, and a value that fits it.
WRITES = [
    ("[0]", "v"),
    ("[:, 1]", "1"),
    ("[...]", "2"),
    ("[()]", "2"),
    ("[1:, ::2]", "[[1, 2]]"),
    ("[i]", "1"),
    ("[:, i]", "1"),
    ("[i, i]", "[1, 2, 1]"),
    ("[1:, i]", "5"),
    ("[None, :, 0]", "3"),
    ("[None]", "3"),
    ("[:, None, i]", "2"),
    ("[ROWS]", "0.5"),
    ("[MASK]", "0.5"),
    ("[x > 0]", "0.5"),
    ("[w > 0]", "v"),
    ("[1:, v > 0]", "7"),
]


@pytest.mark.parametrize(("part", "value"), WRITES)
@pytest.mark.parametrize("kind", ["set", "inc"])
def test_write(bench, part, value, kind):
    wanted = bench.values["x"].copy()
    where, number = bench.numpy(f"np.s_{part}"), bench.numpy(value)
    if kind == "set":
        wanted[where] = number
    else:
        np.add.at(wanted, where, number)
    bench.check(bench.build(f"T.{kind}_subtensor(x{part}, {value})"), wanted)


def test_write_through_views(bench):
    start, i, w = (bench.values[name] for name in "xiw")
    first, rows, column, repeated = (start.copy() for _ in range(4))
    first[0], column[:, 0], repeated[i] = [1, 2, 3, 4], w, 1
    rows[:2] += 1
    bench.check(bench.build("T.set_subtensor(x[0].reshape((2, 2)), [[1, 2], [3, 4]])"), first)
    bench.check(bench.build("T.inc_subtensor(x[:2].flatten(), 1)"), rows)
    # As in Theano, what was written to a transposed array stays transposed.
    bench.check(bench.build("T.set_subtensor(x.T[0], w)"), column.T)
    bench.check(bench.build("T.set_subtensor(x[i].T, 1.0)"), repeated.T)
    # And only the last index counts.
    bench.check(bench.build("T.set_subtensor(x[0][1], 9.0)"), [start[0, 0], 9.0, *start[0, 2:]])


PATTERNS = [
    ("10", "row[0:1]", "row[::-1]", "row[:, i]", "x[None, :, 0]"),
    ("00", "row[1:]", "row[i]", "x[0:1]", "x[np.array([True])]"),
    ("100", "x[[[0, 1]]]", "x[None, :, :]"),
    ("001", "x[..., None]"),
]


@pytest.mark.parametrize(("pattern", "expressions"), [(p, row) for p, *row in PATTERNS])
def test_pattern(bench, pattern, expressions):
    """A digit for each axis, 1 of a broadcastable one."""
    for expression in expressions:
        found = bench.build(expression).type.broadcastable
        assert "".join(str(int(one)) for one in found) == pattern, expression


def test_gradient_of_reads_and_writes(bench):
    changed, i = bench.values["x"].copy(), bench.values["i"]
    np.add.at(changed, i, bench.values["v"])
    of_write = bench.build("T.grad((T.inc_subtensor(x[i], v) ** 2).sum(), v)")
    bench.check(of_write, 2 * (2 * changed[2] + changed[0]))
    bench.check(bench.build("T.grad(x[i].sum(), x)"), [[1] * 4, [0] * 4, [2] * 4])


ERRORS = [
    ("s[0]", IndexError, "too many indices"),
    ("x[..., ...]", IndexError, "single Ellipsis"),
    ("x[True]", TypeError, "does not support Python bools"),
    ("x[[True, False]]", TypeError, "numpy.array"),
    ("x[v]", AdvancedIndexingError, "index must be integers"),
    ("x[1.0:]", AdvancedIndexingError, "index must be integers"),
    ("x[:, :, x > 0]", IndexError, "too many indices"),
    ("T.nonzero(s)", ValueError, "non-scalar"),
    ("T.flatnonzero(s)", ValueError, "non-scalar"),
    ("T.set_subtensor(x + 1, 1)", TypeError, "must be the result of a subtensor"),
    ("T.set_subtensor(x.T, 1)", TypeError, "must be the result of a subtensor"),
    ("T.take(x, i, axis=2)", IndexError, "out of bounds"),
    ("T.take(x, i, mode='blah')", ValueError, "mode must be"),
    ("list(x)", TypeError, "does not support iteration"),
]


@pytest.mark.parametrize(("expression", "kind", "message"), ERRORS)
def test_errors_while_building(bench, expression, kind, message):
    with pytest.raises(kind, match=message):
        bench.build(expression)


def test_errors_of_a_call(bench):
    x, i, w = (bench.inputs[name] for name in "xiw")
    value, axis_1 = bench.values["x"], "is out of bounds for axis 1 with size 4"
    mask = "size of axis is 2 but size of corresponding boolean axis is 3"
    for part, given, words in (
        (
            x[i],
            {x: value, i: [5]},
            ["5 is out of bounds for axis 0 with size 3", "test_indexing.py"],
        ),
        (x[:, i], {x: value, i: [0, -5]}, [f"index -5 {axis_1}"]),
        (x[None, 1:, None, i], {x: value, i: [0, 4]}, [f"index 4 {axis_1}"]),
        (bench.build("x[ROWS]"), {x: value[:2]}, ["axis 0", mask]),
        (x[w > 9], {x: value[:2], w: bench.values["w"]}, ["axis 0", mask]),
    ):
        with refused(IndexError, *words):
            part.eval(given)


def test_integers_are_written_as_the_array_says():
    counts = T.lvector("counts")
    written = T.set_subtensor(counts[0], 1.5).eval({counts: [7, 8]})
    assert (written.dtype, written.tolist()) == ("int64", [1, 8])


def test_shape_can_be_unpacked(bench):
    rows, columns = bench.inputs["x"].shape
    bench.check(rows * 10 + columns, 34)


KINDS = ["bool", "int8", "uint16", "int64", "float16", "float32", "complex64", "complex128"]


@pytest.mark.parametrize("kind", KINDS)
def test_item_types(kind):
    x, y, mask, i = variable(kind, 2), variable(kind, 1), variable("bool", 2), T.lvector("i")
    outs = [x[mask], x[i, ::-1], x[i, i]]
    outs += [T.set_subtensor(x[mask], y[0]), T.set_subtensor(x[:, i], y), T.inc_subtensor(x[i], y)]
    array = np.arange(9).reshape(3, 3).astype(kind)
    given, holds, at = np.array([1, 0, 1]).astype(kind), array.real > 4, np.array([2, 0, 2])
    set_mask, set_columns, added = (array.copy() for _ in range(3))
    set_mask[holds], set_columns[:, at] = given[0], given
    np.add.at(added, at, given)
    wanted = [array[holds], array[at, ::-1], array[at, at], set_mask, set_columns, added]
    f = function([x, y, mask, i], outs)
    for layout in (array, np.asfortranarray(array)):
        for got, want in zip(f(layout, given, holds, at), wanted, strict=True):
            assert got.dtype == kind
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("width", [128, 256, 512])
@pytest.mark.parametrize("kind", ["float32", "float64", "int8"])
def test_rows_of_one_item_at_positions_that_only_seem_neighbours(width, kind):
    """Of the positions 2, 4, 2, 5 the ends are as far apart as those of four neighbours."""
    x, at = T.vector("x", dtype=kind), T.lmatrix("at")
    with theano.config.change_flags(vector_width=width):
        f = theano.function([x, at], x[:, None][at])
    values = np.arange(12).astype(kind)
    for seed in range(20):
        positions = np.random.default_rng(seed).integers(0, 12, (9, 41))
        positions[:, ::8] = np.minimum(positions[:, ::8], 4)
        positions[:, 3::8], positions[:, 7::8] = positions[:, ::8][:, :5] + 3, 7
        np.testing.assert_array_equal(f(values, positions), values[:, None][positions])


@pytest.mark.parametrize(
    ("key", "pattern"),
    [
        ((slice(None), None), (False, True)),
        ((slice(1, None), None), (False, True)),
        ((None, slice(1, 3)), (True, False)),
        ((2, None), (True,)),
        ((None, -1), (True,)),
        ((..., None), (False, True, True)),
    ],
)
def test_new_axes_of_a_column(key, pattern):
    # As in Theano 1.0.5, new axes come first in the graph.
    x, value = T.col("x"), np.arange(5.0).reshape(5, 1)
    part = x[key]
    assert part.broadcastable == pattern
    views = [node.op for node in toposort([part])]
    assert isinstance(views[0], DimShuffle)
    assert all(isinstance(op, Subtensor) for op in views[1:])
    seen = value if ... in key else value[:, 0]
    np.testing.assert_array_equal(part.eval({x: value}), seen[key])
    for write in (T.set_subtensor, T.inc_subtensor):
        written = write(part, 7.0)
        wanted = value.copy()
        there = wanted if ... in key else wanted[:, 0]
        there[key] = 7 if write is T.set_subtensor else there[key] + 7
        assert written.broadcastable == (False, True)
        np.testing.assert_array_equal(written.eval({x: value}), wanted)


def test_a_list_with_slices_is_a_tuple():
    x = T.dmatrix("x")
    value = np.arange(12.0).reshape(3, 4)
    got = theano.function([x], [x[[slice(1, None), 2]], x[[None, Ellipsis, 1]]])(value)
    np.testing.assert_array_equal(got[0], value[1:, 2])
    np.testing.assert_array_equal(got[1], value[None, ..., 1])


def test_a_value_of_one_item_at_run_time_is_written_everywhere():
    x, y = T.dmatrices("xy")
    v, w, i = T.dvector("v"), T.dvector("w"), T.lvector("i")
    part = theano.function([x, y], [T.set_subtensor(x[1:3], y), T.inc_subtensor(x[1:3], y)])
    for value in (np.ones((1, 4)), np.ones((2, 1)), np.ones((1, 1)), np.arange(8.0).reshape(2, 4)):
        base = np.arange(20.0).reshape(5, 4)
        wanted = base.copy(), base.copy()
        wanted[0][1:3] = value
        wanted[1][1:3] += value
        for got, want in zip(part(base, value), wanted, strict=True):
            np.testing.assert_array_equal(got, want)
    with pytest.raises(ValueError, match="2 items along axis 1 into 4 positions"):
        part(base, np.ones((2, 2)))
    assert T.set_subtensor(v[i], w).eval({v: [0, 0, 0], i: [0, 2], w: [5]}).tolist() == [5, 0, 5]
    assert T.inc_subtensor(v[i], w).eval({v: [0, 0, 0], i: [2, 2], w: [5]}).tolist() == [0, 0, 10]
    with pytest.raises(ValueError, match="2 items"):
        T.inc_subtensor(v[i], w).eval({v: [0, 0, 0], i: [0, 1, 2], w: [1, 2]})


def test_positions_of_one_item_at_run_time_meet_all_others():
    x, i, j, y = T.dmatrix("x"), T.lvector("i"), T.lvector("j"), T.dvector("y")
    read = theano.function([x, i, j], [x[i, j], x[i, j].shape, x[i[:, None], j]])
    write = theano.function([x, i, j, y], T.inc_subtensor(x[i, j], y))
    value = np.arange(6.0).reshape(2, 3)
    for one, two in (([1], [0, 2, 2]), ([1, 0], [2]), ([1], []), ([], [0]), ([0, 1], [1, 2])):
        at = np.array(one, "int64"), np.array(two, "int64")
        items, shape, outer = read(value, *at)
        np.testing.assert_array_equal(items, value[at])
        assert tuple(shape) == value[at].shape
        np.testing.assert_array_equal(outer, value[at[0][:, None], at[1]])
        want = value.copy()
        np.add.at(want, at, [7.0])
        np.testing.assert_array_equal(write(value, *at, [7.0]), want)
    with pytest.raises(IndexError, match="indexing arrays could not be broadcast"):
        read(value, [0, 1], [0, 1, 2])


def test_alloc_broadcasts_an_axis_of_one_item_at_run_time():
    v = T.dvector("v")
    wide = theano.function([v], T.alloc(v, 2, 3))
    assert wide([5]).tolist() == [[5] * 3] * 2
    assert wide([1, 2, 3]).tolist() == [[1, 2, 3]] * 2
    with pytest.raises(ValueError, match="2 items along axis 1"):
        wide([1, 2])


@pytest.mark.parametrize("holds", [0, 1])
@pytest.mark.parametrize("text", ["one", "one, 1", "1, one", ":, one", "one, mask", "mask, one"])
def test_one_condition_is_a_mask_without_axes(text, holds):
    m, n, mask = T.dmatrix("m"), T.iscalar("n"), variable("bool", 1)
    value, kept = np.arange(6.0).reshape(2, 3), np.array([True, False])
    known = eval(f"np.s_[{text}]", {"np": np, "one": np.array(bool(holds)), "mask": kept})
    part = m[eval(f"np.s_[{text}]", {"np": np, "one": T.eq(n, 1), "mask": mask})]
    outs = [part, T.set_subtensor(part, 7.0), T.grad(T.sqr(part).sum(), m)]
    f = theano.function([m, n, mask], outs, on_unused_input="ignore")
    copy, gradient = value.copy(), np.zeros_like(value)
    copy[known], gradient[known] = 7, 2 * value[known]
    assert_same(f(value, holds, kept), [value[known], copy, gradient])


def test_one_condition_keeps_a_scalar_or_nothing():
    x = T.dscalar("x")
    f = theano.function([x], [x[x > 0], T.set_subtensor(x[x < 0], 0.0)])
    assert [v.tolist() for v in f(2)] == [[2], 2]
    assert [v.tolist() for v in f(-2)] == [[], 0]


@pytest.mark.parametrize("mode", [None, theano.Mode("py", None)])
def test_what_is_added_is_broadcast_to_positions_of_two_axes(mode):
    x, y = T.dvectors("x", "y")
    out = T.inc_subtensor(x[np.array([[-1, -2], [0, 0]])], y)
    got = theano.function([x, y], out, mode=mode)([0.5, 0.25], [1.0, 10.0])
    np.testing.assert_array_equal(got, [21.5, 1.25])


def test_positions_may_be_an_array_of_another_library():
    class Foreign:
        def __array__(self, dtype=None, copy=None):
            return np.array([2, 0])

    x, given = T.dmatrix(), np.arange(12.0).reshape(3, 4)
    got = function([x], [x[Foreign()], x[1:, Foreign()]])(given)
    assert_same(got, [given[[2, 0]], given[1:, [2, 0]]])


def test_a_step_of_zero_beside_a_bound_that_is_an_argument():
    x, n = T.dvector("x"), T.lscalar("n")
    for part in (x[n:0:0], x[:n:0], T.set_subtensor(x[n:0:0], 1.0), x[n::0].sum()):
        with pytest.raises(ValueError, match="slice step cannot be zero"):
            function([x, n], part)(np.ones(3), 1)


SLICES = [slice(1, 3), slice(None), slice(None, None, -1), slice(-2, None), slice(3, 0, -2)]


@pytest.mark.parametrize("value", [*SLICES, slice(9, 9), slice(0, 0, -1)], ids=str)
def test_a_slice_may_be_an_argument(value):
    x, s = T.dmatrix("x"), slicetype("s")
    outs = [x[s], x[:, s], x[s, 0], T.grad(x[s].sum(), x), T.set_subtensor(x[s], 0)]
    f, given = function([x, s], outs), np.arange(12.0).reshape(4, 3)
    ones, written = np.zeros_like(given), given.copy()
    ones[value], written[value] = 1, 0
    assert_same(f(given, value), [given[value], given[:, value], given[value, 0], ones, written])
    with pytest.raises(TypeError, match="Expected a slice"):
        f(given, 1)


def test_slices_are_made_of_variables():
    x, i, given = T.dmatrix("x"), T.iscalar("i"), np.arange(12.0).reshape(4, 3)
    part = make_slice(0, i)
    assert isinstance(part.owner.op, MakeSlice)
    assert x[part].eval({x: given, i: 2}).shape == (2, 3)
    assert x[make_slice(slice(None, i, None)), 1].eval({x: given, i: 3}).tolist() == [1, 4, 7]
    assert function([i], [make_slice(0, i), make_slice(0, i)])(5) == [slice(0, 5), slice(0, 5)]
    with pytest.raises(TypeError, match="integers or None"):
        make_slice(0, T.dscalar())
    assert isinstance(NoneConst.type, NoneTypeT)
