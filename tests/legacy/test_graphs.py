"""`theano.gof.graph` and `theano.scan_module.scan_utils`: arguments, orders and results."""

import itertools
from collections import deque

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.gof import graph
from theano.scan_module import scan_utils


def test_walks():
    x, y, z = T.dscalars("x", "y", "z")
    product = x * y
    out = z + product
    assert graph.inputs([out]) == [z, x, y]
    assert graph.inputs([out], blockers=[product]) == [z]
    assert graph.ancestors([out]) == [out, z, product, x, y]
    assert graph.ancestors([out], blockers=[product]) == [out, z, product]
    assert graph.orphans([x], [out]) == [z, y]
    assert graph.variables([product], [out]) == [out, z, product]
    assert graph.io_toposort([x, y, z], [out]) == [product.owner, out.owner]
    assert graph.list_of_nodes([x], [out]) == [out.owner, product.owner]
    assert graph.list_of_nodes([product], [out]) == [out.owner]
    assert graph.ops([product, z], [out]) == {out.owner}
    found, users = graph.stack_search(deque([1]), lambda n: [2 * n] * (n < 4), build_inv=True)
    assert found == [1, 2, 4] and users == {2: [1], 4: [2]}
    with pytest.raises(ValueError, match="bfs"):
        graph.stack_search(deque(), lambda n: None, mode="best")


def test_copies():
    x, y = T.dscalars("x", "y")
    out = x * y
    (new,), (copy,) = graph.clone([x], [out])
    assert new is not x and copy.owner.inputs[0] is new and copy.owner.inputs[1] is not y
    table = graph.clone_get_equiv([x], [out], copy_inputs=False, copy_orphans=False)
    assert table[out].owner is table[out.owner] is not out.owner
    assert table[out].owner.inputs == [x, y]
    assert graph.clone_get_equiv([], [x])[x] is not x


def test_connections():
    x, y = T.dvectors("x", "y")
    outputs = [x + y, theano.gradient.disconnected_grad(x) * y, y.shape[0] * 2.0, x]
    assert graph.io_connection_pattern([x, y], outputs) == [
        [True, False, False, True],
        [True, True, False, False],
    ]


def test_comparisons():
    x, y = T.dvectors("x", "y")
    assert graph.is_same_graph(x + 1, x + 1)
    assert not graph.is_same_graph(x + 1, y + 1)
    assert graph.is_same_graph(x + 1, y + 1, givens={x: y})
    assert graph.is_same_graph(x + 1, y + 1, givens=[(y, x)])
    assert not graph.is_same_graph(x * (x * y), (x * x) * y)
    assert not graph.is_same_graph(x, x + 0)
    same = graph.equal_computations
    assert same([x + 1, y], [y + 1, x], in_xs=[x, y], in_ys=[y, x])
    assert not same([x + 1], [y + 1], in_xs=[x], in_ys=[])
    assert not same([x + 1], [x + 2])
    assert same(T.max_and_argmax(x), T.max_and_argmax(x))
    assert not same([T.max_and_argmax(x)[0]], [T.max_and_argmax(y)[0]])
    assert not same([x + 1], [T.dmatrix()])
    with pytest.raises(AssertionError):
        same([x], [])

    def power(v):
        return theano.scan(lambda s: s * 2, outputs_info=v, n_steps=3)[0]

    assert same([power(x)], [power(x)])
    deep, other = x, x
    for _ in range(3000):
        deep, other = T.sin(deep), T.sin(other)
    assert same([deep], [other])


def test_new_variables():
    x = T.fmatrix("x")
    assert scan_utils.safe_new(x, "_new").name == "x_new"
    assert scan_utils.safe_new(x).type == x.type and scan_utils.safe_new(x) is not x
    assert scan_utils.safe_new(x, dtype="float64").type == T.dmatrix
    number = scan_utils.safe_new(T.constant(3), dtype="float64")
    assert number.data == 3 and number.dtype == "float64"
    state = theano.shared(np.random.RandomState(1))
    assert scan_utils.safe_new(state).type == state.type
    longer = scan_utils.expand_empty(x, 2).eval({x: np.ones((3, 2), "float32")})
    assert longer.shape == (5, 2) and longer[:3].tolist() == [[1, 1]] * 3
    assert scan_utils.expand_empty(x, 0) is x


