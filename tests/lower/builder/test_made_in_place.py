"""Loops write their results where these lie in a join."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.comparison import ROUNDING, SUMS
from support.loops import agree
from theano._core.lower import program as ir


def test_rotated_halves_are_not_copied():
    def build(m, x, cos, sin):
        half = x.shape[-1] // 2
        a, b = x[..., :half], x[..., half:]
        return m.concatenate([a * cos - b * sin, b * cos + a * sin], -1)

    shapes = [[(3, 5, n), (5, n // 2), (5, n // 2)] for n in (2, 6, 34, 64, 130)]
    f = agree(build, "float32", shapes)
    loops = {k.loop for k in f.maker.kernels}
    assert all(loop.body.operations or loop.reductions for loop in loops)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "complex64", "bool", "float16"])
@pytest.mark.parametrize("axis", [1, 2, -1])
@pytest.mark.parametrize("heavy", [False, True])
def test_parts_of_any_dtype_layout_and_length(dtype, axis, heavy):
    def build(m, x, y):
        one, two = m.where(m.equal(x, y), x, y), m.where(m.not_equal(x, y), x, y)
        if heavy and dtype in ("float32", "float64"):
            one, two = m.tanh(one), m.exp(two)
        return [m.concatenate([one, y, two], axis), x.any() if dtype == "bool" else x.sum()]

    shapes = [(3, 4, 2), (1, 1, 1), (0, 2, 3), (2, 0, 3), (3, 2, 0), (4, 7, 33), (2, 1, 70)]
    agree(build, dtype, [[s, s] for s in shapes * 2], tolerance=ROUNDING)


def test_parts_of_other_lengths_and_of_one_item():
    lengths = [(5, (3, 20, 1)), (0, (3, 2, 1)), (40, (17, 1, 64)), (1, (0, 0, 2))]
    f = agree(
        lambda m, x, y, z: m.concatenate([x * 2, y + 1, z, z[:, :1] * 3], 1),
        "float64",
        [[(n, k) for k in widths] for n, widths in lengths],
    )
    with pytest.raises(ValueError, match="must match"):
        f(np.ones((3, 2)), np.ones((4, 2)), np.ones((3, 1)))


def test_what_others_read_is_made_apart():
    shapes = [[(3, 4), (3, 4)]]
    agree(lambda m, x, y: [m.concatenate([x * 2, y + 1], 1), x * 2, y + 1], "float64", shapes)
    agree(lambda m, x, y: m.concatenate([x * 2, x * 2], 1), "float64", shapes)


def test_one_part_is_made_of_what_waits_for_a_product():
    def build(m, x, w):
        before = m.tanh(x)
        return m.concatenate([before * 2, m.dot(before, w) + 1, x - 1], 1)

    agree(build, "float64", [[(6, 6), (6, 6)]], tolerance=SUMS)


def test_a_state_that_is_joined_is_replaced_in_place_or_not():
    state = theano.shared(np.ones((3, 4)))
    joined = T.concatenate([state[:, :2] * 2, state[:, 2:] + 1], 1)
    f = theano.function([], state[:, 1:] * 1, updates={state: joined})
    f()
    f()
    np.testing.assert_array_equal(state.get_value(), np.array([[4.0, 4, 3, 3]] * 3))


def test_in_loops_and_gradients():
    x = T.dmatrix("x")
    states, _ = theano.scan(
        lambda h: T.concatenate([T.tanh(h[:, :2]), h[:, 2:] * 0.5], 1), outputs_info=x, n_steps=4
    )
    f = theano.function([x], [states[-1], T.grad((states[-1] ** 2).sum(), x)])
    h = v = np.random.default_rng(8).normal(size=(3, 5))
    factor = 2 * np.ones_like(v)
    for _ in range(4):
        h = np.concatenate([np.tanh(h[:, :2]), h[:, 2:] * 0.5], 1)
        factor = factor * np.concatenate([1 - h[:, :2] ** 2, np.full((3, 3), 0.5)], 1)
    found, gradient = f(v)
    np.testing.assert_allclose(found, h)
    np.testing.assert_allclose(gradient, h * factor)


def test_memory_is_that_of_the_join():
    x = T.dmatrix("x")
    f = theano.function([x], T.concatenate([x * 2, x + 1], 1))
    assert f.memory_plan(np.ones((1000, 100))).peak < 1.1 * 1000 * 200 * 8
    # Short rows are made apart, within a branch, and joined by the runtime.
    assert sum(isinstance(i, ir.Alloc) for i in f.maker.program_text.program.body) == 1
