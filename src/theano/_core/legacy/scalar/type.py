"""Scalars of `theano.scalar`: their type, variables and constants, and rules for output types."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base import dtypes
from theano._core.base.errors import AsTensorError
from theano._core.base.settings import config
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.legacy.user.properties import object2
from theano._core.legacy.user.type import Type

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike


class _Table(dict[str, Callable[..., Any]]):
    """A table that a module fills, which is imported when something is first looked up."""

    def __init__(self, module: str) -> None:
        super().__init__()
        self.module = module

    def __missing__(self, name: str) -> Callable[..., Any]:
        # Indices hold scalars in programs that never name `theano.scalar`.
        importlib.import_module(f"theano._core.legacy.scalar.{self.module}")
        if name not in self:
            raise KeyError(name)
        return self[name]


# Scalar operations by name.
OPS = _Table("ops")
# Where a scalar goes among tensors, and back.
CROSSINGS = _Table("elementwise")


class Scalar(Type):
    """Type of one number, which is a NumPy scalar when a function runs.

    Parameters
    ----------
    dtype : str
        NumPy name of the item type; 'floatX' stands for `config.floatX`.

    Raises
    ------
    TypeError
        `dtype` is not a supported item type.
    """

    __props__ = ("dtype",)
    ndim = 0

    def __init__(self, dtype: str) -> None:
        dtype = dtypes.named(dtype)
        if dtype not in dtypes.all_dtypes:
            raise TypeError(f"Unsupported dtype for Scalar: {dtype}")
        self.dtype = dtype

    def filter(self, data: object, strict: bool = False, allow_downcast: bool | None = None) -> Any:
        """Return `data` as a NumPy scalar of this dtype."""
        type_: Any = np.dtype(self.dtype).type
        if strict and not isinstance(data, type_):
            raise TypeError(f"{self} expected a {type_}, got {data} of type {type(data)}", data)
        try:
            with np.errstate(all="ignore"):
                converted = np.asarray(data).astype(self.dtype)[()]
        except (TypeError, ValueError, OverflowError) as error:
            raise TypeError(
                f"Could not convert {type(data)} (value={data}) to {self.dtype}: {error}"
            ) from None
        free = allow_downcast or (
            allow_downcast is None and type(data) is float and self.dtype == config.floatX
        )
        if np.ndim(converted) or not (free or _same(data, converted)):
            raise TypeError(
                f"Could not convert {type(data)} (value={data}) to {self.dtype}: Value cannot "
                f"accurately be converted to dtype ({self.dtype}) and allow_downcast is not True"
            )
        return converted

    def values_eq(self, a: Variable, b: Variable) -> bool:
        return _same(a, b)

    def values_eq_approx(self, a: Any, b: Any, tolerance: float = 1e-4) -> bool:
        """Tell whether two numbers are equal up to rounding."""
        if self.dtype == "bool" or _same(a, b):
            return _same(a, b)
        a, b = complex(a), complex(b)
        return abs(a - b) <= (abs(a) + abs(b)) * tolerance

    @staticmethod
    def may_share_memory(a: Variable, b: Variable) -> bool:
        return False

    def dtype_specs(self) -> tuple[Any, str, str]:
        """Return the NumPy class, the name of the C type, and NumPy's name."""
        return np.dtype(self.dtype).type, f"npy_{self.dtype}", f"Scalar({self.dtype})"

    @staticmethod
    def upcast(*others: Any) -> str:
        """Return the dtype that holds the values of all these types."""
        return upcast(*(type_.dtype for type_ in others))

    def clone(self, dtype: str | None = None) -> Scalar:
        """Return this type with another dtype."""
        return Scalar(self.dtype if dtype is None else dtype)

    def __str__(self) -> str:
        return self.dtype

    def __repr__(self) -> str:
        return f"Scalar({self.dtype})"


