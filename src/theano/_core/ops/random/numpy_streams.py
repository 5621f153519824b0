"""Draws from a `numpy.random.RandomState`: NumPy draws, the stream is a value of the graph."""

from __future__ import annotations

import copy
import ctypes
import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.ir.types import RandomStateType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.array.dims import as_int64, as_length, broadcast_shape, lengths_of
from theano._core.ops.array.gradient import null_gradient
from theano._core.ops.core.op import Structured, as_variable
from theano._core.ops.elementwise.arithmetic import maximum

if TYPE_CHECKING:
    from numpy.random import RandomState as Stream

    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ir.types import TensorType
    from theano._core.ops.core.protocols import Builder, ProgramValue

Size = tuple[int, ...] | None


def _axes_on_left(name: str, array: np.ndarray, ndim: int, rows: int = 0) -> np.ndarray:
    """Return a parameter with axes of length 1 added up to `ndim`, besides its last `rows`."""
    if array.ndim - rows > ndim:
        raise ValueError(
            f"{name} has {array.ndim - rows} axes, more than the {ndim} lengths of the size"
        )
    return array.reshape((1,) * (ndim + rows - array.ndim) + array.shape)


def random_integers_helper(
    random_state: Stream, low: np.ndarray, high: np.ndarray, size: Size
) -> np.ndarray:
    """Draw integers from `low` to `high`, both included; parameters broadcast against `size`."""
    if size is not None and not low.ndim and not high.ndim:
        return random_state.randint(int(low), int(high) + 1, size, dtype="int64")
    ndim = max(low.ndim, high.ndim) if size is None else len(size)
    low, high = _axes_on_left("low", low, ndim), _axes_on_left("high", high, ndim)
    shape = np.broadcast_shapes(low.shape, high.shape) if size is None else tuple(size)
    if low.size == 1 and high.size == 1:
        return random_state.randint(int(low.item()), int(high.item()) + 1, shape, dtype="int64")
    lows, highs = np.broadcast_to(low, shape), np.broadcast_to(high, shape)
    pairs = zip(lows.reshape(-1).tolist(), highs.reshape(-1).tolist(), strict=True)
    draws = [random_state.randint(int(a), int(b) + 1, dtype="int64") for a, b in pairs]
    return np.asarray(draws, dtype="int64").reshape(shape)


def choice_helper(
    random_state: Stream, a: np.ndarray, replace: np.ndarray, p: np.ndarray, size: Size
) -> Any:
    """Draw items of `a`; an empty `p` stands for equal probabilities."""
    if a.ndim > 1:
        raise ValueError(f"choice: a must be a scalar or a vector, it has {a.ndim} axes")
    if p.ndim != 1:
        raise ValueError(f"choice: p must be a vector, it has {p.ndim} axes")
    items = a if a.ndim else a.item()
    return random_state.choice(items, size, bool(replace), p if p.size else None)


def permutation_helper(random_state: Stream, n: np.ndarray, shape: Size) -> np.ndarray:
    """Draw permutations of the integers below `n`, as many as `shape` has places."""
    if n.shape != ():
        raise AssertionError(f"permutation: n must be a scalar, got shape {n.shape}")
    shape = () if shape is None else tuple(shape)
    count = int(n.item())
    if count < 0:
        raise ValueError(f"permutation: n must not be negative, got {count}")
    times = math.prod(shape)
    if times == 1:
        return random_state.permutation(count).astype("int64", copy=False).reshape((*shape, count))
    draws = [random_state.permutation(count) for _ in range(times)]
    return np.asarray(draws, dtype="int64").reshape((*shape, count))


def multinomial_helper(
    random_state: Stream, n: np.ndarray, pvals: np.ndarray, size: Size
) -> np.ndarray:
    """Draw counts for the rows of `pvals`; `n` and the other axes of `pvals` broadcast."""
    ndim = max(n.ndim, pvals.ndim - 1) if size is None else len(size)
    n, pvals = _axes_on_left("n", n, ndim), _axes_on_left("pvals", pvals, ndim, 1)
    outcomes = pvals.shape[-1]
    lead = np.broadcast_shapes(n.shape, pvals.shape[:-1]) if size is None else tuple(size)
    if math.prod(lead) > 1 and n.size == 1 and pvals.size == outcomes and pvals.min() >= 0:
        row = _below_one(pvals.reshape(outcomes)).astype("float64")
        return random_state.multinomial(n.item(), row, lead).astype("int64", copy=False)
    counts = np.broadcast_to(n, lead).reshape(-1).tolist()
    rows = np.broadcast_to(pvals, (*lead, outcomes)).reshape(-1, outcomes)
    if pvals.size and not pvals.min() >= 0:
        raise AssertionError(f"multinomial: a probability is negative: {pvals.min()}")
    draws = [
        random_state.multinomial(count, _below_one(row).astype("float64"))
        for count, row in zip(counts, rows, strict=True)
    ]
    return np.asarray(draws, dtype="int64").reshape((*lead, outcomes))


