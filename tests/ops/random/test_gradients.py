"""Gradients of draws under a fixed key."""

import numpy as np
import pytest
from scipy import stats

import theano
import theano.tensor as T
from theano.tensor import random

KEY = random.key(21)

# Draws that move smoothly with their parameters for the numbers of one key.
SMOOTH = {
    "uniform": (lambda k, a, b: random.uniform(k, (7,), a, b), (-1.0, 2.0)),
    "normal": (lambda k, a, b: random.normal(k, (7,), a, b), (-1.0, 2.0)),
    "lognormal": (lambda k, a, b: random.lognormal(k, (7,), a, b), (-1.0, 0.5)),
    "truncated_normal": (
        lambda k, a, b, c, d: random.truncated_normal(k, (7,), a, b, c, d),
        (-1.0, 2.0, 0.5, 1.5),
    ),
    "exponential": (lambda k, a: random.exponential(k, (7,), a), (2.0,)),
    "laplace": (lambda k, a, b: random.laplace(k, (7,), a, b), (-1.0, 2.0)),
    "logistic": (lambda k, a, b: random.logistic(k, (7,), a, b), (-1.0, 2.0)),
    "gumbel": (lambda k, a, b: random.gumbel(k, (7,), a, b), (-1.0, 2.0)),
    "cauchy": (lambda k, a, b: random.cauchy(k, (7,), a, b), (-1.0, 2.0)),
    "rayleigh": (lambda k, a: random.rayleigh(k, (7,), a), (2.0,)),
    "weibull": (lambda k, a, b: random.weibull(k, (7,), a, b), (1.5, 2.0)),
    "pareto": (lambda k, a, b: random.pareto(k, (7,), a, b), (1.5, 2.0)),
}


@pytest.mark.parametrize("name", list(SMOOTH))
def test_against_finite_differences(name):
    draw, values = SMOOTH[name]
    points = [np.asarray(v) for v in values]
    T.verify_grad(lambda *p: draw(KEY, *p), points, rng=np.random.RandomState(0))


def test_multivariate_normal():
    T.verify_grad(
        lambda mean, factor: random.multivariate_normal(KEY, (5,), mean, factor),
        [np.array([1.0, 2.0]), np.array([[1.0, 0.0], [0.3, 2.0]])],
        rng=np.random.RandomState(0),
    )


@pytest.mark.parametrize("shape", [0.05, 0.4, 1.0, 3.3, 40.0, 700.0])
def test_gamma_at_a_fixed_probability(shape):
    a = T.dvector("a")
    x = random.gamma(KEY, (400,), a, dtype="float64")
    drawn, got = theano.function([a], [x, T.grad(x.sum(), a)])(np.full(400, shape))
    drawn = np.maximum(drawn, 1e-290)
    low = stats.gamma(shape).cdf(drawn) < 0.5
    h = shape * 1e-5
    p = np.where(low, stats.gamma(shape).cdf(drawn), stats.gamma(shape).sf(drawn))

    def quantile(b):
        return np.where(low, stats.gamma(b).ppf(p), stats.gamma(b).isf(p))

    wanted = (quantile(shape + h) - quantile(shape - h)) / (2 * h)
    np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-12)


def test_derivative_for_large_shapes_joins_the_exact_one():
    from theano._core.ops.random.gamma_derivative import LARGE, log_gamma_derivative

    a, log_x = T.dvectors("a", "log_x")
    f = theano.function([a, log_x], log_gamma_derivative(a, log_x))
    for z in np.linspace(-3.5, 3.5, 15):
        x = np.log(LARGE + z * np.sqrt(LARGE))
        below, above = f(np.array([LARGE, np.nextafter(LARGE, np.inf)]), np.array([x, x]))
        assert above == pytest.approx(below, rel=1e-6)


a, b, df, alpha = T.dscalar("a"), T.dscalar("b"), T.dscalar("df"), T.dvector("alpha")
N = 100_000
# Expectation, its parameters with values, and their exact derivatives: of 2 a, a / (a + b), the
# variance df / (df - 2), and alpha / sum(alpha).
MEANS = [
    (random.gamma(KEY, (N,), a, 2.0, "float64"), {a: 1.7}, [2.0], 0.03),
    (random.beta(KEY, (N,), a, b, "float64"), {a: 0.4, b: 0.8}, [0.8 / 1.44, -0.4 / 1.44], 0.01),
    (random.student_t(KEY, (N,), df, dtype="float64") ** 2, {df: 9.0}, [-2 / 49], 0.01),
    (
        random.dirichlet(KEY, (N // 2,), alpha, "float64")[:, 0],
        {alpha: np.array([0.5, 1.0, 1.5])},
        [[2.5 / 9, -0.5 / 9, -0.5 / 9]],
        0.005,
    ),
]


@pytest.mark.parametrize("draws, at, wanted, atol", MEANS)
def test_gradient_of_an_expectation(draws, at, wanted, atol):
    found = theano.function([*at], T.grad(draws.mean(), [*at]))(*at.values())
    np.testing.assert_allclose(found, wanted, atol=atol)


def test_shapes_of_gradients():
    column = T.dcol("column")
    x = random.gamma(KEY, (3, 5), column)
    f = theano.function([column], [T.grad(x.sum(), column), x])
    assert [v.shape for v in f(np.array([[0.5], [1.0], [2.0]]))] == [(3, 1), (3, 5)]


def test_gamma_has_no_second_derivative():
    a = T.dscalar("a")
    first = T.grad(random.gamma(KEY, (), a), a)
    with pytest.raises(NotImplementedError, match="second one is not there"):
        T.grad(first, a)


DISCRETE = {
    "bernoulli": lambda p: random.bernoulli(KEY, (3,), p, "float64"),
    "poisson": lambda p: random.poisson(KEY, (3,), p, "float64"),
    "binomial": lambda p: random.binomial(KEY, (3,), 5, p, "float64"),
    "categorical": lambda p: random.categorical(KEY, p=T.stack([p, 1 - p]), dtype="float64"),
}


@pytest.mark.parametrize("name", list(DISCRETE))
def test_counts_do_not_move(name):
    p = T.dscalar("p")
    cost = DISCRETE[name](p).sum()
    try:
        slope = T.grad(cost, p)
    except theano.gradient.DisconnectedInputError:
        return
    assert theano.function([p], slope)(0.3) == 0


def test_no_gradient_reaches_a_key():
    key = T.TensorType("uint64", (False,))("key")
    with pytest.raises(theano.gradient.DisconnectedInputError):
        T.grad(random.normal(key, (3,)).sum(), key)


def test_gradient_through_an_order():
    x = T.dvector("x")
    weights = np.arange(4.0)
    slope = theano.function([x], T.grad((random.permutation(KEY, x) * weights).sum(), x))
    order = random.permutation(KEY, 4).eval()
    np.testing.assert_array_equal(slope(np.ones(4))[order], weights)
