"""Items at positions are read in the loop that makes the positions and computes with the items."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower import program as ir
from theano._core.lower.llvm.kernels import frame
from theano.ifelse import ifelse

RANDOM = np.random.default_rng(8)


def loops(f: Any) -> int:
    """Return how many loops without gaps a function runs."""
    program = f.maker.program_text.program
    runs = [i for i in ir.walk(program.body) if isinstance(i, (ir.Launch, ir.Reduce))]
    return sum(
        isinstance(i.kernel, str) or program.kernels[i.kernel].layout == "packed" for i in runs
    )


def interpolated(y: Any, x: Any) -> Any:
    i = T.cast(x, "int64")
    t = x - T.cast(i, x.dtype)
    return y[i] * (1 - t) + y[i + 1] * t


def wanted(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    i = x.astype("int64")
    t = x - i.astype(x.dtype)
    return y[i] * (1 - t) + y[i + 1] * t


@pytest.mark.parametrize("width", [128, 256, 512])
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_interpolation_is_one_loop(kind: str, width: int) -> None:
    x, y = T.vector(dtype=kind), T.vector(dtype=kind)
    with theano.config.change_flags(vector_width=width):
        f = theano.function([x, y], interpolated(y, x))
        total = theano.function([x, y], interpolated(y, x).sum())
    assert loops(f) == loops(total) == 1
    for length in (0, 1, 7, 8, 9, 100, 5000, 50_001):
        knots = RANDOM.random(31).astype(kind)
        for given in (
            (RANDOM.random(length) * 60 - 30).astype(kind),
            np.zeros(2 * length, kind)[::2],
        ):
            for table in (knots, np.repeat(knots, 2)[::2], knots[::-1]):
                np.testing.assert_array_equal(f(given, table), wanted(table, given))
                found = total(given, table)
                np.testing.assert_allclose(found, wanted(table, given).sum(), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("place", ["uint8", "int32", "int64"])
@pytest.mark.parametrize("kind", ["int8", "float32", "float64", "complex64", "complex128"])
def test_items_are_gathered_at_once(kind: str, place: str, monkeypatch: Any) -> None:
    """By the processor's instruction, or by what LLVM writes where there is none."""
    i, y = T.vector(dtype=place), T.vector(dtype=kind)
    table = (RANDOM.random(90) * 99).astype(kind)
    if kind.startswith("complex"):
        table = table * np.asarray(3 - 4j, kind)
    at = RANDOM.integers(0, 45, 1003).astype(place)
    some = (at, np.arange(45).astype(place), at[:3], np.sort(at)[::-2])
    found = []
    for gathers in (False, True):
        monkeypatch.setattr(frame, "has_fast_gathers", lambda bits, gathers=gathers: gathers)
        f = theano.function([i, y], y[i + i] * y[i // 3])
        texts = [k.text for k in f.maker.kernels]
        wide = np.dtype(kind).itemsize
        assert any("masked.gather" in text for text in texts) == (gathers and wide in (4, 8))
        found.append([f(some_at, table) for some_at in some])
        with pytest.raises(IndexError):
            f(np.array([1, 2, 45] * 9, place), table)
    for some_at, one, two in zip(some, *found, strict=True):
        np.testing.assert_array_equal(two, one)
        np.testing.assert_allclose(one, table[some_at * 2] * table[some_at // 3], rtol=1e-6)


def test_pixels_between_others() -> None:
    image, u, v = T.fmatrix(), T.fmatrix(), T.fmatrix()
    i, j = T.cast(u, "int64"), T.cast(v, "int32")
    a, b = u - T.cast(i, "float32"), v - T.cast(j, "float32")
    top = (1 - b) * image[i, j] + b * image[i, j + 1]
    f = theano.function([image, u, v], [(1 - a) * top + a * image[i + 1, j], image[i, j] * a])
    assert loops(f) == 1
    pixels = RANDOM.random((9, 7)).astype("f")
    for shape in ((3, 4), (1, 1), (0, 5), (60, 70)):
        p, q = (RANDOM.random(shape).astype("f") * n for n in (8, 6))
        for turn in (lambda z: z, lambda z: z.T.copy().T, lambda z: z[::-1]):
            x, y, z = turn(p), turn(q), turn(pixels)
            m, n = x.astype(int), y.astype(int)
            c, d = x - m.astype("f"), y - n.astype("f")
            above = (1 - d) * z[m, n] + d * z[m, n + 1]
            first, second = f(z, x, y)
            np.testing.assert_array_equal(first, (1 - c) * above + c * z[m + 1, n])
            np.testing.assert_array_equal(second, z[m, n] * c)
    with pytest.raises(IndexError, match="shape mismatch"):
        f(pixels, p[:5], q)


@pytest.mark.parametrize("place", ["int8", "uint8", "int16", "uint32", "int64"])
@pytest.mark.parametrize(
    "kind", ["bool", "int8", "uint64", "float16", "float64", "complex64", "complex128"]
)
def test_items_and_positions_of_every_type(kind: str, place: str) -> None:
    table, i = T.vector(dtype=kind), T.TensorType(place, (False,))()
    half = i // 2
    f = theano.function([table, i], [T.eq(table[i], table[half]), table[half]])
    assert loops(f) == 1
    items = (RANDOM.random(100) * 3).astype(kind)
    at = RANDOM.integers(0 if place.startswith("u") else -100, 100, 5000).astype(place)
    same, found = f(items, at)
    np.testing.assert_array_equal(found, items[at // 2])
    np.testing.assert_array_equal(same, items[at] == items[at // 2])


def test_positions_outside() -> None:
    x, y = T.dvector("x"), T.dvector("y")
    f = theano.function([x, y], interpolated(y, x))
    knots, given = RANDOM.random(10), np.full(10_000, 3.5)
    for place in (0, 4567, 9999):
        for number, told in ((9.5, 10), (1e9, 10**9), (-12.5, -12), (-1e18, -(10**18))):
            bad = given.copy()
            bad[place] = number
            with pytest.raises(IndexError, match=f"index {told} is out of bounds for axis 0 with"):
                f(bad, knots)
    with pytest.raises(IndexError, match="index 3 is out of bounds for axis 0 with size 0"):
        f(given, knots[:0])
    assert f(given[:0], knots[:0]).shape == (0,)


def test_messages_name_the_place() -> None:
    x, y = T.dvector("x"), T.dvector("y")
    with pytest.raises(IndexError, match="AdvancedSubtensor1") as raised:
        theano.function([x, y], interpolated(y, x))([30.0], [1.0, 2.0])
    assert "return y[i] * (1 - t)" in str(raised.value)


def test_tables_that_are_computed_read_or_overwritten() -> None:
    x, y, i = T.dvector("x"), T.dvector("y"), T.lvector("i")
    made = T.exp(y)
    outs = [made[i] * made[i // 2], x[i] + x[-i - 1] + x, x[i] * 2 - x[i // 2]]
    f = theano.function([x, y, i], [*outs, made])
    given, other, at = RANDOM.random(100), RANDOM.random(70), RANDOM.integers(0, 50, 100)
    e = theano.function([y], made)(other)
    results = [e[at] * e[at // 2], given[at] + given[-at - 1] + given]
    results += [given[at] * 2 - given[at // 2], e]
    for got, right in zip(f(given, other, at), results, strict=True):
        np.testing.assert_array_equal(got, right)
    # Where the table dies, its memory is not that of the result.
    g = theano.function([y, i], made[i] * made[i // 2] + made)
    other = RANDOM.random(100)
    e = np.asarray(theano.function([y], made)(other))
    np.testing.assert_array_equal(g(other, at), e[at] * e[at // 2] + e)


def test_shared_variables_stay_where_a_position_is_outside() -> None:
    w, i = theano.shared(np.arange(5.0)), T.lvector("i")
    old = w.get_value()
    f = theano.function([i], w[i] + w[i // 2], updates=[(w, w * 2 - w[i] * w[i // 2])])
    with pytest.raises(IndexError, match="index 7"):
        f([0, 1, 7, 2, 3])
    np.testing.assert_array_equal(w.get_value(), old)
    at = np.array([4, -1, 2, 0, 3])
    np.testing.assert_array_equal(f(at), old[at] + old[at // 2])
    np.testing.assert_array_equal(w.get_value(), old * 2 - old[at] * old[at // 2])


def test_loops_branches_and_reductions_of_rows() -> None:
    x, y, m = T.dvector("x"), T.dvector("y"), T.dmatrix("m")
    steps, _ = theano.scan(lambda row: interpolated(y, row), sequences=m)
    rows = interpolated(y, m)
    outs = [steps, rows.sum(axis=1), ifelse(x[0] > 0, interpolated(y, x), x)]
    f = theano.function([x, y, m], outs)
    knots, given, block = RANDOM.random(10), RANDOM.random(6) * 8, RANDOM.random((20, 6)) * 8
    right = wanted(knots, block)
    for got, one in zip(
        f(given, knots, block), [right, right.sum(axis=1), wanted(knots, given)], strict=True
    ):
        np.testing.assert_allclose(got, one, rtol=1e-13)


def test_gradients_and_threads() -> None:
    x, y = T.dvector("x"), T.dvector("y")
    out = interpolated(y, x)
    f = theano.function([x, y], [out, *T.grad((out**2).sum(), [x, y])])
    given, knots = RANDOM.random(300_000) * 90, RANDOM.random(100)
    results = []
    for count in (1, 2, 3):
        with theano.config.change_flags(threads=count):
            results.append(f(given, knots))
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(one, two)
    value = wanted(knots, given)
    i = given.astype(int)
    t, by = given - i, np.zeros(100)
    np.add.at(by, i, 2 * value * (1 - t))
    np.add.at(by, i + 1, 2 * value * t)
    np.testing.assert_array_equal(results[0][0], value)
    np.testing.assert_allclose(
        results[0][1], 2 * value * (knots[i + 1] - knots[i]), rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(results[0][2], by, rtol=1e-9)


def test_what_is_said_of_such_loops() -> None:
    x, y = T.dvector("x"), T.dvector("y")
    told = theano.explain(theano.function([x, y], interpolated(y, x)), file="str")
    assert "loops of their own" not in told


@pytest.mark.parametrize("kind", ["bool", "uint8", "float16", "float32", "float64", "complex128"])
def test_windows_are_read_as_neighbours(kind: str) -> None:
    """Positions that follow each other, from any place on, beside others that do not."""
    x, start, step = T.TensorType(kind, (False,))("x"), T.lscalar("start"), T.lscalar("step")
    rows, columns = T.arange(5)[:, None], T.arange(70)
    number = np.asarray(1, kind)
    outs = [T.eq(x[start + rows * 7 + columns * step], number)]
    outs.append(T.eq(x[(start + rows + columns) % 90], number))
    f = theano.function([x, start, step], outs)
    a = np.random.default_rng(6).integers(0, 2, 200).astype(kind)
    i, j = np.arange(5)[:, None], np.arange(70)
    for given in (a, a[::-1], np.repeat(a, 2)[::2]):
        for first in (0, 3, 89, -99, -40):
            for by in (1, -1, 2, 0):
                at = first + i * 7 + j * by
                if at.max() >= 200 or at.min() < -200:
                    with pytest.raises(IndexError, match="out of bounds"):
                        f(given, first, by)
                    continue
                one, two = f(given, first, by)
                np.testing.assert_array_equal(one, given[at] == 1)
                np.testing.assert_array_equal(two, given[(first + i + j) % 90] == 1)
