"""Operations made of functions, and those that hand their input on."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.compile.ops import (
    DeepCopyOp,
    FromFunctionOp,
    Rebroadcast,
    ViewOp,
    as_op,
    deep_copy_op,
    register_view_op_c_code,
    view_op,
)
from theano.gof import generic

VALUE = np.arange(6.0).reshape(2, 3)


@as_op(itypes=[T.dmatrix, T.dmatrix], otypes=[T.dmatrix])
def product(a, b):
    return np.dot(a, b)


def shape(node, shapes):
    return [(shapes[0][0], shapes[1][1])]


@as_op([T.dmatrix, T.dmatrix], T.dmatrix, infer_shape=shape)
def product_with_lengths(a, b):
    return np.dot(a, b)


@as_op(itypes=T.dvector, otypes=[T.dscalar, T.lscalar])
def total_and_count(v):
    return v.sum(), len(v)


@as_op(itypes=[T.dvector], otypes=[T.dvector])
def unchanged(v):
    return v


@pytest.mark.parametrize("op", [product, product_with_lengths])
def test_functions_as_operations(op):
    x, y = T.dmatrix("x"), T.dmatrix("y")
    f = theano.function([x, y], [op(x, y) + 1, op(x, y).shape])
    got, shape = f(VALUE, VALUE.T)
    np.testing.assert_array_equal(got, VALUE @ VALUE.T + 1)
    assert shape.tolist() == [2, 2]
    assert isinstance(op, FromFunctionOp)
    assert str(op) == f"FromFunctionOp{{{op._fn.__name__}}}"
    again = pickle.loads(pickle.dumps(op))
    assert again is op
    loaded = pickle.loads(pickle.dumps(f))
    np.testing.assert_array_equal(loaded(VALUE, VALUE.T)[0], got)


def test_lengths_without_a_call():
    calls = []

    @as_op([T.dvector], [T.dvector], infer_shape=lambda node, shapes: shapes)
    def noisy(v):
        calls.append(1)
        return v + 1

    x = T.dvector("x")
    assert theano.function([x], noisy(x).shape)(VALUE[0]).tolist() == [3]
    assert not calls


def test_several_results_and_numpy_scalars():
    v = T.dvector("v")
    total, count = total_and_count(v)
    got = theano.function([v], [total * 2, count])(VALUE[1])
    assert [float(got[0]), int(got[1])] == [24, 3]
    assert got[1].dtype == "int64"


def test_a_result_that_is_the_argument():
    v = T.dvector("v")
    f = theano.function([v], [unchanged(v), unchanged(unchanged(v)) * 2])
    given = VALUE[0].copy()
    one, two = f(given)
    np.testing.assert_array_equal(one, given)
    np.testing.assert_array_equal(two, 2 * given)
    one[...] = 9
    np.testing.assert_array_equal(given, VALUE[0])


def test_there_is_no_gradient():
    x = T.dmatrix("x")
    with pytest.raises(AttributeError, match="no attribute 'grad'"):
        T.grad(product(x, x).sum(), x)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: as_op([3], [T.dmatrix]), TypeError, "itypes has to be a list of Theano types"),
        (lambda: as_op([T.dmatrix], "d"), TypeError, "otypes has to be a list of Theano types"),
        (lambda: as_op(T.dmatrix, T.dmatrix, 3), TypeError, "infer_shape needs to be a callable"),
        (lambda: product(T.dmatrix()), ValueError, "expected 2 inputs but got 1"),
        (lambda: product(T.dvector(), T.dmatrix()), TypeError, "We expected inputs of types"),
    ],
)
def test_wrong_declarations(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_wrong_results():
    @as_op([T.dvector], [T.dvector, T.dvector])
    def one_result(v):
        return v

    @as_op([T.dvector], [T.dvector])
    def none(v):
        return None

    v = T.dvector("v")
    with pytest.raises(AssertionError, match="returned 1 results, and 2 were declared"):
        theano.function([v], one_result(v))(VALUE[0])
    with pytest.raises(ValueError, match="left output 0 empty"):
        theano.function([v], none(v))(VALUE[0])


def test_local_functions_do_not_pickle():
    @as_op([T.dvector], [T.dvector])
    def local(v):
        return v

    @as_op([T.dvector], [T.dvector])
    def product(v):
        return v

    for op in (local, product):
        with pytest.raises(pickle.PicklingError, match="Can't pickle as_op"):
            pickle.dumps(op)


def test_views_and_copies():
    x, thing = T.dmatrix("x"), generic("thing")
    assert isinstance(view_op, ViewOp)
    assert isinstance(deep_copy_op, DeepCopyOp)
    value = [1, [2]]
    f = theano.function([x, thing], [view_op(x) * 2, deep_copy_op(x), deep_copy_op(thing)])
    twice, copied, things = f(VALUE, value)
    np.testing.assert_array_equal(twice, 2 * VALUE)
    np.testing.assert_array_equal(copied, VALUE)
    assert things == value
    assert things is not value
    np.testing.assert_array_equal(T.grad((view_op(x) ** 2).sum(), x).eval({x: VALUE}), 2 * VALUE)
    assert theano.function([x], view_op(x).shape)(VALUE).tolist() == [2, 3]
    register_view_op_c_code(T.TensorType, "code", version=1)


def test_views_with_a_gradient_of_their_own():
    class Reversal(ViewOp):
        """A gradient that changes sign, as programs for domain adaptation write it."""

        __props__ = ("strength",)

        def __init__(self, strength):
            self.strength = strength

        def grad(self, inputs, output_grads):
            return [-self.strength * output_grads[0]]

    x = T.dmatrix("x")
    y = Reversal(3)(x)
    f = theano.function([x], [y, T.grad((y * 2).sum(), x)])
    got, gradient = f(VALUE)
    np.testing.assert_array_equal(got, VALUE)
    np.testing.assert_array_equal(gradient, np.full((2, 3), -6.0))
    assert Reversal(3) == Reversal(3) != Reversal(4)


def test_nothing_is_left_of_views_in_functions():
    class Marked(ViewOp):
        pass

    class Twice(ViewOp):
        def perform(self, node, inputs, output_storage):
            output_storage[0][0] = inputs[0] * 2

    x = T.dmatrix("x")
    f = theano.function([x], T.log(Marked()(view_op(T.exp(x)))) + Twice()(x))
    ops = [node.op for node in f.maker.fgraph.toposort()]
    assert sum(isinstance(op, ViewOp) for op in ops) == 1 and Twice in map(type, ops)
    np.testing.assert_array_equal(f(VALUE), 3 * VALUE)
    rows = theano.scan(lambda row: view_op(row) + 1, x)[0]
    np.testing.assert_array_equal(rows.eval({x: VALUE}), VALUE + 1)
    value = np.ones((2, 3))
    assert not np.shares_memory(theano.function([x], view_op(x))(value), value)


def test_rebroadcast():
    x = T.dmatrix("x")
    y = Rebroadcast((0, True))(x)
    assert y.broadcastable == (True, False)
    np.testing.assert_array_equal(y.eval({x: VALUE[:1]}), VALUE[:1])
    assert isinstance(y.owner.op, Rebroadcast)
    with pytest.raises(ValueError, match="supposed to be 1"):
        y.eval({x: VALUE})
    for axis, error in (((5, True), ValueError), ((0, 1), TypeError), (("a", True), TypeError)):
        with pytest.raises(error):
            Rebroadcast(axis)(x)


def test_a_view_of_what_nothing_else_shows_is_not_copied() -> None:
    places, kept = [], []

    @as_op([T.dvector], [T.dmatrix])
    def fresh(x: np.ndarray) -> np.ndarray:
        result = (np.arange(6.0) * x[0]).reshape(2, 3)
        places.append(result.ctypes.data)
        return result

    @as_op([T.dvector], [T.dmatrix])
    def keeps(x: np.ndarray) -> np.ndarray:
        kept.append(np.arange(6.0) * x[0])
        return kept[-1].reshape(2, 3)

    x = T.dvector()
    result = theano.function([x], fresh(x))([2.0])
    assert result.ctypes.data == places[-1]
    np.testing.assert_array_equal(result, [[0.0, 2.0, 4.0], [6.0, 8.0, 10.0]])
    for expression in (keeps(x), keeps(x) + 1):
        theano.function([x], expression)([2.0])[:] = 7
        np.testing.assert_array_equal(kept[-1], np.arange(0.0, 12.0, 2.0))
