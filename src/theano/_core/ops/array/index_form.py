"""Basic indices as operations hold them: integers, slices, and what inputs give."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from theano._core.base import dtypes
from theano._core.base.records import Record
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.core.op import as_variable, python_int

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike

# An entry of an index is SYMBOL where its value is an input of the node.
SYMBOL = "symbol"


class _Numbers(threading.local):
    """Whether numbers of an index that is written now are inputs of its node, as users see them."""

    are_inputs = True


_numbers = _Numbers()


@contextmanager
def numbers_in_operations() -> Iterator[None]:
    """Have the numbers of indices be part of operations, as rewriting and lowering expect them."""
    before, _numbers.are_inputs = _numbers.are_inputs, False
    try:
        yield
    finally:
        _numbers.are_inputs = before


class Slice(Record):
    """A slice whose parts are None, an int, or SYMBOL."""

    start: Any = None
    stop: Any = None
    step: Any = None


# Of all items of an axis, the last one first.
BACKWARDS = Slice(None, None, -1)
Entry = Any  # int, SYMBOL or Slice
Index = tuple[Entry, ...]


def split_index(
    entries: Sequence[object], constant: Callable[[int], Variable] | None = None
) -> tuple[Index, list[Any]]:
    """Return the static form of a basic index and the scalar variables it refers to.

    With `constant`, which makes a variable of a number, numbers are among these; not while a
    function is made (`numbers_in_operations`).
    """
    variables: list[Any] = []

    def part(value: Any) -> Any:
        if value is None:
            return None
        number = python_int(value)
        if number is not None:
            if not -(2**63) <= number < 2**63:
                raise TypeError(f"Could not convert the index {number} to int64: it is too large")
            if constant is None or not _numbers.are_inputs:
                return number
            variables.append(constant(number))
            return SYMBOL
        scalar = as_variable(value)
        if (
            scalar.type.ndim
            or not dtypes.is_discrete(scalar.type.dtype)
            or scalar.type.dtype == "bool"
        ):
            raise TypeError(f"Expected an integer, got {value} of type {scalar.type}")
        variables.append(scalar)
        return SYMBOL

    form: list[Entry] = []
    for entry in entries:
        if isinstance(entry, slice):
            form.append(Slice(part(entry.start), part(entry.stop), part(entry.step)))
        else:
            form.append(part(entry))
    return tuple(form), variables


def with_numbers(form: Index, values: Sequence[Variable]) -> tuple[Index, list[Any]]:
    """Return `form` with constants of `values` in it as numbers, and the other values."""
    rest, variables = iter(values), []

    def part(entry: object) -> Any:
        if not (isinstance(entry, str) and entry == SYMBOL):
            return entry
        value = next(rest)
        number = python_int(value) if isinstance(value, Constant) else None
        if number is None:
            variables.append(value)
            return SYMBOL
        return number

    return tuple(Slice(*map(part, e)) if isinstance(e, Slice) else part(e) for e in form), variables


def shortened(index: Index) -> Index:
    """Return an index without its last entries that take whole axes."""
    while index and index[-1] == Slice():
        index = index[:-1]
    return index


def is_whole(index: Index, pattern: Sequence[bool]) -> bool:
    """Tell whether an index takes whole axes, and items of those that have one by a pattern."""
    pairs = zip(index, pattern, strict=False)
    return all(entry == Slice() or (one and entry in (0, -1)) for entry, one in pairs)


def index_of(node: Apply) -> Index:
    """Return the index of a node of `Subtensor` or `IncSubtensor`, with the numbers it has."""
    first = node.op.operands
    if len(node.inputs) == first:
        return node.op.index
    return with_numbers(node.op.index, node.inputs[first:])[0]


def has_numbers(node: Apply) -> bool:
    """Tell whether a basic index has numbers among the inputs of its node.

    In graphs that users write they are there; rewriting puts them into the operation first of all.
    """
    return any(isinstance(v, Constant) for v in node.inputs[node.op.operands :])


def with_numbers_in_index(node: Apply, inputs: Sequence[Variable]) -> Apply:
    """Return the node of a basic index, of `inputs` instead of its own, with numbers in it."""
    first = node.op.operands
    form, values = with_numbers(node.op.index, inputs[first:])
    new = node.op.indexed(form).make_node(*inputs[:first], *values)
    new.take_over(node)
    return new


def numbers_of(node: Apply, values: Sequence[object]) -> list[Any]:
    """Return what the inputs of a basic index are, `values`, with constants as numbers."""
    inputs = node.inputs[node.op.operands :]
    constants = [python_int(v) if isinstance(v, Constant) else None for v in inputs]
    return [v if n is None else n for v, n in zip(values, constants, strict=True)]


def join_index(form: Index, values: Sequence[object]) -> list[Any]:
    """Return the index of `form` with SYMBOL replaced by `values` in order."""
    rest = iter(values)

    def part(value: TensorLike) -> Any:
        return next(rest) if value == SYMBOL and isinstance(value, str) else value

    return [
        slice(part(e.start), part(e.stop), part(e.step)) if isinstance(e, Slice) else part(e)
        for e in form
    ]


def keeps_one(entry: Slice) -> bool:
    """Tell whether a slice of an axis of length 1 has length 1."""
    # Only a slice that certainly takes the single item leaves a declared length of 1.
    start, stop = (
        entry.start in (None, 0),
        entry.stop is None or (isinstance(entry.stop, int) and entry.stop >= 1),
    )
    if isinstance(entry.step, int) and entry.step < 0:
        return entry.start is None and entry.stop is None
    return start and stop and entry.step != SYMBOL


def merged_index(inner: Index, outer: Sequence[Entry]) -> list[Any] | None:
    """Return the entries that take what `outer` takes of what `inner` takes; None if unknown.

    Both are of numbers only.
    """
    entries: list[Any] = []
    left = list(outer)
    for entry in inner:
        if not isinstance(entry, Slice):
            entries.append(entry)
            continue
        together = _merged(entry, left.pop(0) if left else Slice())
        if together is None:
            return None
        entries.append(together)
    return entries + [slice(*e) if isinstance(e, Slice) else e for e in left]


def _merged(inner: Slice, outer: Slice | int) -> Any:
    if inner == Slice():
        return slice(*outer) if isinstance(outer, Slice) else outer
    if outer == Slice():
        return slice(*inner)
    start, stop = inner.start or 0, inner.stop
    if inner.step not in (None, 1) or start < 0:
        return None
    if not isinstance(outer, Slice):
        at = start + outer
        return at if outer >= 0 and (stop is None or 0 <= at < stop) else None
    first, last = outer.start or 0, outer.stop
    if first < 0 or (outer.step or 1) < 0:
        return None
    begin = start + first or None
    if stop is None and (last is None or last >= 0):
        return slice(begin, None if last is None else start + last, outer.step)
    if stop is not None and stop >= start and (last is None or last >= 0):
        return slice(begin, stop if last is None else min(stop, start + last), outer.step)
    # Counted from the end: what `inner` leaves out there and `outer` leaves out of the rest.
    if (stop is None or stop < 0) and (last is None or last < 0):
        return slice(begin, (stop or 0) + (last or 0), outer.step)
    return None


def entry_text(entry: Entry) -> str:
    """Return an entry as the name of an operation has it."""
    if isinstance(entry, Slice):
        parts = (entry.start, entry.stop, entry.step)
        return ":".join("" if part is None else entry_text(part) for part in parts)
    return "int64" if entry == SYMBOL else str(entry)
