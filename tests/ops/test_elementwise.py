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
    rng = seeded(source)
    x = tensor(source, (9,))
    values = np.append(draw(rng, OPS["add"].samples[0], source, (7,)), [0, 1]).astype(source)
    for target in KINDS:
        if dtypes.is_complex(source) and not dtypes.is_complex(target):
            continue
        with np.errstate(all="ignore"):
            wanted = values.astype(target)
        if target.startswith("u") and dtypes.is_float(source):
            keep = values >= 0
            values, wanted = (
                np.where(keep, values, 0).astype(source),
                np.where(keep, wanted, 0).astype(target),
            )
        got = function([x], cast(x, target))(values)
        assert_close(got, wanted, 0)


def _turns_integers_into_floats(name, kind):
    op = OPS[name]
    return (
        op.gradient is not None
        and not name.startswith("Cast")
        and accepts(op, [kind] * op.nin)
        and dtypes.is_float(op.dtype(*[kind] * op.nin)[1])
    )


INTEGERS = [k for k in KINDS if dtypes.is_discrete(k)]


@pytest.mark.parametrize(
    ("name", "kind"), [(n, k) for n in OPS for k in INTEGERS if _turns_integers_into_floats(n, k)]
)
def test_gradients_by_integers_are_those_by_the_same_real_numbers(name, kind):
    op = OPS[name]
    reals, _ = op.dtype(*[kind] * op.nin)
    values = [np.array([0, 1, 3, 13]).astype(kind)] * op.nin

    def gradients(kinds):
        inputs = [tensor(k, (4,), f"x{i}") for i, k in enumerate(kinds)]
        found = grad(tensor_sum(cast(op(*inputs), "float64")), inputs, null_gradients="return")
        known = [g for g in found if isinstance(g.type, TensorType)]
        f = function(inputs, known, on_unused_input="ignore")
        return f(*(v.astype(k) for v, k in zip(values, kinds, strict=True)))

    for got, wanted in zip(gradients((kind,) * op.nin), gradients(reals), strict=True):
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
