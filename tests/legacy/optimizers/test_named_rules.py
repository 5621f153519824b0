"""Rewrites of Theano 1.0.5 by their names: run on nodes and graphs, and left out of modes."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import evaluate, ops
from theano._core.legacy.optimizers.named_rules import NamedRule
from theano._core.rewrite.known_as import KNOWN_AS
from theano._core.rewrite.pipeline import all_rules
from theano.gof import FunctionGraph
from theano.gof.opt import in2out, out2in
from theano.tensor import opt, opt_uncanonicalize

x, y = T.dmatrices("x", "y")
v = T.dvector("v")
DEFAULT = theano.compile.get_default_mode()


def test_rules_that_old_names_stand_for_are_there():
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
def test_old_names_run_rules(name, expression, left):
    """On a node, on a graph, and not in a mode that excludes them."""
    rule = getattr(opt, name, None) or getattr(T.nnet.sigm, name)
    assert isinstance(rule, NamedRule) and str(rule) == name
    (made,) = rule.transform(expression.owner)
    graph = FunctionGraph([x], [expression])
    out2in(rule).optimize(graph)
    assert left in str(made.owner) and left in str(graph)
    assert rule.transform(T.sin(x).owner) is False
    given = {x: np.random.default_rng(1).random((6, 1))}
    found, expected = evaluate([made, expression], given)
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    without = evaluate(expression, given, DEFAULT.excluding(name))
    np.testing.assert_allclose(without, expected, rtol=1e-14)


def test_a_mode_without_an_old_name_is_without_the_rule():
    f = theano.function([x], T.log(1 + x), mode=theano.Mode().excluding("local_log1p"))
    assert "log1p" not in str(f.maker.fgraph)
    assert f([[1e-20]]) == 0 and evaluate(T.log(1 + x), {x: [[1e-20]]}) == 1e-20
    mode = theano.Mode().excluding("local_cut_useless_reduce", "local_useless_reshape")
    g = theano.function([x], [x.sum(axis=[]), x.flatten(2)], mode=mode)
    assert ops(g, T.Sum) and ops(g, T.Reshape)
    assert [v.tolist() for v in g([[1, 2]])] == [[[1, 2]]] * 2


@pytest.mark.parametrize("shapes", [((1, 2), (3, 2)), ((3, 2), (1, 2)), ((3, 2), (3, 2))])
def test_filling_broadcasts_both_where_no_rule_writes_it_otherwise(shapes):
    """What is filled had the lengths of the first alone."""
    one, two = (T.TensorType("float64", [n == 1 for n in shape])() for shape in shapes)
    mode = DEFAULT.excluding("local_fill_to_alloc")
    f = theano.function([one, two], T.second(one, two), mode=mode)
    values = np.ones(shapes[0]), np.arange(float(np.prod(shapes[1]))).reshape(shapes[1])
    np.testing.assert_array_equal(f(*values), np.broadcast_to(values[1], (3, 2)))
    with pytest.raises((ValueError, TypeError), match=r"broadcast|length|shape"):
        f(np.ones((4, 4)), np.ones((3, 5)))


def moved(expression, *rules):
    graph = FunctionGraph([x, y, v], [expression])
    out2in(*rules).optimize(graph)
    return str(graph).replace("InplaceDimShuffle{1,0}", "T").replace(",no_inplace", "")


def test_axes_are_moved_by_old_names():
    lift, inside = opt.local_dimshuffle_lift, opt.local_useless_dimshuffle_in_reshape
    through = opt.local_lift_transpose_through_dot
    for expression, rule, text in (
        (x.T.T, lift, "[x]"),
        (T.exp(x + y).T, lift, "[Elemwise{exp}(Elemwise{add}(T(x), T(y)))]"),
        (T.dot(x, y).T, through, "[dot(T(y), T(x))]"),
        (x.dimshuffle(0, "x", 1).reshape(x.shape), inside, "[Reshape{2}(x, Shape(x))]"),
    ):
        assert moved(expression, rule) == text
    for out, rule in ((x.T, lift), (T.dot(x, v).dimshuffle(0, "x"), through)):
        assert rule.transform(out.owner) is False
    assert inside.transform(x.T.reshape((-1,)).owner) is False


def test_lengths_of_one_are_axes_by_old_names():
    rules = opt.local_reshape_to_dimshuffle, opt.local_useless_reshape
    assert moved(v.reshape((1, 4, 1)), *rules) == "[InplaceDimShuffle{x,0,x}(v)]"
    assert [rule.transform(v.reshape((2, 2)).owner) for rule in rules] == [False, False]
    assert rules[1].transform(x.reshape(x.shape).owner) == [x]
    graph = FunctionGraph([v], [T.alloc(v, 2, 3).dimshuffle("x", 0, 1)])
    out2in(opt_uncanonicalize.local_dimshuffle_alloc).optimize(graph)
    assert [type(node.op).__name__ for node in graph.toposort()].count("DimShuffle") == 1
    row = T.TensorType("float64", (False, True, False))("row")
    cut = opt_uncanonicalize.local_dimshuffle_subtensor
    for part in (row[1:, :].dimshuffle(0, 2), row[2].dimshuffle(1), row[1:].dimshuffle(2, 0)):
        (made,) = cut.transform(part.owner)
        found, wanted = evaluate([made, part], {row: np.arange(12.0).reshape(4, 1, 3)})
        np.testing.assert_array_equal(found, wanted)
    assert cut.transform(x.T.owner) is False


def test_fractions_are_canonical_by_old_names():
    graph = FunctionGraph([x, y], [x * y / y, x + y - y])
    opt.mul_canonizer.optimize(graph)
    opt.add_canonizer.optimize(graph)
    assert str(graph) == "[x, x]"
    assert isinstance(in2out(opt.local_mul_canonizer), type(opt.mul_canonizer))
