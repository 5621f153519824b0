"""Loops over the parts of joins: rolled arrays, shifts, rings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower import program as ir
from theano._core.runtime import native


def layouts(a: np.ndarray) -> Iterator[np.ndarray]:
    yield a
    yield np.asfortranarray(a)
    yield a[::-1, ::-1]
    yield np.repeat(a, 2, axis=1)[:, ::2]


def heat(m: Any, u: Any) -> Any:
    around = m.roll(u, 1, 0) + m.roll(u, -1, 0) + m.roll(u, 1, 1) + m.roll(u, -1, 1)
    return u + (around - 4 * u) * 2


def thrice(m: Any, u: Any) -> Any:
    return u * 3


PROGRAMS: list[Callable[[Any, Any], Any]] = [
    heat,
    lambda m, u: m.roll(u, 2, 0) * m.roll(u, -3, 1),
    lambda m, u: m.roll(u, 1, 1) * u,
    lambda m, u: m.concatenate([u[:1] * 0, u[:-1]]) * 2 + u,
    lambda m, u: m.concatenate([u, u * 2, u[::-1], u[:0]]) + 1,
    lambda m, u: m.concatenate([thrice(m, u)[1:], thrice(m, u)[:1]]) + thrice(m, u),
    lambda m, u: (m.roll(u, 1, 0) - u).sum(axis=0),
    lambda m, u: m.roll(m.roll(u, 1, 0) + 1, 1, 1) + 1,
    lambda m, u: m.roll(m.roll(u, 1, 0), 1, 1) + m.roll(u, 1, 0),
]


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
@pytest.mark.parametrize("dtype", ["float64", "float32", "int8", "complex128"])
def test_parts_of_joins(number: int, dtype: str) -> None:
    rng = np.random.default_rng(8)
    program, u = PROGRAMS[number], T.matrix(dtype=dtype)
    f = theano.function([u], program(T, u))
    for shape in product((0, 1, 2, 3, 17, 70), repeat=2):
        for a in layouts((rng.normal(size=shape) * 9).round().astype(dtype)):
            np.testing.assert_array_equal(f(a), program(np, a).astype(f(a).dtype))


def test_any_shift() -> None:
    u, i, j = T.dmatrix(), T.lscalar(), T.lscalar()
    f = theano.function([u, i, j], T.roll(u, i, 0) + T.roll(u, j, 0) * 2 + T.roll(u, i, 1) * 3)
    for shape in ((1, 1), (2, 3), (7, 5), (20, 33)):
        a = np.arange(np.prod(shape), dtype="float64").reshape(shape)
        for one, two in product(range(-8, 9), (-3, 0, 1, 7)):
            wanted = np.roll(a, one, 0) + np.roll(a, two, 0) * 2 + np.roll(a, one, 1) * 3
            np.testing.assert_array_equal(f(a, one, two), wanted)


def test_a_broadcast_part() -> None:
    u, row = T.dmatrix(), T.drow()
    f = theano.function([u, row], T.concatenate([T.alloc(row, 4, u.shape[1]), u], axis=0) * 2)
    for columns in (1, 3, 20):
        a, b = np.random.default_rng(9).normal(size=(5, columns)), np.ones((1, columns))
        wanted = np.concatenate([np.broadcast_to(b, (4, columns)), a]) * 2
        np.testing.assert_array_equal(f(a, b), wanted)


def test_parts_of_one_row() -> None:
    u, row = T.dmatrix(), T.drow()
    first, last = T.concatenate([row, u, u]), T.concatenate([u, u, row])
    f = theano.function([u, row], first + last * 2)
    for shape in ((0, 3), (1, 3), (4, 20)):
        a, b = np.random.default_rng(13).normal(size=shape), np.ones((1, shape[1]))
        wanted = np.concatenate([b, a, a]) + np.concatenate([a, a, b]) * 2
        np.testing.assert_array_equal(f(a, b), wanted)


def test_equal_loops_that_read_their_numbers() -> None:
    inputs = [T.dmatrix() for _ in range(40)]
    f = theano.function(inputs, [heat(T, u) * (n + 0.5) for n, u in enumerate(inputs)])
    assert len({kernel.key for kernel in f.maker.kernels}) < 10
    arrays = [np.random.default_rng(n).normal(size=(n, 7)) for n in range(40)]
    for n, (a, result) in enumerate(zip(arrays, f(*arrays), strict=True)):
        np.testing.assert_array_equal(result, heat(np, a) * (n + 0.5))


def test_new_values_of_what_is_rolled() -> None:
    start = np.random.default_rng(10).normal(size=(5, 6))
    u = theano.shared(start.copy())
    f = theano.function([], u.sum(), updates=[(u, heat(T, u) / 8)])
    for _ in range(3):
        f()
        start = heat(np, start) / 8
    np.testing.assert_array_equal(u.get_value(), start)


def test_a_new_value_is_read_by_what_reads_a_join_of_it_and_of_the_old_one() -> None:
    value = np.linspace(0.1, 2, 12).reshape(3, 4)
    s = theano.shared(value)
    new = T.log1p(s)
    for joined in ([s, new], [s, T.tanh(new)], [new, s, new * 2]):
        s.set_value(value)
        f = theano.function([], T.abs_(T.concatenate(joined)), updates=[(s, new)])
        got = [f(), s.get_value()]
        wanted = theano.function([], [T.abs_(T.concatenate(joined)), new], mode="FAST_COMPILE")
        s.set_value(value)
        for one, two in zip(got, wanted(), strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-14)


def test_values_are_those_of_a_loop_over_the_join_on_any_number_of_threads() -> None:
    u = T.dmatrix()
    f = theano.function([u], T.tanh(heat(T, u)))
    a = np.random.default_rng(11).normal(size=(600, 700))
    wanted = theano.function([u], T.tanh(u))(heat(np, a))
    before = native.get_threads()
    try:
        for threads in (1, 2, 3):
            native.set_threads(threads)
            np.testing.assert_array_equal(f(a), wanted)
    finally:
        native.set_threads(before)


def test_nothing_is_copied() -> None:
    u = T.dmatrix()
    f = theano.function([u], heat(T, u))
    body = f.maker.program_text.program.body
    assert len([i for i in ir.walk(body) if isinstance(i, ir.Alloc)]) == 1
    # What other operations read, too, is made.
    g = theano.function([u], [T.roll(u, 1, 0) + 1, T.dot(T.roll(u, 1, 0), u)])
    a = np.random.default_rng(12).normal(size=(6, 6))
    np.testing.assert_array_equal(g(a)[0], np.roll(a, 1, 0) + 1)
    np.testing.assert_allclose(g(a)[1], np.roll(a, 1, 0) @ a)


def test_lengths_that_do_not_fit() -> None:
    u, v, w = T.dmatrices("u", "v", "w")
    f = theano.function([u, v, w], T.concatenate([u, v]) + w)
    with pytest.raises(ValueError, match="concatenation axis"):
        f(np.ones((2, 3)), np.ones((2, 4)), np.ones((4, 3)))
    with pytest.raises(ValueError, match="mis-match"):
        f(np.ones((2, 3)), np.ones((2, 3)), np.ones((5, 3)))


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "complex128"])
def test_in_steps_of_a_loop(dtype: str) -> None:
    """States that are written over and kept, sequences, rows, and numbers of steps down to 0."""

    def around(m: Any, u: Any, s: Any) -> tuple[Any, Any]:
        v = m.roll(u, 1, 0) - m.roll(u, -1, 1) + m.concatenate([s[1:], s[:1]])
        return v, m.roll(v, 2, 1) * 2 - s

    def ring(m: Any, x: Any) -> Any:
        return m.roll(x, 1, 0) - m.roll(x, -3, 0) + x

    u, s, n = T.matrix(dtype=dtype), T.TensorType(dtype, (False,) * 3)("s"), T.lscalar()
    (states, others), _ = theano.scan(
        lambda s, u: around(T, u, s), sequences=s, outputs_info=[u, None], n_steps=n
    )
    rings, _ = theano.scan(lambda x: ring(T, x), outputs_info=u[:, 0], n_steps=n)
    f = theano.function([u, s, n], [states, states[-1], others, rings[-1]])
    rng = np.random.default_rng(8)
    for shape in product((1, 2, 3, 17, 70), repeat=2):
        for a in layouts((rng.normal(size=shape) * 9).round().astype(dtype)):
            seq = (rng.normal(size=(4, *shape)) * 9).round().astype(dtype)
            for count in (1, 4):
                kept, made, at, row = [], [], a, a[:, 0]
                for t in range(count):
                    at, other = around(np, at, seq[t])
                    row = ring(np, row)
                    kept.append(at)
                    made.append(other)
                for got, wanted in zip(f(a, seq, count), (kept, at, made, row), strict=True):
                    np.testing.assert_array_equal(got, np.asarray(wanted))


def test_no_step_makes_a_rolled_array() -> None:
    u, n = T.dmatrix(), T.lscalar()
    states, _ = theano.scan(lambda u: T.roll(u, 1, 0) - T.roll(u, -1, 1), outputs_info=u, n_steps=n)
    f = theano.function([u, n], states[-1])
    a = np.ones((100, 100))
    # The start, copied, and two states in turn.
    assert f.memory_plan(a, 5).peak < 3.1 * a.nbytes
