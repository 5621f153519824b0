"""What Theano-PyMC computes of shapes that are broadcast together."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from theano._core.api.array.creation import alloc
from theano._core.ops.array.shaping import length
from theano._core.ops.core.op import as_variable
from theano._core.ops.elementwise.arithmetic import add


def broadcast_shape(*arrays: Any, arrays_are_shapes: bool = False) -> tuple[Any, ...]:
    """Return the lengths of what elementwise operations make of arrays.

    Parameters
    ----------
    *arrays : tensor
        Or, with `arrays_are_shapes`, sequences of their lengths.

    Returns
    -------
    tuple of int or scalar
    """
    return broadcast_shape_iter(arrays, arrays_are_shapes=arrays_are_shapes)


def broadcast_shape_iter(arrays: Any, arrays_are_shapes: bool = False) -> tuple[Any, ...]:
    """Return the lengths of what elementwise operations make of a sequence of arrays."""

    def array(operand: Any) -> Any:
        return alloc(np.int8(0), *operand) if arrays_are_shapes else as_variable(operand)

    together = reduce(add, map(array, arrays))
    return tuple(length(together, axis) for axis in range(together.type.ndim))
