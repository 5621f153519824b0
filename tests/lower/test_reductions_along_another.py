"""Reductions of what lies along another axis than the last run along that one."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower import program as ir
from theano._core.lower.llvm.print.calls import Kernel

BATCH, POINTS, PARTS, ITEMS = 40, 3, 5, 6


def four(dtype):
    return T.TensorType(dtype, (False,) * 4)


def arrays(dtype, lengths):
    state = np.random.RandomState(5)
    shapes = (lengths[1:] + lengths[:1], (lengths[0], *lengths[2:]), lengths[:3])
    return [(state.randn(*shape) * 4).astype(dtype) for shape in shapes]


def reduced(m, x, v, c):
    """Return sums, and a largest item, of items that do not lie as those beside them do."""
    mixed = x * v[:, None]
    return [mixed.sum(3), (x * c[..., None]).sum(1), m.max(x - v[:, None], 3), mixed.sum((1, 3))]


def made(dtype, turned=True):
    x, v, c = four(dtype)("x"), *(T.TensorType(dtype, (False,) * 3)(n) for n in "vc")
    return theano.function([x, v, c], reduced(T, x.dimshuffle(3, 0, 1, 2) if turned else x, v, c))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "complex64", "float16"])
def test_results_are_those_of_numpy(dtype):
    f = made(dtype)
    close = {"float16": 2e-2, "float32": 1e-4, "complex64": 1e-4}.get(dtype, 1e-12)
    for lengths in [(BATCH, POINTS, PARTS, ITEMS), (16, 1, 2, 1), (3, 4, 5, 6), (17, 2, 1, 40)]:
        x, v, c = arrays(dtype, lengths)
        for given in (x, x[::-1], np.asfortranarray(x), np.repeat(x, 2, 3)[..., ::2]):
            right = reduced(np, given.transpose(3, 0, 1, 2), v, c)
            for got, wanted in zip(f(given, v, c), right, strict=True):
                np.testing.assert_allclose(got, wanted, rtol=close, atol=close * 100)


@pytest.mark.parametrize("items", [1023, 1024, 100_000])
def test_many_items_are_reduced_exactly(items):
    x, v = four("float64")("x"), T.dtensor3("v")
    f = theano.function([x, v], (x.dimshuffle(3, 0, 1, 2) * v[:, None]).sum(3))
    a, b, _ = arrays("float64", (16, 1, 2, items))
    wide = ((a + 1e6).transpose(3, 0, 1, 2).astype("longdouble") * b[:, None]).sum(3)
    assert abs(f(a + 1e6, b) - wide).max() < 1e-14 * float(abs(wide).max())


def test_what_is_reduced_may_have_one_item():
    x = T.TensorType("float32", (False, True, False, False))("x")
    f = theano.function([x], T.argmax(x.dimshuffle(1, 3, 0, 2), axis=0))
    assert not f(np.ones((3, 1, 20, 16), "float32")).any()


def test_lengths_of_nothing():
    f = made("float64")
    for lengths in [(0, 3, 4, 5), (20, 0, 4, 5), (20, 3, 0, 5)]:
        x, v, c = arrays("float64", lengths)
        for got, wanted in zip(f(x, v, c), reduced(np, x.transpose(3, 0, 1, 2), v, c), strict=True):
            np.testing.assert_array_equal(got, wanted)


def test_the_loop_along_the_items_is_the_innermost():
    x, v = four("float64")("x"), T.dtensor3("v")
    f = theano.function([x, v], (x.dimshuffle(3, 0, 1, 2) * v[:, None]).sum(3))
    kernels = [k for k in f.maker.kernels if isinstance(k, Kernel) and k.split < 0]
    assert [k.near for k in kernels if k.groups[-1] == [0]] == [(0,)]
    g = theano.function([x, v], (x * v[:, None]).sum(3))
    assert not any(k.groups[-1] == [0] for k in g.maker.kernels if isinstance(k, Kernel))
    assert any(isinstance(i, ir.If) for i in ir.walk(f.maker.program_text.program.body))


def test_bits_do_not_depend_on_threads():
    from theano._core.runtime import native

    f = made("float32")
    given = arrays("float32", (64, 60, 10, 16))
    count = native.get_threads()
    found = []
    try:
        for threads in (1, 2, 3):
            native.set_threads(threads)
            found.append([r.tobytes() for r in f(*given)])
    finally:
        native.set_threads(count)
    assert found[0] == found[1] == found[2]


def test_vectors_that_run_along_another_axis_are_no_longer_than_others():
    x, v = four("float64")("x"), T.dtensor3("v")
    f = theano.function([x, v], (x.dimshuffle(3, 0, 1, 2) * v[:, None]).sum(3))
    kernels = [k for k in f.maker.kernels if isinstance(k, Kernel) and k.groups[-1] == [0]]
    assert [k.lanes for k in kernels] == [8]
