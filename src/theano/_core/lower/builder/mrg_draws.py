"""Draws from many streams, and outcomes that are picked."""

from __future__ import annotations

from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import copies, kernel_call, views
from theano._core.lower.builder.core import Core
from theano._core.lower.llvm.kernels import range_kernels
from theano._core.lower.llvm.kernels.items import itemsize
from theano._core.lower.llvm.kernels.range_kernels import ListKernel, OutcomeWriter, StreamWriter
from theano._core.lower.llvm.target.codegen import lanes_of
from theano._core.ops.random.mrg import M1

# About so many numbers are drawn at once: the first streams of a piece touch all of its memory,
# which the system then makes.
PIECE = 1 << 23


def draw_uniforms(p: Core, node: Apply, state: Array, size: Array) -> list[Array]:
    """Return the states after a draw, and the numbers drawn; see `ops.mrg.mrg_uniform`."""
    shape = _drawn_shape(p, node, size)
    total = p.product(shape)
    if not isinstance(total, int) or total > M1:
        p.check(node, p.let("le", total, M1), "too_many_draws", (total,))
    rows, columns = state.shape
    well = p.let("and", p.let("eq", columns, 6), p.let("gt", rows, 0), type="bool")
    p.check(node, well, "streams", (rows, columns))
    before = _packed(p, state)
    drawn = p.new_array(node.outputs[1].type.dtype, shape)
    after = p.new_array("int32", (rows, 6))
    lanes = lanes_of(4, p.vector_bits)
    groups = p.parts(rows, lanes)
    kernel = ListKernel(StreamWriter(drawn.dtype, lanes), p.vector_bits)

    # In pieces, since signals are only handled between kernels.
    rounds = p.let("maximum", p.let("sdiv", PIECE, rows), 1)
    piece = p.multiply(rows, rounds)
    number, begin = kernel_call.register_kernel(p, kernel), p.pointer(before)
    pieces = p.let("sdiv", p.plus(total, p.plus(piece, -1)), piece)
    # The states are taken over even where nothing is drawn.
    with p.counted(p.let("maximum", pieces, 1)) as step:
        first = p.let("mul", step, piece)
        count = p.let("minimum", p.let("sub", total, first), piece)
        begun = p.let("gt", step, 0)
        source = p.let("select", begun, after.data, begin, type="ptr")
        at = p.let("moved", p.pointer(drawn), p.offset(first, itemsize(drawn.dtype)))
        words = [rows, count, source, after.data, at]
        kernel_call.call_function(p, number, words, 2, groups, p.plus(count, rows))
    return [after, drawn]


def _drawn_shape(p: Core, node: Apply, size: Array) -> list[Size]:
    out = node.outputs[1].type
    views.require_rank(p, node, size, out.ndim)
    shape: list[Size] = []
    for one, length in zip(out.broadcastable, views.integers(p, size, out.ndim), strict=True):
        shape.append(1 if one else length)
        views.check_shape(p, node, [length])
    return shape


def pick_outcomes(p: Core, node: Apply, pvals: Array, unis: Array, n: Size, how: str) -> Array:
    """Return outcomes that uniform numbers pick; see `ops.mrg.MultinomialFromUniform`."""
    rows, outcomes = pvals.shape
    count = unis.shape[0]
    if how != "count":
        p.check(node, p.let("le", n, outcomes), "too_many_picks", (n, outcomes))
        views.check_shape(p, node, [n])
    p.check_equal(node, count, p.multiply(rows, n), "uniforms", (count, rows, n))
    source = copies.fresh_copy(p, pvals) if how == "choose" else _packed(p, pvals)
    uniforms = _packed(p, unis)
    out = p.new_array(node.outputs[0].type.dtype, (rows, outcomes if how == "count" else n))
    types = (pvals.dtype, unis.dtype, out.dtype)
    kernel = ListKernel(OutcomeWriter(types, how), p.vector_bits)
    words = [rows, outcomes, n, source.data, uniforms.data, out.data]
    kernel_call.call_list(p, kernel, words, 3, rows, p.product([count, outcomes]))
    return out


def pack_truncated(p: Core, node: Apply, z: Array, factor: Array, radius: Array) -> Array:
    """Return draws with those outside replaced; see `ops.mrg.PackTruncated`."""
    (length,), (extra,) = z.shape, radius.shape
    p.check_equal(node, length, factor.shape[0], "write", (0, factor.shape[0], length))
    packed = [_packed(p, x) for x in (z, factor, radius)]
    out = p.new_array(z.dtype, (length,))
    kernel = ListKernel(lambda k: range_kernels.pack_truncated(k, z.dtype), p.vector_bits)
    words = [length, extra, *(x.data for x in packed), out.data]
    kernel_call.call_list(p, kernel, words, 2, 1, 1)
    return out


def _packed(p: Core, x: Array) -> Array:
    """Return `x` in C-contiguous memory: its own if it is so, else a copy."""
    source = copies.contiguous(p, x)
    p.pointer(source)
    return source
