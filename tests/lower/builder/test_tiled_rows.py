"""Loops over many short rows beside one that is the same for all, which is repeated."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import values
from support.comparison import Tolerance, assert_close
from support.loops import agree
from theano._core.lower.builder.tiled_rows import COPIES, LEAST_ROWS, LONGER, LONGEST

KINDS = ["bool", "int8", "int16", "int64", "uint64", "float16", "float32", "float64", "complex128"]
ROWS = [LEAST_ROWS - 1, LEAST_ROWS, LEAST_ROWS + 1, LEAST_ROWS + COPIES - 1, 10 * COPIES]
LENGTHS = [0, 1, 2, 3, 7, 8, LONGEST - 1, LONGEST, LONGEST + 1]


@pytest.mark.parametrize("kind", KINDS)
def test_one_row_beside_all(kind):
    def build(m, x, y, z, s):
        wide = x if kind == "complex128" else x.astype("float64")
        return [m.equal(x, y), m.where(m.equal(x, y), s, z), wide, x + y]

    agree(build, kind, [[(rows, n), (n,), (n,), ()] for rows in ROWS for n in LENGTHS])


def test_channels_last():
    shapes = [(9, 11, 8, 3), (1, 1, LEAST_ROWS, 5), (2, 0, LEAST_ROWS, 3)] * 2
    agree(
        lambda m, images, mean, scale: (images.astype("float32") - mean) * scale,
        ["uint8", "float32", "float32"],
        [[shape, shape[-1:], shape[-1:]] for shape in shapes],
    )


def test_in_place_and_in_loops():
    table, row = theano.shared(np.zeros((LEAST_ROWS + 5, 3))), T.dvector("row")
    update = theano.function([row], updates=[(table, table * 0.5 + row)])
    loop, _ = theano.scan(
        lambda s, m, r: T.tanh(m * s + r), T.arange(3.0), outputs_info=table, non_sequences=row
    )
    steps = theano.function([row], loop)
    wanted, given = np.zeros((LEAST_ROWS + 5, 3)), np.array([1.0, -2.0, 0.25])
    for _ in range(3):
        update(given)
        wanted = state = wanted * 0.5 + given
        np.testing.assert_array_equal(table.get_value(), wanted)
        for s, got in enumerate(steps(given)):
            state = np.tanh(state * s + given)
            np.testing.assert_allclose(got, state, rtol=1e-14)


def test_many_loops_share_the_memory_of_repeated_rows():
    """A stack is not large: that of a thread may have as little as 512 KB."""
    x = T.dmatrix("x")
    out = x
    for i in range(60):
        out = T.dot(T.tanh(out - T.arange(3.0) * i), np.eye(3))
    f = theano.function([x], out)
    assert sum(size for _, size in f.maker.program_text.program.stacks) < 1 << 16
    wanted = x0 = np.zeros((LEAST_ROWS + 1, 3))
    for i in range(60):
        wanted = np.tanh(wanted - np.arange(3.0) * i)
    np.testing.assert_allclose(f(x0), wanted, rtol=1e-12)


@pytest.mark.parametrize("kind", ["float32", "float64", "complex64"])
def test_longer_rows_of_a_long_body_have_the_same_bits(kind):
    x, y, z = T.matrix(dtype=kind), T.vector(dtype=kind), T.vector(dtype=kind)
    f = theano.function([x, y, z], [T.exp(x * y) + z * z, T.tanh(x + z)])
    tolerance = Tolerance(16, "errors of exp and tanh", floor=16)
    for length in (LONGEST + 1, 40, 47, 48, LONGER - 1, LONGER, LONGER + 1):
        shapes = ((LEAST_ROWS + 70, length), length, length)
        a, b, c = ((values(s, kind, i) / 2).astype(kind) for i, s in enumerate(shapes))
        for many, few in zip(f(a, b, c), f(a[-100:], b, c), strict=True):
            np.testing.assert_array_equal(many[-100:], few)
        assert_close(f(a, b, c), [np.exp(a * b) + c * c, np.tanh(a + c)], tolerance)
