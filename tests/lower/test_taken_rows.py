"""Rows at arrays of positions are copied while the positions are looked at."""

from __future__ import annotations

import launches
import numpy as np
import pytest

import theano
import theano.tensor as T

TAKEN = np.random.RandomState(5)
# Axes taken whole behind that of the positions.
SHAPES = [(), (1,), (2,), (3,), (5,), (9,), (16,), (17,), (33,), (70,), (3, 4), (2, 1, 5), (0,)]
LAYOUTS = {
    "packed": lambda x: x,
    "column by column": lambda x: np.asfortranarray(x),
    "backwards": lambda x: x[::-1, ...][..., ::-1] if x.ndim > 1 else x[::-1],
    "every second": lambda x: (
        np.repeat(np.repeat(x, 2, 0), 2, -1)[::2, ..., ::2] if x.ndim > 1 else np.repeat(x, 2)[::2]
    ),
    "one for all": lambda x: np.broadcast_to(x[:1], x.shape),
}


def kernels(f: theano.compile.Function) -> list[object]:
    """Return what runs the loops of a function, but for those that copy positions."""
    return [kernel for kernel in launches.kernels(f) if kernel != "copy"]


@pytest.mark.parametrize("dtype", ["uint8", "bool", "float16", "float32", "float64", "complex128"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_rows_of_every_length(dtype: str, shape: tuple[int, ...]) -> None:
    x = T.TensorType(dtype, (False,) * (1 + len(shape)))("x")
    i, m = T.lvector("i"), T.lmatrix("m")
    f = theano.function([x, i, m], [x[i], x[m]])
    assert kernels(f) == ["take", "take"]
    positions = TAKEN.randint(-7, 7, 300)
    values = (TAKEN.rand(7, *shape) * 100).astype(dtype)
    for layout in LAYOUTS.values():
        array = layout(values)
        for at in (positions, positions[::-3], positions[:0]):
            for found, wanted in zip(
                f(array, at, positions[:6].reshape(2, 3).T),
                (array[at], array[positions[:6].reshape(2, 3).T]),
                strict=True,
            ):
                assert found.dtype == wanted.dtype
                assert found.shape == wanted.shape
                assert found.tobytes() == wanted.tobytes()


@pytest.mark.parametrize("dtype", ["int8", "int64"])
def test_positions_that_count_from_the_end_now_and_then(dtype: str) -> None:
    x, y = T.fvector("x"), T.fmatrix("y")
    i = T.TensorType(dtype, (False,))("i")
    f = theano.function([x, y, i], [x[i], y[i], y[i, i]])
    assert kernels(f) == ["take"] * 3
    one, two = (TAKEN.rand(*shape).astype("float32") for shape in [(9,), (9, 9)])
    for first in (0, 1, 255, 256, 257, 700, 999):
        at = TAKEN.randint(0, 9, 1000).astype(dtype)
        for some in (slice(first, None), slice(first, first + 1), slice(first, None, 301)):
            at[some] = -1 - at[some]
            for found, wanted in zip(f(one, two, at), (one[at], two[at], two[at, at]), strict=True):
                assert np.array_equal(found, wanted)
            at[some] = -1 - at[some]
        at[first] = 9 if first % 2 else -10
        with pytest.raises(IndexError):
            f(one, two, at)


@pytest.mark.parametrize("dtypes", ["ll", "ii", "lB", "bHi"])
def test_positions_along_several_axes(dtypes: str) -> None:
    x = T.dtensor4("x")
    variables = [T.TensorType(np.dtype(d).name, (False,))() for d in dtypes]
    f = theano.function([x, *variables], x[tuple(variables)])
    assert kernels(f) == ["take"]
    array = TAKEN.rand(5, 4, 6, 3)
    for turned in (array, array.T.copy().T):
        at = [TAKEN.randint(0, 4, 1000).astype(d) for d in dtypes]
        if "l" in dtypes:
            at[0] -= 4
        assert np.array_equal(f(turned, *at), turned[tuple(at)])
        # One that fits all, found when it runs.
        at[0] = at[0][:1]
        assert np.array_equal(f(turned, *at), turned[tuple(at)])


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"])
def test_the_position_outside_is_found_wherever_it_stands(dtype: str) -> None:
    x, i = T.fmatrix("x"), T.TensorType(dtype, (False,))("i")
    f, two = theano.function([x, i], x[i]), theano.function([x, i], x[i - i, i])
    array = np.zeros((90, 90), "float32")
    for place in (0, 255, 256, 99_999):
        at = np.ones(100_000, dtype)
        at[place] = 90
        for function, axis in ((f, 0), (two, 1)):
            with pytest.raises(IndexError, match=f"index 90 is out of bounds for axis {axis} with"):
                function(array, at)
        if not dtype.startswith("u"):
            at[place // 2] = -91
            with pytest.raises(IndexError, match="index -91 is out of bounds for axis 0"):
                f(array, at)


def test_nothing_is_read_of_what_is_not_there() -> None:
    x, i = T.dmatrix("x"), T.lvector("i")
    f = theano.function([x, i], x[i])
    assert f(np.zeros((0, 3)), np.zeros(0, int)).shape == (0, 3)
    for array in (np.zeros((0, 3)), np.zeros((2, 0))):
        with pytest.raises(IndexError, match="index 2 is out of bounds for axis 0"):
            f(array, [0, 2])
    assert f(np.zeros((2, 0)), [0, 1, -2]).shape == (3, 0)


def test_what_is_stored_stays_when_a_position_is_outside() -> None:
    w, i = theano.shared(np.arange(6.0).reshape(3, 2)), T.lvector("i")
    # The new value is computed of rows that are read before.
    step = theano.function([i], updates=[(w, w + w[i].sum())])
    with pytest.raises(IndexError):
        step([0, 3])
    assert np.array_equal(w.get_value(), np.arange(6.0).reshape(3, 2))
    step([0, -1])
    assert np.array_equal(w.get_value(), np.arange(6.0).reshape(3, 2) + 10)


def test_positions_of_a_loop() -> None:
    x, rows = T.dmatrix("x"), T.lmatrix("rows")
    taken, _ = theano.scan(lambda r, h: x[r].sum(axis=0) + h, sequences=rows, outputs_info=x[0])
    f = theano.function([x, rows], taken)
    array, at = TAKEN.rand(4, 3), TAKEN.randint(-4, 4, (10, 5))
    np.testing.assert_allclose(f(array, at), array[0] + np.cumsum(array[at].sum(axis=1), axis=0))
    at[7, 2] = 4
    with pytest.raises(IndexError, match="index 4 is out of bounds for axis 0 with size 4"):
        f(array, at)
