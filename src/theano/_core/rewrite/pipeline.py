"""The order of rewriting: one list of named phases.

Each phase is one bottom-up walk with its rules (`engine.py`). A phase also runs the rules of the
phases named in its `includes`, since its own results open new chances for them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from theano._core.rewrite.branches import rewrite_branches
from theano._core.rewrite.class_numbers import check_class_numbers
from theano._core.rewrite.engine import Rewriter, Rule, RuleSet
from theano._core.rewrite.inline import in_loops, inlined, without_assertions
from theano._core.rewrite.loops import rewrite_loops
from theano._core.rewrite.rules import (
    blas,
    bodies,
    canonical,
    choices,
    inverses,
    linalg,
    logarithms,
    parts,
    products,
    shapes,
    special,
    stable,
    writes,
)


class Phase(NamedTuple):
    """A named step of the pipeline and why it stands where it does."""

    name: str
    includes: tuple[str, ...]
    why: str


class Selection(NamedTuple):
    """What a mode asks for besides the phases.

    Attributes
    ----------
    included, excluded : frozenset of str
        Tags and names of rules, and of rewrites that users have added.
    extra : tuple
        Rewrites of this mode alone, with their positions.
    """

    included: frozenset[str] = frozenset({"fast_run"})
    excluded: frozenset[str] = frozenset()
    extra: tuple[Any, ...] = ()


class Added:
    """Rewrites that users have added; the layer that keeps them sets `run`.

    `run(outputs, low, high, selection)` runs those that stand from position `low` to `high`, and
    returns the new outputs. `some(selection)` tells whether there are any.
    """

    run: Callable[[list[Any], float, float, Selection], list[Any]] | None = None
    some: Callable[[Selection], bool] | None = None


PHASES = (
    Phase(
        "canonical",
        ("shape",),
        "One form for equal expressions, and no computation for mere shapes: later rules then "
        "need one pattern each.",
    ),
    Phase(
        "stable",
        ("shape", "canonical"),
        "Before the special forms, which would hide the patterns: sigmoid, log1p, softplus. The "
        "canonical rules run along, because a stable form lets more factors cancel.",
    ),
    Phase(
        "special",
        ("shape",),
        "Cheaper forms of what is left: powers to products. They are not canonical: `sqr(x)` "
        "would hide a factor from cancellation.",
    ),
    Phase(
        "blas", (), "Last, on final operands: a product absorbs the scaling and the sum around it."
    ),
)
# Where the phases stand among the positions of added rewrites.
POSITIONS = {"canonical": 1.0, "stable": 1.5, "special": 2.0, "blas": 49.0}
# Loops are simplified between these two, when equal expressions have one form and before products
# are hidden in calls of BLAS.
LOOPS_BEFORE = "stable"
# Theano's tag and name of the rewrite, off unless a mode includes it, that leaves assertions out.
UNSAFE = frozenset({"unsafe", "local_remove_all_assert"})
LEVELS = {
    "none": (),
    "merge": ("merge",),
    "fast_compile": ("canonical",),
    "fast_run": tuple(phase.name for phase in PHASES),
}


_added_rules: list[Rule] = []


def add_rule(rule: Rule) -> None:
    """Have every function that is compiled from now on use a rule, before those of its phase.

    Raises
    ------
    ValueError
        There is a rule of this name, or no phase of that name.
    """
    if any(known.name == rule.name for known in all_rules()):
        raise ValueError(f"there is a rule {rule.name!r} already")
    if rule.phase not in {phase.name for phase in PHASES}:
        raise ValueError(
            f"there is no phase {rule.phase!r}; known: {', '.join(p.name for p in PHASES)}"
        )
    _added_rules.append(rule)
    _forget_rules()


def remove_rule(rule: Rule) -> None:
    """Take back what `add_rule` did; raises ValueError if it did not."""
    if rule not in _added_rules:
        raise ValueError(f"the rule {rule.name!r} was not added")
    _added_rules.remove(rule)
    _forget_rules()


def adds_nothing(selection: Selection) -> bool:
    """Tell whether users have added neither rules nor rewrites that a selection takes."""
    return not _added_rules and (Added.some is None or not Added.some(selection))


def _forget_rules() -> None:
    all_rules.cache_clear()
    rules_of.cache_clear()


@lru_cache(1)
def all_rules() -> tuple[Rule, ...]:
    """Return every rule, in order of trial within a phase."""
    return (
        *_added_rules,
        *shapes.RULES,
        *canonical.RULES,
        *products.RULES,
        *stable.RULES,
        *linalg.RULES,
        *special.RULES,
        *blas.RULES,
        *bodies.RULES,
        *writes.RULES,
        *choices.RULES,
        *inverses.RULES,
        *logarithms.RULES,
        *parts.RULES,
    )


@lru_cache(64)
def rules_of(phase: str, excluded: frozenset[str] = frozenset()) -> RuleSet:
    """Return the rules of a phase, those it includes first, without some names and kinds."""
    entry = next((p for p in PHASES if p.name == phase), Phase(phase, (), ""))
    names = (*entry.includes, phase)
    chosen = [r for r in all_rules() if r.phase in names and not excluded & {r.name, r.keeps}]
    return RuleSet(sorted(chosen, key=lambda r: -names.index(r.phase) if r.phase != phase else -99))


def rewrite(
    outputs: Sequence[Any],
    phases: Collection[str] = LEVELS["fast_run"],
    rewriter: Rewriter | None = None,
    selection: Selection | None = None,
    watch: Any = None,
) -> list[Any]:
    """Return `outputs` rewritten by the phases named, in pipeline order.

    Parameters
    ----------
    outputs : sequence of variables
    phases : collection of str
        Names of `PHASES`; 'merge' alone only merges equal nodes and folds constants.
    rewriter : Rewriter, optional
        Holds the merged nodes and the lengths of the final graph afterwards.
    selection : Selection, optional
        Rules not to use, and added rewrites to use.
    watch : callable, optional
        Called as `watch(phase name, outputs)` after each phase.
    """
    rewriter = rewriter or Rewriter()
    selection = selection or Selection()
    result, place = inlined(outputs), float("-inf")
    if UNSAFE & selection.included and not UNSAFE & selection.excluded:
        result = without_assertions(result)
    if "stable" in phases:
        result = check_class_numbers(result)
    for phase in PHASES:
        result = _added(result, place, POSITIONS[phase.name], selection)
        place = POSITIONS[phase.name]
        if phase.name in phases:
            if phase.name == LOOPS_BEFORE:
                result = rewrite_loops(result)
            result = rewriter.run(result, rules_of(phase.name, selection.excluded))
            if watch is not None:
                watch(phase.name, result)
    result = _added(result, place, float("inf"), selection)
    if not any(phase.name in phases for phase in PHASES):
        result = rewriter.run(result, RuleSet(()))
    final = rewrite_branches(result)
    if any(a is not b for a, b in zip(final, result, strict=True)):
        # The lengths that lowering asks for are those of the graph as it is now.
        final = rewriter.run(final, RuleSet(()))
    return final


def _added(outputs: list[Any], low: float, high: float, selection: Selection) -> list[Any]:
    """Return `outputs` as the rewrites that users have added between two positions leave them."""
    run = Added.run
    if run is None:
        return outputs
    outputs = in_loops(outputs, lambda inside: _added(inside, low, high, selection))
    return inlined(run(outputs, low, high, selection))
