"""Linkers as objects: names of backends, and functions of graphs."""

from copy import deepcopy

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano import gof
from theano._core.compile.modes import LINKERS
from theano.compile.mode import predefined_linkers, register_linker


def graph():
    x, y, z = T.dscalars("xyz")
    return gof.FunctionGraph([x, y, z], [(x + y) * (x / y)]), [1.0, 2.0]


@pytest.mark.parametrize(
    "kind", [gof.PerformLinker, gof.CLinker, gof.OpWiseCLinker, gof.DualLinker]
)
def test_functions_of_a_graph(kind):
    fgraph, values = graph()
    linker = kind().accept(fgraph)
    assert linker.make_function()(*values, 0.0) == 1.5
    assert linker.make_function(unpack_single=False)(*values, 0.0) == [1.5]
    thunk, inputs, outputs = linker.make_thunk()
    # What is not used may stay empty.
    inputs[0].data, inputs[1].data = values
    thunk()
    assert outputs[0].data == 1.5


def test_a_linker_has_one_graph():
    linker = gof.PerformLinker()
    first, _ = graph()
    assert linker.accept(first) is linker and linker.fgraph is first
    assert linker.accept(graph()[0]) is not linker and linker.clone().fgraph is None


def test_modes_of_linkers():
    x = T.dvector("x")
    for linker in (*predefined_linkers.values(), gof.vm.VM_Linker(lazy=True)):
        mode = theano.Mode(linker=linker, optimizer="fast_run")
        assert mode.linker == linker and deepcopy(mode).including("specialize").linker == linker
        f = theano.function([x], 2 * x, mode=mode)
        assert f([1.0]).tolist() == [2.0] and f.maker.linker == linker
    assert {type(theano.Mode(n).linker).__name__ for n in ("py", "cvm", "c|py")} == {
        *("PerformLinker", "VM_Linker", "OpWiseCLinker")
    }


def test_names_of_linkers():
    with pytest.raises(ValueError, match="already taken: cvm"):
        register_linker("cvm", gof.PerformLinker())
    register_linker("mine", gof.PerformLinker())
    try:
        assert theano.Mode("mine").backend == "reference"
    finally:
        del predefined_linkers["mine"], LINKERS["mine"]


def test_the_user_runs_applications():
    seen = []

    def wrapper(i, node, thunk):
        seen.append((i, node.op))
        thunk()

    fgraph, values = graph()
    linker = gof.WrapLinker([gof.PerformLinker()], wrapper).accept(fgraph)
    assert linker.make_function()(*values, 0.0) == 1.5
    assert [i for i, _ in seen] == [0, 1, 2] and {op for _, op in seen} == {
        T.add,
        T.mul,
        T.true_div,
    }


def test_calls_after_each_application():
    seen = []

    def callback(node, thunk, storage_map, compute_map):
        seen.append((node.op, thunk.outputs[0][0], compute_map[node.outputs[0]]))

    def callback_input(variable, value):
        seen.append((variable.name, float(value)))

    x = T.dscalar("x")
    linker = gof.vm.VM_Linker(callback=callback, callback_input=callback_input)
    f = theano.function([x], T.exp(x) + x, mode=theano.Mode(linker, None))
    f(0.0)
    assert seen == [("x", 0.0), (T.exp, 1.0, [True]), (T.add, 1.0, [True])]


def test_results_that_differ():
    def differ(a, b):
        raise ValueError("they differ")

    def seen(a, b):
        cells.extend([a, b])

    fgraph, values = graph()
    cells = []
    result = gof.DualLinker(checker=seen).accept(fgraph).make_function()(*values, 0.0)
    # A checker gets the lists that hold the results.
    assert cells == [[result], [result]]
    with pytest.raises(ValueError, match="they differ"):
        gof.DualLinker(checker=differ).accept(fgraph).make_function()(*values, 0.0)


def test_cells_as_in_theano():
    from theano.gof.link import Container

    cell = Container(T.dscalar("x"), [np.asarray(2.0)], readonly=True)
    assert isinstance(cell, Container) and cell.value == 2.0 and cell.name == "x"
    assert deepcopy(cell).storage[0].dtype == "float64"
    with pytest.raises(Exception, match="readonly"):
        cell.value = 3.0


