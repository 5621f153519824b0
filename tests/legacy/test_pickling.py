"""Pickles of Theano 1.0.5, models in zip files, and pickles without what only programs need."""

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import evaluate
from theano.misc.pkl_utils import (
    CompatUnpickler,
    PersistentSharedVariableID,
    StripPickler,
    dump,
    load,
)
from theano.sandbox.rng_mrg import MRG_RandomStreams
from theano.tensor.shared_randomstreams import RandomStreams

pytestmark = pytest.mark.filterwarnings("ignore:numpy.core:DeprecationWarning")
# Made by tools/golden_pickles.py under Theano 1.0.5.
GOLDEN = pickle.loads((Path(__file__).parents[1] / "golden/pickles_theano105.pkl").read_bytes())
equal = np.testing.assert_array_equal


def loaded(name):
    return pickle.loads(GOLDEN[name])


def test_shared_variables():
    W, row = loaded("parameters")
    assert (W.name, W.type, row.type.broadcastable) == ("W", T.dmatrix, (True, False))
    f = theano.function([], (W * row).sum(), updates=[(W, W * 2)])
    assert [f(), f()] == [15, 30]
    equal(W.get_value(), 4 * np.arange(6.0).reshape(2, 3))
    row.set_value(np.zeros((1, 3), "float32"))
    assert f() == 0 and T.grad(W.sum(), W).eval().shape == (2, 3)
    equal(pickle.loads(pickle.dumps(W)).get_value(), W.get_value())
    assert loaded("scalar").get_value() == 2.5 and loaded("list").get_value() == [1, 2]


def test_types_inputs_and_constants():
    assert loaded("type") == T.dmatrix
    x = loaded("input")
    equal(evaluate(x + loaded("constant"), {x: [1.0, 1, 1]}), [1, 2, 3])


def test_streams_go_on():
    for name, fresh in (("streams", RandomStreams(3)), ("mrg", MRG_RandomStreams(3))):
        equal(loaded(name).uniform((3,)).eval(), fresh.uniform((3,)).eval())


def test_an_unknown_operation_is_refused_with_advice():
    # The name of the operation is that of one which is not here.
    known, unknown = (b"theano.scalar.basic\n%s\n" % name for name in (b"Exp", b"Compositef32"))
    with pytest.raises(pickle.UnpicklingError, match=r"Compositef32.*for v in parameters"):
        pickle.loads(GOLDEN["graph"].replace(known, unknown))


def test_models_in_zip_files():
    w, w2, b = theano.shared(np.ones((2, 3)), "w"), theano.shared(np.zeros(3), "w"), np.arange(3)
    file = io.BytesIO()
    dump({"w": w, "more": [w2, b, b], "text": "t"}, file)
    with zipfile.ZipFile(file) as archive:
        assert set(archive.namelist()) == {"pkl", "w", "w_2", "array_0"}
        equal(np.load(io.BytesIO(archive.read("w"))), np.ones((2, 3)))
    model = load(file)
    assert model["w"].name == "w"
    equal(model["w"].get_value(), np.ones((2, 3)))
    assert model["more"][1] is model["more"][2]
    equal(model["more"][1], b)
    for options, objects in (
        ({"allow_duplicates": False}, [w, w2]),
        ({"allow_unnamed": False}, [theano.shared(np.ones(2))]),
        ({}, [theano.shared(np.ones(2), "pkl")]),
    ):
        identify = lambda z, options=options: PersistentSharedVariableID(z, **options)
        with pytest.raises(ValueError, match="shared variable"):
            dump(objects, io.BytesIO(), persistent_id=identify)


def test_pickles_without_extras():
    x = T.dvector("x")
    x.tag.test_value = np.ones(1000)
    x.tag.mine, x.tag.other = 1, 2
    y = T.exp(x) * 2
    y.tag.other = 3
    file = io.BytesIO()
    StripPickler(file, protocol=-1, extra_tag_to_remove="other").dump([x, y])
    assert len(file.getvalue()) < 3000
    file.seek(0)
    x2, y2 = CompatUnpickler(file, encoding="latin1").load()
    assert vars(x2.tag) == {"mine": 1} and vars(y2.tag) == {} and x2.source is None
    np.testing.assert_allclose(evaluate(y2, {x2: [0.0, 1.0]}), [2, 2 * np.e])
    assert x.tag.other == 2 and x.source is not None


def test_function_dump(tmp_path):
    x, s = T.dscalar("x"), theano.shared(3.0, "s")
    file = tmp_path / "call.pkl"
    theano.function_dump(str(file), [x], [x * s], updates=[(s, s + 1)], name="mine")
    f = theano.function(**pickle.loads(file.read_bytes()))
    assert (f(2.0)[0], f(2.0)[0], f.name) == (6, 8, "mine")


def test_what_copyreg_asks_of_a_function():
    x = T.dvector("x")
    make, arguments = theano.compile.function_module._pickle_Function(theano.function([x], x * 2))
    assert make(*arguments)([3.0]) == 6
