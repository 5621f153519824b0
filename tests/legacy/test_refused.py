"""Names of Theano 1.0.5 that can be imported, and say what replaces them when they are used."""

import importlib

import pytest

import theano
import theano.tensor as T
from theano._core.legacy.optimizers.named_rules import NamedRule, RefusedRule
from theano._core.legacy.refused import REFUSED


def test_names():
    for advice, modules in REFUSED.items():
        for path, names in modules.items():
            module = importlib.import_module(path)
            for name in names.split():
                found = getattr(module, name)
                assert found is getattr(module, name)
                if isinstance(found, NamedRule):
                    continue
                with pytest.raises(NotImplementedError, match=name) as caught:
                    found()
                assert advice in str(caught.value)


def test_rewrites_have_their_name():
    rule = theano.tensor.opt.local_greedy_distributor
    assert isinstance(rule, RefusedRule) and str(rule) == "local_greedy_distributor"
    x = T.dvector("x")
    with pytest.raises(NotImplementedError, match=r"theano\.extend"):
        theano.gof.TopoOptimizer(rule).optimize(theano.FunctionGraph([x], [x + 1]))


def test_nothing_is_one_of_them():
    from theano.tensor.blas_c import CGemv

    assert not isinstance(T.exp, CGemv)
