"""Sorting, selecting and cumulating: against NumPy, over dtypes, axes, lengths and layouts."""

import itertools

import numpy as np
import pytest
from numpy.exceptions import AxisError

import theano
import theano.tensor as T
from support.arrays import DTYPES
from theano._core.api.debug.checks import layouts, tensor
from theano._core.compile.function import function
from theano._core.ops.cumulative import Cumulative
from theano._core.ops.sorting import ArgSelect, ArgSort, SearchSorted, Sort, TopK, Unique

KINDS = ["bool", "int8", "uint8", "int32", "uint64", "float16", "float32", "float64", "complex128"]
SHAPES = [(0,), (1,), (37,), (3, 4), (1, 9), (3, 0), (2, 3, 5)]


def sample(kind, shape):
    rng = np.random.default_rng(8)
    array = np.asarray(rng.integers(0, 2 if kind == "bool" else 9, shape)).astype(kind)
    if kind[0] == "c" and array.size > 9:
        array.imag = rng.integers(0, 3, shape)
        array.imag.flat[[3, 7]], array.real.flat[8] = np.nan, np.nan
    if kind[0] in "fc" and array.size > 2:
        array.flat[1], array.flat[2] = np.nan, -np.inf
    return array


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_along_an_axis(kind, rank):
    x = tensor(kind, (2,) * rank)
    for axis in range(rank):
        outs = [Sort(axis)(x), Sort(axis, "stable")(x), ArgSort(axis, "stable")(x)]
        outs += [Cumulative(axis, "add")(x), Cumulative(axis, "mul")(x)]
        f = function([x], outs)
        for array in [sample(kind, s) for s in SHAPES if len(s) == rank]:
            wide = array.astype("int64") if kind == "bool" else array
            with np.errstate(all="ignore"):
                wanted = [np.sort(array, axis)] * 2 + [np.argsort(array, axis, kind="stable")]
                wanted += [cum(wide, axis, dtype=wide.dtype) for cum in (np.cumsum, np.cumprod)]
                for given in layouts(array).values():
                    for got, want in zip(f(given), wanted, strict=True):
                        assert got.dtype == want.dtype
                        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("kind", ["bool", "int8", "uint8"])
@pytest.mark.parametrize("length", [23, 24, 256, 640, 641, 5000])
def test_items_of_one_byte(kind, length):
    x = tensor(kind, (2, 2))
    f = function([x], [Sort(0)(x), Sort(1)(x), Sort(1, "stable")(x)])
    for most in (1, 2, 256):
        values = np.random.default_rng(2).integers(0, most, (3, length)).astype("uint8")
        array = values > 0 if kind == "bool" else values.view(kind)
        for given in (array, np.asfortranarray(array), array[:, ::-1], array.T):
            axes = zip(f(given), (0, 1, 1), strict=True)
            for got, axis in axes:
                np.testing.assert_array_equal(got, np.sort(given, axis), strict=True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(37,), (1,), (0,), (600, 3), (4, 300), (2, 50, 2)])
