"""Elementwise arithmetic, comparison, selection and logic."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base import dtypes
from theano._core.base.errors import NotScalarConstantError
from theano._core.ir.variable import Variable
from theano._core.ops.core import dtype_rules
from theano._core.ops.core.fill import zeros_like_float
from theano._core.ops.core.samples import anything, booleans, nonzero, reals, small_integers
from theano._core.ops.elementwise.elementwise import Elementwise, cast, elementwise

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule
    from theano._core.ir.tensor import TensorVariable

add = elementwise(
    "add",
    doc="Sum of `x` and `y`.",
    compute=lambda xp, x, y: xp.add(x, y),
    dtype=dtype_rules.upcast,
    grad=lambda g, x, y, z: (g, g),
    llvm=lambda b, x, y: b.add(x, y),
    samples=(anything, anything),
    commutative=True,
    associative=True,
)

sub = elementwise(
    "sub",
    doc="Difference of `x` and `y`.",
    compute=lambda xp, x, y: xp.subtract(x, y),
    dtype=dtype_rules.upcast_number,
    grad=lambda g, x, y, z: (g, -g),
    llvm=lambda b, x, y: b.sub(x, y),
    samples=(anything, anything),
)

mul = elementwise(
    "mul",
    doc="Product of `x` and `y`.",
    compute=lambda xp, x, y: xp.multiply(x, y),
    dtype=dtype_rules.upcast,
    grad=lambda g, x, y, z: (g * y, g * x),
    llvm=lambda b, x, y: b.mul(x, y),
    samples=(anything, anything),
    commutative=True,
    associative=True,
)

true_div = elementwise(
    "true_div",
    doc="Quotient of `x` and `y`; integers give a float.",
    compute=lambda xp, x, y: xp.true_divide(x, y),
    dtype=dtype_rules.true_div,
    grad=lambda g, x, y, z: (g / y, -(g * z / y)),
    llvm=lambda b, x, y: b.true_div(x, y),
    samples=(anything, nonzero),
)


def _traced_division(j: Any, function: Any, x: np.ndarray, y: np.ndarray) -> Any:
    """Return a quotient or remainder, which for integers and 0 is 0 as in NumPy."""
    if dtypes.is_float(str(y.dtype)):
        return function(x, y)
    zero = y == 0
    return j.numpy.where(zero, 0, function(x, j.numpy.where(zero, 1, y)))


int_div = elementwise(
    "int_div",
    doc="Floor of the quotient of `x` and `y`; an integer divided by zero gives zero.",
    compute=lambda xp, x, y: xp.floor_divide(x, y),
    jax=lambda j, x, y: _traced_division(j, j.numpy.floor_divide, x, y),
    dtype=dtype_rules.upcast_real,
    llvm=lambda b, x, y: b.int_div(x, y),
    samples=(anything, nonzero),
)

mod = elementwise(
    "mod",
    doc="Remainder of `x` divided by `y`, with the sign of `y`.",
    compute=lambda xp, x, y: xp.remainder(x, y),
    jax=lambda j, x, y: _traced_division(j, j.numpy.remainder, x, y),
    dtype=dtype_rules.upcast_real,
    grad=lambda g, x, y, z: (g, -(g * (x // y))),
    llvm=lambda b, x, y: b.mod(x, y),
    samples=(anything, nonzero),
)


neg = elementwise(
    "neg",
    doc="Negative of `x`; unsigned integers wrap.",
    compute=lambda xp, x: xp.negative(x),
    dtype=dtype_rules.upcast_number,
    grad=lambda g, x, y: (-g,),
    llvm=lambda b, x: b.neg(x),
    samples=(anything,),
)

reciprocal = elementwise(
    "inv",
    doc="1 / `x`.",
    compute=lambda xp, x: xp.true_divide(xp.ones((), x.dtype), x),
    dtype=dtype_rules.to_float,
    grad=lambda g, x, y: (-(g * sqr(y)),),
    llvm=lambda b, x: b.reciprocal(x),
    samples=(nonzero,),
)

sqr = elementwise(
    "sqr",
    doc="Square of `x`.",
    compute=lambda xp, x: xp.multiply(x, x),
    dtype=dtype_rules.same,
    grad=lambda g, x, y: (g * (x * 2),),
    llvm=lambda b, x: b.sqr(x),
    samples=(anything,),
)

abs_ = elementwise(
    "abs_",
    doc="Absolute value of `x`; real for complex numbers. Its derivative at 0 is 0.",
    compute=lambda xp, x: xp.absolute(x),
    dtype=dtype_rules.real_part,
    grad=lambda g, x, y: (
        g * sgn(x) if not dtypes.is_complex(x.type.dtype) else g * switch(eq(y, 0), 0, x / y),
    ),
    llvm=lambda b, x: b.abs(x),
    samples=(nonzero,),
    # Of complex numbers; that of real ones is exact.
    ulp=1,
    holomorphic=False,
)


def _sign(xp: ArrayModule, x: Any) -> Any:
    """Return the sign of real numbers, and `x / |x|` of complex ones."""
    if xp is not np or x.dtype.kind != "c" or np.lib.NumpyVersion(np.__version__) >= "2.0.0":
        return xp.sign(x)
    # NumPy 1 gives the sign of the real part.
    with np.errstate(invalid="ignore"):
        # Of an infinite number, only its infinite part counts; of two, nothing is known.
        unit = [np.where(np.isinf(p), np.sign(p), 0) for p in (x.real, x.imag)]
        parts = [np.where(np.isinf(x), u, p) for u, p in zip(unit, (x.real, x.imag), strict=True)]
        size = np.hypot(*parts)
        size = np.where(np.isinf(x.real) & np.isinf(x.imag), np.nan, np.where(size == 0, 1, size))
        return np.where(x == 0, 0, parts[0] / size + 1j * (parts[1] / size)).astype(x.dtype)


sgn = elementwise(
    "sgn",
    doc="Sign of `x`: -1, 0 or 1; of a complex number `x / |x|`.",
    compute=lambda xp, x: _sign(xp, x),
    dtype=dtype_rules.same_real,
    llvm=lambda b, x: b.sign(x),
    samples=(nonzero,),
    holomorphic=False,
)

maximum = elementwise(
    "maximum",
    doc="Larger of `x` and `y`; NaN if either is. At a tie the derivative goes to `x`.\n\n"
    "Complex numbers are in the order of their real parts, then of their imaginary parts.",
    compute=lambda xp, x, y: xp.maximum(x, y),
    dtype=dtype_rules.upcast,
    grad=lambda g, x, y, z: (eq(z, x) * g, neq(z, x) * g),
    llvm=lambda b, x, y: b.maximum(x, y),
    samples=(anything, anything),
    commutative=True,
)

minimum = elementwise(
    "minimum",
    doc="Smaller of `x` and `y`; NaN if either is. At a tie the derivative goes to `x`.\n\n"
    "Complex numbers are in the order of their real parts, then of their imaginary parts.",
    compute=lambda xp, x, y: xp.minimum(x, y),
    dtype=dtype_rules.upcast,
    grad=lambda g, x, y, z: (eq(z, x) * g, neq(z, x) * g),
    llvm=lambda b, x, y: b.minimum(x, y),
    samples=(anything, anything),
    commutative=True,
)


def _grad_clip(
    g: Variable, x: Variable, low: Variable, high: Variable, y: Variable
) -> tuple[Any, Any, Any]:
    # NaN is neither on one side nor on the other.
    below, above = x < low, x > high
    rest = switch(below, 0, g)
    return switch(x <= high, rest, 0), switch(below, g, 0), switch(above, rest, 0)


def _clip_native(b: Any, x: Any, low: Any, high: Any) -> Any:
    return b.select(b.lt(x, low), low, b.select(b.gt(x, high), high, x))


clip = elementwise(
    "clip",
    doc="`x` held between `low` and `high`. The derivative is 1 on both edges.",
    compute=lambda xp, x, low, high: xp.where(x < low, low, xp.where(x > high, high, x)),
    dtype=dtype_rules.upcast_real,
    grad=_grad_clip,
    llvm=_clip_native,
    samples=(anything, reals(-2, -1), reals(1, 2)),
)

switch = elementwise(
    "switch",
    doc="`x` where `condition` holds, else `y`. Both are computed.",
    compute=lambda xp, condition, x, y: xp.where(condition, x, y),
    dtype=dtype_rules.select,
    grad=lambda g, c, x, y, z: (zeros_like_float(c), switch(c, g, 0), switch(c, 0, g)),
    llvm=lambda b, condition, x, y: b.select(condition, x, y),
    samples=(booleans, anything, anything),
)


def _compare(name: str, doc: str, function: str, commutative: bool = False) -> Elementwise:
    return elementwise(
        name,
        doc=doc,
        compute=lambda xp, x, y: getattr(xp, function)(x, y),
        dtype=dtype_rules.compare,
        llvm=lambda b, x, y: getattr(b, name)(x, y),
        samples=(small_integers, small_integers),
        commutative=commutative,
    )


eq = _compare("eq", "Whether `x` equals `y`.", "equal", commutative=True)
neq = _compare("neq", "Whether `x` differs from `y`.", "not_equal", commutative=True)


def not_zero(x: TensorVariable) -> Any:
    """Return where `x` is not 0; just 1 if that is certain, which reads better in a graph."""
    with suppress(NotScalarConstantError):
        if x.get_scalar_constant_value():
            return 1
    return neq(x, 0) if dtypes.is_complex(x.type.dtype) else cast(x, "bool")


lt = _compare("lt", "Whether `x` < `y`.", "less")
le = _compare("le", "Whether `x` <= `y`.", "less_equal")
gt = _compare("gt", "Whether `x` > `y`.", "greater")
ge = _compare("ge", "Whether `x` >= `y`.", "greater_equal")


def _bitwise(name: str, doc: str, function: str) -> Elementwise:
    return elementwise(
        name,
        doc=doc,
        compute=lambda xp, x, y: getattr(xp, function)(x, y),
        dtype=dtype_rules.bitwise,
        llvm=lambda b, x, y: getattr(b, name)(x, y),
        samples=(small_integers, small_integers),
        commutative=True,
        associative=True,
    )


and_ = _bitwise("and_", "Bitwise and; logical for booleans.", "bitwise_and")
or_ = _bitwise("or_", "Bitwise or; logical for booleans.", "bitwise_or")
xor = _bitwise("xor", "Bitwise exclusive or; logical for booleans.", "bitwise_xor")

invert = elementwise(
    "invert",
    doc="Bitwise complement; logical not for booleans.",
    compute=lambda xp, x: xp.invert(x),
    dtype=dtype_rules.bitwise,
    llvm=lambda b, x: b.invert(x),
    samples=(small_integers,),
)

isnan = elementwise(
    "isnan",
    doc="Whether `x` is not a number.",
    compute=lambda xp, x: xp.isnan(x),
    dtype=dtype_rules.test,
    llvm=lambda b, x: b.isnan(x),
    samples=(anything,),
)

isinf = elementwise(
    "isinf",
    doc="Whether `x` is infinite.",
    compute=lambda xp, x: xp.isinf(x),
    dtype=dtype_rules.test,
    llvm=lambda b, x: b.isinf(x),
    samples=(anything,),
)


def _round(
    name: str,
    doc: str,
    compute: Callable[..., object],
    method: str,
    rule: Callable[..., object] = dtype_rules.rounding,
) -> Elementwise:
    return elementwise(
        name,
        doc=doc,
        compute=compute,
        dtype=rule,
        llvm=lambda b, x: getattr(b, method)(x),
        samples=(reals(-9.7, 9.7),),
    )


floor = _round("floor", "Largest integer not above `x`.", lambda xp, x: xp.floor(x), "floor")
ceil = _round("ceil", "Smallest integer not below `x`.", lambda xp, x: xp.ceil(x), "ceil")
trunc = _round("trunc", "`x` without its fraction.", lambda xp, x: xp.trunc(x), "trunc")
round_half_to_even = _round(
    "round_half_to_even",
    "Nearest integer, ties to even.",
    lambda xp, x: xp.rint(x),
    "round_half_even",
    dtype_rules.same_float,
)
round_half_away_from_zero = _round(
    "round_half_away_from_zero",
    "Nearest integer, ties away from zero.",
    lambda xp, x: xp.copysign(xp.floor(abs(x)) + (abs(x) - xp.floor(abs(x)) >= 0.5), x),
    "round_half_away",
    dtype_rules.same_float,
)

copy = elementwise(
    "identity",
    doc="`x` itself, as a variable of its own.",
    compute=lambda xp, x: xp.asarray(x),
    dtype=dtype_rules.same,
    grad=lambda g, x, y: (g,),
    llvm=lambda b, x: x,
    samples=(anything,),
)

real = elementwise(
    "real",
    doc="Real part of `z`.",
    compute=lambda xp, z: xp.real(z),
    dtype=dtype_rules.real_part,
    grad=lambda g, z, y: (g,),
    llvm=lambda b, z: b.real(z),
    samples=(anything,),
    holomorphic=False,
)

imag = elementwise(
    "imag",
    doc="Imaginary part of `z`.",
    compute=lambda xp, z: xp.imag(z),
    dtype=dtype_rules.real_part,
    grad=lambda g, z, y: (complex_(zeros_like_float(g), g),),
    llvm=lambda b, z: b.imag(z),
    samples=(anything,),
    holomorphic=False,
)


def _complex(xp: ArrayModule, x: np.ndarray, y: np.ndarray) -> Any:
    # A sum with 1j * y would lose signs of zeros and spread NaN.
    parts = xp.stack(xp.broadcast_arrays(x, y), axis=-1)
    return parts.view(f"c{2 * x.dtype.itemsize}")[..., 0]


complex_ = elementwise(
    "complex",
    doc="Complex number of real part `x` and imaginary part `y`.",
    compute=_complex,
    dtype=dtype_rules.make_complex,
    grad=lambda g, x, y, z: (real(g), imag(g)),
    llvm=lambda b, x, y: b.complex(x, y),
    samples=(reals(-3, 3), reals(-3, 3)),
    holomorphic=False,
)
