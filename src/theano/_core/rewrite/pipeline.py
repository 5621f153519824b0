"""The order of rewriting: one list of named passes, each from results to results.

Passes of rules are one bottom-up walk with the rules of their name (`engine.py`) and of those that
they include, since their own results open new chances for these.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from operator import is_not
from typing import Any

from theano._core.base.records import Record
from theano._core.ir.variable import Variable
from theano._core.ops.array import assertions, creation, indexing
from theano._core.ops.control import branch, inner_graph, scan
from theano._core.rewrite import added
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.ifelse.sink import rewrite_branches
from theano._core.rewrite.inline import classes_in, hold, inlined, without_assertions
from theano._core.rewrite.passes import common_factors, sink_slices
from theano._core.rewrite.passes.check_labels import check_class_numbers
from theano._core.rewrite.passes.repeated_writes import add_repeated
from theano._core.rewrite.rule import Rule, RuleSet
from theano._core.rewrite.rules.in_order import RULES
from theano._core.rewrite.rules.reversals import any_reversed
from theano._core.rewrite.scan.simplify import rewrite_loops


class Pass(Record):
    """A pass of the pipeline, and why it stands where it does.

    Attributes
    ----------
    name, why : str
    keeps : str
        What it may change, as rules say it: 'exact', 'rounding' or 'nan'.
    run : callable
        `run(rewriter, outputs, selection)` returns the new outputs.
    always : bool
        Whether it runs at every level.
    on : tuple of type
        Operations without which, in loops and branches too, it has nothing to do; (): any.
    """

    name: str
    why: str
    keeps: str
    run: Callable[[Rewriter, list[Any], Selection], list[Any]]
    always: bool = False
    on: tuple[type, ...] = ()


class Selection(Record):
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


def _walk(name: str, needed: Any = None) -> Callable[[Rewriter, list[Any], Selection], list[Any]]:
    """Return what runs the rules of a pass, on graphs whose nodes need them."""

    def run(rewriter: Rewriter, outputs: list[Any], chosen: Selection) -> list[Any]:
        if needed is not None and not needed(rewriter.nodes(outputs)):
            return outputs
        return rewriter.run(outputs, rules_of(name, chosen.excluded))

    return run


def _alone(change: Callable[[list[Variable]], list[Variable]]) -> Callable[..., list[Any]]:
    return lambda rewriter, outputs, selection: change(outputs)


def _sparse(rewriter: Rewriter, outputs: list[Variable], selection: Selection) -> list[Any]:
    if "theano._core.ops.sparse.base" not in sys.modules:
        return outputs
    from theano._core.rewrite.rules.sparse import with_arrays

    return with_arrays(outputs)


def _slices(rewriter: Rewriter, outputs: list[Variable], selection: Selection) -> list[Any]:
    if sink_slices.any_to_sink(outputs):
        sunk = sink_slices.with_slices_sunk(outputs, rewriter)
        outputs = rewriter.run(sunk, rules_of("slices", selection.excluded))
    return outputs


def _branches(rewriter: Rewriter, outputs: list[Variable], selection: Selection) -> list[Any]:
    final = rewrite_branches(outputs)
    if all(a is b for a, b in zip(final, outputs, strict=True)):
        return final
    # The lengths that lowering asks for are those of the graph as it is now.
    return rewriter.run(final, RuleSet(()))


PASSES = (
    Pass(
        "inline",
        "Inner graphs are written out first: rules look through them.",
        "exact",
        _alone(inlined),
        always=True,
        on=(inner_graph.InnerGraph, indexing.Subtensor, indexing.IncSubtensor, creation.Join),
    ),
    Pass(
        "remove_assertions",
        "On request: conditions that users assert are not tested, and what they guard is free.",
        "exact",
        _alone(without_assertions),
        on=(assertions.Assert,),
    ),
    Pass(
        "add_repeated",
        "On the graph as written: other forms of a sum are not meant, nor what other rules make.",
        "nan",
        _alone(add_repeated),
        on=(indexing.AdvancedIncSubtensor,),
    ),
    Pass(
        "check_labels",
        "Before stable forms, in which a class number is no index any more that would be checked.",
        "exact",
        _alone(check_class_numbers),
        on=(indexing.AdvancedSubtensor, indexing.AdvancedIncSubtensor),
    ),
    Pass("sparse", "What sparse matrices store is tensors for later passes.", "rounding", _sparse),
    Pass(
        "canonical",
        "One form for equal expressions, and no computation for mere shapes: later rules then "
        "need one pattern each.",
        "nan",
        _walk("canonical"),
    ),
    Pass(
        "loops",
        "When equal expressions have one form, and before products are hidden in calls of BLAS.",
        "rounding",
        _alone(rewrite_loops),
        on=(scan.Loop,),
    ),
    Pass(
        "reversals",
        "Gradients of loops read rows backwards: quotients then meet what they cancel with.",
        "rounding",
        _walk("reversals", any_reversed),
        on=(indexing.Subtensor,),
    ),
    Pass(
        "stable",
        "Before the special forms, which would hide the patterns: sigmoid, log1p, softplus. The "
        "canonical rules run along, because a stable form lets more factors cancel.",
        "nan",
        _walk("stable"),
    ),
    Pass(
        "special",
        "Cheaper forms of what is left, which would hide factors from cancellation: `sqr(x)`.",
        "nan",
        _walk("special"),
    ),
    Pass("factors", "Before calls of BLAS hide sums.", "nan", common_factors.taken_out),
    Pass(
        "blas",
        "Last, on final operands: a product absorbs the scaling and the sum around it.",
        "nan",
        _walk("blas"),
    ),
    Pass(
        "slices",
        "When it is final what there are slices of: they are of what is there in any case.",
        "exact",
        _slices,
        on=(indexing.Subtensor,),
    ),
    Pass(
        "merge",
        "Where no pass of rules runs, which does it along the way: equal nodes become one.",
        "exact",
        _walk("merge"),
    ),
    Pass(
        "branches",
        "When it is known what each side needs: this moves into its body, where no rule looks.",
        "exact",
        _branches,
        always=True,
        on=(branch.IfElse,),
    ),
)
# Rules of other passes that run along, by the name of a pass; those of `shape` belong to no other.
INCLUDES = {"stable": ("shape", "canonical")}
INCLUDES |= dict.fromkeys(("canonical", "reversals", "special"), ("shape",))
RULE_PHASES = ("shape", "canonical", "reversals", "stable", "special", "blas", "slices")
LEVELS = {
    **dict.fromkeys(("none", "merge"), ("merge",)),
    "fast_compile": ("canonical",),
    "fast_run": ("add_repeated", "check_labels", "sparse", "loops", "factors", *RULE_PHASES[1:]),
}


# What `own_rules` adds.
ADDED_RULES: list[Rule] = []


def adds_nothing(selection: Selection) -> bool:
    """Tell whether users have added neither rules nor rewrites that a selection takes."""
    return not ADDED_RULES and not added.any_chosen(selection)


def forget_rules() -> None:
    """Read the rules anew after some were added or removed."""
    all_rules.cache_clear()
    rules_of.cache_clear()


@lru_cache(1)
def all_rules() -> tuple[Rule, ...]:
    """Return every rule, in order of trial within a phase."""
    return (*ADDED_RULES, *RULES, *sink_slices.RULES)


@lru_cache(64)
def rules_of(phase: str, excluded: frozenset[str] = frozenset()) -> RuleSet:
    """Return the rules of a phase, those it includes first, without some names and kinds."""
    names = (*INCLUDES.get(phase, ()), phase)
    chosen = [r for r in all_rules() if r.phase in names and not excluded & {r.name, r.keeps}]
    return RuleSet(sorted(chosen, key=lambda r: -names.index(r.phase) if r.phase != phase else -99))


def rewrite(
    outputs: Sequence[Variable],
    passes: Collection[str] = LEVELS["fast_run"],
    rewriter: Rewriter | None = None,
    selection: Selection | None = None,
    watch: Any = None,
) -> list[Any]:
    """Return `outputs` rewritten by the passes named, in the order of the pipeline.

    Parameters
    ----------
    outputs : sequence of variables
    passes : collection of str
        Names of `PASSES`, besides those that always run.
    rewriter : Rewriter, optional
        Holds the merged nodes and the lengths of the final graph afterwards.
    selection : Selection, optional
        Rules not to use, and added rewrites to use.
    watch : callable, optional
        Called as `watch(name, outputs)` after each pass.
    """
    rewriter, selection = rewriter or Rewriter(), selection or Selection()
    result = list(outputs)
    runs_added = added.any_chosen(selection)
    inventory: tuple[list[Any], set[type]] = [], set()
    for step in PASSES:
        if runs_added:
            result = added.run(step.name, result, selection)
        if not (step.always or step.name in passes):
            continue
        if step.on and inventory[0] is not result:
            inventory = result, classes_in(rewriter.nodes(result))
        if not step.on or hold(inventory[1], step.on):
            changed = step.run(rewriter, result, selection)
            result = changed if any(map(is_not, changed, result)) else result
        if watch is not None:
            watch(step.name, result)
    return result
