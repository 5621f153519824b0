"""What Theano 1.0.5's own tests ask of values, dtypes, errors and public names."""

import pickle

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.gof.fg import InconsistencyError
from theano.tensor import blas, inplace


def test_functions_in_place_keep_the_dtype_of_what_they_overwrite():
    x, y = T.lmatrix("x"), T.dmatrix("y")
    f = theano.function([x, y], inplace.add_inplace(x, y), accept_inplace=True)
    array = np.array([[1, 2]])
    found = f(array, np.array([[0.6, 1.6]]))
    assert found.dtype == np.int64 and found.tolist() == array.tolist() == [[1, 3]]
    assert inplace.exp_inplace(T.iscalar()).dtype == "int32"
    with pytest.raises(ValueError, match="inplace on an input with broadcasted dimensions"):
        inplace.add_inplace(T.drow(), y)


def test_linkers_overwrite_what_operations_say():
    x, y = T.dmatrices("xy")
    add = T.Elemwise(theano.scalar.Add(theano.scalar.transfer_type(0)), {0: 0})
    for linker in (theano.gof.PerformLinker(), theano.gof.CLinker()):
        f = linker.accept(theano.gof.FunctionGraph([x, y], [add(x, y)])).make_function()
        array = np.ones((2, 2))
        f(array, np.ones((2, 2)))
        assert (array == 2).all()


def test_gradient_method_takes_as_many_operands_as_the_operation():
    x, y, z, g = T.dvectors("x", "y", "z", "g")
    found = theano.function([x, y, z, g], T.mul.grad([x, y, z], [g]))([2.0], [3.0], [5.0], [1.0])
    assert [v.tolist() for v in found] == [[15.0], [10.0], [6.0]]


def test_mean_over_no_axis_of_integers_is_double():
    assert T.bmatrix().mean(axis=[], dtype="uint8").dtype == "float64"
    assert T.fmatrix().mean(axis=[]).dtype == "float32"


def test_products_in_place_write_into_shared_variables():
    z = theano.shared(np.ones((2, 2)))
    x = theano.shared(np.full((2, 2), 2.0))
    one = T.constant(np.float64(1))
    f = theano.function([], blas.gemm_inplace(z, one, x, x, one), accept_inplace=True)
    assert f().tolist() == z.get_value().tolist() == [[9.0, 9.0], [9.0, 9.0]]
    assert f().tolist() == z.get_value().tolist() == [[17.0, 17.0], [17.0, 17.0]]


@pytest.mark.parametrize(
    ("values", "error", "text"),
    [
        (([1.0], 1.0, [1.0], [1.0], 1.0), TypeError, "E_rank"),
        ((np.ones((1, 1)), [1.0], np.ones((1, 1)), np.ones((1, 1)), 1.0), TypeError, "E_scalar"),
        ((T.fmatrix(), 1.0, T.dmatrix(), T.dmatrix(), 1.0), TypeError, "E_mixed"),
        ((T.imatrix(), 1, T.imatrix(), T.imatrix(), 1), TypeError, "E_float"),
    ],
)
def test_products_refuse_operands(values, error, text):
    with pytest.raises(error) as caught:
        blas.gemm_no_inplace(*values)
    assert caught.value.args[0] is getattr(blas.Gemm, text)


def test_products_in_place_refuse_aliases():
    z, x = T.dmatrices("z", "x")
    for one, two in ((z, x), (x, z.T), (z.T, x)):
        with pytest.raises(InconsistencyError) as caught:
            blas.gemm_inplace(z, 1.0, one, two, 1.0)
        assert caught.value.args[0] is blas.Gemm.E_z_uniq
    with pytest.raises(TypeError):
        blas.ger(T.dmatrix(), T.fscalar(), T.fvector(), T.fvector())
    assert blas.Ger(True) == blas.ger_destructive != blas.ger
    assert hash(blas.Ger(True)) == hash(blas.ger_destructive)


def test_forward_mode_knows_what_reaches_an_output():
    x, v, m = T.dvector("x"), T.dvector("v"), T.dmatrix("m")
    for out in (T.argmax(m, axis=1), theano.gradient.disconnected_grad(m).reshape((6,))):
        with pytest.raises(ValueError, match="depends on none"):
            T.Rop(out, x, v)
    assert T.Rop(m.sum(0), x, v).eval({m: np.ones((2, 3))}).tolist() == [0, 0, 0]


