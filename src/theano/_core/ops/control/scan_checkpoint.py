"""A loop as a loop of loops: the outer one keeps what is between chunks of steps, and no more.

The gradient of the outer loop runs each chunk a second time, from the state before it: for T steps
in chunks of the square root of T, it keeps 2 sqrt(T) states and computes each step twice.
(A. Griewank, "Achieving logarithmic growth of temporal and spatial complexity in reverse automatic
differentiation", 1992, has the scheme with one level as its simplest case.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from theano._core.base.records import Record
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.creation import join
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.shaping import length, pattern_broadcast, reshape_op
from theano._core.ops.control.body import Body
from theano._core.ops.control.scan_state import State, is_rows
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.op import as_variable
from theano._core.ops.elementwise.arithmetic import maximum
from theano._core.ops.elementwise.elementwise import cast
from theano._core.ops.elementwise.transcendental import sqrt

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike


class Chunked(Record):
    """A loop in chunks: per state its last rows, the rows of all steps, and the last of each chunk.

    A shorter chunk of what is left over counts too.
    """

    ends: list[Any]
    rows: list[Any]
    between: list[Any]


def in_chunks(node: Apply) -> Chunked:
    """Return the states of a loop, which does not end early, computed in chunks."""
    op, outer = node.op, node.op.outer(node)
    steps = node.inputs[0]
    size = _chunk_size(op.checkpoint, steps)
    chunks = steps // size
    whole = chunks * size
    plain = op.replaced(op.body, checkpoint=None, progress=None)
    body, states = _chunk_body(plain, outer)
    outer_loop = plain.replaced(body, states=states, labels=(), progress=op.progress)
    made = outer_loop.make_node(
        chunks,
        *(_split(s[:whole], chunks, size) for s in outer.sequences),
        *(_as_row(s) for s in outer.states if s is not None),
        size,
        *outer.fixed,
    )
    results = iter(made.outputs)
    histories = [None if s is None else next(results) for s in outer.states]
    ends = [None if h is None else _last(h) for h in histories]
    first = [_joined(next(results), whole) if is_rows(v) else None for v in op.new_values]
    lasts = [
        next(results) if h is None else h[1:, -1] if is_rows(v) else None
        for v, h in zip(op.new_values, histories, strict=True)
    ]
    # The steps that are left over.
    rest = plain.make_node(
        steps - whole,
        *(s[whole:steps] for s in outer.sequences),
        *(e for e in ends if e is not None),
        *outer.fixed,
    ).outputs
    chunked = Chunked([], [], [])
    for state, out, before, last in zip(op.states, rest, first, lasts, strict=True):
        if before is None:
            chunked.ends.append(out)
            chunked.rows.append(None)
            chunked.between.append(None)
            continue
        new = out[state.depth :] if state.taps else out
        chunked.ends.append(out[-state.depth :] if state.taps else None)
        chunked.rows.append(join(0, before, new))
        chunked.between.append(join(0, last, new[-1:]))
    return chunked


def _last(history: Variable) -> Any:
    return history[-1] if isinstance(history.type, TensorType) else history


def _chunk_size(checkpoint: TensorLike, steps: TensorLike) -> Any:
    if checkpoint == "auto":
        return maximum(cast(sqrt(cast(steps, "float64")), "int64"), as_int64(1))
    return cast(as_variable(checkpoint), "int64")


def _as_row(start: Variable) -> Any:
    """Return initial rows as the only row of the outer loop's state."""
    if not isinstance(start.type, TensorType):
        return start
    return dimshuffle(start, ["x", *range(start.type.ndim)])


def _split(rows: Variable, chunks: Variable, size: Variable) -> Any:
    rest = [as_int64(length(rows, a)) for a in range(1, rows.type.ndim)]
    return reshape_op(rows, [chunks, size, *rest])


def _joined(rows: Variable, whole: Variable) -> Any:
    rest = [as_int64(length(rows, a)) for a in range(2, rows.type.ndim)]
    return reshape_op(rows, [whole, *rest])


def _chunk_body(loop: Any, outer: Any) -> tuple[Body, list[State]]:
    """Return the body of the outer loop: the inner loop over one chunk."""
    types = [(False, *s.type.broadcastable[1:]) for s in outer.sequences]
    items = [
        TensorType(s.type.dtype, type_)() for s, type_ in zip(outer.sequences, types, strict=True)
    ]
    taps = [s.clone() for s in outer.states if s is not None]
    count = TensorType("int64", ())()
    inside = [v.clone() for v in outer.fixed]
    node = loop.make_node(count, *items, *taps, *inside)
    ends: list[Any] = []
    rows: list[Any] = []
    lasts: list[Any] = []
    for state, start, out in zip(loop.states, outer.states, node.outputs, strict=True):
        if start is not None:
            ends.append(_last_rows(out, state, start))
        if isinstance(out.type, TensorType):
            rows.append(out[state.depth :] if state.taps else out)
            lasts += [] if state.taps else [out[-1]]
    outputs = [*ends, *rows, *lasts]
    states = [State((1,) if i < len(ends) else ()) for i in range(len(outputs))]
    return Body([*items, *taps, count, *inside], outputs), states


def _last_rows(out: Variable, state: State, start: Variable) -> Any:
    if not isinstance(out.type, TensorType):
        return out
    return pattern_broadcast(out[-state.depth :], start.type.broadcastable)
