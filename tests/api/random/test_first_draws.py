"""Random variables: the numbers of NumPy's RandomState, and the streams behind them."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.tensor.shared_randomstreams import RandomStreams

# Drawn by Theano 1.0.5 from RandomStreams(42), each as the first variable of its streams.
DRAWS = [
    ("uniform", {"size": (2,)}, [0.3765878540723824, 0.7881845902844901]),
    ("normal", {"size": (2,)}, [1.25614218, -0.53793023]),
    ("permutation", {"size": (1,), "n": 5}, [[1, 0, 3, 2, 4]]),
    ("binomial", {"size": (4,), "n": 1, "p": 0.5}, [0, 1, 0, 0]),
    ("random_integers", {"size": (4,), "low": 0, "high": 3}, [2, 2, 1, 2]),
    ("choice", {"size": (4,), "a": 3}, [2, 2, 1, 2]),
]


@pytest.mark.parametrize(("name", "arguments", "numbers"), DRAWS)
def test_first_draw(name, arguments, numbers):
    drawn = getattr(RandomStreams(42), name)(**arguments).eval()
    np.testing.assert_allclose(drawn, numbers, rtol=1e-8)


def test_every_variable_has_a_seed_of_its_own():
    streams = RandomStreams(7)
    variables = [streams.uniform((2,)), streams.normal((2,)), streams.poisson((3,), lam=4.0)]
    seeds = np.random.RandomState(7)
    expected = [np.random.RandomState(seeds.randint(2**30)) for _ in variables]
    assert variables[0].eval().tolist() == expected[0].uniform(0, 1, 2).tolist()
    assert variables[1].eval().tolist() == expected[1].normal(0, 1, 2).tolist()
    assert variables[2].eval().tolist() == expected[2].poisson(4.0, 3).tolist()


def _stream():
    return np.random.RandomState(np.random.RandomState(1).randint(2**30))


def test_parameters_broadcast():
    low, high = np.zeros((1, 2)), np.array([[1.0], [10.0]])
    drawn = RandomStreams(1).uniform(low=low, high=high)
    assert drawn.broadcastable == (False, False)
    assert drawn.eval().tolist() == _stream().uniform(low, high).tolist()
    bounds = RandomStreams(1).random_integers((3,), [0, 1, 2], 300)
    stream = _stream()
    assert bounds.eval().tolist() == [stream.randint(n, 301) for n in range(3)]


def test_shuffled_rows():
    rows = np.arange(12).reshape(3, 4)
    stream = _stream()
    wanted = [row[stream.permutation(4)].tolist() for row in rows]
    assert RandomStreams(1).shuffle_row_elements(T.constant(rows)).eval().tolist() == wanted


def test_multinomial():
    stream = _stream()
    wanted = [stream.multinomial(n, [0.2, 0.3, 0.5]).tolist() for n in (5, 10)]
    drawn = RandomStreams(1).multinomial(n=[5, 10], pvals=[0.2, 0.3, 0.5])
    assert drawn.type == T.lmatrix
    assert drawn.eval().tolist() == wanted


def test_choice_without_replacement_and_with_weights():
    few = RandomStreams(1).choice((3,), a=10, replace=False)
    assert few.eval().tolist() == _stream().choice(10, 3, replace=False).tolist()
    weighted = RandomStreams(1).choice((4,), a=[5, 7], p=[0.9, 0.1])
    assert weighted.eval().tolist() == _stream().choice([5, 7], 4, p=[0.9, 0.1]).tolist()


TYPES = [
    ("uniform", {}, "float64", ()),
    ("uniform", {"size": (2, 1)}, "float64", (False, True)),
    ("uniform", {"size": (2,), "dtype": "float32"}, "float32", (False,)),
    ("normal", {"size": (2,), "avg": T.fvector()}, "float64", (False,)),
    ("binomial", {"size": (2,)}, "int64", (False,)),
    ("random_integers", {"size": (2,), "dtype": "int8"}, "int8", (False,)),
    ("permutation", {"n": 5}, "int64", (False,)),
    ("permutation", {"size": (2, 1), "n": 3}, "int64", (False, True, False)),
    ("uniform", {"size": T.lvector(), "ndim": 2}, "float64", (False, False)),
    ("uniform", {"size": T.dmatrix().shape}, "float64", (False, False)),
    ("uniform", {"size": (T.lscalar(), 1)}, "float64", (False, True)),
]


@pytest.mark.parametrize(("name", "arguments", "dtype", "pattern"), TYPES)
def test_type(name, arguments, dtype, pattern):
    kind = getattr(RandomStreams(1), name)(**arguments).type
    assert (kind.dtype, kind.broadcastable) == (dtype, pattern)


ERRORS = [
    ({"size": T.lvector()}, ValueError, "length not known"),
    ({"size": (1,), "ndim": 2}, ValueError, "len"),
    ({"size": (2,), "low": T.dmatrix()}, ValueError, "at least as big"),
    ({"size": 5.5}, TypeError, "vector or list"),
    ({"size": (2,), "low": "a"}, TypeError, "Cannot convert"),
]


@pytest.mark.parametrize(("arguments", "kind", "message"), ERRORS)
def test_error(arguments, kind, message):
    with pytest.raises(kind, match=message):
        RandomStreams(1).uniform(**arguments)


def test_streams_are_shared_variables():
    streams = RandomStreams(234)
    rv = streams.uniform((2, 2))
    assert rv.rng.default_update is rv.update[1]
    assert rv.update[0] is rv.rng
    assert streams.updates() == [rv.update]
    assert streams[rv.rng] is rv.rng.get_value(borrow=True)
    assert rv.rng.get_value() is not rv.rng.get_value(borrow=True)
    f = theano.function([], rv)
    fixed = theano.function([], rv, no_default_updates=[rv.rng])
    first = f()
    assert not np.array_equal(first, f())
    assert np.array_equal(fixed(), fixed())
    streams.seed(234)
    assert np.array_equal(f(), first)
    streams[rv.rng] = np.random.RandomState(5)
    assert f().tolist() == np.random.RandomState(5).uniform(0, 1, (2, 2)).tolist()


def test_reading_does_not_draw():
    stream = theano.shared(np.random.RandomState(3))
    stream.get_value().uniform()
    assert stream.get_value().uniform() == np.random.RandomState(3).uniform()


def test_no_gradient_is_defined_through_draws():
    s = T.dscalar("s")
    drawn = RandomStreams(1).uniform((2,), low=s)
    with pytest.raises(theano.gradient.NullTypeGradError):
        T.grad(drawn.sum(), s)
