"""Pickles of Theano 1.0.5: the values of models can be loaded."""

import pickle
from pathlib import Path

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.sandbox.rng_mrg import MRG_RandomStreams
from theano.tensor.shared_randomstreams import RandomStreams

pytestmark = pytest.mark.filterwarnings("ignore:numpy.core:DeprecationWarning")
# Made by tools/golden_pickles.py under Theano 1.0.5.
GOLDEN = Path(__file__).parents[1] / "golden" / "pickles_theano105.pkl"


def loaded(name):
    return pickle.loads(pickle.loads(GOLDEN.read_bytes())[name])


def test_shared_variables():
    W, row = loaded("parameters")
    assert (W.name, W.type, row.type.broadcastable) == ("W", T.dmatrix, (True, False))
    f = theano.function([], (W * row).sum(), updates=[(W, W * 2)])
    assert [f(), f()] == [15, 30]
    np.testing.assert_array_equal(W.get_value(), 4 * np.arange(6.0).reshape(2, 3))
    row.set_value(np.zeros((1, 3), "float32"))
    assert f() == 0 and T.grad(W.sum(), W).eval().shape == (2, 3)
    again = pickle.loads(pickle.dumps(W))
    np.testing.assert_array_equal(again.get_value(), W.get_value())
    assert loaded("scalar").get_value() == 2.5 and loaded("list").get_value() == [1, 2]


def test_types_inputs_and_constants():
    assert loaded("type") == T.dmatrix
    x = loaded("input")
    f = theano.function([x], x + loaded("constant"))
    np.testing.assert_array_equal(f([1.0, 1, 1]), [1, 2, 3])


def test_streams_go_on():
    for name, fresh in (("streams", RandomStreams(3)), ("mrg", MRG_RandomStreams(3))):
        old = loaded(name)
        np.testing.assert_array_equal(old.uniform((3,)).eval(), fresh.uniform((3,)).eval())


def test_an_unknown_operation_is_refused_with_advice():
    # The name of the operation is that of one which is not here.
    pickled = pickle.loads(GOLDEN.read_bytes())["graph"]
    unknown = pickled.replace(b"theano.scalar.basic\nExp\n", b"theano.scalar.basic\nCompositef32\n")
    with pytest.raises(pickle.UnpicklingError, match=r"Compositef32.*for v in parameters"):
        pickle.loads(unknown)
