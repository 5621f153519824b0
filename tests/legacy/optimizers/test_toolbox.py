"""`FunctionGraph`: looking at it, changing it in place, and features that take part."""

import pickle

import pytest

import theano
import theano.tensor as T
from theano.gof import FunctionGraph, InconsistencyError, MissingInputError, toolbox
from theano.gof.toolbox import AlreadyThere, BadOptimization, Feature, ReplaceValidate

x, y = T.dvector("x"), T.dvector("y")
EXP, SQR = "Elemwise{exp,no_inplace}", "Elemwise{sqr,no_inplace}"


def graph(**options):
    """Return the graph of exp(x) + exp(x) * y, with its parts."""
    middle = T.exp(x)
    out = middle + middle * y
    return FunctionGraph([x, y], [out], clone=False, **options), middle, out


def value(fg):
    f = theano.function(fg.inputs, fg.outputs[0], on_unused_input="ignore")
    return f([0.0, 1.0], [2.0, 3.0]).tolist()


def test_looking():
    fg, middle, out = graph()
    assert str(fg.toposort()[0].op) == EXP
    assert fg.apply_nodes == set(fg.toposort())
    assert {x, y, middle, out} <= fg.variables
    assert len(fg.clients(middle)) == 2 and fg.clients(out) == [("output", 0)]
    text = f"[Elemwise{{add,no_inplace}}(*1 -> {EXP}(x), Elemwise{{mul,no_inplace}}(*1, y))]"
    assert str(fg) == text
    assert middle in fg and middle.owner in fg and T.dscalar() not in fg
    assert len(middle.clients) == 2 and middle.fgraph is fg and middle.owner.fgraph is fg
    fg.check_integrity()
    assert value(pickle.loads(pickle.dumps(fg))) == value(fg)
    with pytest.raises(MissingInputError):
        FunctionGraph([x], [x + y])


def test_a_graph_is_a_copy_unless_told_otherwise():
    fg = FunctionGraph([x], [T.exp(x)])
    assert fg.inputs[0] is not x and fg.inputs[0].name == "x"
    copy, equal = fg.clone_get_equiv()
    assert equal[fg.outputs[0]] is copy.outputs[0]
    assert fg.clone().outputs[0] is not fg.outputs[0]


def test_replacing():
    fg, middle, _ = graph()
    fg.replace(middle, T.sqr(x), reason="test")
    assert middle.owner not in fg and middle not in fg
    fg.check_integrity()
    assert value(fg) == [0.0, 4.0]
    # A replacement may contain what it replaces.
    fg.replace(fg.inputs[0], fg.inputs[0] * 2)
    assert value(fg) == [0.0, 16.0]
    fg.replace_all([(fg.outputs[0], fg.inputs[1]), (T.dvector(), x)])
    assert value(fg) == [2.0, 3.0] and not fg.apply_nodes
    fg.check_integrity()
    for wrong, error, text in (
        (lambda: fg.replace(y, T.dmatrix()), TypeError, "Cannot convert"),
        (
            lambda: fg.replace(y, T.dmatrix(), reason="why"),
            BadOptimization,
            "why: y is replaced by",
        ),
        (lambda: fg.change_input("output", 0, T.dmatrix()), TypeError, "same as the type"),
        (lambda: fg.replace(y, T.dvector("new") + 1), MissingInputError, None),
    ):
        with pytest.raises(error, match=text):
            wrong()
    new = T.dvector("new")
    fg.add_input(new)
    fg.replace(y, new + 1)
    assert len(fg.inputs) == 3


class Watch(Feature):
    def __init__(self):
        self.seen = []

    def on_attach(self, function_graph):
        self.seen.append("attach")

    def on_detach(self, function_graph):
        self.seen.append("detach")

    def on_import(self, function_graph, node, reason):
        self.seen.append(("import", str(node.op), reason))

    def on_prune(self, function_graph, node, reason):
        self.seen.append(("prune", str(node.op), reason))

    def on_change_input(self, function_graph, node, i, r, new_r, reason=None):
        self.seen.append(("change", i, reason))


def test_features_are_told():
    fg, middle, _ = graph()
    fg.apply_nodes  # noqa: B018 - what is there already is no news
    watch = Watch()
    fg.attach_feature(watch)
    fg.attach_feature(watch)
    fg.replace(middle, T.sqr(x), reason="why")
    fg.remove_feature(watch)
    fg.remove_feature(watch)
    assert watch.seen[:3] == ["attach", ("import", SQR, "why"), ("change", 0, "why")]
    assert ("prune", EXP, "why") in watch.seen
    assert watch.seen[-1] == "detach"


def test_features_of_a_new_graph_are_told_of_its_nodes():
    watch = Watch()
    watch.on_attach = lambda graph: watch.seen.append(len(graph.toposort()))
    fg, _, _ = graph(features=[watch])
    assert watch.seen == [0, *(("import", str(node.op), "init") for node in fg.toposort())]


def test_undoing_what_a_feature_does_not_agree_to():
    fg, middle, out = graph(features=[ReplaceValidate()])
    before = value(fg)

    class No(Feature):
        def validate(self, function_graph):
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


def test_orders_that_features_ask_for():
    one, two = T.exp(x), T.sin(y)
    fg, nodes = FunctionGraph([x, y], [one, two], clone=False), [one.owner, two.owner]
    order, circle = Feature(), Feature()
    order.orderings = lambda graph: {nodes[0]: [nodes[1]]}
    circle.orderings = lambda graph: {nodes[0]: [nodes[1]], nodes[1]: [nodes[0]]}
    assert fg.toposort() == nodes
    fg.attach_feature(order)
    fg.replace(x, x)
    fg._order = None
    assert fg.toposort() == nodes[::-1]
    fg.attach_feature(circle)
    fg._order = None
    with pytest.raises(InconsistencyError, match="order that does not exist"):
        fg.toposort()


def test_finding_printing_and_names(capsys):
    fg, middle, _ = graph(features=[toolbox.NodeFinder(), toolbox.PrintListener()])
    middle.name = "middle"
    assert fg.get_nodes(T.exp) == [middle.owner]
    fg.attach_feature(toolbox.PreserveNames())
    fg.replace(middle, T.sqr(x))
    assert fg.get_nodes(T.exp) == []
    assert fg.get_nodes(T.sqr)[0].outputs[0].name == "middle"
    assert "importing" in capsys.readouterr().out
    fg.disown()
    assert not hasattr(fg, "get_nodes") and not hasattr(x, "clients")


def test_variables_of_a_graph_know_their_uses_from_the_start():
    f = theano.function([x, y], [T.exp(x) * y, y])
    assert isinstance(f.maker.fgraph, FunctionGraph) and FunctionGraph is theano.FunctionGraph
    assert f.maker.fgraph.toposort()[0].outputs[0].clients
    for fg in (f.maker.fgraph, FunctionGraph([x, y], [T.exp(x) * y, y])):
        assert [len(v.clients) for v in fg.inputs] == [1, 2]
        assert all(v.fgraph is fg and fg.clients(v) for v in fg.inputs)
        assert fg.outputs[1].clients[-1] == ("output", 1)
        fg.check_integrity()


def test_every_graph_offers_replacements_that_are_checked(capsys):
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
