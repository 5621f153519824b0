"""Tests of operations as old programs write them."""

import unittest
from types import SimpleNamespace

import numpy as np
import pytest
from user_ops import Double, Square

import theano
import theano.tensor as T
from theano.tests import unittest_tools as utt


class TestSquare(utt.InferShapeTester):
    def setUp(self):
        super().setUp()
        self.op_class = Square
        self.op = Square()

    def test_infer_shape(self):
        x = T.dmatrix()
        self._compile_and_check([x], [self.op(x)], [np.ones((3, 2))], self.op_class)

    def test_grad(self):
        utt.verify_grad(self.op, [np.random.rand(3, 2)])


class TestOperations(unittest.TestCase, utt.TestOptimizationMixin):
    def test_contents(self):
        x = T.dmatrix()
        self.assertFunctionContains1(theano.function([x], T.exp(x)), T.exp)


class TestContract(utt.T_OpContractMixin):
    ops = (Square(), Double())

    def clone(self, op):
        return type(op)()


def test_classes_with_the_mixin_are_collected():
    # Test runners leave out a class whose `__test__` is false, and those derived from it.
    assert getattr(TestOperations, "__test__", True)


def test_a_shape_that_needs_the_operation_is_found():
    class NoShape(Double):
        def infer_shape(self, node, shapes):
            raise NotImplementedError

    x = T.dmatrix()
    with pytest.raises(AssertionError, match="still needs"):
        utt.InferShapeTester()._compile_and_check([x], [NoShape()(x)], [np.ones((3, 2))], NoShape)


def test_seeds_decide_what_is_drawn():
    assert utt.seed_rng(3) == utt.fetch_seed(3) == 3
    first = np.random.rand()
    utt.seed_rng(3)
    assert np.random.rand() == first


def test_gradients_of_what_overwrites_its_input():
    point = np.random.RandomState(0).rand(3, 2)
    kept = point.copy()
    utt.verify_grad(lambda x: T.inplace.exp_inplace(x) * 2, [point])
    np.testing.assert_array_equal(point, kept)


def test_closeness_looks_at_values_only():
    """As in Theano 1.0.5: shapes are broadcast, dtypes may differ, float32 is compared as such."""
    utt.assert_allclose([[1, 1]], np.ones(2))
    utt.assert_allclose(np.float32(0.1), 0.1)
    utt.assert_allclose(1, np.float16(1.002))
    utt.assert_allclose(2, 1, atol=1)
    for far in (1.001, np.float32(1.00003), [1, np.nan]):
        with pytest.raises(utt.WrongValue, match=r"expected(.|\n)*rtol"):
            utt.assert_allclose(1, far)


def test_attempts():
    seeds = []

    @utt.AttemptManyTimes(n_attempts=3)
    def second_time_lucky():
        seeds.append(utt.fetch_seed())
        assert len(seeds) > 1

    @utt.AttemptManyTimes(n_attempts=3, n_req_successes=2)
    def never():
        raise ValueError("never")

    second_time_lucky()
    assert seeds == [666, 667] and utt.fetch_seed() == 666
    with pytest.raises(ValueError, match="never"):
        never()


def test_attempts_prepare_a_test_case():
    class Case(unittest.TestCase):
        ready = 0

        def setUp(self):
            self.ready += 1

        @utt.AttemptManyTimes(n_attempts=2)
        def test_it(self):
            assert self.ready > 1

    case = Case("test_it")
    case.test_it()
    assert case.ready == 2


def test_draws_at_the_ends():
    least, greatest = utt.MockRandomState(0), utt.MockRandomState(0.99)
    assert least.rand(2).tolist() == [0, 0] and greatest.rand() == 0.99
    assert least.randint(3, 7, size=2).tolist() == [3, 3] and greatest.randint(7) == 6


def test_operations_of_a_function():
    x, check = T.lvector("x"), utt.TestOptimizationMixin()
    product = T.dot(x, x).owner.op
    f = theano.function([x], T.dot(x, x))
    check.assertFunctionContains1(f, product)
    check.assertFunctionContains0(f, T.exp)
    check.assertFunctionContainsClassN(f, type(product), 1)
    with pytest.raises(AssertionError):
        check.assertFunctionContainsN(f, T.exp, 2)
    with pytest.raises(unittest.SkipTest):
        check.SkipTest("why")


def test_marks_and_names():
    @utt.attr("slow", speed=3)
    def marked(): ...

    assert marked.slow and marked.speed == 3
    param = SimpleNamespace(args=(1, "a b"))
    assert utt.custom_name_func(marked, 0, param) == "marked_1_a_b"
    assert utt.assertFailure_fast(marked) is marked
    with theano.change_flags(cycle_detection="fast"):
        with pytest.raises(AssertionError, match="does not fail"):
            utt.assertFailure_fast(marked)()
        utt.assertFailure_fast(lambda: 1 / 0)()
