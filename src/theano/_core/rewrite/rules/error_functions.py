"""Error functions, and what the normal distribution is made of them, with all their digits."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.broadcasting import known_value
from theano._core.ops.elementwise.arithmetic import add, maximum, mul, sqr, sub, switch
from theano._core.ops.elementwise.transcendental import exp, log, log1p
from theano._core.ops.special import erf, erfc, erfcx
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Rules
from theano._core.rewrite.rules.flatten import fitted, kept, number
from theano._core.rewrite.rules.products import ROOTS, Factors, build, flatten

RULES = Rules("stable")
rule = RULES.rule


@rule(
    "1 + erf(x) → erfc(-x)",
    on=(add, sub),
    needs=(erf, erfc),
    why="keeps digits",
)
def _whole_tail(rewriter: Rewriter, node: Apply) -> Any:
    """Also 1 - erf(x) → erfc(x), 1 - erfc(x) → erf(x), and their negatives, as in Theano 1.0.5.

    Others only where digits are lost: in logarithms, and where they divide. They take more time.
    """
    return _tail(rewriter, node.outputs[0], anywhere=True)


def _tail(rewriter: Rewriter, value: Variable, anywhere: bool = False) -> Any:
    """Return an equal expression if a value is c + c erf(x) or 2 c - c erfc(x), for some c.

    If it is worth while `anywhere`.
    """
    node, dtype = made_by(value, add, sub), value.type.dtype
    if node is None or not dtypes.is_float(dtype):
        return None
    for place, operand in enumerate(node.inputs):
        offset, other = known_value(operand), node.inputs[1 - place]
        if offset is None:
            continue
        scaled = _scaled(other, erf, erfc)
        if scaled is None:
            continue
        scale, function = scaled
        (x,) = function.inputs
        if not x.type.dtype == other.type.dtype == dtype:
            continue
        if node.op is sub:
            offset, scale = (offset, -scale) if place == 0 else (-offset, scale)
        # By what times the number of the function the other one is.
        times = offset / scale if scale else 0
        if anywhere and (abs(scale) != 1 or times == -2):
            continue
        if times == (1 if function.op is erf else -2):
            form = erfc(-x) if times == 1 else -erfc(-x)
        elif times == -1:
            form = -erfc(x) if function.op is erf else -erf(x)
        else:
            continue
        return kept(rewriter, node, form if scale == 1 else mul(number(scale, dtype), form))
    return None


def _scaled(value: Variable, *ops: object) -> tuple[float, Apply] | None:
    """Return c and the node of a function f if a variable is c f(x), for a number c, else None."""
    factors = flatten(value, False)
    if factors is None:
        return None
    nodes = [made_by(v, *ops) for v in (*factors.plus, *factors.minus) if known_value(v) is None]
    if len(nodes) != 1 or nodes[0] is None or nodes[0].outputs[0] not in factors.plus:
        return None
    return _number(factors), nodes[0]


def _number(factors: Factors) -> float:
    """Return the product of the numbers among factors, or 0 where it has no reciprocal."""
    with np.errstate(all="ignore"):
        above, below = (
            np.prod([np.float64(known_value(v)) for v in table if known_value(v) is not None])
            for table in (factors.plus, factors.minus)
        )
        result = float(above / below)
    return 0.0 if not np.isfinite(result) else -result if factors.negative else result


@rule(
    "log(c erfc(x)) → log(c erfcx(x)) - x²",
    on=(log, log1p),
    needs=(erf, erfc),
    why="finite",
)
def _log_of_tail(rewriter: Rewriter, node: Apply) -> Any:
    """For x > 1. Of c = 1/2, log1p(-erfc(-x) / 2) for x < 0, which keeps digits near 0."""
    (inside,) = node.inputs
    if node.op is log and (tail := _tail(rewriter, inside)) is not None:
        return log(tail)
    factors = flatten(inside) if inside.type.dtype in ("float32", "float64") else None
    if factors is None or factors.masks:
        return None
    tails = [v for v in factors.plus if made_by(v, erfc)]
    if len(tails) != 1:
        return None
    (x,), dtype = tails[0].owner.inputs, inside.type.dtype
    # It has been replaced.
    if x.type.dtype != dtype or made_by(x, switch, maximum):
        return None
    zero, one, half = (number(value, dtype) for value in (0, 1, 0.5))
    scaled = _scaled(inside, erfc)
    scale = 0 if scaled is None else scaled[0]
    if node.op is log1p:
        return kept(rewriter, node, log(half * erfc(-x))) if scale == -0.5 else None
    if scale == 0.5:
        above = maximum(x, zero)
        far = log(half * erfcx(above)) - sqr(above)
        near = log1p(-half * erfc(maximum(-x, zero)))
        return kept(rewriter, node, switch(x > zero, far, near))
    far = x > one
    factors.plus[factors.plus.index(tails[0])] = switch(far, erfcx(x), erfc(switch(far, zero, x)))
    return log(build(inside.owner, factors)) - switch(far, sqr(x), zero)


@rule(
    "exp(-x²) / erfc(x) → 1 / erfcx(x)",
    on=ROOTS,
    needs=(erf, erfc),
    keeps="nan",
    why="finite where both are 0",
)
def _density_by_tail(rewriter: Rewriter, node: Apply) -> Any:
    """Also with numbers: exp(-x² / 2) / erfc(x / sqrt(2))."""
    out = node.outputs[0]
    factors = flatten(out) if dtypes.is_float(out.type.dtype) else None
    if factors is None:
        return None
    for place, below in enumerate(factors.minus):
        if (tail := _tail(rewriter, below)) is not None:
            factors.minus[place] = tail
            return build(node, factors)
        if not made_by(below, erfc):
            continue
        (x,) = below.owner.inputs
        for above in [v for v in factors.plus if made_by(v, exp)]:
            if x.type.dtype == above.type.dtype and _is_minus_square(above.owner.inputs[0], x):
                factors.plus.remove(above)
                factors.minus[place] = erfcx(x)
                return fitted(rewriter, build(node, factors), [above])
    return None


def _is_minus_square(value: Variable, x: Variable) -> bool:
    """Tell whether a value is -x², but for the rounding of the numbers in it."""
    square, root = flatten(value, False), flatten(x, False)
    if square is None or root is None:
        return False
    for one, two in ((square.plus, root.plus), (square.minus, root.minus)):
        unknown = Counter(v for v in two if known_value(v) is None)
        if Counter(v for v in one if known_value(v) is None) != unknown + unknown:
            return False
    scale, wanted = _number(square), -(_number(root) ** 2)
    closest = 4 * float(np.finfo(x.type.dtype).eps) * abs(wanted)
    return wanted != 0 and abs(scale - wanted) <= closest
