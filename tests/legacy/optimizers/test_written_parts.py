"""Rewrites of Theano 1.0.5 of parts that are read or written: by name, and in `f.maker.fgraph`."""

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.gof import FunctionGraph
from theano.gof.opt import out2in
from theano.tensor import opt

x, y = T.dmatrices("x", "y")
v = T.dvector("v")
i, j = T.lscalars("i", "j")
rows, places = T.lvector("rows"), T.lmatrix("places")
one = T.dscalar("one")
VALUES = {
    x: np.arange(12.0).reshape(4, 3),
    y: np.arange(20.0, 32.0).reshape(4, 3),
    v: np.arange(40.0, 43.0),
    i: 2,
    j: -1,
    rows: np.array([3, 0, 1]),
    places: np.array([[0, 2], [1, 2]]),
    one: 7.0,
}
INC, SET = T.inc_subtensor, T.set_subtensor
WRITES = (T.IncSubtensor, T.AdvancedIncSubtensor, T.AdvancedIncSubtensor1)
equal = np.testing.assert_array_equal


def of(expression):
    """Return the inputs of an expression, and their values."""
    inputs = [u for u in theano.gof.graph.inputs([expression]) if u in VALUES]
    return inputs, [VALUES[u] for u in inputs]


def computed(graph, values):
    """Return what a graph computes."""
    return theano.function(graph.inputs, graph.outputs, on_unused_input="ignore")(*values)[0]


def checked(expression, **options):
    """Return the graph of a function that shows what it computes, and its result."""
    inputs, values = of(expression)
    f = theano.function(inputs, expression, **options)
    equal(computed(f.maker.fgraph, values), f(*values))
    return f.maker.fgraph, f(*values)


def count(graph, kinds):
    return sum(isinstance(node.op, kinds) for node in graph.toposort())


@pytest.mark.parametrize(
    ("name", "expression", "gone"),
    [
        ("local_incsubtensor_of_zeros", INC(x[:4], T.zeros_like(y)), WRITES),
        ("local_incsubtensor_of_zeros", INC(x[[0, 1, 2, 3]], T.zeros_like(y)), WRITES),
        ("local_incsubtensor_of_zeros", INC(x[[1, 1], [0, 2]], np.zeros(2)), WRITES),
        ("local_setsubtensor_of_constants", SET(T.zeros_like(x)[:4], T.zeros_like(y)), WRITES),
        ("local_setsubtensor_of_constants", SET(T.ones((4, 3))[i], 1), WRITES),
        ("local_useless_inc_subtensor", SET(x[:, ::-1], T.specify_shape(y, x.shape)), WRITES),
        ("local_subtensor_inc_subtensor", SET(x[i], v)[i], WRITES),
        ("local_subtensor_inc_subtensor", SET(x[:i, j:], one)[:i, j:], WRITES),
        ("local_adv_sub1_adv_inc_sub1", SET(x[rows], y[:3])[rows], WRITES),
        ("local_useless_inc_subtensor_alloc", INC(v[places], T.alloc(one, 2, 2)), (T.Alloc,)),
        ("local_useless_inc_subtensor_alloc", SET(v[:i], T.alloc(one, i)), (T.Alloc,)),
    ],
)
def test_writes_that_are_not_shown(name, expression, gone):
    shown, expected = checked(expression)
    assert not count(shown, gone)
    # In a mode without the rewrite they are.
    without, found = checked(expression, mode=theano.compile.get_default_mode().excluding(name))
    assert count(without, gone)
    equal(found, expected)
    # By its name, on a graph of a program.
    inputs, values = of(expression)
    graph = FunctionGraph(inputs, [expression])
    out2in(getattr(opt, name)).optimize(graph)
    assert not count(graph, gone)
    equal(computed(graph, values), expected)


def test_writes_that_say_something_are_shown():
    for expression in (
        INC(x[:4], T.ones_like(y)),
        INC(x[:2], T.constant(np.array([[0.0, 0, 0], [0, 0, 1]]))),
        SET(T.zeros_like(x)[:4], T.ones_like(y)),
        SET(x[:, ::2], T.specify_shape(y[:, ::2], x[:, ::2].shape)),
        SET(x[::, :], y[:1]),
        SET(x[:i], v)[i:],
        INC(x[:i], v)[:i],
        INC(x[rows], y[:3])[rows],
    ):
        checked(expression)


@pytest.mark.parametrize("second", ["slice", "number"])
def test_parts_of_parts_are_read_at_once(second):
    """All of ``a[b:e:s][c:d:t]`` and ``a[b:e:s][i]``, as NumPy has them."""
    numbers = T.lscalars(*"besfgt")
    index = slice(*numbers[3:]) if second == "slice" else numbers[3]
    merged = FunctionGraph([v, *numbers], [v[slice(*numbers[:3])][index]])
    out2in(opt.local_subtensor_merge).optimize(merged)
    assert count(merged, T.Subtensor) == 1
    f = theano.function(merged.inputs, merged.outputs[0], on_unused_input="ignore")
    starts, steps = [-3, 0, 2, 5], [-2, 1, 3]
    for length, *first in itertools.product([0, 1, 4], starts, starts, steps):
        array = np.arange(float(length))
        part = array[slice(*first)]
        if second == "slice":
            for then in itertools.product([-3, 0, 2], [-2, 1, 5], [-2, 1]):
                equal(f(array, *first, *then), part[slice(*then)])
            continue
        for place in (-3, 0, 2):
            if -len(part) <= place < len(part):
                assert f(array, *first, place, 1, 1) == part[place]
            else:
                with pytest.raises(IndexError):
                    f(array, *first, place, 1, 1)


def test_parts_with_ends_left_out():
    for expression in (
        *(v[1:][::-1], v[::-1][:2], v[::-2][1:], v[:i][::-1], v[-2:][0]),
        *(x[1:, 0][::-1], x[:, 1][i], x[i:][:, ::-1][0]),
    ):
        shown, _ = checked(expression)
        assert count(shown, T.Subtensor) == 1


def test_elements_that_are_read_are_computed_alone():
    for expression in (T.exp(x)[i], T.exp(x + y)[0:2], (x + one)[i, ::-1], (v + one)[i]):
        inputs, values = of(expression)
        graph = FunctionGraph(inputs, [expression])
        out2in(opt.local_subtensor_lift).optimize(graph)
        assert isinstance(graph.outputs[0].owner.op, T.Elemwise)
        equal(computed(graph, values), checked(expression)[1])
    # Not where the operands are stretched, or others need all of it.
    whole = T.exp(x)
    for expression in (T.exp(x + v)[i], whole[0] + whole.sum()):
        graph = FunctionGraph(of(expression)[0], [expression])
        out2in(opt.local_subtensor_lift).optimize(graph)
        parts = [node.inputs[0] for node in graph.toposort() if isinstance(node.op, T.Subtensor)]
        assert any(part.owner and isinstance(part.owner.op, T.Elemwise) for part in parts)
