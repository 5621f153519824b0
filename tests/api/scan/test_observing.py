"""Print, Assert and breakpoints, also inside loops and branches."""

import sys

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import DEFINITION
from support.errors import refused
from theano import scan
from theano.ifelse import ifelse
from theano.printing import Print
from theano.tests.breakpoint import PdbBreakpoint

MODES = [None, DEFINITION]
x, s, c = T.dvector("x"), T.dscalar("s"), T.iscalar("c")


def looking():
    """Return an operation that shows what it is given, and the list that it shows it in."""
    seen = []
    return Print("seen", global_fn=lambda op, value: seen.append(value.tolist())), seen


@pytest.mark.parametrize("mode", MODES)
def test_print_writes_each_attribute(mode, capsys):
    shown = Print("x is", attrs=("__str__", "shape"))(x)
    f = theano.function([x], [T.exp(shown), T.grad((shown**2).sum(), x)], mode=mode)
    f([1.0, 2.0])
    assert capsys.readouterr().out == "x is __str__ = [1. 2.]\nx is shape = (2,)\n"


@pytest.mark.parametrize("mode", [*MODES, "FAST_COMPILE"])
def test_what_is_shown_is_shown_for_its_shape_alone(mode):
    """As in Theano 1.0.5: programs print what a gradient flows through."""
    look, seen = looking()
    shown = look(x)
    costs = shown.sum(), shown.mean(), (shown * 2).sum()
    shapes = shown.shape, shown.shape[0], T.zeros_like(shown), (2 * shown).shape
    for out in (*shapes, *(T.grad(cost, x) for cost in costs)):
        result = theano.function([x], out, mode=mode)([1.0, 2.0])
    assert result.shape == (2,) and seen == [[1, 2]] * 7
    theano.function([x], [shown.shape, 2 * shown], mode=mode)([1.0, 2.0])
    assert len(seen) == 8


@pytest.mark.parametrize("mode", MODES)
def test_print_in_loops_and_branches(mode):
    look, seen = looking()
    out, _ = scan(lambda a, h: look(a + h), x, T.constant(0.0, dtype="float64"))
    np.testing.assert_array_equal(theano.function([x], out, mode=mode)([1.0, 2, 3]), [1, 3, 6])
    assert seen == [1, 3, 6]
    f = theano.function([c, s], ifelse(c, look(s * 2), s), mode=mode)
    seen.clear()
    f(0, 1.0)
    assert mode is not None or seen == []
    seen.clear()
    assert f(1, 1.0) == 2 and seen == [2]


def test_assert_in_loops_and_branches():
    checked = T.Assert("too large")
    out, _ = scan(lambda a: checked(a, T.lt(a, 3)), sequences=x)
    f = theano.function([x], out)
    f([1.0, 2.0])
    with refused(AssertionError, "too large", "step 1"):
        f([1.0, 5.0, 9.0])
    g = theano.function([c, s], ifelse(c, checked(s, T.lt(s, 3)), s))
    assert g(0, 9.0) == 9
    with refused(AssertionError, "too large"):
        g(1, 9.0)


@pytest.mark.parametrize("mode", MODES)
def test_a_breakpoint_may_change_what_it_monitors(mode, monkeypatch, capsys):
    def debugger():
        sys._getframe(1).f_locals["monitored"][0][:] = 7

    monkeypatch.setattr(sys, "breakpointhook", debugger)
    y, z = PdbBreakpoint("too much")(T.gt(x.sum(), 10), x, x * 2)
    f = theano.function([x], [y, z, T.grad((y * z).sum(), x)], mode=mode)
    np.testing.assert_array_equal(f([1.0, 2.0])[:2], [[1, 2], [2, 4]])
    assert capsys.readouterr().out == ""
    np.testing.assert_array_equal(f([10.0, 20.0])[:2], [[7, 7], [20, 40]])
    assert "too much" in capsys.readouterr().out
