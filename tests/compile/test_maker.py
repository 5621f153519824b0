"""`FunctionMaker`: what it keeps, refuses and prints, and kernels that data needs later."""

import pickle
import time

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import values, variable
from theano import In, Out, function, shared
from theano._core.base import developing
from theano._core.compile import compile_progress
from theano._core.compile.maker import FunctionMaker
from theano.configparser import change_flags

x, y, v, i = T.dscalar("x"), T.dscalar("y"), T.dvector("v"), T.iscalar("i")


def test_unused_inputs(recwarn):
    assert function([x, y], x, on_unused_input="ignore")(1, 2) == 1
    with change_flags(on_unused_input="ignore"):
        function([x, y], x)
    assert len(recwarn) == 0
    with pytest.warns(UserWarning, match="index 1 is not part"):
        function([x, y], x, on_unused_input="warn")
    with pytest.raises(ValueError, match="bogus"):
        function([x], x, on_unused_input="bogus")


def test_names_and_options():
    f = function([x], x)
    assert f.name.startswith("test_maker.py:")
    assert function([x], x, name="mine").name == "mine"
    f.name = "changed"
    with pytest.raises(TypeError, match='name "changed"'):
        f([1])
    assert function([x], x, accept_inplace=True, profile=True)(1) == 1
    assert function([x], x, profile=False).profile is False
    with pytest.raises(TypeError, match="unknown"):
        function([x], x, unknown=True)


def test_a_maker_has_specifications_and_a_graph_in_order():
    a = shared(5.0, "a")
    f = function([x, In(y, value=2)], [x * a + y, x], updates=[(a, a + 1)], mode="FAST_COMPILE")
    maker, graph = f.maker, f.maker.graph
    assert [(s.variable, s.implicit) for s in maker.inputs] == [(x, False), (y, False), (a, True)]
    assert maker.inputs[2].value is a.container and maker.inputs[2].update is not None
    assert [type(out) for out in maker.outputs] == [Out, Out]
    assert graph.inputs == [x, y, a] and len(graph.outputs) == 3
    done = set()
    for node in graph.toposort():
        assert all(input_.owner is None or input_.owner in done for input_ in node.inputs)
        done.add(node)
    assert done
    assert (len(f.input_storage), len(f.output_storage)) == (3, 2)
    assert (f.n_returned_outputs, f.return_none, f.unpack_single) == (2, False, False)
    assert function([x], {"b": x, "a": x}).output_keys == ["a", "b"]


def test_trust_input():
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


def test_deep_graphs_compile():
    e = x
    for _ in range(3000):
        e = e + 1
    assert function([x], e)(4.0) == 3004


def test_arguments_that_may_share_memory_are_looked_at():
    assert not function([v], v + 1)._check_for_aliased_inputs
    assert function([In(v, borrow=True)], v + 1)._check_for_aliased_inputs


@pytest.mark.parametrize("linker", ["py", "cvm"])
def test_makers_are_pickled(linker):
    f = function([v], 2 * v, mode=theano.Mode(linker))
    f([1.0])
    again = pickle.loads(pickle.dumps(f.maker)).create()
    assert again([3.0]).tolist() == [6.0] and again.maker.mode == f.maker.mode


@pytest.fixture
def not_kept():
    # A program that is kept has the kernels that it needed the last time.
    with theano.change_flags(cache_programs=False):
        yield


@pytest.fixture
def refuse(not_kept, monkeypatch):
    """Return what has kernels that are needed later refused, or made again."""
    real = FunctionMaker.variant

    def refused(self, number):
        raise MemoryError("no memory for a kernel")

    return lambda on: monkeypatch.setattr(FunctionMaker, "variant", refused if on else real)


def test_a_result_whose_kernel_cannot_be_compiled(refuse):
    f = function([v], [T.exp(v) + 1, v.sum()])
    data = np.arange(8.0)[::2]
    refuse(True)
    for _ in range(2):
        with pytest.raises(MemoryError, match="no memory for a kernel"):
            f(data)
    # Contiguous data needs no other kernel.
    assert f(data.copy())[1] == 12
    refuse(False)
    np.testing.assert_array_equal(f(data)[0], f(data.copy())[0])


