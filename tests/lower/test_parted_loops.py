"""Loops over short rows that store items and reduce rows run as two."""

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


def stored_and_reduced(x: Any, v: Any) -> list[Any]:
    d = x - v[:, None]
    return [d, d.sum(axis=1), (d * d).sum(axis=1)]


@pytest.mark.parametrize("width", [128, 256, 512])
@pytest.mark.parametrize("kind", ["int8", "int32", "int64", "float32", "float64", "complex64"])
def test_rows_of_every_length(kind: str, width: int) -> None:
    x, v = T.matrix(dtype=kind), T.vector(dtype=kind)
    with theano.config.change_flags(vector_width=width):
        f = theano.function([x, v], stored_and_reduced(x, v))
        again = theano.function([x, v], stored_and_reduced(x + x, v))
    for length in LENGTHS:
        for rows in ROWS:
            a, b = drawn((rows, length), kind), drawn((rows,), kind)
            for given in (a, a[::-1, ::-1], np.asfortranarray(a)):
                for function, matrix in ((f, given), (again, given + given)):
                    wanted = stored_and_reduced(matrix, b)
                    for one, two in zip(function(given, b), wanted, strict=True):
                        np.testing.assert_array_equal(one, two.astype(one.dtype))


def both_ways(f: Any) -> bool:
    """Tell whether a function has a loop that stores and reduces, and one that reduces that."""
    loops = [k.loop for k in f.maker.program_text.kernels if hasattr(k, "loop")]
    together = any(loop.stores and loop.reductions for loop in loops)
    return together and any(loop.reduced == (1,) and not loop.stores for loop in loops)


def test_which_loops_are_parted() -> None:
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


def of_columns(x: Any, v: Any, w: Any) -> list[Any]:
    """Return sums over columns and rows of what has one row for all, one item a row, and both."""
    a, b, c = x - v, x * w[:, None], (x - v) * w[:, None]
    return [
        *(part.sum() for part in (a, b, c)),
        *((part * part).sum(axis=0) for part in (a, b, c)),
        *(part.max() for part in (a, b, c)),
    ]


def of_columns_and_stored(x: Any, v: Any, w: Any) -> list[Any]:
    a, b = x - v, x * w[:, None]
    return [a, a.sum(), b, b.sum(axis=0), (b * x + x).sum()]


@pytest.mark.parametrize("width", [128, 512])
@pytest.mark.parametrize("made", [of_columns, of_columns_and_stored])
@pytest.mark.parametrize("kind", ["int8", "int64", "float32", "float64", "complex64"])
def test_short_rows_that_are_reduced_in_turn(kind: str, made: Any, width: int) -> None:
    x, v, w = T.matrix(dtype=kind), T.vector(dtype=kind), T.vector(dtype=kind)
    if kind == "complex64" and made is of_columns:
        return  # has no largest item
    with theano.config.change_flags(vector_width=width):
        f = theano.function([x, v, w], made(x, v, w))
    for length in (1, 2, 4, 6, 11, 12, 13, 17, 32, 33, 128):
        for rows in (1, 255, 256, 2100):
            a, b, c = (drawn(s, kind) for s in ((rows, length), (length,), (rows,)))
            for given in (a, a[::-1, ::-1], np.asfortranarray(a)):
                for one, two in zip(f(given, b, c), made(given, b, c), strict=True):
                    np.testing.assert_array_equal(one, np.asarray(two).astype(one.dtype))


