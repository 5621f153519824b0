"""Reductions of many rows: in blocks whose results are reduced in turn; all data is read once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.base.settings import change_flags
from theano._core.lower.builder.kernel_call import LEAST_ROWS
from theano._core.lower.llvm.kernels.rows_together import CACHED
from theano._core.lower.llvm.print.calls import LEAST_ROW, Kernel
from theano._core.runtime import native

# Bytes of a cache line.
LINE = 64
SHAPES = [(10**i, 10 ** (7 - i)) for i in range(8)] + [(3000, 3333), (100_000, 7), (7, 100_000)]
REDUCED = [
    ((3000, 100), (0,)),
    ((5000, 1, 61), (0,)),
    ((2100, 5, 31), (0, 2)),
    ((2, 150_000, 1), (1,)),
    ((1, 300_000), (1,)),
    ((300_000, 1), (0,)),
    ((3, 1100, 90), (1,)),
    ((40, 3, 2500), (0, 2)),
    ((1, 1025, 300), (0, 1)),
]


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("shape", SHAPES)
def test_each_thread_reads_whole_lines_once(shape: tuple[int, int], axis: int) -> None:
    size, total = 8, shape[0] * shape[1]
    x = T.TensorType("float64", (False, False))("x")
    function = theano.function([x], x.sum(axis=axis))
    kernel = next(k for k in function.maker.kernels if isinstance(k, Kernel) and k.split < 0)
    unit = kernel.unit
    assert unit == (LEAST_ROW // size if axis == 0 else 1)
    block = native.block_rows(shape[axis], shape[1 - axis], unit, total)
    touched = total * size
    if block:
        # Whole rows, or long parts of them, and the results of each block, written and read.
        count = -(-shape[axis] // block)
        assert 4 <= count <= 64
        touched += 2 * count * shape[1 - axis] * size
    elif axis == 0:
        chunk = min(native.chunk_items(shape[1], total * 10.0, unit), shape[1])
        assert chunk % unit == 0 or chunk == shape[1]
        chunks = -(-shape[1] // chunk)
        # A chunk begins anywhere in a line.
        touched += (chunks - 1) * LINE * shape[0]
        many = chunks > 1 or total < 2**19
        assert many or shape[0] < 1024 or shape[1] < 2 * unit
    assert touched <= 1.1 * total * size


def test_programs_know_which_reductions_the_runtime_never_cuts() -> None:
    assert native.block_rows(LEAST_ROWS - 1, 1, 1, 2**40) == 0
    assert native.block_rows(LEAST_ROWS, 1, 1, 2**40) > 0


@pytest.mark.parametrize("dtype", ["float64 F", "float64", "float16", "int8", "complex64"])
@pytest.mark.parametrize("shape, axes", REDUCED)
def test_values(shape: tuple[int, ...], axes: tuple[int, ...], dtype: str) -> None:
    dtype, order = f"{dtype} C".split()[:2]
    rng = np.random.default_rng(3)
    data = np.asarray(rng.integers(-3, 4, shape), dtype=dtype, order=order)  # type: ignore[call-overload]
    x = T.TensorType(dtype, (False,) * len(shape))("x")
    outputs = [x.sum(axis=axes), x.any(axis=axes)]
    wanted = [data.sum(axis=axes, dtype="float32" if dtype == "float16" else None), data.any(axes)]
    if dtype != "complex64":
        outputs += [x.max(axis=axes), x.min(axis=axes)]
        wanted += [data.max(axis=axes), data.min(axis=axes)]
    function = theano.function([x], outputs)
    results = []
    for threads in (1, 2, 3):
        with change_flags(threads=threads):
            results.append(function(data))
    for got, value in zip(results[0], wanted, strict=True):
        # The numbers are small integers: sums are exact.
        np.testing.assert_array_equal(got, value.astype(got.dtype))
    for other in results[1:]:
        for got, value in zip(other, results[0], strict=True):
            np.testing.assert_array_equal(got, value)


def test_what_is_stored_on_the_way_and_several_reductions() -> None:
    rng = np.random.default_rng(4)
    x, w, b = rng.normal(size=(4000, 90)), rng.normal(size=4000), rng.normal(size=90)
    X, W, B = T.dmatrix(), T.dvector(), T.dvector()
    y = T.tanh(X * W.dimshuffle(0, "x") + B)
    cost = (y**2).sum()
    function = theano.function([X, W, B], [y, y.sum(axis=0), y.max(axis=0), *T.grad(cost, [W, B])])
    value = np.tanh(x * w[:, None] + b)
    slope = 2 * value * (1 - value**2)
    wanted: list[Any] = [value, value.sum(0), value.max(0), (slope * x).sum(1), 0]
    wanted[4] = slope.sum(0)
    for got, expected in zip(function(x, w, b), wanted, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-10)


def test_sums_of_blocks_round_less() -> None:
    x = np.full((1_000_000, 2), np.float32(0.1))
    X = T.fmatrix()
    got = theano.function([X], X.sum(axis=0))(x)
    np.testing.assert_allclose(got, x.sum(0, dtype="float64"), rtol=1e-4)


def test_a_reduction_in_blocks_within_a_loop() -> None:
    X = T.dmatrix()
    x = np.random.default_rng(5).normal(size=(3000, 101))
    means, _ = theano.scan(
        lambda m: (X - m).mean(axis=0) / 2, outputs_info=T.zeros((101,)), n_steps=3
    )
    mean = np.zeros(101)
    for _ in range(3):
        mean = (x - mean).mean(0) / 2
    np.testing.assert_allclose(theano.function([X], means[-1])(x), mean, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("dtype, columns", [("float64", 100), ("float32", 37), ("float64", 9)])
def test_rows_from_memory_are_reduced_one_by_one_in_the_same_order(
    dtype: str, columns: int
) -> None:
    rows = CACHED // (np.dtype(dtype).itemsize * columns) + 40
    data = np.random.default_rng(5).normal(size=(rows, columns)).astype(dtype)
    x = T.matrix(dtype=dtype)
    results = []
    for threads in (1, 2):
        with change_flags(threads=threads):
            results.append(theano.function([x], T.exp(x).sum(axis=0))(data))
    np.testing.assert_array_equal(results[0], results[1])
    # A little less is reduced some rows at a time.
    fewer = theano.function([x], T.exp(x).sum(axis=0))(data[: len(data) - 80])
    rest = np.exp(data[len(data) - 80 :].astype("float64")).sum(axis=0)
    close = 1e-4 if dtype == "float32" else 1e-11
    np.testing.assert_allclose(fewer + rest, results[0], rtol=close)
    np.testing.assert_allclose(np.exp(data.astype("float64")).sum(axis=0), results[0], rtol=close)
