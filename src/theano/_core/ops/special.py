"""Special functions: error, gamma and Bessel functions, and what is built of them.

Those without a native polynomial name a C function of `scipy.special.cython_special`, which native
code calls item by item in double precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.gradient import null_gradient
from theano._core.ops.core import dtype_rules
from theano._core.ops.core.fill import second
from theano._core.ops.core.naming import known_as
from theano._core.ops.core.op import shape_of, tensor_operand
from theano._core.ops.core.python_call import Called
from theano._core.ops.core.samples import Range, anything, positive, reals
from theano._core.ops.elementwise.arithmetic import eq, sqr, switch
from theano._core.ops.elementwise.elementwise import (
    DEAR,
    Elementwise,
    as_number,
    conjugate,
    elementwise,
)
from theano._core.ops.elementwise.normal_quantile import exp_of_minus_square
from theano._core.ops.elementwise.transcendental import exp, log
from theano._core.ops.random.gamma_derivative import log_gamma_derivative

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, TensorLike
    from theano._core.ops.core.protocols import Batching, Trace

_TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)
# log(gamma(2 + s)) / s in s on |s| <= 1/2, relative to it: 2**-61; ours, by interpolation.
LOG_GAMMA_FROM_TWO = (
    0.42278433509846713,
    0.3224670334241132,
    -0.06735230105319814,
    0.02058080842778457,
    -0.0073855510286681535,
    0.002890510330738737,
    -0.0011927539120010226,
    0.0005096695248853096,
    -0.00022315475074520367,
    9.945750909889392e-05,
    -4.4926351103833334e-05,
    2.050726741605779e-05,
    -9.438458716242811e-06,
    4.374374916915131e-06,
    -2.0449201467015115e-06,
    9.578663334114758e-07,
    -4.303558760359961e-07,
    2.0304806751615227e-07,
    -1.3412819758517287e-07,
    6.379047507619774e-08,
)


def _scipy(name: str) -> Any:
    """Return what computes a function of `scipy.special` in double precision."""

    def compute(*arrays: np.ndarray) -> Any:
        # `import theano` does not load SciPy.
        import scipy.special

        wide = [np.asarray(a, dtype="float64") for a in arrays]
        with np.errstate(all="ignore"):
            return np.asarray(getattr(scipy.special, name)(*wide)).astype(arrays[0].dtype)

    return compute


class OfComplex(Called):
    """A function of `scipy.special` of complex numbers, item by item."""

    __props__ = ("name",)
    shape = shape_of(0)

    def __init__(self, name: str) -> None:
        self.name = name

    def make_node(self, z: Variable) -> Apply:
        return self.one([z], z.type.dtype, z.type.broadcastable)

    def compute(self, xp: Any, node: Apply, z: np.ndarray) -> tuple[Any, ...]:
        import scipy.special

        with np.errstate(all="ignore"):
            value = getattr(scipy.special, self.name)(np.asarray(z, "complex128"))
        return (np.asarray(value).astype(z.dtype),)

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        return self.make_node(*values).outputs

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        if self.name == "psi":
            return [null_gradient("SciPy has no trigamma function of complex numbers")]
        op = {"erf": erf, "gamma": gamma}[self.name]
        values = node.inputs[0], node.outputs[0]
        return [conjugate(g) for g in op.derivatives(conjugate(cotangents[0]), *values)]


@known_as("Elemwise")
class _AlsoOfComplex(Elementwise):
    """One that SciPy has for complex numbers, too."""

    def make_node(self, *inputs: TensorLike) -> Apply:
        if len(inputs) == 1:
            z = tensor_operand(self.name, inputs[0])
            if dtypes.is_complex(z.type.dtype):
                return OfComplex(self.name).make_node(z)
        return super().make_node(*inputs)


def _traced(j: Trace, name: str, *arrays: np.ndarray) -> Any:
    """Return a function of `jax.scipy.special`, which has many of SciPy's."""
    wide = [a.astype("float64") for a in arrays]
    return getattr(j.special, {"psi": "digamma"}.get(name, name))(*wide).astype(arrays[0].dtype)


