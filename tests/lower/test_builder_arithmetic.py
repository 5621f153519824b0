"""The builder's arithmetic, comparisons, conversions and memory, against NumPy."""

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
from kernel_jig import Kernel

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
FLOATS = ["float16", "float32", "float64"]
DTYPES = ["bool", *INTEGERS, *FLOATS]


def lanes_of(dtype, bits=256):
    return max(2, bits // 8 // np.dtype(dtype).itemsize)


def integers(dtype, n=3000):
    """All pairs of 8-bit numbers; otherwise random pairs and the edges."""
    info = np.iinfo(dtype)
    if info.bits == 8:
        every = np.arange(info.min, info.max + 1).astype(dtype)
        return np.repeat(every, 256), np.tile(every, 256)
    rng = np.random.default_rng(7)
    edges = [info.min, info.min + 1, info.max, info.max - 1, 0, 1, 2, 3, 7, 10]
    if info.min:
        edges += [-1, -2, -3, -7, -10]
    a, b = np.array(list(itertools.product(edges, edges)), dtype).T
    wide = rng.integers(info.min, info.max, (2, n), dtype, endpoint=True)
    near = rng.integers(max(info.min, -50), 50, (2, n)).astype(dtype)
    return (
        np.concatenate([a, wide[0], wide[0], near[0]]),
        np.concatenate([b, wide[1], near[1], near[1]]),
    )


def floats(dtype, n=4000):
    """Pairs of special numbers, of random bits, and of moderate numbers."""
    rng = np.random.default_rng(8)
    info = np.finfo(dtype)
    special = [0.0, -0.0, 1, -1, 0.5, -0.5, 2.5, -2.5, 3, 1e4, np.inf, -np.inf, np.nan]
    special += [info.max, info.min, info.tiny, info.smallest_subnormal, info.eps, 0.1, -0.3]
    a, b = np.array(list(itertools.product(special, special)), dtype).T
    unsigned = f"uint{np.dtype(dtype).itemsize * 8}"
    bits = rng.integers(0, np.iinfo(unsigned).max, (2, n), unsigned, endpoint=True).view(dtype)
    plain = (rng.standard_normal((2, n)) * 10 ** rng.uniform(-2, 2, (2, n))).astype(dtype)
    halves = rng.integers(-40, 40, (2, n)).astype(dtype) / dtype_number(dtype, 4)
    return tuple(np.concatenate(parts) for parts in zip((a, b), bits, plain, halves, strict=True))


def dtype_number(dtype, value):
    return np.dtype(dtype).type(value)


def pairs(dtype):
    if dtype == "bool":
        return np.array([0, 0, 1, 1], bool), np.array([0, 1, 0, 1], bool)
    return integers(dtype) if dtype in INTEGERS else floats(dtype)


def assert_same(got, want, *inputs):
    """Equal numbers with equal signs of zero; NaN equals NaN."""
    assert got.dtype == want.dtype
    same = got == want
    if want.dtype.kind == "f":
        same &= np.signbit(got) == np.signbit(want)
        same |= np.isnan(got) & np.isnan(want)
    where = np.flatnonzero(~same)[:5]
    shown = [(*(x[i] for x in inputs), got[i], want[i]) for i in where]
    assert not len(where), f"(inputs..., got, want): {shown}"


def check(build, reference, *arrays):
    """`build` in one lane and in many, against the reference."""
    dtypes = tuple(a.dtype.name for a in arrays)
    with np.errstate(all="ignore"):
        want = reference(*arrays)
    for lanes in (1, lanes_of(dtypes[0])):
        got = Kernel(build, dtypes, lanes)(*arrays)
        assert_same(got, want, *arrays)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("add", np.add),
        ("mul", np.multiply),
        ("minimum", np.minimum),
        ("maximum", np.maximum),
        ("eq", np.equal),
        ("neq", np.not_equal),
        ("lt", np.less),
        ("le", np.less_equal),
        ("gt", np.greater),
        ("ge", np.greater_equal),
    ],
)
def test_binary(name, reference, dtype):
    check(lambda b, x, y: getattr(b, name)(x, y), reference, *pairs(dtype))