@pytest.mark.parametrize("width", [128, 512])
@pytest.mark.parametrize("kind", ["int8", "int64", "float16", "float32", "float64", "bool"])
def test_rows_that_are_reduced_before_other_axes(kind: str, width: int) -> None:
    x, v = T.tensor3(dtype=kind), T.vector(dtype=kind)
    y = x | v if kind == "bool" else x * v
    axes = (0, 2)
    outputs = [T.sum(y, axis=axes), T.max(x, axis=axes), T.any(x, axis=axes), T.min(y, axis=axes)]
    results = []
    for threads in (1, 3):
        with theano.config.change_flags(vector_width=width, threads=threads):
            f = theano.function([x, v], outputs)
            generator = np.random.default_rng(5)
            for shape in [
                (1, 64, 1),
                (70, 3, 2),
                (40, 5, 16),
                (9, 30, 17),
                (300, 4, 100),
                (7, 2, 129),
            ]:
                a, b = (generator.integers(-3, 4, s).astype(kind) for s in (shape, shape[2:]))
                for given in (a, a[::-1, :, ::-1], np.asfortranarray(a)):
                    got = f(given, b)
                    z = given | b if kind == "bool" else given * b
                    total = z.sum(axes, "float64" if kind.startswith("float") else got[0].dtype)
                    np.testing.assert_array_equal(got[0], total.astype(got[0].dtype))
                    wanted = [given.max(axes), given.any(axes), z.min(axes)]
                    for one, two in zip(got[1:], wanted, strict=True):
                        np.testing.assert_array_equal(one, two)
                if kind.startswith("float"):
                    results.append(f(generator.normal(size=shape).astype(kind), b)[0].tobytes())
    assert results[: len(results) // 2] == results[len(results) // 2 :]


@pytest.mark.parametrize("shape", [(0, 2, 3), (2, 0, 3), (2, 3, 0), (70, 2, 0)])
def test_rows_of_nothing(shape: tuple[int, ...]) -> None:
    x = T.tensor3()
    assert not theano.function([x], x.sum(axis=(0, 2)))(np.zeros(shape, x.dtype)).any()
    if 0 in shape[::2]:
        with pytest.raises(ValueError, match="zero-size array"):
            theano.function([x], x.max(axis=(0, 2)))(np.zeros(shape, x.dtype))


def test_reductions_in_turn_of_more_axes_and_what_is_overwritten() -> None:
    x, v = T.tensor3("x"), T.vector("v")
    e = (x - v) ** 2
    f = theano.function([x, v], [e.sum(), e.sum(axis=(1, 2)), e.sum(axis=(0, 1)), e.sum(axis=0)])
    a, b = drawn((5, 700, 3), "float64"), drawn((3,), "float64")
    wanted = (a - b) ** 2
    for got, axes in zip(f(a, b), (None, (1, 2), (0, 1), 0), strict=True):
        np.testing.assert_array_equal(got, wanted.sum(axis=axes))
    # The reduction reads what the new value of the shared variable overwrites.
    table = theano.shared(drawn((2000, 4), "float64"))
    step = T.dvector("step")
    moved = table - step
    update = theano.function([step], T.exp(moved / 9).sum(), updates=[(table, moved)])
    old, steps = table.get_value(), drawn((4,), "float64")
    np.testing.assert_allclose(update(steps), np.exp((old - steps) / 9).sum(), rtol=1e-13)
    np.testing.assert_array_equal(table.get_value(), old - steps)


@pytest.mark.parametrize("kind", ["int32", "float32", "float64"])
def test_short_rows_that_lie_apart(kind: str) -> None:
    def made(x: Any) -> list[Any]:
        step = x[:, 1:] - x[:, :-1]
        return [(step * step).sum(), step.sum(), x[:, ::2].max(), (x[:, 1:] * 2).sum(axis=0)]

    x = T.matrix(dtype=kind)
    f = theano.function([x], made(x))
    g = theano.function([x], T.inc_subtensor((x * 2)[:, 1:], x[:, :-1]))
    image = T.tensor3(dtype=kind)
    inside = theano.function([image], (image[:, 2:-2] * 3).sum())
    for length in (2, 3, 5, 8, 9, 12, 13, 14):
        for rows in (1, 255, 256, 1000):
            a = drawn((rows, length), kind)
            for given in (a, a[::-1, ::-1], np.asfortranarray(a)):
                for one, two in zip(f(given), made(given), strict=True):
                    np.testing.assert_array_equal(one, two)
                wanted = given * 2
                wanted[:, 1:] += given[:, :-1]
                np.testing.assert_array_equal(g(given), wanted)
        a = drawn((7, 300, length), kind)
        for given in (a, a[:, ::-1], np.asfortranarray(a)):
            np.testing.assert_array_equal(inside(given), (given[:, 2:-2] * 3).sum())


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("length", [3, 12, 31, 100])
def test_reductions_in_turn_have_the_same_bits(length: int, kind: str) -> None:
    """On any number of threads."""
    x, v, w = T.matrix(dtype=kind), T.vector(dtype=kind), T.vector(dtype=kind)
    e, g = T.exp(x - v), T.exp(x - w[:, None])
    outputs = [e, e.sum(), g.sum(), (g * g).sum(axis=0), e.sum(axis=0), g]
    shapes = (60_003, length), (length,), (60_003,)
    given = [RANDOM.normal(size=shape).astype(kind) for shape in shapes]
    count, f, results = native.get_threads(), theano.function([x, v, w], outputs), []
    try:
        for threads in (1, 2, 3):
            native.set_threads(threads)
            results.append([r.tobytes() for r in f(*given)])
    finally:
        native.set_threads(count)
    assert all(result == results[0] for result in results)
