"""Lengths declared in types: checked in arguments, carried through operations, used by them."""

import pickle

import numpy as np
import pytest
from test_structured import CASES

import theano
import theano.tensor as T
from theano import function
from theano.ifelse import ifelse

Kind = T.TensorType
plain = Kind("float64", (False, False))
sized = Kind("float64", shape=(None, 3))


# -- types --------------------------------------------------------------------------------------


def test_a_type_without_lengths_is_what_it_was():
    kind = Kind("float64", (False, True))
    assert kind.shape == (None, 1)
    assert kind == Kind("float64", shape=(None, 1)) == T.dcol
    assert hash(kind) == hash(("float64", (False, True)))
    assert kind.__reduce__() == (Kind, ("float64", (False, True), None, False))
    assert str(kind) == "TensorType(float64, col)"
    assert Kind("float64", (0, 1)).broadcastable == (False, True)


def test_a_type_with_lengths():
    kind = Kind("float32", shape=(1, None, 3))
    assert kind.broadcastable == (True, False, False)
    assert kind.ndim == 3
    assert str(kind) == "TensorType(float32, shape=(1, None, 3))"
    assert kind != Kind("float32", (True, False, False))
    assert kind != Kind("float32", shape=(1, None, 4))
    assert kind == Kind("float32", (True, False, False), shape=(1, None, 3))
    copy = pickle.loads(pickle.dumps(kind))
    assert copy == kind
    assert hash(copy) == hash(kind)
    assert kind.clone(dtype="int8").shape == kind.shape
    assert kind.clone(broadcastable=(False, False, False)).shape == (None, None, None)
    assert kind.unsized == Kind("float32", (True, False, False))


def test_the_constructors_take_a_shape():
    assert T.tensor("float64", shape=(2, None), name="a").type == Kind("float64", shape=(2, None))
    assert T.matrix("m", shape=(None, 3)).type.shape == (None, 3)
    assert T.row("r", shape=(None, 3)).broadcastable == (True, False)
    assert T.row("r", shape=(1, 3)).type.shape == (1, 3)
    with pytest.raises(ValueError, match=r"the shape \(3,\) of a matrix needs 2 lengths"):
        T.matrix(shape=(3,))
    with pytest.raises(ValueError, match=r"\(True, False\) does not fit the shape \(2, 3\)"):
        T.row(shape=(2, 3))
    with pytest.raises(ValueError, match="cannot be negative"):
        Kind("float64", shape=(-1,))
    with pytest.raises(TypeError, match="needs `broadcastable` or `shape`"):
        Kind("float64")


# -- arguments and shared variables --------------------------------------------------------------


def test_arguments_are_checked():
    x = sized("x")
    f = function([x], x.sum())
    assert f(np.ones((2, 3))) == 6
    assert f([[1, 2, 3]]) == 6
    with pytest.raises(TypeError, match=r"Bad input argument .x.*\n.*axis 1.*needs 3, got 2 in"):
        f(np.ones((3, 2)))
    with pytest.raises(TypeError, match="axis 1"):
        f([[1.0, 2.0]])
    with pytest.raises(TypeError, match="expected 2, got 1"):
        f(np.ones(3))


def test_shared_variables_keep_their_lengths():
    s = theano.shared(np.ones((2, 3)), shape=(None, 3))
    assert s.type == sized
    s.set_value(np.zeros((5, 3)))
    with pytest.raises(TypeError, match=r"axis 1.* needs 3, got 4"):
        s.set_value(np.zeros((5, 4)))
    with pytest.raises(ValueError, match=r"shape \(2, 2\) is no value of .*\(None, 3\)"):
        theano.shared(np.ones((2, 2)), shape=(None, 3))


def test_updates_of_a_sized_shared_variable():
    s = theano.shared(np.ones((2, 3)), shape=(None, 3))
    z, x = plain("z"), sized("x")
    function([x], [], updates=[(s, x * 2)])(np.ones((4, 3)))
    np.testing.assert_array_equal(s.get_value(), np.full((4, 3), 2.0))
    step = function([z], [], updates=[(s, z)])
    step(np.zeros((1, 3)))
    with pytest.raises(AssertionError, match="axis 1 has 4 items, expected 3"):
        step(np.zeros((5, 4)))
    assert s.get_value().shape == (1, 3)
    with pytest.raises(TypeError, match="must have the same type"):
        function([], [], updates=[(s, T.matrix(shape=(2, 4)))])
    u = theano.shared(np.ones((2, 2)))
    function([x], [], updates=[(u, x)])(np.ones((4, 3)))
    assert u.get_value().shape == (4, 3)


def test_givens_of_other_types():
    x, z = sized("x"), plain("z")
    assert function([z], x.sum(), givens={x: z})(np.ones((2, 3))) == 6
    with pytest.raises(AssertionError, match="expected 3"):
        function([z], x.sum(), givens={x: z})(np.ones((2, 2)))
    assert function([x], z.sum(), givens={z: x})(np.ones((2, 3))) == 6
    with pytest.raises(TypeError, match="Cannot convert"):
        function([], x.sum(), givens={x: T.matrix(shape=(2, 4))})


