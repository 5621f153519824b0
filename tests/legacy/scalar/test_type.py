"""Types of scalars, their variables and constants, and the dtypes of Python's numbers."""

import pickle

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import evaluate
from theano import scalar
from theano.scalar.sharedvar import ScalarSharedVariable, shared


def test_types():
    assert scalar.get_scalar_type("int8") is scalar.int8 != scalar.int16
    assert scalar.Scalar("floatX") == scalar.get_scalar_type(theano.config.floatX)
    assert pickle.loads(pickle.dumps(scalar.int8)) == scalar.int8
    assert scalar.bool in scalar.discrete_types
    assert scalar.upcast("int8", "float32") == "float32"
    assert (str(scalar.float64), repr(scalar.float64)) == ("float64", "Scalar(float64)")
    assert type(scalar.int32.filter(3)) is np.int32
    assert scalar.int32.filter(3.7, allow_downcast=True) == 3
    assert scalar.float64.values_eq_approx(1.0, 1.00001)
    assert not scalar.float64.values_eq_approx(1.0, 1.1)
    assert scalar.constant(3).type == scalar.int8
    assert scalar.constant(3, dtype="int64").type == scalar.int64
    assert scalar.as_scalar(2.5).data == 2.5
    x, _ = scalar.ints("xy")
    assert (x.name, x.type) == ("x", scalar.int64)
    one, two = scalar.as_common_dtype(scalar.int8("a"), scalar.float32("b"))
    assert one.type == two.type == scalar.float32
    for bad in (1.5, "a", 2**40, None, [1, 2]):
        with pytest.raises(TypeError, match="to int32"):
            scalar.int32.filter(bad)
    with pytest.raises(TypeError, match="expected a"):
        scalar.int32.filter(3, strict=True)
    for bad in ("a", T.dvector(), [1, 2]):
        with pytest.raises(TypeError):
            scalar.as_scalar(bad)


def test_operators_are_those_of_tensors():
    (x, y), (a, b) = scalar.floats("xy"), T.dscalars("a", "b")
    for expression in (
        lambda x, y: x + y * 2 - 1 / y,
        lambda x, y: -(x**y) % 3 + abs(y),
        lambda x, y: 3 // y + 7 % y + 2**x,
        lambda x, y: (x < y) | (x >= y) & ~(x > 2) ^ (y <= 1),
    ):
        outs = [expression(x, y), expression(a, b)]
        got, wanted = evaluate(outs, {x: 1.25, y: 2.5, a: 1.25, b: 2.5})
        np.testing.assert_allclose(got, wanted)


def test_methods_of_scalars():
    x = scalar.float64("x")
    made = [x.zeros_like(), x.ones_like(dtype="float32"), x.astype("int8")]
    assert [v.type for v in made] == [scalar.float64, scalar.float32, scalar.int8]
    assert [float(v) for v in evaluate(made, {x: 3.5})] == [0, 1, 3]


def test_scalars_among_tensors():
    x, t = scalar.float64("x"), T.dscalar("t")
    got = evaluate([T.exp(x) * t, scalar.as_scalar(t) + x, T.stack([x, t])], {x: 1.0, t: 2.0})
    np.testing.assert_allclose(got[:2], [2 * np.exp(1), 3])
    assert isinstance(got[0], np.ndarray) and isinstance(got[1], np.float64)
    assert got[2].tolist() == [1, 2]
    assert T.tensor_from_scalar(x).type == T.dscalar
    assert T.scalar_from_tensor(t).type == scalar.float64


def test_shared_scalars():
    count = shared(3, "count")
    assert isinstance(count, ScalarSharedVariable) and str((count * 2).type) == "int64"
    f = theano.function([], T.tensor_from_scalar(count) + 1)
    count.set_value(5)
    assert f() == 6
    with pytest.raises(TypeError, match="expected a number"):
        shared(np.zeros(2))


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


def test_python_numbers_become_the_first_that_holds_them():
    assert scalar.autocast_int.dtypes == ("int8", "int16", "int32", "int64")
    assert scalar.autocast_int(300).dtype == "int16"
    assert scalar.autocast_float.dtypes == ("float16", "float32", "float64")
    assert scalar.autocast_float(1.5).dtype == "float32"
    with scalar.autocast_float_as("float64"):
        assert scalar.autocast_float.dtypes == ("float64",)
        assert scalar.autocast_float(1.5).dtype == "float64"


def test_quotient_of_python_2():
    i, x = scalar.int32(), scalar.float64()
    assert scalar.div_proxy(i, i).owner.op == scalar.int_div
    assert scalar.div_proxy(i, x).owner.op == scalar.true_div


def test_gradient_for_a_constant_of_integers_is_zero():
    for value, derivative in ((56, 0), (56.0, 1)):
        s = scalar.constant(value)
        assert T.grad(T.as_tensor_variable(s), s).eval() == derivative