def test_numbers_that_are_none():
    none = scan_utils.isNaN_or_Inf_or_None
    assert none(None) and none(np.nan) and none(-np.inf) and none(T.constant(np.inf))
    assert not (none(3) or none(T.constant(3)) or none(T.dscalar()) or none("inf"))


def test_results_of_a_step():
    x, state = T.dscalar(), theano.shared(1.0)
    stop = scan_utils.until(x > 0)
    condition, outputs, updates = scan_utils.get_updates_and_outputs(([x], {state: x}, stop))
    assert condition is stop.condition and outputs == [x] and updates == {state: x}


def replacement(variable):
    return getattr(variable.tag, "replacement", variable)


def test_replacing_variables():
    a, b, c = T.dscalars("a", "b", "c")
    b.tag.replacement = c
    total = a + b
    (new,) = scan_utils.map_variables(replacement, [total])
    assert total.owner.inputs == [a, b] and new.owner.inputs == [a, c]


def test_replacing_variables_in_loops():
    rows, outer, factor = T.dvector(), T.dscalar(), theano.shared(1.0)
    scale = outer * (factor + 1)

    def step(x, a):
        total = a + x
        total.tag.replacement = scale * (a - x)
        return total

    sums, _ = theano.scan(step, rows, T.zeros(()))
    (new,) = scan_utils.map_variables(replacement, [scale * sums])
    run = theano.function([rows, outer], [scale * sums, scale * new])
    assert [r.tolist() for r in run([1, 2, 3], 0.5)] == [[1, 3, 6], [-1, -3, -6]]
    factor.default_update = factor + 1
    with pytest.raises(NotImplementedError, match="update"):
        scan_utils.map_variables(replacement, [sums])


def test_replacing_variables_in_graphs_as_operations():
    a, b, x, y, factor = T.dscalars("a", "b", "x", "y", "factor")
    scale = factor * theano.shared(2.0)
    inside = a + b
    inside.tag.replacement = scale * (a - b)
    out = theano.OpFromGraph([a, b], [inside])(x, y)
    (new,) = scan_utils.map_variables(replacement, [2 * out])
    run = theano.function([x, y, factor], [out, new, theano.grad(new, y)])
    assert run(5, 3, 0.5) == [8, 4, -2]


def test_clone_copies_what_it_does_not_replace():
    x = T.dvector("x")
    y = T.exp(x)
    copy = theano.clone(y)
    assert copy is not y
    assert copy.owner is not y.owner
    assert copy.owner.inputs == [x]
    assert theano.clone(x) is x
    both = theano.clone([y, y * 2], replace={x: x + 1})
    assert np.allclose(both[1].eval({x: [0.0]}), 2 * np.e)
    with pytest.raises(TypeError, match="variables"):
        theano.clone(3)
    with pytest.raises(ValueError, match="dict or a list"):
        theano.clone(y, replace=3)


def test_order_of_applications_is_that_of_theano():
    a, b, c = T.dvectors("a", "b", "c")
    first, second, third = T.exp(a), T.sqr(b), T.tanh(c)
    total = (first + second) * third
    # Last inputs first, as Theano 1.0.5 lists them.
    expected = [third, second, first, first + second, total]
    found = graph.io_toposort([a, b, c], [total, second])
    assert [n.op for n in found] == [v.owner.op for v in expected]
    fgraph = theano.FunctionGraph([a, b, c], [total, second], clone=False)
    assert fgraph.toposort() == found
    deep = a
    for _ in range(5000):
        deep = deep + deep
    assert len(graph.io_toposort([a], [deep])) == 5000


def test_automatic_names_count_on():
    number = next(theano.graph.Variable.__count__)
    assert T.dscalar().auto_name == f"auto_{number + 1}"


def test_numbers_in_names_can_be_set():
    before = graph.Variable.__count__
    try:
        graph.Variable.__count__ = itertools.count(7)
        assert [T.dscalar().auto_name, T.dscalar().auto_name] == ["auto_7", "auto_8"]
    finally:
        graph.Variable.__count__ = before
