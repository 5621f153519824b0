"""`theano.function`: what it takes, and what calls take and return."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.errors import refused
from theano import In, Out, function, shared
from theano._core.base import dtypes
from theano._core.lower.llvm.target import machine

x, y, z = T.dscalars("x", "y", "z")
x_again, nameless = T.dscalar("x"), T.dscalar()
v, fv, row = T.dvector("v"), T.fvector("fv"), T.drow("r")
fs, i, n = T.fscalar("fs"), T.iscalar("i"), T.lscalar("n")


def plain(value):
    """Return arrays as Python numbers and lists; everything else must be a container of them."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    assert type(value) is np.ndarray, "results are arrays, also those without axes"
    return value.tolist()


PAIR = [In(x, name="p", value=2), In(y, name="q", value=3)]
CALLS = [
    ([x], x + 1, {3.0: lambda f: f(2)}),
    ([x, y], x - y, {2.0: lambda f: f(5, 3), 4.0: lambda f: f(5, y=1), 1.0: lambda f: f(y=3, x=4)}),
    ([x, y, z], x + 2 * y + 4 * z, {19.0: lambda f: f(1, z=2, y=5)}),
    (
        [x, In(y, value=1)],
        x - y,
        {32.0: lambda f: f(33), 31.0: lambda f: f(33, 2), 30.0: lambda f: f(33, y=3)},
    ),
    ([x, In(y, value=1), z], x + 2 * y + 4 * z, {11.0: lambda f: f(1, z=2)}),
    ([In(y, value=1), x], y - x, {-2.0: lambda f: f(x=3)}),
    (PAIR, x - y, {-1.0: lambda f: f(), 4.0: lambda f: f(q=1, p=5)}),
    ([x, (y, 3)], x - y, {-2.0: lambda f: f(1)}),
    ([(x, 3), [y, 4]], x - y, {-1.0: lambda f: f()}),
    ([(x,)], x, {3.0: lambda f: f(3)}),
    ([("q", x)], x, {3.0: lambda f: f(q=3)}),
    ([("q", x, 4)], x, {4.0: lambda f: f()}),
    ([((x, x + 1), 4)], x, {4.0: lambda f: f()}),
    ([("q", (x, x + 1), 4)], x, {7.0: lambda f: f(q=7)}),
    ([nameless, x], nameless - x, {1.0: lambda f: f(2, x=1)}),
    ([x, x_again], x - x_again, {2.0: lambda f: f(3, 1)}),
    ([y, In(x, value=1, implicit=True)], x - y, {-2.0: lambda f: f(3)}),
    ([], T.constant(2.5), {2.5: lambda f: f()}),
]


@pytest.mark.parametrize(("inputs", "output", "calls"), CALLS)
@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE", theano.Mode("py", "fast_compile")])
def test_arguments_by_position_by_name_and_by_default(inputs, output, calls, mode):
    f = function(inputs, output, mode=mode)
    assert [plain(call(f)) for call in calls.values()] == list(calls)


def test_a_default_comes_back_and_is_not_changed_through_results():
    f = function([x, In(y, value=2)], x * y)
    assert [float(f(4)), float(f(4, 5)), float(f(4, y=6)), float(f(4))] == [8, 20, 24, 8]
    assert f["y"] == 2
    f = function([In(v, value=np.ones(2))], v)
    f()[0] = 9
    assert f().tolist() == [1, 1]


ACCEPTED = [
    (x, [(1, 1.0), (True, 1.0), (np.float32(0.5), 0.5), (np.array(3, "int8"), 3.0)]),
    (fs, [(1.5, 1.5), (np.float64(1.5), 1.5), (np.float16(1.5), 1.5)]),
    (i, [(1.0, 1), (np.int64(3), 3), (True, 1)]),
    (v, [([1, 2], [1, 2]), ((1, 2), [1, 2]), (range(3), [0, 1, 2]), ([], [])]),
    (v, [(np.arange(3.0)[::-1], [2, 1, 0]), (np.arange(3).astype(">f8"), [0, 1, 2])]),
    (v, [(np.ma.masked_array([1.0, 2]), [1, 2])]),
    (fv, [([1.5, 2.5], [1.5, 2.5]), (np.arange(2, dtype="int16"), [0, 1])]),
    (row, [([[1, 2]], [[1, 2]])]),
]
REFUSED = [
    (fs, [(1.1, TypeError), (1e300, TypeError), (np.array(1.5), TypeError)]),
    (i, [(1.5, TypeError), (2**40, TypeError), (np.array(3), TypeError)]),
    (n, [(10**30, OverflowError)]),
    (x, [(None, TypeError), ("text", ValueError), ([1], TypeError), (1j, TypeError)]),
    (x, [(object(), TypeError), (y, TypeError)]),
    (v, [([[1]], TypeError), ([1, [2, 3]], ValueError), (["a"], ValueError), ([None], TypeError)]),
    (v, [({"a": 1}, TypeError)]),
    (fv, [(np.arange(3), TypeError), ([1.5, 2.1], TypeError)]),
    (row, [(np.ones((2, 3)), TypeError)]),
]


