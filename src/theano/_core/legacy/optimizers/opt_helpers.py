"""Small helpers of `theano.tensor.opt` that rewrites outside Theano import."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from theano._core.api.array.shaping import patternbroadcast
from theano._core.api.conversion import as_tensor_variable, get_scalar_constant_value
from theano._core.base.errors import NotScalarConstantError
from theano._core.ir.annotations import TensorLike
from theano._core.ir.function_graph import FunctionGraph
from theano._core.ir.variable import Apply, Variable
from theano._core.legacy.optimizers.named_rules import named_rule
from theano._core.ops.array.broadcasting import alloc
from theano._core.ops.array.shaping import shape
from theano._core.ops.elementwise.elementwise import cast

# Of NumPy, the lowest first.
_KINDS = "buifc"


def _clients(variable: Variable) -> list[Any]:
    return variable.clients  # type: ignore[attr-defined, no-any-return]


def get_clients(node: Apply) -> list[Any]:
    """Return the nodes of a graph that use the first output of a node."""
    return [client for client, _ in _clients(node.outputs[0]) if client != "output"]


def get_clients2(node: Apply) -> list[Any]:
    """Return the nodes that use what these make."""
    users = [c for client in get_clients(node) for v in client.outputs for c, _ in _clients(v)]
    return [user for user in users if user != "output"]


def encompasses_broadcastable(b1: Sequence[bool], b2: Sequence[bool]) -> bool:
    """Tell whether what has the pattern `b2` broadcasts to one of `b1` as that is."""
    shared = b1[len(b1) - len(b2) :]
    return len(b1) >= len(b2) and all(y or not x for x, y in zip(shared, b2, strict=True))


def merge_broadcastables(broadcastables: Iterable[Sequence[bool]]) -> list[bool]:
    """Return the pattern of what is computed elementwise of several."""
    return [all(axis) for axis in zip(*broadcastables, strict=False)]


def scalarconsts_rest(
    inputs: Iterable[Variable], elemwise: bool = True, only_process_constants: bool = False
) -> tuple[list[Any], list[Any], list[Any]]:
    """Return the numbers that some variables are, those variables, and the others."""
    numbers, constants, others = [], [], []
    for variable in inputs:
        try:
            number = get_scalar_constant_value(variable, elemwise, only_process_constants)
        except NotScalarConstantError:
            others.append(variable)
        else:
            numbers.append(number)
            constants.append(variable)
    return numbers, constants, others


def broadcast_like(
    value: TensorLike, template: Variable, fgraph: FunctionGraph, dtype: str | None = None
) -> Any:
    """Return `value` with the shape and dtype of a variable of a graph."""
    made = as_tensor_variable(value)
    if made.type == template.type:
        return made
    if template not in fgraph.variables:
        raise NotImplementedError(
            f"broadcast_like({value}, {template}): the template is no variable of the graph, so "
            "its shape is not known there. Import it with fgraph.import_var, or use T.fill."
        )
    made = cast(made, dtype or template.type.dtype)
    if made.type == template.type:
        return made
    feature = getattr(fgraph, "shape_feature", None)
    lengths = shape(template) if feature is None else feature.shape_of[template]
    filled = alloc(made, *(lengths[axis] for axis in range(template.type.ndim)))
    return patternbroadcast(filled, template.type.broadcastable)


def is_an_upcast(type1: str, type2: str) -> bool:
    """Tell whether `type2` is of a kind that is not lower, and of more bits."""
    old, new = np.dtype(type1), np.dtype(type2)
    # A complex number has two parts, a truth value one bit.
    bits = [0 if t.kind == "b" else t.itemsize // (2 if t.kind == "c" else 1) for t in (old, new)]
    wider = bits[1] > bits[0] or (bits[1] == bits[0] and old.kind + new.kind == "fc")
    return wider and _KINDS.index(new.kind) >= _KINDS.index(old.kind)


def is_inverse_pair(node_op: object, prev_op: object, inv_pair: tuple[type, type]) -> bool:
    """Tell whether two operations are of two classes, in either order."""
    one, other = inv_pair
    ops = (node_op, prev_op)
    return any(isinstance(a, one) and isinstance(b, other) for a, b in (ops, ops[::-1]))


def apply_rebroadcast_opt(rval: Variable) -> Any:
    """Return a variable without checks of axes of length 1 that its type tells."""
    names = ("local_useless_rebroadcast", "local_rebroadcast_lift")
    changed = True
    while changed and rval.owner is not None:
        changed = False
        for rule in map(named_rule, names):
            new = rval.owner is not None and rule.transform(rval.owner)
            if new and new[0] is not rval:
                (rval,), changed = new, True
    return rval


def is_dimshuffle_useless(new_order: Sequence[int | str], input: Variable) -> bool:
    """Tell whether an order of axes leaves a variable as it is: it moves none of several items."""
    if len(new_order) != input.type.ndim:
        return False
    short = {"x", *(axis for axis, one in enumerate(input.type.broadcastable) if one)}
    return all(
        axis == place or (axis in short and place in short) for place, axis in enumerate(new_order)
    )
