"""Columns of few rows are reduced in registers: the same results as of many, by any vectors."""

import itertools

import numpy as np
import pytest

from support.loops import WIDTHS, agree

DTYPES = ["bool", "uint8", "int16", "int64", "float16", "float32", "float64", "complex64"]
SHAPES = list(itertools.product((1, 2, 3, 8, 16, 17), (0, 1, 3, 8, 10, 17, 33, 64, 100, 1100)))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_columns_of_few_rows(dtype, width):
    names = ["sum"] if dtype in ("bool", "complex64") else ["sum", "max", "min"]
    agree(
        lambda m, x, y: [getattr(v, name)(axis=v.ndim - 2) for name in names for v in (x, y)],
        dtype,
        [[shape, (9, *shape)] for shape in SHAPES],
        width=width,
    )


def test_nothing_and_what_is_no_number():
    row = np.array([np.nan, np.inf, -np.inf, -0.0, 1.0])
    agree(
        lambda m, x: [x.sum(axis=0), x.prod(axis=0)],
        "float64",
        [[(0, 5)], [(3, 5)]],
        make=lambda shape, dtype, seed: np.array([row] * shape[0]).reshape(shape),
    )
