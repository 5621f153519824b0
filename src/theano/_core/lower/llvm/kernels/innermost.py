"""Which way of writing the innermost loop suits a kernel."""

from __future__ import annotations

from theano._core.lower.llvm.kernels.columns import ColumnLoop
from theano._core.lower.llvm.kernels.flat_columns import FlatColumns
from theano._core.lower.llvm.kernels.flat_rows import FlatRows
from theano._core.lower.llvm.kernels.frame import Frame
from theano._core.lower.llvm.kernels.light_loop import LightLoop, is_light, reduces_little
from theano._core.lower.llvm.kernels.rows_at_once import RowsAtOnce
from theano._core.lower.llvm.kernels.short_rows import ShortRows, suits
from theano._core.lower.llvm.kernels.vectors import VectorLoop


def innermost_loop(kernel: Frame) -> type[VectorLoop]:
    """Return the class of the innermost loop of a kernel."""
    if kernel.flat and kernel.vector_reduced:
        return RowsAtOnce
    if kernel.flat:
        return FlatColumns if kernel.loop.reductions else FlatRows
    if suits(kernel):
        return ShortRows
    light = is_light(kernel.loop, kernel.lanes, kernel.b.vector_bits) or reduces_little(kernel)
    return LightLoop if light else ColumnLoop


def first_axis(kernel: Frame) -> int:
    """Return the first of the axes that the vectors of a kernel run along."""
    return kernel.last + 1 - innermost_loop(kernel).along
