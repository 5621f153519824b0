"""Loops over short rows that store items and fold rows run as two."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower.builder.parted_loops import LEAST_ROWS
from theano._core.runtime import native

RANDOM = np.random.default_rng(3)
LENGTHS = (0, 1, 2, 3, 7, 8, 9, 12, 13, 16, 17, 20, 24, 25, 31, 33, 50)
ROWS = (0, 1, LEAST_ROWS - 1, LEAST_ROWS, 129, 1000)


def drawn(shape: tuple[int, ...], kind: str) -> np.ndarray:
    return RANDOM.integers(-3, 4, shape).astype(kind)


def stored_and_folded(x: Any, v: Any) -> list[Any]:
    d = x - v[:, None]
    return [d, d.sum(axis=1), (d * d).sum(axis=1)]


@pytest.mark.parametrize("width", [128, 256, 512])
@pytest.mark.parametrize("kind", ["int8", "int32", "int64", "float32", "float64", "complex64"])
def test_rows_of_every_length(kind: str, width: int) -> None:
    x, v = T.matrix(dtype=kind), T.vector(dtype=kind)
    with theano.config.change_flags(vector_width=width):
        f = theano.function([x, v], stored_and_folded(x, v))
        again = theano.function([x, v], stored_and_folded(x + x, v))
    for length in LENGTHS:
        for rows in ROWS:
            a, b = drawn((rows, length), kind), drawn((rows,), kind)
            for given in (a, a[::-1, ::-1], np.asfortranarray(a)):
                for function, matrix in ((f, given), (again, given + given)):
                    wanted = stored_and_folded(matrix, b)
                    for one, two in zip(function(given, b), wanted, strict=True):
                        np.testing.assert_array_equal(one, two.astype(one.dtype))


def both_ways(f: Any) -> bool:
    """Tell whether a function has a loop that stores and folds, and one that only folds that."""
    loops = [k.loop for k in f.maker.program_text.kernels if hasattr(k, "loop")]
    together = any(loop.stores and loop.reductions for loop in loops)
    return together and any(loop.reduced == (1,) and not loop.stores for loop in loops)


def test_which_loops_are_parted() -> None:
    x, v = T.fmatrix("x"), T.fvector("v")
    e = T.exp(x - v[:, None])
    assert both_ways(theano.function([x, v], [e, e.sum(axis=1)]))
    # What is folded is dear, or made of what is not stored; or whole columns are folded.
    assert not both_ways(theano.function([x, v], [e, T.tanh(e).sum(axis=1)]))
    assert not both_ways(theano.function([x, v], [e, (e + x).sum(axis=1)]))
    assert not both_ways(theano.function([x, v], [e, e.sum(axis=0)]))
    known = x.reshape((100, 10))
    twice = theano.function([x], [known * 2, (known * 2).sum(axis=1)])
    loops = [k.loop for k in twice.maker.program_text.kernels if hasattr(k, "loop")]
    assert not any(loop.stores and loop.reductions for loop in loops)


def test_softmax_with_what_is_not_finite() -> None:
    x = T.fmatrix("x")
    f, g = theano.function([x], T.nnet.softmax(x)), theano.function([x], T.nnet.logsoftmax(x))
    for length in (2, 10, 20, 24, 40):
        a = RANDOM.normal(size=(300, length)).astype("float32") * 10
        a[3, 0], a[5, 1], a[7] = -np.inf, np.nan, 1e30
        e = np.exp(a - a.max(axis=1, keepdims=True), dtype="float64")
        wanted = e / e.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(f(a), wanted, rtol=1e-5, atol=1e-30)
        rows = np.isfinite(a).all(axis=1)
        np.testing.assert_allclose(np.exp(g(a))[rows], wanted[rows], rtol=1e-4, atol=1e-30)


def test_in_steps_of_a_loop_and_in_updates() -> None:
    table = theano.shared(drawn((200, 5), "float64"))
    y = table * 0.5 + 1
    update = theano.function([], y.sum(axis=1), updates=[(table, y)])
    expected = table.get_value() * 0.5 + 1
    np.testing.assert_array_equal(update(), expected.sum(axis=1))
    np.testing.assert_array_equal(table.get_value(), expected)
    x = T.dmatrix("x")
    states, _ = theano.scan(lambda h: T.nnet.softmax(T.tanh(h) * 3), outputs_info=x, n_steps=4)
    f = theano.function([x], states[-1])
    h = a = RANDOM.normal(size=(200, 5))
    for _ in range(4):
        e = np.exp(np.tanh(h) * 3)
        h = e / e.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(f(a), h, rtol=1e-12)


@pytest.mark.parametrize("shape", [(100_003, 10), (50_001, 20)])
def test_threads_have_the_same_bits(shape: tuple[int, int]) -> None:
    x = T.fmatrix("x")
    f = theano.function([x], T.nnet.softmax(x))
    a, count, results = RANDOM.normal(size=shape).astype("float32"), native.get_threads(), []
    try:
        for threads in (1, 2, 4):
            native.set_threads(threads)
            results.append(f(a).tobytes())
    finally:
        native.set_threads(count)
    assert results[0] == results[1] == results[2]
