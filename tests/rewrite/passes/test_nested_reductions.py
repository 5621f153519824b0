"""Reductions of everything and of columns are one loop where that saves arrays."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.agreement import agree
from support.arrays import layouts
from support.comparison import DERIVATIVES, SUMS
from theano._core.ir.graph import toposort
from theano._core.ops.array.reductions import Reduction
from theano._core.rewrite.passes.nested_reductions import in_nested_reductions


def _normalised(x, scale, bias, axes):
    centred = x - x.mean(axes, keepdims=True)
    small = np.asarray(1e-5, x.dtype)
    unit = centred / T.sqrt((centred * centred).mean(axes, keepdims=True) + small)
    cost = (T.nnet.relu(unit * scale + bias) ** 2).sum()
    return [cost, *T.grad(cost, [x, scale, bias])]


def _axes(outputs):
    return [n.op.axis for n in toposort(outputs) if isinstance(n.op, Reduction)]


def test_sum_of_all_is_of_columns_first_where_these_are_summed_too():
    x, y = T.dmatrices("x", "y")
    e = T.exp(x * y)
    results = in_nested_reductions([(e * e).sum(), (e * x).sum(0), (e * y).sum(0)])
    assert sorted(_axes(results), key=len) == [(0,)] * 4
    assert [r.type for r in results] == [T.dscalar, T.dvector, T.dvector]
    rows = in_nested_reductions([(e * e).sum(), (e * x).sum(1), (e * y).sum(1)])
    assert sorted(_axes(rows)) == [(0,), (1,), (1,), (1,)]


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "int8"])
def test_results_keep_their_types(dtype):
    x, y = T.matrices("x", "y")
    x, y = (v.astype(dtype) for v in (x, y))
    products = [(x * y * y).sum(), *((x * y * k).sum(0) for k in (y, x, x * x, y * y))]
    nested = in_nested_reductions(products)
    assert [v.type for v in nested] == [v.type for v in products]


def test_sums_of_what_is_in_memory_anyway_stay_as_they_are():
    x, y = T.dmatrices("x", "y")
    e = T.exp(x * y)
    one, two = e * x, e * y
    for outputs in (
        [x.sum(), x.sum(0), y.sum(0)],  # Nothing is computed.
        [e.sum(), e.sum(0)],  # Little would be stored.
        [(e * e).sum(), one.sum(0), two.sum(0), one, two],  # Results.
        [(e * e).max(), (e * x).sum(0), (e * y).sum(0)],  # Of nothing, it is an error.
        [T.exp(y).sum(), (e * x).sum(0), (e * y).sum(0)],  # Of what others do not need.
    ):
        assert in_nested_reductions(outputs) == outputs
    later = T.exp(one - one.sum(0)) + T.exp(two - two.sum(0))
    outputs = [(e * e).sum(), later]
    assert in_nested_reductions(outputs) == outputs


def test_a_sum_that_waits_for_those_of_columns_stays_as_it_is():
    x, y = T.dmatrices("x", "y")
    e = T.exp(x * y)
    below = (e * x).sum(0) + (e * y).sum(0)
    outputs = [(e / below).sum()]
    assert in_nested_reductions(outputs) == outputs


def test_nested_in_nested():
    x, y = T.tensor3s("x", "y")
    e = T.exp(x * y)
    outputs = [(e * e).sum(), (e * x).sum((0, 1)), *((e * k).sum(0) for k in (y, y * y))]
    shapes = (2, 3, 4), (0, 3, 4), (2, 0, 4), (5, 1, 1), (40, 17, 33)
    rng = np.random.default_rng(1)
    agree(
        [x, y], outputs, *(rng.normal(size=(2, *s)).astype(x.dtype) for s in shapes), tolerance=SUMS
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)])
def test_normalisation_with_gradients(dtype, axes):
    x = T.matrix("x", dtype)
    scale, bias = (T.vector(name, dtype) for name in ("scale", "bias"))
    outputs = _normalised(x, scale, bias, axes)
    r, cases = np.random.default_rng(2), []
    for rows, columns in ((1, 1), (7, 3), (300, 20), (65, 257), (2, 3000), (3000, 2)):
        a = r.normal(size=(rows, columns)).astype(dtype)
        vectors = r.normal(size=(2, columns)).astype(dtype)
        cases += [(array, *vectors) for array in layouts(a)]
    agree(
        [x, scale, bias], outputs, *cases, tolerance=DERIVATIVES, plain=theano.Mode(optimizer=None)
    )


def test_the_gradient_of_a_normalisation_stores_three_matrices():
    x = T.dmatrix("x")
    scale, bias = T.dvectors("scale", "bias")
    f = theano.function([x, scale, bias], _normalised(x, scale, bias, (0,)))
    program = f.maker.program_text.program
    large = {k.loop for k in program.kernels if getattr(k, "loop", None) and k.loop.rank == 2}
    stored = sum(len(loop.stores) for loop in large if loop.reductions)
    assert stored == 3  # What is centred, and what the gradient is made of, twice.
