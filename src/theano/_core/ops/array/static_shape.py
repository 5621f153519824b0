"""Lengths that users declare in types: they pass from the inputs of an operation to its outputs.

`Op.__call__` comes here when an input has declared lengths. What the operation's `shape` rule
then knows is declared of its outputs, and operands that certainly do not fit are refused.

INVARIANT: inside the compiler types have no lengths; `without_sizes` takes them off at the
entrance, and the rewriter is told the lengths of the inputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.base.settings import change_flags
from theano._core.ir import hooks
from theano._core.ir.graph import copy_graph, inputs as leaves_of, toposort
from theano._core.ir.source import without_lines
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.array.shaping import Length, specify_shape
from theano._core.ops.core.evaluation import evaluate
from theano._core.ops.core.op import python_int

# A formula of a length with more operations than this is not evaluated while a graph is built.
_MOST_OPERATIONS = 40


@hooks.declare_shape.fill
def declare_sizes(node: Apply) -> None:
    """Declare the lengths of the outputs of `node` that follow from those of its inputs.

    Raises
    ------
    ValueError
        The operands certainly do not fit.
    """
    shapes = [_lengths(v) for v in node.inputs]
    problem = node.rules.misfit(node, shapes)
    if problem is not None:
        written = ", ".join(_written(s) for s in shapes)
        raise ValueError(f"{node.op}: {problem} (shapes {written}).")
    with without_lines(), change_flags(compute_test_value="off"):
        inferred = node.rules.shape(node, shapes)
    for out, lengths in zip(node.outputs, inferred, strict=True):
        type_ = out.type
        if not isinstance(type_, TensorType):
            continue
        sizes = [_constant_length(n) for n in lengths]
        shape = tuple(
            1 if one else None if n == 1 else n
            for one, n in zip(type_.broadcastable, sizes, strict=True)
        )
        if shape != type_.shape:
            out.type = type_.clone(shape=shape)


def _lengths(variable: Variable) -> tuple[Any, ...]:
    type_: Any = variable.type
    # Sparse matrices have lengths, too.
    if not type_.has_shape:
        return ()
    if isinstance(variable, Constant):
        return tuple(int(n) for n in variable.data.shape)
    with without_lines():
        return tuple(
            Length(axis).make_node(variable).outputs[0] if n is None else n
            for axis, n in enumerate(type_.shape)
        )


def _written(shape: Sequence[object]) -> str:
    inner = ", ".join(str(n) if isinstance(n, int) else "None" for n in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def _constant_length(length: int) -> int | None:
    """Return a length as an int, if it is made of constants only."""
    if length is None or isinstance(length, int):
        return length
    number = python_int(length)
    if number is not None:
        return number
    if len(toposort([length])) > _MOST_OPERATIONS:
        return None
    if not all(isinstance(v, Constant) for v in leaves_of([length])):
        return None
    return int(evaluate([length], {})[0])


def unsized_inputs(variables: Sequence[Any]) -> list[Any]:
    """Return, for each variable, one to put in its place: itself, unless its type has lengths."""
    plain = [v.type.unsized(v.name) if v.type.sized else v for v in variables]
    for old, new in zip(variables, plain, strict=True):
        new.tag.__dict__.update(old.tag.__dict__)
    return plain


def without_sizes(outputs: Sequence[Variable], replace: dict[Variable, Variable]) -> list[Any]:
    """Return `outputs` with variables replaced by `replace`, and types without lengths."""
    nodes = toposort(outputs, replace)
    if not any(out.type.sized for node in nodes for out in node.outputs):
        return copy_graph(outputs, replace) if replace else list(outputs)
    memo = dict(replace)
    for node in nodes:
        new = [memo.get(v, v) for v in node.inputs]
        unchanged = all(a is b for a, b in zip(new, node.inputs, strict=True))
        if unchanged and not any(out.type.sized for out in node.outputs):
            continue
        copy = node.clone_with_new_inputs(new, strict=False)
        for old, fresh in zip(node.outputs, copy.outputs, strict=True):
            if fresh.type.sized:
                fresh.type = fresh.type.unsized
            memo.setdefault(old, fresh)
    return [memo.get(v, v) for v in outputs]


@hooks.check_shape.fill
def _checked_shape(x: Variable, shape: Sequence[int | None]) -> Any:
    unknown = [n is not None and have is None for n, have in zip(shape, x.type.shape, strict=True)]
    return specify_shape(x, shape) if any(unknown) else x