# -- through operations ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(CASES))
def test_declared_lengths_are_those_of_the_values(name):
    expression, _, arguments = CASES[name]
    arrays = [np.asarray(a) for a in arguments]
    inputs = [
        Kind(str(a.dtype), (False,) * a.ndim, shape=[None if n == 1 else n for n in a.shape])()
        for a in arrays
    ]
    outputs = expression(*inputs)
    outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
    values = function(inputs, outputs, on_unused_input="ignore")(*arrays)
    without = [Kind(str(a.dtype), (False,) * a.ndim)() for a in arrays]
    others = expression(*without)
    others = list(others) if isinstance(others, (list, tuple)) else [others]
    expected = function(without, others, on_unused_input="ignore")(*arrays)
    for out, other, value, wanted in zip(outputs, others, values, expected, strict=True):
        np.testing.assert_array_equal(value, wanted)
        assert out.type.unsized == other.type
        for declared, length in zip(out.type.shape, value.shape, strict=True):
            assert declared in (None, length)


def test_what_follows_from_declared_lengths():
    x, y, z = sized("x"), T.matrix("y", shape=(2, 3)), plain("z")
    assert (x + y).type.shape == (2, 3)
    assert (x + z).type.shape == (None, 3)
    assert T.dot(x, y.T).type.shape == (None, 2)
    assert y.sum(axis=0).type.shape == (3,)
    assert y[1:, ::2].type.shape == (None, 2)
    assert T.concatenate([x, y], axis=1).type.shape == (2, 6)
    assert y.reshape((-1,)).type.shape == (6,)
    assert ifelse(T.lscalar(), x, y).type.shape == (None, 3)
    for gradient, wanted in zip(T.grad(T.dot(x, y.T).sum(), [x, y]), (x, y), strict=True):
        assert gradient.type.shape == wanted.type.shape
    assert (z + z).type == plain


def test_lengths_fold_to_constants():
    x = sized("x")
    assert T.get_scalar_constant_value(x.shape[1]) == 3
    f = function([x], x.shape[1] * 2)
    assert f.maker.graph.toposort() == []
    assert f(np.ones((1, 3))) == 6
    rows = function([x], x.reshape((x.shape[0] * x.shape[1],)))
    assert rows(np.ones((2, 3))).shape == (6,)


def test_specify_shape_declares():
    z = plain("z")
    x = T.specify_shape(z, (None, 3))
    assert x.type == sized
    assert T.specify_shape(z, (2, 3)).type.shape == (2, 3)
    assert T.specify_shape(z, (1, 3)).broadcastable == (False, False)
    f = function([z], [x.shape, x.sum()])
    np.testing.assert_array_equal(f(np.ones((2, 3)))[0], [2, 3])
    with pytest.raises(AssertionError, match="axis 1 has 2 items, expected 3"):
        f(np.ones((2, 2)))
    with pytest.raises(ValueError, match="does not fit"):
        T.specify_shape(z, (None, 3, 4))


WRONG = {
    "sum": (lambda x, y: x + y, r"length 3 and axis 1 length 4 \(shapes \(None, 3\), \(2, 4\)\)"),
    "dot": (lambda x, y: T.dot(y, x.T), r"axis 1 has length 4 and axis 0 length 3"),
    "join": (lambda x, y: T.join(0, x, y), "axis 1 has length 3 and axis 1 length 4"),
    "reshape": (lambda x, y: y.reshape((3, 3)), r"8 items cannot be reshaped to \(3, 3\)"),
    "reshape -1": (lambda x, y: y.reshape((3, -1)), r"8 items cannot be reshaped to \(3, -1\)"),
    "specify_shape": (lambda x, y: T.specify_shape(x, (None, 4)), "axis 1 has length 3, not 4"),
    "a constant": (lambda x, y: x + np.ones((2, 4)), "length 3 and axis 1 length 4"),
    "batched_dot": (
        lambda x, y: T.batched_dot(T.tensor3(shape=(2, 3, 4)), T.tensor3(shape=(2, 3, 4))),
        "axis 2 has length 4 and axis 1 length 3",
    ),
}


@pytest.mark.parametrize("name", list(WRONG))
def test_a_certain_mismatch_is_reported_at_once(name):
    build, message = WRONG[name]
    with pytest.raises(ValueError, match=message):
        build(sized("x"), T.matrix("y", shape=(2, 4)))


# -- loops ----------------------------------------------------------------------------------------


def test_scan_over_sized_rows():
    x, q = sized("x"), T.vector("q", shape=(3,))
    seen = []

    def step(row, total):
        seen.extend((row.type.shape, total.type.shape))
        return total + row * q

    rows, _ = theano.scan(step, sequences=x, outputs_info=q)
    assert seen == [(3,), (3,)]
    f = function([x, q], [rows, T.grad(rows.sum(), q)])
    got, gradient = f(np.ones((4, 3)), np.full(3, 2.0))
    np.testing.assert_array_equal(got, np.outer([4.0, 6, 8, 10], np.ones(3)))
    np.testing.assert_array_equal(gradient, [14.0] * 3)


def test_scan_carries_a_more_general_type():
    x, q = plain("x"), T.vector("q", shape=(3,))
    rows, _ = theano.scan(lambda row, total: row, sequences=x, outputs_info=q)
    np.testing.assert_array_equal(function([x, q], rows)(np.eye(3), np.ones(3)), np.eye(3))
    with pytest.raises(ValueError, match=r"shape=\(3,\)\), while .*\(6,\)\): a step changes"):
        theano.scan(lambda a: T.concatenate([a, a]), outputs_info=q, n_steps=3)
