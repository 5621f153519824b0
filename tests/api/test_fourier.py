"""Fourier transforms: against NumPy, with gradients."""

from __future__ import annotations

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.runtime import native
from theano.tensor import fft as transforms, fourier
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


@pytest.mark.parametrize("name", ["fft", "ifft"])
@pytest.mark.parametrize("n", [None, 2, 4, 7])
@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("norm", [None, "backward", "ortho", "forward"])
def test_one_axis(name: str, n: int | None, axis: int, norm: str | None) -> None:
    rng = np.random.default_rng(3)
    value = rng.normal(size=(3, 4)) + 1j * rng.normal(size=(3, 4))
    x = T.zmatrix("x")
    out = getattr(transforms, name)(x, n, axis, norm)
    got, shape = theano.function([x], [out, out.shape])(value)
    wanted = getattr(np.fft, name)(value, n, axis, norm)
    np.testing.assert_allclose(got, wanted, atol=1e-13)
    np.testing.assert_array_equal(shape, wanted.shape)


@pytest.mark.parametrize("name", ["fftn", "ifftn", "fft2", "ifft2"])
@pytest.mark.parametrize("s", [None, (5, 2)])
def test_several_axes(name: str, s: tuple[int, ...] | None) -> None:
    rng = np.random.default_rng(3)
    value = rng.normal(size=(2, 3, 4)) + 1j * rng.normal(size=(2, 3, 4))
    x = T.ztensor3("x")
    got = theano.function([x], getattr(transforms, name)(x, s))(value)
    axes = None if s is None and "n" in name else (-2, -1)
    np.testing.assert_allclose(got, getattr(np.fft, name)(value, s, axes), atol=1e-13)


@pytest.mark.parametrize("n", [2, 4, 7])
def test_gradients_along_an_axis(n: int) -> None:
    rng = np.random.RandomState(2)
    value = rng.standard_normal((3, 4))
    weights = np.arange(1.0, n + 1)
    theano.gradient.verify_grad(
        lambda x: abs(transforms.fft(x, n) * weights) ** 2, [value], rng=rng
    )
    theano.gradient.verify_grad(
        lambda x: T.real(transforms.ifft(x * (1 + 2j), n, 0)), [value], rng=rng
    )


def test_dtypes_of_transforms() -> None:
    for kind, wanted in {
        "float32": "complex64",
        "complex64": "complex64",
        "int32": "complex128",
        "float64": "complex128",
    }.items():
        x = T.TensorType(kind, (False,))()
        out = transforms.fft(x)
        assert out.dtype == wanted
        assert theano.function([x], out)(np.ones(3, kind)).dtype == wanted


def test_errors_of_transforms() -> None:
    x, k = T.dmatrix(), T.lscalar()
    with pytest.raises(ValueError, match="norm must be"):
        transforms.fft(x, norm="none")
    with pytest.raises(ValueError, match="axis"):
        transforms.fft(x, axis=2)
    with pytest.raises(ValueError, match="3 lengths for 2 axes"):
        transforms.fft2(x, (1, 2, 3))
    with pytest.raises(ValueError, match="must be positive, got 0"):
        theano.function([x, k], transforms.fft(x, k))(np.ones((2, 2)), 0)


def test_the_gradient_of_a_declared_length_of_one() -> None:
    x = T.dvector("x")
    cost = T.sqr(rfft(x[::-1, None])).sum()
    got = theano.function([x], T.grad(cost, x))(np.arange(3.0))
    np.testing.assert_allclose(got, 2 * np.arange(3.0))


def test_along_an_axis_that_is_an_input() -> None:
    x, n, axis = T.dmatrix(), T.iscalar(), T.iscalar()
    out = fourier.fft(x, n, axis)
    assert out.type == T.zmatrix
    f = theano.function([x, n, axis], out)
    value = np.arange(6.0).reshape(2, 3)
    for at in (0, 1, -1):
        for size in (2, 4):
            np.testing.assert_allclose(f(value, size, at), np.fft.fft(value, size, at), atol=1e-14)
    with pytest.raises(ValueError, match="out of bounds"):
        f(value, 2, 2)
    same = fourier.Fourier()(x, 3, 1)
    assert isinstance(same.owner.op, fourier.Fourier)
    np.testing.assert_allclose(same.eval({x: value}), np.fft.fft(value))


@pytest.mark.parametrize("name", ["fft", "ifft"])
@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
def test_sums_are_divided_as_numpy_divides_them(name: str, norm: str) -> None:
    z = T.zmatrix("z")
    a = np.random.default_rng(3).standard_normal((2, 4, 7))
    value = a[0] + 1j * a[1]
    got = theano.function([z], getattr(transforms, name)(z, norm=norm))(value)
    np.testing.assert_allclose(got, getattr(np.fft, name)(value, norm=norm), rtol=1e-13)
    rng = np.random.RandomState(4)

    def parts(x: T.TensorVariable) -> T.TensorVariable:
        y = getattr(transforms, name)(x + 0j, norm=norm)
        return y.real + 3 * y.imag

    theano.gradient.verify_grad(parts, [a[0]], rng=rng)


def test_real_arrays_come_back_as_from_numpy() -> None:
    y = T.dtensor3("y")
    value = np.random.default_rng(5).standard_normal((3, 9, 2))
    spectrum = value[..., 0] + 1j * value[..., 1]
    for odd in (False, True):
        wanted = np.fft.irfft(spectrum, 16 + odd)
        got = irfft(y, is_odd=odd).eval({y: value})
        np.testing.assert_allclose(got, wanted, rtol=1e-13, atol=1e-15)


def test_transforms_ask_the_system_for_no_memory() -> None:
    x = T.dmatrix("x")
    f = theano.function([x], irfft(rfft(x) * 2))
    a = np.ones((8, 4096))
    f(a)
    before = native.pool_stats()["system_allocations"]
    for _ in range(5):
        f(a)
    assert native.pool_stats()["system_allocations"] == before
