"""Kernels as a program knows them: how their text is made, and how they are called."""

from __future__ import annotations

from theano._core.lower.arrays import Size
from theano._core.lower.llvm.kernel import KernelWriter
from theano._core.lower.loops import Loop


class Kernel:
    """A kernel of a program; its text is written when it is asked for.

    Attributes
    ----------
    symbol : str
        'kernel', or 'combine' for the last step of a fold of everything.
    eager : bool
        Whether it is compiled with the program; others when first needed.
    """

    def __init__(
        self, loop: Loop, groups: list[list[int]], layout: str, lanes: int, bits: int, eager: bool
    ) -> None:
        self.loop = loop
        self.weight = loop.weight
        self.groups = groups
        self.layout = layout
        self.lanes = lanes
        self.bits = bits
        self.eager = eager
        self.symbol = "kernel"
        self._text: str | None = None

    @property
    def text(self) -> str:
        """The LLVM module."""
        if self._text is None:
            self._text = KernelWriter(
                self.loop, self.groups, self.layout, self.lanes, self.bits
            ).write()
        return self._text


class Combine:
    """The function `combine` of the module of a kernel."""

    symbol = "combine"

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.eager = kernel.eager

    @property
    def text(self) -> str:
        """The LLVM module."""
        return self.kernel.text


class Call:
    """A kernel and how it is called."""

    def __init__(
        self,
        kernel: Kernel,
        number: int,
        layout: list[list[int]],
        extents: list[Size],
        count: Size,
        total: Size,
        sequential: bool,
    ) -> None:
        self.kernel = kernel
        self.number = number
        self.layout = layout
        self.extents = extents
        self.count = count
        self.total = total
        self.sequential = sequential
        self.combine = -1