@pytest.mark.parametrize("shape", [(6,), (6, 2)])
def test_shared_variables_stay_if_a_kernel_cannot_be_compiled(shape, refuse):
    w, other, argument = shared(np.ones(shape)), shared(0.0), variable("float64", len(shape))
    f = function([argument], w.sum(), updates=[(w, w * argument + 1), (other, other + 1)])
    data = np.repeat(values(shape), 2, axis=0)[::2]
    refuse(True)
    with pytest.raises(MemoryError, match="no memory for a kernel"):
        f(data)
    assert other.get_value() == 0
    np.testing.assert_array_equal(w.get_value(), np.ones(shape))
    refuse(False)
    f(data)
    np.testing.assert_array_equal(w.get_value(), data + 1)
    assert other.get_value() == 1


def test_a_kernel_in_a_loop_that_cannot_be_compiled(refuse):
    m, w = T.dmatrix("m"), shared(np.zeros(300))
    rows = theano.scan(lambda row, h: T.tanh(row + h), sequences=m, outputs_info=T.zeros(300))[0]
    f = function([m], rows.sum(), updates=[(w, w + rows[-1])])
    data = values((5, 600))[:, ::2]
    refuse(True)
    with pytest.raises(MemoryError, match="no memory for a kernel"):
        f(data)
    assert not w.get_value().any()
    refuse(False)
    np.testing.assert_allclose(f(data), f(data.copy()), rtol=1e-13)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("classes", [3, 10, 16, 40, 300])
def test_shared_variables_tell_which_kernels_are_compiled_ahead(classes, turned, refuse):
    start = values((20, classes))
    w = shared(start.T if turned else start)
    m, b = T.dmatrix("m"), shared(np.zeros(classes))
    f = function([m], T.tanh(T.dot(m, w.T if turned else w) + b).max(axis=1))
    data = np.ones((64, 20))
    refuse(True)
    np.testing.assert_allclose(f(data), np.tanh(data @ start).max(1), rtol=1e-12)
    refuse(False)
    # Others are compiled when they are needed.
    w.set_value(np.ones((500, 20) if turned else (20, 500)))
    b.set_value(np.zeros(500))
    np.testing.assert_allclose(f(data), np.ones(64), rtol=1e-12)


def wave(number):
    with change_flags(compile_progress=True):
        return function([v], T.tanh(v) * number, name="wave")


def test_a_short_compilation_tells_no_progress(not_kept, capsys):
    assert wave(0.731)([0.0]).tolist() == [0.0]
    assert capsys.readouterr().err == ""


def test_a_long_compilation_tells_its_stages(not_kept, capsys, monkeypatch):
    for name in ("PATIENCE", "LOOK"):
        monkeypatch.setattr(compile_progress, name, 0.01)
    lowered = FunctionMaker._lowered

    def slow(self, *args):
        time.sleep(0.2)
        text = lowered(self, *args)
        time.sleep(0.2)
        return text

    monkeypatch.setattr(FunctionMaker, "_lowered", slow)
    wave(0.737)
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith("compiling wave: ") for line in lines)
    assert any("rewriting, " in line for line in lines)
    assert any("machine code" in line for line in lines)
    assert lines[-1].endswith(" s, done")


LEVELS = {2: "after ", 3: "return ", 4: "program with ", 5: "define i32 @entry"}


@pytest.mark.parametrize("level", [1, *LEVELS])
def test_levels_of_debugging_only_add_output(level, monkeypatch, capsys):
    monkeypatch.setattr(developing, "DEBUG", level)
    for _ in range(2):
        # The second is as new as the first: programs that are kept do not hide it.
        function([v], [T.log(1 + T.exp(v)), v.sum()])
        shown = capsys.readouterr().out
        found = {n for n, start in LEVELS.items() if ("\n" + shown).count("\n" + start)}
        assert found == {n for n in LEVELS if n <= level}


def test_the_graph_is_printed_after_each_pass(monkeypatch, capsys):
    monkeypatch.setattr(developing, "DEBUG", 3)
    function([v], T.log(1 + T.exp(v)))
    shown = capsys.readouterr().out
    assert "after canonical: 3 nodes\n" in shown
    end = "after branches: 1 nodes\n%0: TensorType(float64, vector) = softplus(v)\nreturn %0\n"
    assert shown.endswith(end)
