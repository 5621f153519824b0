"""Shared variables of tensors, numbers and random streams."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, overload

import numpy as np

from theano._core.base.near_misses import did_you_mean
from theano._core.compile.shared import SharedVariable
from theano._core.ir.tensor import Methods
from theano._core.ir.types import TensorType, array_of, generic, holds_array, random_state_type
from theano._core.ir.variable import Variable

if TYPE_CHECKING:
    from typing import Unpack

    from theano._core.ir.annotations import HoldsArray


class TensorSharedVariable(Methods, SharedVariable):
    """A shared variable that holds an array."""

    if TYPE_CHECKING:

        def get_value(
            self, borrow: bool = False, return_internal_type: bool = False
        ) -> np.ndarray: ...


class ScalarSharedVariable(TensorSharedVariable):
    """A shared variable made from one number."""


class RandomStateSharedVariable(SharedVariable):
    """A shared variable that holds the state of a random stream."""


class SharedOptions(TypedDict, total=False):
    """What the constructors of shared variables take: see `tensor_constructor`."""

    strict: bool
    allow_downcast: bool | None
    borrow: bool
    broadcastable: Sequence[bool]
    target: str
    shape: Sequence[int | None] | None


_constructors: list[Callable[..., Any]] = []


def shared_constructor(ctor: Callable[..., object], remove: bool = False) -> Callable[..., Any]:
    """Add a constructor that `shared` tries before the older ones, or remove it.

    It is called as `constructor(value, name, strict, allow_downcast, **options)` and raises
    TypeError for values that are not its own.

    Parameters
    ----------
    ctor : callable
    remove : bool
        Take the constructor away.

    Returns
    -------
    callable
        `ctor`, so that this is a decorator.

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
        _constructors.remove(ctor)
    else:
        _constructors.append(ctor)
    return ctor


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


# Old programs add and remove them there.
vars(shared)["constructors"] = _constructors


@shared_constructor
def generic_constructor(
    value: object, name: str | None = None, strict: bool = False, allow_downcast: bool | None = None
) -> SharedVariable:
    """Return a shared variable for any object."""
    return SharedVariable(name, generic, value, strict, allow_downcast)


def _check_target(target: str) -> None:
    if target != "cpu":
        raise TypeError(f"the target of a shared variable must be 'cpu', got {target!r}")


@shared_constructor
def tensor_constructor(
    value: object,
    name: str | None = None,
    strict: bool = False,
    allow_downcast: bool | None = None,
    borrow: bool = False,
    broadcastable: Sequence[bool] | None = None,
    target: str = "cpu",
    shape: Sequence[int | None] | None = None,
) -> TensorSharedVariable:
    """Return a shared variable for an array.

    Parameters
    ----------
    value : ndarray, or array of another library
        Copied unless `borrow`. Others are read by `__array__` or DLPack: pandas, JAX, PyTorch.
    broadcastable : sequence of bool, optional
        By default no axis: lengths may change later.
    shape : sequence of int or None, optional
        Lengths that every later value has too; None where any will do.

    Raises
    ------
    TypeError
        `value` is not an array of a supported dtype.
    ValueError
        `value` does not have the lengths of `shape`, or its library does not give its items.
    """
    _check_target(target)
    if not isinstance(value, np.ndarray):
        value = _foreign(value)
    dtype = str(value.dtype.newbyteorder("="))
    if shape is None:
        pattern = (False,) * value.ndim if broadcastable is None else tuple(broadcastable)
        type_ = TensorType(dtype, pattern)
    else:
        type_ = TensorType(dtype, broadcastable, shape=shape)
        if len(type_.shape) != value.ndim or any(
            n not in (None, m) for n, m in zip(type_.shape, value.shape, strict=True)
        ):
            raise ValueError(f"an array of shape {value.shape} is no value of {type_}")
    # A copy in C order whatever the order of `value`: functions then start from contiguous data.
    stored = value if borrow else np.array(value, copy=True, order="C", dtype=type_.numpy_dtype)
    return TensorSharedVariable(name, type_, stored, strict, allow_downcast)


@shared_constructor
def sparse_constructor(value: Any, **options: Any) -> SharedVariable:
    """Return a shared variable for a sparse matrix of SciPy, which is not loaded before."""
    if not type(value).__module__.startswith("scipy.sparse"):
        # Every other value comes by here: its text may take long.
        raise TypeError("not a sparse matrix")
    from theano._core.api.variable.sparse_shared import sparse_constructor as construct

    return construct(value, **options)


def _foreign(value: object) -> np.ndarray:
    kind = type(value).__name__
    if not holds_array(value):
        raise TypeError(f"an array is needed, got {kind}")
    try:
        return array_of(value)
    except Exception as error:
        # As TypeError it would make a variable of any object, which no one asks for.
        raise ValueError(f"the items of this {kind} cannot be read: {error}") from error


@shared_constructor
def scalar_constructor(
    value: object,
    name: str | None = None,
    strict: bool = False,
    allow_downcast: bool | None = None,
    borrow: bool = False,
    target: str = "cpu",
    broadcastable: Sequence[bool] = (),
) -> ScalarSharedVariable:
    """Return a shared variable for one number, of NumPy's dtype for it (never `floatX`).

    Parameters
    ----------
    value : number
    broadcastable : sequence of bool
        Empty: a number has no axes.

    Raises
    ------
    TypeError
        `value` is not a number, or `broadcastable` is not empty.
    """
    _check_target(target)
    if not isinstance(value, (np.number, np.bool_, float, int, complex)) or len(broadcastable):
        raise TypeError(f"a number is needed, got {type(value).__name__}")
    array = np.array(value)
    type_ = TensorType(str(array.dtype), ())
    return ScalarSharedVariable(name, type_, array, strict, allow_downcast)


@shared_constructor
def randomstate_constructor(
    value: object,
    name: str | None = None,
    strict: bool = False,
    allow_downcast: bool | None = None,
    borrow: bool = False,
) -> RandomStateSharedVariable:
    """Return a shared variable for a `numpy.random.RandomState`, copied unless `borrow`.

    Parameters
    ----------
    value : numpy.random.RandomState
    name : str, optional
    strict, allow_downcast : bool
        As of `theano.shared`.
    borrow : bool
        Keep `value` itself.

    Returns
    -------
    RandomStateSharedVariable

    Raises
    ------
    TypeError
        `value` is not a RandomState.

    Examples
    --------
    >>> state = theano.shared(np.random.RandomState(1), "state")
    >>> state.get_value().randint(10)
    5
    """
    stream = original = random_state_type.filter(value)
    if not borrow:
        stream = np.random.RandomState(np.random.MT19937())
        stream.set_state(original.get_state())
    return RandomStateSharedVariable(name, random_state_type, stream, strict, allow_downcast)
