"""Sigmoids that are written out are found, and their values and gradients are exact."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.ops.array.sigmoids import as_sigmoid

x, y = T.fvector("x"), T.fvector("y")
VALUES = np.array([-300, -95, -20, -1, 0, 1, 20, 95, 300], "float32")


def exact(values):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-values))


FORMS = {
    "exponentials": (lambda x: T.exp(x) / (1 + T.exp(x)), exact),
    "one exponential": (lambda x: (lambda e: e / (e + 1))(T.exp(x)), exact),
    "reciprocal": (lambda x: 1 / (1 + T.exp(-x)), exact),
    "inv": (lambda x: T.inv(1.0 + T.exp(-x)), exact),
    "of a sum": (lambda x: 1 / (1 + T.exp(1 - x)), lambda v: exact(v - 1)),
    "tanh": (lambda x: (1 + T.tanh(x / 2)) / 2, exact),
    "scaled tanh": (lambda x: 0.5 * T.tanh(0.5 * x) + 0.5, exact),
    "less tanh": (lambda x: 1 - T.tanh(x), lambda v: 2 * exact(-2 * v)),
    "tanh less": (lambda x: T.tanh(x) - 1, lambda v: -2 * exact(-2 * v)),
    "negative": (lambda x: 3 + -T.tanh(x) * 3, lambda v: 6 * exact(-2 * v)),
    "divided": (lambda x: 0.25 - T.tanh(x) / -4, lambda v: 0.5 * exact(2 * v)),
}
OTHERS = {
    "other number": lambda x: 1 + 2 * T.tanh(x),
    "other sum": lambda x: T.exp(x) / (2 + T.exp(x)),
    "other exponent": lambda x: T.exp(x) / (1 + T.exp(y)),
    "difference": lambda x: T.exp(x) / (1 - T.exp(x)),
    "complex": lambda x: 1 + T.tanh(T.cast(x, "complex64")),
    "two tangents": lambda x: T.tanh(y) + T.tanh(x),
    "nothing": lambda x: 0 + 0 * T.tanh(x),
}


@pytest.mark.parametrize("name", list(FORMS))
def test_values_and_gradients(name):
    write, wanted = FORMS[name]
    out = write(x)
    got, slope = theano.function([x], [out, T.grad(out.sum(), x)])(VALUES)
    at = VALUES.astype("float64")
    tiny = np.finfo("float32").tiny
    np.testing.assert_allclose(got, wanted(at), rtol=1e-5, atol=tiny)
    step = 1e-6
    slopes = (wanted(at + step) - wanted(at - step)) / (2 * step)
    np.testing.assert_allclose(slope, slopes, rtol=1e-4, atol=1e-9)
    # Of the logarithm, where one is divided by the other.
    logarithm = T.log(-out if wanted(at[:1] * 0) < 0 else out)
    slope = theano.function([x], T.grad(logarithm.sum(), x))(VALUES)
    logs = [np.log(abs(wanted(at + s))) for s in (step, -step)]
    np.testing.assert_allclose(slope, (logs[0] - logs[1]) / (2 * step), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("name", list(FORMS))
def test_gradients_of_what_is_computed_before(name):
    write, wanted = FORMS[name]
    inner = x * y
    out = write(inner)
    at, scale = VALUES[2:-2] / 8, np.full(5, 0.5, "float32")
    slopes = theano.function([x, y], T.grad(out.sum(), [x, y, inner]))(at, scale)
    step = 1e-6
    middle = at.astype("float64") / 2
    slope = (wanted(middle + step) - wanted(middle - step)) / (2 * step)
    for got, factor in zip(slopes, (0.5, at, 1), strict=True):
        np.testing.assert_allclose(got, slope * factor, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("name", list(OTHERS))
def test_what_is_no_sigmoid(name):
    assert as_sigmoid(OTHERS[name](x)) is None


def test_gradients_by_parts_of_one_are_those_as_written():
    power = T.exp(x)
    out = (power / (1 + power)).sum()
    slope = T.grad(out, power).eval({x: [0.0, 1.0]})
    np.testing.assert_allclose(slope, 1 / (1 + np.exp([0.0, 1.0])) ** 2, rtol=1e-6)


def test_the_gradient_by_the_argument_of_the_exponential_is_there():
    negative = -x
    out = (1 / (1 + T.exp(negative))).sum()
    slopes = theano.function([x], T.grad(out, [x, negative]))([0.0, 1.0])
    slope = exact(np.array([0.0, 1.0])) * exact(np.array([0.0, -1.0]))
    np.testing.assert_allclose(slopes, [slope, -slope], rtol=1e-6)