@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS])
@pytest.mark.parametrize(
    ("name", "reference"),
    [("sub", np.subtract), ("int_div", np.floor_divide), ("mod", np.remainder)],
)
def test_subtraction_and_division(name, reference, dtype):
    check(lambda b, x, y: getattr(b, name)(x, y), reference, *pairs(dtype))


def dividends(divisor, dtype, count=200):
    """Numbers at both ends, beside multiples of a number, and any."""
    rng, info = np.random.default_rng(9), np.iinfo(dtype)
    first, last = (int(end) // divisor for end in (info.min, info.max))
    some = [int(n) for n in rng.integers(0, 2**63, count)]
    factors = [first, last, *(min(first, last) + n % (abs(last - first) + 1) for n in some)]
    near = [n * divisor + n % 3 - 1 for n in factors]
    wide = [n >> (n % 64) for n in some]
    every = [info.min, info.max, *range(4), *near, *wide, *(-n for n in wide)]
    return np.array([n for n in every if info.min <= n <= info.max], dtype)


DIVISORS = [3, 5, 6, 7, 10, 11, 641, 6_700_417, 10**12, 2**32 - 1, 2**32 + 1, 2**62 + 1, 2**63 - 1]


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
def test_words_are_divided_by_constants(dtype):
    rng = np.random.default_rng(10)
    divisors = [*DIVISORS, *(int(n) >> int(n) % 60 for n in rng.integers(2**62, 2**63, 20))]
    if dtype == "int64":
        divisors += [*(-n for n in divisors), -2, -8, -(2**62), -(2**63)]
    else:
        divisors += [2**63, 2**63 + 1, 2**64 - 1]
    for c in divisors:
        x = dividends(c, dtype)
        for lanes in (1, 2, 4, 8):
            quotients = Kernel(lambda b, x, c=c: b.int_div(x, c), (dtype,), lanes)(x)
            rests = Kernel(lambda b, x, c=c: b.mod(x, c), (dtype,), lanes)(x)
            assert quotients.tolist() == [int(n) // c for n in x], c
            assert rests.tolist() == [int(n) % c for n in x], c


def near_and_far(dtype):
    """Pairs of words, around the numbers up to which float64 divides them, and any."""
    rng, info = np.random.default_rng(12), np.iinfo(dtype)
    ends = [2**k + n for k in (0, 1, 31, 49, 50, 51, 52, 53, 62, 63) for n in range(-2, 3)]
    ends += [info.max - 1, info.max, *(-n for n in ends), 3, 7, 10**15]
    some = [int(n) >> int(n) % 64 for n in rng.integers(0, 2**63, 60)]
    every = [n for n in (*ends, *some, *(-n for n in some)) if info.min <= n <= info.max]
    y = np.array([b for b in every if b], dtype)
    x = np.array([n for b in y for n in every], dtype)
    # Multiples, and their neighbours.
    multiples = [(int(a) // int(b) * int(b) + n, b) for a in y for b in y for n in (-1, 0, 1)]
    multiples = [(a, b) for a, b in multiples if info.min <= a <= info.max]
    left, right = (np.array(part, dtype) for part in zip(*multiples, strict=True))
    x, y = np.concatenate([x, left]), np.concatenate([np.repeat(y, len(every)), right])
    # All of a vector are near, or not.
    order = np.argsort(np.maximum(np.abs(x.astype(float)), np.abs(y.astype(float))))
    return x[order][: len(x) // 8 * 8], y[order][: len(x) // 8 * 8]


@pytest.mark.parametrize("lanes", [1, 2, 4, 8])
@pytest.mark.parametrize("dtype", ["int64", "uint64"])
def test_words_are_divided_by_words(dtype, lanes):
    x, y = near_and_far(dtype)
    info = np.iinfo(dtype)
    quotients = Kernel(lambda b, x, y: b.int_div(x, y), (dtype, dtype), lanes)(x, y)
    rests = Kernel(lambda b, x, y: b.mod(x, y), (dtype, dtype), lanes)(x, y)
    pairs = list(zip(x.tolist(), y.tolist(), strict=True))
    # The lowest by -1 is itself.
    wanted = [a if (a, c) == (info.min, -1) and info.min else a // c for a, c in pairs]
    assert quotients.tolist() == wanted
    assert rests.tolist() == [a % c for a, c in pairs]


def truncated_power(x, y):
    """NumPy's power, and the truncated quotient where the exponent is negative."""
    if x.dtype.kind == "u":
        return np.power(x, y)
    negative = y < 0
    unit = np.where(x == 1, 1, np.where(x == -1, np.where(y % 2 == 0, 1, -1), 0))
    power = np.power(x, np.where(negative, 0, y).astype(y.dtype))
    return np.where(negative, unit, power).astype(x.dtype)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_power_of_integers(dtype):
    check(lambda b, x, y: b.pow(x, y), truncated_power, *pairs(dtype))


@pytest.mark.parametrize("dtype", FLOATS)
def test_true_division(dtype):
    check(lambda b, x, y: b.true_div(x, y), np.true_divide, *pairs(dtype))


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS])
@pytest.mark.parametrize(
    ("name", "reference"),
    [("and_", np.bitwise_and), ("or_", np.bitwise_or), ("xor", np.bitwise_xor)],
)
def test_bitwise(name, reference, dtype):
    x, y = pairs(dtype)
    check(lambda b, x, y: getattr(b, name)(x, y), reference, x, y)
    check(lambda b, x: b.invert(x), np.invert, x)


@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS])
@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("neg", np.negative),
        ("abs", np.absolute),
        ("sign", np.sign),
        ("sqr", np.square),
        ("isnan", np.isnan),
        ("isinf", np.isinf),
        ("isfinite", np.isfinite),
    ],
)
def test_unary(name, reference, dtype):
    check(lambda b, x: getattr(b, name)(x), reference, pairs(dtype)[0])


