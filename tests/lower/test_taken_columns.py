"""Items of each row at the same positions, or one stride apart, are copied by the runtime."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower import program as ir
from theano._core.lower.llvm.target.codegen import has_avx512
from theano._core.runtime import native

RANDOM = np.random.default_rng(7)
WIDTHS = (1, 2, 3, 8, 17, 40)
COUNTS = (0, 1, 2, 3, 4, 5, 8, 16, 17, 300)
LAYOUTS = {
    "packed": lambda x: x,
    "column by column": np.asfortranarray,
    "backwards": lambda x: x[..., ::-1, ::-1],
    "every second": lambda x: np.repeat(np.repeat(x, 2, -2), 2, -1)[..., ::2, ::2],
    "beside others": lambda x: np.concatenate([x, x], -1)[..., x.shape[-1] :],
    "one for all": lambda x: np.broadcast_to(x[..., :1, :], x.shape),
}


def kernels(f: theano.compile.Function) -> list[object]:
    """Return what runs the loops of a function."""
    return [
        i.kernel for i in ir.walk(f.maker.program_text.program.body) if isinstance(i, ir.Launch)
    ]


def values(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    return (RANDOM.random(shape) * 100).astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "bool", "float16", "float32", "float64", "complex128"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_columns_of_every_layout(dtype: str, layout: str) -> None:
    x, y = (T.TensorType(dtype, (False,) * n)() for n in (2, 3))
    i = T.lvector("i")
    f = theano.function([x, y, i], [x[:, i], y[:, :, i]])
    assert "take_columns" in kernels(f)
    for rows, width, count in itertools.product((0, 1, 2, 7, 50), WIDTHS, COUNTS):
        at = RANDOM.integers(-width, width, count)
        one, two = (LAYOUTS[layout](values((*n, rows, width), dtype)) for n in ((), (3,)))
        for found, wanted in zip(f(one, two, at), (one[:, at], two[:, :, at]), strict=True):
            assert found.dtype == wanted.dtype
            assert np.array_equal(found, wanted), (rows, width, count)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"])
def test_positions_of_every_type(dtype: str) -> None:
    x, i = T.fmatrix("x"), T.TensorType(dtype, (False,))("i")
    f = theano.function([x, i], x[:, i])
    array = values((20, 9), "float32")
    at = RANDOM.integers(-9 if dtype[0] == "i" else 0, 9, 5).astype(dtype)
    assert np.array_equal(f(array, at[::-2]), array[:, at[::-2]])
    for wrong in (9, 100):
        with pytest.raises(IndexError):
            f(array, np.append(at, wrong).astype(dtype))
    with pytest.raises(IndexError):
        f(array[:0], np.append(at, 9).astype(dtype))


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_columns_of_many_rows_on_threads(dtype: str) -> None:
    x, before = T.TensorType(dtype, (False,) * 2)(), native.get_threads()
    array, wide = values((300_001, 3), dtype), values((19, 3000), dtype)
    i, at = T.ivector("i"), RANDOM.integers(-3000, 3000, 70_000).astype("int32")
    f, g = theano.function([x], x[:, [2, 0, 0, 1]]), theano.function([x, i], x[:, i])
    try:
        for threads in (1, 2, 3):
            native.set_threads(threads)
            assert np.array_equal(f(array), array[:, [2, 0, 0, 1]])
            assert np.array_equal(g(wide, at), wide[:, at])
    finally:
        native.set_threads(before)


PARTS = {
    "turned around": lambda x: x[..., ::-1],
    "every second": lambda x: x[..., 1::2],
    "every third, backwards": lambda x: x[::-1, ..., ::-3],
    "two of all": lambda x: x[..., :2],
    "one of all": lambda x: x[..., 1:2],
    "columns": lambda x: x[..., 0],
    "rows turned around": lambda x: x[..., ::-1, :],
    "every second row": lambda x: x[..., ::2, :],
}


@pytest.mark.parametrize("width", [0, 256])
@pytest.mark.parametrize("dtype", ["uint8", "bool", "float16", "float32", "float64", "complex128"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_copies_of_short_rows(dtype: str, layout: str, width: int) -> None:
    x, y = (T.TensorType(dtype, (False,) * n)() for n in (2, 3))
    with theano.config.change_flags(vector_width=width):
        f = theano.function([x, y], [part(v) for part in PARTS.values() for v in (x, y)])
    if has_avx512(width):
        assert kernels(f).count("take_columns") >= 2 * len(PARTS) - 1
    for rows, length in itertools.product((0, 1, 2, 50, 131), WIDTHS):
        one, two = (LAYOUTS[layout](values((*n, rows, length), dtype)) for n in ((), (3,)))
        wanted = [part(v) for part in PARTS.values() for v in (one, two)]
        for got, array in zip(f(one, two), wanted, strict=True):
            assert got.dtype == array.dtype
            assert np.array_equal(got, array), (rows, length)


def test_copies_that_wait_are_made_by_kernels() -> None:
    array = values((100, 3), "float64")
    shared, i, v = theano.shared(array.copy()), T.lscalar("i"), T.dscalar("v")
    new = T.inc_subtensor(shared[i], v)
    f = theano.function([i, v], [new[:, ::-1], shared[:, ::-1]], updates=[(shared, new)])
    got, before = f(5, 2.0)
    assert np.array_equal(before, array[:, ::-1])
    array[5] += 2
    assert np.array_equal(got, array[:, ::-1])
    assert np.array_equal(shared.get_value(), array)


@pytest.mark.parametrize("dtype", ["uint8", "bool", "int16", "float32", "float64", "complex128"])
def test_small_matrices_column_by_column(dtype: str) -> None:
    x, y = (T.TensorType(dtype, (False,) * 3)() for _ in range(2))
    turned = x.dimshuffle(0, 2, 1)
    f = theano.function([x, y], [T.eq(turned, y), turned.flatten(), T.eq(turned[::-1], x)])
    assert kernels(f).count("take_columns") >= 3
    for count, n in itertools.product((0, 1, 63, 64, 300), (1, 2, 3, 4, 7, 8, 9)):
        a, b = (values((count, n, n), dtype) for _ in range(2))
        for one, two in (
            (a, b),
            (np.asfortranarray(a), b),
            (a, np.asfortranarray(b)),
            (a[::-1, ::-1], b),
            (a.transpose(0, 2, 1), b),
        ):
            wanted = one.transpose(0, 2, 1)
            for got, array in zip(
                f(one, two), (wanted == two, wanted.ravel(), wanted[::-1] == one), strict=True
            ):
                assert np.array_equal(got, array), (count, n)


def test_rows_of_one_item_are_filled_by_kernels() -> None:
    n, x = T.lscalar(), T.dvector()
    f = theano.function([n, x], [T.zeros((n, 66)), T.alloc(x, n, x.shape[0]).T.copy()])
    assert "take_columns" not in kernels(f)
    zeros, columns = f(100, np.arange(3.0))
    assert not zeros.any()
    assert np.array_equal(columns, np.repeat(np.arange(3.0)[:, None], 100, 1))
