"""Words, keys and dense draws: the numbers of NumPy's Philox, whatever runs them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower.reference import evaluate
from theano._core.ops import philox
from theano._core.runtime import native
from theano.tensor import random

SEEDS = [0, 1, 42, 2**64 - 1, 2**64, 2**127 + 12345]
# Random123's file of known answers: counter, key, block.
KNOWN = [
    (
        (0, 0, 0, 0),
        (0, 0),
        (0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B),
    ),
    (
        (2**64 - 1,) * 4,
        (2**64 - 1,) * 2,
        (0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0),
    ),
    (
        (0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89),
        (0x452821E638D01377, 0xBE5466CF34E90C6C),
        (0xA528F45403E61D95, 0x38C72DBD566E9788, 0xA5A1610E72FD18B5, 0x57BD43B5E52B7FE6),
    ),
]
# Around the ends of blocks, of vectors and of groups, and over several chunks of threads.
SIZES = [0, 1, 3, 4, 5, 63, 64, 65, 127, 129, 1001, 70_001]


def generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=seed))


@pytest.mark.parametrize(("counter", "key", "block"), KNOWN)
def test_known_answers(counter: tuple, key: tuple, block: tuple) -> None:
    words = [np.asarray([word], dtype="uint64") for word in counter]
    got = philox.philox(np, words, np.asarray(key, dtype="uint64"))
    assert [int(word[0]) for word in got] == list(block)


@pytest.mark.parametrize("seed", SEEDS)
def test_key_of_an_int_is_numpys(seed: int) -> None:
    state = np.random.Philox(key=seed).state["state"]["key"]
    np.testing.assert_array_equal(random.key(seed).data, state)


def test_key_of_a_variable() -> None:
    n = T.lscalar()
    f = theano.function([n], random.key(n))
    assert f(7).tolist() == [7, 0]
    assert f(-1).tolist() == [2**64 - 1, 0]


@pytest.fixture(scope="module")
def dense() -> Any:
    """Return a function (key, n) → bits, uniform numbers and normal ones of both widths."""
    key, n = T.TensorType("uint64", (False,))("key"), T.lscalar("n")
    draws = [
        random.bits(key, (n,), "uint64"),
        random.bits(key, (n,), "uint32"),
        random.uniform(key, (n,), dtype="float64"),
        random.uniform(key, (n,), dtype="float32"),
        random.normal(key, (n,), dtype="float64"),
        random.normal(key, (n,), dtype="float32"),
    ]
    return key, n, draws


@pytest.mark.parametrize("seed", SEEDS)
def test_numpys_numbers(dense: Any, seed: int) -> None:
    key, n, draws = dense
    f = theano.function([key, n], draws[:4])
    for size in SIZES:
        words, halves, double, single = f(random.key(seed).data, size)
        raw = np.random.Philox(key=seed).random_raw(size)
        np.testing.assert_array_equal(words, raw)
        np.testing.assert_array_equal(halves, raw.view("uint32")[:size])
        np.testing.assert_array_equal(double, generator(seed).random(size))
        np.testing.assert_array_equal(single, generator(seed).random(size, dtype="float32"))


def test_bounds_as_in_numpy() -> None:
    got = random.uniform(random.key(3), (1000,), -2.5, 7.25, dtype="float64").eval()
    np.testing.assert_array_equal(got, generator(3).uniform(-2.5, 7.25, 1000))


def ulps(one: np.ndarray, two: np.ndarray) -> float:
    return float(np.max(np.abs(one - two) / np.spacing(np.abs(two)), initial=0.0))


@pytest.mark.parametrize("size", SIZES)
def test_reference_agrees(dense: Any, size: int) -> None:
    key, n, draws = dense
    given = random.key(9).data
    got = theano.function([key, n], draws)(given, size)
    wanted = evaluate(draws, {key: given, n: np.asarray(size)})
    for one, two in zip(got[:4], wanted[:4], strict=True):
        assert one.dtype == two.dtype
        np.testing.assert_array_equal(one, two)
    assert ulps(got[4], wanted[4]) <= 2
    # The reference computes these in float64.
    assert ulps(got[5], wanted[5]) <= 3


ANYWHERE = {
    "bits": lambda k, n: random.bits(k, (n,), "uint32"),
    "uniform": lambda k, n: random.uniform(k, (n, 3)),
    "normal": lambda k, n: random.normal(k, (n, 3), 1.0, 2.0),
    "normal32": lambda k, n: random.normal(k, (n, 3), dtype="float32"),
    "gamma": lambda k, n: random.gamma(k, (n, 3), np.array([0.3, 1.0, 7.5])),
    "gamma of one shape": lambda k, n: random.gamma(k, (n, 3), 0.7),
    "poisson": lambda k, n: random.poisson(k, (n, 3), np.array([0.3, 9.0, 77.5])),
    "binomial": lambda k, n: random.binomial(k, (n, 3), np.array([3, 30, 1000]), 0.6),
    "multinomial": lambda k, n: random.multinomial(k, (n,), 25, np.array([0.2, 0.5, 0.3])),
    "integers": lambda k, n: random.integers(k, (n,), 10**12),
    "categorical": lambda k, n: random.categorical(k, p=np.array([0.2, 0.5, 0.3]), shape=(n,)),
    "permutation": lambda k, n: random.permutation(k, n),
    "student": lambda k, n: random.student_t(k, (n,), 3.0),
}


@pytest.mark.parametrize("name", list(ANYWHERE))
def test_same_bits_at_every_width_and_thread_count(name: str) -> None:
    key, n = T.TensorType("uint64", (False,))("key"), T.lscalar("n")
    out = ANYWHERE[name](key, n)
    given = random.key(11).data
    # Enough for several chunks where there are threads.
    for size in (5, 40_001):
        results = []
        for width in (0, 128, 256, 512):
            with theano.config.change_flags(vector_width=width):
                results.append(theano.function([key, n], out)(given, size))
        f = theano.function([key, n], out)
        before = native.get_threads()
        try:
            for threads in (1, 2, 4):
                native.set_threads(threads)
                results.append(f(given, size))
        finally:
            native.set_threads(before)
        for other in results[1:]:
            np.testing.assert_array_equal(results[0], other)


@pytest.mark.parametrize("name", [n for n in ANYWHERE if n not in ("normal", "normal32")])
def test_reference_draws_the_same(name: str) -> None:
    key, n = T.TensorType("uint64", (False,))("key"), T.lscalar("n")
    out = ANYWHERE[name](key, n)
    given = random.key(12).data
    got = theano.function([key, n], out)(given, 501)
    wanted = evaluate([out], {key: given, n: np.asarray(501)})[0]
    assert got.dtype == wanted.dtype
    np.testing.assert_allclose(got, wanted, rtol=1e-13)


SHAPES = [(), (0,), (1,), (7,), (2, 3), (3, 0, 2), (4, 1, 5)]


@pytest.mark.parametrize("shape", SHAPES)
def test_shape_only_folds_the_stream(shape: tuple[int, ...]) -> None:
    size = int(np.prod(shape))
    for draw in (
        lambda s: random.uniform(random.key(1), s),
        lambda s: random.normal(random.key(1), s),
        lambda s: random.gamma(random.key(1), s, 0.5),
        lambda s: random.poisson(random.key(1), s, 20.0),
    ):
        out = draw(shape)
        assert out.type.broadcastable == tuple(n == 1 for n in shape)
        got = theano.function([], out)()
        assert got.shape == shape
        np.testing.assert_array_equal(got.reshape(-1), draw((size,)).eval())
        lengths = T.lvector("lengths")
        symbolic = draw([lengths[i] for i in range(len(shape))]) if shape else out
        f = theano.function([lengths], symbolic, on_unused_input="ignore")
        np.testing.assert_array_equal(f(np.asarray(shape, dtype="int64")), got)


def test_shape_from_vectors_and_parameters() -> None:
    x = T.dmatrix("x")
    key = random.key(2)
    like = theano.function([x], random.normal(key, x.shape))(np.zeros((3, 2)))
    np.testing.assert_array_equal(like, random.normal(key, (3, 2)).eval())
    loc, scale = T.dcol("loc"), T.dvector("scale")
    f = theano.function([loc, scale], random.normal(key, None, loc, scale))
    means, deviations = np.array([[1.0], [2.0]]), np.array([1.0, 0.5, 0.0])
    z = random.normal(key, (2, 3)).eval()
    np.testing.assert_allclose(f(means, deviations), means + deviations * z, rtol=1e-15)


def test_dtypes() -> None:
    key = random.key(4)
    for dtype in ("float16", "float32", "float64"):
        for draw in (random.uniform, random.normal, random.exponential):
            assert draw(key, (3,), dtype=dtype).eval().dtype == dtype
    half = random.uniform(key, (9,), dtype="float16").eval()
    single = random.uniform(key, (9,), dtype="float32").eval()
    np.testing.assert_array_equal(half, single.astype("float16"))
    with theano.config.change_flags(floatX="float32"):
        assert random.normal(key, (3,)).type.dtype == "float32"
    for dtype in ("uint8", "uint16"):
        low = random.bits(key, (9,), dtype).eval()
        np.testing.assert_array_equal(low, random.bits(key, (9,)).eval().astype(dtype))


def test_split_and_fold_in() -> None:
    key = random.key(5)
    first, second = random.split(key)
    many = random.split(key, 5).eval()
    n = T.lscalar()
    np.testing.assert_array_equal(theano.function([n], random.split(key, n))(5), many)
    np.testing.assert_array_equal(first.eval(), many[0])
    np.testing.assert_array_equal(second.eval(), many[1])
    folded = random.fold_in(key, np.arange(5)).eval()
    for i in range(5):
        np.testing.assert_array_equal(random.fold_in(key, i).eval(), folded[i])
    # The words of counters that NumPy's generator reaches from one block earlier.
    for domain, keys in ((philox.SPLIT, many), (philox.FOLD_IN, folded)):
        for i in range(1, 5):
            counter = np.array([i - 1, 0, 0, domain], dtype="uint64")
            block = np.random.Philox(key=5, counter=counter).random_raw(2)
            np.testing.assert_array_equal(keys[i], block)
    assert len({tuple(k) for k in [*many, *folded, key.data]}) == 11


def test_keys_give_independent_streams() -> None:
    n = 250_000
    root = random.key(6)
    keys = [root, *random.split(root, 2), random.fold_in(root, 0), random.key(7)]
    drawn = np.array([random.normal(k, (n,), dtype="float64").eval() for k in keys])
    correlation = np.corrcoef(np.concatenate([drawn, drawn[:, ::-1], np.roll(drawn, 1, axis=1)]))
    apart = correlation[~np.eye(len(correlation), dtype=bool)]
    # 210 pairs, each normal of deviation n**-0.5.
    assert np.abs(apart).max() < 4.5 / np.sqrt(n)
