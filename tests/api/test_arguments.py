"""Arguments as old programs write them: dtypes, axes, lengths and names of every kind."""

import gc
import weakref

import numpy as np
import pytest

import theano
import theano.tensor as T


@pytest.mark.parametrize("dtype", [np.int16, np.dtype("int16"), "int16"], ids=repr)
def test_a_dtype_may_be_a_type_of_numpy(dtype):
    x = T.fmatrix()
    made = [
        x.astype(dtype),
        T.cast(x, dtype),
        T.zeros((2,), dtype),
        T.ones_like(x, dtype=dtype),
        T.eye(2, dtype=dtype),
        T.arange(3, dtype=dtype),
        T.constant(3, dtype=dtype),
        T.sum(x.astype("int8"), dtype=dtype),
        T.vector(dtype=dtype),
        T.extra_ops.to_one_hot(T.ivector(), 3, dtype=dtype),
    ]
    assert {v.dtype for v in made} == {"int16"}
    # One operation for each dtype, however it was written.
    assert x.astype(dtype).owner.op is x.astype("int16").owner.op


def test_types_of_python_are_dtypes():
    assert T.zeros((2, 3), dtype=int).dtype == str(np.dtype(int))
    assert T.ones(2, float).dtype == "float64"
    assert T.zeros_like(T.matrix(), bool).dtype == "bool"


def test_lengths_of_broadcastable_axes_are_1_in_new_shapes():
    row, col = T.row(), T.col()
    assert T.zeros(row.shape).broadcastable == (True, False)
    assert T.alloc(0.0, col.shape[0], col.shape[1]).broadcastable == (False, True)
    assert T.ones((row.shape[0], T.iscalar())).broadcastable == (True, False)
    assert row.reshape((row.shape[1], row.shape[0])).broadcastable == (False, True)
    assert T.matrix().reshape(col.shape).broadcastable == (False, True)
    assert T.tile(col, (2, 1)).broadcastable == (False, True)
    assert T.zeros(row.shape[-1]).broadcastable == (False,)
    f = theano.function([row], T.zeros(row.shape) + 1)
    assert f(np.zeros((1, 3), theano.config.floatX)).tolist() == [[1, 1, 1]]


def test_one_length_may_be_a_scalar():
    x, n = T.dmatrix(), T.iscalar()
    outs = [T.zeros(x.shape[0]), T.ones(n), T.zeros(np.array(3)), T.zeros(3), T.ones(np.int8(2))]
    assert [v.ndim for v in outs] == [1] * 5
    values = theano.function([x, n], outs)(np.zeros((2, 5)), 4)
    assert [v.shape for v in values] == [(2,), (4,), (3,), (3,), (2,)]


@pytest.mark.parametrize(
    "call",
    [
        lambda x, axis: T.repeat(x, 2, axis=axis),
        lambda x, axis: T.roll(x, 1, axis=axis),
        lambda x, axis: T.split(x, [1, 2], 2, axis=axis),
        lambda x, axis: T.sort(x, axis),
        lambda x, axis: T.argsort(x, axis=axis),
        lambda x, axis: T.cumsum(x, axis=axis),
        lambda x, axis: T.diff(x, axis=axis),
        lambda x, axis: T.take(x, [0], axis=axis),
    ],
)
def test_axes_are_counted_in_any_integer_and_must_exist(call):
    x, value = T.dmatrix(), np.arange(6.0).reshape(2, 3)

    def result(axis):
        found = call(x, axis)
        found = found if isinstance(found, list) else [found]
        return [v.tolist() for v in theano.function([x], found)(value)]

    assert result(1) == result(-1) == result(np.array(1)) == result(np.int8(1))
    for axis in (2, -3):
        with pytest.raises((ValueError, IndexError), match="out of bounds"):
            call(x, axis)
    with pytest.raises(IndexError):
        call(T.dscalar(), 0)


