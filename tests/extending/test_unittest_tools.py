"""Tests of operations as old programs write them."""

from __future__ import annotations

import numpy as np
import pytest
from user_ops import Double, Square

import theano.tensor as T
from theano.tests import unittest_tools as utt


class TestSquare(utt.InferShapeTester):
    def setUp(self) -> None:
        super().setUp()
        self.op_class = Square
        self.op = Square()

    def test_infer_shape(self) -> None:
        x = T.dmatrix()
        self._compile_and_check([x], [self.op(x)], [np.ones((3, 2))], self.op_class)

    def test_grad(self) -> None:
        utt.verify_grad(self.op, [np.random.rand(3, 2)])


def test_a_shape_that_needs_the_operation_is_found() -> None:
    class NoShape(Double):
        __props__ = ()

        def infer_shape(self, node, shapes):
            raise NotImplementedError

    x = T.dmatrix()
    with pytest.raises(AssertionError, match="still needs"):
        utt.InferShapeTester()._compile_and_check([x], [NoShape()(x)], [np.ones((3, 2))], NoShape)


def test_helpers() -> None:
    assert utt.seed_rng(3) == utt.fetch_seed(3) == 3
    first = np.random.rand()
    utt.seed_rng(3)
    assert np.random.rand() == first
    utt.assert_allclose(np.ones(2), np.ones(2))
    with pytest.raises(AssertionError, match="expected"):
        utt.assert_allclose(np.ones(2), np.zeros(2))


def test_closeness_looks_at_values_only() -> None:
    """As in Theano 1.0.5: shapes are broadcast, dtypes may differ, float32 is compared as such."""
    utt.assert_allclose([[1, 1]], np.ones(2))
    utt.assert_allclose(np.float32(0.1), 0.1)
    utt.assert_allclose(1, np.float16(1.002))
    utt.assert_allclose(2, 1, atol=1)
    for far in (1.001, np.float32(1.00003), [1, np.nan]):
        with pytest.raises(utt.WrongValue, match="rtol"):
            utt.assert_allclose(1, far)
