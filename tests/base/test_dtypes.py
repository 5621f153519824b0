"""The dtype rules against the answers that Theano 1.0.5 gave."""

import json
from pathlib import Path

import numpy as np
import pytest

import theano.tensor as T
from theano._core.base import dtypes
from theano._core.base.errors import IntegerDivisionError
from theano._core.base.settings import change_flags

GOLDEN = json.loads((Path(__file__).parent.parent / "golden" / "dtypes_theano105.json").read_text())
NAME = {letter: name for name, letter in GOLDEN["letters"].items()}
ALL = GOLDEN["dtypes"]
SETTINGS = [
    {"floatX": float_dtype, "cast_policy": policy}
    for policy in ("custom", "numpy+floatX")
    for float_dtype in ("float64", "float32", "float16")
]
all_settings = pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: ",".join(s.values()))


def golden(answers, settings):
    return answers.get(",".join(settings.values()), answers["float64,custom"])


def grid(rows):
    for one, row in zip(ALL, rows, strict=True):
        for two, letter in zip(ALL, row, strict=True):
            yield one, two, letter


def answer(rule, *args):
    """Return the letter of a rule's answer; T for TypeError, O for OverflowError."""
    try:
        return GOLDEN["letters"][rule(*args)]
    except TypeError:
        return "T"
    except OverflowError:
        return "O"


def answers(rule, arguments=ALL):
    return "".join(answer(rule, argument) for argument in arguments)


def differences(rule, rows):
    return [(*case, got) for *case, want in grid(rows) if (got := answer(rule, *case)) != want]


BINARY = {
    **dict.fromkeys(["add", "mul", "int_div", "mod", "maximum", "minimum", "dot"], dtypes.upcast),
    "true_div": dtypes.true_div,
    "arctan2": dtypes.to_float,
}


@all_settings
def test_operations_of_two(settings):
    with change_flags(**settings):
        for op, rule in BINARY.items():
            assert differences(rule, golden(GOLDEN["binary"][op], settings)) == [], op
        assert differences(dtypes.upcast, golden(GOLDEN["switch"], settings)) == []


@all_settings
def test_float_functions(settings):
    with change_flags(**settings):
        got = answers(dtypes.to_float)
    for op in ("exp", "log", "sqrt", "tanh", "gammaln", "sigmoid", "inv"):
        assert got == golden(GOLDEN["unary"][op], settings), op


@pytest.mark.parametrize(
    ("rule", "table", "ops"),
    [
        (dtypes.real_of, "unary", ["real", "imag", "abs_"]),
        (dtypes.sum_dtype, "reductions", ["sum", "prod"]),
        (dtypes.accumulator_dtype, "accumulators", ["sum", "prod"]),
        (dtypes.mean_dtype, "reductions", ["mean", "var", "std"]),
    ],
)
def test_real_parts_and_reductions(rule, table, ops):
    for op in ops:
        assert answers(rule) == GOLDEN[table][op]["float64,custom"], op


def test_accumulators_and_results_that_are_asked_for():
    def out(dtype, asked):
        dtypes.accumulator_dtype(dtype, asked)
        return dtypes.sum_dtype(dtype)

    for op in ("sum", "prod"):
        assert differences(out, GOLDEN["reductions_acc_dtype"][op]) == []
    assert differences(dtypes.sum_dtype, GOLDEN["reductions_dtype"]["sum"]) == []
    assert differences(dtypes.mean_dtype, GOLDEN["reductions_dtype"]["mean"]) == []
    assert dtypes.accumulator_dtype("int8", "float32") == "float32"
    with pytest.raises(TypeError, match="acc_dtype float32: precision would be lost"):
        dtypes.accumulator_dtype("float64", "float32")


@all_settings
def test_python_numbers_and_numbers_with_operands(settings):
    # Theano failed on 2**64 with an OverflowError or a TypeError, by policy: ours is the first.
    expected = golden(GOLDEN["constant"], settings).replace("T", "O")
    rules = {"add": dtypes.upcast, "true_div": dtypes.true_div, "maximum": dtypes.upcast}
    with change_flags(**settings):
        assert answers(lambda text: dtypes.autocast(eval(text)), GOLDEN["numbers"]) == expected
        # A literal True is refused before its dtype matters, and so is what is too large.
        for op, rule in rules.items():
            rows = golden(GOLDEN["with_numbers"][op], settings)
            for dtype, row in zip(ALL, rows, strict=True):
                for text, letter in zip(GOLDEN["numbers"], row, strict=True):
                    if letter in NAME:
                        number = dtypes.autocast(eval(text))
                        assert answer(rule, dtype, number) == letter, (op, dtype, text)


@pytest.mark.parametrize("choice", ["int", "floatX", "raise"])
def test_slashes_of_python_2_and_3(choice):
    def out(one, two):
        kind = dtypes.division(one, two)
        return dtypes.upcast(one, two) if kind == "int" else dtypes.true_div(one, two)

    with change_flags(int_division=choice):
        for one, two, letter in grid(GOLDEN["division"][choice]):
            if letter == "X":
                with pytest.raises(IntegerDivisionError, match=f"{one} and {two}"):
                    out(one, two)
            else:
                assert answer(out, one, two) == letter
    assert differences(dtypes.true_div, GOLDEN["slash"][choice]) == []


def test_families_partition_the_dtypes():
    assert dtypes.all_dtypes == ALL
    for name in dtypes.all_dtypes:
        assert dtypes.is_discrete(name) != dtypes.is_continuous(name)
        kinds = [dtypes.is_int, dtypes.is_uint, dtypes.is_float, dtypes.is_complex]
        assert sum(kind(name) for kind in kinds) == (name != "bool")
        assert dtypes.is_integer(name) == (dtypes.is_int(name) or dtypes.is_uint(name))
        assert dtypes.itemsize(name) == np.dtype(name).itemsize


def test_complex_of():
    single, double = ("int8", "float16", "float32"), ("int32", "float64", "complex128")
    assert {dtypes.complex_of(name) for name in single} == {"complex64"}
    assert {dtypes.complex_of(name) for name in double} == {"complex128"}


def test_what_has_a_dtype_stands_for_it():
    x, y = T.fvector(), T.dvector()
    assert dtypes.named(x) == y.zeros_like(x).dtype == T.ones((2,), dtype=x).dtype == "float32"
    assert T.cast(y, x).dtype == "float32"
    with pytest.raises(TypeError, match="is not a dtype"):
        dtypes.named(3)
    with pytest.raises(TypeError, match="flaot32"):
        dtypes.upcast("float64", "flaot32")


@pytest.mark.parametrize("value", [True, 1, 1000, 0.1, 1e300, 1j])
def test_numpy2_policy_is_numpy(value):
    if np.__version__.startswith("1."):
        pytest.skip("NumPy 1 looks at values")
    with change_flags(cast_policy="numpy2"):
        assert dtypes.autocast(value) == np.asarray(value).dtype
        for dtype in ALL:
            try:
                with np.errstate(over="ignore"):
                    expected = (np.zeros(1, dtype) + value).dtype
            except OverflowError:
                with pytest.raises(OverflowError, match="1000 out of bounds"):
                    dtypes.weak_upcast(value, dtype)
            else:
                assert dtypes.weak_upcast(value, dtype) == expected


def test_weak_upcast_is_upcast_under_the_old_policies():
    assert dtypes.weak_upcast(1000, "int8") == "int16"
    assert dtypes.weak_upcast(0.1, "float32") == "float64"
    with change_flags(floatX="float32", cast_policy="numpy+floatX"):
        assert dtypes.weak_upcast(0.1, "float32") == "float32"
