"""Long sums that lose little: of short pieces, and of what adding these lost (Neumaier, 1974)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from theano._core.lower.kernel.loops import KernelReduction
from theano._core.lower.llvm.builder import Builder
from theano._core.lower.llvm.kernels.items import select
from theano._core.lower.llvm.text.emitter import ComplexValue, Value


def _by_parts(function: Callable[..., tuple[Value, ...]], *values: Any) -> tuple[Any, ...]:
    """Return what `function` gives, for complex numbers part by part."""
    if not isinstance(values[0], ComplexValue):
        return function(*values)
    real = function(*(v.real for v in values))
    imag = function(*(v.imag for v in values))
    return tuple(ComplexValue(r, i) for r, i in zip(real, imag, strict=True))


class Sums:
    """The accumulators of a loop's reductions, then for each sum of floats what its additions lost.

    Parameters
    ----------
    b : Builder
    reductions : sequence of KernelReduction
    """

    def __init__(self, b: Builder, reductions: Sequence[KernelReduction]) -> None:
        self.b = b
        self.count = len(reductions)
        self.sums = [
            i
            for i, reduction in enumerate(reductions)
            if reduction.combine == "add" and reduction.dtype.startswith(("float", "complex"))
        ]

    @property
    def any(self) -> bool:
        """Whether a reduction is a sum of floats."""
        return bool(self.sums)

    def nothing_lost(self, starts: Sequence[object]) -> list[Any]:
        """Return the losses before the first addition."""
        return [starts[i] for i in self.sums]

    def started(self, acc: Sequence[object], starts: Sequence[object]) -> list[Any]:
        """Return the accumulators of a piece: sums start anew, other reductions go on."""
        return [starts[i] if i in self.sums else acc[i] for i in range(self.count)]

    def added(self, acc: Sequence[object], piece: Sequence[object]) -> list[Any]:
        """Return the accumulators after a piece."""
        result = [*piece, *acc[self.count :]]
        for i, lost_at in zip(self.sums, range(self.count, len(result)), strict=True):
            result[i], result[lost_at] = _by_parts(self._added, acc[i], piece[i], acc[lost_at])
        return result

    def _added(self, total: Value, x: Value, lost: Value) -> tuple[Value, Value]:
        b = self.b
        result = b.add(total, x)
        back = b.sub(result, total)
        rest = b.add(b.sub(total, b.sub(result, back)), b.sub(x, back))
        return result, b.add(lost, rest)

    def totals(self, acc: Sequence[object]) -> list[Any]:
        """Return the results of the reductions."""
        result = list(acc[: self.count])
        for i, lost in zip(self.sums, acc[self.count :], strict=True):
            (result[i],) = _by_parts(self._total, result[i], lost)
        return result

    def _total(self, total: Value, lost: Value) -> tuple[Value]:
        # What is lost of infinity is no number.
        return (select(self.b, self.b.eq(lost, lost), self.b.add(total, lost), total),)
