"""Words, keys and dense draws: the numbers of NumPy's Philox, whatever runs them."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower.reference import evaluate
from theano._core.ops.random import philox
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
# Of 32-bit words.
KNOWN_SHORT = [
    ((0,) * 4, (0,) * 2, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((2**32 - 1,) * 4, (2**32 - 1,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
# Around the ends of blocks, of vectors and of groups, and over several chunks of threads.
SIZES = [0, 1, 3, 4, 5, 63, 64, 65, 127, 129, 1001, 70_001]


def generator(seed):
    return np.random.Generator(np.random.Philox(key=seed))


@pytest.mark.parametrize(("counter", "key", "block"), KNOWN + KNOWN_SHORT)
def test_known_answers(counter, key, block):
    dtype = "uint32" if max(block) < 2**32 else "uint64"
    words = [np.asarray([word], dtype=dtype) for word in counter]
    got = philox.philox(np, words, np.asarray(key, dtype=dtype))
    assert [int(word[0]) for word in got] == list(block)


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


def test_seeds_of_short_words():
    n = T.lscalar()
    f = theano.function([n], random.key(n, generator="philox4x32"))
    assert f(7).tolist() == [7, 0]
    assert f(-1).tolist() == [2**32 - 1, 2**32 - 1]
    assert f(5 << 32).tolist() == [0, 5]
    with pytest.raises(ValueError, match=r"from 0 to 2\*\*64 - 1"):
        random.key(2**64, "philox4x32")
    with pytest.raises(ValueError, match="one of philox4x64, philox4x32, not 'mt19937'"):
        random.key(1, "mt19937")
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


def test_key_of_a_variable():
    n = T.lscalar()
    f = theano.function([n], random.key(n))
    assert f(7).tolist() == [7, 0]
    assert f(-1).tolist() == [2**64 - 1, 0]


@pytest.fixture(scope="module")
def dense():
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
def test_numpys_numbers(dense, seed):
    key, n, draws = dense
    f = theano.function([key, n], draws[:4])
    for size in SIZES:
        words, halves, double, single = f(random.key(seed).data, size)
        raw = np.random.Philox(key=seed).random_raw(size)
        np.testing.assert_array_equal(words, raw)
        np.testing.assert_array_equal(halves, raw.view("uint32")[:size])
        np.testing.assert_array_equal(double, generator(seed).random(size))
        np.testing.assert_array_equal(single, generator(seed).random(size, dtype="float32"))


def test_bounds_as_in_numpy():
    got = random.uniform(random.key(3), (1000,), -2.5, 7.25, dtype="float64").eval()
    np.testing.assert_array_equal(got, generator(3).uniform(-2.5, 7.25, 1000))


def ulps(one, two):
    return float(np.max(np.abs(one - two) / np.spacing(np.abs(two)), initial=0.0))


@pytest.mark.parametrize("size", SIZES)
def test_reference_agrees(dense, size):
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


GENERATORS = {"philox4x64": "uint64", "philox4x32": "uint32"}


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("name", list(ANYWHERE))
def test_same_bits_at_every_width_and_thread_count(name, generator):
    key, n = T.TensorType(GENERATORS[generator], (False,))("key"), T.lscalar("n")
    out = ANYWHERE[name](key, n)
    given = random.key(11, generator).data
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


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("name", [n for n in ANYWHERE if n not in ("normal", "normal32")])
def test_reference_draws_the_same(name, generator):
    key, n = T.TensorType(GENERATORS[generator], (False,))("key"), T.lscalar("n")
    out = ANYWHERE[name](key, n)
    given = random.key(12, generator).data
    got = theano.function([key, n], out)(given, 501)
    wanted = evaluate([out], {key: given, n: np.asarray(501)})[0]
    assert got.dtype == wanted.dtype
    np.testing.assert_allclose(got, wanted, rtol=1e-13)


SHAPES = [(), (0,), (1,), (7,), (2, 3), (3, 0, 2), (4, 1, 5)]


@pytest.mark.parametrize("shape", SHAPES)
def test_shape_only_folds_the_stream(shape):
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
