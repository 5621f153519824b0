"""Reductions of rows of some items, of which kernels reduce several at once."""

from __future__ import annotations

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower.llvm.kernels import rows_at_once
from theano._core.lower.llvm.target.codegen import smallest_masked_item
from theano._core.runtime import native

KINDS = ["int8", "uint16", "int32", "int64", "float32", "float64", "complex64", "complex128"]
LENGTHS = [1, 4, 5, 6, 8, 9, 15, 16, 17, 31, 33, 64, 100, 255, 256, 257, 513]
ROWS = [1, 7, 8, 9, 16, 33]


def drawn(shape: tuple[int, ...], kind: str) -> np.ndarray:
    values = np.random.default_rng(3).normal(size=(2, *shape)) * 3
    return (values[0] + 1j * values[1] if kind.startswith("complex") else values[0]).astype(kind)


def assert_near(one: np.ndarray, two: np.ndarray, kind: str) -> None:
    slack = 1e-4 if kind in ("float32", "complex64") else 1e-11
    np.testing.assert_allclose(one, two, rtol=slack, atol=slack)


@pytest.mark.parametrize("width", [0, 256, 128])
@pytest.mark.parametrize("kind", KINDS)
def test_values(kind: str, width: int) -> None:
    x = T.TensorType(kind, (False, False))("x")
    real = not kind.startswith("complex")
    with theano.config.change_flags(vector_width=width):
        fs = [theano.function([x], x.sum(axis=1)), theano.function([x], T.sum(x * x, axis=1))]
        fs += [theano.function([x], x.max(axis=1))] if real else []
        both = theano.function([x], [x.sum(axis=1), T.sum(x * x, axis=1)])
    for rows in ROWS:
        for length in LENGTHS:
            a = drawn((rows, length), kind)
            wide = a.astype({"float32": "float64", "complex64": "complex128"}.get(kind, kind))
            wanted = [wide.sum(axis=1), (wide * wide).sum(axis=1)]
            for f, value in zip(fs, [*wanted, *([wide.max(axis=1)] if real else [])], strict=True):
                assert_near(f(a), value, kind)
            for one, two in zip(both(a), wanted, strict=True):
                assert_near(one, two, kind)


@pytest.mark.parametrize("kind", ["float32", "float64", "int32"])
def test_what_is_the_same_for_rows_or_columns(kind: str) -> None:
    x, columns = (T.TensorType(kind, (False,) * n)(str(n)) for n in (3, 1))
    rows = T.TensorType(kind, (False, False, True))("rows")
    f = theano.function([x, rows, columns], [T.sum(x - rows, axis=2), T.max(x * columns, axis=2)])
    for length in LENGTHS:
        a, b, c = (drawn(shape, kind) for shape in ((3, 17, length), (3, 17, 1), (length,)))
        total, top = f(a, b, c)
        assert_near(total, (a - b).astype("float64").sum(axis=2), kind)
        assert_near(top, (a * c).max(axis=2), kind)


@pytest.mark.parametrize("kind", ["int16", "float32", "float64", "complex128"])
def test_rows_of_parts(kind: str) -> None:
    x, y = (T.TensorType(kind, (False, False))(name) for name in "xy")
    outs = [T.sum(x[:, 1:] - x[:, :-1], axis=1), T.sum(x[::2, 2:] * y[:, 1:-1], axis=1)]
    f = theano.function([x, y], outs)
    for length in (5, 7, 10, 18, 35, 130):
        wide, y_value = drawn((41, length), kind), drawn((21, length), kind)
        for a in (wide, np.asfortranarray(wide), wide[::-1]):
            before = "complex128" if kind.startswith("complex") else "float64"
            differences = (a[:, 1:] - a[:, :-1]).astype(before).sum(axis=1)
            products = (a[::2, 2:] * y_value[:, 1:-1]).astype(before).sum(axis=1)
            for one, two in zip(f(a, y_value), (differences, products), strict=True):
                assert_near(one, two, kind)


def test_results_that_lie_apart() -> None:
    x = T.matrix("x", dtype="float64")
    f = theano.function([x], T.stack([x[:, 1:].sum(axis=1), x.max(axis=1)], axis=1))
    for length in (6, 12, 50):
        a = drawn((40, length), "float64")
        np.testing.assert_allclose(f(a), np.stack([a[:, 1:].sum(1), a.max(1)], 1), 1e-12, 1e-12)


def test_items_that_are_no_numbers() -> None:
    x = T.matrix("x", dtype="float32")
    f = theano.function([x], [x.max(axis=1), x.sum(axis=1)])
    for length in LENGTHS:
        a = drawn((20, length), "float32")
        for row, value in enumerate([np.nan, np.inf, -np.inf, -0.0]):
            a[row, length // 2] = value
        a[4] = -0.0
        top, total = f(a)
        np.testing.assert_array_equal(top, a.max(axis=1))
        np.testing.assert_allclose(total, a.sum(axis=1, dtype="float64"), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("length", [5, 13, 100])
def test_bits_on_threads(length: int) -> None:
    x, before = T.matrix("x", dtype="float64"), native.get_threads()
    f = theano.function([x], [x.sum(axis=1), T.prod(1 + x / 100, axis=1)])
    a = drawn((100_003, length), "float64")
    try:
        native.set_threads(1)
        alone = f(a)
        for threads in (2, 3, 8):
            native.set_threads(threads)
            for one, two in zip(f(a), alone, strict=True):
                assert (one == two).all()
    finally:
        native.set_threads(before)


def test_which_kernel_runs() -> None:
    x = T.matrix("x", dtype="float32")
    kernels = theano.function([x], x.sum(axis=1)).maker.kernels
    at_once = [k for k in kernels if getattr(k, "flat", False)]
    # Only processors that have masks run it.
    assert [k.eager for k in at_once] == [True] * (0 < smallest_masked_item(0) <= 4)
    for slow in (T.exp(x), T.sqrt(x), 1 / x, T.cast(x, "int64") % 3):
        kernels = theano.function([x], slow.sum(axis=1)).maker.kernels
        assert not any(getattr(k, "flat", False) for k in kernels)


@pytest.mark.parametrize("size", [2, 4, 8])
@pytest.mark.parametrize("lanes", [2, 4, 8, 16])
def test_the_order_of_rows(lanes: int, size: int) -> None:
    count = min(rows_at_once.MOST, lanes)
    order = rows_at_once._order(count, lanes, size)
    vectors = [[(order.index(row), lane) for lane in range(lanes)] for row in range(count)]
    part = lanes
    while len(vectors) > 1:
        part //= 2
        one, two = rows_at_once._halves([lanes // (2 * part)] * 2, part, size)
        pairs = zip(vectors[::2], vectors[1::2], strict=True)
        joined = [(x + y, x + y) for x, y in pairs]
        for low, high in joined:
            for i, j in zip(one, two, strict=True):
                assert low[i][0] == high[j][0]
        vectors = [[low[i] for i in one] for low, _ in joined]
    assert [row for row, _ in vectors[0]] == sorted([*range(count)] * (lanes // count))
