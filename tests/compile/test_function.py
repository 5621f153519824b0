"""`theano.function`: what it takes, and what calls take and return."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano import In, Out, function, shared
from theano._core.base import dtypes

x, y, z = T.dscalars("x", "y", "z")
v, fv = T.dvector("v"), T.fvector("fv")
fs, i, n = T.fscalar("fs"), T.iscalar("i"), T.lscalar("n")
x_again = T.dscalar("x")
nameless = T.dscalar()


def plain(value: Any) -> Any:
    """Return arrays as Python numbers and lists; everything else must be a container of them."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    assert type(value) is np.ndarray, "results are arrays, also those without axes"
    return value.tolist()


# -- arguments and defaults ------------------------------------------------------------------------

CALLS: list[tuple[list[Any], Any, tuple[Any, ...], dict[str, Any], Any]] = [
    ([x], x + 1, (2,), {}, 3.0),
    ([x, y], x - y, (5, 3), {}, 2.0),
    ([x, y], x - y, (5,), {"y": 3}, 2.0),
    ([x, y], x - y, (), {"y": 3, "x": 5}, 2.0),
    ([x, y, z], [x, y, z], (1,), {"z": 2, "y": 5}, [1.0, 5.0, 2.0]),
    ([x, In(y, value=1)], x - y, (33,), {}, 32.0),
    ([x, In(y, value=1)], x - y, (33, 2), {}, 31.0),
    ([x, In(y, value=1)], x - y, (33,), {"y": 2}, 31.0),
    ([x, In(y, value=1), z], [x, y, z], (1,), {"z": 2}, [1.0, 1.0, 2.0]),
    ([In(y, value=1), x], y - x, (), {"x": 3}, -2.0),
    ([In(x, name="p", value=2), In(y, name="q", value=3)], x - y, (), {}, -1.0),
    ([In(x, name="p", value=2), In(y, name="q", value=3)], x - y, (), {"q": 1, "p": 5}, 4.0),
    ([x, (y, 3)], x - y, (1,), {}, -2.0),
    ([(x, 3), [y, 4]], x - y, (), {}, -1.0),
    ([(x,)], x, (3,), {}, 3.0),
    ([("q", x)], x, (), {"q": 3}, 3.0),
    ([("q", x, 4)], x, (), {}, 4.0),
    ([((x, x + 1), 4)], x, (), {}, 4.0),
    ([("q", (x, x + 1), 4)], x, (), {"q": 7}, 7.0),
    ([nameless, x], nameless - x, (2,), {"x": 1}, 1.0),
    ([x, x_again], x - x_again, (3, 1), {}, 2.0),
    ([y, In(x, value=1, implicit=True)], x - y, (3,), {}, -2.0),
    ([], T.constant(2.5), (), {}, 2.5),
]


@pytest.mark.parametrize(
    ("inputs", "outputs", "args", "kwargs", "wanted"), CALLS, ids=range(len(CALLS))
)
@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE", theano.Mode("py", "fast_compile")])
def test_arguments(
    inputs: Any, outputs: Any, args: Any, kwargs: Any, wanted: Any, mode: Any
) -> None:
    assert plain(function(inputs, outputs, mode=mode)(*args, **kwargs)) == wanted


def test_the_default_comes_back_after_a_call_with_another_value() -> None:
    f = function([x, In(y, value=2)], x * y)
    assert [float(f(4)), float(f(4, 5)), float(f(4, y=6)), float(f(4))] == [8, 20, 24, 8]
    assert f["y"] == 2


def test_a_default_is_not_changed_through_results() -> None:
    f = function([In(v, value=np.ones(2))], v)
    f()[0] = 9
    assert f().tolist() == [1, 1]


