"""All that operations say to a program in their rule `lower(p, node, *values)`."""

from __future__ import annotations

from theano._core.ir.variable import Apply
from theano._core.lower.builder import (
    branch,
    convolution,
    copies,
    extremes,
    gather_scatter,
    lapack,
    libraries,
    lowering,
    mrg_draws,
    philox_draws,
    pooling,
    scan,
    special,
    views,
)
from theano._core.lower.builder.core import Core


class Builder(Core):
    """Builds one program; each word is a function of the module that it names."""

    def emit_node(self, node: Apply) -> None:
        """Write one node."""
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

    gather = gather_scatter.gather
    nonzero = gather_scatter.nonzero
    scatter = gather_scatter.scatter

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

    draw_uniforms = mrg_draws.draw_uniforms
    pack_truncated = mrg_draws.pack_truncated
    pick_outcomes = mrg_draws.pick_outcomes

    derive_keys = philox_draws.derive_keys
    draw_by_rejection = philox_draws.draw_by_rejection
    draw_multinomial = philox_draws.draw_multinomial
    draw_stream = philox_draws.draw_stream
    map_lanes = philox_draws.map_lanes
    permutation_of_words = philox_draws.permutation_of_words

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
