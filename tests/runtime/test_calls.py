"""Calls of functions: arguments, defaults, results."""

import sys

import machine as M
import numpy as np
import pytest

from theano._core.runtime import native

F8 = M.FLOAT64


def convert(function, index, value):
    return np.asarray(np.require(value, "float64", "A"))


@pytest.mark.parametrize(
    "x, y",
    [
        (1.0, 2.0),
        (1, 2),
        (True, 2.5),
        (np.float64(1.5), np.int64(3)),
        (np.array(1.0), 2),
        (2**53, -(2**53)),
        (np.array([1.0])[0], np.array(3.0)),
    ],
)
def test_scalars(x, y):
    f = M.add_function(0, {"convert": convert})
    result = f(x, y)
    assert type(result) is np.ndarray and result.shape == () and result.dtype == np.float64
    assert result == np.float64(x) + np.float64(y)


def test_numbers_that_do_not_fit_go_to_the_hook():
    seen = []

    def hook(function, index, value):
        seen.append((index, value))
        return np.array(0.5)

    f = M.add_function(0, {"convert": hook})
    f(2**53 + 1, 2**70)
    f([1.0], "a")
    f(np.array(1, dtype="int64"), np.array(1.0, dtype=">f8"))
    assert [index for index, _ in seen] == [0, 1, 0, 1, 0, 1]


INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "bool"]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_are_taken_when_exact(dtype):
    refused = []

    def hook(function, index, value):
        refused.append(value)
        return np.zeros((), dtype)

    kind = np.dtype(dtype)
    program = M.program_of(
        M.code_of(" ret i32 0"),
        inputs=(M.array_input(dtype, 0, 0),),
        outputs=(("copy", kind.num, 0, 0, -1),),
        result="single",
    )
    f = native.Function(program, (), {"convert": hook})
    if dtype == "bool":
        assert f(True) and not f(False)
        f(1)
        assert refused == [1]
        return
    limits = np.iinfo(kind)
    for value in (int(limits.min), 1, min(int(limits.max), 2**63 - 1)):
        result = f(value)
        assert result == value and result.dtype == kind
    assert not refused
    f(int(limits.min) - 1)
    f(int(limits.max) + 1)
    f(1.0)
    assert len(refused) == 3


def test_strides_of_any_kind():
    f = M.add_function(1)
    base = np.arange(24.0)
    for view in (base[::2], base[::-1][:12], np.broadcast_to(np.array(3.0), 12), base[6:18]):
        np.testing.assert_array_equal(f(view, base[:12]), view + base[:12])
    assert f(np.zeros(0), np.zeros(0)).shape == (0,)


class Subclass(np.ndarray):
    pass


def test_wrong_arrays_go_to_the_hook():
    f = M.add_function(1, {"convert": convert})
    unaligned = np.frombuffer(b"x" * 25, dtype="u1")[1:].view("float64")
    for x in (
        [1, 2, 3],
        np.arange(3),
        np.arange(3.0).astype(">f8"),
        unaligned,
        np.arange(3.0).view(Subclass),
    ):
        np.testing.assert_array_equal(f(x, np.zeros(3)), np.asarray(x, "float64"))
    plain = M.add_function(1)
    with pytest.raises(TypeError, match="input 1"):
        plain(np.zeros(3), np.zeros((3, 1)))


def test_what_the_hook_returns_is_checked():
    for wrong in (None, 1.0, np.zeros(3, "float32"), np.zeros((2, 2)), np.zeros(3).view(Subclass)):
        f = M.add_function(1, {"convert": lambda function, index, value, wrong=wrong: wrong})
        with pytest.raises(TypeError, match="input 0"):
            f([1.0], [2.0])

    def fail(function, index, value):
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        M.add_function(1, {"convert": fail})([1.0], [2.0])


def test_broadcast_dimensions():
    inputs = (M.array_input("float64", 2, 0, broadcast=0b10),)
    program = M.program_of(
        M.code_of(" ret i32 0"), inputs=inputs, outputs=(("copy", F8, 2, 0, -1),), result="single"
    )
    f = native.Function(program, ())
    assert f(np.ones((3, 1))).shape == (3, 1)
    with pytest.raises(TypeError):
        f(np.ones((3, 2)))