def test_a_mode_whose_linker_wraps_what_runs_each_node():
    class Finite(theano.Mode):
        """A mode as programs write it, to find where a NaN comes from."""

        def __init__(self):
            self.seen = []

            def check(i, node, fn):
                assert node.fgraph.name == "trained" and node in node.fgraph.apply_nodes
                for cell in fn.inputs:
                    self.seen.append((str(node.op), bool(np.isnan(cell[0]).any())))
                fn()
                assert not any(np.isnan(cell[0]).any() for cell in fn.outputs), node

            wrapped = theano.gof.WrapLinker([theano.gof.OpWiseCLinker()], check)
            super().__init__(wrapped, optimizer="fast_compile")

    x, total = T.dvector("x"), theano.shared(np.zeros(2))
    mode = Finite()
    outputs = [T.log(x) * 2, T.constant(3.0), x]
    f = theano.function([x], outputs, updates=[(total, total + x)], mode=mode, name="trained")
    assert f.maker.fgraph.toposort()
    first, constant, same = f([1.0, np.e])
    np.testing.assert_allclose(first, [0, 2])
    assert constant == 3 and same.tolist() == [1, np.e] and total.get_value().tolist() == [1, np.e]
    assert len(mode.seen) >= 4 and not any(bad for _, bad in mode.seen)
    f([1.0, 2.0])
    with pytest.raises(AssertionError, match="log"):
        f([1.0, -1.0])
    # A result that is an argument is made by a node, too.
    del mode.seen[:]
    theano.function([x], x, mode=mode, name="trained")([1.0])
    assert len(mode.seen) == 1
    # The nodes are those that the function shows.
    ran = []
    own = gof.WrapLinker([gof.PerformLinker()], lambda i, node, fn: (ran.append(node), fn()))
    shows = theano.function([x], [T.nnet.softmax(x), x], mode=theano.Mode(own, "fast_run"))
    nodes = shows.maker.fgraph.toposort()
    assert shows([1.0, 1.0])[0].tolist() == [[0.5, 0.5]] and ran == nodes
    # So does what is made of the mode, and what has several of them.
    count = []
    call = lambda i, node, fn: (count.append(i), fn())
    many = theano.gof.WrapLinkerMany([theano.gof.PerformLinker()], [lambda *a: None, call])
    steps, _ = theano.scan(lambda a, p: a + p, sequences=x, outputs_info=T.zeros(()))
    g = theano.function([x], steps, mode=theano.Mode(many, "fast_run").excluding("inplace"))
    assert g([1.0, 2.0]).tolist() == [1, 3] and count == list(range(len(count))) != []


# -- what runs, and what runs each node -----------------------------------------------------------


@pytest.mark.parametrize("kind", [gof.PerformLinker, gof.OpWiseCLinker, gof.vm.VM_Linker])
def test_a_graph_runs_on_lists_of_one_value(kind):
    x, y = T.dvectors("xy")
    fgraph = gof.FunctionGraph([x, y], [y * 2 + x, T.exp(x)], clone=False)
    linker = kind().accept(fgraph, no_recycling=[])
    linker.accept_var_updates({x: fgraph.outputs[0]})
    given = [[np.zeros(2)], [np.ones(2)]]
    made = [[None], [None]]
    run, inputs, outputs, thunks, order = linker.make_all(None, given, made)
    assert order == fgraph.toposort()
    for expected in (2.0, 4.0):
        run()
        np.testing.assert_array_equal(outputs[0].data, [expected] * 2)
        np.testing.assert_array_equal(made[1][0], np.exp([expected - 2.0] * 2))
        # The update is in the list, and in the container.
        np.testing.assert_array_equal(given[0][0], [expected] * 2)
        np.testing.assert_array_equal(inputs[0].storage[0], [expected] * 2)
    assert len(thunks) == len(order)


def test_each_node_runs_on_its_own():
    x = T.dvector("x")
    fgraph = gof.FunctionGraph([x], [T.exp(x) + 1], clone=False)
    order_of = lambda graph: graph.toposort()
    linker = gof.PerformLinker(schedule=order_of).accept(fgraph)
    storage = {x: [np.zeros(2)]}
    *_, thunks, order = linker.make_all(storage_map=storage)
    for thunk, node in zip(thunks, order, strict=True):
        thunk()
        assert storage[node.outputs[0]][0] is not None
    np.testing.assert_array_equal(storage[fgraph.outputs[0]][0], [2.0, 2.0])


def test_graphs_of_constants_run():
    x, two = T.dvector("x"), T.constant(2.0)
    fgraph = gof.FunctionGraph([x, two], [x * two], clone=False)
    run, _, outputs, *_ = gof.vm.VM_Linker().accept(fgraph).make_all(None, [[np.ones(2)], [2.0]])
    run()
    np.testing.assert_array_equal(outputs[0].data, [2.0, 2.0])


def test_the_graph_of_specifications():
    from theano.compile.function_module import std_fgraph

    x, y = T.dvectors("xy")
    inputs = [theano.In(x, update=x + y, value=np.zeros(2), mutable=True), theano.In(y)]
    fgraph, updates = std_fgraph(inputs, [theano.Out(x * y)])
    assert len(fgraph.inputs) == len(fgraph.outputs) == 2
    assert [type(out) for out in updates] == [theano.Out]
    assert gof.graph.is_same_graph(updates[0].variable, x + y)
    assert std_fgraph.features == [gof.toolbox.PreserveVariableAttributes]
    overwriting = T.inplace.exp_inplace(x)
    with pytest.raises(TypeError, match="inplace operations"):
        std_fgraph([theano.In(x)], [theano.Out(overwriting)])
    fgraph, _ = std_fgraph([theano.In(x, mutable=True)], [theano.Out(overwriting)], True)
    assert fgraph.destroyers(fgraph.inputs[0])
