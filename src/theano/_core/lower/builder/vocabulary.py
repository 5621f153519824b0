"""All that operations say to a program in their rule `lower(p, node, *values)`."""

from __future__ import annotations

from theano._core.ir.variable import Apply
from theano._core.lower.builder import (
    branch,
    convolution,
    copies,
    draws,
    extremes,
    lapack,
    libraries,
    lowering,
    pooling,
    positions,
    scan,
    special,
    streams,
    views,
)
from theano._core.lower.builder.core import Core


class Builder(Core):
    """Builds one program; each word is a function of the module that it names."""

    def emit_node(self, node: Apply) -> None:
        """Write one application."""
        lowering.emit_node(self, node)

    broadcast = views.broadcast
    checked_size = views.checked_size
    count_of_range = views.count_of_range
    integers = views.integers
    length = views.length
    permute = views.permute
    require = views.require
    require_index = views.require_index
    require_length = views.require_length
    require_rank = views.require_rank
    slice = views.basic_slice
    vector_of = views.vector_of
    with_lengths = views.with_lengths

    arithmetic_sequence = copies.arithmetic_sequence
    cast_scalar = copies.cast_scalar
    generate = copies.generate
    join = copies.join
    reshape = copies.reshape
    write_slice = copies.write_slice

    gather = positions.gather
    nonzero = positions.nonzero
    scatter = positions.scatter

    call_items = special.call_items

    batched_matmul = libraries.batched_matmul
    call_checked = libraries.call_checked
    call_compute = libraries.call_compute
    call_python = libraries.call_python
    draw = libraries.draw
    matmul = libraries.matmul

    along = lapack.along
    search = lapack.search
    select = lapack.select
    lapack = lapack.lapack

    arg_extreme = extremes.arg_extreme

    draw_uniforms = streams.draw_uniforms
    pack_truncated = streams.pack_truncated
    pick_outcomes = streams.pick_outcomes

    derive_keys = draws.derive_keys
    draw_by_rejection = draws.draw_by_rejection
    draw_multinomial = draws.draw_multinomial
    draw_stream = draws.draw_stream
    map_lanes = draws.map_lanes
    permutation_of_words = draws.permutation_of_words

    check_steps = scan.check_steps
    loop = scan.loop

    branch = branch.branch

    convolve = convolution.convolve
    convolve_images = convolution.convolve_images
    convolve_kernels = convolution.convolve_kernels

    gather_maximum = pooling.gather_maximum
    pool = pooling.pool
    spread_average = pooling.spread_average
    spread_maximum = pooling.spread_maximum
