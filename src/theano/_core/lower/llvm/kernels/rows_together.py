"""How many rows are reduced into a vector of columns before the next vector is begun."""

from __future__ import annotations

from theano._core.lower.llvm.kernels.frame import Frame
from theano._core.lower.llvm.kernels.items import itemsize

# Rows that are reduced while the accumulators of a vector of columns are in registers.
ROWS = 16
# Whole rows of numbers of so many bytes, of more than so many in all, are reduced one by one.
SLOW_ITEM, CACHED = 4, 1 << 24
# Of several arrays, those of so many bytes, or a multiple of them, are sooner.
PAGE = 1 << 11


def _walked(w: Frame, axis: int) -> list[int]:
    return [itemsize(m.dtype) for m in (*w.operands, *w.stores) if axis in m.strides]


def is_far(w: Frame, axis: int) -> str | None:
    """Return whether rows along `axis` are more than the caches hold; None: it does not matter."""
    b, walked = w.b, _walked(w, axis)
    if max(walked, default=0) < SLOW_ITEM:
        return None
    items = b.emit(f"mul i64 {w.shape[axis]}, {w.shape[w.last]}")
    limit: int | str = CACHED // sum(walked)
    if len(walked) > 1:
        # The nearest cache has few places for rows that are so far from each other.
        pitch = b.emit(f"mul i64 {w.shape[w.last]}, {max(walked)}")
        in_page = b.emit(f"and i64 {pitch}, {PAGE - 1}")
        even = b.emit(f"icmp eq i64 {in_page}, 0")
        few, many = (size // sum(walked) for size in (CACHED // 4, CACHED + CACHED // 2))
        limit = b.emit(f"select i1 {even}, i64 {few}, i64 {many}")
    return b.emit(f"icmp ugt i64 {items}, {limit}")


def rows_together(w: Frame, axis: int, columns: int) -> int | str:
    """Return how many rows, of those along `axis`, are reduced in registers.

    Panels have so many `columns`.
    """
    b, far = w.b, is_far(w, axis)
    if far is None:
        return ROWS
    # Short rows lie side by side, and accumulators would be moved more than items.
    wide = max(itemsize(f.dtype) for f in w.loop.reductions) / max(_walked(w, axis))
    short = int(2 * w.lanes * wide)
    beyond = b.emit(f"sub i64 {w.shape[w.last]}, {short}")
    whole = b.emit(f"icmp ule i64 {beyond}, {columns - short}")
    return b.emit(f"select i1 {b.emit(f'and i1 {far}, {whole}')}, i64 1, i64 {ROWS}")
