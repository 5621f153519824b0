"""What is repeated one after the other, and running totals: short blocks are copied or walked."""

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import layouts
from support.comparison import Tolerance
from support.compiling import kernels
from support.loops import agree, small

LENGTHS = (0, 1, 2, 3, 5, 8, 16, 17, 40)


@pytest.mark.parametrize(
    "kind", ["bool", "uint8", "int16", "float16", "float32", "float64", "complex128"]
)
def test_items_are_repeated_along_any_axis(kind):
    x, n = T.TensorType(kind, (False,) * 3)("x"), T.lscalar("n")
    f = theano.function([x, n], [T.repeat(x, n, axis=axis) for axis in range(3)])
    for inner, rows in itertools.product(LENGTHS, (1, 2, 33)):
        for value in layouts(small((2, rows, inner), kind)):
            for times in (0, 1, 2, 3, 9, 33, 200) if inner < 9 else (1, 3, 33):
                for axis, got in enumerate(f(value, times)):
                    wanted = np.repeat(value, times, axis)
                    assert got.dtype == kind and np.array_equal(got, wanted)


def test_several_axes():
    def build(m, x):
        return [m.repeat(m.repeat(x, 2, axis=1), 3, axis=2), m.tile(x, (1, 1, 2, 1))]

    agree(build, "float64", [[(2, 3, 4, 5)], [(1, 7, 1, 1)], [(2, 3, 0, 1)], [(1, 9, 9, 2)]])


def test_the_runtime_copies_short_blocks():
    x = T.ftensor3("x")
    for times, axis, copied in ((2, 1, True), (64, 2, False)):
        f = theano.function([x], T.repeat(x, times, axis=axis))
        assert ("copy" in kernels(f)) == copied


def test_in_the_steps_of_a_loop():
    x = T.dtensor3("x")
    state, _ = theano.scan(
        lambda row, last: T.repeat(row, 2, axis=1) + last, sequences=x, outputs_info=T.zeros((3, 8))
    )
    value = small((5, 3, 4))
    np.testing.assert_array_equal(state.eval({x: value}), np.cumsum(np.repeat(value, 2, 2), axis=0))


DTYPES = ["int8", "uint16", "int32", "uint64", "bool", "float16", "float32", "float64", "complex64"]
SHAPES = [(20, n, 1) for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 17)]
SHAPES += [(3, 40, n) for n in (2, 3, 5, 8, 9, 33)] + [(3, 1, 4), (0, 3, 2), (2, 0, 3), (2, 3, 0)]
LONG = [(2, 70_000, 3), (1, 300_000, 1)]


def with_odd_ones(shape, dtype, seed):
    """Return many equal items, and some that are no numbers, not finite or negative zeros."""
    a, rng = small(shape, dtype, seed), np.random.default_rng(seed)
    for odd in (np.nan, np.inf, -0.0) if dtype.startswith("float") else ():
        a[rng.random(shape) < 0.05] = odd
    return a


@pytest.mark.parametrize("dtype", DTYPES)
def test_running_totals_are_those_of_numpy(dtype):
    def build(m, x):
        return [m.cumsum(x, axis=1), m.cumprod(x, axis=1), m.cumsum(x, axis=0)]

    exact = build if dtype not in ("float16", "complex64") else lambda m, x: build(m, x)[::2]
    agree(exact, dtype, [[shape] for shape in SHAPES + LONG], make=with_odd_ones)
    if exact is not build:
        close = Tolerance(1 if dtype == "float16" else 8, "products are rounded in another way")
        agree(
            lambda m, x: m.cumprod(x.astype(dtype), axis=1),
            dtype,
            [[shape] for shape in SHAPES],
            make=with_odd_ones,
            tolerance=close,
        )


@pytest.mark.parametrize("dtype", DTYPES)
def test_items_are_sorted(dtype):
    def build(m, x):
        kind = "mergesort" if m is T else "stable"
        sorts = [m.sort(x, axis=1), m.sort(x, axis=1, kind=kind), m.sort(x, axis=2)]
        return [*sorts, m.argsort(x, axis=1, kind=kind)]

    agree(build, dtype, [[shape] for shape in [*SHAPES, (2, 7_000, 3)]], make=with_odd_ones)