def _below_one(row: np.ndarray) -> np.ndarray:
    """Return probabilities that NumPy takes: a sum above 1 by rounding is a little reduced."""
    # Theano 1.0.5 reduces them, too, where the last is almost 0. The numbers drawn depend on it.
    if 1.0 < float(row.sum()) < 1.0 + 1e-5 or row[-1] < 5e-5:
        row = row * row.dtype.type(1.0 - 5e-5)
    if row.sum() > 1.0:
        raise AssertionError(f"multinomial: probabilities add up to {row.sum()}, more than 1")
    return row


# Draws of NumPy's that keep a second normal number for the next call, and draws that do not.
# Of any other function nothing is known.
_NORMAL = "normal"
_PLAIN = (
    "uniform",
    "binomial",
    "poisson",
    random_integers_helper,
    choice_helper,
    permutation_helper,
    multinomial_helper,
)


# Those whose parameters broadcast against each other.
BROADCASTING = ("uniform", _NORMAL, "binomial", "poisson", random_integers_helper)


def _joint(
    parameters: Sequence[Variable], shapes: Sequence[Dims], tails: Sequence[int], rank: int
) -> list[Any]:
    """Return the lengths that parameters, without some last axes, broadcast to."""
    patterns: list[tuple[bool, ...]] = []
    lengths: list[tuple[Any, ...]] = []
    for value, shape, tail in zip(parameters, shapes, tails, strict=True):
        missing = rank - (value.type.ndim - tail)
        if missing < 0:
            return [None] * rank
        patterns.append((True,) * missing + value.type.broadcastable[: value.type.ndim - tail])
        lengths.append((1,) * missing + tuple(shape)[: value.type.ndim - tail])
    return list(broadcast_shape(patterns, lengths))


