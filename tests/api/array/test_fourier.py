"""Fourier transforms: against NumPy, with gradients."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import layouts, values, variable
from support.compiling import compiled, evaluate
from support.errors import refused
from theano._core.runtime import native
from theano.gradient import verify_grad
from theano.tensor import fft as transforms, fourier
from theano.tensor.fft import irfft, rfft

LENGTHS = [*range(1, 5), 7, 15, 16, 17, 37, 60, 97, 122, 128, 169, 255, 256, 257, 289]
LENGTHS += [300, 451, 1001, 1021, 2048, 4095]
x, z, n = T.dmatrix("x"), T.zmatrix("z"), T.lscalar("n")


def transform(name):
    return getattr(transforms, name), getattr(np.fft, name)


def assert_near(found, wanted, kind, factor=8):
    """Compare within some epsilon of the largest number."""
    assert found.shape == wanted.shape
    largest = abs(wanted).max(initial=0)
    assert abs(found - wanted).max(initial=0) <= factor * np.finfo(kind).eps * largest


@pytest.mark.parametrize("shape", [(2, 5), (3, 6), (1, 1), (2, 4, 5), (2, 3, 2, 3)])
@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("norm", [None, "ortho", "no_norm"])
def test_there_and_back(shape, kind, norm):
    value = values(shape, kind)
    both = lambda x: [rfft(x, norm), irfft(rfft(x, norm), norm, is_odd=bool(shape[-1] % 2))]
    got, again = compiled(both, value)(value)
    axes = range(1, len(shape))
    wanted = np.fft.rfftn(value, axes=axes, norm="ortho" if norm == "ortho" else None)
    assert got.dtype == again.dtype == kind
    assert_near(got[..., 0] + 1j * got[..., 1], wanted, kind, 32)
    count = np.prod(shape[1:]) if norm == "no_norm" else 1
    assert_near(again, value * count, kind, 32)


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_halves_of_any_length(kind):
    one = values((1, 1), kind)
    even, odd = (compiled(lambda x, k=k: [rfft(x), irfft(rfft(x), is_odd=k)], one) for k in (0, 1))
    for size in LENGTHS:
        for lines in (1, 19):
            value = values((lines, size), kind, size)
            got, back = (odd if size % 2 else even)(value)
            assert_near(got[..., 0] + 1j * got[..., 1], np.fft.rfft(value.astype("float64")), kind)
            assert back.dtype == kind
            assert_near(back, value, kind, 16)


@pytest.mark.parametrize("shape", [(2, 5), (2, 6), (1, 3, 4), (1, 2, 3)])
def test_gradients_of_halves(shape):
    rng, odd = np.random.RandomState(2), bool(shape[-1] % 2)
    verify_grad(lambda x: rfft(x, "ortho"), [values(shape)], rng=rng)
    spectrum = values((*shape[:-1], shape[-1] // 2 + 1, 2))
    verify_grad(lambda y: irfft(y, is_odd=odd), [spectrum], rng=rng)


@pytest.mark.parametrize("name", ["fft", "ifft"])
@pytest.mark.parametrize("n", [None, 2, 4, 7])
@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("norm", [None, "backward", "ortho", "forward"])
def test_one_axis(name, n, axis, norm):
    ours, numpys = transform(name)
    out, value = ours(z, n, axis, norm), values((3, 4), "complex128")
    got, shape = evaluate([out, out.shape], {z: value})
    wanted = numpys(value, n, axis, norm)
    np.testing.assert_allclose(got, wanted, atol=1e-13)
    np.testing.assert_array_equal(shape, wanted.shape)

    def parts(x):
        y = ours(x * (1 + 2j), n, axis, norm)
        return y.real + 3 * y.imag

    verify_grad(parts, [value.real], rng=np.random.RandomState(4))


@pytest.mark.parametrize("name", ["fftn", "ifftn", "fft2", "ifft2"])
@pytest.mark.parametrize("s", [None, (5, 2)])
def test_several_axes(name, s):
    ours, numpys = transform(name)
    value, axes = values((2, 3, 4), "complex128"), None if s is None and "n" in name else (-2, -1)
    got = compiled(lambda x: ours(x, s), value)(value)
    np.testing.assert_allclose(got, numpys(value, s, axes), atol=1e-13)


KINDS = {"float32": "complex64", "complex64": "complex64", "int32": "complex128"}


@pytest.mark.parametrize(("kind", "wanted"), [*KINDS.items(), ("float64", "complex128")])
def test_dtypes_of_transforms(kind, wanted):
    v = variable(kind, 1)
    out = transforms.fft(v)
    assert out.dtype == wanted == evaluate(out, {v: np.ones(3, kind)}).dtype
    assert rfft(T.lmatrix()).dtype == theano.config.floatX


y = T.dtensor3("y")
ERRORS = [
    (lambda: rfft(T.dvector()), TypeError, "rfft"),
    (lambda: rfft(z), TypeError, "rfft"),
    (lambda: rfft(x, norm="x"), ValueError, "Invalid value x for norm"),
    (lambda: irfft(x), TypeError, "at least 3 axes"),
    (lambda: irfft(y).eval({y: np.zeros((2, 3, 3))}), ValueError, "two parts, it has 3"),
    (lambda: transforms.fft(x, norm="none"), ValueError, "norm must be"),
    (lambda: transforms.fft(x, axis=2), ValueError, "axis"),
    (lambda: transforms.fft2(x, (1, 2, 3)), ValueError, "3 lengths for 2 axes"),
    (lambda: rfft(x).eval({x: np.ones((3, 0))}), ValueError, "must be positive, got 0"),
    (lambda: transforms.fft(x, n).eval({x: np.ones((2, 2)), n: 0}), ValueError, "positive, got 0"),
    (lambda: transforms.fft(x, n).eval({x: np.ones((2, 2)), n: -1}), ValueError, "got -1"),
]


@pytest.mark.parametrize(("call", "error", "word"), ERRORS)
def test_errors(call, error, word):
    with refused(error, word):
        call()


def test_the_gradient_of_a_declared_length_of_one():
    v = T.dvector("v")
    got = evaluate(T.grad(T.sqr(rfft(v[::-1, None])).sum(), v), {v: np.arange(3.0)})
    np.testing.assert_allclose(got, 2 * np.arange(3.0))


def test_along_an_axis_that_is_an_input():
    axis, value = T.iscalar("axis"), np.arange(6.0).reshape(2, 3)
    out = fourier.fft(x, n, axis)
    assert out.type == T.zmatrix
    f = theano.function([x, n, axis], out)
    for at in (0, 1, -1):
        for size in (2, 4):
            np.testing.assert_allclose(f(value, size, at), np.fft.fft(value, size, at), atol=1e-14)
    with pytest.raises(ValueError, match="out of bounds"):
        f(value, 2, 2)
    same = fourier.Fourier()(x, 3, 1)
    assert isinstance(same.owner.op, fourier.Fourier)
    np.testing.assert_allclose(same.eval({x: value}), np.fft.fft(value))


def test_real_arrays_come_back_as_from_numpy():
    value = values((3, 9, 2))
    for odd in (False, True):
        wanted = np.fft.irfft(value[..., 0] + 1j * value[..., 1], 16 + odd)
        got = irfft(y, is_odd=odd).eval({y: value})
        np.testing.assert_allclose(got, wanted, rtol=1e-13, atol=1e-15)


def test_transforms_ask_the_system_for_no_memory():
    f, a = theano.function([x], irfft(rfft(x) * 2)), np.ones((8, 4096))
    # How many threads find work, each with memory of its own, is chance.
    with theano.config.change_flags(threads=1):
        f(a)
        before = native.pool_stats()["system_allocations"]
        for _ in range(5):
            f(a)
        assert native.pool_stats()["system_allocations"] == before


@pytest.mark.parametrize("kind", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("axis", [0, 1])
def test_any_length(kind, axis):
    v = variable(kind, 2)
    outs = [transforms.fft(v, n, axis), transforms.ifft(v, n, axis, norm="ortho")]
    f = theano.function([v, n], outs)
    for size in LENGTHS:
        for lines, given in [(1, size), (19, size), (3, size - size // 3), (2, size + 5)]:
            value = values((given, lines), kind, size)
            value = value if axis == 0 else value.T
            wanted = [np.fft.fft(value, size, axis), np.fft.ifft(value, size, axis, norm="ortho")]
            for part in layouts(value) if lines == 3 else (value, np.ascontiguousarray(value)):
                for got, right in zip(f(part, size), wanted, strict=True):
                    assert_near(got, right, kind)


def test_lines_do_not_depend_on_each_other_nor_on_threads():
    v = T.fmatrix("v")
    f = theano.function([v, z], [rfft(v), transforms.fft(z), transforms.ifft(z, axis=0)])
    for size in (12, 97, 256, 600):
        one, two = values((300, size), "float32"), values((300, size), "complex128")
        one[7, 3], two[7, 3] = np.nan, np.inf
        with theano.config.change_flags(threads=1):
            wanted = f(one, two)
        for found, at, axis in zip(wanted, (7, 7, 3), (0, 0, 1), strict=True):
            assert np.isfinite(np.delete(found, at, axis)).all()
        with theano.config.change_flags(threads=4):
            for got, right in zip(f(one, two), wanted, strict=True):
                np.testing.assert_array_equal(got, right)
            half, some = f(one[100:], two[100:])[:2]
        np.testing.assert_array_equal(half, wanted[0][100:])
        np.testing.assert_array_equal(some, wanted[1][100:])


def test_nothing_to_transform():
    half, whole = evaluate(
        [rfft(x), transforms.fft(z, n)], {x: np.ones((0, 6)), z: np.ones((3, 0)), n: 4}
    )
    assert half.shape == (0, 4, 2)
    np.testing.assert_array_equal(whole, np.zeros((3, 4)))


def test_in_the_steps_of_a_loop():
    state, _ = theano.scan(lambda row, last: irfft(rfft(row + last)), y, T.zeros_like(y[0]))
    value = values((5, 3, 10))
    np.testing.assert_allclose(state.eval({y: value}), np.cumsum(value, axis=0), rtol=1e-12)
