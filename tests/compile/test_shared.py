"""Shared variables: types, values, what is copied and what is not, and updates of odd arrays."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano import function, shared

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
NUMBERS: list[tuple[Any, str]] = [
    (3, "int64"),
    (3.0, "float64"),
    (True, "bool"),
    (3j, "complex128"),
    (2**63, "uint64"),
    (np.bool_(1), "bool"),
    *[(np.dtype(name).type(3), name) for name in INTEGERS],
    *[(np.dtype(name).type(3), name) for name in ("float16", "float32", "float64")],
    *[(np.dtype(name).type(3), name) for name in ("complex64", "complex128")],
]


@pytest.mark.parametrize(("value", "dtype"), NUMBERS, ids=lambda p: f"{type(p).__name__}-{p}")
@pytest.mark.parametrize("floatx", ["float32", "float64"])
def test_numbers_keep_their_type(value: Any, dtype: str, floatx: str) -> None:
    with theano.config.change_flags(floatX=floatx):
        a = shared(value, "a")
        assert (a.dtype, a.ndim, a.broadcastable) == (dtype, 0, ())
        assert type(a.get_value()) is np.ndarray
        assert a.get_value() == value
        function([], [], updates=[(a, a)])()
        assert a.get_value().dtype == dtype


def test_one_of_each_array_type() -> None:
    for dtype in ("bool", "int8", "uint16", "int64", "float16", "float32", "float64", "complex64"):
        for shape in ((), (2,), (1, 3), (0, 2), (1, 2, 1, 2)):
            a = shared(np.ones(shape, dtype))
            assert (a.dtype, a.broadcastable) == (dtype, (False,) * len(shape))
            assert function([], a)().shape == shape


@pytest.mark.parametrize(
    "value",
    [
        [1],
        (1, 2),
        {"a": 1},
        "text",
        b"bytes",
        None,
        object,
        len,
        2**70,
        np.array(["a"]),
        np.array([None]),
        np.zeros(2, [("a", "f8")]),
        random.Random,
    ],
    ids=str,
)
def test_other_objects(value: Any) -> None:
    a = shared(value, "a")
    assert a.type == theano.generic
    got = function([], a)()
    assert type(got) is type(value)
    assert np.array_equal(got, value) if isinstance(value, np.ndarray) else got == value
    a.set_value({"any": "thing"})
    assert a.get_value() == {"any": "thing"}


def test_objects_are_copied_on_the_way_in_and_out() -> None:
    a = shared(np.ones(2), "a")
    a.get_value()[0] = 5
    assert a.get_value().tolist() == [1, 1]
    b = shared([3], "b")
    b.get_value().append(4)
    assert b.get_value() == [3]
    assert b.get_value(borrow=True) is b.get_value(borrow=True)


# -- borrow ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("borrow", [False, True])
def test_borrow_when_made_set_and_read(borrow: bool) -> None:
    given = np.zeros(3)
    a = shared(given, "a", borrow=borrow)
    given[0] = 5
    assert a.get_value().tolist() == ([5, 0, 0] if borrow else [0, 0, 0])
    other = np.zeros(4)
    a.set_value(other, borrow=borrow)
    other[1] = 6
    assert a.get_value().tolist() == ([0, 6, 0, 0] if borrow else [0, 0, 0, 0])
    inner = a.get_value(borrow=borrow)
    inner[2] = 7
    assert a.get_value()[2] == (7 if borrow else 0)
    assert a.get_value(borrow=True, return_internal_type=True) is a.container.value


def odd_arrays() -> list[tuple[str, np.ndarray]]:
    read_only = np.arange(6.0).reshape(2, 3)
    read_only.flags.writeable = False
    base = np.arange(24.0).reshape(4, 6)
    return [
        ("read-only", read_only),
        ("every second", base[::2, ::2]),
        ("backwards", base[3:1:-1, 2::-1]),
        ("transposed", np.arange(6.0).reshape(3, 2).T),
        ("zero strides", np.broadcast_to(np.arange(3.0), (2, 3))),
        ("Fortran", np.asfortranarray(np.arange(6.0).reshape(2, 3))),
        ("unaligned", np.frombuffer(b"\0" + np.arange(6.0).tobytes(), "u1")[1:].view("f8")),
        ("other byte order", np.arange(6.0).reshape(2, 3).astype(">f8")),
    ]


@pytest.mark.parametrize(("label", "value"), odd_arrays(), ids=[k for k, _ in odd_arrays()])
@pytest.mark.parametrize("update", ["add", "set", "inc", "scale"])
@pytest.mark.parametrize("how", ["made", "set"])
def test_updates_of_borrowed_odd_arrays(
    label: str, value: np.ndarray, update: str, how: str
) -> None:
    value = value.reshape(2, 3) if label == "unaligned" else value
    before = np.array(value, dtype="f8")
    a = shared(value if how == "made" else np.zeros((1, 1)), "a", borrow=True)
    if how == "set":
        a.set_value(value, borrow=True)
    new = {
        "add": lambda: a + 1,
        "set": lambda: T.set_subtensor(a[0], 9),
        "inc": lambda: T.inc_subtensor(a[:, 1:], 1),
        "scale": lambda: a * 0.5 + T.dot(a, T.eye(3)),
    }[update]()
    f = function([], a.sum(), updates=[(a, new)])
    wanted = before.copy()
    for _ in range(3):
        np.testing.assert_allclose(f(), wanted.sum())
        wanted = {
            "add": lambda w: w + 1,
            "set": lambda w: np.concatenate([np.full((1, 3), 9.0), w[1:]]),
            "inc": lambda w: w + np.array([0, 1, 1]),
            "scale": lambda w: w * 1.5,
        }[update](wanted)
        np.testing.assert_allclose(a.get_value(), wanted)
    if not value.flags.writeable:
        np.testing.assert_array_equal(value, before, "a read-only array was written to")


def test_two_variables_that_borrow_one_array() -> None:
    given = np.zeros(3)
    a, b = shared(given, "a", borrow=True), shared(given, "b", borrow=True)
    f = function([], [], updates=[(a, a + 1), (b, b + 10)])
    f()
    f()
    assert a.get_value().tolist() == [2, 2, 2]
    assert b.get_value().tolist() == [20, 20, 20]


# -- set_value -------------------------------------------------------------------------------------

SETTINGS: list[tuple[Any, dict[str, Any], Any, Any]] = [
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


@pytest.mark.parametrize(
    ("first", "options", "value", "wanted"), SETTINGS, ids=range(len(SETTINGS))
)
def test_set_value(first: Any, options: Any, value: Any, wanted: Any) -> None:
    a = shared(first, "a", **options)
    a.set_value(value)
    got = a.get_value()
    assert (got if got is None else got.tolist()) == wanted
    if wanted is not None:
        assert got.dtype == a.dtype
        assert function([], a)().tolist() == wanted


REFUSED: list[tuple[Any, dict[str, Any], Any, type[Exception]]] = [
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


@pytest.mark.parametrize(("first", "options", "value", "error"), REFUSED, ids=range(len(REFUSED)))
def test_set_value_refuses(first: Any, options: Any, value: Any, error: type[Exception]) -> None:
    a = shared(first, "called", **options)
    before = a.get_value()
    for assign in (lambda: a.set_value(value), lambda: setattr(a.container, "value", value)):
        with pytest.raises(error) as caught:
            assign()
        assert 'Container name "called"' in str(caught.value.args)
    np.testing.assert_array_equal(a.get_value(), before)


@pytest.mark.parametrize(
    "make",
    [
        lambda: shared(T.dscalar()),
        lambda: shared(3.0, name=3),
        lambda: shared(np.ones(2), dtype="float32"),
        lambda: shared(np.ones(2), unknown=1),
        lambda: shared([1], borrow=True),
        lambda: shared("text", broadcastable=()),
        lambda: shared(1.0, target="gpu"),
        lambda: shared(np.ones((2, 3)), broadcastable=(True, False)),
        lambda: shared(np.ones((1, 3)), broadcastable=[True]),
    ],
)
def test_what_makes_no_shared_variable(make: Callable[[], Any]) -> None:
    with pytest.raises(TypeError):
        make()


# -- the rest --------------------------------------------------------------------------------------


def test_options_by_position_and_names() -> None:
    a = shared(np.ones(2), "w", False, True)
    assert (a.name, str(a), repr(a), a.container.allow_downcast) == ("w", "w", "w", True)
    assert str(shared(3)) == "<TensorType(int64, scalar)>"
    assert shared(np.ones((1, 3)), broadcastable=(True, False), target="cpu").broadcastable == (
        True,
        False,
    )


def test_lengths_may_change_under_a_function() -> None:
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
def test_zero(value: np.ndarray, borrow: bool) -> None:
    a = shared(value, "a")
    inner = a.get_value(borrow=True)
    a.zero(borrow=borrow)
    assert not a.get_value().any()
    assert a.get_value().shape == value.shape
    assert a.get_value().dtype == value.dtype
    assert (not inner.any()) == (borrow or value.size == 0)


def test_stored_arrays_of_other_classes(tmp_path: Path) -> None:
    # joblib has large arrays of what other processes get mapped to files, for reading.
    np.save(tmp_path / "a.npy", np.arange(3.0))
    for mode in ("r", "c"):
        mapped = np.load(tmp_path / "a.npy", mmap_mode=mode)
        a = shared(np.zeros(3), "a")
        a.container.storage[0] = mapped
        f = theano.function([], a.sum(), updates=[(a, a * 2)])
        assert (f(), f()) == (3, 6)
        assert a.get_value().tolist() == [0, 4, 8]
    assert np.load(tmp_path / "a.npy").tolist() == [0, 1, 2]
    a.container.storage[0] = "what"
    with pytest.raises(TypeError, match=r"shared variable a was damaged: .*'what'"):
        f()


def test_clone_shares_the_storage() -> None:
    a = shared(np.ones(2), "a")
    b = a.clone()
    b.set_value(np.zeros(2))
    assert a.get_value().tolist() == [0, 0]
    assert (b.name, b is a, b.type == a.type) == ("a", False, True)


def test_texts_of_a_container() -> None:
    container = theano.shared(np.ones(2)).container
    assert (str(container), repr(container)) == ("<[1. 1.]>", "<array([1., 1.])>")


def test_container() -> None:
    a = shared(np.ones(3), "a")
    a.container.storage[0] = np.zeros(2)
    assert a.get_value().tolist() == [0, 0]
    a.container.value = [1, 2]
    assert a.container.data.tolist() == [1, 2]
    assert len(a.container.storage) == 1
    with pytest.raises(IndexError):
        a.container.storage[1] = 0


def test_default_update_must_fit() -> None:
    a = shared(np.float32(1), "a")
    for wrong in (a * np.float64(2), T.fvector(), T.dscalar()):
        with pytest.raises(TypeError, match="float32"):
            a.default_update = wrong
    a.default_update = a + 1
    f = function([], a)
    assert [float(f()), float(f()), float(a.get_value())] == [1, 2, 3]
    a.default_update = None
    assert not hasattr(a, "default_update")
    # In Theano 1.0.5, the attribute is not there before.
    assert not hasattr(shared(1.0), "default_update")
    assert not hasattr(pickle.loads(pickle.dumps(a)), "default_update")


def test_value_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="get_value"):
        _ = shared(1.0).value
