"""Rules about shapes: lengths without computing values, and views of views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.broadcasting import Alloc, alloc, known_value
from theano._core.ops.array.creation import Join
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.gradient import FILTERS
from theano._core.ops.array.index_form import Slice, is_whole, join_index
from theano._core.ops.array.indexing import Subtensor, subtensor
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.array.shaping import (
    Length,
    MakeVector,
    Rebroadcast,
    Reshape,
    ShapeOf,
    pattern_broadcast,
)
from theano._core.ops.control.scan import Loop
from theano._core.ops.control.scan_state import CheckedSteps, checked_steps
from theano._core.ops.core.dimshuffle import DimShuffle, dimshuffle
from theano._core.ops.core.fill import Second
from theano._core.ops.elementwise.elementwise import Elementwise
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Rules
from theano._core.rewrite.rules.flatten import fitted

RULES = Rules("shape")
rule = RULES.rule


@rule(
    "shape(x) → lengths of x",
    on=ShapeOf,
    keeps="exact",
    why="a shape is known from the shapes of the inputs",
)
def _shape_to_lengths(rewriter: Rewriter, node: Apply) -> Any:
    return MakeVector("int64")(*(as_int64(n) for n in rewriter.shape(node.inputs[0])))


@rule(
    "length of an expression → its formula",
    on=Length,
    keeps="exact",
    why="the expression itself need not be computed",
)
def _length_of_expression(rewriter: Rewriter, node: Apply) -> Any:
    axis_length = rewriter.shape(node.inputs[0])[node.op.axis]
    axis_length = as_int64(axis_length)
    return None if axis_length is node.outputs[0] or axis_length.owner is node else axis_length


@rule(
    "vector(a, b, …)[i] → item i", on=Subtensor, keeps="exact", why="no vector is made for one item"
)
def _item_of_vector(rewriter: Rewriter, node: Apply) -> Any:
    source = made_by(node.inputs[0], MakeVector)
    if source is None or len(node.op.index) != 1:
        return None
    entry = node.op.index[0]
    if isinstance(entry, int) and -len(source.inputs) <= entry < len(source.inputs):
        return source.inputs[entry]
    if isinstance(entry, Slice) and all(v is None or isinstance(v, int) for v in entry):
        return MakeVector(source.op.dtype)(*source.inputs[slice(*entry)])
    return None


@rule(
    "join(vector(a, …), vector(b, …)) → vector(a, …, b, …)",
    on=Join,
    keeps="exact",
    why="one vector is made, and less is copied",
)
def _joined_vectors(rewriter: Rewriter, node: Apply) -> Any:
    """Of neighbours that nothing else needs."""
    arrays, merged, vectors = node.op.parts(node)[1], [], False
    for v in arrays:
        made = made_by(v, MakeVector) if rewriter.uses.get(v, 0) <= 1 else None
        if made is not None and vectors:
            merged[-1].append(v)
        else:
            merged.append([v])
        vectors = made is not None
    if len(merged) == len(arrays):
        return None
    dtype = node.outputs[0].type.dtype
    parts = [
        group[0]
        if len(group) == 1
        else MakeVector(dtype)(*(item for v in group for item in v.owner.inputs))
        for group in merged
    ]
    return parts[0] if len(parts) == 1 else Join(0)(*parts)


@rule("x[0:length of x] → x", on=Subtensor, keeps="exact", why="no work")
def _whole_slice(rewriter: Rewriter, node: Apply) -> Any:
    """Entries that take a whole axis are written `:`."""
    x = node.inputs[0]
    entries = join_index(node.op.index, node.inputs[1:])
    shape = rewriter.shape(x)
    # Of these, the last ones say nothing.
    changed = entries[-1:] in ([], [slice(None)])
    for axis, entry in enumerate(entries):
        if not isinstance(entry, slice) or entry == slice(None):
            continue
        stop = entry.stop
        whole = stop is None or stop is shape[axis]
        if isinstance(stop, int) and isinstance(shape[axis], int):
            whole = whole or stop >= shape[axis]
        if whole and entry.start in (None, 0) and entry.step in (None, 1):
            entries[axis], changed = slice(None), True
    return subtensor(x, entries) if changed else None


@rule("x[0] → x without an axis of one item", on=Subtensor, keeps="exact", why="one form")
def _one_item(rewriter: Rewriter, node: Apply) -> Any:
    """Where nothing else is left away."""
    x, index = node.inputs[0], node.op.index
    if not is_whole(index, x.type.broadcastable):
        return None
    return dimshuffle(x, [a for a in range(x.type.ndim) if index[a : a + 1] not in ((0,), (-1,))])


@rule("checked_steps(n, n) → n", on=CheckedSteps, keeps="exact", why="no step is missing")
def _steps_of_rows(rewriter: Rewriter, node: Apply) -> Any:
    """For lengths that are the number of steps itself."""
    steps = checked_steps(node.inputs[0], node.inputs[1:])
    return None if made_by(steps, CheckedSteps) and steps.owner.inputs == node.inputs else steps


@rule(
    "fill(x, y) → alloc(y, shape(x))",
    on=Second,
    keeps="exact",
    why="the values of x are not needed",
)
def _second_to_alloc(rewriter: Rewriter, node: Apply) -> Any:
    x, y = node.inputs
    if y.type.broadcastable == node.outputs[0].type.broadcastable:
        if rewriter.same_shape(x, y) or all(x.type.broadcastable):
            return y
    shape = [
        b if one else a
        for a, b, one in zip(
            rewriter.shape(x), rewriter.shape(y), x.type.broadcastable, strict=True
        )
    ]
    return alloc(y, *(as_int64(n) for n in shape))


@rule("alloc(x, shape(x)) → x", on=Alloc, keeps="exact", why="no work")
def _alloc_of_same_shape(rewriter: Rewriter, node: Apply) -> Any:
    value = node.inputs[0]
    return value if rewriter.same_shape(value, node.outputs[0]) else None


def _broadcasts_as_declared(rewriter: Rewriter, inner: Variable, whole: Variable) -> bool:
    """Tell whether no axis of `inner` turns out to have one item, and broadcasts, at run time."""
    axes = zip(inner.type.broadcastable, rewriter.shape(inner), rewriter.shape(whole), strict=True)
    return all(one or own == wanted for one, own, wanted in axes)


def _has_shape_of_its_own(value: Variable) -> bool:
    """Tell whether an `Alloc` is more than zeros in the shape of something, as gradients have."""
    return any(not made_by(n, Length) for n in value.owner.inputs[1:])


def fitting(rewriter: Rewriter, node: Apply, number: int, other: int) -> Any:
    """Return an operand of an elementwise node, checked to have the lengths of another one.

    That is for where a rule takes the node away, which checks them.
    """
    places = f"input[{other}].", f"input[{number}]."
    return fitted(rewriter, node.inputs[number], [node.inputs[other]], places)


@rule(
    "x + alloc(y, shape(x)) → x + y",
    on=Elementwise,
    phase="canonical",
    needs=(Alloc,),
    keeps="exact",
    why="loops broadcast their operands by themselves",
)
def _alloc_operand(rewriter: Rewriter, node: Apply) -> Any:
    """An operand that is broadcast to the shape of another one need not be: the loop does it."""
    out = node.outputs[0]
    for i, value in enumerate(node.inputs):
        if not made_by(value, Alloc):
            continue
        inner = value.owner.inputs[0]
        if not _broadcasts_as_declared(rewriter, inner, value):
            continue
        whole = [
            j
            for j, v in enumerate(node.inputs)
            if j != i and v.type.broadcastable == out.type.broadcastable
        ]
        inputs = list(node.inputs)
        inputs[i] = inner
        if any(rewriter.same_shape(inputs[j], value) for j in whole):
            return node.op(*inputs)
        if whole and known_value(inner) is not None and _has_shape_of_its_own(value):
            # As a number alone it may vanish: the other operand is checked instead.
            inputs[whole[0]] = fitting(rewriter, node, whole[0], i)
            return node.op(*inputs)
    return None


@rule(
    "dimshuffle(dimshuffle(x)) → dimshuffle(x)",
    on=DimShuffle,
    keeps="exact",
    why="one view instead of two",
)
def _merge_dimshuffles(rewriter: Rewriter, node: Apply) -> Any:
    op, x = node.op, node.inputs[0]
    if op.new_order == tuple(range(x.type.ndim)):
        return x
    if not made_by(x, DimShuffle):
        return None
    inner = x.owner.op.new_order
    return dimshuffle(x.owner.inputs[0], [a if a == "x" else inner[a] for a in op.new_order])


# How many functions above each other are looked through for a transposition to undo.
DEEPEST = 8


def _undone(rewriter: Rewriter, variable: Variable, order: tuple[Any, ...], depth: int = 0) -> int:
    """Return how many transpositions below `variable` one by `order` undoes; -1 if it adds one."""
    type_, node = variable.type, variable.owner
    long = [axis for axis in order if axis != "x" and not type_.broadcastable[axis]]
    if len(long) < 2 or long == sorted(long):
        return 0
    if node is None or depth == DEEPEST:
        return -1
    if isinstance(node.op, DimShuffle):
        inner = [node.op.new_order[axis] for axis in long]
        return 1 if inner == sorted(inner) else -1
    if not isinstance(node.op, Elementwise):
        return -1
    # What something else needs, too, is computed twice then.
    if rewriter.uses.get(variable, 0) > 1 and (depth or node.op.is_dear(node)):
        return -1
    undone = [_undone(rewriter, v, order, depth + 1) for v in node.inputs]
    return -1 if -1 in undone else sum(undone)


@rule(
    "f(x.T, y).T → f(x, y.T)",
    on=DimShuffle,
    phase="canonical",
    keeps="exact",
    why="rows are read as they lie in memory",
)
def _undo_transposition(rewriter: Rewriter, node: Apply) -> Any:
    op, x = node.op, node.inputs[0]
    if not made_by(x, Elementwise):
        return None
    if _undone(rewriter, x, op.new_order) < 1:
        return None
    return x.owner.op(*(dimshuffle(v, op.new_order) for v in x.owner.inputs))


def _order_of_leaf(variable: Variable) -> tuple[int, ...] | None:
    """Return how the first operand that a tree of functions transposes lies in memory."""
    node = variable.owner
    for _ in range(DEEPEST):
        if node is None or not isinstance(node.op, Elementwise):
            break
        whole = (v for v in node.inputs if sum(not b for b in v.type.broadcastable) > 1)
        node = next((v.owner for v in whole), None)
    view: Any = node
    if view is None or not isinstance(view.op, DimShuffle):
        return None
    order = view.op.new_order
    return order if sorted(a for a in order if a != "x") == [*range(len(order))] else None


def _turned(variable: Any, order: Sequence[int]) -> Any:
    """Return the transpose of what functions make, made of the transposes of their operands."""
    node, new = variable.owner, list(order)
    long = sum(not b for b in variable.type.broadcastable)
    if long > 1 and node is not None and isinstance(node.op, Elementwise):
        return node.op(*(_turned(v, order) for v in node.inputs))
    if node is not None and isinstance(node.op, DimShuffle):
        (variable,) = node.inputs
        new = [node.op.new_order[axis] for axis in order]
    return variable if new == [*range(variable.type.ndim)] else dimshuffle(variable, new)


@rule(
    "reduce(f(x.T, y.T), axis) → reduce(f(x, y), other axis).T",
    on=Reduction,
    phase="canonical",
    why="the axes of x and y are in the order in which their items most likely lie",
)
def _reduction_of_functions_of_transposes(rewriter: Rewriter, node: Apply) -> Any:
    value = node.inputs[0]
    order = _order_of_leaf(value) if made_by(value, Elementwise) else None
    if order is None or rewriter.uses.get(value, 0) > 1:
        return None
    back = tuple(order.index(axis) for axis in range(len(order)))
    if _undone(rewriter, value, back) < 1:
        return None
    axes = node.op.axes(len(order))
    reduced = sorted(order[axis] for axis in axes)
    result = Reduction(node.op.kind, reduced, *node.op.asked)(_turned(value, back))
    left = [axis for axis in range(len(order)) if axis not in reduced]
    return dimshuffle(result, [left.index(a) for n, a in enumerate(order) if n not in axes])


@rule("reshape(reshape(x)) → reshape(x)", on=Reshape, keeps="exact", why="one view instead of two")
def _merge_reshapes(rewriter: Rewriter, node: Apply) -> Any:
    x = node.inputs[0]
    out = node.outputs[0]
    # What is known of the rows of a loop that runs no step may not be known after later phases.
    fixed = not made_by(x, Loop)
    if fixed and x.type.ndim == out.type.ndim and rewriter.shape(x) == rewriter.shape(out):
        return x
    if made_by(x, Reshape):
        return Reshape(node.op.ndim)(x.owner.inputs[0], node.inputs[1])
    return None


@rule(
    "reshape(x) → dimshuffle(x)",
    on=Reshape,
    keeps="exact",
    why="axes that come and go are seen through by other rules",
)
def _reshape_of_axes(rewriter: Rewriter, node: Apply) -> Any:
    """Where all other axes than those of length 1 stay as they are."""
    x, out = node.inputs[0], node.outputs[0]
    if made_by(x, Loop):
        return None
    own, wanted = (
        [n for n, one in zip(rewriter.shape(v), v.type.broadcastable, strict=True) if not one]
        for v in (x, out)
    )
    if own != wanted:
        return None
    kept = (axis for axis, one in enumerate(x.type.broadcastable) if not one)
    return dimshuffle(x, ["x" if one else next(kept) for one in out.type.broadcastable])


@rule("rebroadcast(x) → x", on=Rebroadcast, keeps="exact", why="no work")
def _useless_rebroadcast(rewriter: Rewriter, node: Apply) -> Any:
    x, pattern = node.inputs[0], node.op.pattern
    if x.type.broadcastable == pattern:
        return x
    if made_by(x, Rebroadcast):
        promised = [a or b for a, b in zip(x.owner.op.pattern, pattern, strict=True)]
        if tuple(promised) == pattern:
            return pattern_broadcast(x.owner.inputs[0], pattern)
    return None


@rule(
    "gradient filter(x) → x",
    on=FILTERS,
    phase="canonical",
    keeps="exact",
    why="its work is done once gradients are taken",
)
def _drop_filter(rewriter: Rewriter, node: Apply) -> Any:
    return node.inputs[0]


@rule(
    "f(reshape(x)) → reshape(f(x))",
    on=Elementwise,
    phase="special",
    needs=(Reshape,),
    keeps="exact",
    why="one loop with what makes x",
)
def _function_of_reshaped(rewriter: Rewriter, node: Apply) -> Any:
    """Where other operands are numbers, and a loop makes x for nothing else."""
    out = node.outputs[0]
    full = [v for v in node.inputs if not all(v.type.broadcastable)]
    made = made_by(full[0], Reshape) if len(full) == 1 else None
    if made is None or full[0].type.broadcastable != out.type.broadcastable:
        return None
    x, shape = made.inputs
    if any(rewriter.uses.get(v, 0) > 1 for v in (x, full[0])) or not made_by(x, Elementwise):
        return None
    rank = x.type.ndim
    if any(x.type.broadcastable) or not rank:
        return None
    operands = [
        x if v is full[0] else dimshuffle(dimshuffle(v, ()), ["x"] * rank) for v in node.inputs
    ]
    return made.op(node.op(*operands), shape)
