"""Logarithms of quotients, sums and error functions that neither overflow nor lose digits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.base import dtypes
from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.broadcasting import known_value
from theano._core.ops.array.creation import Join
from theano._core.ops.array.index_form import Slice, shortened
from theano._core.ops.array.indexing import (
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    IncSubtensor,
    Subtensor,
)
from theano._core.ops.array.reductions import ArgExtreme, Reduction
from theano._core.ops.array.shaping import Reshape
from theano._core.ops.core.dimshuffle import DimShuffle, dimshuffle
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
from theano._core.ops.elementwise.transcendental import exp, log, pow, sigmoid
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Rules, wild
from theano._core.rewrite.rules.divided import NONE, divided_factors, divisors
from theano._core.rewrite.rules.exponentials import (
    along,
    is_positive,
    largest_of,
    like,
    sums_exponentials,
    without_axes,
)
from theano._core.rewrite.rules.products import ROOTS, Factors, build, flatten

RULES = Rules("stable")
rule, pattern = RULES.rule, RULES.pattern
x = wild("x")
# Operations that take and place items as they are.
PARTS = (AdvancedSubtensor, Subtensor, DimShuffle, Reshape)
# Sums in sums that a quotient is looked for in.
FEW_LEVELS = 4
OVERFLOW = "exp does not overflow"


def _quotient_of_exp(variable: Variable) -> tuple[Any, Any] | None:
    """Return (a, b) if a variable is exp(a) / b of one float dtype, else None."""
    if not made_by(variable, true_div) or not dtypes.is_float(variable.type.dtype):
        return None
    above, below = variable.owner.inputs
    power = _exponents(above)
    if power is None:
        return None
    same = power.type.dtype == below.type.dtype == variable.type.dtype
    return (power, below) if same else None


def _exponents(variable: Variable) -> Any:
    """Return a if a variable is exp(a), or that part of a of which it is a part of exp(a)."""
    node = variable.owner
    if node is None:
        return None
    if node.op is exp:
        return node.inputs[0]
    inside = node.inputs[0] if isinstance(node.op, PARTS) else None
    if inside is None or not made_by(inside, exp):
        return None
    return node.op(inside.owner.inputs[0], *node.inputs[1:])


@rule("log(exp(x) / y) → x - log(y)", on=log, keeps="nan", why=OVERFLOW)
def _log_of_quotient(rewriter: Rewriter, node: Apply) -> Any:
    """Also of some items of the quotient."""
    return _logarithm(node, of_sums=False)


@rule(
    "log(softmax(x)) → x - log(sum(exp(x)))",
    on=log,
    keeps="nan",
    why="it stays finite, and the softmax is not formed",
    phase="canonical",
)
def _log_of_softmax(rewriter: Rewriter, node: Apply) -> Any:
    """In FAST_COMPILE as well, as in Theano: programs train in it."""
    return _logarithm(node, of_sums=True)


def _logarithm(node: Apply, of_sums: bool) -> Any:
    """Return the logarithm of exp(x) / y, or of some of its items; with `of_sums`, y is reduced."""
    return _logarithm_of(node.inputs[0], of_sums)


def logarithm_of_items(value: Variable) -> Any:
    """Return the logarithm of some items of an exponential or a softmax; None of others."""
    return _logarithm_of(value, of_sums=True) if made_by(value, *PARTS) else None


def _logarithm_of(value: Variable, of_sums: bool) -> Any:
    quotient, chosen = behind_parts(value)
    parts = _quotient_of_exp(quotient)
    if parts is None or (of_sums and not made_by(without_axes(parts[1]), Reduction)):
        return None
    whole = _difference(*parts)
    return None if chosen and whole.type != quotient.type else part_of(whole, chosen)


def behind_parts(value: Variable) -> tuple[Any, list[Apply]]:
    """Return what a variable is chosen items of, and the nodes that choose them, the last first."""
    chosen: list[Apply] = []
    whole: Any = value
    while (part := made_by(whole, *PARTS)) is not None:
        chosen.append(part)
        whole = part.inputs[0]
    return whole, chosen


def part_of(whole: Any, chosen: Sequence[Apply]) -> Any:
    """Return the items of `whole` that nodes choose, of another variable of its type."""
    for part in reversed(chosen):
        whole = part.op(whole, *part.inputs[1:])
    return whole


@rule(
    "1 - sigmoid(x)[i] → sigmoid(-x)[i]",
    on=sub,
    needs=(sigmoid,),
    why="keeps digits for large x",
)
def _complement_of_items(rewriter: Rewriter, node: Apply) -> Any:
    """Also of a reshaped or transposed sigmoid, and of its square."""
    one, value = node.inputs
    if known_value(one) != 1 or value.type != node.outputs[0].type:
        return None
    whole, chosen = behind_parts(value)
    square = made_by(whole, sqr)
    own: Any = whole if square is None else square.inputs[0]
    inside = made_by(own, sigmoid)
    if not chosen or inside is None or not dtypes.is_float(inside.inputs[0].type.dtype):
        return None
    complement = sigmoid(-inside.inputs[0])
    return part_of(complement if square is None else complement * (1 + own), chosen)


def _difference(power: Variable, below: Variable) -> Any:
    """Return power - log(below); of a softmax both less the largest, so that no digits are lost."""
    total = without_axes(below)
    largest = largest_of(total)
    if (
        largest is None
        or total.owner.inputs[0].owner.inputs[0] is not power
        or not along(total, (below, total))
    ):
        return power - log(below)
    power = power - total.owner.op.expand(power, largest)
    return power - log(like(total.owner.op(exp(power)), below))


@rule(
    "inc(zeros, x / y[i], i) → inc(zeros, x, i) / y",
    on=(AdvancedIncSubtensor, IncSubtensor),
    keeps="nan",
    why="the softmax in the gradient of its logarithm cancels",
    phase="canonical",
)
def _write_of_quotient(rewriter: Rewriter, node: Apply) -> Any:
    """In the gradient of a logarithm of probabilities, what they are divided by then cancels."""
    zeros, value, *at = node.inputs
    # A basic index names no item twice.
    adds = not node.op.assign or isinstance(node.op, IncSubtensor)
    if not adds or known_value(zeros) != 0 or not dtypes.is_float(value.type.dtype):
        return None
    quotient = _divided_by(rewriter, value, node, at)
    if quotient is None:
        return None
    rest, whole, _ = quotient
    if whole.type != node.outputs[0].type or not rewriter.same_shape(whole, zeros):
        return None
    return node.op(zeros, rest, *at) / whole


# When all that cancels has done so.
@rule(
    "inc(zeros, x, i) / y → inc(zeros, x / y[i], i)",
    on=ROOTS,
    needs=(AdvancedIncSubtensor, IncSubtensor),
    keeps="nan",
    why="where nothing is written, y may be 0",
    phase="special",
)
def _write_divided(rewriter: Rewriter, node: Apply) -> Any:
    out = node.outputs[0]
    factors = flatten(out, False) if dtypes.is_float(out.type.dtype) else None
    if factors is None:
        return None
    for place, value in enumerate(factors.plus):
        write = made_by(value, AdvancedIncSubtensor, IncSubtensor)
        if write is None or known_value(write.inputs[0]) != 0:
            continue
        zeros, part, *at = write.inputs
        for below in [v for v in factors.minus if v.type == value.type and _may_vanish(v)]:
            divisor = _items_written(write, below)
            if part.type.ndim and not rewriter.same_shape(part, divisor):
                continue
            factors.minus.remove(below)
            factors.plus[place] = write.op(zeros, part / divisor, *at)
            return build(node, factors)
    return None


def _items_written(write: Apply, whole: Variable) -> Any:
    """Return the items of a variable in the places where another one is written to."""
    op, at = write.op, write.inputs[2:]
    if isinstance(op, IncSubtensor):
        return Subtensor(op.index)(whole, *at)
    return AdvancedSubtensor(op.axes)(whole, *at)


@rule(
    "y x^(y - 1) / x^y → y / x",
    on=ROOTS,
    needs=(pow,),
    keeps="nan",
    why="a power in the gradient of its logarithm cancels, which may be 0",
    phase="canonical",
)
def _quotient_of_powers(rewriter: Rewriter, node: Apply) -> Any:
    """For an x that is not 0: an exponential, or a probability made of one."""
    out = node.outputs[0]
    factors = flatten(out, False) if dtypes.is_float(out.type.dtype) else None
    if factors is None:
        return None
    powers = [v for v in factors.plus if made_by(v, pow)]
    for below in factors.minus if powers else ():
        if not made_by(below, pow) or not is_positive(below.owner.inputs[0]):
            continue
        x, y = below.owner.inputs
        for above in powers if y in factors.plus else ():
            if above.owner.inputs[0] is x and _is_less_one(above.owner.inputs[1], y):
                factors.plus.remove(above)
                factors.minus[factors.minus.index(below)] = x
                return build(node, factors)
    return None


def _is_less_one(exponent: Variable, y: Variable) -> bool:
    """Tell whether an exponent is y - (y ≠ 0): see the gradient of `pow`."""
    rest = made_by(exponent, sub)
    one = None if rest is None else made_by(rest.inputs[1], Elementwise)
    if rest is None or one is None or not one.op.is_cast:
        return False
    return rest.inputs[0] is one.inputs[0] is y and one.outputs[0].type.dtype == "bool"


def _divided_by(
    rewriter: Rewriter, value: Variable, node: Apply, at: list[Variable], levels: int = FEW_LEVELS
) -> tuple[Any, Any, Any] | None:
    """Return x, y and y[at] if `value` is x / y[at] for the entries that `node` writes, else None.

    Also of a sum with such a term, whose others are multiplied by that, and of products with one.
    """
    if made_by(value, add, sub):
        return _sum_divided_by(rewriter, value, node, at, levels - 1) if levels else None
    factors = flatten(value) if made_by(value, *ROOTS, switch, Require) else None
    if factors is None:
        return None
    for below in factors.minus:
        # Where it stands above the line as well, it cancels by itself.
        cancels = below in factors.plus
        whole = None if cancels else _whole_of(rewriter, below, node, at)
        if whole is not None and _may_vanish(whole):
            factors.minus.remove(below)
            return build(value.owner, factors), whole, below
    for place, above in enumerate(factors.plus):
        sums = made_by(above, add, sub)
        quotient = _divided_by(rewriter, above, node, at, levels) if sums else None
        if quotient is not None:
            factors.plus[place] = quotient[0]
            return build(value.owner, factors), *quotient[1:]
    return None


def _whole_of(rewriter: Rewriter, part: Variable, node: Apply, at: list[Variable]) -> Any:
    """Return what a variable has the items of that `node` writes; sigmoid(x) of sigmoid(x[i])."""
    chosen = _with_axes_dropped_first(part).owner
    if chosen is None:
        return None
    if chosen.op in (exp, sigmoid, neg):
        inner = _whole_of(rewriter, chosen.inputs[0], node, at)
        return None if inner is None else rewriter.one(chosen.op(inner))
    same = _reads(chosen.op, node.op)
    same = same and [*map(_unchecked, chosen.inputs[1:])] == [*map(_unchecked, at)]
    return chosen.inputs[0] if same else None


def _sum_divided_by(
    rewriter: Rewriter, value: Variable, node: Apply, at: list[Variable], levels: int
) -> Any:
    terms = list(value.owner.inputs)
    for place, term in enumerate(terms):
        quotient = _divided_by(rewriter, term, node, at, levels)
        if quotient is not None and quotient[2].type == value.type:
            part = quotient[2]
            terms = [quotient[0] if n == place else t * part for n, t in enumerate(terms)]
            return value.owner.op(*terms), *quotient[1:]
    return None


def _unchecked(variable: Variable) -> Variable:
    """Return what a variable is but for checks of its values."""
    while (node := made_by(variable, Require)) is not None:
        variable = node.inputs[0]
    return variable


def _with_axes_dropped_first(part: Variable) -> Any:
    """Return x[i] without axes of one item as part of x without them; others as they are."""
    view = made_by(part, DimShuffle)
    chosen = None if view is None else made_by(view.inputs[0], Subtensor)
    if view is None or chosen is None:
        return part
    (x, *at), kept = chosen.inputs, view.op.new_order
    index = [*chosen.op.index, *[Slice()] * (x.type.ndim - len(chosen.op.index))]
    axes = [axis for axis, entry in enumerate(index) if isinstance(entry, Slice)]
    dropped = {axis for place, axis in enumerate(axes) if place not in kept}
    if kept != tuple(p for p in range(len(axes)) if p in kept) or any(
        index[axis] != Slice() for axis in dropped
    ):
        return part
    whole = dimshuffle(x, [axis for axis in range(x.type.ndim) if axis not in dropped])
    rest = tuple(entry for axis, entry in enumerate(index) if axis not in dropped)
    return Subtensor(shortened(rest))(whole, *at)


def _may_vanish(variable: Variable) -> bool:
    """Tell whether a variable is an exponential, or made of some, in whatever shape."""
    value: Any = without_axes(variable)
    while made_by(value, Reshape):
        value = without_axes(value.owner.inputs[0])
    if is_positive(value) or _quotient_of_exp(value) is not None:
        return True
    return vanishes(value) and not _is_difference(value)


def _is_difference(value: Variable) -> bool:
    node = made_by(value, add, sub, Join)
    if node is None:
        return made_by(value, neg) is not None
    return node.op is sub or any(map(_is_difference, node.inputs))


def vanishes(value: Variable) -> bool:
    """Tell whether a variable sums or joins products with exponentials, which are 0 by rounding."""
    node = made_by(value, add, sub, Join)
    if node is None or not dtypes.is_float(value.type.dtype):
        return False
    return any(vanishes(v) or _has_exponential(v) for v in node.inputs)


def _has_exponential(value: Variable) -> bool:
    factors = flatten(without_axes(value))
    return factors is not None and any(map(_is_exponential, factors.plus))


def _is_exponential(factor: Variable) -> bool:
    factor = without_axes(factor)
    total = made_by(factor, Reduction)
    whole = factor if total is None or total.op.kind != "sum" else total.inputs[0]
    return made_by(whole, exp, sigmoid) is not None


def _reads(op: Any, write: Any) -> bool:
    """Tell whether an operation takes the items that another one writes."""
    if isinstance(write, IncSubtensor):
        return isinstance(op, Subtensor) and shortened(op.index) == shortened(write.index)
    return isinstance(op, AdvancedSubtensor) and op.axes == write.axes


@rule(
    "reshape(x / reshape(y)) → reshape(x) / y, (x / y.T).T → x.T / y",
    on=(Reshape, DimShuffle),
    keeps="nan",
    why="the softmax in the gradient of its logarithm cancels",
    phase="canonical",
)
def _placed_quotient(rewriter: Rewriter, node: Apply) -> Any:
    """For shapings that undo each other; also of sums with such quotients."""
    value = node.inputs[0]
    if made_by(value, neg) and made_by(value.owner.inputs[0], add, sub):
        placed = _placed_sum(rewriter, node, value.owner.inputs[0])
        return None if placed is None else -placed
    if made_by(value, add, sub):
        return _placed_sum(rewriter, node, value)
    quotient = _placed(rewriter, node, value)
    if quotient is None:
        return None
    factors, below = quotient
    return node.op(build(value.owner, factors), *node.inputs[1:]) / below.owner.inputs[0]


def _placed_sum(rewriter: Rewriter, node: Apply, value: Variable) -> Any:
    """Return the sum of what `node` makes of each term, if it shapes one back that is divided."""
    terms = value.owner.inputs if divisors(rewriter, value) != NONE else ()
    alike = all(v.type == value.type for v in terms)
    if not alike or not any(_placed(rewriter, node, v) for v in terms):
        return None
    return value.owner.op(*(node.op(v, *node.inputs[1:]) for v in terms))


def _placed(rewriter: Rewriter, node: Apply, value: Variable) -> tuple[Factors, Any] | None:
    """Return a quotient without what divides it, and that, if `node` undoes the shaping of it."""
    factors = divided_factors(rewriter, value, False) if made_by(value, *ROOTS) else None
    if factors is None:
        return None
    for below in factors.minus:
        if below.type == value.type and _undoes(rewriter, node, below):
            factors.minus.remove(below)
            return factors, below
    return None


def _undoes(rewriter: Rewriter, node: Apply, shaped: Variable) -> bool:
    """Tell whether a shaping would give back what a variable is shaped of."""
    shaping, out = shaped.owner, node.outputs[0]
    if shaping is None or type(shaping.op) is not type(node.op):
        return False
    whole = shaping.inputs[0]
    if whole.type != out.type or not rewriter.same_shape(whole, out):
        return False
    if isinstance(node.op, Reshape):
        return True
    # An axis that is added has one item, as that has which was left away in its place.
    order = enumerate(node.op.new_order)
    return all(axis == "x" or shaping.op.new_order[axis] == place for place, axis in order)


@rule(
    "(x / sum(exp(y)))[:, None] → x[:, None] / sum(exp(y))[:, None]",
    on=DimShuffle,
    needs=(exp,),
    keeps="nan",
    why="what is multiplied with it is divided by the sum, which may cancel",
    phase="canonical",
)
def _quotient_with_axes(rewriter: Rewriter, node: Apply) -> Any:
    """Also of products with such sums."""
    order, product = node.op.new_order, made_by(node.inputs[0], mul, reciprocal, true_div)
    if product is None or "x" not in order:
        return None
    if not any(map(sums_exponentials, product.inputs)):
        return None
    return product.op(*(dimshuffle(v, order) for v in product.inputs))


@rule(
    "x (1 / sum(exp(y))) → x / sum(exp(y))",
    on=mul,
    needs=(exp,),
    keeps="nan",
    why="a softmax is found",
    phase="canonical",
)
def _product_with_inverse(rewriter: Rewriter, node: Apply) -> Any:
    for value, other in (node.inputs, node.inputs[::-1]):
        inverse = made_by(value, reciprocal)
        if inverse is not None and sums_exponentials(inverse.inputs[0]):
            return true_div(other, inverse.inputs[0])
    return None


@rule("argmax(softmax(x)) → argmax(x)", on=ArgExtreme, why="the softmax is not formed")
def _argmax_of_softmax(rewriter: Rewriter, node: Apply) -> Any:
    """Also argmax(x - m) → argmax(x), for an m along its axes."""
    value = node.inputs[0]
    axes = node.op.axis if isinstance(node.op.axis, tuple) else (node.op.axis,)
    if axes == (None,) or not dtypes.is_float(value.type.dtype):
        return None
    parts = _quotient_of_exp(value)
    if parts is not None:
        power, below = parts
        total = _reduction(below)
        if (
            total is not None
            and total.op.kind == "sum"
            and made_by(total.inputs[0], exp)
            and all(below.type.broadcastable[a] for a in axes)
            and power.type == value.type
        ):
            return node.op(power, return_list=True)
    if made_by(value, sub):
        first, second = value.owner.inputs
        largest = _reduction(second)
        if (
            largest is not None
            and all(second.type.broadcastable[a] for a in axes)
            and first.type == value.type
            and largest.inputs[0] is first
        ):
            return node.op(first, return_list=True)
    return None


def _reduction(variable: Variable) -> Apply | None:
    """Return the reduction that a variable is, axes added to it left out."""
    node = made_by(variable, DimShuffle)
    return made_by(variable if node is None else node.inputs[0], Reduction)
