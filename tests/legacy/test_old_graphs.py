"""Expressions and functions in pickles of Theano 1.0.5 compute what they did."""

import pickle
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import theano
import theano.tensor as T

pytestmark = pytest.mark.filterwarnings("ignore:numpy.core:DeprecationWarning")
# Made by tools/golden_graphs.py under Theano 1.0.5.
GOLDEN = Path(__file__).parents[1] / "golden" / "graphs_theano105.pkl"
NAMES = [
    *("training", "parts", "items", "loops", "learning", "sampling", "streams", "image"),
    *("branches", "counter"),
]


@cache
def cases():
    return pickle.loads(zlib.decompress(GOLDEN.read_bytes()))


def same(found, wanted):
    if isinstance(wanted, dict):
        assert found.keys() == wanted.keys()
        found, wanted = list(found.values()), list(wanted.values())
    if not isinstance(wanted, list):
        found, wanted = [found], [wanted]
    for one, other in zip(found, wanted, strict=True):
        assert np.asarray(one).dtype == np.asarray(other).dtype
        np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_functions_and_expressions(name):
    case = cases()[name]
    f = pickle.loads(case["function"])
    for wanted in case["results"]:
        same(f(*case["arguments"]), wanted)
    inputs, outputs = pickle.loads(case["graph"])
    inputs = [
        v if isinstance(v, T.TensorVariable) else theano.In(v.variable, value=v.value)
        for v in inputs
    ]
    again = pickle.loads(pickle.dumps((inputs, outputs)))
    for expression in ((inputs, outputs), again):
        same(theano.function(*expression)(*case["arguments"]), case["results"][0])


def test_an_expression_goes_on():
    case = cases()["training"]
    (x, y), (cost, _) = pickle.loads(case["graph"])
    W = next(v for v in theano.gof.graph.inputs([cost]) if v.name == "W")
    before = W.get_value()
    step = theano.function([x, y], cost, updates=[(W, W - 0.5 * T.grad(cost, W))])
    step(*case["arguments"])
    old = pickle.loads(case["function"])
    old(*case["arguments"])
    wanted = next(v for v in old.maker.shared if v.name == "W").get_value()
    np.testing.assert_allclose(W.get_value(), wanted, rtol=1e-12)
    assert not np.allclose(before, wanted)


def test_a_convolution():
    image, filters, maps = pickle.loads(cases()["convolution"]["graph"])
    again = T.nnet.conv2d(image, filters, border_mode="half")
    one, other = theano.function([image], [maps, again])(np.ones((1, 1, 5, 5)))
    np.testing.assert_array_equal(one, other)


def test_only_values_if_settings_say_so():
    with theano.change_flags(unpickle_function=False):
        assert pickle.loads(cases()["items"]["function"]) is None
