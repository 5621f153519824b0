"""Operations made of functions, and those that hand their input on."""

import pickle

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import evaluate, ops
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
x, y, v = T.dmatrix("x"), T.dmatrix("y"), T.dvector("v")
equal = np.testing.assert_array_equal


@as_op(itypes=[T.dmatrix, T.dmatrix], otypes=[T.dmatrix])
def product(a, b):
    return np.dot(a, b)


def shape(node, shapes):
    return [(shapes[0][0], shapes[1][1])]


@as_op([T.dmatrix, T.dmatrix], T.dmatrix, infer_shape=shape)
def product_with_lengths(a, b):
    return np.dot(a, b)


def vectors(function, otypes=T.dvector, **options):
    """Return the operation of a function of a vector."""
    return as_op([T.dvector], otypes, **options)(function)


@pytest.mark.parametrize("op", [product, product_with_lengths])
def test_functions_as_operations(op):
    f = theano.function([x, y], [op(x, y) + 1, op(x, y).shape])
    got, shape = f(VALUE, VALUE.T)
    equal(got, VALUE @ VALUE.T + 1)
    assert shape.tolist() == [2, 2]
    assert isinstance(op, FromFunctionOp)
    assert str(op) == f"FromFunctionOp{{{op._fn.__name__}}}"
    assert pickle.loads(pickle.dumps(op)) is op
    equal(pickle.loads(pickle.dumps(f))(VALUE, VALUE.T)[0], got)


def test_lengths_without_a_call():
    calls = []
    noisy = vectors(calls.append, infer_shape=lambda node, shapes: shapes)
    assert evaluate(noisy(v).shape, {v: VALUE[0]}).tolist() == [3] and not calls


def test_several_results_and_numpy_scalars():
    total, count = vectors(lambda v: (v.sum(), len(v)), [T.dscalar, T.lscalar])(v)
    got = evaluate([total * 2, count], {v: VALUE[1]})
    assert [float(got[0]), int(got[1])] == [24, 3] and got[1].dtype == "int64"


def test_a_result_that_is_the_argument_is_copied():
    unchanged = vectors(lambda v: v)
    f = theano.function([v], [unchanged(v), unchanged(unchanged(v)) * 2])
    given = VALUE[0].copy()
    one, two = f(given)
    equal(one, given)
    equal(two, 2 * given)
    one[...] = 9
    equal(given, VALUE[0])


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: as_op([3], [T.dmatrix]), TypeError, "itypes has to be a list of Theano types"),
        (lambda: as_op([T.dmatrix], "d"), TypeError, "otypes has to be a list of Theano types"),
        (lambda: as_op(T.dmatrix, T.dmatrix, 3), TypeError, "infer_shape needs to be a callable"),
        (lambda: product(x), ValueError, "expected 2 inputs but got 1"),
        (lambda: product(v, x), TypeError, "We expected inputs of types"),
        (lambda: T.grad(product(x, x).sum(), x), AttributeError, "no attribute 'grad'"),
        (
            lambda: evaluate(vectors(lambda v: v, [T.dvector] * 2)(v), {v: VALUE[0]}),
            *(AssertionError, "returned 1 results, and 2 were declared"),
        ),
        (
            lambda: evaluate(vectors(lambda v: None)(v), {v: VALUE[0]}),
            *(ValueError, "left output 0 empty"),
        ),
        (lambda: Rebroadcast((0, True))(x).eval({x: VALUE}), ValueError, "supposed to be 1"),
        (lambda: Rebroadcast((5, True))(x), ValueError, None),
        (lambda: Rebroadcast((0, 1))(x), TypeError, None),
        (lambda: Rebroadcast(("a", True))(x), TypeError, None),
    ],
)
def test_wrong_declarations_and_results(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_local_functions_do_not_pickle():
    def local(v):
        return v

    def product(v):
        return v

    for function in (local, product):
        with pytest.raises(pickle.PicklingError, match="Can't pickle as_op"):
            pickle.dumps(vectors(function))


def test_views_and_copies():
    thing, value = generic("thing"), [1, [2]]
    assert isinstance(view_op, ViewOp) and isinstance(deep_copy_op, DeepCopyOp)
    outs = [view_op(x) * 2, deep_copy_op(x), deep_copy_op(thing), view_op(x).shape]
    gradient = T.grad((view_op(x) ** 2).sum(), x)
    twice, copied, things, shape, gradient = evaluate([*outs, gradient], {x: VALUE, thing: value})
    for found in (twice, 2 * copied, gradient):
        equal(found, 2 * VALUE)
    assert things == value and things is not value and shape.tolist() == [2, 3]
    register_view_op_c_code(T.TensorType, "code", version=1)


def test_views_with_a_gradient_of_their_own():
    class Reversal(ViewOp):
        """A gradient that changes sign, as programs for domain adaptation write it."""

        __props__ = ("strength",)

        def __init__(self, strength):
            self.strength = strength

        def grad(self, inputs, output_grads):
            return [-self.strength * output_grads[0]]

    out = Reversal(3)(x)
    got, gradient = evaluate([out, T.grad((out * 2).sum(), x)], {x: VALUE})
    equal(got, VALUE)
    equal(gradient, np.full((2, 3), -6.0))
    assert Reversal(3) == Reversal(3) != Reversal(4)


def test_nothing_is_left_of_views_in_functions():
    class Marked(ViewOp):
        pass

    class Twice(ViewOp):
        def perform(self, node, inputs, output_storage):
            output_storage[0][0] = inputs[0] * 2

    f = theano.function([x], T.log(Marked()(view_op(T.exp(x)))) + Twice()(x))
    assert [type(op) for op in ops(f, ViewOp)] == [Twice]
    equal(f(VALUE), 3 * VALUE)
    equal(theano.scan(lambda row: view_op(row) + 1, x)[0].eval({x: VALUE}), VALUE + 1)
    value = np.ones((2, 3))
    assert not np.shares_memory(theano.function([x], view_op(x))(value), value)


def test_rebroadcast():
    out = Rebroadcast((0, True))(x)
    assert out.broadcastable == (True, False) and isinstance(out.owner.op, Rebroadcast)
    equal(out.eval({x: VALUE[:1]}), VALUE[:1])


def test_a_view_of_what_nothing_else_shows_is_not_copied():
    places, kept = [], []

    def fresh(x):
        result = (np.arange(6.0) * x[0]).reshape(2, 3)
        places.append(result.ctypes.data)
        return result

    def keeps(x):
        kept.append(np.arange(6.0) * x[0])
        return kept[-1].reshape(2, 3)

    result = evaluate(vectors(fresh, T.dmatrix)(v), {v: [2.0]})
    assert result.ctypes.data == places[-1]
    equal(result, [[0.0, 2.0, 4.0], [6.0, 8.0, 10.0]])
    keeps = vectors(keeps, T.dmatrix)
    for expression in (keeps(v), keeps(v) + 1):
        evaluate(expression, {v: [2.0]})[:] = 7
        equal(kept[-1], np.arange(0.0, 12.0, 2.0))
