"""Rewrites of Theano 1.0.5 by their names: rules of the engine that do what they did, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from theano._core.legacy.optimizers.local_optimizers import LocalOptimizer
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.known_as import KNOWN_AS
from theano._core.rewrite.pipeline import all_rules
from theano._core.rewrite.rule import RuleSet

if TYPE_CHECKING:
    from theano._core.ir.function_graph import FunctionGraph
    from theano._core.ir.variable import Apply

RULES = (
    "the rewrites are other ones here: theano.extend shows and adds rules, and "
    "Mode.excluding(name) leaves one out by the name that it had"
)


class RefusedRule(LocalOptimizer):
    """A rewrite of Theano's that is not here: it has its name, and cannot be run."""

    advice = RULES

    def __init__(self, name: str) -> None:
        self.name = self.__name__ = name

    def add_requirements(self, fgraph: FunctionGraph) -> None:
        raise NotImplementedError(f"{self.name}: {RULES}")

    def transform(self, *args: object) -> Any:
        raise NotImplementedError(f"{self.name}: {RULES}")

    __call__ = optimize = transform


class NamedRule(LocalOptimizer):
    """A rewrite of Theano's whose work rules of the engine do, which `rules` names.

    It looks at what its node is made of as well, and rewrites that.
    """

    def __init__(self, name: str) -> None:
        self.name = self.__name__ = name
        self.rules = KNOWN_AS[name]

    def transform(self, node: Apply) -> Any:
        """Return what takes the place of the outputs of a node; False if that is themselves."""
        chosen = RuleSet(rule for rule in all_rules() if rule.name in self.rules)
        if not chosen.of(node.op):
            return False
        new = Rewriter().run(node.outputs, chosen)
        return False if all(a is b for a, b in zip(new, node.outputs, strict=True)) else new

    __call__ = transform


def named_rule(name: str) -> LocalOptimizer:
    """Return what stands for a rewrite of Theano 1.0.5."""
    return NamedRule(name) if name in KNOWN_AS else RefusedRule(name)
