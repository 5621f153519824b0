"""Lists of values of one type, as Theano 1.0.5 has them."""

import pickle

import numpy as np
import pytest

import theano
import theano.tensor as T
import theano.typed_list as lists
from theano.typed_list import TypedListType

VECTORS = TypedListType(T.dvector)
VALUE = [np.array([1.0, 2.0]), np.array([3.0]), np.array([1.0, 2.0])]


def computed(make):
    x, item = VECTORS("x"), T.dvector("item")
    f = theano.function([x, item], make(x, item), on_unused_input="ignore", accept_inplace=True)
    return f(VALUE, VALUE[0])


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda x, v: x, [0, 1, 2]),
        (lambda x, v: x[1:], [1, 2]),
        (lambda x, v: x[:: T.constant(2)], [0, 2]),
        (lambda x, v: x.append(v), [0, 1, 2, 0]),
        (lambda x, v: x.append([3.0]), [0, 1, 2, 1]),
        (lambda x, v: x.extend(x[:2]), [0, 1, 2, 0, 1]),
        (lambda x, v: x.insert(T.constant(1), v), [0, 0, 1, 2]),
        (lambda x, v: x.remove(v), [1, 2]),
        (lambda x, v: x.remove(v + 1), [0, 1, 2]),
        (lambda x, v: x[:2].reverse(), [1, 0]),
        (lambda x, v: lists.make_list([x[1], v]), [1, 0]),
        (lambda x, v: lists.Append(inplace=True)(x, v), [0, 1, 2, 0]),
    ],
)
def test_lists(make, expected):
    found = computed(make)
    assert [v.tolist() for v in found] == [VALUE[i].tolist() for i in expected]
    assert len(VALUE) == 3


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda x, v: x[0].sum(), np.float64(3)),
        (lambda x, v: x[T.constant(-2)] * 2, np.array([6.0])),
        (lambda x, v: lists.length(x), np.int64(3)),
        (lambda x, v: x.count(v), np.float64(2)),
        (lambda x, v: x.ind([3.0]), np.float64(1)),
        (lambda x, v: lists.append(lists.append(x, v), v)[4], VALUE[0]),
    ],
)
def test_elements(make, expected):
    found = computed(make)
    assert found.dtype == expected.dtype
    assert np.array_equal(found, expected)


def test_elements_are_copies():
    x = VECTORS()
    theano.function([x], x[0])(VALUE)[:] = 9
    assert VALUE[0].tolist() == [1.0, 2.0]


def test_types():
    nested = TypedListType(T.dscalar, depth=2)
    assert (nested.get_depth(), nested.ndim) == (2, 3)
    assert nested == TypedListType(TypedListType(TypedListType(T.dscalar)))
    assert len({nested, TypedListType(T.dscalar, 2), TypedListType(T.dscalar)}) == 2
    assert str(TypedListType(T.dscalar)) == "TypedList <TensorType(float64, scalar)>"
    assert nested()[0].type == TypedListType(T.dscalar, 1)
    assert nested()[0][0][0].type == T.dscalar
    assert pickle.loads(pickle.dumps(nested)) == nested
    assert VECTORS.values_eq(VALUE, list(VALUE)) and not VECTORS.values_eq(VALUE, VALUE[1:])


@pytest.mark.parametrize(
    ("wrong", "kind", "message"),
    [
        (lambda x, v: TypedListType(3), TypeError, "Expected a Theano Type, got 3"),
        (lambda x, v: TypedListType(T.dscalar, -1), ValueError, "got -1"),
        (lambda x, v: VECTORS.filter((1,), strict=True), TypeError, "python list, got tuple"),
        (lambda x, v: x[1.5], TypeError, "scalar or slice as index"),
        (lambda x, v: x.append(T.dmatrix()), TypeError, "items of TensorType.float64, vector"),
        (lambda x, v: lists.length(v), TypeError, "TypedListType is needed"),
        (lambda x, v: lists.make_list([v, x]), TypeError, "of the same type, got TensorType"),
        (lambda x, v: lists.make_list([]), TypeError, "of the same type, got none"),
        (lambda x, v: len(x), TypeError, "cannot be an integer here"),
        (lambda x, v: list(x), TypeError, "not iterable"),
        (lambda x, v: computed(lambda x, v: x[7]), IndexError, "out of range"),
        (lambda x, v: computed(lambda x, v: x.ind(v + 1)), ValueError, "none of the 3 items"),
    ],
)
def test_errors(wrong, kind, message):
    with pytest.raises(kind, match=message):
        wrong(VECTORS("x"), T.dvector("v"))
