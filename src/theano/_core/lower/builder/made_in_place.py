"""Loops that make parts of a join: which these are, `lower/made_in_place.py` says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from theano._core.base.dtypes import itemsize
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import copies, kernel_choice, lowering, views
from theano._core.lower.builder.core import Core
from theano._core.lower.builder.region import Place
from theano._core.lower.llvm.kernels.flat_columns import WIDEST
from theano._core.lower.llvm.kernels.light_loop import LONGEST
from theano._core.lower.made_in_place import MadeInPlace
from theano._core.lower.schedule import Step


def write(p: Core, step: MadeInPlace) -> None:
    """Write loops whose results are parts of a join, and copy its other parts."""
    *loops, last = step.parts
    node = last.nodes[0]
    axis = node.op.axis % node.outputs[0].type.ndim
    outer = p.step, p.node
    shapes, parts = {}, {}
    for loop in loops:
        p.step = loop
        shapes[loop] = kernel_choice.check_loop(p, loop)
    p.step, p.node = last, node
    made = {out: shapes[loop] for loop in loops for one in loop.nodes for out in one.outputs}
    arrays = [Array(v.type.dtype, tuple(made[v])) if v in made else p.value(v) for v in node.inputs]
    out = p.memory_for(node.outputs[0], views.joint_shape(p, node, arrays, axis))
    steps = p.strides(out)
    start: Size = 0
    for variable, array in zip(node.inputs, arrays, strict=True):
        data = views.moved(p, p.pointer(out), p.offset(start, steps[axis]))
        parts[variable] = Array(out.dtype, tuple(array.shape), data, steps, False)
        if variable not in made:
            copies.copy_into(p, array, parts[variable])
        start = p.plus(start, array.shape[axis])
    for loop in loops:
        p.step, p.node = loop, loop.nodes[0]
        own = {v: parts[v] for one in loop.nodes for v in one.outputs if v in parts}
        _write_loop(p, loop, shapes[loop], own, axis == out.ndim - 1)
        lowering.count_down(p, loop)
    p.step, p.node = outer
    p.define(node.outputs[0], out)
    lowering.count_down(p, last)


def _write_loop(
    p: Core, loop: Step, shape: Sequence[Size], parts: Mapping[Any, Array], of_rows: bool
) -> None:
    """Write a loop whose results are `parts`; `of_rows`: each has part of the rows of the join.

    Where these are short and there is much to do, all rows are computed as one, and copied.
    """

    def write(places: Mapping[Any, Array], eager: bool) -> None:
        p.places.update({v: Place(place) for v, place in places.items()})
        kernel_choice.fill_loop(p, loop, shape, in_part=True, eager=eager)
        for variable in places:
            del p.places[variable], p.values[variable]

    def copied() -> None:
        fresh = {v: p.new_array(part.dtype, part.shape) for v, part in parts.items()}
        write(fresh, False)
        for variable, part in parts.items():
            copies.copy_into(p, fresh[variable], part)

    short: Size = 0
    if of_rows and loop.weight > LONGEST:
        kernel_choice.ready_operands(p, loop)
        size = itemsize(next(iter(parts.values())).dtype)
        short = p.let("lt", shape[-1], WIDEST // size)
    # Which of two kernels is needed, only a call knows.
    p.if_else(short, copied, lambda: write(parts, short == 0))
