"""What tests share finds what it should."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import DTYPES, SHAPES, layouts, values
from support.comparison import EXACT, ROUNDING, SUMS, assert_close
from support.compiling import check, evaluate, kernels
from support.errors import refused
from support.processes import run_python


@pytest.mark.parametrize("dtype", DTYPES)
def test_layouts_keep_dtype_and_values(dtype: str) -> None:
    for shape in SHAPES:
        array = values(shape, dtype)
        for other in layouts(array):
            assert other.dtype == dtype
            np.testing.assert_array_equal(other, array)


def test_tolerances_are_relative_to_the_machine_epsilon_and_say_why() -> None:
    assert_close([np.float32(1 + 1e-6)], [1.0], SUMS)
    assert_close(np.array([1e-20, 1.0]), np.array([0, 1.0]), SUMS)
    assert_close(np.nan, np.nan)
    for found, wanted in [(1.0 + 1e-12, 1.0), (1e-20, 0.0), (np.zeros(2), np.zeros((1, 2)))]:
        with pytest.raises(AssertionError):
            assert_close(found, wanted, ROUNDING)
    with pytest.raises(AssertionError, match="rounded in another order"):
        assert_close(1.1, 1.0)


def test_a_function_that_differs_from_numpy_is_found() -> None:
    x = values((3, 4))
    assert kernels(check(T.exp, np.exp, x))
    check(lambda a, b: [a + b, a * b], lambda a, b: [a + b, a * b], x, x[0], tolerance=EXACT)
    for tolerance in (EXACT, ROUNDING):
        with pytest.raises(AssertionError):
            check(T.exp, np.expm1, x, tolerance=tolerance)
    assert evaluate(T.constant(2.0) * 3) == 6


def test_programs_run_in_a_clean_home(tmp_path: Path) -> None:
    program = """
        import os, theano
        print(os.environ["HOME"], theano.config.floatX)
    """
    printed = run_python(program, home=tmp_path, flags="floatX=float32")
    assert printed == f"{tmp_path} float32"
    assert "ZeroDivisionError" in run_python("1 / 0", fails=True)
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        run_python("1 / 0")


def test_an_expected_error_must_hold_every_word() -> None:
    f = theano.function([v := T.dvector("v")], v + np.ones(3))
    with refused(ValueError, "mis-match"):
        f(np.ones(4))
    with pytest.raises(AssertionError, match="'no such word'"), refused(ValueError, "no such word"):
        f(np.ones(4))
