"""Users' own functions of scalars: on tensors by `Elemwise`, in folds and in composites."""

import pickle

import numpy as np
import pytest
import scipy.special

import theano
import theano.tensor as T
from support.arrays import values, variable
from support.compiling import evaluate
from theano import scalar
from theano.gof.utils import MethodNotDefined
from theano.tensor.elemwise import (
    CAReduce,
    CAReduceDtype,
    Elemwise,
    MulWithoutZeros,
    ProdWithoutZeros,
)

VALUE = np.array([[0.5, 1.5, 2.0], [0.25, 3.0, 1.0]])
x, v = T.dmatrix("x"), T.dvector("v")
equal, close = np.testing.assert_array_equal, np.testing.assert_allclose


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


def empty(types=None):
    """Return a function of which nothing is defined."""
    return type("Empty", (scalar.UnaryScalarOp,), {})(types)


@pytest.mark.parametrize(
    ("kind", "out"),
    [("float64", "float64"), ("float32", "float32"), ("int8", "float32"), ("int64", "float64")],
)
@pytest.mark.parametrize("shape", [(), (3,), (0,), (2, 3), (2, 0, 2)])
@pytest.mark.parametrize("linker", ["cvm", "py"])
def test_values_on_tensors(kind, out, shape, linker):
    value = values(shape, kind)
    on = variable(value)
    got = evaluate(Elemwise(logistic)(on), {on: value}, theano.Mode(linker))
    assert Elemwise(logistic)(on).dtype == got.dtype == out
    close(got, scipy.special.expit(value.astype(out)), rtol=1e-6)


def test_broadcasting_and_lengths_that_do_not_fit():
    r, c, op = T.drow("r"), T.dcol("c"), T.Elemwise(hypot)
    row, column = VALUE[:1], VALUE[:, :1]
    outs = [op(x, r), op(r, c), op(x, 2.0), op(c[:, 0], 1)]
    wanted = [(VALUE, row), (row, column), (VALUE, 2), (VALUE[:, 0], 1)]
    for one, other in zip(evaluate(outs, {x: VALUE, r: row, c: column}), wanted, strict=True):
        close(one, np.hypot(*other))
    with pytest.raises(ValueError, match="dimension mis-match"):
        evaluate(op(x, x[:, :2]), {x: VALUE})


@pytest.mark.parametrize(
    "build",
    [Elemwise(logistic), lambda x: Elemwise(hypot)(x, x[:1].sum(axis=0, keepdims=True) + 1)],
)
def test_gradients(build):
    rng, step, along = np.random.RandomState(2), 1e-6, T.dmatrix("along")
    theano.gradient.verify_grad(lambda x: T.grad((build(x) ** 2).sum(), x), [VALUE], rng=rng)
    f = theano.function(
        [x, along], [build(x), T.grad(build(x).sum(), x), T.Rop(build(x), x, along)]
    )
    above, below = (f(VALUE * (1 + sign * step), VALUE)[0] for sign in (1, -1))
    _, gradient, pushed = f(VALUE, VALUE)
    close(pushed, (above - below) / (2 * step), rtol=1e-6)
    close((gradient * VALUE).sum(), pushed.sum())


def test_gradient_sums_over_what_was_broadcast():
    out = Elemwise(hypot)(x, v.dimshuffle("x", 0)).sum()
    got = evaluate(T.grad(out, v), {x: VALUE, v: [1.0, 2.0, 3.0]})
    close(got, (np.array([1.0, 2, 3]) / np.hypot(VALUE, [1, 2, 3])).sum(0))


def test_two_outputs():
    i, f = T.ivector("i"), T.fvector("f")
    one, two = Elemwise(Both())(i, f)
    assert (one.type.dtype, two.type.dtype) == ("float64", "float64")
    equal(evaluate([one, two], {i: [1, 2], f: np.float32([3, 4])}), [[4, 6], [3, 8]])
    _, product = Elemwise(Both())(v, v + 1)
    close(T.grad(product.sum(), v).eval({v: [1.0, 2.0]}), [3, 5])


def test_a_function_of_arrays_instead_of_impl():
    class Spy(scalar.UnaryScalarOp):
        nfunc_spec = ("scipy.special.expit", 1, 1)

        def impl(self, x):
            raise AssertionError("not called")

    spy = Spy(scalar.same_out)
    equal(Elemwise(spy)(x).eval({x: VALUE}), scipy.special.expit(VALUE))
    equal(Elemwise(spy, nfunc_spec=("tanh", 1, 1))(x).eval({x: VALUE}), np.tanh(VALUE))


def test_what_is_not_defined():
    for wrong, error, text in (
        (lambda: empty()(scalar.float64("x")), NotImplementedError, "output types"),
        (lambda: empty().impl(1), MethodNotDefined, None),
        (lambda: logistic(*scalar.floats("xy")), TypeError, "Wrong number of inputs"),
        (lambda: empty(3), TypeError, "callable"),
        (lambda: T.Elemwise(T.exp), TypeError, "function of scalars"),
        (lambda: T.grad(Elemwise(empty(scalar.same_out))(v).sum(), v), MethodNotDefined, None),
    ):
        with pytest.raises(error, match=text):
            wrong()
    assert Logistic(scalar.same_out) != Logistic(scalar.upgrade_to_float)
    assert Logistic(scalar.same_out) == Logistic(scalar.same_out, name="other")


