"""Where the extreme items along an axis are, whatever lies before and behind the axis."""

from __future__ import annotations

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.ir.graph import toposort
from theano._core.ops.array.reductions import ArgExtreme, Reduction
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.native_form import native_form

DTYPES = [f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)]
DTYPES += ["bool", "float16", "float32", "float64"]
# The second axis is searched: rows of few items, few and many columns, and what is cut into parts.
SHAPES = [(100, n, 1) for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 33)]
SHAPES += [(7, 10, 10), (2, 300, 3), (1, 3000, 1), (3, 140, 65), (1, 70_000, 1), (1, 9000, 5)]
SHAPES += [(2, 700, 300), (1, 2, 1000), (1, 33_000, 2), (0, 3, 2), (2, 3, 0)]


def given(dtype: str, shape: tuple[int, ...], generator: np.random.Generator) -> list[np.ndarray]:
    """Return arrays with many equal items, items at the ends of the dtype, and without numbers."""
    small = generator.integers(0, 4, shape).astype(dtype)
    if dtype == "bool":
        return [small, np.zeros_like(small), np.ones_like(small)]
    if dtype.startswith("float"):
        wide = (generator.normal(size=shape) * 30).astype(dtype)
        zeros = np.where(small > 1, 0.0, -0.0).astype(dtype)
        odd = wide.copy()
        odd[generator.random(shape) < 0.05] = np.nan
        odd[generator.random(shape) < 0.05] = -np.nan
        ends = np.asarray([np.inf, -np.inf, 1, np.nan], dtype)[generator.integers(0, 4, shape)]
        return [small - 2, wide, zeros, odd, ends, ends[:, ::-1].copy()]
    ends = np.iinfo(dtype)
    wide = generator.integers(ends.min, ends.max, shape, dtype, endpoint=True)
    return [small, wide, np.asarray([ends.max, ends.min], dtype)[(small > 1).astype(int)]]


@pytest.mark.parametrize("width", [128, 256, 512])
@pytest.mark.parametrize("dtype", DTYPES)
def test_positions_and_items_are_those_of_numpy(dtype: str, width: int) -> None:
    generator = np.random.default_rng(1)
    x = T.tensor3(dtype=dtype)
    alone = [T.argmax(x, axis=1), T.argmin(x, axis=1)]
    with theano.config.change_flags(vector_width=width, threads=1 + (width == 256)):
        f = theano.function([x], alone)
        g = theano.function([x], [*alone, T.max(x, axis=1), T.min(x, axis=1)])
        for shape in SHAPES:
            for a in given(dtype, shape, generator):
                for array in (a, np.asfortranarray(a), np.repeat(a, 2, 1)[:, ::-2]):
                    wanted = [array.argmax(1), array.argmin(1)]
                    items = [array.max(1), array.min(1)]
                    for one, two in zip(f(array), wanted, strict=True):
                        np.testing.assert_array_equal(one, two)
                    for one, two in zip(g(array), wanted + items, strict=True):
                        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("axis", [None, 0, 1, 2, (0, 1), (1, 2), (0, 2)])
def test_one_search_finds_positions_and_items(axis: int | tuple[int, ...] | None) -> None:
    x = T.tensor3(dtype="float64")
    largest = Reduction("max", axis if axis is None or isinstance(axis, tuple) else (axis,))
    where = ArgExtreme("argmax", largest.axis)
    y = T.exp(x)
    places = where(y)
    outputs = [largest(y), places, largest(x), places + 1]
    nodes = toposort(native_form(outputs, Rewriter()))
    found = [node for node in nodes if isinstance(node.op, ArgExtreme)]
    assert [len(node.outputs) for node in found] == [1 if axis == (0, 2) else 2]
    a = np.random.default_rng(2).normal(size=(4, 5, 6))
    for mode in (None, "FAST_COMPILE", theano.Mode("py", None)):
        got = theano.function([x], outputs, mode=mode)(a)
        np.testing.assert_allclose(got[0], np.exp(a).max(axis), rtol=1e-15)
        np.testing.assert_array_equal(got[2], a.max(axis))
        np.testing.assert_array_equal(got[1] + 1, got[3])
        if not isinstance(axis, tuple):
            np.testing.assert_array_equal(got[1], a.argmax(axis))


def test_searches_in_the_steps_of_a_loop() -> None:
    scores, start = T.dmatrix(), T.dvector()

    def step(before):
        reached = before[:, None] + scores
        return [T.max(reached, axis=0), T.argmax(reached, axis=0)]

    (best, where), _ = theano.scan(step, outputs_info=[start, None], n_steps=5)
    f = theano.function([scores, start], [best, where])
    generator = np.random.default_rng(3)
    for n in (1, 2, 9, 40):
        a, state = generator.normal(size=(n, n)), generator.normal(size=n)
        got = f(a, state)
        for k in range(5):
            reached = state[:, None] + a
            state = reached.max(0)
            np.testing.assert_array_equal(got[0][k], state)
            np.testing.assert_array_equal(got[1][k], reached.argmax(0))
