"""Operands that loops over short last axes read again and again are laid out anew before."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower.builder import laid_out

KINDS = ["bool", "int8", "int64", "float16", "float32", "float64", "complex64", "complex128"]
# Read so often, in so many rows, of such a length.
SHAPES = [
    (outer, rows, length)
    for outer in (1, laid_out.FEWEST - 1, laid_out.FEWEST, 40)
    for rows, length in [(1, 3), (5, 2), (8, 3), (31, 4), (33, 12), (70, 13), (9, 40), (64, 1)]
] + [(0, 9, 3), (9, 0, 3), (9, 9, 0)]


def drawn(shape: tuple[int, ...], kind: str, seed: int) -> np.ndarray:
    found = np.random.default_rng(seed).normal(size=shape) * 3
    if kind.startswith("float") and found.size:
        found.flat[found.size // 2] = np.nan
    return found.astype(kind)


def unaligned(x: np.ndarray) -> np.ndarray:
    memory = np.empty(x.nbytes + 1, "int8")
    moved = memory[1:].view(x.dtype).reshape(x.shape)
    moved[...] = x
    return moved


@pytest.mark.parametrize("kind", KINDS)
@np.errstate(over="ignore")
def test_reductions_of_rows_that_are_the_same_for_all(kind: str) -> None:
    x, y, w = (T.TensorType(kind, (False,) * n)(name) for n, name in ((2, "x"), (2, "y"), (2, "w")))
    both = x[:, None, :] * y
    outs = [both.sum(axis=2), (both * w[:, :, None]).sum(axis=2), both.prod(axis=2)]
    if not kind.startswith("complex"):
        outs += [both.max(axis=2)]
    f = theano.function([x, y, w], outs)
    for outer, rows, length in SHAPES:
        one, two = drawn((outer, length), kind, 1), drawn((rows, length), kind, 2)
        if not length:
            one, two = one[:, :0], two[:, :0]
        weights = drawn((outer, rows), kind, 3)
        wide = "float32" if kind == "float16" else kind
        product = one[:, None, :] * two
        wanted = [
            product.astype(wide).sum(axis=2, dtype=outs[0].dtype),
            (product * weights[:, :, None]).astype(wide).sum(axis=2, dtype=outs[1].dtype),
            product.astype(wide).prod(axis=2, dtype=outs[2].dtype),
        ]
        if len(outs) > 3 and length:
            wanted.append(product.max(axis=2))
        for a, b in [(one, two), (np.asfortranarray(one), two), (unaligned(one), unaligned(two))]:
            if not length:
                continue
            for got, value in zip(f(a, b, weights), wanted, strict=True):
                tolerance = 4e-3 if kind == "float16" else 1e-5
                np.testing.assert_allclose(got, value, rtol=tolerance, atol=tolerance * 50)


@pytest.mark.parametrize("kind", KINDS)
def test_parts_that_are_the_same_along_a_short_axis(kind: str) -> None:
    x = T.TensorType(kind, (False,) * 3)("x")
    by_row, by_column = (T.TensorType(kind, (False,))(name) for name in ("by_row", "by_column"))
    outs = [x * by_row[:, None], x * by_row[:, None] + by_column, (x * by_row[:, None]).sum(axis=0)]
    f = theano.function([x, by_row, by_column], outs)
    for shape in SHAPES:
        given = drawn(shape, kind, 4)
        rows, columns = drawn(shape[1:2], kind, 5), drawn(shape[2:], kind, 6)
        wide = "float32" if kind == "float16" else kind
        product = given * rows[:, None]
        wanted = [product, product + columns, product.astype(wide).sum(0, dtype=outs[2].dtype)]
        layouts = [given, np.asfortranarray(given), given[::-1, ::-1][::-1, ::-1], unaligned(given)]
        for one in layouts:
            found = f(one, rows, columns)
            np.testing.assert_array_equal(found[0], wanted[0])
            np.testing.assert_array_equal(found[1], wanted[1])
            tolerance = 4e-3 if kind == "float16" else 1e-5
            np.testing.assert_allclose(found[2], wanted[2], rtol=tolerance, atol=tolerance * 50)


@pytest.mark.parametrize("kind", ["bool", "int8", "float16", "float32", "float64", "complex128"])
def test_parts_of_images_whose_channels_are_last(kind: str) -> None:
    x, w = T.TensorType(kind, (False,) * 4)("x"), T.TensorType(kind, (False,) * 2)("w")
    by_column = T.TensorType(kind, (False,))("by_column")
    inside = x[:, 1:-1, 1:-1]
    terms = [x[:, i : x.shape[1] - 2 + i, 1:-1] * w[i] for i in range(3)]
    terms += [x[:, 1:-1, i : x.shape[2] - 2 + i] * w[i + 3] for i in range(3)]
    outs = [inside * w[0] + w[1], inside * by_column[:, None], sum(terms[1:], terms[0])]
    f = theano.function([x, w, by_column], outs)
    assert "kernel copy" in theano.printing.debugprint(f, program=True, file="str")
    for outer in (1, laid_out.FEWEST):
        for rows, length in [(5, 3), (4, 16), (31, 17), (3, 40), (20, 1), (2, 3), (7, 0)]:
            wide = drawn((outer, 9, rows + 2, length + 2), kind, 1)
            weights, columns = drawn((6, length), kind, 2), drawn((rows,), kind, 3)
            given = wide[..., :length]
            every = [given, given.copy(), np.asfortranarray(given), given[:, ::-1, ::-1, ::-1]]
            for one in (*every, unaligned(given), every[1][:, ::-1], every[1][:, :, ::-1]):
                part = one[:, 1:-1, 1:-1]
                wanted = [part * weights[0] + weights[1], part * columns[:, None]]
                stencil = [one[:, i : 7 + i, 1:-1] * weights[i] for i in range(3)]
                stencil += [one[:, 1:-1, i : rows + i] * weights[i + 3] for i in range(3)]
                found = f(one, weights, columns)
                for got, value in zip(found, [*wanted, sum(stencil[1:], stencil[0])], strict=True):
                    np.testing.assert_array_equal(got, value)


@pytest.mark.parametrize("kind", ["uint8", "float32", "complex128"])
def test_parts_that_lie_backwards_or_apart(kind: str) -> None:
    x, w, v = (T.TensorType(kind, (False,) * n)(name) for n, name in ((3, "x"), (2, "w"), (2, "v")))

    def products(x: Any, w: Any, v: Any) -> list[Any]:
        # Rows are one after the other, and the whole is not.
        by_row = [x[::2] * part[:, None] for part in (w[::-1, 1], w[:, 0], w.T[1, ::-1])]
        return by_row + [x[::2] * part for part in (v[0, ::-1], v[1], v.T[::-1, 0])]

    f = theano.function([x, w, v], products(x, w, v))
    for rows, length in [(7, 5), (9, 3), (33, 7), (5, 40)]:
        given = [drawn(shape, kind, 1) for shape in ((40, rows, length), (rows, 2), (2, length))]
        for one in (given, list(map(np.asfortranarray, given)), list(map(unaligned, given))):
            for got, wanted in zip(f(*one), products(*given), strict=True):
                np.testing.assert_array_equal(got, wanted)


def test_bits_depend_on_neither_threads_nor_vectors() -> None:
    x, y = T.dmatrix("x"), T.dmatrix("y")
    d = x[:, None, :] - y
    outs = [(d * d).sum(axis=2), T.exp(-(d * d)).sum(axis=2)]
    one, two = np.random.default_rng(7).normal(size=(2, 600, 3))
    results = []
    for width in (0, 128, 256):
        with theano.config.change_flags(vector_width=width):
            f = theano.function([x, y], outs)
        for count in (1, 3):
            with theano.config.change_flags(threads=count):
                results.append(f(one, two))
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_new_values_of_variables_and_loops_over_steps() -> None:
    x, w = T.dmatrix("x"), theano.shared(np.arange(60.0).reshape(20, 3))
    d = x[:, None, :] - w
    f = theano.function([x], (d * d).sum(axis=2), updates=[(w, w + d.sum(axis=0))])
    given, state = np.random.default_rng(8).normal(size=(9, 3)), np.arange(60.0).reshape(20, 3)
    for _ in range(3):
        away = given[:, None] - state
        np.testing.assert_allclose(f(given), (away**2).sum(2), rtol=1e-12)
        state = state + away.sum(0)
    steps, _ = theano.scan(
        lambda at: at + 0.01 * (at[:, None, :] - at).prod(axis=2).sum(axis=1)[:, None],
        outputs_info=x,
        n_steps=4,
    )
    at = given
    for row in theano.function([x], steps)(given):
        at = at + 0.01 * (at[:, None, :] - at).prod(axis=2).sum(axis=1)[:, None]
        np.testing.assert_allclose(row, at, rtol=1e-10, atol=1e-10)