class KnownIndex(Scalar):
    """Type of a part of an index that is a number: operations hold it, and it is no input.

    Parameters
    ----------
    value : int
    """

    def __init__(self, value: int) -> None:
        super().__init__("int64")
        self.value = value

    def constant(self) -> Any:
        """Return the number as a constant scalar."""
        return get_scalar_type(self.dtype).make_constant(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scalar) and other.dtype == self.dtype

    def __hash__(self) -> int:
        return hash(get_scalar_type(self.dtype))


def _same(a: object, b: object) -> bool:
    return bool(a == b) or bool(a != a and b != b)


def upcast(dtype: str, *dtypes_: str) -> str:
    """Return the dtype that holds the values of all these dtypes."""
    return dtypes.upcast(dtype, *dtypes_)


_types: dict[str, Scalar] = {}


def get_scalar_type(dtype: str) -> Scalar:
    """Return the scalar type of a dtype; always the same object."""
    scalar_type = _types.get(dtype)
    if scalar_type is None:
        scalar_type = _types[dtype] = Scalar(dtype)
    return scalar_type


# `theano.scalar.bool`; the engine keeps Python's name.
boolean = get_scalar_type("bool")
int8, int16, int32, int64 = map(get_scalar_type, ("int8", "int16", "int32", "int64"))
uint8, uint16, uint32, uint64 = map(get_scalar_type, ("uint8", "uint16", "uint32", "uint64"))
float16, float32, float64 = map(get_scalar_type, ("float16", "float32", "float64"))
complex64, complex128 = map(get_scalar_type, ("complex64", "complex128"))
int_types = int8, int16, int32, int64
uint_types = uint8, uint16, uint32, uint64
float_types = float16, float32, float64
complex_types = complex64, complex128
integer_types = int_types + uint_types
discrete_types = (boolean, *integer_types)
continuous_types = float_types + complex_types
all_types = discrete_types + continuous_types


def _binary(name: str, swapped: bool = False) -> Any:
    def method(self: Any, other: TensorLike) -> Any:
        return OPS[name](other, self) if swapped else OPS[name](self, other)

    return method


def _unary(name: str) -> Any:
    return lambda self: OPS[name](self)


class _Operators:
    """Operators of scalar variables and constants."""

    __abs__ = _unary("abs_")
    __neg__ = _unary("neg")
    __invert__ = _unary("invert")
    __and__, __rand__ = _binary("and_"), _binary("and_", True)
    __or__, __ror__ = _binary("or_"), _binary("or_", True)
    __xor__, __rxor__ = _binary("xor"), _binary("xor", True)
    __lt__, __le__ = _binary("lt"), _binary("le")
    __gt__, __ge__ = _binary("gt"), _binary("ge")
    __add__, __radd__ = _binary("add"), _binary("add", True)
    __sub__, __rsub__ = _binary("sub"), _binary("sub", True)
    __mul__, __rmul__ = _binary("mul"), _binary("mul", True)
    __truediv__, __rtruediv__ = _binary("true_div"), _binary("true_div", True)
    __floordiv__, __rfloordiv__ = _binary("int_div"), _binary("int_div", True)
    __mod__, __rmod__ = _binary("mod"), _binary("mod", True)
    __pow__, __rpow__ = _binary("pow"), _binary("pow", True)

    def zeros_like(self, dtype: str | None = None) -> Any:
        """Return a zero that depends on this scalar."""
        return OPS["second"](self, constant(0, dtype=dtype or self.type.dtype))  # type: ignore[attr-defined]

    def ones_like(self, dtype: str | None = None) -> Any:
        """Return a one that depends on this scalar."""
        return OPS["second"](self, constant(1, dtype=dtype or self.type.dtype))  # type: ignore[attr-defined]

    def astype(self, dtype: str) -> Any:
        """Return this scalar as another dtype."""
        return OPS["cast"](self, dtype)

    def _as_TensorVariable(self) -> Any:
        return CROSSINGS["to tensor"](self)


class ScalarVariable(_Operators, Variable):
    """A scalar in an expression."""


class ScalarConstant(_Operators, Constant):
    """A scalar whose value is known."""

    def __init__(self, type: Any, data: Any, name: str | None = None) -> None:
        Variable.__init__(self, type, name=name)
        self.data = type.filter(data, allow_downcast=True)

    def __str__(self) -> str:
        return self.name if self.name is not None else f"Constant{{{self.data}}}"

    __repr__ = __str__


