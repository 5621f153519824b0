"""How much a step does, for profiles: bytes that it reads and writes, operations on numbers."""

from __future__ import annotations

from typing import Any

from theano._core.base.dtypes import itemsize
from theano._core.ir.variable import Variable
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder.core import Core
from theano._core.lower.builder.lowering import step_inputs
from theano._core.lower.schedule import Step
from theano._core.ops.array.products import BatchedDot, Dot, Gemm
from theano._core.ops.array.reductions import Reduction


def work_of(p: Core, step: Step) -> tuple[Size, Size]:
    """Return the bytes that a step has read and written, and about how many operations it did.

    Arrays count once, however often they are read. The operations of a function such as `exp` are
    its instructions; those of loops over steps and of libraries other than BLAS are not counted.
    """
    nbytes: Size = 0
    for variable in (*step_inputs(step), *(out for node in step.nodes for out in node.outputs)):
        array = p.values.get(variable)
        if isinstance(array, Array) and array.data:
            own = [n for i, n in enumerate(array.lengths) if i not in array.broadcast_axes]
            nbytes = p.plus(nbytes, p.multiply(p.product(own), itemsize(array.dtype)))
    return nbytes, _operations(p, step)


def _operations(p: Core, step: Step) -> Size:
    node = step.nodes[0]
    op: Any = node.op
    if step.is_loop:
        folded = isinstance(op, Reduction)
        return p.multiply(_items(p, node.inputs[0] if folded else node.outputs[0]), step.weight)
    if isinstance(op, (Dot, BatchedDot, Gemm)):
        left = node.inputs[2 if isinstance(op, Gemm) else 0]
        terms = p.size(p.rewriter.lengths(left)[-1])
        return p.multiply(2, p.multiply(_items(p, node.outputs[0]), terms))
    return 0


def _items(p: Core, variable: Variable) -> Size:
    return p.product([p.size(n) for n in p.rewriter.lengths(variable)])
