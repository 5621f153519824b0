"""Texts of the errors of functions: what was asked, with which values, where, and what to try."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base.near_misses import did_you_mean
from theano._core.base.settings import config
from theano._core.compile import misfits
from theano._core.compile.programs import CHANGED
from theano._core.ir.graph import toposort
from theano._core.ir.variable import Apply
from theano._core.lower.faults import FAULTS, NAMES, STATE
from theano._core.lower.reference import evaluate
from theano._core.ops.array.diagonals import Diagonal
from theano._core.ops.array.indexing import AdvancedSubtensor

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike


def bad_input(maker: Any, index: int, error: Exception) -> Exception:
    """Return the error for an argument that its input does not take."""
    spec = maker.arguments[index]
    label = spec.name or spec.ambiguous or spec.variable.name
    label = f'"{label}" ' if label else ""
    where = f"at index {index} (0-based)"
    text = (
        f'Bad input argument {label}to theano function with name "{maker.name}" {where}.  \n'
        f"{error.args[0] if error.args else error}"
    )
    if spec.variable.source is not None:
        text += f"\nThe input was made at {spec.variable.source.quoted()}"
    return type(error)(text)


# More positions are not made for a message.
MOST_POSITIONS = 1 << 20


def run_time_error(
    maker: Any,
    code: int,
    number: int,
    facts: Sequence[int],
    arguments: Sequence[TensorLike],
) -> Exception:
    """Return the error that native code reported."""
    fault = FAULTS[NAMES[code]]
    if number < 0:
        return fault.exception(fault.text(facts))
    if not maker.program_nodes:
        return fault.exception(
            f"{NAMES[code]} {tuple(facts)}. {CHANGED} it, so that the operation which failed is "
            "not known: compile it again."
        )
    node, loops = maker.program_nodes[number]
    own = len(facts) - len(loops)
    text = fault.text(facts[:own])
    written = None
    if NAMES[code] in ("elementwise", "matmul", "batch"):
        written = misfit(maker, node, arguments)
        text = text if written is None else misfits.described(written)
    if NAMES[code] == getattr(node.op, "fault", None):
        text = node.op.text(facts[:own])
    if STATE in text:
        text = _about_state(node, facts[0], text)
    report = step_report(list(zip(loops, facts[own:], strict=True)))
    # Where there is no memory, none is taken to show values.
    short = issubclass(fault.exception, MemoryError)
    if written is not None and config.exception_verbosity == "low":
        node, short = written.node, written.in_loop
    if isinstance(node.op, (AdvancedSubtensor, Diagonal)):
        # Positions that are no arrays in the program may be more than there is memory for.
        short = short or (isinstance(node.op, Diagonal) and max(facts) > MOST_POSITIONS)
        node = node.op.as_written(node)
    report += node_report(maker, node, None if short else _values(maker, node, arguments))
    return fault.exception(f"{text}\n{report}")


def misfit(maker: Any, node: Apply, arguments: Sequence[object]) -> misfits.Misfit | None:
    """Return the node of the graph as it was written whose operands do not fit, if one is known."""
    if any(value is None for value in arguments):
        return None
    # No second error hides the first.
    with suppress(Exception):
        values = dict(zip(maker.all_inputs, arguments, strict=False))
        # What stands in a body of the user's is in the graph that rewriting left only.
        leaves = dict(zip(maker.leaves, arguments, strict=False))
        return misfits.find(maker.all_results, values, node) or misfits.find(
            maker.graph.outputs, leaves, node
        )
    return None


def _about_state(node: Apply, number: int, text: str) -> str:
    """Return a text about a state of a loop with its label, its type and where it is computed."""
    value = node.op.new_values[number]
    text = f"{text.replace(STATE, node.op.label(number))}. A step computes it as {value.type}"
    return f"{text}, at {value.source}." if value.source else f"{text}."


def step_report(steps: Sequence[tuple[Any, int]]) -> str:
    """Tell the steps of loops, the outermost first: a line for each."""
    return "".join(f"This was in step {step} (0-based) of {loop.op}.\n" for loop, step in steps)


# Errors whose text is all that they hold.
_PLAIN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    FloatingPointError,
    IndexError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
    ZeroDivisionError,
)


def explained(error: Exception, report: str) -> Exception:
    """Return an error of the same type that also says `report`: in its text, or as a note."""
    if type(error) in _PLAIN and (not error.args or isinstance(error.args[0], str)):
        text = error.args[0] if len(error.args) == 1 else str(error)
        text = "\n".join([text, *getattr(error, "__notes__", ())])
        return type(error)(f"{text}\n{report}").with_traceback(error.__traceback__)
    error.add_note(report)
    return error


def named(error: Exception, node: Apply, values: Sequence[Any]) -> Exception:
    """Return the error of a node; one about its operands' shapes names them."""
    if type(error) is not ValueError or len(values) != len(node.inputs):
        return error
    if not isinstance(node.op, misfits.NAMED):
        return error
    try:
        shapes = {v: np.shape(x) for v, x in zip(node.inputs, values, strict=True)}
        written = misfits.Misfit(node, shapes, {}, False)
        unfit = node.op.misfit(node, written.shape)
        if not unfit:
            return error
        told = ValueError(misfits.described(written))
        vars(told).update(vars(error))  # its notes
        return told
    except Exception:
        return error


