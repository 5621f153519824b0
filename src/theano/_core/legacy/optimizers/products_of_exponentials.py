"""Products as trees, and what `theano.tensor.nnet.sigm` had to look for exponentials in them.

A tree is a pair: whether it is negated, and a variable or the list of trees that are multiplied. A
number without a variable, 1 or -1, is a pair with None.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from theano._core.ir.graph import made_by
from theano._core.ir.variable import Variable
from theano._core.ops.array.broadcasting import known_value
from theano._core.ops.core.op import Op
from theano._core.ops.elementwise.arithmetic import add, mul, neg
from theano._core.ops.elementwise.transcendental import exp, sigmoid

Tree = list[Any]


def _operands(variable: Variable, op: Op) -> list[Any] | None:
    node = made_by(variable, op)
    return None if node is None else list(node.inputs)


def is_mul(var: Variable) -> list[Any] | None:
    """Return the factors of a product; None if a variable is none."""
    return _operands(var, mul)


def is_neg(var: Variable) -> Any:
    """Return x if a variable is `-x` or `-1 * x`; None if it is neither."""
    operands = _operands(var, neg)
    if operands is not None:
        return operands[0]
    factors = is_mul(var) or ()
    for place, factor in enumerate(factors):
        if known_value(factor) == -1:
            return factors[1 - place]
    return None


def is_exp(var: Variable) -> tuple[bool, Any] | None:
    """Return whether a variable is ``-exp(x)`` or ``exp(x)``, and x; None if it is neither."""
    inner = is_neg(var)
    operands = _operands(var if inner is None else inner, exp)
    return None if operands is None else (inner is not None, operands[0])


def is_1pexp(t: Variable, only_process_constants: bool = True) -> tuple[bool, Any] | None:
    """Return False and x if a variable is ``1 + exp(x)``; None for others."""
    del only_process_constants  # What fills an array is a constant here, if it is known.
    terms = _operands(t, add) or ()
    for place, term in enumerate(terms):
        match = is_exp(terms[1 - place])
        if match is not None and not match[0] and known_value(term) == 1:
            return match
    return None


def partition_num_or_denom(
    r: Variable, f: Callable[[Variable], tuple[bool, Any] | None]
) -> tuple[list[Any], list[Any], bool]:
    """Return what `f` finds in the factors of a variable, other factors, and their sign.

    `f` returns a pair for what it looks for, whose first item tells if it is negated, or None.
    """
    matches, rest, negated = [], [], False
    for factor in is_mul(r) or [r]:
        match = f(factor)
        if match is None:
            rest.append(factor)
        else:
            negated ^= match[0]
            matches.append(match[1])
    return matches, rest, negated


def parse_mul_tree(root: Variable) -> Tree:
    """Return the tree of a product: ``x * -y`` is ``[False, [[False, x], [True, y]]]``."""
    factors = is_mul(root)
    if factors is not None:
        return [False, [parse_mul_tree(factor) for factor in factors]]
    inner = is_neg(root)
    if inner is None or inner is root:
        return [False, root]
    negated, content = parse_mul_tree(inner)
    return [not negated, content]


def compute_mul(tree: Tree) -> Any:
    """Return the variable that a tree stands for."""
    negated, content = tree
    if content is None:
        raise AssertionError("the tree is 1 or -1 alone: simplify_mul leaves that to the caller")
    value = content
    if isinstance(content, list):
        value, *others = map(compute_mul, content)
        for other in others:
            value = mul(value, other)
    return neg(value) if negated else value


def simplify_mul(tree: Tree) -> Tree:
    """Return a tree without factors that are 1 or -1, and without products of one factor."""
    negated, content = tree
    if not isinstance(content, list):
        return tree
    kept = []
    for factor in map(simplify_mul, content):
        if factor[1] is None:
            negated ^= factor[0]
        else:
            kept.append(factor)
    if len(kept) > 1:
        return [negated, kept]
    return [negated ^ kept[0][0], kept[0][1]] if kept else [negated, None]


def _leaves(tree: Tree) -> list[Tree]:
    """Return the factors of a tree, which changes as they do."""
    if isinstance(tree[1], list):
        return [leaf for factor in tree[1] for leaf in _leaves(factor)]
    return [tree]


def _with_sign(variable: Variable) -> tuple[bool, Any]:
    inner = is_neg(variable)
    return (False, variable) if inner is None else (True, inner)


def perform_sigm_times_exp(tree: Tree) -> bool:
    """Make ``exp(x) * sigmoid(-x)`` a ``sigmoid(x)`` in a tree; return whether one was there."""
    waiting: list[tuple[Any, Any, Tree]] = []
    changed = False
    for leaf in _leaves(tree):
        factor: Any = None if leaf[1] is None else _factor_of_interest(leaf[1])
        if factor is None:
            continue
        op, argument = factor
        partner = next((entry for entry in waiting if _match(op, argument, *entry[:2])), None)
        if partner is None:
            waiting.append((op, argument, leaf))
            continue
        waiting.remove(partner)
        other = partner[2]
        argument = argument if op is exp else partner[1]
        other[:] = [other[0] ^ leaf[0], sigmoid(argument)]
        leaf[:] = [False, None]
        waiting.append((sigmoid, argument, other))
        changed = True
    return changed


def _factor_of_interest(variable: Variable) -> tuple[Any, Any] | None:
    for op in (exp, sigmoid):
        operands = _operands(variable, op)
        if operands is not None:
            return op, operands[0]
    return None


def _match(op: Op, argument: Variable, other_op: Op, other: Variable) -> bool:
    """Tell whether two factors are exp(x) and sigmoid(-x)."""
    (negated, x), (also, y) = _with_sign(argument), _with_sign(other)
    return op is not other_op and x is y and negated != also
