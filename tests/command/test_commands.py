"""`python -m theano`: what it prints, and what it returns."""

import inspect
import os
import subprocess
import sys

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.command import bench, cache, compat
from theano._core.command.main import main
from theano._core.legacy.differences import DIFFERENCES


def run(capsys, *arguments):
    code = main(arguments)
    return code, capsys.readouterr().out


def test_the_doctor_finds_this_installation_well(capsys):
    code, text = run(capsys, "doctor")
    assert code == 0, text
    for word in (np.__version__, "processor", "BLAS", "threads", "cache", "settings", "llvmlite"):
        assert word in text
    assert text.count("right") == 5 and "All is well." in text


def test_the_doctor_says_what_is_wrong(capsys, monkeypatch):
    from theano._core.command import doctor

    def broken():
        raise RuntimeError("no such thing")

    monkeypatch.setattr(doctor, "TESTS", {"sums": lambda: (1, 2), "loops": broken})
    code, text = run(capsys, "doctor")
    assert code == 1
    assert "WRONG: 1 instead of 2" in text and "no such thing" in text
    assert "2 of 2 tests are wrong" in text


def test_settings(capsys):
    code, text = run(capsys, "config")
    assert code == 0
    assert all(f"{name} = " in text for name in theano.config.settings())
    code, text = run(capsys, "config", "floatx", "cast_pol")
    assert text.count(" = ") == 2 and theano.config.settings()["floatX"].doc in text
    code, text = run(capsys, "config", "flaotX")
    assert code == 1 and "Did you mean 'floatX'?" in text


def test_as_a_module():
    env = {**os.environ, "THEANO_FLAGS": "floatX=float32"}
    command = [sys.executable, "-m", "theano", "config", "floatX"]
    found = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    assert found.startswith("floatX = float32  (given by THEANO_FLAGS")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    place = tmp_path / "cache"
    real = cache.CompileCache
    monkeypatch.setattr(cache, "CompileCache", lambda _, limit: real(str(place), limit))
    store = real(str(place))
    for digit in "ab":
        store.put(digit * 64, b"code")
    return place


def test_the_cache(folder, capsys):
    code, text = run(capsys, "cache")
    assert code == 0 and "2 entries" in text and "a" * 16 in text and str(folder) in text
    code, text = run(capsys, "cache", "size")
    assert "2 entries" in text and "a" * 16 not in text
    assert cache.main(["unlock"]) == 0 and cache.main(["basecompiledir"]) == 0
    capsys.readouterr()
    assert cache.main(["purge"]) == 0
    assert "2 entries deleted" in capsys.readouterr().out
    assert "0 entries" in run(capsys, "cache", "size")[1]


PROGRAM = """
import numpy
import theano
import theano.tensor as T
from theano import function, config
from theano.tensor.nnet import softmax, no_such_function
from theano.gof.cc import CLinker, get_module_cache
from . import own

x = T.dmatrix()
f = function([x], T.nnet.sigmoid(x) + T.no_such_name(x))
theano.scan(lambda a: a.sum(), x)
config.floatX
"""


def test_what_a_program_uses(tmp_path, capsys):
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "old.py").write_text("print 3\n")
    code, text = run(capsys, "compat", str(tmp_path))
    assert code == 1
    absent, _, rest = text.partition("There to be imported")
    assert "theano.tensor.nnet.no_such_function  (" in absent and "program.py:6" in absent
    assert "theano.tensor.no_such_name" in absent and "2to3" in absent
    assert "theano.gof.cc.get_module_cache" in rest and "C code is not compiled" in rest
    assert DIFFERENCES["theano.scan"] in rest
    (tmp_path / "program.py").write_text("import theano\ntheano.shared(1)\n")
    code, text = run(capsys, "compat", str(tmp_path / "program.py"))
    assert code == 0 and text == "2 there, 0 differs, 0 refused, 0 absent of 2 names\n"


def test_verdicts():
    assert compat.verdict("theano.tensor.dmatrix") == ("there", "")
    assert compat.verdict("theano.config.floatX")[0] == "there"
    assert compat.verdict("theano.sandbox.rng_mrg")[0] == "there"
    assert compat.verdict("theano.function")[0] == "differs"
    assert all(compat.verdict(name)[0] == "differs" for name in DIFFERENCES)