def test_declared_lengths():
    inputs = (M.array_input("float64", 2, 0, lengths=(-1, 3)),)
    program = M.program_of(
        M.code_of(" ret i32 0"), inputs=inputs, outputs=(("copy", F8, 2, 0, -1),), result="single"
    )
    f = native.Function(program, ())
    assert f(np.ones((2, 3))).shape == (2, 3)
    with pytest.raises(TypeError):
        f(np.ones((3, 2)))


def test_equivalent_type_numbers():
    program = M.program_of(
        M.code_of(" ret i32 0"),
        inputs=(M.array_input("int64", 1, 0),),
        outputs=(("copy", M.INT64, 1, 0, -1),),
        result="single",
    )
    x = np.arange(3, dtype=np.longlong if np.dtype("int64").char == "l" else np.int_)
    np.testing.assert_array_equal(native.Function(program, ())(x), x)


def test_names():
    f = M.add_function(0)
    assert f(1.0, y=2.0) == 3.0
    assert f(y=1.0, x=2.0) == 3.0
    assert f(**{"".join(["x"]): 1.0, "y": 5.0}) == 6.0
    nothing = {}
    assert f(1.0, 2.0, **nothing) == 3.0


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
    with pytest.raises(TypeError, match="2 inputs"):
        M.add_function(0)(*args, **kwargs)
    with pytest.raises(TypeError, match="2 inputs"):
        M.add_function(0, {"bad_arguments": lambda *facts: None})(*args, **kwargs)


def test_defaults():
    cell = native.Cell(np.array(10.0))
    inputs = (
        M.array_input("float64", 0, 0, name="x"),
        M.array_input("float64", 0, 8, name="y", cell=0),
    )
    f = M.add_function(0, cells=(cell,), inputs=inputs)
    assert f(1.0) == 11.0 and f(1.0, 2.0) == 3.0 and f(1.0, y=5.0) == 6.0
    cell.value = 4.5
    assert f(1.0) == 5.5
    for empty in (None, "delete"):
        if empty is None:
            cell.value = None
        else:
            del cell.value
        with pytest.raises(TypeError):
            f(1.0)


def test_implicit_inputs_and_shared_variables():
    cells = (native.Cell(np.array(10.0)),)
    hidden = M.array_input("float64", 0, 0, name="x", cell=0, flags=native.IMPLICIT)
    f = M.add_function(0, cells=cells, inputs=(hidden, M.array_input("float64", 0, 8, name="y")))
    assert f(1.0) == 11.0
    for args, kwargs in (((1.0, 2.0), {}), ((1.0,), {"x": 2.0})):
        with pytest.raises(TypeError):
            f(*args, **kwargs)
    shared = M.array_input("float64", 0, 0, name="x", cell=0)
    f = M.add_function(0, cells=cells, inputs=(M.array_input("float64", 0, 8),), shared=(shared,))
    assert f(1.0) == 11.0
    cells[0].value = None
    with pytest.raises(ValueError, match=r"'x'.* is empty"):
        f(1.0)


def test_strict_inputs_take_arrays_only():
    seen = []

    def hook(function, index, value):
        seen.append(value)
        return np.array(value)

    inputs = (M.array_input("float64", 0, 0, flags=native.STRICT), M.array_input("float64", 0, 8))
    assert M.add_function(0, {"convert": hook}, inputs=inputs)(1.0, 2.0) == 3.0
    assert seen == [1.0]


TWO = (
    M.ADD[0].replace("ret i32 0", "br label %second\nsecond:")
    + """
 %q = call ptr @rt_alloc(ptr %call, i64 8, i64 25)
 %e = fmul double %a, %b
 store double %e, ptr %q
 %f = ptrtoint ptr %q to i64
 call void @set(ptr %call, i64 18, i64 %f)
 ret i32 0
"""
)


