"""Containers: the values of inputs and shared variables, by name, by variable, by position."""

import copy

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano import In, function, shared

x, y, z, v = T.dscalar("x"), T.dscalar("y"), T.dscalar("z"), T.dvector("v")


def test_containers_by_name_variable_and_position():
    a = shared(5.0, "a")
    f = function([x, In(y, value=3)], x * y * a, updates=[(a, a + 1)])
    assert [f["y"], f[y], f.value["y"], f.value[y], f.value[1]] == [3] * 5
    assert [f["a"], f[a], f.container["a"].value, f.container[a].data] == [5] * 4
    assert f["x"] is None
    f["y"] = 4
    f[a] = 8
    f.value["y"] = f.value["y"] + 1
    assert (f(2), a.get_value()) == (80, 9)
    f.container["y"].value = 7
    assert f["y"] == 7
    assert ["y" in f, y in f, "a" in f, a in f, "q" in f, z in f] == [True] * 4 + [False] * 2
    f["x"] = 1
    with pytest.raises(TypeError, match="Missing required input: x"):
        f()


def test_what_is_assigned_in_place_of_a_default_is_for_one_call():
    f = function([x, In(y, value=3), In(v, value=[1, 2])], x * y * v.sum())
    for assign in (
        lambda: f.__setitem__("y", 7),
        lambda: f.value.__setitem__(y, 7),
        lambda: setattr(f.container["y"], "value", 7),
    ):
        assign()
        assert type(f["y"]) is np.ndarray and f["y"] == 7
        assert [f(1), f["y"], f(1)] == [21, 3, 9]
    f["v"] = [5, 5]
    g = copy.deepcopy(f)
    assert [f(1), f(1), g(1), g(1)] == [30, 9, 30, 9]
    f["v"] = [5, 5]
    f.input_storage[0].value = 1
    f.fn()
    assert f.output_storage[0].value == 30 and f(1) == 9
    # A state lasts.
    g = function([In(y, value=3, update=y + 1)], y)
    g["y"] = 7
    assert [g(), g()] == [7, 8]


@pytest.mark.parametrize("key", ["q", 3, -1, y, None])
def test_unknown_containers(key):
    f = function([x], x)
    for bad in (lambda: f[key], lambda: f.__setitem__(key, 1), lambda: f.value[key]):
        with pytest.raises(TypeError, match="Unknown input or state"):
            bad()
    with pytest.raises(KeyError, match="Unknown input or state"):
        f.container[key]


def test_assigned_values_are_checked():
    f = function([x, In(v, value=[1, 2])], v * x)
    for value, error in (("text", ValueError), ([[1]], TypeError), (v, TypeError)):
        with pytest.raises(error, match=r'Container name "v"|text'):
            f["v"] = value
    assert f(1).tolist() == [1, 2]


def test_defaults_shared_variables_and_free():
    a = shared(5.0, "a")
    f = function([x, In(y, value=3), In(z, value=4, update=z + 1)], x * y * z * a)
    assert f.defaults == [(True, False, None), (False, True, 3.0), (False, False, None)]
    assert f.get_shared() == [a]
    f.free()
    assert f(1) == 60


def test_calls_through_storage():
    f = function([x, y], [x + y, x - y])
    f.input_storage[0].storage[0] = np.asarray(3.0)
    f.input_storage[1].value = 2
    assert f.fn() is None
    assert [c.data for c in f.output_storage] == [5, 1]
    assert f.output_storage[0].storage[0] == 5


def test_storage_is_a_list():
    f = function([x, In(y, value=1.0, update=y + x)], y)
    g = function([x, In(y, value=f.container[y], update=y + x)], y)
    storage = f.container[y].storage
    assert isinstance(storage, list) and storage is g.container[y].storage
    f(2)
    assert storage[0] == 3 and list(storage) == [3] and storage.copy != []
    storage[0] = np.asarray(7.0)
    assert g(1) == 7


