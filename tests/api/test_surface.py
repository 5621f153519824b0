"""The public modules: what they hold, and what importing them costs."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import theano
import theano.tensor as T
from theano._core.base.stubs import LISTED

PACKAGE = Path(str(theano.__file__)).parent
# The modules that read their names from a stub.
STUBS = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.pyi")
    if path.name != "native.pyi"
)
MODULES = [
    "theano.gradient",
    "theano.printing",
    "theano.tensor",
    "theano.tensor.extra_ops",
    "theano.tensor.nlinalg",
    "theano.tensor.fft",
    "theano.tensor.nnet",
    "theano.tensor.nnet.blocksparse",
    "theano.tensor.nnet.bn",
    "theano.tensor.nnet.neighbours",
    "theano.tensor.random",
    "theano.tensor.raw_random",
    "theano.tensor.shared_randomstreams",
    "theano.tensor.sharedvar",
    "theano.tensor.slinalg",
    "theano.tensor.xlogx",
    "theano.updates",
    "theano.version",
]


@pytest.mark.parametrize("name", MODULES)
def test_every_name_exists(name):
    module = importlib.import_module(name)
    missing = [each for each in module.__all__ if not hasattr(module, each)]
    assert missing == []
    assert len(set(module.__all__)) == len(module.__all__)


@pytest.mark.parametrize("name", STUBS)
def test_a_module_holds_what_its_stub_lists(name):
    module = importlib.import_module(name)
    # A module that is a file may be read only now.
    found = {*dir(module)}
    assert {*LISTED[name]} <= found
    for each in LISTED[name]:
        assert getattr(module, each) is getattr(module, each)
    space = {}
    exec(f"from {name} import *", space)
    assert {*space} == {*module.__all__, "__builtins__"}
    with pytest.raises(AttributeError, match=f"module '{name}' has no attribute 'nothing_here'"):
        module.nothing_here  # noqa: B018


def _alone(program):
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_name_is_imported_when_it_is_asked_for():
    program = """
import sys, theano.tensor as T
module = "theano._core.api.array.statistics"
before = module in sys.modules, "median" in vars(T), "nnet" in vars(T)
print(before, T.median is sys.modules[module].median, "median" in vars(T), T.nnet.__name__)
"""
    assert _alone(program) == "(False, False, False) True True theano.tensor.nnet"


def test_many_threads_ask_first():
    program = """
import sys, threading, theano.tensor as T
from concurrent.futures import ThreadPoolExecutor
sys.setswitchinterval(1e-6)
names, start = ["median", "einsum", "nnet", "dvector", "kron", "random"], threading.Barrier(8)
def held(_):
    start.wait()
    return [id(getattr(T, name)) for name in names]
with ThreadPoolExecutor(8) as pool:
    print(len({tuple(each) for each in pool.map(held, range(8))}))
"""
    assert _alone(program) == "1"


def test_what_a_user_puts_there_stays():
    program = """
import theano.tensor as T
T.median = 1
from theano.tensor import median
print(median, T.median)
"""
    assert _alone(program) == "1 1"


TOP = [
    "Apply",
    "Constant",
    "FunctionGraph",
    "Generic",
    "In",
    "Lop",
    "Op",
    "OrderedUpdates",
    "Out",
    "Param",
    "Rop",
    "Type",
    "Variable",
    "clone",
    "config",
    "dot",
    "dp",
    "function",
    "generic",
    "grad",
    "gradient",
    "pp",
    "pprint",
    "printing",
    "shared",
    "tensor",
    "__version__",
]


@pytest.mark.parametrize("name", TOP)
def test_top_level_name(name):
    assert hasattr(theano, name)


def test_versions_agree():
    assert theano.__version__ == theano.version.version == "2.0.0"


def test_other_names_of_operations():
    assert T.square is T.sqr
    assert T.where is T.switch
    assert T.floor_div is T.int_div
    assert T.bitwise_and is T.and_
    assert T.shared_randomstreams.RandomStreams


def test_import_loads_no_heavy_package():
    program = (
        "import sys, theano; print([m for m in ('llvmlite', 'scipy', 'jax') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_import_warns_of_nothing():
    subprocess.run([sys.executable, "-W", "error", "-c", "import theano"], check=True)


@pytest.mark.parametrize(("module", "name"), [(theano, "__version__"), (T, "sin")])
def test_what_is_deleted_is_gone(module, name, monkeypatch):
    value = getattr(module, name)
    monkeypatch.delattr(module, name)
    assert not hasattr(module, name)
    monkeypatch.undo()
    assert getattr(module, name) is value
