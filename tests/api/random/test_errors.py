"""Errors: what is wrong, with which values, and where the variable was made."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import variable
from theano.tensor import random

KEY = random.key(0)

AT_ONCE = [
    (lambda: random.key(-1), ValueError, "from 0 to 2"),
    (lambda: random.key(2**128), ValueError, "from 0 to 2"),
    (lambda: random.key(1.5), TypeError, "integer scalar"),
    (lambda: random.key(T.lvector()), TypeError, "integer scalar"),
    (lambda: random.normal(3, (2,)), TypeError, "a vector of two uint64"),
    (lambda: random.normal(T.lvector(), (2,)), TypeError, "random.key"),
    (lambda: random.Stream(1.5), TypeError, "int or None"),
    (lambda: random.fold_in(KEY, 1.5), TypeError, "integers"),
    (lambda: random.split(KEY, -1), ValueError, "-1 keys"),
    (lambda: random.bits(KEY, (2,), "int32"), TypeError, "uint64"),
    (lambda: random.uniform(KEY, (2,), dtype="int32"), TypeError, "dtype is a float"),
    (lambda: random.poisson(KEY, (2,), 1.0, "complex64"), TypeError, "dtype is an integer"),
    (lambda: random.uniform(KEY, (-2,)), ValueError, "negative dimensions"),
    (lambda: random.uniform(KEY, (1.5,)), TypeError, "a shape holds integers"),
    (lambda: random.normal(KEY, (2,), T.dmatrix()), ValueError, "2 dimensions and shape 1"),
    (lambda: random.normal(KEY, (1,), T.dvector()), ValueError, "length 1 along axis -1"),
    (lambda: random.normal(KEY, (2,), 0, -1), ValueError, "scale must be 0 or more, got -1"),
    (lambda: random.normal(KEY, (2,), 1j), TypeError, "must be real"),
    (lambda: random.gamma(KEY, (2,), -0.5), ValueError, "a must be 0 or more"),
    (lambda: random.beta(KEY, (2,), 0.0, 1.0), ValueError, "a must be positive"),
    (lambda: random.bernoulli(KEY, (2,), 1.5), ValueError, "between 0 and 1, got 1.5"),
    (lambda: random.binomial(KEY, (2,), -1, 0.5), ValueError, "n must be from 0 to 2"),
    (lambda: random.binomial(KEY, (2,), 1.5, 0.5), TypeError, "n must be integers"),
    (lambda: random.poisson(KEY, (2,), 1e19), ValueError, "from 0 to 9.2e18"),
    (lambda: random.geometric(KEY, (2,), 0.0), ValueError, "above 0"),
    (lambda: random.integers(KEY, (2,), 5, 5), ValueError, "low must be below high"),
    (lambda: random.integers(KEY, (2,), 0, 300, "uint8"), ValueError, "range of uint8"),
    (lambda: random.integers(KEY, (2,), 0.0, 3.0), TypeError, "bounds are integers"),
    (lambda: random.integers(KEY, (2,), 3, dtype="float32"), TypeError, "integer type"),
    (lambda: random.categorical(KEY), TypeError, "give logits or p"),
    (lambda: random.categorical(KEY, np.zeros(3), axis=1), TypeError, "no axis 1"),
    (lambda: random.categorical(KEY, p=[-1.0, 1.0]), ValueError, "0 or more"),
    (lambda: random.multinomial(KEY, None, 3, 0.5), TypeError, "axis of probabilities"),
    (lambda: random.dirichlet(KEY, None, 0.5), TypeError, "axis of parameters"),
    (lambda: random.permutation(KEY, 1.5), TypeError, "is an integer"),
    (lambda: random.choice(KEY, 3, (2,), p=np.ones((2, 2))), ValueError, "p is a vector"),
    (lambda: random.choice(KEY, 3, (2,), False, np.ones(3)), NotImplementedError, "without replac"),
    (lambda: random.key(2**64, "philox4x32"), ValueError, r"from 0 to 2\*\*64 - 1"),
    (lambda: random.key(1, "mt19937"), ValueError, "one of philox4x64, philox4x32, not 'mt19937'"),
    (lambda: random.multivariate_normal(KEY, (), 0.0, 1.0), TypeError, "cholesky a matrix"),
]


@pytest.mark.parametrize(("call", "kind", "message"), AT_ONCE)
def test_at_once(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


x, v, n, i = T.dscalar("x"), T.dvector("v"), T.lscalar("n"), T.lvector("i")
WHEN_CALLED = [
    (random.normal(KEY, (2,), 0, x), [x], [-1.0], "normal: scale must be 0 or more"),
    (random.normal(KEY, (2,), 0, x), [x], [np.nan], "normal: scale must be 0 or more"),
    (random.gamma(KEY, None, v), [v], [[1.0, -1.0]], "gamma: a must be 0 or more"),
    (random.bernoulli(KEY, None, v), [v], [[0.5, 1.5]], "bernoulli: p must be between 0 and 1"),
    (random.poisson(KEY, (2,), x), [x], [-1.0], "poisson: lam must be"),
    (random.binomial(KEY, (2,), n, 0.5), [n], [-1], "binomial: n must be from 0 to 2"),
    (random.integers(KEY, (2,), n, 5), [n], [5], "integers: low must be below high"),
    (random.integers(KEY, (2,), 0, n, "int8"), [n], [129], "range of int8"),
    (random.truncated_normal(KEY, (2,), 0, x), [x], [-1.0], "lower must be at most upper"),
    (random.multinomial(KEY, None, 3, v), [v], [[0.9, 0.9, 0.1]], "add up to at most 1"),
    (random.choice(KEY, n, (4,), replace=False), [n], [3], "fewer items"),
    (random.choice(KEY, n, (4,), p=v), [n, v], [3, [0.5, 0.5]], "one probability for each"),
    (random.uniform(KEY, (n,)), [n], [-1], "negative dimensions are not allowed: -1"),
    (random.gamma(KEY, (n,), 1.0), [n], [-1], "negative dimensions are not allowed: -1"),
    (random.gamma(KEY, (3,), v), [v], [[1.0, 2.0]], "has 2 items along axis 0, the result 3"),
    (random.gamma(KEY, (3,), T.alloc(x, n)), [x, n], [1.0, 2], "has 2 items along axis 0"),
    (random.normal(KEY, (3,), v), [v], [[1.0, 2.0]], "mis-match"),
]


@pytest.mark.parametrize(("out", "inputs", "values", "message"), WHEN_CALLED)
def test_when_called(out, inputs, values, message):
    f = theano.function(inputs, out)
    with pytest.raises(ValueError, match=message) as caught:
        f(*values)
    # The line of this file that made the variable.
    assert "test_errors.py" in str(caught.value)


def test_key_of_wrong_length():
    key = variable("uint64", 1)
    for out in (random.uniform(key, (2,)), random.gamma(key, (2,), 1.0), random.split(key, 2)):
        with pytest.raises(ValueError, match="a random key has 2 words, got 3"):
            out.eval({key: np.zeros(3, dtype="uint64")})


def test_keys_of_any_strides():
    key, spread = variable("uint64", 1), np.array([5, 0, 7, 0], "uint64")
    f = theano.function([key], random.uniform(key, (5,)))
    np.testing.assert_array_equal(f(spread[::2]), f(spread[::2].copy()))
