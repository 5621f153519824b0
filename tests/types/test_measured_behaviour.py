"""Behaviour at the edges, as measured with Theano 1.0.5."""

import inspect

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import variable
from support.compiling import evaluate
from support.errors import refused
from theano import function, shared
from theano.tensor import nnet, slinalg
from theano.tensor.opt import Assert

COMPLEX = np.array([1 + 2j, 3 - 1j, 1 + 1j, 3 + 0j])
STACK = np.arange(48.0).reshape(2, 2, 3, 4)
d, s, m = T.dvector("d"), T.dscalar("s"), T.dmatrix("m")
TABLE = np.ones((2, 3))


def test_sums_of_short_floats_are_kept_in_longer_ones():
    tenths, half = np.full(10**5, 0.1, "float32"), variable("float16", 1)
    f = T.fvector()
    assert evaluate(f.sum(), {f: tenths}) == np.float32(tenths.astype("float64").sum())
    assert evaluate(half.sum(), {half: np.ones(4000, "float16")}) == 4000
    assert half.sum().dtype == "float16"


@pytest.mark.parametrize(
    "value", [T.drow() * 1.0, T.fmatrix(), T.constant(np.ones((2, 2), "int8"))]
)
def test_updates_of_another_type(value):
    inputs = [value] if value.owner is None and not isinstance(value, T.TensorConstant) else []
    with pytest.raises(TypeError, match="must have the same type as the original"):
        function(inputs, [], updates=[(shared(np.ones((2, 2))), value)])


def test_results_are_arrays_of_their_own():
    store, given = shared(np.ones(3)), np.ones(2)
    number, same, stored = function([s, d], [s * 1, d, store])(2.0, given)
    assert type(number) is np.ndarray and number.shape == ()
    assert not np.shares_memory(same, given)
    assert not np.shares_memory(stored, store.get_value(borrow=True))
    assert type(function([s], [s])(1.0)) is list
    assert function([], None)() == function([], [])() == []


def test_settings_that_do_not_exist_can_be_assigned():
    theano.config.not_a_setting = 1
    assert theano.config.not_a_setting == 1
    del theano.config.__dict__["not_a_setting"]


def test_eval_takes_no_names():
    with pytest.raises((TypeError, ValueError, theano.gof.MissingInputError, AttributeError)):
        (d + s).eval({"d": [1.0], s: 2.0})


def test_states_of_scan_have_the_dtype_of_the_first():
    count, _ = theano.scan(lambda a: a + 1, outputs_info=T.constant(0), n_steps=3)
    assert count.type == T.bvector
    halves, _ = theano.scan(lambda a: a * 0.5, outputs_info=T.constant(1.5), n_steps=3)
    assert halves.dtype == "float32"
    listed, _ = theano.scan(lambda a: a, outputs_info=s, n_steps=3, return_list=True)
    assert isinstance(listed, list)
    twice = lambda a: (a * 2, theano.scan_module.until(a * 2 > 5))
    stopped, _ = theano.scan(twice, outputs_info=s, n_steps=9)
    np.testing.assert_array_equal(evaluate(stopped, {s: 1.0}), [2, 4, 8])


@pytest.mark.parametrize(
    ("step", "state", "steps"),
    [
        (lambda a: a, s, None),
        (lambda a: a + d.sum(), T.bscalar(), 2),
        (lambda a: a * s, T.fscalar(), 2),
    ],
    ids=["no length", "a wider integer", "a wider float"],
)
def test_loops_that_scan_refuses(step, state, steps):
    with pytest.raises(ValueError):
        theano.scan(step, outputs_info=state, n_steps=steps)


@pytest.mark.parametrize("name", ["max", "min", "argmax", "argmin"])
@pytest.mark.parametrize("value", [COMPLEX, np.append(COMPLEX, complex(np.nan, 1))])
def test_complex_numbers_are_ordered_by_their_parts(name, value):
    z = T.zvector("z")
    np.testing.assert_array_equal(getattr(T, name)(z).eval({z: value}), getattr(np, name)(value))
    if not name.startswith("arg"):
        pair = getattr(T, f"{name}imum")(z, z[::-1]).eval({z: value})
        np.testing.assert_array_equal(pair, getattr(np, f"{name}imum")(value, value[::-1]))


def test_batched_dot_of_any_number_of_axes():
    other = STACK.transpose(0, 1, 3, 2)
    for first in (STACK, STACK[:, 0]):
        wanted = [np.dot(x, y) for x, y in zip(first, other, strict=True)]
        np.testing.assert_array_equal(T.batched_dot(first, other).eval(), wanted)
    assert T.batched_dot(STACK[:, 0, 0, 0], other).eval().shape == other.shape


