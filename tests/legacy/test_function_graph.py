"""`FunctionGraph`: looking at it, changing it in place, and features that take part."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.gof import FunctionGraph, InconsistencyError, toolbox
from theano.gof.toolbox import AlreadyThere, Feature, ReplaceValidate

x, y = T.dvector("x"), T.dvector("y")


def graph(**options: Any) -> Any:
    """Return the graph of exp(x) + exp(x) * y, with its parts."""
    middle = T.exp(x)
    out = middle + middle * y
    return FunctionGraph([x, y], [out], clone=False, **options), middle, out


def value(fg: Any) -> list[float]:
    return theano.function(fg.inputs, fg.outputs[0], on_unused_input="ignore")(
        [0.0, 1.0], [2.0, 3.0]
    ).tolist()


def test_looking() -> None:
    fg, middle, out = graph()
    assert [str(n.op) for n in fg.toposort()][0] == "Elemwise{exp,no_inplace}"
    assert fg.apply_nodes == set(fg.toposort())
    assert {x, y, middle, out} <= fg.variables
    assert len(fg.clients(middle)) == 2
    assert fg.clients(out) == [("output", 0)]
    assert str(fg) == (
        "[Elemwise{add,no_inplace}(*1 -> Elemwise{exp,no_inplace}(x), "
        "Elemwise{mul,no_inplace}(*1, y))]"
    )
    assert middle in fg and middle.owner in fg and T.dscalar() not in fg
    assert len(middle.clients) == 2 and middle.fgraph is fg and middle.owner.fgraph is fg
    fg.check_integrity()
    again = pickle.loads(pickle.dumps(fg))
    assert value(again) == value(fg)
    with pytest.raises(theano.gof.MissingInputError):
        FunctionGraph([x], [x + y])


def test_a_graph_is_a_copy_unless_told_otherwise() -> None:
    fg = FunctionGraph([x], [T.exp(x)])
    assert fg.inputs[0] is not x
    assert fg.inputs[0].name == "x"
    copy, equal = fg.clone_get_equiv()
    assert equal[fg.outputs[0]] is copy.outputs[0]
    assert fg.clone().outputs[0] is not fg.outputs[0]


def test_replacing() -> None:
    fg, middle, _ = graph()
    fg.replace(middle, T.sqr(x), reason="test")
    assert middle.owner not in fg and middle not in fg
    fg.check_integrity()
    np.testing.assert_allclose(value(fg), [0.0, 4.0])
    # A replacement may contain what it replaces.
    fg.replace(fg.inputs[0], fg.inputs[0] * 2)
    np.testing.assert_allclose(value(fg), [0.0, 16.0])
    fg.replace_all([(fg.outputs[0], fg.inputs[1]), (T.dvector(), x)])
    assert value(fg) == [2.0, 3.0]
    assert not fg.apply_nodes
    fg.check_integrity()
    with pytest.raises(TypeError, match="Cannot convert"):
        fg.replace(y, T.dmatrix())
    with pytest.raises(theano.gof.toolbox.BadOptimization, match="why: y is replaced by"):
        fg.replace(y, T.dmatrix(), reason="why")
    with pytest.raises(TypeError, match="same as the type"):
        fg.change_input("output", 0, T.dmatrix())
    with pytest.raises(theano.gof.MissingInputError):
        fg.replace(y, T.dvector("new") + 1)
    new = T.dvector("new")
    fg.add_input(new)
    fg.replace(y, new + 1)
    assert len(fg.inputs) == 3


class Watch(Feature):
    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_attach(self, function_graph: Any) -> None:
        self.seen.append("attach")

    def on_detach(self, function_graph: Any) -> None:
        self.seen.append("detach")

    def on_import(self, function_graph: Any, node: Any, reason: Any) -> None:
        self.seen.append(("import", str(node.op), reason))

    def on_prune(self, function_graph: Any, node: Any, reason: Any) -> None:
        self.seen.append(("prune", str(node.op), reason))

    def on_change_input(
        self, function_graph: Any, node: Any, i: int, r: Any, new_r: Any, reason: Any = None
    ) -> None:
        self.seen.append(("change", i, reason))


def test_features_are_told() -> None:
    fg, middle, _ = graph()
    fg.apply_nodes  # noqa: B018 - what is there already is no news
    watch = Watch()
    fg.attach_feature(watch)
    fg.attach_feature(watch)
    fg.replace(middle, T.sqr(x), reason="why")
    fg.remove_feature(watch)
    fg.remove_feature(watch)
    sqr, exp = "Elemwise{sqr,no_inplace}", "Elemwise{exp,no_inplace}"
    assert watch.seen[:3] == ["attach", ("import", sqr, "why"), ("change", 0, "why")]
    assert ("prune", exp, "why") in watch.seen
    assert watch.seen[-1] == "detach"


def test_undoing_what_a_feature_does_not_agree_to() -> None:
    fg, middle, out = graph(features=[ReplaceValidate()])
    before = value(fg)

    class No(Feature):
        def validate(self, function_graph: Any) -> None:
            if any("sqr" in str(n.op) for n in function_graph.apply_nodes):
                raise InconsistencyError("no squares")

    fg.attach_feature(No())
    assert fg.consistent()
    with pytest.raises(InconsistencyError, match="no squares"):
        fg.replace_all_validate([(middle, T.sqr(x))])
    assert value(fg) == before
    fg.check_integrity()
    fg.replace_validate(middle, T.sin(x))
    mark = fg.checkpoint()
    fg.replace(out, y)
    fg.revert(mark)
    assert any("sin" in str(n.op) for n in fg.toposort())
    with pytest.raises(toolbox.ReplacementDidntRemovedError):
        fg.replace_all_validate_remove([(y, y + 1)], remove=[y])
    with pytest.raises(AlreadyThere):
        ReplaceValidate().on_attach(fg)
    fg.attach_feature(ReplaceValidate())


def test_orders_that_features_ask_for() -> None:
    one, two = T.exp(x), T.sin(y)
    fg = FunctionGraph([x, y], [one, two], clone=False)
    nodes = [one.owner, two.owner]

    class Order(Feature):
        def orderings(self, function_graph: Any) -> dict[Any, list[Any]]:
            return {nodes[0]: [nodes[1]]}

    assert fg.toposort() == nodes
    fg.attach_feature(Order())
    fg.replace(x, x)
    fg._order = None
    assert fg.toposort() == nodes[::-1]

    class Circle(Order):
        def orderings(self, function_graph: Any) -> dict[Any, list[Any]]:
            return {nodes[0]: [nodes[1]], nodes[1]: [nodes[0]]}

    fg.attach_feature(Circle())
    fg._order = None
    with pytest.raises(InconsistencyError, match="order that does not exist"):
        fg.toposort()


def test_features_of_a_new_graph_are_told_of_its_nodes() -> None:
    watch = Watch()
    watch.on_attach = lambda graph: watch.seen.append(len(graph.toposort()))
    fg, _, _ = graph(features=[watch])
    assert watch.seen == [0, *(("import", str(node.op), "init") for node in fg.toposort())]


def test_finding_printing_and_names(capsys: Any) -> None:
    fg, middle, _ = graph(features=[toolbox.NodeFinder(), toolbox.PrintListener()])
    middle.name = "middle"
    assert fg.get_nodes(T.exp) == [middle.owner]
    fg.attach_feature(toolbox.PreserveNames())
    fg.replace(middle, T.sqr(x))
    assert fg.get_nodes(T.exp) == []
    assert fg.get_nodes(T.sqr)[0].outputs[0].name == "middle"
    assert "importing" in capsys.readouterr().out
    fg.disown()
    assert not hasattr(fg, "get_nodes")
    assert not hasattr(x, "clients")


def test_the_graph_of_a_function() -> None:
    f = theano.function([x, y], T.exp(x) + y)
    fg = f.maker.fgraph
    assert isinstance(fg, FunctionGraph)
    assert isinstance(fg, theano.FunctionGraph)
    first = fg.toposort()[0].inputs[0]
    assert fg.clients(first)
    fg.check_integrity()


def test_variables_of_a_graph_know_their_uses_from_the_start() -> None:
    x, y = T.dvectors("x", "y")
    f = theano.function([x, y], [T.exp(x) * y, y])
    first = f.maker.fgraph.toposort()[0]
    assert first.outputs[0].clients
    for graph in (f.maker.fgraph, FunctionGraph([x, y], [T.exp(x) * y, y])):
        assert [len(v.clients) for v in graph.inputs] == [1, 2]
        assert all(v.fgraph is graph for v in graph.inputs)
        assert graph.outputs[1].clients[-1] == ("output", 1)


def test_every_graph_offers_replacements_that_are_checked(capsys: Any) -> None:
    fg, middle, _ = graph()
    fg.replace_validate(middle, T.sqr(x), reason="mine", verbose=True)
    assert "mine" in capsys.readouterr().out
    assert value(fg) == [0, 4] and fg.consistent()
    before = fg.checkpoint()
    fg.replace(fg.outputs[0], y)
    assert capsys.readouterr().out == ""
    fg.revert(before)
    assert value(fg) == [0, 4]
    with theano.change_flags(optimizer_verbose=True):
        fg.replace(fg.outputs[0], y, reason="yours")
    assert "yours" in capsys.readouterr().out
    # A feature with some of these methods alone stays.
    fg, _, _ = graph(features=[toolbox.History()])
    assert fg.checkpoint() == 0
    for name in ("replace_validate", "nothing"):
        with pytest.raises(AttributeError, match=name):
            getattr(fg, name)
