"""Reductions of many short rows reduce some rows as one."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import values
from support.comparison import SUMS
from support.loops import WIDTHS, agree
from theano._core.lower.llvm.kernels.flat_columns import LONGEST_ROW

KINDS = ["bool", "uint8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64"]
LENGTHS = (0, 1, 2, 3, 7, 8, 9, 16, 31, LONGEST_ROW, LONGEST_ROW + 1)
ROWS = (0, 1, 31, 32, 33, 64, 131, 255, 256, 257, 1031, 4099)


def flat(f):
    """Return how many kernels of a function reduce some rows as one."""
    kernels = f.maker.program_text.kernels
    return sum(getattr(k, "flat", False) and bool(k.loop.reductions) for k in kernels)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_every_length(kind, width):
    def build(m, x, y):
        if kind == "bool":
            return [x.sum(axis=1), (x & y).any(axis=1), (x | y).all(axis=(0, 1))]
        largest = [] if kind == "complex64" else [m.maximum(x, y).max(axis=1)]
        return [x.sum(axis=1), (x - y).sum(axis=(0, 1)), (x * y).sum(axis=1), *largest]

    shapes = [(rows, n) for n in LENGTHS for rows in ROWS]
    some = [s for s in shapes if all(s) or kind in ("bool", "complex64")]
    agree(build, kind, [[(2, rows, n), (n,)] for rows, n in some], width=width)


def test_axes_around_the_rows():
    def build(m, x, mean):
        d = x.astype("float32") - mean[:, None]
        return [(d * d).sum(axis=(1, 3)), abs(d).max(axis=(0, 1, 3))]

    agree(build, ["uint8", "float32"], [[(2, 3, 4, 1030, 3), (4, 3)]] * 3)


def test_which_loops_reduce_rows_as_one():
    x, row, column = T.fmatrix("x"), T.fvector("row"), T.fvector("column")
    assert flat(theano.function([x], [x.sum(axis=0), abs(x).max(axis=0)])) > 0
    assert flat(theano.function([x, row], T.exp(x - row).sum(axis=0))) > 0
    assert flat(theano.function([x, column], (x * column[:, None]).sum(axis=0))) == 0
    assert flat(theano.function([x], [T.exp(x), T.exp(x).sum(axis=0)])) == 0
    # A stack is not large: that of a thread may have as little as 512 KB.
    assert flat(theano.function([x], [T.maximum(x, n).sum(axis=0) for n in range(4)])) > 0
    assert flat(theano.function([x], [T.maximum(x, n).sum(axis=0) for n in range(12)])) == 0
    few, whole = x.reshape((20, 3)), x.reshape((1000, 32))
    assert flat(theano.function([x], few.sum(axis=0))) == 0
    assert flat(theano.function([x], whole.sum(axis=0))) == 0


def test_special_numbers_stay_in_their_columns():
    def build(m, x):
        return [x.sum(axis=0), x.max(axis=0), m.exp(x).sum(axis=0)]

    def special(shape, dtype, seed):
        a = values(shape, dtype)
        a[1030, 0], a[17, 1], a[500, 3] = np.nan, np.inf, -np.inf
        return a

    agree(build, "float64", [[(1031, 5)]], make=special, tolerance=SUMS)
