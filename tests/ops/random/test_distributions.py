"""Distributions: Kolmogorov-Smirnov and chi-square tests against SciPy, and the far tails."""

from collections import Counter

import numpy as np
import pytest
from scipy import stats

import theano
import theano.tensor as T
from support.arrays import variable
from theano._core.ops.elementwise.normal_quantile import normal_distribution, normal_quantile
from theano._core.ops.random.philox import SOURCES
from theano.tensor import random

truncated = random.truncated_normal
N = 100_000
# One test of some forty may be that unlikely, for the fixed keys that were not chosen.
UNLIKELY = 1e-4


def discrete(values):
    return stats.rv_discrete(values=values)


FAR = stats.truncnorm(8, np.inf)
CONTINUOUS = {
    "uniform": (lambda k, s, d: random.uniform(k, s, -1, 3, d), stats.uniform(-1, 4)),
    "normal": (lambda k, s, d: random.normal(k, s, -1, 3, d), stats.norm(-1, 3)),
    "lognormal": (
        lambda k, s, d: random.lognormal(k, s, 0.2, 0.5, d),
        stats.lognorm(0.5, 0, np.exp(0.2)),
    ),
    "exponential": (lambda k, s, d: random.exponential(k, s, 2.0, d), stats.expon(scale=2)),
    "laplace": (lambda k, s, d: random.laplace(k, s, 1, 2, d), stats.laplace(1, 2)),
    "logistic": (lambda k, s, d: random.logistic(k, s, 1, 2, d), stats.logistic(1, 2)),
    "gumbel": (lambda k, s, d: random.gumbel(k, s, 1, 2, d), stats.gumbel_r(1, 2)),
    "cauchy": (lambda k, s, d: random.cauchy(k, s, 1, 2, d), stats.cauchy(1, 2)),
    "rayleigh": (lambda k, s, d: random.rayleigh(k, s, 2, d), stats.rayleigh(scale=2)),
    "weibull": (lambda k, s, d: random.weibull(k, s, 1.5, 2, d), stats.weibull_min(1.5, scale=2)),
    "pareto": (lambda k, s, d: random.pareto(k, s, 1.5, 2, d), stats.lomax(1.5, scale=2)),
    "gamma": (lambda k, s, d: random.gamma(k, s, 2.5, 2, d), stats.gamma(2.5, scale=2)),
    "gamma of 1/5": (lambda k, s, d: random.gamma(k, s, 0.2, 2, d), stats.gamma(0.2, scale=2)),
    "gamma of 1e4": (lambda k, s, d: random.gamma(k, s, 1e4, 1, d), stats.gamma(1e4)),
    "chisquare": (lambda k, s, d: random.chisquare(k, s, 3, d), stats.chi2(3)),
    "student_t": (lambda k, s, d: random.student_t(k, s, 3, 1, 2, d), stats.t(3, 1, 2)),
    "beta": (lambda k, s, d: random.beta(k, s, 0.3, 0.7, d), stats.beta(0.3, 0.7)),
    "truncated": (
        lambda k, s, d: truncated(k, s, -1, 2, 0.5, 2, d),
        stats.truncnorm(-0.75, 0.75, 0.5, 2),
    ),
    "truncated far above": (lambda k, s, d: truncated(k, s, 8, np.inf, dtype=d), FAR),
    "truncated far below": (
        lambda k, s, d: truncated(k, s, -9, -8, dtype=d),
        stats.truncnorm(-9, -8),
    ),
}


