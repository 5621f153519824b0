"""Results of functions: lists, dictionaries, subsets, copies and views; new values of cells."""

import sys

import machine as M
import numpy as np
import pytest

from theano._core.runtime import native

F8 = M.FLOAT64
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


def two_outputs(result, outputs=(("buffer", F8, 0, 16, 24), ("buffer", F8, 0, 18, 25))):
    fields = {"outputs": outputs, "buffer_slots": (24, 25), "result": result}
    return M.function_of(TWO, **M.add_fields(0, **fields))


def test_lists_and_dictionaries():
    assert two_outputs("list")(2.0, 3.0) == [5.0, 6.0]
    result = two_outputs(("sum", "product"))(2.0, 3.0)
    assert list(result) == ["sum", "product"] and result == {"sum": 5.0, "product": 6.0}
    assert two_outputs("none", outputs=())(2.0, 3.0) == []
    for wrong, error in (("single", ValueError), (("one",), ValueError), ("several", TypeError)):
        with pytest.raises(error):
            two_outputs(wrong)


def test_output_subset():
    f, g = two_outputs("list"), two_outputs(("sum", "product"))
    for subset, wanted in (
        *(([1], [6.0]), ([1, 0, 1], [6.0, 5.0, 6.0]), ([], []), ([-1], [6.0]), (None, [5.0, 6.0])),
    ):
        assert f(2.0, 3.0, output_subset=subset) == wanted
    assert g(2.0, 3.0, output_subset=["product"]) == {"product": 6.0}
    assert M.add_function(0)(1.0, 2.0, output_subset=[0]) == [3.0]
    for function, subset, error in ((f, [2], IndexError), (f, 4, TypeError), (g, ["no"], KeyError)):
        with pytest.raises(error):
            function(2.0, 3.0, output_subset=subset)


def test_one_buffer_for_two_outputs():
    one, other = two_outputs("list", (("buffer", F8, 0, 16, 24),) * 2)(1.0, 2.0)
    assert one == other == 3.0 and not np.shares_memory(one, other)


def test_copies_and_aliases_of_inputs():
    f = M.function_of(
        M.NOTHING,
        inputs=(M.array_input("float64", 2, 0), M.array_input("float64", 0, 8)),
        outputs=(("copy", F8, 2, 0, -1), ("alias", F8, 2, 0, 0), ("alias", F8, 0, 8, 1)),
    )
    x = np.arange(12.0).reshape(3, 4).T[::-1]
    copy, alias, number = f(x, 2.0)
    np.testing.assert_array_equal(copy, x)
    assert copy.flags.c_contiguous and copy.flags.owndata and copy.flags.writeable
    assert alias is x and type(number) is np.ndarray and number == 2.0


def test_objects_pass_through():
    outputs, thing = (("object", 0, 0, 0, -1),), object()
    f = M.function_of(M.NOTHING, inputs=(M.object_input(0),), outputs=outputs, result="single")
    before = sys.getrefcount(thing)
    assert f(thing) is thing and f(None) is None
    assert sys.getrefcount(thing) == before
    with pytest.raises(SystemError):
        M.function_of(M.NOTHING, outputs=(("object", 0, 0, 4, -1),))()


# The counter at 0 is overwritten if that is allowed, else a new buffer is made: slot 24, descriptor
# at 16.
COUNT = (
    """
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
 call void @set(ptr %call, i64 19, i64 8)"""
    + M.loop(
        """
 %xp = getelementptr double, ptr %x, i64 %i
 %tp = getelementptr double, ptr %to, i64 %i
 %a = load double, ptr %xp
 %b = fadd double %a, 1.0
 store double %b, ptr %tp""",
        "go",
    )
    + M.NOTHING
)


def counter(cell, inputs=()):
    shared = (M.array_input("float64", 1, 0, name="count", cell=0, flags=native.MUTABLE),)
    updates = ((0, "buffer", F8, 1, 16, 24),)
    fields = {"inputs": inputs, "shared": shared, "updates": updates, "buffer_slots": (24,)}
    return M.function_of(COUNT, {"convert": M.convert}, (cell,), **fields)


def test_update_in_place():
    array = np.zeros(5)
    cell = native.Cell(array)
    f = counter(cell)
    assert f() == [] and f() == []
    assert cell.value is array
    np.testing.assert_array_equal(array, np.full(5, 2.0))
    cell.value = [1.0, 2.0]
    f()
    assert type(cell.value) is np.ndarray
    np.testing.assert_array_equal(cell.value, [2.0, 3.0])


@pytest.mark.parametrize("writeable", [True, False])
def test_update_of_what_cannot_be_overwritten(writeable):
    # This machine code reads contiguous data; what matters here is where it writes.
    array = np.zeros(10)[::2] if writeable else np.zeros(5)
    array.flags.writeable = writeable
    cell = native.Cell(np.zeros(5))
    f = counter(cell)
    cell.value = array
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


def test_update_in_place_of_a_number():
    cell = native.Cell(3.0)
    text = """
 %x = call ptr @data(ptr %call, i64 0)
 %a = load double, ptr %x
 %b = fmul double %a, 2.0
 store double %b, ptr %x
 ret i32 0
"""
    inputs = (M.array_input("float64", 0, 0, cell=0, flags=native.MUTABLE),)
    fields = {"updates": ((0, "buffer", F8, 0, 0, 24),), "buffer_slots": (24,)}
    f = M.function_of(text, cells=(cell,), inputs=inputs, **fields)
    f()
    f()
    assert type(cell.value) is np.ndarray and cell.value == 12.0


def test_swap():
    one, two = np.zeros(2), np.ones(3)
    cells = native.Cell(one), native.Cell(two)
    shared = tuple(M.array_input("float64", 1, 8 * k, cell=k) for k in range(2))
    updates = ((0, "alias", F8, 1, 0, 1), (1, "alias", F8, 1, 0, 0))
    M.function_of(M.NOTHING, cells=cells, shared=shared, updates=updates)()
    assert cells[0].value is two and cells[1].value is one


def test_a_failed_call_changes_nothing():
    before = np.zeros(2)
    cell, shared = native.Cell(before), (M.array_input("float64", 1, 0, cell=0),)
    inputs, updates = (M.array_input("float64", 1, 8),), ((0, "copy", F8, 1, 8, -1),)
    f = M.function_of(M.FAILS, cells=(cell,), inputs=inputs, shared=shared, updates=updates)
    with pytest.raises(RuntimeError, match="error 1 in node 2"):
        f(np.ones(2))
    assert cell.value is before
    # The new value of the first cell is made, that of the second fails: neither changes.
    updates = ((0, "copy", F8, 1, 0, -1), (0, "object", 0, 0, 20, -1))
    with pytest.raises(SystemError):
        M.function_of(M.NOTHING, cells=(cell,), shared=shared, updates=updates)()
    assert cell.value is before
