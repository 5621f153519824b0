"""Every reduction: native code against NumPy, over dtypes, axes, lengths and layouts."""

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import COMPLEX, FLOATS
from theano._core.api.debug.checks import draw, layouts, tensor
from theano._core.base import dtypes
from theano._core.compile.function import function
from theano._core.lower.reference import evaluate
from theano._core.ops.array.reductions import EXTREMES, REDUCERS, ArgExtreme, reduce

KINDS = ["bool", "int8", "uint8", "int32", "int64", "uint64", *FLOATS, *COMPLEX]
SHAPES = [(1,), (5,), (37,), (5000,), (3, 4), (1, 9), (40, 70), (2, 3, 5), (6, 1, 7)]


def axes_of(rank):
    return [None, *(c for n in range(rank) for c in itertools.combinations(range(rank), n + 1))]


RANKS_AND_AXES = [(rank, axis) for rank in (1, 2, 3) for axis in axes_of(rank)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", REDUCERS)
def test_reductions(name, kind):
    if name in EXTREMES and dtypes.is_complex(kind):
        return
    rng = np.random.default_rng(1)
    for rank, axis in RANKS_AND_AXES:
        x = tensor(kind, (2,) * rank)
        out = reduce(name, x, axis)
        f = function([x], out)
        for shape in [s for s in SHAPES if len(s) == rank]:
            array = draw(rng, REDUCERS[name].samples, kind, shape)
            if name == "prod":
                array = np.where(array == 0, 1, np.sign(array.real.astype("float64"))).astype(kind)
            scale = np.abs(array.astype("complex128")).sum() if name == "sum" else 1
            wanted = evaluate([out], {x: array})[0]
            for given in layouts(array).values():
                got = f(given)
                assert (got.dtype, got.shape) == (wanted.dtype, wanted.shape)
                eps = float(np.finfo(got.dtype).eps) if got.dtype.kind in "fc" else 0.0
                bound = eps * (8 + array.size / 8)
                np.testing.assert_allclose(got, wanted, rtol=bound, atol=bound * scale)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (0, 0), (2, 0, 3)])
@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE", theano.Mode("py", None)])
@pytest.mark.parametrize("name", ["max", "min", "argmax", "argmin"])
def test_extremes_of_nothing_are_the_errors_of_numpy(shape, mode, name):
    x = tensor("float64", (False,) * len(shape))
    for axis in (None, *range(len(shape))):
        f = function([x], getattr(T, name)(x, axis=axis), mode=mode)
        try:
            wanted = getattr(np, name)(np.zeros(shape), axis=axis)
        except ValueError:
            with pytest.raises(ValueError, match=r"zero-size array|empty sequence"):
                f(np.zeros(shape))
        else:
            assert f(np.zeros(shape)).shape == wanted.shape


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
def test_of_nothing(shape):
    x = tensor("float64", shape)
    array = np.zeros(shape)
    for name, axis in itertools.product(REDUCERS, axes_of(len(shape))):
        f = function([x], reduce(name, x, axis))
        reduced = range(len(shape)) if axis is None else axis
        kept = [n for i, n in enumerate(shape) if i not in reduced]
        empty = any(shape[i] == 0 for i in reduced)
        if name in ("max", "min") and empty:
            with pytest.raises(ValueError, match="zero-size array"):
                f(array)
        else:
            of_nothing = {"prod": 1, "all": 1}
            if empty:
                of_nothing |= {"supremum": -np.inf, "infimum": np.inf}
            np.testing.assert_array_equal(f(array), np.full(kept, of_nothing.get(name, 0)))


@pytest.mark.parametrize("name", ["max", "min"])
def test_nan_wins(name):
    x = tensor("float64", (1, 1))
    array = np.arange(900.0).reshape(30, 30)
    array[17, 3] = np.nan
    for axis in axes_of(2):
        got = function([x], reduce(name, x, axis))(array)
        np.testing.assert_array_equal(got, getattr(np, name)(array, axis=axis))


@pytest.mark.parametrize("name", ["max", "min"])
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_extremes_of_infinities(name, value):
    assert reduce(name, T.constant(np.full(9, value))).eval() == value


@pytest.mark.parametrize("width", [128, 256, 512])
@pytest.mark.parametrize("kind", ["float32", "float64", "complex64"])
def test_a_long_sum_is_accurate(kind, width):
    """Roundings of equal numbers all go the same way, so that they would add up."""
    x = tensor(kind, (2, 2))
    outs = [reduce("sum", x, axis, kind, kind) for axis in (None, (1,))]
    outs.append(reduce("sum", x * x, (1,), kind, kind))
    with theano.config.change_flags(vector_width=width):
        f = function([x], outs)
    one = np.asarray(0.1, kind)
    for shape in ((1, 1 << 20), (3, 50_001), (1000, 1000)):
        array = np.full(shape, one)
        counts = [array.size, shape[1], shape[1]]
        for got, number, count in zip(f(array), (one, one, one * one), counts, strict=True):
            exact = np.longdouble(number.real) * count
            assert np.all(abs(got - exact) <= 6 * np.finfo(kind).eps * exact)


