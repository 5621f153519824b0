"""What is repeated one after the other: short blocks are copied by the runtime."""

from __future__ import annotations

import numpy as np
import pytest

import theano
import theano.tensor as T

LENGTHS = (0, 1, 2, 3, 5, 8, 16, 17, 40)


@pytest.mark.parametrize(
    "kind", ["bool", "uint8", "int16", "float16", "float32", "float64", "complex128"]
)
def test_values(kind: str) -> None:
    x, n = T.TensorType(kind, (False,) * 3)("x"), T.lscalar("n")
    functions = [theano.function([x, n], T.repeat(x, n, axis=axis)) for axis in range(3)]
    rng = np.random.default_rng(1)
    for inner in LENGTHS:
        for rows in (1, 2, 33):
            whole = rng.integers(0, 200, (2, rows, inner)).astype(kind)
            strided = rng.integers(0, 200, (2, rows, 2 * inner)).astype(kind)[..., ::-2]
            for value in (whole, strided, np.asfortranarray(whole)):
                for times in (0, 1, 2, 3, 9, 33, 200):
                    for axis, f in enumerate(functions):
                        wanted = np.repeat(value, times, axis)
                        got = f(value, times)
                        assert got.dtype == wanted.dtype
                        np.testing.assert_array_equal(got, wanted)


def test_several_axes() -> None:
    x = T.dtensor4("x")
    out = T.repeat(T.repeat(x, 2, axis=1), 3, axis=2)
    f = theano.function([x], [out, T.tile(x, (1, 1, 2, 1))])
    for shape in ((2, 3, 4, 5), (1, 7, 1, 1), (2, 3, 0, 1), (1, 9, 9, 2)):
        value = np.random.default_rng(2).standard_normal(shape)
        got, tiled = f(value)
        np.testing.assert_array_equal(got, np.repeat(np.repeat(value, 2, 1), 3, 2))
        np.testing.assert_array_equal(tiled, np.tile(value, (1, 1, 2, 1)))


def test_the_runtime_copies_short_blocks() -> None:
    x = T.ftensor3("x")
    f = theano.function([x], T.repeat(x, 2, axis=1))
    text = theano.printing.debugprint(f, program=True, file="str")
    assert "copy" in text.partition("kernel 0: ")[0]
    long = theano.function([x], T.repeat(x, 64, axis=2))
    text = theano.printing.debugprint(long, program=True, file="str")
    assert "copy" not in text.partition("kernel 0: ")[0]


def test_in_the_steps_of_a_loop() -> None:
    x = T.dtensor3("x")
    state, _ = theano.scan(
        lambda row, last: T.repeat(row, 2, axis=1) + last,
        sequences=x,
        outputs_info=T.zeros((3, 8)),
    )
    value = np.random.default_rng(3).standard_normal((5, 3, 4))
    wanted = np.cumsum(np.repeat(value, 2, 2), axis=0)
    np.testing.assert_allclose(state.eval({x: value}), wanted, rtol=1e-12)
