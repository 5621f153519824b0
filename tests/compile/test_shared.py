"""Shared variables: types, values, what is copied and what is not, and updates of odd arrays."""

import pickle
import random

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import COMPLEX, FLOATS, LAYOUTS, SIGNED, UNSIGNED
from support.compiling import evaluate
from theano import function, shared

NUMBERS = [
    *((3, "int64"), (3.0, "float64"), (True, "bool"), (3j, "complex128"), (2**63, "uint64")),
    (np.bool_(1), "bool"),
    *[(np.dtype(name).type(3), name) for name in (*SIGNED, *UNSIGNED, *FLOATS, *COMPLEX)],
]


@pytest.mark.parametrize(("value", "dtype"), NUMBERS, ids=lambda p: f"{type(p).__name__}-{p}")
@pytest.mark.parametrize("floatx", ["float32", "float64"])
def test_numbers_keep_their_type(value, dtype, floatx):
    with theano.config.change_flags(floatX=floatx):
        a = shared(value, "a")
        assert (a.dtype, a.ndim, a.broadcastable) == (dtype, 0, ())
        assert type(a.get_value()) is np.ndarray and a.get_value() == value
        function([], [], updates=[(a, a)])()
        assert a.get_value().dtype == dtype


def test_arrays_keep_dtype_and_shape_and_no_axis_is_broadcastable():
    shapes = [(), (2,), (1, 3), (0, 2), (1, 2, 1, 2)]
    for dtype in ("bool", "int8", "uint16", "int64", "float16", "float32", "float64", "complex64"):
        made = [shared(np.ones(shape, dtype)) for shape in shapes]
        assert {a.dtype for a in made} == {dtype}
        assert [a.broadcastable for a in made] == [(False,) * len(shape) for shape in shapes]
        assert [value.shape for value in evaluate(made)] == shapes


@pytest.mark.parametrize(
    "value",
    [
        *([1], (1, 2), {"a": 1}, "text", b"bytes", None, object, len, 2**70, random.Random),
        *(np.array(["a"]), np.array([None]), np.zeros(2, [("a", "f8")])),
    ],
    ids=str,
)
def test_other_objects_have_the_generic_type(value):
    a = shared(value, "a")
    assert a.type == theano.generic
    got = function([], a)()
    assert type(got) is type(value)
    assert np.array_equal(got, value) if isinstance(value, np.ndarray) else got == value
    a.set_value({"any": "thing"})
    assert a.get_value() == {"any": "thing"}


def test_objects_are_copied_on_the_way_out():
    b = shared([3], "b")
    b.get_value().append(4)
    assert b.get_value() == [3]
    assert b.get_value(borrow=True) is b.get_value(borrow=True)


@pytest.mark.parametrize("borrow", [False, True])
def test_borrow_when_made_set_and_read(borrow):
    given, other = np.zeros(3), np.zeros(4)
    a = shared(given, "a", borrow=borrow)
    given[0] = 5
    assert a.get_value()[0] == (5 if borrow else 0)
    a.set_value(other, borrow=borrow)
    other[1] = 6
    assert a.get_value().tolist() == [0, 6 if borrow else 0, 0, 0]
    a.get_value(borrow=borrow)[2] = 7
    assert a.get_value()[2] == (7 if borrow else 0)
    assert a.get_value(borrow=True, return_internal_type=True) is a.container.value


ODD = {
    "every second": lambda a: np.repeat(np.repeat(a, 2, 0), 2, 1)[::2, ::2],
    "backwards": lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
    **{name: LAYOUTS[name] for name in LAYOUTS if name not in ("contiguous", "overlapping")},
}
# An update, and what it makes of a value.
CHANGES = {
    "add": (lambda a: a + 1, lambda w: w + 1),
    "set": (lambda a: T.set_subtensor(a[0], 9), lambda w: np.r_[np.full((1, 3), 9.0), w[1:]]),
    "inc": (lambda a: T.inc_subtensor(a[:, 1:], 1), lambda w: w + np.array([0, 1, 1])),
    "scale": (lambda a: a * 0.5 + T.dot(a, T.eye(3)), lambda w: w * 1.5),
}


@pytest.mark.parametrize("layout", ODD)
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("how", ["made", "set"])
def test_updates_of_borrowed_odd_arrays(layout, change, how):
    value = ODD[layout](np.arange(6.0).reshape(2, 3))
    before = np.array(value, dtype="f8")
    a = shared(value if how == "made" else np.zeros((1, 1)), "a", borrow=True)
    if how == "set":
        a.set_value(value, borrow=True)
    update, reference = CHANGES[change]
    f = function([], a.sum(), updates=[(a, update(a))])
    wanted = before
    for _ in range(3):
        np.testing.assert_allclose(f(), wanted.sum())
        wanted = reference(wanted)
        np.testing.assert_allclose(a.get_value(), wanted)
    if not value.flags.writeable:
        np.testing.assert_array_equal(value, before, "a read-only array was written to")


def test_two_variables_that_borrow_one_array():
    given = np.zeros(3)
    a, b = shared(given, "a", borrow=True), shared(given, "b", borrow=True)
    f = function([], [], updates=[(a, a + 1), (b, b + 10)])
    f(), f()
    assert (a.get_value().tolist(), b.get_value().tolist()) == ([2] * 3, [20] * 3)