ACCEPTED: list[tuple[Any, Any, Any]] = [
    (x, 1, 1.0),
    (x, True, 1.0),
    (x, np.float32(0.5), 0.5),
    (x, np.array(3, "int8"), 3.0),
    (fs, 1.5, 1.5),
    (fs, np.float64(1.5), 1.5),
    (fs, np.float16(1.5), 1.5),
    (i, 1.0, 1),
    (i, np.int64(3), 3),
    (i, True, 1),
    (v, [1, 2], [1.0, 2.0]),
    (v, (1, 2), [1.0, 2.0]),
    (v, range(3), [0.0, 1.0, 2.0]),
    (v, [], []),
    (v, np.arange(3.0)[::-1], [2.0, 1.0, 0.0]),
    (v, np.arange(3).astype(">f8"), [0.0, 1.0, 2.0]),
    (v, np.ma.masked_array([1.0, 2]), [1.0, 2.0]),
    (fv, [1.5, 2.5], [1.5, 2.5]),
    (fv, np.arange(2, dtype="int16"), [0.0, 1.0]),
    (T.drow("r"), [[1, 2]], [[1.0, 2.0]]),
]


@pytest.mark.parametrize(("variable", "value", "wanted"), ACCEPTED, ids=range(len(ACCEPTED)))
def test_values_that_are_accepted(variable: Any, value: Any, wanted: Any) -> None:
    result = function([variable], variable)(value)
    assert plain(result) == wanted
    assert result.dtype == variable.dtype


class Counted(np.int64):
    """A number of a class derived from NumPy's."""


NUMBERS: list[Any] = [
    *(0, -1, 127, 128, 255, -129, 2**24, 2**24 + 1, 2**31, 2**53, 2**53 + 1, -(2**63), 2**63),
    *(2**64 - 1, 2**64, True, 0.5, 0.1, -0.0, np.nan, np.inf, -np.inf, 1e300, 3.0, 1j),
    *(np.float32(0.1), np.float64(0.1), np.float16(0.1), np.longdouble(0.5), np.complex64(2 + 1j)),
    *(np.int64(2**53 + 1), np.int64(300), np.uint64(2**64 - 1), np.uint8(200), np.bool_(True)),
    *(np.int8(-1), np.longlong(7), np.complex128(2), np.timedelta64(3), np.str_("1"), Counted(5)),
]


@pytest.mark.parametrize("dtype", dtypes.all_dtypes)
def test_numbers_are_taken_as_their_types_take_them(dtype: str) -> None:
    # Those that are exact do not go through Python.
    variable = T.scalar(dtype=dtype)
    f = function([variable], variable)
    for value in NUMBERS:
        try:
            wanted = variable.type.filter(value)
        except (TypeError, ValueError, OverflowError) as error:
            with pytest.raises(type(error)):
                f(value)
        else:
            got = f(value)
            assert got.dtype == dtype, value
            assert got.tobytes() == wanted.tobytes(), value


REFUSED: list[tuple[Any, Any, type[Exception]]] = [
    (fs, 1.1, TypeError),
    (fs, 1e300, TypeError),
    (fs, np.array(1.5), TypeError),
    (i, 1.5, TypeError),
    (i, 2**40, TypeError),
    (i, np.array(3), TypeError),
    (n, 10**30, OverflowError),
    (x, None, TypeError),
    (x, "text", ValueError),
    (x, [1], TypeError),
    (x, 1j, TypeError),
    (x, object(), TypeError),
    (x, y, TypeError),
    (v, [[1]], TypeError),
    (v, [1, [2, 3]], ValueError),
    (v, ["a"], ValueError),
    (v, [None], TypeError),
    (v, {"a": 1}, TypeError),
    (fv, np.arange(3), TypeError),
    (fv, [1.5, 2.1], TypeError),
    (T.drow("r"), np.ones((2, 3)), TypeError),
]


@pytest.mark.parametrize(("variable", "value", "error"), REFUSED, ids=range(len(REFUSED)))
def test_values_that_are_refused(variable: Any, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="Bad input argument"):
        function([variable], variable)(value)


# -- In --------------------------------------------------------------------------------------------


def test_update_of_an_input() -> None:
    f = function([x, In(y, value=1, update=y + x)], y)
    assert [float(f(1)), float(f(10)), float(f[y]), float(f["y"])] == [1, 2, 12, 12]
    assert float(f(1, y=100)) == 100
    assert f["y"] == 101


def test_update_of_an_input_leaves_the_users_array() -> None:
    given, passed = np.ones(3), np.zeros(3)
    f = function([x, In(v, value=given, update=v + x)], v)
    assert [plain(f(1)), plain(f(1)), plain(f(1, passed)), plain(f(1))] == [
        [1.0] * 3,
        [2.0] * 3,
        [0.0] * 3,
        [1.0] * 3,
    ]
    assert given.tolist() == [1, 1, 1]
    assert passed.tolist() == [0, 0, 0]


