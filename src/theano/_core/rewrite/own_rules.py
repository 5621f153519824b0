"""Rules that users add to the pipeline."""

from __future__ import annotations

from theano._core.rewrite.pipeline import ADDED_RULES, RULE_PHASES, all_rules, forget_rules
from theano._core.rewrite.rule import Rule


def add_rule(rule: Rule) -> None:
    """Have every function that is compiled from now on use a rule, before those of its phase.

    Parameters
    ----------
    rule : Rule
        As `theano.extend.rule` makes it.

    Returns
    -------
    None

    Raises
    ------
    ValueError
        There is a rule of this name, or no phase of that name.

    Examples
    --------
    >>> x = theano.extend.wild("x")
    >>> rule = theano.extend.rule(
    ...     "sgn(sgn(x)) → sgn(x)", T.sgn(T.sgn(x)), T.sgn(x), phase="canonical", why="one less"
    ... )
    >>> theano.extend.add_rule(rule)
    >>> theano.extend.remove_rule(rule)
    """
    if any(other.name == rule.name for other in all_rules()):
        raise ValueError(f"there is a rule {rule.name!r} already")
    if rule.phase not in RULE_PHASES[1:]:
        raise ValueError(f"there is no phase {rule.phase!r}; known: {', '.join(RULE_PHASES[1:])}")
    ADDED_RULES.append(rule)
    forget_rules()


def remove_rule(rule: Rule) -> None:
    """Take back what `add_rule` did; raises ValueError if it did not.

    Parameters
    ----------
    rule : Rule
        As `add_rule` was given.

    Returns
    -------
    None

    Examples
    --------
    >>> x = theano.extend.wild("x")
    >>> rule = theano.extend.rule(
    ...     "sgn(sgn(x)) → sgn(x)", T.sgn(T.sgn(x)), T.sgn(x), phase="canonical", why="one less"
    ... )
    >>> theano.extend.add_rule(rule)
    >>> theano.extend.remove_rule(rule)
    """
    if rule not in ADDED_RULES:
        raise ValueError(f"the rule {rule.name!r} was not added")
    ADDED_RULES.remove(rule)
    forget_rules()
