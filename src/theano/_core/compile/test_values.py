"""Test values: what each new variable is for the example values that the user gave the inputs.

`config.compute_test_value` says whether to compute them, and what to do where one is missing.
Operations are run by their `compute`, with NumPy, as soon as they are applied: an error then has
the user's line on its traceback.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

from theano._core.base.settings import change_flags, config
from theano._core.ir import hooks
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.core.evaluation import apply_values
from theano._core.ops.core.op import as_variable


def get_test_value(v: Any) -> Any:
    """Return the test value of a variable.

    Parameters
    ----------
    v : Variable or array_like
        A number or array is its own.

    Returns
    -------
    ndarray or object
        The value of a constant or shared variable, else `v.tag.test_value`.

    Raises
    ------
    AttributeError
        There is none.
    TypeError
        It is not a value of the variable's type.
    """
    return (v if isinstance(v, Variable) else as_variable(v)).get_test_value()


@hooks.compute_test_values.fill
def compute_test_values(node: Apply) -> None:
    """Give the outputs of a new node test values, if all of its inputs have one.

    Raises
    ------
    ValueError
        One is missing and `config.compute_test_value` is 'raise'.
    Exception
        Whatever the operation raises for these values, with a note that names it.
    """
    values = []
    for index, variable in enumerate(node.inputs):
        try:
            values.append(variable.get_test_value())
        except AttributeError:
            return _missing(
                f"Cannot compute test value: input {index} ({variable}) of Op {node} missing "
                f"default value. {_made(variable)}"
            )
    try:
        # Operations may build graphs of lengths to compute with; those have no test values.
        with change_flags(compute_test_value="off"):
            results = apply_values(node, values)
    except Exception as error:
        shapes = [getattr(v, "shape", None) for v in values]
        error.add_note(f"While the test value of {node} was computed; inputs of shapes {shapes}.")
        raise
    for out, value in zip(node.outputs, results, strict=True):
        out.tag.test_value = value
    return None


def _made(variable: Variable) -> str:
    source = variable.source
    return "" if source is None else f"\nBacktrace when that variable is created:\n\n  {source}\n"


def _missing(message: str) -> None:
    action = config.compute_test_value
    if action == "raise":
        raise ValueError(message)
    if action == "warn":
        warnings.warn(f"Warning, {message}", stacklevel=4)
    elif action == "pdb":
        import pdb

        pdb.post_mortem(sys.exc_info()[2])


def transfer_test_value(source: Variable, target: Variable) -> None:
    """Give `target` the test value of `source`, where that has one and they are computed."""
    if config.compute_test_value == "off":
        return
    try:
        value = source.get_test_value()
    except AttributeError:
        return
    type_ = target.type
    target.tag.test_value = type_.filter(value) if isinstance(type_, TensorType) else value


def missing_test_message(msg: str) -> None:
    """Report that a test value is missing, as `config.compute_test_value` says.

    Raises
    ------
    AttributeError
        With `msg`, for 'raise'; 'warn' warns, 'ignore' and 'off' do nothing.
    """
    action = config.compute_test_value
    if action == "raise":
        raise AttributeError(msg)
    if action == "warn":
        warnings.warn(msg, stacklevel=2)
    elif action == "pdb":
        raise AssertionError(msg)


def debug_error_message(msg: str) -> None:
    """Report that test values show an error: ValueError, or a warning for 'warn'."""
    action = config.compute_test_value
    if action in ("raise", "ignore"):
        raise ValueError(msg)
    if action != "warn":
        raise AssertionError(f"test values are not computed ({action!r}): {msg}")
    warnings.warn(msg, stacklevel=2)


def debug_assert(condition: object, msg: str | None = None) -> None:
    """Check a condition on test values: AssertionError, or a warning for 'warn'."""
    if condition:
        return
    msg = "debug_assert failed" if msg is None else msg
    if config.compute_test_value != "warn":
        raise AssertionError(msg)
    warnings.warn(msg, stacklevel=2)


def get_debug_values(*args: object) -> list[Any]:
    """Return test values to loop over: at most one item.

    Returns
    -------
    list
        Empty while test values are off or one is missing, which is reported. Else its one item is
        the test value, or for several variables the tuple of theirs.
    """
    if config.compute_test_value == "off":
        return []
    values = []
    for index, variable in enumerate(args):
        try:
            values.append(get_test_value(variable))
        except AttributeError:
            name = getattr(variable, "name", None)
            label = f"('{name}')" if name is not None else ""
            missing_test_message(f"Argument {index}{label} has no test value")
            return []
    return values if len(values) == 1 else [tuple(values)]
