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
from theano._core.ops.shaping import vector_length


def _permutation(stream: np.random.RandomState, size: Any, n: Any) -> np.ndarray:
    if size is None:
        return stream.permutation(int(n))
    draws = [stream.permutation(int(n)) for _ in range(int(np.prod(size)))]
    return np.asarray(draws, dtype="int64").reshape((*size, int(n)))


def _choice(stream: np.random.RandomState, size: Any, a: Any, p: Any = None) -> Any:
    return stream.choice(a if a.ndim else int(a), size=size, p=p)


DRAWS: dict[str, Callable[..., Any]] = {
    "uniform": lambda stream, size, low, high: stream.uniform(low, high, size),
    "normal": lambda stream, size, avg, std: stream.normal(avg, std, size),
    "binomial": lambda stream, size, n, p: stream.binomial(n, p, size),
    "random_integers": lambda stream, size, low, high: stream.randint(low, high + 1, size),
    "poisson": lambda stream, size, lam: stream.poisson(lam, size),
    "permutation": _permutation,
    "choice": _choice,
}


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
        known = [None] * self.ndim if self.infer else lengths_of(size, self.ndim)
        known += [None] * (self.ndim - len(known))
        kind = TensorType(self.dtype, [as_length(n) == 1 if n is not None else False for n in known])
        outputs = [stream.type.variable_class(stream.type), kind.variable_class(kind)]
        return Apply(self, [stream, size, *(as_variable(v) for v in parameters)], outputs)

    def compute(self, xp: Any, node: Apply, *values: Any) -> tuple[Any, ...]:
        stream, size, *parameters = values
        return self.perform(copy.deepcopy(stream), size, *parameters)

    def perform(self, stream: np.random.RandomState, size: Any, *parameters: Any) -> tuple[Any, Any]:
        """Draw in place; return (stream, array)."""
        lengths = None if self.infer else tuple(int(n) for n in size)
        if lengths is not None and self.draw != "permutation" and len(lengths) != self.ndim:
            raise ValueError(
                f"{self.draw}: size {lengths} has {len(lengths)} lengths, but the result was "
                f"declared with {self.ndim} dimensions (ndim)"
            )
        array = np.asarray(DRAWS[self.draw](stream, lengths, *parameters))
        if array.ndim != self.ndim:
            raise ValueError(
                f"{self.draw} drew an array of shape {array.shape}, declared with {self.ndim} dimensions"
            )
        return stream, np.ascontiguousarray(array, dtype=self.dtype).reshape(array.shape)

    def perform_on_copy(self, stream: np.random.RandomState, size: Any, *parameters: Any) -> tuple[Any, Any]:
        """Draw from a copy of the stream; return (copy, array)."""
        return self.perform(copy_stream(stream), size, *parameters)

    def shape(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        if self.infer or self.draw == "permutation":
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


def copy_stream(stream: np.random.RandomState) -> np.random.RandomState:
    """Return an independent copy of a stream."""
    fresh = np.random.RandomState(np.random.MT19937())
    fresh.set_state(stream.get_state(legacy=False))
    return fresh


def size_rank(size: Any) -> int:
    """Return the rank that a `size` argument means."""
    return vector_length(size)
