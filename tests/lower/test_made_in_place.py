"""Loops write their results where these lie in a join."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower import program as ir

DTYPES = ["float32", "float64", "int8", "complex64", "bool", "float16"]


def _copies(f: Any) -> int:
    """Return how many kernels of a program only copy."""
    loops = {k.loop for k in f.maker.kernels}
    return sum(not (loop.body.operations or loop.reductions) for loop in loops)


def test_rotated_halves_are_not_copied() -> None:
    x = T.ftensor3("x")
    cos, sin = T.fmatrices("cos", "sin")
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    f = theano.function([x, cos, sin], T.concatenate([a * cos - b * sin, b * cos + a * sin], -1))
    assert not _copies(f)
    r = np.random.default_rng(1)
    for n in (2, 6, 34, 64, 130):
        v = r.normal(size=(3, 5, n)).astype("float32")
        c, s = r.normal(size=(2, 5, n // 2)).astype("float32")
        one, two = v[..., : n // 2], v[..., n // 2 :]
        wanted = np.concatenate([one * c - two * s, two * c + one * s], -1)
        np.testing.assert_allclose(f(v, c, s), wanted, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(f(v[:, :, ::-1], c, s), f(v[:, :, ::-1].copy(), c, s))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [1, 2, -1])
@pytest.mark.parametrize("heavy", [False, True])
def test_parts_of_any_dtype_layout_and_length(dtype: str, axis: int, heavy: bool) -> None:
    x, y = T.tensor3("x", dtype), T.tensor3("y", dtype)
    one, two = T.switch(T.eq(x, y), x, y), T.switch(T.neq(x, y), x, y)
    if heavy and dtype in ("float32", "float64"):
        one, two = T.tanh(one), T.exp(two)
    outputs = [T.concatenate([one, y, two], axis), (x.sum() if dtype != "bool" else x.any())]
    plain = theano.function([x, y], outputs, mode=theano.Mode(optimizer=None))
    f = theano.function([x, y], outputs)
    r = np.random.default_rng(5)
    for shape in ((3, 4, 2), (1, 1, 1), (0, 2, 3), (2, 0, 3), (3, 2, 0), (4, 7, 33), (2, 1, 70)):
        a, b = (r.integers(0, 2, (2, *shape))).astype(dtype)
        for v, w in ((a, b), (a[::-1], b[:, :, ::-1]), (np.asfortranarray(a), b)):
            for found, right in zip(f(v, w), plain(v, w), strict=True):
                assert found.dtype == right.dtype
                np.testing.assert_allclose(found, right, rtol=1e-6)


def test_parts_of_other_lengths_and_of_one_item() -> None:
    x, y, z = T.dmatrices("x", "y", "z")
    f = theano.function([x, y, z], T.concatenate([x * 2, y + 1, z, z[:, :1] * 3], 1))
    r = np.random.default_rng(6)
    for n, lengths in ((5, (3, 20, 1)), (0, (3, 2, 1)), (40, (17, 1, 64)), (1, (0, 0, 2))):
        a, b, c = (r.normal(size=(n, k)) for k in lengths)
        wanted = np.concatenate([a * 2, b + 1, c, c[:, :1] * 3], 1)
        np.testing.assert_array_equal(f(a, b, c), wanted)
    with pytest.raises(ValueError, match="must match"):
        f(np.ones((3, 2)), np.ones((4, 2)), np.ones((3, 1)))


def test_what_others_read_is_made_apart() -> None:
    x, y = T.dmatrices("x", "y")
    a, b = x * 2, y + 1
    for outputs in ([T.concatenate([a, b], 1), a, b], [T.concatenate([a, a], 1)]):
        f = theano.function([x, y], outputs, on_unused_input="ignore")
        v, w = np.arange(24.0).reshape(2, 3, 4)
        found = f(v, w)
        parts = (v * 2, w + 1) if len(outputs) > 1 else (v * 2, v * 2)
        np.testing.assert_array_equal(found[0], np.concatenate(parts, 1))
        if len(outputs) > 1:
            np.testing.assert_array_equal(found[1], v * 2)
            np.testing.assert_array_equal(found[2], w + 1)


def test_one_part_is_made_of_what_waits_for_a_product() -> None:
    x, w = T.dmatrices("x", "w")
    before = T.tanh(x)
    f = theano.function([x, w], T.concatenate([before * 2, T.dot(before, w) + 1, x - 1], 1))
    v, m = np.random.default_rng(7).normal(size=(2, 6, 6))
    t = np.tanh(v)
    np.testing.assert_allclose(f(v, m), np.concatenate([t * 2, t @ m + 1, v - 1], 1), rtol=1e-12)


def test_a_state_that_is_joined_is_replaced_in_place_or_not() -> None:
    state = theano.shared(np.ones((3, 4)))
    f = theano.function(
        [],
        state[:, 1:] * 1,
        updates={state: T.concatenate([state[:, :2] * 2, state[:, 2:] + 1], 1)},
    )
    f()
    f()
    np.testing.assert_array_equal(state.get_value(), np.array([[4.0, 4, 3, 3]] * 3))


def test_in_loops_and_gradients() -> None:
    x = T.dmatrix("x")
    states, _ = theano.scan(
        lambda h: T.concatenate([T.tanh(h[:, :2]), h[:, 2:] * 0.5], 1), outputs_info=x, n_steps=4
    )
    f = theano.function([x], [states[-1], T.grad((states[-1] ** 2).sum(), x)])
    v = np.random.default_rng(8).normal(size=(3, 5))
    h, slope = v, np.ones_like(v)
    for _ in range(4):
        new = np.concatenate([np.tanh(h[:, :2]), h[:, 2:] * 0.5], 1)
        slope = slope * np.concatenate([1 - new[:, :2] ** 2, np.full((3, 3), 0.5)], 1)
        h = new
    found, gradient = f(v)
    np.testing.assert_allclose(found, h)
    np.testing.assert_allclose(gradient, 2 * h * slope)


def test_memory_is_that_of_the_join() -> None:
    x = T.dmatrix("x")
    f = theano.function([x], T.concatenate([x * 2, x + 1], 1))
    assert f.memory_plan(np.ones((1000, 100))).peak < 1.1 * 1000 * 200 * 8
    # Short rows are made apart, within a branch, and joined by the runtime.
    assert sum(isinstance(i, ir.Alloc) for i in f.maker.program_text.program.body) == 1
