"""Everything there is to know about item types, as functions on their NumPy names.

Theano decides the dtype of every result while the graph is being built, from dtypes alone (for
Python numbers, from their value as well). The settings `floatX`, `cast_policy` and `int_division`
take part; each public function reads them and hands them to a cached pure function.

The rules were measured on Theano 1.0.5; ``tests/golden/dtypes_theano105.json`` has the answers.
"""

from __future__ import annotations

from functools import lru_cache, reduce
from typing import Any

import numpy as np

from theano._core.base.errors import IntegerDivisionError
from theano._core.base.settings import config

__all__ = [
    "accumulator_dtype",
    "all_dtypes",
    "autocast",
    "complex_dtypes",
    "complex_of",
    "continuous_dtypes",
    "discrete_dtypes",
    "division",
    "float_dtypes",
    "int_dtypes",
    "integer_dtypes",
    "is_complex",
    "is_continuous",
    "is_discrete",
    "is_float",
    "is_int",
    "is_integer",
    "is_uint",
    "itemsize",
    "mean_dtype",
    "name_of",
    "named",
    "real_of",
    "sum_dtype",
    "to_float",
    "true_div",
    "upcast",
    "weak_upcast",
]

int_dtypes = ["int8", "int16", "int32", "int64"]
uint_dtypes = ["uint8", "uint16", "uint32", "uint64"]
integer_dtypes = [*int_dtypes, *uint_dtypes]
float_dtypes = ["float16", "float32", "float64"]
complex_dtypes = ["complex64", "complex128"]
discrete_dtypes = ["bool", *integer_dtypes]
continuous_dtypes = [*float_dtypes, *complex_dtypes]
all_dtypes = [*discrete_dtypes, *continuous_dtypes]

_INT = frozenset(int_dtypes)
_UINT = frozenset(uint_dtypes)
_INTEGER = _INT | _UINT
_FLOAT = frozenset(float_dtypes)
_COMPLEX = frozenset(complex_dtypes)
_DISCRETE = frozenset(discrete_dtypes)
_CONTINUOUS = frozenset(continuous_dtypes)
_BYTES = {name: np.dtype(name).itemsize for name in all_dtypes}


def named(dtype: Any) -> str:
    """Return the name of a dtype: of a NumPy dtype, a Python type, or 'floatX' for `config.floatX`.

    A string is returned as it is: who uses it knows which ones exist. What has a dtype, such as a
    variable, stands for that: NumPy once read it so, and programs write ``g.zeros_like(g)``.
    """
    if isinstance(dtype, str):
        return config.floatX if dtype == "floatX" else str(dtype)
    try:
        held = getattr(dtype, "dtype", None)
        return held if isinstance(held, str) else _name_in_numpy(np.dtype(dtype))
    except TypeError:
        other = "A shape, or several axes, are one argument: (2, 3)."
        if isinstance(dtype, bool):
            other = f"What is True or False has a name in calls: keepdims={dtype}."
        raise TypeError(f"{dtype!r} is not a dtype, such as 'float64'. {other}") from None


@lru_cache(64)
def _name_in_numpy(dtype: np.dtype) -> str:
    return dtype.name


@lru_cache(64)
def name_of(dtype: np.dtype) -> str:
    """Return NumPy's text of a dtype; NumPy makes it anew each time."""
    return str(dtype)


def is_int(dtype: str) -> bool:
    """Whether it is a signed integer."""
    return dtype in _INT


def is_uint(dtype: str) -> bool:
    """Whether it is an unsigned integer."""
    return dtype in _UINT


def is_integer(dtype: str) -> bool:
    """Whether it is a signed or unsigned integer, not bool."""
    return dtype in _INTEGER


def is_float(dtype: str) -> bool:
    """Whether it is a real float."""
    return dtype in _FLOAT


def is_complex(dtype: str) -> bool:
    """Whether it is complex."""
    return dtype in _COMPLEX


