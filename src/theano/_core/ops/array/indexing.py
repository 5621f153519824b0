"""Reading and writing parts of arrays: basic slices, and arrays of positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base import dtypes
from theano._core.base.errors import AdvancedIndexingError
from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.array.dims import (
    SumOfLengths,
    as_int64,
    broadcast_shape,
    has_part,
    not_negative,
    once,
    total,
)
from theano._core.ops.array.index_form import (
    Index,
    Slice,
    entry_text,
    join_index,
    keeps_one,
    numbers_of,
    shortened,
    split_index,
    with_numbers,
)
from theano._core.ops.array.reductions import reduce
from theano._core.ops.array.shaping import pattern_broadcast
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.fill import zeros_like_float
from theano._core.ops.core.naming import variant
from theano._core.ops.core.op import (
    Structured,
    as_variable,
    connected,
    linear_in,
    no_cotangents,
    python_int,
    scalar_shape,
    shape_of,
    tensor_operand,
)
from theano._core.ops.elementwise.arithmetic import add, maximum, minimum, sub, switch
from theano._core.ops.elementwise.elementwise import cast, same_rank

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ops.core.protocols import Builder, ProgramValue, Trace


def _traced_index(j: Any, form: Index, shape: Sequence[int], values: Sequence[Any]) -> Any:
    """Return an index for JAX, which does not check positions: that they fit is required."""
    entries = join_index(
        form, [int(v) if isinstance(v, int) or j.is_known(v) else v for v in values]
    )
    for axis, (entry, length) in enumerate(zip(entries, shape, strict=False)):
        if not isinstance(entry, slice):
            j.require((entry >= -length) & (entry < length))
        elif isinstance(entry.step, int):
            # Further than the axis is long is far enough, and fits any integer of XLA's.
            step = min(max(entry.step, -length - 1), length + 1)
            entries[axis] = slice(entry.start, entry.stop, step)
    return tuple(entries)


def _traced_write(
    j: Trace, op: Any, x: np.ndarray, y: object, at: Sequence[int] | Sequence[slice]
) -> Any:
    place = j.numpy.asarray(x).at[at]
    return place.set(y) if op.assign else place.add(y)


def slice_length(entry: slice, size: object) -> Any:
    """Return the length of a slice of an axis of `size`; None parts as in Python."""
    step = 1 if entry.step is None else python_int(entry.step)
    start, stop = (None if v is None else _folded(v) for v in (entry.start, entry.stop))
    if start is None and stop is None and step is not None and abs(step) == 1:
        return size
    if (
        isinstance(size, int)
        and step is not None
        and all(v is None or isinstance(v, int) for v in (start, stop))
    ):
        return len(range(*slice(start, stop, step).indices(size)))
    if size is None:
        return None
    return once(_length, start, stop, entry.step if step is None else step, size)


def _length(start: Any, stop: Any, step: Any, size: Any) -> Any:
    """Return the length of a slice as an expression."""
    constant_step = step if isinstance(step, int) else None
    cut = _cut_off(start, stop) if constant_step == 1 else None
    if cut is not None:
        # One expression for x[2:], x[1:-1], x[:-2] and x[1:][1:]: they are known to fit each other.
        whole, before = _before_cut(size)
        cut = min(cut + before, 1 << 62)
        if cut <= 0:
            return total([whole, -cut])
        return maximum(as_int64(whole) - as_int64(cut), as_int64(0))
    return _symbolic_length(slice(start, stop, step), constant_step, as_int64(size))


def _cut_off(start: object, stop: object) -> int | None:
    """Return how many items a slice leaves away at both ends, if that is so for any length."""
    first, last = (0 if v is None else v for v in (start, stop))
    if not isinstance(first, int) or not isinstance(last, int):
        return None
    if first < 0 or last > 0 or (stop is not None and last == 0):
        return None
    # Any axis is shorter than that.
    return min(first - last, 1 << 62)


def _before_cut(size: Any) -> tuple[Any, int]:
    """Return the length of what a slice of some size is of, and how many items it leaves away.

    Less than none of what items are added to, as the initial rows of a loop are.
    """
    added = made_by(size, SumOfLengths) if isinstance(size, Variable) else None
    more = None if added is None else python_int(added.inputs[-1])
    if added is not None and more is not None and all(map(not_negative, added.inputs)):
        return total(added.inputs[:-1]), -more
    rest = made_by(size, maximum) if isinstance(size, Variable) else None
    if rest is None or python_int(rest.inputs[1]) != 0:
        return size, 0
    difference = made_by(rest.inputs[0], sub)
    count = None if difference is None else python_int(difference.inputs[1])
    if difference is None or count is None or count < 0 or not not_negative(difference.inputs[0]):
        return size, 0
    return difference.inputs[0], count


def _folded(value: Variable | int) -> Any:
    number = python_int(value)
    return value if number is None else number


def _symbolic_length(entry: slice, step: int | None, size: Variable) -> Any:
    if step is None:
        by = cast(as_variable(entry.step), "int64")
        up = _bounded_length(entry.start, entry.stop, size, by, True)
        down = _bounded_length(entry.start, entry.stop, size, by, False)
        return switch(by < as_int64(0), down, up)
    return _bounded_length(entry.start, entry.stop, size, as_int64(step), step > 0)


def _bounded_length(
    start: int | None, stop: Variable | int | None, size: Variable, step: Variable, forward: bool
) -> Any:
    zero = as_int64(0)
    low, high = (zero, size) if forward else (as_int64(-1), size - as_int64(1))

    def bound(value: Variable | int | None, default: Variable) -> Any:
        if value is None:
            return default
        if python_int(value) == 0 and forward:
            return zero
        at = cast(as_variable(value), "int64")
        if at is size:
            return size
        number = python_int(value)
        if number is None and not_negative(at):
            return at if forward and _exceeds(size, at) else minimum(at, high)
        if number is None:
            at = switch(at < zero, at + size, at)
        elif number < 0:
            at = at + size
        return minimum(maximum(at, low), high)

    first, last = bound(start, low if forward else high), bound(stop, high if forward else low)
    span = last - first if first is not zero else last
    if python_int(step) == 1:
        return maximum(span, zero) if first is not zero else span
    return maximum(-(-span // step), zero)


def _exceeds(whole: Variable, part: Variable) -> bool:
    """Tell whether `whole` is `part` and something more."""
    node = whole.owner
    if node is None or not (node.op is add or isinstance(node.op, SumOfLengths)):
        return False
    return has_part(whole, part) and all(v is part or not_negative(v) for v in node.inputs)


class Subtensor(Structured):
    """A view of `x`: one entry per leading axis, an integer or a slice."""

    __props__ = ("index",)
    is_view = True
    connection = connected(0)
    linear = linear_in(0)
    # The inputs before those of the index.
    operands = 1

    def __init__(self, index: Index) -> None:
        self.index = index

    def indexed(self, index: Index) -> Subtensor:
        """Return this operation with another index."""
        return type(self)(index)

    def make_node(self, x: TensorLike, *values: Variable) -> Apply:
        x = tensor_operand("subtensor", x)
        if len(self.index) > x.type.ndim:
            raise IndexError(
                f"too many indices for array: {x} has {x.type.ndim} dimensions, "
                f"the index {len(self.index)}"
            )
        pattern = []
        index = with_numbers(self.index, values)[0] if values else self.index
        for axis, one in enumerate(x.type.broadcastable):
            entry = index[axis] if axis < len(index) else Slice()
            if isinstance(entry, Slice):
                pattern.append(one and keeps_one(entry))
        return self.one([x, *values], x.type.dtype, pattern)

    def compute(
        self, xp: ArrayModule, node: Apply, x: np.ndarray, *values: np.ndarray
    ) -> tuple[Any, ...]:
        return (x[tuple(join_index(self.index, [int(v) for v in values]))],)

    def jax(self, j: Trace, node: Apply, x: np.ndarray, *values: np.ndarray) -> tuple[Any, ...]:
        return (
            j.numpy.asarray(x)[_traced_index(j, self.index, x.shape, numbers_of(node, values))],
        )

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        entries = join_index(self.index, node.inputs[1:])
        entries += [slice(None)] * (node.inputs[0].type.ndim - len(entries))
        shape = [
            slice_length(e, n)
            for e, n in zip(entries, shapes[0], strict=True)
            if isinstance(e, slice)
        ]
        pattern = node.outputs[0].type.broadcastable
        return [tuple(1 if one else n for one, n in zip(pattern, shape, strict=True))]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        x, *values = node.inputs
        g = IncSubtensor(self.index, False)(zeros_like_float(x), cotangents[0], *values)
        return [g] + [None] * len(values)

    def emit(self, p: Builder, node: Apply, x: ProgramValue, *values: ProgramValue) -> Any:
        pattern = node.outputs[0].type.broadcastable
        return p.slice(node, x, join_index(self.index, numbers_of(node, values)), pattern)

    def __str__(self) -> str:
        return f"Subtensor{{{', '.join(entry_text(e) for e in self.index)}}}"


class Within(Structured):
    """`index`, after checking that it is an index of an axis of `length` (else IndexError)."""

    shape = scalar_shape
    connection = connected()
    vjp = no_cotangents

    def make_node(self, index: TensorLike, length: TensorLike) -> Apply:
        return self.one([as_variable(index), as_variable(length)], "int64", ())

    def compute(
        self, xp: ArrayModule, node: Apply, index: np.ndarray, length: np.ndarray
    ) -> tuple[Any, ...]:
        if not -length <= index < length:
            raise IndexError(f"index {index} is out of bounds for axis 0 with size {length}")
        return (index,)

    def jax(self, j: Trace, node: Apply, index: np.ndarray, length: np.ndarray) -> tuple[Any, ...]:
        j.require((index >= -length) & (index < length))
        return (index,)

    def emit(self, p: Builder, node: Apply, index: ProgramValue, length: ProgramValue) -> Any:
        p.require_index(node, index, length)
        return index


within = Within()


def subtensor(x: TensorLike, entries: Sequence[object]) -> Any:
    """Return the basic index `entries` (ints, scalar variables, slices) of `x`."""
    form, values = split_index(entries)
    form = shortened(form)
    return Subtensor(form)(x, *values) if form else x


class PartialWrite:
    """A mark: the result is the first input with some of its items written."""


class IncSubtensor(PartialWrite, Structured):
    """`x` with a part set to `y`, or with `y` added to that part."""

    __props__ = ("index", "assign")
    shape = shape_of(0)
    connection = connected(0, 1)
    linear = linear_in((0, 1))
    operands = 2

    def __init__(self, index: Index, assign: bool) -> None:
        self.index = index
        self.assign = assign

    def indexed(self, index: Index) -> IncSubtensor:
        """Return this operation with another index."""
        return type(self)(index, self.assign)

    def make_node(self, x: TensorLike, y: TensorLike, *values: Variable) -> Apply:
        x, y = tensor_operand("inc_subtensor", x), tensor_operand("inc_subtensor", y)
        part = Subtensor(self.index).make_node(x, *values).outputs[0]
        if y.type.ndim > part.type.ndim:
            raise ValueError(
                f"Trying to increment a {part.type.ndim}-dimensional subtensor with a "
                f"{y.type.ndim}-dimensional value."
            )
        return self.one([x, cast(y, x.type.dtype), *values], x.type.dtype, x.type.broadcastable)

    def compute(
        self, xp: ArrayModule, node: Apply, x: np.ndarray, y: np.ndarray, *values: np.ndarray
    ) -> tuple[Any, ...]:
        out = np.array(x)
        at = tuple(join_index(self.index, [int(v) for v in values]))
        check_fits(y.shape, out[at].shape)
        out[at] = y if self.assign else out[at] + y
        return (out,)

    def jax(
        self, j: Trace, node: Apply, x: np.ndarray, y: np.ndarray, *values: np.ndarray
    ) -> tuple[Any, ...]:
        at = _traced_index(j, self.index, x.shape, numbers_of(node, values))
        return (_traced_write(j, self, x, y, at),)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        _, y, *values = node.inputs
        g = cotangents[0]
        part = Subtensor(self.index)(g, *values)
        gx = IncSubtensor(self.index, True)(g, as_zero(g), *values) if self.assign else g
        return [gx, sum_to(part, y)] + [None] * len(values)

    def emit(
        self, p: Builder, node: Apply, x: ProgramValue, y: ProgramValue, *values: ProgramValue
    ) -> Any:
        index = join_index(self.index, numbers_of(node, values))
        return p.write_slice(node, x, y, index, self.assign)

    def __str__(self) -> str:
        verb = "Set" if self.assign else "Inc"
        return f"IncSubtensor{{{verb};{', '.join(entry_text(e) for e in self.index)}}}"


def check_fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """Raise ValueError unless `shape` broadcasts to `wanted`."""
    try:
        fits = np.broadcast_shapes(shape, wanted) == tuple(wanted)
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"could not broadcast input array from shape {shape} into shape {wanted}")


def as_zero(x: Variable) -> Any:
    """Return the scalar 0 of the dtype of `x`."""
    return as_variable(np.zeros((), dtype=x.type.dtype))


def sum_to(g: Variable, y: Variable) -> Any:
    """Return `g` summed over the axes along which `y` was broadcast."""
    extra = g.type.ndim - y.type.ndim
    axes = list(range(extra))
    axes += [
        extra + i
        for i, one in enumerate(y.type.broadcastable)
        if one and not g.type.broadcastable[extra + i]
    ]
    if not axes:
        return (
            g
            if g.type.broadcastable == y.type.broadcastable
            else pattern_broadcast(g, y.type.broadcastable)
        )
    reduced = reduce("sum", g, tuple(axes))
    kept = iter(range(reduced.type.ndim))
    return dimshuffle(
        reduced, ["x" if extra + i in axes else next(kept) for i in range(y.type.ndim)]
    )


FULL = "full"
AT = "at"


class AdvancedSubtensor(Structured):
    """`x` at arrays of positions.

    `axes` says, per leading axis of `x`, AT (the next index array addresses it) or FULL. The index
    arrays broadcast together; their axes stand where the AT axes stood if those are neighbours,
    else in front. In native code the smallest and the largest item of each stand behind them.
    """

    __props__ = ("axes",)
    through_integers = True
    connection = connected(0)
    linear = linear_in(0)
    # The inputs before the index arrays.
    operands = 1

    def __init__(self, axes: tuple[str, ...]) -> None:
        self.axes = axes
        if axes == (AT,) and type(self) in (AdvancedSubtensor, AdvancedIncSubtensor):
            self.__class__ = variant(type(self), f"{type(self).__name__}1")

    def place(self, rank: int) -> tuple[list[int], list[int], int]:
        """Return (AT axes, FULL axes, position of the index axes in the output)."""
        at = [i for i, a in enumerate(self.axes) if a == AT]
        full = [i for i in range(rank) if i not in at]
        neighbours = at == list(range(at[0], at[-1] + 1))
        return at, full, at[0] if neighbours else 0

    def indices(self, node: Apply) -> Sequence[Any]:
        """Return the index arrays of a node."""
        return node.inputs[self.operands : self.operands + self.axes.count(AT)]

    def is_checked_after(self, node: Apply) -> bool:
        """Tell whether native code reads at the positions while it looks whether they fit.

        That is where they come first and do not broadcast: nothing is overwritten by then.
        """
        indices = self.indices(node)
        patterns = {v.type.broadcastable for v in indices}
        return self.axes == (AT,) * len(indices) and len(patterns) == 1 and patterns != {()}

    def as_written(self, node: Apply) -> Apply:
        """Return a node as it was before native code: for messages."""
        plain = self.make_node(*node.inputs[: self.operands + self.axes.count(AT)])
        plain.source = node.source
        return plain

    def make_node(self, x: TensorLike, *indices: TensorLike) -> Apply:
        x = tensor_operand("advanced_subtensor", x)
        if len(self.axes) > x.type.ndim:
            raise IndexError(f"too many indices for array: {x} has {x.type.ndim} dimensions")
        at, full, position = self.place(x.type.ndim)
        values = same_rank([index_array(i) for i in indices[: len(at)]])
        bounds = [as_variable(b) for b in indices[len(at) :]]
        pattern = [x.type.broadcastable[a] for a in full]
        pattern[position:position] = [
            all(v.type.broadcastable[i] for v in values) for i in range(values[0].type.ndim)
        ]
        return self.one([x, *values, *bounds], x.type.dtype, pattern)

    def numpy_index(self, indices: Sequence[TensorLike]) -> tuple[Any, ...]:
        """Return the index as NumPy takes it."""
        rest = iter(indices)
        return tuple(next(rest) if a == AT else slice(None) for a in self.axes)

    def compute(
        self, xp: ArrayModule, node: Apply, x: np.ndarray, *indices: np.ndarray
    ) -> tuple[Any, ...]:
        return (xp.asarray(x[self.numpy_index(indices)]),)

    def jax(self, j: Trace, node: Apply, x: np.ndarray, *indices: np.ndarray) -> tuple[Any, ...]:
        self._require_positions(j, x, indices)
        return (j.numpy.asarray(x)[self.numpy_index(indices)],)

    def _require_positions(self, j: Trace, x: np.ndarray, indices: Sequence[TensorLike]) -> None:
        for axis, positions in zip(self.place(x.ndim)[0], indices, strict=True):
            j.require((positions >= -x.shape[axis]) & (positions < x.shape[axis]))

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        _, full, position = self.place(node.inputs[0].type.ndim)
        shape = [shapes[0][a] for a in full]
        indices = self.indices(node)
        patterns = [v.type.broadcastable for v in indices]
        shape[position:position] = broadcast_shape(patterns, shapes[1 : 1 + len(indices)])
        return [tuple(shape)]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        x, *indices = node.inputs
        g = AdvancedIncSubtensor(self.axes, False)(zeros_like_float(x), cotangents[0], *indices)
        return [g] + [None] * len(indices)

    def emit(self, p: Builder, node: Apply, x: ProgramValue, *index: ProgramValue) -> Any:
        return p.gather(node, x, index, self.place(node.inputs[0].type.ndim))

    def __str__(self) -> str:
        return "AdvancedSubtensor1" if self.axes == (AT,) else "AdvancedSubtensor"


class AdvancedIncSubtensor(PartialWrite, AdvancedSubtensor):
    """`x` with the items at arrays of positions set to `y`, or with `y` added to them.

    Where a position occurs several times, additions accumulate and the last assignment stays.
    """

    __props__ = ("axes", "assign")
    shape = shape_of(0)
    connection = connected(0, 1)
    linear = linear_in((0, 1))
    operands = 2

    def __init__(self, axes: tuple[str, ...], assign: bool) -> None:
        super().__init__(axes)
        self.assign = assign

    def is_checked_after(self, node: Apply) -> bool:
        # What may be overwritten is the user's.
        return False

    def make_node(self, x: TensorLike, y: TensorLike, *indices: TensorLike) -> Apply:
        x, y = tensor_operand("inc_subtensor", x), tensor_operand("inc_subtensor", y)
        part = AdvancedSubtensor(self.axes).make_node(x, *indices)
        if y.type.ndim > part.outputs[0].type.ndim:
            raise TypeError(
                f"cannot write a {y.type.ndim}-dimensional value to "
                f"{part.outputs[0].type.ndim}-dimensional positions"
            )
        return self.one(
            [x, cast(y, x.type.dtype), *part.inputs[1:]], x.type.dtype, x.type.broadcastable
        )

    def compute(
        self, xp: ArrayModule, node: Apply, x: np.ndarray, *rest: np.ndarray
    ) -> tuple[Any, ...]:
        y, *indices = rest
        out = np.array(x)
        at = self.numpy_index(indices)
        shape = out[at].shape
        check_fits(y.shape, shape)
        if self.assign:
            out[at] = y
        else:
            # NumPy 2.4 loses what it broadcasts itself to positions of two axes.
            np.add.at(out, at, np.broadcast_to(y, shape))
        return (out,)

    def jax(self, j: Trace, node: Apply, x: np.ndarray, *rest: np.ndarray) -> tuple[Any, ...]:
        y, *indices = rest
        self._require_positions(j, x, indices)
        return (_traced_write(j, self, x, y, self.numpy_index(indices)),)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        _, y, *indices = node.inputs
        g = cotangents[0]
        part = AdvancedSubtensor(self.axes)(g, *indices)
        gx = AdvancedIncSubtensor(self.axes, True)(g, as_zero(g), *indices) if self.assign else g
        return [gx, sum_to(part, y)] + [None] * len(indices)

    def emit(self, p: Builder, node: Apply, x: ProgramValue, *rest: ProgramValue) -> Any:
        y, *index = rest
        return p.scatter(node, x, y, index, self.place(node.inputs[0].type.ndim), self.assign)

    def __str__(self) -> str:
        if self.axes == (AT,):
            return f"AdvancedIncSubtensor1{{no_inplace,{'set' if self.assign else 'inc'}}}"
        return f"AdvancedIncSubtensor{{inplace=False,  set_instead_of_inc={self.assign}}}"


def gather(x: TensorLike, *positions: TensorLike, axis: int = 0) -> Any:
    """Return the items of `x` at arrays of positions along `axis` and those that follow."""
    return AdvancedSubtensor((FULL,) * axis + (AT,) * len(positions))(x, *positions)


def scatter_set(x: TensorLike, y: TensorLike, *positions: TensorLike) -> Any:
    """Return `x` with the items at arrays of positions along its first axes set to `y`."""
    return AdvancedIncSubtensor((AT,) * len(positions), True)(x, y, *positions)


def scatter_add(x: TensorLike, y: TensorLike, *positions: TensorLike, axis: int = 0) -> Any:
    """Return `x` with `y` added to the items that `gather` returns."""
    return AdvancedIncSubtensor((FULL,) * axis + (AT,) * len(positions), False)(x, y, *positions)


def index_array(value: TensorLike) -> Any:
    """Return `value` as an int64 index variable, or raise AdvancedIndexingError."""
    variable = as_variable(value)
    dtype = variable.type.dtype
    if not dtypes.is_discrete(dtype) or dtype == "bool":
        raise AdvancedIndexingError(
            f"index must be integers or a boolean mask, got {variable.type}"
        )
    return cast(variable, "int64")


def is_scalar_index(value: object) -> bool:
    """Tell whether an index entry is one integer."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.bool_)):
        return True
    if isinstance(value, Variable):
        dtype = getattr(value.type, "dtype", None)
        return dtype is not None and value.type.ndim == 0 and dtypes.is_discrete(dtype)
    return isinstance(value, Constant)
