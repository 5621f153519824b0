"""Equal nodes and constants that become one."""

import pytest

import theano
import theano.tensor as T
from theano.gof.opt import MergeFeature, MergeOptimizer, check_chain, merge_dict, pre_constant_merge


def test_the_optimizer_remembers_on_the_graph():
    x, y = T.dvectors("xy")
    graph = theano.FunctionGraph([x, y], [T.exp(x + y) * T.exp(x + y)])
    told = "[mul(exp(add(x, y)), exp(add(x, y)))]"
    assert repr(graph).replace("Elemwise{", "").replace(",no_inplace}", "") == told
    failed, seconds, *unknown, replaced, constants = MergeOptimizer().optimize(graph)
    assert (failed, unknown, replaced, constants) == (0, [None, None, {}], 2, 0) and seconds > 0
    assert len(graph.apply_nodes) == 3 and isinstance(graph.merge_feature, MergeFeature)
    doubled = theano.FunctionGraph([x], [x * T.constant(20.0) + T.constant(20.0)])
    assert MergeOptimizer().optimize(doubled)[-2:] == (2, 1)
    with pytest.raises(theano.gof.toolbox.AlreadyThere):
        MergeFeature().on_attach(graph)


def test_constants_before_a_graph():
    x = T.dvector("x")
    out = (x + T.constant(20.0)) * T.constant(20.0)
    (same,) = pre_constant_merge(out)
    shifted, ones = out.owner.inputs
    assert same is out
    assert shifted.owner.inputs[1].owner.inputs[0] is ones.owner.inputs[0]
    assert pre_constant_merge([T.constant(1.0), "else"])[1] == "else"


def test_chains():
    x = T.dvector("x")
    out = T.exp(T.log(x))
    assert check_chain(out, T.exp, T.log) and check_chain(out.owner, type(T.exp), None)
    assert not check_chain(out, T.log) and not check_chain(out, T.exp, T.log, T.exp)
    assert merge_dict({"a": 1, "b": 2}, {"b": 3, "c": 4}) == {"a": 1, "b": 5, "c": 4}


def test_constants_are_folded():
    from theano.gof.opt import pre_greedy_local_optimizer
    from theano.tensor.opt import constant_folding
    from theano.tensor.type_other import MakeSlice, SliceConstant

    x = T.dvector("x")
    folded = pre_greedy_local_optimizer([constant_folding], T.constant(1.0) + 2)
    assert isinstance(folded, theano.Constant) and folded.data == 3.0
    assert constant_folding(T.exp(x).owner) is False
    part = pre_greedy_local_optimizer([constant_folding], MakeSlice()(1))
    assert isinstance(part, SliceConstant) and hash(part.signature()) is not None
