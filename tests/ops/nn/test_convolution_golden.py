"""Convolutions and pools beside those of Theano 1.0.5 (`tools/golden_convolutions.py`)."""

import json
from pathlib import Path

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.tensor.nnet import abstract_conv, conv as old, conv3d2d, corr, corr3d
from theano.tensor.signal import conv as signal, pool

GOLDEN = Path(__file__).parents[2] / "golden" / "convolutions_theano105.json"
ROWS = json.loads(GOLDEN.read_text())
NAMES = {
    "T": T,
    "abstract": abstract_conv,
    "corr": corr,
    "corr3d": corr3d,
    "conv3d2d": conv3d2d,
    "old": old,
    "signal": signal,
    "pool": pool,
}


def numbers(shape):
    at = np.arange(int(np.prod(shape))) + 7 * len(shape)
    return (((at * at + 3 * at) % 23 - 11) / 4.0).reshape(shape)


def digest(value):
    flat = value.ravel()
    weights = np.arange(flat.size) % 97 + 1.0
    return [list(value.shape), flat[:8], flat.sum(), (flat * weights).sum()]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_like_theano(row):
    text, shapes, wanted = row
    inputs = [T.TensorType("float64", (False,) * len(s))() for s in shapes]
    out = eval(text, NAMES | dict(zip("abc", inputs, strict=False)))
    outputs = [out, *T.grad((out**2).sum(), inputs)]
    results = theano.function(inputs, outputs)(*map(numbers, shapes))
    for value, (shape, first, whole, weighted) in zip(results, wanted, strict=True):
        got = digest(value)
        assert got[0] == shape
        np.testing.assert_allclose(got[1], first, rtol=1e-10, atol=1e-10)
        scale = 1e-11 * (1 + np.abs(value).sum())
        assert abs(got[2] - whole) <= scale and abs(got[3] - weighted) <= 97 * scale