def _erfc(x: np.ndarray) -> Any:
    """Return erfc; SciPy's loses digits of large numbers, and its subnormal results are 0."""
    from scipy.special import erfc, erfcx

    wide = np.asarray(x, dtype="float64")
    far = np.clip(wide, 1, 28)
    tail = exp_of_minus_square(np, far, 1.0) * erfcx(far)
    value = np.where(wide > 28, 0, np.where(wide > 1, tail, erfc(np.minimum(wide, 1))))
    return value.astype(x.dtype)


def _erfcinv(x: np.ndarray) -> Any:
    """Return the inverse of erfc; SciPy's halves its argument, which is subnormal then."""
    from scipy.special import ndtri_exp

    wide = np.asarray(x, dtype="float64")
    tiny = (wide > 0) & (wide < 1e-300)
    of_tiny = -ndtri_exp(np.log(np.where(tiny, wide, 1)) - math.log(2)) * math.sqrt(0.5)
    value = _scipy("erfcinv")(np.where(tiny, 1, wide))
    return np.where(tiny, of_tiny, value).astype(x.dtype)


def _gammaln(x: np.ndarray) -> Any:
    """Return log |gamma|; SciPy's loses digits near 1 and 2, and all of subnormal numbers."""
    wide = np.asarray(x, dtype="float64")
    near = (wide > 0.5) & (wide < 2.5)
    inside = np.where(near, wide, 2)
    factor = np.where(inside < 1.5, inside, 1)
    s = inside - np.where(inside < 1.5, 1, 2)
    by_series = s * np.polynomial.Polynomial(LOG_GAMMA_FROM_TWO)(s) - np.log(factor)
    a = np.abs(wide)
    tiny = (a > 0) & (a < np.finfo("float64").tiny)
    value = _scipy("gammaln")(np.where(near | tiny, 2, wide))
    value = np.where(tiny, -np.log(np.where(tiny, a, 1)), value)
    return np.where(near, by_series, value).astype(x.dtype)


def _psi(x: np.ndarray) -> Any:
    """Return psi; SciPy's takes the tangent of a rounded multiple of pi below 0."""
    wide = np.asarray(x, dtype="float64")
    below = wide < 0
    value = _scipy("psi")(np.where(below, 1 - wide, wide))
    with np.errstate(all="ignore"):
        turn = np.where(below, wide - np.rint(wide), 0.5)
        turn = np.where(turn == 0, np.nan, turn)  # a pole
        value = np.where(below, value - math.pi / np.tan(math.pi * turn), value)
    return value.astype(x.dtype)


def _of_one(
    name: str,
    doc: str,
    function: str,
    grad: Callable[..., object],
    samples: Range,
    llvm: Callable[..., object] | None = None,
    ulp: float = 4,
    error: str = "",
) -> Elementwise:
    also = function in ("erf", "gamma", "psi")
    own = {"erfc": _erfc, "erfcinv": _erfcinv, "gammaln": _gammaln, "psi": _psi}
    call = own.get(function) or _scipy(function)
    return elementwise(
        name,
        _AlsoOfComplex if also else Elementwise,
        doc=f"{doc}\n\nComplex numbers are taken, too." if also else doc,
        compute=lambda xp, x: call(x),
        jax=lambda j, x: _traced(j, function, x),
        dtype=dtype_rules.to_real_float,
        grad=grad,
        llvm=llvm,
        library=None if llvm else function,
        samples=(samples,),
        ulp=ulp,
        cost=DEAR,
        error=error,
    )


def _of_two(
    name: str, doc: str, function: str, grad: Callable[..., object], samples: tuple[Range, Range]
) -> Elementwise:
    call = _scipy(function)
    return elementwise(
        name,
        doc=doc,
        compute=lambda xp, x, y: call(x, y),
        jax=lambda j, x, y: _traced(j, function, x, y),
        dtype=dtype_rules.to_real_float,
        grad=grad,
        library=function,
        samples=samples,
        ulp=4,
        cost=DEAR,
        error=(
            "Computed in double precision by SciPy: its error is at most 1 unit in the last place "
            "of a float32, and 4096 of a float64."
        ),
    )


