"""Lengths of a graph as a feature, and graphs that show lengths."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.tensor.opt import ShapeFeature

x, y = T.dmatrix("x"), T.drow("y")


def test_lengths_of_a_graph_as_a_feature():
    total = T.exp(x) + y
    fgraph = theano.FunctionGraph([x, y], [total.sum(0), total.T], clone=False)
    feature = ShapeFeature()
    fgraph.attach_feature(feature)
    assert fgraph.shape_feature is feature
    assert feature.same_shape(total, x) and feature.same_shape(total.T, x, 0, 1)
    assert not feature.same_shape(x, y)
    assert feature.same_shape(y, T.constant(np.ones((1, 4))), 0, 0)
    assert feature.get_shape(total.sum(0), 0).eval({x: np.ones((2, 3))}) == 3
    with pytest.raises(IndexError):
        feature.same_shape(x, y, 2, 0)
    fgraph.remove_feature(feature)
    assert not hasattr(fgraph, "shape_feature")


def test_the_graph_of_a_function_knows_the_lengths_of_its_variables():
    graph = theano.function([x], T.exp(x)[1:].sum(axis=1)).maker.fgraph
    (length,) = graph.shape_feature.shape_of[graph.outputs[0]]
    assert length.eval({graph.inputs[0]: np.ones((4, 2))}) == 3


def test_rewrites_of_users_find_lengths():
    seen = []

    @theano.gof.local_optimizer([T.exp])
    def look(node):
        shapes = node.fgraph.shape_feature
        seen.append(shapes.same_shape(node.inputs[0], node.outputs[0]))
        return False

    mode = theano.Mode("cvm", theano.gof.opt.TopoOptimizer(look))
    theano.function([], T.exp(theano.shared(np.ones(3)) * 2), mode=mode)
    assert seen == [True]