Scalar.Variable = ScalarVariable
Scalar.Constant = ScalarConstant


def constant(x: object, name: str | None = None, dtype: str | None = None) -> ScalarConstant:
    """Return a number as a constant; without `dtype`, of the dtype that `cast_policy` gives."""
    value = convert(x, dtype)
    if value.ndim:
        raise TypeError(f"a scalar is needed, got an array of shape {value.shape}")
    return ScalarConstant(get_scalar_type(str(value.dtype)), value[()], name)


def convert(x: object, dtype: str | None = None) -> np.ndarray:
    """Return a number as an array without axes."""
    if dtype is not None:
        return np.asarray(x).astype(dtypes.named(dtype))
    if isinstance(x, (bool, int, float, complex)) and not isinstance(x, np.generic):
        return np.asarray(x, dtype=dtypes.autocast(x))
    return np.asarray(x)


def as_scalar(x: object, name: str | None = None) -> Any:
    """Return a number, a scalar, or a tensor without axes as a scalar variable.

    Raises
    ------
    TypeError
        It is none of these.
    """
    if isinstance(x, Apply):
        x = x.default_output()
    if isinstance(x, Variable):
        if isinstance(x.type, Scalar):
            return x
        if isinstance(x.type, TensorType) and x.type.ndim == 0:
            return CROSSINGS["to scalar"](x)
        raise TypeError("Variable type field must be a Scalar.", x, x.type)
    try:
        return constant(x, name)
    except (TypeError, ValueError, AsTensorError):
        raise TypeError(f"Cannot convert {x} to Scalar", type(x)) from None


def as_common_dtype(*vars: Any) -> Iterator[Any]:
    """Return variables as the dtype that holds the values of all of them."""
    dtype = upcast(*(v.dtype for v in vars))
    return (v.astype(dtype) for v in vars)


def _several(type_: Scalar) -> Callable[..., Any]:
    def make(names: Sequence[str]) -> Any:
        """Return a variable for each name, or each letter of a text; the variable if it is one."""
        made = [type_(name) for name in names]
        return made[0] if len(made) == 1 else made

    return make


ints, floats = _several(int64), _several(float64)
complexs, complexs64, complexs128 = _several(complex128), _several(complex64), _several(complex128)


class NumpyAutocaster:
    """Makes a NumPy number of a Python one: of the first of `dtypes` that holds it."""

    @property
    def dtypes(self) -> tuple[str, ...]:
        """Item types, in the order of trial."""
        return tuple(dtypes.int_dtypes)

    def __call__(self, x: Any) -> Any:
        """Return `x` as a constant has it; what has a dtype keeps it."""
        return x if hasattr(x, "dtype") else np.asarray(x, dtype=dtypes.autocast(x))


class _FloatAutocaster(NumpyAutocaster):
    @property
    def dtypes(self) -> tuple[str, ...]:
        """Item types, in the order of trial; setting them holds until they are set again."""
        return dtypes.autocast_floats

    @dtypes.setter
    def dtypes(self, names: Sequence[str]) -> None:
        dtypes.autocast_floats = tuple(names)


autocast_int, autocast_float = NumpyAutocaster(), _FloatAutocaster()


class autocast_float_as:  # noqa: N801
    """While it is entered, Python floats become constants of the first of `dtypes` that holds them.

    Parameters
    ----------
    *dtypes : str
    """

    def __init__(self, *names: str) -> None:
        if config.cast_policy != "custom":
            raise AssertionError("autocast_float_as needs cast_policy='custom'")
        self.dtypes = names

    def __enter__(self) -> None:
        self._before = dtypes.autocast_floats
        dtypes.autocast_floats = self.dtypes

    def __exit__(self, *args: object) -> None:
        dtypes.autocast_floats = self._before


# -- rules for output types: types of the operands → a tuple with the type of the output -----------

Types = tuple[Any, ...]


