"""Draws of `RandomStreams` beside those of Theano 1.0.5 (`tools/golden_random.py`)."""

import builtins
import json
import warnings
from pathlib import Path

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.base.errors import AsTensorError
from theano.tensor.shared_randomstreams import RandomStreams

ROWS = json.loads((Path(__file__).parents[2] / "golden" / "random_theano105.json").read_text())
STEPS = ("make", "call")


def _variable(argument, inputs, values):
    """Return an argument for the method; symbolic ones are added to the lists."""
    if isinstance(argument, list):
        return tuple(argument)
    if not isinstance(argument, dict):
        return argument
    if "vector" in argument:
        made, value = [T.lvector()], [argument["vector"]]
        result = made[0]
    elif "scalars" in argument:
        made, value = [T.lscalar() for _ in argument["scalars"]], argument["scalars"]
        result = tuple(made)
    elif "tuple" in argument:
        value = [n["scalar"] for n in argument["tuple"] if isinstance(n, dict)]
        made = [T.lscalar() for _ in value]
        rest = iter(made)
        result = tuple(next(rest) if isinstance(n, dict) else n for n in argument["tuple"])
    else:
        value = [np.asarray(argument["input"], dtype=argument["dtype"])]
        made = [T.TensorType(argument["dtype"], [False] * value[0].ndim)()]
        result = made[0]
    inputs += made
    values += value
    return result


def _make(row):
    seed, name, arguments = row[:3]
    inputs = []
    values = []
    made = {}
    for key, argument in arguments.items():
        tensor = key not in ("size", "input") and isinstance(argument, list)
        made[key] = argument if tensor else _variable(argument, inputs, values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return getattr(RandomStreams(seed), name)(**made), inputs, values


def _name(row):
    return " ".join(str(part) for part in row[:3])


@pytest.mark.parametrize("row", [r for r in ROWS if r[3] not in STEPS], ids=_name)
def test_draws(row):
    dtype, pattern, results = row[3:]
    out, inputs, values = _make(row)
    assert (out.dtype, list(out.broadcastable)) == (dtype, pattern)
    f = theano.function(inputs, out)
    for shape, items, total in results:
        drawn = f(*values)
        assert list(drawn.shape) == shape
        assert drawn.reshape(-1)[:20].tolist() == items
        assert float(np.sum(drawn.reshape(-1).astype("float64"))) == total


def _error(row):
    # Where 1.0.5 fails in an assertion of its own, the error says what is wrong.
    if row[2].get("size") == [-2]:
        return ValueError
    return AsTensorError if row[4] == "AsTensorError" else getattr(builtins, row[4])


def _run(row):
    out, inputs, values = _make(row)
    theano.function(inputs, out)(*values)


@pytest.mark.parametrize("row", [r for r in ROWS if r[3] in STEPS], ids=_name)
def test_errors(row):
    with pytest.raises(_error(row)):
        _run(row)
