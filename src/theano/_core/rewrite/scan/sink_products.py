"""Products of a sequence with a matrix, put back into the loop that reads them.

What users see is one product before the loop. Native code makes it there if a row has few items to
share the packed matrix, and else step by step, where the results stay in the cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.ir.graph import copied, made_by, toposort
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.products import Dot, dot
from theano._core.ops.array.shaping import Reshape, reshape_op
from theano._core.ops.control.scan import Loop
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.scan.mutable_loop import MutableLoop

# What the runtime's kernels for packed matrices multiply.
DTYPES = ("float32", "float64")


def with_products_in_steps(outputs: Sequence[Variable], rewriter: Rewriter) -> list[Any]:
    """Return `outputs` with products of rows in the steps that use them.

    `rewriter` knows the lengths of everything. Bodies of loops stay as they are.
    """
    nodes = toposort(outputs)
    uses: dict[Any, int] = {}
    for node in nodes:
        for variable in node.inputs:
            # Lengths are known without the value.
            uses[variable] = uses.get(variable, 0) + (not node.op.measures)
    for variable in outputs:
        uses[variable] = uses.get(variable, 0) + 1
    now: dict[Any, Any] = {}
    for node in nodes:
        if isinstance(node.op, Loop) and node.op.watch is None:
            table = _products_in_steps(node, uses, rewriter)
            now.update(zip(table, copied(list(table.values()), now), strict=True))
    return copied(outputs, now)


def _products_in_steps(
    node: Apply, uses: dict[Variable, int], rewriter: Rewriter
) -> dict[Any, Any]:
    """Return what replaces the outputs of a loop; nothing if it stays as it is."""
    loop = MutableLoop(node)
    items: dict[Any, Any] = {}
    for item, rows in list(loop.sequences.items()):
        factors = _product_of_rows(rows, uses, rewriter)
        if factors is None:
            continue
        x, y = factors
        row = TensorType(x.type.dtype, x.type.broadcastable[1:])()
        matrix = y.clone()
        loop.sequences[row], loop.fixed[matrix] = x, y
        items[item] = dot(row, matrix)
    if not items:
        return {}
    loop.substitute(items)
    return loop.build()


def _product_of_rows(
    rows: Variable, uses: dict[Variable, int], rewriter: Rewriter
) -> tuple[Any, Any] | None:
    """Return (sequence, matrix) if `rows` are their product, and only a loop reads them."""
    if rows.type.dtype not in DTYPES or rows.type.ndim != 3 or uses.get(rows) != 1:
        return None
    if not made_by(rows, Reshape):
        return None
    product = rows.owner.inputs[0]
    if not made_by(product, Dot) or uses[product] != 1:
        return None
    flat, matrix = product.owner.inputs
    if flat.type.ndim != 2 or matrix.type.ndim != 2:
        return None
    shape = [*rewriter.shape(rows)[:2], rewriter.shape(flat)[1]]
    # The columns of the rows are those of the matrix: the reshaping does not touch them.
    if rewriter.shape(rows)[2] != rewriter.shape(product)[1]:
        return None
    return reshape_op(flat, shape), matrix
