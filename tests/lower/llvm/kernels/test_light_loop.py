"""Loops that do little have a text of its own for what remains behind the last full vector."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.loops import WIDTHS, agree
from theano._core.lower.llvm.kernels.light_loop import is_light

LENGTHS = [*range(1, 20), 31, 33, 63, 64, 65, 130]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "float16", "float32", "float64"])
def test_rows_of_every_length(dtype, width):
    def build(m, x, y):
        row = y[:, None]
        return [m.equal(x, row), m.where(m.equal(x, row), x, row), x * row, x[:, 1:] * row]

    shapes = [[(7, rows, n), (7, n)] for n in LENGTHS for rows in (1, 2, 5)]
    agree(build, dtype, shapes, width=width)


def test_little_to_do_needs_no_vectors_across_rows():
    x, y = T.ftensor3("x"), T.fmatrix("y")
    little = theano.function([x, y], x * y.dimshuffle(0, "x", 1))
    more = theano.function([x, y], T.exp(x * y.dimshuffle(0, "x", 1)))
    light, across = little.maker.kernels[0], [[1], [2], [0]]
    assert not is_light(more.maker.kernels[0].loop, 16, 512)
    assert across in [kernel.groups for kernel in more.maker.kernels]
    has_masks = is_light(light.loop, light.lanes, light.bits)
    assert (across in [kernel.groups for kernel in little.maker.kernels]) is not has_masks


def test_what_is_overwritten_is_read_before():
    state, v = theano.shared(np.zeros((2, 2))), T.dvector("v")
    step = theano.function([v], updates=[(state, state * 2 + v)])
    for length in LENGTHS:
        start, b = np.arange(5.0 * length).reshape(5, length), np.arange(1.0 * length)
        state.set_value(start)
        step(b)
        step(b)
        np.testing.assert_array_equal(state.get_value(), start * 4 + b * 3)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "int64", "bool"])
def test_rows_of_integers_of_any_length_are_reduced(dtype):
    lengths = (1, 5, 17, 31, 33, 63, 64, 65, 100, 129, 255, 257, 300)
    agree(
        lambda m, x: [getattr(x, name)(axis=1) for name in ("max", "min", "sum", "any", "all")],
        dtype,
        [[(9, n)] for n in lengths],
    )


@pytest.mark.parametrize(("dtype", "lanes"), [("uint8", 64), ("int32", 16), ("float32", 64)])
def test_rows_reduced_in_one_cycle_an_item_are_read_one_vector_at_a_time(dtype, lanes):
    with theano.config.change_flags(vector_width=512):
        f = theano.function([x := T.matrix("x", dtype)], x.max(1))
    assert f.maker.kernels[0].lanes == lanes
