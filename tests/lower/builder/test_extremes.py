"""Where the extreme items along an axis are, whatever lies before and behind the axis."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.loops import WIDTHS, agree, assert_agree, small
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


def numbers(kind):
    """Return what makes arrays: many equal items, some at the ends, zeros, and no numbers."""

    def make(shape, dtype, seed):
        generator = np.random.default_rng(1)
        few = generator.integers(0, 4, shape)
        if kind == "equal" or dtype == "bool":
            return (few if kind == "equal" else np.full(shape, kind == "ends")).astype(dtype)
        if not dtype.startswith("float"):
            ends = np.iinfo(dtype)
            if kind == "ends":
                return np.asarray([ends.max, ends.min], dtype)[few // 2]
            return generator.integers(ends.min, ends.max, shape, dtype, endpoint=True)
        wide = (generator.normal(size=shape) * 30).astype(dtype)
        if kind == "odd":
            wide[generator.random(shape) < 0.05] = np.nan
            wide[generator.random(shape) < 0.05] = -np.nan
        ends, zeros = ([np.inf, -np.inf, 1, np.nan], [0.0, -0.0, 0.0, -0.0])
        chosen = {"ends": ends, "zeros": zeros}.get(kind)
        return wide if chosen is None else np.asarray(chosen, dtype)[few]

    return make


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_positions_and_items_are_those_of_numpy(dtype, width):
    def alone(m, x):
        return [x.argmax(axis=1), x.argmin(axis=1)]

    def both(m, x):
        return [*alone(m, x), x.max(axis=1), x.min(axis=1)]

    kinds = ["equal", "wide", "ends", *(["zeros", "odd"] if dtype.startswith("float") else [])]
    for kind in kinds:
        for build in (alone, both):
            shapes = [[shape] for shape in SHAPES]
            agree(build, dtype, shapes, make=numbers(kind), width=width, threads=1 + width // 256)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dtype", [d for d in DTYPES if d not in ("int16", "int32", "float16")])
def test_extremes_of_short_rows(dtype, width):
    def rows(shape, dtype, seed):
        a = small(shape, dtype)
        a[3::7] = a[3::7, :1]
        a[4::7, -1], a[5::7, -1] = np.iinfo("int8").max, 0
        if dtype.startswith("float"):
            a[2::9], a[4::9] = np.inf, -np.inf
            a[::5, shape[1] // 2], a[::10, -1] = np.nan, -np.nan
            a[1::5] = np.where(a[1::5] > 0, 0.0, -0.0)
        return a

    lengths = (1, 2, 3, 8, 12, 13, 15, 16, 17, 31, 32, 33, 64, 100, 127, 128, 129)
    shapes = [[(count, n)] for n in lengths for count in (0, 1, 7, 8, 9, 50)]
    agree(lambda m, x: [x.argmax(axis=1), x.argmin(axis=1)], dtype, shapes, make=rows, width=width)


@pytest.mark.parametrize("axis", [None, 0, 1, 2, (0, 1), (1, 2), (0, 2)])
def test_one_search_finds_positions_and_items(axis):
    x = T.tensor3(dtype="float64")
    largest = Reduction("max", axis if axis is None or isinstance(axis, tuple) else (axis,))
    y = T.exp(x)
    places = ArgExtreme("argmax", largest.axis)(y)
    outputs = [largest(y), places, largest(x), places + 1]
    nodes = toposort(native_form(outputs, Rewriter()))
    found = [node for node in nodes if isinstance(node.op, ArgExtreme)]
    assert [len(node.outputs) for node in found] == [1 if axis == (0, 2) else 2]
    a = np.random.default_rng(2).normal(size=(4, 5, 6))
    for mode in (None, "FAST_COMPILE", theano.Mode("py", None)):
        got = theano.function([x], outputs, mode=mode)(a)
        np.testing.assert_allclose(got[0], np.exp(a).max(axis), rtol=1e-15)
        assert_agree(got[2:], [a.max(axis), got[1] + 1])
        if not isinstance(axis, tuple):
            np.testing.assert_array_equal(got[1], a.argmax(axis))


def test_searches_in_the_steps_of_a_loop():
    def step(before):
        reached = before[:, None] + scores
        return [T.max(reached, axis=0), T.argmax(reached, axis=0)]

    scores, start = T.dmatrix(), T.dvector()
    (best, where), _ = theano.scan(step, outputs_info=[start, None], n_steps=5)
    f = theano.function([scores, start], [best, where])
    for n in (1, 2, 9, 40):
        a, state = np.random.default_rng(n).normal(size=(2, n, n))
        state = state[0]
        for items, places in zip(*f(a, state), strict=True):
            reached = state[:, None] + a
            state = reached.max(0)
            assert_agree([items, places], [state, reached.argmax(0)])


@pytest.mark.parametrize("threads", [1, 2])
def test_any_and_all_end_at_the_item_that_decides(threads):
    x, m = T.vector(dtype="bool"), T.tensor3(dtype="float32")
    with theano.config.change_flags(threads=threads):
        f = theano.function([x], [T.any(x), T.all(x), T.any(x[::-3]), T.all(~x[::2])])
        g = theano.function([m], [T.any(m > 0), T.all(m <= 0), T.any(T.isnan(m), axis=(0, 2))])
        for n in (0, 1, 2047, 2048, 2049, 40_000, 1_000_000):
            for place in {0, 1, n // 2, n - 2, n - 1, -1} & set(range(-1, n)):
                a = np.zeros(n, "bool")
                a[place : place + 1] = place >= 0
                for one in (a, ~a):
                    assert_agree(f(one), [one.any(), one.all(), one[::-3].any(), (~one[::2]).all()])
                b = np.zeros((1, n // 10, 10), "float32")
                b.ravel()[max(place, 0) : place + 1] = 1
                for one in (b, b.transpose(2, 1, 0), b[:, ::-1, ::2]):
                    odd = np.zeros(one.shape[1:2], bool)
                    assert_agree(g(one), [(one > 0).any(), (one <= 0).all(), odd])
