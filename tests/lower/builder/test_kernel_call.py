"""Reductions of many rows: in blocks whose results are reduced in turn; all data is read once."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import values
from support.comparison import Tolerance
from support.loops import agree
from theano._core.lower.builder.kernel_call import LEAST_ROWS
from theano._core.lower.llvm.print.calls import LEAST_ROW, Kernel
from theano._core.runtime import native

# Bytes of a cache line.
LINE = 64
SHAPES = [(10**i, 10 ** (7 - i)) for i in range(8)] + [(3000, 3333), (100_000, 7), (7, 100_000)]


@pytest.mark.parametrize("axis", [0, 1])
def test_each_thread_reads_whole_lines_once(axis):
    x = T.TensorType("float64", (False, False))("x")
    function = theano.function([x], x.sum(axis=axis))
    kernel = next(k for k in function.maker.kernels if isinstance(k, Kernel) and k.split < 0)
    size, unit = 8, kernel.unit
    assert unit == (LEAST_ROW // size if axis == 0 else 1)
    for shape in SHAPES:
        total = shape[0] * shape[1]
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


def test_programs_know_which_reductions_the_runtime_never_cuts():
    assert native.block_rows(LEAST_ROWS - 1, 1, 1, 2**40) == 0
    assert native.block_rows(LEAST_ROWS, 1, 1, 2**40) > 0


REDUCED = {
    (0,): [(3000, 100), (300_000, 1)],
    (1,): [(1, 300_000), (7, 200)],
    (0, 2): [(2100, 5, 31), (40, 3, 2500), (5000, 1, 61)],
    (0, 1): [(1, 1025, 300), (2, 150_000, 1), (3, 1100, 90)],
}


@pytest.mark.parametrize("dtype", ["float64", "float16", "int8", "complex64"])
@pytest.mark.parametrize("axes", REDUCED)
def test_reductions_in_blocks_are_exact(axes, dtype):
    def build(m, x):
        extremes = [] if dtype == "complex64" else [x.max(axis=axes), x.min(axis=axes)]
        return [x.sum(axis=axes), x.any(axis=axes), *extremes]

    for threads in (1, 2, 3):
        agree(build, dtype, [[shape] for shape in REDUCED[axes]], threads=threads)


def test_what_is_stored_on_the_way_and_several_reductions():
    def build(m, x, w, b):
        y = m.tanh(x * w[:, None] + b)
        cost = (y**2).sum()
        by_sum = 2 * y * (1 - y**2)
        by = T.grad(cost, [w, b]) if m is T else [(by_sum * x).sum(1), by_sum.sum(0)]
        return [y, y.sum(axis=0), y.max(axis=0), *by]

    close = Tolerance(4096, "errors of tanh are summed up", floor=4096)
    agree(build, "float64", [[(4000, 90), (4000,), (90,)]] * 2, make=values, tolerance=close)


def test_a_reduction_in_blocks_within_a_loop():
    X, x, mean = T.dmatrix(), values((3000, 101)), np.zeros(101)
    means, _ = theano.scan(
        lambda m: (X - m).mean(axis=0) / 2, outputs_info=T.zeros((101,)), n_steps=3
    )
    for _ in range(3):
        mean = (x - mean).mean(0) / 2
    np.testing.assert_allclose(means[-1].eval({X: x}), mean, rtol=1e-10, atol=1e-14)
