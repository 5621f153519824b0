"""Updates of shared variables: in place, new, none after an error."""

import machine as M
import numpy as np
import pytest

from theano._core.runtime import native

F8 = M.FLOAT64


def convert(function, index, value):
    return np.asarray(np.require(value, "float64", "A"))


# The counter at 0 is overwritten if that is allowed, else a new buffer is made: slot 24, descriptor
# at 16.
COUNT = """
entry:
 %flags = call i64 @get(ptr %call, i64 1)
 %n = call i64 @get(ptr %call, i64 2)
 %x = call ptr @data(ptr %call, i64 0)
 %may = and i64 %flags, 2
 %yes = icmp ne i64 %may, 0
 br i1 %yes, label %go, label %fresh
fresh:
 %bytes = shl i64 %n, 3
 %new = call ptr @rt_alloc(ptr %call, i64 %bytes, i64 24)
 br label %go
go:
 %to = phi ptr [%x, %entry], [%new, %fresh]
 %d = ptrtoint ptr %to to i64
 call void @set(ptr %call, i64 16, i64 %d)
 call void @set(ptr %call, i64 18, i64 %n)
 call void @set(ptr %call, i64 19, i64 8)
 br label %head
head:
 %i = phi i64 [0, %go], [%next, %body]
 %more = icmp slt i64 %i, %n
 br i1 %more, label %body, label %end
body:
 %xp = getelementptr double, ptr %x, i64 %i
 %tp = getelementptr double, ptr %to, i64 %i
 %a = load double, ptr %xp
 %b = fadd double %a, 1.0
 store double %b, ptr %tp
 %next = add i64 %i, 1
 br label %head
end:
 ret i32 0
"""


def counter(cell, inputs=()):
    shared = (M.array_input("float64", 1, 0, name="count", cell=0, flags=native.MUTABLE),)
    program = M.program_of(
        M.code_of(COUNT),
        inputs=inputs,
        shared=shared,
        updates=((0, "buffer", F8, 1, 16, 24),),
        buffer_slots=(24,),
    )
    return native.Function(program, (cell,), {"convert": convert})


def test_update_in_place():
    array = np.zeros(5)
    cell = native.Cell(array)
    f = counter(cell)
    assert f() == [] and f() == []
    assert cell.value is array
    np.testing.assert_array_equal(array, np.full(5, 2.0))


@pytest.mark.parametrize("kind", ["read-only", "strided"])
def test_update_of_what_cannot_be_overwritten(kind):
    array = np.zeros(5)
    if kind == "read-only":
        array.flags.writeable = False
    else:
        array = np.zeros((5, 2))[:, 0]
    cell = native.Cell(array)
    f = counter(cell)
    if (
        kind == "strided"
    ):  # this machine code reads contiguous data; what matters here is where it writes
        cell.value = np.zeros(10)[::2]
        array = cell.value
    f()
    assert cell.value is not array
    np.testing.assert_array_equal(array, np.zeros(5))
    np.testing.assert_array_equal(cell.value[:1], [1.0])
    assert cell.value.flags.owndata


def test_update_spares_memory_that_another_input_shows():
    array = np.zeros(5)
    cell = native.Cell(array)
    f = counter(cell, inputs=(M.array_input("float64", 1, 8),))
    for overlapping in (array, array[4:], array[::-2], np.zeros(7), np.zeros(0)):
        cell.value = array
        f(overlapping)
        assert (cell.value is not array) == np.shares_memory(array, overlapping)


def test_update_in_place_of_a_converted_value():
    cell = native.Cell([1.0, 2.0])
    counter(cell)()
    assert type(cell.value) is np.ndarray
    np.testing.assert_array_equal(cell.value, [2.0, 3.0])


def test_update_in_place_of_a_number():
    cell = native.Cell(3.0)
    text = """
 %x = call ptr @data(ptr %call, i64 0)
 %a = load double, ptr %x
 %b = fmul double %a, 2.0
 store double %b, ptr %x
 ret i32 0
"""
    program = M.program_of(
        M.code_of(text),
        inputs=(M.array_input("float64", 0, 0, cell=0, flags=native.MUTABLE),),
        updates=((0, "buffer", F8, 0, 0, 24),),
        buffer_slots=(24,),
    )
    f = native.Function(program, (cell,))
    f()
    f()
    assert type(cell.value) is np.ndarray and cell.value == 12.0


def test_swap():
    cells = native.Cell(np.zeros(2)), native.Cell(np.ones(3))
    one, two = cells[0].value, cells[1].value
    program = M.program_of(
        M.code_of(" ret i32 0"),
        shared=(M.array_input("float64", 1, 0, cell=0), M.array_input("float64", 1, 8, cell=1)),
        updates=((0, "alias", F8, 1, 0, 1), (1, "alias", F8, 1, 0, 0)),
    )
    native.Function(program, cells)()
    assert cells[0].value is two and cells[1].value is one


def test_a_failed_call_changes_nothing():
    cell = native.Cell(np.zeros(2))
    before = cell.value
    program = M.program_of(
        M.code_of(" %e = call i32 @rt_fail(ptr %call, i64 1, i64 2, i64 0, ptr null)\n ret i32 %e"),
        inputs=(M.array_input("float64", 1, 8),),
        shared=(M.array_input("float64", 1, 0, cell=0),),
        updates=((0, "copy", F8, 1, 8, -1),),
    )
    with pytest.raises(RuntimeError, match="error 1 in node 2"):
        native.Function(program, (cell,))(np.ones(2))
    assert cell.value is before
    # The new value of the first cell is made, that of the second fails: neither changes.
    program = M.program_of(
        M.code_of(" ret i32 0"),
        shared=(M.array_input("float64", 1, 0, cell=0),),
        updates=((0, "copy", F8, 1, 0, -1), (0, "object", 0, 0, 20, -1)),
    )
    with pytest.raises(SystemError):
        native.Function(program, (cell,))()
    assert cell.value is before
