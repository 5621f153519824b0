"""Draws have the distributions they claim: fixed seeds, and bounds that a right draw keeps.

Each bound leaves a chance of about one in a million; with fixed seeds the outcome never changes.
"""

import numpy as np
import pytest
from scipy import stats

import theano
from theano.sandbox.rng_mrg import MRG_RandomStreams
from theano.tensor.shared_randomstreams import RandomStreams

COUNT = 200_000
RARE = 1e-6
# Of a standard normal number: it is exceeded with a chance of one in a million.
SIGMAS = 4.9


def _drawn(variable):
    return theano.function([], variable)().astype("float64").reshape(-1)


MRG = MRG_RandomStreams
CONTINUOUS = {
    "MRG uniform": (lambda: MRG(7).uniform((COUNT,)), stats.uniform()),
    "MRG float32": (lambda: MRG(8).uniform((COUNT,), dtype="float32"), stats.uniform()),
    "MRG uniform between bounds": (
        lambda: MRG(9).uniform((COUNT,), -3.0, 5.0),
        stats.uniform(-3, 8),
    ),
    "MRG few streams": (lambda: MRG(10).uniform((COUNT,), nstreams=3), stats.uniform()),
    "MRG normal": (lambda: MRG(11).normal((COUNT,), 2.0, 3.0), stats.norm(2, 3)),
    "MRG odd number": (lambda: MRG(12).normal((COUNT - 1,), dtype="float32"), stats.norm()),
    "uniform": (lambda: RandomStreams(14).uniform((COUNT,)), stats.uniform()),
    "normal": (lambda: RandomStreams(15).normal((COUNT,), -1.0, 0.5), stats.norm(-1, 0.5)),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous(name):
    make, law = CONTINUOUS[name]
    drawn = _drawn(make())
    assert stats.kstest(drawn, law.cdf).pvalue > RARE
    error = law.std() / np.sqrt(len(drawn))
    assert abs(drawn.mean() - law.mean()) < SIGMAS * error
    fourth = law.stats(moments="k") + 3
    spread = law.var() * np.sqrt((float(fourth) - 1) / len(drawn))
    assert abs(drawn.var() - law.var()) < SIGMAS * spread


def test_the_tests_reject_wrong_draws():
    drawn = _drawn(MRG_RandomStreams(11).normal((COUNT,), 2.0, 3.0))
    assert stats.kstest(drawn, stats.norm(2, 3.1).cdf).pvalue < RARE
    assert abs(drawn.mean() - 2.05) > SIGMAS * 3 / np.sqrt(COUNT)


def test_uniform_numbers_are_inside():
    for dtype in ("float16", "float32", "float64"):
        drawn = _drawn(MRG_RandomStreams(1).uniform((1000, 1000), dtype=dtype))
        assert drawn.min() > 0
        assert drawn.max() < 1


def test_truncated_normal():
    """It follows the recipe of Theano 1.0.5, whose law is near the truncated normal, not it."""
    drawn = _drawn(MRG_RandomStreams(2).normal((COUNT,), truncate=True))
    assert abs(drawn).max() <= 2
    numpy = np.random.RandomState(3)
    cosine = np.cos(numpy.uniform(0, 2 * np.pi, COUNT))
    radius = np.sqrt(-2 * np.log(numpy.uniform(size=COUNT)))
    shorter = np.sqrt(-2 * np.log(numpy.uniform(np.exp(-2), 1, COUNT)))
    wanted = np.where(abs(radius * cosine) > 2, shorter, radius) * cosine
    assert stats.ks_2samp(drawn, wanted).pvalue > RARE
    assert stats.kstest(drawn, stats.truncnorm(-2, 2).cdf).statistic < 0.01
    spread = _drawn(MRG_RandomStreams(2).truncated_normal((COUNT,), std=3.0)).std()
    assert spread == pytest.approx(3, rel=0.02)


PVALS = [0.1, 0.2, 0.3, 0.4]
ROWS = np.array([PVALS] * COUNT)
COUNTS = {
    "MRG binomial": (lambda: MRG(20).binomial((COUNT,), p=0.3), [0.7, 0.3]),
    "MRG choice": (lambda: MRG(21).choice(1, p=ROWS, replace=False), PVALS),
    "random_integers": (lambda: RandomStreams(22).random_integers((COUNT,), 0, 4), [0.2] * 5),
    "choice": (lambda: RandomStreams(23).choice((COUNT,), 4, p=PVALS), PVALS),
    "binomial": (
        lambda: RandomStreams(24).binomial((COUNT,), 3, 0.25),
        stats.binom(3, 0.25).pmf(range(4)).tolist(),
    ),
}


@pytest.mark.parametrize("name", COUNTS)
def test_discrete(name):
    make, chances = COUNTS[name]
    observed = np.bincount(_drawn(make()).astype("int64"), minlength=len(chances))
    assert len(observed) == len(chances)
    assert stats.chisquare(observed, np.array(chances) * COUNT).pvalue > RARE


def test_multinomial_counts():
    rows = np.array([PVALS] * 2000)
    drawn = theano.function([], MRG_RandomStreams(25).multinomial(n=50, pvals=rows))()
    assert (drawn.sum(axis=1) == 50).all()
    assert stats.chisquare(drawn.sum(axis=0), np.array(PVALS) * 100_000).pvalue > RARE


def test_second_choice_without_replacement():
    rows = np.array([PVALS] * 50_000)
    drawn = theano.function([], MRG_RandomStreams(26).choice(2, p=rows, replace=False))()
    pairs = np.bincount(drawn[:, 0] * 4 + drawn[:, 1], minlength=16)
    p = np.array(PVALS)
    chances = p[:, None] * p[None, :] / (1 - p[:, None])
    apart = ~np.eye(4, dtype=bool)
    assert (pairs.reshape(4, 4)[~apart] == 0).all()
    assert stats.chisquare(pairs.reshape(4, 4)[apart], chances[apart] * 50_000).pvalue > RARE


@pytest.mark.parametrize("streams", [2, 16, 1000])
def test_neighbours_are_not_correlated(streams):
    """Neither those of a stream, nor those of neighbouring streams, nor variables."""
    rng = MRG_RandomStreams(30)
    f = theano.function([], [rng.uniform((COUNT,), nstreams=streams) for _ in range(2)])
    x, y = f()
    for first, second in ((x[:-1], x[1:]), (x[:-streams], x[streams:]), (x, y), (x, f()[0])):
        assert abs(np.corrcoef(first, second)[0, 1]) < SIGMAS / np.sqrt(len(first))
