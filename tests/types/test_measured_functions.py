"""Functions of theano.tensor at the edges, as measured with Theano 1.0.5."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.tensor import nnet, slinalg
from theano.tensor.opt import Assert

COMPLEX = np.array([1 + 2j, 3 - 1j, 1 + 1j, 3 + 0j])
STACK = np.arange(48.0).reshape(2, 2, 3, 4)


@pytest.mark.parametrize("name", ["max", "min", "argmax", "argmin"])
@pytest.mark.parametrize("nan", [False, True])
def test_complex_numbers_are_ordered_by_their_parts(name: str, nan: bool) -> None:
    z = T.zvector("z")
    value = np.append(COMPLEX, complex(np.nan, 1)) if nan else COMPLEX
    np.testing.assert_array_equal(getattr(T, name)(z).eval({z: value}), getattr(np, name)(value))
    if not name.startswith("arg"):
        pair = getattr(T, f"{name}imum")(z, z[::-1]).eval({z: value})
        np.testing.assert_array_equal(pair, getattr(np, f"{name}imum")(value, value[::-1]))


def test_batched_dot_of_any_number_of_axes() -> None:
    other = STACK.transpose(0, 1, 3, 2)
    got = T.batched_dot(STACK, other).eval()
    np.testing.assert_array_equal(got, [np.dot(x, y) for x, y in zip(STACK, other, strict=True)])
    got = T.batched_dot(STACK[:, 0], other).eval()
    want = [np.dot(x, y) for x, y in zip(STACK[:, 0], other, strict=True)]
    np.testing.assert_array_equal(got, want)
    assert T.batched_dot(STACK[:, 0, 0, 0], other).eval().shape == other.shape


def test_axes_as_constants_and_arrays() -> None:
    x = T.constant(STACK)
    assert T.max(x, axis=T.NoneConst).ndim == 0
    assert T.sum(x, axis=T.constant([0, -1])).eval().shape == (2, 3)
    assert T.sum(x, axis=np.array([1])).eval().shape == (2, 3, 4)


def test_reshape_to_a_scalar_length() -> None:
    x, n = T.dmatrix("x"), T.lscalar("n")
    assert T.reshape(x, n, ndim=1).eval({x: np.ones((2, 3)), n: 6}).shape == (6,)
    assert x.reshape(T.constant(6), ndim=1).eval({x: np.ones((2, 3))}).shape == (6,)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "int32"])
def test_arange_has_the_bits_of_numpy(dtype: str) -> None:
    start, stop, step = T.dscalars("abc")
    made = theano.function([start, stop, step], T.arange(start, stop, step, dtype=dtype))
    for bounds in ((-5.0, 1.1, 0.1), (0.1, 3.3, 0.7), (1e-3, 2.0, 0.013), (5.5, -5.0, -0.3)):
        np.testing.assert_array_equal(made(*bounds), np.arange(*bounds, dtype=dtype))


def test_rebroadcasting_back_is_the_variable_itself() -> None:
    x = T.dmatrix("x")
    assert T.unbroadcast(T.addbroadcast(x, 0), 0) is x
    assert T.patternbroadcast(T.addbroadcast(x, 0), (False, False)) is x
    assert T.addbroadcast(T.unbroadcast(T.addbroadcast(x, 0), 0), 1).broadcastable == (False, True)


def test_constants_behind_assertions_and_indices() -> None:
    condition = T.dscalar("c") > 0
    with pytest.raises(T.NotScalarConstantError):
        T.get_scalar_constant_value(Assert()(T.constant(7), condition))
    with pytest.raises(T.NotScalarConstantError):
        T.get_scalar_constant_value(Assert()(T.constant(7), T.constant(0)))
    assert T.get_scalar_constant_value(Assert()(T.constant(7), T.constant(1))) == 7
    assert T.get_scalar_constant_value(T.constant(STACK)[1, 0, -1, 2]) == STACK[1, 0, -1, 2]


def test_the_size_of_a_scalar_is_made_from_it() -> None:
    s = T.dscalar("s")
    assert theano.function([s], s.size)(3.0) == 1


def test_specify_shape_refuses_another_number_of_axes() -> None:
    x = T.dmatrix("x")
    for shape in ([2], [2, 3, 4]):
        with pytest.raises(AssertionError, match="2 axes"):
            T.specify_shape(x, shape)
    assert T.specify_shape(x, shape=(2, 3)).eval({x: np.ones((2, 3))}).shape == (2, 3)


@pytest.mark.parametrize("reps", [3.7, [2, 3.7]])
def test_tile_wants_integers(reps: Any) -> None:
    with pytest.raises(ValueError, match="elements of reps must be integer scalars"):
        T.tile(T.matrix(), reps)


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (T.isnan, ["a"]),
        (T.isinf, ["a"]),
        (T.isclose, ["a", "b", "rtol", "atol", "equal_nan"]),
        (T.round, ["a", "mode"]),
        (T.iround, ["a", "mode"]),
        (T.ptp, ["a", "axis"]),
        (T.take, ["a", "indices", "axis", "mode"]),
        (T.ceil_intdiv, ["a", "b"]),
        (slinalg.solve.make_node, ["A", "b"]),
        (slinalg.expm.make_node, ["A"]),
        (nnet.crossentropy_softmax_1hot, ["x", "y_idx", "kwargs"]),
    ],
)
def test_names_of_arguments(function: Any, names: list[str]) -> None:
    assert list(inspect.signature(function).parameters) == names


def test_classes_of_indexing() -> None:
    x = T.dmatrix("x")
    assert isinstance(T.Subtensor([])(T.dscalar()).owner.op, T.Subtensor)
    assert not isinstance(x[[0]].owner.op, T.AdvancedSubtensor)
    assert isinstance(x[:, [0]].owner.op, T.AdvancedSubtensor)
    assert not isinstance(T.inc_subtensor(x[:, [0]], 1).owner.op, T.AdvancedSubtensor)
    int64 = theano.scalar.int64
    assert x[1:, 0].owner.op.idx_list == (slice(int64, None, None), int64)
    assert T.set_subtensor(x[0], 1).owner.op.set_instead_of_inc
    rows = T.IncSubtensor([slice(0, 1)], set_instead_of_inc=True)(x, T.dmatrix("y"))
    assert isinstance(rows.owner.op, T.IncSubtensor)
    assert T.AdvancedIncSubtensor()(x, 1.0, [0, 0], [1, 1]).eval({x: np.zeros((2, 2))})[0, 1] == 2
    assert T.AdvancedSubtensor()(x, [0], [1]).eval({x: np.ones((2, 2))}).tolist() == [1]
    assert T.Join()(0, x, x).eval({x: np.ones((1, 2))}).shape == (2, 2)
    assert T.Eye()(2, 3, 1).eval().tolist() == [[0, 1, 0], [0, 0, 1]]


def test_sorting_along_an_axis_that_is_an_input() -> None:
    x, axis = T.dtensor3("x"), T.lscalar("axis")
    value = np.random.default_rng(1).normal(size=(2, 3, 4))
    both = theano.function([x, axis], [T.sort(x, axis), T.argsort(x, axis)])
    for at in range(-3, 3):
        items, where = both(value, at)
        np.testing.assert_array_equal(items, np.sort(value, at))
        np.testing.assert_array_equal(where, np.argsort(value, at))
    with pytest.raises(ValueError, match="out of bounds"):
        both(value, 3)
    g = T.grad(T.sort(x, axis)[0, 0, 0], x).eval({x: value, axis: 0})
    assert g.sum() == 1
    assert T.sort(x, T.NoneConst).eval({x: value}).shape == (24,)


@pytest.mark.parametrize("mode", ["raise", "wrap", "clip"])
def test_choices_broadcast_at_run_time(mode: str) -> None:
    which, one, two = T.itensor3("which"), T.dtensor3("one"), T.dtensor3("two")
    chosen = T.choose(which, (one, two), mode=mode)
    made = theano.function([which, one, two], [chosen, chosen.shape])
    values = (
        np.array([0, 1], "int32").reshape(2, 1, 1),
        np.arange(6.0).reshape(1, 6, 1),
        -np.arange(5.0).reshape(1, 1, 5),
    )
    items, shape = made(*values)
    np.testing.assert_array_equal(items, np.choose(values[0], values[1:], mode=mode))
    assert tuple(shape) == items.shape == (2, 6, 5)


def test_a_broadcast_operand_is_not_taken_for_its_alloc() -> None:
    v, w = T.dvector("v"), T.dvector("w")
    whole = T.Alloc()(v, w.shape[0])
    assert theano.function([v, w], whole + w)([2.0], [1.0, 1.0, 1.0]).tolist() == [3, 3, 3]
    assert theano.function([v, w], (whole + w).shape[0])([2.0], [1.0, 1.0]) == 2


def test_specified_lengths_that_are_an_input() -> None:
    x, shape = T.dvector("x"), T.ivector("shape")
    made = theano.function([x, shape], T.specify_shape(x, shape))
    assert made([1.0, 2.0], [2]).tolist() == [1, 2]
    with pytest.raises(AssertionError, match="expected 3"):
        made([1.0, 2.0], [3])
    with pytest.raises(AssertionError, match="2 lengths were given for 1 axes"):
        made([1.0, 2.0], [2, 1])


@pytest.mark.parametrize("first", ["vector", "row", "col", "matrix"])
@pytest.mark.parametrize("second", ["vector", "row", "col", "matrix"])
def test_gradients_of_dot_have_the_patterns_of_its_operands(first: str, second: str) -> None:
    x, y = getattr(T, first)("x"), getattr(T, second)("y")
    gx, gy = T.grad(T.dot(x, y).sum(), [x, y])
    assert (gx.broadcastable, gy.broadcastable) == (x.broadcastable, y.broadcastable)


def test_nothing_is_of_floatx() -> None:
    with theano.configparser.change_flags(floatX="float32"):
        for nothing in ([], (), [[]]):
            assert T.as_tensor_variable(nothing).dtype == T.constant(nothing).dtype == "float32"
        assert T.as_tensor_variable(np.array([])).dtype == "float64"


def test_joins_out_of_range() -> None:
    x = T.dmatrix("x")
    with pytest.raises(IndexError, match="-3"):
        T.join(-3, x, x)
    with pytest.raises(ValueError, match="out of range"):
        T.join(2, x, x)
    with pytest.raises(ValueError, match="should not exceed 1"):
        T.tile(x, T.imatrix())
    with pytest.raises(ValueError, match="less than ndim, got 3 and 2"):
        T.tile(x, [2, 3, 4], ndim=2)


def test_the_axis_of_a_stack_may_be_a_constant() -> None:
    x = T.dmatrix("x")
    assert T.stack([x, x], axis=T.constant(1)).eval({x: np.ones((2, 3))}).shape == (2, 2, 3)
    assert T.concatenate([x, x], axis=T.constant(-1)).eval({x: np.ones((2, 3))}).shape == (2, 6)
    with pytest.raises(ValueError, match="out of range"):
        T.concatenate([x, x], axis=T.constant(2))
    with pytest.raises(TypeError, match="no value before a function runs"):
        T.stack([x, x], axis=T.iscalar())


def test_an_assertion_that_certainly_holds_is_looked_through() -> None:
    two = T.constant(2)
    assert T.get_scalar_constant_value(Assert()(two, two > 1)) == 2
    with pytest.raises(T.NotScalarConstantError):
        T.get_scalar_constant_value(Assert()(two, two > 2))


def test_values_are_compared_by_the_class_of_types() -> None:
    value = np.array([-np.inf, 1.0, np.nan])
    assert T.TensorType.values_eq_approx(value, value + 1e-12)
    assert not T.TensorType.values_eq_approx(value, value[::-1])


@pytest.mark.parametrize(
    ("dtype", "relative", "absolute"),
    [
        ("float16", 1e-3, 1e-3),
        ("float32", 1e-5, 1e-5),
        ("complex64", 1e-5, 1e-5),
        ("float64", 1e-5, 1e-8),
        ("complex128", 1e-5, 1e-8),
    ],
)
def test_values_are_alike_within_the_tolerances_of_the_original(
    dtype: str, relative: float, absolute: float
) -> None:
    alike = T.TensorType(dtype, ()).values_eq_approx
    one, zero = np.asarray(1024, dtype), np.asarray(0, dtype)
    assert alike(np.asarray(1024 * (1 + 0.9 * relative), dtype), one)
    assert not alike(np.asarray(1024 * (1 + 2 * relative), dtype), one)
    assert alike(np.asarray(0.9 * absolute, dtype), zero)
    assert not alike(np.asarray(1.1 * absolute, dtype), zero)


def test_an_application_without_such_an_output() -> None:
    class Chosen(theano.Op):  # type: ignore[misc]
        __props__ = ("default_output",)

        def __init__(self, choice: Any) -> None:
            self.default_output = choice

        def make_node(self, x: Any) -> Any:
            return theano.Apply(self, [x], [x.type()])

    x = T.dscalar("x")
    assert T.as_tensor_variable(Chosen(0).make_node(x)).type == x.type
    for choice in (-1, 2, [0, 1]):
        with pytest.raises(AttributeError, match="default_output should be an output index"):
            T.as_tensor_variable(Chosen(choice).make_node(x))


def test_old_private_names() -> None:
    assert T.inplace.exp_inplace == T.exp
    assert T._allclose(np.float32([1, 2]), np.float32([1, 2.001]))
    assert not T._allclose(np.array([1, 2.0]), np.array([1, 2.001]))
    assert T._dot(T.dmatrix(), T.dvector()).ndim == 1


@pytest.mark.parametrize(
    ("expression", "dtype"),
    [
        ("T.arctan2(T.bmatrix(), T.matrix(dtype='uint16'))", "float32"),
        ("T.arctan2(T.matrix(dtype='bool'), T.matrix(dtype='float16'))", "float32"),
        ("T.arctan2(T.imatrix(), T.fmatrix())", "float64"),
        ("T.complex(T.bmatrix(), T.wmatrix())", "complex64"),
        ("T.complex(T.bmatrix(), T.matrix(dtype='uint16'))", "complex128"),
        ("T.complex(T.matrix(dtype='float16'), T.bmatrix())", "complex64"),
        ("T.complex(T.imatrix(), T.fmatrix())", "complex128"),
        ("T.angle(T.bmatrix())", "float64"),
        ("T.angle(T.cmatrix())", "float64"),
        ("T.conj(T.matrix(dtype='bool'))", "int8"),
    ],
)
def test_dtypes_of_rare_mixtures(expression: str, dtype: str) -> None:
    assert eval(expression).dtype == dtype


def test_steps_of_numeric_gradients() -> None:
    steps = theano.gradient.numeric_grad.type_eps
    assert steps["float32"] == steps[np.dtype("float32")] == 3e-4
