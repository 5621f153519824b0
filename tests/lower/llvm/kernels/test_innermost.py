"""Reductions of what lies along another axis than the last run along that one."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import values
from support.loops import agree
from theano._core.lower import program as ir
from theano._core.lower.llvm.print.calls import Kernel


def reduced(m, x, v, c):
    """Return sums, and a largest item, of items that do not lie as those beside them do."""
    x = m.transpose(x, (3, 0, 1, 2))
    mixed = x * v[:, None]
    largest = m.max(x - v[:, None], 3)
    return [mixed.sum(3), (x * c[..., None]).sum(1), largest, mixed.sum((1, 3))]


def shapes_of(*lengths):
    return [lengths[1:] + lengths[:1], (lengths[0], *lengths[2:]), lengths[:3]]


LENGTHS = [(40, 3, 5, 6), (16, 1, 2, 1), (3, 4, 5, 6), (17, 2, 1, 40)]
# Lengths of nothing.
LENGTHS += [(0, 3, 4, 5), (20, 0, 4, 5), (20, 3, 0, 5)]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "complex64", "float16"])
def test_results_are_those_of_numpy(dtype):
    agree(reduced, dtype, [shapes_of(*lengths) for lengths in LENGTHS])


x, v = T.dtensor4("x"), T.dtensor3("v")
ALONG_ANOTHER = (x.dimshuffle(3, 0, 1, 2) * v[:, None]).sum(3)


@pytest.mark.parametrize("items", [1023, 1024, 100_000])
def test_many_items_are_reduced_exactly(items):
    f = theano.function([x, v], ALONG_ANOTHER)
    a, b = values((1, 2, items, 16)) * 4 + 1e6, values((16, 2, items))
    wide = (a.transpose(3, 0, 1, 2).astype("longdouble") * b[:, None]).sum(3)
    assert abs(f(a, b) - wide).max() < 1e-14 * float(abs(wide).max())


def test_what_is_reduced_may_have_one_item():
    x = T.TensorType("float32", (False, True, False, False))("x")
    f = theano.function([x], T.argmax(x.dimshuffle(1, 3, 0, 2), axis=0))
    assert not f(np.ones((3, 1, 20, 16), "float32")).any()


def test_the_loop_along_the_items_is_the_innermost():
    f = theano.function([x, v], ALONG_ANOTHER)
    own = [k for k in f.maker.kernels if isinstance(k, Kernel) and k.groups[-1] == [0]]
    assert [k.near for k in own if k.split < 0] == [(0,)]
    # Vectors are no longer than others.
    assert [k.lanes for k in own] == [8]
    g = theano.function([x, v], (x * v[:, None]).sum(3))
    assert not any(k.groups[-1] == [0] for k in g.maker.kernels if isinstance(k, Kernel))
    assert any(isinstance(i, ir.If) for i in ir.walk(f.maker.program_text.program.body))
