"""How rules are written: as a function below its name, or as two expressions.

Of two expressions the first, the pattern, is what to look for, the second what to put there. A
pattern is an ordinary expression over wildcards. A wildcard matches any variable, the same one
wherever it stands twice; a number matches a constant of that value, broadcast or not; the operands
of a commutative operation match in both orders.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import repeat
from typing import Any

from theano._core.ir.graph import copy_graph, made_by
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.array.broadcasting import known_value

# Patterns are written with Python's operators.
from theano._core.ops.elementwise import operators as _operators  # noqa: F401
from theano._core.ops.elementwise.elementwise import Elementwise
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.rule import Rule, kind_of

Match = dict[Any, Any]
RuleFunction = Callable[[Rewriter, Apply], Any]


def wild(name: str) -> Any:
    """Return a wildcard.

    Parameters
    ----------
    name : str

    Returns
    -------
    variable
        Stands for any expression in a pattern of `rule`; equal names stand for equal ones.

    Examples
    --------
    >>> theano.extend.wild("x").name
    'x'
    """
    return TensorType("float64", ())(name)


def match(pattern: Variable, variable: Variable, bindings: Match) -> bool:
    """Extend `bindings` so that `pattern` stands for `variable`; False if it cannot."""
    wanted, node = pattern.owner, variable.owner
    if wanted is None:
        if isinstance(pattern, Constant):
            value = known_value(variable)
            return value is not None and value == pattern.data.item()
        return bindings.setdefault(pattern, variable) is variable
    if node is None or not (node.op is wanted.op or node.op == wanted.op):
        return False
    patterns, inputs, op = wanted.inputs, node.inputs, node.op
    if len(inputs) != len(patterns):
        return False
    if not (isinstance(op, Elementwise) and op.commutative):
        return all(map(match, patterns, inputs, repeat(bindings)))
    before = bindings.copy()
    if all(map(match, patterns, inputs, repeat(bindings))):
        return True
    bindings.clear()
    bindings.update(before)
    return all(map(match, patterns[::-1], inputs, repeat(bindings)))


def pattern_rule(
    name: str,
    before: Variable,
    after: Variable,
    *,
    phase: str,
    why: str,
    keeps: str = "rounding",
    when: Callable[[Match], bool] | None = None,
) -> Rule:
    """Return the rule that replaces `before` by `after`.

    Parameters
    ----------
    name : str
    before : variable
        Pattern; its root is an operation.
    after : variable or number
        Replacement over the wildcards of `before`.
    phase : str
        Phase of the pipeline it belongs to.
    why : str
        What is gained.
    keeps : {'exact', 'rounding', 'nan'}
        What the replacement may change.
    when : callable, optional
        Guard: `when(match)` with the variables of the wildcards.

    Returns
    -------
    Rule

    Examples
    --------
    >>> x = theano.extend.wild("x")
    >>> rule = theano.extend.rule(
    ...     "sgn(sgn(x)) → sgn(x)", T.sgn(T.sgn(x)), T.sgn(x), phase="canonical", why="one less"
    ... )
    >>> rule.name
    'sgn(sgn(x)) → sgn(x)'
    """
    below = [p.owner.op for p in before.owner.inputs if p.owner is not None]

    def apply(rewriter: Rewriter, node: Apply) -> Any:
        # Most nodes are told by the operations just below.
        for op in below:
            if not any(map(made_by, node.inputs, repeat(op))):
                return None
        bindings: Match = {}
        if not match(before, node.outputs[0], bindings) or (
            when is not None and not when(bindings)
        ):
            return None
        return instantiate(after, bindings)

    PATTERNS[name] = (before, after)
    # Any one of them: it finds nothing without.
    needs = frozenset(map(kind_of, below[:1]))
    return Rule(name, (before.owner.op,), apply, phase, keeps, why, needs)


class Rules(list[Rule]):
    """The rules of a file, in order of trial within a phase.

    Parameters
    ----------
    phase : str
        Phase of those that name no other.
    """

    def __init__(self, phase: str) -> None:
        super().__init__()
        self.phase = phase

    def rule(
        self,
        name: str,
        *,
        on: object,
        why: str,
        keeps: str = "rounding",
        phase: str | None = None,
        needs: tuple[object, ...] = (),
    ) -> Callable[[RuleFunction], RuleFunction]:
        """Return what adds a function as a rule for nodes of one operation or class, or several.

        The rule finds nothing where a graph has none of the operations and classes that it `needs`.
        """

        def add(function: RuleFunction) -> RuleFunction:
            ops = on if isinstance(on, tuple) else (on,)
            kinds = frozenset(map(kind_of, needs))
            self.append(Rule(name, ops, function, phase or self.phase, keeps, why, kinds))
            return function

        return add

    def pattern(self, name: str, before: Variable, after: Variable, **fields: object) -> None:
        """Add a rule of two expressions; fields are those of `pattern_rule`."""
        self.append(pattern_rule(name, before, after, **{"phase": self.phase, **fields}))


# Both sides of each rule of two expressions, for the generic tests.
PATTERNS: dict[str, tuple[Any, Any]] = {}


def instantiate(template: Variable, bindings: Match) -> Any:
    """Return `template` over the variables of a match."""
    if not isinstance(template, Variable):
        return template
    return copy_graph([template], bindings)[0]
