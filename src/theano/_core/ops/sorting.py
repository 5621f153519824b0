"""Order along an axis: sorting, the largest items, places in sorted vectors, distinct items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.broadcasting import alloc
from theano._core.ops.array.creation import iota
from theano._core.ops.array.dims import product as total_length
from theano._core.ops.array.index_form import split_index
from theano._core.ops.array.indexing import (
    IncSubtensor,
    gather,
    scatter_add,
    scatter_set,
    subtensor,
)
from theano._core.ops.array.nonzero import Nonzero
from theano._core.ops.array.reductions import reduce
from theano._core.ops.array.shaping import length, reshape_op, shape
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.fill import zeros_like_float
from theano._core.ops.core.naming import hashed_as, known_as
from theano._core.ops.core.op import Structured, as_variable, python_int, shape_of, tensor_operand
from theano._core.ops.core.python_call import Composed
from theano._core.ops.cumulative import Cumulative
from theano._core.ops.elementwise.arithmetic import (
    eq,
    isnan,
    mul,
    neq,
    switch,
)
from theano._core.ops.elementwise.elementwise import cast

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ops.core.protocols import Batching, Builder, ProgramValue, Trace

# Ways to sort, and NumPy's numbers of them. They differ in the order of equal items. NumPy 2.4 has
# no heapsort any more.
KINDS = {"quicksort": 0, "mergesort": 2, "heapsort": 0, "stable": 2}


def along_axis(x: Variable, positions: Variable, axis: int) -> list[Any]:
    """Return the index of the items of `x` at `positions` along `axis`, one array per axis."""
    rank = x.type.ndim
    result = []
    for other in range(rank):
        if other == axis:
            result.append(positions)
            continue
        order: list[Any] = ["x"] * rank
        order[other] = 0
        result.append(dimshuffle(iota(length(x, other)), order))
    return result


def take_along(x: Variable, positions: Variable, axis: int) -> Any:
    """Return the items of `x` at `positions` along `axis`."""
    return gather(x, *along_axis(x, positions, axis))


def put_along(x: Variable, g: Variable, positions: Variable, axis: int) -> Any:
    """Return zeros like `x` with `g` added at `positions` along `axis`."""
    return scatter_add(zeros_like_float(x), g, *along_axis(x, positions, axis))


class _AlongAxis(Structured):
    """Base of operations on the order along one axis."""

    __props__ = ("axis", "kind")
    shape = shape_of(0)

    def __init__(self, axis: int, kind: str | None = None) -> None:
        kind = "quicksort" if kind is None else kind
        if kind not in KINDS:
            raise ValueError(f"{kind} is an unrecognized kind of sort: {', '.join(KINDS)} are")
        self.axis = int(axis)
        self.kind = kind

    def operand(self, x: TensorLike) -> Any:
        """Return `x` as a tensor that has the axis."""
        x = tensor_operand(str(self), x)
        if not 0 <= self.axis < x.type.ndim:
            raise ValueError(f"axis {self.axis} is out of bounds for {x.type}")
        return x

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        return [type(self)(self.axis + 1, self.kind)(values[0])]

    def __str__(self) -> str:
        # As Theano's, which named fields to sort by.
        return f"{type(self).__name__}{{{self.kind}, None}}"


@known_as("SortOp")
@hashed_as("SortOp")
class Sort(_AlongAxis):
    """`x` with its items along `axis` in rising order, NaN last."""

    long_rule = True
    through_integers = True

    def make_node(self, x: Variable) -> Apply:
        x = self.operand(x)
        return self.one([x], x.type.dtype, x.type.broadcastable)

    def compute(self, xp: ArrayModule, node: Apply, x: TensorLike) -> tuple[Any, ...]:
        return (xp.sort(x, axis=self.axis, kind=self.kind),)

    def jax(self, j: Trace, node: Apply, x: TensorLike) -> tuple[Any, ...]:
        return (j.numpy.sort(x, axis=self.axis),)

    def emit(self, p: Builder, node: Apply, x: ProgramValue) -> Any:
        return p.along(node, "sort", x, self.axis, KINDS[self.kind])

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        x = node.inputs[0]
        order = ArgSort(self.axis, self.kind)(x)
        return [put_along(x, cotangents[0], order, self.axis)]


@known_as("ArgSortOp")
@hashed_as("ArgSortOp")
class ArgSort(_AlongAxis):
    """Positions of the items of `x` along `axis` in rising order, NaN last; int64."""

    not_differentiated = "integers have no derivative"

    def make_node(self, x: Variable) -> Apply:
        x = self.operand(x)
        return self.one([x], "int64", x.type.broadcastable)

    def compute(self, xp: ArrayModule, node: Apply, x: TensorLike) -> tuple[Any, ...]:
        return (xp.argsort(x, axis=self.axis, kind=self.kind),)

    def jax(self, j: Trace, node: Apply, x: TensorLike) -> tuple[Any, ...]:
        return (j.numpy.argsort(x, axis=self.axis),)

    def emit(self, p: Builder, node: Apply, x: ProgramValue) -> Any:
        return p.along(node, "argsort", x, self.axis, KINDS[self.kind])


class ArgSelect(_AlongAxis):
    """`count` positions from `first` on of the order of `x` along `axis`, as stable sorting has it.

    All must exist. They are found without sorting the other items.
    """

    __props__ = ("axis",)
    not_differentiated = "integers have no derivative"

    def make_node(self, x: Variable, first: Variable, count: Variable) -> Apply:
        x = self.operand(x)
        pattern = list(x.type.broadcastable)
        pattern[self.axis] = False
        return self.one(
            [x, *(cast(as_variable(n), "int64") for n in (first, count))], "int64", pattern
        )

    def _sorted(self, x: Variable, first: Variable, count: object) -> Any:
        part = [*[slice(None)] * self.axis, slice(first, first + count)]
        return subtensor(ArgSort(self.axis, "stable")(x), part)

    def compute(
        self, xp: ArrayModule, node: Apply, x: Variable, first: Any, count: Any
    ) -> tuple[Any, ...]:
        end, size = int(first + count), x.shape[self.axis]
        if first < 0 or end > size:
            at = int(first) if first < 0 else end
            raise IndexError(f"index {at} is out of bounds for axis {self.axis} with size {size}")
        order = xp.argsort(x, axis=self.axis, kind="stable")
        return (order[(*[slice(None)] * self.axis, slice(int(first), end))],)

    def jax(self, j: Trace, node: Apply, *arrays: np.ndarray) -> Any:
        return j.run([self._sorted(*node.inputs)], dict(zip(node.inputs, arrays, strict=True)))

    def emit(self, p: Builder, node: Apply, x: ProgramValue, *_: ProgramValue) -> Any:
        return p.select(node, x, self.axis, *map(p.size, node.inputs[1:]))

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        return None if any(rows[1:]) else [ArgSelect(self.axis + 1)(*values)]

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        count = node.inputs[2]
        number = python_int(count)
        return [
            (
                *shapes[0][: self.axis],
                count if number is None else number,
                *shapes[0][self.axis + 1 :],
            )
        ]


class ArgSortRows(Structured):
    """Positions of the rows of a matrix in the order of the first column that differs; int64.

    Equal rows keep their order; NaN counts as largest, among halves as lowest, as NumPy has it.
    """

    not_differentiated = "integers have no derivative"

    def make_node(self, x: TensorLike) -> Apply:
        x = tensor_operand("argsort_rows", x)
        return self.one([x], "int64", x.type.broadcastable[:1])

    def compute(self, xp: ArrayModule, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        if not x.shape[1]:
            return (xp.arange(len(x)),)
        row = [(f"f{i}", x.dtype) for i in range(x.shape[1])]
        return (xp.argsort(xp.ascontiguousarray(x).view(row)[:, 0], kind="stable"),)

    def emit(self, p: Builder, node: Apply, x: ProgramValue) -> Any:
        return p.along(node, "argsort_rows", x, 0)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [shapes[0][:1]]


@known_as("TopKOp")
@hashed_as("TopKOp")
class TopK(Composed):
    """The `kth` largest items along `axis` (the `-kth` smallest if it is negative), and where.

    `sorted` asks for falling order; else the order is rising. NaN counts as largest. Outputs are
    only those that are asked for: items, positions.
    """

    long_rule = True
    __props__ = ("axis", "sorted", "return_values", "return_indices", "idx_dtype")

    def __init__(
        self,
        axis: int,
        sorted: bool = True,
        idx_dtype: str = "int64",
        return_values: bool = True,
        return_indices: bool = True,
    ) -> None:
        if not dtypes.is_integer(idx_dtype):
            raise TypeError(f'"idx_dtype" parameter must be an integer dtype, got "{idx_dtype}"')
        self.axis = int(axis)
        self.sorted = bool(sorted)
        self.idx_dtype = str(idx_dtype)
        self.return_values = bool(return_values)
        self.return_indices = bool(return_indices)
        if not (return_values or return_indices):
            raise ValueError("topk: neither return_values nor return_indices is True")

    def _asked(self, values: object, indices: object) -> list[Any]:
        return [values] * self.return_values + [indices] * self.return_indices

    def make_node(self, x: TensorLike, kth: TensorLike) -> Apply:
        x, kth = tensor_operand("topk", x), as_variable(kth)
        if not 0 <= self.axis < x.type.ndim:
            raise ValueError(f"topk: axis {self.axis} is out of bounds for {x.type}")
        if kth.type.ndim or not dtypes.is_integer(kth.type.dtype):
            raise TypeError(f"topk: kth must be an integer scalar, got {kth.type}")
        pattern = list(x.type.broadcastable)
        pattern[self.axis] = False
        names = self._asked(x.type.dtype, self.idx_dtype)
        types = [TensorType(dtype, pattern) for dtype in names]
        return Apply(self, [x, cast(kth, "int64")], [k.output() for k in types])

    def compute(
        self, xp: ArrayModule, node: Apply, x: np.ndarray, kth: np.ndarray
    ) -> tuple[Any, ...]:
        count, size = int(kth), x.shape[self.axis]
        if count == 0:
            raise ValueError("topk: kth cannot be zero")
        if abs(count) > size:
            raise ValueError(
                f"topk: kth cannot be larger than the size of specified axis {self.axis}: "
                f"{count}, {size}"
            )
        order = xp.argsort(x, axis=self.axis, kind="stable")
        part = slice(size - count, None) if count > 0 else slice(None, -count)
        before = (slice(None),) * self.axis
        order = order[(*before, part)]
        if self.sorted:
            order = order[(*before, slice(None, None, -1))]
        values = xp.take_along_axis(x, order, self.axis)
        return tuple(self._asked(values, order.astype(self.idx_dtype)))

    def expression(self, node: Apply) -> list[Any]:
        x, kth = node.inputs
        size = length(x, self.axis)
        kth = Require("topk: kth cannot be zero")(kth, neq(kth, 0))
        text = f"topk: kth cannot be larger than the size of specified axis {self.axis}: {{}}, {{}}"
        kth = Require(text, 2)(kth, kth, size, kth <= size, kth >= -size)
        start = switch(kth > 0, size - kth, as_variable(0))
        before = [slice(None)] * self.axis
        order = ArgSelect(self.axis)(x, start, abs(kth))
        if self.sorted:
            order = subtensor(order, [*before, slice(None, None, -1)])
        return self._asked(take_along(x, order, self.axis), cast(order, self.idx_dtype))

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        number = python_int(node.inputs[1])
        shape = list(shapes[0])
        shape[self.axis] = None if number is None else abs(number)
        return [tuple(shape)] * len(node.outputs)

    def connection(self, node: Apply) -> list[list[bool]]:
        return [self._asked(True, False), [False] * len(node.outputs)]

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        op = TopK(
            self.axis + 1, self.sorted, self.idx_dtype, self.return_values, self.return_indices
        )
        return None if rows[1] else op.make_node(*values).outputs

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        x, kth = node.inputs
        if not self.return_values:
            return [None, None]
        where = TopK(self.axis, self.sorted, return_values=False)(x, kth)
        return [put_along(x, cotangents[0], where, self.axis), None]


@known_as("SearchsortedOp")
@hashed_as("SearchsortedOp")
class SearchSorted(Composed):
    """Where the items of `v` belong in the sorted vector `x`, int64.

    A third input, if there is one, is the order that sorts `x`. `side` says where an item goes
    that is equal to items of `x`: before them ('left') or behind ('right').
    """

    not_differentiated = "integers have no derivative"

    __props__ = ("side",)
    shape = shape_of(1)

    def __init__(self, side: str = "left") -> None:
        if side not in ("left", "right"):
            raise ValueError(f"'{side}' is an invalid value for keyword 'side': left or right")
        self.side = side

    def make_node(self, x: TensorLike, v: TensorLike, sorter: TensorLike | None = None) -> Apply:
        x, v = tensor_operand("searchsorted", x), tensor_operand("searchsorted", v)
        if x.type.ndim != 1:
            raise ValueError(f"searchsorted: x must be a vector, got {x.type}")
        dtype = str(np.promote_types(x.type.dtype, v.type.dtype))
        inputs = [cast(x, dtype), cast(v, dtype)]
        if sorter is not None:
            sorter = as_variable(sorter)
            if sorter.type.ndim != 1:
                raise ValueError(f"sorter must be an integer vector, got {sorter.type}")
            if not dtypes.is_integer(sorter.type.dtype):
                raise TypeError(f"sorter must be an integer vector, got {sorter.type}")
            inputs.append(cast(sorter, "int64"))
        return self.one(inputs, "int64", v.type.broadcastable)

    def compute(
        self, xp: ArrayModule, node: Apply, x: np.ndarray, v: np.ndarray, *sorter: np.ndarray
    ) -> tuple[Any, ...]:
        places = xp.searchsorted(x, v, self.side, *sorter)
        return (xp.asarray(places, dtype="int64"),)

    def expression(self, node: Apply) -> list[Any] | None:
        x, v, *sorter = node.inputs
        return [self(gather(x, *sorter), v)] if sorter else None

    def emit(self, p: Builder, node: Apply, *values: ProgramValue) -> Any:
        if len(values) > 2:
            return super().emit(p, node, *values)
        return p.search(node, *values, self.side == "right")

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        return [self(*values)] if rows == [False, True, False][: len(rows)] else None


class Unique(Composed):
    """The distinct items of `x` in rising order, or its distinct parts along `axis`.

    Parameters
    ----------
    return_index : bool
        Also where each first occurs.
    return_inverse : bool
        Also which of them each item (part) of `x` is.
    return_counts : bool
        Also how often each occurs.
    axis : int or None
        None: the items of the flattened array.
    """

    long_rule = True
    __props__ = ("return_index", "return_inverse", "return_counts", "axis")

    def __init__(
        self,
        return_index: bool = False,
        return_inverse: bool = False,
        return_counts: bool = False,
        axis: int | None = None,
    ) -> None:
        self.return_index = return_index
        self.return_inverse = return_inverse
        self.return_counts = return_counts
        self.axis = axis

    def make_node(self, x: TensorLike) -> Apply:
        x = tensor_operand("unique", x)
        rank = x.type.ndim
        if self.axis is not None and not -rank <= self.axis < rank:
            raise ValueError(f"Unique axis `{self.axis}` is outside of input ndim = {rank}.")
        pattern = [False] if self.axis is None else list(x.type.broadcastable)
        if self.axis is not None:
            pattern[self.axis] = False
        types = [TensorType(x.type.dtype, pattern)]
        extra = self.return_index + self.return_inverse + self.return_counts
        types += [TensorType("int64", (False,))] * extra
        return Apply(self, [x], [k.output() for k in types])

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        result_shapes = super().shape(node, shapes)
        if self.return_inverse:
            shape = shapes[0] if self.axis is None else [shapes[0][self.axis]]
            result_shapes[1 + self.return_index] = (total_length(shape),)
        return result_shapes

    def compute(self, xp: ArrayModule, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        # The parts of a vector are its items: NumPy 1.26 takes them for rows.
        axis = None if x.ndim == 1 else self.axis
        flags = self.return_index, self.return_inverse, self.return_counts
        results = xp.unique(x, *flags, axis=axis)
        values, *rest = results if isinstance(results, tuple) else (results,)
        return values, *(xp.reshape(each, -1).astype("int64") for each in rest)

    def expression(self, node: Apply) -> list[Any] | None:
        x, axis = node.inputs[0], 0
        if self.axis is None or x.type.ndim == 1:
            x = flat = reshape_op(x, [-1])
        else:
            axis = self.axis % x.type.ndim
            x = dimshuffle(x, [axis, *(i for i in range(x.type.ndim) if i != axis)])
            width = mul(*(length(x, i) for i in range(1, x.type.ndim)), 1)
            flat = reshape_op(x, [length(x, 0), width])
        rising, order, new = self._in_order(flat)
        ahead, behind = slice(1, None), slice(None, -1)
        size = length(x, 0)
        first = _with_part(alloc(np.asarray(True), size), ahead, new)
        at = subtensor(Nonzero()(first), [0])
        if flat.type.ndim == 1:
            outs = [gather(rising, at)]
        else:
            index = gather(order, at)
            outs = [gather(node.inputs[0], index, axis=axis)]
        if self.return_index:
            outs.append(gather(order, at))
        if self.return_inverse:
            ranks = Cumulative(0, "add")(cast(first, "int64")) - 1
            room = alloc(np.asarray(0), size)
            outs.append(scatter_set(room, ranks, order))
        if self.return_counts:
            ends = alloc(size, length(at, 0))
            outs.append(_with_part(ends, behind, subtensor(at, [ahead])) - at)
        return outs

    def _in_order(self, x: Variable) -> tuple[Any, Any, Any]:
        """Return the items or rows of `x` in order, the order if asked, and which differ there.

        Each but the first counts: from the one before.
        """
        rows = x.type.ndim == 2
        order: Any = None
        if rows or self.return_index or self.return_inverse:
            order = ArgSortRows()(x) if rows else ArgSort(0, "stable")(x)
        rising = Sort(0)(x) if order is None else gather(x, order)
        one, two = subtensor(rising, [slice(None, -1)]), subtensor(rising, [slice(1, None)])
        new = neq(one, two)
        if rows:
            new = reduce("any", new, (1,))
        elif not dtypes.is_discrete(x.type.dtype):
            # All that is no number is one item; as part of a row it is not, in NumPy.
            new = new & ~(isnan(one) & isnan(two))
        return rising, order, new

    def connection(self, node: Apply) -> list[list[bool]]:
        return [[True] + [False] * (len(node.outputs) - 1)]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        # Of equal items the first receives all.
        x = node.inputs[0]
        first = Unique(return_index=True, axis=self.axis)(x)[1]
        if self.axis is None:
            flat = reshape_op(x, [-1])
            g = scatter_add(zeros_like_float(flat), cotangents[0], first)
            return [reshape_op(g, shape(x), x.type.ndim)]
        axis = self.axis % x.type.ndim
        return [scatter_add(zeros_like_float(x), cotangents[0], first, axis=axis)]


def _with_part(x: Variable, part: slice, y: Variable) -> Any:
    """Return the vector `x` with `y` in a part of it."""
    form, values = split_index([part])
    return IncSubtensor(form, True)(x, y, *values)


MOST_REPEATED = 2.0**62
TOO_OFTEN = "repeat: the items do not fit into memory"


class Spread(Composed):
    """Each position below `size` as often as the item of the vector `counts` there says, int64."""

    not_differentiated = "integers have no derivative"

    def make_node(self, counts: TensorLike, size: TensorLike) -> Apply:
        counts, size = as_variable(counts), as_variable(size)
        if counts.type.ndim != 1 or not dtypes.is_discrete(counts.type.dtype):
            raise TypeError(f"repeats must be an integer vector, got {counts.type}")
        return self.one([cast(counts, "int64"), cast(size, "int64")], "int64", (False,))

    def compute(
        self, xp: ArrayModule, node: Apply, counts: np.ndarray, size: np.ndarray
    ) -> tuple[Any, ...]:
        if counts.shape[0] != size:
            raise ValueError(
                f"repeats must hold one number for each of the {size} items along the axis, "
                f"got {counts.shape[0]}"
            )
        if counts.size and counts.min() >= 0 and counts.sum(dtype="float64") >= MOST_REPEATED:
            # NumPy's own sum may overflow.
            raise ValueError(TOO_OFTEN)
        return (xp.repeat(xp.arange(size, dtype="int64"), counts),)

    def expression(self, node: Apply) -> list[Any]:
        counts, size = node.inputs
        counts_length = length(counts, 0)
        text = "repeats must hold one number for each of the {} items along the axis, got {}"
        counts = Require(text, 2)(counts, size, counts_length, eq(counts_length, size))
        counts = Require("repeats may not contain negative values.")(
            counts, reduce("all", counts >= 0)
        )
        every = iota(_checked_sum(counts))
        return [SearchSorted("right")(Cumulative(0, "add")(counts), every)]


def _checked_sum(counts: TensorLike) -> Any:
    """Return the sum of numbers that are not negative, after checking that it is an int64."""
    # Added in floating point it is near enough to tell.
    near = reduce("sum", cast(counts, "float64"))
    return Require(TOO_OFTEN)(reduce("sum", counts), near < MOST_REPEATED)