def round_half_away(x):
    return np.copysign(np.trunc(np.abs(x)) + (np.abs(x) - np.trunc(np.abs(x)) >= 0.5), x).astype(
        x.dtype
    )


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("floor", np.floor),
        ("ceil", np.ceil),
        ("trunc", np.trunc),
        ("round_half_even", np.rint),
        ("round_half_away", round_half_away),
        ("sqrt", np.sqrt),
        ("reciprocal", np.reciprocal),
    ],
)
def test_rounding_and_roots(name, reference, dtype):
    x = np.concatenate([*pairs(dtype), np.nextafter(np.array([0.5, -0.5], dtype), 0)])
    if name == "round_half_away":
        x = np.where(np.isinf(x), dtype_number(dtype, 1), x)
    check(lambda b, x: getattr(b, name)(x), reference, x)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_reciprocal_of_an_integer_is_truncated(dtype):
    x = pairs(dtype)[0]
    want = np.where(x == 1, x, 0) | np.where(x.astype("float64") == -1, x, 0)
    check(lambda b, x: b.reciprocal(x), lambda x: want.astype(dtype), x)


@pytest.mark.parametrize("dtype", DTYPES)
def test_select(dtype):
    x, y = pairs(dtype)
    condition = np.arange(len(x)) % 3 == 0
    for lanes in (1, lanes_of(dtype)):
        kernel = Kernel(lambda b, c, x, y: b.select(c, x, y), ("bool", dtype, dtype), lanes)
        assert_same(kernel(condition, x, y), np.where(condition, x, y), x, y)


def numpy_cast(x, dtype):
    """NumPy's scalar conversion: its array loop for uint32 saturates outside int64's low bits."""
    if dtype == "uint32" and x.dtype.kind == "f":
        return x.astype("int64").astype(dtype)
    return x.astype(dtype)


@pytest.mark.parametrize("source", DTYPES)
def test_cast(source):
    x = np.concatenate(pairs(source))
    if source in FLOATS:
        edges = [
            s * 2.0**k + d
            for k in (7, 8, 15, 16, 31, 32, 63, 64)
            for s in (1, -1)
            for d in (-1.5, -1, -0.5, 0, 0.5, 1)
        ]
        edges += [np.nextafter(2.0**k, 0) for k in (31, 32, 63, 64)]
        with np.errstate(over="ignore"):
            x = np.concatenate([x, np.array(edges, "float64").astype(source)])
    for dtype in DTYPES:
        with np.errstate(all="ignore"):
            want = numpy_cast(x, dtype)
        for lanes in (1, 8):
            got = Kernel(lambda b, x, dtype=dtype: b.cast(x, dtype), (source,), lanes)(x)
            assert_same(got, want, x)


