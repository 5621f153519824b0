"""Modes, names, containers, threads and settings of functions."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano import In, Out, function, shared
from theano.configparser import change_flags

x, y, z = T.dscalars("x", "y", "z")
v, i = T.dvector("v"), T.iscalar("i")


@pytest.mark.parametrize(
    ("inputs", "outputs", "error"),
    [
        (x, x, TypeError),
        ({x}, x, TypeError),
        ([3], x, TypeError),
        (["x"], x, TypeError),
        ([(x, 1, 2)], x, TypeError),
        ([shared(1.0, "a")], x, TypeError),
    ],
)
def test_wrong_inputs(inputs: Any, outputs: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        function(inputs, outputs)


def test_unused_inputs(recwarn: pytest.WarningsRecorder) -> None:
    assert function([x, y], x, on_unused_input="ignore")(1, 2) == 1
    with theano.config.change_flags(on_unused_input="ignore"):
        function([x, y], x)
    assert len(recwarn) == 0
    with pytest.warns(UserWarning, match="index 1 is not part"):
        function([x, y], x, on_unused_input="warn")
    with pytest.raises(ValueError, match="bogus"):
        function([x], x, on_unused_input="bogus")


@pytest.mark.parametrize(
    "mode",
    [
        None,
        "FAST_RUN",
        "FAST_COMPILE",
        "Mode",
        theano.Mode(linker="py", optimizer="fast_compile"),
        theano.Mode("py"),
        theano.Mode("cvm", None),
        theano.Mode("c|py", "fast_run").excluding("fusion"),
        theano.Mode("vm", "o1").including("fusion"),
    ],
    ids=str,
)
def test_modes_agree(mode: Any) -> None:
    f = function([v], T.log(1 + T.exp(v)).sum() / v[0], mode=mode)
    np.testing.assert_allclose(f([2.0, -1.0]), np.log1p(np.exp([2, -1])).sum() / 2, rtol=1e-14)
    assert isinstance(f.maker.mode, theano.Mode)


@pytest.mark.parametrize(
    "build",
    [
        lambda: function([x], x, mode="bogus"),
        lambda: function([x], x, mode=3),
        lambda: theano.Mode("bogus"),
        lambda: theano.Mode(optimizer="bogus"),
    ],
)
def test_unknown_modes(build: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match=r"^(unknown |No predefined mode).*known: ") as caught:
        build()
    # Theano 1.0.5 looked linkers and optimizers up in dictionaries.
    assert isinstance(caught.value, KeyError)


def test_name() -> None:
    f = function([x], x)
    assert f.name.startswith("test_function_options.py:")
    assert function([x], x, name="mine").name == "mine"
    f.name = "changed"
    with pytest.raises(TypeError, match='name "changed"'):
        f([1])


def test_options_that_change_nothing() -> None:
    assert function([x], x, accept_inplace=True, profile=True)(1) == 1
    assert function([x], x, profile=False).profile is False
    with pytest.raises(TypeError, match="unknown"):
        function([x], x, unknown=True)  # type: ignore[call-arg]


# -- what one can look at --------------------------------------------------------------------------


def test_containers_by_name_variable_and_position() -> None:
    a = shared(5.0, "a")
    f = function([x, In(y, value=3)], x * y * a, updates=[(a, a + 1)])
    assert [f["y"], f[y], f.value["y"], f.value[y], f.value[1]] == [3] * 5
    assert [f["a"], f[a], f.container["a"].value, f.container[a].data] == [5] * 4
    assert f["x"] is None
    f["y"] = 4
    f[a] = 8
    f.value["y"] = f.value["y"] + 1
    assert f(2) == 80
    assert a.get_value() == 9
    f.container["y"].value = 7
    assert f["y"] == 7
    assert ["y" in f, y in f, "a" in f, a in f, "q" in f, z in f] == [True] * 4 + [False] * 2
    f["x"] = 1
    with pytest.raises(TypeError, match="Missing required input: x"):
        f()


def test_what_is_assigned_in_place_of_a_default_is_for_one_call() -> None:
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
def test_unknown_containers(key: Any) -> None:
    f = function([x], x)
    for bad in (lambda: f[key], lambda: f.__setitem__(key, 1), lambda: f.value[key]):
        with pytest.raises(TypeError, match="Unknown input or state"):
            bad()
    with pytest.raises(KeyError, match="Unknown input or state"):
        f.container[key]


def test_assigned_values_are_checked() -> None:
    f = function([x, In(v, value=[1, 2])], v * x)
    for value, error in (("text", ValueError), ([[1]], TypeError), (v, TypeError)):
        with pytest.raises(error, match=r'Container name "v"|text'):
            f["v"] = value
    assert f(1).tolist() == [1, 2]


def test_defaults_shared_and_free() -> None:
    a = shared(5.0, "a")
    f = function([x, In(y, value=3), In(z, value=4, update=z + 1)], x * y * z * a)
    assert f.defaults == [(True, False, None), (False, True, 3.0), (False, False, None)]
    assert f.get_shared() == [a]
    f.free()
    assert f(1) == 60


def test_maker() -> None:
    a = shared(5.0, "a")
    f = function([x, In(y, value=2)], [x * a + y, x], updates=[(a, a + 1)], mode="FAST_COMPILE")
    maker, graph = f.maker, f.maker.graph
    assert [s.variable for s in maker.inputs] == [x, y, a]
    assert [s.implicit for s in maker.inputs] == [False, False, True]
    assert maker.inputs[2].value is a.container
    assert maker.inputs[2].update is not None
    assert [type(out) for out in maker.outputs] == [Out, Out]
    assert graph.inputs == [x, y, a]
    assert len(graph.outputs) == 3
    order = graph.toposort()
    assert {node.op.__class__.__name__ for node in order}
    positions = {node: k for k, node in enumerate(order)}
    for node in order:
        assert all(v.owner is None or positions[v.owner] < positions[node] for v in node.inputs)
    assert len(f.input_storage) == 3
    assert len(f.output_storage) == 2
    assert (f.n_returned_outputs, f.return_none, f.unpack_single) == (2, False, False)
    assert function([x], {"b": x, "a": x}).output_keys == ["a", "b"]


def test_calls_through_storage() -> None:
    f = function([x, y], [x + y, x - y])
    f.input_storage[0].storage[0] = np.asarray(3.0)
    f.input_storage[1].value = 2
    assert f.fn() is None
    assert [c.data for c in f.output_storage] == [5, 1]
    g = function([x], x + 1)
    g.input_storage[0].value = 2
    g.fn()
    assert g.output_storage[0].storage[0] == 3


def test_trust_input() -> None:
    f = function([v, i], v * i)
    assert f.trust_input is False
    f.trust_input = True
    assert f(np.ones(2), np.array(3, "int32")).tolist() == [3, 3]
    # Values that break the promise may be refused or converted, but may not crash.
    for wrong in (np.ones((2, 2)), np.ones(2, "int8"), [1, 2], "text", None):
        try:
            f(wrong, np.array(3, "int32"))
        except (TypeError, ValueError):
            continue


# -- threads, nesting and settings -----------------------------------------------------------------


def test_eight_threads_call_one_function() -> None:
    total = shared(np.zeros(1000), "total")
    f = function([v, x], (v * x).sum())
    count = function([v], total.sum(), updates=[(total, total + v)])
    wrong: list[Any] = []

    def work(number: int) -> None:
        given = np.full(5000, float(number))
        for k in range(100):
            if f(given, k) != 5000.0 * number * k:
                wrong.append((number, k))
            if k % 10 == 0:
                with pytest.raises(ValueError, match="no"):
                    f("no", k)
            if k % 4 == 0:
                count(np.ones(1000))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    value = total.get_value()
    assert (value == value[0]).all(), "an update is never half done"


def test_eight_threads_compile() -> None:
    results: list[float] = []

    def work(number: int) -> None:
        w = T.dvector("w")
        f = function([w], (w * number).sum() + T.exp(w)[0])
        results.append(float(f(np.zeros(3) + number)) - float(np.exp(float(number))))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_allclose(sorted(results), [3.0 * k * k for k in range(8)], rtol=1e-9)


class Asking:
    """An argument that calls the function again while it is converted to an array."""

    def __init__(self, f: Any, depth: int) -> None:
        self.f, self.depth = f, depth

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        inner = Asking(self.f, self.depth - 1) if self.depth else np.ones(3)
        return self.f(inner)


def test_a_function_that_is_called_while_it_is_called() -> None:
    count = shared(0, "count")
    f = function([v], v * 2, updates=[(count, count + 1)])
    assert f(Asking(f, 4)).tolist() == [64, 64, 64]
    with pytest.raises(RecursionError):
        f(Asking(f, 10**6))
    before = count.get_value()
    assert f(np.ones(1)).tolist() == [2]
    assert count.get_value() == before + 1


def test_deep_graphs() -> None:
    e = x
    for _ in range(3000):
        e = e + 1
    assert function([x], e)(4.0) == 3004


def python(program: str, tmp_path: Path, **environ: str) -> str:
    command = [sys.executable, "-c", program]
    env = {**os.environ, "HOME": str(tmp_path), "THEANO_FLAGS": "", **environ}
    env.pop("THEANORC", None) if "THEANORC" not in environ else None
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


PROGRAM = """
import theano, theano.tensor as T
s = T.scalar()
f = theano.function([s, T.vector('q')], s * 2)
print(f(0.1, [1]).dtype, theano.shared(1.0).dtype, f.maker.mode.backend)
"""


def test_flags_and_settings_file(tmp_path: Path) -> None:
    rc = tmp_path / ".theanorc"
    rc.write_text("[global]\nfloatX = float32\non_unused_input = ignore\nlinker = py\n")
    assert python(PROGRAM, tmp_path) == "float32 float64 reference"
    flags = "floatX=float64,linker=cvm"
    assert python(PROGRAM, tmp_path, THEANO_FLAGS=flags) == "float64 float64 llvm"
    other = tmp_path / "other.rc"
    other.write_text("[global]\non_unused_input = ignore\nmode = FAST_COMPILE\n")
    assert python(PROGRAM, tmp_path, THEANORC=str(other)) == "float64 float64 llvm"
    both = f"{rc}{os.pathsep}{other}"
    assert python(PROGRAM, tmp_path, THEANORC=both) == "float32 float64 llvm"


def test_warn_float64() -> None:
    with (
        change_flags(warn_float64="warn"),
        pytest.warns(UserWarning, match="A float64 variable is made at"),
    ):
        x = T.dvector()
    y = T.fvector()
    with change_flags(warn_float64="raise"):
        function([x, y], [x, y * 2.0])
        with pytest.raises(Exception, match="A float64 variable is made"):
            y + x


def test_warn_float64_while_the_package_is_imported(tmp_path: Path) -> None:
    program = """
