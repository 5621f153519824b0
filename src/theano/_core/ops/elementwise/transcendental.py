"""Elementwise exponentials, logarithms, powers, circular and hyperbolic functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from theano._core.base import dtypes
from theano._core.ir.variable import Variable
from theano._core.ops.core import dtype_rules
from theano._core.ops.core.fill import zeros_like_float
from theano._core.ops.core.samples import Range, anything, positive, reals, small_integers
from theano._core.ops.elementwise.arithmetic import complex_, imag, not_zero, real, sqr, switch
from theano._core.ops.elementwise.elementwise import (
    DEAR,
    Elementwise,
    as_number,
    elementwise,
)

if TYPE_CHECKING:
    import numpy as np

    from theano._core.ir.annotations import ArrayModule
    from theano._core.ir.tensor import TensorVariable


def _function(
    name: str,
    doc: str,
    grad: Callable[..., object],
    samples: Range,
    ulp: float = 2,
    cost: int = DEAR,
    numpy_name: str | None = None,
    compute: Callable[..., object] | None = None,
    rule: Callable[..., object] = dtype_rules.to_float,
) -> Elementwise:
    function = numpy_name or name
    return elementwise(
        name,
        doc=doc,
        compute=compute or (lambda xp, x: getattr(xp, function)(x)),
        dtype=rule,
        grad=grad,
        llvm=lambda b, x: getattr(b, name)(x),
        samples=(samples,),
        ulp=ulp,
        cost=cost,
    )


exp = _function("exp", "e to the power `x`.", lambda g, x, y: (g * y,), reals(-5, 3))
exp2 = _function(
    "exp2",
    "2 to the power `x`.",
    lambda g, x, y: (g * (y * as_number(math.log(2), y)),),
    reals(-5, 3),
)
expm1 = _function(
    "expm1", "exp(`x`) - 1, exact near 0.", lambda g, x, y: (g * exp(x),), reals(-5, 3)
)
log = _function("log", "Natural logarithm.", lambda g, x, y: (g / x,), positive)
log2 = _function(
    "log2",
    "Logarithm to base 2.",
    lambda g, x, y: (g / (x * as_number(math.log(2), x)),),
    positive,
)
log10 = _function(
    "log10",
    "Logarithm to base 10.",
    lambda g, x, y: (g / (x * as_number(math.log(10), x)),),
    positive,
)
log1p = _function(
    "log1p",
    "log(1 + `x`), exact near 0.",
    lambda g, x, y: (g / (x + 1),),
    reals(-0.9, 3),
)
sqrt = _function(
    "sqrt",
    "Square root, correctly rounded.",
    lambda g, x, y: (g * 0.5 / y,),
    positive,
    ulp=0.5,
    cost=1,
)

sin = _function("sin", "Sine of `x`, in radians.", lambda g, x, y: (g * cos(x),), reals(-9, 9))
cos = _function("cos", "Cosine of `x`, in radians.", lambda g, x, y: (-(g * sin(x)),), reals(-9, 9))
tan = _function(
    "tan",
    "Tangent of `x`, in radians.",
    lambda g, x, y: (g * (sqr(y) + 1),),
    reals(-1.4, 1.4),
)
arcsin = _function(
    "arcsin",
    "Angle whose sine is `x`, in radians.",
    lambda g, x, y: (g / sqrt(1 - sqr(x)),),
    reals(-0.95, 0.95),
    ulp=4,
)
arccos = _function(
    "arccos",
    "Angle whose cosine is `x`, in radians.",
    lambda g, x, y: (-(g / sqrt(1 - sqr(x))),),
    reals(-0.95, 0.95),
    ulp=4,
)
arctan = _function(
    "arctan",
    "Angle whose tangent is `x`, in radians.",
    lambda g, x, y: (g / (sqr(x) + 1),),
    anything,
    ulp=4,
)
sinh = _function("sinh", "Hyperbolic sine.", lambda g, x, y: (g * cosh(x),), reals(-4, 4))
cosh = _function("cosh", "Hyperbolic cosine.", lambda g, x, y: (g * sinh(x),), reals(-4, 4))
tanh = _function("tanh", "Hyperbolic tangent.", lambda g, x, y: (g * (1 - sqr(y)),), reals(-4, 4))
arcsinh = _function(
    "arcsinh",
    "Inverse hyperbolic sine.",
    lambda g, x, y: (g / sqrt(sqr(x) + 1),),
    reals(-4, 4),
    ulp=4,
)
arccosh = _function(
    "arccosh",
    "Inverse hyperbolic cosine.",
    lambda g, x, y: (g / sqrt(sqr(x) - 1),),
    reals(1.1, 6),
    ulp=4,
)
arctanh = _function(
    "arctanh",
    "Inverse hyperbolic tangent.",
    lambda g, x, y: (g / (1 - sqr(x)),),
    reals(-0.9, 0.9),
    ulp=4,
)
deg2rad = _function(
    "deg2rad",
    "Degrees to radians.",
    lambda g, x, y: (g * as_number(math.pi / 180, x),),
    reals(-360, 360),
    rule=dtype_rules.to_real_float,
    cost=1,
)
rad2deg = _function(
    "rad2deg",
    "Radians to degrees.",
    lambda g, x, y: (g * as_number(180 / math.pi, x),),
    reals(-7, 7),
    rule=dtype_rules.to_real_float,
    cost=1,
)

arctan2 = elementwise(
    "arctan2",
    doc="Angle of the point (`x`, `y`), in radians, between -pi and pi.",
    compute=lambda xp, y, x: xp.arctan2(y, x),
    dtype=dtype_rules.to_real_float,
    grad=lambda g, y, x, z: (
        g * (x / (sqr(x) + sqr(y))),
        -(g * (y / (sqr(x) + sqr(y)))),
    ),
    llvm=lambda b, y, x: b.arctan2(y, x),
    samples=(anything, positive),
    ulp=4,
    cost=DEAR,
)


def _grad_angle(g: Variable, z: Variable, y: Variable) -> tuple[Any]:
    if not dtypes.is_complex(z.type.dtype):
        return (zeros_like_float(z),)
    scale = g / sqr(abs(z))
    return (complex_(-(scale * imag(z)), scale * real(z)),)


angle = elementwise(
    "angle",
    doc="Angle of the complex number `z`, in radians.",
    compute=lambda xp, z: xp.angle(z),
    dtype=dtype_rules.angle,
    grad=_grad_angle,
    llvm=lambda b, z: b.angle(z),
    samples=(positive,),
    ulp=4,
    cost=DEAR,
    holomorphic=False,
)


def _sigmoid(xp: ArrayModule, x: np.ndarray) -> Any:
    small = xp.exp(-xp.absolute(x))
    return xp.where(x >= 0, 1, small) / (1 + small)


sigmoid = _function(
    "sigmoid",
    "Logistic function 1 / (1 + exp(-`x`)); never overflows.",
    lambda g, x, y: (g * (y * (1 - y)),),
    reals(-6, 6),
    compute=lambda xp, x: _sigmoid(xp, x).astype(x.dtype),
    rule=dtype_rules.to_real_float,
)
softplus = _function(
    "softplus",
    "log(1 + exp(`x`)); never overflows.",
    lambda g, x, y: (g * sigmoid(x),),
    reals(-6, 6),
    compute=lambda xp, x: xp.maximum(x, 0) + xp.log1p(xp.exp(-xp.absolute(x))),
    rule=dtype_rules.to_real_float,
)


def _power(xp: ArrayModule, x: np.ndarray, y: np.ndarray) -> Any:
    if x.dtype.kind in "iu":
        # A negative exponent of an integer gives 0, or ±1 for the bases ±1, as the C code did.
        negative = y < 0
        value = xp.power(x, xp.where(negative, 0, y).astype(y.dtype))
        odd = xp.where(y % 2 == 0, 1, x)
        inverse = xp.where(abs(x) == 1, odd, 0)
        return xp.where(negative, inverse, value).astype(x.dtype)
    return xp.power(x, y)


def _grad_pow(g: Variable, x: Variable, y: TensorVariable, z: Variable) -> tuple[Any, Any]:
    # Less by one or, where y is 0, not at all: there the derivative is 0, also at x = 0.
    with_y = g * y * x ** (y - not_zero(y))
    with_log = z * log(x)
    real = not dtypes.is_complex(x.type.dtype)
    return with_y, g * (switch(x, with_log, 0) if real else with_log)


pow = elementwise(
    "pow",
    doc="`x` to the power `y`.",
    compute=_power,
    dtype=dtype_rules.upcast_min8,
    grad=_grad_pow,
    llvm=lambda b, x, y: b.pow(x, y),
    samples=(positive, small_integers),
    ulp=4,
    cost=DEAR,
)
