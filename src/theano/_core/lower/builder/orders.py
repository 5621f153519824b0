"""Results in the order of the operands: if those lie column by column, so does the result.

A loop over items of equal arrays need not know how their axes lie, as long as they all lie alike:
the packed kernel runs over them as over one vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.base.dtypes import itemsize
from theano._core.ir.variable import Variable
from theano._core.lower.arrays import Array
from theano._core.lower.builder.core import Core
from theano._core.lower.kernel.loops import Loop


def in_columns(
    p: Core, loop: Loop, arrays: Sequence[Array], stored: Sequence[Variable]
) -> str | None:
    """Return whether results may lie column by column, as all operands do; None: they may not.

    They may if they are returned and nothing else reads them, and no operand is known to lie row by
    row.
    """
    if loop.reductions or loop.rank < 2 or p.region is not None:
        return None
    returned = p.outputs[: len(p.outputs) - len(p.updates)]
    for variable in stored:
        if returned.count(variable) != 1 or p.uses.get(variable) != 1:
            return None
    every = frozenset(range(loop.rank))
    moving = [
        array
        for array, (_, axes) in zip(arrays, loop.operands, strict=True)
        if array.ndim and axes != every
    ]
    alike = all(not axes for _, axes in loop.operands if axes != every)
    if not moving or not alike or any(a.contiguous is True for a in moving):
        return None
    condition: bool | str = True
    for array in moving:
        step: Any = itemsize(array.dtype)
        for length, stride in zip(array.shape, p.strides(array), strict=True):
            if isinstance(length, int):
                # An axis of length 1 has the stride that it would have in the order of rows.
                return None
            condition = p.both(condition, p.let("eq", stride, step))
            step = p.multiply(step, length)
    # What lies both ways is in the order of rows.
    for array in moving:
        if isinstance(array.contiguous, str):
            condition = p.both(condition, p.let("not", array.contiguous, kind="bool"))
    return condition if isinstance(condition, str) else None


def ordered(p: Core, out: Array, turned: str) -> Array:
    """Return a result whose items lie column by column if `turned` holds."""
    columns: list[Any] = []
    step: Any = itemsize(out.dtype)
    for length in out.shape:
        columns.append(step)
        step = p.multiply(step, length)
    rows = p.strides(out)
    strides = tuple(
        p.let("select", turned, column, row) for column, row in zip(columns, rows, strict=True)
    )
    return out.replace(strides=strides, contiguous=False, whole=True)


def of_result(p: Core, out: Variable, value: Array) -> Array:
    """Return the value of a result; new values of variables have the order of rows."""
    updated = out in p.outputs[len(p.outputs) - len(p.updates) :]
    return value.replace(whole=False) if value.whole and updated else value
