"""Draws beside those of Theano 1.0.5 (`tools/golden_mrg.py`, `tools/golden_random.py`)."""

import builtins
import json
import warnings
from pathlib import Path

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import evaluate
from theano._core.base.errors import AsTensorError
from theano.sandbox.rng_mrg import MRG_RandomStreams
from theano.tensor.shared_randomstreams import RandomStreams

GOLDEN = Path(__file__).parents[2] / "golden"
MRG, NUMPYS = (
    json.loads((GOLDEN / f"{name}_theano105.json").read_text()) for name in ("mrg", "random")
)
STEPS = ("make", "call")
# Draws without arithmetic of their own are the same bits; others differ by rounding.
EXACT = ("uniform", "binomial", "multinomial", "multinomial_wo_replacement", "choice")
# In units of the spacing of the dtype at 1: the logarithm near 1 and the cosine near its zeros.
ROUNDING = 64


def symbolic(argument, given):
    """Return an argument for a method; the variables in it, with values, are added to `given`."""

    def added(variable, value):
        given[variable] = value
        return variable

    if isinstance(argument, list):
        return tuple(symbolic(n, given) for n in argument)
    if not isinstance(argument, dict):
        return argument
    if "vector" in argument:
        return added(T.lvector(), argument["vector"])
    if "scalar" in argument:
        return added(T.lscalar(), argument["scalar"])
    if "scalars" in argument:
        return tuple(added(T.lscalar(), n) for n in argument["scalars"])
    if "tuple" in argument:
        return tuple(symbolic(n, given) for n in argument["tuple"])
    value = np.asarray(argument["input"], dtype=argument["dtype"])
    return added(T.TensorType(argument["dtype"], [False] * value.ndim)(), value)


def draw(streams, name, arguments):
    """Return a draw, and the variables that it depends on with their values."""
    given = {}
    made = {
        key: symbolic(argument, given)
        if key in ("size", "input") or not isinstance(argument, list)
        else argument
        for key, argument in arguments.items()
    }
    with warnings.catch_warnings(action="ignore"):
        return getattr(streams, name)(**made), given


@pytest.mark.parametrize("row", MRG, ids=lambda row: f"{row[1]} {row[0]} {row[2]}")
def test_draws_of_mrg(row):
    seed, name, arguments, dtype, pattern, results = row
    out, given = draw(MRG_RandomStreams(seed), name, arguments)
    assert (out.dtype, list(out.broadcastable)) == (dtype, pattern)
    f = theano.function([*given], out)
    for shape, items, total in results:
        drawn = f(*given.values())
        assert list(drawn.shape) == shape
        wide = drawn.reshape(-1).astype("float64")
        if name in EXACT:
            assert wide[:60].tolist() == items
            assert float(np.sum(wide)) == pytest.approx(total, rel=1e-13)
        else:
            unit = ROUNDING * float(np.finfo(dtype).eps)
            np.testing.assert_allclose(wide[:60], items, rtol=unit, atol=unit)
            assert float(np.sum(wide)) == pytest.approx(total, abs=unit * len(wide))


def named(row):
    return " ".join(str(part) for part in row[:3])


@pytest.mark.parametrize("row", [r for r in NUMPYS if r[3] not in STEPS], ids=named)
def test_draws_of_numpys_streams(row):
    seed, name, arguments, dtype, pattern, results = row
    out, given = draw(RandomStreams(seed), name, arguments)
    assert (out.dtype, list(out.broadcastable)) == (dtype, pattern)
    f = theano.function([*given], out)
    for shape, items, total in results:
        drawn = f(*given.values())
        assert list(drawn.shape) == shape
        assert drawn.reshape(-1)[:20].tolist() == items
        assert float(np.sum(drawn.reshape(-1).astype("float64"))) == total


@pytest.mark.parametrize("row", [r for r in NUMPYS if r[3] in STEPS], ids=named)
def test_errors(row):
    seed, name, arguments, _, error = row[:5]
    kind = AsTensorError if error == "AsTensorError" else getattr(builtins, error)
    # Where 1.0.5 fails in an assertion of its own, the error says what is wrong.
    with pytest.raises(ValueError if arguments.get("size") == [-2] else kind):
        evaluate(*draw(RandomStreams(seed), name, arguments))
