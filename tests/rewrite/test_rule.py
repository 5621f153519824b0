"""Rules are tried where they may find something."""

from contextlib import contextmanager

import numpy as np
import pytest
from rule_examples import EXAMPLES

import theano
import theano.tensor as T
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import PATTERNS, Rules
from theano._core.rewrite.pipeline import rewrite
from theano._core.rewrite.rule import ActiveRules, RuleSet


def checked(rule):
    """Return a rule that must find nothing."""

    def apply(rewriter, node):
        assert rule.apply(rewriter, node) is None, f"{rule.name} finds something without its needs"

    return rule.replace(apply=apply)


@contextmanager
def all_tried(monkeypatch):
    """Have all rules tried, those that would be left out to find nothing; yields these."""
    active = ActiveRules.of
    left_out = []

    def of(self, op):
        tried = active(self, op)
        others = [rule for rule in self._rules.of(op) if rule not in tried]
        left_out.extend(others)
        return [*tried, *map(checked, others)]

    with monkeypatch.context() as patched:
        patched.setattr(ActiveRules, "of", of)
        yield left_out


def test_rules_find_nothing_without_what_they_need(monkeypatch):
    with all_tried(monkeypatch) as left_out:
        for example in (*EXAMPLES.values(), *(before for before, _ in PATTERNS.values())):
            rewrite([example])
    assert len({rule.name for rule in left_out}) > 30


def test_a_wrong_need_is_found(monkeypatch):
    rules = Rules("canonical")
    x = T.dvector("x")

    @rules.rule("sin(cos(x)) → x", on=T.sin, why="a test", needs=(T.exp,))
    def _wrong(rewriter, node):
        return node.inputs[0].owner.inputs[0]

    with all_tried(monkeypatch), pytest.raises(AssertionError, match="without its needs"):
        Rewriter().run([T.sin(T.cos(x))], RuleSet(rules))


def test_a_rule_is_tried_once_what_it_needs_is_there():
    rules = Rules("canonical")
    tried = []

    @rules.rule("tan(x) → x", on=T.tan, why="a test", needs=(T.exp, T.Dot))
    def _counted(rewriter, node):
        tried.append(node)

    x, m = T.dvector("x"), T.dmatrix("m")
    for outputs, count in (
        ([T.tan(x)], 0),
        ([T.tan(x), T.exp(x)], 0),
        ([T.exp(x), T.tan(x)], 1),
        ([T.tan(T.exp(x))], 1),
        # An operation that was asked for before.
        ([T.tan(T.tan(T.dot(m, T.tan(x))))], 2),
    ):
        tried.clear()
        Rewriter().run(outputs, RuleSet(rules))
        assert len(tried) == count, outputs


def test_a_rule_of_a_user_of_two_expressions():
    """It needs what is below its root, which may come later than its root was seen first."""
    x = theano.extend.wild("x")
    rule = theano.extend.rule(
        "sinh(cos(x)) → x", T.sinh(T.cos(x)), x, phase="canonical", why="a test"
    )
    assert rule.needs == {"cos"}
    y = T.dvector("y")
    (out,) = Rewriter().run([T.sinh(T.cos(T.sinh(y)))], RuleSet([rule]))
    f = theano.function([y], out)
    np.testing.assert_array_equal(f([0.5]), np.sinh([0.5]))
