"""Small helpers of old programs that write loops of their own; Theano's `scan_utils`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.conversion import as_tensor_variable, get_scalar_constant_value
from theano._core.base.errors import NotScalarConstantError
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Constant, Variable
from theano._core.ops.array.broadcasting import alloc
from theano._core.ops.array.creation import join
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.shaping import length
from theano._core.ops.elementwise.elementwise import cast

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike


def safe_new(x: TensorLike, tag: str = "", dtype: str | None = None) -> Any:
    """Return a new variable of the type of `x`, with `tag` behind its name.

    Parameters
    ----------
    x : variable or array_like
        A constant is copied with its value.
    tag : str
    dtype : str, optional
        Another item type.
    """
    variable = x if isinstance(x, Variable) else as_tensor_variable(x)
    type_ = variable.type
    if dtype is not None and isinstance(type_, TensorType) and type_.dtype != dtype:
        type_ = TensorType(dtype, type_.broadcastable)
    if isinstance(variable, Constant):
        return type(variable)(
            type_, type_.filter(variable.data, allow_downcast=True), variable.name
        )
    fresh = type_(None if variable.name is None else variable.name + tag)
    value = getattr(variable.tag, "test_value", None)
    if value is not None:
        fresh.tag.test_value = type_.filter(value, allow_downcast=True)
    return fresh


def expand_empty(tensor_var: Variable, size: TensorLike) -> Any:
    """Return a tensor with `size` more items along its first axis, which are zero."""
    if isinstance(size, int) and size == 0:
        return tensor_var
    rest = [as_int64(length(tensor_var, axis)) for axis in range(1, tensor_var.type.ndim)]
    zero = as_tensor_variable(np.zeros((), tensor_var.type.dtype))
    return join(0, tensor_var, alloc(zero, cast(as_tensor_variable(size), "int64"), *rest))


def is_not_a_number(x: TensorLike) -> bool:
    """Tell whether `x` is None, or a number or scalar constant that is NaN or infinite."""
    if x is None:
        return True
    try:
        value = get_scalar_constant_value(as_tensor_variable(x))
    except (NotScalarConstantError, TypeError, ValueError):
        return False
    return not bool(np.isfinite(value))
