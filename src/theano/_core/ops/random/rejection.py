"""Random numbers by rejection, each position with attempts of its own.

A sampler is written once, over a namespace `m` that computes with NumPy's arrays or writes native
code (`lower/llvm/kernels/lane_math.py`). Its first argument after `m` is `words`: `words(number)`
gives the four words of an attempt at each position. All computes in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base.records import Record
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.dims import as_length
from theano._core.ops.array.indexing import sum_to
from theano._core.ops.core.op import as_variable, python_int
from theano._core.ops.elementwise.arithmetic import eq, switch
from theano._core.ops.elementwise.elementwise import cast
from theano._core.ops.elementwise.transcendental import log
from theano._core.ops.random.array_math import ArrayMath
from theano._core.ops.random.gamma_derivative import log_gamma_derivative
from theano._core.ops.random.philox import KeyedOp, attempt_words, checked_key, random_key

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ops.core.protocols import Builder, ProgramValue

# Attempts after which the last one is taken: all samplers accept one in two or more.
MOST_ATTEMPTS = 1000


def _accepted(
    m: Any, attempt: Callable[[Variable], tuple[tuple[Variable, ...], Variable]], like: Any
) -> Any:
    """Return what the first attempt that is not refused gives, at each position."""

    def step(number: Any, *last: object) -> tuple[tuple[Any, ...], Any]:
        return attempt(number)

    return m.repeat((like, like), step, MOST_ATTEMPTS)


# -- gamma ----------------------------------------------------------------------------------------


def _gamma(m: Any, words: Any, a: Any) -> tuple[Any, Any]:
    """Return two numbers g and s for which g exp(s) has the gamma distribution of shape `a`.

    Marsaglia & Tsang, A simple method for generating gamma variables, ACM TOMS 26 (2000); s is 0
    unless a < 1.
    """
    low = a < 1.0
    d = m.where(low, a + 1.0, a) - 1 / 3
    c = 1.0 / m.sqrt(d * 9.0)

    def attempt(number: Any) -> tuple[tuple[Any, ...], Any]:
        first, second, third, _ = words(number)
        z = m.normal(first)
        root = c * z + 1.0
        v = root * root * root
        bound = z * z * 0.5 + d - d * v + d * m.log(v)
        refused = (m.log(m.open_interval(second)) >= bound) | (root <= 0.0)
        return (d * v, m.open_interval(third)), refused

    value, u = _accepted(m, attempt, a)
    return value, m.when(low, lambda: m.log(u) / m.where(low, a, 1.0), a * 0.0)


def gamma(m: Any, words: Callable[..., object], a: Any) -> Any:
    """Return gamma numbers of shape `a` and scale 1."""
    value, power = _gamma(m, words, a)
    return m.when(a < 1.0, lambda: value * m.exp(power), value)


def log_gamma(m: Any, words: object, a: Variable) -> Any:
    """Return the logarithms of gamma numbers, which a small `a` does not round to 0."""
    value, power = _gamma(m, words, a)
    return m.log(value) + power


# -- counts ---------------------------------------------------------------------------------------

# log(k!) - (k log k - k) for the first k, where the series below is not exact.
_FIRST = tuple(math.lgamma(k + 1) - (k * math.log(k) - k if k else 0.0) for k in range(10))
_SERIES = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)


def _factorial_rest(m: Any, k: Any) -> Any:
    """Return log(k!) - (k log k - k), within 1e-14."""
    large = m.where(k < 10.0, 10.0, k)
    inverse = 1.0 / large
    square = inverse * inverse
    total = square * 0.0 + _SERIES[-1]
    for term in _SERIES[-2::-1]:
        total = total * square + term
    result = total * inverse + m.log(large * (2 * math.pi)) * 0.5
    for index, value in enumerate(_FIRST):
        result = m.where(k == float(index), value, result)
    return result


def _deviance(m: Any, k: Any, mean: Any) -> Any:
    """Return k log(k/mean) + mean - k, exact where the two are close (Loader, 2000)."""
    none = k <= 0.0
    safe = m.where(none, 1.0, k)
    change = (mean - safe) / safe
    return m.where(none, mean, safe * (change - m.log1p(change)))


def _poisson_by_sum(m: Any, u: Any, mean: Any) -> Any:
    """Return the count below which the probabilities add up to `u`; for a small mean."""

    def step(number: object, k: Any, p: Any, total: Any) -> tuple[tuple[Any, ...], Any]:
        beyond = u > total
        k = m.where(beyond, k + 1.0, k)
        p = m.where(beyond, p * mean / m.where(beyond, k, 1.0), p)
        return (k, p, m.where(beyond, total + p, total)), beyond & (p > 1e-17)

    start = m.exp(-mean)
    return m.repeat((mean * 0.0, start, start), step, MOST_ATTEMPTS)[0]


def _poisson_by_rejection(m: Any, words: Any, mean: Any) -> Any:
    """Hörmann, The transformed rejection method for generating Poisson variables (1993), PTRS."""
    b = m.sqrt(mean) * 2.53 + 0.931
    a = b * 0.02483 - 0.059
    inverse_alpha = 1.1328 / (b - 3.4) + 1.1239
    quick = 0.9277 - 3.6224 / (b - 2.0)

    def attempt(number: Any) -> tuple[tuple[Any, ...], Any]:
        first, second, _, _ = words(number)
        u, v = m.open_interval(first) - 0.5, m.open_interval(second)
        edge = 0.5 - m.absolute(u)
        k = m.floor((a * 2.0 / edge + b) * u + mean + 0.43)
        safe = m.where(k < 0.0, 0.0, k)
        bound = -_factorial_rest(m, safe) - _deviance(m, safe, mean)
        refused = m.log(v * inverse_alpha / (a / (edge * edge) + b)) > bound
        refused = refused | (k < 0.0) | ((edge < 0.013) & (v > edge))
        return (k, k), refused & ((edge < 0.07) | (v > quick))

    return _accepted(m, attempt, mean)[0]


def poisson(m: Any, words: Any, mean: Any) -> Any:
    """Return counts of a Poisson distribution."""
    few = mean < 10.0
    small, large = m.where(few, mean, 1.0), m.where(few, 10.0, mean)
    u = m.open_interval(words(0)[0])
    counts = m.when(few, lambda: _poisson_by_sum(m, u, small), mean)
    return m.when(mean >= 10.0, lambda: _poisson_by_rejection(m, words, large), counts)


def _binomial_by_sum(m: Any, u: Any, n: Any, p: Any) -> Any:
    """Return the count below which the probabilities add up to `u`; for a small mean."""
    odds = p / (1.0 - p)

    def step(number: object, k: Any, q: Any, total: Any) -> tuple[tuple[Any, ...], Any]:
        beyond = (u > total) & (k < n)
        k = m.where(beyond, k + 1.0, k)
        q = m.where(beyond, q * odds * (n - k + 1.0) / m.where(beyond, k, 1.0), q)
        return (k, q, m.where(beyond, total + q, total)), beyond & (q > 1e-17)

    start = m.exp(n * m.log1p(-p))
    return m.repeat((n * 0.0, start, start), step, MOST_ATTEMPTS)[0]


def _binomial_by_rejection(m: Any, words: Any, n: Any, p: Any) -> Any:
    """Hörmann, The generation of binomial random variates (1993), BTRS; p <= 1/2."""
    mean, rest = n * p, n * (1.0 - p)
    spread = m.sqrt(rest * p)
    b = spread * 2.53 + 1.15
    a = b * 0.0248 - 0.0873 + p * 0.01
    center = mean + 0.5
    quick = 0.92 - 4.2 / b
    alpha = (5.1 / b + 2.83) * spread

    def log_weight(k: Any) -> Any:
        other = n - k
        exact = _factorial_rest(m, k) + _factorial_rest(m, other)
        return -exact - _deviance(m, k, mean) - _deviance(m, other, rest)

    highest = log_weight(m.floor((n + 1.0) * p))

    def attempt(number: Any) -> tuple[tuple[Any, ...], Any]:
        first, second, _, _ = words(number)
        u, v = m.open_interval(first) - 0.5, m.open_interval(second)
        edge = 0.5 - m.absolute(u)
        k = m.floor((a * 2.0 / edge + b) * u + center)
        outside = (k < 0.0) | (k > n)
        safe = m.where(outside, 0.0, k)
        refused = m.log(v * alpha / (a / (edge * edge) + b)) > log_weight(safe) - highest
        return (k, k), (refused | outside) & ((edge < 0.07) | (v > quick))

    return _accepted(m, attempt, mean)[0]


def binomial(m: Any, words: Any, n: Any, p: Any) -> Any:
    """Return how many of `n` trials succeed, each with probability `p`."""
    flipped = p > 0.5
    p = m.where(flipped, 1.0 - p, p)
    few = n * p < 10.0
    u = m.open_interval(words(0)[0])
    small, large = m.where(few, n, 1.0), m.where(few, 40.0, n)
    counts = m.when(few, lambda: _binomial_by_sum(m, u, small, p), n)
    many = n * p >= 10.0
    p_large = m.where(few, 0.5, p)
    counts = m.when(many, lambda: _binomial_by_rejection(m, words, large, p_large), counts)
    return m.where(flipped, n - counts, counts)


class Sampler(Record):
    """A way to draw.

    Attributes
    ----------
    draw : callable
        `draw(m, words, *parameters)`.
    gradient : callable or None
        `gradient(g, *parameters, output)` → cotangent of each parameter; None: the result does not
        move continuously with them.
    """

    draw: Callable[..., Any]
    gradient: Callable[..., Any] | None = None


def _gamma_gradient(g: Variable, a: Variable, x: TensorLike) -> list[Any]:
    # Numbers too small for a float are 0, and do not move.
    none = eq(x, 0)
    safe = switch(none, 1, cast(x, "float64"))
    moved = safe * log_gamma_derivative(a, log(safe))
    return [sum_to(g * switch(none, 0, moved), a)]


def _log_gamma_gradient(g: Variable, a: Variable, log_x: Variable) -> list[Any]:
    return [sum_to(g * log_gamma_derivative(a, log_x), a)]


SAMPLERS: dict[str, Sampler] = {
    "gamma": Sampler(gamma, _gamma_gradient),
    "log_gamma": Sampler(log_gamma, _log_gamma_gradient),
    "poisson": Sampler(poisson),
    "binomial": Sampler(binomial),
}


class RejectionDraw(KeyedOp):
    """An array of numbers drawn by rejection.

    Inputs: the key, the lengths of the result, and the parameters (float64, of the rank of the
    result; their broadcastable axes broadcast).

    Parameters
    ----------
    sampler : str
        Key of `SAMPLERS`.
    dtype : str
    ndim : int
    """

    __props__ = ("sampler", "dtype", "ndim")
    # Folded, a draw could differ from one that runs where an attempt is barely refused.
    pure = False

    def __init__(self, sampler: str, dtype: str, ndim: int) -> None:
        self.sampler = sampler
        self.dtype = dtype
        self.ndim = ndim

    def make_node(self, key: TensorLike, *inputs: TensorLike) -> Apply:
        sizes = [cast(as_variable(n), "int64") for n in inputs[: self.ndim]]
        parameters = [cast(as_variable(v), "float64") for v in inputs[self.ndim :]]
        if any(v.type.ndim != self.ndim for v in parameters):
            raise TypeError(f"{self.sampler}: parameters must have {self.ndim} dimensions")
        pattern = [python_int(n) == 1 for n in sizes]
        return self.one([random_key(key), *sizes, *parameters], self.dtype, pattern)

    def compute(
        self, xp: ArrayModule, node: Apply, key: np.ndarray, *inputs: np.ndarray
    ) -> tuple[Any, ...]:
        shape = tuple(int(n) for n in inputs[: self.ndim])
        parameters = [xp.broadcast_to(v, shape).astype("float64") for v in inputs[self.ndim :]]
        count = int(np.prod(shape, dtype="int64"))
        positions = xp.arange(count, dtype="uint64").reshape(shape)
        words = attempt_words(xp, checked_key(key), positions)
        result = SAMPLERS[self.sampler].draw(ArrayMath(xp), words, *parameters)
        return (result.astype(self.dtype),)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [tuple(as_length(n) for n in node.inputs[1 : 1 + self.ndim])]

    def connection(self, node: Apply) -> list[list[bool]]:
        flows = SAMPLERS[self.sampler].gradient is not None
        offset = 1 + self.ndim
        return [[False]] * offset + [[flows] for _ in node.inputs[offset:]]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        gradient, offset = SAMPLERS[self.sampler].gradient, 1 + self.ndim
        if gradient is None:
            return [None] * len(node.inputs)
        parameters = node.inputs[offset:]
        return [None] * offset + list(gradient(cotangents[0], *parameters, node.outputs[0]))

    def emit(self, p: Builder, node: Apply, key: ProgramValue, *inputs: ProgramValue) -> Any:
        draw = SAMPLERS[self.sampler].draw
        return p.draw_by_rejection(node, key, inputs[self.ndim :], draw)

    def __str__(self) -> str:
        return f"RejectionDraw{{{self.sampler}}}"