def test_a_long_sum_of_infinities():
    x = tensor("float64", (1,))
    f = function([x], reduce("sum", x, None))
    array = np.ones(9000)
    array[4000] = np.inf
    assert f(array) == np.inf
    assert f(np.full(9000, 1e308)) == np.inf
    array[8000] = -np.inf
    assert np.isnan(f(array))


@pytest.mark.parametrize("kind", ["bool", "int8", "uint64", *FLOATS])
@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_positions(name, kind):
    rng = np.random.default_rng(2)
    for rank, axis in RANKS_AND_AXES:
        x = tensor(kind, (2,) * rank)
        out = ArgExtreme(name, axis)(x)
        f = function([x], out)
        for shape in [s for s in SHAPES if len(s) == rank]:
            array = rng.integers(0, 2 if kind == "bool" else 5, shape).astype(kind)
            wanted = evaluate([out], {x: array})[0]
            for given in layouts(array).values():
                np.testing.assert_array_equal(f(given), wanted)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_position_of_nan(name):
    x = tensor("float64", (1,))
    assert function([x], ArgExtreme(name, None)(x))(np.array([1.0, np.nan, 5.0, np.nan])) == 1


@pytest.mark.parametrize("kind", ["bool", "int8", "float16", "float32", "float64", "complex64"])
@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_positions_in_long_rows(name, kind):
    # Long enough for several parts, which are searched apart.
    x = tensor(kind, (2, 2))
    f = function([x], [ArgExtreme(name, (1,))(x), ArgExtreme(name, None)(x)])
    rng = np.random.default_rng(4)
    for shape in [(3, 70_000), (1, 1 << 15), (2, (1 << 15) + 1), (500, 40)]:
        array = rng.integers(0, 2 if kind == "bool" else 9, shape).astype(kind)
        given = [array, np.zeros_like(array)]
        if kind[0] in "fc":
            given.append(array.copy())
            given[-1][-1, [shape[1] - 5, shape[1] // 2]] = np.nan
        for one in given:
            row, whole = f(one)
            np.testing.assert_array_equal(row, getattr(np, name)(one, axis=1))
            assert whole == getattr(np, name)(one)


def test_many_reductions_in_one_loop():
    # Names of values in the code of the twelfth must not be those of the second.
    ones, y, s = T.constant(np.ones(10)), T.dvector("y"), T.dscalar("s")
    total = T.add(*[T.sum(s**-2 * (ones - y[k]) ** 2) for k in range(20)])
    value = np.linspace(-1, 1, 20)
    by_s, by_y = theano.function([s, y], theano.grad(total, [s, y]))(2.0, value)
    np.testing.assert_allclose(by_s, -20 / 8 * np.sum((1 - value) ** 2))
    np.testing.assert_allclose(by_y, -20 / 4 * (1 - value))


@pytest.mark.parametrize("name", ["sum", "prod"])
@pytest.mark.parametrize(
    ("kind", "asked", "out", "acc"),
    [
        ("int8", None, "int64", "int64"),
        ("uint8", None, "uint64", "uint64"),
        ("float16", None, "float16", "float32"),
        ("float32", None, "float32", "float64"),
        ("float32", "int32", "int32", "float64"),
        ("float64", "float32", "float32", "float64"),
        ("complex64", None, "complex64", "complex128"),
    ],
)
def test_dtypes_on_the_node(name, kind, asked, out, acc):
    x = T.TensorType(kind, (False, False))()
    op = getattr(T, name)(x, axis=1, dtype=asked).owner.op
    assert (op.dtype, op.acc_dtype) == (out, acc)
    assert f"acc_dtype={acc}" in str(op).replace("'", "")
    # The same operation as the one that another dtype was asked of.
    other = getattr(T, name)(T.lmatrix(), axis=1, dtype=asked).owner.op
    assert op == other
    assert hash(op) == hash(other)


def test_the_result_is_converted_and_not_the_items():
    x, z = T.dvector(), T.zvector()
    halves = np.array([0.5, 0.5, 1.75])
    outs = [T.sum(x, dtype="int32"), T.prod(x + 1, dtype="int8"), T.mean(x, dtype="int32")]
    for mode in (None, theano.Mode(linker="py")):
        total, product, mean = theano.function([x], outs, mode=mode)(halves)
        assert (total, product, mean) == (2, 6, 2 / 3)
        assert (total.dtype, product.dtype, mean.dtype) == ("int32", "int8", "float64")
    items = [2j, 2j, 3 - 4j]
    for build, wanted in ((T.sum, 3.0), (T.prod, -12.0), (T.mean, 1.0)):
        out = build(z, dtype="float64")
        assert out.type == T.dscalar
        assert theano.function([z], out)(items) == wanted
