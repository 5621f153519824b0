"""Loops that store items of short rows and fold these rows, as two loops one after the other.

As one, each row takes a vector or two of which much is empty, and is folded by itself. Apart, items
are computed in full vectors, whatever row they are of, and rows are folded several at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from theano._core.base.records import Record
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder.core import Core
from theano._core.lower.kernel.expression import Body, Operation
from theano._core.lower.kernel.loops import Loop
from theano._core.lower.llvm.kernels.lanes import choose_lanes

# Rows that make it worth while.
LEAST_ROWS = 64
# Instructions that the second loop may take to make of what is stored what it folds.
MOST = 4


class Parted(Record):
    """When a loop runs as two: the one that stores, and the one that folds what this has stored."""

    condition: Size
    storing: Loop
    folding: Loop

    def run(
        self,
        run: Callable[..., None],
        p: Core,
        shape: Sequence[Size],
        arrays: Sequence[Array],
        outs: Sequence[Array],
        results: Sequence[Array],
    ) -> None:
        """Write both; `run` writes a loop."""
        eager = isinstance(self.condition, int)
        run(p, self.storing, shape, arrays, outs, [], eager=eager)
        run(p, self.folding, shape, outs, [], results, eager=eager)


def parted(p: Core, loop: Loop, shape: Sequence[Size]) -> Parted | None:
    """Return how a loop runs as two, if it may."""
    if not (loop.stores and loop.reductions) or p.late is not None:
        return None
    if loop.rank < 2 or loop.reduced != (loop.rank - 1,):
        return None
    body = loop.body
    folded = _part(body, body.stores, (), body.reductions)
    if folded is None or folded.cost > MOST:
        return None
    lanes, length = choose_lanes(loop, p.vector_bits, False), shape[-1]
    # Rows of one full vector, or more, have little that is empty.
    condition = p.let("le", length, 3 * lanes // 2)
    condition = p.let("and", condition, p.let("ne", length, lanes), kind="bool")
    many = p.let("ge", p.product(shape[:-1]), LEAST_ROWS)
    condition = p.let("and", condition, many, kind="bool")
    if not condition:
        return None
    stored = _part(body, tuple(range(len(body.operands))), body.stores, ())
    assert stored is not None
    nowhere = frozenset[int]()
    return Parted(
        condition,
        loop.replace(reductions=(), reduced=(), body=stored),
        loop.replace(
            operands=tuple((dtype, nowhere) for dtype in loop.stores), stores=(), body=folded
        ),
    )


def _part(
    body: Body, read: Sequence[int], stores: Sequence[int], reductions: Sequence[int]
) -> Body | None:
    """Return what makes some values of a body of others, which are read; None if these are not all.

    Numbers need not be read.
    """
    count = len(body.operands)
    place: dict[int, int] = {}
    for new, old in enumerate(read):
        place.setdefault(old, new)
    needed, waiting = set[int](), [*stores, *reductions]
    while waiting:
        value = waiting.pop()
        if value in place or value in needed:
            continue
        if value < count:
            return None
        needed.add(value)
        waiting += body.operations[value - count].operands
    operations: list[Operation] = []
    for value in sorted(needed):
        operation = body.operations[value - count]
        place[value] = len(read) + len(operations)
        own = tuple(place[i] for i in operation.operands)
        operations.append(operation.replace(operands=own))
    dtypes = [*body.operands, *(operation.dtype for operation in body.operations)]
    return Body(
        tuple(dtypes[i] for i in read),
        tuple(operations),
        tuple(place[i] for i in stores),
        tuple(place[i] for i in reductions),
    )