def test_parts_of_the_order(kind, shape):
    x, first, count = tensor(kind, (2,) * len(shape)), T.lscalar(), T.lscalar()
    array = sample(kind, shape)
    for axis, n in enumerate(shape):
        f = function([x, first, count], ArgSelect(axis)(x, first, count))
        order = np.argsort(array, axis, kind="stable")
        for begin, end in [(0, 0), (0, n), (0, n // 9), (n // 2, n // 2 + n % 2), (n - n // 9, n)]:
            wanted = order[(*[slice(None)] * axis, slice(begin, end))]
            for given in layouts(array).values():
                got = f(given, begin, end - begin)
                assert got.dtype == "int64"
                np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("k", [1, 10, 700, 4000])
def test_the_best_of_lines_in_the_worst_order(k):
    x = T.dvector("x")
    f = function([x], [T.argtopk(x, k), T.argtopk(x, -k)])
    for rising in (np.arange(5000.0), np.repeat(np.arange(50.0), 100), np.full(5000, np.nan)):
        for array in (rising, rising[::-1].copy()):
            order = np.argsort(array, kind="stable")
            most, least = f(array)
            np.testing.assert_array_equal(most, order[::-1][:k])
            np.testing.assert_array_equal(least, order[:k][::-1])


def test_positions_that_are_not_in_the_order():
    x, first, count = T.dvector(), T.lscalar(), T.lscalar()
    for mode in (theano.Mode(linker="py"), None):
        f = function([x, first, count], ArgSelect(0)(x, first, count), mode=mode)
        for begin, size, at in [(-1, 2, -1), (2, 3, 5)]:
            with pytest.raises(IndexError, match=f"index {at} is out of bounds for axis 0 with"):
                f(np.zeros(4), begin, size)


def test_largest_items_of_many_rows():
    array = np.random.default_rng(4).normal(size=(5, 3, 40))
    wanted = np.argsort(array, axis=1, kind="stable")[:, ::-1][:, :2]
    x = T.dtensor3()
    got = function([x], theano.vectorize(lambda m: T.argtopk(m, 2, axis=0))(x))(array)
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("kind", ["int8", "uint8", "float32", "float64"])
@pytest.mark.parametrize("count", [1, 3, -1, -3, 4])
def test_largest_items(kind, count):
    x = tensor(kind, (2, 2))
    array = np.random.default_rng(9).permutation(20).reshape(5, 4).astype(kind)
    part = slice(-count, None) if count > 0 else slice(None, -count)
    for in_falling_order in (True, False):
        values, where = TopK(1, in_falling_order, "int32")(x, count)
        f = function([x], [values, where])
        rising = np.sort(array, 1)[:, part]
        for given in layouts(array).values():
            got, at = f(given)
            assert got.dtype == kind and at.dtype == "int32"
            np.testing.assert_array_equal(got, rising[:, ::-1] if in_falling_order else rising)
            np.testing.assert_array_equal(np.take_along_axis(array, at, 1), got)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_distinct_items(kind, axis):
    x, array = tensor(kind, (2, 2)), sample(kind, (4, 5))
    f = function([x], Unique(True, True, True, axis)(x))
    for given in layouts(array).values():
        wanted = np.unique(given, True, True, True, axis=axis)
        for got, want in zip(f(given), wanted, strict=True):
            np.testing.assert_array_equal(got, np.reshape(want, got.shape))


@pytest.mark.parametrize("side", ["left", "right"])
def test_places_in_a_sorted_vector(side):
    x, v, order = tensor("float64", (2,)), tensor("float32", (2, 2)), tensor("int32", (2,))
    rising, shuffled = np.array([0.0, 1.0, 1.0, 2.5, np.inf]), np.array([3, 0, 4, 2, 1], "int32")
    items = np.array([[-1, 1], [2, np.nan], [np.inf, 0]], "float32")
    wanted = np.searchsorted(rising, items, side)
    f = function([x, v], SearchSorted(side)(x, v))
    np.testing.assert_array_equal(f(rising, items), wanted)
    f = function([x, v, order], SearchSorted(side)(x, v, order))
    back = np.argsort(shuffled).astype("int32")
    np.testing.assert_array_equal(f(rising[shuffled], items, back), wanted)
    assert f(rising[:0], items[:1], back[:0]).tolist() == [[0, 0]]


@pytest.mark.parametrize("side", ["left", "right"])
def test_places_of_many_items_in_lines_of_any_length(side):
    x, v = T.dvector("x"), T.dvector("v")
    f = function([x, v], SearchSorted(side)(x, v))
    rng = np.random.default_rng(12)
    for n, count in itertools.product([*range(10), 31, 32, 33], (1, 7, 8, 9, 30)):
        sorted_ = np.sort(rng.integers(0, 12, n).astype(float))
        items = np.where(rng.random(count) < 0.1, np.nan, rng.integers(-1, 13, count))
        np.testing.assert_array_equal(f(sorted_, items), np.searchsorted(sorted_, items, side))
        apart = sorted_.repeat(2)[::2]
        np.testing.assert_array_equal(f(apart, items), np.searchsorted(apart, items, side))


def test_inside_a_loop():
    x, array = T.dmatrix("x"), np.random.default_rng(10).standard_normal((4, 6))
    rows, _ = theano.scan(lambda row: T.cumsum(T.sort(row)), [x])
    np.testing.assert_array_equal(rows.eval({x: array}), np.cumsum(np.sort(array, 1), 1))


@pytest.mark.parametrize("kind", ["quicksort", "stable"])
@pytest.mark.parametrize("dtype", ["bool", "int8", "float16", "float32", "complex64"])
def test_equal_items_are_in_numpys_order(dtype, kind):
    x = T.TensorType(dtype, (False,))()
    f = theano.function([x], T.argsort(x, kind=kind))
    for n in (5, 17, 700):
        value = np.random.RandomState(n).randint(0, 4, n).astype(dtype)
        np.testing.assert_array_equal(f(value), np.argsort(value, kind=kind))


def test_signed_zeros_keep_their_order():
    x = T.dvector()
    f = theano.function([x], T.sort(x, kind="stable"))
    value = np.array([0.0, np.nan, -0.0, 0.0, -1.0, -0.0])
    np.testing.assert_array_equal(np.signbit(f(value)[:-1]), [True, False, True, False, True])


@pytest.mark.parametrize("kind", ["float32", "float64", "int64"])
def test_long_lines(kind):
    rng = np.random.default_rng(3)
    x = T.TensorType(kind, (False,))()
    f = theano.function([x], T.sort(x, kind="stable"))
    value = (rng.normal(size=5000) * 10.0 ** rng.integers(-9, 9, size=5000)).astype(kind)
    if kind != "int64":
        value[::7], value[1::9], value[2::500] = 0.0, -0.0, np.nan
        value[3::600], value[4::600] = np.inf, -np.inf
    wanted = np.sort(value, kind="stable")
    np.testing.assert_array_equal(f(value), wanted)
    np.testing.assert_array_equal(np.signbit(f(value)[:4000]), np.signbit(wanted[:4000]))


@pytest.mark.parametrize(("axis", "wanted"), [(None, 6), (0, 2), (1, 3)])
def test_the_length_of_the_inverse_needs_no_sorting(axis, wanted):
    x = T.dmatrix("x")
    inverse = T.extra_ops.Unique(True, True, axis=axis)(x)[2]
    f = theano.function([x], inverse.shape[0])
    assert f(np.ones((2, 3))) == wanted
    assert not any("Unique" in str(node.op) for node in f.maker.graph.toposort())


@pytest.mark.parametrize("kind", ["bool", "int8", "uint64", "float16", "float32", "complex64"])
def test_selections_of_long_lines_with_equal_items_and_nan(kind):
    """Items are looked at some together: lengths at the ends of these, all orders, all strides."""
    x = T.TensorType(kind, (False, False))("x")
    counts = (1, 5, 12, 13, 30)
    f = theano.function([x], [T.argtopk(x, count) for count in (*counts, *(-n for n in counts))])
    random = np.random.default_rng(5)
    for n in (30, 31, 32, 33, 63, 64, 65, 97, 500, 3000):
        items = (random.normal(size=(3, n)) * 5).astype("int64" if kind == "uint64" else kind)
        items = np.abs(items).astype(kind) if kind == "uint64" else items
        if kind[0] in "fc":
            items[:, :: n // 7] = np.nan
        items[1].sort()
        items[2] = np.sort(items[2])[::-1]
        wide = np.zeros((3, 2 * n), kind)
        wide[:, ::2] = items
        memory = np.empty(items.nbytes + 1, "int8")[1:].view(kind).reshape(items.shape)
        memory[...] = items
        order = items.argsort(axis=1, kind="stable")
        for given in (items, wide[:, ::2], np.asfortranarray(items), memory):
            found = f(given)
            for count, last, first in zip(counts, found[:5], found[5:], strict=True):
                np.testing.assert_array_equal(np.sort(first, 1), np.sort(order[:, :count], 1))
                np.testing.assert_array_equal(np.sort(last, 1), np.sort(order[:, -count:], 1))


@pytest.mark.parametrize("mode", [None, "FAST_COMPILE"])
@pytest.mark.parametrize("make", [T.sort, T.argsort, lambda x, axis: T.join(axis, x, x)])
def test_an_axis_that_is_an_input_and_out_of_range(make, mode):
    x, axis = T.dmatrix(), T.lscalar()
    f = theano.function([x, axis], make(x, axis), mode=mode)
    assert f(np.eye(2), -2).ndim == 2
    for number in (2, -3):
        # NumPy's is an IndexError and a ValueError.
        with pytest.raises(AxisError, match=f"axis {number} is out of bounds for 2 dimensions"):
            f(np.eye(2), number)


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_truth_values_are_cumulated_as_truth_values(axis):
    x = T.TensorType("bool", (False, False))("x")
    f = function([x], [T.cumsum(x, axis), T.cumprod(x, axis)])
    for array in (np.random.default_rng(3).random((300, 5)) > 0.5, np.ones((0, 2), bool)):
        for got, ufunc in zip(f(array), (np.logical_or, np.logical_and), strict=True):
            wanted = ufunc.accumulate(array.ravel() if axis is None else array, axis or 0)
            assert got.dtype == bool
            np.testing.assert_array_equal(got, wanted)
