"""Loops over the parts of joins: rolled arrays, shifts, rings."""

from itertools import product

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import layouts, values
from support.comparison import ROUNDING
from support.loops import agree, assert_agree, small
from theano._core.lower import program as ir


def heat(m, u):
    around = m.roll(u, 1, 0) + m.roll(u, -1, 0) + m.roll(u, 1, 1) + m.roll(u, -1, 1)
    return u + (around - 4 * u) * 2


PROGRAMS = [
    heat,
    lambda m, u: m.roll(u, 2, 0) * m.roll(u, -3, 1),
    lambda m, u: m.roll(u, 1, 1) * u,
    lambda m, u: m.concatenate([u[:1] * 0, u[:-1]]) * 2 + u,
    lambda m, u: m.concatenate([u, u * 2, u[::-1], u[:0]]) + 1,
    lambda m, u: m.concatenate([(u * 3)[1:], (u * 3)[:1]]) + u * 3,
    lambda m, u: (m.roll(u, 1, 0) - u).sum(axis=0),
    lambda m, u: m.roll(m.roll(u, 1, 0) + 1, 1, 1) + 1,
    lambda m, u: m.roll(m.roll(u, 1, 0), 1, 1) + m.roll(u, 1, 0),
]


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
@pytest.mark.parametrize("dtype", ["float64", "float32", "int8", "complex128"])
def test_parts_of_joins(number, dtype):
    agree(PROGRAMS[number], dtype, [[shape] for shape in product((0, 1, 2, 3, 17, 70), repeat=2)])


def test_any_shift():
    u, i, j = T.dmatrix(), T.lscalar(), T.lscalar()
    f = theano.function([u, i, j], T.roll(u, i, 0) + T.roll(u, j, 0) * 2 + T.roll(u, i, 1) * 3)
    for shape in ((1, 1), (2, 3), (7, 5), (20, 33)):
        a = np.arange(np.prod(shape), dtype="float64").reshape(shape)
        for one, two in product(range(-8, 9), (-3, 0, 1, 7)):
            wanted = np.roll(a, one, 0) + np.roll(a, two, 0) * 2 + np.roll(a, one, 1) * 3
            np.testing.assert_array_equal(f(a, one, two), wanted)


def test_parts_that_are_broadcast_or_one_row():
    u, row = T.dmatrix(), T.drow()
    many = T.concatenate([T.alloc(row, 4, u.shape[1]), u], axis=0) * 2
    first, last = T.concatenate([row, u, u]), T.concatenate([u, u, row])
    f = theano.function([u, row], [many, first + last * 2])
    for shape in ((0, 3), (1, 3), (5, 1), (4, 20)):
        a, b = small(shape), np.ones((1, shape[1]))
        wanted = np.concatenate([b, b, b, b, a]) * 2
        assert_agree(f(a, b), [wanted, np.concatenate([b, a, a]) + np.concatenate([a, a, b]) * 2])


def test_equal_loops_that_read_their_numbers():
    inputs = [T.dmatrix() for _ in range(40)]
    f = theano.function(inputs, [heat(T, u) * (n + 0.5) for n, u in enumerate(inputs)])
    assert len({kernel.key for kernel in f.maker.kernels}) < 10
    arrays = [small((n, 7), seed=n) for n in range(40)]
    assert_agree(f(*arrays), [heat(np, a) * (n + 0.5) for n, a in enumerate(arrays)])


def test_new_values_of_what_is_rolled():
    start = small((5, 6))
    u = theano.shared(start.copy())
    f = theano.function([], u.sum(), updates=[(u, heat(T, u) / 8)])
    for _ in range(3):
        f()
        start = heat(np, start) / 8
    np.testing.assert_array_equal(u.get_value(), start)


def test_a_new_value_is_read_by_what_reads_a_join_of_it_and_of_the_old_one():
    value = np.linspace(0.1, 2, 12).reshape(3, 4)
    s = theano.shared(value)
    new, as_new = T.log1p(s), np.log1p(value)
    for joined in (
        lambda m, s, new: [s, new],
        lambda m, s, new: [s, m.tanh(new)],
        lambda m, s, new: [new, s, new * 2],
    ):
        s.set_value(value)
        f = theano.function([], abs(T.concatenate(joined(T, s, new))), updates=[(s, new)])
        wanted = [abs(np.concatenate(joined(np, value, as_new))), as_new]
        assert_agree([f(), s.get_value()], wanted, ROUNDING)


def test_values_are_those_of_a_loop_over_the_join():
    u, a = T.dmatrix(), values((60, 70))
    wanted = T.tanh(u).eval({u: heat(np, a)})
    np.testing.assert_array_equal(T.tanh(heat(T, u)).eval({u: a}), wanted)


def test_nothing_is_copied():
    u = T.dmatrix()
    f = theano.function([u], heat(T, u))
    body = f.maker.program_text.program.body
    assert len([i for i in ir.walk(body) if isinstance(i, ir.Alloc)]) == 1


def test_what_other_operations_read_too_is_made():
    agree(
        lambda m, u: [m.roll(u, 1, 0) + 1, m.dot(m.roll(u, 1, 0), u)],
        "float64",
        [[(6, 6)]],
    )


def test_lengths_that_do_not_fit():
    u, v, w = T.dmatrices("u", "v", "w")
    f = theano.function([u, v, w], T.concatenate([u, v]) + w)
    with pytest.raises(ValueError, match="concatenation axis"):
        f(np.ones((2, 3)), np.ones((2, 4)), np.ones((4, 3)))
    with pytest.raises(ValueError, match="mis-match"):
        f(np.ones((2, 3)), np.ones((2, 3)), np.ones((5, 3)))


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "complex128"])
def test_in_steps_of_a_loop(dtype):
    """States that are written over and kept, sequences, rows, and any number of steps."""

    def around(m, u, s):
        v = m.roll(u, 1, 0) - m.roll(u, -1, 1) + m.concatenate([s[1:], s[:1]])
        return v, m.roll(v, 2, 1) * 2 - s

    def ring(m, x):
        return m.roll(x, 1, 0) - m.roll(x, -3, 0) + x

    u, s, n = T.matrix(dtype=dtype), T.TensorType(dtype, (False,) * 3)("s"), T.lscalar()
    (states, others), _ = theano.scan(
        lambda s, u: around(T, u, s), sequences=s, outputs_info=[u, None], n_steps=n
    )
    rings, _ = theano.scan(lambda x: ring(T, x), outputs_info=u[:, 0], n_steps=n)
    f = theano.function([u, s, n], [states, states[-1], others, rings[-1]])
    for shape in product((1, 2, 3, 17, 70), repeat=2):
        seq = small((4, *shape), dtype)
        for a in layouts(small(shape, dtype, 1)):
            for count in (1, 4):
                kept, made, at, row = [], [], a, a[:, 0]
                for t in range(count):
                    at, other = around(np, at, seq[t])
                    row = ring(np, row)
                    kept.append(at)
                    made.append(other)
                assert_agree(f(a, seq, count), [kept, at, made, row])


def test_no_step_makes_a_rolled_array():
    u, n = T.dmatrix(), T.lscalar()
    states, _ = theano.scan(lambda u: T.roll(u, 1, 0) - T.roll(u, -1, 1), outputs_info=u, n_steps=n)
    f = theano.function([u, n], states[-1])
    a = np.ones((100, 100))
    # The start, copied, and two states in turn.
    assert f.memory_plan(a, 5).peak < 3.1 * a.nbytes