x = T.constant(STACK)
SHAPES = [
    (lambda: T.max(x, axis=T.NoneConst), ()),
    (lambda: T.sum(x, axis=T.constant([0, -1])), (2, 3)),
    (lambda: T.sum(x, axis=np.array([1])), (2, 3, 4)),
    (lambda: T.reshape(m, T.constant(6), ndim=1), (6,)),
    (lambda: T.reshape(m, T.lscalar("n"), ndim=1), (6,)),
    (lambda: T.specify_shape(m, shape=(2, 3)), (2, 3)),
    (lambda: T.stack([m, m], axis=T.constant(1)), (2, 2, 3)),
    (lambda: T.concatenate([m, m], axis=T.constant(-1)), (2, 6)),
    (lambda: T.Join()(0, m, m), (4, 3)),
    (lambda: T.sort(x, T.NoneConst), (48,)),
]


@pytest.mark.parametrize(("make", "shape"), SHAPES)
def test_axes_and_lengths_as_constants_arrays_and_scalars(make, shape):
    out = make()
    given = {v: TABLE if v is m else 6 for v in theano.gof.graph.inputs([out]) if v.name}
    assert out.eval(given).shape == shape


REFUSED = [
    (lambda: T.specify_shape(m, [2]), AssertionError, "2 axes"),
    (lambda: T.specify_shape(m, [2, 3, 4]), AssertionError, "2 axes"),
    (lambda: T.tile(m, 3.7), ValueError, "elements of reps must be integer scalars"),
    (lambda: T.tile(m, [2, 3.7]), ValueError, "elements of reps must be integer scalars"),
    (lambda: T.tile(m, T.imatrix()), ValueError, "should not exceed 1"),
    (lambda: T.tile(m, [2, 3, 4], ndim=2), ValueError, "less than ndim, got 3 and 2"),
    (lambda: T.join(-3, m, m), IndexError, "-3"),
    (lambda: T.join(2, m, m), ValueError, "out of range"),
    (lambda: T.concatenate([m, m], axis=T.constant(2)), ValueError, "out of range"),
    (lambda: T.stack([m, m], axis=T.iscalar()), TypeError, "no value before a function runs"),
]


@pytest.mark.parametrize(("call", "error", "word"), REFUSED)
def test_arguments_that_are_refused(call, error, word):
    with refused(error, word):
        call()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "int32"])
def test_arange_has_the_bits_of_numpy(dtype):
    ends = T.dscalars("abc")
    made = function(ends, T.arange(*ends, dtype=dtype))
    for bounds in ((-5.0, 1.1, 0.1), (0.1, 3.3, 0.7), (1e-3, 2.0, 0.013), (5.5, -5.0, -0.3)):
        np.testing.assert_array_equal(made(*bounds), np.arange(*bounds, dtype=dtype))


def test_rebroadcasting_back_is_the_variable_itself():
    assert T.unbroadcast(T.addbroadcast(m, 0), 0) is m
    assert T.patternbroadcast(T.addbroadcast(m, 0), (False, False)) is m
    assert T.addbroadcast(T.unbroadcast(T.addbroadcast(m, 0), 0), 1).broadcastable == (False, True)


def test_constants_behind_assertions_and_indices():
    seven, two = T.constant(7), T.constant(2)
    for held in ((seven, s > 0), (seven, T.constant(0)), (two, two > 2)):
        with pytest.raises(T.NotScalarConstantError):
            T.get_scalar_constant_value(Assert()(*held))
    assert T.get_scalar_constant_value(Assert()(seven, T.constant(1))) == 7
    assert T.get_scalar_constant_value(Assert()(two, two > 1)) == 2
    assert T.get_scalar_constant_value(x[1, 0, -1, 2]) == STACK[1, 0, -1, 2]


def test_the_size_of_a_scalar_is_made_from_it():
    assert evaluate(s.size, {s: 3.0}) == 1


ARGUMENTS = [
    (T.isnan, "a"),
    (T.isinf, "a"),
    (T.isclose, "a b rtol atol equal_nan"),
    (T.round, "a mode"),
    (T.iround, "a mode"),
    (T.ptp, "a axis"),
    (T.take, "a indices axis mode"),
    (T.ceil_intdiv, "a b"),
    (slinalg.solve.make_node, "A b"),
    (slinalg.expm.make_node, "A"),
    (nnet.crossentropy_softmax_1hot, "x y_idx kwargs"),
]


@pytest.mark.parametrize(("function", "names"), ARGUMENTS)
def test_names_of_arguments(function, names):
    assert [*inspect.signature(function).parameters] == names.split()


