"""Arguments of functions: numbers, arrays, names, defaults, and what goes to a hook."""

import machine as M
import numpy as np
import pytest

from support.arrays import SIGNED, UNSIGNED, unaligned
from theano._core.runtime import native

F8 = M.FLOAT64


def test_numbers_that_do_not_fit_go_to_the_hook():
    seen = []
    f = M.add_function(0, {"convert": lambda f, index, value: seen.append(index) or np.array(0.5)})
    f(2**53 + 1, 2**70)
    f([1.0], "a")
    f(np.array(1, dtype="int64"), np.array(1.0, dtype=">f8"))
    assert seen == [0, 1, 0, 1, 0, 1]


@pytest.mark.parametrize("dtype", [*SIGNED, *UNSIGNED, "bool"])
def test_integers_are_taken_when_exact(dtype):
    refused, kind = [], np.dtype(dtype)
    f = M.function_of(
        M.NOTHING,
        {"convert": lambda f, index, value: refused.append(value) or np.zeros((), dtype)},
        inputs=(M.array_input(dtype, 0, 0),),
        outputs=(("copy", kind.num, 0, 0, -1),),
        result="single",
    )
    if dtype == "bool":
        exact, others = (True, False), (1,)
    else:
        limits = np.iinfo(kind)
        exact = (int(limits.min), 1, min(int(limits.max), 2**63 - 1))
        others = (int(limits.min) - 1, int(limits.max) + 1, 1.0)
    for value in exact:
        assert f(value) == value and f(value).dtype == kind
    assert not refused
    for value in others:
        f(value)
    assert tuple(refused) == others


class Subclass(np.ndarray):
    pass


def test_wrong_arrays_go_to_the_hook():
    f, x = M.add_function(1, {"convert": M.convert}), np.arange(3.0)
    for wrong in ([1, 2, 3], np.arange(3), x.astype(">f8"), unaligned(x), x.view(Subclass)):
        np.testing.assert_array_equal(f(wrong, np.zeros(3)), np.asarray(wrong, "float64"))
    with pytest.raises(TypeError, match="input 1"):
        M.add_function(1)(np.zeros(3), np.zeros((3, 1)))


def test_what_the_hook_returns_is_checked():
    for wrong in (None, 1.0, np.zeros(3, "float32"), np.zeros((2, 2)), np.zeros(3).view(Subclass)):
        f = M.add_function(1, {"convert": lambda function, index, value, wrong=wrong: wrong})
        with pytest.raises(TypeError, match="input 0"):
            f([1.0], [2.0])

    def fail(function, index, value):
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        M.add_function(1, {"convert": fail})([1.0], [2.0])


@pytest.mark.parametrize(
    ("declared", "good", "bad"),
    [
        (M.array_input("float64", 2, 0, broadcast=0b10), (3, 1), (3, 2)),
        (M.array_input("float64", 2, 0, (-1, 3)), (2, 3), (3, 2)),
    ],
)
def test_declared_lengths(declared, good, bad):
    outputs = (("copy", F8, 2, 0, -1),)
    f = M.function_of(M.NOTHING, inputs=(declared,), outputs=outputs, result="single")
    assert f(np.ones(good)).shape == good
    with pytest.raises(TypeError):
        f(np.ones(bad))


def test_equivalent_type_numbers():
    f = M.function_of(
        M.NOTHING, inputs=(M.array_input("int64", 1, 0),), outputs=(("copy", M.INT64, 1, 0, -1),)
    )
    x = np.arange(3, dtype=np.longlong if np.dtype("int64").char == "l" else np.int_)
    np.testing.assert_array_equal(f(x)[0], x)


@pytest.mark.parametrize(
    "args, kwargs",
    [
        ((), {}),
        ((1.0,), {}),
        ((1.0, 2.0, 3.0), {}),
        ((1.0, 2.0), {"z": 1.0}),
        ((1.0, 2.0), {"x": 1.0}),
    ],
)
def test_irregular_calls(args, kwargs):
    seen = []

    def hook(function, *facts):
        seen.append(facts)
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        M.add_function(0, {"bad_arguments": hook})(*args, **kwargs)
    assert seen == [(args, kwargs)]
    for hooks in (None, {"bad_arguments": lambda *facts: None}):
        with pytest.raises(TypeError, match="2 inputs"):
            M.add_function(0, hooks)(*args, **kwargs)


X, Y = (M.array_input("float64", 0, offset, name=name) for offset, name in ((0, "x"), (8, "y")))


def test_defaults():
    cell = native.Cell(np.array(10.0))
    inputs = (X, M.array_input("float64", 0, 8, name="y", cell=0))
    f = M.add_function(0, cells=(cell,), inputs=inputs)
    assert f(1.0) == 11.0 and f(1.0, 2.0) == 3.0 and f(1.0, y=5.0) == 6.0
    cell.value = 4.5
    assert f(1.0) == 5.5
    cell.value = None
    with pytest.raises(TypeError):
        f(1.0)
    del cell.value
    with pytest.raises(TypeError):
        f(1.0)


def test_implicit_inputs_and_shared_variables():
    cells = (native.Cell(np.array(10.0)),)
    hidden = M.array_input("float64", 0, 0, name="x", cell=0, flags=native.IMPLICIT)
    f = M.add_function(0, cells=cells, inputs=(hidden, Y))
    assert f(1.0) == 11.0
    for args, kwargs in (((1.0, 2.0), {}), ((1.0,), {"x": 2.0})):
        with pytest.raises(TypeError):
            f(*args, **kwargs)
    shared = M.array_input("float64", 0, 0, name="x", cell=0)
    f = M.add_function(0, cells=cells, inputs=(Y,), shared=(shared,))
    assert f(1.0) == 11.0
    cells[0].value = None
    with pytest.raises(ValueError, match=r"'x'.* is empty"):
        f(1.0)


def test_large_frames_and_many_inputs():
    inputs = tuple(M.array_input("float64", 0, 2000 + 2 * i, name=f"x{i}") for i in range(40))
    outputs = tuple(("copy", F8, 0, 2000 + 2 * i, -1) for i in range(40))
    f = M.function_of(M.NOTHING, inputs=inputs, outputs=outputs, frame_size=3000)
    numbers = [float(i) for i in range(40)]
    assert f(*numbers) == f(**{f"x{i}": number for i, number in enumerate(numbers)}) == numbers
