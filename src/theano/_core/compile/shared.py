"""Shared variables: values that functions keep between calls."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from theano._core.base.near_misses import did_you_mean
from theano._core.compile.containers import Container
from theano._core.ir import hooks
from theano._core.ir.types import Type, generic
from theano._core.ir.variable import Variable

if TYPE_CHECKING:
    from typing import Unpack

    from theano._core.ir.annotations import HoldsArray, SharedOptions, TensorSharedVariable


class SharedVariable(Variable):
    """A variable with a value that functions read and update.

    Parameters
    ----------
    name : str or None
    type : Type
    value
        First value; stored as it is if `container` is given.
    strict : bool
        Whether only values of exactly this type may be set.
    allow_downcast : bool or None
    container : Container, optional
        Storage to share.
    """

    # Where the value is stored, with the rules for setting it.
    container: Any = None

    def __init__(
        self,
        name: str | None,
        type: Type,
        value: Any,
        strict: bool,
        allow_downcast: bool | None = None,
        container: Container | None = None,
    ) -> None:
        super().__init__(type, name=name)
        self._default_update: Any = None
        if container is None:
            container = Container(type, None, name, False, strict, allow_downcast)
            container.cell.value = type.filter(value, strict=strict, allow_downcast=allow_downcast)
        self.container = container

    def __setstate__(self, state: dict[str, object]) -> None:
        # Theano 1.0.5 has no underscore there.
        update = state.get("default_update")
        own = {k: x for k, x in state.items() if k != "default_update"}
        self.__dict__.update({"source": None, "_default_update": update, **own})
        if "readers" in self.__dict__:
            hooks.restore_old_output(self)

    def get_value(self, borrow: bool = False, return_internal_type: bool = False) -> Any:
        """Return the value: a copy, or with `borrow` the stored object itself.

        A call that updates the variable in another thread comes before or after a copy as a whole;
        the stored object itself may change during a later one.
        """
        cell = self.container.cell
        return cell.value if borrow else cell.read(copied)

    def get_test_value(self) -> Any:
        """Return the value."""
        return self.get_value(borrow=True)

    def set_value(self, new_value: object, borrow: bool = False) -> None:
        """Store a value of the same type; any lengths.

        Parameters
        ----------
        new_value : array_like
        borrow : bool
            Store the object itself; later changes to it are then seen by functions, and functions
            may overwrite it.
        """
        self.container.value = new_value if borrow else copied(new_value)

    def zero(self, borrow: bool = False) -> None:
        """Set every item to 0."""
        value = self.get_value(borrow=borrow)
        value[...] = 0
        self.set_value(value, borrow=True)

    def clone(self) -> Any:
        """Return another variable that shares this one's storage."""
        fresh = type(self)(self.name, self.type, None, False, container=self.container)
        fresh.tag.__dict__.update(self.tag.__dict__)
        return fresh

    @property
    def value(self) -> Any:
        """Not an attribute any more: use `get_value` and `set_value`."""
        raise AttributeError("sharedvar.value was removed: use get_value() and set_value()")

    @value.setter
    def value(self, new_value: object) -> None:
        raise AttributeError("sharedvar.value was removed: use get_value() and set_value()")

    @property
    def default_update(self) -> Any:
        """New value that functions give this variable unless told otherwise."""
        return self._default_update

    @default_update.setter
    def default_update(self, value: Variable) -> None:
        self._default_update = None if value is None else self.type.filter_variable(value)

    @default_update.deleter
    def default_update(self) -> None:
        self._default_update = None

    def __deepcopy__(self, memo: dict[int, Variable]) -> Any:
        fresh = type(self)(
            self.name, self.type, None, False, container=copy.deepcopy(self.container, memo)
        )
        memo[id(self)] = fresh
        fresh._default_update = copy.deepcopy(self._default_update, memo)
        fresh.tag.__dict__.update(copy.deepcopy(self.tag.__dict__, memo))
        return fresh


def copied(value: object) -> Any:
    """Return a deep copy of a value."""
    if type(value) is np.ndarray:
        return value.copy()
    return copy.deepcopy(value)


_constructors: list[Callable[..., Any]] = []


def shared_constructor(
    constructor: Callable[..., object], remove: bool = False
) -> Callable[..., Any]:
    """Add a constructor that `shared` tries before the older ones, or remove it.

    It is called as `constructor(value, name, strict, allow_downcast, **options)` and raises
    TypeError for values that are not its own.

    Parameters
    ----------
    constructor : callable
    remove : bool
        Take the constructor away.

    Returns
    -------
    callable
        `constructor`, so that this is a decorator.

    Examples
    --------
    >>> @theano.shared_constructor
    ... def of_sets(value, name=None, strict=False, allow_downcast=None):
    ...     if not isinstance(value, set):
    ...         raise TypeError
    ...     return theano.shared(np.array(sorted(value)), name)
    ...
    >>> theano.shared({3, 1}).get_value()
    array([1, 3])
    >>> _ = theano.shared_constructor(of_sets, remove=True)
    """
    if remove:
        _constructors.remove(constructor)
    else:
        _constructors.append(constructor)
    return constructor


@overload
def shared(
    value: HoldsArray | complex, name: str | None = None, **options: Unpack[SharedOptions]
) -> TensorSharedVariable: ...
@overload
def shared(
    value: object, name: str | None = None, **options: Unpack[SharedOptions]
) -> SharedVariable: ...
def shared(
    value: object,
    name: str | None = None,
    strict: bool = False,
    allow_downcast: bool | None = None,
    **kwargs: object,
) -> Any:
    """Return a shared variable that holds `value`.

    Parameters
    ----------
    value : array_like or object
        An array is copied unless `borrow`. A Python number gives a scalar; a list, a string or None
        a generic variable.
    name : str, optional
    strict : bool
        Whether `set_value` only takes values of exactly this type.
    allow_downcast : bool or None
        Whether `set_value` may lose digits.
    **kwargs
        `borrow`, `broadcastable`, `target` for the constructor of this kind of value.

    Returns
    -------
    SharedVariable
        Its type is that of the value; no length is fixed.

    Raises
    ------
    TypeError
        `value` is a symbolic variable, or no constructor takes these options.

    Examples
    --------
    >>> w = theano.shared(np.zeros(2), name="w")
    >>> w.set_value([1.0, 2.0])
    >>> (w * 10).eval()
    array([10., 20.])
    """
    if isinstance(value, Variable):
        raise TypeError(
            f"Shared variable values can not be symbolic, got a variable of {value.type}. "
            "theano.shared takes an array or a number; an expression gets into a shared variable "
            "by `updates`."
        )
    for constructor in reversed(_constructors):
        try:
            variable = constructor(
                value, name=name, strict=strict, allow_downcast=allow_downcast, **kwargs
            )
        except TypeError:
            continue
        return variable
    near = "".join(
        did_you_mean(key, ("name", "strict", "allow_downcast", "borrow")) for key in kwargs
    )
    dtype = " The dtype is that of the value: numpy.asarray(value, dtype)." * ("dtype" in kwargs)
    raise TypeError(
        "No suitable SharedVariable constructor could be found. Are you sure all kwargs are "
        f"supported? We do not support the parameter dtype or type. value={value!r}. "
        f"parameters={kwargs}.{near or dtype}"
    )


@shared_constructor
def generic_constructor(
    value: object, name: str | None = None, strict: bool = False, allow_downcast: bool | None = None
) -> SharedVariable:
    """Return a shared variable for any object."""
    return SharedVariable(name, generic, value, strict, allow_downcast)
