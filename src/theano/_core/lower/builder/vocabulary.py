"""All that operations say to a program in their rule `lower(p, node, *values)`."""

from __future__ import annotations

import importlib
from typing import Any

from theano._core.ir.variable import Apply
from theano._core.lower.builder import copies, joins, lowering, views
from theano._core.lower.builder.core import Core
from theano._core.lower.joined import Joined

# Words that few programs say, by their module, which is read when one is first said: a short
# program compiles sooner.
_SELDOM = {
    "branch": "branch",
    "convolution": "convolve convolve_images convolve_kernels",
    "extremes": "arg_extreme",
    "fourier": "from_half_spectrum half_spectrum transform",
    "gather_scatter": "gather nonzero scatter",
    "lapack": "along lapack search select",
    "libraries": "batched_matmul call_checked call_compute call_python draw matmul",
    "mrg_draws": "draw_uniforms pack_truncated pick_outcomes",
    "parts": "sum_of_parts",
    "philox_draws": "derive_keys draw_by_rejection draw_multinomial draw_stream map_lanes"
    " permutation_of_words",
    "pooling": "gather_maximum pool spread_average spread_maximum",
    "scan": "check_steps loop",
    "sparse": "added_to_dense compressed_product lines_of_items of_lines sampled_products",
    "special": "call_items",
}
_MODULE_OF = {word: module for module, words in _SELDOM.items() for word in words.split()}


class Builder(Core):
    """Builds one program; each word is a function of the module that it names."""

    def emit_node(self, node: Apply) -> None:
        """Write one node."""
        lowering.emit_node(self, node)

    def write_joined(self, step: Joined) -> None:
        """Write steps that run for some rows at a time."""
        importlib.import_module(f"{__package__}.{step.writer}").write(self, step)

    broadcast = views.broadcast
    checked_size = views.checked_size
    count_of_range = views.count_of_range
    diagonal = views.diagonal
    integers = views.integers
    length = views.length
    permute = views.permute
    require = views.require
    require_index = views.require_index
    require_length = views.require_length
    require_rank = views.require_rank
    slice = views.basic_slice
    vector_of = views.vector_of
    with_shape = views.with_shape

    arithmetic_sequence = copies.arithmetic_sequence
    cast_scalar = copies.cast_scalar
    generate = copies.generate
    apart_from_arguments = copies.apart_from_arguments
    join = joins.join
    reshape = joins.reshape
    write_diagonal = copies.write_diagonal
    write_slice = copies.write_slice

    def __getattr__(self, word: str) -> Any:
        if word not in _MODULE_OF:
            raise AttributeError(f"a program has no word {word!r}")
        module = importlib.import_module(f"{__package__}.{_MODULE_OF[word]}")
        setattr(Builder, word, getattr(module, word))
        return getattr(self, word)