def test_functions_say_what_they_are():
    x, y, w = T.dvector("x"), T.fmatrix(), theano.shared(1.0, "w")
    f = theano.function([x, y], [x, y * 2], updates={w: w + 1}, name="mine")
    assert repr(f).startswith(
        "<theano function mine(x: float64 vector, input 1: float32 matrix) -> "
        "[float64 vector, float32 matrix], updates w, made at "
    )
    assert "test_commands.py:" in repr(f)
    assert str(inspect.signature(f)).startswith("(x: TensorType(float64, vector), input_1: ")
    g = theano.function([x, theano.In(T.dscalar("step"), value=0.5)], x, on_unused_input="ignore")
    parameters = inspect.signature(g).parameters
    assert list(parameters) == ["x", "step"] and parameters["step"].default == 0.5
    assert inspect.signature(g).return_annotation == x.type
    assert repr(theano.function([], [])).startswith("<theano function test_commands.py:")
    with pytest.raises(AttributeError, match=r"'Function' object .*'profle'. Did you mean"):
        g.profle  # noqa: B018


def test_what_notebooks_show():
    x, w = T.dvector("<x>"), theano.shared(1.0, "w")
    f = theano.function([x], (x * 2).sum(), updates={w: w + 1}, name="mine")
    text = f._repr_html_()
    for part in ("theano function mine", "input &lt;x&gt;", "float64 vector", "update of w"):
        assert part in text
    assert "test_commands.py" in text and text.startswith("<table>")
    assert "(&lt;x&gt; * 2)" in (x * 2)._repr_html_()
    assert "TensorType(float64, vector)" in x._repr_html_()
    assert "test_commands.py" in w._repr_html_()


def test_signatures_of_operations():
    assert str(inspect.signature(T.clip)) == "(x, low, high, /)"
    assert "name" in inspect.signature(type(T.clip)).parameters
    assert list(inspect.signature(T.sum).parameters)[:2] == ["input", "axis"]
    assert list(inspect.signature(x_sum()).parameters)[0] == "axis"
    # Old programs ask so whether a function has an argument.
    assert "filter_dilation" in inspect.getfullargspec(T.nnet.conv2d).args
    assert inspect.getfullargspec(theano.function).args[:2] == ["inputs", "outputs"]
    assert inspect.getfullargspec(x_sum()).args[:2] == ["self", "axis"]
    signature = inspect.signature(T.nnet.relu)
    assert isinstance(signature, inspect.Signature) and signature.bind(T.dvector()).args
    assert signature == inspect.signature(T.nnet.relu) != inspect.signature(T.grad)
    assert hash(signature) == hash(inspect.signature(T.nnet.relu))
    assert str(signature).startswith("(x: ") and repr(signature).startswith("<Signature (x: ")


def x_sum():
    return T.dvector("x").sum


def test_the_bench_compares_with_numpy(capsys, monkeypatch):
    monkeypatch.setattr(bench, "SECONDS", 0)
    code, text = run(capsys, "bench")
    assert code == 0 and "DIFFER" not in text
    assert text.count("x\n") == len(bench.CASES)


SHOWN = """
import sys
import numpy as np
import theano
import theano.tensor as T

x = T.dvector("x")
one, two = (theano.function([x], y, name=n) for y, n in ((T.tanh(x), "one"), (x * 2, "two")))
one(np.ones(3)), two(np.ones(3))
print(sys.argv[1:], __name__)
"""


def test_a_program_is_shown(tmp_path, capsys):
    program, page = tmp_path / "program.py", tmp_path / "page.html"
    program.write_text(SHOWN)
    options = ("--no-open", "--function", "two", "--page", str(page))
    code, text = run(capsys, "show", *options, str(program), "a", "b")
    assert code == 0 and "['a', 'b'] __main__" in text
    assert f"two: {page}" in text and "one " in text
    assert "Elemwise" in page.read_text()
    assert not theano.config.profile
    code, _ = run(capsys, "show", "--no-open", "--function", "three", str(program))
    assert code == 1
    program.write_text("print(1)")
    assert run(capsys, "show", str(program))[0] == 1


def test_who_reads_the_output_may_leave():
    command = f"{sys.executable} -m theano config | head -n 1"
    found = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert found.stderr == ""
