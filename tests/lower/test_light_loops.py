"""Loops that do little have a text of its own for what remains behind the last full vector."""

from __future__ import annotations

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower.llvm.kernels.light_loop import is_light

LENGTHS = [*range(1, 20), 31, 33, 63, 64, 65, 130]


@pytest.mark.parametrize("width", [128, 256, 512])
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "float16", "float32", "float64"])
def test_rows_of_every_length(dtype: str, width: int) -> None:
    random = np.random.default_rng(4)
    x, y = T.TensorType(dtype, (False,) * 3)("x"), T.TensorType(dtype, (False,) * 2)("y")
    row = y.dimshuffle(0, "x", 1)
    with theano.config.change_flags(vector_width=width):
        results = [T.eq(x, row), T.switch(T.eq(x, row), x, row), T.mul(x, row), x[:, 1:] * 1]
        f = theano.function([x, y], results)
    for length in LENGTHS:
        for rows in (1, 2, 5):
            a = (random.normal(size=(7, rows, length)) * 3).astype(dtype)
            b = (random.normal(size=(7, length)) * 3).astype(dtype)
            c = b[:, None]
            wanted = [a == c, np.where(a == c, a, c), a * c, a[:, 1:]]
            for found, right in zip(f(a, b), wanted, strict=True):
                np.testing.assert_array_equal(found, right)


def test_little_to_do_needs_no_vectors_across_rows() -> None:
    x, y = T.ftensor3("x"), T.fmatrix("y")
    little = theano.function([x, y], x * y.dimshuffle(0, "x", 1))
    more = theano.function([x, y], T.exp(x * y.dimshuffle(0, "x", 1)))
    light, across = little.maker.kernels[0], [[1], [2], [0]]
    assert not is_light(more.maker.kernels[0].loop, 16, 512)
    assert across in [kernel.groups for kernel in more.maker.kernels]
    has_masks = is_light(light.loop, light.lanes, light.bits)
    assert (across in [kernel.groups for kernel in little.maker.kernels]) is not has_masks


def test_what_is_overwritten_is_read_before() -> None:
    state = theano.shared(np.zeros((2, 2)))
    v = T.dvector("v")
    step = theano.function([v], updates=[(state, state * 2 + v)])
    for length in LENGTHS:
        start, b = np.arange(5.0 * length).reshape(5, length), np.arange(1.0 * length)
        state.set_value(start)
        step(b)
        step(b)
        np.testing.assert_array_equal(state.get_value(), start * 4 + b * 3)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "int64", "bool"])
def test_rows_of_integers_of_any_length_are_reduced(dtype: str) -> None:
    x = T.matrix("x", dtype)
    reductions = [x.max(1), x.min(1), x.sum(1), x.any(1), x.all(1)]
    f = theano.function([x], reductions)
    r = np.random.default_rng(3)
    for columns in (1, 5, 17, 31, 33, 63, 64, 65, 100, 129, 255, 257, 300):
        a = r.integers(0, 2 if dtype == "bool" else 120, (9, columns)).astype(dtype)
        for given in (a, a[:, ::-1], np.asfortranarray(a)):
            expected = [given.max(1), given.min(1), given.sum(1), given.any(1), given.all(1)]
            for one, two in zip(f(given), expected, strict=True):
                np.testing.assert_array_equal(one, two)


def test_rows_that_are_reduced_in_one_cycle_an_item_are_read_one_vector_at_a_time() -> None:
    for dtype, lanes in (("uint8", 64), ("int32", 16), ("float32", 64)):
        with theano.config.change_flags(vector_width=512):
            f = theano.function([x := T.matrix("x", dtype)], x.max(1))
        assert f.maker.kernels[0].lanes == lanes