@pytest.mark.parametrize("generator", ["philox4x64", "philox4x32"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", list(CONTINUOUS))
def test_continuous(name, dtype, generator):
    draw, distribution = CONTINUOUS[name]
    got = draw(random.key(len(name), generator), (N,), dtype).eval()
    assert got.dtype == dtype
    assert np.isfinite(got).all()
    assert stats.kstest(got.astype("float64"), distribution.cdf).pvalue > UNLIKELY


P, ODDS = np.array([0.2, 0.5, 0.3]), np.array([1.0, 2.0, 0.5, 4.0])
CHOICE, CATEGORIES = ((0, 2), (0.2, 0.8)), (range(4), ODDS / 7.5)
COUNTS = {
    "bernoulli": (lambda k, s: random.bernoulli(k, s, 0.3, "int8"), stats.bernoulli(0.3)),
    "integers": (lambda k, s: random.integers(k, s, -3, 10), stats.randint(-3, 10)),
    "integers of 8 bits": (
        lambda k, s: random.integers(k, s, 7, dtype="int8"),
        stats.randint(0, 7),
    ),
    "poisson of 0.1": (lambda k, s: random.poisson(k, s, 0.1), stats.poisson(0.1)),
    "poisson of 9.9": (lambda k, s: random.poisson(k, s, 9.9), stats.poisson(9.9)),
    "poisson of 10": (lambda k, s: random.poisson(k, s, 10.0), stats.poisson(10)),
    "poisson of 500": (lambda k, s: random.poisson(k, s, 500.0), stats.poisson(500)),
    "binomial of 5": (lambda k, s: random.binomial(k, s, 5, 0.3), stats.binom(5, 0.3)),
    "binomial of 25": (lambda k, s: random.binomial(k, s, 25, 0.5), stats.binom(25, 0.5)),
    "binomial of 900": (lambda k, s: random.binomial(k, s, 900, 0.9), stats.binom(900, 0.9)),
    "geometric": (lambda k, s: random.geometric(k, s, 0.2), stats.geom(0.2)),
    "categorical": (
        lambda k, s: random.categorical(k, np.log(ODDS), shape=s),
        discrete(CATEGORIES),
    ),
    "choice": (lambda k, s: random.choice(k, 3, s, p=np.array([0.2, 0.0, 0.8])), discrete(CHOICE)),
    "multinomial": (lambda k, s: random.multinomial(k, s, 12, P)[:, 1], stats.binom(12, 0.5)),
}


def chi_square(got, distribution):
    """Return the probability of counts as far from the expected ones as these."""
    values = np.arange(got.min(), got.max() + 1)
    expected = distribution.pmf(values) * got.size
    counts = np.bincount(got - got.min(), minlength=len(values)).astype(float)
    often = expected > 5
    rest = got.size - expected[often].sum()
    if rest > 5:
        expected = np.append(expected[often], rest)
        counts = np.append(counts[often], counts[~often].sum())
    else:
        counts, expected = counts[often], expected[often]
        expected *= counts.sum() / expected.sum()
    return float(stats.chisquare(counts, expected).pvalue)


@pytest.mark.parametrize("generator", ["philox4x64", "philox4x32"])
@pytest.mark.parametrize("name", list(COUNTS))
def test_counts(name, generator):
    draw, distribution = COUNTS[name]
    got = draw(random.key(len(name), generator), (N,)).eval()
    assert chi_square(got, distribution) > UNLIKELY
    low, high = distribution.support()
    assert got.min() >= low
    assert got.max() <= high


def test_large_counts():
    for mean in (1e9, 1e15):
        z = (random.poisson(random.key(1), (N,), mean).eval() - mean) / np.sqrt(mean)
        assert stats.kstest(z, "norm").pvalue > UNLIKELY
    n, p = 10**14, 0.25
    z = (random.binomial(random.key(2), (N,), n, p).eval() - n * p) / np.sqrt(n * p * (1 - p))
    assert stats.kstest(z, "norm").pvalue > UNLIKELY


EDGES = [
    (random.poisson, 0, (0.0,)),
    (random.gamma, 0, (0.0,)),
    (random.normal, 3, (3.0, 0.0)),
    (random.binomial, 0, (10, 0.0)),
    (random.binomial, 1000, (1000, 1.0)),
    (random.binomial, 0, (0, 0.5)),
    (random.geometric, 1, (1.0,)),
    (random.bernoulli, 1, (1.0,)),
    (random.bernoulli, 0, (0.0,)),
    (random.integers, 5, (5, 6)),
]


@pytest.mark.parametrize("draw, value, parameters", EDGES)
def test_distributions_of_one_value(draw, value, parameters):
    assert (draw(random.key(3), (50,), *parameters).eval() == value).all()


def test_beta_of_small_parameters():
    small = random.beta(random.key(3), (1000,), 1e-3, 1e-3, "float64").eval()
    assert ((small >= 0) & (small <= 1)).all()
    assert abs(small.mean() - 0.5) < 0.1


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "uint64"])
def test_integers_over_the_whole_range(dtype):
    info = np.iinfo(dtype)
    got = random.integers(random.key(4), (N,), int(info.min), int(info.max) + 1, dtype).eval()
    assert got.dtype == dtype
    # Steps of int8 are that far from a continuous distribution.
    step = 2.0**-info.bits
    unit = (got.astype("float64") - float(info.min)) * step
    assert stats.kstest(unit, "uniform").statistic < 2 / np.sqrt(N) + step