def test_an_axis_that_is_a_float_scalar_is_counted_when_the_function_runs():
    x, axis = T.matrix(), T.scalar()
    value = np.array([[3, 1], [2, 4]], theano.config.floatX)
    f = theano.function([x, axis], T.sort(x, axis))
    assert f(value, 0).tolist() == [[2, 1], [3, 4]]
    assert f(value, 1).tolist() == [[1, 3], [2, 4]]


def test_extremes_over_no_axes_are_those_over_all():
    x = T.matrix()
    value = np.array([[3, 1], [2, 4]], theano.config.floatX)
    outs = [T.max(x, axis=()), T.min(x, axis=[]), T.argmax(x, axis=()), x.argmin(axis=())]
    assert [int(v) for v in theano.function([x], outs)(value)] == [4, 1, 3, 1]


def test_the_rank_of_reshape_is_an_integer():
    x = T.matrix()
    for ndim in (2.0, True, T.iscalar(), -1):
        with pytest.raises(ValueError, match="ndim"):
            x.reshape((3, 3), ndim=ndim)
    assert x.reshape(T.lvector(), ndim=np.int64(2)).ndim == 2


def test_one_part_of_a_split_is_no_list():
    x = T.vector()
    part = T.split(x, [3], 1)
    assert theano.function([x], part)(np.arange(3, dtype=x.dtype)).tolist() == [0, 1, 2]


def test_dtypes_that_results_take_from_arguments():
    x, b = T.fmatrix(), T.fvector()
    numbers = T.nnet.crossentropy_softmax_argmax_1hot_with_bias
    assert numbers(x, b, T.bvector())[2].dtype == "int8"
    assert T.chi2sf(T.fvector(), T.fvector()).dtype == "float64"


def test_variables_stay_on_the_cpu():
    x = T.vector()
    assert T.transfer(x, "cpu") is x
    with pytest.raises(ValueError, match="target"):
        T.transfer(x, "gpu")


def test_star_imports_give_the_names_of_old_modules():
    for module, name in (
        ("theano.tensor.nnet", "Softmax"),
        ("theano.tensor.extra_ops", "CumOp"),
        ("theano", "ProfileStats"),
    ):
        names = {}
        exec(f"from {module} import *", names)
        assert name in names
    for module in ("theano.tensor", "theano.tensor.basic"):
        names = {}
        exec(f"from {module} import *", names)
        assert {"theano", "MaxAndArgmax", "Split", "AllocDiag", "scal", "np"} <= set(names), module
    # As there: Python's own `compile` is hidden.
    exec("from theano.tensor import *", names)
    assert names["compile"] is theano.compile


def test_clone_asks_only_about_variables_that_occur():
    x, y = T.dvectors("x", "y")
    assert theano.clone(x + 1, {y: T.fscalar()}).type == x.type
    with pytest.raises(TypeError, match="Cannot convert"):
        theano.clone(x + y, {y: T.fscalar()})
    # What is an output itself is replaced by whatever stands there.
    m = T.dmatrix()
    assert theano.clone(x, {x: m}) is m
    with pytest.raises(TypeError):
        theano.clone([x, x + 1], {x: m})


def test_an_input_with_an_update_may_be_lent():
    x = T.vector("x")
    start = np.ones(2, theano.config.floatX)
    f = theano.function([theano.In(x, value=start, update=x * 2, borrow=False)], x + 0)
    assert [f().tolist(), f().tolist()] == [[1, 1], [2, 2]]
    assert start.tolist() == [1, 1]
    with pytest.raises(AssertionError, match="disagree"):
        theano.In(x, mutable=True, borrow=False)


@pytest.mark.parametrize("borrow", [True, False])
def test_subclasses_of_arrays_are_values_of_shared_variables(borrow, tmp_path):
    class Marked(np.ndarray):
        """As `numpy.matrix` is."""

    s = theano.shared(np.array([[1.0, 2.0]]).view(Marked), borrow=borrow)
    assert theano.function([], s * 2)().tolist() == [[2, 4]]
    mapped = np.memmap(tmp_path / "numbers", "float64", "w+", shape=(2, 2))
    s.set_value(mapped, borrow=borrow)
    assert theano.function([], s + 1)().tolist() == [[1, 1], [1, 1]]
    assert type(s.get_value(borrow=True)) is np.ndarray
    assert np.may_share_memory(s.get_value(borrow=True), mapped) == borrow