def test_normalized_batch_with_statistics_as_constants():
    x, scale, bias, dy, dx = (T.dmatrix(name) for name in ("x", "scale", "bias", "dy", "dx"))
    out, mean, invstd = T.nnet.bn.batch_normalization_train(x, scale, bias, "per-activation")
    assert isinstance(out.owner.op, T.nnet.bn.AbstractBatchNormTrain)
    first = T.grad(None, wrt=[x, scale, bias], known_grads={out: dy})
    second = T.grad(None, wrt=x, known_grads={first[0]: dx}, consider_constant=[mean, invstd])
    rng = np.random.RandomState(3)
    values = [rng.uniform(1, 2, shape) for shape in ((4, 3), (1, 3), (1, 3), (4, 3), (4, 3))]
    given = [x, scale, bias, dy, dx]
    got, m, s, g = theano.function(given, [second, mean, invstd, *first[:1]])(*values)
    xv, gamma, _, dyv, dxv = values
    c = gamma * (dxv - dxv.mean(0))
    wanted = -(s**3) * (c * (dyv * (xv - m)).mean(0) + dyv * (c * (xv - m)).mean(0))
    np.testing.assert_allclose(got, wanted)
    # The gradients themselves, by the operation that made them in Theano 1.0.5.
    grads = T.nnet.bn.AbstractBatchNormTrainGrad((0,))(x, dy, scale, mean, invstd)
    np.testing.assert_allclose(theano.function(given[:4], grads[0])(*values[:4]), g)


def test_layers_as_operations():
    from theano.tensor.nnet import blocksparse, neighbours

    images = T.dtensor4("images")
    rows = neighbours.images2neibs(images, (1, 2), mode="ignore_borders")
    assert isinstance(rows.owner.op, neighbours.Images2Neibs)
    assert rows.owner.op.mode == "ignore_borders"
    array = np.arange(12.0).reshape((1, 1, 3, 4))
    again = neighbours.Images2Neibs("ignore_borders")(images, (1, 2))
    for out in (rows, again):
        np.testing.assert_array_equal(out.eval({images: array}), array.reshape((6, 2)))
    small = neighbours.images2neibs(images, (3, 5), mode="wrap_centered")
    with pytest.raises(TypeError, match="cannot be smaller than patches"):
        small.eval({images: array})

    rng = np.random.RandomState(3)
    o, w, h = rng.rand(2, 1, 2), rng.rand(3, 2, 4, 2), rng.rand(2, 2, 4)
    one, two = np.array([[0, 2], [1, 1]]), np.array([[1], [0]])
    out = blocksparse.sparse_block_gemv(o, w, h, one, two)
    assert isinstance(out.owner.op, blocksparse.SparseBlockGemv)
    wanted = o.copy()
    for b in range(2):
        for i in range(2):
            wanted[b, 0] += h[b, i] @ w[one[b, i], two[b, 0]]
    np.testing.assert_allclose(out.eval(), wanted)
    out = blocksparse.sparse_block_outer(w, h, o, one, two)
    assert isinstance(out.owner.op, blocksparse.SparseBlockOuter)
    wanted = w.copy()
    for b in range(2):
        for i in range(2):
            wanted[one[b, i], two[b, 0]] += np.outer(h[b, i], o[b, 0])
    np.testing.assert_allclose(out.eval(), wanted)
    with pytest.raises(TypeError, match="W must have 4 axes"):
        blocksparse.sparse_block_gemv(o, o, h, one, two)


def test_a_mode_of_a_loop_looks_at_its_steps():
    a, k, seen = T.dvector("a"), T.iscalar("k"), []

    def note(i, node, fn):
        seen.extend(value[0].copy() for value in fn.outputs)

    rows, _ = theano.scan(
        lambda before, a: before * a,
        outputs_info=T.ones_like(a),
        non_sequences=a,
        n_steps=k,
        mode=theano.compile.MonitorMode(post_func=note),
    )
    assert theano.function([a, k], rows[-1])([2.0, 3.0], 4).tolist() == [16.0, 81.0]
    assert [value.tolist() for value in seen] == [[2, 3], [4, 9], [8, 27], [16, 81]]
    gradient = theano.function([a, k], T.grad(rows[-1].sum(), a))
    assert gradient([2.0, 3.0], 4).tolist() == [32.0, 108.0]
    guarded, _ = theano.scan(
        lambda before: T.log(before),
        outputs_info=a,
        n_steps=3,
        mode=theano.compile.NanGuardMode(True, True, True),
    )
    f = theano.function([a], guarded)
    with pytest.raises(AssertionError, match=r"NaN detected(.|\n)*log"):
        f([2.0, 3.0])