erf = _of_one(
    "erf",
    "Error function: 2 / sqrt(pi) times the integral of exp(-t**2) from 0 to `x`.",
    "erf",
    lambda g, x, y: (g * (exp(-sqr(x)) * as_number(_TWO_OVER_ROOT_PI, x)),),
    anything,
    lambda b, x: b.erf(x),
)
erfc = _of_one(
    "erfc",
    "1 - erf(`x`), exact where it is small.",
    "erfc",
    lambda g, x, y: (-(g * (exp(-sqr(x)) * as_number(_TWO_OVER_ROOT_PI, x))),),
    anything,
    lambda b, x: b.erfc(x),
)
erfcx = _of_one(
    "erfcx",
    "exp(`x`**2) erfc(`x`).",
    "erfcx",
    lambda g, x, y: (g * (x * y * 2 - as_number(_TWO_OVER_ROOT_PI, x)),),
    reals(-2, 8),
    ulp=8,
    error=(
        "Its error is at most 8 units in the last place, and for `x` below -1 `x`**2 times that."
    ),
)
erfinv = _of_one(
    "erfinv",
    "Inverse of erf, on (-1, 1).",
    "erfinv",
    lambda g, x, y: (g * (exp(sqr(y)) * as_number(math.sqrt(math.pi) / 2, y)),),
    reals(-0.95, 0.95),
    lambda b, x: b.erfinv(x),
)
erfcinv = _of_one(
    "erfcinv",
    "Inverse of erfc, on (0, 2).",
    "erfcinv",
    lambda g, x, y: (-(g * (exp(sqr(y)) * as_number(math.sqrt(math.pi) / 2, y))),),
    reals(0.05, 1.95),
    lambda b, x: b.erfcinv(x),
)

gamma = _of_one(
    "gamma",
    "Gamma function: (`x` - 1)! for positive integers.",
    "gamma",
    lambda g, x, y: (g * (y * psi(x)),),
    positive,
    ulp=8,
)
gammaln = _of_one(
    "gammaln",
    "Logarithm of the absolute value of the gamma function.",
    "gammaln",
    lambda g, x, y: (g * psi(x),),
    positive,
    lambda b, x: b.gammaln(x),
    error="Its error is at most 4 units in the last place of the larger of it and 1.",
)
psi = _of_one(
    "psi",
    "Digamma function: the derivative of log(gamma(`x`)).",
    "psi",
    lambda g, x, y: (g * tri_gamma(x),),
    positive,
    lambda b, x: b.psi(x),
    error=(
        "Its error is at most 4 units in the last place of the larger of it and 1; below 0 `x` "
        "counts as if it were rounded."
    ),
)

# Bernoulli numbers B(2), B(4), ….
_BERNOULLI = (
    1 / 6,
    -1 / 30,
    1 / 42,
    -1 / 30,
    5 / 66,
    -691 / 2730,
    7 / 6,
    -3617 / 510,
    43867 / 798,
    -174611 / 330,
)
# The asymptotic series reach full precision from here on.
_FAR = 10


def _polygamma_native(b: Any, x: Any, order: int) -> Any:
    """Return the derivative of psi of `order` 1 or 2, by series, recurrence and reflection."""
    y = b.cast(x, "float64")
    low = b.lt(y, 0.5)
    y = b.select(low, b.sub(1.0, y), y)
    near = b.lt(y, float(_FAR))
    far = b.select(near, b.add(y, float(_FAR)), y)
    inverse = b.divide(1.0, far)
    square = b.mul(inverse, inverse)
    total = _tail(b, square, order)
    if order == 1:
        total = b.mul(inverse, b.add(b.add(1.0, b.mul(inverse, 0.5)), total))
    else:
        total = b.mul(b.neg(square), b.add(b.add(1.0, inverse), total))
    sum_ = b.const(0, "float64")
    for step in range(_FAR - 1, -1, -1):
        at = b.add(y, float(step))
        power = b.mul(at, at) if order == 1 else b.mul(at, b.mul(at, at))
        sum_ = b.add(sum_, b.divide(1.0 if order == 1 else -2.0, power))
    value = b.select(near, b.add(total, sum_), total)
    value = b.select(low, _reflected(b, b.cast(x, "float64"), value, order), value)
    return b.cast(value, x.dtype)


