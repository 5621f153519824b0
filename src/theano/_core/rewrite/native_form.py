"""What is done last, and for native code only: the graph that users see goes without it.

Operations that are expressions of others are written out, and products of sequences go into loops.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.ir.graph import toposort
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.core.python_call import Composed
from theano._core.rewrite.engine import Rewriter, Rule, RuleSet
from theano._core.rewrite.inline import in_loops
from theano._core.rewrite.scan.sink_products import with_products_in_steps


def _expression(rewriter: Rewriter, node: Apply) -> list[Any] | None:
    return node.op.expression(node)


def native_form(outputs: Sequence[Variable], rewriter: Rewriter) -> list[Any]:
    """Return `outputs` as native code computes them, in the bodies of loops too.

    `rewriter` is the one that made `outputs`; it knows the lengths of the result afterwards.
    """
    changed = with_products_in_steps(outputs, rewriter)
    changed = in_loops(changed, lambda inside: native_form(inside, Rewriter()))
    composed = {type(n.op) for n in toposort(changed) if isinstance(n.op, Composed)}
    if not composed and all(a is b for a, b in zip(changed, outputs, strict=True)):
        return changed
    name = "composed(x) → expression"
    rule = Rule(name, tuple(composed), _expression, "native", "exact", "no call of Python")
    return rewriter.run(changed, RuleSet([rule]))
