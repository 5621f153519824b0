"""Rewrites of Theano 1.0.5 by their names: run on nodes and graphs, and left out of modes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.legacy.optimizers.named_rules import NamedRule
from theano._core.rewrite.known_as import KNOWN_AS
from theano._core.rewrite.pipeline import all_rules
from theano.gof import FunctionGraph
from theano.gof.opt import in2out, out2in
from theano.tensor import opt, opt_uncanonicalize

x, y = T.dmatrices("x", "y")
v = T.dvector("v")


def test_rules_that_old_names_stand_for_are_there() -> None:
    names = {rule.name for rule in all_rules()}
    assert {rule for rules in KNOWN_AS.values() for rule in rules} <= names


@pytest.mark.parametrize(
    ("name", "expression", "left"),
    [
        ("local_log1p", T.log(1 + x), "log1p"),
        ("local_expm1", T.exp(x) - 1, "expm1"),
        ("local_1msigmoid", 1 - T.nnet.sigmoid(x), "neg"),
        ("log1pexp_to_softplus", T.log1p(T.exp(x)), "softplus"),
        ("local_mul_to_sqr", x * x, "sqr"),
        ("local_fill_to_alloc", T.fill(x, 2.0), "Alloc"),
        ("local_cast_cast", T.cast(T.cast(x, "complex128"), "complex64"), "Cast{complex64}"),
        ("local_reshape_chain", x.reshape((-1,)).reshape((3, 2)), "Reshape{2}"),
    ],
)
def test_old_names_run_rules(name: str, expression: Any, left: str) -> None:
    """On a node, on a graph, and not in a mode that excludes them."""
    rule = getattr(opt, name, None) or getattr(T.nnet.sigm, name)
    assert isinstance(rule, NamedRule) and str(rule) == name
    (made,) = rule.transform(expression.owner)
    graph = FunctionGraph([x], [expression])
    out2in(rule).optimize(graph)
    assert left in str(made.owner) and left in str(graph)
    assert rule.transform(T.sin(x).owner) is False
    value = np.random.default_rng(1).random((6, 1))
    expected = expression.eval({x: value})
    np.testing.assert_allclose(made.eval({x: value}), expected, rtol=1e-14)
    without = theano.compile.get_default_mode().excluding(name)
    f = theano.function([x], expression, mode=without)
    np.testing.assert_allclose(f(value), expected, rtol=1e-14)


def test_a_mode_without_an_old_name_is_without_the_rule() -> None:
    f = theano.function([x], T.log(1 + x), mode=theano.Mode().excluding("local_log1p"))
    assert "log1p" not in str(f.maker.fgraph)
    assert f([[1e-20]]) == 0 and theano.function([x], T.log(1 + x))([[1e-20]]) == 1e-20
    mode = theano.Mode().excluding("local_cut_useless_reduce", "local_useless_reshape")
    g = theano.function([x], [x.sum(axis=[]), x.flatten(2)], mode=mode)
    ops = [node.op for node in g.maker.fgraph.toposort()]
    assert any(isinstance(op, T.Sum) for op in ops) and any(isinstance(op, T.Reshape) for op in ops)
    assert [v.tolist() for v in g([[1, 2]])] == [[[1, 2]]] * 2


@pytest.mark.parametrize("shapes", [((1, 2), (3, 2)), ((3, 2), (1, 2)), ((3, 2), (3, 2))])
def test_filling_broadcasts_both_where_no_rule_writes_it_otherwise(shapes: Any) -> None:
    """What is filled had the lengths of the first alone."""
    one, two = (T.TensorType("float64", [n == 1 for n in shape])() for shape in shapes)
    mode = theano.compile.get_default_mode().excluding("local_fill_to_alloc")
    f = theano.function([one, two], T.second(one, two), mode=mode)
    values = np.ones(shapes[0]), np.arange(float(np.prod(shapes[1]))).reshape(shapes[1])
    np.testing.assert_array_equal(f(*values), np.broadcast_to(values[1], (3, 2)))
    with pytest.raises((ValueError, TypeError), match=r"broadcast|length|shape"):
        f(np.ones((4, 4)), np.ones((3, 5)))


def moved(expression: Any, *rules: Any) -> str:
    graph = FunctionGraph([x, y, v], [expression])
    out2in(*rules).optimize(graph)
    return str(graph)


def test_axes_are_moved_by_old_names() -> None:
    lift = opt.local_dimshuffle_lift
    assert moved(x.T.T, lift) == "[x]"
    assert moved(T.exp(x + y).T, lift) == (
        "[Elemwise{exp,no_inplace}(Elemwise{add,no_inplace}(InplaceDimShuffle{1,0}(x),"
        " InplaceDimShuffle{1,0}(y)))]"
    )
    assert lift.transform(x.T.owner) is False
    through = opt.local_lift_transpose_through_dot
    assert moved(T.dot(x, y).T, through) == (
        "[dot(InplaceDimShuffle{1,0}(y), InplaceDimShuffle{1,0}(x))]"
    )
    assert through.transform(T.dot(x, v).dimshuffle(0, "x").owner) is False
    inside = opt.local_useless_dimshuffle_in_reshape
    assert moved(x.dimshuffle(0, "x", 1).reshape(x.shape), inside) == "[Reshape{2}(x, Shape(x))]"
    assert inside.transform(x.T.reshape((-1,)).owner) is False


def test_lengths_of_one_are_axes_by_old_names() -> None:
    shaped = v.reshape((1, 4, 1))
    rules = opt.local_reshape_to_dimshuffle, opt.local_useless_reshape
    assert moved(shaped, *rules) == "[InplaceDimShuffle{x,0,x}(v)]"
    assert rules[0].transform(v.reshape((2, 2)).owner) is False
    assert rules[1].transform(v.reshape((2, 2)).owner) is False
    assert rules[1].transform(x.reshape(x.shape).owner) == [x]
    graph = FunctionGraph([v], [T.alloc(v, 2, 3).dimshuffle("x", 0, 1)])
    out2in(opt_uncanonicalize.local_dimshuffle_alloc).optimize(graph)
    assert [type(node.op).__name__ for node in graph.toposort()].count("DimShuffle") == 1
    row = T.TensorType("float64", (False, True, False))("row")
    cut = opt_uncanonicalize.local_dimshuffle_subtensor
    for part in (row[1:, :].dimshuffle(0, 2), row[2].dimshuffle(1), row[1:].dimshuffle(2, 0)):
        (made,) = cut.transform(part.owner)
        value = np.arange(12.0).reshape(4, 1, 3)
        np.testing.assert_array_equal(made.eval({row: value}), part.eval({row: value}))
    assert cut.transform(x.T.owner) is False


def test_fractions_are_canonical_by_old_names() -> None:
    graph = FunctionGraph([x, y], [x * y / y, x + y - y])
    opt.mul_canonizer.optimize(graph)
    opt.add_canonizer.optimize(graph)
    assert str(graph) == "[x, x]" and isinstance(
        in2out(opt.local_mul_canonizer), type(opt.mul_canonizer)
    )
