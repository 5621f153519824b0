"""Products of one matrix from both sides, in one pass: which these are, `matrix_passes.py` says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from theano._core.base.dtypes import typenum
from theano._core.ir.variable import Apply, Variable
from theano._core.lower import program as ir
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import kernel_call, kernel_choice, libraries, lowering, views
from theano._core.lower.builder.core import Core
from theano._core.lower.llvm.print.calls import Call
from theano._core.lower.matrix_passes import MatrixPass
from theano._core.ops.array.products import Gemm


def write(p: Core, step: MatrixPass) -> None:
    """Write both products and the loop between."""
    first, end = step.parts[0], step.end
    node = first.nodes[0]
    dtype = node.outputs[0].type.dtype
    outer = p.step, p.node
    p.step, p.node = first, node
    matrix, x, scores = p.value(step.first.matrix), p.value(step.first.vector), node.outputs[0]
    if step.first.of_rows:
        matrix = views.permute(p, matrix, (1, 0))
    rows, columns = matrix.shape
    p.check_equal(node, columns, x.shape[0], "matmul", (columns, x.shape[0]))
    added, alpha, beta = _added_to(p, node)
    p.define(scores, libraries.product_memory(p, node, (rows,), added))
    p.node = end
    if isinstance(end.op, Gemm):
        sums = p.new_array(dtype, (columns,))
        # As a matrix of one column, times 1.
        column = sums.replace(shape=(columns, 1))
        one = p.pooled(dtype, np.ones(1, dtype).tobytes()).replace(shape=(1,))
        p.multiplied[end] = column, one
    else:
        sums = p.memory_for(end.outputs[0], (columns,))
        p.define(end.outputs[0], sums)
    arrays = [matrix, x, p.values[scores], sums]
    addresses, steps = [p.pointer(a) for a in arrays], [*p.strides(matrix), *p.strides(x)]
    factors = [p.pointer(a) if a else "null" for a in (alpha, beta)]
    libraries.release_if_long(p, p.product([rows, columns]))

    def run(terms: str, weight: Size, kernel: Size = -1, block: str = "null") -> None:
        # Those of `Work` of `matrix_pass.cpp`.
        numbers = (typenum(dtype), rows, columns, *steps)
        words = (*numbers, *addresses[:3], terms, addresses[3], *factors)
        # A place of its own: the arguments of the kernel have `%block`.
        place = p.stack(8 * len(words), ir.ARGUMENTS)
        p.words(place, words, kernel_call.types_of(len(numbers), len(words)))
        p.call_or_fail("matrix_pass", kernel, block, weight, place)

    if step.last.vector is scores:
        run(addresses[2], 0)
    else:
        _write_loop(p, step, rows, run)
    p.step, p.node = outer
    for part in (first, *step.parts[2:]):
        lowering.count_down(p, part)


def _write_loop(p: Core, step: MatrixPass, rows: Size, run: Callable[..., None]) -> None:
    """Write the loop so that the pass runs its kernel."""
    loop, terms = step.parts[1], step.last.vector
    p.step = loop
    lengths = kernel_choice.check_loop(p, loop)
    p.check_equal(step.end, rows, lengths[0], "matmul", (rows, lengths[0]))

    def launch(made: dict[Variable, Array], call: Call, block: str) -> None:
        weight = kernel_call.POINT + call.kernel.weight
        run(made[terms].data, weight, call.index, block)

    kernel_choice.fill_loop(p, loop, lengths, launch=launch)
    lowering.count_down(p, loop)


def _added_to(p: Core, node: Apply) -> tuple[Array | None, Array | None, Array | None]:
    """Return what a product is added to, its factor and that of what is there already."""
    if not isinstance(node.op, Gemm):
        return None, None, None
    added, alpha, _, _, beta = (p.value(v) for v in node.inputs)
    return added, alpha, beta
