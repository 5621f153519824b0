"""Rewriting rules of users, written as ours are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano import extend

a, b = extend.wild("a"), extend.wild("b")
identity = extend.rule(
    "sin(a) cos(b) + cos(a) sin(b) → sin(a + b)",
    T.sin(a) * T.cos(b) + T.cos(a) * T.sin(b),
    T.sin(a + b),
    phase="special",
    why="one long function instead of four",
)
wrong = extend.rule("cosh(a) → sinh(a)", T.cosh(a), T.sinh(a), phase="canonical", why="a test")


@pytest.fixture
def added() -> Iterator[None]:
    extend.add_rule(identity)
    yield
    extend.remove_rule(identity)


def sines(**options: Any) -> tuple[int, Any]:
    x, y = T.dvectors("x", "y")
    out = T.sin(x) * T.cos(y) + T.cos(x) * T.sin(y)
    f = theano.function([x, y], out, **options)
    return sum("sin" in str(n.op) or "cos" in str(n.op) for n in f.maker.graph.toposort()), f


def test_added_rules_are_used(added: None) -> None:
    count, f = sines()
    assert count == 1
    np.testing.assert_allclose(f([0.1, 2.0], [0.3, -1.0]), np.sin([0.4, 1.0]))
    assert sines(mode=theano.Mode().excluding(identity.name))[0] == 4


def test_removed_rules_are_not_used() -> None:
    assert sines()[0] == 4


def test_errors() -> None:
    extend.add_rule(identity)
    with pytest.raises(ValueError, match="there is a rule"):
        extend.add_rule(identity)
    extend.remove_rule(identity)
    with pytest.raises(ValueError, match="was not added"):
        extend.remove_rule(identity)
    with pytest.raises(ValueError, match="there is no phase 'late'"):
        extend.add_rule(identity.replace(phase="late"))


def test_checks() -> None:
    extend.check_rule(identity, [0.1, 2.0], [0.3, -1.0])
    with pytest.raises(AssertionError, match="results"):
        extend.check_rule(wrong, [1.0])
    with pytest.raises(ValueError, match="1 arrays are needed, got 2"):
        extend.check_rule(wrong, [1.0], [2.0])
    picky = extend.rule(
        "exp(a) → exp(a)", T.exp(a), T.exp(a), phase="special", why="", when=lambda found: False
    )
    with pytest.raises(AssertionError, match="does not fire"):
        extend.check_rule(picky, [1.0])
