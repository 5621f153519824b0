"""Printers in the manner of Theano 1.0.5."""

import sys
from types import ModuleType

import pytest

import theano
import theano.tensor as T
from theano import printing


def test_printers():
    pp = printing.pp.clone_assign(T.exp, printing.FunctionPrinter("e"))
    pp.assign(T.add, printing.OperatorPrinter("plus", -2, "either"))
    pp.assign(T.neg, printing.OperatorPrinter("minus ", 0))
    pp.assign(T.abs_, printing.PatternPrinter(("abs %(0)s", -1000)))
    pp.assign(T.sqr, printing.IgnorePrinter())
    pp.assign(T.log, printing.DefaultPrinter())
    x, y = T.dscalars("xy")
    assert pp(T.exp(x + y)) == "e((x plus y))"
    assert pp(abs(-x)) == "abs (minus x)"
    assert pp(T.sqr(y)) == "y"
    assert pp(T.log(y)) == f"{T.log}(y)"


def test_a_printer_of_users():
    class Mine:
        def process(self, output, pstate):
            return f"<{pstate.pprinter.process(output.owner.inputs[0], pstate)}>"

    x = T.dscalar("x")
    assert printing.pp.clone_assign(lambda state, r: r.owner.op == T.sin, Mine())(T.sin(x)) == "<x>"


def test_leaves():
    state = printing.PrinterState(pprinter=printing.pp)
    assert printing.leaf_printer.process(T.dscalar("alpha"), state) == "\\alpha"
    assert printing.default_printer.process(T.dscalar("x"), state) == "x"
    with pytest.raises(TypeError, match="not the result of an operation"):
        printing.OperatorPrinter("+", 0).process(T.dscalar("x"), state)
    assert printing.PrinterState(state).pprinter is printing.pp


def test_classes_of_pydot_are_in_printing(monkeypatch):
    # PyMC3 3.11 asks for it, as Theano-PyMC imports it, where pydot is installed.
    drawer = ModuleType("pydot")
    drawer.Node = object()
    monkeypatch.setitem(sys.modules, "pydot", drawer)
    assert theano.printing.Node is drawer.Node
    monkeypatch.setitem(sys.modules, "pydot", None)
    assert not hasattr(theano.printing, "Node")
