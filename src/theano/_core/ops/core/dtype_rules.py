"""dtype rules of elementwise operations: input dtypes → (operand dtypes, output dtype)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from theano._core.base import dtypes
from theano._core.base.errors import ComplexError
from theano._core.base.settings import config

Casts = tuple[tuple[str, ...], str]


def _remembered(rule: Callable[..., Casts]) -> Callable[..., Casts]:
    """Remember the answers of a rule, apart for each state of the settings that it reads."""
    casts_of: dict[tuple[str, ...], Casts] = {}

    @wraps(rule)
    def remembering(*names: str) -> Casts:
        key = (config.floatX, config.cast_policy, *names)
        casts = casts_of.get(key)
        if casts is None:
            casts = casts_of[key] = rule(*names)
        return casts

    return remembering


@_remembered
def upcast(*names: str) -> Casts:
    """All operands and the output take the common dtype.

    Parameters
    ----------
    *names : str
        Dtypes of the operands.

    Returns
    -------
    tuple
        The dtypes that the operands are converted to, and that of the result.

    Examples
    --------
    >>> theano.extend.upcast("int8", "float32")
    (('float32', 'float32'), 'float32')
    """
    out = dtypes.upcast(*names)
    return (out,) * len(names), out


@_remembered
def upcast_real(*names: str) -> Casts:
    """As `upcast`; complex operands are refused.

    Parameters
    ----------
    *names : str
        Dtypes of the operands.

    Returns
    -------
    tuple
        The dtypes that the operands are converted to, and that of the result.

    Examples
    --------
    >>> theano.extend.upcast_real("int8", "int32")
    (('int32', 'int32'), 'int32')
    """
    if any(name.startswith("complex") for name in names):
        raise ComplexError(f"complex numbers have no floor division, remainder or order: {names}")
    return upcast(*names)


@_remembered
def upcast_number(*names: str) -> Casts:
    """As `upcast`; two booleans are refused, since NumPy has no such operation."""
    if all(name == "bool" for name in names):
        raise TypeError(
            "numpy boolean subtract and negative are not supported: use the bitwise_xor, the ^ "
            "operator, logical_not or the ~ operator instead."
        )
    return upcast(*names)


@_remembered
def upcast_min8(*names: str) -> Casts:
    """As `upcast`; booleans count as int8."""
    out = (
        dtypes.upcast("int8", *names) if all(n == "bool" for n in names) else dtypes.upcast(*names)
    )
    return (out,) * len(names), out


@_remembered
def to_float(*names: str) -> Casts:
    """Small integers give float32, large ones float64, each by itself; floats and complex stay.

    Parameters
    ----------
    *names : str
        Dtypes of the operands.

    Returns
    -------
    tuple
        The dtypes that the operands are converted to, and that of the result.

    Examples
    --------
    >>> theano.extend.to_float("int64")
    (('float64',), 'float64')
    """
    out = dtypes.to_float(*names)
    return (out,) * len(names), out


@_remembered
def to_real_float(*names: str) -> Casts:
    """As `to_float`; complex operands are refused.

    Parameters
    ----------
    *names : str
        Dtypes of the operands.

    Returns
    -------
    tuple
        The dtypes that the operands are converted to, and that of the result.

    Examples
    --------
    >>> theano.extend.to_real_float("int8")
    (('float32',), 'float32')
    """
    if any(name.startswith("complex") for name in names):
        raise TypeError(f"complex numbers are not supported here: {names}")
    return to_float(*names)


@_remembered
def compare(*names: str) -> Casts:
    """Operands take the common dtype; the result is bool.

    Parameters
    ----------
    *names : str
        Dtypes of the operands.

    Returns
    -------
    tuple
        The dtypes that the operands are converted to, and that of the result.

    Examples
    --------
    >>> theano.extend.compare("int8", "float32")
    (('float32', 'float32'), 'bool')
    """
    return (dtypes.upcast(*names),) * len(names), "bool"


@_remembered
def bitwise(*names: str) -> Casts:
    """Integers only, or booleans only."""
    masks = sum(name == "bool" for name in names)
    if masks not in (0, len(names)) or not dtypes.is_discrete(dtypes.upcast(*names)):
        raise TypeError(
            "input to a BitOp must have type (u)int8, (u)int16, (u)int32 or (u)int64 or be all "
            f"bools, not {', '.join(names)}. `&` and `|` bind more closely than comparisons: "
            "(x > 0) & (x < 1)"
        )
    return upcast(*names)


@_remembered
def select(condition: str, one: str, two: str) -> Casts:
    """A condition and two alternatives of a common dtype."""
    out = dtypes.upcast(one, two)
    return ("bool", out, out), out


@_remembered
def test(name: str) -> Casts:
    """One operand of any dtype, result bool."""
    return (name,), "bool"


@_remembered
def same(name: str) -> Casts:
    """One operand, result of the same dtype.

    Parameters
    ----------
    name : str
        Dtype of the operand.

    Returns
    -------
    tuple
        The dtype that the operand is converted to, and that of the result.

    Examples
    --------
    >>> theano.extend.same("int8")
    (('int8',), 'int8')
    """
    return (name,), name


@_remembered
def same_real(name: str) -> Casts:
    """One real number, result of the same dtype.

    Parameters
    ----------
    name : str
        Dtype of the operand.

    Returns
    -------
    tuple
        The dtype that the operand is converted to, and that of the result.

    Examples
    --------
    >>> theano.extend.same_real("int8")
    (('int8',), 'int8')
    """
    if dtypes.is_complex(name) or name == "bool":
        raise TypeError(f"{name} values have no sign")
    return (name,), name


@_remembered
def real_part(name: str) -> Casts:
    """Complex gives its real dtype; others stay."""
    return (name,), dtypes.real_of(name)


@_remembered
def rounding(name: str) -> Casts:
    """Floats stay; small integers give float32, large ones float64."""
    if dtypes.is_complex(name):
        raise TypeError(f"complex numbers cannot be rounded up or down, got {name}")
    return to_float(name)


@_remembered
def same_float(name: str) -> Casts:
    """One operand, a real float; result of the same dtype.

    Parameters
    ----------
    name : str
        Dtype of the operand.

    Returns
    -------
    tuple
        The dtype that the operand is converted to, and that of the result.

    Examples
    --------
    >>> theano.extend.same_float("float32")
    (('float32',), 'float32')
    """
    if not dtypes.is_float(name):
        raise TypeError(f"only float type are supported, got {name}")
    return (name,), name


@_remembered
def true_div(one: str, two: str) -> Casts:
    """Division of numbers; integers give a float."""
    out = dtypes.true_div(one, two)
    return (out, out), out


@_remembered
def make_complex(one: str, two: str) -> Casts:
    """Two real parts give a complex number."""
    out = dtypes.to_float(dtypes.upcast(one, two))
    if dtypes.is_complex(out):
        raise TypeError(f"the parts of a complex number are real, got {one} and {two}")
    if out == "float64":
        return ("float64",) * 2, "complex128"
    return ("float32",) * 2, "complex64"


@_remembered
def angle(name: str) -> Casts:
    """The angle of any number is float64."""
    return ("complex128" if dtypes.is_complex(name) else "float64",), "float64"