def upcast_out(*types: Scalar) -> Types:
    """Return the common type."""
    return (get_scalar_type(Scalar.upcast(*types)),)


def upcast_out_nobool(*types: Scalar) -> Types:
    """Return the common type, which must not be bool."""
    (type_,) = upcast_out(*types)
    if type_ == boolean:
        raise TypeError("bool output not supported")
    return (type_,)


def upcast_out_min8(*types: Scalar) -> Types:
    """Return the common type, int8 for bool."""
    return same_out_min8(*upcast_out(*types))


def upcast_out_no_complex(*types: Scalar) -> Types:
    """Return the common type, which must not be complex."""
    _refuse_complex(types)
    return upcast_out(*types)


def upgrade_to_float(*types: Scalar) -> Types:
    """Return the common type; float32 for small integers, float64 for large ones."""
    return (get_scalar_type(upcast(*(dtypes.to_float(type_.dtype) for type_ in types))),)


def upgrade_to_float_no_complex(*types: Scalar) -> Types:
    """Return what `upgrade_to_float` returns; complex operands are refused."""
    _refuse_complex(types)
    return upgrade_to_float(*types)


def upgrade_to_float64(*types: Scalar) -> Types:
    """Return float64."""
    return (float64,)


def same_out(type: Scalar) -> Types:
    """Return the type of the operand."""
    return (type,)


def same_out_nobool(type: Scalar) -> Types:
    """Return the type of the operand, which must not be bool."""
    if type == boolean:
        raise TypeError("bool input not supported")
    return (type,)


def same_out_min8(type: Scalar) -> Types:
    """Return the type of the operand, int8 for bool."""
    return (int8,) if type == boolean else (type,)


def same_out_nocomplex(type: Scalar) -> Types:
    """Return the type of the operand, which must not be complex."""
    _refuse_complex((type,))
    return (type,)


def same_out_float_only(type: Scalar) -> Types:
    """Return the type of the operand, which must be a real float."""
    if type not in float_types:
        raise TypeError("only float type are supported")
    return (type,)


def int_out(*types: Scalar) -> Types:
    """Return int64."""
    return (int64,)


def int_out_nocomplex(*types: Scalar) -> Types:
    """Return int64; complex operands are refused."""
    _refuse_complex(types)
    return (int64,)


def float_out(*types: Scalar) -> Types:
    """Return float64."""
    return (float64,)


def float_out_nocomplex(*types: Scalar) -> Types:
    """Return float64; complex operands are refused."""
    _refuse_complex(types)
    return (float64,)


def real_out(type: Scalar) -> Types:
    """Return the type of the real part."""
    return (get_scalar_type(dtypes.real_of(type.dtype)),)


def _refuse_complex(types: Types) -> None:
    if any(type_ in complex_types for type_ in types):
        raise TypeError("complex argument not supported")


class transfer_type(object2):  # noqa: N801
    """For each output, the type of the operand at a position; the common type for None."""

    __props__ = ("transfer",)

    def __init__(self, *transfer: Any) -> None:
        self.transfer = transfer

    def __call__(self, *types: Scalar) -> list[Any]:
        (common,) = upcast_out(*types)
        return [common if i is None else types[i] for i in self.transfer]

    def __str__(self) -> str:
        return f"transfer_type{{{', '.join(map(str, self.transfer))}}}"


class specific_out(object2):  # noqa: N801
    """The types given, whatever the operands are."""

    __props__ = ("spec",)

    def __init__(self, *spec: Scalar) -> None:
        self.spec = spec

    def __call__(self, *types: Scalar) -> Types:
        return self.spec


class unary_out_lookup(object2):  # noqa: N801
    """The type that a table has for the operand; others are refused."""

    def __init__(self, type_table: dict[Variable, Variable]) -> None:
        self.tbl = type_table

    def __call__(self, *types: Any) -> Any:
        key = types[0] if len(types) == 1 else types
        if key not in self.tbl:
            raise TypeError(key)
        output_type = self.tbl[key]
        return output_type if isinstance(key, tuple) else [output_type]

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.tbl == other.tbl  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash(type(self))