import theano, theano.tensor as T, theano.sparse, theano.tensor.nnet, theano.tensor.slinalg
x = T.fmatrix("x")
f = theano.function([x], T.nnet.softmax(x).sum())
print(f([[1, 2]]))
try:
    T.dvector()
except Exception as error:
    print(error.args[0].split(",")[0])
"""
    flags = "floatX=float32,warn_float64=raise"
    # The line is the user's.
    made = 'A float64 variable is made at File "<string>"'
    assert python(program, tmp_path, THEANO_FLAGS=flags) == f"1.0\n{made}"


def test_pickles_without_functions_and_test_values() -> None:
    x = T.dvector("x")
    x.tag.test_value = np.ones(2)
    f = function([x], x + 1)
    with change_flags(pickle_test_value=False):
        assert not hasattr(pickle.loads(pickle.dumps(x)).tag, "test_value")
    assert hasattr(pickle.loads(pickle.dumps(x)).tag, "test_value")
    with change_flags(unpickle_function=False):
        assert pickle.loads(pickle.dumps(f)) is None
        assert copy.copy(f)([1.0])[0] == 2.0


def passes(mode: Any = None) -> int:
    """Return over how many arrays of doubles a function goes."""
    x = T.dvector("x")
    f = function([x], T.exp(T.sin(x) * x), mode=mode)
    return len({kernel.loop for kernel in f.maker.kernels})


def test_modes_without_fusion() -> None:
    assert passes() == 1
    assert passes(theano.compile.get_default_mode().excluding("fusion")) == 3
    with change_flags({"tensor.local_elemwise_fusion": False}):
        assert passes() == 3


def test_modes_without_updates_in_place() -> None:
    q = theano.shared(np.ones(3))
    for mode, same in (
        (None, True),
        (theano.compile.get_default_mode().excluding("inplace"), False),
    ):
        f = function([], updates=[(q, q + 1)], mode=mode)
        before = q.get_value(borrow=True)
        f()
        assert (before is q.get_value(borrow=True)) == same


@pytest.mark.parametrize("kinds", [("rounding",), ("nan",), ("rounding", "nan")])
def test_modes_without_kinds_of_rules(kinds: tuple[str, ...]) -> None:
    x = T.dvector("x")
    mode = theano.compile.get_default_mode().excluding(*kinds)
    f = function([x], [T.log(1 + x), x * 2 / x], mode=mode)
    plain, quotient = f([1e-20, 0.0])
    assert (plain[0] == 0.0) == ("rounding" in kinds)
    assert np.isnan(quotient[1]) == ("nan" in kinds)


def test_excluding_by_settings() -> None:
    environment = {**os.environ, "THEANO_FLAGS": "optimizer_excluding=stabilize:rounding"}
    program = (
        "import theano, theano.tensor as T; x = T.dscalar();"
        "print(theano.function([x], T.log(1 + x))(1e-20))"
    )
    run = [sys.executable, "-c", program]
    assert subprocess.check_output(run, env=environment, text=True).strip() == "0.0"


def test_storage_is_a_list() -> None:
    x, s = T.dscalar("x"), T.dscalar("s")
    f = theano.function([x, theano.In(s, value=1.0, update=s + x)], s)
    g = theano.function([x, theano.In(s, value=f.container[s], update=s + x)], s)
    storage = f.container[s].storage
    assert isinstance(storage, list) and storage is g.container[s].storage
    f(2)
    assert storage[0] == 3 and list(storage) == [3] and storage.copy != []
    storage[0] = np.asarray(7.0)
    assert g(1) == 7


def test_the_storage_of_a_function() -> None:
    w = theano.shared(2.0, name="w")
    x = T.dscalar("x")
    f = theano.function([x], x * w + 5)
    table = f.fn.storage_map
    named = {variable.name: cell for variable, cell in table.items()}
    assert named["w"] is w.container.storage and named["w"][0] == 2.0 and named["x"][0] is None
    assert [5.0] in [cell for v, cell in table.items() if isinstance(v, theano.Constant)]
    assert f.maker.fgraph.outputs[0] in table and f.maker.fgraph.name == f.name


def test_the_nodes_of_a_function_one_by_one() -> None:
    w = theano.shared(np.array([[1.0, 2.0], [3.0, 4.0]]), name="w")
    x = T.dmatrix("x")
    rows, _ = theano.scan(lambda a, h: T.tanh(a + h), x, T.zeros(2))
    f = theano.function([x], [T.dot(x, w).sum(0) + 1, rows[-1]])
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


def test_what_old_programs_look_up_of_a_function() -> None:
    w = theano.shared(2.0, name="w")
    x = T.dscalar("x")
    f = theano.function([x], T.exp(x) * w, updates=[(w, w + 1)])
    assert [str(node.op) for node in f.fn.nodes] == [
        str(node.op) for node in f.maker.graph.toposort()
    ]
    assert f.finder["x"] is f.finder[x] is f.finder[0] is f.input_storage[0]
    assert f.finder[w].value == f.finder[1].value == 2.0
    found = {container: spec.variable for container, spec in f.inv_finder.items()}
    assert found == {f.input_storage[0]: x, f.input_storage[1]: w}
    assert [(spec.name, own[0].name) for spec, _, own in f.indices] == [("x", "x"), ("w", "w")]


def test_arguments_that_may_share_memory_are_looked_at() -> None:
    x = T.dvector("x")
    assert not theano.function([x], x + 1)._check_for_aliased_inputs
    assert theano.function([theano.In(x, borrow=True)], x + 1)._check_for_aliased_inputs


@pytest.mark.parametrize("linker", ["py", "cvm"])
def test_makers_are_pickled(linker: str) -> None:
    x = T.dvector("x")
    f = theano.function([x], 2 * x, mode=theano.Mode(linker))
    f([1.0])
    again = pickle.loads(pickle.dumps(f.maker)).create()
    assert again([3.0]).tolist() == [6.0] and again.maker.mode == f.maker.mode


def test_constants_are_no_inputs() -> None:
    """What was passed for one was left out without a word."""
    one, x = T.constant(1.0), T.dvector("x")
    for inputs in ([one], [theano.In(one)], [(one, 2.0)]):
        with pytest.raises(TypeError, match="Constants not allowed in param list"):
            theano.function(inputs, one + 1)
    f = theano.function([x], one + 1, givens={one: x.sum().astype(one.dtype)})
    assert f([3.0]) == 4