@pytest.mark.parametrize(("variable", "cases"), ACCEPTED)
def test_values_that_are_accepted(variable, cases):
    f = function([variable], variable)
    for value, wanted in cases:
        result = f(value)
        assert plain(result) == wanted and result.dtype == variable.dtype


@pytest.mark.parametrize(("variable", "cases"), REFUSED)
def test_values_that_are_refused(variable, cases):
    f = function([variable], variable)
    for value, error in cases:
        with pytest.raises(error, match="Bad input argument"):
            f(value)


class Counted(np.int64):
    """A number of a class derived from NumPy's."""


NUMBERS = [
    *(0, -1, 127, 128, 255, -129, 2**24, 2**24 + 1, 2**31, 2**53, 2**53 + 1, -(2**63), 2**63),
    *(2**64 - 1, 2**64, True, 0.5, 0.1, -0.0, np.nan, np.inf, -np.inf, 1e300, 3.0, 1j),
    *(np.float32(0.1), np.float64(0.1), np.float16(0.1), np.longdouble(0.5), np.complex64(2 + 1j)),
    *(np.int64(2**53 + 1), np.int64(300), np.uint64(2**64 - 1), np.uint8(200), np.bool_(True)),
    *(np.int8(-1), np.longlong(7), np.complex128(2), np.timedelta64(3), np.str_("1"), Counted(5)),
]


@pytest.mark.parametrize("dtype", dtypes.all_dtypes)
def test_numbers_are_taken_as_their_types_take_them(dtype):
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
            assert (got.dtype, got.tobytes()) == (dtype, wanted.tobytes()), value


def test_update_of_an_input():
    f = function([x, In(y, value=1, update=y + x)], y)
    assert [float(f(1)), float(f(10)), float(f[y]), float(f["y"])] == [1, 2, 12, 12]
    assert [float(f(1, y=100)), float(f["y"])] == [100, 101]


def test_update_of_an_input_leaves_the_users_array():
    given, passed = np.ones(3), np.zeros(3)
    f = function([x, In(v, value=given, update=v + x)], v)
    assert [plain(f(1))[0], plain(f(1))[0], plain(f(1, passed))[0], plain(f(1))[0]] == [1, 2, 0, 1]
    assert (given.tolist(), passed.tolist()) == ([1] * 3, [0] * 3)


def test_strict_inputs_take_arrays_of_their_dtype_only():
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
        ("plain", True, np.array(1.5), True),
        ("plain", True, 1.1, True),
        ("plain", False, 1.1, False),
        ("plain", None, 1.1, False),
        ("plain", None, np.array(1.5), False),
    ],
)
def test_downcast_of_one_input_and_of_all(own, general, value, accepted):
    given = fs if own == "plain" else In(fs, allow_downcast=own)
    f = function([given], fs, allow_input_downcast=general)
    if accepted:
        assert f(value) == np.float32(value) and f(value).dtype == "float32"
    else:
        with pytest.raises(TypeError, match="precision"):
            f(value)
    assert own == "plain" or given.allow_downcast is own, "a function must not change its In"


def test_downcast_of_what_is_no_integer():
    # As int(value) in Python; arrays have what NumPy makes of them.
    n, v = T.iscalar(), T.ivector()
    f = function([n, v], [n, v], allow_input_downcast=True)
    f(2.5, [2.5])
    f(1, np.array([np.nan]))
    for value, error in ((np.nan, ValueError), (np.inf, OverflowError), (1j, TypeError)):
        for arguments in ((value, [1]), (1, [1, value])):
            with pytest.raises(error):
                f(*arguments)
    with pytest.raises(TypeError, match="cannot store None"):
        function([x], x, allow_input_downcast=True)(None)


def test_python_floats_are_accepted_under_float32():
    with theano.config.change_flags(floatX="float32"):
        variable = T.scalar("s")
        f = function([variable], variable)
        careful = function([In(variable, allow_downcast=False)], variable)
        assert f(0.1).dtype == "float32"
        for bad in (lambda: f(np.float64(0.1)), lambda: careful(0.1)):
            with pytest.raises(TypeError, match="precision"):
                bad()


