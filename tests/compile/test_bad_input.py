"""Wrong calls by the thousand: an exception each, no crash, no leak, no change of shared values."""

import contextlib
import gc
import os

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import unaligned
from support.compiling import evaluate
from theano.tensor.shared_randomstreams import RandomStreams

REFUSALS = (TypeError, ValueError, IndexError, KeyError, OverflowError)


def rss_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def stepper():
    x, v, i = T.dmatrix("x"), T.fvector("v"), T.lscalar("i")
    w, b = theano.shared(np.arange(3.0), "w"), theano.shared(2.0, "b")
    out = T.dot(x, w) + b + v[i]
    updates = [(w, w - 0.1 * T.dot(x.T, out)), (b, b + out.sum())]
    inputs = [x, theano.In(v, value=np.ones(4, "float32")), i]
    return theano.function(inputs, out, updates=updates), [w, b]


KINDS = ["int8", "int64", "uint64", "float16", "complex64", "float32", "bool", ">f8", "f8"]
JUNK = [
    *(None, "text", b"bytes", object(), [], [[]], {}, float("nan"), 10**30, -1, 3, 2.5, 1j, True),
    *([1, [2, 3]], T.dmatrix(), np.float32(1), np.datetime64("2020"), np.array(["a"])),
    *(np.array([None]), np.zeros((0, 3)), np.zeros((3, 0)), np.zeros((4, 3))[::-1, ::-1]),
    *(np.zeros((2, 3), order="F"), np.ma.masked_array([1.0, 2]), np.zeros((2, 3), [("a", "f8")])),
    unaligned(np.ones((2, 3))),
    lambda rng: np.zeros(rng.integers(0, 5, rng.integers(0, 4))),
    lambda rng: rng.integers(-9, 9, rng.integers(0, 4, 2)).astype(rng.choice(KINDS)),
]
NAMES = ["x", "v", "i", "zzz", "output_subset"]


def junk(rng):
    one = JUNK[rng.integers(len(JUNK))]
    return one(rng) if callable(one) else one


def test_thousands_of_random_calls():
    f, shared = stepper()
    rng = np.random.default_rng(7)
    good = bad = 0
    for _ in range(5000):
        args = [junk(rng) for _ in range(rng.integers(0, 5))]
        names = rng.choice(NAMES, rng.integers(0, 3), replace=False)
        kwargs = {str(name): junk(rng) for name in names}
        if rng.random() < 0.3:
            args = [
                rng.normal(size=(2, rng.choice([3, 3, 3, 4]))),
                np.ones(rng.choice([4, 4, 2]), "float32"),
                int(rng.integers(-5, 5)),
            ]
            kwargs = kwargs if rng.random() < 0.5 else {}
        before = [s.get_value() for s in shared]
        try:
            f(*args, **kwargs)
            good += 1
        except REFUSALS:
            bad += 1
            for value, s in zip(before, shared, strict=True):
                np.testing.assert_array_equal(value, s.get_value())
        if not np.isfinite(shared[0].get_value()).all():
            shared[0].set_value(np.arange(3.0))
            shared[1].set_value(2.0)
    assert bad > 3000
    assert good > 300


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs /proc")
def test_memory_is_flat_over_many_calls():
    f, _ = stepper()
    x = np.ones((2, 3))

    def many(n):
        for k in range(n):
            f(x * 0, i=1)
            if k % 2:
                for wrong in (x[:, :2], "no"):
                    with contextlib.suppress(ValueError):
                        f(wrong, i=1)

    many(3000)
    gc.collect()
    before = rss_bytes()
    many(50_000)
    gc.collect()
    assert rss_bytes() - before < 4 << 20


def test_a_failed_call_leaves_everything():
    x = T.dvector("x")
    a, b = theano.shared(np.ones(3), "a"), theano.shared(np.ones(4), "b")
    f = theano.function([x], [], updates=[(a, a + x), (b, b + x)])
    for n in (3, 4, 5):
        with pytest.raises(ValueError, match="mis-match"):
            f(np.ones(n))
        np.testing.assert_array_equal(a.get_value(), np.ones(3))
        np.testing.assert_array_equal(b.get_value(), np.ones(4))


def test_a_failed_call_leaves_random_streams():
    x = T.dvector("x")
    f, again = (theano.function([x], RandomStreams(3).uniform((4,)) + x) for _ in range(2))
    np.testing.assert_array_equal(f(np.zeros(4)), again(np.zeros(4)))
    with pytest.raises(ValueError, match="mis-match"):
        f(np.zeros(5))
    np.testing.assert_array_equal(f(np.zeros(4)), again(np.zeros(4)))


def test_nan_and_empty_arrays_are_values():
    x = T.dvector("x")
    f = theano.function([x], [T.exp(x), x.sum(), T.maximum(x, 0), x[::-1]])
    e, s, m, r = f([np.nan, 1.0, np.inf])
    assert np.isnan([e[0], s, m[0], r[2]]).all()
    assert [v.shape for v in f([])] == [(0,), (), (0,), (0,)]


@pytest.mark.parametrize("lengths", [(2**61,), (2**62 + 1, 4), (2**33, 2**31 + 1), (2**40, 2**40)])
def test_sizes_that_wrap_around_are_refused(lengths):
    sizes = [T.lscalar(f"n{i}") for i in range(len(lengths))]
    made = T.alloc(T.constant(1.0), *sizes)
    for out in (made, made.T + 1, T.zeros(sizes, "int8") + T.ones(sizes, "int8")):
        with pytest.raises(MemoryError):
            evaluate(out, dict(zip(sizes, lengths, strict=True)))


@pytest.mark.parametrize("lengths", [(-1,), (3, -2)])
def test_negative_lengths_are_refused(lengths):
    sizes = [T.lscalar(f"n{i}") for i in range(len(lengths))]
    with pytest.raises(ValueError, match="negative"):
        evaluate(T.zeros(sizes) + 1, dict(zip(sizes, lengths, strict=True)))


@pytest.mark.parametrize("variable", [T.dvector(), T.frow(), T.lscalar(), T.matrix(shape=(2, 3))])
def test_none_stands_for_an_input_that_no_result_needs(variable):
    x = T.dscalar("x")
    f = theano.function([x, theano.In(variable, "y")], 2 * x, on_unused_input="ignore")
    assert f(1.0, None) == f(1.0, y=None) == f.copy()(1.0, None)[0] == 2
    for unfit in ((None, None), (1.0, "text")):
        with pytest.raises((TypeError, ValueError), match="Bad input argument"):
            f(*unfit)
    f = theano.function([x, variable], [2 * x, variable.shape])
    with pytest.raises(TypeError, match="cannot store None"):
        f(1.0, None)
