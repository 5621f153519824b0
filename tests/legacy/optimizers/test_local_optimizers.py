"""Rewrites of one node, of a program for Theano 1.0.5: functions, classes, patterns."""

import pytest

import theano
import theano.tensor as T
from theano.gof import (
    EquilibriumOptimizer,
    FunctionGraph,
    LocalOptGroup,
    LocalOptimizer,
    OpRemove,
    OpSub,
    PatternSub,
    TopoOptimizer,
    in2out,
    local_optimizer,
    opt,
    out2in,
)
from theano.gof.toolbox import BadOptimization

x, y = T.dvector("x"), T.dvector("y")


def names(fg):
    return [getattr(n.op, "name", type(n.op).__name__) for n in fg.toposort()]


def graph(out):
    return FunctionGraph([x, y], [out], clone=False)


@local_optimizer([T.sin])
def sin_to_cos(node):
    """For tests only: this is not true."""
    return [T.cos(node.inputs[0])]


@local_optimizer([T.exp])
def broken(node):
    raise ZeroDivisionError("broken")


@pytest.mark.parametrize("through", [in2out, out2in])
def test_functions_of_a_node(through):
    fg = graph(T.sin(T.exp(T.sin(x))) + y)
    through(sin_to_cos).optimize(fg)
    assert names(fg) == ["cos", "exp", "cos", "add"]
    assert sin_to_cos.__name__ == "sin_to_cos"
    assert sin_to_cos.transform(T.sin(x).owner)[0].owner.op == T.cos


def test_what_a_local_optimizer_may_return():
    @local_optimizer([T.exp])
    def table(node):
        return {node.outputs[0]: node.inputs[0] * 2, "remove": [node]}

    fg = graph(T.exp(x))
    TopoOptimizer(LocalOptGroup(local_optimizer(None)(lambda node: False), table)).optimize(fg)
    assert names(fg)[-1] == "mul"
    with pytest.raises(ValueError, match="None instead of an empty list"):
        local_optimizer([])


def test_a_class_that_is_tracked_is_not_the_classes_below_it():
    class Base(theano.Op):
        __props__ = ()

        def make_node(self, v):
            return theano.Apply(self, [v], [v.type()])

    class Derived(Base):
        pass

    @local_optimizer([Base, T.Elemwise])
    def away(node):
        return list(node.inputs)

    fg = graph(Base()(Derived()(T.exp(Base()(x)))))
    in2out(away).optimize(fg)
    assert [type(n.op) for n in fg.toposort()] == [Derived]


def test_a_local_optimizer_that_tracks_an_empty_list_looks_at_every_node():
    class Simplify(LocalOptimizer):
        def transform(self, node):
            return node.inputs if node.op == T.sin else False

        def tracks(self):
            return []

    fg = graph(T.exp(T.sin(x)))
    TopoOptimizer(Simplify()).optimize(fg)
    assert names(fg) == ["exp"]


def test_a_local_optimizer_that_fails(caplog):
    @local_optimizer([T.exp])
    def too_many(node):
        return [node.inputs[0]] * 2

    @local_optimizer([T.exp])
    def another_type(node):
        return [T.cast(node.inputs[0], "float32")]

    fg = graph(T.exp(x))
    with theano.change_flags(on_opt_error="warn"):
        in2out(broken).optimize(fg)
        in2out(too_many).optimize(fg)
    assert names(fg) == ["exp"]
    assert "broken" in caplog.text and "wrong number of replacements" in caplog.text
    with theano.change_flags(on_opt_error="raise"), pytest.raises(ZeroDivisionError):
        in2out(broken).optimize(fg)
    # Without a callback an optimizer raises.
    for each in (TopoOptimizer, lambda rewrite: EquilibriumOptimizer([rewrite])):
        with pytest.raises(ZeroDivisionError):
            each(broken).optimize(graph(T.exp(x)))
        with pytest.raises(BadOptimization, match="another_type"):
            each(another_type).optimize(graph(T.exp(x)))


LEAF = {"pattern": "a", "constraint": lambda v: v.owner is None}


@pytest.mark.parametrize(
    ("before", "after", "out", "wanted"),
    [
        ((T.mul, "a", "a"), (T.sqr, "a"), T.mul(x, x), ["sqr"]),
        ((T.mul, "a", "a"), (T.sqr, "a"), T.mul(x, y), ["mul"]),
        ((T.add, (T.mul, "a", "b"), "b"), (T.mul, "b", (T.add, "a", 1)), x * y + y, ["add", "mul"]),
        ((T.sub, (T.add, "a", "b"), "b"), "a", (x + y) - y, []),
        ((T.pow, "a", 2), (T.sqr, "a"), x**2, ["sqr"]),
        ((T.pow, "a", 2), (T.sqr, "a"), x**3, ["pow"]),
        ((T.exp, LEAF), (T.sin, "a"), T.exp(T.exp(x)), ["sin", "exp"]),
    ],
)
def test_patterns(before, after, out, wanted):
    fg = graph(out)
    TopoOptimizer(PatternSub(before, after)).optimize(fg)
    assert [n for n in names(fg) if n != "DimShuffle"] == wanted


def test_patterns_leave_what_is_used_elsewhere():
    middle = x + y
    for several, count in ((False, 3), (True, 2)):
        fg = graph((middle - y) * middle)
        rule = PatternSub((T.sub, (T.add, "a", "b"), "b"), "a", allow_multiple_clients=several)
        TopoOptimizer(rule).optimize(fg)
        assert len(names(fg)) == count
    with pytest.raises(TypeError, match="must start with a specific Op"):
        PatternSub("a", (T.sqr, "a"))


def test_substituted_and_removed_operations():
    fg = graph(T.exp(T.sin(x)) + y)
    EquilibriumOptimizer([OpSub(T.sin, T.cos), OpRemove(T.exp)]).optimize(fg)
    assert names(fg) == ["cos", "add"]
    opt.OpKeyOptimizer(PatternSub((T.cos, "v"), (T.sqr, "v"))).optimize(fg)
    assert names(fg) == ["sqr", "add"]
    with pytest.raises(TypeError, match="op_key"):
        opt.OpKeyOptimizer(LocalOptimizer())