def test_containers_of_shared_variables():
    a = shared(np.ones(3), "a")
    assert (str(a.container), repr(a.container)) == ("<[1. 1. 1.]>", "<array([1., 1., 1.])>")
    a.container.storage[0] = np.zeros(2)
    assert a.get_value().tolist() == [0, 0]
    a.container.value = [1, 2]
    assert a.container.data.tolist() == [1, 2]
    assert len(a.container.storage) == 1
    with pytest.raises(IndexError):
        a.container.storage[1] = 0


def test_stored_arrays_of_other_classes(tmp_path):
    # joblib has large arrays of what other processes get mapped to files, for reading.
    np.save(tmp_path / "a.npy", np.arange(3.0))
    a = shared(np.zeros(3), "a")
    f = function([], a.sum(), updates=[(a, a * 2)])
    for mode in ("r", "c"):
        a.container.storage[0] = np.load(tmp_path / "a.npy", mmap_mode=mode)
        assert (f(), f()) == (3, 6)
        assert a.get_value().tolist() == [0, 4, 8]
    assert np.load(tmp_path / "a.npy").tolist() == [0, 1, 2]
    a.container.storage[0] = "what"
    with pytest.raises(TypeError, match=r"shared variable a was damaged: .*'what'"):
        f()


def test_what_was_put_into_a_storage_is_no_expectation_of_kernels():
    w, m = shared(np.ones((3, 4))), T.dmatrix("m")
    w.container.storage[0] = np.ones(3)
    f = function([m], (m * w).sum(axis=1))
    with pytest.raises(TypeError, match="damaged"):
        f(np.ones((3, 4)))
    w.set_value(np.ones((3, 4)))
    np.testing.assert_array_equal(f(np.ones((3, 4))), [4, 4, 4])


def test_the_storage_of_a_function():
    w = shared(2.0, name="w")
    f = function([x], x * w + 5)
    table = f.fn.storage_map
    named = {variable.name: cell for variable, cell in table.items()}
    assert named["w"] is w.container.storage and named["w"][0] == 2.0 and named["x"][0] is None
    assert [5.0] in [cell for v, cell in table.items() if isinstance(v, theano.Constant)]
    assert f.maker.fgraph.outputs[0] in table and f.maker.fgraph.name == f.name


def test_the_nodes_of_a_function_one_by_one():
    w = shared(np.array([[1.0, 2.0], [3.0, 4.0]]), name="w")
    m = T.dmatrix("m")
    rows, _ = theano.scan(lambda a, h: T.tanh(a + h), m, T.zeros(2))
    f = function([m], [T.dot(m, w).sum(0) + 1, rows[-1]])
    thunks = f.fn.thunks
    assert len(thunks) == len(f.fn.nodes) and not any(thunk.lazy for thunk in thunks)
    for thunk, node in zip(thunks, f.fn.nodes, strict=True):
        assert thunk.inputs == [f.fn.storage_map[v] for v in node.inputs]
        assert len(thunk.outputs) == len(node.outputs)
    value = np.array([[1.0, -1.0], [0.5, 2.0], [3.0, 0.0]])
    f.input_storage[0].value = value
    for thunk in thunks:
        thunk()
    for container, wanted in zip(f.output_storage, f(value), strict=True):
        np.testing.assert_allclose(container.value, wanted, rtol=1e-14)
    assert all(cell[0] is not None for cell in f.fn.storage_map.values())


def test_what_old_programs_look_up_of_a_function():
    w = shared(2.0, name="w")
    f = function([x], T.exp(x) * w, updates=[(w, w + 1)])
    assert list(map(str, f.fn.nodes)) == list(map(str, f.maker.graph.toposort()))
    assert f.finder["x"] is f.finder[x] is f.finder[0] is f.input_storage[0]
    assert f.finder[w].value == f.finder[1].value == 2.0
    found = {container: spec.variable for container, spec in f.inv_finder.items()}
    assert found == {f.input_storage[0]: x, f.input_storage[1]: w}
    assert [(spec.name, own[0].name) for spec, _, own in f.indices] == [("x", "x"), ("w", "w")]
