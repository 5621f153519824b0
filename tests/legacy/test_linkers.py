"""Linkers as objects: names of backends, and functions of graphs."""

from copy import deepcopy

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import evaluate
from theano import gof
from theano._core.compile.modes import LINKERS
from theano.compile.function_module import std_fgraph
from theano.compile.mode import predefined_linkers, register_linker

s, v, w = T.dscalar("s"), T.dvector("v"), T.dvector("w")
VALUES = [1.0, 2.0]
equal = np.testing.assert_array_equal


def graph():
    """Return a graph of x, y, and z, which is not used; it is 1.5 at VALUES."""
    x, y, z = T.dscalars("xyz")
    return gof.FunctionGraph([x, y, z], [(x + y) * (x / y)])


@pytest.mark.parametrize(
    "kind", [gof.PerformLinker, gof.CLinker, gof.OpWiseCLinker, gof.DualLinker]
)
def test_functions_of_a_graph(kind):
    linker = kind().accept(graph())
    assert linker.make_function()(*VALUES, 0.0) == 1.5
    assert linker.make_function(unpack_single=False)(*VALUES, 0.0) == [1.5]
    thunk, inputs, outputs = linker.make_thunk()
    # What is not used may stay empty.
    inputs[0].data, inputs[1].data = VALUES
    thunk()
    assert outputs[0].data == 1.5


def test_a_linker_has_one_graph():
    linker, first = gof.PerformLinker(), graph()
    assert linker.accept(first) is linker and linker.fgraph is first
    assert linker.accept(graph()) is not linker and linker.clone().fgraph is None


def test_the_linker_of_a_function_has_its_graph():
    linker = gof.OpWiseCLinker()
    f, g = (theano.function([v], T.exp(v) + k, mode=theano.Mode(linker, None)) for k in (1, 2))
    assert f.maker.linker is linker is not g.maker.linker
    for function in (f, g):
        assert function.maker.linker.fgraph is function.maker.fgraph
        assert function.maker.linker.make_all()[-1] == function.maker.fgraph.toposort()
    # Others may have had the one that has a name take their graphs.
    mode = theano.Mode("vm", None)
    before = mode.linker.fgraph
    named = theano.function([v], v, mode=mode)
    assert named.maker.linker.fgraph is named.maker.fgraph and mode.linker.fgraph is before


def test_modes_of_linkers():
    for linker in (*predefined_linkers.values(), gof.vm.VM_Linker(lazy=True)):
        mode = theano.Mode(linker=linker, optimizer="fast_run")
        assert mode.linker == linker and deepcopy(mode).including("specialize").linker == linker
        f = theano.function([v], 2 * v, mode=mode)
        assert f([1.0]).tolist() == [2.0] and f.maker.linker == linker
    kinds = [type(theano.Mode(n).linker).__name__ for n in ("py", "cvm", "c|py")]
    assert kinds == ["PerformLinker", "VM_Linker", "OpWiseCLinker"]


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
    wrapper = lambda i, node, thunk: (seen.append((i, node.op)), thunk())
    linker = gof.WrapLinker([gof.PerformLinker()], wrapper).accept(graph())
    assert linker.make_function()(*VALUES, 0.0) == 1.5
    assert [i for i, _ in seen] == [0, 1, 2]
    assert {op for _, op in seen} == {T.add, T.mul, T.true_div}


def test_calls_after_each_application():
    seen = []

    def callback(node, thunk, storage_map, compute_map):
        seen.append((node.op, thunk.outputs[0][0], compute_map[node.outputs[0]]))

    callback_input = lambda variable, value: seen.append((variable.name, float(value)))
    linker = gof.vm.VM_Linker(callback=callback, callback_input=callback_input)
    evaluate(T.exp(s) + s, {s: 0.0}, theano.Mode(linker, None))
    assert seen == [("s", 0.0), (T.exp, 1.0, [True]), (T.add, 1.0, [True])]


def test_results_that_differ():
    def differ(a, b):
        raise ValueError("they differ")

    cells = []
    checker = lambda a, b: cells.extend([a, b])
    result = gof.DualLinker(checker=checker).accept(graph()).make_function()(*VALUES, 0.0)
    # A checker gets the lists that hold the results.
    assert cells == [[result], [result]]
    with pytest.raises(ValueError, match="they differ"):
        gof.DualLinker(checker=differ).accept(graph()).make_function()(*VALUES, 0.0)