def test_strict() -> None:
    f = function([In(x, strict=True)], x)
    assert f(np.array(1.0)) == 1
    for value in (1, np.float64(1), np.array(1, "float32"), [1.0]):
        with pytest.raises(TypeError, match="ndarray object"):
            f(value)


@pytest.mark.parametrize(
    ("own", "general", "value", "accepted"),
    [
        (True, None, np.array(1.1), True),
        (True, False, np.array(1.1), True),
        (False, None, 1.1, False),
        (None, None, 1.1, False),
        (None, True, np.array(1.1), False),
        (False, True, np.array(1.1), False),
    ],
)
def test_downcast_of_an_in(own: Any, general: Any, value: Any, accepted: bool) -> None:
    given = In(fs, allow_downcast=own)
    f = function([given], fs, allow_input_downcast=general)
    if accepted:
        assert f(value) == np.float32(1.1)
    else:
        with pytest.raises(TypeError, match="precision"):
            f(value)
    assert given.allow_downcast is own, "a function must not change the In it was given"


@pytest.mark.parametrize(
    ("choice", "value", "accepted"),
    [
        (True, np.array(1.5), True),
        (True, 1.1, True),
        (False, 1.1, False),
        (None, 1.1, False),
        (None, np.array(1.5), False),
    ],
)
def test_downcast_of_all_inputs(choice: Any, value: Any, accepted: bool) -> None:
    f = function([fs], fs, allow_input_downcast=choice)
    if accepted:
        assert f(value).dtype == "float32"
    else:
        with pytest.raises(TypeError, match="precision"):
            f(value)


@pytest.mark.parametrize(
    ("value", "error"), [(np.nan, ValueError), (np.inf, OverflowError), (1j, TypeError)]
)
def test_downcast_of_what_is_no_integer(value: complex, error: type[Exception]) -> None:
    # As int(value) in Python; arrays have what NumPy makes of them.
    n, v = T.iscalar(), T.ivector()
    f = function([n, v], [n, v], allow_input_downcast=True)
    f(2.5, [2.5])
    f(1, np.array([np.nan]))
    with pytest.raises(error):
        f(value, [1])
    with pytest.raises(error):
        f(1, [1, value])


def test_downcast_of_nothing() -> None:
    variable = T.dscalar()
    f = function([variable], variable, allow_input_downcast=True)
    with pytest.raises(TypeError, match="cannot store None"):
        f(None)


def test_python_floats_are_accepted_under_float32() -> None:
    with theano.config.change_flags(floatX="float32"):
        variable = T.scalar("s")
        f = function([variable], variable)
        careful = function([In(variable, allow_downcast=False)], variable)
        assert f(0.1).dtype == "float32"
        for refused in (lambda: f(np.float64(0.1)), lambda: careful(0.1)):
            with pytest.raises(TypeError, match="precision"):
                refused()


def test_mutable_and_borrow_leave_the_value_that_results_have() -> None:
    given = np.arange(3.0)
    f = function([In(v, mutable=True, borrow=True)], [v + 1, v * 2])
    assert plain(f(given)) == [[1.0, 2.0, 3.0], [0.0, 2.0, 4.0]]


def test_a_container_as_value_is_shared() -> None:
    state = shared(4.0, "state")
    f = function([y, In(x, value=state.container, update=x + y, implicit=True)], x)
    assert f(2) == 4
    assert state.get_value() == 6
    state.set_value(1)
    assert f(2) == 1


