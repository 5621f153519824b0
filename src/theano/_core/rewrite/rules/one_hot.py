"""Vectors, and rows of matrices, with a number in one place and zeros elsewhere: products pick.

As with diagonals, what a zero is multiplied by does not count, infinite or NaN as it may be.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from operator import is_
from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.base.records import Record
from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.broadcasting import alloc, known_value
from theano._core.ops.array.creation import ARange, Eye, iota
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.index_form import Slice
from theano._core.ops.array.indexing import (
    AT,
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    IncSubtensor,
    Subtensor,
    gather,
    scatter_add,
)
from theano._core.ops.array.products import Dot
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.core.dimshuffle import DimShuffle, dimshuffle, transpose_of
from theano._core.ops.core.op import as_variable, python_int
from theano._core.ops.elementwise.arithmetic import (
    add,
    and_,
    eq,
    ge,
    lt,
    maximum,
    minimum,
    mul,
    neg,
    sub,
    switch,
    true_div,
)
from theano._core.ops.elementwise.elementwise import Elementwise, cast
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Rules
from theano._core.rewrite.rules.flatten import number
from theano._core.rewrite.rules.products import Factors, flatten, masked

RULES = Rules("special")
rule = RULES.rule
MISMATCH = "Input dimension mis-match. (shape[{}])"
# Functions in sequence through which what is picked is taken.
FEW_LEVELS = 8
# Rows of an identity matrix that is looked for among constants.
SMALL = 64


class OneHot(Record):
    """Where each row has its number, how long rows are, and the number.

    Positions that are no index are an error if they are `checked`; such a row has no number else.
    """

    positions: Any
    length: Any
    number: Any
    checked: bool


def one_hot(rewriter: Rewriter, variable: Variable) -> OneHot | None:
    """Return what a matrix is, if its rows have a number in one place each."""
    whole = variable
    while (node := made_by(whole, Elementwise)) is not None and node.op.is_cast:
        whole = node.inputs[0]
    if whole.type.ndim != 2 or any(whole.type.broadcastable):
        return None
    if made_by(whole, Eye) and _is_identity(rewriter, whole):
        rows = rewriter.shape(whole)[0]
        return OneHot(iota(rows), rows, as_variable(number(1, variable.type.dtype)), True)
    node = made_by(whole, AdvancedSubtensor, AdvancedIncSubtensor, eq)
    if node is None:
        return None
    if node.op is eq:
        return _equal(rewriter, node)
    written = isinstance(node.op, AdvancedIncSubtensor)
    matrix = (_set if written else _row_of_identity)(rewriter, node)
    # Of other numbers than 1, casts may leave something else.
    same = matrix is None or whole is variable or known_value(matrix.number) == 1
    return matrix if same else None


def _set(rewriter: Rewriter, node: Apply) -> OneHot | None:
    """For zeros[arange(n), i] set to a number, or increased by it."""
    if tuple(node.op.axes) != (AT, AT) or known_value(node.inputs[0]) != 0:
        return None
    zeros, value, rows, positions = node.inputs
    count, length = rewriter.shape(zeros)
    if not _counts(rewriter, rows, count) or not _suits(rewriter, positions, count):
        return None
    if not all(value.type.broadcastable):
        return None
    return OneHot(positions, length, dimshuffle(value, ()) if value.type.ndim else value, True)


def _row_of_identity(rewriter: Rewriter, node: Apply) -> OneHot | None:
    """For eye(n)[i]."""
    eye, *positions = node.inputs
    if tuple(node.op.axes) != (AT,) or positions[0].type.broadcastable != (False,):
        return None
    if not _is_identity(rewriter, eye):
        return None
    one = as_variable(number(1, eye.type.dtype))
    return OneHot(positions[0], rewriter.shape(eye)[1], one, True)


def _is_identity(rewriter: Rewriter, variable: Variable) -> bool:
    """Tell whether a matrix is an identity matrix, computed or known."""
    if variable.type.ndim != 2:
        return False
    rows, columns = rewriter.shape(variable)
    if not (rows is columns or rows == columns):
        return False
    if isinstance(variable, Constant):
        # Larger ones are not computed before the function runs.
        return rows <= SMALL and bool((variable.data == np.eye(rows)).all())
    node = made_by(variable, Eye)
    return node is not None and python_int(node.inputs[2]) == 0


def _equal(rewriter: Rewriter, node: Apply) -> OneHot | None:
    """For i[:, None] == arange(n)."""
    views = [made_by(v, DimShuffle) for v in node.inputs]
    for column, row in (views, views[::-1]):
        if column is None or row is None:
            continue
        if (column.op.new_order, row.op.new_order) != ((0, "x"), ("x", 0)):
            continue
        positions, places = column.inputs[0], row.inputs[0]
        length = rewriter.shape(places)[0]
        # Of rows of nothing no item can be read.
        if not isinstance(length, int) or not length or not _counts(rewriter, places, length):
            return None
        if positions.type.dtype in ("bool", "uint64") or not dtypes.is_discrete(
            positions.type.dtype
        ):
            return None
        return OneHot(positions, length, as_variable(number(1, "int8")), False)
    return None


def _counts(rewriter: Rewriter, index: Variable, length: Variable | int) -> bool:
    """Tell whether an index is 0, 1, 2 and so on up to a length."""
    node = made_by(index, ARange)
    if node is None or python_int(node.inputs[0]) != 0 or python_int(node.inputs[2]) != 1:
        return False
    own = rewriter.shape(index)[0]
    return node.inputs[1] is length or own is length or own == length


def _suits(rewriter: Rewriter, positions: Variable, count: Variable | int) -> bool:
    own = rewriter.shape(positions) if positions.type.broadcastable == (False,) else (None,)
    return own[0] is count or own[0] == count


def _times(value: Variable, factor: Variable, dtype: str) -> Any:
    """Return a product with a number, which is 1 as a rule."""
    value = cast(value, dtype)
    if known_value(factor) == 1:
        return value
    return mul(value, cast(dimshuffle(factor, ["x"] * value.type.ndim), dtype))


def _picked(matrix: OneHot, read: Callable[[Any], Any]) -> Any:
    """Return what `read` gives of positions; zeros where these are not checked and no index."""
    positions = matrix.positions
    if matrix.checked:
        return read(positions)
    last = number(matrix.length - 1, "int64")
    positions = cast(positions, "int64")
    picked = read(minimum(maximum(positions, number(0, "int64")), last))
    inside = and_(ge(positions, number(0, "int64")), lt(positions, number(matrix.length, "int64")))
    inside = dimshuffle(inside, [0, *["x"] * (picked.type.ndim - 1)])
    return switch(inside, picked, number(0, picked.type.dtype))


def _fitting(
    value: Variable, one: Variable | int, two: Variable | int, text: str = "dot: shapes do not fit"
) -> Any:
    """Return a value that is there if two lengths are equal."""
    if one is two or one == two:
        return value
    facts = as_int64(one), as_int64(two)
    return Require(f"{text}: {{}}, {{}}", 2)(value, *facts, eq(*facts))


@rule("dot(one_hot(i), x) → x[i]", on=Dot, keeps="nan", why="a row is picked, not multiplied")
def _rows_picked(rewriter: Rewriter, node: Apply) -> Any:
    x, y = node.inputs
    matrix = one_hot(rewriter, x)
    if matrix is None:
        return None
    y = _fitting(y, rewriter.shape(y)[0], matrix.length)
    picked = _picked(matrix, lambda positions: gather(y, positions))
    return _times(picked, matrix.number, node.outputs[0].type.dtype)


@rule(
    "dot(one_hot(i).T, x) → zeros with x added at i",
    on=Dot,
    keeps="nan",
    why="a row is added, not multiplied",
)
def _rows_added(rewriter: Rewriter, node: Apply) -> Any:
    """For positions that are checked."""
    x, y = node.inputs
    whole = transpose_of(x)
    matrix = None if whole is None else one_hot(rewriter, whole)
    if matrix is None or not matrix.checked or y.type.broadcastable[0]:
        return None
    rows = rewriter.shape(y)
    y = _fitting(y, rows[0], rewriter.shape(matrix.positions)[0])
    dtype = node.outputs[0].type.dtype
    zeros = alloc(number(0, dtype), matrix.length, *rows[1:])
    return scatter_add(zeros, _times(y, matrix.number, dtype), matrix.positions)


@rule(
    "sum(one_hot(i) x, axis=1) → x[arange(n), i]",
    on=Reduction,
    keeps="nan",
    why="one item of each row is computed",
)
def _items_picked(rewriter: Rewriter, node: Apply) -> Any:
    """Also the sum of everything."""
    value = node.inputs[0]
    if node.op.kind != "sum" or value.type.ndim != 2 or any(value.type.broadcastable):
        return None
    axes, negative = tuple(node.op.axes(2)), made_by(value, neg) is not None
    if 1 not in axes:
        return None
    factors = _factors(rewriter, value.owner.inputs[0] if negative else value)
    for place, factor in enumerate(factors):
        matrix = one_hot(rewriter, factor)
        others = factors[:place] + factors[place + 1 :]
        # Of numbers there is nothing to pick, and one would stand for all rows.
        if matrix is None or all(all(v.type.broadcastable) for v in others):
            continue
        picked = _product_picked(rewriter, matrix, factor, others, value.type.dtype)
        picked = neg(picked) if negative else picked
        if 0 in axes:
            return Reduction("sum", (0,), *node.op.asked)(picked)
        return cast(picked, node.outputs[0].type.dtype)
    return None


def _product_picked(
    rewriter: Rewriter, matrix: OneHot, whole: Variable, others: list[Any], dtype: str
) -> Any:
    """Return the items of a product with a one-hot matrix that are not 0, row by row."""
    own = rewriter.shape(whole)
    for axis, v in ((axis, v) for v in others for axis in range(2)):
        if not v.type.broadcastable[axis]:
            lengths = own[axis], rewriter.shape(v)[axis]
            positions = _fitting(matrix.positions, *lengths, MISMATCH.format(axis))
            matrix = matrix.replace(positions=positions)

    def read(positions: Any) -> Any:
        rows = iota(own[0])
        items = [_items(rewriter, v, rows, positions, FEW_LEVELS) for v in others]
        return reduce(mul, items)

    return _times(_picked(matrix, read), matrix.number, dtype)


def _factors(rewriter: Rewriter, value: Variable) -> list[Any]:
    """Return the factors of a product that nothing else needs."""
    factors, waiting = [], [value]
    while waiting:
        factor = waiting.pop()
        node = made_by(factor, mul)
        used = rewriter.uses.get(factor, 0) > 1 and factor is not value
        if node is None or used or factor.type.dtype != value.type.dtype:
            factors.append(factor)
        else:
            waiting += reversed(node.inputs)
    return factors


def _broadcasts(rewriter: Rewriter, value: Variable, whole: Variable) -> bool:
    """Tell whether a matrix has the lengths of another one, but for axes that it lacks."""
    return value.type.ndim == 2 and all(
        one or n is own or n == own
        for one, n, own in zip(
            value.type.broadcastable, rewriter.shape(value), rewriter.shape(whole), strict=True
        )
    )


def _items(
    rewriter: Rewriter, value: Variable, rows: Variable, positions: Variable, levels: int
) -> Any:
    """Return the items of a matrix in rows at positions: computed by themselves if they can be."""
    pattern = value.type.broadcastable
    if all(pattern):
        return dimshuffle(value, ("x",))
    node = made_by(value, Elementwise)
    if node is not None and levels and rewriter.uses.get(value, 0) <= 1:
        if all(_broadcasts(rewriter, v, value) for v in node.inputs):
            return node.op(*(_items(rewriter, v, rows, positions, levels - 1) for v in node.inputs))
    if pattern[1]:
        return dimshuffle(value, (0,))
    return (
        gather(dimshuffle(value, (1,)), positions) if pattern[0] else gather(value, rows, positions)
    )


# -- gradients of one item, as in rows of Jacobians ------------------------------------------------


class Place(Record):
    """A place in vectors of one length, as what writes to it names it."""

    write: Apply
    length: Any

    def read(self, rewriter: Rewriter, rows: Variable) -> Any:
        """Return the item of a vector, or the row of a matrix; a number is itself."""
        if rows.type.ndim < 2 and all(rows.type.broadcastable):
            return dimshuffle(rows, ())
        rows = _fitting(rows, rewriter.shape(rows)[0], self.length, MISMATCH.format(0))
        return Subtensor(self.write.op.index)(rows, *self.write.inputs[2:])

    def is_of(self, other: Place) -> bool:
        """Tell whether it is the same as another one."""
        same = self.write.op.index == other.write.op.index and self.length is other.length
        return same and all(map(is_, self.write.inputs[2:], other.write.inputs[2:]))


def one_item(
    rewriter: Rewriter, vector: Variable, levels: int = FEW_LEVELS
) -> tuple[Place, Any] | None:
    """Return the place of the only item of a vector that is not 0, and that item.

    Such are zeros of which one is increased, products with them, and sums of such.
    """
    if vector.type.broadcastable != (False,) or not dtypes.is_float(vector.type.dtype):
        return None
    factors = (flatten(vector) if levels else None) or Factors()
    for index, factor in enumerate(factors.plus):
        node = factor.owner if factor.type == vector.type else None
        single = node and (
            _written(rewriter, node)
            or _sum_at(rewriter, node, levels - 1)
            or _choice_at(rewriter, node, levels - 1)
        )
        if single:
            place, item = single
            del factors.plus[index]
            return place, _times_items(rewriter, place, item, factors)
    return None


def _written(rewriter: Rewriter, node: Apply) -> tuple[Place, Any] | None:
    """Return the place and the number for zeros of which one is increased."""
    if not isinstance(node.op, IncSubtensor) or not adds_to_item(node):
        return None
    zeros, item = node.inputs[:2]
    if known_value(zeros) != 0:
        return None
    return Place(node, rewriter.shape(zeros)[0]), cast(item, zeros.type.dtype)


def _sum_at(rewriter: Rewriter, node: Apply, levels: int) -> tuple[Place, Any] | None:
    """Return the place and the item of a sum of vectors that have items in the same place."""
    if node.op is not add and node.op is not sub:
        return None
    terms = [term for v in node.inputs if (term := one_item(rewriter, v, levels)) is not None]
    place = terms[0][0] if len(terms) == len(node.inputs) else None
    if place is None or not all(other.is_of(place) for other, _ in terms):
        return None
    return place, node.op(*(item for _, item in terms))


def _choice_at(rewriter: Rewriter, node: Apply, levels: int) -> tuple[Place, Any] | None:
    """Return the place and the item of a vector, or zeros where a condition says so."""
    zero = [known_value(v) == 0 for v in node.inputs[1:]] if node.op is switch else []
    if zero not in ([True, False], [False, True]):
        return None
    chosen = one_item(rewriter, node.inputs[1 + zero[0]], levels)
    if chosen is None:
        return None
    place, item = chosen
    return place, masked(item, place.read(rewriter, node.inputs[0]), zero[1])


def _times_items(rewriter: Rewriter, place: Place, item: Any, factors: Factors) -> Any:
    """Return an item of a vector, times those of the others in a product."""
    read = partial(place.read, rewriter)
    masks = [condition for condition, _ in factors.masks]
    # That there is such a place is checked where another vector is read, or the zeros.
    if all(all(v.type.broadcastable) for v in (*factors.plus, *factors.minus, *masks)):
        item = read(place.write.inputs[0]) + item
    item = reduce(mul, map(read, factors.plus), item)
    if factors.minus:
        item = true_div(item, reduce(mul, map(read, factors.minus)))
    item = neg(item) if factors.negative else item
    for condition, holds in factors.masks:
        item = masked(item, read(condition), holds)
    return item


def adds_to_item(write: Apply) -> bool:
    """Tell whether a write adds to one item of a vector."""
    index = write.op.index
    one = write.outputs[0].type.ndim == len(index) == 1 and not isinstance(index[0], Slice)
    return one and not write.op.assign


@rule(
    "sum(inc(zeros, x, i) y) → x y[i]",
    on=Reduction,
    needs=(IncSubtensor,),
    keeps="nan",
    why="one item is computed",
    phase="canonical",
)
def _sum_of_one_item(rewriter: Rewriter, node: Apply) -> Any:
    """Before loops, as of Jacobians, have their zeros made outside."""
    single = one_item(rewriter, node.inputs[0]) if node.op.kind == "sum" else None
    return None if single is None else cast(single[1], node.outputs[0].type.dtype)


@rule(
    "dot(x, inc(zeros, y, i)) → x[:, i] y",
    on=Dot,
    needs=(IncSubtensor,),
    keeps="nan",
    why="one column is read",
    phase="canonical",
)
def _product_with_one_item(rewriter: Rewriter, node: Apply) -> Any:
    """Also of products with such, and dot(inc(zeros, y, i), x) → x[i] y."""
    x, y = node.inputs
    for vector, rows in ((y, dimshuffle(x, (1, 0)) if x.type.ndim == 2 else x), (x, y)):
        single = one_item(rewriter, vector)
        if single is not None:
            place, item = single
            return _times(place.read(rewriter, rows), item, node.outputs[0].type.dtype)
    return None
