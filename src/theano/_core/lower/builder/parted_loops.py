"""Loops that reduce short rows, as two loops or three one after the other.

As one, each row takes a vector or two of which much is empty, and is reduced by itself. Apart,
items are computed in full vectors, whatever row they are of, and rows are reduced several at a
time. What is reduced over rows and columns is reduced over one of them first, as if many short rows
were long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from theano._core.base.dtypes import is_discrete
from theano._core.base.records import Record
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder.core import Core
from theano._core.lower.kernel.expression import Body, Operation
from theano._core.lower.kernel.loops import Loop
from theano._core.lower.llvm.kernels.flat_columns import (
    LEAST_TIMES,
    LONGEST_ROW,
    is_flat,
    rows_at_once,
    whole_row,
)
from theano._core.lower.llvm.kernels.lanes import choose_lanes

# Rows that make it worth while.
LEAST_ROWS = 64
# The longest rows that are reduced over columns first, if that is all.
LONGEST_COLUMNS = 128
# The longest rows that lie apart, which vectors run across.
LONGEST_APART = 12
# The longest rows that vectors run across, if rows of more axes are reduced.
LONGEST_ACROSS = 16
# Instructions that the second loop may take to make of what is stored what it reduces.
MOST = 4


class Parted(Record):
    """When a loop runs as two: one that stores, and one that reduces what this has stored."""

    condition: Size
    storing: Loop
    reducing: Loop

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
        run(p, self.reducing, shape, outs, [], results, eager=eager)


class InTurn(Record):
    """When a loop reduces some axes, what that makes in turn if it is to be, and then stores.

    What is reduced is made again, of what is read, which the last loop may overwrite.
    """

    condition: Size
    reducing: Loop
    totals: tuple[Array, ...]
    last: Loop | None
    storing: Loop | None

    def run(
        self,
        run: Callable[..., None],
        p: Core,
        shape: Sequence[Size],
        arrays: Sequence[Array],
        outs: Sequence[Array],
        results: Sequence[Array],
    ) -> None:
        """Write the loops; `run` writes one."""
        eager = isinstance(self.condition, int)
        run(p, self.reducing, shape, arrays, [], self.totals or results, eager=eager)
        if self.last is not None:
            run(p, self.last, self.totals[0].shape, self.totals, [], results, eager=eager)
        if self.storing is not None:
            run(p, self.storing, shape, arrays, outs, [], eager=eager)


def parted(
    p: Core, loop: Loop, shape: Sequence[Size], arrays: Sequence[Array]
) -> Parted | InTurn | None:
    """Return how a loop over some arrays runs as several, if it may."""
    if loop.rank < 2 or not loop.reductions or p.late is not None:
        return None
    if loop.rank - 2 in loop.reduced:
        return _in_turn(p, loop, shape, arrays)
    if len(loop.reduced) > 1 and loop.rank - 1 in loop.reduced and not loop.stores:
        return _rows_first(p, loop, shape)
    if not loop.stores or loop.reduced != (loop.rank - 1,):
        return None
    body = loop.body
    reduction = _part(body, body.stores, (), body.reductions)
    if reduction is None or reduction.cost > MOST:
        return None
    lanes, length = choose_lanes(loop, p.vector_bits, False), shape[-1]
    # Rows of one full vector, or more, have little that is empty.
    condition = p.let("le", length, 3 * lanes // 2)
    condition = p.let("and", condition, p.let("ne", length, lanes), type="bool")
    many = p.let("ge", p.product(shape[:-1]), LEAST_ROWS)
    condition = p.let("and", condition, many, type="bool")
    if not condition:
        return None
    stored = _part(body, tuple(range(len(body.operands))), body.stores, ())
    assert stored is not None
    storing = loop.replace(reductions=(), reduced=(), body=stored)
    return Parted(condition, storing, _of_arrays(loop, loop.stores, reduction))


def _in_turn(
    p: Core, loop: Loop, shape: Sequence[Size], arrays: Sequence[Array]
) -> Parted | InTurn | None:
    """Return how many short rows are reduced over columns as well, or over these alone.

    Sums have other last bits then, so that this may not depend on the width of vectors.
    """
    last, body = loop.rank - 1, loop.body
    every, whole = tuple(range(len(body.operands))), whole_row(loop)
    reduction = _part(body, every, (), body.reductions)
    assert reduction is not None
    reducing = loop.replace(stores=(), body=reduction)
    columns = tuple(axis for axis in loop.reduced if axis != last)
    condition, packed = _walked_apart(p, loop, shape, arrays)
    flat = packed and is_flat(
        reducing.replace(reduced=columns), [[axis] for axis in range(loop.rank)]
    )
    longest = LONGEST_COLUMNS if flat else LONGEST_ROW if packed else LONGEST_APART
    if loop.stores:
        longest = min(longest, 3 * whole // 4)
    least = LEAST_TIMES * rows_at_once(loop)
    condition = p.let("and", condition, p.let("le", shape[-1], longest), type="bool")
    condition = p.let("and", condition, p.let("ge", shape[-2], least), type="bool")
    many = p.let("ge", shape[-2], p.multiply(shape[-1], least // whole))
    condition = p.let("and", condition, many, type="bool")
    if not condition:
        return None
    storing = None
    if loop.stores:
        stored = _part(body, every, body.stores, ())
        assert stored is not None
        storing = loop.replace(reductions=(), reduced=(), body=stored)
        of_stored = _part(body, body.stores, (), body.reductions)
        if of_stored is not None and of_stored.cost <= MOST:
            return Parted(condition, storing, _of_arrays(loop, loop.stores, of_stored))
    if last not in loop.reduced:
        return InTurn(condition, reducing, (), None, storing) if storing and flat else None
    # Numbers that stand for rows, and rows that lie apart, are best read by vectors across rows.
    return _first_over(p, reducing, shape, condition, columns if flat else (last,), storing)


def _rows_first(p: Core, loop: Loop, shape: Sequence[Size]) -> InTurn | None:
    """Return how rows are reduced before what else is, if there are many short ones.

    The axis before theirs is kept: some rows are then reduced at once, and not one after the other.
    Sums of floats, in one loop, would keep what is lost for each of longer rows as well.
    """
    exact = any(each.combine != "add" or is_discrete(each.dtype) for each in loop.reductions)
    condition = p.let("le", shape[-1], LONGEST_ACROSS if exact else LONGEST_COLUMNS)
    many = p.let("ge", p.product(shape[:-1]), LEAST_ROWS)
    condition = p.let("and", condition, many, type="bool")
    return _first_over(p, loop, shape, condition, (loop.rank - 1,), None) if condition else None


def _first_over(
    p: Core,
    loop: Loop,
    shape: Sequence[Size],
    condition: Size,
    inner: tuple[int, ...],
    storing: Loop | None,
) -> InTurn:
    """Return how a loop reduces the axes `inner`, and then the others, as `condition` says."""
    carried = tuple(each.replace(out_dtype=each.dtype) for each in loop.reductions)
    kept = [axis for axis in range(loop.rank) if axis not in inner]
    lengths = [shape[axis] for axis in kept]
    lengths[0] = p.let("select", condition, lengths[0], 0)
    totals = tuple(p.new_array(each.dtype, lengths) for each in carried)
    dtypes = tuple(each.dtype for each in carried)
    rest = loop.replace(
        rank=len(kept), reduced=tuple(i for i, axis in enumerate(kept) if axis in loop.reduced)
    )
    read = Body(dtypes, (), (), tuple(range(len(dtypes))))
    return InTurn(
        condition,
        loop.replace(reductions=carried, reduced=inner),
        totals,
        _of_arrays(rest, dtypes, read),
        storing,
    )


def _walked_apart(
    p: Core, loop: Loop, shape: Sequence[Size], arrays: Sequence[Array]
) -> tuple[Size, bool]:
    """Return whether rows are not walked as one, and whether all data may be packed.

    They are not where something stands for all rows, or for all of a row, or where they lie apart.
    """
    last, apart, packed = loop.rank - 1, False, True
    for (_, fixed), array in zip(loop.operands, arrays, strict=True):
        if (last - 1 in fixed) != (last in fixed):
            apart = True
        if array.contiguous is False and array.ndim == loop.rank:
            packed = False
    if apart or packed:
        return apart, packed
    one: Size = True
    for (_, fixed), array in zip(loop.operands, arrays, strict=True):
        if last not in fixed and array.ndim == loop.rank:
            steps = p.strides(array)
            follows = p.let("eq", steps[-2], p.let("mul", shape[-1], steps[-1]))
            one = p.let("and", one, follows, type="bool")
    return p.let("not", one, type="bool"), packed


def _of_arrays(loop: Loop, dtypes: Sequence[str], body: Body) -> Loop:
    """Return a loop that reduces what arrays of the lengths of a loop hold."""
    operands = tuple((dtype, frozenset[int]()) for dtype in dtypes)
    return loop.replace(operands=operands, stores=(), body=body)


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
