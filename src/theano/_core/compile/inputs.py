"""What a function takes and returns: `In`, `Out`, and the forms in which users write them."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from theano._core.compile.containers import Container
from theano._core.ir.text import label
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Constant, Variable

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike


class In:
    """An input of a function.

    Parameters
    ----------
    variable : Variable
    name : str, optional
        Keyword of the argument; by default the variable's name.
    value : optional
        Default; the argument may then be left out. A `Container` is shared.
    update : variable, optional
        New value of the default after each call.
    mutable : bool, optional
        The function may overwrite the argument.
    strict : bool
        Take only arrays of exactly this type.
    allow_downcast : bool or None
        Take values that lose digits: True always, False never, None only Python floats for floatX.
    autoname : bool
        Whether `name` may come from the variable.
    implicit : bool, optional
        The function keeps the value by itself; it cannot be passed.
    borrow : bool, optional
        The function may keep a reference to the argument.
    shared : bool
        Whether the value is that of a shared variable.

    Raises
    ------
    TypeError
        `value` or `update` does not fit the variable.

    Examples
    --------
    >>> x, y = T.dscalars("x", "y")
    >>> f = theano.function([x, theano.In(y, value=2.0, name="factor")], x * y)
    >>> float(f(3.0)), float(f(3.0, factor=10.0))
    (6.0, 30.0)
    """

    def __init__(
        self,
        variable: Variable,
        name: str | None = None,
        value: object = None,
        update: Variable | None = None,
        mutable: bool | None = None,
        strict: bool = False,
        allow_downcast: bool | None = None,
        autoname: bool = True,
        implicit: bool | None = None,
        borrow: bool | None = None,
        shared: bool = False,
    ) -> None:
        if not isinstance(variable, Variable):
            raise TypeError(
                f"an input must be a Variable, got {variable!r} of type {type(variable).__name__}"
            )
        if name is not None and not isinstance(name, str):
            raise TypeError(f"name must be a string! (got: {name})")
        self.variable = variable
        self.name = variable.name if autoname and name is None else name
        self.mutable = update is not None if mutable is None else mutable
        self.borrow = self.mutable if borrow is None else borrow
        if mutable and borrow is False:
            raise AssertionError(
                f"Symbolic input for variable {variable} (name={self.name}) has flags mutable=True,"
                " borrow=False: they disagree."
            )
        self.ambiguous: str | None = None  # a name that another input of the function has too
        self.strict = strict
        self.allow_downcast = allow_downcast
        self.implicit = (
            (isinstance(value, Container) or getattr(value, "container", None) is not None)
            if implicit is None
            else implicit
        )
        self.shared = shared
        self.update = None if update is None else variable.type.filter_variable(update)
        if value is not None and not isinstance(value, Container):
            inner = getattr(value, "container", None)
            value = (
                inner
                if inner is not None
                else variable.type.filter(value, strict=strict, allow_downcast=allow_downcast)
            )
        self.value = value

    def __repr__(self) -> str:
        update = f" -> {self.update}" if self.update is not None else ""
        return f"In({self.variable}{update})"


SymbolicInput = In


def Param(
    variable: Variable,
    default: object = None,
    name: str | None = None,
    mutable: bool = False,
    strict: bool = False,
    allow_downcast: bool | None = None,
    implicit: bool | None = None,
    borrow: bool | None = None,
) -> In:
    """Return an `In`; kept for old programs.

    Parameters
    ----------
    variable : Variable
    default : optional
        `value` of `In`.
    name, mutable, strict, allow_downcast, implicit, borrow
        As of `In`.

    Returns
    -------
    In
    """
    warnings.warn(
        "The Param class is deprecated. Replace Param(default=N) by theano.In(value=N)",
        stacklevel=2,
    )
    return In(
        variable,
        name,
        default,
        None,
        mutable,
        strict,
        allow_downcast,
        implicit=implicit,
        borrow=borrow,
    )


class Out:
    """An output of a function.

    Parameters
    ----------
    variable : Variable
    borrow : bool
        The result may share memory with values that the function keeps. Results here never do, so
        this changes nothing.
    """

    def __init__(self, variable: Variable, borrow: bool = False) -> None:
        if not isinstance(variable, Variable):
            raise TypeError(
                f"an output must be a Variable, got {variable!r} of type {type(variable).__name__}"
            )
        self.variable = variable
        self.borrow = borrow

    def __repr__(self) -> str:
        return f"Out({self.variable},{self.borrow})"


SymbolicOutput = Out


def read_inputs(entries: object, allow_downcast: bool | None = None) -> list[In]:
    """Return the inputs that a user wrote: variables, `In`, or (variable, default) tuples.

    `allow_downcast` is for those that are not written as `In`.
    """
    if not isinstance(entries, (list, tuple)):
        raise TypeError(
            f"The 'inputs' argument must be a list or tuple of inputs, got {entries!r} of type "
            f"{type(entries).__name__}. To use one input, write [x]."
        )
    result = []
    for entry in entries:
        if isinstance(entry, In):
            result.append(copy.copy(entry))  # a function may take a name away from it
        elif isinstance(entry, (list, tuple)):
            result.append(_written_as_tuple(entry, allow_downcast))
        elif isinstance(entry, Variable):
            result.append(In(entry, allow_downcast=allow_downcast))
        else:
            raise TypeError(
                f"Unknown input type: {type(entry).__name__}, expected Variable or In: {entry!r}"
            )
        _refuse_known(result[-1].variable)
    return result


def _written_as_tuple(entry: Sequence[object], allow_downcast: bool | None) -> In:
    """Read [name,] variable [, default], where the variable may be (variable, update)."""
    name, rest = (entry[0], entry[1:]) if entry and isinstance(entry[0], str) else (None, entry)
    if len(rest) in (1, 2):
        variable, update = rest[0], None
        if isinstance(variable, (list, tuple)) and len(variable) == 2:
            variable, update = variable
        if isinstance(variable, Variable):
            default = rest[1] if len(rest) == 2 else None
            return In(variable, name, default, update, allow_downcast=allow_downcast)
    raise TypeError(f"an input may be a pair (variable, default), got {entry!r}")


def read_updates(updates: Any) -> list[tuple[Any, Any]]:
    """Return updates as pairs, checked: keys are shared variables and occur once."""
    if updates is None:
        return []
    if isinstance(updates, Variable):
        raise TypeError(
            "updates takes pairs, such as [(w, w + 1)] of a shared variable w and its new value, "
            f"got {label(updates)} alone"
        )
    if hasattr(updates, "items"):
        pairs = list(updates.items())
    else:
        pairs = [updates] if _is_pair(updates) else list(updates)
    seen: set[Any] = set()
    result = []
    for pair in pairs:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise ValueError(f"updates must be pairs (shared variable, new value), got {pair!r}")
        target, value = pair
        if getattr(target, "container", None) is None:
            raise TypeError(
                f"update target must be a SharedVariable, got {target!r}: theano.shared(value) "
                "makes one"
            )
        if target in seen:
            raise ValueError(
                f"this shared variable already has an update expression: {target}. All updates of "
                "a call happen at once, from the old values"
            )
        seen.add(target)
        result.append((target, fit_update(target, value)))
    return result


def _is_pair(updates: object) -> bool:
    return (
        isinstance(updates, tuple)
        and len(updates) == 2
        and getattr(updates[0], "container", None) is not None
        and not isinstance(updates[1], tuple)
    )


def _same_but_sizes(target: Variable, value: TensorLike) -> bool:
    """Tell whether a value has the dtype and the pattern of a shared variable."""
    type_, own = target.type, getattr(value, "type", None)
    if not isinstance(type_, TensorType) or not isinstance(own, TensorType):
        return False
    return (own.dtype, own.broadcastable) == (type_.dtype, type_.broadcastable)


def _refuse_known(variable: Variable) -> None:
    if isinstance(variable, Constant):
        raise TypeError(
            f"Constants not allowed in param list: {variable}. A function takes a variable in its "
            "place, which `givens` can put there"
        )
    if getattr(variable, "container", None) is not None:
        raise TypeError(
            f"Cannot use a shared variable ({variable}) as explicit input. Consider"
            " substituting a non-shared variable via the `givens` parameter"
        )


def fit_update(target: Variable, value: TensorLike) -> Any:
    """Return the new value of a shared variable as a variable of its type, or raise TypeError."""
    try:
        return target.type.filter_variable(value, allow_convert=_same_but_sizes(target, value))
    except ValueError as error:
        raise ValueError(f"The update of {target}: {error}") from error
    except TypeError as error:
        type_ = getattr(value, "type", type(value).__name__)
        shown = label(value) if isinstance(value, Variable) else value
        text = (
            "An update must have the same type as the original shared variable"
            f" (shared_var={target}, shared_var.type={target.type}, update_val={shown},"
            f" update_val.type={type_})."
        )
        ranks = getattr(type_, "ndim", None), getattr(target.type, "ndim", None)
        if isinstance(type_, TensorType) and ranks[0] != ranks[1]:
            text += f" The update has {ranks[0]} dimension(s), the shared variable {ranks[1]}."
        elif isinstance(type_, TensorType) and type_.dtype == getattr(target.type, "dtype", None):
            text += (
                " If the difference is related to the broadcast pattern, you can call the"
                " tensor.unbroadcast(var, axis_to_unbroadcast[, ...]) or patternbroadcast function"
                " to remove broadcastable dimensions."
            )
        else:
            text += (
                f" Write theano.tensor.cast(value, '{getattr(target.type, 'dtype', '')}') to"
                " convert it."
            )
        raise TypeError(text) from error
