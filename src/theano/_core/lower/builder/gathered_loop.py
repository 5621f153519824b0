"""The loop of steps that read items at positions; which these are, `lower/gathers.py` says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import gather_scatter, kernel_choice
from theano._core.lower.builder.core import Core
from theano._core.lower.gathers import COST, Gathered, is_gather
from theano._core.lower.kernel.expression import Emitted, Value, Writer
from theano._core.lower.kernel.loops import KernelReduction, Loop
from theano._core.lower.llvm.kernels.addresses import Address, gathered
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.elementwise.elementwise import Elementwise


def write(p: Core, step: Gathered) -> None:
    """Write the loop, and behind it the checks of its positions."""
    nodes = sorted(step.nodes, key=lambda n: p.number_of[n])
    gathers, own = [n for n in nodes if is_gather(n)], set(nodes)
    operands = list(
        dict.fromkeys(
            v
            for n in nodes
            for v in (n.op.indices(n) if n in gathers else n.inputs)
            if v.owner not in own and not kernel_choice.is_number(v)
        )
    )
    _check(p, nodes)
    shape = kernel_choice.loop_shape(p, gathers[0].outputs[0])
    everywhere = frozenset(range(len(shape)))
    arrays: list[Any] = [p.value(v) for v in operands]
    tables = {n.inputs[0]: p.value(n.inputs[0]) for n in gathers}
    p.node = nodes[-1]
    words = {x: [p.scalar(n) for n in _words(p, array)] for x, array in tables.items()}
    w = _Body(operands, nodes, words)
    stored = [
        n.outputs[0]
        for n in nodes
        if not isinstance(n.op, Reduction) and p.uses.get(n.outputs[0], 0) > 0
    ]
    reductions = [n for n in nodes if isinstance(n.op, Reduction)]
    positions = list(dict.fromkeys(i for n in gathers for i in n.op.indices(n)))
    loop = Loop(
        len(shape),
        (
            *(
                (v.type.dtype, kernel_choice.broadcast_axes_of(v, a))
                for v, a in zip(operands, arrays, strict=True)
            ),
            *(("int64", everywhere) for group in words.values() for _ in group),
        ),
        tuple(v.type.dtype for v in stored),
        (*(kernel_choice.reduction_of(p, n) for n in reductions), *_ENDS * len(positions)),
        tuple(range(len(shape))),
        w.body(stored, reductions, positions),
    )
    taken: set[Any] = set()
    dying = [v for v in operands if v not in tables]
    outs = [kernel_choice.store_array(p, v, shape, dying, taken) for v in stored]
    results = [p.memory_for(n.outputs[0], ()) for n in reductions]
    ends = {i: [p.result("int64", ()) for _ in _ENDS] for i in positions}
    arrays += [word for group in words.values() for word in group]
    kernel_choice.run(
        p, loop, shape, arrays, outs, [*results, *(e for i in positions for e in ends[i])]
    )
    for n in gathers:
        for axis, i in enumerate(n.op.indices(n)):
            x = tables[n.inputs[0]]
            bounds = [Array("int64", (), end.data) for end in ends[i]]
            gather_scatter.check_range(p, n, bounds, axis, x.shape[axis])
    for variable, array in zip(
        [*stored, *(n.outputs[0] for n in reductions)], [*outs, *results], strict=True
    ):
        p.define(variable, array)


_LIMITS = np.iinfo("int64")
# The least and the largest position.
_ENDS = (
    KernelReduction("minimum", _LIMITS.max, "int64", "int64"),
    KernelReduction("maximum", _LIMITS.min, "int64", "int64"),
)


def _check(p: Core, nodes: list[Apply]) -> None:
    """Check that the lengths of what is read agree."""
    for n in nodes:
        if isinstance(n.op, Elementwise):
            p.check_operands(n)
        elif is_gather(n):
            first, *others = (p.rewriter.shape(i) for i in n.op.indices(n))
            for other in others:
                for axis, (one, two) in enumerate(zip(first, other, strict=True)):
                    if one is not two and one != two:
                        a, b = p.size(one), p.size(two)
                        p.check_equal(n, b, a, "index_shapes", (axis, b, a))


def _words(p: Core, x: Array) -> list[Size]:
    """Return the address, strides and lengths of an array, for `Address`; of none, somewhere."""
    total = p.product(x.shape)
    base: Size = p.let("number", p.pointer(x), type="ptr")
    if not isinstance(total, int) or not total:
        empty = p.let("eq", total, 0)
        base = p.let("select", empty, p.let("number", p.stack(16), type="ptr"), base)
    return [base, *(p.unless_zero(total, step) for step in p.strides(x)), *x.shape]


class _Body:
    """Writes what the loop computes at a point."""

    def __init__(
        self, operands: list[Any], nodes: list[Apply], words: dict[Any, list[Array]]
    ) -> None:
        counts = {x: len(group) for x, group in words.items()}
        w = self.w = Writer([*(v.type.dtype for v in operands), *["int64"] * sum(counts.values())])
        self.values = dict(zip(operands, w.operands, strict=False))
        rest = w.operands[len(operands) :]
        tables = {}
        for x, count in counts.items():
            tables[x], rest = rest[:count], rest[count:]
        for n in nodes:
            if isinstance(n.op, Elementwise):
                casts, dtype = n.op.dtype(*(v.type.dtype for v in n.inputs))
                args = [self._read(v, d) for v, d in zip(n.inputs, casts, strict=True)]
                self.values[n.outputs[0]] = w.call(n.op, *args, dtype=dtype)
            elif is_gather(n):
                x = n.inputs[0]
                places = [self._read(i, i.type.dtype) for i in n.op.indices(n)]
                item = _item(x.type.ndim, x.type.dtype)
                self.values[n.outputs[0]] = w.call(item, *places, *tables[x], dtype=x.type.dtype)

    def _read(self, variable: Any, dtype: str) -> Value:
        if variable in self.values:
            return self.w.cast(self.values[variable], dtype)
        # In two steps: that of a number of another type may lose digits.
        number = np.asarray(variable.data.item(), variable.type.dtype)
        return self.w.number(number, dtype)

    def body(self, stored: list[Any], reductions: list[Apply], positions: list[Any]) -> Any:
        """Return all that is computed, with the positions reduced twice, for both ends."""
        reduced = [
            self._read(n.inputs[0], n.op.types(n.inputs[0].type.dtype)[0]) for n in reductions
        ]
        for i in positions:
            reduced += [self._read(i, "int64")] * len(_ENDS)
        return self.w.body([self.values[v] for v in stored], reduced)


def _item(rank: int, dtype: str) -> Emitted:
    """Return the function that reads an item at positions, or at the nearest ones there are."""
    address = Address(rank, tuple(range(rank)), (), True)

    def read(b: object, index: Callable[..., object], *values: Any) -> Any:
        return gathered(b, address, index, values, dtype, -1)

    return Emitted("item", (address, dtype), read, COST)
