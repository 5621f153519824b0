"""Inputs for the generic tests: drawn from what each operation declares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

# Importing these declares the operations.
import theano._core.ops.special
import theano._core.ops.transcendental  # noqa: F401
from theano._core.base import dtypes
from theano._core.ir.types import TensorType
from theano._core.ops.op import Elementwise, elementwise_ops
from theano._core.ops.samples import Range

OPS = {name: op for name, op in elementwise_ops().items() if not name.startswith("Cast{")}


def accepts(op: Elementwise, kinds: Sequence[str]) -> bool:
    """Tell whether an operation is defined for these dtypes."""
    try:
        op.dtype(*kinds)
    except (TypeError, NotImplementedError):
        return False
    return True


def draw(rng: np.random.Generator, where: Range, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return an array of samples."""
    if where.integer or dtypes.is_discrete(dtype):
        low, high = int(np.ceil(where.low)), int(np.floor(where.high))
        if dtypes.is_uint(dtype) or dtype == "bool":
            low = max(low, 0)
        values = rng.integers(low, max(high, low + 1), size=shape, endpoint=False).astype("float64")
        if where.nonzero:
            values = np.where(values == 0, max(1, high - 1), values)
    else:
        values = rng.uniform(where.low, where.high, size=shape)
        if where.nonzero:
            values = np.where(abs(values) < 0.05, 0.5, values)
    if dtypes.is_complex(dtype):
        return (values + 1j * rng.uniform(-1, 1, size=shape)).astype(dtype)
    return np.asarray(values.astype(dtype))


def layouts(array: np.ndarray) -> dict[str, np.ndarray]:
    """Return arrays with the values of `array`, laid out in memory in several ways."""
    result = {"contiguous": array}
    if array.ndim:
        spread = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), dtype=array.dtype)
        spread[..., ::2] = array
        result["strided"] = spread[..., ::2]
        result["reversed"] = np.ascontiguousarray(array[..., ::-1])[..., ::-1]
    if array.ndim > 1:
        result["fortran"] = np.asfortranarray(array)
    return result


def tensor(dtype: str, shape: Sequence[int], name: str = "x", stretch: bool = False) -> Any:
    """Return a variable for an array; lengths of 1 are broadcastable if `stretch`."""
    return TensorType(dtype, [stretch and n == 1 for n in shape])(name)


def assert_close(got: np.ndarray, wanted: np.ndarray, ulp: float) -> None:
    """Compare arrays up to some units in the last place."""
    assert got.dtype == wanted.dtype, (got.dtype, wanted.dtype)
    assert got.shape == wanted.shape, (got.shape, wanted.shape)
    if got.dtype.kind not in "fc":
        np.testing.assert_array_equal(got, wanted)
        return
    eps = np.finfo(got.dtype).eps
    tiny = np.finfo(got.dtype).tiny
    np.testing.assert_allclose(
        got, wanted, rtol=2 * (ulp + 1) * eps, atol=4 * tiny if got.dtype.kind == "f" else 8 * eps
    )