@pytest.mark.parametrize("dtype", ["bool", "int16", "float16", "float64"])
def test_strided_load_and_store(dtype):
    n, stride = 4, 3 * np.dtype(dtype).itemsize
    x = np.arange(n * 3).astype(dtype)

    def build(b, _):
        y = b.load("%a0", dtype, n, stride)
        b.store(y, "%out", stride)
        return y

    kernel = Kernel(build, (dtype,), n)
    got = np.zeros(n * 3, dtype)
    kernel.raw(got.ctypes.data, x.ctypes.data, n)
    # The jig itself stores the four numbers, packed, after the strided store.
    want = np.zeros(n * 3, dtype)
    want[::3] = x[::3]
    want[:n] = x[::3]
    assert_same(got, want)


@pytest.mark.parametrize(
    ("kind", "dtype", "reference"),
    [
        ("sum", "int32", np.add.reduce),
        ("prod", "int32", np.multiply.reduce),
        ("min", "float64", np.minimum.reduce),
        ("max", "float32", np.maximum.reduce),
        ("and", "bool", np.logical_and.reduce),
        ("or", "bool", np.logical_or.reduce),
    ],
)
def test_reduce(kind, dtype, reference):
    rng = np.random.default_rng(3)
    lanes = 8
    kernel = Kernel(lambda b, x: b.broadcast(b.reduce(kind, x)), (dtype,), lanes)
    for _ in range(20):
        x = rng.integers(-3, 4, lanes).astype(dtype)
        if kind == "and":
            x |= rng.random() < 0.5
        assert_same(kernel(x), np.full(lanes, reference(x), dtype), x)


def test_reduce_adds_in_a_fixed_pairwise_order():
    x = np.random.default_rng(4).standard_normal(8)
    got = Kernel(lambda b, x: b.broadcast(b.reduce("sum", x)), ("float64",), 8)(x)[0]
    a = x[:4] + x[4:]
    a = a[:2] + a[2:]
    assert got == a[0] + a[1]


def test_equal_pure_instructions_are_emitted_once():
    text = Kernel(lambda b, x, y: b.add(b.mul(x, y), b.mul(x, y)), ("float64",) * 2, 4).text
    assert text.count("fmul") == 1


def test_broadcast_scalar():
    kernel = Kernel(lambda b, x: b.broadcast(b.lane(x, 2)), ("float32",), 4)
    assert kernel(np.array([1, 2, 3, 4], "float32")).tolist() == [3.0] * 4


@pytest.mark.parametrize("lanes", [1, 8])
def test_when_any_runs_its_block_only_where_needed(lanes):
    def build(b, x):
        big = b.gt(x, 100.0)
        (y,) = b.when_any(big, (x,), lambda: (b.select(big, b.sqrt(x), x),))
        return b.add(y, x)

    x = np.arange(256.0)
    got = Kernel(build, ("float64",), lanes)(x)
    assert_same(got, np.where(x > 100, np.sqrt(x), x) + x, x)


@pytest.mark.parametrize("width", [128, 256, 512])
def test_complements_end_no_process(width: int, tmp_path) -> None:
    program = """
import numpy as np
import theano
import theano.tensor as T
for mode in ("FAST_RUN", theano.Mode("llvm", None)):
    x, z = T.wvector("x"), T.zvector("z")
    ones = x | ~x
    quotient = ones // T.switch(T.eq(ones, 0), np.int16(1), ones)
    value = np.arange(5, dtype="int16")
    got, _ = theano.function([x, z], [quotient, z * x], mode=mode)(value, np.ones(5, complex))
    assert got.dtype == "int16" and (got == 1).all()
    for dtype in ("bool", "int8", "uint8", "int64", "uint64"):
        x = T.TensorType(dtype, (False,))("x")
        f = theano.function([x], [x | ~x, ~x & x, x & ~x, ~x ^ x, x ^ x, x | x], mode=mode)
        v = np.arange(2).astype(dtype)
        for one, two in zip(f(v), [v | ~v, ~v & v, v & ~v, ~v ^ v, v ^ v, v | v]):
            assert one.dtype == two.dtype and (one == two).all()
"""
    flags = f"base_compiledir={tmp_path},vector_width={width}"
    environ = {**os.environ, "THEANO_FLAGS": flags}
    subprocess.run([sys.executable, "-c", program], env=environ, check=True, timeout=120)
