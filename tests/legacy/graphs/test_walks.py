"""`theano.gof.graph` and `theano.scan_module.scan_utils`: walks, copies, comparisons."""

import itertools
from collections import deque

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import evaluate
from theano.gof import graph
from theano.scan_module import scan_utils
from theano.tensor.utils import shape_of_variables

x, y, z = T.dvectors("x", "y", "z")


def repeated(times, op, *starts):
    """Return graphs that are so many operations deep."""
    outs = list(starts)
    for _ in range(times):
        outs = [op(out) for out in outs]
    return outs


def test_walks():
    product = x * y
    out = z + product
    assert graph.inputs([out]) == [z, x, y]
    assert graph.inputs([out], blockers=[product]) == [z]
    assert graph.ancestors([out]) == [out, z, product, x, y]
    assert graph.ancestors([out], blockers=[product]) == [out, z, product]
    assert graph.orphans([x], [out]) == [z, y]
    assert graph.variables([product], [out]) == [out, z, product]
    assert graph.variables_and_orphans([x, y], [out]) == ([out, z, product, x, y], [z])
    assert graph.io_toposort([x, y, z], [out]) == [product.owner, out.owner]
    assert graph.list_of_nodes([x], [out]) == [out.owner, product.owner]
    assert graph.list_of_nodes([product], [out]) == [out.owner]
    assert graph.ops([product, z], [out]) == {out.owner}
    assert graph.is_in_ancestors(out.owner, product.owner)
    assert not graph.is_in_ancestors(product.owner, out.owner)
    assert graph.view_roots(y.dimshuffle("x", 0)[:, 1:]) == [y]
    assert graph.view_roots(product) == [product]
    with graph.nodes_constructed() as made:
        total = y + z
    T.exp(total)
    assert made == [total]


def test_searches_and_orders_of_anything():
    found, users = graph.stack_search(deque([1]), lambda n: [2 * n] * (n < 4), build_inv=True)
    assert found == [1, 2, 4] and users == {2: [1], 4: [2]}
    with pytest.raises(ValueError, match="bfs"):
        graph.stack_search(deque(), lambda n: None, mode="best")
    clients, needs = {}, {"a": ["b", "c"], "b": ["c"], "c": []}
    assert graph.general_toposort(["a"], needs.get, clients=clients) == ["c", "b", "a"]
    assert clients == {"b": ["a"], "c": ["a", "b"]}


def test_copies():
    out = x * y
    (new,), (copy,) = graph.clone([x], [out])
    assert new is not x and copy.owner.inputs[0] is new and copy.owner.inputs[1] is not y
    table = graph.clone_get_equiv([x], [out], copy_inputs=False, copy_orphans=False)
    assert table[out].owner is table[out.owner] is not out.owner
    assert table[out].owner.inputs == [x, y]
    assert graph.clone_get_equiv([], [x])[x] is not x


def test_clone_copies_what_it_does_not_replace():
    out = T.exp(x)
    copy = theano.clone(out)
    assert copy is not out and copy.owner is not out.owner and copy.owner.inputs == [x]
    assert theano.clone(x) is x
    both = theano.clone([out, out * 2], replace={x: x + 1})
    assert np.allclose(both[1].eval({x: [0.0]}), 2 * np.e)
    with pytest.raises(TypeError, match="variables"):
        theano.clone(3)
    with pytest.raises(ValueError, match="dict or a list"):
        theano.clone(out, replace=3)


def test_connections():
    outputs = [x + y, theano.gradient.disconnected_grad(x) * y, y.shape[0] * 2.0, x]
    pattern = [[True, False, False, True], [True, True, False, False]]
    assert graph.io_connection_pattern([x, y], outputs) == pattern


def test_comparisons():
    assert graph.is_same_graph(x + 1, x + 1) and not graph.is_same_graph(x + 1, y + 1)
    assert graph.is_same_graph(x + 1, y + 1, givens={x: y})
    assert graph.is_same_graph(x + 1, y + 1, givens=[(y, x)])
    assert not graph.is_same_graph(x * (x * y), (x * x) * y)
    assert not graph.is_same_graph(x, x + 0)
    same = graph.equal_computations
    assert same([x + 1, y], [y + 1, x], in_xs=[x, y], in_ys=[y, x])
    assert not same([x + 1], [y + 1], in_xs=[x], in_ys=[])
    assert not same([x + 1], [x + 2]) and not same([x + 1], [T.dmatrix()])
    assert same(T.max_and_argmax(x), T.max_and_argmax(x))
    assert not same([T.max_and_argmax(x)[0]], [T.max_and_argmax(y)[0]])
    power = lambda v: theano.scan(lambda s: s * 2, outputs_info=v, n_steps=3)[0]
    assert same([power(x)], [power(x)])
    one, other = repeated(3000, T.sin, x, x)
    assert same([one], [other])
    with pytest.raises(AssertionError):
        same([x], [])


