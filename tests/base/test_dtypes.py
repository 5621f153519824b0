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
    f"{float_dtype},{policy}"
    for policy in ("custom", "numpy+floatX")
    for float_dtype in ("float64", "float32", "float16")
]


def settings(key):
    float_dtype, policy = key.split(",")
    return change_flags(floatX=float_dtype, cast_policy=policy)


def golden(answers, key):
    return answers.get(key, answers["float64,custom"])


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


def differences(rule, rows):
    return [
        (one, two, letter, got)
        for one, two, letter in grid(rows)
        if (got := answer(rule, one, two)) != letter
    ]


@pytest.mark.parametrize("key", SETTINGS)
@pytest.mark.parametrize("op", ["add", "mul", "int_div", "mod", "maximum", "minimum", "dot"])
def test_upcast_pairs(op, key):
    with settings(key):
        assert differences(dtypes.upcast, golden(GOLDEN["binary"][op], key)) == []


@pytest.mark.parametrize("key", SETTINGS)
def test_switch_pairs(key):
    with settings(key):
        assert differences(dtypes.upcast, golden(GOLDEN["switch"], key)) == []


@pytest.mark.parametrize("key", SETTINGS)
def test_true_division(key):
    with settings(key):
        assert differences(dtypes.true_div, golden(GOLDEN["binary"]["true_div"], key)) == []


@pytest.mark.parametrize("key", SETTINGS)
def test_float_functions_of_two(key):
    with settings(key):
        assert differences(dtypes.to_float, golden(GOLDEN["binary"]["arctan2"], key)) == []


@pytest.mark.parametrize("key", SETTINGS)
@pytest.mark.parametrize("op", ["exp", "log", "sqrt", "tanh", "gammaln", "sigmoid", "inv"])
def test_float_functions(op, key):
    with settings(key):
        got = "".join(answer(dtypes.to_float, name) for name in ALL)
    assert got == golden(GOLDEN["unary"][op], key)


@pytest.mark.parametrize("op", ["real", "imag", "abs_"])
def test_real_parts(op):
    assert "".join(answer(dtypes.real_of, n) for n in ALL) == golden(GOLDEN["unary"][op], "")


@pytest.mark.parametrize("op", ["sum", "prod"])
def test_sum_and_accumulator(op):
    assert "".join(answer(dtypes.sum_dtype, n) for n in ALL) == golden(GOLDEN["reductions"][op], "")
    got = "".join(answer(dtypes.accumulator_dtype, n) for n in ALL)
    assert got == golden(GOLDEN["accumulators"][op], "")


@pytest.mark.parametrize("op", ["sum", "prod"])
def test_asked_accumulator(op):
    def out(dtype, asked):
        dtypes.accumulator_dtype(dtype, asked)
        return dtypes.sum_dtype(dtype)

    assert differences(out, GOLDEN["reductions_acc_dtype"][op]) == []


def test_asked_accumulator_is_used():
    assert dtypes.accumulator_dtype("int8", "float32") == "float32"
    with pytest.raises(TypeError, match="acc_dtype float32: precision would be lost"):
        dtypes.accumulator_dtype("float64", "float32")


def test_asked_result():
    assert differences(dtypes.sum_dtype, GOLDEN["reductions_dtype"]["sum"]) == []
    assert differences(dtypes.mean_dtype, GOLDEN["reductions_dtype"]["mean"]) == []


@pytest.mark.parametrize("op", ["mean", "var", "std"])
def test_mean(op):
    got = "".join(answer(dtypes.mean_dtype, n) for n in ALL)
    assert got == golden(GOLDEN["reductions"][op], "")


@pytest.mark.parametrize("key", SETTINGS)
def test_python_numbers(key):
    # Theano failed on 2**64 with an OverflowError or a TypeError, by policy: ours is the first.
    expected = golden(GOLDEN["constant"], key).replace("T", "O")
    with settings(key):
        got = "".join(answer(dtypes.autocast, eval(text)) for text in GOLDEN["numbers"])
    assert got == expected


@pytest.mark.parametrize("key", SETTINGS)
@pytest.mark.parametrize(
    ("op", "rule"),
    [("add", dtypes.upcast), ("true_div", dtypes.true_div), ("maximum", dtypes.upcast)],
)
def test_numbers_with_operands(op, rule, key):
    # A literal True is refused before its dtype matters, and so is what is too large.
    rows = golden(GOLDEN["with_numbers"][op], key)
    with settings(key):
        for dtype, row in zip(ALL, rows, strict=True):
            for text, letter in zip(GOLDEN["numbers"], row, strict=True):
                if letter in NAME:
                    number = dtypes.autocast(eval(text))
                    assert answer(rule, dtype, number) == letter, (dtype, text)


@pytest.mark.parametrize("choice", ["int", "floatX", "raise"])
def test_python_2_division(choice):
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


def test_python_3_slash_is_the_true_division():
    for choice in ("int", "floatX", "raise"):
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
    got = {name: dtypes.complex_of(name) for name in ("int8", "int32", "float16", "float32")}
    assert got == {
        "int8": "complex64",
        "int32": "complex128",
        "float16": "complex64",
        "float32": "complex64",
    }
    assert dtypes.complex_of("float64") == dtypes.complex_of("complex128") == "complex128"


def test_what_has_a_dtype_stands_for_it():
    x, y = T.fvector(), T.dvector()
    assert dtypes.named(x) == "float32"
    assert y.zeros_like(x).dtype == T.ones((2,), dtype=x).dtype == "float32"
    assert T.cast(y, x).dtype == "float32"
    with pytest.raises(TypeError, match="is not a dtype"):
        dtypes.named(3)


def test_unknown_names_are_type_errors():
    with pytest.raises(TypeError):
        dtypes.upcast("float64", "flaot32")


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize("value", [True, 1, 1000, 0.1, 1e300, 1j])
def test_numpy2_policy_is_numpy(dtype, value):
    if np.__version__.startswith("1."):
        pytest.skip("NumPy 1 looks at values")
    with change_flags(cast_policy="numpy2"):
        assert dtypes.autocast(value) == np.asarray(value).dtype
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
