"""Words, keys and dense draws: the numbers of NumPy's Philox, whatever runs them."""

from functools import cache, partial

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import variable
from support.comparison import assert_same
from theano._core.lower.reference import evaluate
from theano._core.ops.random import philox
from theano._core.runtime import native
from theano.tensor import random

SEEDS = [0, 1, 42, 2**64 - 1, 2**64, 2**127 + 12345]
# Random123's file of known answers: counter, key, block.
PI = (0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89)
PI_SHORT = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)
# Random123's file of known answers: dtype, counter, key, block.
KNOWN = [
    ("uint64", (0,) * 4, (0, 0),
     "16554D9ECA36314C DB20FE9D672D0FDC D7E772CEE186176B 7E68B68AEC7BA23B"),
    ("uint64", (2**64 - 1,) * 4, (2**64 - 1,) * 2,
     "87B092C3013FE90B 438C3C67BE8D0224 9CC7D7C69CD777B6 A09CAEBF594F0BA0"),
    ("uint64", PI, (0x452821E638D01377, 0xBE5466CF34E90C6C),
     "A528F45403E61D95 38C72DBD566E9788 A5A1610E72FD18B5 57BD43B5E52B7FE6"),
    ("uint32", (0,) * 4, (0,) * 2, "6627E8D5 E169C58D BC57AC4C 9B00DBD8"),
    ("uint32", (2**32 - 1,) * 4, (2**32 - 1,) * 2, "408F276D 41C83B0E A20BC7C6 6D5451FD"),
    ("uint32", PI_SHORT, (0xA4093822, 0x299F31D0), "D16CFE09 94FDCCEB 5001E420 24126EA1"),
]  # fmt: skip

# Around the ends of blocks, of vectors and of groups, and over several chunks of threads.
SIZES = [0, 1, 3, 4, 5, 63, 64, 65, 127, 129, 1001, 70_001]


def generator(seed):
    return np.random.Generator(np.random.Philox(key=seed))