def test_errors_of_impl_name_the_line():
    class Fails(scalar.UnaryScalarOp):
        def impl(self, x):
            raise ZeroDivisionError("by hand")

    with pytest.raises(ZeroDivisionError, match="by hand") as caught:
        Elemwise(Fails(scalar.same_out))(v).eval({v: [1.0]})
    for part in ("test_user_op.py", "Inputs values: [array([1.])]"):
        assert part in str(caught.value)


# -- composites -----------------------------------------------------------------------------------


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
    close(got[0], VALUE * VALUE[1:] + 2)
    close(got[1], np.exp(VALUE) / VALUE[1:])
    assert not f.maker.callbacks
    close(op.impl(2.0, 4.0), (10, np.exp(2) / 4))
    with pytest.raises(theano.gof.fg.MissingInputError):
        scalar.Composite([x], [x + y])
    with pytest.raises(TypeError, match="made of scalars"):
        scalar.Composite([a], [a])


def test_composites_of_users_functions():
    x = scalar.float64("x")
    op = scalar.Composite([x], [logistic(x) * 2])
    theano.gradient.verify_grad(T.Elemwise(op), [VALUE[0]], rng=np.random.RandomState(0))
    close(T.Elemwise(op)(v).eval({v: VALUE[0]}), 2 * scipy.special.expit(VALUE[0]))
    assert op(scalar.float32("y")).type == scalar.float32


def test_composites_of_composites_are_one():
    x, y = scalar.floats("xy")
    inner = scalar.Composite([x, y], [x + y])
    outer = scalar.Composite([x, y], [inner(x * y, -y) // 2])
    assert str(outer) == "Composite{(((i0 * i1) + (-i1)) // Constant{2})}"
    assert [str(n.op) for n in outer.fgraph.toposort()] == ["neg", "mul", "add", "int_div"]
    assert outer.impl(3.0, 4.0) == 4


def test_composites_without_halves():
    h, x = scalar.float16(), scalar.float64()
    wide = scalar.Composite([h, x], [h * h + x]).clone_float32()
    assert [v.type.dtype for v in wide.inputs] == ["float32", "float64"]
    assert wide(h, x).type.dtype == "float64"


def test_gradients_of_scalars():
    x, y = scalar.floats("xy")
    z = scalar.Composite([x, y], [x * scalar.exp(y)])(x, y) + logistic(x)
    got = evaluate(theano.grad(T.as_tensor_variable(z), [x, y]), {x: 0.5, y: 2.0})
    s = scipy.special.expit(0.5)
    close(got, [np.exp(2) + s * (1 - s), 0.5 * np.exp(2)])
    # Those of comparisons are zero.
    for z in (x > y, scalar.inopenrange(x, y, 3.0)):
        assert evaluate(theano.grad(z, [x, y]), {x: 1.0, y: 2.0}) == [0, 0]


# -- folds ----------------------------------------------------------------------------------------


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
    out = CAReduce(op, axis)(x)
    assert isinstance(out.owner.op, T.CAReduce)
    axes = (0, 1) if axis is None else tuple(np.ravel(axis).astype(int))
    close(out.eval({x: VALUE}), wanted.reduce(VALUE, axis=axes))


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
    f = theano.function([x], [CAReduce(op, axis)(x) for axis in (None, 0, -1)])
    for got, axes in zip(f(value), ((0, 1), 0, -1), strict=True):
        assert got.dtype == kind
        equal(got, wanted.reduce(value, axis=axes, dtype=kind))
    equal(f(value[:0])[1], wanted.reduce(value[:0], axis=0, dtype=kind))
    wide = CAReduceDtype(scalar.add, dtype="int64")(x)
    assert wide.eval({x: value}) == value.sum(dtype="int64")


def test_folds_refuse_what_does_not_fit():
    for op in (scalar.add, hypot):
        for axis in (2, -3):
            with pytest.raises(ValueError, match="Not enough dimensions"):
                CAReduce(op, axis)(x)
    with pytest.raises(NotImplementedError, match="binary functions"):
        CAReduce(scalar.exp)


def test_products_without_zeros():
    outs = [ProdWithoutZeros(axis=1)(x), ProdWithoutZeros()(x)]
    rows, whole = evaluate(outs, {x: [[0.0, 2, 3], [0, 0, 4], [0, 0, 0]]})
    equal(rows, [6, 4, 0])
    assert whole == 24 and ProdWithoutZeros()(T.bmatrix()).dtype == "int64"
    m = MulWithoutZeros(scalar.upcast_out)
    equal(evaluate(T.Elemwise(m)(v, np.array([0.0, 3, 3])), {v: [0, 0, 2]}), [0, 3, 6])
    assert [m.impl(0.0, 3.0), m.impl(2.0, 0.0), m.impl(2.0, 3.0)] == [3, 2, 6]
    assert (m.identity, m.commutative, m.associative) == (1.0, True, True)
    product = ProdWithoutZeros(1, "float32", "float64")
    assert (product.axis, product.dtype, product.acc_dtype) == ((1,), "float32", "float64")
    assert str(product) == "ProdWithoutZeros{axis=(1,), dtype='float32', acc_dtype='float64'}"