def test_order_of_applications_is_that_of_theano():
    first, second, third = T.exp(x), T.sqr(y), T.tanh(z)
    total = (first + second) * third
    # Last inputs first, as Theano 1.0.5 lists them.
    expected = [third, second, first, first + second, total]
    found = graph.io_toposort([x, y, z], [total, second])
    assert [n.op for n in found] == [v.owner.op for v in expected]
    assert theano.FunctionGraph([x, y, z], [total, second], clone=False).toposort() == found
    deep = repeated(5000, lambda v: v + v, x)
    assert len(graph.io_toposort([x], deep)) == 5000


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


def replaced(out):
    """Replace what has a tag that says so."""
    (new,) = scan_utils.map_variables(lambda v: getattr(v.tag, "replacement", v), [out])
    return new


def test_replacing_variables():
    a, b, c = T.dscalars("a", "b", "c")
    b.tag.replacement = c
    total = a + b
    new = replaced(total)
    assert total.owner.inputs == [a, b] and new.owner.inputs == [a, c]


def test_replacing_variables_in_loops():
    outer, factor = T.dscalar(), theano.shared(1.0)
    scale = outer * (factor + 1)

    def step(x, a):
        total = a + x
        total.tag.replacement = scale * (a - x)
        return total

    sums, _ = theano.scan(step, x, T.zeros(()))
    run = evaluate([scale * sums, scale * replaced(scale * sums)], {x: [1, 2, 3], outer: 0.5})
    assert [r.tolist() for r in run] == [[1, 3, 6], [-1, -3, -6]]
    factor.default_update = factor + 1
    with pytest.raises(NotImplementedError, match="update"):
        replaced(sums)


def test_replacing_variables_in_graphs_as_operations():
    a, b, x, y, factor = T.dscalars("a", "b", "x", "y", "factor")
    scale, inside = factor * theano.shared(2.0), a + b
    inside.tag.replacement = scale * (a - b)
    out = theano.OpFromGraph([a, b], [inside])(x, y)
    new = replaced(2 * out)
    assert evaluate([out, new, theano.grad(new, y)], {x: 5, y: 3, factor: 0.5}) == [8, 4, -2]


def test_automatic_names_count_on_from_a_number_that_can_be_set():
    number = next(theano.graph.Variable.__count__)
    assert T.dscalar().auto_name == f"auto_{number + 1}"
    before = graph.Variable.__count__
    try:
        graph.Variable.__count__ = itertools.count(7)
        assert [T.dscalar().auto_name, T.dscalar().auto_name] == ["auto_7", "auto_8"]
    finally:
        graph.Variable.__count__ = before


def test_shape_of_variables():
    x, k = T.dmatrix("x"), T.lscalar("k")
    fgraph = theano.FunctionGraph([x], [x[2:].sum(axis=0)])
    shapes = shape_of_variables(fgraph, {fgraph.inputs[0]: (4, 5)})
    total = fgraph.outputs[0]
    wanted = {fgraph.inputs[0]: (4, 5), total.owner.inputs[0]: (2, 5), total: (5,)}
    assert {v: tuple(map(int, shapes[v])) for v in wanted} == wanted
    with pytest.raises(ValueError, match="missing"):
        shape_of_variables(fgraph, {})
    fgraph = theano.FunctionGraph([x, k], [x[k:]])
    with pytest.raises(theano.gof.MissingInputError, match="depends on values"):
        shape_of_variables(fgraph, dict(zip(fgraph.inputs, ((4, 5), ()), strict=True)))


# -- graphs as text -------------------------------------------------------------------------------


def test_descriptions_of_variables():
    printing, u = theano.printing, T.dvector()
    assert printing.var_descriptor((y + u) * y) == (
        "A=Elemwise{mul,no_inplace}(B=Elemwise{add,no_inplace}"
        "(C=y,D=<TensorType(float64, vector)>),<C>)"
    )
    digest = "cc143326a2646c605ea66139d7b440df7cbde18c050f1f8cf4dd30f42cfe7123"
    assert printing.hex_digest(np.ones(3)) == f"{digest}|strides=[8]|shape=[3]"
    assert printing.var_descriptor(np.ones(3)) == f"A=<ndarray:strides=[8],digest={digest}>"
    text = "theano_var{type=TensorType(float64, vector)}"
    assert printing.position_independent_str(u) == text
    with pytest.raises(NotImplementedError):
        printing.position_independent_str(3)
    with pytest.raises(AssertionError):
        printing.hex_digest([1])


def test_a_deep_graph_has_a_description():
    deep = repeated(3000, T.exp, x)
    assert theano.printing.var_descriptor(deep[0]).count("exp") == 3000
    assert graph.as_string([x], deep)[0].count("exp") == 3000


def test_graphs_as_strings():
    once, e = y + z, T.exp(y)
    exp, mul, add = (f"Elemwise{{{name},no_inplace}}" for name in ("exp", "mul", "add"))
    assert graph.as_string([y, z], [once * y, y + z]) == [f"{mul}({add}(y, z), y)", f"{add}(y, z)"]
    assert graph.as_string([y], [e * e, e]) == [f"{mul}(*1 -> {exp}(y), *1)", "*1"]
    assert graph.op_as_string([y], e.owner) == f"{exp}(y)"
    assert graph.as_string([once], [once * y], leaf_formatter=lambda v: "!") == [f"{mul}(!, !)"]
