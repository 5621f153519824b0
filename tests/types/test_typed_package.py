"""Type checkers read the annotations of the installed package, and check a user's program."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import theano

ROOT = Path(__file__).resolve().parents[2]

RIGHT = """
import numpy as np
import theano
import theano.tensor as T

x, y = T.matrix("x"), T.ivector("y")
w = theano.shared(np.zeros((4, 3)), name="w")
p = T.nnet.softmax(T.dot(x, w))
cost = -T.mean(T.log(p)[T.arange(y.shape[0]), y])
train = theano.function([x, y], cost, updates=[(w, w - 0.1 * T.grad(cost, w))])
loss: float = float(train(np.ones((2, 4)), [0, 1]))
positive = T.switch(x > 0, x, -x).max() + T.maximum(x, 0).mean()
states, updates = theano.scan(lambda a, h: a + h, sequences=x, outputs_info=T.zeros_like(x[0]))


def model(a: T.TensorVariable) -> T.TensorVariable:
    return T.tanh(a)


model(x)
"""
WRONG = """
import theano
import theano.tensor as T

x = T.matrix("x")
theano.function([x], x, nmae="f")
T.nnet.relu(x, beta=2)
T.sofmax(x)
x.reshpae((2, 2))
(x + 1).summ()
T.tanh(x)[0].maxx()
"""


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(str(theano.__file__)).parent / "py.typed").exists()


@pytest.mark.skipif(
    importlib.util.find_spec("basedpyright") is None, reason="basedpyright is not installed"
)
def test_a_program_is_checked(tmp_path: Path) -> None:
    (tmp_path / "right.py").write_text(RIGHT)
    (tmp_path / "wrong.py").write_text(WRONG)
    settings = {"extraPaths": [str(ROOT / "src")], "typeCheckingMode": "standard"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "-p", str(tmp_path)]
    command += ["--pythonpath", sys.executable]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    errors: list[Any] = json.loads(found.stdout)["generalDiagnostics"]
    errors = [each for each in errors if each["severity"] == "error"]
    assert {Path(each["file"]).name for each in errors} == {"wrong.py"}
    assert [each["range"]["start"]["line"] for each in errors] == [5, 6, 7, 8, 9, 10]
