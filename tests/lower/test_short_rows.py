"""Reductions of many short rows, whose vectors run over the rows, and of columns, row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower.llvm.kernels.kernel import REDUCTION_BLOCK
from theano._core.lower.llvm.kernels.lanes import SHORT

KINDS = ["bool", "int8", "int16", "int64", "float16", "float32", "float64", "complex128"]
LENGTHS = [1, 2, 3, 4, 5, SHORT, SHORT + 1]
ROWS = [3, 4, 7, 8, 31, 32, 199]


def drawn(shape: tuple[int, ...], kind: str) -> np.ndarray:
    return (np.random.default_rng(3).normal(size=shape) * 4).astype(kind)


def layouts(x: np.ndarray) -> list[np.ndarray]:
    wide = np.zeros((2 * x.shape[0], 2 * x.shape[1]), x.dtype)
    wide[::2, ::2] = x
    return [x, np.asfortranarray(x), wide[::2, ::2]]


@pytest.mark.parametrize("kind", KINDS)
def test_values(kind: str) -> None:
    x = T.TensorType(kind, (False, False))("x")
    if kind == "complex128":
        names = ["sum", "prod"]
    else:
        names = ["sum", "max", "min", "any", "all", "argmax", "argmin"]
    outs = [getattr(x, name)(axis=axis) for name in names for axis in (0, 1)]
    f = theano.function([x], outs)
    for rows in ROWS:
        for length in LENGTHS:
            for given in layouts(drawn((rows, length), kind)):
                wide = given.astype("float64") if kind == "float16" else given
                wanted = [getattr(wide, name)(axis=axis) for name in names for axis in (0, 1)]
                for one, two in zip(f(given), wanted, strict=True):
                    tolerance = 2e-3 if kind == "float16" else 1e-5
                    np.testing.assert_allclose(one, two, rtol=tolerance, atol=20 * tolerance)


@pytest.mark.parametrize("rows", [3, 8, 300, REDUCTION_BLOCK + 1])
@pytest.mark.parametrize("kind", KINDS)
def test_everything_in_short_rows(kind: str, rows: int) -> None:
    x, row = T.TensorType(kind, (False, False))("x"), T.TensorType(kind, (True, False))("row")
    kept, top = (x, x) if kind == "bool" else (x + x, x * row)
    outs = [x.sum(), T.neq(x, 0).all(), top.sum(), kept, kept.sum(), top.sum(axis=0)]
    if kind != "complex128":
        outs += [x.max(), kept.min()]
    f = theano.function([x, row], outs, on_unused_input="ignore")
    wide = {"float16": "float64"}.get(kind, kind)
    for length in [1, 2, 3, 5, 7, SHORT, SHORT + 1, 31, 33]:
        by = drawn((1, length), kind)
        for given in layouts(drawn((rows, length), kind)):
            a, b = given.astype(wide), by.astype(wide)
            two, product = (a, a) if kind == "bool" else (a + a, a * b)
            wanted = [a.sum(), (a != 0).all(), product.sum(), two, two.sum(), product.sum(0)]
            if kind != "complex128":
                wanted += [a.max(), two.min()]
            tolerance = 2e-3 if kind == "float16" else 1e-5
            for one, other in zip(f(given, by), wanted, strict=True):
                slack = tolerance * 20 * np.sqrt(rows * length)
                np.testing.assert_allclose(one, other, rtol=tolerance, atol=slack)


@pytest.mark.parametrize("kind", KINDS)
def test_stores_of_what_lies_apart(kind: str) -> None:
    x, y = (T.TensorType(kind, (False, False))(name) for name in "xy")
    row = T.TensorType(kind, (True, False))("row")
    outs = [x[:, ::-1], x + y, T.stack([x, y], 2)[:, :, 0] + row, T.eq(x, row), x.T + y.T]
    f = theano.function([x, y, row], [T.switch(T.eq(out, out), out, 0 * out) for out in outs])
    for rows in ROWS:
        for length in [1, 2, 3, 7, 15, 16, 17, 63, 64]:
            a, b = drawn((rows, length), kind), drawn((length, rows), kind).T
            for given in layouts(a):
                for other in layouts(np.ascontiguousarray(b)):
                    wanted = [given[:, ::-1], given + other, given + other[:1]]
                    wanted += [given == other[:1], (given + other).T]
                    for one, two in zip(f(given, other, other[:1]), wanted, strict=True):
                        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("kind", KINDS)
def test_short_rows_side_by_side(kind: str) -> None:
    """Parts of rows, whose items lie side by side, and rows that are rolled, in pieces."""
    x, n = T.TensorType(kind, (False, False))("x"), T.lscalar("n")
    f = theano.function([x, n], [T.eq(x[:, :n], x[:, 1 : n + 1]), T.eq(T.roll(x, 1, 1), x)])
    for rows in ROWS:
        for length in (1, 2, 3, 16, 17, 40):
            for a in layouts(drawn((rows, length), kind)):
                for wide in range(min(length, 5)):
                    part, rolled = f(a, wide)
                    np.testing.assert_array_equal(part, a[:, :wide] == a[:, 1 : wide + 1])
                    np.testing.assert_array_equal(rolled, np.roll(a, 1, 1) == a)


@pytest.mark.parametrize("kind", ["int16", "float32", "float64"])
def test_rows_that_are_stored_reduced_and_overwritten(kind: str) -> None:
    """Up to three quarters of a vector, and more."""
    x, v = T.TensorType(kind, (False, False))("x"), T.TensorType(kind, (False,))("v")
    product = x * v[:, None]
    softmax = T.nnet.softmax(x.astype("float64"))
    f = theano.function([x, v], [product, product.max(1), product.sum(1), softmax])
    for rows in ROWS:
        for length in (2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 24, 25, 49):
            for a in layouts(drawn((rows, length), kind)):
                whole, largest, total, shares = f(a, a[:, 0])
                np.testing.assert_array_equal(whole, a * a[:, :1])
                np.testing.assert_array_equal(largest, whole.max(1))
                np.testing.assert_allclose(total, whole.sum(1), rtol=1e-5, atol=1e-4)
                e = np.exp(a - a.max(1, keepdims=True).astype(float))
                np.testing.assert_allclose(shares, e / e.sum(1, keepdims=True), rtol=1e-6)


@pytest.mark.parametrize("width", [128, 256, 512])
@pytest.mark.parametrize("kind", [*KINDS[:-1], "uint8"])
def test_rows_of_few_items_of_every_operand(kind: str, width: int) -> None:
    """What has an item for each row, one row for all, or a place along both."""
    x = T.TensorType(kind, (False,) * 3)("x")
    row, column = T.TensorType(kind, (False,))("row"), T.TensorType(kind, (False,) * 2)("column")
    number = T.arange(x.shape[2], dtype="int8")
    whole = x * row + column[:, :, None]
    outs = [whole.max(axis=2), (x * number).sum(axis=2), (x * row).min(axis=(0, 2))]
    with theano.config.change_flags(vector_width=width):
        f = theano.function([x, row, column], outs)
    for length in (1, 2, 3, 4, 5):
        for rows in (0, 1, 7, 70, 200):
            a = np.abs(drawn((3, rows, length), "float32")).astype(kind)
            by, per = a[0, 0] if rows else np.ones(length, kind), a[:, :, 0]
            for given in (a, np.asfortranarray(a), a[::-1, ::-1, ::-1], a[:, ::2]):
                per = np.ascontiguousarray(given[:, :, 0])
                wanted = [(given * by + per[:, :, None]).max(2)]
                wanted += [(given * np.arange(length, dtype="int8")).sum(2)]
                wanted += [(given * by).min((0, 2))]
                for one, two in zip(f(given, by, per), wanted, strict=True):
                    np.testing.assert_allclose(one, two, rtol=3e-3 if kind == "float16" else 1e-6)


def test_vectors_run_across_rows_of_two_items_of_wider_arrays() -> None:
    x, n = T.dmatrix("x"), T.lscalar("n")
    f = theano.function([x, n], T.sort(x, axis=1)[:, :n] * 2)
    layouts = [(kernel.layout, kernel.groups) for kernel in f.maker.kernels]
    assert ("strided", [[1], [0]]) in layouts and ("strided", [[0], [1]]) not in layouts
    a = drawn((50, 20), "float64")
    for wide in range(5):
        np.testing.assert_array_equal(f(a, wide), np.sort(a, 1)[:, :wide] * 2)


def test_stores_of_short_rows_of_more_axes() -> None:
    x, y = T.ftensor4("x"), T.ftensor4("y")
    f = theano.function([x, y], [x * 2 - y, x.dimshuffle(3, 1, 2, 0) + y.dimshuffle(3, 1, 2, 0)])
    for shape in [(3, 2, 70, 4), (70, 1, 1, 5), (2, 80, 1, 3), (0, 70, 70, 3), (2, 70, 0, 3)]:
        one, two = drawn(shape, "float32"), drawn(shape[::-1], "float32").T
        for a, b in ((one, two), (two, one), (one[:, :, ::-1], one)):
            results = f(a, b)
            np.testing.assert_array_equal(results[0], a * 2 - b)
            np.testing.assert_array_equal(results[1], np.transpose(a + b, (3, 1, 2, 0)))


def test_expressions_of_short_rows() -> None:
    x, c = T.dtensor3("x"), T.dvector("c")
    centred = x - c
    outs = [
        T.log(T.sum(T.exp(centred), axis=2)),
        T.sum(centred**2, axis=(1, 2)),
        T.max(x * T.arange(x.shape[2]), axis=2),
        T.sum(x, axis=1),
    ]
    f = theano.function([x, c], outs)
    for shape in [(70, 3, 2), (2, 100, 3), (65, 1, 4), (0, 70, 3), (70, 0, 3), (9, 70, 1)]:
        given, by = drawn(shape, "float64") / 4, drawn(shape[-1:], "float64")
        diff = given - by
        wanted = [np.log(np.exp(diff).sum(2)), (diff**2).sum((1, 2))]
        wanted += [(given * np.arange(shape[2])).max(2), given.sum(1)]
        for one, two in zip(f(given, by), wanted, strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_bits_do_not_depend_on_threads_or_vectors(kind: str) -> None:
    x = T.TensorType(kind, (False, False))("x")
    outs: list[Any] = [
        T.sum(T.exp(x), axis=1),
        T.sum(x, axis=0),
        x.var(axis=1),
        T.argmax(x, axis=1),
    ]
    given = drawn((50_000, 3), kind)
    results = []
    for width in (0, 128, 256):
        with theano.config.change_flags(vector_width=width):
            f = theano.function([x], outs)
        for count in (1, 3):
            with theano.config.change_flags(threads=count):
                results.append(f(given))
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("width", [128, 256, 512])
@pytest.mark.parametrize("kind", ["bool", "uint8", "int16", "float32", "float64", "complex64"])
def test_parts_of_images_however_they_are_cut(kind: str, width: int) -> None:
    x, y = T.TensorType(kind, (False,) * 4)("x"), T.TensorType(kind, (False,) * 4)("y")
    v = T.TensorType(kind, (False,))("v")
    cuts = [
        lambda a: a[:, ::-1],
        lambda a: a[:, :, ::-1],
        lambda a: a[..., ::-1],
        lambda a: a[::-1, 1:-1, 2:-1],
        lambda a: a[:, :, ::2],
        lambda a: a[:, ::-2, 1:, :1],
    ]
    both = T.and_ if kind == "bool" else T.add
    plain = np.logical_and if kind == "bool" else np.add
    with theano.config.change_flags(vector_width=width):
        outs = [both(cut(x), cut(y)) for cut in cuts] + [cut(x).flatten() for cut in cuts]
        f = theano.function([x, y, v], [*outs, both(x[:, ::-1], v)])
    for shape in [(2, 7, 9, 3), (1, 20, 70, 4), (2, 3, 130, 1), (3, 1, 1, 5), (2, 5, 0, 3)]:
        a, b, c = drawn(shape, kind), drawn(shape, kind), drawn(shape[-1:], kind)
        wide = np.zeros((*shape[:-1], shape[-1] + 2), kind)
        wide[..., 1:-1] = a
        for given in (a, wide[..., 1:-1], a[:, :, ::-1], np.asfortranarray(a)):
            wanted = [plain(cut(given), cut(b)) for cut in cuts]
            wanted += [cut(given).ravel() for cut in cuts] + [plain(given[:, ::-1], c)]
            for one, two in zip(f(given, b, c), wanted, strict=True):
                np.testing.assert_array_equal(one, two)


def test_strided_complex_numbers_beside_integers_of_their_size() -> None:
    z, i, x = T.cmatrix("z"), T.lmatrix("i"), T.fmatrix("x")
    f = theano.function([z, i, x], [z.T + x, T.switch(T.eq(i.T, 1), z.T, x), (z.T * i.T).sum(1)])
    one, two, three = drawn((20, 9), "complex64"), drawn((20, 9), "int64") % 2, drawn((9, 20), "f4")
    one = (one * (1 + 2j)).astype("complex64")
    got = f(one, two, three)
    np.testing.assert_array_equal(got[0], one.T + three)
    np.testing.assert_array_equal(got[1], np.where(two.T == 1, one.T, three))
    np.testing.assert_allclose(got[2], (one.T * two.T).sum(1), rtol=1e-5)


@pytest.mark.parametrize("kind", ["float32", "float64", "int64", "complex64"])
def test_many_small_matrices(kind: str) -> None:
    a, x = T.TensorType(kind, (False,) * 3)("a"), T.TensorType(kind, (False, False))("x")
    turned = a * x[:, None, :]
    outs = [turned.sum(2), (a + x[:, :, None]).prod(1), turned - x[:, :, None], turned.sum((1, 2))]
    f = theano.function([a, x], outs)
    shapes = [(n, k) for n in (0, 1, 5, 8, 9, 64, 300) for k in (1, 2, 3, 4, 7)]
    for n, k in shapes:
        one, two = drawn((n, k, k), kind), drawn((n, k), kind)
        for given in (one, one[::-1], one.transpose(0, 2, 1), np.asfortranarray(one)):
            product = given * two[:, None, :]
            wanted = [product.sum(2), (given + two[:, :, None]).prod(1)]
            wanted += [product - two[:, :, None], product.sum((1, 2))]
            for got, right in zip(f(given, two), wanted, strict=True):
                np.testing.assert_allclose(got, right, rtol=1e-4, atol=1e-3)


def test_vectors_run_over_points_of_small_matrices() -> None:
    a, x = T.dtensor3("a"), T.dmatrix("x")
    f = theano.function([a, x], (a * x[:, None, :]).sum(axis=2))
    one, two = drawn((50_000, 3, 3), "float64"), drawn((50_000, 3), "float64")
    results = []
    for count in (1, 3):
        with theano.config.change_flags(threads=count):
            results.append(f(one, two))
    layouts = [(k.layout, k.groups) for k in f.maker.kernels if hasattr(k, "layout")]
    assert ("strided", [[1], [2], [0]]) in layouts
    np.testing.assert_array_equal(*results)
    # Terms are added from the first one on.
    wanted = one[:, :, 0] * two[:, :1] + one[:, :, 1] * two[:, 1:2] + one[:, :, 2] * two[:, 2:]
    np.testing.assert_array_equal(results[0], wanted)


def test_matrices_that_are_known_to_be_without_gaps() -> None:
    table, i = T.dmatrix("table"), T.lmatrix("i")
    f = theano.function([table, i], [table[i].max(axis=1), table[i].sum(axis=2)])
    items = drawn((9, 3), "float64")
    for shape in ((40, 3), (40, 12), (2, 5)):
        at = np.arange(shape[0] * shape[1]).reshape(shape) % 9
        largest, total = f(items, at)
        np.testing.assert_array_equal(largest, items[at].max(axis=1))
        np.testing.assert_allclose(total, items[at].sum(axis=2), rtol=1e-12, atol=1e-12)
