"""Loops over many short rows beside one that is the same for all, which is repeated."""

from __future__ import annotations

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower.builder.tiled_rows import COPIES, LEAST_ROWS, LONGER, LONGEST

KINDS = ["bool", "int8", "int16", "int64", "uint64", "float16", "float32", "float64", "complex128"]
ROWS = [LEAST_ROWS - 1, LEAST_ROWS, LEAST_ROWS + 1, LEAST_ROWS + COPIES - 1, 10 * COPIES]
LENGTHS = [0, 1, 2, 3, 7, 8, LONGEST - 1, LONGEST, LONGEST + 1]


def drawn(shape: tuple[int, ...], kind: str, seed: int = 3) -> np.ndarray:
    return np.asarray(np.random.default_rng(seed).normal(size=shape) * 4).astype(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_values(kind: str) -> None:
    x = T.TensorType(kind, (False, False))("x")
    y, z = (T.TensorType(kind, (False,))(name) for name in "yz")
    s = T.TensorType(kind, ())("s")
    masked = T.switch(T.eq(x, y), s, z)
    outs = [T.eq(x, y), masked, T.cast(x, "float64") if "complex" not in kind else x, x + y]
    f = theano.function([x, y, z, s], outs)
    for rows in ROWS:
        for length in LENGTHS:
            a, b, c, d = (
                drawn(n, kind, i) for i, n in enumerate([(rows, length), length, length, ()])
            )
            wide = np.zeros((rows, 2 * length), kind)
            wide[:, ::2] = a
            for given, row in ((a, b), (wide[:, ::2], b[::-1]), (np.asfortranarray(a), b)):
                wanted = [given == row, np.where(given == row, d, c), given, given + row]
                for one, two in zip(f(given, row, c, d), wanted, strict=True):
                    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("shape", [(9, 11, 8, 3), (1, 1, LEAST_ROWS, 5), (2, 0, LEAST_ROWS, 3)])
def test_channels_last(shape: tuple[int, ...]) -> None:
    images = T.TensorType("uint8", (False,) * 4)("images")
    mean, scale = T.fvectors("mean", "scale")
    f = theano.function([images, mean, scale], (T.cast(images, "float32") - mean) * scale)
    a = np.random.default_rng(0).integers(0, 255, shape).astype("uint8")
    b, c = drawn(shape[-1:], "float32"), drawn(shape[-1:], "float32", 4)
    np.testing.assert_array_equal(f(a, b, c), (a.astype("float32") - b) * c)


def test_in_place_and_in_loops() -> None:
    table, row = theano.shared(np.zeros((LEAST_ROWS + 5, 3))), T.dvector("row")
    update = theano.function([row], updates=[(table, table * 0.5 + row)])
    loop, _ = theano.scan(
        lambda s, m, r: T.tanh(m * s + r),
        sequences=T.arange(3.0),
        outputs_info=table,
        non_sequences=row,
    )
    steps = theano.function([row], loop)
    wanted, given = np.zeros((LEAST_ROWS + 5, 3)), np.array([1.0, -2.0, 0.25])
    for _ in range(3):
        update(given)
        wanted = wanted * 0.5 + given
        np.testing.assert_array_equal(table.get_value(), wanted)
        state = wanted
        for s, got in enumerate(steps(given)):
            state = np.tanh(state * s + given)
            np.testing.assert_allclose(got, state, rtol=1e-14)


def test_threads_have_the_same_bits() -> None:
    x, y = T.dmatrix("x"), T.dvector("y")
    a, b = drawn((100_003, 3), "float64"), drawn((3,), "float64")
    results = []
    for threads in (1, 2, 8):
        with theano.config.change_flags(threads=threads):
            results.append(theano.function([x, y], T.exp(-((x - y) ** 2)))(a, b))
    np.testing.assert_allclose(results[0], np.exp(-((a - b) ** 2)), rtol=1e-14)
    assert all(r.tobytes() == results[0].tobytes() for r in results)


def test_many_loops_share_the_memory_of_repeated_rows() -> None:
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
def test_longer_rows_of_a_long_body_have_the_same_bits(kind: str) -> None:
    x, y = T.TensorType(kind, (False, False))("x"), T.TensorType(kind, (False,))("y")
    z = T.TensorType(kind, (False,))("z")
    f = theano.function([x, y, z], [T.exp(x * y) + z * z, T.tanh(x + z)])
    for length in (LONGEST + 1, 40, 47, 48, LONGER - 1, LONGER, LONGER + 1):
        a = drawn((LEAST_ROWS + 70, length), kind) / 8
        b, c = (drawn((length,), kind, seed) / 8 for seed in (5, 6))
        for many, few in zip(f(a, b, c), f(a[-100:], b, c), strict=True):
            np.testing.assert_array_equal(many[-100:], few)
        wanted = np.exp(a * b) + c * c, np.tanh(a + c)
        for found, right in zip(f(a, b, c), wanted, strict=True):
            np.testing.assert_allclose(found, right, rtol=1e-4, atol=1e-6)
