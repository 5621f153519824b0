"""Draws from a `numpy.random.RandomState`: NumPy draws, the stream is a value of the graph."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from theano._core.ir.types import RandomStateType, TensorType
from theano._core.ir.variable import Apply
from theano._core.ops.lengths import as_length, lengths_of
from theano._core.ops.op import Structured, as_variable

Size = tuple[int, ...] | None


def _random_integers(stream: np.random.RandomState, size: Size, low: Any, high: Any) -> Any:
    # One draw for each item keeps the stream the same whether the bounds are numbers or arrays.
    if low.ndim == 0 and high.ndim == 0:
        return stream.randint(low, high + 1, size, dtype="int64")
    shape = np.broadcast_shapes(low.shape, high.shape) if size is None else size
    lows, highs = np.broadcast_to(low, shape), np.broadcast_to(high, shape)
    pairs = zip(lows.reshape(-1), highs.reshape(-1), strict=True)
    draws = [stream.randint(first, last + 1, dtype="int64") for first, last in pairs]
    return np.asarray(draws, dtype="int64").reshape(shape)


def _permutation(stream: np.random.RandomState, size: Size, n: Any) -> np.ndarray:
    count = int(n.reshape(()))
    if not size:
        return stream.permutation(count)
    draws = [stream.permutation(count) for _ in range(int(np.prod(size)))]
    return np.asarray(draws, dtype="int64").reshape((*size, count))


def _multinomial(stream: np.random.RandomState, size: Size, n: Any, pvals: Any) -> np.ndarray:
    lead = np.broadcast_shapes(n.shape, pvals.shape[:-1]) if size is None else size
    counts = np.broadcast_to(n, lead).reshape(-1)
    kinds = pvals.shape[-1]
    rows = np.broadcast_to(pvals, (*lead, kinds)).reshape(-1, kinds).astype("float64")
    # NumPy refuses probabilities whose sum is above 1 by a rounding error.
    excess = rows[:, :-1].sum(axis=-1) > 1
    rows[excess] /= rows[excess].sum(axis=-1, keepdims=True)
    draws = [stream.multinomial(int(k), row) for k, row in zip(counts, rows, strict=True)]
    return np.asarray(draws, dtype="int64").reshape((*lead, kinds))


def _choice(stream: np.random.RandomState, size: Size, a: Any, replace: Any, p: Any) -> Any:
    weights = None if p.size == 0 else p
    return stream.choice(a if a.ndim else int(a), size=size, replace=bool(replace), p=weights)


DRAWS: dict[str, Callable[..., Any]] = {
    "uniform": lambda stream, size, low, high: stream.uniform(low, high, size),
    "normal": lambda stream, size, avg, std: stream.normal(avg, std, size),
    "binomial": lambda stream, size, n, p: stream.binomial(n, p, size),
    "random_integers": _random_integers,
    "poisson": lambda stream, size, lam: stream.poisson(lam, size),
    "permutation": _permutation,
    "multinomial": _multinomial,
    "choice": _choice,
}
# How many axes a draw has besides those of its size.
ADDED_AXES = {"permutation": 1, "multinomial": 1}


class RandomFunction(Structured):
    """Draw an array from a stream.

    Inputs: the stream, the lengths of the result (an int vector; empty with `infer` : from the
    parameters), and the parameters. Outputs: the stream after the draw, and the array.

    Parameters
    ----------
    draw : str
        Key of `DRAWS`.
    dtype : str
    ndim : int
        Rank of the result.
    infer : bool
        Whether the result takes the broadcast shape of the parameters.
    """

    __props__ = ("draw", "dtype", "infer", "ndim")
    default_output = 1

    def __init__(self, draw: str, dtype: str, ndim: int, infer: bool = False) -> None:
        self.draw = draw
        self.dtype = dtype
        self.ndim = ndim
        self.infer = infer

    def make_node(self, stream: Any, size: Any, *parameters: Any) -> Apply:
        if not isinstance(stream.type, RandomStateType):
            raise TypeError(f"the stream must be a RandomState variable, got {stream.type}")
        size = as_variable(size)
        values = [as_variable(v) for v in parameters]
        kind = TensorType(self.dtype, self._pattern(size, values))
        outputs = [stream.type.variable_class(stream.type), kind.variable_class(kind)]
        return Apply(self, [stream, size, *values], outputs)

    def _pattern(self, size: Any, parameters: Sequence[Any]) -> list[bool]:
        added = ADDED_AXES.get(self.draw, 0)
        count = self.ndim - added
        if not self.infer:
            known = lengths_of(size, count)
            lead = [n is not None and as_length(n) == 1 for n in known]
            return (lead + [False] * count)[:count] + [False] * added
        lead = [True] * count
        for variable in parameters:
            pattern = variable.type.broadcastable
            pattern = pattern[: len(pattern) - added] if variable is parameters[-1] else pattern
            for axis, one in enumerate(reversed(pattern), 1):
                lead[-axis] = lead[-axis] and one
        return lead + [False] * added

    def compute(self, xp: Any, node: Apply, *values: Any) -> tuple[Any, ...]:
        stream, size, *parameters = values
        return self.perform(copy.deepcopy(stream), size, *parameters)

    def perform(
        self, stream: np.random.RandomState, size: Any, *parameters: Any
    ) -> tuple[Any, Any]:
        """Draw in place; return (stream, array)."""
        lengths = None if self.infer else tuple(int(n) for n in size)
        wanted = self.ndim - ADDED_AXES.get(self.draw, 0)
        if lengths is not None and len(lengths) != wanted:
            raise ValueError(
                f"{self.draw}: size {lengths} has {len(lengths)} lengths, but the result was "
                f"declared with {wanted} dimensions (ndim)"
            )
        arrays = [np.asarray(value) for value in parameters]
        array = np.asarray(DRAWS[self.draw](stream, lengths, *arrays))
        if array.ndim != self.ndim:
            raise ValueError(
                f"{self.draw} drew an array of shape {array.shape}, declared with {self.ndim}"
                " dimensions"
            )
        return stream, np.ascontiguousarray(array, dtype=self.dtype).reshape(array.shape)

    def perform_on_copy(
        self, stream: np.random.RandomState, size: Any, *parameters: Any
    ) -> tuple[Any, Any]:
        """Draw from a copy of the stream; return (copy, array)."""
        return self.perform(copy_stream(stream), size, *parameters)

    def shape(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        if self.infer or self.draw in ADDED_AXES:
            return [(), (None,) * self.ndim]
        known = lengths_of(node.inputs[1], self.ndim)
        return [(), tuple(None if n is None else as_length(n) for n in known)]

    def connection(self, node: Apply) -> list[list[bool]]:
        return [[True, True]] + [[False, True] for _ in node.inputs[1:]]

    def vjp(self, node: Apply, cotangents: Sequence[Any]) -> list[Any]:
        return [None] * len(node.inputs)

    def lower(self, p: Any, node: Apply, *values: Any) -> Any:
        return p.draw(node, values)

    def __str__(self) -> str:
        return f"RandomFunction{{{self.draw}}}"


class Draw:
    """A draw in place, from a stream that the function keeps, and the way back.

    Parameters
    ----------
    op : RandomFunction
    """

    def __init__(self, op: RandomFunction) -> None:
        self.op = op
        self._before: tuple[Any, Any] | None = None

    def __call__(
        self, stream: np.random.RandomState, size: Any, *parameters: Any
    ) -> tuple[Any, Any]:
        before = stream.get_state(legacy=False)
        self._before = (stream, before)
        try:
            return self.op.perform(stream, size, *parameters)
        except BaseException:
            stream.set_state(before)
            raise

    def undo(self) -> None:
        """Put the stream back to where it was before the last draw."""
        if self._before is not None:
            stream, state = self._before
            stream.set_state(state)


def copy_stream(stream: np.random.RandomState) -> np.random.RandomState:
    """Return an independent copy of a stream."""
    fresh = np.random.RandomState(np.random.MT19937())
    fresh.set_state(stream.get_state(legacy=False))
    return fresh
