"""Forward-mode differentiation of expression graphs.

One walk over the nodes, first to last. The tangents of a node's outputs come from what its
operation declares: a rule of its own (`jvp`), being linear (`linear`), being a scalar function at
each position; or else from its reverse rule, which is linear in the cotangents: its transpose is
the forward rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from theano._core.autodiff.arguments import check_defined
from theano._core.autodiff.reverse import Reverse
from theano._core.base import dtypes
from theano._core.ir import hooks
from theano._core.ir.graph import toposort
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.gradient import DisconnectedType
from theano._core.ops.array.shaping import pattern_broadcast
from theano._core.ops.core.fill import second, zeros_like_float
from theano._core.ops.core.op import as_variable, complete_values, inside_body
from theano._core.ops.elementwise.arithmetic import real
from theano._core.ops.elementwise.elementwise import Elementwise, cast


@hooks.push_forward.fill
def push_forward(outputs: Sequence[Variable], tangents: Mapping[Variable, Variable]) -> list[Any]:
    """Return the tangent of each output, None where it depends on nothing that has one.

    Parameters
    ----------
    outputs : sequence of variables
    tangents : mapping of variable to variable or None
        Each of the shape of its variable; None: the variable stays as it is. What these variables
        depend on does not matter.

    Raises
    ------
    NullTypeGradError
        A derivative on the way is not defined.
    """
    tangent_of: dict[Any, Any] = dict(tangents)
    for node in toposort(outputs, tangent_of):
        input_tangents = [tangent_of.get(v) for v in node.inputs]
        if all(t is None for t in input_tangents):
            continue
        results = _of_outputs(node, input_tangents)
        for out, tangent in zip(node.outputs, results, strict=True):
            if tangent is not None and out not in tangent_of:
                tangent_of[out] = _settle(node, out, tangent)
    return [tangent_of.get(v) for v in outputs]


def _of_outputs(node: Apply, tangents: list[Variable | None]) -> Sequence[Any]:
    """Return the tangents of the outputs of a node, one of whose inputs has a tangent."""
    nothing = [None] * len(node.outputs)
    connection = node.rules.connection(node)
    reached = [
        any(uses[j] for t, uses in zip(tangents, connection, strict=True) if t is not None)
        and isinstance(out.type, TensorType)
        and not dtypes.is_discrete(out.type.dtype)
        for j, out in enumerate(node.outputs)
    ]
    if not any(reached):
        return nothing
    with inside_body(node):
        results = node.rules.jvp(node, tangents, push_forward)
    complete_values(results or ())
    if results is None:
        results = _by_linearity(node, tangents)
    real_or_smooth = isinstance(node.op, Elementwise) and (
        node.op.holomorphic or not _is_complex(node)
    )
    if results is None and real_or_smooth:
        results = [_elementwise(node, tangents)]
    if results is None:
        results = _transposed(node, tangents)
    if len(results) != len(node.outputs):
        raise ValueError(
            f"{node.op} returned {len(results)} tangents for {len(node.outputs)} outputs"
        )
    return [_defined(t) if there else None for t, there in zip(results, reached, strict=True)]


def _is_complex(node: Apply) -> bool:
    return any(dtypes.is_complex(v.type.dtype) for v in (*node.inputs, *node.outputs))


def _by_linearity(node: Apply, tangents: list[Variable | None]) -> list[Any] | None:
    """Return the operation of the tangents, if it is linear in the inputs that have some."""
    groups = node.rules.linear(node)
    covered = {i for group in groups for i in group}
    if any(t is not None and i not in covered for i, t in enumerate(tangents)):
        return None
    totals: list[Any] = [None] * len(node.outputs)
    for group in groups:
        if all(tangents[i] is None for i in group):
            continue
        values = list(node.inputs)
        for i in group:
            values[i] = zeros_like_float(values[i]) if tangents[i] is None else tangents[i]
        terms = node.op.make_node(*values).outputs
        totals = [_sum(a, b) for a, b in zip(totals, terms, strict=True)]
    return totals


def _elementwise(node: Apply, tangents: list[Variable | None]) -> Any:
    """Return the tangent of a scalar function: what its rule does to a cotangent is a product."""
    assert isinstance(node.op, Elementwise)
    if node.op.gradient is None:
        return None
    total = None
    for i, tangent in enumerate(tangents):
        if tangent is not None:
            total = _sum(total, _defined(_cotangent(node, tangent, i)))
    return total


def _cotangent(node: Apply, g: Variable, i: int) -> Any:
    return node.op.derivatives(g, *node.inputs, node.outputs[0])[i]  # type: ignore[attr-defined]


def _transposed(node: Apply, tangents: list[Variable | None]) -> list[Any]:
    """Return the tangents by the transpose of the reverse rule of the operation."""
    seeds = [zeros_like_float(v) if isinstance(v.type, TensorType) else None for v in node.outputs]
    inside = {out: s for out, s in zip(node.outputs, seeds, strict=True) if s is not None}
    inputs = [v for v, t in zip(node.inputs, tangents, strict=True) if t is not None]
    cotangents = Reverse(inside, inputs, set(node.inputs)).run()
    # Several inputs may share a cotangent, and one may be made from another's.
    cotangent_of: dict[Any, Any] = {}
    for variable, tangent in zip(node.inputs, tangents, strict=True):
        g = None if tangent is None else _defined(cotangents.pop(variable, None))
        if g is not None:
            cotangent_of[g] = _sum(cotangent_of.get(g), tangent)
    # INVARIANT: the cotangents are linear in the seeds, so that theirs do not depend on them.
    ends = {*node.inputs, *node.outputs}
    gradients = Reverse(cotangent_of, list(inside.values()), ends, replace=False).run()
    return [None if s is None else _defined(gradients.get(s)) for s in seeds]


def _defined(g: Variable | None) -> Any:
    """Return a derivative, None if it is zero by structure; raise if it is not defined."""
    if g is None:
        return None
    g = as_variable(g)
    check_defined(g)
    return None if isinstance(g.type, DisconnectedType) else g


def _sum(one: Variable | None, two: object) -> Any:
    if one is None or two is None:
        return two if one is None else one
    return one + two


def _settle(node: Apply, out: Variable, tangent: Variable) -> Any:
    """Return a tangent in the dtype and the shape of the output it belongs to."""
    type_ = out.type
    if tangent.type.ndim != type_.ndim:
        raise ValueError(
            f"{node.op}: the tangent has {tangent.type.ndim} dimensions, its output {type_.ndim}"
        )
    if dtypes.is_complex(tangent.type.dtype) and not dtypes.is_complex(type_.dtype):
        tangent = real(tangent)
    return broadcast_like(cast(tangent, type_.dtype), out)


def broadcast_like(x: Variable, like: Variable) -> Any:
    """Return `x` in the shape of `like`, to which it broadcasts."""
    pairs = zip(x.type.broadcastable, like.type.broadcastable, strict=True)
    if any(one and not other for one, other in pairs):
        x = second(like, x)
    return pattern_broadcast(x, like.type.broadcastable)