def test_vectors():
    alpha = np.array([0.3, 0.5, 1.2])
    got = random.dirichlet(random.key(5), (N,), alpha, "float64").eval()
    np.testing.assert_allclose(got.sum(axis=1), 1, rtol=1e-14)
    for i, a in enumerate(alpha):
        marginal = stats.beta(a, alpha.sum() - a)
        assert stats.kstest(got[:, i], marginal.cdf).pvalue > UNLIKELY
    factor, mean = np.array([[1.0, 0.0], [0.5, 2.0]]), np.array([1.0, -2.0])
    got = random.multivariate_normal(random.key(6), (N,), mean, factor, "float64").eval()
    z = np.linalg.solve(factor, (got - mean).T)
    assert stats.kstest(z.ravel(), "norm").pvalue > UNLIKELY
    assert abs(np.corrcoef(z)[0, 1]) < 4 / np.sqrt(N)


def test_multinomial_counts_add_up():
    n, p = T.lvector("n"), T.dmatrix("p")
    f = theano.function([n, p], random.multinomial(random.key(7), None, n, p))
    trials = np.array([0, 5, 100_000])
    chances = np.array([[0.2, 0.8, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.1, 0.2, 0.3, 0.4]])
    got = f(trials, chances)
    np.testing.assert_array_equal(got.sum(axis=1), trials)
    assert got[1].tolist() == [0, 0, 5, 0]
    expected = chances[2] * trials[2]
    assert stats.chisquare(got[2], expected).pvalue > UNLIKELY
    assert f(trials, np.zeros((3, 0))).shape == (3, 0)


def test_orders_are_equally_likely():
    key = variable("uint64", 1)
    f = theano.function([key], random.permutation(key, 4))
    counts = Counter(tuple(f(one)) for one in random.split(random.key(8), 4800).eval())
    assert len(counts) == 24
    assert stats.chisquare(list(counts.values())).pvalue > UNLIKELY


def test_order_of_items():
    x = np.arange(12).reshape(6, 2)
    key = random.key(9)
    order = random.permutation(key, 6).eval()
    assert sorted(order.tolist()) == list(range(6))
    np.testing.assert_array_equal(random.permutation(key, x).eval(), x[order])
    np.testing.assert_array_equal(random.shuffle(key, x).eval(), x[order])
    np.testing.assert_array_equal(random.choice(key, 6, (4,), replace=False).eval(), order[:4])
    chosen = random.choice(key, x, (2, 2), replace=False).eval()
    np.testing.assert_array_equal(chosen, x[order[:4].reshape(2, 2)])
    drawn = random.choice(key, np.array([2.5, 7.0]), (1000,)).eval()
    assert set(drawn.tolist()) == {2.5, 7.0}
    assert random.permutation(key, 0).eval().shape == (0,)


def test_categorical_axis():
    p = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 3.0]])
    key = random.key(10)
    assert random.categorical(key, p=p).eval().tolist() == [0, 2]
    assert random.categorical(key, p=p, axis=0).eval()[[0, 2]].tolist() == [0, 1]
    assert (random.categorical(key, p=p, shape=(50, 2)).eval() == [0, 2]).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normal_quantile_there_and_back(dtype):
    p = variable(dtype, 1)
    edges = theano.function([p], normal_quantile(p))(np.array([0, 1, -0.1, 1.1, np.nan], dtype))
    np.testing.assert_array_equal(edges, [-np.inf, np.inf, np.nan, np.nan, np.nan])
    z = np.linspace(-8, 3, 200).astype(dtype)
    back = theano.function([p], normal_quantile(normal_distribution(p)))(z)
    # A unit of the probability moves z by up to 100 units at z = 3.
    np.testing.assert_allclose(back, z, rtol=400 * np.finfo(dtype).eps, atol=np.finfo(dtype).eps)


def test_tails_of_normal_numbers():
    # Words whose upper bit is the sign and whose others are all 0: the largest numbers there are.
    for dtype, bits in (("float64", 64), ("float32", 32)):
        words = np.array([0, 1, 1 << (bits - 1)], dtype=f"uint{bits}")
        z = SOURCES["normal"].compute(np, words)
        assert z.dtype == dtype
        assert z[0] == -z[2]
        assert z[0] == pytest.approx(-stats.norm.ppf(2.0 ** -(bits + 1)), rel=1e-6)
    got = np.abs(random.normal(random.key(11), (2_000_000,), dtype="float64").eval())
    for limit in (3.0, 4.0, 4.5):
        expected = 2 * stats.norm.sf(limit) * got.size
        assert abs((got > limit).sum() - expected) < 4 * np.sqrt(expected)