class RandomFunction(Structured):
    """Draw an array from a stream.

    Inputs: the stream, the lengths of the result (an int vector; empty: what the parameters
    broadcast to), and the parameters. Outputs: the stream after the draw, and the array.

    Parameters
    ----------
    fn : str or callable
        Name of a method of `numpy.random.RandomState`, or `fn(stream, *parameters, size)`.
    outtype : TensorType
        Type of the array.
    inplace : bool
        Accepted for old programs: the stream of a function is drawn from in place.
    ndim_added : int
        How many axes the array has besides those of the lengths.
    """

    __props__ = ("fn", "outtype", "ndim_added")

    def __init__(
        self, fn: Any, outtype: TensorType, inplace: bool = False, ndim_added: int = 0
    ) -> None:
        self.fn = fn
        self.outtype = outtype
        self.inplace = inplace
        self.ndim_added = ndim_added
        self._ndim, self._dtype = outtype.ndim, outtype.numpy_dtype

    @property
    def exec_fn(self) -> Callable[..., Any]:
        """What draws."""
        return getattr(np.random.RandomState, self.fn) if isinstance(self.fn, str) else self.fn

    def make_node(self, r: Variable, shape: Variable, *args: TensorLike) -> Apply:
        if not isinstance(getattr(r, "type", None), RandomStateType):
            raise TypeError(f"the stream must be a RandomState variable, got {r}")
        empty = isinstance(shape, (tuple, list)) and not shape
        size = as_variable(np.zeros(0, dtype="int64") if empty else shape)
        if size.type.ndim != 1 or size.type.dtype not in ("int32", "int64"):
            raise AssertionError(f"the lengths must be a vector of int32 or int64, got {size.type}")
        values = [as_variable(v) for v in args]
        outputs = [type_.output() for type_ in (r.type, self.outtype)]
        return Apply(self, [r, size, *values], outputs)

    def compute(self, xp: ArrayModule, node: Apply, *values: Any) -> tuple[Any, ...]:
        stream, size, *parameters = values
        return self.perform(copy.deepcopy(stream), tuple(size.tolist()), parameters)

    def perform(
        self, stream: Stream, shape: tuple[int, ...], parameters: Sequence[TensorLike]
    ) -> tuple[Any, Any]:
        """Draw in place; return (stream, array)."""
        ndim, own = self._ndim, len(shape)
        # No lengths: those that the parameters broadcast to.
        size = shape or None
        if size is not None and own + self.ndim_added != ndim:
            raise ValueError(
                f"Shape mismatch: {self} was given {own} lengths, {shape}, and adds"
                f" {self.ndim_added} axes, but its result was declared with {ndim} dimensions"
            )
        array = self._sample(stream, size, parameters)
        if type(array) is not np.ndarray or array.dtype != self._dtype:
            array = np.asarray(array).astype(self._dtype)
        if size is None and array.ndim == 0 and ndim:
            array = array.reshape((1,) * ndim)
        if array.ndim != ndim or (size is not None and array.shape[:own] != size):
            raise ValueError(
                f"Shape mismatch: {self} drew an array of shape {array.shape} for the lengths"
                f" {shape}, declared with {ndim} dimensions"
            )
        return stream, array

    def _sample(self, stream: Stream, size: Size, parameters: Sequence[Any]) -> Any:
        # NumPy draws all numbers at once, deaf to an interrupt; those that it draws one after the
        # other are the same in pieces.
        count = math.prod(size or ())
        if count > PIECE and self.fn in ONE_BY_ONE and not any(map(np.ndim, parameters)):
            array = np.empty(size or (), self._dtype)
            numbers = array.reshape(-1)
            for start in range(0, count, PIECE):
                piece = numbers[start : start + PIECE]
                piece[...] = self._sample(stream, piece.shape, parameters)
            return array
        # Of the standard distributions NumPy gives the same numbers sooner.
        if parameters is STANDARD and size is not None:
            return (
                stream.random_sample(size) if self.fn == "uniform" else stream.standard_normal(size)
            )
        return self.exec_fn(stream, *parameters, size)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        size, rank = node.inputs[1], self.outtype.ndim - self.ndim_added
        lengths = [None if n is None else as_length(n) for n in lengths_of(size, rank)]
        if isinstance(size, Constant) and not size.data.size:
            # The lengths are those that the parameters, or all but their last axis, broadcast to.
            lengths = [None] * rank
            if self.fn in BROADCASTING or self.fn is multinomial_helper:
                tails = [0] * (len(shapes) - 3) + [self.ndim_added]
                lengths = _joint(node.inputs[2:], shapes[2:], tails, rank)
        added: list[Any] = [None] * self.ndim_added
        if self.fn is permutation_helper:
            added = [maximum(as_int64(as_length(node.inputs[2])), as_int64(0))]
        elif self.fn is multinomial_helper:
            added = [shapes[3][-1]]
        return [(), (*lengths, *added)]

    def vjp(self, node: Apply, cotangents: Sequence[Variable | None]) -> list[Any]:
        why = "No gradient defined through raw random numbers op"
        return [null_gradient(why) for _ in node.inputs]

    def emit(self, p: Builder, node: Apply, *values: ProgramValue) -> Any:
        return p.draw(node, values)

    def __str__(self) -> str:
        return f"RandomFunction{{{self.exec_fn.__name__}}}"


# Numbers that are drawn at once, and what may be drawn in such pieces.
PIECE = 1 << 20
ONE_BY_ONE = ("uniform", "normal", "binomial", "poisson")

# Parameters of the distributions that NumPy has methods without parameters for; this very list.
STANDARD = [0.0, 1.0]


