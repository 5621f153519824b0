"""Slices as values of variables."""

from __future__ import annotations

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.tensor.type_other import MakeSlice, NoneConst, NoneTypeT, make_slice, slicetype

X = np.arange(12.0).reshape(4, 3)


def test_a_slice_may_be_an_argument() -> None:
    x, s = T.dmatrix("x"), slicetype("s")
    first, second = theano.function([x, s], [x[s], x[:, s]]), theano.function([x, s], x[s, 0])
    for value in (
        slice(1, 3),
        slice(None),
        slice(None, None, -1),
        slice(-2, None),
        slice(3, 0, -2),
        slice(9, 9),
        slice(0, 0, -1),
    ):
        rows, columns = first(X, value)
        np.testing.assert_array_equal(rows, X[value])
        np.testing.assert_array_equal(columns, X[:, value])
        np.testing.assert_array_equal(second(X, value), X[value, 0])
    with pytest.raises(TypeError, match="Expected a slice"):
        first(X, 1)
    g = theano.function([x, s], T.grad(x[s].sum(), x))(X, slice(0, 1))
    assert g.sum() == 3
    assert theano.function([x, s], T.set_subtensor(x[s], 0))(X, slice(0, 3)).sum() == 30


def test_slices_are_made_of_variables() -> None:
    x, i = T.dmatrix("x"), T.iscalar("i")
    part = make_slice(0, i)
    assert isinstance(part.owner.op, MakeSlice)
    assert x[part].eval({x: X, i: 2}).shape == (2, 3)
    assert x[make_slice(slice(None, i, None)), 1].eval({x: X, i: 3}).tolist() == [1, 4, 7]
    made = theano.function([i], [make_slice(0, i), make_slice(0, i)])
    assert made(5) == [slice(0, 5), slice(0, 5)]
    with pytest.raises(TypeError, match="integers or None"):
        make_slice(0, T.dscalar())
    assert isinstance(NoneConst.type, NoneTypeT)
