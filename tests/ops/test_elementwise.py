"""Every elementwise operation: native code against its meaning, over dtypes and layouts."""

import numpy as np
import pytest
from registry import OPS

from theano._core.api.array.reductions import sum as tensor_sum
from theano._core.api.debug.checks import (
    accepts,
    assert_close,
    check_broadcasting,
    check_mixed_dtypes,
    check_values,
    draw,
    item_types_of,
    seeded,
    tensor,
)
from theano._core.autodiff.reverse import grad
from theano._core.base import dtypes
from theano._core.compile.function import function
from theano._core.ir.types import TensorType
from theano._core.ops.elementwise.elementwise import cast

KINDS = dtypes.all_dtypes
# Of the dtypes of an operation, the gate tries those of one part; tests/exact draws among all.
PARTS = 4


@pytest.mark.parametrize("name", OPS)
@pytest.mark.parametrize("part", range(PARTS))
def test_native_code_means_what_the_declaration_says(name, part):
    for kind in item_types_of(OPS[name])[part::PARTS]:
        check_values(OPS[name], kind)


@pytest.mark.parametrize("name", [n for n, op in OPS.items() if op.nin == 2])
def test_dtypes_mix(name):
    check_mixed_dtypes(OPS[name])


@pytest.mark.parametrize(
    "name", [n for n, op in OPS.items() if op.nin == 2 and accepts(op, ["float64"] * 2)]
)
def test_broadcasting(name):
    check_broadcasting(OPS[name])


@pytest.mark.parametrize("source", KINDS)
def test_casts(source):
    x = tensor(source, (9,))
    drawn = draw(seeded(source), OPS["add"].samples[0], source, (7,))
    values = np.append(drawn, [0, 1]).astype(source)
    targets = [k for k in KINDS if dtypes.is_complex(k) or not dtypes.is_complex(source)]
    found = function([x], [cast(x, target) for target in targets])
    for target, got, positive in zip(targets, found(values), found(abs(values)), strict=True):
        # What a negative float is as an unsigned integer is not said.
        undefined = target.startswith("u") and dtypes.is_float(source)
        with np.errstate(all="ignore"):
            wanted = (abs(values) if undefined else values).astype(target)
        assert_close(positive if undefined else got, wanted, 0)


def _makes_floats(name, kind):
    op = OPS[name]
    differentiable = op.gradient is not None and accepts(op, [kind] * op.nin)
    return differentiable and dtypes.is_float(op.dtype(*[kind] * op.nin)[1])


INTEGERS = [k for k in KINDS if dtypes.is_discrete(k)]


@pytest.mark.parametrize("name", [n for n in OPS if any(_makes_floats(n, k) for k in INTEGERS)])
def test_gradients_by_integers_are_those_by_the_same_real_numbers(name):
    op = OPS[name]
    variables, values, found = [], [], []

    def gradients(kind, kinds):
        inputs = [tensor(k, (4,)) for k in kinds]
        variables.extend(inputs)
        values.extend(np.array([0, 1, 3, 13]).astype(kind).astype(k) for k in kinds)
        of_all = grad(tensor_sum(cast(op(*inputs), "float64")), inputs, null_gradients="return")
        return [g for g in of_all if isinstance(g.type, TensorType)]

    for kind in [k for k in INTEGERS if _makes_floats(name, k)]:
        kinds = [kind] * op.nin
        by_integers, by_reals = gradients(kind, kinds), gradients(kind, op.dtype(*kinds)[0])
        found += zip(by_integers, by_reals, strict=True)
    results = iter(function(variables, [*sum(found, ())], on_unused_input="ignore")(*values))
    for got, wanted in zip(results, results, strict=True):
        assert dtypes.is_float(str(got.dtype))
        # Rewriting need not find the same form of both.
        tolerance = {"float16": 1e-2, "float32": 1e-5}.get(str(wanted.dtype), 1e-9)
        np.testing.assert_allclose(got.astype(wanted.dtype), wanted, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", [n for n, op in OPS.items() if op.associative])
def test_one_operand_gives_a_variable_of_its_own(name):
    x = tensor("int64", (3,))
    out = OPS[name](x, name="total")
    assert out is not x and out.type == x.type
    assert (out.name, out.owner.inputs) == ("total", [x])
    assert OPS[name](x, return_list=True) != [x]
    np.testing.assert_array_equal(function([x], out)([5, -3, 0]), [5, -3, 0])


FEW = {"bool": [1, 0], "int8": [100, 5], "uint8": [200, 3], "int32": [1000, 2], "float32": [0.5, 2]}


@pytest.mark.parametrize("name", ["add", "mul"])
@pytest.mark.parametrize(
    "kinds", ["bool bool int8", "uint8 uint8 int32", "int8 int8 float32", "int8 int32 uint8"]
)
def test_of_several_integers_the_dtype_is_that_of_the_whole(name, kinds):
    """As in Theano 1.0.5: two of them alone have that of the two, as in NumPy."""
    op = OPS[name]
    variables = [TensorType(kind, (False,))() for kind in kinds.split()]
    values = [np.array(FEW[kind], kind) for kind in kinds.split()]
    whole = np.sum if name == "add" else np.prod
    wanted = whole(np.array(values, "float64"), axis=0)
    np.testing.assert_array_equal(function(variables, op(*variables))(*values), wanted)
    pair = op.function(np, *values[:2])
    np.testing.assert_array_equal(function(variables[:2], op(*variables[:2]))(*values[:2]), pair)
