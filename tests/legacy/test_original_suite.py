"""What Theano 1.0.5's own tests ask of values, dtypes, errors and public names."""

import pickle

import numpy as np
import pytest
import scipy.sparse

import theano
import theano.tensor as T
from support.compiling import DEFINITION, evaluate
from theano.compile.debugmode import BadOptimization, BadViewMap, DebugMode, InvalidValueError
from theano.tensor import inplace
from theano.tensor.nnet import abstract_conv, blocksparse, bn, conv, neighbours

x, y, z, g = T.dvectors("x", "y", "z", "g")
m, n, k = T.dmatrix("m"), T.dmatrix("n"), T.iscalar("k")
equal, close = np.testing.assert_array_equal, np.testing.assert_allclose


def test_functions_in_place_keep_the_dtype_of_what_they_overwrite():
    whole, array = T.lmatrix("whole"), np.array([[1, 2]])
    f = theano.function([whole, m], inplace.add_inplace(whole, m), accept_inplace=True)
    found = f(array, np.array([[0.6, 1.6]]))
    assert found.dtype == np.int64 and found.tolist() == array.tolist() == [[1, 3]]
    assert inplace.exp_inplace(T.iscalar()).dtype == "int32"
    with pytest.raises(ValueError, match="inplace on an input with broadcasted dimensions"):
        inplace.add_inplace(T.drow(), m)


def test_linkers_overwrite_what_operations_say():
    add = T.Elemwise(theano.scalar.Add(theano.scalar.transfer_type(0)), {0: 0})
    for linker in (theano.gof.PerformLinker(), theano.gof.CLinker()):
        f = linker.accept(theano.gof.FunctionGraph([m, n], [add(m, n)])).make_function()
        array = np.ones((2, 2))
        f(array, np.ones((2, 2)))
        assert (array == 2).all()


def test_gradient_methods_take_and_return_what_the_operation_says():
    found = evaluate(T.mul.grad([x, y, z], [g]), {x: [2.0], y: [3.0], z: [5.0], g: [1.0]})
    assert [v.tolist() for v in found] == [[15.0], [10.0], [6.0]]
    # What is not defined has a type of its own.
    found = T.jv.grad([x, x], [x])
    assert isinstance(found[0].type, theano.gradient.NullType) and found[1].dtype == "float64"


def test_mean_over_no_axis_of_integers_is_double():
    assert T.bmatrix().mean(axis=[], dtype="uint8").dtype == "float64"
    assert T.fmatrix().mean(axis=[]).dtype == "float32"


def test_forward_mode_knows_what_reaches_an_output():
    for out in (T.argmax(m, axis=1), theano.gradient.disconnected_grad(m).reshape((6,))):
        with pytest.raises(ValueError, match="depends on none"):
            T.Rop(out, x, y)
    assert T.Rop(m.sum(0), x, y).eval({m: np.ones((2, 3))}).tolist() == [0, 0, 0]


def test_normalized_batch_with_statistics_as_constants():
    x, scale, bias, dy, dx = given = [
        T.dmatrix(name) for name in ("x", "scale", "bias", "dy", "dx")
    ]
    out, mean, invstd = bn.batch_normalization_train(x, scale, bias, "per-activation")
    assert isinstance(out.owner.op, bn.AbstractBatchNormTrain)
    first = T.grad(None, wrt=[x, scale, bias], known_grads={out: dy})
    second = T.grad(None, wrt=x, known_grads={first[0]: dx}, consider_constant=[mean, invstd])
    # The gradients themselves, by the operation that made them in Theano 1.0.5.
    old = bn.AbstractBatchNormTrainGrad((0,))(x, dy, scale, mean, invstd)[0]
    rng = np.random.RandomState(3)
    values = [rng.uniform(1, 2, (1 if v in (scale, bias) else 4, 3)) for v in given]
    outs = [second, mean, invstd, first[0], old]
    got, m, s, g, again = theano.function(given, outs)(*values)
    xv, gamma, _, dyv, dxv = values
    c = gamma * (dxv - dxv.mean(0))
    close(got, -(s**3) * (c * (dyv * (xv - m)).mean(0) + dyv * (c * (xv - m)).mean(0)))
    close(again, g)


def test_rows_of_patches_are_an_operation():
    images, array = T.dtensor4("images"), np.arange(12.0).reshape((1, 1, 3, 4))
    rows = neighbours.images2neibs(images, (1, 2), mode="ignore_borders")
    assert isinstance(rows.owner.op, neighbours.Images2Neibs)
    assert rows.owner.op.mode == "ignore_borders"
    again = neighbours.Images2Neibs("ignore_borders")(images, (1, 2))
    for found in evaluate([rows, again], {images: array}):
        equal(found, array.reshape((6, 2)))
    small = neighbours.images2neibs(images, (3, 5), mode="wrap_centered")
    with pytest.raises(TypeError, match="cannot be smaller than patches"):
        small.eval({images: array})


