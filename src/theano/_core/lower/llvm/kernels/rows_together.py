"""How many rows are folded into a vector of columns before the next vector is begun."""

from __future__ import annotations

from theano._core.lower.llvm.kernels.frame import Frame
from theano._core.lower.llvm.kernels.items import itemsize

# Rows that are folded while the accumulators of a vector of columns are in registers.
ROWS = 16
# Whole rows of numbers of so many bytes, of more than so many in all, are folded one by one.
SLOW_ITEM, CACHED = 4, 1 << 24


def rows_together(w: Frame, axis: int, columns: int, flat: bool = False) -> int | str:
    """Return how many rows, of those along `axis`, are folded in registers.

    Panels have so many `columns`. Rows that are `flat` are some that are walked as one.
    """
    b = w.b
    walked = [itemsize(m.dtype) for m in (*w.operands, *w.stores) if axis in m.strides]
    if max(walked, default=0) < SLOW_ITEM:
        return ROWS
    # Rows of several arrays lie in each other's way.
    cached = CACHED // 2 if w.stores or len(w.loop.reductions) > 1 else CACHED
    items = b.emit(f"mul i64 {w.shape[axis]}, {w.shape[w.last]}")
    far = b.emit(f"icmp ugt i64 {items}, {cached // sum(walked)}")
    # Short rows lie side by side, and accumulators would be moved more than items.
    wide = max(itemsize(f.dtype) for f in w.loop.reductions) / max(walked)
    short = 0 if flat else int(2 * w.lanes * wide)
    beyond = b.emit(f"sub i64 {w.shape[w.last]}, {short}")
    whole = b.emit(f"icmp ule i64 {beyond}, {columns - short}")
    return b.emit(f"select i1 {b.emit(f'and i1 {far}, {whole}')}, i64 1, i64 {ROWS}")