def two_outputs(result, **options):
    fields = {
        "outputs": (("buffer", F8, 0, 16, 24), ("buffer", F8, 0, 18, 25)),
        "buffer_slots": (24, 25),
        "result": result,
        **options,
    }
    return native.Function(M.program_of(M.code_of(TWO), **M.add_fields(0, **fields)), ())


def test_result_modes():
    assert two_outputs("list")(2.0, 3.0) == [5.0, 6.0]
    result = two_outputs(("sum", "product"))(2.0, 3.0)
    assert list(result) == ["sum", "product"] and result == {"sum": 5.0, "product": 6.0}
    assert two_outputs("none", outputs=())(2.0, 3.0) == []
    with pytest.raises(ValueError):
        two_outputs("single")
    with pytest.raises(ValueError):
        two_outputs(("one",))
    with pytest.raises(TypeError):
        two_outputs("several")


def test_output_subset():
    f = two_outputs("list")
    assert f(2.0, 3.0, output_subset=[1]) == [6.0]
    assert f(2.0, 3.0, output_subset=[1, 0, 1]) == [6.0, 5.0, 6.0]
    assert f(2.0, 3.0, output_subset=[]) == []
    assert f(2.0, 3.0, output_subset=[-1]) == [6.0]
    assert f(2.0, 3.0, output_subset=None) == [5.0, 6.0]
    with pytest.raises(IndexError):
        f(2.0, 3.0, output_subset=[2])
    with pytest.raises(TypeError):
        f(2.0, 3.0, output_subset=4)
    g = two_outputs(("sum", "product"))
    assert g(2.0, 3.0, output_subset=["product"]) == {"product": 6.0}
    with pytest.raises(KeyError):
        g(2.0, 3.0, output_subset=["quotient"])
    assert M.add_function(0)(1.0, 2.0, output_subset=[0]) == [3.0]


def test_one_buffer_for_two_outputs():
    outputs = (("buffer", F8, 0, 16, 24), ("buffer", F8, 0, 16, 24))
    one, other = M.add_function(0, outputs=outputs, result="list")(1.0, 2.0)
    assert one == other == 3.0 and not np.shares_memory(one, other)


def test_copies_and_aliases_of_inputs():
    program = M.program_of(
        M.code_of(" ret i32 0"),
        inputs=(M.array_input("float64", 2, 0), M.array_input("float64", 0, 8)),
        outputs=(("copy", F8, 2, 0, -1), ("alias", F8, 2, 0, 0), ("alias", F8, 0, 8, 1)),
    )
    x = np.arange(12.0).reshape(3, 4).T[::-1]
    copy, alias, number = native.Function(program, ())(x, 2.0)
    np.testing.assert_array_equal(copy, x)
    assert copy.flags.c_contiguous and copy.flags.owndata and copy.flags.writeable
    assert alias is x and type(number) is np.ndarray and number == 2.0


def test_objects_pass_through():
    program = M.program_of(
        M.code_of(" ret i32 0"),
        inputs=(M.object_input(0),),
        outputs=(("object", 0, 0, 0, -1),),
        result="single",
    )
    f = native.Function(program, ())
    thing = object()
    before = sys.getrefcount(thing)
    assert f(thing) is thing and f(None) is None
    assert sys.getrefcount(thing) == before
    empty = M.program_of(M.code_of(" ret i32 0"), outputs=(("object", 0, 0, 4, -1),))
    with pytest.raises(SystemError):
        native.Function(empty, ())()


def test_large_frames_and_many_inputs():
    count = 40
    inputs = tuple(M.array_input("float64", 0, 2000 + 2 * i, name=f"x{i}") for i in range(count))
    outputs = tuple(("copy", F8, 0, 2000 + 2 * i, -1) for i in range(count))
    program = M.program_of(M.code_of(" ret i32 0"), inputs=inputs, outputs=outputs, frame_size=3000)
    f = native.Function(program, ())
    numbers = [float(i) for i in range(count)]
    assert f(*numbers) == numbers
    assert f(**{f"x{i}": numbers[i] for i in range(count)}) == numbers
