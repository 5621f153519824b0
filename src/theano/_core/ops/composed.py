"""Functions of items that rewriting writes out as expressions of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.variable import Apply, Variable
from theano._core.ops import special as s
from theano._core.ops.core import dtype_rules
from theano._core.ops.core.naming import known_as
from theano._core.ops.core.python_call import Composed
from theano._core.ops.core.samples import reals
from theano._core.ops.elementwise.arithmetic import (
    abs_,
    add,
    complex_,
    ge,
    imag,
    lt,
    maximum,
    mul,
    neg,
    real,
    sqr,
    sub,
    switch,
    true_div,
)
from theano._core.ops.elementwise.elementwise import DEAR, Elementwise, cast, elementwise
from theano._core.ops.elementwise.transcendental import cos, sin


@known_as("Elemwise")
class ComposedElementwise(Elementwise, Composed):
    """An elementwise operation that is `form` of operands of the dtypes that it computes with."""

    jax = Composed.jax  # type: ignore[assignment]
    form: Callable[..., Any]

    def expression(self, node: Apply) -> list[Any]:
        wanted, out = self.dtype(*(v.type.dtype for v in node.inputs))
        operands = (cast(v, dtype) for v, dtype in zip(node.inputs, wanted, strict=True))
        return [cast(self.form(*operands), out)]


def _composed(name: str, form: Callable[..., Any], **fields: Any) -> Elementwise:
    op = elementwise(name, ComposedElementwise, cost=DEAR, **fields)
    op.form = form  # type: ignore[attr-defined]
    return op


def _of_gamma(part: Elementwise, which: str) -> Elementwise:
    def grad(g: Variable, k: Variable, x: Variable, y: Variable) -> list[Any]:
        in_k, in_x = part.derivatives(g * s.gamma(k), k, x, part(k, x))
        return [in_k + g * y * s.psi(k), in_x]

    def compute(xp: Any, k: np.ndarray, x: np.ndarray) -> Any:
        share: Any = part.function(xp, k, x)
        return share * s.gamma.function(xp, k)

    return _composed(
        f"gamma{which[0]}",
        lambda k, x: mul(part(k, x), s.gamma(k)),
        doc=f"{which.capitalize()} incomplete gamma function of order `k` at `x`: not divided by "
        "gamma(`k`).",
        compute=compute,
        dtype=dtype_rules.to_real_float,
        grad=grad,
        samples=(reals(0.3, 6), reals(0.2, 8)),
        ulp=8,
    )


gammau = _of_gamma(s.gammaincc, "upper")
gammal = _of_gamma(s.gammainc, "lower")


def _double(*names: str) -> dtype_rules.Casts:
    dtype_rules.to_real_float(*names)
    return ("float64",) * len(names), "float64"


def _not_negative(x: Any) -> Any:
    return maximum(x, np.asarray(0, "int8"))


def _grad_chi2sf(g: Variable, x: Variable, k: Variable, y: Variable) -> tuple[Any, Any]:
    in_k, in_x = s.chdtrc.derivatives(g, k, _not_negative(x), y)
    return switch(lt(x, 0), 0.0, in_x), switch(lt(x, 0), 0.0, in_k)


chi2sf = _composed(
    "chi2sf",
    lambda x, k: s.chdtrc(k, _not_negative(x)),
    doc="Probability that a chi-square number of `k` degrees of freedom is above `x`.",
    compute=lambda xp, x, k: s.chdtrc.function(xp, k, xp.maximum(x, 0)),
    dtype=_double,
    grad=_grad_chi2sf,
    samples=(reals(0.2, 9), reals(0.5, 7)),
    ulp=4,
)


def _polar_parts(r: str, theta: str) -> dtype_rules.Casts:
    part = dtypes.to_float(r, theta)
    return dtype_rules.make_complex(part, part)


def _from_polar(xp: Any, r: np.ndarray, theta: np.ndarray) -> Any:
    return complex_.function(xp, r * xp.cos(theta), r * xp.sin(theta))


def _grad_from_polar(g: Variable, r: Variable, theta: Variable, z: Variable) -> tuple[Any, Any]:
    along, across = real(g), imag(g)
    slope = across * real(z) - along * imag(z)
    return along * cos(theta) + across * sin(theta), slope


complex_from_polar = _composed(
    "complex_from_polar",
    lambda r, theta: complex_(mul(r, cos(theta)), mul(r, sin(theta))),
    doc="Complex number of modulus `r` and angle `theta`, in radians.",
    compute=_from_polar,
    dtype=_polar_parts,
    grad=_grad_from_polar,
    samples=(reals(-3, 3), reals(-3, 3)),
    ulp=4,
    holomorphic=False,
)


def _plus_one(size: Variable) -> Any:
    return add(np.asarray(1, "int8"), size)


softsign = _composed(
    "softsign",
    lambda x: true_div(x, _plus_one(abs_(x))),
    doc="``x / (1 + |x|)``.",
    compute=lambda xp, x: x / (1 + xp.absolute(x)),
    dtype=dtype_rules.to_float,
    grad=lambda g, x, y: (g / sqr(_plus_one(abs_(x))),),
    samples=(reals(-5, 5),),
    ulp=1,
    holomorphic=False,
)

# Half of the sigmoid's argument is bent by one of three pieces: a quotient up to the first of these
# bounds, a line with this slope through this point up to the second, and this number beyond.
_BOUNDS = (1.7, 3.0)
_SLOPE, _START, _END = 0.0458812946797165, 0.935409070603099, 0.99505475368673


def _as_float(value: float, x: Variable) -> Any:
    return np.asarray(value, x.type.dtype)


def _pieces(size: Variable, low: Any, middle: Any, high: Any) -> Any:
    first, second = (_as_float(bound, size) for bound in _BOUNDS)
    return switch(lt(size, first), low, switch(lt(size, second), middle, high))


def _fast_sigmoid(x: Variable) -> Any:
    def number(value: float) -> Any:
        return _as_float(value, x)

    half = mul(x, number(0.5))
    size = abs_(half)
    low = true_div(mul(number(1.5), size), _plus_one(size))
    middle = add(number(_START), mul(number(_SLOPE), sub(size, number(_BOUNDS[0]))))
    bent = _pieces(size, low, middle, number(_END))
    signed = switch(ge(half, number(0)), bent, neg(bent))
    return mul(number(0.5), _plus_one(signed))


def _grad_fast_sigmoid(g: Variable, x: Variable, y: Variable) -> tuple[Any]:
    size = mul(abs_(x), _as_float(0.5, x))
    steep = true_div(_as_float(1.5, x), sqr(_plus_one(size)))
    return (g * mul(_as_float(0.25, x), _pieces(size, steep, _as_float(_SLOPE, x), 0.0)),)


def _compute_fast_sigmoid(xp: Any, x: np.ndarray) -> Any:
    half = x * 0.5
    size = xp.absolute(half)
    line = _START + _SLOPE * (size - _BOUNDS[0])
    beyond = xp.where(size < _BOUNDS[1], line, _END)
    bent = xp.where(size < _BOUNDS[0], 1.5 * size / (1 + size), beyond)
    return 0.5 * (xp.where(half >= 0, bent, -bent) + 1)


ultra_fast_sigmoid = _composed(
    "ultra_fast_sigmoid",
    _fast_sigmoid,
    doc="Approximation of the sigmoid, off by up to 0.02, without an exponential.",
    compute=_compute_fast_sigmoid,
    dtype=dtype_rules.to_real_float,
    grad=_grad_fast_sigmoid,
    samples=(reals(-3, 3),),
    ulp=4,
)
