"""Type checkers read the annotations of the installed package, and check a user's program."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import theano
import theano.tensor as T
from theano._core.base.stubs import LISTED

ROOT = Path(__file__).resolve().parents[2]

# A program such as users write: a network with momentum, its gradients, loops, branches, random
# numbers, functions and what is asked of them.
RIGHT = """
import numpy as np
import theano
import theano.tensor as T
from theano.ifelse import ifelse
from theano.tensor.random import Stream
from theano.tensor.shared_randomstreams import RandomStreams

rng = np.random.default_rng(0)
x, y = T.matrix("x"), T.ivector("y")
w = theano.shared(rng.normal(size=(4, 3)), name="w", borrow=True)
b = theano.shared(np.zeros(3), "b")
count = theano.shared(0)
anything = theano.shared({"a": 1})
params = [w, b]


def model(a: T.TensorLike) -> T.TensorVariable:
    return T.nnet.softmax(T.dot(T.tanh(a), w) + b)


p = model(x)
cost = -T.mean(T.log(p)[T.arange(y.shape[0]), y])
grads: list[T.TensorVariable] = T.grad(cost, params)
gw: T.TensorVariable = theano.grad(cost=cost, wrt=w, disconnected_inputs="ignore")
gx, gy = T.grad(cost, [x, p], consider_constant=[b])
slope = theano.grad(lambda a: (a**2).sum())(x)
moved = [(p, p - 0.1 * g) for p, g in zip(params, grads)]
train: theano.Function = theano.function([x, y], cost, updates=[*moved, (count, count + 1)])
loss: float = float(train(np.ones((2, 4)), [0, 1]))
both = theano.function([x, theano.In(y, value=[0])], [cost, p], givens={b: b + 1}, name="both")
named = theano.function([x], {"p": p, "s": p.sum()}, updates={count: count + 1}, profile=True)
named.profile.summary()
peak: int = both.memory_plan(np.ones((2, 4)), [0, 1]).peak
width: tuple[int, ...] = w.get_value(borrow=True).shape
positive = T.switch(x > 0, x, -x).max() + T.maximum(x, 0).mean()
states, updates = theano.scan(lambda a, h: a + h, sequences=x, outputs_info=T.zeros_like(x[0]))
train = theano.function([x], states[-1], updates=updates)
sums: list[T.TensorVariable] = [x + x, 1 + x, x - w, 1 - x, x * x, 2 * x, -x, abs(x), x @ w]
ratios: list[T.TensorVariable] = [x / x, 1 / x, x // 2, 2 // x, x % 2, 2 % x, x**x, 2**x]
truths: list[T.TensorVariable] = [x < 1, x <= w, 1 > x, x >= y, ~y, y & y, y | y, y ^ y, x[0]]
chosen: T.TensorVariable = ifelse(T.gt(count, 1), x, x.T)
noise = RandomStreams(1).normal((2, 3)) + Stream(1).uniform((2, 3), low=-1.0) * x.shape[0]
rows = theano.gradient.jacobian(cost, w)[0] + theano.Rop(cost, w, w) + theano.Lop(cost, w, 1.0)
value: tuple[T.TensorVariable, list[T.TensorVariable]] = theano.gradient.value_and_grad(cost, [w])
again = theano.clone(cost, replace={x: 2 * x}) + T.nnet.relu(x).sum()
"""
WRONG = """
import numpy as np
import theano
import theano.tensor as T

x = T.matrix("x")
w = theano.shared(np.zeros(2))
theano.function([x], x, nmae="f")
T.nnet.relu(x, beta=2)
T.sofmax(x)
x.reshpae((2, 2))
(x + 1).summ()
T.tanh(x)[0].maxx()
theano.function(x, x)
theano.function([x], x, updates=w)
theano.function([x], x).proflie
theano.shared(np.zeros(2), boroww=True)
w.get_valu()
w.get_value().shpae
T.grad(x.sum(), x, disconected_inputs="ignore")
T.grad(x.sum(), "x")
T.grad(x.sum(), [x]).sum()
theano.clone(x, replac={})
T.nnet.relu(x).summ()
"""
NO_CHECKER = {
    name: pytest.mark.skipif(importlib.util.find_spec(name) is None, reason=f"{name} is missing")
    for name in ("basedpyright", "mypy")
}


def _wrong_lines(program):
    """Return the numbers of the lines of a program that are to be refused."""
    lines = program.splitlines()
    first = lines.index("w = theano.shared(np.zeros(2))") + 1
    return list(range(first, len(lines)))


def test_the_package_says_that_it_is_typed():
    assert (Path(str(theano.__file__)).parent / "py.typed").exists()


def _every_name():
    """Return a program that uses all that the stubs of the public modules list."""
    lines = [f"{module}.{name}" for module, names in LISTED.items() for name in names]
    return "\n".join([*(f"import {module}" for module in LISTED), *lines, ""])


@NO_CHECKER["basedpyright"]
def test_pyright_checks_a_program(tmp_path):
    (tmp_path / "right.py").write_text(RIGHT)
    (tmp_path / "names.py").write_text(_every_name())
    (tmp_path / "wrong.py").write_text(WRONG)
    settings = {
        "extraPaths": [str(ROOT / "src")],
        "typeCheckingMode": "standard",
        # A line that only names an attribute is there for the attribute.
        "reportUnusedExpression": "none",
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "-p", str(tmp_path)]
    command += ["--pythonpath", sys.executable]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    errors = json.loads(found.stdout)["generalDiagnostics"]
    errors = [each for each in errors if each["severity"] == "error"]
    right = [each for each in errors if Path(each["file"]).name != "wrong.py"]
    assert not right, right
    assert sorted({each["range"]["start"]["line"] for each in errors}) == _wrong_lines(WRONG)


@NO_CHECKER["mypy"]
def test_mypy_checks_a_program(tmp_path):
    (tmp_path / "right.py").write_text(RIGHT)
    (tmp_path / "names.py").write_text(_every_name())
    (tmp_path / "wrong.py").write_text(WRONG)
    # What users see of an installed package: its annotations, and not what is wrong within it.
    command = [sys.executable, "-m", "mypy", "--follow-imports=silent", "--check-untyped-defs"]
    command += ["--no-error-summary", "--cache-dir", str(tmp_path / "cache")]
    command += ["right.py", "names.py", "wrong.py"]
    environment = {**os.environ, "MYPYPATH": str(ROOT / "src")}
    found = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment
    )
    errors = re.findall(r"^(.*\.py):(\d+): error", found.stdout, re.M)
    assert {file for file, _ in errors} == {"wrong.py"}, found.stdout + found.stderr
    assert sorted({int(line) - 1 for _, line in errors}) == _wrong_lines(WRONG)


def test_what_a_tensor_can_be_made_of_has_a_public_name():
    assert theano.Variable in typing.get_args(T.TensorLike)