def test_classes_of_indexing():
    assert isinstance(T.Subtensor([])(T.dscalar()).owner.op, T.Subtensor)
    assert not isinstance(m[[0]].owner.op, T.AdvancedSubtensor)
    assert isinstance(m[:, [0]].owner.op, T.AdvancedSubtensor)
    assert not isinstance(T.inc_subtensor(m[:, [0]], 1).owner.op, T.AdvancedSubtensor)
    int64 = theano.scalar.int64
    assert m[1:, 0].owner.op.idx_list == (slice(int64, None, None), int64)
    assert T.set_subtensor(m[0], 1).owner.op.set_instead_of_inc
    rows = T.IncSubtensor([slice(0, 1)], set_instead_of_inc=True)(m, T.dmatrix("y"))
    assert isinstance(rows.owner.op, T.IncSubtensor)
    assert T.AdvancedIncSubtensor()(m, 1.0, [0, 0], [1, 1]).eval({m: np.zeros((2, 2))})[0, 1] == 2
    assert T.AdvancedSubtensor()(m, [0], [1]).eval({m: np.ones((2, 2))}).tolist() == [1]
    assert T.Eye()(2, 3, 1).eval().tolist() == [[0, 1, 0], [0, 0, 1]]


def test_sorting_along_an_axis_that_is_an_input():
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


@pytest.mark.parametrize("mode", ["raise", "wrap", "clip"])
def test_choices_broadcast_at_run_time(mode):
    which, one, two = T.itensor3("which"), T.dtensor3("one"), T.dtensor3("two")
    chosen = T.choose(which, (one, two), mode=mode)
    made = theano.function([which, one, two], [chosen, chosen.shape])
    values = np.ix_(np.array([0, 1], "int32"), np.arange(6.0), -np.arange(5.0))
    items, shape = made(*values)
    np.testing.assert_array_equal(items, np.choose(values[0], values[1:], mode=mode))
    assert tuple(shape) == items.shape == (2, 6, 5)


def test_a_broadcast_operand_is_not_taken_for_its_alloc():
    v, w = T.dvectors("v", "w")
    whole = T.Alloc()(v, w.shape[0])
    assert theano.function([v, w], whole + w)([2.0], [1.0, 1.0, 1.0]).tolist() == [3, 3, 3]
    assert theano.function([v, w], (whole + w).shape[0])([2.0], [1.0, 1.0]) == 2


def test_specified_lengths_that_are_an_input():
    x, shape = T.dvector("x"), T.ivector("shape")
    made = theano.function([x, shape], T.specify_shape(x, shape))
    assert made([1.0, 2.0], [2]).tolist() == [1, 2]
    with pytest.raises(AssertionError, match="expected 3"):
        made([1.0, 2.0], [3])
    with pytest.raises(AssertionError, match="2 lengths were given for 1 axes"):
        made([1.0, 2.0], [2, 1])


@pytest.mark.parametrize("first", ["vector", "row", "col", "matrix"])
@pytest.mark.parametrize("second", ["vector", "row", "col", "matrix"])
def test_gradients_of_dot_have_the_patterns_of_its_operands(first, second):
    x, y = getattr(T, first)("x"), getattr(T, second)("y")
    gx, gy = T.grad(T.dot(x, y).sum(), [x, y])
    assert (gx.broadcastable, gy.broadcastable) == (x.broadcastable, y.broadcastable)


def test_nothing_is_of_floatx():
    with theano.configparser.change_flags(floatX="float32"):
        for nothing in ([], (), [[]]):
            assert T.as_tensor_variable(nothing).dtype == T.constant(nothing).dtype == "float32"
        assert T.as_tensor_variable(np.array([])).dtype == "float64"


def test_values_are_compared_by_the_class_of_types():
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
def test_values_are_alike_within_the_tolerances_of_the_original(dtype, relative, absolute):
    alike = T.TensorType(dtype, ()).values_eq_approx
    one, zero = np.asarray(1024, dtype), np.asarray(0, dtype)
    assert alike(np.asarray(1024 * (1 + 0.9 * relative), dtype), one)
    assert not alike(np.asarray(1024 * (1 + 2 * relative), dtype), one)
    assert alike(np.asarray(0.9 * absolute, dtype), zero)
    assert not alike(np.asarray(1.1 * absolute, dtype), zero)


def test_an_application_without_such_an_output():
    class Chosen(theano.Op):  # type: ignore[misc]
        __props__ = ("default_output",)

        def __init__(self, choice):
            self.default_output = choice

        def make_node(self, x):
            return theano.Apply(self, [x], [x.type()])

    x = T.dscalar("x")
    assert T.as_tensor_variable(Chosen(0).make_node(x)).type == x.type
    for choice in (-1, 2, [0, 1]):
        with pytest.raises(AttributeError, match="default_output should be an output index"):
            T.as_tensor_variable(Chosen(choice).make_node(x))


def test_old_private_names():
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
def test_dtypes_of_rare_mixtures(expression, dtype):
    assert eval(expression).dtype == dtype


def test_steps_of_numeric_gradients():
    steps = theano.gradient.numeric_grad.type_eps
    assert steps["float32"] == steps[np.dtype("float32")] == 3e-4
