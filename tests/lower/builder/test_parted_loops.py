"""Loops over short rows that store items and reduce rows run as two."""

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import values
from support.comparison import ROUNDING
from support.loops import WIDTHS, agree, small
from theano._core.lower.builder.parted_loops import LEAST_ROWS

KINDS = ["int8", "int64", "float32", "float64", "complex64"]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", [*KINDS, "int32"])
def test_rows_that_are_stored_and_reduced(kind, width):
    def stored_and_reduced(m, x, v):
        d = x - v[:, None]
        return [d, d.sum(axis=1), (d * d).sum(axis=1)]

    lengths = (0, 1, 2, 3, 7, 8, 9, 12, 13, 16, 17, 20, 24, 25, 31, 33, 50)
    rows = (0, 1, LEAST_ROWS - 1, LEAST_ROWS, 129, 1000)
    shapes = [[(r, n), (r,)] for n in lengths for r in rows]
    agree(stored_and_reduced, kind, shapes, width=width)
    agree(lambda m, x, v: stored_and_reduced(m, x + x, v), kind, shapes[::5], width=width)


def both_ways(f):
    """Tell whether a function has a loop that stores and reduces, and one that reduces that."""
    loops = [k.loop for k in f.maker.program_text.kernels if hasattr(k, "loop")]
    together = any(loop.stores and loop.reductions for loop in loops)
    return together and any(loop.reduced == (1,) and not loop.stores for loop in loops)


def test_which_loops_are_parted():
    x, v = T.fmatrix("x"), T.fvector("v")
    e = T.exp(x - v[:, None])
    assert both_ways(theano.function([x, v], [e, e.sum(axis=1)]))
    # What is reduced is dear, or made of what is not stored; or whole columns are reduced.
    assert not both_ways(theano.function([x, v], [e, T.tanh(e).sum(axis=1)]))
    assert not both_ways(theano.function([x, v], [e, (e + x).sum(axis=1)]))
    assert not both_ways(theano.function([x, v], [e, e.sum(axis=0)]))
    known = x.reshape((100, 10))
    twice = theano.function([x], [known * 2, (known * 2).sum(axis=1)])
    loops = [k.loop for k in twice.maker.program_text.kernels if hasattr(k, "loop")]
    assert not any(loop.stores and loop.reductions for loop in loops)


def test_softmax_with_what_is_not_finite():
    x = T.fmatrix("x")
    f, g = theano.function([x], T.nnet.softmax(x)), theano.function([x], T.nnet.logsoftmax(x))
    for length in (2, 10, 20, 24, 40):
        a = values((300, length), "float32") * 10
        a[3, 0], a[5, 1], a[7] = -np.inf, np.nan, 1e30
        e = np.exp(a - a.max(axis=1, keepdims=True), dtype="float64")
        wanted = e / e.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(f(a), wanted, rtol=1e-5, atol=1e-30)
        rows = np.isfinite(a).all(axis=1)
        np.testing.assert_allclose(np.exp(g(a))[rows], wanted[rows], rtol=1e-4, atol=1e-30)


def test_in_steps_of_a_loop_and_in_updates():
    table = theano.shared(small((200, 5)))
    y = table * 0.5 + 1
    update = theano.function([], y.sum(axis=1), updates=[(table, y)])
    expected = table.get_value() * 0.5 + 1
    np.testing.assert_array_equal(update(), expected.sum(axis=1))
    np.testing.assert_array_equal(table.get_value(), expected)
    x = T.dmatrix("x")
    states, _ = theano.scan(lambda h: T.nnet.softmax(T.tanh(h) * 3), outputs_info=x, n_steps=4)
    h = a = values((200, 5))
    for _ in range(4):
        e = np.exp(np.tanh(h) * 3)
        h = e / e.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(states[-1].eval({x: a}), h, rtol=1e-12)


