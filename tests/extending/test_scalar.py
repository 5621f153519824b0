"""`theano.scalar`: types, functions of scalars, and `Elemwise` of them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import scipy.special

import theano
import theano.tensor as T
from theano import scalar
from theano.gof.utils import MethodNotDefined
from theano.tensor.elemwise import (
    CAReduce,
    CAReduceDtype,
    Elemwise,
    MulWithoutZeros,
    ProdWithoutZeros,
)
from theano.tensor.nnet import sigm

VALUE = np.array([[0.5, 1.5, 2.0], [0.25, 3.0, 1.0]])


class Logistic(scalar.UnaryScalarOp):
    """A user's function with a gradient made of other functions of scalars."""

    def impl(self, x):
        return 1 / (1 + np.exp(-x))

    def grad(self, inputs, output_gradients):
        (x,), (g,) = inputs, output_gradients
        if x.type in scalar.complex_types:
            raise NotImplementedError
        if self(x).type in scalar.discrete_types:
            return [x.zeros_like(dtype=theano.config.floatX)]
        y = self(x)
        return [g * y * (1 - y)]


class Hypot(scalar.BinaryScalarOp):
    """Two inputs; the gradient takes a detour over tensors."""

    commutative = True

    def impl(self, x, y):
        return np.sqrt(x * x + y * y)

    def L_op(self, inputs, outputs, output_gradients):
        (x, y), (z,), (g,) = inputs, outputs, output_gradients
        return [g * x / z, g * scalar.exp(scalar.log(y)) / z]


class Both(scalar.ScalarOp):
    """Two outputs."""

    nin = 2
    nout = 2

    def output_types(self, types):
        return [scalar.upcast_out(*types)[0], scalar.float64]

    def impl(self, x, y):
        return x + y, x * y

    def grad(self, inputs, output_gradients):
        (x, y), (g, h) = inputs, output_gradients
        result = []
        for factor in (y, x):
            term = x.zeros_like()
            if not isinstance(g.type, theano.gradient.DisconnectedType):
                term = term + g
            if not isinstance(h.type, theano.gradient.DisconnectedType):
                term = term + h * factor
            result.append(term)
        return result


logistic = Logistic(scalar.upgrade_to_float, name="logistic")
hypot = Hypot(scalar.upcast_out, name="hypot")


@pytest.mark.parametrize(
    ("kind", "out"),
    [("float64", "float64"), ("float32", "float32"), ("int8", "float32"), ("int64", "float64")],
)
@pytest.mark.parametrize("shape", [(), (3,), (0,), (2, 3), (2, 0, 2)])
@pytest.mark.parametrize("linker", ["cvm", "py"])
def test_users_functions_on_tensors(kind, out, shape, linker):
    x = T.TensorType(kind, (False,) * len(shape))("x")
    y = Elemwise(logistic)(x)
    assert y.type.dtype == out
    value = np.arange(np.prod(shape)).reshape(shape).astype(kind)
    got = theano.function([x], y, mode=theano.Mode(linker))(value)
    assert got.dtype == out
    np.testing.assert_allclose(got, scipy.special.expit(value.astype(out)), rtol=1e-6)


def test_broadcasting_and_lengths_that_do_not_fit():
    x, r, c = T.dmatrix("x"), T.drow("r"), T.dcol("c")
    op = T.Elemwise(hypot)
    f = theano.function([x, r, c], [op(x, r), op(r, c), op(x, 2.0), op(c[:, 0], 1)])
    got = f(VALUE, VALUE[:1], VALUE[:, :1])
    wanted = [
        np.hypot(VALUE, VALUE[:1]),
        np.hypot(VALUE[:1], VALUE[:, :1]),
        np.hypot(VALUE, 2),
        np.hypot(VALUE[:, 0], 1),
    ]
    for one, other in zip(got, wanted, strict=True):
        np.testing.assert_allclose(one, other)
    with pytest.raises(ValueError, match="dimension mis-match"):
        theano.function([x], op(x, x[:, :2]))(VALUE)


@pytest.mark.parametrize(
    "build",
    [Elemwise(logistic), lambda x: Elemwise(hypot)(x, x[:1].sum(axis=0, keepdims=True) + 1)],
)
def test_gradients(build):
    rng = np.random.RandomState(2)
    theano.gradient.verify_grad(build, [VALUE], rng=rng)
    theano.gradient.verify_grad(lambda x: T.grad((build(x) ** 2).sum(), x), [VALUE], rng=rng)
    x, v = T.dmatrix("x"), T.dmatrix("v")
    y = build(x)
    pushed = theano.function([x, v], T.Rop(y, x, v))(VALUE, VALUE)
    step = 1e-6
    f = theano.function([x], y)
    np.testing.assert_allclose(
        pushed, (f(VALUE * (1 + step)) - f(VALUE * (1 - step))) / (2 * step), rtol=1e-6
    )


