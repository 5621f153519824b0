"""Functions by the names that Theano 1.0.5 has under `theano.compile`, and helpers beside it."""

import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import evaluate
from theano.compile import orig_function, pfunc, rebuild_collect_shared
from theano.misc.cpucount import cpuCount
from theano.raise_op import Raise
from theano.tensor import fourier, io as tensor_io

x, y = T.dscalar("x"), T.dscalar("y")


def test_orig_function():
    s = theano.shared(3.0)
    assert orig_function([theano.In(x, value=2.0)], [theano.Out(x * s)])() == [6]
    g = orig_function([x, theano.In(s, value=s.container, update=s + 1)], x * s)
    assert (g(1.0), g(1.0)) == (3, 4)
    assert orig_function([x], [x, x + 1], output_keys=["a", "b"])(1.0) == {"a": 1, "b": 2}


def test_rebuild_collect_shared():
    s, t = theano.shared(1.0), theano.shared(2.0)
    t.default_update = t * 2
    inputs, outputs, (table, updates, pairs, found) = rebuild_collect_shared(
        [x + y + s + t], [x], replace={y: x * 3}, updates=[(s, s + 1)]
    )
    assert inputs == [x] and found == [s, t] and [target for target, _ in pairs] == [s, t]
    assert set(updates) == {s, t} and table[x] is x
    assert theano.function([x], outputs[0], no_default_updates=True)(2.0) == 11
    fresh, out, _ = rebuild_collect_shared(x * 2, [x], copy_inputs_over=False)
    assert fresh[0] is not x and theano.function(fresh, out)(2.0) == 4
    assert rebuild_collect_shared(None, [])[1] == []
    for outputs, inputs, options, text in (
        ([x], [s], {}, "shared variable"),
        ([x], [x], {"replace": [(3, x)]}, "given keys"),
        ([3], [], {}, "Received 3"),
    ):
        with pytest.raises(TypeError, match=text):
            rebuild_collect_shared(outputs, inputs, **options)


def test_pfunc_has_its_own_names_of_arguments():
    f = pfunc(params=[x], outputs=[x * 2], output_keys=["twice"])
    assert f(2.0) == {"twice": 4.0}
    assert pfunc([x], x + 1, updates=[])(1.0) == 2.0


def test_names_at_the_top():
    f = theano.function([], theano.shared(1.0))
    f.sync_shared()
    assert f.maker is not None and len(f.output_storage) == 1
    assert theano.get_scalar_constant_value(T.constant(3)) == 3
    assert theano.SymbolicInput is theano.In and theano.opt is theano.gof.opt
    for error in ("InconsistencyError", "compile.AliasedMemoryError", "gof.MethodNotDefined"):
        module, _, name = f"theano.{error}".rpartition(".")
        assert issubclass(getattr(importlib.import_module(module), name), Exception)
    assert theano.configdefaults.python_int_bitwidth() in (32, 64)
    assert theano.configdefaults.local_bitwidth() in (32, 64)
    assert "FAST_RUN" in theano.predefined_modes and cpuCount() >= 1


def test_arrays_of_a_dtype():
    assert theano._asarray([1, 2], dtype="floatX").dtype == theano.config.floatX
    assert theano._asarray(np.ones(2), "longlong").dtype.num == np.dtype("longlong").num
    assert theano.misc.safe_asarray._asarray is theano._asarray
    casts = T.basic._cast_mapping
    assert list(casts) == T.all_dtypes and casts["int8"](T.dvector()).type == T.bvector
    assert T.basic._convert_to_int8(T.dvector()).dtype == "int8"


def test_tests_can_be_run(monkeypatch):
    commands = []

    def run(command, check):
        commands.append(command)
        return subprocess.CompletedProcess(command, len(commands) - 1)

    monkeypatch.setattr(subprocess, "run", run)
    assert theano.test()
    assert not theano.test(verbose=3, extra_argv=["-k", "dot"], capture=False)
    start = [sys.executable, "-m", "pytest", str(Path(__file__).resolve().parents[1])]
    assert commands == [[*start, "-q"], [*start, "-v", "-v", "-s", "-k", "dot"]]


def test_a_branch_may_raise():
    op = Raise("no value here", KeyError)
    assert op == Raise("no value here", KeyError) != Raise("no value here")
    f = theano.function([x], theano.ifelse.ifelse(x > 0, x, op(x)))
    assert f(2.0) == 2.0
    with pytest.raises(KeyError, match="no value here"):
        f(-1.0)


def test_locks_of_the_compile_cache_hold_nothing_on_disk():
    compilelock = importlib.import_module("theano.gof.compilelock")
    compilelock.set_lock_status(False)
    compilelock.force_unlock()
    with compilelock.lock_ctx():
        compilelock.get_lock()
        compilelock.release_lock()
    with pytest.raises(RuntimeError):
        compilelock.release_lock()
    with compilelock.lock_ctx(keep_lock=True):
        pass
    compilelock.release_lock()


def test_fourier_fft():
    m, value = T.dmatrix("m"), np.random.default_rng(1).normal(size=(3, 4))
    out = fourier.fft(m, 5, 0)
    assert out.type == T.zmatrix
    part, whole = evaluate([out, fourier.fft(m, None, None)], {m: value})
    np.testing.assert_allclose(part, np.fft.fft(value, 5, 0))
    np.testing.assert_allclose(whole, np.fft.fft(value))
    for arguments in ((x, 3, 0), (m, 0, 0), (m, 2.5, 0), (m, 4, 2), (m, 4, -1)):
        with pytest.raises(TypeError, match="Fourier"):
            fourier.fft(*arguments)


def test_arrays_are_loaded_when_a_function_is_called(tmp_path):
    file = tmp_path / "a.npy"
    np.save(file, np.arange(4))
    path = theano.Variable(theano.generic)
    f = theano.function([path], T.load(path, "int64", (False,)) * 2)
    np.testing.assert_array_equal(f(str(file)), [0, 2, 4, 6])
    g = theano.function([], tensor_io.load(str(file), "int64", (False,), mmap_mode="c").sum())
    assert g() == 6
    np.save(file, np.arange(5))
    assert g() == 10
    with pytest.raises(TypeError, match=r"float64 .* was expected in .* it has dtype int64"):
        theano.function([path], T.load(path, "float64", (False,)))(str(file))
    with pytest.raises(FileNotFoundError):
        f(str(tmp_path / "b.npy"))
    with pytest.raises(ValueError, match="mmap_mode are None and 'c'"):
        T.load(path, "int64", (False,), mmap_mode="r+")
    with pytest.raises(TypeError, match="Generic"):
        T.load(T.dvector(), "int64", (False,))


@pytest.mark.parametrize("name", ["send", "isend", "recv", "irecv"])
def test_functions_do_not_exchange_messages(name):
    arguments = (T.dvector(), 1, 2) if "send" in name else ((3,), "float64", 1, 2)
    with pytest.raises(NotImplementedError, match=f"{name}: functions do not exchange .* MPI"):
        getattr(tensor_io, name)(*arguments)
