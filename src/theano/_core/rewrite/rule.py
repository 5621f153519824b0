"""What a rewriting rule is, and which are tried for an operation of a graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from theano._core.base.records import Record
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.shaping import Length
from theano._core.ops.core.naming import plain_class
from theano._core.ops.core.op import Op
from theano._core.ops.elementwise.elementwise import Elementwise


class Rule(Record):
    """A rewriting rule.

    Attributes
    ----------
    name : str
        Written `before → after`.
    ops : tuple
        Operations, or classes of operations, at the root of what it matches.
    apply : callable
        `apply(rewriter, node)` → replacement of the first output, a list for all, or None.
    phase : str
    keeps : {'exact', 'rounding', 'nan'}
        What may change: nothing; the last digits; results where NaN or infinity occur.
    why : str
    needs : frozenset
        Kinds of operations, see `kind_of`: it finds nothing where a graph has none of them.
    """

    name: str
    ops: tuple[Any, ...]
    apply: Callable[[Any, Apply], Any]
    phase: str
    keeps: str
    why: str
    needs: frozenset[object] = frozenset()


def kind_of(op: object) -> object:
    """Return the name of an elementwise operation, the class of another; a class is its own."""
    if isinstance(op, Elementwise):
        return op.name
    return op if isinstance(op, type) else type(op)


class Application(Record):
    """One use of a rule: for logs and viewers."""

    rule: Rule
    before: Apply
    after: Sequence[Variable]


class RuleSet:
    """Rules of one phase, found by operation."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = list(rules)
        # Places of rules by what is at their root, and the classes of the operations among that.
        self._places: dict[Any, set[int]] = {}
        for place, rule in enumerate(self.rules):
            for root in rule.ops:
                self._places.setdefault(root, set()).add(place)
        self._kinds = {type(root) for root in self._places}
        self._of: dict[Any, Sequence[Rule]] = {}

    def of(self, op: Op) -> Sequence[Rule]:
        """Return the rules whose root is `op`, in order."""
        cls = type(op)
        key = op if cls in self._kinds and op in self._places else cls
        rules = self._of.get(key)
        if rules is None:
            none: set[int] = set()
            roots = key, cls, plain_class(cls)
            places = none.union(*(self._places.get(root, none) for root in roots))
            rules = self._of[key] = tuple(self.rules[place] for place in sorted(places))
        return rules


class ActiveRules:
    """The rules of a phase that operations of one graph have use for, by operation.

    INVARIANT: an operation is asked for before what is above it, so that a rule that needs it, and
    is tried there, is not left out. Lengths of inputs are in every graph.
    """

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        self._present: set[object] = {Length}
        # By identity: the operation, kept so that no other gets its identity, and its rules.
        self._of: dict[int, tuple[Op, Sequence[Rule]]] = {}

    def of(self, op: Op) -> Sequence[Rule]:
        """Return the rules to try for `op`, which is in the graph from now on."""
        cached = self._of.get(id(op))
        if cached is not None:
            return cached[1]
        kinds = {kind_of(op), *type(op).__mro__}
        if not kinds <= self._present:
            self._present |= kinds
            self._of.clear()
        every = self._rules.of(op)
        rules = [r for r in every if not (r.needs and r.needs.isdisjoint(self._present))]
        self._of[id(op)] = op, rules
        return rules
