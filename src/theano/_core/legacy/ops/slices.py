"""Indices as `theano.tensor.subtensor` took them apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from theano._core.api.array.indexing import inc_subtensor, set_subtensor
from theano._core.api.conversion import as_tensor_variable, extract_constant
from theano._core.ir.types import Type
from theano._core.ir.variable import Apply, Variable
from theano._core.legacy.scalar.type import KnownIndex, ScalarConstant, get_scalar_type
from theano._core.ops.array.index_form import SYMBOL, Slice
from theano._core.ops.control.inner_graph import Maker
from theano._core.ops.core.op import python_int
from theano._core.ops.elementwise.arithmetic import (
    add,
    int_div,
    lt,
    maximum,
    minimum,
    mul,
    sgn,
    sub,
    switch,
)


def get_idx_list(
    inputs: Sequence[Variable], idx_list: Sequence[object], get_count: bool = False
) -> Any:
    """Return an index with its symbolic parts filled in.

    Parameters
    ----------
    inputs : sequence of variables
        What is indexed, then the symbolic parts in the order in which they occur.
    idx_list : sequence of int, slice and Type
        A Type stands for a symbolic part; `Subtensor.index` is taken too.
    get_count : bool
        Return how many of `inputs` were used instead.
    """
    rest = list(inputs[1:])
    used = iter(rest)
    count = 0

    def fill(entry: object) -> Any:
        nonlocal count
        if isinstance(entry, KnownIndex):
            return entry.constant()
        if isinstance(entry, Type) or (isinstance(entry, str) and entry == SYMBOL):
            count += 1
            return next(used)
        if isinstance(entry, (slice, Slice)):
            return slice(fill(entry.start), fill(entry.stop), fill(entry.step))
        return entry

    filled = tuple(fill(entry) for entry in idx_list)
    return count if get_count else filled


def make_constant(args: Sequence[object]) -> tuple[Any, ...]:
    """Return an index whose numbers are constants, of the scalar type int64."""

    def constant(entry: object) -> Any:
        if isinstance(entry, slice):
            return slice(constant(entry.start), constant(entry.stop), constant(entry.step))
        if isinstance(entry, (int, np.integer)):
            return ScalarConstant(get_scalar_type("int64"), entry)
        return entry

    return tuple(map(constant, args))


def get_canonical_form_slice(theslice: object, length: object) -> tuple[Any, int | Any]:
    """Return an index of an axis as one that goes forward within its bounds.

    Parameters
    ----------
    theslice : slice or integer
        Parts may be variables.
    length : int or integer scalar variable

    Returns
    -------
    entry : slice or integer
        ``0 <= start <= stop <= length`` and ``step > 0``; an integer is counted from the front.
    direction : 1 or -1, or a variable
        -1 if the items that `entry` takes must be read backwards.
    """
    if not isinstance(theslice, slice):
        at = extract_constant(theslice)
        return switch(lt(at, 0), add(at, length), at), 1
    start, stop, step, size = (
        None if v is None else _number(v)
        for v in (theslice.start, theslice.stop, theslice.step, length)
    )
    step = 1 if step is None else step
    if all(v is None or isinstance(v, int) for v in (start, stop, step, size)):
        return _known_slice(slice(start, stop, step).indices(size))  # type: ignore[arg-type]
    if isinstance(step, int) and step > 0:
        if step == 1 and start in (None, 0) and stop is None:
            return slice(0, size, 1), 1
        return _forward(start, stop, step, size), 1
    if isinstance(step, int):
        return _backward(start, stop, step, size), -1
    up, down = _forward(start, stop, step, size), _backward(start, stop, step, size)
    parts = zip((up.start, up.stop, up.step), (down.start, down.stop, down.step), strict=True)
    return slice(*(switch(lt(step, 0), b, a) for a, b in parts)), sgn(step)


def _number(value: object) -> Any:
    number = python_int(extract_constant(value))
    if number is None and not hasattr(value, "type"):
        number = int(extract_constant(value))
    return value if number is None else number


def _known_slice(bounds: tuple[int, int, int]) -> tuple[slice, int]:
    items = range(*bounds)
    if not items:
        return slice(0, 0, abs(items.step)), 1 if items.step > 0 else -1
    low, high = min(items[0], items[-1]), max(items[0], items[-1])
    return slice(low, high + 1, abs(items.step)), 1 if items.step > 0 else -1


def _bound(value: object, size: object, low: object, high: object) -> Any:
    """Return a bound counted from the front, between `low` and `high`."""
    at = switch(lt(value, 0), add(value, size), value)
    return minimum(maximum(at, low), high)


def _forward(start: object, stop: object, step: object, size: object) -> slice:
    first = 0 if start in (None, 0) else _bound(start, size, 0, size)
    last = size if stop is None else _bound(stop, size, 0, size)
    return slice(first, maximum(first, last), step)


def _backward(start: object, stop: object, step: object, size: object) -> slice:
    top = sub(size, 1)
    first = top if start is None else _bound(start, size, -1, top)
    last = as_tensor_variable(-1) if stop is None else _bound(stop, size, -1, top)
    back = mul(as_tensor_variable(step), -1)
    count = maximum(int_div(add(sub(first, last), sub(back, 1)), back), 0)
    end = add(first, 1)
    lowest = sub(first, mul(sub(count, 1), back))
    return slice(switch(lt(0, count), lowest, end), end, back)


class AdvancedBooleanSubtensor(Maker):
    """Items of a tensor where masks hold; `index` may mix masks with any other entries."""

    def __call__(self, x: Variable, *index: object) -> Any:
        """Return ``x[index]``."""
        return as_tensor_variable(x)[index]

    def make_node(self, x: Variable, *index: object) -> Apply:
        """Return the node that makes ``x[index]``."""
        return self(x, *index).owner


class AdvancedSubtensor(AdvancedBooleanSubtensor):
    """Items of a tensor at arrays of positions."""


class AdvancedBooleanIncSubtensor(Maker):
    """A tensor with items where masks hold set or increased.

    Parameters
    ----------
    inplace : bool
        Accepted for old programs: the memory planner decides what is overwritten.
    set_instead_of_inc : bool
    """

    def __init__(self, inplace: bool = False, set_instead_of_inc: bool = False) -> None:
        self.inplace = inplace
        self.set_instead_of_inc = set_instead_of_inc

    def __call__(self, x: Variable, y: object, *index: object) -> Any:
        """Return `x` after ``x[index] += y``, or ``x[index] = y``."""
        change = set_subtensor if self.set_instead_of_inc else inc_subtensor
        return change(as_tensor_variable(x)[index], y)

    def make_node(self, x: Variable, y: Variable, *index: object) -> Apply:
        """Return the node that makes the changed tensor."""
        return self(x, y, *index).owner

    def __str__(self) -> str:
        # Theano has two spaces there.
        options = f"inplace={self.inplace},  set_instead_of_inc={self.set_instead_of_inc}"
        return f"{type(self).__name__}{{{options}}}"


class AdvancedIncSubtensor(AdvancedBooleanIncSubtensor):
    """A tensor with items at arrays of positions set or increased."""


advanced_boolean_subtensor = AdvancedBooleanSubtensor()
advanced_boolean_inc_subtensor = AdvancedBooleanIncSubtensor()
advanced_boolean_set_subtensor = AdvancedBooleanIncSubtensor(set_instead_of_inc=True)
advanced_subtensor = AdvancedSubtensor()
advanced_inc_subtensor = AdvancedIncSubtensor()
advanced_set_subtensor = AdvancedIncSubtensor(set_instead_of_inc=True)
