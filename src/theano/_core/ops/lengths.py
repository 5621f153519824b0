"""Lengths of axes as the engine reasons about them: integers, or int64 scalar variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from theano._core.ir.variable import Constant
from theano._core.ops.arithmetic import add, cast, cast_op, eq, mul, switch
from theano._core.ops.op import as_variable, python_int


def as_length(value: Any) -> Any:
    """Return an int where the value is known, else an int64 scalar variable."""
    known = python_int(value)
    return known if known is not None else cast(as_variable(value), "int64")


def lengths_of(vector: Any, count: int) -> list[Any]:
    """Return the `count` items of an integer vector variable, as constants where known."""
    if isinstance(vector, Constant):
        return [int(n) for n in np.asarray(vector.data).reshape(-1)]
    owner = vector.owner
    if owner is not None and _shaping_class(owner.op) == "MakeVector":
        return list(owner.inputs)
    if owner is not None and _shaping_class(owner.op) == "ShapeOf":
        from_shape = owner.inputs[0]
        if isinstance(from_shape, Constant):
            return [int(n) for n in from_shape.data.shape]
    return [None] * count


def is_one(length: Any) -> bool:
    """Tell whether a length certainly is 1: it says so, or is that of a broadcastable axis."""
    known = python_int(length)
    node = getattr(length, "owner", None)
    if known is not None or node is None:
        return known == 1
    if node.op is mul or node.op is cast_op("int64"):
        return all(map(is_one, node.inputs))
    if _shaping_class(node.op) == "Length":
        return node.inputs[0].type.broadcastable[node.op.axis]
    if type(node.op).__name__ != "Subtensor" or length.type.ndim:
        return False
    of, at = node.inputs[0].owner, node.op.index[0]
    if of is None or _shaping_class(of.op) != "ShapeOf" or not isinstance(at, int):
        return False
    return of.inputs[0].type.broadcastable[at]


def _shaping_class(op: Any) -> str | None:
    """Return the name of the class of an operation of `shaping`, which imports this module."""
    kind = type(op)
    return kind.__name__ if kind.__module__ == "theano._core.ops.shaping" else None


def product(lengths: Sequence[Any]) -> Any:
    """Return the product of lengths; None if one is unknown."""
    total: Any = 1
    for value in lengths:
        if value is None:
            return None
        if isinstance(total, int) and isinstance(value, int):
            total *= value
        elif isinstance(total, int) and total == 1:
            total = value
        elif not (isinstance(value, int) and value == 1):
            total = mul(as_int64(total), as_int64(value))
    return total


def total(lengths: Sequence[Any]) -> Any:
    """Return the sum of lengths; None if one is unknown."""
    if any(value is None for value in lengths):
        return None
    known = sum(v for v in lengths if isinstance(v, int))
    unknown = [v for v in lengths if not isinstance(v, int)]
    if not unknown:
        return known
    result = unknown[0]
    for value in unknown[1:]:
        result = add(result, value)
    return add(result, as_int64(known)) if known else result


def joint_length(lengths: Sequence[Any]) -> Any:
    """Return the length of an axis along which arrays are broadcast by NumPy's rules.

    A length of 1 that is only known at run time stretches, too. None if one is unknown.
    """
    result: Any = 1
    for length in lengths:
        if length is None:
            return None
        if length is result or (isinstance(length, int) and length == 1):
            continue
        if isinstance(result, int):
            result = length if result == 1 else result
        elif isinstance(length, int):
            result = length
        else:
            result = switch(eq(result, as_int64(1)), length, result)
    return result


def stretched_lengths(
    patterns: Sequence[tuple[bool, ...]], shapes: Sequence[Any]
) -> tuple[Any, ...]:
    """Return the lengths of the broadcast of arrays, one `joint_length` per axis."""
    return tuple(
        joint_length([s[axis] for p, s in zip(patterns, shapes, strict=True) if not p[axis]])
        for axis in range(len(patterns[0]))
    )


def as_int64(value: Any) -> Any:
    """Return a length as an int64 scalar variable."""
    return as_variable(np.asarray(value, dtype="int64")) if isinstance(value, int) else value
