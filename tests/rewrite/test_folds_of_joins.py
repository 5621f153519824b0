"""Folds over what is only put together for them: `T.max(T.stack([x, y]), axis=0)`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.tensor.basic import Join

KINDS = ("sum", "prod", "max", "min", "mean")


def joins(f: Any) -> int:
    return sum(isinstance(node.op, Join) for node in f.maker.fgraph.toposort())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "uint8", "int64", "float16", "float32", "float64", "complex128"]
)
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_values_and_dtypes_of_all_kinds(kind: str, dtype: str, axis: int) -> None:
    rng = np.random.default_rng(3)
    values = [np.asarray(rng.normal(size=(3, 5)) * 40).astype(dtype) for _ in range(4)]
    values[1][0, 1:3] = values[2][0, 2:4] = 0
    if np.dtype(dtype).kind == "f":
        values[0][1, 1] = values[3][2, 2] = np.nan
        values[2][1, 3] = np.inf
    variables = [T.TensorType(dtype, (False, False))() for _ in values]
    out = getattr(T, kind)(T.stack(variables, axis=axis), axis=axis)
    f = theano.function(variables, out)
    with np.errstate(all="ignore"):
        plain = theano.function(variables, out, mode=theano.Mode("py", None))(*values)
    result = f(*values)
    assert result.dtype == plain.dtype == out.dtype and not joins(f)
    exact = kind in ("max", "min") or np.dtype(dtype).kind in "biu"
    (np.testing.assert_array_equal if exact else np.testing.assert_allclose)(result, plain)


def test_an_accumulator_that_was_asked_for_is_kept() -> None:
    x, y = T.fmatrices("x", "y")
    big, small = np.full((1, 2), 1e8, "float32"), np.ones((1, 2), "float32")
    total = T.stack([x, y, -x]).sum(axis=0, acc_dtype="float64")
    f = theano.function([x, y], total)
    assert not joins(f) and f(big, small).tolist() == [[1, 1]] and f(big, small).dtype == "float32"


def test_joins_of_several_rows_and_of_what_others_need_stay() -> None:
    x, y = T.dmatrices("x", "y")
    values = np.arange(6.0).reshape(2, 3), np.ones((2, 3))
    rows = T.concatenate([x, y])
    f = theano.function([x, y], rows.sum(axis=0))
    np.testing.assert_array_equal(f(*values), np.concatenate(values).sum(axis=0))
    both = T.stack([x, y])
    f = theano.function([x, y], [both, both.max(axis=0)])
    np.testing.assert_array_equal(f(*values)[1], np.maximum(*values))
    f = theano.function([x, y], both.max(axis=1))
    np.testing.assert_array_equal(f(*values), np.stack(values).max(axis=1))
    f = theano.function([x, y], both.sum())
    assert f(*values) == 21


def test_lengths_that_do_not_fit_are_an_error_as_of_the_join() -> None:
    x, y = T.dmatrices("x", "y")
    f = theano.function([x, y], T.stack([x, y]).sum(axis=0))
    assert not joins(f) and f(np.ones((0, 3)), np.ones((0, 3))).shape == (0, 3)
    for shape in ((1, 3), (2, 1), (2, 4)):
        with pytest.raises(ValueError, match=r"shape|length|mismatch"):
            f(np.ones((2, 3)), np.ones(shape))
    # One that is known to have one row is no partner that a join takes.
    row = T.drow("row")
    g = theano.function([x, row], T.stack([x, row]).sum(axis=0))
    np.testing.assert_array_equal(g(np.ones((1, 3)), np.ones((1, 3))), [[2, 2, 2]])
    with pytest.raises(ValueError, match=r"shape|length|join"):
        g(np.ones((2, 3)), np.ones((1, 3)))
