"""Functions of float64 and of float32 in one loop, whose vectors have equally many items."""

from __future__ import annotations

import numpy as np
import pytest

import theano
import theano.tensor as T

NAMES = (
    *("exp", "expm1", "exp2", "log", "log1p", "sin", "cos", "tan", "tanh", "sinh", "cosh"),
    *("arctan", "arcsinh", "erf", "erfc", "gammaln", "psi"),
)


@pytest.mark.parametrize("first", NAMES)
@pytest.mark.parametrize(
    ("second", "dtype"),
    [*((name, "float32") for name in NAMES), ("tan", "complex64"), ("sinh", "complex64")],
)
def test_constants_of_two_dtypes_are_apart(first: str, second: str, dtype: str) -> None:
    x, single = T.dvector("x"), T.vector("single", dtype)
    value = np.linspace(0.05, 1, 33)
    inner = getattr(T, first)(x)
    between = theano.function([x], T.cast(inner, "float32"))(value).astype(dtype)
    found = theano.function([x], getattr(T, second)(T.cast(inner, dtype)))(value)
    wanted = theano.function([single], getattr(T, second)(single))(between)
    np.testing.assert_allclose(found, wanted, rtol=2e-6)
