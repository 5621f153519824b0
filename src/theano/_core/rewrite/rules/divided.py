"""Where something is divided by exponentials: of most products it is known at once that none is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from theano._core.base import dtypes
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.broadcasting import Alloc
from theano._core.ops.array.creation import Join
from theano._core.ops.array.indexing import AdvancedSubtensor, PartialWrite, Subtensor
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.array.shaping import Rebroadcast, Reshape
from theano._core.ops.core.dimshuffle import DimShuffle
from theano._core.ops.elementwise.arithmetic import (
    add,
    mul,
    neg,
    reciprocal,
    sqr,
    sub,
    switch,
    true_div,
)
from theano._core.ops.elementwise.elementwise import Elementwise
from theano._core.ops.elementwise.transcendental import (
    cosh,
    exp,
    expm1,
    pow,
    sigmoid,
    sinh,
    softplus,
)
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.rules.products import Factors, flatten

ARITHMETIC = frozenset((add, mul, neg, pow, reciprocal, sqr, sub, switch, true_div))
EXPONENTIALS = frozenset((cosh, exp, expm1, sigmoid, sinh, softplus))
# Sums and products lie below these as they lie below arithmetic.
PLACED = (
    *(AdvancedSubtensor, Alloc, DimShuffle, Join, PartialWrite),
    *(Rebroadcast, Reduction, Require, Reshape, Subtensor),
)
Variables = frozenset[Variable] | None
NONE: frozenset[Variable] = frozenset()
# So many that it is not worth to tell them apart.
MANY = 16


def divided_factors(rewriter: Rewriter, product: Variable, behind: bool = True) -> Factors | None:
    """Return the factors of a product of floats, `behind` as of `flatten`; None if none is divided.

    By an exponential, or by what is made of some.
    """
    if not dtypes.is_float(product.type.dtype) or divisors(rewriter, product) == NONE:
        return None
    return flatten(product, behind)


def divisors(rewriter: Rewriter, variable: Variable) -> Variables:
    """Return the exponentials that are divided by in a product, and in the sums among its factors.

    None: many.
    """
    return _exponentials(rewriter, variable)[1]


def exponential(rewriter: Rewriter, variable: Variable) -> bool:
    """Tell whether a variable is made of exponentials."""
    return _exponentials(rewriter, variable)[0] != NONE


def share(rewriter: Rewriter, one: Variable, two: Variable) -> bool:
    """Tell whether two variables may be made of an exponential in common."""
    first, second = (_exponentials(rewriter, v)[0] for v in (one, two))
    return first is None or second is None or not first.isdisjoint(second)


def _exponentials(rewriter: Rewriter, variable: Variable) -> tuple[Variables, Variables]:
    """Return what a variable is made of, and what is divided by in it; None: many."""
    memo = rewriter.divided
    stack = [variable]
    while stack:
        value = stack[-1]
        node = value.owner
        if node is None or value in memo:
            memo.setdefault(value, (NONE, NONE))
        elif isinstance(node.op, Elementwise) and node.op not in ARITHMETIC:
            memo[value] = (frozenset([value]) if node.op in EXPONENTIALS else NONE), NONE
        elif not isinstance(node.op, (Elementwise, *PLACED)):
            memo[value] = NONE, NONE
        else:
            missing = [v for v in node.inputs if v not in memo]
            if missing:
                stack += missing
                continue
            memo[value] = _of(node, [memo[v] for v in node.inputs])
        stack.pop()
    return memo[variable]


def _of(node: Apply, inputs: Sequence[tuple[Variables, Variables]]) -> tuple[Variables, Variables]:
    made_of, divided_by = (_union(sets) for sets in zip(*inputs, strict=True))
    if node.op in (true_div, reciprocal):
        divided_by = _union((divided_by, inputs[-1][0]))
    return made_of, divided_by


def _union(sets: Iterable[Variables]) -> Variables:
    """Return the union of sets that hold something; None if it, or one of them, is large."""
    result = NONE
    for one in sets:
        if one is None or len(result) > MANY:
            return None
        result = result | one if result and one else result or one
    return None if len(result) > MANY else result
