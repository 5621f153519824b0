"""Kernels as a program knows them: how their text is made, and how they are called."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from theano._core.lower.arrays import Size
from theano._core.lower.kernel.loops import KernelReduction, Loop
from theano._core.lower.llvm.kernels.combine import combine_text
from theano._core.lower.llvm.kernels.items import itemsize
from theano._core.lower.llvm.kernels.kernel import KernelWriter, range_axis
from theano._core.lower.llvm.target.codegen import lanes_of

# Bytes of a row of columns that are reduced together: with a cache line more at its ends, at most a
# tenth more is read than that.
LEAST_ROW = 1024


class Kernel:
    """A kernel of a program; its text is written when it is asked for.

    Attributes
    ----------
    symbol : str
        Of its function.
    eager : bool
        Whether it is compiled with the program, as those are that probably run; others when first
        needed.
    split : int
        The group of reduced axes that is reduced in blocks; -1: none, or the only one.
    near : tuple of int
        Of a strided kernel, the arrays whose neighbours along the last axis lie side by side.
    flat : bool
        Whether the rows of a packed kernel are walked as one, or reduced several at once.
    spaced : tuple of int
        Of a strided kernel, the operands whose neighbours are likely to be a few items apart.
    """

    def __init__(
        self,
        loop: Loop,
        groups: list[list[int]],
        layout: str,
        lanes: int,
        bits: int,
        split: int = -1,
        near: tuple[int, ...] = (),
        flat: bool = False,
        spaced: tuple[int, ...] = (),
    ) -> None:
        self.loop = loop
        self.weight = loop.weight
        self.groups = groups
        self.layout = layout
        self.lanes = lanes
        self.bits = bits
        self.eager = False
        self.split = split
        self.near = near
        self.flat = flat
        self.spaced = spaced
        self.symbol = "kernel"
        self._text: str | None = None

    def lanes_of(self, itemsize: int) -> int:
        """Return how many items of a size a vector register holds."""
        return lanes_of(itemsize, self.bits)

    @property
    def unit(self) -> int:
        """How many items of its range make up the least that is worth a chunk.

        Of columns that is enough for each row of them to be read at the speed of memory.
        """
        loop, groups = self.loop, self.groups
        axis, _, partial = range_axis(loop, groups, self.split)
        if not loop.reductions or partial or self.split >= 0 or axis != len(groups) - 1:
            return 1
        return LEAST_ROW // min((itemsize(d) for d, _ in loop.operands), default=8)

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """All that the text depends on, but the machine: what `KernelWriter` is given."""
        groups = tuple(map(tuple, self.groups))
        own = self.loop, groups, self.layout, self.lanes, self.bits
        return (*own, self.split, self.near, self.flat, self.spaced)

    @property
    def text(self) -> str:
        """The LLVM module."""
        if self._text is None:
            self._text = KernelWriter(*self.key).write()
        return self._text


class Combine:
    """The last step of a reduction in blocks; see `combine.py`."""

    symbol = "combine"

    def __init__(self, reduction: KernelReduction) -> None:
        self.reduction = reduction
        self.eager = False

    @property
    def key(self) -> tuple[Any, ...]:
        """All that the text depends on."""
        return self.symbol, self.reduction

    @property
    def text(self) -> str:
        """The LLVM module."""
        return combine_text(self.reduction)


class Call:
    """A kernel and how it is called."""

    def __init__(
        self,
        kernel: Kernel,
        index: int,
        layout: list[list[int]],
        extents: list[Size],
        count: Size,
        total: Size,
        sequential: bool,
    ) -> None:
        self.kernel = kernel
        self.index = index
        self.layout = layout
        self.extents = extents
        self.count = count
        self.total = total
        self.sequential = sequential
        # Whether everything is reduced, in blocks of the range whose results `combine` reductions.
        self.everything = False
        # Whether that is one small block: the kernel is called as others are, and gives the result.
        self.one_block = False
        # Which of the extents counts rows that may be reduced in blocks; -1: none.
        self.rows = -1
        # The least of its range that is worth a chunk; 0: it runs in order.
        self.unit = 0 if sequential else kernel.unit

    @property
    def by_runtime(self) -> bool:
        """Whether the runtime reduces in parts: see `th_reduction`."""
        return (self.everything and not self.one_block) or self.rows >= 0