@pytest.mark.parametrize(
    ("build", "error", "match"),
    [
        (lambda: In(3), TypeError, "Variable"),
        (lambda: In(x, name=3), TypeError, "string"),
        (lambda: In(x, mutable=True, borrow=False), AssertionError, "mutable=True"),
        (lambda: In(x, update=fv, value=1), TypeError, "float32"),
        (lambda: In(x, value="a"), ValueError, "'a'"),
        (lambda: Out(3), TypeError, "Variable"),
        (lambda: function([In(x, implicit=True)], x), TypeError, "default value"),
    ],
)
def test_wrong_in_and_out(build: Callable[[], Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        build()


def test_names_of_inputs() -> None:
    assert In(x).name == "x"
    assert In(x, autoname=False).name is None
    assert In(x, name="q").name == "q"
    assert [repr(In(x)), repr(Out(x))] == ["In(x)", "Out(x,False)"]
    with pytest.raises(TypeError, match="no named input"):
        function([In(x, autoname=False)], x)(x=3)


def test_one_name_for_two_inputs() -> None:
    one, two = In(x), In(x_again)
    f = function([one, two], x - x_again)
    for bad in (lambda: f(1, x=2), lambda: f["x"], lambda: f.__setitem__("x", 1)):
        with pytest.raises(TypeError, match="Ambiguous name: x"):
            bad()
    assert (one.name, two.name) == ("x", "x")
    assert f[x] is None


# -- outputs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outputs", "wanted"),
    [
        (x, 1.0),
        ([x], [1.0]),
        ((x,), [1.0]),
        ([x, x + 1], [1.0, 2.0]),
        ({"b": x, "a": x + 1}, {"a": 2.0, "b": 1.0}),
        (None, []),
        ([], []),
        ((), []),
        (Out(x), 1.0),
        ([Out(x, borrow=True), x * 3], [1.0, 3.0]),
        ({"a": Out(x)}, {"a": 1.0}),
    ],
)
def test_outputs(outputs: Any, wanted: Any) -> None:
    result = function([x], outputs, on_unused_input="ignore")(1)
    assert type(result) is type(wanted) or type(result) is np.ndarray
    assert plain(result) == wanted


@pytest.mark.parametrize(
    ("outputs", "subset", "wanted"),
    [
        ([x + y, x - y, x * y], [0, 2], [3.0, 2.0]),
        ([x + y, x - y, x * y], [1], [-1.0]),
        ([x + y, x - y], [], []),
        ({"a": x + y, "b": x - y}, ["b"], {"b": -1.0}),
        ({"a": x + y, "b": x - y}, [], {}),
    ],
)
def test_output_subset(outputs: Any, subset: Any, wanted: Any) -> None:
    f = function([x, y], outputs)
    assert plain(f(1, 2, output_subset=subset)) == wanted
    assert len(f(1, 2)) == len(outputs)
    for bad in ([7], ["unknown"]):
        with pytest.raises((IndexError, KeyError, TypeError, ValueError)):
            f(1, 2, output_subset=bad)


@pytest.mark.parametrize("outputs", [3, [3], np.ones(3), "x", [None], {"a": 1}])
def test_outputs_that_are_no_variables(outputs: Any) -> None:
    with pytest.raises(TypeError, match="Outputs must be theano Variable or Out instances"):
        function([], outputs)


def test_keys_of_outputs_are_strings() -> None:
    with pytest.raises(AssertionError, match="3"):
        function([x], {"a": x, 3: x})


def test_results_never_share_memory() -> None:
    state = shared(np.ones(3))
    given = np.ones(3)
    f = function([v], [v, v, v[::-1], state, state, T.constant(np.zeros(2))])
    results = f(given)
    for position, result in enumerate(results):
        result += position + 7
        for other in results[position + 1 :]:
            assert not np.may_share_memory(result, other)
    assert given.tolist() == [1, 1, 1]
    assert state.get_value().tolist() == [1, 1, 1]
    assert f(given)[5].tolist() == [0, 0]


def test_machine_code_long_unused_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process of many functions does not run out of pages; a function keeps its own code."""
    from theano._core.lower.llvm.target import machine

    monkeypatch.setattr(machine, "MOST_MODULES", 4)
    monkeypatch.setattr(machine, "_modules", type(machine._modules)())
    x = T.dvector("x")
    functions = [theano.function([x], T.exp(x) * k) for k in range(2, 12)]
    assert len(machine._modules) == 4
    for k, f in enumerate(functions, 2):
        np.testing.assert_allclose(f([0.0, 1.0]), np.exp([0.0, 1.0]) * k)
        # Strided data asks for a variant of the kernel.
        np.testing.assert_allclose(f(np.arange(4.0)[::2]), np.exp([0.0, 2.0]) * k)
