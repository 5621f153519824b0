"""Fractions and differences in normal form."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.gof.opt import EquilibriumOptimizer, LocalOptGroup
from theano.tensor.opt import Canonizer, local_add_canonizer, local_mul_canonizer, mul_calculate


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda x, y, z: x / y * y, "x"),
        (lambda x, y, z: (x * y) / (y * z), "(x / z)"),
        (lambda x, y, z: x / (y / z), "((x * z) / y)"),
        (lambda x, y, z: 2 * x / 4, "(0.5 * x)"),
        (lambda x, y, z: T.inv(x) * x * y, "y"),
        (lambda x, y, z: x - y + y, "x"),
        (lambda x, y, z: (x + y) - (z + y), "(x - z)"),
        (lambda x, y, z: 1 + x + 2 - 3, "x"),
        (lambda x, y, z: x * y, "(x * y)"),
        (lambda x, y, z: 2 * x, "(2 * x)"),
    ],
)
def test_normal_forms(make, text):
    x, y, z = T.dvectors("xyz")
    graph = theano.FunctionGraph([x, y, z], [make(x, y, z)], clone=False)
    both = LocalOptGroup(local_mul_canonizer, local_add_canonizer)
    EquilibriumOptimizer([both], max_use_ratio=10).optimize(graph)
    found = theano.pp(graph.outputs[0]).replace("TensorConstant{(1,) of ", "")
    found = found.replace("TensorConstant{", "").replace("}", "")
    assert found == text


def test_lengths_stay():
    x = T.dvector("x")
    graph = theano.FunctionGraph([x], [x / x], clone=False)
    EquilibriumOptimizer([local_mul_canonizer], max_use_ratio=10).optimize(graph)
    f = theano.function(graph.inputs, graph.outputs)
    assert f(np.ones(3))[0].tolist() == [1.0] * 3
    assert not any(node.op == T.true_div for node in graph.toposort())


def test_parts():
    x, y, z = T.dvectors("xyz")
    own = Canonizer(T.mul, T.true_div, T.inv, mul_calculate)
    assert own.get_num_denum(x / y * z) == ([x, z], [y])
    assert own.simplify([x, y], [y, z], x.type) == ([x], [z])
    assert own.get_constant(T.constant(3.0).dimshuffle("x")) == 3 and own.get_constant(x) is None
    assert theano.pp(own.merge_num_denum([], [x])) == "inv(x)"
    assert str(own).startswith("Canonizer(")