SETTINGS = [
    (3.0, {}, 4, 4.0),
    (3.0, {}, np.float32(0.5), 0.5),
    (3, {}, 4.0, 4),
    (np.float32(3), {}, 0.5, 0.5),
    (np.float32(3), {"allow_downcast": True}, np.float64(4.5), 4.5),
    (np.float32(3), {"allow_downcast": True}, np.array(4), 4.0),
    (3.0, {"strict": True}, np.array(4.0), 4.0),
    (np.ones(3), {}, range(4), [0.0, 1.0, 2.0, 3.0]),
    (np.ones(3), {}, [], []),
    (np.ones((2, 3)), {}, np.zeros((4, 1), "int8"), [[0.0]] * 4),
    (np.ones((1, 2)), {"broadcastable": (True, False)}, [[1, 2, 3]], [[1.0, 2.0, 3.0]]),
    (3.0, {}, None, None),
]
REFUSED = [
    (3, {}, 4.5, TypeError),
    (3, {}, 10**30, OverflowError),
    (np.float32(3), {}, 4.1, TypeError),
    (np.float32(3), {}, np.array(4.0), TypeError),
    (np.float32(3), {"allow_downcast": False}, 4.1, TypeError),
    (3.0, {"strict": True}, 4.0, TypeError),
    (3.0, {"strict": True}, np.array(4), TypeError),
    (3.0, {}, [1], TypeError),
    (3.0, {}, "text", ValueError),
    (3.0, {}, T.dscalar(), TypeError),
    (np.ones((2, 3)), {}, np.ones(3), TypeError),
    (np.ones((1, 3)), {"broadcastable": (True, False)}, np.ones((2, 3)), TypeError),
    (np.ones(3), {}, np.ones(3, "complex128"), TypeError),
]


@pytest.mark.parametrize(("first", "options", "value", "wanted"), SETTINGS)
def test_set_value(first, options, value, wanted):
    a = shared(first, "a", **options)
    a.set_value(value)
    got = a.get_value()
    assert (got if got is None else got.tolist()) == wanted
    if wanted is not None:
        assert got.dtype == a.dtype
        assert function([], a)().tolist() == wanted


@pytest.mark.parametrize(("first", "options", "value", "error"), REFUSED)
def test_set_value_refuses(first, options, value, error):
    a = shared(first, "called", **options)
    before = a.get_value()
    for assign in (lambda: a.set_value(value), lambda: setattr(a.container, "value", value)):
        with pytest.raises(error) as caught:
            assign()
        assert 'Container name "called"' in str(caught.value.args)
    np.testing.assert_array_equal(a.get_value(), before)


@pytest.mark.parametrize(
    ("value", "options"),
    [
        (T.dscalar(), {}),
        (3.0, {"name": 3}),
        (np.ones(2), {"dtype": "float32"}),
        (np.ones(2), {"unknown": 1}),
        ([1], {"borrow": True}),
        ("text", {"broadcastable": ()}),
        (1.0, {"target": "gpu"}),
        (np.ones((2, 3)), {"broadcastable": (True, False)}),
        (np.ones((1, 3)), {"broadcastable": [True]}),
    ],
)
def test_what_makes_no_shared_variable(value, options):
    with pytest.raises(TypeError):
        shared(value, **options)


def test_options_by_position_and_names():
    a = shared(np.ones(2), "w", False, True)
    assert (a.name, str(a), repr(a), a.container.allow_downcast) == ("w", "w", "w", True)
    assert str(shared(3)) == "<TensorType(int64, scalar)>"
    wide = shared(np.ones((1, 3)), broadcastable=(True, False), target="cpu")
    assert wide.broadcastable == (True, False)


def test_lengths_may_change_under_a_function():
    a = shared(np.ones(3), "a")
    f = function([], [a * 2, a.sum(), a.shape], updates=[(a, T.concatenate([a, a[:1]]))])
    for length in (3, 4, 0, 1):
        if length != 4:
            a.set_value(np.ones(length))
        double, total, shape = f()
        assert (double.shape, float(total), shape.tolist()) == ((length,), length, [length])
        assert len(a.get_value()) == length + min(length, 1)


@pytest.mark.parametrize("value", [np.ones((2, 3)), np.array(3), np.ones(2, "bool"), np.ones(0)])
@pytest.mark.parametrize("borrow", [False, True])
def test_zero_keeps_shape_and_dtype(value, borrow):
    a = shared(value, "a")
    inner = a.get_value(borrow=True)
    a.zero(borrow=borrow)
    got = a.get_value()
    assert not got.any() and (got.shape, got.dtype) == (value.shape, value.dtype)
    assert (not inner.any()) == (borrow or value.size == 0)


def test_clone_shares_the_storage():
    a = shared(np.ones(2), "a")
    b = a.clone()
    b.set_value(np.zeros(2))
    assert a.get_value().tolist() == [0, 0]
    assert (b.name, b is a, b.type == a.type) == ("a", False, True)


def test_default_update_must_fit():
    a = shared(np.float32(1), "a")
    for wrong in (a * np.float64(2), T.fvector(), T.dscalar()):
        with pytest.raises(TypeError, match="float32"):
            a.default_update = wrong
    a.default_update = a + 1
    f = function([], a)
    assert [float(f()), float(f()), float(a.get_value())] == [1, 2, 3]
    a.default_update = None
    # In Theano 1.0.5, the attribute is not there before.
    for one in (a, shared(1.0), pickle.loads(pickle.dumps(a))):
        assert not hasattr(one, "default_update")


def test_value_is_no_attribute():
    with pytest.raises(AttributeError, match="get_value"):
        _ = shared(1.0).value
