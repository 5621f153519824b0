"""Rewrites of whole graphs, of a program for Theano 1.0.5."""

import pytest

import theano
import theano.tensor as T
from theano.gof import (
    EquilibriumOptimizer,
    FunctionGraph,
    LocalOptimizer,
    OpRemove,
    Optimizer,
    PatternSub,
    SeqOptimizer,
    TopoOptimizer,
    local_optimizer,
    optimizer,
    pre_greedy_local_optimizer,
)

x, y = T.dvector("x"), T.dvector("y")


def names(fg):
    return [node.op.name for node in fg.toposort()]


def test_classes_and_functions_of_graphs():
    class Local(LocalOptimizer):
        def tracks(self):
            return [type(T.exp)]

        def transform(self, node):
            return [T.cos(node.inputs[0])] if node.op == T.exp else False

    class Whole(Optimizer):
        def add_requirements(self, fgraph):
            fgraph.attach_feature(theano.gof.toolbox.ReplaceValidate())

        def apply(self, fgraph):
            for node in fgraph.toposort():
                if node.op == T.cos:
                    fgraph.replace_validate(node.outputs[0], T.tanh(node.inputs[0]))

    @optimizer
    def back(fgraph):
        for node in fgraph.toposort():
            fgraph.replace_validate(node.outputs[0], T.exp(node.inputs[0]))

    fg = FunctionGraph([x], [T.exp(x)])
    SeqOptimizer(TopoOptimizer(Local()), Whole()).optimize(fg)
    assert names(fg) == ["tanh"]
    back.optimize(fg)
    assert names(fg) == ["exp"]
    named = optimizer(lambda graph: None)
    assert named.__name__ == str(named) == "<lambda>"


def test_an_equilibrium_goes_on_until_nothing_changes_and_tells_what_it_did():
    out = x
    for _ in range(9):
        out = T.sin(out)
    fg = FunctionGraph([x], [out])
    EquilibriumOptimizer([PatternSub((T.sin, (T.sin, "a")), (T.sin, "a"))]).optimize(fg)
    assert names(fg) == ["sin"]
    away = EquilibriumOptimizer([OpRemove(T.neg)], max_use_ratio=10)
    fg = FunctionGraph([x], [T.neg(T.neg(T.exp(x)))])
    itself, times, (uses,), sizes, *rest = away.optimize(fg)
    assert itself is away and len(times) == 2 and sum(uses.values()) == 2
    assert sizes == (3, 1, 3) and len(rest) == 8


def test_a_rewrite_that_is_used_too_often_ends_all(caplog):
    back_and_forth = EquilibriumOptimizer(
        [PatternSub((T.exp, "v"), (T.log, "v")), PatternSub((T.log, "v"), (T.exp, "v"))],
        max_use_ratio=2,
    )
    back_and_forth.optimize(FunctionGraph([x], [T.exp(x)]))
    assert "max'ed out" in caplog.text
    with theano.change_flags(on_opt_error="raise"), pytest.raises(AssertionError, match="max'ed"):
        back_and_forth.optimize(FunctionGraph([x], [T.exp(x)]))


def test_before_there_is_a_graph():
    sin_to_cos = local_optimizer([T.sin])(lambda node: [T.cos(node.inputs[0])])
    out = pre_greedy_local_optimizer([sin_to_cos], T.sin(x) + T.sin(y))
    assert {n.op for n in theano.gof.graph.ops([x, y], [out])} == {T.cos, T.add}