def test_gradient_sums_over_what_was_broadcast():
    x, b = T.dmatrix("x"), T.dvector("b")
    y = Elemwise(hypot)(x, b.dimshuffle("x", 0)).sum()
    got = theano.function([x, b], T.grad(y, b))(VALUE, [1.0, 2.0, 3.0])
    wanted = (np.array([1.0, 2, 3]) / np.hypot(VALUE, [1, 2, 3])).sum(0)
    np.testing.assert_allclose(got, wanted)


def test_two_outputs():
    x, y = T.ivector("x"), T.fvector("y")
    one, two = Elemwise(Both())(x, y)
    assert (one.type.dtype, two.type.dtype) == ("float64", "float64")
    got = theano.function([x, y], [one, two])([1, 2], np.array([3, 4], "float32"))
    np.testing.assert_array_equal(got, [[4, 6], [3, 8]])
    a = T.dvector("a")
    _, product = Elemwise(Both())(a, a + 1)
    np.testing.assert_allclose(T.grad(product.sum(), a).eval({a: [1.0, 2.0]}), [3, 5])


def test_a_function_of_arrays_instead_of_impl():
    calls = []

    class Spy(scalar.UnaryScalarOp):
        nfunc_spec = ("scipy.special.expit", 1, 1)

        def impl(self, x):
            calls.append(x)
            return x

    x = T.dmatrix("x")
    got = Elemwise(Spy(scalar.same_out))(x).eval({x: VALUE})
    np.testing.assert_array_equal(got, scipy.special.expit(VALUE))
    got = Elemwise(Spy(scalar.same_out), nfunc_spec=("tanh", 1, 1))(x).eval({x: VALUE})
    np.testing.assert_array_equal(got, np.tanh(VALUE))
    assert not calls


def test_the_engine_has_the_known_functions():
    x, y = T.dmatrix("x"), T.dmatrix("y")
    assert Elemwise(scalar.exp) == T.exp
    assert T.Elemwise(scalar.add, {0: 0}, name="mine") == T.add
    assert T.exp.scalar_op == scalar.exp
    assert (x + y).owner.op.scalar_op == scalar.add
    assert isinstance((x * y).owner.op.scalar_op, scalar.Mul)
    assert isinstance(T.cast(x, "int8").owner.op.scalar_op, scalar.Cast)
    assert isinstance(scalar.identity, scalar.basic.Identity)
    assert isinstance((x + y).owner.op, T.Elemwise)
    assert not isinstance(x.sum().owner.op, Elemwise)
    assert isinstance(Elemwise(logistic)(x).owner.op, T.Elemwise)
    assert Elemwise(logistic)(x).owner.op.scalar_op == logistic
    # With another rule for the dtype it is an expression of the engine's.
    single = Elemwise(scalar.Exp(scalar.specific_out(scalar.float32), name="single"))(x)
    assert single.type.dtype == "float32"
    np.testing.assert_allclose(single.eval({x: VALUE}), np.exp(VALUE), rtol=1e-6)

    class Louder(scalar.Exp):
        def impl(self, x):
            return 2 * np.exp(x)

    np.testing.assert_allclose(
        Elemwise(Louder(name="louder"))(x).eval({x: VALUE}), 2 * np.exp(VALUE)
    )


def known_functions():
    for name in dir(scalar):
        op = getattr(scalar, name)
        if isinstance(op, scalar.ScalarOp) and name != "floor_div":
            yield pytest.param(op, id=name)


@pytest.mark.parametrize("op", list(known_functions()))
def test_known_functions_agree_with_tensors(op):
    """The function of numbers, of scalars in a function, and of tensors are the same."""
    count = 2 if op.nin < 0 else op.nin
    bits = op in (scalar.invert, scalar.and_, scalar.or_, scalar.xor)
    kind = "int8" if bits else "float64"
    numbers = [np.dtype(kind).type(n) for n in (0.25, 0.5, 0.75)[:count]]
    scalars = [scalar.get_scalar_type(kind)() for _ in numbers]
    tensors = [T.scalar(dtype=kind) for _ in numbers]
    out = op(*scalars)
    on_tensors = Elemwise(op)(*tensors)
    assert out.type.dtype == on_tensors.type.dtype
    got = theano.function(scalars, out)(*numbers)
    assert got.dtype == out.type.dtype
    wanted = theano.function(tensors, on_tensors)(*numbers)
    np.testing.assert_allclose(got, wanted, rtol=1e-14)
    np.testing.assert_allclose(op.impl(*numbers), wanted, rtol=1e-14)


