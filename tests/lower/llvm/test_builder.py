"""The builder's arithmetic, comparisons, conversions and memory, against NumPy."""

import numpy as np
import pytest
from kernel_jig import Kernel, run

from support.arrays import FLOATS, SIGNED, UNSIGNED, edges, numbers
from support.comparison import assert_same
from support.processes import run_python

INTEGERS = [*SIGNED, *UNSIGNED]
REAL = [*INTEGERS, *FLOATS]


def lanes_of(dtype):
    return max(2, 32 // np.dtype(dtype).itemsize)


def pairs(dtype):
    """All pairs of 8-bit numbers; otherwise of edges, and of edges, random bits and others."""
    if np.dtype(dtype).itemsize == 1:
        every = edges("bool") if dtype == "bool" else np.arange(256, dtype="uint8").view(dtype)
        return np.repeat(every, len(every)), np.tile(every, len(every))
    ends, rng = edges(dtype), np.random.default_rng(7)
    one, two = (numbers(rng, dtype, (6000,)) for _ in range(2))
    halves = rng.integers(-40, 40, 500).astype(dtype) / np.dtype(dtype).type(4)
    one[:500] = halves.astype(dtype)
    repeated = np.repeat(ends, len(ends)), np.tile(ends, len(ends))
    return np.concatenate([repeated[0], one]), np.concatenate([repeated[1], two])


def truncated_power(x, y):
    """NumPy's power, and the truncated quotient where the exponent is negative."""
    if x.dtype.kind == "u":
        return np.power(x, y)
    negative = y < 0
    unit = np.where(x == 1, 1, np.where(x == -1, np.where(y % 2 == 0, 1, -1), 0))
    power = np.power(x, np.where(negative, 0, y).astype(y.dtype))
    return np.where(negative, unit, power).astype(x.dtype)


def truncated_reciprocal(x):
    return np.where(abs(x.astype("float64")) == 1, x, 0).astype(x.dtype)


def round_half_away(x):
    whole = np.trunc(np.abs(x))
    rounded = np.copysign(whole + (np.abs(x) - whole >= 0.5), x).astype(x.dtype)
    return np.where(np.isinf(x), x, rounded)


OF_ANY = ["bool", *REAL]
OF_BITS = ["bool", *INTEGERS]
# References, and the dtypes that they have.
BINARY = {
    **{name: (getattr(np, name), OF_ANY) for name in ("add", "minimum", "maximum")},
    "mul": (np.multiply, OF_ANY),
    "eq": (np.equal, OF_ANY),
    "neq": (np.not_equal, OF_ANY),
    "lt": (np.less, OF_ANY),
    "le": (np.less_equal, OF_ANY),
    "gt": (np.greater, OF_ANY),
    "ge": (np.greater_equal, OF_ANY),
    "sub": (np.subtract, REAL),
    "int_div": (np.floor_divide, REAL),
    "mod": (np.remainder, REAL),
    "and_": (np.bitwise_and, OF_BITS),
    "or_": (np.bitwise_or, OF_BITS),
    "xor": (np.bitwise_xor, OF_BITS),
    "pow": (truncated_power, INTEGERS),
    "true_div": (np.true_divide, FLOATS),
}
UNARY = {
    "neg": (np.negative, REAL),
    "abs": (np.absolute, REAL),
    "sqr": (np.square, REAL),
    **{name: (getattr(np, name), REAL) for name in ("sign", "isnan", "isinf", "isfinite")},
    **{name: (getattr(np, name), FLOATS) for name in ("floor", "ceil", "trunc", "sqrt")},
    "round_half_even": (np.rint, FLOATS),
    "round_half_away": (round_half_away, FLOATS),
    "invert": (np.invert, OF_BITS),
}
CASES = [(n, d) for n, (_, dtypes) in (BINARY | UNARY).items() for d in dtypes]
CASES += [("reciprocal", dtype) for dtype in REAL]


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_arithmetic_is_that_of_numpy(name, dtype):
    """In one lane and in many."""
    given = pairs(dtype)
    if name == "reciprocal":
        reference = np.reciprocal if dtype in FLOATS else truncated_reciprocal
    else:
        reference = (BINARY | UNARY)[name][0]
    if name not in BINARY:
        near = np.nextafter(np.array([0.5, -0.5]), 0) if dtype in FLOATS else []
        given = (np.concatenate([*given, np.asarray(near, dtype)]),)
        if name == "round_half_away":
            given = (given[0][np.isfinite(given[0])],)
    with np.errstate(all="ignore"):
        wanted = reference(*given)
    for lanes in (1, lanes_of(dtype)):
        assert_same(run(name, *given, lanes=lanes), wanted)


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
    divisors = [*DIVISORS, *(int(n) >> int(n) % 60 for n in rng.integers(2**62, 2**63, 10))]
    if dtype == "int64":
        divisors += [*(-n for n in divisors), -2, -8, -(2**62), -(2**63)]
    else:
        divisors += [2**63, 2**63 + 1, 2**64 - 1]
    for c in divisors:
        x = dividends(c, dtype)
        for lanes in (1, 2, 8):
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
    words, least = list(zip(x.tolist(), y.tolist(), strict=True)), np.iinfo(dtype).min
    # The lowest by -1 is itself.
    wanted = [a if (a, c) == (least, -1) and least else a // c for a, c in words]
    assert run("int_div", x, y, lanes=lanes).tolist() == wanted
    assert run("mod", x, y, lanes=lanes).tolist() == [a % c for a, c in words]


@pytest.mark.parametrize("dtype", OF_ANY)
def test_select(dtype):
    x, y = pairs(dtype)
    condition = np.arange(len(x)) % 3 == 0
    for lanes in (1, lanes_of(dtype)):
        assert_same(run("select", condition, x, y, lanes=lanes), np.where(condition, x, y))


def numpy_cast(x, dtype):
    """NumPy's scalar conversion: its array loop for uint32 saturates outside int64's low bits."""
    if dtype == "uint32" and x.dtype.kind == "f":
        return x.astype("int64").astype(dtype)
    return x.astype(dtype)


@pytest.mark.parametrize("source", OF_ANY)
def test_casts_of_any_number(source):
    x, widths = np.concatenate(pairs(source)), (7, 8, 15, 16, 31, 32, 63, 64)
    if source in FLOATS:
        near = [
            s * 2.0**k + d for k in widths for s in (1, -1) for d in (-1.5, -1, -0.5, 0, 0.5, 1)
        ]
        near += [np.nextafter(2.0**k, 0) for k in (31, 32, 63, 64)]
        with np.errstate(over="ignore"):
            x = np.concatenate([x, np.array(near, "float64").astype(source)])
    for dtype in OF_ANY:
        with np.errstate(all="ignore"):
            wanted = numpy_cast(x, dtype)
        for lanes in (1, 8):
            got = Kernel(lambda b, x, dtype=dtype: b.cast(x, dtype), (source,), lanes)(x)
            assert_same(got, wanted)


@pytest.mark.parametrize("dtype", ["bool", "int16", "float16", "float64"])
def test_strided_load_and_store(dtype):
    n, stride = 4, 3 * np.dtype(dtype).itemsize
    x = np.arange(n * 3).astype(dtype)

    def build(b, _):
        y = b.load("%a0", dtype, n, stride)
        b.store(y, "%out", stride)
        return y

    got = np.zeros(n * 3, dtype)
    Kernel(build, (dtype,), n).raw(got.ctypes.data, x.ctypes.data, n)
    # The jig itself stores the four numbers, packed, after the strided store.
    wanted = np.zeros(n * 3, dtype)
    wanted[::3] = x[::3]
    wanted[:n] = x[::3]
    assert_same(got, wanted)


REDUCTIONS = [("sum", "int32", np.add), ("prod", "int32", np.multiply)]
REDUCTIONS += [("min", "float64", np.minimum), ("max", "float32", np.maximum)]
REDUCTIONS += [("and", "bool", np.logical_and), ("or", "bool", np.logical_or)]


@pytest.mark.parametrize(("kind", "dtype", "reference"), REDUCTIONS)
def test_lanes_are_reduced(kind, dtype, reference):
    rng = np.random.default_rng(3)
    kernel = Kernel(lambda b, x: b.broadcast(b.reduce(kind, x)), (dtype,), 8)
    for _ in range(20):
        x = rng.integers(-3, 4, 8).astype(dtype)
        if kind == "and":
            x |= rng.random() < 0.5
        assert_same(kernel(x), np.full(8, reference.reduce(x), dtype))


def test_lanes_are_added_in_a_fixed_pairwise_order():
    x = np.random.default_rng(4).standard_normal(8)
    got = Kernel(lambda b, x: b.broadcast(b.reduce("sum", x)), ("float64",), 8)(x)[0]
    a = x[:4] + x[4:]
    a = a[:2] + a[2:]
    assert got == a[0] + a[1]


def test_equal_pure_instructions_are_emitted_once():
    text = Kernel(lambda b, x, y: b.add(b.mul(x, y), b.mul(x, y)), ("float64",) * 2, 4).text
    assert text.count("fmul") == 1


def test_a_lane_is_broadcast():
    kernel = Kernel(lambda b, x: b.broadcast(b.lane(x, 2)), ("float32",), 4)
    assert kernel(np.array([1, 2, 3, 4], "float32")).tolist() == [3.0] * 4


@pytest.mark.parametrize("lanes", [1, 8])
def test_when_any_runs_its_block_only_where_needed(lanes):
    def build(b, x):
        big = b.gt(x, 100.0)
        (y,) = b.when_any(big, (x,), lambda: (b.select(big, b.sqrt(x), x),))
        return b.add(y, x)

    x = np.arange(256.0)
    assert_same(Kernel(build, ("float64",), lanes)(x), np.where(x > 100, np.sqrt(x), x) + x)


@pytest.mark.parametrize("width", [128, 256, 512])
def test_complements_end_no_process(width, tmp_path):
    program = """
        import numpy as np
        import theano
        import theano.tensor as T
        for mode in ("FAST_RUN", theano.Mode("llvm", None)):
            x, z = T.wvector("x"), T.zvector("z")
            ones = x | ~x
            quotient = ones // T.switch(T.eq(ones, 0), np.int16(1), ones)
            value = np.arange(5, dtype="int16")
            f = theano.function([x, z], [quotient, z * x], mode=mode)
            got, _ = f(value, np.ones(5, complex))
            assert got.dtype == "int16" and (got == 1).all()
            for dtype in ("bool", "int8", "uint8", "int64", "uint64"):
                def of(x):
                    return [x | ~x, ~x & x, x & ~x, ~x ^ x, x ^ x, x | x]
                x, v = T.TensorType(dtype, (False,))("x"), np.arange(2).astype(dtype)
                for one, two in zip(theano.function([x], of(x), mode=mode)(v), of(v)):
                    assert one.dtype == two.dtype and (one == two).all()
    """
    run_python(program, flags=f"base_compiledir={tmp_path},vector_width={width}")
