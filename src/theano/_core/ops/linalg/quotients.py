"""Quotients by differences and sums of eigenvalues or singular values, where these may be zero.

The derivative of eigenvectors divides by the differences of eigenvalues, and that of singular
vectors by their sums too, and by themselves. A function of the matrix that is smooth where some of
them are equal, such as V f(w) V^H, has numerators there that are zero as well, and the quotient has
a limit, such as f'(w). It is found by moving all eigenvalues at once along a direction in which no
two keep their distance, with the vectors held fixed. Along it, let N(t) be a numerator and g(t) its
gap. As N is zero where g is, after Taylor, with t = g / g' the way back to there,

    N / g = (N' - t N'' / 2) / g' + O(t^2),

which holds in the first derivative too. So this takes the place of N / g where it agrees with that
as well as N is known, after rounding.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base import dtypes
from theano._core.base.errors import MethodNotDefined, NullTypeGradError
from theano._core.base.records import Record
from theano._core.ir.graph import ancestors, copy_graph, toposort
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.array.creation import iota
from theano._core.ops.array.gradient import DisconnectedGrad
from theano._core.ops.array.reductions import reduce
from theano._core.ops.array.shaping import length
from theano._core.ops.control.body import Body
from theano._core.ops.control.branch import IfElse
from theano._core.ops.control.deferred import Deferred
from theano._core.ops.control.inner_graph import InnerGraph
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.fill import full_like, second, zeros_like_float
from theano._core.ops.core.op import as_variable
from theano._core.ops.elementwise.arithmetic import add, eq, neq, or_, sqr, switch, true_div as div
from theano._core.ops.elementwise.elementwise import cast
from theano._core.ops.elementwise.transcendental import sqrt
from theano._core.ops.linalg.matrices import (
    MatrixOp,
    as_column,
    as_row,
    half,
    scalar_of_stack,
    zero,
)

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike

Forward = Callable[[Sequence[Any], Mapping[Any, Any]], list[Any]]


_still = DisconnectedGrad()


class Gaps(Record):
    """What numerators are divided by.

    Attributes
    ----------
    value : variable
    slope : variable
        How it changes along the direction: the k-th value grows by k, counted from 1.
    near : variable
        Where it is so small that numerators are known to a few digits only.
    zero : variable
        Where it is zero but for rounding.
    size : variable
        The size of the values.
    """

    value: Any
    slope: Any
    near: Any
    zero: Any
    size: Any


def differences(w: Variable) -> Gaps:
    """Return the gaps w_j - w_i; they are 1 on the diagonal, where numerators must be zero."""
    rows, columns = _numbers(w)
    same = eq(rows, columns)
    value = switch(same, _one(w), as_row(w) - as_column(w))
    slope = switch(same, as_variable(np.int64(1)), columns - rows)
    return _gaps(w, value, slope, neq(rows, columns))


def sums(w: Variable) -> Gaps:
    """Return the gaps w_j + w_i."""
    rows, columns = _numbers(w)
    return _gaps(w, as_row(w) + as_column(w), rows + columns)


def themselves(w: Variable) -> Gaps:
    """Return the gaps w_j, as one row."""
    return _gaps(w, as_row(w), _numbers(w)[1])


def _gaps(w: Variable, value: Variable, slope: TensorLike, there: Variable | None = None) -> Gaps:
    size, modulus = _length_of(modulus_of(w)), modulus_of(value)
    near, zero = (modulus <= _number(w, f) * size for f in (_few(w), 8 * _eps(w)))
    if there is not None:
        near, zero = there & near, there & zero
    return Gaps(value, cast(slope, dtypes.real_of(w.type.dtype)), near, zero, size)


def _length_of(w: Variable) -> Any:
    """Return the lengths of vectors; squares neither overflow nor vanish."""
    axis = (w.type.ndim - 1,)
    total = scalar_of_stack(reduce("sum", w, axis))
    unit = switch(total > zero(total), total, _one(total))
    parts = reduce("sum", sqr(div(as_row(w), unit)), (w.type.ndim - 1, w.type.ndim))
    return unit * sqrt(scalar_of_stack(parts))


def _count(w: Variable) -> Any:
    """Return 1, 2 and so on along the last axis."""
    count = iota(length(w, w.type.ndim - 1)) + as_variable(np.int64(1))
    return dimshuffle(count, [*["x"] * (w.type.ndim - 1), 0])


def _numbers(w: Variable) -> tuple[Any, Any]:
    return as_column(_count(w)), as_row(_count(w))


def _eps(w: Variable) -> float:
    return float(np.finfo(w.type.dtype).eps)


def _few(w: Variable) -> float:
    """Return the part at which a quotient and its limit are about as exact."""
    return _eps(w) ** (1 / 3) / 8


def _number(w: Variable, value: float) -> Any:
    return as_variable(np.asarray(value, dtypes.real_of(w.type.dtype)))


def _one(w: Variable) -> Any:
    return as_variable(np.ones((), w.type.dtype))


class Quotient(Record):
    """What is to be divided.

    Attributes
    ----------
    over : variable
        The numerator.
    gaps : Gaps
    scale : variable
        The size of what was added up in the numerator.
    alone : bool
        Whether the numerator may be zero whatever the values are.
    """

    over: Any
    gaps: Gaps
    scale: Any
    alone: bool = False

    @property
    def near(self) -> Any:
        """Where it may be worth knowing the limit."""
        if self.alone:
            return self.gaps.near
        most = _number(self.over, _few(self.over)) * self.scale
        # Next to what is added to them, all values may be near to each other.
        together = (size_of(self.over) <= most) & (self.scale > _number(self.over, 0.0))
        return self.gaps.near | together

    def value(self, limit: Variable | None = None) -> Any:
        """Return the quotient; `limit` is None if the numerator does not move.

        A gap that is zero but for rounding, under a numerator that is not, gives what is not
        finite: there is no derivative.
        """
        over, gaps, scale, residue = self.over, self.gaps, self.scale, self.over
        if limit is None:
            limit = zeros_like_float(over)
        else:
            residue = over - limit * gaps.value
            # As the values are not exact, numerators are not either.
            scale = scale + gaps.size * size_of(limit)
        eps = _eps(over)
        allowed = switch(gaps.zero, _number(over, eps**0.5), _number(over, 16 * eps))
        agrees = self.near & (modulus_of(residue) <= allowed * scale)
        gap = switch(gaps.zero, zero(gaps.value), gaps.value)
        return switch(agrees, limit, div(over, switch(agrees, _one(gap), gap)))


def values_of(quotients: Sequence[Quotient], limits: Sequence[Variable]) -> list[Any]:
    """Return the value of each quotient; without limits, numerators do not move."""
    limit_values = limits or [None] * len(quotients)
    return [q.value(limit) for q, limit in zip(quotients, limit_values, strict=True)]


def modulus_of(x: Variable) -> Any:
    """Return moduli, for conditions only: no derivative goes through them."""
    return abs(_still(x))


def size_of(*matrices: Any) -> Any:
    """Return the sum of the moduli of all items, of each matrix of a stack."""
    parts = [reduce("sum", modulus_of(x), (x.type.ndim - 2, x.type.ndim - 1)) for x in matrices]
    return scalar_of_stack(functools.reduce(add, parts))


class SpectralOp(MatrixOp):
    """Base of operations that give the eigenvalues or singular values of a matrix."""

    has_limits = True
    # The triangle that is read; None: all.
    UPLO: str | None = None

    def values(self, node: Apply) -> Any:
        """Return the output with the values."""
        return node.outputs[0]

    def quotients(self, node: Apply, cotangents: Sequence[Variable | None]) -> list[Quotient]:
        """Return the quotients that the reverse rule needs.

        Their numerators are linear in the cotangents, and do not depend on the values.
        """
        raise NotImplementedError

    def limits(
        self, node: Apply, cotangents: Sequence[Variable | None], forward: Forward
    ) -> list[Any]:
        """Return the limit of each quotient, computed only if a gap is near zero.

        Nothing is returned if the cotangents do not depend on the values, and NaN if it is not
        known whether they do: in the body of a loop that gives the vectors to the outside.
        """
        values = _values(node, [g for g in cotangents if g is not None])
        vectors = [
            g
            for v, g in zip(node.outputs, cotangents, strict=True)
            if v is not values[0] and g is not None
        ]
        if any(getattr(g.tag, "from_outside", False) for g in vectors):
            parts = self.quotients(node, cotangents)
            return [full_like(part.over, np.nan, part.over.type.dtype) for part in parts]
        moved = _moved(values, vectors, node.outputs)
        if moved.isdisjoint(vectors):
            return []
        fixed = _fixed(moved, vectors, [*values, *node.outputs])
        inputs = list(dict.fromkeys([*values, *node.outputs, *node.inputs, *fixed]))
        parts = self.quotients(node, cotangents)
        over = [part.over for part in parts]
        rest = [v for part in parts for v in (part.gaps.value, part.gaps.slope)]
        # The numerators are there for their shapes: they are computed again.
        shapes = [v.type.make_variable() for v in over]
        body = _body([*shapes, *inputs], [*over, *rest])
        make = partial(_limits, body, len(over), len(values), forward)
        deferred = Deferred(make, range(len(over))).make_node(*over, *inputs).outputs
        some = functools.reduce(or_, [reduce("any", part.near) for part in parts])
        zeros = [zeros_like_float(v) for v in over]
        outputs = IfElse(len(over))(some, *deferred, *zeros, return_list=True)
        inputs = list(dict.fromkeys([*inputs, *vectors]))
        return InnerGraph(_body(inputs, outputs), "Limits").make_node(*inputs).outputs


def _body(inputs: Sequence[Variable], outputs: Sequence[Variable]) -> Body:
    """Return what computes the outputs, over variables that are nothing but inputs."""
    inside = [v.type.make_variable() for v in inputs]
    return Body(inside, copy_graph(outputs, dict(zip(inputs, inside, strict=True))))


def _limits(body: Body, count: int, n_values: int, forward: Forward) -> Body:
    """Return the body that has the limits of quotients.

    Parameters
    ----------
    body : Body
        Its outputs are numerators, then pairs of a gap and its slope; its inputs are some with the
        shapes of the numerators, then values, then others.
    count, n_values : int
        How many numerators and values.
    forward : callable
    """
    over, rest = body.outputs[:count], body.outputs[count:]
    values = body.inputs[count : count + n_values]
    tangents = {w: second(w, cast(_count(w), w.type.dtype)) for w in values}
    try:
        once = forward(over, tangents)
        moving = [v for v in once if v is not None]
        again = dict(zip(moving, forward(moving, tangents), strict=True))
    except (NotImplementedError, AttributeError, MethodNotDefined, NullTypeGradError):
        # An operation on the way, perhaps a user's, has no such derivative.
        return Body(body.inputs, [full_like(v, np.nan, v.type.dtype) for v in over])
    limits = []
    for v, first, gap, slope in zip(over, once, rest[::2], rest[1::2], strict=True):
        twice = again.get(first)
        if twice is not None:
            first = first - half(div(gap, slope)) * twice
        limits.append(zeros_like_float(v) if first is None else div(first, slope))
    return Body(body.inputs, limits)


def _moved(
    values: Sequence[Variable], roots: Sequence[Variable], ends: Sequence[Variable]
) -> set[Any]:
    """Return what depends on `values` of all that `roots` need, not through `ends`."""
    moved = set(values)
    for node in toposort(roots, [*values, *ends]):
        if not moved.isdisjoint(node.inputs):
            moved.update(node.outputs)
    return moved


def _fixed(moved: set[Variable], roots: Sequence[Variable], ends: Sequence[Variable]) -> list[Any]:
    """Return what does not move, but is needed to compute `roots` from what does."""
    fixed = [v for v in roots if v not in moved]
    for node in toposort(roots, ends):
        if not moved.isdisjoint(node.outputs):
            fixed += [v for v in node.inputs if v not in moved and not isinstance(v, Constant)]
    return fixed


def _values(node: Apply, roots: Sequence[Variable]) -> list[Any]:
    """Return the values of all nodes to the same matrix that `roots` depend on."""
    values = [node.op.values(node)]
    for v in ancestors(roots):
        other = v.owner
        if other is None or type(other.op) is not type(node.op) or v in values:
            continue
        same = other.inputs[0] is node.inputs[0] and other.op.UPLO == node.op.UPLO
        if same and v is other.op.values(other):
            values.append(v)
    return values