def test_gradient_methods_return_what_is_not_defined():
    x = T.dvector("x")
    found = T.jv.grad([x, x], [x])
    assert isinstance(found[0].type, theano.gradient.NullType) and found[1].dtype == "float64"


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
    x = T.dmatrix("x")
    seen = (x, T.constant(1), x.type, (x + 1).owner, theano.shared(1.0), theano.shared([1, 2]))
    names = [f"{type(v).__module__}.{type(v).__name__}" for v in seen]
    assert names == [
        "theano.tensor.var.TensorVariable",
        "theano.tensor.var.TensorConstant",
        "theano.tensor.type.TensorType",
        "theano.gof.graph.Apply",
        "theano.tensor.sharedvar.ScalarSharedVariable",
        "theano.compile.sharedvalue.SharedVariable",
    ]
    assert str(type(x)) == "<class 'theano.tensor.var.TensorVariable'>"
    stored = pickle.dumps([x, x + 1, theano.shared(np.ones(2)), theano.gof.FunctionGraph([x], [x])])
    for name in (b"theano.tensor.var", b"theano.tensor.type", b"theano.tensor.sharedvar"):
        assert name in stored
    for private in (b"api.variable", b"ir.types"):
        assert private not in stored
    again = pickle.loads(stored)
    assert again[1].eval({again[0]: np.ones((1, 1))}).tolist() == [[2.0]]
    assert again[2].get_value().tolist() == [1.0, 1.0]


def test_names_for_two_pythons():
    from theano.compat import six
    from theano.compat.six import iteritems, reraise
    from theano.compat.six.moves import StringIO, reduce, xrange

    assert six.PY3 and list(iteritems({1: 2})) == [(1, 2)] and six.moves.xrange is xrange is range
    assert reduce(lambda a, b: a + b, xrange(4)) == 6 and StringIO("a").read() == "a"
    with pytest.raises(ValueError, match="again"):
        reraise(ValueError, ValueError("again"))
    assert type(six.with_metaclass(type, object)) is type

    @six.add_metaclass(type)
    class Made:
        pass

    assert Made.__name__ == "Made"


def test_outputs_of_users_operations_that_share_memory():
    class Parts(theano.Op):
        __props__ = ()

        def make_node(self, a):
            return theano.gof.Apply(self, [a], [a.type(), a.type()])

        def perform(self, node, inputs, outputs):
            whole = inputs[0] * 1
            outputs[0][0], outputs[1][0] = whole[:-1], whole[1:]

    x = T.dvector("x")
    first, last = Parts()(x)
    f = theano.function([x], first * 2 + last * 2, mode="DEBUG_MODE")
    with pytest.raises(theano.compile.debugmode.BadViewMap, match=r"output 0 of .* its output 1"):
        f([1.0, 2.0, 3.0])
    # Nobody sees the one while the other is changed.
    assert theano.function([x], last * 2, mode="DEBUG_MODE")([1.0, 2.0]).tolist() == [4.0]


def test_settings_that_tests_change():
    assert T.TensorType.filter_checks_isfinite is False
    f = theano.function([], [])
    f._check_for_aliased_inputs = False
    assert f() == []


def test_the_optimizer_of_a_user_that_is_to_blame():
    @theano.gof.local_optimizer([T.add])
    def insert_wrong_add(node):
        return [T.sub(*node.inputs)] if node.op == T.add else False

    database = theano.gof.EquilibriumDB()
    database.register("insert_wrong_add", insert_wrong_add, "all")
    x, y = T.dvectors("xy")
    mode = theano.compile.debugmode.DebugMode(optimizer=database.query("+all"))
    f = theano.function([x, y], x + y, mode=mode)
    with pytest.raises(theano.compile.debugmode.BadOptimization) as caught:
        f([1.0, 2.0], [3.0, 4.0])
    assert str(caught.value.reason) == "insert_wrong_add"


def test_results_of_a_function_may_share_memory_under_debug_mode():
    class Both(theano.Op):
        def make_node(self, a):
            return theano.Apply(self, [a], [a.type(), a.type()])

        def perform(self, node, inputs, outputs, params=None):
            outputs[0][0] = inputs[0] * 2
            outputs[1][0] = outputs[0][0][1:]

    x = T.dvector("x")
    f = theano.function([x], Both()(x), mode="DebugMode")
    assert [v.tolist() for v in f([1.0, 2.0])] == [[2.0, 4.0], [4.0]]
    one, two = Both()(x)
    f = theano.function([x], [one + 1, two + 1], mode="DebugMode")
    with pytest.raises(theano.compile.debugmode.BadViewMap):
        f([1.0, 2.0])


def test_settings_of_a_mode_by_name_count_for_functions_that_are_there():
    mode = theano.compile.mode.predefined_modes["DEBUG_MODE"]
    x = T.dvector("x")
    f = theano.function([x], x + 2, mode="DEBUG_MODE")
    with pytest.raises(theano.compile.debugmode.InvalidValueError):
        f([np.inf])
    mode.check_isfinite = False
    try:
        assert f([np.inf]).tolist() == [np.inf]
    finally:
        mode.check_isfinite = True