def is_discrete(dtype: str) -> bool:
    """Whether it is an integer or bool: such values have no gradient."""
    return dtype in _DISCRETE


def is_continuous(dtype: str) -> bool:
    """Whether it is a float or complex."""
    return dtype in _CONTINUOUS


def itemsize(dtype: str) -> int:
    """Return the bytes of one item."""
    return _BYTES[dtype]


def typenum(dtype: str) -> int:
    """Return NumPy's number of an item type."""
    return np.dtype(dtype).num


def real_of(dtype: str) -> str:
    """Return the dtype of a real part: half of a complex, any other as it is."""
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)


def complex_of(dtype: str) -> str:
    """Return the complex dtype that holds `dtype`; small integers and floats fit complex64."""
    return str(np.promote_types(to_float(dtype), "complex64"))


def upcast(*dtypes: str) -> str:
    """Return the common dtype of operands.

    Under ``cast_policy="numpy+floatX"`` a result no longer than the operands asked for stays
    within `floatX`: float64 only appears when an operand has it.

    Raises
    ------
    TypeError
        A name is not a dtype.
    """
    return _upcast(dtypes, config.floatX if config.cast_policy == "numpy+floatX" else "")


@lru_cache(None)
def _upcast(dtypes: tuple[str, ...], keep: str) -> str:
    common = str(reduce(np.promote_types, dtypes, np.dtype(dtypes[0])))
    if keep == "float32" and common == "float64" and "float64" not in dtypes:
        return "float32"
    wide = ("float32", "float64")
    if keep == "float16" and common in wide and not any(name in wide for name in dtypes):
        return "float16"
    return common


_TO_FLOAT = {
    **dict.fromkeys(("bool", "int8", "int16", "uint8", "uint16"), "float32"),
    **dict.fromkeys(("int32", "int64", "uint32", "uint64"), "float64"),
}


def to_float(*dtypes: str) -> str:
    """Return the dtype of a function with real values, such as exp.

    Up to 16 bits, integers and bool give float32, longer ones float64, whatever `floatX` is; floats
    and complex stay. Several operands are converted one by one and then upcast.
    """
    return upcast(*(_TO_FLOAT.get(name, name) for name in dtypes))


def true_div(one: str, two: str) -> str:
    """Return the dtype of a true division: `floatX` for two discrete operands, else the upcast."""
    if one in _DISCRETE and two in _DISCRETE:
        return config.floatX
    return upcast(one, two)


def division(one: str, two: str) -> str:
    """Return which division Python 2 meant by `/`: "int" rounds down, "true" gives a float.

    Python 3's `/` is always the true division; `theano.tensor.basic.div_proxy` still asks.

    Raises
    ------
    IntegerDivisionError
        Both are discrete and ``config.int_division`` is "raise".
    """
    if one not in _DISCRETE or two not in _DISCRETE or config.int_division == "floatX":
        return "true"
    if config.int_division == "int":
        return "int"
    raise IntegerDivisionError(
        f"`/` with two integer operands ({one} and {two}) while config.int_division is 'raise'. "
        "Write x // y to round down, or cast one operand to a float: theano.tensor.cast(x, "
        "config.floatX) / y."
    )


def sum_dtype(dtype: str, asked: str | None = None) -> str:
    """Return the dtype of a sum or product: integers widen to 64 bits unless `asked` says."""
    if asked is not None:
        return asked
    if dtype in _UINT:
        return "uint64"
    return "int64" if dtype in _DISCRETE else dtype


_ACCUMULATOR = {"float16": "float32", "float32": "float64", "complex64": "complex128"}