class Draw:
    """A draw of a function, with what is constant of its arguments bound.

    Parameters
    ----------
    op : RandomFunction
    node : Apply
    in_place : bool
        Whether the function keeps the stream: it is drawn from in place, and `undo` takes the last
        draw back.
    private : bool
        Whether nothing outside the call knows the stream: it is drawn from in place. Where neither
        holds, a copy is drawn from.

    Attributes
    ----------
    free : tuple of int
        Which inputs of `node` are the arguments of a call.
    """

    def __init__(
        self, op: RandomFunction, node: Apply, in_place: bool, private: bool = False
    ) -> None:
        self.op = op
        self.node = node
        self.in_place = in_place
        self.private = private
        size, *parameters = node.inputs[1:]
        open_ = [i for i, v in enumerate(node.inputs[1:], 1) if not isinstance(v, Constant)]
        self.free = (0, *open_)
        self._lengths = tuple(size.data.tolist()) if isinstance(size, Constant) else None
        bound = [_constant(v, isinstance(op.fn, str)) for v in parameters]
        standard = op.fn in ("uniform", "normal") and all(isinstance(v, float) for v in bound)
        self._parameters = STANDARD if standard and bound == STANDARD else bound
        self._gaps = [i - 2 for i in self.free if i > 1]
        self._record: Record | None = None

    def __call__(self, stream: Stream, *arguments: Any) -> tuple[Any, Any]:
        shape = self._lengths
        parameters = self._parameters
        if shape is None:
            shape, arguments = tuple(arguments[0].tolist()), arguments[1:]
        if self._gaps:
            parameters = list(parameters)
            for gap, value in zip(self._gaps, arguments, strict=True):
                parameters[gap] = value
        if not self.in_place:
            mine = stream if self.private else copy_stream(stream)
            return self.op.perform(mine, shape, parameters)
        record = self._record
        if record is None or not record.is_of(stream):
            record = self._record = Record(stream, self.op.fn)
        record.start()
        try:
            result = self.op.perform(stream, shape, parameters)
        except BaseException:
            record.undo()
            raise
        record.finish(result[1].size)
        return result

    def undo(self) -> None:
        """Put the stream back to where it was before the last draw."""
        if self._record is not None:
            self._record.undo()


def _constant(variable: Variable, as_number: bool) -> Any:
    """Return a constant parameter, None for others; NumPy takes numbers sooner than arrays."""
    if not isinstance(variable, Constant):
        return None
    data = variable.data
    return data.item() if as_number and data.ndim == 0 else data


class Record:
    """Where a stream was before a draw.

    `get_state` takes longer than the draw of a few numbers, so the words of the generator are read
    where they lie. The normal number that a stream may keep cannot be read so; whether it keeps one
    is known after a draw that began without, by the count of the numbers drawn.

    Parameters
    ----------
    stream : numpy.random.RandomState
    fn : str or callable
        What draws.
    """

    def __init__(self, stream: Stream, fn: Any) -> None:
        self._stream = stream
        self._generator: Any = stream._bit_generator
        self._words = _words_of(self._generator) if fn in (*_PLAIN, _NORMAL) else None
        self._plain = fn in _PLAIN
        # Words after a normal draw that left no number behind.
        self._even: bytes | None = None
        self._before: Any = None

    def is_of(self, stream: Stream) -> bool:
        """Tell whether this is the record of a stream."""
        return stream is self._stream and stream._bit_generator is self._generator

    def start(self) -> None:
        """Remember where the stream is."""
        if self._words is None:
            self._before = self._stream.get_state(legacy=False)
            return
        self._before = bytes(self._words)
        if not self._plain and self._before != self._even:
            state = self._stream.get_state(legacy=False)
            if state["has_gauss"]:
                self._before = state

    def finish(self, count: int) -> None:
        """Note that `count` numbers were drawn."""
        if self._words is None or self._plain:
            return
        kept = isinstance(self._before, dict)
        self._even = bytes(self._words) if (count + kept) % 2 == 0 else None

    def undo(self) -> None:
        """Put the stream back to where it was."""
        self._even = None
        if isinstance(self._before, dict):
            self._stream.set_state(self._before)
        elif self._before is not None and self._plain:
            self._words[:] = self._before  # type: ignore[index]
        elif self._before is not None:
            self._words[:] = self._before  # type: ignore[index]
            state = self._stream.get_state(legacy=False)
            self._stream.set_state({**state, "has_gauss": 0, "gauss": 0.0})


_WORDS = 624


def _words_of(generator: TensorLike) -> Any:
    """Return the memory of a Mersenne Twister, its words and its position; None for others."""
    if type(generator) is not np.random.MT19937 or not _layout_is_known():
        return None
    return _memory(generator)


def _memory(generator: Any) -> Any:
    block = (ctypes.c_uint8 * (4 * _WORDS + 4)).from_address(generator.ctypes.state_address)
    return memoryview(block).cast("B")


@cache
def _layout_is_known() -> bool:
    """Tell whether this NumPy keeps the words as we read them."""
    generator = np.random.MT19937(1)
    generator.random_raw(3)
    state = generator.state["state"]
    words = np.frombuffer(_memory(generator), dtype="uint32")
    return bool(np.array_equal(words[:_WORDS], state["key"]) and words[_WORDS] == state["pos"])


def copy_stream(stream: Stream) -> Stream:
    """Return an independent copy of a stream."""
    fresh = np.random.RandomState(np.random.MT19937())
    fresh.set_state(stream.get_state(legacy=False))
    return fresh