def test_pp_writes_the_expression_of_a_named_result():
    x, y = T.vectors("x", "y")
    z = x + y
    z.name = "z"
    assert theano.pp(z * x) == "((x + y) * x)"
    assert theano.pp(z) == theano.pprint(z) == "(x + y)"


def test_tile_by_a_vector_counts_from_the_right():
    x, reps = T.dmatrix(), T.ivector()
    value = np.arange(6.0).reshape(2, 3)
    f = theano.function([x, reps], T.tile(x, reps, ndim=3))
    for counts in ([2, 1, 3], [1, 2], [2], []):
        expected = np.tile(value, counts)
        assert np.array_equal(
            f(value, counts), expected.reshape((1,) * (3 - expected.ndim) + expected.shape)
        )
    with pytest.raises(AssertionError, match="more than 3"):
        f(value, [1, 1, 1, 1])


def test_a_pattern_may_leave_out_the_last_axes():
    x = T.matrix()
    assert T.patternbroadcast(x, ()).broadcastable == (False, False)
    assert T.patternbroadcast(T.row(), (True,)).broadcastable == (True, False)
    with pytest.raises(ValueError, match="3 axes"):
        T.patternbroadcast(x, (True, False, False))


def test_equal_small_constants_are_one_until_they_get_a_name_or_a_tag():
    two = T.constant(2)
    assert T.constant(2) is two and T.as_tensor_variable(2) is two
    assert T.constant(2, dtype="int8") is two and T.constant(np.int16(2)) is not two
    for value in (11, -10.5, np.nan, np.True_, 1j, [1, 2], []):
        first = T.constant(value)
        assert T.constant(value) is not first
    for value in (-10, 10, 0.5, [2], np.full((1, 1), 3, "uint8"), np.float16(-10)):
        first = T.constant(value)
        assert T.constant(value) is first
    zero = T.constant(0.0)
    assert T.constant(-0.0) is not zero and np.signbit(T.constant(-0.0).data)
    named = T.constant(2, name="two")
    assert named is not two and T.constant(2).name is None
    two.name = "mine"
    other = T.constant(2)
    assert other is not two and other.name is None and T.constant(2) is other
    other.tag.mine = 1
    assert not hasattr(T.constant(2).tag, "mine")


def test_shared_constants_are_freed_with_their_graphs():
    x = T.dvector()
    graph = theano.gof.FunctionGraph([x], [x * T.constant(-7)], clone=False)
    kept, found = weakref.ref(graph), weakref.ref(T.constant(-7))
    assert found() is not None
    del graph, x
    gc.collect()
    assert kept() is None and found() is None


def test_lengths_of_constants_are_known():
    length = T.opt.Shape_i(1)(T.constant(np.zeros((3, 4))))
    assert T.get_scalar_constant_value(length) == 4


@pytest.mark.parametrize("policy", ["custom", "numpy+floatX"])
def test_a_slope_that_is_a_python_number_leaves_the_dtype_alone(policy):
    with theano.config.change_flags(floatX="float32", cast_policy=policy):
        x, m = T.fmatrix(), T.imatrix()
        slopes = (0, 1, -3, 0.5, np.float32(0.1), np.int8(2))
        assert {T.nnet.relu(x, a).dtype for a in slopes} == {"float32"}
        whole = {T.nnet.relu(m, a).dtype for a in slopes}
        assert whole == {"float64" if policy == "custom" else "float32"}
        value = np.array([[-4, 0, 6]], "float32")
        for a in slopes:
            expected = np.where(value > 0, value, a * value)
            assert np.allclose(T.nnet.relu(x, a).eval({x: value}), expected)
            assert np.allclose(T.nnet.relu(m, a).eval({m: value.astype("int32")}), expected)
        assert T.nnet.relu(x, T.fvector()).dtype == "float32"