def test_mutable_and_borrow_leave_the_value_that_results_have():
    f = function([In(v, mutable=True, borrow=True)], [v + 1, v * 2])
    assert plain(f(np.arange(3.0))) == [[1.0, 2.0, 3.0], [0.0, 2.0, 4.0]]


def test_a_container_as_value_is_shared():
    state = shared(4.0, "state")
    f = function([y, In(x, value=state.container, update=x + y, implicit=True)], x)
    assert (f(2), state.get_value()) == (4, 6)
    state.set_value(1)
    assert f(2) == 1


@pytest.mark.parametrize(
    ("build", "error", "word"),
    [
        (lambda: In(3), TypeError, "Variable"),
        (lambda: In(x, name=3), TypeError, "string"),
        (lambda: In(x, mutable=True, borrow=False), AssertionError, "mutable=True"),
        (lambda: In(x, update=fv, value=1), TypeError, "float32"),
        (lambda: In(x, value="a"), ValueError, "'a'"),
        (lambda: Out(3), TypeError, "Variable"),
        (lambda: function([In(x, implicit=True)], x), TypeError, "default value"),
        (lambda: function([x], {"a": x, 3: x}), AssertionError, "3"),
        (lambda: function(x, x), TypeError, ""),
        (lambda: function({x}, x), TypeError, ""),
        (lambda: function([3], x), TypeError, ""),
        (lambda: function(["x"], x), TypeError, ""),
        (lambda: function([(x, 1, 2)], x), TypeError, ""),
        (lambda: function([shared(1.0, "a")], x), TypeError, ""),
    ],
)
def test_wrong_inputs_and_outputs(build, error, word):
    with refused(error, word):
        build()


@pytest.mark.parametrize("outputs", [3, [3], np.ones(3), "x", [None], {"a": 1}])
def test_outputs_that_are_no_variables(outputs):
    with pytest.raises(TypeError, match="Outputs must be theano Variable or Out instances"):
        function([], outputs)


def test_constants_are_no_inputs():
    """What was passed for one was left out without a word."""
    one = T.constant(1.0)
    for inputs in ([one], [In(one)], [(one, 2.0)]):
        with pytest.raises(TypeError, match="Constants not allowed in param list"):
            function(inputs, one + 1)
    assert function([v], one + 1, givens={one: v.sum().astype(one.dtype)})([3.0]) == 4


def test_names_of_inputs():
    assert [In(x).name, In(x, autoname=False).name, In(x, name="q").name] == ["x", None, "q"]
    assert [repr(In(x)), repr(Out(x))] == ["In(x)", "Out(x,False)"]
    with pytest.raises(TypeError, match="no named input"):
        function([In(x, autoname=False)], x)(x=3)


def test_one_name_for_two_inputs():
    one, two = In(x), In(x_again)
    f = function([one, two], x - x_again)
    for bad in (lambda: f(1, x=2), lambda: f["x"], lambda: f.__setitem__("x", 1)):
        with pytest.raises(TypeError, match="Ambiguous name: x"):
            bad()
    assert (one.name, two.name, f[x]) == ("x", "x", None)


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
def test_outputs_come_back_as_they_were_asked_for(outputs, wanted):
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
def test_output_subset(outputs, subset, wanted):
    f = function([x, y], outputs)
    assert plain(f(1, 2, output_subset=subset)) == wanted
    assert len(f(1, 2)) == len(outputs)
    for bad in ([7], ["unknown"]):
        with pytest.raises((IndexError, KeyError, TypeError, ValueError)):
            f(1, 2, output_subset=bad)


def test_results_never_share_memory():
    state, given = shared(np.ones(3)), np.ones(3)
    f = function([v], [v, v, v[::-1], state, state, T.constant(np.zeros(2))])
    results = f(given)
    for position, result in enumerate(results):
        result += position + 7
        assert not any(np.may_share_memory(result, other) for other in results[position + 1 :])
    assert given.tolist() == state.get_value().tolist() == [1, 1, 1]
    assert f(given)[5].tolist() == [0, 0]


def test_machine_code_long_unused_is_let_go(monkeypatch):
    """A process of many functions does not run out of pages; a function keeps its own code."""
    monkeypatch.setattr(machine, "MOST_MODULES", 4)
    monkeypatch.setattr(machine, "_modules", type(machine._modules)())
    functions = [function([v], T.exp(v) * k) for k in range(2, 12)]
    assert len(machine._modules) == 4
    for k, f in enumerate(functions, 2):
        # Strided data asks for a variant of the kernel.
        for value in (np.array([0.0, 1.0]), np.arange(4.0)[::2]):
            np.testing.assert_allclose(f(value), np.exp(value) * k)
