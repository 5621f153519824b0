"""Types of variables: tensors, and opaque Python objects."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base import dtypes
from theano._core.base.near_misses import did_you_mean
from theano._core.base.settings import config
from theano._core.ir import hooks
from theano._core.ir.tensor import TensorConstant, TensorVariable
from theano._core.ir.variable import Type, Variable

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike


class ObjectType(Type):
    """Any Python object; arithmetic does not know it."""

    def filter(
        self, value: object, strict: bool = False, allow_downcast: bool | None = None
    ) -> Any:
        return value

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return type(self).__name__


class Generic(ObjectType):
    """Type of shared variables that hold a list, a string, None or any other object."""


generic = Generic()


class NoneType(ObjectType):
    """Type of the constant None."""

    def filter(
        self, value: object, strict: bool = False, allow_downcast: bool | None = None
    ) -> None:
        if value is not None:
            raise TypeError("Expected None!")


class RandomStateType(ObjectType):
    """A `numpy.random.RandomState`: the state of one random stream."""

    def filter(
        self, value: object, strict: bool = False, allow_downcast: bool | None = None
    ) -> Any:
        # NumPy loads its generators when they are first asked for: a value of theirs has done so.
        random = sys.modules.get("numpy.random")
        if random is None or not isinstance(value, random.RandomState):
            raise TypeError(f"a numpy.random.RandomState is needed, got {type(value).__name__}")
        return value

    @staticmethod
    def values_eq(a: Any, b: Any) -> bool:
        """Tell whether two streams would draw the same numbers."""
        one, two = a.get_state(), b.get_state()
        return all(np.array_equal(x, y) for x, y in zip(one, two, strict=True))


random_state_type = RandomStateType()


def _plain(array: np.ndarray) -> np.ndarray:
    """Return a matrix of NumPy, an array mapped to a file and their kind as the array they are."""
    return array if type(array) is np.ndarray else array.view(np.ndarray)


def holds_array(value: object) -> bool:
    """Tell whether `value` is an array, of NumPy or of another library."""
    cls = type(value)
    return hasattr(cls, "__array__") or hasattr(cls, "__dlpack__")


def array_of(value: Any) -> np.ndarray:
    """Return `value` as NumPy's array, without a copy where that can be."""
    cls = type(value)
    if cls is np.ndarray:
        return value  # type: ignore[no-any-return]
    if hasattr(cls, "filled") and np.ma.is_masked(value):
        raise TypeError(
            f"{np.ma.count_masked(value)} item(s) of a masked array of shape {value.shape} are "
            "masked, which arrays here cannot say: array.filled(number) gives these a value, "
            "array.data leaves the mask out."
        )
    if hasattr(cls, "__dlpack__") and not hasattr(cls, "__array__"):
        return np.from_dlpack(value)
    return np.asarray(value)


_NAMES = {
    (): "scalar",
    (False,): "vector",
    (False, True): "col",
    (True, False): "row",
    (False, False): "matrix",
}


_NUMPY_DTYPES = {name: np.dtype(name) for name in dtypes.all_dtypes}


@functools.cache
def _stored_by(dtype: str) -> frozenset[Any]:
    """Return the dtypes whose items are stored as another one without being asked."""
    return frozenset(d for name, d in _NUMPY_DTYPES.items() if dtypes.upcast(dtype, name) == dtype)


def _fitting_shape(
    broadcastable: Sequence[bool] | None, shape: Sequence[int | None]
) -> tuple[int | None, ...]:
    """Return what is declared of each length by a shape, and by a pattern if one is given too."""
    lengths = tuple(None if n is None else int(n) for n in shape)
    if any(n is not None and n < 0 for n in lengths):
        raise ValueError(f"a length cannot be negative, got the shape {lengths}")
    if broadcastable is None:
        return lengths
    pattern = tuple(bool(b) for b in broadcastable)
    if len(pattern) != len(lengths) or any(
        (one and n not in (None, 1)) or (n == 1 and not one)
        for one, n in zip(pattern, lengths, strict=True)
    ):
        raise ValueError(f"broadcastable {pattern} does not fit the shape {lengths}")
    return tuple(1 if one else n for one, n in zip(pattern, lengths, strict=True))


