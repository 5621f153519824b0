"""How a gamma number moves with the shape of its distribution, at a fixed probability.

If P(a, x) is the distribution function, x(a) with P(a, x(a)) fixed has the derivative
-(dP/da) / (dP/dx) (Figurnov, Mohamed & Mnih, Implicit reparameterization gradients, 2018). The
series of P, and the continued fraction of 1 - P, are differentiated term by term; in the quotient
what is common to them and to the density drops out. For a large `a`, the expansion of Cornish &
Fisher (1937) takes their place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from theano._core.ir.variable import Apply, Variable
from theano._core.ops.core.op import Structured, as_variable, shape_of
from theano._core.ops.elementwise.elementwise import cast
from theano._core.ops.random.array_math import ArrayMath

if TYPE_CHECKING:
    import numpy as np

    from theano._core.ir.annotations import ArrayModule
    from theano._core.ops.core.protocols import Builder, ProgramValue

# Above, series and fraction take many terms.
LARGE = 4096.0
_MOST_TERMS = 2000
# Terms of the fraction: full precision from one standard deviation above the mean on.
_FRACTION = 100
# -B(2k) / 2k, the coefficients of log y - 1/(2y) - psi(y) in 1/y**2.
_DIGAMMA = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)


def _digamma(m: Any, y: Any) -> Any:
    """Return the derivative of log(gamma(y)), y >= 1, within 1e-14."""
    low = y < 10.0
    shifted = m.where(low, y + 8.0, y)
    square = 1.0 / (shifted * shifted)
    total = square * 0.0
    for term in _DIGAMMA[::-1]:
        total = (total + term) * square
    result = m.log(shifted) - 0.5 / shifted - total
    steps = y * 0.0
    for index in range(8):
        steps = steps + 1.0 / (y + float(index))
    return m.where(low, result - steps, result)


def _by_series(m: Any, a: Any, log_x: Any) -> Any:
    """Return d(log x)/da for x up to a little above a."""
    x, gap = m.exp(log_x), _digamma(m, a + 1.0) - log_x
    size = m.absolute(gap)

    def step(_: object, n: Any, term: Any, slope: Any, total: Any) -> Any:
        n = n + 1.0
        term = term * x / (a + n)
        slope = slope + 1.0 / (a + n)
        total = total + term * (slope + gap)
        more = term * (slope + size) > m.absolute(total) * 1e-17
        return (n, term, slope, total), more

    first = 1.0 / a
    return m.repeat((a * 0.0, first, a * 0.0, gap * first), step, _MOST_TERMS)[3]


def _by_fraction(m: Any, a: Any, log_x: Any) -> Any:
    """Return d(log x)/da for x above a."""
    x = m.exp(log_x)
    start = x + (2.0 * _FRACTION + 1.0) - a

    def step(_: object, k: Any, value: object, slope: object) -> Any:
        quotient = k * (a - k) / value
        slope = (k - quotient * slope) / value - 1.0
        value = x + (k * 2.0 - 1.0) - a + quotient
        return (k - 1.0, value, slope), k > 1.0

    state = (a * 0.0 + float(_FRACTION), start, a * 0.0 - 1.0)
    _, value, slope = m.repeat(state, step, _FRACTION)
    psi = _digamma(m, a + 1.0) - 1.0 / a
    return (log_x - psi - slope / value) / value


def _by_expansion(m: Any, a: Any, log_x: Any) -> Any:
    """Return d(log x)/da for a large `a`; relative error below 1e-6 within 4 deviations."""
    x, root = m.exp(log_x), m.sqrt(a)
    w = (x - a) / root
    square = w * w
    cubic = w * (square * 4.0 - 7.0) * (1 / 9) - w * (square - 3.0) * 0.25
    z = w - (square - 1.0) / (root * 3.0) + cubic / a
    square = z * z
    rest = ((square * 3.0 + 7.0) * square - 16.0) / (a * a * 810.0)
    return (z / (root * 2.0) + 1.0 - z * (square - 7.0) / (a * root * 72.0) + rest) / x


def log_derivative(m: Any, a: Any, log_x: Any) -> Any:
    """Return d(log x)/da; `m` as in `array_math.py`."""
    edge = a + m.sqrt(a) + 1.0
    x = m.exp(log_x)
    few = a <= LARGE
    low, high = few & (x <= edge), few & (x > edge)
    unit = a * 0.0 + 1.0
    result = m.when(a > LARGE, lambda: _by_expansion(m, m.where(few, unit, a), log_x), unit * 0.0)
    result = m.when(
        high,
        lambda: _by_fraction(m, m.where(high, a, unit), m.where(high, log_x, unit)),
        result,
    )
    return m.when(
        low,
        lambda: _by_series(m, m.where(low, a, unit), m.where(low, log_x, unit * 0.0)),
        result,
    )


class LogGammaDerivative(Structured):
    """d(log x)/da of gamma numbers x of shape `a`, given `a` and log x; float64.

    The shape of the result is that of log x; broadcastable axes of `a` broadcast.
    """

    shape = shape_of(1)

    def make_node(self, a: Variable, log_x: Variable) -> Apply:
        a, log_x = (cast(as_variable(v), "float64") for v in (a, log_x))
        if a.type.ndim != log_x.type.ndim:
            raise TypeError(f"a and log_x must have one rank, got {a.type} and {log_x.type}")
        return self.one([a, log_x], "float64", log_x.type.broadcastable)

    def compute(
        self, xp: ArrayModule, node: Apply, a: np.ndarray, log_x: np.ndarray
    ) -> tuple[Any, ...]:
        return (log_derivative(ArrayMath(xp), xp.broadcast_to(a, log_x.shape), log_x),)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        raise NotImplementedError(
            "gamma numbers have a first derivative with respect to the shape of their distribution "
            "only: the second one is not there"
        )

    def emit(self, p: Builder, node: Apply, a: ProgramValue, log_x: ProgramValue) -> Any:
        return p.map_lanes(node, (a, log_x), log_derivative)


log_gamma_derivative = LogGammaDerivative()
