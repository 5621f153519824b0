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
def test_constants_of_two_dtypes_are_apart(first: str) -> None:
    x = T.dvector("x")
    value = np.linspace(0.05, 1, 33)
    inner = getattr(T, first)(x)
    outs = [getattr(T, second)(T.cast(inner, "float32")) for second in NAMES]
    outs += [T.tan(T.cast(inner, "complex64")), T.sinh(T.cast(inner, "complex64"))]
    between = theano.function([x], T.cast(inner, "float32"))(value)
    for out in outs:
        node = out.owner
        single = node.inputs[0].type("single")
        wanted = theano.function([single], node.op(single))(between.astype(single.dtype))
        np.testing.assert_allclose(theano.function([x], out)(value), wanted, rtol=2e-6)
