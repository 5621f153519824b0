"""Loops that write to a part of an array themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower import program as ir

INSIDE = slice(1, -1)


def put(m: Any, x: Any, part: Any, y: Any, add: bool = False) -> Any:
    """Return `x` with a part of it set to `y`, or with `y` added to it."""
    if m is T:
        return (T.inc_subtensor if add else T.set_subtensor)(x[part], y)
    x, y = np.array(x), np.asarray(y).astype(x.dtype)
    x[part] = x[part] + y if add else y
    return x


# Programs of a matrix and two vectors.
PROGRAMS: dict[str, Callable[..., Any]] = {
    "an argument": lambda m, x, u, v: put(m, u, INSIDE, u[:-2] * 0.5 + u[2:]),
    "an argument added to": lambda m, x, u, v: put(m, u, INSIDE, u[:-2] * v[2:], add=True),
    "what dies": lambda m, x, u, v: put(m, m.exp(u), INSIDE, v[:-2] * v[2:]),
    "what dies, from itself": lambda m, x, u, v: (lambda w: put(m, w, INSIDE, w[:-2] - w[2:]))(
        m.exp(u)
    ),
    "what is read later": lambda m, x, u, v: (
        lambda w: put(m, w, INSIDE, v[:-2] * 2 + 1) + w * w.sum()
    )(m.exp(u)),
    "values that are read later": lambda m, x, u, v: (
        lambda y: put(m, u, INSIDE, y)[1:-1] + y[::-1]
    )(v[1:-1] * 2 + 1),
    "two parts": lambda m, x, u, v: put(
        m, put(m, u, slice(0, 2), v[:2] * 3), slice(-2, None), m.tanh(v[:2]), add=True
    ),
    "a part from a part": lambda m, x, u, v: (lambda w: put(m, w, slice(2, 4), w[:2] * w[1:3]))(
        put(m, m.sin(u), slice(0, 2), v[:2] * 3)
    ),
    "a matrix": lambda m, x, u, v: put(m, x, (INSIDE, INSIDE), x[:-2, 1:-1] + x[1:-1, 2:]),
    "a row": lambda m, x, u, v: put(m, x, 2, x[1] * 0.5 + x[0]),
    "a column": lambda m, x, u, v: put(m, x, (slice(None), 1), x[:, 2] * 0.5, add=True),
    "every second, backwards": lambda m, x, u, v: put(m, u, slice(None, None, -2), v[::2] * 2.5),
    "a turned matrix": lambda m, x, u, v: put(m, x.T, (slice(1, 3), INSIDE), x[1:-1, :2].T * 2),
    "everything": lambda m, x, u, v: put(m, u, slice(None), v * 2 + u, add=True),
    "one vector for several rows": lambda m, x, u, v: put(m, x, slice(1, 3), x[0] * 2 + 1),
    "one row for several": lambda m, x, u, v: (
        put(m, x, slice(1, 3), x[:1] * 2 + 1)
        if m is np
        else put(m, x, slice(1, 3), T.addbroadcast(x[:1], 0) * 2 + 1)
    ),
    "rows of one vector": lambda m, x, u, v: put(m, x, (slice(1, 3),), x[:2] * x[0], add=True),
}


# Elementary functions of int8 are of other dtypes in NumPy.
OF_BYTES = [n for n in PROGRAMS if not any(p in n for p in ("dies", "later", "two", "from a part"))]
CASES = [(n, d) for n in PROGRAMS for d in ("float64", "float32", "float16", "complex64")]
CASES += [(n, "int8") for n in OF_BYTES]


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_programs(name: str, dtype: str) -> None:
    random = np.random.default_rng(3)
    program = PROGRAMS[name]
    variables = [T.TensorType(dtype, (False,) * n)() for n in (2, 1, 1)]
    made = program(T, *variables)
    f = theano.function(variables, made, on_unused_input="ignore")
    for rows, columns in [(5, 4), (40, 37)]:
        values = [random.normal(size=s) * 2 for s in [(rows, columns), rows, rows]]
        arrays = [v.astype(dtype) for v in values]
        before = [a.copy() for a in arrays]
        with np.errstate(all="ignore"):
            wanted = np.asarray(program(np, *(np.asarray(a) for a in arrays)))
        if wanted.dtype != dtype:
            wanted = wanted.astype(made.dtype)
        for laid in (lambda a: a, lambda a: np.asfortranarray(a[::-1])[::-1]):
            got = f(*map(laid, arrays))
            limit = {"float16": 1e-2, "float32": 1e-5, "complex64": 1e-5}.get(dtype, 1e-12)
            np.testing.assert_allclose(got, wanted, rtol=limit, atol=limit)
        for array, old in zip(arrays, before, strict=True):
            np.testing.assert_array_equal(array, old)


@pytest.mark.parametrize("add", [False, True])
def test_what_has_one_item_is_broadcast(add: bool) -> None:
    u, v, n = T.dvector(), T.dvector(), T.lscalar()
    f = theano.function([u, v], put(T, T.exp(u), INSIDE, v * 2 + 1, add))
    rows, _ = theano.scan(lambda w: put(T, w, INSIDE, v * 2 + 1, add), outputs_info=u, n_steps=n)
    g = theano.function([u, v, n], rows[-1])
    given = np.arange(6.0)
    for values in (np.asarray([3.0]), np.asarray([3.0, 1.0, 4.0, 1.0])):
        wanted = put(np, np.exp(given), INSIDE, values * 2 + 1, add)
        np.testing.assert_allclose(f(given, values), wanted, rtol=1e-14)
        for steps in (1, 3):
            wanted = given
            for _ in range(steps):
                wanted = put(np, wanted, INSIDE, values * 2 + 1, add)
            np.testing.assert_array_equal(g(given, values, steps), wanted)
    for values in (np.zeros(0), np.zeros(3), np.zeros(7)):
        with pytest.raises(ValueError, match="broadcast"):
            f(given, values)
        with pytest.raises(ValueError, match="broadcast"):
            g(given, values, 2)
    assert f(np.zeros(2), np.zeros(0)).tolist() == [1.0, 1.0]


def test_an_update_that_fails_leaves_what_was() -> None:
    u = T.dvector()
    s = theano.shared(np.arange(6.0))
    f = theano.function([u], updates=[(s, T.set_subtensor(s[1:-1], u * 2 + s[:-2]))])
    with pytest.raises(ValueError):
        f(np.ones(3))
    np.testing.assert_array_equal(s.get_value(), np.arange(6.0))
    f(np.ones(4))
    np.testing.assert_array_equal(s.get_value(), [0, 2, 3, 4, 5, 5])


def test_nothing_is_copied() -> None:
    a, b = T.dmatrix(), T.dmatrix()

    def step(a: Any, b: Any) -> Any:
        b = put(T, b, (INSIDE, INSIDE), a[:-2, 1:-1] + a[2:, 1:-1])
        return put(T, a, (INSIDE, INSIDE), b[1:-1, :-2] + b[1:-1, 2:], add=True), b

    rows, _ = theano.scan(step, outputs_info=[a, b], n_steps=5)
    f = theano.function([a, b], [rows[0][-1], rows[1][-1]])
    program = f.maker.program_text.program
    (loop,) = [i for i in ir.walk(program.body) if isinstance(i, ir.For)]
    launched = [program.kernels[i.kernel] for i in walked(loop.body)]
    assert launched and all(kernel.loop.weight for kernel in launched)


def walked(block: list[Any]) -> Iterator[Any]:
    """Yield what runs kernels where lengths are as they mostly are: they fit."""
    for i in block:
        if isinstance(i, ir.Launch):
            yield i
        elif isinstance(i, ir.If):
            yield from walked(i.then)


def test_constants_are_known_behind_the_branch() -> None:
    numbers = np.arange(1.0, 6.0)
    x, y, m = T.dvector(), T.dvector(), T.dmatrix()
    part = T.set_subtensor(x[1:-1], T.tanh(y * numbers) + numbers)
    f = theano.function([x, y, m], [part, T.cumsum(m * numbers, axis=0), T.dot(m, numbers)])
    given = np.ones(7), np.ones(5), np.ones((2, 5))
    first, second, third = f(*given)
    np.testing.assert_allclose(first, put(np, given[0], INSIDE, np.tanh(numbers) + numbers))
    np.testing.assert_allclose(second, np.cumsum(given[2] * numbers, axis=0))
    np.testing.assert_allclose(third, given[2] @ numbers)


@pytest.mark.parametrize("shape", [(2, 4), (1, 4), (2, 1), (1, 1)])
@pytest.mark.parametrize("add", [False, True])
def test_a_part_of_known_length_is_broadcast_to(shape: tuple[int, ...], add: bool) -> None:
    """Its kernels run without the runtime, which would compile what is missing."""
    s, y = T.dscalar(), T.dmatrix()
    x = T.zeros((5, 7)) + s
    f = theano.function([s, y], put(T, x, (slice(1, 3), slice(1, 5)), y * 2 + 1, add))
    values = np.arange(float(np.prod(shape))).reshape(shape)
    wanted = put(np, np.full((5, 7), 3.0), (slice(1, 3), slice(1, 5)), values * 2 + 1, add)
    np.testing.assert_array_equal(f(3.0, values), wanted)
    x = T.dtensor3()
    f = theano.function([x, y], put(T, x, (slice(0), slice(3, 3), slice(9, 2)), y[None] + 1, add))
    np.testing.assert_array_equal(f(np.ones((2, 3, 1)), np.ones((1, 1))), np.ones((2, 3, 1)))