def test_sparse_blocks_are_operations():
    rng = np.random.RandomState(3)
    o, w, h = rng.rand(2, 1, 2), rng.rand(3, 2, 4, 2), rng.rand(2, 2, 4)
    one, two = np.array([[0, 2], [1, 1]]), np.array([[1], [0]])
    gemv = blocksparse.sparse_block_gemv(o, w, h, one, two)
    outer = blocksparse.sparse_block_outer(w, h, o, one, two)
    assert isinstance(gemv.owner.op, blocksparse.SparseBlockGemv)
    assert isinstance(outer.owner.op, blocksparse.SparseBlockOuter)
    products, sums = o.copy(), w.copy()
    for b, i in np.ndindex(2, 2):
        products[b, 0] += h[b, i] @ w[one[b, i], two[b, 0]]
        sums[one[b, i], two[b, 0]] += np.outer(h[b, i], o[b, 0])
    close(gemv.eval(), products)
    close(outer.eval(), sums)
    with pytest.raises(TypeError, match="W must have 4 axes"):
        blocksparse.sparse_block_gemv(o, o, h, one, two)


def test_a_mode_of_a_loop_looks_at_its_steps():
    seen = []
    note = lambda i, node, fn: seen.extend(value[0].copy() for value in fn.outputs)
    rows, _ = theano.scan(
        lambda before, a: before * a,
        outputs_info=T.ones_like(x),
        non_sequences=x,
        n_steps=k,
        mode=theano.compile.MonitorMode(post_func=note),
    )
    assert evaluate(rows[-1], {x: [2.0, 3.0], k: 4}).tolist() == [16.0, 81.0]
    assert [value.tolist() for value in seen] == [[2, 3], [4, 9], [8, 27], [16, 81]]
    gradient = T.grad(rows[-1].sum(), x)
    assert evaluate(gradient, {x: [2.0, 3.0], k: 4}).tolist() == [32.0, 108.0]
    mode = theano.compile.NanGuardMode(True, True, True)
    guarded, _ = theano.scan(lambda before: T.log(before), outputs_info=x, n_steps=3, mode=mode)
    with pytest.raises(AssertionError, match=r"NaN detected(.|\n)*log"):
        evaluate(guarded, {x: [2.0, 3.0]})


def test_names_that_tests_import():
    from theano.d3viz.formatting import pydot_imported
    from theano.scalar.basic import round_half_away_from_zero_vec
    from theano.tensor.blas_scipy import have_fblas
    from theano.tensor.io import mpi_enabled
    from theano.tensor.nnet.sigm import register_local_1msigmoid

    assert not any((pydot_imported, have_fblas, mpi_enabled, register_local_1msigmoid))
    rounded = round_half_away_from_zero_vec(np.array([-2.5, -0.4, 0.5], "float32"))
    assert rounded.dtype == np.float32 and rounded.tolist() == [-3, 0, 1]
    assert T.basic._get_atol_rtol(np.float32(1), np.float64(1)) == (1e-5, 1e-5)


def test_classes_say_where_programs_see_them():
    seen = (m, T.constant(1), m.type, (m + 1).owner, theano.shared(1.0), theano.shared([1, 2]))
    assert [f"{type(v).__module__}.{type(v).__name__}" for v in seen] == [
        "theano.tensor.var.TensorVariable",
        "theano.tensor.var.TensorConstant",
        "theano.tensor.type.TensorType",
        "theano.gof.graph.Apply",
        "theano.tensor.sharedvar.ScalarSharedVariable",
        "theano.compile.sharedvalue.SharedVariable",
    ]
    assert str(type(m)) == "<class 'theano.tensor.var.TensorVariable'>"
    stored = pickle.dumps([m, m + 1, theano.shared(np.ones(2)), theano.gof.FunctionGraph([m], [m])])
    for name in (b"theano.tensor.var", b"theano.tensor.type", b"theano.tensor.sharedvar"):
        assert name in stored
    for private in (b"api.variable", b"ir.types"):
        assert private not in stored
    again = pickle.loads(stored)
    assert again[1].eval({again[0]: np.ones((1, 1))}).tolist() == [[2.0]]
    assert again[2].get_value().tolist() == [1.0, 1.0]


def test_outputs_of_users_operations_may_share_memory_if_nothing_reads_both():
    class Parts(theano.Op):
        def make_node(self, a):
            return theano.gof.Apply(self, [a], [a.type(), a.type()])

        def perform(self, node, inputs, outputs, params=None):
            whole = inputs[0] * 1
            outputs[0][0], outputs[1][0] = whole, whole[1:]

    first, last = Parts()(x)
    for outs in (first[:-1] * 2 + last * 2, [first + 1, last + 1]):
        with pytest.raises(BadViewMap, match=r"output 0 of .* its output 1"):
            evaluate(outs, {x: [1.0, 2.0, 3.0]}, "DEBUG_MODE")
    # Nobody sees the one while the other is changed.
    assert evaluate(last * 2, {x: [1.0, 2.0]}, "DEBUG_MODE").tolist() == [4.0]
    found = evaluate([first, last], {x: [1.0, 2.0]}, "DebugMode")
    assert [v.tolist() for v in found] == [[1.0, 2.0], [2.0]]