@pytest.mark.parametrize("dtype, counter, key, block", KNOWN)
def test_known_answers(dtype, counter, key, block):
    words = [np.asarray([word], dtype=dtype) for word in counter]
    got = philox.philox(np, words, np.asarray(key, dtype=dtype))
    assert [int(word[0]) for word in got] == [int(word, 16) for word in block.split()]


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1, 2**64 - 1])
@pytest.mark.parametrize("bits", [0, 128, 256, 512])
def test_the_stream_of_short_words(seed, bits):
    key, n = T.TensorType("uint32", (False,))("key"), T.lscalar("n")
    draws = [random.bits(key, (n,), kind) for kind in ("uint64", "uint32")]
    draws += [random.uniform(key, (n,), dtype=kind) for kind in ("float64", "float32")]
    draws += [random.split(key, n), random.fold_in(key, n - 1)]
    with theano.change_flags(vector_width=bits):
        f = theano.function([key, n], draws)
    given = random.key(seed, "philox4x32").data
    assert given.tolist() == [seed % 2**32, seed >> 32]
    for size in SIZES:
        zero = np.zeros(size // 2 + 1, "uint32")
        numbers = np.arange(1, size // 2 + 2, dtype="uint32")
        blocks = philox.philox(np, (numbers, zero, zero, zero), given)
        wanted = np.stack(blocks, axis=1).reshape(-1).view("uint64")[:size]
        words, halves, double, single, keys, folded = f(given, size)
        np.testing.assert_array_equal(words, wanted)
        np.testing.assert_array_equal(halves, wanted.view("uint32")[:size])
        np.testing.assert_array_equal(double, (wanted >> np.uint64(11)) * 2.0**-53)
        np.testing.assert_array_equal(single, (halves >> 8) * np.float32(2.0**-24))
        assert keys.dtype == folded.dtype == "uint32"
        numbers = np.arange(size, dtype="uint32")
        zero, domain = numbers * 0, numbers * 0 + np.uint32(philox.SPLIT)
        pairs = philox.philox(np, (numbers, zero, zero, domain), given)[:2]
        np.testing.assert_array_equal(keys, np.stack(pairs, axis=1))
        whole = np.asarray([(size - 1) % 2**64], "uint64")
        parts = [whole.astype("uint32"), (whole >> np.uint64(32)).astype("uint32")]
        last = [np.zeros(1, "uint32"), np.full(1, philox.FOLD_IN, "uint32")]
        pair = philox.philox(np, (*parts, *last), given)[:2]
        assert folded.tolist() == [int(word[0]) for word in pair]


@pytest.mark.parametrize("name, bits", [("philox4x64", 64), ("philox4x32", 32)])
def test_key_of_a_variable(name, bits):
    n = T.lscalar()
    f = theano.function([n], random.key(n, generator=name))
    assert f(7).tolist() == [7, 0]
    assert f(-1).tolist() == [2**64 - 1, 0] if bits == 64 else [2**32 - 1] * 2
    assert f(5 << 32).tolist() == ([5 << 32, 0] if bits == 64 else [0, 5])


def test_streams_of_short_words():
    stream = random.Stream(3, "philox4x32")
    g = theano.function([], stream.uniform((3,)))
    first = g()
    assert (first != g()).all()
    stream.seed(3)
    np.testing.assert_array_equal(g(), first)
    given = random.fold_in(random.fold_in(random.key(3, "philox4x32"), 0), 0)
    np.testing.assert_array_equal(first, random.uniform(given, (3,)).eval())


@pytest.mark.parametrize("seed", SEEDS)
def test_key_of_an_int_is_numpys(seed):
    state = np.random.Philox(key=seed).state["state"]["key"]
    np.testing.assert_array_equal(random.key(seed).data, state)


KEY, NUMBER = T.TensorType("uint64", (False,))("key"), T.lscalar("n")
DENSE = [
    draw(KEY, (NUMBER,), dtype=dtype)
    for draw, dtypes in (
        (random.bits, ("uint64", "uint32")),
        (random.uniform, ("float64", "float32")),
        (random.normal, ("float64", "float32")),
    )
    for dtype in dtypes
]


@cache
def dense():
    return theano.function([KEY, NUMBER], DENSE)


@pytest.mark.parametrize("seed", SEEDS)
def test_numpys_numbers(seed):
    for size in SIZES:
        words, halves, double, single, *_ = dense()(random.key(seed).data, size)
        raw = np.random.Philox(key=seed).random_raw(size)
        np.testing.assert_array_equal(words, raw)
        np.testing.assert_array_equal(halves, raw.view("uint32")[:size])
        np.testing.assert_array_equal(double, generator(seed).random(size))
        np.testing.assert_array_equal(single, generator(seed).random(size, dtype="float32"))


def test_bounds_as_in_numpy():
    got = random.uniform(random.key(3), (1000,), -2.5, 7.25, dtype="float64").eval()
    np.testing.assert_array_equal(got, generator(3).uniform(-2.5, 7.25, 1000))


@pytest.mark.parametrize("size", SIZES)
def test_reference_agrees(size):
    given = random.key(9).data
    got = dense()(given, size)
    wanted = evaluate(DENSE, {KEY: given, NUMBER: np.asarray(size)})
    assert_same(got[:4], wanted[:4])
    assert_same(got[4], wanted[4], ulp=2)
    # The reference computes these in float64.
    assert_same(got[5], wanted[5].astype("float32"), ulp=3)


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


GENERATORS = {"philox4x64": "uint64", "philox4x32": "uint32"}


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("name", ANYWHERE)
# The second is enough for several chunks where there are threads.
@pytest.mark.parametrize("size", [5, 40_001])
def test_same_bits_at_every_width_and_thread_count(name, generator, size):
    key, n = variable(GENERATORS[generator], 1), T.lscalar("n")
    out, given, results = ANYWHERE[name](key, n), random.key(11, generator).data, []
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
    assert_same(results[1:], results[:1] * 6)


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("name", [n for n in ANYWHERE if n not in ("normal", "normal32")])
def test_reference_draws_the_same(name, generator):
    key, n = variable(GENERATORS[generator], 1), T.lscalar("n")
    out, given = ANYWHERE[name](key, n), random.key(12, generator).data
    got = theano.function([key, n], out)(given, 501)
    wanted = evaluate([out], {key: given, n: np.asarray(501)})[0]
    assert got.dtype == wanted.dtype
    np.testing.assert_allclose(got, wanted, rtol=1e-13)


DRAWS = [
    random.uniform,
    random.normal,
    partial(random.gamma, a=0.5),
    partial(random.poisson, lam=20.0),
]


@pytest.mark.parametrize("shape", [(), (0,), (1,), (7,), (2, 3), (3, 0, 2), (4, 1, 5)])
@pytest.mark.parametrize("draw", DRAWS)
def test_shape_only_folds_the_stream(shape, draw):
    key, lengths = random.key(1), T.lvector("lengths")
    out, flat = draw(key, shape=shape), draw(key, shape=(int(np.prod(shape)),))
    assert out.type.broadcastable == tuple(n == 1 for n in shape)
    symbolic = draw(key, shape=[lengths[i] for i in range(len(shape))]) if shape else out
    f = theano.function([lengths], [out, flat, symbolic], on_unused_input="ignore")
    got, in_line, found = f(np.asarray(shape, dtype="int64"))
    assert got.shape == shape
    assert_same([got.reshape(-1), found], [in_line, got])


def test_shape_from_vectors_and_parameters():
    x = T.dmatrix("x")
    key = random.key(2)
    like = theano.function([x], random.normal(key, x.shape))(np.zeros((3, 2)))
    np.testing.assert_array_equal(like, random.normal(key, (3, 2)).eval())
    loc, scale = T.dcol("loc"), T.dvector("scale")
    f = theano.function([loc, scale], random.normal(key, None, loc, scale))
    means, deviations = np.array([[1.0], [2.0]]), np.array([1.0, 0.5, 0.0])
    z = random.normal(key, (2, 3)).eval()
    np.testing.assert_allclose(f(means, deviations), means + deviations * z, rtol=1e-15)


def test_dtypes():
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


def test_split_and_fold_in():
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


@pytest.mark.parametrize("generator", GENERATORS)
def test_keys_give_independent_streams(generator):
    n = 250_000
    root = random.key(6, generator)
    keys = [root, *random.split(root, 2), random.fold_in(root, 0), random.key(7, generator)]
    drawn = np.array([random.normal(k, (n,), dtype="float64").eval() for k in keys])
    correlation = np.corrcoef(np.concatenate([drawn, drawn[:, ::-1], np.roll(drawn, 1, axis=1)]))
    apart = correlation[~np.eye(len(correlation), dtype=bool)]
    # 210 pairs, each normal of deviation n**-0.5.
    assert np.abs(apart).max() < 4.5 / np.sqrt(n)
