"""Branches in branches, many levels deep: they compile, and compute only what they need."""

import random

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.agreement import agree
from support.comparison import EXACT
from support.compiling import ops
from theano._core.ops.control.branch import Branch, IfElse
from theano._core.rewrite.ifelse import deep
from theano.compile.ops import as_op
from theano.ifelse import ifelse


def test_three_hundred_levels_are_compiled():
    x = T.dscalar("x")
    y = x
    for level in range(300):
        y = ifelse(T.gt(x, level), y / 2 + 1, level - x)
    f = theano.function([x], y)
    for value in (-1.0, 0.5, 150.0, 298.5, 300.0):
        wanted = value
        for level in range(300):
            wanted = wanted / 2 + 1 if value > level else level - value
        assert f(value) == wanted


@pytest.mark.parametrize("seed", range(12))
def test_pieces_compute_what_the_nest_needs(seed, monkeypatch):
    monkeypatch.setattr(deep, "MOST_LEVELS", 4)
    monkeypatch.setattr(deep, "LEVELS", 2)
    ran = []

    def part(number):
        @as_op([T.dvector], [T.dvector])
        def compute(vector):
            ran.append(number)
            return vector * number - 3

        return compute

    choice = random.Random(seed)
    x, v = T.dscalar("x"), T.dvector("v")
    # What each level says: how its condition is made, and which side the nest goes on in.
    levels = [(choice.randrange(3), choice.random() < 0.5) for _ in range(14)]
    y = v
    for number, (kind, first) in enumerate(levels):
        own = part(number)(v)
        condition = [T.eq(x, number), T.gt(own.sum(), 5 * x), T.lt(x, own[0])][kind]
        y = ifelse(condition, y + 1, own * 2) if first else ifelse(condition, own - 1, y * 2)
    f = theano.function([x, v], y)

    def compute(x, v, number, wanted):
        if number < 0:
            return v
        kind, first = levels[number]
        own = v * number - 3
        holds = [x == number, own.sum() > 5 * x, x < own[0]][kind]
        if kind or holds != first:
            wanted.append(number)
        if holds == first:
            below = compute(x, v, number - 1, wanted)
            return below + 1 if first else below * 2
        return own * 2 if first else own - 1

    at = np.array([1.25, -0.5])
    for value in (-3.0, -1.0, 0.0, 1.5, 6.0, 13.0):
        ran.clear()
        wanted = []
        result = f(value, at)
        np.testing.assert_array_equal(result, compute(value, at, 13, wanted))
        assert sorted(ran) == sorted(wanted)


def test_gradient(monkeypatch):
    monkeypatch.setattr(deep, "MOST_LEVELS", 4)
    monkeypatch.setattr(deep, "LEVELS", 2)
    x, v = T.dscalar("x"), T.dvector("v")
    y = v
    for level in range(10):
        y = ifelse(T.gt(x, level), y * 2, y + 3) if level % 3 else ifelse(T.gt(x, level), v, y * 2)
    cases = [(value, np.array([1.0, 2.0])) for value in (-1.0, 2.5, 5.0, 9.5)]
    agree([x, v], T.grad(y.sum(), v), *cases, tolerance=EXACT)


@pytest.mark.parametrize("known", [0, 1])
def test_branches_whose_condition_is_known_are_the_side_that_is_taken(known):
    x, y, c = T.dvector("x"), T.dvector("y"), T.lscalar("c")
    # What is not taken would fail.
    one, two = ifelse(c, [x * 2, y], [T.exp(x), x[5:6]])
    givens = {c: T.constant(known, dtype="int64")}
    gradient = T.grad(one.sum(), x)
    f = theano.function([x, y], [one, gradient, x + 1], givens=givens, on_unused_input="ignore")
    assert not ops(f, (IfElse, Branch))
    value = 2.0 if known else np.exp(1.0)
    assert [v.tolist() for v in f([1.0], [3.0])] == [[value], [value], [2.0]]
    second = theano.function([x, y], two, givens=givens, on_unused_input="ignore")
    assert second([1.0], [3.0]).tolist() == ([3.0] if known else [])
    number = theano.function([x], ifelse(T.constant(np.nan), x, -x))
    assert number([1.0]).tolist() == [1]