@pytest.mark.parametrize(
    ("op", "wanted"),
    [
        (scalar.gammau, lambda k, x: scipy.special.gammaincc(k, x) * scipy.special.gamma(k)),
        (scalar.gammal, lambda k, x: scipy.special.gammainc(k, x) * scipy.special.gamma(k)),
        (scalar.chi2sf, lambda x, k: scipy.special.chdtrc(k, x)),
        (scalar.complex_from_polar, lambda r, t: r * np.exp(1j * t)),
        (scalar.second, lambda x, y: y),
        (MulWithoutZeros(name="m"), lambda x, y: x * y),
    ],
)
def test_functions_that_are_expressions(op, wanted):
    x, y = T.dvectors("x", "y")
    got = Elemwise(op)(x, y).eval({x: VALUE[0], y: VALUE[1]})
    np.testing.assert_allclose(got, wanted(VALUE[0], VALUE[1]), rtol=1e-12)


def test_functions_of_layers_are_those_that_programs_compare_with():
    x = T.dmatrix("x")
    assert T.nnet.sigmoid(x).owner.op.scalar_op == sigm.scalar_sigmoid
    assert T.nnet.softplus(x).owner.op.scalar_op == sigm.scalar_softplus
    assert Elemwise(sigm.scalar_sigmoid, name="sigmoid")(x).eval({x: [[0.0]]}) == 0.5


def test_composites():
    x, y, z = scalar.floats("xyz")
    op = scalar.Composite([x, y], [x * y + 2, scalar.exp(x) / y])
    assert (op.nin, op.nout) == (2, 2)
    assert str(op) == "Composite{((i0 * i1) + Constant{2}), (exp(i0) / i1)}"
    assert op == pickle.loads(pickle.dumps(op))
    assert op == scalar.Composite([y, z], [y * z + 2, scalar.exp(y) / z])
    assert op != scalar.Composite([x, y], [y * x + 2, scalar.exp(x) / y])
    a, b = T.dmatrix("a"), T.drow("b")
    one, two = T.Elemwise(op)(a, b)
    # One native expression, without calls of Python.
    assert isinstance(two.owner.op, T.Elemwise)
    f = theano.function([a, b], [one, two])
    got = f(VALUE, VALUE[1:])
    np.testing.assert_allclose(got[0], VALUE * VALUE[1:] + 2)
    np.testing.assert_allclose(got[1], np.exp(VALUE) / VALUE[1:])
    assert not f.maker.callbacks
    np.testing.assert_allclose(op.impl(2.0, 4.0), (10, np.exp(2) / 4))
    with pytest.raises(theano.gof.fg.MissingInputError):
        scalar.Composite([x], [x + y])
    with pytest.raises(TypeError, match="made of scalars"):
        scalar.Composite([a], [a])


def test_composites_of_users_functions():
    x = scalar.float64("x")
    op = scalar.Composite([x], [logistic(x) * 2])
    a = T.dvector("a")
    theano.gradient.verify_grad(T.Elemwise(op), [VALUE[0]], rng=np.random.RandomState(0))
    np.testing.assert_allclose(
        T.Elemwise(op)(a).eval({a: VALUE[0]}), 2 * scipy.special.expit(VALUE[0])
    )
    assert op(scalar.float32("y")).type == scalar.float32


def test_gradients_of_scalars():
    x, y = scalar.floats("xy")
    z = scalar.Composite([x, y], [x * scalar.exp(y)])(x, y) + logistic(x)
    g = theano.grad(T.as_tensor_variable(z), [x, y])
    got = theano.function([x, y], g)(0.5, 2.0)
    s = scipy.special.expit(0.5)
    np.testing.assert_allclose(got, [np.exp(2) + s * (1 - s), 0.5 * np.exp(2)])


def test_gradients_of_comparisons_are_zero():
    x, y = scalar.floats("xy")
    for z in (x > y, scalar.inopenrange(x, y, 3.0)):
        assert theano.function([x, y], theano.grad(z, [x, y]))(1.0, 2.0) == [0, 0]


