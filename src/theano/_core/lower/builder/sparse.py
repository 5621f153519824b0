"""Loops over the items of sparse matrices, which the runtime does."""

from __future__ import annotations

from theano._core.base.dtypes import itemsize
from theano._core.base.records import Record
from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import copies, kernel_call
from theano._core.lower.builder.core import Core

# What the runtime gives: `Gives` of `sparse.h`.
GIVES = ("product_by_rows", "product_by_columns", "samples", "lines", "sums", "diagonal", "add")
# So many of the words of `SparseWork` are numbers, the others addresses.
NUMBERS = 10


class SparseWork(Record):
    """The arguments of the runtime: `Work` of `sparse.h`."""

    gives: Size
    itemsize: Size
    indexsize: Size
    lines: Size = 0
    rows: Size = 0
    columns: Size = 0
    terms: Size = 0
    items: Size = 0
    line_step: Size = 0
    index_step: Size = 0
    data: str = "null"
    indices: str = "null"
    starts: str = "null"
    dense: str = "null"
    other: str = "null"
    out: str = "null"


def _call(p: Core, work: SparseWork) -> str:
    types = kernel_call.types_of(NUMBERS, len(work))
    return p.call("sparse", kernel_call.arguments(p, work, types))


def _finish(p: Core, work: SparseWork) -> None:
    p.or_fail(p.let("eq", _call(p, work), 0, type="int32"))


def compressed_product(
    p: Core,
    node: Apply,
    data: Array,
    indices: Array,
    indptr: Array,
    rows: Array,
    dense: Array,
) -> Array:
    """Return the product of a matrix, given by its arrays, and a dense one or a vector."""
    by_rows = node.op.format == "csr"
    plain = [copies.contiguous(p, v) for v in (data, indices, indptr, dense)]
    count = p.integer(rows)
    out = p.new_array(data.dtype, (count, *dense.shape[1:]))
    data, indices, indptr, dense = plain
    work = SparseWork(
        gives=GIVES.index("product_by_rows" if by_rows else "product_by_columns"),
        itemsize=itemsize(data.dtype),
        indexsize=itemsize(indices.dtype),
        lines=count if by_rows else dense.shape[0],
        rows=count,
        columns=p.product(dense.shape[1:]),
        items=data.shape[0],
        data=p.pointer(data),
        indices=p.pointer(indices),
        starts=p.pointer(indptr),
        dense=p.pointer(dense),
        out=out.data,
    )
    _finish(p, work)
    return out


def sampled_products(
    p: Core, node: Apply, x: Array, y: Array, rows: Array, columns: Array
) -> Array:
    """Return items of the product of one matrix and the transpose of another."""
    x, y, rows, columns = (copies.contiguous(p, v) for v in (x, y, rows, columns))
    shapes = (*x.shape, *y.shape)
    p.check_equal(node, x.shape[1], y.shape[1], "matmul", (x.shape[1], y.shape[1], *shapes))
    out = p.new_array(x.dtype, rows.shape)
    work = SparseWork(
        gives=GIVES.index("samples"),
        itemsize=itemsize(x.dtype),
        indexsize=itemsize(rows.dtype),
        rows=x.shape[0],
        columns=y.shape[0],
        terms=x.shape[1],
        items=rows.shape[0],
        indices=p.pointer(columns),
        starts=p.pointer(rows),
        dense=p.pointer(x),
        other=p.pointer(y),
        out=out.data,
    )
    done = _call(p, work)
    inside = p.let("ne", done, 1, type="int32")
    p.check(node, inside, "places", (x.shape[0], y.shape[0]))
    p.or_fail(p.let("eq", done, 0, type="int32"))
    return out


def lines_of_items(p: Core, node: Apply, indptr: Array, indices: Array) -> Array:
    """Return the number of the line of each item of a matrix."""
    starts = copies.contiguous(p, indptr)
    out = p.new_array(indptr.dtype, indices.shape)
    work = SparseWork(
        gives=GIVES.index("lines"),
        itemsize=8,
        indexsize=itemsize(indptr.dtype),
        lines=p.let("sub", starts.shape[0], 1),
        items=indices.shape[0],
        starts=p.pointer(starts),
        out=out.data,
    )
    _finish(p, work)
    return out


def of_lines(
    p: Core, node: Apply, gives: str, data: Array, indices: Array, indptr: Array, count: Array
) -> Array:
    """Return a number for each of so many lines of a matrix: their sums, or the diagonal."""
    data, indices, indptr = (copies.contiguous(p, v) for v in (data, indices, indptr))
    out = p.new_array(data.dtype, (p.integer(count),))
    _finish(p, _over_lines(p, gives, data, indices, indptr, out))
    return out


def added_to_dense(
    p: Core, node: Apply, dense: Array, data: Array, indices: Array, indptr: Array
) -> Array:
    """Return a dense matrix with the items of a matrix added, in its memory if it dies here."""
    data, indices, indptr = (copies.contiguous(p, v) for v in (data, indices, indptr))
    out = copies.writable(p, node, dense)
    by_row, by_column = p.strides(out)
    lines, steps = (0, (by_row, by_column)) if node.op.format == "csr" else (1, (by_column, by_row))
    work = _over_lines(p, "add", data, indices, indptr, out)
    _finish(p, work.replace(lines=out.shape[lines], line_step=steps[0], index_step=steps[1]))
    return out


def _over_lines(
    p: Core, gives: str, data: Array, indices: Array, indptr: Array, out: Array
) -> SparseWork:
    return SparseWork(
        gives=GIVES.index(gives),
        itemsize=itemsize(data.dtype),
        indexsize=itemsize(indices.dtype),
        lines=out.shape[0],
        items=data.shape[0],
        data=p.pointer(data),
        indices=p.pointer(indices),
        starts=p.pointer(indptr),
        out=p.pointer(out),
    )
