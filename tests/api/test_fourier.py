"""Fourier transforms: against NumPy, with gradients."""

from __future__ import annotations

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.tensor.fft import irfft, rfft

SHAPES = [(2, 5), (3, 6), (1, 1), (2, 3, 4), (2, 4, 5), (2, 3, 2, 3)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("norm", [None, "ortho", "no_norm"])
def test_there_and_back(shape: tuple[int, ...], kind: str, norm: str | None) -> None:
    x = T.TensorType(kind, (False,) * len(shape))("x")
    value = np.random.default_rng(1).standard_normal(shape).astype(kind)
    there = rfft(x, norm)
    back = irfft(there, norm, is_odd=bool(shape[-1] % 2))
    got, again = theano.function([x], [there, back])(value)
    axes = tuple(range(1, len(shape)))
    wanted = np.fft.rfftn(value, axes=axes, norm="ortho" if norm == "ortho" else None)
    assert got.dtype == again.dtype == kind
    tolerance = 1e-5 if kind == "float32" else 1e-12
    np.testing.assert_allclose(got[..., 0], wanted.real, atol=tolerance * 10)
    np.testing.assert_allclose(got[..., 1], wanted.imag, atol=tolerance * 10)
    count = np.prod(shape[1:]) if norm == "no_norm" else 1
    np.testing.assert_allclose(again, value * count, atol=tolerance * 10 * count)


@pytest.mark.parametrize("shape", [(2, 5), (2, 6), (1, 3, 4), (1, 2, 3)])
def test_gradients(shape: tuple[int, ...]) -> None:
    rng = np.random.RandomState(2)
    value = rng.standard_normal(shape)
    theano.gradient.verify_grad(lambda x: rfft(x, "ortho"), [value], rng=rng)
    spectrum = rng.standard_normal((*shape[:-1], shape[-1] // 2 + 1, 2))
    odd = bool(shape[-1] % 2)
    theano.gradient.verify_grad(lambda y: irfft(y, is_odd=odd), [spectrum], rng=rng)


def test_integers_become_floats_and_errors() -> None:
    assert rfft(T.lmatrix()).dtype == theano.config.floatX
    for wrong in (T.dvector(), T.zmatrix()):
        with pytest.raises(TypeError, match="rfft"):
            rfft(wrong)
    with pytest.raises(TypeError, match="at least 3 axes"):
        irfft(T.dmatrix())
    with pytest.raises(ValueError, match="Invalid value x for norm"):
        rfft(T.dmatrix(), norm="x")
    y = T.dtensor3("y")
    with pytest.raises(ValueError, match="two parts"):
        irfft(y).eval({y: np.zeros((2, 3, 3))})


def test_the_gradient_of_a_declared_length_of_one() -> None:
    x = T.dvector("x")
    cost = T.sqr(rfft(x[::-1, None])).sum()
    got = theano.function([x], T.grad(cost, x))(np.arange(3.0))
    np.testing.assert_allclose(got, 2 * np.arange(3.0))
