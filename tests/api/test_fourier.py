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
    # How many threads find work, each with memory of its own, is chance.
    with theano.config.change_flags(threads=1):
        f(a)
        before = native.pool_stats()["system_allocations"]
        for _ in range(5):
            f(a)
        assert native.pool_stats()["system_allocations"] == before


LENGTHS = [
    1,
    2,
    3,
    4,
    7,
    15,
    16,
    17,
    34,
    37,
    60,
    97,
    122,
    128,
    169,
    255,
    256,
    257,
    289,
    300,
    451,
    514,
    1000,
    1001,
    1021,
    2048,
    4095,
]


@pytest.mark.parametrize("kind", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("axis", [0, 1])
def test_any_length(kind: str, axis: int) -> None:
    x, n = T.TensorType(kind, (False, False))("x"), T.lscalar("n")
    outs = [transforms.fft(x, n, axis), transforms.ifft(x, n, axis, norm="ortho")]
    f = theano.function([x, n], outs)
    eps = np.finfo(kind).eps
    for size in LENGTHS:
        for lines, given in [(1, size), (19, size), (3, size - size // 3), (2, size + 5)]:
            a = np.random.default_rng(size).standard_normal((4, given, lines))
            value = (a[0] + 1j * a[1] if kind.startswith("complex") else a[0]).astype(kind)
            whole = value if axis == 0 else value.T
            wanted = [np.fft.fft(whole, size, axis), np.fft.ifft(whole, size, axis, norm="ortho")]
            for part in (whole, np.ascontiguousarray(whole), whole[::-1][::-1]):
                for got, right in zip(f(part, size), wanted, strict=True):
                    assert got.shape == right.shape
                    assert abs(got - right).max() <= 8 * eps * abs(right).max()


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_halves_of_any_length(kind: str) -> None:
    x = T.TensorType(kind, (False, False))("x")
    there = rfft(x)
    functions = {
        odd: theano.function([x], [there, irfft(there, is_odd=odd)]) for odd in (False, True)
    }
    eps = np.finfo(kind).eps
    for size in LENGTHS:
        for lines in (1, 19):
            value = np.random.default_rng(size).standard_normal((lines, size)).astype(kind)
            got, back = functions[bool(size % 2)](value)
            right = np.fft.rfft(value.astype("float64"))
            allowed = 8 * eps * abs(right).max()
            assert abs(got[..., 0] + 1j * got[..., 1] - right).max() <= allowed
            assert back.dtype == kind
            assert abs(back - value).max() <= 16 * eps * abs(value).max()


def test_lines_do_not_depend_on_each_other_nor_on_threads() -> None:
    x, z = T.fmatrix("x"), T.zmatrix("z")
    f = theano.function([x, z], [rfft(x), transforms.fft(z), transforms.ifft(z, axis=0)])
    before = native.get_threads()
    try:
        for size in (12, 97, 256, 600):
            a = np.random.default_rng(size).standard_normal((2, 300, size))
            one, two = a[0].astype("float32"), a[0] + 1j * a[1]
            one[7, 3], two[7, 3] = np.nan, np.inf
            native.set_threads(1)
            wanted = f(one, two)
            assert np.isfinite(np.delete(wanted[0], 7, 0)).all()
            assert np.isfinite(np.delete(wanted[1], 7, 0)).all()
            assert np.isfinite(np.delete(wanted[2], 3, 1)).all()
            native.set_threads(4)
            for got, right in zip(f(one, two), wanted, strict=True):
                np.testing.assert_array_equal(got, right)
            half, some = f(one[100:], two[100:])[:2]
            np.testing.assert_array_equal(half, wanted[0][100:])
            np.testing.assert_array_equal(some, wanted[1][100:])
    finally:
        native.set_threads(before)


def test_nothing_to_transform() -> None:
    x, z, n = T.dmatrix("x"), T.zmatrix("z"), T.lscalar("n")
    f = theano.function([x, z, n], [rfft(x), transforms.fft(z, n)])
    half, whole = f(np.ones((0, 6)), np.ones((3, 0)), 4)
    assert half.shape == (0, 4, 2)
    np.testing.assert_array_equal(whole, np.zeros((3, 4)))
    with pytest.raises(ValueError, match="must be positive, got 0"):
        f(np.ones((3, 0)), np.ones((3, 1)), 4)
    with pytest.raises(ValueError, match="must be positive, got -1"):
        f(np.ones((3, 1)), np.ones((3, 1)), -1)
    y = T.dtensor3("y")
    with pytest.raises(ValueError, match="two parts, it has 3"):
        irfft(y).eval({y: np.ones((2, 3, 3))})


def test_in_the_steps_of_a_loop() -> None:
    x = T.dtensor3("x")
    state, _ = theano.scan(
        lambda row, last: irfft(rfft(row + last)), sequences=x, outputs_info=T.zeros_like(x[0])
    )
    value = np.random.default_rng(9).standard_normal((5, 3, 10))
    np.testing.assert_allclose(state.eval({x: value}), np.cumsum(value, axis=0), rtol=1e-12)