def test_composites_of_composites_are_one():
    x, y = scalar.floats("xy")
    inner = scalar.Composite([x, y], [x + y])
    outer = scalar.Composite([x, y], [inner(x * y, -y) // 2])
    assert str(outer) == "Composite{(((i0 * i1) + (-i1)) // Constant{2})}"
    assert [str(n.op) for n in outer.fgraph.toposort()] == ["neg", "mul", "add", "int_div"]
    assert outer.impl(3.0, 4.0) == 4


def test_scalars_among_tensors():
    x, t = scalar.float64("x"), T.dscalar("t")
    got = theano.function([x, t], [T.exp(x) * t, scalar.as_scalar(t) + x])(1.0, 2.0)
    np.testing.assert_allclose(got, [2 * np.exp(1), 3])
    assert isinstance(got[0], np.ndarray)
    assert isinstance(got[1], np.float64)
    assert T.tensor_from_scalar(x).type == T.dscalar
    assert T.scalar_from_tensor(t).type == scalar.float64
    np.testing.assert_array_equal(T.stack([x, t]).eval({x: 1, t: 2}), [1, 2])


TYPES = {
    "upcast_out": ((scalar.int8, scalar.float32), scalar.float32),
    "upcast_out_nobool": ((scalar.int8, scalar.bool), scalar.int8),
    "upcast_out_min8": ((scalar.bool, scalar.bool), scalar.int8),
    "upcast_out_no_complex": ((scalar.int8, scalar.int16), scalar.int16),
    "upgrade_to_float": ((scalar.int8,), scalar.float32),
    "upgrade_to_float_no_complex": ((scalar.int32,), scalar.float64),
    "upgrade_to_float64": ((scalar.float32,), scalar.float64),
    "same_out": ((scalar.int8,), scalar.int8),
    "same_out_nobool": ((scalar.int8,), scalar.int8),
    "same_out_min8": ((scalar.bool,), scalar.int8),
    "same_out_nocomplex": ((scalar.bool,), scalar.bool),
    "same_out_float_only": ((scalar.float16,), scalar.float16),
    "int_out": ((scalar.float16,), scalar.int64),
    "int_out_nocomplex": ((scalar.float16,), scalar.int64),
    "float_out": ((scalar.int8,), scalar.float64),
    "float_out_nocomplex": ((scalar.int8,), scalar.float64),
    "real_out": ((scalar.complex64,), scalar.float32),
}
REFUSED = {
    "upcast_out_nobool": (scalar.bool, scalar.bool),
    "upcast_out_no_complex": (scalar.int8, scalar.complex64),
    "upgrade_to_float_no_complex": (scalar.complex64,),
    "same_out_nobool": (scalar.bool,),
    "same_out_nocomplex": (scalar.complex64,),
    "same_out_float_only": (scalar.int8,),
    "int_out_nocomplex": (scalar.complex128,),
    "float_out_nocomplex": (scalar.complex128,),
}


@pytest.mark.parametrize("name", TYPES)
def test_rules_for_output_types(name):
    given, wanted = TYPES[name]
    assert getattr(scalar, name)(*given) == (wanted,)
    if name in REFUSED:
        with pytest.raises(TypeError):
            getattr(scalar, name)(*REFUSED[name])


def test_rules_that_are_made():
    assert scalar.transfer_type(1, None)(scalar.int8, scalar.int16) == [scalar.int16, scalar.int16]
    assert scalar.specific_out(scalar.int8)(scalar.float64) == (scalar.int8,)
    assert scalar.specific_out(scalar.int8) == scalar.specific_out(scalar.int8)
    lookup = scalar.unary_out_lookup({scalar.int8: scalar.int32})
    assert lookup(scalar.int8) == [scalar.int32]
    with pytest.raises(TypeError):
        lookup(scalar.int16)


def test_types():
    assert scalar.get_scalar_type("int8") is scalar.int8
    assert scalar.Scalar("floatX") == scalar.get_scalar_type(theano.config.floatX)
    assert pickle.loads(pickle.dumps(scalar.int8)) == scalar.int8
    assert scalar.int8 != scalar.int16
    assert scalar.bool in scalar.discrete_types
    assert scalar.upcast("int8", "float32") == "float32"
    assert str(scalar.float64) == "float64"
    assert repr(scalar.float64) == "Scalar(float64)"
    assert type(scalar.int32.filter(3)) is np.int32
    assert scalar.int32.filter(3.7, allow_downcast=True) == 3
    for bad in (1.5, "a", 2**40, None, [1, 2]):
        with pytest.raises(TypeError, match="to int32"):
            scalar.int32.filter(bad)
    with pytest.raises(TypeError, match="expected a"):
        scalar.int32.filter(3, strict=True)
    assert scalar.float64.values_eq_approx(1.0, 1.00001)
    assert not scalar.float64.values_eq_approx(1.0, 1.1)
    assert scalar.constant(3).type == scalar.int8
    assert scalar.constant(3, dtype="int64").type == scalar.int64
    assert scalar.as_scalar(2.5).data == 2.5
    for bad in ("a", T.dvector(), [1, 2]):
        with pytest.raises(TypeError):
            scalar.as_scalar(bad)
    x, _ = scalar.ints("xy")
    assert (x.name, x.type) == ("x", scalar.int64)
    one, two = scalar.as_common_dtype(scalar.int8("a"), scalar.float32("b"))
    assert one.type == two.type == scalar.float32


@pytest.mark.parametrize(
    "expression",
    [
        lambda x, y: x + y * 2 - 1 / y,
        lambda x, y: -(x**y) % 3 + abs(y),
        lambda x, y: 3 // y + 7 % y + 2**x,
        lambda x, y: (x < y) | (x >= y) & ~(x > 2) ^ (y <= 1),
    ],
)
def test_operators(expression):
    x, y = scalar.floats("xy")
    got = theano.function([x, y], expression(x, y))(1.25, 2.5)
    a, b = T.dscalars("a", "b")
    np.testing.assert_allclose(got, theano.function([a, b], expression(a, b))(1.25, 2.5))


def test_methods_of_scalars():
    x = scalar.float64("x")
    zero, one, small = x.zeros_like(), x.ones_like(dtype="float32"), x.astype("int8")
    assert [v.type for v in (zero, one, small)] == [scalar.float64, scalar.float32, scalar.int8]
    assert [float(v.eval({x: 3.5})) for v in (zero, one, small)] == [0, 1, 3]


def test_floats_become_what_is_asked():
    x = T.fvector()
    assert (x + 1.1).dtype == "float64"
    with scalar.autocast_float_as("float32"):
        assert (x + 1.1).dtype == "float32"
        with scalar.autocast_float_as("float64"):
            assert (x + 1.0).dtype == "float64"
    assert (x + 1.1).dtype == "float64"
    with theano.change_flags(cast_policy="numpy+floatX"), pytest.raises(AssertionError):
        scalar.autocast_float_as("float32")


def test_what_is_not_defined():
    class Empty(scalar.UnaryScalarOp):
        pass

    x = scalar.float64("x")
    with pytest.raises(NotImplementedError, match="output types"):
        Empty()(x)
    with pytest.raises(MethodNotDefined):
        Empty().impl(1)
    with pytest.raises(TypeError, match="Wrong number of inputs"):
        logistic(x, x)
    with pytest.raises(TypeError, match="callable"):
        Empty(3)
    with pytest.raises(TypeError, match="function of scalars"):
        T.Elemwise(T.exp)
    v = T.dvector("v")
    with pytest.raises(MethodNotDefined):
        T.grad(Elemwise(Empty(scalar.same_out))(v).sum(), v)
    assert Logistic(scalar.same_out) != Logistic(scalar.upgrade_to_float)
    assert Logistic(scalar.same_out) == Logistic(scalar.same_out, name="other")


def test_errors_of_impl_name_the_line():
    class Fails(scalar.UnaryScalarOp):
        def impl(self, x):
            raise ZeroDivisionError("by hand")

    v = T.dvector("v")
    with pytest.raises(ZeroDivisionError, match="by hand") as caught:
        Elemwise(Fails(scalar.same_out))(v).eval({v: [1.0]})
    assert "test_scalar.py" in str(caught.value)
    assert "Inputs values: [array([1.])]" in str(caught.value)


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1), (), -1, (0, -1), np.array(1)])
@pytest.mark.parametrize(
    ("op", "wanted"),
    [
        (scalar.add, np.add),
        (scalar.mul, np.multiply),
        (scalar.maximum, np.maximum),
        (scalar.minimum, np.minimum),
        (hypot, np.hypot),
    ],
    ids=str,
)
def test_folds(op, wanted, axis):
    x = T.dmatrix("x")
    out = CAReduce(op, axis)(x)
    assert isinstance(out.owner.op, T.CAReduce)
    axes = (0, 1) if axis is None else tuple(np.ravel(axis).astype(int))
    np.testing.assert_allclose(out.eval({x: VALUE}), wanted.reduce(VALUE, axis=axes))


