"""Loops that make parts of a join: which these are, `lower/made_in_place.py` says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from theano._core.base.dtypes import itemsize
from theano._core.lower.arrays import Array
from theano._core.lower.builder import copies, joined_rows, kernel_choice, lowering, views
from theano._core.lower.builder.core import Core
from theano._core.lower.builder.region import Place
from theano._core.lower.llvm.kernels.flat_columns import WIDEST
from theano._core.lower.made_in_place import MadeInPlace


def write(p: Core, step: MadeInPlace) -> None:
    """Write loops whose results are parts of a join, and copy its other parts.

    Where rows of parts are short, all of them are computed as one, and joined.
    """
    *loops, last = step.parts
    node = last.nodes[0]
    axis = node.op.axis % node.outputs[0].type.ndim
    outer = p.step, p.node
    shapes = {}
    for loop in loops:
        p.step = loop
        shapes[loop] = kernel_choice.check_loop(p, loop)
    p.step, p.node = last, node
    made = {out: shapes[loop] for loop in loops for one in loop.nodes for out in one.outputs}
    arrays = {
        v: Array(v.type.dtype, tuple(made[v])) if v in made else p.value(v) for v in node.inputs
    }
    out = p.memory_for(node.outputs[0], views.joint_shape(p, node, list(arrays.values()), axis))
    others = [v for v in arrays if v not in made]
    short = _is_short(p, [arrays[v] for v in others], out, len(arrays), axis)
    for loop in loops if short is not False else ():
        kernel_choice.ready_operands(p, loop)

    def write_loops(places: Mapping[Any, Array], eager: bool) -> None:
        for loop in loops:
            p.step, p.node = loop, loop.nodes[0]
            made = [v for one in loop.nodes for v in one.outputs if v in places]
            p.places.update({v: Place(places[v]) for v in made})
            kernel_choice.fill_loop(p, loop, shapes[loop], in_part=True, eager=eager)
            for variable in made:
                del p.places[variable], p.values[variable]
        p.step, p.node = last, node

    def join() -> None:
        fresh = {v: p.new_array(out.dtype, shape) for v, shape in made.items() if v in arrays}
        write_loops(fresh, False)
        joined_rows.join(p, [fresh.get(v, array) for v, array in arrays.items()], out, axis)

    def fill() -> None:
        parts = dict(zip(arrays, views.parts_of(p, arrays.values(), out, axis), strict=True))
        for variable in others:
            copies.copy_into(p, arrays[variable], parts.pop(variable), short is False)
        write_loops(parts, short is False)

    # Which of two kernels is needed, only a call knows.
    p.if_else(short, join, fill)
    for loop in loops:
        lowering.count_down(p, loop)
    p.step, p.node = outer
    p.define(node.outputs[0], out)
    lowering.count_down(p, last)


def _is_short(p: Core, others: Sequence[Array], out: Array, count: int, axis: int) -> bool | str:
    """Tell whether rows are best joined by the runtime: most parts of them are short."""
    rows = joined_rows.may_join(p, others, out, axis) if axis == out.ndim - 1 else False
    most = count * WIDEST // itemsize(out.dtype)
    return p.both(rows, p.let("lt", out.shape[-1], most)) if rows is not False else False