def test_cells_as_in_theano():
    cell = gof.link.Container(s, [np.asarray(2.0)], readonly=True)
    assert isinstance(cell, gof.link.Container) and cell.value == 2.0 and cell.name == "s"
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
                self.seen.extend(bool(np.isnan(cell[0]).any()) for cell in fn.inputs)
                fn()
                assert not any(np.isnan(cell[0]).any() for cell in fn.outputs), node

            super().__init__(gof.WrapLinker([gof.OpWiseCLinker()], check), "fast_compile")

    total, mode = theano.shared(np.zeros(2)), Finite()
    outputs = [T.log(v) * 2, T.constant(3.0), v]
    f = theano.function([v], outputs, updates=[(total, total + v)], mode=mode, name="trained")
    assert f.maker.fgraph.toposort()
    first, constant, same = f([1.0, np.e])
    np.testing.assert_allclose(first, [0, 2])
    assert constant == 3 and same.tolist() == [1, np.e] and total.get_value().tolist() == [1, np.e]
    assert len(mode.seen) >= 4 and not any(mode.seen)
    f([1.0, 2.0])
    with pytest.raises(AssertionError, match="log"):
        f([1.0, -1.0])
    # A result that is an argument is made by a node, too.
    del mode.seen[:]
    theano.function([v], v, mode=mode, name="trained")([1.0])
    assert len(mode.seen) == 1


def test_nodes_that_are_wrapped_are_those_that_the_function_shows():
    ran, count = [], []
    own = gof.WrapLinker([gof.PerformLinker()], lambda i, node, fn: (ran.append(node), fn()))
    f = theano.function([v], [T.nnet.softmax(v), v], mode=theano.Mode(own, "fast_run"))
    nodes = f.maker.fgraph.toposort()
    assert f([1.0, 1.0])[0].tolist() == [[0.5, 0.5]] and ran == nodes
    # So does what is made of the mode, and what has several of them.
    call = lambda i, node, fn: (count.append(i), fn())
    many = gof.WrapLinkerMany([gof.PerformLinker()], [lambda *a: None, call])
    steps, _ = theano.scan(lambda a, p: a + p, sequences=v, outputs_info=T.zeros(()))
    mode = theano.Mode(many, "fast_run").excluding("inplace")
    assert evaluate(steps, {v: [1.0, 2.0]}, mode).tolist() == [1, 3]
    assert count == list(range(len(count))) != []


@pytest.mark.parametrize("kind", [gof.PerformLinker, gof.OpWiseCLinker, gof.vm.VM_Linker])
def test_a_graph_runs_on_lists_of_one_value(kind):
    fgraph = gof.FunctionGraph([v, w], [w * 2 + v, T.exp(v)], clone=False)
    linker = kind().accept(fgraph, no_recycling=[])
    linker.accept_var_updates({v: fgraph.outputs[0]})
    given, made = [[np.zeros(2)], [np.ones(2)]], [[None], [None]]
    run, inputs, outputs, thunks, order = linker.make_all(None, given, made)
    assert order == fgraph.toposort() and len(thunks) == len(order)
    for expected in (2.0, 4.0):
        run()
        equal(outputs[0].data, [expected] * 2)
        equal(made[1][0], np.exp([expected - 2.0] * 2))
        # The update is in the list, and in the container.
        for cell in (given[0], inputs[0].storage):
            equal(cell[0], [expected] * 2)


def test_each_node_runs_on_its_own():
    fgraph = gof.FunctionGraph([v], [T.exp(v) + 1], clone=False)
    linker = gof.PerformLinker(schedule=lambda graph: graph.toposort()).accept(fgraph)
    storage = {v: [np.zeros(2)]}
    *_, thunks, order = linker.make_all(storage_map=storage)
    for thunk, node in zip(thunks, order, strict=True):
        thunk()
        assert storage[node.outputs[0]][0] is not None
    equal(storage[fgraph.outputs[0]][0], [2.0, 2.0])


def test_graphs_of_constants_run():
    two = T.constant(2.0)
    fgraph = gof.FunctionGraph([v, two], [v * two], clone=False)
    run, _, outputs, *_ = gof.vm.VM_Linker().accept(fgraph).make_all(None, [[np.ones(2)], [2.0]])
    run()
    equal(outputs[0].data, [2.0, 2.0])


def test_the_graph_of_specifications():
    inputs = [theano.In(v, update=v + w, value=np.zeros(2), mutable=True), theano.In(w)]
    fgraph, updates = std_fgraph(inputs, [theano.Out(v * w)])
    assert len(fgraph.inputs) == len(fgraph.outputs) == 2
    assert [type(out) for out in updates] == [theano.Out]
    assert gof.graph.is_same_graph(updates[0].variable, v + w)
    assert std_fgraph.features == [gof.toolbox.PreserveVariableAttributes]
    overwriting = T.inplace.exp_inplace(v)
    with pytest.raises(TypeError, match="inplace operations"):
        std_fgraph([theano.In(v)], [theano.Out(overwriting)])
    fgraph, _ = std_fgraph([theano.In(v, mutable=True)], [theano.Out(overwriting)], True)
    assert fgraph.destroyers(fgraph.inputs[0])