def accumulator_dtype(dtype: str, asked: str | None = None) -> str:
    """Return the dtype in which a sum or product of `dtype` is carried.

    Parameters
    ----------
    dtype : str
        Item type of the operand.
    asked : str, optional
        The `acc_dtype` of the caller.

    Raises
    ------
    TypeError
        `asked` cannot hold what the operand holds.
    """
    if asked is None:
        return _ACCUMULATOR.get(dtype, sum_dtype(dtype))
    if (asked in _CONTINUOUS and dtype in _DISCRETE) or upcast(dtype, asked) == asked:
        return asked
    raise TypeError(
        f"Cannot carry a sum or product of {dtype} in acc_dtype {asked}: precision would be lost. "
        f"Leave acc_dtype out, use one at least as precise as {dtype}, or give `dtype`, which only "
        "converts the result."
    )


def mean_dtype(dtype: str, asked: str | None = None) -> str:
    """Return the dtype of a mean: float64 where the operand, or what is `asked`, is discrete."""
    chosen = asked or dtype
    return "float64" if chosen in _DISCRETE else chosen


# What Python floats may become under ``cast_policy="custom"``, in this order.
autocast_floats: tuple[str, ...] = ("float16", "float32", "float64")


def autocast(value: complex) -> str:
    """Return the dtype of a Python number that becomes a constant.

    Under ``cast_policy="custom"`` an int takes the first of int8, int16, int32, int64 (then uint64)
    that holds it, and bool counts as int8; a float takes `floatX` when that is not float64, else
    float32 if the value survives it exactly, else float64. The other policies take NumPy's dtype,
    with `floatX` for floats under "numpy+floatX". Complex numbers are complex128.

    Raises
    ------
    OverflowError
        An int beyond 64 bits.
    """
    policy, float_dtype = config.cast_policy, config.floatX
    if isinstance(value, bool):
        return "int8" if policy == "custom" else "bool"
    if isinstance(value, int):
        return _int_dtype(value, "int8" if policy == "custom" else "int64")
    if isinstance(value, float):
        return _float_dtype(value, policy, float_dtype, autocast_floats)
    if isinstance(value, complex):
        return "complex128"
    raise TypeError(f"{value!r} is not a Python number")


def _int_dtype(value: int, shortest: str) -> str:
    for name in int_dtypes[int_dtypes.index(shortest) :]:
        bits = 8 * _BYTES[name]
        if -(1 << (bits - 1)) <= value < 1 << (bits - 1):
            return name
    if 0 <= value < 1 << 64:
        return "uint64"
    raise OverflowError(f"Python int too large: {value} does not fit into 64 bits")


@lru_cache(1024)
def _float_dtype(value: float, policy: str, float_dtype: str, floats: tuple[str, ...]) -> str:
    if policy == "numpy2":
        return "float64"
    if float_dtype != "float64" or policy == "numpy+floatX":
        return float_dtype
    tried = [name for name in floats if name != "float16" or float_dtype == "float16"]
    with np.errstate(over="ignore", under="ignore"):
        # NaN differs from itself and so takes the last, float64, as it did in Theano.
        exact = (name for name in tried if float(np.dtype(name).type(value)) == value)
        return next(exact, floats[-1])


def weak_upcast(value: complex, *dtypes: str) -> str:
    """Return the common dtype of a Python number and typed operands.

    Only ``cast_policy="numpy2"`` makes a difference: the number then counts by its kind alone, as
    in NumPy 2, so that int8 with 1000.0 is float64, and float32 with 0.1 is float32. Under the
    other policies this is ``upcast(autocast(value), *dtypes)``.

    Raises
    ------
    OverflowError
        Under "numpy2" an int that the operands' integer dtype cannot hold.
    """
    if config.cast_policy != "numpy2" or not dtypes:
        return upcast(autocast(value), *dtypes)
    common = str(np.result_type(type(value)(0), *(np.dtype(name) for name in dtypes)))
    if isinstance(value, int) and common in _INTEGER:
        limits = np.iinfo(common)
        if not limits.min <= value <= limits.max:
            raise OverflowError(f"Python integer {value} out of bounds for {common}")
    return common
