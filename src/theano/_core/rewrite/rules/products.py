"""Products and quotients: factors cancel, constants meet, and sigmoids are recognised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.broadcasting import known_value
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.array.sigmoids import one_plus_exp
from theano._core.ops.core.dimshuffle import DimShuffle
from theano._core.ops.core.op import as_variable
from theano._core.ops.elementwise.arithmetic import (
    abs_,
    add,
    mul,
    neg,
    reciprocal,
    sgn,
    sqr,
    sub,
    switch,
    true_div,
)
from theano._core.ops.elementwise.elementwise import Elementwise, cast
from theano._core.ops.elementwise.transcendental import cosh, exp, expm1, pow, sigmoid, sinh, tanh
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Rules
from theano._core.rewrite.rules.exponentials import (
    along,
    largest_of,
    like,
    shifted,
    tanh_of_slope,
    without_axes,
)
from theano._core.rewrite.rules.flatten import (
    WIDEST,
    Terms,
    filled,
    fitted,
    kept,
    number,
    split_constants,
    sum_form,
)

RULES = Rules("canonical")
rule = RULES.rule
ROOTS = (mul, true_div, neg, reciprocal)
# Exponents that become factors.
POWERS = (-4, -3, -2, 2, 3, 4)


class Factors(Terms):
    """A product flattened, with its sign: numerator `plus`, denominator `minus`.

    Of `masks`, conditions and whether they must hold, depends where it is not 0.
    """

    def __init__(
        self,
        plus: Sequence[Variable] = (),
        minus: Any = (),
        negative: bool = False,
        masks: Any = (),
    ) -> None:
        super().__init__(plus, minus)
        self.negative = negative
        self.masks: list[tuple[Any, bool]] = list(masks)

    def times(
        self, plus: Sequence[Variable], minus: Sequence[Variable] = (), negative: bool = False
    ) -> Factors:
        """Return these factors and others, with what then cancels left out."""
        result = Factors(
            [*plus, *self.plus], [*minus, *self.minus], negative != self.negative, self.masks
        )
        result.cancel()
        return result

    def include(self, others: Factors, above: bool) -> None:
        """Add the factors of a product that stands above the line or below it."""
        self.plus.extend(others.plus if above else others.minus)
        self.minus.extend(others.minus if above else others.plus)
        self.negative ^= others.negative

    def merge_signs(self) -> None:
        """Write x / |x| as the sign of x, which is 0 where x is; |c x / y| is |c| |x| / |y|."""
        for value in list(self.minus):
            inside = flatten(value.owner.inputs[0], False) if made_by(value, abs_) else None
            if inside is None:
                continue
            signed, constants = split_constants(inside.plus)
            # Truth values have no sign.
            if signed and all(
                v.type.dtype != "bool" and self.plus.count(v) >= signed.count(v) for v in signed
            ):
                for factor in signed:
                    self.plus[self.plus.index(factor)] = sgn(factor)
                self.minus.remove(value)
                self.minus.extend(abs_(v) for v in constants)
                self.plus.extend(abs_(v) for v in inside.minus)
                self.changed = True

    def merge_sigmoids(self) -> None:
        """Write 1 / (1 + exp(x)) as sigmoid(-x), and sigmoid(x) exp(-x) as sigmoid(-x).

        Where no factor cancels, a factor 1 + exp(x) of the numerator stays as it is.
        """
        written: dict[Any, Any] = {}
        for near, far in ((self.plus, self.minus), (self.minus, self.plus)):
            for value in list(near):
                argument = one_plus_exp(value)
                if argument is None:
                    continue
                near.remove(value)
                name = Sigmoid(argument, negative=True)
                written[name] = value
                far.insert(0, name)
        for table in (self.plus, self.minus):
            for i, value in enumerate(table):
                if made_by(value, sigmoid):
                    name = Sigmoid.of(value.owner.inputs[0])
                    written.setdefault(name, None)
                    table[i] = name
        if not written:
            return
        count = len(self)
        self._cancel_exponentials()
        self.cancel()
        self.gone = [v.variable() if isinstance(v, Sigmoid) else v for v in self.gone]
        self._write_out(written, len(self) < count)

    def merge_hyperbolic(self) -> None:
        """Write sinh(x) / cosh(x) as tanh(x)."""
        for value, other in self._quotients(sinh, cosh):
            self.plus[self.plus.index(value)] = tanh(value.owner.inputs[0])
            self.minus.remove(other)
            self.changed = True

    def merge_expm1(self) -> None:
        """Write exp(x) / (exp(x) - 1) as 1 / (1 - exp(-x)), which is not infinite by infinite."""
        for value, other in self._quotients(exp, expm1):
            self.plus.remove(value)
            minus_x = -cast(value.owner.inputs[0], other.type.dtype)
            self.minus[self.minus.index(other)] = expm1(minus_x)
            self.negative = not self.negative
            self.changed = True

    def _quotients(self, above: Elementwise, below: Elementwise) -> Iterator[tuple[Any, Any]]:
        """Return factors above and below the line that are two functions of the same variable."""
        for value in [v for v in self.plus if made_by(v, above)]:
            for other in self.minus:
                if made_by(other, below) and other.owner.inputs[0] is value.owner.inputs[0]:
                    yield value, other
                    break

    def shift_exponentials(self) -> None:
        """Write exp(x) / sum(exp(x)) with x less its largest item."""
        for value in [v for v in self.plus if made_by(v, exp)]:
            total = self._sum_below(value)
            largest = largest_of(total) if total is not None else None
            if total is None or largest is None:
                continue
            new = shifted(total, largest)
            self.plus[self.plus.index(value)] = new
            old = next(v for v in self.minus if without_axes(v) is total)
            self.minus[self.minus.index(old)] = like(total.owner.op(new), old)
            self.changed = True

    def _sum_below(self, value: Variable) -> Any:
        """Return the sum of `value` that these are divided by, after taking it out of a factor."""
        for other in self.minus:
            total = without_axes(other)
            if _is_sum_of(total, value) and along(total, (other, total)):
                return total
        for i, other in enumerate(self.plus):
            inner: Any = without_axes(other)
            factors = flatten(inner) if inner is not other else None
            if factors is None:
                continue
            for below in factors.minus:
                total = without_axes(below)
                if _is_sum_of(total, value) and along(total, (below, total), (other, inner)):
                    factors.minus.remove(below)
                    self.plus[i] = like(build(inner.owner, factors), other)
                    self.minus.append(total.owner.op.expand(value, total))
                    return total
            for j, factor in enumerate(factors.plus):
                divided = _sum_divided_by_sum_of(factor, value)
                if divided is not None and along(factor, (other, inner)):
                    total, factors.plus[j] = divided
                    self.plus[i] = like(build(inner.owner, factors), other)
                    self.minus.append(total.owner.op.expand(value, total))
                    return total
        return None

    def _cancel_exponentials(self) -> None:
        for table in (self.plus, self.minus):
            for value in [v for v in table if isinstance(v, Sigmoid)]:
                for other in table:
                    if made_by(other, exp) and Sigmoid.of(other.owner.inputs[0]) == value.flipped():
                        table.remove(value)
                        table.remove(other)
                        table.insert(0, value.flipped())
                        self.changed = True
                        break

    def _write_out(self, written: Mapping[Sigmoid, Variable | None], shorter: bool) -> None:
        for value in [v for v in self.minus if isinstance(v, Sigmoid)]:
            original = written.get(value)
            if original is not None:
                self.minus.remove(value)
                self.plus.append(original)
        for table in (self.plus, self.minus):
            for i, value in enumerate(table):
                if isinstance(value, Sigmoid):
                    self.changed = self.changed or written.get(value) is not None
                    table[i] = value.variable()


class Sigmoid:
    """sigmoid(argument), or of its negative: compared by meaning while factors are matched."""

    # As a variable that no operation makes.
    owner = None

    def __init__(self, argument: Variable, negative: bool = False) -> None:
        # The negative of an integer may wrap around.
        if made_by(argument, neg) and dtypes.is_float(argument.type.dtype):
            argument, negative = argument.owner.inputs[0], not negative
        self.argument = argument
        self.negative = negative

    @classmethod
    def of(cls, argument: Variable) -> Sigmoid:
        """Return the sigmoid of a variable."""
        return cls(argument)

    def flipped(self) -> Sigmoid:
        """Return the sigmoid of the negative argument."""
        return Sigmoid(self.argument, not self.negative)

    def variable(self) -> Any:
        """Return the expression."""
        result = sigmoid(self.argument)
        if not self.negative:
            return result
        return sigmoid(-cast(self.argument, result.type.dtype))

    @cached_property
    def _meaning(self) -> tuple[Any, ...]:
        return sum_form(self.argument, self.negative)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sigmoid) and self._meaning == other._meaning

    def __hash__(self) -> int:
        return hash(self._meaning)


def _is_sum(variable: Variable) -> bool:
    node = made_by(variable, Reduction)
    return node is not None and node.op.kind == "sum"


def _is_sum_of(total: Variable, value: Variable) -> bool:
    return _is_sum(total) and total.owner.inputs[0] is value


def _sum_divided_by_sum_of(out: Variable, value: Variable) -> tuple[Any, Any] | None:
    """Return t and sum(x) if `out` is sum(x / t), with t the sum of `value` along the same axes.

    They may stand apart where a product with `value` has both: where these axes have no items, that
    has none either, and nothing is divided by 0.
    """
    node = made_by(out, Reduction)
    if node is None or node.op.kind != "sum" or out.type.dtype != node.inputs[0].type.dtype:
        return None
    inside = flatten(node.inputs[0])
    axes = node.op.axes(node.inputs[0].type.ndim)
    if inside is None:
        return None
    for below in inside.minus:
        total = without_axes(below)
        if not _is_sum_of(total, value) or not along(total, (below, total)):
            continue
        if total.owner.op.axes(value.type.ndim) == axes:
            inside.minus.remove(below)
            return total, node.op(build(node.inputs[0].owner, inside))
    return None


def flatten(variable: Variable, behind: bool = True) -> Factors | None:
    """Return the factors of a product, those of the products below it included.

    `behind` asks for those behind checks and choices, too. The checks are left out: the engine
    keeps the errors of what a rule takes away.
    """
    factors = Factors()
    dtype = variable.type.dtype
    stack: list[tuple[Any, bool]] = [(variable, True)]
    above_line, below_line = factors.plus, factors.minus
    while stack:
        # Each entry of the stack is at least one factor.
        if len(stack) + len(above_line) + len(below_line) > WIDEST:
            return None
        value, above = stack.pop()
        node = value.owner
        if node is not None and value.type.dtype == dtype:
            inner = _inner_factors(node, above)
            if inner is None and behind:
                inner = _behind(node, above, factors)
            if inner is not None:
                stack += inner
                factors.negative ^= node.op is neg
                continue
        (above_line if above else below_line).append(value)
    return factors


def with_sums_apart(rewriter: Rewriter, factors: Factors) -> Factors:
    """Return factors with the products among them that were given axes taken apart.

    Only of those that sums are factors of.
    """
    result = Factors((), (), factors.negative, factors.masks)
    for table, above in ((factors.plus, True), (factors.minus, False)):
        for value in table:
            parts = _under_axes(rewriter, value)
            sums = any(_is_sum(without_axes(v)) for v in (*parts.plus, *parts.minus))
            below = [without_axes(v) for v in parts.minus]
            sums = sums or any(made_by(v, add, sub, Reduction) for v in below)
            result.include(parts if sums else Factors([value]), above)
    return result


def _under_axes(rewriter: Rewriter, value: Variable) -> Factors:
    """Return the factors of what was given axes, each with these axes."""
    inner: Any = without_axes(value)
    inside = flatten(inner, False)
    if inside is None or inside.plus == [inner]:
        return Factors([value])
    if inner is value:
        return inside
    result = Factors((), (), inside.negative)
    for table, above in ((inside.plus, True), (inside.minus, False)):
        for factor in table:
            # Numbers need no axes, and those of `flatten` have none.
            if factor.type.ndim == 0:
                parts = Factors([factor])
            else:
                parts = _under_axes(rewriter, rewriter.one(like(factor, value)))
            result.include(parts, above)
    return result


def _behind(node: Apply, above: bool, factors: Factors) -> list[tuple[Any, bool]] | None:
    """Return the product that is checked, or that is 0 elsewhere; note where in `factors`."""
    if isinstance(node.op, Require):
        return [(node.inputs[0], above)]
    if node.op is not switch or not above:
        return None
    zero = [known_value(v) == 0 for v in node.inputs[1:]]
    value = node.inputs[1 + zero[0]]
    inner = value.owner
    if zero[0] == zero[1] or value.type.dtype != node.outputs[0].type.dtype:
        return None
    if inner is None or not (made_by(value, DimShuffle) or _inner_factors(inner, True)):
        return None
    factors.masks.append((node.inputs[0], zero[1]))
    return [(value, True)]


def _inner_factors(node: Apply, above: bool) -> list[tuple[Any, bool]] | None:
    """Return the factors of one operation, each above or below the line; last first."""
    op, inputs = node.op, node.inputs
    if op is neg:
        return [(inputs[0], above)]
    if op is sqr:
        return [(inputs[0], above)] * 2
    if op is reciprocal:
        return [(inputs[0], not above)]
    if op is mul or op is true_div:
        return [(inputs[1], above == (op is mul)), (inputs[0], above)]
    if op is add and inputs[0] is inputs[1]:
        return [(inputs[0], above), (as_variable(number(2, inputs[0].type.dtype)), above)]
    if op is pow and all(dtypes.is_float(v.type.dtype) for v in (inputs[0], node.outputs[0])):
        power = known_value(inputs[1])
        if power in POWERS and all(inputs[1].type.broadcastable):
            return [(inputs[0], above == (power > 0))] * abs(int(power))
    return None


@rule("x y / x → y", on=ROOTS, keeps="nan", why="factors cancel, constants and signs meet")
def _cancel(rewriter: Rewriter, node: Apply) -> Any:
    return _simplified(rewriter, node, False)


@rule(
    "sigmoid(x) exp(-x) → sigmoid(-x)",
    on=ROOTS,
    phase="stable",
    needs=(sigmoid, exp, cosh, add, sub),
    keeps="nan",
    why="exp does not overflow, and more factors cancel",
)
def _cancel_stable(rewriter: Rewriter, node: Apply) -> Any:
    return _simplified(rewriter, node, True)


def _simplified(rewriter: Rewriter, node: Apply, stable: bool) -> Any:
    dtype = node.outputs[0].type.dtype
    if not (dtypes.is_float(dtype) or dtypes.is_complex(dtype)):
        return _integer_product(rewriter, node)
    wide, out = rewriter.wide_products, node.outputs[0]
    # What is above a product of too many factors has as many.
    below = any(v in wide and v.type.dtype == dtype for v in node.inputs)
    factors = None if below else flatten(out, False)
    if factors is None:
        wide.add(out)
        return None
    if stable and _may_overflow(factors):
        factors = flatten(out)
    if factors is None or (len(factors) < 2 and not factors.negative):
        return None
    if dtypes.is_complex(dtype) and any(known_value(v) == 0 for v in factors.minus):
        # Of complex numbers, a quotient by 0 is no product with 1 / 0.
        return None
    factors.cancel()
    if not dtypes.is_complex(dtype):
        factors.merge_signs()
    if stable and not dtypes.is_complex(dtype):
        factors.merge_sigmoids()
        factors.merge_hyperbolic()
        factors.merge_expm1()
        spread = _distributed(node, factors)
        if spread is not None:
            return spread
    if not _worth_it(node, factors):
        return None
    return fitted(rewriter, build(node, factors), factors.unread())


def _may_overflow(factors: Factors) -> bool:
    """Tell whether one factor may be 0 or infinite where others, behind something, are so."""
    owners = [v.owner for v in (*factors.plus, *factors.minus) if v.owner is not None]
    return any(n.op is switch or isinstance(n.op, Require) for n in owners) and _has_exp(owners)


def _has_exp(owners: Sequence[Apply]) -> bool:
    return any(
        node.op in (exp, sigmoid, cosh, sinh) or tanh_of_slope(node.outputs[0]) is not None
        for node in owners
    )


# When all that cancels has done so: the gradient of a logarithm has these quotients, too.
@rule(
    "exp(x) / sum(exp(x)) → exp(x - max) / sum(exp(x - max))",
    on=ROOTS,
    phase="special",
    needs=(exp,),
    keeps="nan",
    why="exp does not overflow",
)
def _shifted_quotient(rewriter: Rewriter, node: Apply) -> Any:
    products = (v.owner for v in node.inputs if made_by(v, *ROOTS, sqr))
    nearby = [*node.inputs, *(v for product in products for v in product.inputs)]
    nearby += [v.owner.inputs[0] for v in nearby if made_by(v, sqr)]
    # The sum has the axes of what it is of again. This is quick, and most products have none.
    if all(without_axes(v) is v for v in nearby) or not dtypes.is_float(node.outputs[0].type.dtype):
        return None
    factors = flatten(node.outputs[0])
    if factors is None:
        return None
    factors.shift_exponentials()
    return build(node, factors) if factors.changed else None


def _worth_it(node: Apply, factors: Factors) -> bool:
    constants = [known_value(v) for v in (*factors.plus, *factors.minus)]
    constants = [c for c in constants if c is not None]
    trivial = any(c in (1, -1, 0) for c in constants) and (
        len(factors) > 1
        and not (
            node.op in (true_div, reciprocal) and factors.plus and known_value(factors.plus[0]) == 1
        )
    )
    sign_inside = factors.negative and node.op is not neg
    return factors.changed or len(constants) > 1 or trivial or sign_inside


def build(node: Apply, factors: Factors) -> Any:
    """Return the product of factors for the output of `node`."""
    dtype = node.outputs[0].type.dtype
    plus, known_plus = split_constants(factors.plus)
    minus, known_minus = split_constants(factors.minus)
    with np.errstate(all="ignore"):
        constant = number(1, dtype)
        for value in known_plus:
            constant = constant * number(known_value(value), dtype)
        for value in known_minus:
            constant = constant / number(known_value(value), dtype)
    if constant == 0:
        return filled(node, 0)
    negative = factors.negative
    if constant != 1 and (negative or constant == -1):
        constant, negative = (-constant, False) if negative else (number(1, dtype), True)
    above, below = _times(plus, dtype), _times(minus, dtype)
    if below is None:
        result = number(constant, dtype) if above is None else above
        scaled = above is None
    elif above is None:
        result = reciprocal(below) if constant == 1 else true_div(number(constant, dtype), below)
        scaled = True
    else:
        result, scaled = above / below, False
    if not scaled and constant != 1:
        result = mul(number(constant, dtype), result)
    result = neg(result) if negative else result
    for condition, holds in factors.masks:
        result = masked(result, condition, holds)
    return filled(node, result)


def masked(value: Any, condition: Variable, holds: bool) -> Any:
    """Return a value where a condition holds, or does not, and 0 elsewhere."""
    return switch(condition, *((value, 0) if holds else (0, value)))


def _times(values: list[Variable], dtype: str) -> Any:
    result = None
    index = 0
    while index < len(values):
        value = cast(values[index], dtype)
        if index + 1 < len(values) and values[index + 1] is values[index]:
            value, index = sqr(value), index + 1
        result = value if result is None else result * value
        index += 1
    return result


def _distributed(node: Apply, factors: Factors) -> Any:
    """C (x + y) → c x + c y where factors of c cancel in both, so that nothing grows."""
    for index, value in enumerate(factors.plus):
        owner = made_by(value, add, sub)
        if owner is None:
            continue
        if value.type.dtype != node.outputs[0].type.dtype:
            continue
        others = factors.plus[:index] + factors.plus[index + 1 :]
        if all(known_value(v) is not None for v in (*others, *factors.minus)):
            return None
        behind = _has_exp([v.owner for v in others if v.owner is not None])
        parts, before = [], len(others) + len(factors.minus)
        most = before
        for operand in owner.inputs:
            inner = flatten(operand, behind) if operand.type.dtype == value.type.dtype else None
            if inner is None or (not inner.minus and len(inner.plus) < 2):
                break
            part = inner.times(others, factors.minus, factors.negative)
            most += len(inner)
            part.masks += factors.masks
            part.merge_sigmoids()
            if len(part) >= before + len(inner):
                break
            parts.append(part)
        else:
            if sum(map(len, parts)) < most:
                return owner.op(*(build(node, part) for part in parts))
    return None


def _integer_product(rewriter: Rewriter, node: Apply) -> Any:
    if node.op is not mul:
        return None
    for index, value in enumerate(node.inputs):
        integer = known_value(value)
        if integer == 1:
            return kept(rewriter, node, node.inputs[1 - index])
        if integer == 0:
            return fitted(rewriter, filled(node, 0), node.inputs)
    return None
