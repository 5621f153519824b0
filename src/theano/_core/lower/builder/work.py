"""How much a step does, for profiles: bytes that it reads and writes, operations on numbers."""

from __future__ import annotations

from functools import reduce
from typing import Any

from theano._core.base.dtypes import itemsize
from theano._core.ir.variable import Apply, Variable
from theano._core.lower import program as ir
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder.core import Core
from theano._core.lower.builder.lapack_work import operations_of
from theano._core.lower.computed_again import step_inputs
from theano._core.lower.joined import Joined
from theano._core.lower.schedule import Step
from theano._core.lower.steps import LIBRARIES
from theano._core.ops.array.products import BatchedDot, Dot, Gemm
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.linalg.matrices import MatrixOp
from theano._core.ops.nn.convolution import BaseAbstractConv


def work_of(p: Core, step: Step) -> tuple[Size, Size]:
    """Return the bytes that a step has read and written, and about how many operations it did.

    Arrays count once, however often they are read. The operations of a function such as `exp` are
    its instructions; those of loops over steps are counted within the loops, and those of what
    sorts, searches and calls Python are not.
    """
    nbytes: Size = 0
    for variable in (*step_inputs(step), *(out for node in step.nodes for out in node.outputs)):
        array = p.values.get(variable)
        if isinstance(array, Array) and array.data:
            own = [n for i, n in enumerate(array.shape) if i not in array.broadcast_axes]
            nbytes = p.plus(nbytes, p.multiply(p.product(own), itemsize(array.dtype)))
    return nbytes, _operations(p, step)


def works(block: ir.Block) -> bool:
    """Tell whether instructions do more than arithmetic on numbers: views do not."""
    return any(
        i.function in LIBRARIES if isinstance(i, ir.Call) else isinstance(i, _WORK)
        for i in ir.walk(block)
    )


_WORK = (ir.Launch, ir.Reduce, ir.For)


def _operations(p: Core, step: Step) -> Size:
    if isinstance(step, Joined):
        return reduce(p.plus, (_operations(p, part) for part in step.parts))
    node = step.nodes[0]
    op: Any = node.op
    if step.is_loop:
        reduces = isinstance(op, Reduction)
        return p.multiply(_items(p, node.inputs[0] if reduces else node.outputs[0]), step.weight)
    if isinstance(op, (Dot, BatchedDot, Gemm)):
        left = node.inputs[2 if isinstance(op, Gemm) else 0]
        terms = p.size(p.rewriter.shape(left)[-1])
        return p.multiply(2, p.multiply(_items(p, node.outputs[0]), terms))
    if isinstance(op, BaseAbstractConv):
        return _of_convolution(p, node)
    if isinstance(op, MatrixOp):
        shape = [[p.size(n) for n in p.rewriter.shape(v)] for v in node.inputs]
        return operations_of(p, op.routine, shape)
    return 0


def _of_convolution(p: Core, node: Apply) -> Size:
    """Return the multiplications and additions of a convolution, or of a gradient of one."""
    op: Any = node.op
    first, second = node.inputs[:2]
    made = node.outputs[0]
    result = made if op.gives == "result" else second
    kernels = {"result": second, "images": first, "kernels": made}[op.gives]
    items, *shape = (p.size(n) for n in p.rewriter.shape(result))
    # Kernels of each window have its lengths.
    windows = [items] if op.unshared else [items, *shape[1:]]
    return p.multiply(2, p.multiply(_items(p, kernels), p.product(windows)))


def _items(p: Core, variable: Variable) -> Size:
    return p.product([p.size(n) for n in p.rewriter.shape(variable)])