class TensorType(Type):
    """Type of an n-dimensional array.

    Parameters
    ----------
    dtype : str
        NumPy name of the item type; 'floatX' stands for `config.floatX`.
    broadcastable : sequence of bool, length ndim
        True for an axis whose length is 1 and that broadcasts in elementwise operations.
        A length of 1 that is not declared here is not broadcast.
    name : str, optional
    sparse_grad : bool, default False
        Kept for old programs.
    shape : sequence of int or None, length ndim, optional
        Length of each axis, None where any is allowed; 1 declares the axis broadcastable.

    Attributes
    ----------
    shape : tuple of int or None
        What is declared of each length: 1 for a broadcastable axis.
    sized : bool
        Whether a length other than 1 is declared.

    Raises
    ------
    TypeError
        `dtype` is not a supported item type, or neither a pattern nor a shape is given.
    ValueError
        A length is negative, or `shape` and `broadcastable` disagree.

    Examples
    --------
    >>> TensorType("float64", shape=(None, 1, 3)).broadcastable
    (False, True, False)
    """

    has_shape = True

    __slots__ = (
        "_hash",
        "broadcastable",
        "dtype",
        "name",
        "ndim",
        "numpy_dtype",
        "shape",
        "sized",
        "sparse_grad",
    )
    variable_class = TensorVariable
    constant_class = TensorConstant
    ndim: int  # type: ignore[misc]
    sized: bool  # type: ignore[misc]

    if TYPE_CHECKING:

        def __call__(self, name: str | None = None) -> TensorVariable: ...

    def __init__(
        self,
        dtype: object,
        broadcastable: Sequence[bool] | None = None,
        name: str | None = None,
        sparse_grad: bool = False,
        shape: Sequence[int | None] | None = None,
    ) -> None:
        dtype = dtypes.named(dtype)
        numpy_dtype = _NUMPY_DTYPES.get(dtype)
        if numpy_dtype is None:
            raise TypeError(
                f"Unsupported dtype for TensorType: {dtype}."
                f"{did_you_mean(dtype, _NUMPY_DTYPES)} Supported: {', '.join(dtypes.all_dtypes)}"
            )
        self.dtype = dtype
        if shape is not None:
            self.shape = _fitting_shape(broadcastable, shape)
            self.sized = any(n not in (None, 1) for n in self.shape)
            self.broadcastable = tuple([n == 1 for n in self.shape])
        elif broadcastable is not None:
            self.broadcastable = tuple(map(bool, broadcastable))
            self.shape = tuple([1 if one else None for one in self.broadcastable])
            self.sized = False
        else:
            raise TypeError("TensorType needs `broadcastable` or `shape`")
        self.ndim = len(self.broadcastable)
        self.numpy_dtype = numpy_dtype
        self.name = name
        self.sparse_grad = sparse_grad
        self._hash = hash((dtype, self.broadcastable))

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, TensorType)
            and self.dtype == other.dtype
            and self.shape == other.shape
        )

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> Any:
        sizes = (self.shape,) if self.sized else ()
        return TensorType, (self.dtype, self.broadcastable, self.name, self.sparse_grad, *sizes)

    def __setstate__(self, state: dict[str, Any]) -> None:
        # As Theano 1.0.5 pickles it.
        self.__init__(  # type: ignore[misc]
            state["dtype"], state["broadcastable"], state["name"], state.get("sparse_grad", False)
        )

    def __str__(self) -> str:
        if self.name:
            return self.name
        if self.sized:
            return f"TensorType({self.dtype}, shape={self.shape})"
        shape = _NAMES.get(self.broadcastable)
        if shape is None:
            shape = str(self.broadcastable) if any(self.broadcastable) else f"{self.ndim}D"
        return f"TensorType({self.dtype}, {shape})"

    __repr__ = __str__

    def clone(
        self,
        dtype: str | None = None,
        broadcastable: Sequence[bool] | None = None,
        shape: Sequence[int | None] | None = None,
    ) -> TensorType:
        """Return this type with another dtype, pattern or shape."""
        if shape is None and broadcastable is None:
            shape = self.shape
        return TensorType(
            self.dtype if dtype is None else dtype,
            broadcastable,
            name=self.name,
            sparse_grad=self.sparse_grad,
            shape=shape,
        )

    @property
    def unsized(self) -> TensorType:
        """The type without declared lengths other than 1."""
        return self.clone(broadcastable=self.broadcastable) if self.sized else self

    def filter(
        self, value: object, strict: bool = False, allow_downcast: bool | None = None
    ) -> np.ndarray:
        """Return `value` as an array of this type.

        Parameters
        ----------
        value : array_like
        strict : bool
            Accept only an array of exactly this dtype.
        allow_downcast : bool or None
            True converts whatever the loss; False refuses any loss; None also accepts a Python
            float for `config.floatX`.

        Raises
        ------
        TypeError
            Wrong dtype, rank or length of an axis.
        """
        if isinstance(value, Variable):
            raise TypeError(
                "Expected an array-like object, but found a Variable: maybe you are trying to "
                "call a function on a (possibly shared) variable instead of a numeric array?"
            )
        array = self._strict(value) if strict else self._converted(value, allow_downcast)
        if array.ndim != self.ndim:
            raise TypeError(
                f"Wrong number of dimensions: expected {self.ndim}, got {array.ndim} "
                f"with shape {array.shape}."
            )
        if not array.flags.aligned or not array.dtype.isnative:
            if strict:
                raise TypeError(f"{self} needs aligned data in the machine's byte order.")
            array = np.array(array, dtype=self.numpy_dtype)
        for axis, (one, length) in enumerate(zip(self.broadcastable, array.shape, strict=True)):
            if one and length != 1:
                raise TypeError(
                    f"Non-unit value on shape on a broadcastable dimension: axis {axis} of shape "
                    f"{array.shape}, broadcastable {self.broadcastable}."
                )
        if self.sized:
            self._check_shape(array.shape)
        return array

    def _check_shape(self, shape: Sequence[int]) -> None:
        for axis, (declared, length) in enumerate(zip(self.shape, shape, strict=True)):
            if declared not in (None, length):
                raise TypeError(
                    f"Wrong length along axis {axis}: {self} needs {declared}, got {length} "
                    f"in an array of shape {tuple(shape)}."
                )

    def _strict(self, value: object) -> np.ndarray:
        if not isinstance(value, np.ndarray):
            raise TypeError(f"{self} expected a ndarray object.", value, type(value))
        if value.dtype != self.numpy_dtype:
            raise TypeError(
                f"{self} expected a ndarray object with dtype = {self.dtype} (got {value.dtype})."
            )
        return _plain(value)

    def _converted(self, value: object, allow_downcast: bool | None) -> np.ndarray:
        if isinstance(value, np.ndarray) and value.dtype == self.numpy_dtype:
            return _plain(value)
        if allow_downcast and value is not None:
            if not isinstance(value, (np.ndarray, np.generic)):
                self._check_numbers(array_of(value))
            return self._as_array(value)
        if isinstance(value, np.ndarray):
            self._check_no_loss(value)
            return self._as_array(value)
        if allow_downcast is None and type(value) is float and self.dtype == config.floatX:
            return self._as_array(value)
        original = array_of(value)
        if original.dtype == self.numpy_dtype:
            return original
        if original.dtype == object:
            large = isinstance(value, int) and self.numpy_dtype.kind in "iu"
            kind = OverflowError if large else TypeError
            raise kind(f"{self} cannot store {value!r}: it does not make a numeric array.")
        if original.dtype.kind == "c" and self.numpy_dtype.kind != "c":
            raise TypeError(f"{self} cannot store the complex value {value!r}: take its real part.")
        array = self._as_array(original)
        if not self._same(original, array):
            raise TypeError(
                f"{self} cannot store accurately value {value!r}, it would be represented as "
                f"{array}. If you do not mind this precision loss, you can: 1) explicitly convert "
                f"your data to a numpy array of dtype {self.dtype}, or 2) set "
                "'allow_input_downcast=True' when calling 'function'.",
                value,
            )
        return array

    def _as_array(self, value: object) -> np.ndarray:
        try:
            array = array_of(value)
            # Of these NumPy has nothing to warn of, and not to listen takes as long as to convert.
            if array.dtype.kind in "biu" and array.dtype in _stored_by(self.dtype):
                return array.astype(self.numpy_dtype, copy=False)
            with np.errstate(all="ignore"):
                return array.astype(self.numpy_dtype, copy=False)
        except (ValueError, OverflowError) as error:
            raise type(error)(f"{self} cannot store {value!r}: {error}") from error

    def _check_numbers(self, numbers: np.ndarray) -> None:
        """Refuse what Python's numbers do not become, though arrays do: `int(nan)`."""
        kind, own = numbers.dtype.kind, self.numpy_dtype.kind
        if kind == "c" and own != "c":
            raise TypeError(f"{self} cannot store complex values: take their real parts.")
        if kind == "f" and own in "iu" and not np.isfinite(numbers).all():
            error = ValueError if np.isnan(numbers).any() else OverflowError
            raise error(f"{self} cannot store NaN or infinity, and got {numbers}.")

    def _check_no_loss(self, value: np.ndarray) -> None:
        storable = _stored_by(self.dtype)
        if value.dtype not in storable and value.dtype.newbyteorder("=") not in storable:
            raise TypeError(
                f"{self} cannot store a value of dtype {value.dtype} without risking loss of "
                "precision. If you do not mind this loss, you can: 1) explicitly cast your data "
                f'to {self.dtype}, or 2) set "allow_input_downcast=True" when calling '
                f'"function". Value: "{value!r}"'
            )

    def _same(self, original: np.ndarray, converted: np.ndarray) -> bool:
        floats = original.dtype.kind in "fc" and self.numpy_dtype.kind in "fc"
        if floats and original.dtype in _stored_by(self.dtype):
            return True
        equal = original == converted
        if floats:
            equal |= np.isnan(original) & np.isnan(converted)
        return bool(equal.all())

    def filter_variable(self, other: TensorLike, allow_convert: bool = True) -> Variable:
        if not isinstance(other, Variable):
            array = self.filter(other)
            type_ = TensorType(self.dtype, self.broadcastable)
            return self.constant_class(type_, array)
        if other.type == self:
            return other
        converted = self.convert_variable(other) if allow_convert else None
        if converted is None:
            raise TypeError(
                f"Cannot convert Type {other.type} (of Variable {other}) into Type {self}. "
                f"You can try to manually convert {other} into a {self}."
            )
        return converted

    def convert_variable(self, variable: Variable) -> Variable | None:
        # A declared length of 1 is given up here, and other lengths are checked when the function
        # runs; the ops layer installs the operations that do so.
        type_ = variable.type
        if type_ == self:
            return variable
        if not isinstance(type_, TensorType):
            return None
        if (type_.dtype, type_.ndim) != (self.dtype, self.ndim):
            return None
        for ours, theirs in zip(self.shape, type_.shape, strict=True):
            if ours is not None and theirs != ours and (ours == 1 or theirs is not None):
                return None
        variable = hooks.change_pattern(variable, self.broadcastable)
        return hooks.check_shape(variable, self.shape) if self.sized else variable

    def accepts(self, other: TensorType) -> bool:
        # A declared length of 1 changes what the values mean.
        return self == other or (
            isinstance(other, TensorType)
            and self.dtype == other.dtype
            and self.broadcastable == other.broadcastable
            and all(a in (None, b) for a, b in zip(self.shape, other.shape, strict=True))
        )

    @staticmethod
    def values_eq(a: object, b: object, force_same_dtype: bool = True) -> bool:
        a, b = np.asarray(a), np.asarray(b)
        if a.shape != b.shape or (force_same_dtype and a.dtype != b.dtype):
            return False
        return bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc" and b.dtype.kind in "fc"))

    @staticmethod
    def values_eq_approx(  # type: ignore[override]
        a: object,
        b: object,
        allow_remove_inf: bool = False,
        allow_remove_nan: bool = False,
        rtol: float | None = None,
        atol: float | None = None,
    ) -> bool:
        a, b = np.asarray(a), np.asarray(b)
        if a.shape != b.shape or a.dtype != b.dtype:
            return False
        if a.dtype.kind not in "fc":
            return bool(np.array_equal(a, b))
        small = 1e-3 if a.dtype == "float16" else 1e-5
        rtol = small if rtol is None else rtol
        atol = atol if atol is not None else 1e-8 if a.dtype in ("float64", "complex128") else small
        with np.errstate(all="ignore"):
            close = np.isclose(a, b, rtol=rtol, atol=atol, equal_nan=True)
            if allow_remove_inf:
                close |= np.isinf(a)
            if allow_remove_nan:
                close |= np.isnan(a)
        return bool(close.all())

    @staticmethod
    def may_share_memory(a: Variable, b: Variable) -> bool:
        return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.may_share_memory(a, b)

    def value_zeros(self, shape: Any) -> np.ndarray:
        """Return an array of zeros of this dtype."""
        return np.zeros(shape, dtype=self.numpy_dtype)


@functools.lru_cache(1024)
def tensor_type(dtype: str, broadcastable: tuple[bool, ...]) -> TensorType:
    """Return the type of arrays without declared lengths: one object for all that are equal.

    `dtype` is the name of an item type.
    """
    return TensorType(dtype, broadcastable)