def test_the_optimizer_of_a_user_that_is_to_blame():
    @theano.gof.local_optimizer([T.add])
    def insert_wrong_add(node):
        return [T.sub(*node.inputs)] if node.op == T.add else False

    database = theano.gof.EquilibriumDB()
    database.register("insert_wrong_add", insert_wrong_add, "all")
    mode = DebugMode(optimizer=database.query("+all"))
    with pytest.raises(BadOptimization) as caught:
        evaluate(x + y, {x: [1.0, 2.0], y: [3.0, 4.0]}, mode)
    assert str(caught.value.reason) == "insert_wrong_add"


def test_settings_of_a_mode_by_name_count_for_functions_that_are_there():
    mode = theano.compile.mode.predefined_modes["DEBUG_MODE"]
    f = theano.function([x], x + 2, mode="DEBUG_MODE")
    with pytest.raises(InvalidValueError):
        f([np.inf])
    mode.check_isfinite = False
    try:
        assert f([np.inf]).tolist() == [np.inf]
    finally:
        mode.check_isfinite = True


def test_small_things_that_programs_look_at():
    one = theano.shared(np.ones((1, 1)), broadcastable=(True, True)).shape[0]
    assert T.get_scalar_constant_value(T.ScalarFromTensor()(one)) == 1
    assert T.TensorType.filter_checks_isfinite is False
    f = theano.function([], [])
    f._check_for_aliased_inputs = False
    assert f() == []
    assert T.arange(3).owner.op is T.arange(5).owner.op is not T.arange(3.0).owner.op
    cast = T.basic._convert_to_int32
    assert cast.scalar_op.output_types_preference.spec[0].dtype == "int32"
    draw = T.raw_random.RandomFunction("uniform", T.dvector, inplace=True)
    assert draw.destroy_map == {0: [0]}
    with pytest.raises(T.AsTensorError, match="Cannot convert"):
        T.as_tensor_variable([[1, 2], [3]])


def test_what_pymc3_asks_for():
    # It walks over arrays of variables that NumPy makes, and compares those of shapes.
    assert T.TensorType("float64", np.atleast_1d(m.shape) == 1) == T.dvector
    assert list(np.atleast_1d(x)) == [x] and np.atleast_2d(x).shape == (1, 1)
    assert [len(v) for v in np.atleast_1d(x, [1, 2])] == [1, 2]
    found = theano.sparse.basic.as_sparse(scipy.sparse.eye(2, format="csr"), name="eye")
    assert (found.name, found.format) == ("eye", "csr")


def test_a_product_without_a_sparse_operand():
    for one, other in ((m, m), (np.eye(2), m)):
        with pytest.raises(TypeError, match="needs a sparse operand"):
            theano.sparse.dot(one, other)


@pytest.mark.parametrize("mode", [None, "FAST_COMPILE", DEFINITION])
def test_lengths_of_one_do_not_hide_that_elements_are_missing(mode):
    # Theano 1.0.5 lets it pass: docs/compat.md tells.
    f = theano.function([x], x.reshape((1, 3)), mode=mode)
    assert f([1, 2, 3]).tolist() == [[1, 2, 3]]
    with pytest.raises(ValueError, match=r"size 2 into shape \(1, ?3\)"):
        f([1, 2])


def test_lengths_of_joined_arrays_are_those_of_the_first():
    # Nothing checks the others where only the shape is asked for; Theano's documentation shows it.
    known = T.join(0, m, T.ones((2, 7))).shape[1]
    outs = [T.join(0, m, n).shape, T.join(0, n, m).shape, known]
    found = evaluate(outs, {m: np.ones((5, 4)), n: np.ones((3, 3))})
    assert [v.tolist() for v in found] == [[8, 4], [8, 3], 7]


def test_lengths_of_images_that_are_no_constants_are_a_value_error():
    images, n = T.ftensor4(), T.lscalar()
    for shape in ((3, 5, n, 1), images.shape, [n] * 4, (1, 2, 3), (1, 2, 3, 4.5)):
        with pytest.raises(ValueError, match="imshp should be None or"):
            T.nnet.conv2d(images, images, input_shape=shape)
        with pytest.raises(ValueError, match="kshp should be None or"):
            abstract_conv.AbstractConv2d(kshp=shape)
    for shapes in (((3, 5, n, 1), None), (None, (3, 5, 1, n))):
        with pytest.raises(T.NotScalarConstantError):
            conv.conv2d(images, images, *shapes)
    known = (3, None, T.constant(2) * 3, 4)
    assert conv.conv2d(images, images, known).owner.op.imshp == (3, None, 6, 4)