def test_numbers_behind_scalars_are_known():
    one = theano.shared(np.ones((1, 1)), broadcastable=(True, True)).shape[0]
    assert T.get_scalar_constant_value(T.ScalarFromTensor()(one)) == 1


def test_small_things_that_programs_look_at():
    assert T.arange(3).owner.op is T.arange(5).owner.op is not T.arange(3.0).owner.op
    cast = T.basic._convert_to_int32
    assert cast.scalar_op.output_types_preference.spec[0].dtype == "int32"
    draw = T.raw_random.RandomFunction("uniform", T.dvector, inplace=True)
    assert draw.destroy_map == {0: [0]}
    with pytest.raises(T.AsTensorError, match="Cannot convert"):
        T.as_tensor_variable([[1, 2], [3]])


def test_what_pymc3_asks_for():
    import scipy.sparse

    # It walks over arrays of variables that NumPy makes, and compares those of shapes.
    shape, x = T.dmatrix().shape, T.dvector("x")
    assert T.TensorType("float64", np.atleast_1d(shape) == 1) == T.dvector
    assert list(np.atleast_1d(x)) == [x] and np.atleast_2d(x).shape == (1, 1)
    assert [len(v) for v in np.atleast_1d(x, [1, 2])] == [1, 2]
    found = theano.sparse.basic.as_sparse(scipy.sparse.eye(2, format="csr"), name="eye")
    assert (found.name, found.format) == ("eye", "csr")


def test_a_product_without_a_sparse_operand():
    d = T.dmatrix("d")
    with pytest.raises(TypeError, match="needs a sparse operand"):
        theano.sparse.dot(d, d)
    with pytest.raises(TypeError, match="needs a sparse operand"):
        theano.sparse.dot(np.eye(2), d)


@pytest.mark.parametrize("mode", [None, "FAST_COMPILE", theano.Mode("py", None)])
def test_lengths_of_one_do_not_hide_that_items_are_missing(mode):
    # Theano 1.0.5 lets it pass: docs/compat.md tells.
    x = T.dvector("x")
    f = theano.function([x], x.reshape((1, 3)), mode=mode)
    assert f([1, 2, 3]).tolist() == [[1, 2, 3]]
    with pytest.raises(ValueError, match=r"size 2 into shape \(1, ?3\)"):
        f([1, 2])


def test_lengths_of_joined_arrays_are_those_of_the_first():
    # Nothing checks the others where only the shape is asked for; Theano's documentation shows it.
    x, y = T.dmatrices("xy")
    for first, second, wanted in ((x, y, [8, 4]), (y, x, [8, 3])):
        f = theano.function([x, y], T.join(0, first, second).shape)
        assert f(np.ones((5, 4)), np.ones((3, 3))).tolist() == wanted
    known = T.join(0, x, T.ones((2, 7))).shape[1]
    assert theano.function([x], known, on_unused_input="ignore")(np.ones((5, 4))) == 7


def test_lengths_of_images_that_are_no_constants_are_a_value_error():
    images, n = T.ftensor4(), T.lscalar()
    for shape in ((3, 5, n, 1), images.shape, [n] * 4, (1, 2, 3), (1, 2, 3, 4.5)):
        with pytest.raises(ValueError, match="imshp should be None or"):
            T.nnet.conv2d(images, images, input_shape=shape)
        with pytest.raises(ValueError, match="kshp should be None or"):
            T.nnet.abstract_conv.AbstractConv2d(kshp=shape)
    for shapes in (((3, 5, n, 1), None), (None, (3, 5, 1, n))):
        with pytest.raises(T.NotScalarConstantError):
            T.nnet.conv.conv2d(images, images, *shapes)
    known = (3, None, T.constant(2) * 3, 4)
    assert T.nnet.conv.conv2d(images, images, known).owner.op.imshp == (3, None, 6, 4)


def test_the_linker_of_a_function_has_its_graph():
    x = T.dvector("x")
    linker = theano.gof.OpWiseCLinker()
    f, g = (theano.function([x], T.exp(x) + k, mode=theano.Mode(linker, None)) for k in (1, 2))
    assert f.maker.linker is linker is not g.maker.linker
    for function in (f, g):
        assert function.maker.linker.fgraph is function.maker.fgraph
        assert function.maker.linker.make_all()[-1] == function.maker.fgraph.toposort()
    # Others may have had the one that has a name take their graphs.
    mode = theano.Mode("vm", None)
    before = mode.linker.fgraph
    named = theano.function([x], x, mode=mode)
    assert named.maker.linker.fgraph is named.maker.fgraph and mode.linker.fgraph is before


def test_what_copyreg_asks_of_a_function():
    x = T.dvector("x")
    make, arguments = theano.compile.function_module._pickle_Function(theano.function([x], x * 2))
    assert make(*arguments)([3.0]) == 6