@pytest.mark.parametrize(
    ("op", "wanted"),
    [
        (scalar.and_, np.bitwise_and),
        (scalar.or_, np.bitwise_or),
        (scalar.xor, np.bitwise_xor),
        (scalar.add, np.add),
        (scalar.mul, np.multiply),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["bool", "int16", "uint8"])
def test_folds_keep_the_dtype(op, wanted, kind):
    x = T.matrix("x", dtype=kind)
    value = (np.arange(12).reshape(3, 4) * 5 + 3).astype(kind)
    for axis in (None, 0, -1):
        out = CAReduce(op, axis)(x)
        got = out.eval({x: value})
        assert got.dtype == kind
        axes = (0, 1) if axis is None else axis
        np.testing.assert_array_equal(got, wanted.reduce(value, axis=axes, dtype=kind))
    nothing = value[:0]
    got = CAReduce(op, 0)(x).eval({x: nothing})
    np.testing.assert_array_equal(got, wanted.reduce(nothing, axis=0, dtype=kind))
    wide = CAReduceDtype(scalar.add, dtype="int64")(x)
    assert wide.eval({x: value}) == value.sum(dtype="int64")


def test_folds_refuse_what_does_not_fit():
    x = T.dmatrix("x")
    for op in (scalar.add, hypot):
        for axis in (2, -3):
            with pytest.raises(ValueError, match="Not enough dimensions"):
                CAReduce(op, axis)(x)
    with pytest.raises(NotImplementedError, match="binary functions"):
        CAReduce(scalar.exp)


def test_products_without_zeros():
    x = T.dmatrix("x")
    value = np.array([[0.0, 2, 3], [0, 0, 4]])
    np.testing.assert_array_equal(ProdWithoutZeros(axis=1)(x).eval({x: value}), [6, 4])
    np.testing.assert_array_equal(ProdWithoutZeros()(x).eval({x: value}), 24)
    m = MulWithoutZeros(scalar.upcast_out)
    assert [m.impl(0.0, 3.0), m.impl(2.0, 0.0), m.impl(2.0, 3.0)] == [3, 2, 6]
    assert (m.identity, m.commutative, m.associative) == (1.0, True, True)


def test_a_class_derived_from_elemwise_without_a_statement() -> None:
    mine = type("Mine", (T.Elemwise,), {})(theano.scalar.exp)
    assert isinstance(mine, T.Elemwise)
    assert mine(T.dvector()).owner.op is mine


def test_shared_scalars() -> None:
    from theano.scalar.sharedvar import ScalarSharedVariable, shared

    count = shared(3, "count")
    assert isinstance(count, ScalarSharedVariable) and str((count * 2).type) == "int64"
    f = theano.function([], T.tensor_from_scalar(count) + 1)
    count.set_value(5)
    assert f() == 6
    with pytest.raises(TypeError, match="expected a number"):
        shared(np.zeros(2))


def test_python_numbers_become_the_first_that_holds_them() -> None:
    assert scalar.autocast_int.dtypes == ("int8", "int16", "int32", "int64")
    assert scalar.autocast_int(300).dtype == "int16"
    assert scalar.autocast_float.dtypes == ("float16", "float32", "float64")
    assert scalar.autocast_float(1.5).dtype == "float32"
    with scalar.autocast_float_as("float64"):
        assert scalar.autocast_float.dtypes == ("float64",)
        assert scalar.autocast_float(1.5).dtype == "float64"


def test_quotient_of_python_2() -> None:
    i, x = scalar.int32(), scalar.float64()
    assert scalar.div_proxy(i, i).owner.op == scalar.int_div
    assert scalar.div_proxy(i, x).owner.op == scalar.true_div


def test_composite_without_halves() -> None:
    h, x = scalar.float16(), scalar.float64()
    wide = scalar.Composite([h, x], [h * h + x]).clone_float32()
    assert [v.type.dtype for v in wide.inputs] == ["float32", "float64"]
    assert wide(h, x).type.dtype == "float64"


def test_gradient_for_a_constant_of_integers_is_zero() -> None:
    for value, derivative in ((56, 0), (56.0, 1)):
        s = theano.scalar.constant(value)
        assert T.grad(T.as_tensor_variable(s), s).eval() == derivative
