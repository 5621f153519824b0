"""Rewrites of Theano 1.0.5 of parts that are read or written: by name, and in `f.maker.fgraph`."""

from __future__ import annotations

import itertools
from typing import Any

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
VALUES: dict[Any, Any] = {
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


def computed(graph: Any, values: list[Any]) -> Any:
    """Return what a graph computes."""
    f = theano.function(graph.inputs, graph.outputs, on_unused_input="ignore")
    return f(*values)[0]


@pytest.mark.parametrize(
    ("name", "expression", "gone"),
    [
        ("local_incsubtensor_of_zeros", INC(x[:4], T.zeros_like(y)), WRITES),
        ("local_incsubtensor_of_zeros", INC(x[[0, 1, 2, 3]], T.zeros_like(y)), WRITES),
        ("local_incsubtensor_of_zeros", INC(x[[1, 1], [0, 2]], np.zeros(2)), WRITES),
        ("local_setsubtensor_of_constants", SET(T.zeros_like(x)[:4], T.zeros_like(y)), WRITES),
        ("local_setsubtensor_of_constants", SET(T.ones((4, 3))[i], 1), WRITES),
        (
            "local_useless_inc_subtensor",
            SET(x[:, ::-1], T.specify_shape(y, x.shape)),
            WRITES,
        ),
        ("local_subtensor_inc_subtensor", SET(x[i], v)[i], WRITES),
        ("local_subtensor_inc_subtensor", SET(x[:i, j:], one)[:i, j:], WRITES),
        ("local_adv_sub1_adv_inc_sub1", SET(x[rows], y[:3])[rows], WRITES),
        ("local_useless_inc_subtensor_alloc", INC(v[places], T.alloc(one, 2, 2)), (T.Alloc,)),
        ("local_useless_inc_subtensor_alloc", SET(v[:i], T.alloc(one, i)), (T.Alloc,)),
    ],
)
def test_writes_that_are_not_shown(name: str, expression: Any, gone: Any) -> None:
    inputs = [u for u in theano.gof.graph.inputs([expression]) if u in VALUES]
    values = [VALUES[u] for u in inputs]
    f = theano.function(inputs, expression)
    shown = f.maker.fgraph
    assert not any(isinstance(node.op, gone) for node in shown.toposort())
    expected = f(*values)
    np.testing.assert_array_equal(computed(shown, values), expected)
    # In a mode without the rewrite they are.
    mode = theano.compile.get_default_mode().excluding(name)
    without = theano.function(inputs, expression, mode=mode)
    assert any(isinstance(node.op, gone) for node in without.maker.fgraph.toposort())
    np.testing.assert_array_equal(without(*values), expected)
    # By its name, on a graph of a program.
    graph = FunctionGraph(inputs, [expression])
    out2in(getattr(opt, name)).optimize(graph)
    assert not any(isinstance(node.op, gone) for node in graph.toposort())
    np.testing.assert_array_equal(computed(graph, values), expected)


@pytest.mark.parametrize(
    "expression",
    [
        INC(x[:4], T.ones_like(y)),
        INC(x[:2], T.constant(np.array([[0.0, 0, 0], [0, 0, 1]]))),
        SET(T.zeros_like(x)[:4], T.ones_like(y)),
        SET(x[:, ::2], T.specify_shape(y[:, ::2], x[:, ::2].shape)),
        SET(x[::, :], y[:1]),
        SET(x[:i], v)[i:],
        INC(x[:i], v)[:i],
        INC(x[rows], y[:3])[rows],
    ],
)
def test_writes_that_say_something_are_shown(expression: Any) -> None:
    inputs = [u for u in theano.gof.graph.inputs([expression]) if u in VALUES]
    values = [VALUES[u] for u in inputs]
    f = theano.function(inputs, expression)
    np.testing.assert_array_equal(computed(f.maker.fgraph, values), f(*values))


PARTS = [None, -3, 0, 2, 5]
STEPS = [None, -2, 1, 3]


@pytest.mark.parametrize("length", [0, 1, 4])
@pytest.mark.parametrize("second", ["slice", "number"])
def test_parts_of_parts_are_read_at_once(length: int, second: str) -> None:
    """All of ``a[b:e:s][c:d:t]`` and ``a[b:e:s][i]``, as NumPy has them."""
    numbers = T.lscalars(*"besfgt")
    one, two = numbers[:3], numbers[3:]
    index: Any = slice(*two) if second == "slice" else two[0]
    merged = FunctionGraph([v, *numbers], [v[slice(*one)][index]])
    out2in(opt.local_subtensor_merge).optimize(merged)
    assert sum(isinstance(node.op, T.Subtensor) for node in merged.toposort()) == 1
    f = theano.function(merged.inputs, merged.outputs[0], on_unused_input="ignore")
    array = np.arange(float(length))
    for first in itertools.product([-3, 0, 2, 5], [-3, 0, 2, 5], [-2, 1, 3]):
        for then in itertools.product([-3, 0, 2], [-2, 1, 5], [-2, 1]):
            part = array[slice(*first)]
            if second == "slice":
                expected = part[slice(*then)]
                np.testing.assert_array_equal(f(array, *first, *then), expected)
            elif -len(part) <= then[0] < len(part):
                assert f(array, *first, *then) == part[then[0]]
            else:
                with pytest.raises(IndexError):
                    f(array, *first, *then)


@pytest.mark.parametrize(
    "expression",
    [
        v[1:][::-1],
        v[::-1][:2],
        v[::-2][1:],
        x[1:, 0][::-1],
        x[:, 1][i],
        x[i:][:, ::-1][0],
        v[:i][::-1],
        v[-2:][0],
    ],
)
def test_parts_with_ends_left_out(expression: Any) -> None:
    inputs = [u for u in theano.gof.graph.inputs([expression]) if u in VALUES]
    values = [VALUES[u] for u in inputs]
    f = theano.function(inputs, expression)
    shown = f.maker.fgraph
    assert sum(isinstance(node.op, T.Subtensor) for node in shown.toposort()) == 1
    np.testing.assert_array_equal(computed(shown, values), f(*values))


def test_items_that_are_read_are_computed_alone() -> None:
    for expression in (T.exp(x)[i], T.exp(x + y)[0:2], (x + one)[i, ::-1], (v + one)[i]):
        inputs = [u for u in theano.gof.graph.inputs([expression]) if u in VALUES]
        values = [VALUES[u] for u in inputs]
        graph = FunctionGraph(inputs, [expression])
        out2in(opt.local_subtensor_lift).optimize(graph)
        assert isinstance(graph.outputs[0].owner.op, T.Elemwise)
        f = theano.function(inputs, expression)
        for g in (graph, f.maker.fgraph):
            np.testing.assert_array_equal(computed(g, values), f(*values))
    # Not where the operands are stretched, or others need all of it.
    whole = T.exp(x)
    for expression in (T.exp(x + v)[i], whole[0] + whole.sum()):
        inner = theano.gof.graph.inputs([expression])
        graph = FunctionGraph([u for u in inner if u in VALUES], [expression])
        out2in(opt.local_subtensor_lift).optimize(graph)
        parts = [node for node in graph.toposort() if isinstance(node.op, T.Subtensor)]
        assert any(
            isinstance(node.inputs[0].owner and node.inputs[0].owner.op, T.Elemwise)
            for node in parts
        )
