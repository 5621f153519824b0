"""The public modules: what they hold, and what importing them costs."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import theano
import theano.tensor as T

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
def test_every_name_exists(name: str) -> None:
    module = importlib.import_module(name)
    missing = [each for each in module.__all__ if not hasattr(module, each)]
    assert missing == []
    assert len(set(module.__all__)) == len(module.__all__)


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
def test_top_level_name(name: str) -> None:
    assert hasattr(theano, name)


def test_versions_agree() -> None:
    assert theano.__version__ == theano.version.version == "2.0.0"


def test_other_names_of_operations() -> None:
    assert T.square is T.sqr
    assert T.power is T.pow
    assert T.where is T.switch
    assert T.floor_div is T.int_div
    assert T.bitwise_and is T.and_
    assert T.shared_randomstreams.RandomStreams
    assert theano.dot is T.dot


def test_import_loads_no_heavy_package() -> None:
    program = (
        "import sys, theano; print([m for m in ('llvmlite', 'scipy', 'jax') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_import_warns_of_nothing() -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", "import theano"], check=True)