def test_a_vector_of_one_scalar_is_not_broadcast():
    n = T.dscalar()
    for v in (T.stack([n]), T.as_tensor_variable([n]), T.stacklists([n])):
        assert v.broadcastable == (False,)
        assert v.eval({n: 3}).tolist() == [3]
    assert T.zeros(T.stack([T.iscalar()])).ndim == 1


def test_a_condition_may_choose():
    b, choices = T.TensorType("bool", (False,))("b"), T.dmatrix("choices")
    f = theano.function([b, choices], T.choose(b, choices))
    assert f(np.array([True, False]), [[1, 2], [3, 4]]).tolist() == [3, 2]


def test_relu_of_an_array_is_an_array():
    value = np.array([-2, 0, 3])
    for dtype in ("float32", "float64", "int8"):
        got = T.nnet.relu(value.astype(dtype))
        assert isinstance(got, np.ndarray) and got.tolist() == [0, 0, 3]
        assert got.dtype.kind == "f" and dtype in (got.dtype, "int8")
    assert T.nnet.relu(np.array([127, -128], "int8")).tolist() == [127, 0]
    assert T.nnet.relu(np.float32(-2)) == 0
    assert T.nnet.relu(value, 0.5).eval().tolist() == [-1, 0, 3]


YIELDING = {
    "range": range,
    "map": lambda *ends: map(int, range(*ends)),
    "values": lambda *ends: dict(enumerate(range(*ends))).values(),
}


@pytest.mark.parametrize("several", YIELDING.values(), ids=YIELDING)
def test_axes_and_lengths_may_be_what_yields_them(several):
    x, images = T.dtensor3(), T.dtensor4()
    value = np.arange(24.0).reshape(2, 3, 4)
    pictures = np.arange(48.0).reshape(2, 1, 4, 6)
    product = T.tensordot(x, x, axes=[several(1, 3), several(1, 3)])
    np.testing.assert_array_equal(
        product.eval({x: value}), np.tensordot(value, value, [[1, 2]] * 2)
    )
    pooled = T.signal.pool.pool_2d(images, several(2, 4), stride=several(1, 3), ignore_border=True)
    assert pooled.eval({images: pictures}).shape == (2, 1, 3, 2)
    convolved = T.nnet.conv2d(
        images,
        np.ones((1, 1, 2, 2)),
        filter_shape=(1, 1, 2, 2),
        subsample=several(1, 3),
        border_mode=several(1, 3),
    )
    assert convolved.eval({images: pictures}).shape == (2, 1, 5, 5)
    statistics = [T.ones((1, 1, 1, 6))] * 4
    normal = T.nnet.bn.batch_normalization_test(images, *statistics, axes=several(0, 3))
    assert normal.eval({images: pictures}).shape == pictures.shape


@pytest.mark.parametrize("several", [YIELDING["range"], YIELDING["values"]])
@pytest.mark.parametrize("reduce", [T.sum, T.mean, T.max, T.argmax, T.var, T.any])
def test_axes_of_a_reduction_may_be_a_view(reduce, several):
    x, value = T.dtensor3(), np.arange(24.0).reshape(2, 3, 4)
    same = reduce(x, axis=[1, 2], keepdims=True).eval({x: value})
    out = reduce(x, axis=several(1, 3), keepdims=True)
    np.testing.assert_array_equal(out.eval({x: value}), same)
    with pytest.raises(TypeError, match="The axis of a reduction must be"):
        reduce(x, axis=map(int, [1, 2]))


def test_a_graph_of_what_yields_variables_has_them():
    x, y = T.dscalars("xy")
    graph = theano.gof.FunctionGraph((v for v in (x, y)), map(abs, [x * y]))
    assert len(graph.inputs) == 2
    assert len(graph.apply_nodes) == 2


def test_axes_of_stacks_are_integers():
    x = T.dvector()
    for axis in (0.7, 1.0, T.dscalar(), T.iscalar(), "1", 1j):
        with pytest.raises(TypeError):
            T.stack([x, x], axis=axis)
