"""Theano's own functions of scalars, and the dtypes that they return."""

import numpy as np
import pytest
import scipy.special

import theano
import theano.tensor as T
from support.compiling import evaluate
from theano import scalar
from theano.tensor.elemwise import Elemwise, MulWithoutZeros
from theano.tensor.nnet import sigm

VALUE = np.array([[0.5, 1.5, 2.0], [0.25, 3.0, 1.0]])
m = T.dmatrix("m")
close = np.testing.assert_allclose


def test_the_engine_has_the_known_functions():
    assert Elemwise(scalar.exp) == T.exp and T.exp.scalar_op == scalar.exp
    assert T.Elemwise(scalar.add, {0: 0}, name="mine") == T.add
    assert (m + m).owner.op.scalar_op == scalar.add
    assert isinstance((m * m).owner.op.scalar_op, scalar.Mul)
    assert isinstance(T.cast(m, "int8").owner.op.scalar_op, scalar.Cast)
    assert isinstance(scalar.identity, scalar.basic.Identity)
    assert isinstance((m + m).owner.op, T.Elemwise)
    assert not isinstance(m.sum().owner.op, Elemwise)
    # With another rule for the dtype it is an expression of the engine's.
    single = Elemwise(scalar.Exp(scalar.specific_out(scalar.float32), name="single"))(m)
    assert single.type.dtype == "float32"

    class Louder(scalar.Exp):
        def impl(self, x):
            return 2 * np.exp(x)

    louder = Louder(name="louder")
    assert isinstance(Elemwise(louder)(m).owner.op, T.Elemwise)
    assert Elemwise(louder)(m).owner.op.scalar_op == louder
    single, double = evaluate([single, Elemwise(louder)(m)], {m: VALUE})
    close(single, np.exp(VALUE), rtol=1e-6)
    close(double, 2 * np.exp(VALUE))


KNOWN = {name: getattr(scalar, name) for name in dir(scalar) if name != "floor_div"}
KNOWN = {name: op for name, op in KNOWN.items() if isinstance(op, scalar.ScalarOp)}


@pytest.mark.parametrize("name", KNOWN)
def test_functions_of_numbers_of_scalars_and_of_tensors_agree(name):
    op = KNOWN[name]
    count = 2 if op.nin < 0 else op.nin
    bits = op in (scalar.invert, scalar.and_, scalar.or_, scalar.xor)
    kind = "int8" if bits else "float64"
    numbers = [np.dtype(kind).type(n) for n in (0.25, 0.5, 0.75)[:count]]
    scalars = [scalar.get_scalar_type(kind)() for _ in numbers]
    tensors = [T.scalar(dtype=kind) for _ in numbers]
    out, on_tensors = op(*scalars), Elemwise(op)(*tensors)
    assert out.type.dtype == on_tensors.type.dtype
    got, wanted = theano.function([*scalars, *tensors], [out, on_tensors])(*numbers, *numbers)
    assert got.dtype == out.type.dtype
    close(got, wanted, rtol=1e-14)
    close(op.impl(*numbers), wanted, rtol=1e-14)


def test_functions_that_are_expressions():
    wanted = {
        scalar.gammau: lambda k, x: scipy.special.gammaincc(k, x) * scipy.special.gamma(k),
        scalar.gammal: lambda k, x: scipy.special.gammainc(k, x) * scipy.special.gamma(k),
        scalar.chi2sf: lambda x, k: scipy.special.chdtrc(k, x),
        scalar.complex_from_polar: lambda r, t: r * np.exp(1j * t),
        scalar.second: lambda x, y: y,
        MulWithoutZeros(name="m"): lambda x, y: x * y,
    }
    found = evaluate([Elemwise(op)(m[0], m[1]) for op in wanted], {m: VALUE})
    for one, other in zip(found, wanted.values(), strict=True):
        close(one, other(*VALUE), rtol=1e-12)


def test_functions_of_layers_are_those_that_programs_compare_with():
    assert T.nnet.sigmoid(m).owner.op.scalar_op == sigm.scalar_sigmoid
    assert T.nnet.softplus(m).owner.op.scalar_op == sigm.scalar_softplus
    assert Elemwise(sigm.scalar_sigmoid, name="sigmoid")(m).eval({m: [[0.0]]}) == 0.5


# rule → dtypes, the one that it returns, and dtypes that it refuses
RULES = {
    "upcast_out": ("int8 float32", "float32", None),
    "upcast_out_nobool": ("int8 bool", "int8", "bool bool"),
    "upcast_out_min8": ("bool bool", "int8", None),
    "upcast_out_no_complex": ("int8 int16", "int16", "int8 complex64"),
    "upgrade_to_float": ("int8", "float32", None),
    "upgrade_to_float_no_complex": ("int32", "float64", "complex64"),
    "upgrade_to_float64": ("float32", "float64", None),
    "same_out": ("int8", "int8", None),
    "same_out_nobool": ("int8", "int8", "bool"),
    "same_out_min8": ("bool", "int8", None),
    "same_out_nocomplex": ("bool", "bool", "complex64"),
    "same_out_float_only": ("float16", "float16", "int8"),
    "int_out": ("float16", "int64", None),
    "int_out_nocomplex": ("float16", "int64", "complex128"),
    "float_out": ("int8", "float64", None),
    "float_out_nocomplex": ("int8", "float64", "complex128"),
    "real_out": ("complex64", "float32", None),
}


@pytest.mark.parametrize("name", RULES)
def test_rules_for_output_types(name):
    given, wanted, refused = RULES[name]
    types = lambda names: [getattr(scalar, name) for name in names.split()]
    assert list(getattr(scalar, name)(*types(given))) == types(wanted)
    if refused is not None:
        with pytest.raises(TypeError):
            getattr(scalar, name)(*types(refused))


def test_rules_that_are_made():
    int8, int16 = scalar.int8, scalar.int16
    assert scalar.transfer_type(1, None)(int8, int16) == [int16, int16]
    assert scalar.specific_out(int8)(scalar.float64) == (int8,)
    assert scalar.specific_out(int8) == scalar.specific_out(int8)
    lookup = scalar.unary_out_lookup({int8: scalar.int32})
    assert lookup(int8) == [scalar.int32]
    with pytest.raises(TypeError):
        lookup(int16)


def test_a_class_derived_from_elemwise_without_a_statement():
    mine = type("Mine", (T.Elemwise,), {})(scalar.exp)
    assert isinstance(mine, T.Elemwise) and mine(T.dvector()).owner.op is mine
