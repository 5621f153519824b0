"""The types of parameters of operations: enumerations and structures."""

import pickle

import numpy as np
import pytest

import theano.tensor as T
from theano.gof import EnumList, EnumType, Params, ParamsType, generic
from theano.scalar import Scalar

LETTERS = EnumType(A=("alpha", 1), B=2.5, C=True)


def test_enumerations():
    assert (LETTERS.A, LETTERS.B, LETTERS.C, LETTERS["A"]) == (1, 2.5, 1, 1)
    assert LETTERS.fromalias("alpha") == LETTERS.fromalias("A") == LETTERS.filter("alpha") == 1
    assert LETTERS.get_aliases() == ("alpha",) and LETTERS.has_alias("alpha")
    assert LETTERS == EnumType(C=1, A=("alpha", 1), B=2.5) != EnumType(A=1, B=2.5, C=1)
    assert repr(EnumType(A=1, ctype="int")) == "EnumType<int>(A:1)"
    digits = EnumList("ZERO", ("ONE", "one"), ctype="size_t")
    assert (digits.ZERO, digits.ONE, digits.fromalias("one")) == (0, 1, 1)
    for kind in (LETTERS, digits):
        assert pickle.loads(pickle.dumps(kind)) == kind


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: EnumType(a=1), AttributeError),
        (lambda: EnumType(A="text"), TypeError),
        (lambda: EnumType(A=("A", 1)), TypeError),
        (lambda: EnumType(A=(1, 1)), TypeError),
        (lambda: EnumType(A=("x", 1), B=("x", 2)), TypeError),
        (lambda: EnumType(A=("x", 1, 2)), TypeError),
        (lambda: EnumType(A=1, ctype="*"), TypeError),
        (lambda: EnumType(A=1, cname="a b"), TypeError),
        (lambda: EnumList("A", "A"), TypeError),
        (lambda: EnumList(3), TypeError),
        (lambda: EnumList("A", B=3), TypeError),
        (lambda: ParamsType(), ValueError),
        (lambda: ParamsType(**{"a b": generic}), AttributeError),
        (lambda: ParamsType(a=3), TypeError),
        (lambda: ParamsType(a=EnumType(A=1), b=EnumType(A=2)), AttributeError),
        (lambda: ParamsType(a=EnumType(A=("x", 1)), b=EnumType(B=("x", 2))), AttributeError),
        (lambda: LETTERS.filter(7), AssertionError),
        (lambda: setattr(LETTERS, "A", 3), NotImplementedError),
        (lambda: LETTERS.__setitem__("A", 3), NotImplementedError),
        (lambda: LETTERS.__delitem__("A"), NotImplementedError),
    ],
)
def test_bad_parameters(make, error):
    with pytest.raises(error):
        make()


def test_structures():
    letters = EnumType(A=("alpha", 1), B=2)
    kind = ParamsType(a=T.dmatrix, b=Scalar("int32"), letters=letters)

    class Holder:
        a = [[1.0, 2.0]]
        b = 7
        letters = "alpha"

    params = kind.get_params(Holder(), b=8)
    np.testing.assert_array_equal(params.a, [[1, 2]])
    assert (params.b, type(params.b), params.letters) == (8, np.int32, 1)
    assert isinstance(params, Params) and kind.filter(params) is params
    assert (kind.A, kind.get_enum("B"), kind.enum_from_alias("alpha")) == (1, 2, 1)
    assert kind.get_type("b") == Scalar("int32")
    assert kind.get_field(T.dmatrix) == "a" and kind.has_type(T.dmatrix)
    assert kind == ParamsType(b=Scalar("int32"), letters=letters, a=T.dmatrix)
    assert kind.extended(c=generic).fields == ("a", "b", "c", "letters")
    assert params == kind.get_params(Holder(), b=8) != kind.get_params(Holder())
    assert pickle.loads(pickle.dumps(params)) == params
    for wrong, error, text in (
        (lambda: setattr(params, "a", 3), NotImplementedError, "immutable"),
        (lambda: params.c, AttributeError, "c"),
        (lambda: kind.get_params(a=[[1.0]], b=2), AttributeError, "no value for 'letters'"),
        (lambda: kind.filter(Holder(), strict=True), TypeError, "should be an instance of Params"),
    ):
        with pytest.raises(error, match=text):
            wrong()
