"""Operations on sparse matrices become operations on their arrays.

Read only where a graph has sparse variables.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.ir.graph import toposort
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.control.scan import Loop
from theano._core.ops.sparse.base import SparseOp, is_sparse_type
from theano._core.ops.sparse.compressed import Compressed, compressed
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.inline import in_loops
from theano._core.rewrite.rule import Rule, RuleSet


def _by_arrays(rewriter: Rewriter, node: Apply) -> Any:
    operands = [compressed(v) if is_sparse_type(v) else v for v in node.inputs]
    if None in operands:
        return None
    arrays = node.op.arrays(node, *operands)
    if isinstance(arrays, Compressed):
        return arrays.assembled(node.outputs[0].type.dtype)
    return arrays


def with_arrays(outputs: Sequence[Variable]) -> list[Any]:
    """Return `outputs` with sparse matrices as their arrays, in the bodies of loops too."""
    if not any(isinstance(node.op, (SparseOp, Loop)) for node in toposort(outputs)):
        return list(outputs)
    changed = in_loops(outputs, with_arrays)
    kinds = {type(n.op) for n in toposort(changed) if isinstance(n.op, SparseOp)}
    if not kinds:
        return changed
    name, why = "f(sparse) → f(its arrays)", "what concerns stored items is loops over vectors"
    rule = Rule(name, tuple(kinds), _by_arrays, "sparse", "rounding", why)
    return Rewriter().run(changed, RuleSet([rule]))
