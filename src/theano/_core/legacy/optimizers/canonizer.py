"""Fractions and differences in normal form: `theano.tensor.opt.Canonizer`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.legacy.optimizers.global_optimizers import in2out
from theano._core.legacy.optimizers.local_optimizers import LocalOptimizer
from theano._core.ops.core.dimshuffle import DimShuffle
from theano._core.ops.core.fill import second
from theano._core.ops.core.op import Op, as_variable
from theano._core.ops.elementwise.arithmetic import add, mul, neg, reciprocal, sub, true_div
from theano._core.ops.elementwise.elementwise import cast


class Canonizer(LocalOptimizer):
    """Writes what two operations make as one fraction, without what is above and below.

    With `mul`, `true_div` and `inv`, ``x / y * y`` becomes ``x`` and ``2 * x / 4`` becomes
    ``0.5 * x``; with `add`, `sub` and `neg`, ``x - y + y`` becomes ``x``.

    Parameters
    ----------
    main, inverse, reciprocal : Op
        The operation, the one that undoes it, and the inverse of one operand.
    calculate : callable
        `calculate(num, denum, aslist=False, out_type=None)`: the value of numbers above and below;
        with `aslist`, in a list, which is empty if the value changes nothing.
    use_reciprocal : bool
        Whether a fraction without anything above is a reciprocal.
    """

    def __init__(
        self,
        main: Op,
        inverse: Op,
        reciprocal: Op,
        calculate: Callable[..., Any],
        use_reciprocal: bool = True,
    ) -> None:
        self.main, self.inverse, self.reciprocal = main, inverse, reciprocal
        self.calculate, self.use_reciprocal = calculate, use_reciprocal
        self.name = f"Canonizer({main}, {inverse}, {reciprocal})"

    def tracks(self) -> Sequence[Any]:
        return [self.main, self.inverse, self.reciprocal]

    def get_num_denum(self, input: Any) -> tuple[list[Any], list[Any]]:
        """Return what a variable has above and below."""
        parts: tuple[list[Any], list[Any]] = ([], [])
        waiting = [(input, 0)]
        while waiting:
            variable, side = waiting.pop()
            op = None if variable.owner is None else variable.owner.op
            inputs = [] if variable.owner is None else variable.owner.inputs
            if op == self.main:
                waiting += [(v, side) for v in reversed(inputs)]
            elif op == self.inverse:
                waiting += [(inputs[1], 1 - side), (inputs[0], side)]
            elif op == self.reciprocal:
                waiting.append((inputs[0], 1 - side))
            else:
                parts[side].append(variable)
        return parts

    def merge_num_denum(self, num: Sequence[Any], denum: Sequence[Any]) -> Any:
        """Return the variable with some variables above and below."""
        above, below = (self._joined(group) for group in (num, denum))
        if below is None:
            return as_variable(self.calculate([], [])) if above is None else above
        if above is None:
            if self.use_reciprocal:
                return self.reciprocal(below)
            above = as_variable(self.calculate([], []))
        return self.inverse(above, below)

    def _joined(self, parts: Sequence[Any]) -> Any:
        variables = [as_variable(part) for part in parts]
        return self.main(*variables) if len(variables) > 1 else next(iter(variables), None)

    @staticmethod
    def get_constant(v: Any) -> Any:
        """Return the number that a variable is in all items; None if there is none."""
        while v.owner is not None and isinstance(v.owner.op, DimShuffle):
            v = v.owner.inputs[0]
        if not isinstance(v, Constant) or not v.data.size or (v.data != v.data.flat[0]).any():
            return None
        return v.data.flat[0]

    def simplify(self, num: list[Variable], denum: list[Variable], out_type: object) -> Any:
        """Return what is above and below without what is on both sides, numbers as one."""
        return self.simplify_constants(*self.simplify_factors(num, denum), out_type=out_type)

    def simplify_factors(
        self, num: list[Variable], denum: list[Variable]
    ) -> tuple[list[Any], list[Any]]:
        """Return what is above and below, each as often as it is there more than on the other."""
        above, below = Counter(num), Counter(denum)
        return [*(above - below).elements()], [*(below - above).elements()]

    def simplify_constants(
        self, orig_num: list[Any], orig_denum: list[Any], out_type: Any = None
    ) -> tuple[list[Any], list[Any]]:
        """Return what is above and below with one number above, if one is needed."""
        sides, rest = [], []
        for group in (orig_num, orig_denum):
            pairs = [(v, self.get_constant(v)) for v in group]
            sides.append([n for _, n in pairs if n is not None])
            rest.append([v for v, n in pairs if n is None])
        constants = self.calculate(*sides, aslist=True, out_type=out_type)
        if constants == sides[0] and not sides[1]:
            return orig_num, orig_denum
        return [*map(as_variable, constants), *rest[0]], rest[1]

    def transform(self, node: Apply) -> Any:
        if node.op not in self.tracks():
            return False
        out = node.outputs[0]
        users = [n for n, _ in getattr(out, "clients", ())]
        if any(getattr(n, "op", None) in (self.main, self.inverse) for n in users):
            # The outermost one takes everything.
            return False
        before = self.get_num_denum(out)
        after = self.simplify(*before, out.type)
        undone = (self.inverse, self.reciprocal)
        nested = any(v.owner is not None and v.owner.op in undone for v in node.inputs)
        alike = all(Counter(new) == Counter(old) for new, old in zip(after, before, strict=True))
        if alike and not nested:
            return False
        new = cast(self.merge_num_denum(*after), out.type.dtype)
        if new.type.broadcastable != out.type.broadcastable:
            # What is gone decided about the lengths.
            for v in node.inputs:
                new = second(v, new)
        return [new] if new.type == out.type else False


def mul_calculate(
    num: Sequence[Any], denum: Sequence[Any], aslist: bool = False, out_type: Any = None
) -> Any:
    """Return the product of numbers divided by that of others; see `Canonizer`."""
    if not num and not denum:
        return [] if aslist else np.int8(1)
    dtype = np.result_type(*num, *denum) if out_type is None else out_type.dtype
    one = np.asarray(1, dtype)
    value = reduce(np.multiply, num, one) / reduce(np.multiply, denum, one)
    return ([] if value == 1 else [value]) if aslist else value


def add_calculate(
    num: Sequence[Any], denum: Sequence[Any], aslist: bool = False, out_type: Any = None
) -> Any:
    """Return the sum of numbers less that of others; see `Canonizer`."""
    zero = np.asarray(0, "float64" if out_type is None else out_type.dtype)
    value = reduce(np.add, num, zero)
    if denum:
        value = value - reduce(np.add, denum, zero)
    return ([] if value == 0 else [value]) if aslist else value


local_mul_canonizer = Canonizer(mul, true_div, reciprocal, mul_calculate, use_reciprocal=False)
local_add_canonizer = Canonizer(add, sub, neg, add_calculate)
mul_canonizer = in2out(local_mul_canonizer, name="mul_canonizer")
add_canonizer = in2out(local_add_canonizer, name="add_canonizer")
