"""Additions to parts that overlap are one loop, whatever the lengths and layouts."""

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.agreement import agree
from support.arrays import layouts
from support.comparison import DERIVATIVES
from support.compiling import program_text

LENGTHS = (0, 1, 2, 3, 4, 5, 9, 40)


def sums(f):
    return sum("step " in line and "SumOfParts" in line for line in program_text(f).splitlines())


def of_two_lags(x, a):
    return x[2:] - a * x[1:-1] - 3 * x[:-2]


def of_squares(x, a):
    e = x[2:, 1:-1] + x[:-2, 1:-1] + x[1:-1, 2:] + x[1:-1, :-2] - a * x[1:-1, 1:-1]
    return e * e


def of_cubes(x, a):
    inside = slice(1, -1)
    e = a * x[inside, inside, inside]
    for axis in range(3):
        for shifted in (slice(2, None), slice(None, -2)):
            at = [inside] * 3
            at[axis] = shifted
            e = e - x[tuple(at)]
    return e * e


def of_rows(x, a):
    return T.tanh(x[1:] - a * x[:-1])


@pytest.mark.parametrize(
    ("loss", "rank", "steps"),
    [(of_two_lags, 1, 1), (of_squares, 2, 1), (of_cubes, 3, 1), (of_rows, 2, 1), (of_rows, 3, 1)],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients(loss, rank, steps, dtype):
    x, a = T.TensorType(dtype, (False,) * rank)("x"), T.scalar("a", dtype)
    rng = np.random.RandomState(1)
    shapes = itertools.product(LENGTHS if rank < 3 else (0, 1, 2, 3, 5, 9), repeat=rank)
    arrays = (rng.uniform(-1, 1, shape).astype(dtype) for shape in shapes)
    cases = [(array, 0.5) for each in arrays for array in layouts(each)]
    f = agree([x, a], T.grad(loss(x, a).sum(), [x, a]), *cases, tolerance=DERIVATIVES)
    assert sums(f) == steps


@pytest.mark.parametrize("factor", [np.inf, np.nan, -0.0])
def test_numbers_touch_nothing_beside_their_part(factor):
    x, a = T.dvectors("x", "a")
    parts = (slice(2, None), slice(1, -1), slice(None, -2))
    y = x[parts[0]] * x[parts[1]] * x[parts[2]]
    numbers = (a[0], 2.0, a[0])
    whole = T.zeros_like(x)
    for part, number in zip(parts, numbers, strict=True):
        whole = T.inc_subtensor(whole[part], number * y)
    f = theano.function([x, a], whole)
    assert sums(f) == 1
    for n in (0, 1, 2, 3, 5, 30):
        value, expected = np.arange(1.0, n + 1), np.zeros(n)
        product = value[parts[0]] * value[parts[1]] * value[parts[2]]
        for part, number in zip(parts, (factor, 2, factor), strict=True):
            expected[part] += number * product
        found = f(value, [factor])
        np.testing.assert_array_equal(found, expected)
        assert (np.signbit(found) == np.signbit(expected)).all()


def test_what_is_added_to_stays_if_it_is_read():
    x = T.dvector("x")
    base, y = T.sqr(x), x[1:] - x[:-1]
    whole = T.inc_subtensor(T.inc_subtensor(base[1:], y)[:-1], 2 * y)
    f, g = theano.function([x], [whole, base]), theano.function([x], whole)
    assert sums(f) == sums(g) == 1
    value = np.arange(5.0) ** 2
    other = np.diff(value)
    expected = np.square(value)
    expected[1:] += other
    expected[:-1] += 2 * other
    found, kept = f(value)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(kept, np.square(value))
    np.testing.assert_array_equal(g(value), expected)


def test_updates_and_loops():
    start = np.linspace(0, 1, 50)
    x = theano.shared(start)
    step = T.grad(T.sqr(x[1:] - x[:-1]).sum() + T.sqr(x).sum(), x)
    states, _ = theano.scan(
        lambda s: s - 0.1 * T.grad(T.sqr(s[1:] - s[:-1]).sum(), s), outputs_info=x, n_steps=3
    )
    f = theano.function([], states[-1], updates=[(x, x - 0.1 * step)])

    def gradient(v):
        result = np.zeros_like(v)
        result[1:] += 2 * np.diff(v)
        result[:-1] -= 2 * np.diff(v)
        return result

    expected = start
    for _ in range(3):
        expected = expected - 0.1 * gradient(expected)
    np.testing.assert_allclose(f(), expected, rtol=1e-12)
    np.testing.assert_allclose(x.get_value(), start - 0.1 * (gradient(start) + 2 * start))


def test_integers():
    x = T.TensorType("int8", (False,))("x")
    y = x[1:] + x[:-1]
    whole = T.inc_subtensor(T.inc_subtensor(x[1:], y * 3)[:-1], y)
    f = theano.function([x], whole)
    assert sums(f) == 1
    value = np.array([100, 120, -7, 9], "int8")
    other = value[1:] + value[:-1]
    expected = value.copy()
    expected[1:] += other * np.int8(3)
    expected[:-1] += other
    np.testing.assert_array_equal(f(value), expected)
