"""Items at positions are read in the loop that makes the positions and computes with the items."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import layouts
from support.errors import refused
from support.loops import WIDTHS, agree, assert_agree, small
from theano._core.lower import program as ir
from theano._core.lower.llvm.kernels import frame
from theano.ifelse import ifelse

RANDOM = np.random.default_rng(8)
x, y, m, i = T.dvector("x"), T.dvector("y"), T.dmatrix("m"), T.lvector("i")


def loops(f):
    """Return how many loops without gaps a function runs."""
    program = f.maker.program_text.program
    runs = [i.kernel for i in ir.walk(program.body) if isinstance(i, (ir.Launch, ir.Reduce))]
    return sum(isinstance(k, str) or program.kernels[k].layout == "packed" for k in runs)


def interpolated(y, x):
    i = x.astype("int64")
    t = x - i.astype(x.dtype)
    return y[i] * (1 - t) + y[i + 1] * t


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_interpolation_is_one_loop(kind, width):
    x, y = T.vector(dtype=kind), T.vector(dtype=kind)
    with theano.config.change_flags(vector_width=width):
        f = theano.function([x, y], interpolated(y, x))
        total = theano.function([x, y], interpolated(y, x).sum())
    assert loops(f) == loops(total) == 1
    knots = RANDOM.random(31).astype(kind)
    for length in (0, 1, 7, 8, 9, 100, 5000, 50_001):
        given = (RANDOM.random(length) * 60 - 30).astype(kind)
        for one, table in zip(layouts(given), layouts(knots), strict=True):
            wanted = interpolated(table, one)
            np.testing.assert_array_equal(f(one, table), wanted)
            np.testing.assert_allclose(total(one, table), wanted.sum(), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("place", ["uint8", "int32", "int64"])
@pytest.mark.parametrize("kind", ["int8", "float32", "float64", "complex64", "complex128"])
def test_items_are_gathered_at_once(kind, place, monkeypatch):
    """By the processor's instruction, or by what LLVM writes where there is none."""
    i, y = T.vector(dtype=place), T.vector(dtype=kind)
    table, at = small(90, kind), RANDOM.integers(0, 45, 1003).astype(place)
    for gathers in (False, True):
        monkeypatch.setattr(frame, "has_fast_gathers", lambda bits, gathers=gathers: gathers)
        f = theano.function([i, y], y[i + i] * y[i // 3])
        gathered = any("masked.gather" in k.text for k in f.maker.kernels)
        assert gathered == (gathers and np.dtype(kind).itemsize in (4, 8))
        for one in (at, np.arange(45).astype(place), at[:3], np.sort(at)[::-2]):
            np.testing.assert_array_equal(f(one, table), table[one * 2] * table[one // 3])
        with pytest.raises(IndexError):
            f(np.array([1, 2, 45] * 9, place), table)


def test_pixels_between_others():
    def build(m, image, u, v):
        u, v = 2 + u / 2, 2 + v / 2
        i, j = u.astype("int64"), v.astype("int32")
        a, b = u - i.astype("float32"), v - j.astype("float32")
        top = (1 - b) * image[i, j] + b * image[i, j + 1]
        return [(1 - a) * top + a * image[i + 1, j], image[i, j] * a]

    shapes = [[(9, 7), shape, shape] for shape in ((3, 4), (1, 1), (0, 5), (60, 70))]
    f = agree(build, "float32", shapes)
    assert loops(f) == 1
    with pytest.raises(IndexError, match="shape mismatch"):
        f(np.ones((9, 7), "f"), np.ones((5, 7), "f"), np.ones((6, 7), "f"))


@pytest.mark.parametrize("place", ["int8", "uint8", "int16", "uint32", "int64"])
@pytest.mark.parametrize(
    "kind", ["bool", "int8", "uint64", "float16", "float64", "complex64", "complex128"]
)
def test_items_and_positions_of_every_type(kind, place):
    table, i = T.vector(dtype=kind), T.TensorType(place, (False,))()
    f = theano.function([table, i], [T.eq(table[i], table[i // 2]), table[i // 2]])
    assert loops(f) == 1
    items, least = small(100, kind), 0 if place.startswith("u") else -100
    at = RANDOM.integers(least, 100, 5000).astype(place)
    assert_agree(f(items, at), [items[at] == items[at // 2], items[at // 2]])


def test_positions_outside_are_named_with_the_line_that_reads():
    f = theano.function([x, y], interpolated(y, x))
    knots, given = RANDOM.random(10), np.full(10_000, 3.5)
    for place in (0, 4567, 9999):
        for number, told in ((9.5, 10), (1e9, 10**9), (-12.5, -12), (-1e18, -(10**18))):
            bad = given.copy()
            bad[place] = number
            with refused(IndexError, f"index {told} is out of bounds for axis 0 with"):
                f(bad, knots)
    with refused(IndexError, "index 3 is out of bounds for axis 0 with size 0"):
        f(given, knots[:0])
    with refused(IndexError, "AdvancedSubtensor1", "return y[i] * (1 - t)"):
        f([30.0], [1.0, 2.0])
    assert f(given[:0], knots[:0]).shape == (0,)


def test_tables_that_are_computed_read_or_overwritten():
    made = T.exp(y)
    outs = [made[i] * made[i // 2], x[i] + x[-i - 1] + x, x[i] * 2 - x[i // 2]]
    f = theano.function([x, y, i], [*outs, made])
    given, other, at = RANDOM.random(100), RANDOM.random(70), RANDOM.integers(0, 50, 100)
    e = np.asarray(made.eval({y: other}))
    results = [e[at] * e[at // 2], given[at] + given[-at - 1] + given]
    assert_agree(f(given, other, at), [*results, given[at] * 2 - given[at // 2], e])
    # Where the table dies, its memory is not that of the result.
    g = theano.function([y, i], made[i] * made[i // 2] + made)
    e = np.asarray(made.eval({y: given}))
    np.testing.assert_array_equal(g(given, at), e[at] * e[at // 2] + e)


def test_shared_variables_stay_where_a_position_is_outside():
    w, old = theano.shared(np.arange(5.0)), np.arange(5.0)
    f = theano.function([i], w[i] + w[i // 2], updates=[(w, w * 2 - w[i] * w[i // 2])])
    with pytest.raises(IndexError, match="index 7"):
        f([0, 1, 7, 2, 3])
    np.testing.assert_array_equal(w.get_value(), old)
    at = np.array([4, -1, 2, 0, 3])
    np.testing.assert_array_equal(f(at), old[at] + old[at // 2])
    np.testing.assert_array_equal(w.get_value(), old * 2 - old[at] * old[at // 2])


def test_loops_branches_and_reductions_of_rows():
    steps, _ = theano.scan(lambda row: interpolated(y, row), sequences=m)
    sums = interpolated(y, m).sum(axis=1)
    f = theano.function([x, y, m], [steps, sums, ifelse(x[0] > 0, interpolated(y, x), x)])
    knots, given, block = RANDOM.random(10), RANDOM.random(6) * 8, RANDOM.random((20, 6)) * 8
    right = interpolated(knots, block)
    wanted = [right, right.sum(axis=1), interpolated(knots, given)]
    for got, one in zip(f(given, knots, block), wanted, strict=True):
        np.testing.assert_allclose(got, one, rtol=1e-13)


def test_such_loops_are_not_told_to_be_loops_of_their_own():
    told = theano.explain(theano.function([x, y], interpolated(y, x)), file="str")
    assert "loops of their own" not in told


@pytest.mark.parametrize("kind", ["bool", "uint8", "float16", "float32", "float64", "complex128"])
def test_windows_are_read_as_neighbours(kind):
    """Positions that follow each other, from any place on, beside others that do not."""
    x, start, step = T.TensorType(kind, (False,))("x"), T.lscalar("start"), T.lscalar("step")
    rows, columns = T.arange(5)[:, None], T.arange(70)
    number = np.asarray(1, kind)
    outs = [T.eq(x[start + rows * 7 + columns * step], number)]
    outs.append(T.eq(x[(start + rows + columns) % 90], number))
    f = theano.function([x, start, step], outs)
    i, j = np.arange(5)[:, None], np.arange(70)
    for given in layouts(RANDOM.integers(0, 2, 200).astype(kind)):
        for first in (0, 3, 89, -99, -40):
            for by in (1, -1, 2, 0):
                at = first + i * 7 + j * by
                if at.max() >= 200 or at.min() < -200:
                    with pytest.raises(IndexError, match="out of bounds"):
                        f(given, first, by)
                    continue
                wanted = [given[at] == 1, given[(first + i + j) % 90] == 1]
                assert_agree(f(given, first, by), wanted)
