"""What is done last, and for native code only: the graph that users see goes without it.

Operations that are expressions of others are written out, products of sequences go into loops, and
the bounds of positions, which are checked before these are used, are reductions like all others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.base.dtypes import itemsize
from theano._core.base.records import Record
from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.array.assertions import Assert
from theano._core.ops.array.broadcasting import known_value
from theano._core.ops.array.creation import ARange, Eye, iota
from theano._core.ops.array.diagonals import Diagonal, WriteDiagonal
from theano._core.ops.array.dims import LARGEST, as_int64
from theano._core.ops.array.indexing import (
    AT,
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    IncSubtensor,
)
from theano._core.ops.array.products import BatchedDot, Dot, Gemm
from theano._core.ops.array.reductions import ArgExtreme, Reduction, reduce
from theano._core.ops.array.shaping import Length
from theano._core.ops.control.branch import Branch
from theano._core.ops.control.scan import Loop
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.op import constant, python_int
from theano._core.ops.core.python_call import Composed
from theano._core.ops.elementwise.arithmetic import add, eq, mul
from theano._core.ops.elementwise.elementwise import cast, cast_op
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.inline import classes_in, hold, in_loops
from theano._core.rewrite.passes.nested_reductions import in_nested_reductions
from theano._core.rewrite.passes.shared_searches import in_shared_searches
from theano._core.rewrite.passes.sums_of_parts import in_sums_of_parts
from theano._core.rewrite.rule import Rule, RuleSet
from theano._core.rewrite.scan.simplify import with_fixed_outside
from theano._core.rewrite.scan.sink_products import with_products_in_steps


def _with_bounds(rewriter: Rewriter, node: Apply) -> list[Any] | None:
    """Equal ones are then computed once, and along with what else reads the positions."""
    indices = node.op.indices(node)
    there = len(node.inputs) > node.op.operands + len(indices)
    if there or not indices[0].type.ndim or node.op.is_checked_after(node):
        return None
    bounds = [b for index in indices for b in _bounds(index)]
    return node.op.make_node(*node.inputs, *bounds).outputs


def _bounds(index: Variable) -> list[Any]:
    """Return the smallest and the largest item of an index array."""
    if isinstance(index, Constant):
        ends = index.data.min(initial=LARGEST), index.data.max(initial=-LARGEST - 1)
        return [constant(np.asarray(end, "int64")) for end in ends]
    asserted = made_by(index, Assert)
    while asserted is not None:
        index = asserted.inputs[0]
        asserted = made_by(index, Assert)
    if index.owner is not None and index.owner.op is cast_op("int64"):
        source = index.owner.inputs[0]
        if dtypes.is_discrete(source.type.dtype) and itemsize(source.type.dtype) < 8:
            # Many more fit in a vector.
            index = source
    return [cast(reduce(kind, index), "int64") for kind in ("infimum", "supremum")]


def _expression(rewriter: Rewriter, node: Apply) -> list[Any] | None:
    return node.op.expression(node)


def _diagonal(rewriter: Rewriter, node: Apply) -> list[Any] | None:
    """Positions that count up side by side are those of a view."""
    indices = node.op.indices(node)
    if len(indices) < 2 or node.op.axes != (AT,) * len(indices):
        return None
    starts = tuple(start for start in map(_start, indices) if start is not None)
    counts = {rewriter.shape(index) for index in indices}
    if len(counts) > 1 or len(starts) < len(indices):
        return None
    ((count,),) = counts
    write = isinstance(node.op, AdvancedIncSubtensor)
    op = WriteDiagonal(starts, node.op.assign) if write else Diagonal(starts)
    return [op(*node.inputs[: node.op.operands], as_int64(count))]


def _start(positions: Variable) -> int | None:
    """Return from which known number, not less than 0, positions count up; None if they do not."""
    node, start = made_by(positions, add), 0
    if node is not None and len(node.inputs) == 2:
        # Of other lengths, what is added would be checked against that of the range.
        of_one = {v: known_value(v) for v in node.inputs if all(v.type.broadcastable)}
        others = [v for v in node.inputs if of_one.get(v) is None]
        if len(others) != 1:
            return None
        (number,) = (x for x in of_one.values() if x is not None)
        positions, start = others[0], int(number)
    node = made_by(positions, ARange)
    if node is None or python_int(node.inputs[2]) != 1:
        return None
    first = python_int(node.inputs[0])
    return None if first is None or min(first, start) < 0 else first + start


def _identity(rewriter: Rewriter, node: Apply) -> list[Any] | None:
    """A loop then computes it where it is read. A negative length is an error, which must stay."""
    n, m, k = node.inputs
    if not all((python_int(v) or 0) > 0 or made_by(v, Length) for v in (n, m)):
        return None
    rows, columns = (iota(v) for v in (n, m))
    if python_int(k) != 0:
        rows = add(rows, dimshuffle(k, ("x",)))
    same = eq(dimshuffle(rows, (0, "x")), dimshuffle(columns, ("x", 0)))
    return [cast(same, node.op.dtype)]


def _has_one_term(node: Apply) -> bool:
    """Tell whether a product of matrices is one of columns with rows, as their types declare."""
    x, y = node.inputs[2:4] if isinstance(node.op, Gemm) else node.inputs
    rank = x.type.ndim
    alike = rank == y.type.ndim > 1
    return alike and x.type.broadcastable[-1] and y.type.broadcastable[rank - 2]


def _outer_product(rewriter: Rewriter, node: Apply) -> list[Any] | None:
    if not _has_one_term(node):
        return None
    if not isinstance(node.op, Gemm):
        return [mul(*node.inputs)]
    z, alpha, x, y, beta = node.inputs
    product = mul(_times(alpha, x), y)
    return [product if known_value(beta) == 0 else add(_times(beta, z), product)]


def _times(factor: Variable, x: Variable) -> Variable:
    return x if known_value(factor) == 1 else mul(dimshuffle(factor, ["x"] * x.type.ndim), x)


def native_form(outputs: Sequence[Variable], rewriter: Rewriter) -> list[Any]:
    """Return `outputs` as native code computes them, in the bodies of loops too.

    `rewriter` is the one that made `outputs`; it knows the lengths of the result afterwards.
    """
    changed, present = list(outputs), classes_in(rewriter.nodes(outputs))
    if hold(present, (Loop, Branch)):
        changed = with_products_in_steps(outputs, rewriter)
        inside = in_loops(changed, lambda inside: native_form(inside, Rewriter()))
        if any(a is not b for a, b in zip(inside, changed, strict=True)):
            # Bounds of positions that all steps use.
            changed = with_fixed_outside(inside)
        present = classes_in(rewriter.nodes(changed))
    if hold(present, (Reduction,)):
        changed = in_nested_reductions(changed)
    if hold(present, (ArgExtreme,)):
        changed = in_shared_searches(changed)
    if hold(present, (IncSubtensor,)):
        changed = in_sums_of_parts(changed, rewriter)
    ran = False
    for form in FORMS:
        nodes = rewriter.nodes(changed) if hold(present, form.on) else ()
        classes = {type(n.op) for n in nodes if isinstance(n.op, form.on) and form.when(n)}
        if classes:
            rule = Rule(form.name, tuple(classes), form.change, "native", form.keeps, form.why)
            changed, ran = rewriter.run(changed, RuleSet([rule])), True
            present = classes_in(rewriter.nodes(changed))
    if ran or all(a is b for a, b in zip(changed, outputs, strict=True)):
        return changed
    return rewriter.run(changed, RuleSet(()))


class _Form(Record):
    """A rule of the last form; it is looked for only where a node of its classes is `when`."""

    name: str
    on: tuple[type, ...]
    change: Callable[[Rewriter, Apply], list[Any] | None]
    why: str
    keeps: str = "exact"
    when: Callable[[Apply], bool] = bool


# In this order: expressions have positions, too.
FORMS = (
    _Form("composed(x) → expression", (Composed,), _expression, "no call of Python"),
    _Form(
        "eye(n) → arange(n)[:, None] == arange(n)",
        (Eye,),
        _identity,
        "no array of zeros and ones",
    ),
    _Form(
        "x[arange(n), arange(n)] → diagonal(x)",
        (AdvancedSubtensor,),
        _diagonal,
        "a view, and a write of a part, instead of items at positions that are made and checked",
    ),
    _Form(
        "x[i] → x[i] with the bounds of i",
        (AdvancedSubtensor,),
        _with_bounds,
        "fewer reads of i",
    ),
    _Form(
        "dot(column, row) → column row",
        (Dot, BatchedDot, Gemm),
        _outer_product,
        "BLAS takes twice the time for sums of one term, and other loops join one of products",
        "rounding",
        _has_one_term,
    ),
)
