"""Lengths of axes as the engine reasons about them: integers, or int64 scalar variables."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.hooks import place_of
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.core.op import (
    Op,
    Structured,
    as_variable,
    connected,
    no_cotangents,
    python_int,
    scalar_shape,
)
from theano._core.ops.elementwise.arithmetic import add, eq, maximum, minimum, mul, switch
from theano._core.ops.elementwise.elementwise import cast, cast_op

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ops.core.protocols import Builder, ProgramValue

# No axis is longer, and no array has more items.
LARGEST = 2**63 - 1


def checked_shape(lengths: Sequence[Any], dtype: str) -> tuple[int, ...]:
    """Return lengths as integers; MemoryError if no array of `dtype` can have them.

    As in NumPy that also holds for an array without items.
    """
    shape = tuple(int(n) for n in lengths)
    if math.prod(max(n, 1) for n in shape) * dtypes.itemsize(dtype) > LARGEST:
        raise MemoryError(f"an array of shape {shape} does not fit into memory")
    return shape


class _OfLengths(Structured):
    """An int64 scalar made of lengths, after checking that it fits (else MemoryError)."""

    # What stands between the lengths in the text of the error.
    between: ClassVar[str]
    shape = scalar_shape
    connection = connected()
    vjp = no_cotangents

    @staticmethod
    def exact(lengths: Sequence[int]) -> int:
        """Return the result as Python computes it."""
        raise NotImplementedError

    @classmethod
    def text(cls, lengths: Dims) -> str:
        """Return the message of a failure."""
        return f"{cls.between.join(str(n) for n in lengths)} items do not fit into memory"

    def make_node(self, *lengths: TensorLike) -> Apply:
        return self.one([cast(as_variable(n), "int64") for n in lengths], "int64", ())

    def compute(self, xp: ArrayModule, node: Apply, *lengths: Any) -> tuple[Any, ...]:
        result = self.exact([int(n) for n in lengths])
        if result >= LARGEST:
            raise MemoryError(self.text(lengths))
        return (np.asarray(max(result, -LARGEST - 1), dtype="int64"),)


class SumOfLengths(_OfLengths):
    """The sum of lengths."""

    between = " + "

    @staticmethod
    def exact(lengths: Sequence[int]) -> int:
        return sum(lengths)

    def emit(self, p: Builder, node: Apply, *lengths: ProgramValue) -> Any:
        sizes = [p.integer(n) for n in lengths]
        return p.checked_size(node, reduce(p.plus, sizes), "sum_of_lengths", sizes)


class ProductOfLengths(_OfLengths):
    """The product of lengths."""

    between = " x "

    @staticmethod
    def exact(lengths: Sequence[int]) -> int:
        return math.prod(lengths)

    def emit(self, p: Builder, node: Apply, *lengths: ProgramValue) -> Any:
        sizes = [p.integer(n) for n in lengths]
        return p.checked_size(node, p.product(sizes), "product_of_lengths", sizes)


class CountOfRange(Structured):
    """How many numbers there are from `start` up to `stop`, `step` apart, int64."""

    shape = scalar_shape
    connection = connected()
    vjp = no_cotangents

    def make_node(self, start: Variable, stop: Variable, step: Variable) -> Apply:
        return self.one([as_variable(v) for v in (start, stop, step)], "int64", ())

    def compute(self, xp: ArrayModule, node: Apply, *bounds: np.ndarray) -> tuple[Any, ...]:
        return (np.asarray(range_length(node, *bounds), dtype="int64"),)

    def emit(
        self, p: Builder, node: Apply, start: ProgramValue, stop: ProgramValue, step: ProgramValue
    ) -> Any:
        return p.count_of_range(node, start, stop, step)


def range_length(node: Apply, *bounds: Any) -> int:
    """Return how many numbers a range has whose bounds are the inputs of a node."""
    if all(dtypes.is_discrete(v.type.dtype) for v in node.inputs):
        return exact_count(*(int(v) for v in bounds))
    return float_count(*(float(v) for v in bounds))


def exact_count(start: int, stop: int, step: int) -> int:
    """Return how many integers there are from `start` up to `stop`, `step` apart."""
    if step == 0:
        raise ValueError("the step of arange must not be zero")
    count = max(0, -((start - stop) // step))
    if count >= LARGEST:
        raise MemoryError(f"{count} numbers do not fit into memory")
    return count


def float_count(start: float, stop: float, step: float) -> int:
    """Return how many floats there are from `start` up to `stop`, `step` apart, as NumPy does."""
    with np.errstate(all="ignore"):
        span = np.float64(stop) - np.float64(start)
        count = span / np.float64(step)
    if not -float(LARGEST) <= count < float(LARGEST):
        raise ValueError(UNCOUNTABLE)
    if count == 0 and span != 0:
        # The step is beyond all bounds: there is the first number, or none.
        return int(not np.signbit(count))
    return max(0, math.ceil(count))


UNCOUNTABLE = (
    "the numbers of arange cannot be counted: there are too many, its step is zero, or a bound is "
    "infinite or NaN"
)


def as_length(value: TensorLike) -> Any:
    """Return an int where the value is known, else an int64 scalar variable."""
    number = python_int(value)
    return number if number is not None else cast(as_variable(value), "int64")


def lengths_of(vector: Variable, count: int) -> list[Any]:
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
    number = python_int(length)
    node = getattr(length, "owner", None)
    if number is not None or node is None:
        return number == 1
    if node.op is mul or node.op is cast_op("int64") or isinstance(node.op, ProductOfLengths):
        return all(map(is_one, node.inputs))
    if _shaping_class(node.op) == "Length":
        return node.inputs[0].type.broadcastable[node.op.axis]
    if type(node.op).__qualname__ != "Subtensor" or length.type.ndim:
        return False
    of, at = node.inputs[0].owner, node.op.index[0]
    at = at if isinstance(at, int) else python_int(node.inputs[1])
    if of is None or _shaping_class(of.op) != "ShapeOf" or at is None:
        return False
    return of.inputs[0].type.broadcastable[at]


def _shaping_class(op: Op) -> str | None:
    """Return the name of the class of an operation of `shaping`, which imports this module."""
    cls = type(op)
    module, name = place_of(cls)
    return name if module == "theano._core.ops.array.shaping" else None


def product(lengths: Dims) -> Any:
    """Return the product of lengths; None if one is unknown."""
    return _combined(ProductOfLengths, lengths, 1)


def total(lengths: Dims) -> Any:
    """Return the sum of lengths; None if one is unknown."""
    return _combined(SumOfLengths, lengths, 0)


def _combined(cls: type[_OfLengths], lengths: Sequence[Any], neutral: int) -> Any:
    if any(value is None for value in lengths):
        return None
    exact = cls.exact([v for v in lengths if isinstance(v, int)])
    unknown = [v for v in lengths if not isinstance(v, int)]
    if exact >= LARGEST:
        # The error is that of the call.
        return cls()(*map(as_int64, lengths))
    if not unknown:
        return exact
    if exact != neutral:
        unknown.append(as_int64(exact))
    return unknown[0] if len(unknown) == 1 else cls()(*unknown)


class _Memo(threading.local):
    """What is remembered of graphs in this thread; None where they may change."""

    signs: dict[Any, bool] | None = None
    parts: dict[Any, frozenset[Any]] | None = None
    lengths: dict[Any, Any] | None = None


_memo = _Memo()


class unchanged_graphs:  # noqa: N801
    """Have each length looked at once, in this thread, since no graph changes meanwhile.

    The parts of a wide join end at sums of ever more lengths. What is known around this one, is
    within it.
    """

    __slots__ = ("before",)

    def __enter__(self) -> None:
        self.before = _memo.signs, _memo.parts, _memo.lengths
        if _memo.signs is None:
            _memo.signs, _memo.parts, _memo.lengths = {}, {}, {}

    def __exit__(self, *error: object) -> None:
        _memo.signs, _memo.parts, _memo.lengths = self.before


def once(make: Callable[..., Any], *values: object) -> Any:
    """Return what `make` makes of values, an expression, made once while graphs do not change."""
    if _memo.lengths is None:
        return make(*values)
    key = make, values
    if key not in _memo.lengths:
        _memo.lengths[key] = make(*values)
    return _memo.lengths[key]


def has_part(whole: Variable, part: Variable) -> bool:
    """Tell whether `part` is one of the variables that `whole` is made of."""
    parts_of, inputs = _memo.parts, whole.owner.inputs
    if parts_of is None or len(inputs) < 8:
        return part in inputs
    if whole not in parts_of:
        parts_of[whole] = frozenset(inputs)
    return part in parts_of[whole]


def not_negative(value: Variable | int) -> bool:
    """Tell whether an integer scalar certainly is not negative: lengths, and sums of them."""
    signs = {} if _memo.signs is None else _memo.signs
    # Not by recursion: the sum of the lengths of a wide join is deep.
    stack = [] if value in signs else [value]
    while stack:
        sign = _sign(stack[-1])
        if not isinstance(sign, bool):
            together, parts = sign
            missing = [v for v in parts if v not in signs]
            if missing:
                stack += missing
                continue
            sign = together(signs[v] for v in parts)
        signs[stack.pop()] = sign
    return signs[value]


def _sign(value: Any) -> bool | tuple[Callable[..., bool], Sequence[Any]]:
    """Return whether a scalar is not negative, or that `any` or `all` of some must not be."""
    number = python_int(value)
    if number is not None:
        return number >= 0
    node = value.owner
    if node is None:
        return False
    if isinstance(node.op, CountOfRange) or _shaping_class(node.op) == "Length":
        return True
    if node.op is maximum:
        return any, node.inputs
    if node.op is switch:
        return all, node.inputs[1:]
    sums = node.op in (add, mul, minimum) or isinstance(node.op, (SumOfLengths, ProductOfLengths))
    return (all, node.inputs) if sums else False


def joint_length(lengths: Dims) -> Any:
    """Return the length of an axis along which arrays are broadcast by NumPy's rules.

    A length of 1 that is only known at run time broadcasts, too. None if one is unknown.
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


def broadcast_shape(
    patterns: Sequence[tuple[bool, ...]], shapes: Sequence[Dims]
) -> tuple[Any, ...]:
    """Return the lengths of the broadcast of arrays, one `joint_length` per axis."""
    return tuple(
        joint_length([s[axis] for p, s in zip(patterns, shapes, strict=True) if not p[axis]])
        for axis in range(len(patterns[0]))
    )


def as_int64(value: Any) -> Variable:
    """Return a length as an int64 scalar variable."""
    return as_variable(np.asarray(value, dtype="int64")) if isinstance(value, int) else value
