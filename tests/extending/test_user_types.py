"""Users' own types, and the types of parameters."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.compile.sharedvalue import SharedVariable, shared_constructor
from theano.gof import (
    Apply,
    CDataType,
    Constant,
    EnumList,
    EnumType,
    Generic,
    Op,
    Params,
    ParamsType,
    Type,
    Variable,
    generic,
)
from theano.gof.type import SingletonType
from theano.gof.utils import MethodNotDefined, object2, scratchpad
from theano.scalar import Scalar


class Interval:
    """A value that is no array."""

    def __init__(self, low, high):
        self.low, self.high = low, high

    def __eq__(self, other):
        return (self.low, self.high) == (other.low, other.high)

    __hash__ = None


class IntervalVariable(Variable):
    def __add__(self, other):
        return add_intervals(self, other)


class IntervalType(Type):
    __props__ = ("kind",)

    def __init__(self, kind="real"):
        self.kind = kind

    def filter(self, data, strict=False, allow_downcast=None):
        if isinstance(data, Interval):
            return data
        if strict:
            raise TypeError("an Interval is needed")
        if isinstance(data, tuple) and len(data) == 2:
            return Interval(*data)
        raise TypeError(f"no interval: {data!r}")

    def values_eq_approx(self, a, b):
        return abs(a.low - b.low) + abs(a.high - b.high) < 1e-6


IntervalType.Variable = IntervalVariable
interval = IntervalType()


class AddIntervals(Op):
    __props__ = ()

    def make_node(self, x, y):
        return Apply(self, [x, y], [x.type()])

    def perform(self, node, inputs, output_storage):
        x, y = inputs
        output_storage[0][0] = Interval(x.low + y.low, x.high + y.high)


class Bounds(Op):
    """From an object to numbers."""

    __props__ = ()

    def make_node(self, x):
        return Apply(self, [x], [T.dscalar(), T.dvector()])

    def perform(self, node, inputs, output_storage):
        x = inputs[0]
        output_storage[0][0] = np.float64(x.high - x.low)
        output_storage[1][0] = np.array([x.low, x.high], dtype="float64")

    def infer_shape(self, node, shapes):
        assert shapes == [None]
        return [(), (2,)]


class Around(Op):
    """From a number to an object."""

    __props__ = ()

    def make_node(self, x):
        return Apply(self, [T.as_tensor_variable(x)], [interval()])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = Interval(float(inputs[0]) - 1, float(inputs[0]) + 1)

    def infer_shape(self, node, shapes):
        assert shapes == [()]
        return [None]


add_intervals = AddIntervals()


def test_objects_travel_through_functions():
    x, y, t = interval("x"), interval("y"), T.dscalar("t")
    assert isinstance(x, IntervalVariable)
    width, ends = Bounds()(x + y + Around()(t))
    f = theano.function([x, y, t], [x + y, width * 2, ends.sum(), ends.shape])
    got, twice, total, shape = f(Interval(1, 2), (3, 5), 10)
    assert got == Interval(4, 7)
    assert twice == 10
    assert total == 4 + 9 + 7 + 11
    assert shape.tolist() == [2]
    same = theano.function([x], x)
    value = Interval(1, 2)
    assert same(value) == value


@pytest.mark.parametrize("bad", [3, "text", None, (1, 2, 3)])
def test_arguments_are_filtered(bad):
    x = interval("x")
    f = theano.function([x], Bounds()(x)[0])
    with pytest.raises(TypeError, match=r'argument "x".*at index 0'):
        f(bad)
    assert f((1, 5)) == 4
    strict = theano.function([theano.In(x, strict=True)], Bounds()(x)[0])
    with pytest.raises(TypeError, match="an Interval is needed"):
        strict((1, 5))


def test_shared_variables_and_updates():
    class IntervalShared(SharedVariable, IntervalVariable):
        pass

    @shared_constructor
    def interval_constructor(value, name=None, strict=False, allow_downcast=None):
        if not isinstance(value, Interval):
            raise TypeError("no interval")
        return IntervalShared(name=name, type=interval, value=value, strict=strict)

    try:
        state = theano.shared(Interval(0, 1), name="state")
        assert isinstance(state, IntervalShared)
        step = theano.function([], Bounds()(state)[0], updates=[(state, state + state)])
        assert [float(step()) for _ in range(3)] == [1, 2, 4]
        assert state.get_value() == Interval(0, 8)
        state.set_value((3, 4))
        assert state.get_value() == Interval(3, 4)
        with pytest.raises(TypeError, match="no interval"):
            state.set_value(5)
        assert isinstance(theano.shared(np.ones(2)), T.TensorVariable | SharedVariable)
    finally:
        shared_constructor(interval_constructor, remove=True)


def test_old_programs_change_the_list_of_constructors():
    def of_sets(value, name=None, strict=False, allow_downcast=None):
        if not isinstance(value, set):
            raise TypeError
        return theano.shared(np.array(sorted(value)), name)

    theano.shared.constructors.append(of_sets)
    try:
        assert theano.shared({3, 1}).get_value().tolist() == [1, 3]
    finally:
        theano.shared.constructors.remove(of_sets)
    assert theano.shared({3, 1}).get_value() == {3, 1}


def test_constants_branches_and_loops():
    from theano.ifelse import ifelse

    x, c = interval("x"), T.lscalar("c")
    fixed = interval.make_constant(Interval(1, 1), name="fixed")
    assert isinstance(fixed, Constant)
    width = Bounds()(ifelse(c, x + fixed, x + x))[0]
    f = theano.function([x, c], width)
    assert [float(f((0, 3), n)) for n in (0, 1)] == [6, 3]
    rows, _ = theano.scan(lambda s: Bounds()(Around()(s))[1], [T.dvector("v")])
    v = theano.gof.graph.inputs([rows])[0]
    np.testing.assert_array_equal(rows.eval({v: [1.0, 5.0]}), [[0, 2], [4, 6]])


def test_equality_and_text():
    assert IntervalType() == IntervalType()
    assert IntervalType() != IntervalType("rational")
    assert hash(IntervalType()) == hash(IntervalType())
    assert str(IntervalType()) == "IntervalType{kind='real'}"
    assert isinstance(T.dvector, Type)
    assert isinstance(interval, theano.Type)
    assert not isinstance(T.dvector, IntervalType)

    class Bare(Type):
        pass

    bare = Bare()
    assert bare == bare
    assert bare != Bare()
    with pytest.raises(MethodNotDefined):
        bare.filter(3)
    assert interval.is_valid_value(Interval(1, 2))
    assert not interval.is_valid_value((1, 2))
    assert interval.values_eq(Interval(1, 2), Interval(1, 2))
    assert interval.values_eq_approx(Interval(1, 2), Interval(1, 2 + 1e-9))
    assert interval.make_variable("n").name == "n"
    with pytest.raises(TypeError, match="Cannot convert Type"):
        interval.filter_variable(T.dscalar())


def test_generic():
    assert isinstance(generic, Generic)
    x = generic("x")

    class Upper(Op):
        __props__ = ()

        def make_node(self, x):
            return Apply(self, [x], [generic()])

        def perform(self, node, inputs, output_storage):
            output_storage[0][0] = None if inputs[0] is None else inputs[0].upper()

    f = theano.function([x], Upper()(Upper()(x)))
    assert f("text") == "TEXT"
    assert f(None) is None
    with pytest.raises(AttributeError, match="upper") as caught:
        f(3)
    assert "Upper" in str(caught.value)


def test_singletons_and_helpers():
    class Only(SingletonType):
        pass

    class Other(SingletonType):
        pass

    assert Only() is Only()
    assert Only() != Other()
    assert str(Only()) == "Only"

    class Point(object2):
        __props__ = ("x",)

        def __init__(self, x):
            self.x = x

    assert Point(1) == Point(1)
    assert Point(1) != Point(2)
    assert str(Point(1)) == "Point{x=1}"
    assert Point(1)._props_dict() == {"x": 1}
    pad = scratchpad()
    pad.a = 1
    assert str(pad) == "scratchpad{'a': 1}"
    for bad in (["x"], (1,)):
        with pytest.raises(TypeError, match="__props__"):
            type("Bad", (Op,), {"__props__": bad})


def test_cdata():
    pointer = CDataType("struct thing *", "free")
    assert pointer == CDataType("struct thing *", "free")
    assert pointer != CDataType("struct thing *")
    assert pointer.filter(None) is None
    with pytest.raises(TypeError, match="PyCapsule"):
        pointer.filter(3)
    with pytest.raises(TypeError, match="pointer"):
        CDataType("int")


def test_enumerations():
    letters = EnumType(A=("alpha", 1), B=2.5, C=True)
    assert (letters.A, letters.B, letters.C, letters["A"]) == (1, 2.5, 1, 1)
    assert letters.fromalias("alpha") == letters.fromalias("A") == 1
    assert letters.get_aliases() == ("alpha",)
    assert letters.has_alias("alpha")
    assert letters.filter("alpha") == 1
    assert letters == EnumType(C=1, A=("alpha", 1), B=2.5)
    assert letters != EnumType(A=1, B=2.5, C=1)
    assert pickle.loads(pickle.dumps(letters)) == letters
    assert repr(EnumType(A=1, ctype="int")) == "EnumType<int>(A:1)"
    digits = EnumList("ZERO", ("ONE", "one"), ctype="size_t")
    assert (digits.ZERO, digits.ONE, digits.fromalias("one")) == (0, 1, 1)
    assert pickle.loads(pickle.dumps(digits)) == digits
    for change in (
        lambda: setattr(letters, "A", 3),
        lambda: letters.__setitem__("A", 3),
        lambda: letters.__delitem__("A"),
    ):
        with pytest.raises(NotImplementedError):
            change()
    with pytest.raises(AssertionError):
        letters.filter(7)


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
    ],
)
def test_bad_parameters(make, error):
    with pytest.raises(error):
        make()


def test_params():
    kind = ParamsType(a=T.dmatrix, b=Scalar("int32"), letters=EnumType(A=("alpha", 1), B=2))

    class Holder:
        a = [[1.0, 2.0]]
        b = 7
        letters = "alpha"

    params = kind.get_params(Holder(), b=8)
    np.testing.assert_array_equal(params.a, [[1, 2]])
    assert (params.b, type(params.b), params.letters) == (8, np.int32, 1)
    assert isinstance(params, Params)
    assert kind.filter(params) is params
    assert (kind.A, kind.get_enum("B"), kind.enum_from_alias("alpha")) == (1, 2, 1)
    assert kind.get_type("b") == Scalar("int32")
    assert kind.get_field(T.dmatrix) == "a"
    assert kind.has_type(T.dmatrix)
    assert kind == ParamsType(b=Scalar("int32"), letters=EnumType(A=("alpha", 1), B=2), a=T.dmatrix)
    assert kind.extended(c=generic).fields == ("a", "b", "c", "letters")
    assert params == kind.get_params(Holder(), b=8)
    assert params != kind.get_params(Holder())
    assert pickle.loads(pickle.dumps(params)) == params
    with pytest.raises(NotImplementedError, match="immutable"):
        params.a = 3
    with pytest.raises(AttributeError):
        params.c  # noqa: B018
    with pytest.raises(AttributeError, match="no value for 'letters'"):
        kind.get_params(a=[[1.0]], b=2)
    with pytest.raises(TypeError, match="should be an instance of Params"):
        kind.filter(Holder(), strict=True)


def test_a_filter_without_options() -> None:
    class Text(theano.gof.Type):
        def filter(self, data):
            return str(data)

        def __eq__(self, other):
            return type(self) is type(other)

        __hash__ = None

    x = Text()("x")
    f = theano.function([x], x)
    assert f(3) == "3" and Text().filter(4, strict=True) == "4"