def _tail(b: Any, square: Any, order: int) -> Any:
    """Return the terms with Bernoulli numbers of the asymptotic series, times y or -y**2."""
    total = b.const(0, "float64")
    for k in range(len(_BERNOULLI), 0, -1):
        factor = 1 if order == 1 else 2 * k + 1
        total = b.mul(square, b.add(total, _BERNOULLI[k - 1] * factor))
    return total


def _reflected(b: Any, x: Any, value: Any, order: int) -> Any:
    """Return the polygamma function at `x` from its `value` at 1 - x."""
    turn = b.sub(x, b.round_half_even(x))
    sine = b.sin(b.mul(turn, math.pi))
    part = b.divide(math.pi**2, b.mul(sine, sine))
    if order == 1:
        return b.sub(part, value)
    # The cosine of an angle near 90 degrees is as exact as the angle: take the sine of the rest.
    cosine = b.sin(b.mul(b.sub(0.5, b.absolute(turn)), math.pi))
    return b.sub(value, b.mul(b.mul(part, 2 * math.pi), b.divide(cosine, sine)))


def _polygamma(name: str, doc: str, order: int, grad: Callable[..., object]) -> Elementwise:
    def compute(xp: ArrayModule, x: np.ndarray) -> Any:
        import scipy.special

        wide = np.asarray(x, dtype="float64")
        # Poles accumulate at -inf: there is no limit.
        wide = np.where(wide == -np.inf, np.nan, wide)
        return np.asarray(scipy.special.polygamma(order, wide)).astype(x.dtype)

    return elementwise(
        name,
        doc=doc,
        compute=compute,
        jax=lambda j, x: j.special.polygamma(order, x),
        dtype=dtype_rules.to_real_float,
        grad=grad,
        llvm=lambda b, x: _polygamma_native(b, x, order),
        samples=(positive,),
        ulp=8,
        cost=DEAR,
    )


tri_gamma = _polygamma(
    "tri_gamma",
    "Derivative of psi.",
    1,
    lambda g, x, y: (g * tetra_gamma(x),),
)
tetra_gamma = _polygamma(
    "tetra_gamma",
    "Second derivative of psi.",
    2,
    lambda g, x, y: (null_gradient("psi has two derivatives here, the third is not there"),),
)


def _gamma_density(k: Variable, x: Variable) -> Any:
    """Return the density of the gamma distribution of shape `k`."""
    return exp((k - 1) * log(x) - x - gammaln(k))


def _by_shape(k: Variable, x: Variable, out: Variable) -> Any:
    """Return the derivative of gammainc with respect to `k`."""
    log_x = second(out, log(x))
    slope = log_gamma_derivative(k, log_x)
    # At x = 0 the function is 0 for every k; the density and log x are infinite there.
    return switch(eq(x, 0), 0.0, -(_gamma_density(k, x) * x * slope))


def _grad_lower(g: Variable, k: Variable, x: Variable, y: Variable) -> tuple[Any, Any]:
    return g * _by_shape(k, x, y), g * _gamma_density(k, x)


def _grad_upper(g: Variable, k: Variable, x: Variable, y: Variable) -> tuple[Any, Any]:
    return -(g * _by_shape(k, x, y)), -(g * _gamma_density(k, x))


gammainc = _of_two(
    "gammainc",
    "Regularised lower incomplete gamma function of order `k` at `x`.",
    "gammainc",
    _grad_lower,
    (reals(0.3, 6), reals(0.2, 8)),
)
gammaincc = _of_two(
    "gammaincc",
    "Regularised upper incomplete gamma function of order `k` at `x`: 1 - gammainc.",
    "gammaincc",
    _grad_upper,
    (reals(0.3, 6), reals(0.2, 8)),
)


