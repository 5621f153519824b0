"""Quotients of numbers of 8 bits by constants are those of a division, to the last bit."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.comparison import assert_same
from theano._core.lower.llvm.math.quotients import reciprocal

NUMBERS = [255.0, 127.5, 3.0, 0.1, 1.0, 64.0, 1e-3, 12345.678, 1e17, 1e-17, 7.0, 58.395, 57.12]
ODD = [-255.0, 1e300, 1e-300, 5e-324, np.inf, -np.inf, np.nan, 0.0, -0.0, 2.0**-126]
RANDOM = np.random.default_rng(8)


@pytest.mark.parametrize("width", [128, 512])
@pytest.mark.parametrize("float_", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["uint8", "int8"])
@np.errstate(all="ignore")
def test_every_number_by_many_constants(kind, float_, width):
    x = T.TensorType(kind, (False,))("x")
    every = np.arange(256).astype(kind)
    drawn = np.exp(RANDOM.normal(size=40) * 3)
    for some in np.array_split(np.array([*NUMBERS, *ODD, *drawn]), 8):
        constants = some.astype(float_)
        with theano.config.change_flags(vector_width=width):
            f = theano.function([x], [x.astype(float_) / c for c in constants])
        for got, c in zip(f(every), constants, strict=True):
            assert_same(got, every.astype(float_) / c)


@pytest.mark.parametrize(("dtype", "digits"), [("float32", 24), ("float64", 53)])
def test_which_constants_have_reciprocals(dtype, digits):
    for number in NUMBERS:
        c = float(np.asarray(number, dtype))
        high, low = reciprocal(c, dtype)
        assert high == np.asarray(1, dtype) / np.asarray(c, dtype)
        assert abs(low) <= high * 2.0**-digits
    assert all(reciprocal(float(c), dtype) is None for c in ODD)
    # 1 / c is next to the middle between two floats.
    near = [c for c in (2**digits - n for n in range(1, 40)) if reciprocal(float(c), dtype) is None]
    assert near


def test_a_division_of_bytes_is_written_as_products():
    x = T.TensorType("uint8", (False,))("x")
    (kernel, *_) = theano.function([x], x / np.float32(255)).maker.kernels
    assert "fdiv" not in kernel.text
    (kernel, *_) = theano.function([x], (x + np.float32(1)) / np.float32(255)).maker.kernels
    assert "fdiv" in kernel.text


def test_an_integer_is_shifted_instead_of_divided_by_a_power_of_two():
    x = T.ivector("x")
    f = theano.function([x], [x // 8, x % 8])
    text = f.maker.kernels[0].text
    assert "ashr" in text and "sdiv" not in text and "select" not in text
