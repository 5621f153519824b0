"""Shared variables of arrays, numbers and other objects."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.tensor.sharedvar import ScalarSharedVariable, TensorSharedVariable
from theano.updates import OrderedUpdates


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "TensorType(int64, scalar)"),
        (3.0, "TensorType(float64, scalar)"),
        (True, "TensorType(bool, scalar)"),
        (3j, "TensorType(complex128, scalar)"),
        (np.float32(3), "TensorType(float32, scalar)"),
        (np.ones((1, 3)), "TensorType(float64, matrix)"),
        (np.ones(2, "int8"), "TensorType(int8, vector)"),
        ([1, 2], "Generic"),
        (None, "Generic"),
        ("text", "Generic"),
        (np.random.RandomState(1), "RandomStateType"),
    ],
)
def test_type(value, text):
    assert str(theano.shared(value).type) == text


class Series:
    """As arrays of other libraries are: it holds items, and NumPy may read them."""

    def __init__(self, data):
        self.data = np.asarray(data)

    def __array__(self, dtype=None, copy=None):
        return self.data if dtype is None else self.data.astype(dtype)


class Capsule:
    """An array that offers DLPack alone."""

    def __init__(self, data):
        self.data = np.asarray(data)

    def __dlpack__(self, **options):
        return self.data.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.data.__dlpack_device__()


class Unreadable:
    def __array__(self, dtype=None, copy=None):
        raise TypeError("it is on another device")


FOREIGN = [Series, Capsule]


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("dtype", ["float64", "float32", "int8", "complex64"])
def test_arrays_of_other_libraries_are_arrays(kind, dtype):
    data = np.arange(6, dtype=dtype).reshape(2, 3)
    variable = theano.shared(kind(data), "w")
    assert isinstance(variable, TensorSharedVariable)
    assert variable.type == T.TensorType(dtype, (False, False))
    data[0] = 9
    assert variable.get_value()[0].tolist() == [0, 1, 2]
    variable.set_value(kind(data))
    np.testing.assert_array_equal(variable.get_value(), data)
    np.testing.assert_array_equal(T.as_tensor_variable(kind(data)).eval(), data)
    assert T.constant(kind(data)).type.dtype == dtype
    assert T.constant(kind(data), dtype="complex128").dtype == "complex128"
    assert T.constant(kind(data[:0])).dtype == dtype
    x = T.TensorType(dtype, (False, False))()
    f = theano.function([x], x * 2)
    np.testing.assert_array_equal(f(kind(data)), data * 2)
    np.testing.assert_array_equal((x + kind(data)).eval({x: data}), data * 2)


def test_the_same_values_are_taken_of_any_library():
    narrow = theano.function(
        [T.fvector("q")], T.constant(1, dtype="float32"), on_unused_input="ignore"
    )
    for kind in FOREIGN:
        assert theano.shared(kind(3.0)).type == T.dscalar
        with pytest.raises(TypeError, match="cannot store accurately"):
            narrow(kind([0.1]))
        with pytest.raises(TypeError, match="Wrong number of dimensions"):
            narrow(kind(1.0))


def test_what_holds_no_numbers_stays_an_object():
    frame = Series(np.array(["a", None], dtype=object))
    for value in (frame, np.array(["a"]), [1.0, 2.0], (1,), {"a": 1}, bytearray(b"ab"), range(3)):
        assert theano.shared(value).type == theano.generic


def test_arrays_that_cannot_be_read_are_refused():
    with pytest.raises(ValueError, match="of this Unreadable cannot be read: it is on another"):
        theano.shared(Unreadable())


def test_arrays_of_jax():
    jax = pytest.importorskip("jax.numpy")
    variable = theano.shared(jax.arange(3, dtype="float32"))
    assert variable.type == T.fvector
    step = theano.function([], variable.sum(), updates=[(variable, variable + 1)])
    assert (step(), step()) == (3, 6)
    assert T.dot(jax.ones(3), variable).eval() == 9


def test_classes():
    array, number = theano.shared(np.ones(3)), theano.shared(3)
    assert isinstance(array, TensorSharedVariable)
    assert not isinstance(array, T.TensorVariable)  # as in Theano: libraries ask
    assert isinstance(number, ScalarSharedVariable)
    assert (array * 2).eval().tolist() == [2, 2, 2]


def test_numbers_have_no_axes():
    assert theano.shared(0.5, "x", broadcastable=()).type == T.dscalar
    with pytest.raises(TypeError, match="SharedVariable"):
        theano.shared(0.5, broadcastable=(False,))


def test_borrowing():
    value = np.ones(3)
    copy, same = theano.shared(value), theano.shared(value, borrow=True)
    value[0] = 7
    assert copy.get_value().tolist() == [1, 1, 1]
    assert same.get_value().tolist() == [7, 1, 1]
    assert same.get_value() is not same.get_value(borrow=True)


@pytest.mark.parametrize(
    ("value", "options"),
    [
        (T.dscalar("s"), {}),
        (np.ones(3), {"dtype": "float32"}),
        (np.ones(3), {"unknown": 1}),
        (np.ones((2, 3)), {"broadcastable": (True, False)}),
        (np.ones(3), {"target": "gpu0"}),
    ],
)
def test_errors(value, options):
    with pytest.raises(TypeError):
        theano.shared(value, **options)


@pytest.mark.parametrize("value", [np.ones((2, 2)), np.ones(3, "complex128"), 1j])
def test_set_value_refuses_other_types(value):
    variable = theano.shared(np.zeros(3))
    with pytest.raises(TypeError):
        variable.set_value(value)
    assert variable.get_value().tolist() == [0, 0, 0]


def test_text_is_no_number():
    variable = theano.shared(np.zeros(3))
    with pytest.raises(ValueError, match="could not convert"):
        variable.set_value("text")
    assert variable.get_value().tolist() == [0, 0, 0]


def test_ordered_updates():
    a, b = theano.shared(1.0, "a"), theano.shared(2.0, "b")
    updates = OrderedUpdates([(a, a + 1)])
    updates += {b: b * 2}
    assert list(updates) == [a, b]
    theano.function([], [], updates=updates)()
    assert (a.get_value(), b.get_value()) == (2, 4)
    with pytest.raises(TypeError, match="SharedVariable"):
        updates[T.dscalar()] = a
    with pytest.raises(TypeError, match="SharedVariable"):
        OrderedUpdates({T.dscalar(): a})
    # Two values for one variable: the one or the other would be lost.
    assert len(updates + updates + {a: updates[a]}) == 2
    for other in ({a: a + 1}, [(a, a)]):
        with pytest.raises(KeyError, match="Collision"):
            updates.update(other)
    with pytest.raises(KeyError, match="Collision"):
        _ = updates + {a: a}
    assert OrderedUpdates([(a, a + 1), (a, b)])[a] is b
    updates.update(None)
    updates[a] = b
    assert updates[a] is b


def test_clone_of_expressions():
    x, y = T.dscalars("x", "y")
    state = theano.shared(3.0, "state")
    expression = x * state
    assert theano.clone(expression, {x: y}).eval({y: 2.0}) == 6
    fresh = theano.clone(expression, share_inputs=False)
    assert x not in theano._core.ir.graph.inputs([fresh])
    assert state not in theano._core.ir.graph.inputs([fresh])
    assert fresh.eval({theano._core.ir.graph.inputs([fresh])[0]: 2.0}) == 6
    for value in (2.0, np.float64(2)):
        for strict in (True, False):
            assert theano.clone(expression, {x: value}, strict=strict).eval() == 6
    longer = theano.clone(T.exp(expression), {state: np.zeros(2)}, strict=False)
    assert longer.eval({x: 1.0}).tolist() == [1, 1]
    with pytest.raises(TypeError):
        theano.clone(expression, {x: T.dvector()})
