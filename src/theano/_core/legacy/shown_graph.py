"""What programs see as `f.maker.fgraph`: what a function computes, in operations of Theano 1.0.5.

Programs look there for the operations that they know. Rewriting writes many of those out as soon as
it starts: softmax is quotients of exponentials, sparse matrices are three arrays. Here such
operations are left whole, while all others are rewritten as in the function. And results that are
inputs, or lie in the memory of one, are shown as copies, which they are; products have the names of
calls of BLAS.

INVARIANT: the graph that is shown has the values of the one that runs, up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from theano._core.api.nn.nnet import logsoftmax
from theano._core.ir.function_graph import FunctionGraph
from theano._core.ir.graph import copied, made_by, toposort
from theano._core.ir.variable import Apply, Variable
from theano._core.legacy.graphs.numbers import numbers_as_inputs
from theano._core.legacy.graphs.walks import view_roots
from theano._core.legacy.ops.array_ops import Split
from theano._core.legacy.ops.function_op import deep_copy_op
from theano._core.legacy.ops.layer_ops import (
    AbstractBatchNormInference,
    AbstractBatchNormTrain,
    AbstractBatchNormTrainGrad,
)
from theano._core.legacy.optimizers.global_optimizers import EquilibriumOptimizer, optimized
from theano._core.legacy.optimizers.repeated_operands import local_elemwise_alloc
from theano._core.legacy.optimizers.shape_feature import ShapeFeature
from theano._core.legacy.optimizers.written_parts import SHOWN
from theano._core.legacy.scalar.elementwise import ScalarFromTensor, TensorFromScalar
from theano._core.legacy.shown_products import with_blas_names
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.broadcasting import Alloc
from theano._core.ops.array.index_form import Slice, shortened
from theano._core.ops.array.indexing import Subtensor
from theano._core.ops.array.overwriting import Overwrite
from theano._core.ops.control.inner_graph import Expression, ReverseRule, Softmax
from theano._core.ops.core.dimshuffle import DimShuffle, dimshuffle
from theano._core.ops.core.op import Op
from theano._core.ops.elementwise.arithmetic import copy as identity
from theano._core.ops.elementwise.transcendental import log
from theano._core.rewrite.pipeline import rewrite

if TYPE_CHECKING:
    import numpy as np

    from theano._core.compile.maker import FunctionMaker
    from theano._core.ir.annotations import ArrayModule, Dims

# Theano 1.0.5 replaced these in every function, too.
_ABSTRACT = (AbstractBatchNormTrain, AbstractBatchNormTrainGrad, AbstractBatchNormInference)
_ALL_IN_ONE = Split(1)
# Either undoes the other.
_CONVERSIONS = (TensorFromScalar, ScalarFromTensor)
# The pass that is not shown, and names of rewrites that did a part of it: a mode that asks for one
# wants to see arrays.
_SPARSE_PASS = "sparse"
_WITH_ARRAYS = frozenset(
    {
        *("local_csm_properties_csm", "local_csm_grad_c", "local_mul_s_d", "local_mul_s_v"),
        *("local_structured_add_s_v", "local_sampling_dot_csr", "local_structured_dot"),
        *("local_usmm", "local_usmm_csx", "local_dense_from_sparse_sparse_from_dense"),
    }
)


class _Closed(Op):
    """An operation that no rewriting looks into."""

    __props__ = ("op",)

    def __init__(self, op: Op) -> None:
        self.op = op

    def make_node(self, *inputs: Variable) -> Apply:
        return Apply(self, inputs, [out.type() for out in self.op.make_node(*inputs).outputs])

    def compute(self, xp: ArrayModule, node: Apply, *arrays: np.ndarray) -> tuple[Any, ...]:
        return self.op.compute(xp, node, *arrays)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return self.op.shape(node, shapes)

    def __str__(self) -> str:
        return str(self.op)


def shown_graph(maker: FunctionMaker) -> FunctionGraph:
    """Return the graph of a function, in operations of Theano 1.0.5 where they are known."""
    with maker.making():
        outputs = _without_whole_slices(_without_conversions(_rewritten(maker)))
        if "blas" in maker.mode.passes:
            outputs = _without_parts(maker, outputs)
            outputs, overwritten = _without_writes(outputs)
            outputs = with_blas_names(outputs, {**overwritten, **_overwritten(maker, outputs)})
        outputs = _moved_once(outputs)
    outputs = _with_copies(maker, numbers_as_inputs(outputs))
    graph: Any = FunctionGraph(maker.leaves, outputs, clone=False, name=maker.name)
    place = {v: k for k, v in enumerate(maker.all_inputs)}
    targets = enumerate((target for target, _ in maker.updates), len(maker.results))
    graph.attach_feature(ShapeFeature())
    graph.update_mapping = {out: place[target] for out, target in targets}
    return graph


def _stays_whole(node: Apply) -> bool:
    op: Any = node.op
    if isinstance(op, Expression):
        # A split into one part is no operation there either.
        is_whole = op == _ALL_IN_ONE
        return not is_whole and not isinstance(op, (ReverseRule, *_ABSTRACT))
    return not getattr(op, "is_inline", True)


def _rewritten(maker: FunctionMaker) -> list[Any]:
    """Return the rewritten graph, made once more if there is something to be left whole."""
    written = maker.written()
    nodes, passes = toposort(written), list(maker.mode.passes)
    if any(_is_sparse(node) for node in nodes) and not _WITH_ARRAYS & maker.mode.included:
        passes = [name for name in passes if name != _SPARSE_PASS]
    elif not any(_stays_whole(node) for node in nodes):
        return list(maker.lowered.rewritten)
    closed = _replaced(_with_log_softmax(written), _stays_whole, _Closed)
    rewritten = rewrite(closed, passes, maker.rewriter(False), maker.mode.selection)
    return _replaced(rewritten, lambda node: isinstance(node.op, _Closed), lambda op: op.op)  # type: ignore[attr-defined]


def _with_log_softmax(outputs: Sequence[Variable]) -> list[Any]:
    """Return a graph with logarithms of softmax as one operation, as rewriting computes them."""
    now: dict[Any, Any] = {}
    for node in toposort(outputs):
        if node.op is log and made_by(node.inputs[0], Softmax):
            (rows,) = copied(node.inputs[0].owner.inputs, now)
            now[node.outputs[0]] = logsoftmax(rows)
    return copied(outputs, now)


def _is_sparse(node: Apply) -> bool:
    return any(getattr(v.type, "format", None) for v in (*node.inputs, *node.outputs))


def _replaced(
    outputs: Sequence[Variable], chosen: Callable[[Apply], bool], change: Callable[[Op], Op]
) -> list[Any]:
    """Return a graph with the operations of some nodes changed, for others of the same outputs."""
    now: dict[Any, Any] = {}
    for node in toposort(outputs):
        if chosen(node):
            outs = [v.clone() for v in node.outputs]
            made = Apply(change(node.op), copied(node.inputs, now), outs)
            made.take_over(node)
            now.update(zip(node.outputs, made.outputs, strict=True))
    return copied(outputs, now)


def _without_conversions(outputs: Sequence[Variable]) -> list[Any]:
    """Return a graph without operations that return what they are given, one by one or as pairs.

    Checks of lengths are such operations: Theano had them within those that need the lengths.
    """
    now: dict[Any, Any] = {}
    for node in toposort(outputs):
        checks = isinstance(node.op, Require)
        if len(node.outputs) != 1 or not (checks or len(node.inputs) == 1):
            continue
        value = node.inputs[0]
        kept = value if checks or node.op is identity else None
        for one, other in (_CONVERSIONS, _CONVERSIONS[::-1]):
            inner = value.owner
            if isinstance(node.op, one) and inner is not None and isinstance(inner.op, other):
                kept = inner.inputs[0]
        if kept is not None and kept.type == node.outputs[0].type:
            (now[node.outputs[0]],) = copied([kept], now)
    return copied(outputs, now)


def _moved_once(outputs: Sequence[Variable]) -> list[Any]:
    """Return a graph whose axes are moved by one operation where they were by several."""
    now: dict[Any, Any] = {}
    for node in toposort(outputs):
        if isinstance(node.op, DimShuffle) and made_by(node.inputs[0], DimShuffle):
            inner = copied(node.inputs, now)[0]
            made = inner.owner
            if made is None or not isinstance(made.op, DimShuffle):
                continue
            before, (value,) = made.op.new_order, made.inputs
            order = tuple(axis if axis == "x" else before[axis] for axis in node.op.new_order)
            same = order == tuple(range(value.type.ndim))
            now[node.outputs[0]] = value if same else dimshuffle(value, order)
    return copied(outputs, now)


def _without_whole_slices(outputs: Sequence[Variable]) -> list[Any]:
    """Return a graph whose slices say nothing of the last axes that they take whole."""
    now: dict[Any, Any] = {}
    for node in toposort(outputs):
        if isinstance(node.op, Subtensor) and node.op.index and node.op.index[-1] == Slice():
            index = shortened(node.op.index)
            value, *numbers = copied(node.inputs, now)
            made = Subtensor(index)(value, *numbers) if index else value
            now[node.outputs[0]] = made
    return copied(outputs, now)


def _without_parts(maker: FunctionMaker, outputs: list[Any]) -> list[Any]:
    """Return a graph without reads and writes of parts that rewrites of Theano 1.0.5 took away."""
    chosen = [each for each in SHOWN if each.name not in maker.mode.excluded]
    tracked = {cls for each in chosen for cls in each.tracks() or ()}
    if local_elemwise_alloc.name not in maker.mode.excluded:
        chosen.append(local_elemwise_alloc)
        tracked.add(Alloc)
    if not any(isinstance(node.op, tuple(tracked)) for node in toposort(outputs)):
        return outputs
    return optimized(outputs, [EquilibriumOptimizer(chosen)])


def _without_writes(outputs: Sequence[Variable]) -> tuple[list[Any], dict[Any, Any]]:
    """Return a graph that hands results on without writing them into arguments, and these."""
    now: dict[Any, Any] = {}
    overwritten: dict[Any, Any] = {}
    for node in toposort(outputs):
        if isinstance(node.op, Overwrite):
            inputs, count = copied(node.inputs, now), len(node.op.written)
            now.update(zip(node.outputs, inputs[count:], strict=True))
            values = [inputs[count + k] for k in node.op.written]
            overwritten.update(zip(inputs, values, strict=False))
    return copied(outputs, now), overwritten


def _overwritten(maker: FunctionMaker, outputs: Sequence[Variable]) -> dict[Any, Any]:
    """Return the output that is the new value of a shared variable, by that, if it may go there."""
    leaf_of = dict(zip(maker.all_inputs, maker.leaves, strict=True))
    new = outputs[len(maker.results) :]
    return {
        leaf_of[target]: value
        for (target, _), value in zip(maker.updates, new, strict=True)
        if maker.mode.overwrites and target in maker.shared
    }


def _with_copies(maker: FunctionMaker, outputs: list[Any]) -> list[Any]:
    """Return the outputs with those copied that show the memory of an input, or of another one."""
    updated = {target for target, _ in maker.updates}
    kept = {leaf for v, leaf in zip(maker.all_inputs, maker.leaves, strict=True) if v in updated}
    roots = [set(view_roots(v)) for v in outputs]
    shown = []
    for place, variable in enumerate(outputs):
        later = set().union(*roots[place + 1 :])
        shows = any(root.owner is None and root not in kept for root in roots[place])
        shown.append(deep_copy_op(variable) if shows or roots[place] & later else variable)
    return shown