def _grad_chdtrc(g: Variable, k: Variable, x: Variable, y: Variable) -> tuple[Any, Any]:
    return _grad_upper(g * 0.5, k * 0.5, x * 0.5, y)


chdtrc = _of_two(
    "chdtrc",
    "Probability that a chi-square number of `k` degrees of freedom is above `x`.",
    "chdtrc",
    _grad_chdtrc,
    (reals(0.5, 7), reals(0.2, 9)),
)

for _op in (gammainc, gammaincc, chdtrc):
    _op.long_rule = True

_NO_ORDER = "the derivative of a Bessel function with respect to its order is not there"


def _grad_jv(g: Variable, v: Variable, x: Variable, y: Variable) -> tuple[Any, Any]:
    slope = (jv(v - 1, x) - jv(v + 1, x)) * 0.5
    return null_gradient(_NO_ORDER), g * slope


def _grad_iv(g: Variable, v: Variable, x: Variable, y: Variable) -> tuple[Any, Any]:
    slope = (iv(v - 1, x) + iv(v + 1, x)) * 0.5
    return null_gradient(_NO_ORDER), g * slope


jv = _of_two(
    "jv",
    "Bessel function of the first kind of order `v` at `x`.",
    "jv",
    _grad_jv,
    (reals(1, 4), reals(0.5, 9)),
)
iv = _of_two(
    "iv",
    "Modified Bessel function of the first kind of order `v` at `x`.",
    "iv",
    _grad_iv,
    (reals(1, 4), reals(0.5, 5)),
)
_PHASE = (
    "Its error is at most 8 units in the last place of the larger of it and sqrt(abs(`x`)) / 4 + "
    "0.1, which matters near its zeros."
)
j0 = _of_one(
    "j0",
    "Bessel function of the first kind of order 0.",
    "j0",
    lambda g, x, y: (-(g * j1(x)),),
    reals(-9, 9),
    ulp=8,
    error=_PHASE,
)
j1 = _of_one(
    "j1",
    "Bessel function of the first kind of order 1.",
    "j1",
    lambda g, x, y: (g * ((j0(x) - jv(2, x)) * 0.5),),
    reals(-9, 9),
    ulp=8,
    error=_PHASE,
)
i0 = _of_one(
    "i0",
    "Modified Bessel function of the first kind of order 0.",
    "i0",
    lambda g, x, y: (g * i1(x),),
    reals(-5, 5),
    ulp=8,
)
i1 = _of_one(
    "i1",
    "Modified Bessel function of the first kind of order 1.",
    "i1",
    lambda g, x, y: (g * ((i0(x) + iv(2, x)) * 0.5),),
    reals(-5, 5),
    ulp=16,
)

xlogx = elementwise(
    "xlogx",
    doc="`x` log(`x`), and 0 where `x` is 0.",
    compute=lambda xp, x: xp.where(x == 0, 0, x * xp.log(xp.where(x == 0, 1, x))).astype(x.dtype),
    dtype=dtype_rules.to_real_float,
    grad=lambda g, x, y: (g * (log(x) + 1),),
    llvm=lambda b, x: b.select(b.eq(x, 0), b.const(0, x.dtype), b.mul(x, b.log(x))),
    samples=(positive,),
    ulp=4,
    cost=DEAR,
)
xlogy0 = elementwise(
    "xlogy0",
    doc="`x` log(`y`), and 0 where `x` is 0.",
    compute=lambda xp, x, y: xp.where(x == 0, 0, x * xp.log(xp.where(x == 0, 1, y))).astype(
        x.dtype
    ),
    dtype=dtype_rules.to_real_float,
    grad=lambda g, x, y, z: (g * log(y), g * (x / y)),
    llvm=lambda b, x, y: b.select(b.eq(x, 0), b.const(0, x.dtype), b.mul(x, b.log(y))),
    samples=(positive, positive),
    ulp=4,
    cost=DEAR,
)