def of_columns(m, x, v, w):
    """Return reductions of what has one row for all, one item a row, and both."""
    parts = [x - v, x * w[:, None], (x - v) * w[:, None]]
    sums = [part.sum() for part in parts] + [(part * part).sum(axis=0) for part in parts]
    return sums + [part.max() for part in parts]


def of_columns_and_stored(m, x, v, w):
    a, b = x - v, x * w[:, None]
    return [a, a.sum(), b, b.sum(axis=0), (b * x + x).sum()]


@pytest.mark.parametrize("width", [128, 512])
@pytest.mark.parametrize("kind", KINDS)
def test_short_rows_that_are_reduced_in_turn(kind, width):
    lengths = (1, 2, 4, 6, 11, 12, 13, 17, 32, 33, 128)
    shapes = [[(r, n), (n,), (r,)] for n in lengths for r in (1, 255, 256, 2100)]
    agree(of_columns_and_stored, kind, shapes, width=width)
    if kind != "complex64":
        agree(of_columns, kind, shapes, width=width)


@pytest.mark.parametrize("width", [128, 512])
@pytest.mark.parametrize("kind", ["int8", "int64", "float16", "float32", "float64", "bool"])
def test_rows_that_are_reduced_before_other_axes(kind, width):
    def build(m, x, v):
        y, axes = x | v if kind == "bool" else x * v, (0, 2)
        return [y.sum(axis=axes), x.max(axis=axes), x.any(axis=axes), y.min(axis=axes)]

    shapes = [(1, 64, 1), (70, 3, 2), (40, 5, 16), (9, 30, 17), (300, 4, 100), (7, 2, 129)]
    agree(build, kind, [[shape, shape[2:]] for shape in shapes * 2], width=width, threads=3)


@pytest.mark.parametrize("shape", [(0, 2, 3), (2, 0, 3), (2, 3, 0), (70, 2, 0)])
def test_rows_of_nothing(shape):
    x = T.tensor3()
    assert not theano.function([x], x.sum(axis=(0, 2)))(np.zeros(shape, x.dtype)).any()
    if 0 in shape[::2]:
        with pytest.raises(ValueError, match="zero-size array"):
            theano.function([x], x.max(axis=(0, 2)))(np.zeros(shape, x.dtype))


def test_reductions_in_turn_of_more_axes():
    def build(m, x, v):
        e = (x - v) ** 2
        return [e.sum(axis=axis) for axis in (None, (1, 2), (0, 1), 0)]

    agree(build, "float64", [[(5, 700, 3), (3,)]] * 3)


def test_a_reduction_reads_what_a_new_value_overwrites():
    table, step = theano.shared(small((2000, 4))), T.dvector("step")
    moved = table - step
    update = theano.function([step], T.exp(moved / 9).sum(), updates=[(table, moved)])
    wanted = table.get_value() - small(4)
    np.testing.assert_allclose(update(small(4)), np.exp(wanted / 9).sum(), rtol=1e-13)
    np.testing.assert_array_equal(table.get_value(), wanted)


@pytest.mark.parametrize("kind", ["int32", "float32", "float64"])
def test_short_rows_that_lie_apart(kind):
    def build(m, x, image):
        step = x[:, 1:] - x[:, :-1]
        sums = [(step * step).sum(), step.sum(), (x[:, 1:] * 2).sum(axis=0)]
        return [*sums, x[:, ::2].max(), (image[:, 2:-2] * 3).sum()]

    lengths, rows = (2, 3, 5, 8, 9, 12, 13, 14), (1, 255, 256, 1000)
    shapes = [[(r, n), (7, 300, n)] for n, r in itertools.product(lengths, rows)]
    agree(build, kind, shapes)

    def added_to(m, x):
        if m is T:
            return T.inc_subtensor((x * 2)[:, 1:], x[:, :-1])
        return np.concatenate([x[:, :1] * 2, x[:, 1:] * 2 + x[:, :-1]], axis=1)

    agree(added_to, kind, [shape[:1] for shape in shapes], tolerance=ROUNDING)
