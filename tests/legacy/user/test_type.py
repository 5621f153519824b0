"""Users' own types: their values travel through functions, and what they are equal to."""

import numpy as np
import pytest
from user_ops import computes, operation

import theano
import theano.tensor as T
from support.compiling import evaluate
from theano.compile.sharedvalue import SharedVariable, shared_constructor
from theano.gof import Apply, CDataType, Constant, Generic, Op, Type, Variable, generic
from theano.gof.type import SingletonType
from theano.gof.utils import MethodNotDefined, object2, scratchpad
from theano.ifelse import ifelse


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
    Variable = IntervalVariable

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


interval = IntervalType()
x, y, t = interval("x"), interval("y"), T.dscalar("t")


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

    perform = computes(lambda x: Interval(float(x) - 1, float(x) + 1))

    def infer_shape(self, node, shapes):
        assert shapes == [()]
        return [None]


add_intervals = operation(
    "AddIntervals",
    make_node=lambda op, x, y: Apply(op, [x, y], [x.type()]),
    perform=computes(lambda x, y: Interval(x.low + y.low, x.high + y.high)),
)


def test_objects_travel_through_functions():
    assert isinstance(x, IntervalVariable)
    width, ends = Bounds()(x + y + Around()(t))
    outs = [x + y, width * 2, ends.sum(), ends.shape]
    got, twice, total, shape = evaluate(outs, {x: Interval(1, 2), y: (3, 5), t: 10})
    assert got == Interval(4, 7)
    assert (twice, total, shape.tolist()) == (10, 4 + 9 + 7 + 11, [2])
    assert evaluate(x, {x: Interval(1, 2)}) == Interval(1, 2)


@pytest.mark.parametrize("bad", [3, "text", None, (1, 2, 3)])
def test_arguments_are_filtered(bad):
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
    c, v = T.lscalar("c"), T.dvector("v")
    fixed = interval.make_constant(Interval(1, 1), name="fixed")
    assert isinstance(fixed, Constant)
    f = theano.function([x, c], Bounds()(ifelse(c, x + fixed, x + x))[0])
    assert [float(f((0, 3), n)) for n in (0, 1)] == [6, 3]
    rows, _ = theano.scan(lambda s: Bounds()(Around()(s))[1], [v])
    np.testing.assert_array_equal(rows.eval({v: [1.0, 5.0]}), [[0, 2], [4, 6]])


def test_equality_and_text():
    assert IntervalType() == IntervalType() != IntervalType("rational")
    assert hash(IntervalType()) == hash(IntervalType())
    assert str(IntervalType()) == "IntervalType{kind='real'}"
    assert isinstance(T.dvector, Type) and isinstance(interval, theano.Type)
    assert not isinstance(T.dvector, IntervalType)
    bare, other = (type("Bare", (Type,), {})() for _ in range(2))
    assert bare == bare != other
    with pytest.raises(MethodNotDefined):
        bare.filter(3)
    assert interval.is_valid_value(Interval(1, 2)) and not interval.is_valid_value((1, 2))
    assert interval.values_eq(Interval(1, 2), Interval(1, 2))
    assert interval.values_eq_approx(Interval(1, 2), Interval(1, 2 + 1e-9))
    assert interval.make_variable("n").name == "n"
    with pytest.raises(TypeError, match="Cannot convert Type"):
        interval.filter_variable(T.dscalar())


def test_generic_values_may_be_none():
    assert isinstance(generic, Generic)

    make_node = lambda op, x: Apply(op, [x], [generic()])
    perform = computes(lambda text: None if text is None else text.upper())
    upper, g = operation("Upper", make_node=make_node, perform=perform), generic("g")
    f = theano.function([g], upper(upper(g)))
    assert f("text") == "TEXT" and f(None) is None
    with pytest.raises(AttributeError, match="upper") as caught:
        f(3)
    assert "Upper" in str(caught.value)


def test_singletons_and_helpers():
    only, other = (type(name, (SingletonType,), {}) for name in ("Only", "Other"))
    assert only() is only() != other() and str(only()) == "Only"

    class Point(object2):
        __props__ = ("x",)

        def __init__(self, x):
            self.x = x

    assert Point(1) == Point(1) != Point(2)
    assert str(Point(1)) == "Point{x=1}" and Point(1)._props_dict() == {"x": 1}
    pad = scratchpad()
    pad.a = 1
    assert str(pad) == "scratchpad{'a': 1}"
    for bad in (["x"], (1,)):
        with pytest.raises(TypeError, match="__props__"):
            operation("Bad", Op, __props__=bad)


def test_pointers_of_c():
    pointer = CDataType("struct thing *", "free")
    assert pointer == CDataType("struct thing *", "free") != CDataType("struct thing *")
    assert pointer.filter(None) is None
    with pytest.raises(TypeError, match="PyCapsule"):
        pointer.filter(3)
    with pytest.raises(TypeError, match="pointer"):
        CDataType("int")


def test_a_filter_without_options():
    class Text(Type):
        def filter(self, data):
            return str(data)

        def __eq__(self, other):
            return type(self) is type(other)

        __hash__ = None

    text = Text()("text")
    assert evaluate(text, {text: 3}) == "3" and Text().filter(4, strict=True) == "4"
