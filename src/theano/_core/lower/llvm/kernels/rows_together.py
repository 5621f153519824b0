"""How many rows are reduced into a vector of columns before the next vector is begun."""

from __future__ import annotations

from theano._core.lower.llvm.kernels.frame import Frame
from theano._core.lower.llvm.kernels.items import itemsize

# Rows that are reduced while the accumulators of a vector of columns are in registers.
ROWS = 16
# Whole rows of several arrays, of numbers of so many bytes and more than so many bytes in all, are
# reduced one by one; rows that lie a multiple of so many bytes apart much sooner.
SLOW_ITEM, CACHED, PAGE = 4, 1 << 24, 1 << 11


def walked(w: Frame, axis: int) -> list[int]:
    """Return the bytes of an item of each array that has rows along `axis`."""
    return [itemsize(m.dtype) for m in (*w.operands, *w.stores) if axis in m.strides]


def rows_together(w: Frame, axis: int, columns: int) -> int | str:
    """Return how many rows, of those along `axis`, are reduced in registers.

    Panels have so many `columns`.
    """
    b, sizes = w.b, walked(w, axis)
    if len(sizes) < 2 or max(sizes) < SLOW_ITEM:
        return ROWS
    # The nearest cache has few places for rows that are a multiple of a page apart.
    pitch = b.emit(f"mul i64 {w.shape[w.last]}, {max(sizes)}")
    in_page = b.emit(f"and i64 {pitch}, {PAGE - 1}")
    even = b.emit(f"icmp eq i64 {in_page}, 0")
    few, many = (size // sum(sizes) for size in (CACHED // 4, CACHED + CACHED // 2))
    limit = b.emit(f"select i1 {even}, i64 {few}, i64 {many}")
    items = b.emit(f"mul i64 {w.shape[axis]}, {w.shape[w.last]}")
    far = b.emit(f"icmp ugt i64 {items}, {limit}")
    # Short rows lie side by side, and accumulators would be moved more than items.
    wide = max(itemsize(f.dtype) for f in w.loop.reductions) / max(sizes)
    short = int(2 * w.lanes * wide)
    beyond = b.emit(f"sub i64 {w.shape[w.last]}, {short}")
    whole = b.emit(f"icmp ule i64 {beyond}, {columns - short}")
    return b.emit(f"select i1 {b.emit(f'and i1 {far}, {whole}')}, i64 1, i64 {ROWS}")
