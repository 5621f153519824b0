"""The step of a scan: what it must take, and what it returns."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.conversion import as_tensor_variable
from theano._core.ir.text import label as text_of
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Constant, Variable

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike


class until:  # noqa: N801 (the name is Theano's)
    """The condition that ends a loop; a step returns it last.

    Parameters
    ----------
    condition : scalar variable
        The loop ends after the first step in which it holds.

    Examples
    --------
    >>> halves, _ = theano.scan(
    ...     lambda x: (x / 2, theano.scan_module.until(x < 2)),
    ...     outputs_info=T.constant(8.0, dtype="float64"),
    ...     n_steps=100,
    ... )
    >>> halves.eval()
    array([4. , 2. , 1. , 0.5])
    """

    def __init__(self, condition: TensorLike) -> None:
        self.condition = as_tensor_variable(condition)
        if self.condition.ndim != 0:
            # The class that programs written for Theano 1.0.5 expect, as for scalars below.
            raise AssertionError(
                f"the condition of until must be a scalar, got {self.condition.type}"
            )


def check_step(name: str, fn: Callable[..., object], counts: tuple[int, int, int]) -> None:
    """Refuse a step that does not take what it gets: of sequences, outputs_info, non_sequences."""
    if not callable(fn):
        shown = f"{text_of(fn)} of {fn.type}" if isinstance(fn, Variable) else repr(fn)
        raise TypeError(
            f"scan {name!r}: fn is a function that returns what a step makes, got {shown}"
        )
    types = ("sequences", "outputs_info", "non_sequences")
    with suppress(ValueError):  # of functions that have no signature
        signature = inspect.signature(fn)
        try:
            signature.bind(*range(sum(counts)))
        except TypeError as error:
            passed = [f"{n} of {type_}" for n, type_ in zip(counts, types, strict=True) if n]
            raise TypeError(
                f"scan {name!r}: the step is called with {', then '.join(passed) or 'nothing'}, in "
                f"this order, and takes {signature}: {error}"
            ) from None


def as_list(value: object) -> list[Any]:
    """Return None as [], a list or tuple as a list, anything else as a list of it."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def as_taps(taps: Any, default: int) -> list[int]:
    """Return one tap, several, or None for a default one, as integers."""
    if taps is None:
        return [default]
    try:
        return [operator.index(t) for t in np.atleast_1d(taps)]
    except TypeError:
        raise TypeError(f"taps are integers, as in taps=[-2, -1]; got {taps!r}") from None


def read_step(result: Any) -> tuple[Any, list[Any], dict[Any, Any]]:
    """Return (condition or None, outputs, updates) of what a step returned.

    Raises
    ------
    ValueError
        It is not outputs, updates and `until` in this order, each optional.
    """
    if not _is_made_of_variables(result):
        raise ValueError(
            "The return value of your scan lambda expression may only be made of lists, tuples, or "
            "dictionaries containing Theano variables (or `theano.scan_module.until` objects for "
            f"conditions), got {result!r}: does the step return its result? In particular if you "
            "need to use constant values, you can use `tensor.constant` to turn them into Theano "
            "variables."
        )
    if _is_outputs(result):
        return None, as_list(result), {}
    if _is_updates(result):
        return None, [], dict(result)
    # A condition alone would end a loop that computes nothing.
    parts = list(result) if isinstance(result, (list, tuple)) else []
    outputs: list[Any] = []
    updates: dict[Any, Any] = {}
    condition = None
    rest = list(parts)
    if rest and _is_outputs(rest[0]):
        outputs = as_list(rest.pop(0))
    if rest and _is_updates(rest[0]):
        updates = dict(rest.pop(0))
    if rest and isinstance(rest[0], until):
        condition = rest.pop(0).condition
    if rest or not parts:
        raise ValueError(
            "Scan cannot parse the return value of your lambda expression: outputs come first, "
            f"then updates, then the condition; got {result!r}"
        )
    return condition, outputs, updates


def _is_made_of_variables(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(_is_made_of_variables(v) for pair in value.items() for v in pair)
    if isinstance(value, (list, tuple)):
        return all(_is_made_of_variables(v) for v in value)
    return isinstance(value, (Variable, until))


def _is_outputs(value: TensorLike) -> bool:
    if isinstance(value, (list, tuple)):
        return all(isinstance(v, Variable) for v in value)
    return isinstance(value, Variable)


def _is_updates(value: object) -> bool:
    if isinstance(value, Mapping):
        return True
    return isinstance(value, (list, tuple)) and all(
        isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in value
    )


def holds(type_: TensorType, data: np.ndarray) -> bool:
    """Tell whether a dtype has all values of an array, digit for digit."""
    with np.errstate(all="ignore"):
        there = data.astype(type_.dtype)
        return bool(
            np.array_equal(there.astype(data.dtype), data, equal_nan=data.dtype.kind in "fc")
        )


def conversion(initial: TensorLike, type_: TensorType, new: TensorType) -> str:
    """Say how the dtypes of an initial value and a step can be made one."""
    if isinstance(initial, Constant):
        return (
            f"{new.dtype} does not hold the value {initial.data}: convert the result of the step, "
            f"theano.tensor.cast(result, {type_.dtype!r}), or start with another value, "
            f"theano.tensor.constant(..., dtype={new.dtype!r})."
        )
    return (
        f"Cast the one or the other, so that a step neither widens nor narrows it: "
        f"outputs_info=theano.tensor.cast(initial, {new.dtype!r}), or in the step "
        f"theano.tensor.cast(result, {type_.dtype!r})."
    )


def label(index: int, value: Variable) -> str:
    """Return what messages call an output of the step."""
    name = "" if value.name is None else f", {value.name!r}"
    return f"output {index} (0-based{name})"


def checked_checkpoint(checkpoint: Any, impossible: bool) -> Any:
    """Return what a loop takes as `checkpoint`; `impossible`: this one can have none."""
    if checkpoint is None:
        return None
    if impossible:
        raise ValueError(
            "a loop that ends early (until), or through which gradients flow back only some steps, "
            "cannot have checkpoints"
        )
    whole = isinstance(checkpoint, (int, np.integer)) and not isinstance(checkpoint, bool)
    if checkpoint != "auto" and not (whole and checkpoint >= 1):
        raise ValueError(
            f"checkpoint is a number of steps of at least 1, or 'auto', got {checkpoint!r}"
        )
    return checkpoint if checkpoint == "auto" else int(checkpoint)


def order_of_states(taps: Sequence[Sequence[int]], values: Sequence[Variable]) -> list[int]:
    """Return the numbers of states in the order in which Theano has them.

    Those of which several steps are read come first, then those of the last step, those that are
    not read, and what is no array.
    """

    def place(number: int) -> int:
        if not isinstance(values[number].type, TensorType):
            return 3
        return 0 if tuple(taps[number]) not in {(), (1,)} else 2 - len(taps[number])

    return sorted(range(len(values)), key=place)