def node_report(maker: Any, node: Apply, values: Sequence[object] | None) -> str:
    """Describe a node: types, shapes and values of its inputs, and its line; all if asked for."""
    everything = config.exception_verbosity != "low"
    lines = [f"Apply node that caused the error: {node}"]
    if everything:
        order = [(n.op, n.inputs) for n in toposort(maker.graph.outputs)]
        if (node.op, node.inputs) in order:
            lines.append(f"Toposort index: {order.index((node.op, node.inputs))}")
    lines.append(f"Inputs types: {[v.type for v in node.inputs]}")
    if values is not None:
        lines.append(f"Inputs shapes: {[getattr(v, 'shape', 'No shapes') for v in values]}")
        if everything:
            lines.append(f"Inputs strides: {[getattr(v, 'strides', 'No strides') for v in values]}")
        lines.append(f"Inputs values: {[_short(v) for v in values]}")
    if node.source is not None:
        lines += [""] * everything
        lines.append(f"Backtrace when the node is created:\n  {node.source.quoted()}")
    else:
        lines.append(
            "HINT: the node was made by rewriting; optimizer='fast_compile' may name your line."
        )
    if everything:
        lines.append(f"Expression:\n  {maker.graph}")
    else:
        lines.append(
            "HINT: Use the Theano flag 'exception_verbosity=high' for the whole expression."
        )
    return "\n".join(lines)


def _values(maker: Any, node: Apply, arguments: Sequence[TensorLike]) -> list[Any] | None:
    value_of = dict(zip(maker.leaves, arguments, strict=False))
    value_of.update(zip(maker.all_inputs, arguments, strict=False))
    if any(v is None for v in value_of.values()):
        return None
    try:
        return evaluate(node.inputs, value_of)
    except Exception:
        return None


def _short(value: object) -> Any:
    if isinstance(value, np.ndarray) and value.size > 5:
        return "not shown"
    return value


def named_inputs(names: Sequence[str]) -> str:
    """Tell which inputs can be given by name."""
    if not names:
        return "The function has no named input: give name=... to the variables or to In."
    count = f"{len(names)} named input{'s' if len(names) > 1 else ''}"
    return f"The function has {count} ({', '.join(names)})."


def bad_arguments(maker: Any, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Exception:
    """Return the error for a call with too many, too few, unknown or repeated arguments."""
    specs = [s for s in maker.arguments if not s.implicit]
    names = [s.name for s in specs if s.name]
    label = f"theano function with name {maker.name!r}"
    if len(args) > len(specs):
        return TypeError(
            f"Too many parameter passed to {label}: {len(args)} given, it takes {len(specs)} "
            f"({', '.join(str(s.name or s.variable) for s in specs)})"
        )
    for key in kwargs:
        if key == "output_subset":
            continue
        if any(key == s.ambiguous for s in specs):
            return TypeError(
                f"Ambiguous name: {key} - please check the names of the inputs of your function for"
                f" duplicates. {label} can take these by position only."
            )
        if any(key == s.name for s in maker.arguments if s.implicit):
            return TypeError(f"Tried to provide value for implicit input: {key} of {label}")
        if key not in names:
            near = did_you_mean(key, names)
            return TypeError(f"Unknown input or state: {key}. {named_inputs(names)}{near}")
    position = {s.name: i for i, s in enumerate(specs) if s.name}
    for key in kwargs:
        if key in position and position[key] < len(args):
            return TypeError(f"Multiple values for input: {key}")
    missing = [
        str(s.name or s.variable)
        for i, s in enumerate(specs)
        if i >= len(args) and s.name not in kwargs and s.value is None
    ]
    return TypeError(
        f"Missing required input: {', '.join(missing)}. {label} takes {len(specs)} inputs, got"
        f" {len(args)} positional and {len(kwargs)} keyword arguments."
    )
