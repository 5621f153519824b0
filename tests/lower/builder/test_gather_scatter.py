"""Items and rows at arrays of positions are read and written as NumPy does."""

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import broadcast, layouts, values
from support.compiling import kernels
from support.errors import refused
from support.loops import WIDTHS, assert_agree, small
from theano._core.lower import program as ir

POSITIONS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"]
# Axes taken whole behind that of the positions.
SHAPES = [(), (1,), (2,), (3,), (5,), (9,), (16,), (17,), (33,), (70,), (3, 4), (2, 1, 5), (0,)]
KINDS = ["bool", "int8", "uint16", "int32", "uint64", "float16", "float32", "float64"]
KINDS += ["complex64", "complex128"]


def positions(length, shape, dtype="int64"):
    rng = np.random.default_rng(3)
    return rng.integers(0 if dtype[0] == "u" else -length, length, shape).astype(dtype)


def taken(f):
    """Return what runs the loops of a function, but for those that copy positions."""
    return [kernel for kernel in kernels(f) if kernel != "copy"]


@pytest.mark.parametrize("dtype", ["uint8", "bool", "float16", "float32", "float64", "complex128"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_rows_of_every_length_are_taken(dtype, shape):
    x, i, m = T.TensorType(dtype, (False,) * (1 + len(shape)))("x"), T.lvector("i"), T.lmatrix("m")
    f = theano.function([x, i, m], [x[i], x[m]])
    assert taken(f) == ["take", "take"]
    many = positions(7, 300)
    pairs = many[:6].reshape(2, 3).T
    rows = small((7, *shape), dtype)
    for array in (*layouts(rows), broadcast(rows)):
        for at in (many, many[::-3], many[:0]):
            for found, wanted in zip(f(array, at, pairs), (array[at], array[pairs]), strict=True):
                assert found.dtype == wanted.dtype and found.shape == wanted.shape
                assert found.tobytes() == wanted.tobytes()


@pytest.mark.parametrize("dtype", POSITIONS)
def test_items_at_positions_of_every_type_are_taken(dtype):
    x, i = T.dvector("x"), T.TensorType(dtype, (False,))("i")
    f = theano.function([x, i], x[i])
    table = np.linspace(0, 1, 100)
    table[::9] = np.nan
    for count in (0, 1, 7, 8, 9, 67, 4200):
        at = positions(100, 2 * count, dtype)
        for array in layouts(table):
            for places in (at[:count], at[::2], at[count:][::-1]):
                np.testing.assert_array_equal(f(array, places), array[places])


@pytest.mark.parametrize("item", ["bool", "int8", "float16", "float32", "complex64", "complex128"])
@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_items_of_every_size_are_taken(item, dtype):
    x, i = T.TensorType(item, (False,))("x"), T.TensorType(dtype, (False,))("i")
    table, at = small(120, item), positions(120, 133, dtype)
    np.testing.assert_array_equal(theano.function([x, i], x[i])(table, at), table[at])


@pytest.mark.parametrize("dtype", ["int8", "int64"])
def test_positions_that_count_from_the_end_now_and_then(dtype):
    x, y, i = T.fvector("x"), T.fmatrix("y"), T.TensorType(dtype, (False,))("i")
    f = theano.function([x, y, i], [x[i], y[i], y[i, i]])
    assert taken(f) == ["take"] * 3
    one, two = values(9, "float32"), values((9, 9), "float32")
    for first in (0, 1, 255, 256, 257, 700, 999):
        at = abs(positions(9, 1000, dtype)) % 9
        for some in (slice(first, None), slice(first, first + 1), slice(first, None, 301)):
            at[some] = -1 - at[some]
            assert_agree(f(one, two, at), [one[at], two[at], two[at, at]])
            at[some] = -1 - at[some]
        at[first] = 9 if first % 2 else -10
        with pytest.raises(IndexError):
            f(one, two, at)


@pytest.mark.parametrize("dtypes", ["ll", "ii", "lB", "bHi"])
def test_positions_along_several_axes(dtypes):
    x = T.dtensor4("x")
    kinds = [np.dtype(d).name for d in dtypes]
    inputs = [T.TensorType(kind, (False,))() for kind in kinds]
    f = theano.function([x, *inputs], x[tuple(inputs)])
    assert taken(f) == ["take"]
    for array in layouts(values((5, 4, 6, 3))):
        at = [positions(3, 1000, kind) for kind in kinds]
        np.testing.assert_array_equal(f(array, *at), array[tuple(at)])
        # One that fits all, found when it runs.
        at[0] = at[0][:1]
        np.testing.assert_array_equal(f(array, *at), array[tuple(at)])


@pytest.mark.parametrize("dtypes", [("uint8", "uint16"), ("uint8", "int8"), ("int64", "uint8")])
def test_tables_of_positions_of_two_types(dtypes):
    m, i, j = T.dmatrix("m"), *(T.TensorType(dtype, (False, False))() for dtype in dtypes)
    f = theano.function([m, i, j], [m[i, j], m[j[0], :], m[:, i[:, 0]]])
    table = values((40, 60))
    a, b = (positions(40, (19, 1 + 12 * n), dtype) for n, dtype in enumerate(dtypes))
    for one, two in ((a, b), (a[::-1], np.asfortranarray(b))):
        assert_agree(f(table, one, two), [table[one, two], table[two[0]], table[:, one[:, 0]]])


@pytest.mark.parametrize("dtype", POSITIONS)
def test_the_position_outside_is_found_wherever_it_stands(dtype):
    x, i = T.fmatrix("x"), T.TensorType(dtype, (False,))("i")
    f, two = theano.function([x, i], x[i]), theano.function([x, i], x[i - i, i])
    array, ends = np.zeros((90, 90), "float32"), np.iinfo(dtype)
    for place, most in ((0, 90), (255, 90), (256, ends.max), (99_999, 90)):
        at = np.ones(100_000, dtype)
        at[place] = most
        for function, axis in ((f, 0), (two, 1)):
            with refused(IndexError, f"index {most} is out of bounds for axis {axis} with"):
                function(array, at)
        if ends.min:
            for least in (-91, ends.min):
                at[place // 2] = least
                with refused(IndexError, f"index {least} is out of bounds for axis 0"):
                    f(array, at)


def test_nothing_is_read_of_what_is_not_there():
    x, i, v = T.dmatrix("x"), T.lvector("i"), T.dvector("v")
    f, g = theano.function([x, i], x[i]), theano.function([v, i], v[i])
    assert f(np.zeros((0, 3)), np.zeros(0, int)).shape == (0, 3)
    assert g(np.zeros(0), np.zeros(0, int)).shape == (0,)
    for array in (np.zeros((0, 3)), np.zeros((2, 0))):
        with refused(IndexError, "index 2 is out of bounds for axis 0"):
            f(array, [2, 2])
    with refused(IndexError, "index 0 is out of bounds for axis 0"):
        g(np.zeros(0), [0, 0])
    assert f(np.zeros((2, 0)), [0, 1, -2]).shape == (3, 0)


def test_what_is_stored_stays_when_a_position_is_outside():
    old = np.arange(6.0).reshape(3, 2)
    w, i = theano.shared(old), T.lvector("i")
    # The new value is computed of rows that are read before.
    step = theano.function([i], updates=[(w, w + w[i].sum())])
    with pytest.raises(IndexError):
        step([0, 3])
    assert np.array_equal(w.get_value(), old)
    step([0, -1])
    assert np.array_equal(w.get_value(), old + 10)


def test_positions_of_a_loop():
    x, rows = T.dmatrix("x"), T.lmatrix("rows")
    sums, _ = theano.scan(lambda r, h: x[r].sum(axis=0) + h, sequences=rows, outputs_info=x[0])
    f = theano.function([x, rows], sums)
    array, at = values((4, 3)), positions(4, (10, 5))
    np.testing.assert_allclose(f(array, at), array[0] + np.cumsum(array[at].sum(axis=1), axis=0))
    at[7, 2] = 4
    with refused(IndexError, "index 4 is out of bounds for axis 0 with size 4"):
        f(array, at)


def record(a):
    """Return the array as a field of records of 19 bytes."""
    whole = np.zeros(a.shape, np.dtype({"names": ["x"], "formats": [a.dtype], "itemsize": 19}))
    whole["x"] = a
    return whole["x"]


def written(array, where, new):
    """Return arrays with `new` added to it, and set, at positions."""
    added, changed = array.copy(), array.copy()
    np.add.at(added, where, np.broadcast_to(new, array[where].shape))
    changed[where] = new
    return [added, changed]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "dtype", ["float64", "float32", "int64", "uint8", "bool", "complex64", "complex128", "float16"]
)
def test_rows_at_positions_are_written(dtype, width):
    x, y, i = T.matrix(dtype=dtype), T.matrix(dtype=dtype), T.lvector()
    results = [T.inc_subtensor(x[i], y), T.set_subtensor(x[i], y), x[i]]
    with theano.config.change_flags(vector_width=width):
        f = theano.function([x, i, y], results)
        turned = theano.function([x, i, y], T.inc_subtensor(x[:, i], y))
    at = positions(6, 40)
    for length in (0, 1, 3, 7, 8, 9, 16, 19, 35):
        rows, array = small((40, length), dtype), small((6, length), dtype, 1)
        if dtype.startswith("float") and length:
            rows[3, -1] = np.nan
        for a in (*layouts(array), record(array)):
            for b in (rows, rows[::-1, ::-1], np.asfortranarray(rows), record(rows)):
                wanted = written(a, at, b)
                assert_agree(f(a, at, b), [*wanted, a[at]])
                np.testing.assert_array_equal(turned(a.T, at, b.T), wanted[0].T)


def test_one_row_for_all_positions_and_more_axes():
    x, i, j, y = T.dtensor4(), T.lmatrix(), T.lvector(), T.dvector()
    f = theano.function([x, i, j, y], [T.inc_subtensor(x[i], y), T.inc_subtensor(x[i, :, j], y)])
    a, rows, columns, b = (
        values((4, 3, 5, 9)),
        abs(positions(4, (2, 6))) % 4,
        np.arange(6) % 5,
        values(9),
    )
    wanted = [written(a, where, b)[0] for where in (rows, (rows, slice(None), columns))]
    assert_agree(f(a, rows, columns, b), wanted)


@pytest.mark.parametrize("dtype", ["float64", "float32", "bool", "complex64", "float16"])
def test_positions_that_lie_apart_are_read_where_they_are(dtype):
    x, y, i = T.vector(dtype=dtype), T.vector(dtype=dtype), T.lmatrix()
    f = theano.function([x, y, i], [T.inc_subtensor(x[i[:, 1]], y), T.set_subtensor(x[i[:, 1]], y)])
    places, items, more = positions(6, (40, 3)), small(6, dtype), small(120, dtype)
    for given in (places, places[::-1, ::-1]):
        for new in (more[:40], more[::3], more[39::-1]):
            assert_agree(f(items, new, given), written(items, given[:, 1], new))
    launched = [i for i in ir.walk(f.maker.program_text.program.body) if isinstance(i, ir.Launch)]
    # In order, and without a copy of the positions.
    assert [i.unit for i in launched if i.kernel == "put"] == [0, 0]


EVERY = slice(None)
PLACES = {
    "rows": lambda i, j: (i,),
    "columns": lambda i, j: (EVERY, i),
    "middle": lambda i, j: (EVERY, i % 3),
    "last": lambda i, j: (EVERY, EVERY, i % 3),
    "pairs": lambda i, j: (i, j % 3),
    "pairs behind": lambda i, j: (EVERY, i % 3, j % 3),
    "pairs apart": lambda i, j: (i, EVERY, j % 3),
    "all": lambda i, j: (i, j % 3, i % 3),
    "table": lambda i, j: (i[:, None], j[None, :] % 3),
    "twice": lambda i, j: (EVERY, (i[:, None] + j[None, :]) % 3),
}
VALUES = {
    "full": lambda shape, make: make(shape),
    "turned": lambda shape, make: make(shape[::-1]).T,
    "one": lambda shape, make: make(()),
    "last": lambda shape, make: make(shape[-1:]),
    "one for each": lambda shape, make: make((*shape[:-1], 1)),
    "first of each": lambda shape, make: make(shape)[..., :1],
    "every second": lambda shape, make: make((*shape[:-1], 2 * shape[-1]))[..., ::2],
}


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("place", PLACES)
def test_positions_of_any_axes_are_written(dtype, place):
    def make(shape):
        return small(shape, dtype)

    at, (i, j), x = PLACES[place], T.lvectors("i", "j"), T.tensor3(dtype=dtype)
    sizes = (0, 1, 2, 9 if place in ("table", "twice") else 300)
    for kind, change in VALUES.items():
        f = None
        for shape, count in itertools.product(((3, 3, 3), (4, 3, 13), (40, 3, 3)), sizes):
            one, two = positions(3, (2, count))
            array, where = make(shape), at(one, two)
            new = change(array[where].shape, make)
            if f is None:
                one_each = kind in ("one for each", "first of each")
                y = T.TensorType(dtype, [n == 1 and one_each for n in new.shape])()
                results = [T.inc_subtensor(x[at(i, j)], y), T.set_subtensor(x[at(i, j)], y)]
                f = theano.function([x, i, j, y], results, on_unused_input="ignore")
            assert_agree(f(array, one, two, new), written(array, where, new))


@pytest.mark.parametrize("dtype", POSITIONS)
def test_positions_of_every_type_are_written(dtype):
    x, y, i = T.dmatrix(), T.dmatrix(), T.TensorType(dtype, (False,))()
    f = theano.function([x, i, y], T.inc_subtensor(x[i], y))
    places, a, b = positions(100, 600, dtype), small((100, 3)), small((600, 3))
    for step in (1, 2, -3):
        wanted = written(a, places[::step], b[::step])[0]
        np.testing.assert_array_equal(f(a, places[::step], b[::step]), wanted)
    with pytest.raises(IndexError):
        f(a[:-1], np.array([99], dtype), b[:1])
    np.testing.assert_array_equal(f(a[:0], places[:0], b[:0]), a[:0])
