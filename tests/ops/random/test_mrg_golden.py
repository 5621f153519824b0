"""Draws of `MRG_RandomStreams` beside those of Theano 1.0.5 (`tools/golden_mrg.py`)."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.sandbox.rng_mrg import MRG_RandomStreams

ROWS = json.loads((Path(__file__).parents[2] / "golden" / "mrg_theano105.json").read_text())
# Draws without arithmetic of their own are the same bits; others differ by rounding.
EXACT = ("uniform", "binomial", "multinomial", "multinomial_wo_replacement", "choice")
# In units of the spacing of the dtype at 1: the logarithm near 1 and the cosine near its zeros.
ROUNDING = 64


def _argument(argument):
    if isinstance(argument, dict) and "vector" in argument:
        vector = T.lvector()
        return vector, [vector], [argument["vector"]]
    if isinstance(argument, dict):
        scalars = [T.lscalar() for _ in argument["scalars"]]
        return tuple(scalars), scalars, argument["scalars"]
    return tuple(argument) if isinstance(argument, list) else argument, [], []


def _compare(drawn, name, dtype, wanted):
    shape, items, total = wanted
    assert list(drawn.shape) == shape
    wide = drawn.reshape(-1).astype("float64")
    if name in EXACT:
        assert wide[:60].tolist() == items
        assert float(np.sum(wide)) == pytest.approx(total, rel=1e-13)
        return
    unit = ROUNDING * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(wide[:60], items, rtol=unit, atol=unit)
    assert float(np.sum(wide)) == pytest.approx(total, abs=unit * len(wide))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[1]} {row[0]} {row[2]}")
def test_draws(row):
    seed, name, arguments, dtype, pattern, results = row
    size, inputs, values = _argument(arguments.get("size"))
    arguments = {**arguments, **({"size": size} if "size" in arguments else {})}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = getattr(MRG_RandomStreams(seed), name)(**arguments)
    assert (out.dtype, list(out.broadcastable)) == (dtype, pattern)
    f = theano.function(inputs, out)
    for wanted in results:
        _compare(f(*values), name, dtype, wanted)
