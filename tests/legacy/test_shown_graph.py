"""`f.maker.fgraph`: what a function computes, in the operations that Theano 1.0.5 had."""

import numpy as np
import pytest
import scipy.sparse

import theano
import theano.tensor as T
from theano import sparse
from theano.compile.ops import DeepCopyOp, deep_copy_op
from theano.tensor import blas
from theano.tensor.basic import Join
from theano.tensor.extra_ops import DiffOp, RepeatOp
from theano.tensor.fourier import Fourier
from theano.tensor.nnet import corr, corr3d
from theano.tensor.nnet.conv import ConvOp
from theano.tensor.nnet.neighbours import Images2Neibs, images2neibs
from theano.tensor.nnet.nnet import (
    CrossentropyCategorical1HotGrad,
    LogSoftmax,
    Softmax,
    SoftmaxWithBias,
)
from theano.tensor.sort import TopKOp


def ops(f):
    return [node.op for node in f.maker.fgraph.toposort()]


def holds(f, cls):
    return any(isinstance(op, cls) for op in ops(f))


def checked(inputs, out, values, cls):
    """Check that a function shows an operation, that of lengths does not, and both compute."""
    f = theano.function(inputs, out)
    assert holds(f, cls)
    shape = theano.function(inputs, out.shape)
    assert not holds(shape, cls)
    result = f(*values)
    np.testing.assert_array_equal(shape(*values), result.shape)
    # The graph that is shown computes the same.
    again = theano.function(f.maker.fgraph.inputs, f.maker.fgraph.outputs[0])
    if isinstance(result, np.ndarray):
        np.testing.assert_array_equal(again(*values), result)


def test_expressions_of_the_engine_are_shown_as_one_operation():
    x, t = T.dmatrix("x"), T.dtensor4("t")
    values = np.arange(6.0).reshape(2, 3)
    checked([x], T.nnet.softmax(x), [values], Softmax)
    images = np.arange(16.0).reshape(1, 1, 4, 4)
    checked([t], images2neibs(t, (2, 2)), [images], Images2Neibs)


@pytest.mark.parametrize(
    "op, arguments",
    [
        (DiffOp(1, 0), [np.arange(6.0).reshape(2, 3)]),
        (RepeatOp(0), [np.arange(6.0).reshape(2, 3), np.array([2, 1])]),
        (SoftmaxWithBias(), [np.arange(6.0).reshape(2, 3), np.array([1.0, 2, 3])]),
        (
            CrossentropyCategorical1HotGrad(),
            [np.ones(2), np.full((2, 3), 1 / 3.0), np.array([2, 0])],
        ),
    ],
    ids=lambda value: str(value) if not isinstance(value, list) else "",
)
def test_expressions_of_old_operations_are_shown_as_one(op, arguments):
    inputs = [T.TensorType(str(v.dtype), [False] * v.ndim)() for v in arguments]
    out = op(*inputs)
    assert isinstance(out.owner.op, type(op))
    assert out.owner.op == op
    assert hash(out.owner.op) == hash(op)
    assert out.owner.inputs == inputs
    checked(inputs, out, arguments, type(op))


def test_operations_of_old_graphs_have_their_options_and_derivatives():
    x = T.dmatrix("x")
    out = DiffOp(2, 0)(x)
    assert (out.owner.op.n, out.owner.op.axis) == (2, 0)
    values = np.arange(8.0).reshape(4, 2) ** 2
    np.testing.assert_array_equal(out.eval({x: values}), np.diff(values, 2, 0))
    T.verify_grad(lambda v: DiffOp(1, 1)(v), [values], rng=np.random.RandomState(1))
    row = T.drow("row")
    # The same operation of another type is made anew.
    copy = theano.clone(DiffOp(1, 1)(x), {x: row}, strict=False)
    assert copy.owner.op == DiffOp(1, 1)
    np.testing.assert_array_equal(copy.eval({row: [[1.0, 4, 9]]}), [[3.0, 5]])


def test_sparse_operations_are_shown_as_written():
    x = sparse.csr_matrix("x", "float64")
    value = scipy.sparse.csr_matrix(np.diag([1.0, 2, 3])[:, :2])
    f = theano.function([x], sparse.structured_sigmoid(-x))
    assert holds(f, sparse.Neg)
    checked([x], sparse.sp_sum(x, 1), [value], sparse.SpSum)


def test_graphs_as_operations_are_shown_closed_unless_they_are_inline():
    a, b = T.dvectors("a", "b")
    for inline in (False, True):
        op = theano.OpFromGraph([a, b], [a * b + 1], inline=inline)
        x = T.dvector("x")
        f = theano.function([x], op(x, 2 * x))
        assert holds(f, theano.OpFromGraph) is not inline
        np.testing.assert_array_equal(f([3.0]), [19.0])


def test_results_that_are_inputs_are_shown_as_copies():
    x = T.dmatrix("x")
    s = theano.shared(np.ones(2))
    assert ops(theano.function([x], x)) == [deep_copy_op]
    assert ops(theano.function([x], x + 0)) == [deep_copy_op]
    assert ops(theano.function([], s)) == [deep_copy_op]
    assert ops(theano.function([], T.constant(2.0))) == [deep_copy_op]
    assert ops(theano.function([x], T.tensor_copy(x))) == [deep_copy_op]
    assert ops(theano.function([x], T.exp(T.tensor_copy(T.tanh(x))))) == [T.tanh, T.exp]
    twice = theano.function([x], [x * 2, x * 2])
    assert len(ops(twice)) == 2
    assert isinstance(ops(twice)[-1], DeepCopyOp)
    one, two = twice([[1.0]])
    assert not np.may_share_memory(one, two)
    turned = theano.function([x], x.T)
    assert isinstance(ops(turned)[-1], DeepCopyOp)
    value = np.ones((2, 3))
    assert not np.may_share_memory(turned(value), value)
    assert len(ops(theano.function([x], x * 2))) == 1
    # A new value of a shared variable is no result.
    assert ops(theano.function([], [], updates=[(s, s)])) == []


def test_conversions_that_undo_each_other_are_not_shown():
    s, i = T.bscalar(), theano.scalar.int8()
    out = T.tensor_from_scalar(T.scalar_from_tensor(s))
    assert ops(theano.function([s], out)) == [deep_copy_op]
    assert ops(theano.function([s], -out)) == [T.neg]
    assert ops(theano.function([i], T.scalar_from_tensor(T.tensor_from_scalar(i)))) == [
        deep_copy_op
    ]


def test_what_is_printed_is_what_is_computed():
    x = T.dmatrix("x")
    f = theano.function([x], T.nnet.softmax(x))
    assert "Softmax" not in theano.printing.debugprint(f, file="str")
    assert f.maker.fgraph is f.maker.fgraph


def test_convolutions_are_of_the_kinds_that_compute_them():
    images, kernels = T.tensor4(), T.tensor4()
    out = T.nnet.conv2d(images, kernels)
    loss = [out, *T.grad(out.sum(), [images, kernels])]
    f = theano.function([images, kernels], loss)
    kinds = corr.CorrMM, corr.CorrMM_gradInputs, corr.CorrMM_gradWeights
    for kind in kinds:
        (op,) = [op for op in ops(f) if isinstance(op, kind)]
        assert isinstance(op, corr.BaseCorrMM)
        assert [isinstance(op, each) for each in kinds] == [each is kind for each in kinds]
        assert not isinstance(op, (corr3d.BaseCorr3dMM, corr3d.Corr3dMM))
    assert isinstance(corr.CorrMM(), corr.CorrMM)
    assert not isinstance(corr.CorrMM(), corr.CorrMM_gradInputs)
    assert isinstance(out.owner.op, ConvOp)
    assert not isinstance(T.exp(images).owner.op, (*kinds, ConvOp))
    spatial = T.nnet.conv3d(T.tensor5(), T.tensor5())
    assert isinstance(spatial.owner.op, corr3d.Corr3dMM)
    assert not isinstance(spatial.owner.op, (*kinds, ConvOp))


def test_operations_of_several_parts_are_made_as_the_engine_makes_them():
    x = T.dvector("x")
    both = TopKOp()(x, 2)
    assert [out.type.dtype for out in both] == ["float64", "int64"]
    values = TopKOp(return_indices=False)(x, 2)
    assert sorted(values.eval({x: [3.0, 1, 2]})) == [2, 3]
    checked([x], Fourier()(x, 4, 0), [np.arange(3.0)], Fourier)
    # One operand alone is what is joined.
    assert Join()(0, x) is x


def test_a_mode_that_asks_for_arrays_of_sparse_matrices_shows_them():
    x, y = sparse.csr_matrix("x", "float64"), T.dmatrix("y")
    mode = theano.compile.get_default_mode()
    assert holds(theano.function([x, y], sparse.mul(x, y), mode=mode), sparse.MulSD)
    mode = mode.including("local_mul_s_d")
    assert not holds(theano.function([x, y], sparse.mul(x, y), mode=mode), sparse.MulSD)


def of_blas(f, op):
    """Tell whether a function shows a product by a name, and no other; it is compiled once more."""
    graph = f.maker.fgraph
    assert not holds(f, T.Dot)
    again = theano.function(
        graph.inputs, graph.outputs, on_unused_input="ignore", accept_inplace=True
    )
    values = [np.full((2,) * v.type.ndim, 2.0 + i) for i, v in enumerate(graph.inputs)]
    np.testing.assert_allclose(again(*values)[0], f(*values), rtol=1e-12)
    return [str(node) for node in ops(f) if node == op] == [str(op)]


def test_products_have_the_names_of_blas():
    a, b, x, y, s, t = T.dmatrix(), T.dmatrix(), T.dvector(), T.dvector(), T.dscalar(), T.dscalar()
    for inputs, out in (([a, x], T.dot(a, x)), ([x, a], T.dot(x, a)), ([x, y], T.dot(x, y))):
        assert of_blas(theano.function(inputs, out), blas.gemv_inplace)
    for inputs, out in (
        ([s, a, x, t, y], s * T.dot(a, x) + t * y),
        ([y, a, x], y + T.dot(a.T, x)),
        ([y, a, x], y + T.dot(x, a)),
    ):
        f = theano.function(inputs, out)
        assert of_blas(f, blas.gemv_no_inplace)
        assert not hasattr(ops(f)[-1], "destroy_map")
    assert of_blas(theano.function([x, y], T.outer(x, y)), blas.ger_destructive)
    assert of_blas(theano.function([a, x, y], a + 0.1 * T.outer(x, y)), blas.ger)
    assert of_blas(theano.function([s, a, b], s * T.dot(a, b)), blas._dot22scalar)
    # What is scaled, too, is a sum of a matrix and a product.
    assert holds(theano.function([a, x, y], 0.2 * a + 0.1 * T.outer(x, y)), blas.Gemm)
    # A product that something else needs is not scaled on the way.
    both = theano.function([s, a, b], [s * T.dot(a, b), T.dot(a, b)])
    assert blas._dot22scalar not in ops(both)


def test_products_that_overwrite_are_shown_so():
    m, x = T.dmatrix(), T.dvector()
    s = theano.shared(np.ones(2))
    f = theano.function([m, x], [], updates=[(s, s + T.dot(m, x))])
    (op,) = ops(f)
    assert op == blas.gemv_inplace != blas.gemv_no_inplace
    assert op.inplace is True and op.destroy_map == {0: [0]}
    f([[1.0, 2], [3, 4]], [1.0, 1])
    np.testing.assert_array_equal(s.get_value(), [4.0, 8])
    # The old value is asked for besides.
    f = theano.function([m, x], s * 2, updates=[(s, s + T.dot(m, x))])
    assert blas.gemv_no_inplace in ops(f)


def test_products_of_integers_and_of_modes_without_blas_keep_their_name():
    m, x = T.lmatrix(), T.lvector()
    assert holds(theano.function([m, x], T.dot(m, x)), T.Dot)
    m, x = T.dmatrix(), T.dvector()
    assert holds(theano.function([m, x], T.dot(m, x), mode="FAST_COMPILE"), T.Dot)


def test_results_that_are_written_into_arguments_are_shown_so():
    a, b, c = T.dmatrices("abc")
    f = theano.function([theano.In(a, mutable=True), b, c], a + T.dot(b, c))
    (op,) = ops(f)
    assert op == blas.gemm_inplace != blas.gemm_no_inplace
    assert blas.gemm_inplace == op and blas.gemm_no_inplace != op
    (op,) = ops(theano.function([a, b, c], a + T.dot(b, c)))
    assert op == blas.gemm_no_inplace != blas.gemm_inplace
    f = theano.function([theano.In(a, mutable=True), b], a * b)
    (op,) = ops(f)
    assert op.destroy_map == {0: [0]} and op.inplace_pattern == {0: 0} and op == T.mul
    value = np.full((2, 2), 3.0)
    result = f(value, np.full((2, 2), 2.0))
    np.testing.assert_array_equal(value, np.full((2, 2), 6.0))
    np.testing.assert_array_equal(result, value)
    assert ops(theano.function([a, b], a * b))[0].destroy_map == {}


def test_updates_are_shown_in_place():
    s = theano.shared(np.ones(3))
    (op,) = ops(theano.function([], [], updates=[(s, 1 + s)]))
    assert op.inplace_pattern == {0: op.destroy_map[0][0]}
    for new in (T.inc_subtensor(s[1:], 1), T.set_subtensor(s[[0, 2]], 1)):
        (op,) = ops(theano.function([], [], updates=[(s, new)]))
        assert op.inplace and op.destroy_map == {0: [0]}
        (op,) = ops(theano.function([], new))
        assert not op.inplace and not hasattr(op, "destroy_map")
    # The old value is a result, too.
    *_, op = ops(theano.function([], s + 2, updates=[(s, s + 1)]))
    assert not getattr(op, "inplace_pattern", None)
    mode = theano.compile.get_default_mode().excluding("inplace")
    (op,) = ops(theano.function([], [], updates=[(s, s + 1)], mode=mode))
    assert op.inplace_pattern == {}


def test_products_of_matrices_are_none_of_dot():
    a, b, s = T.dmatrix(), T.dmatrix(), T.fmatrix()
    out = T.dot(a, b)
    assert isinstance(out.owner.op, T.Dot) and not isinstance(out.owner.op, blas.Dot22)
    (op,) = ops(theano.function([a, b], out))
    assert isinstance(op, blas.Dot22) and op == blas._dot22 and not isinstance(op, T.Dot)
    checked([a, b], blas._dot22(a, b), [np.ones((2, 3)), np.ones((3, 4))], blas.Dot22)
    with pytest.raises(TypeError, match="float32"):
        blas._dot22(a, s)
    assert holds(theano.function([a, s], T.dot(a, s)), T.Dot)
    assert issubclass(T.nlinalg.Eigh, T.nlinalg.Eig)


def test_the_logarithm_of_softmax_is_shown_as_one_operation():
    x = T.dmatrix()
    f = theano.function([x], T.log(T.nnet.softmax(x)))
    assert holds(f, LogSoftmax) and not holds(f, Softmax)
    f = theano.function([x], [T.log(T.nnet.softmax(x)), T.nnet.softmax(x)])
    assert holds(f, LogSoftmax) and holds(f, Softmax)


def test_nodes_that_are_shown_as_they_are_have_their_times():
    x = T.dvector("x")
    f = theano.function([x], [T.exp(x).sum(), x], profile=True)
    f([1.0, 2.0])
    counts = f.profile.apply_callcount
    assert sum(counts.get(node, 0) for node in f.maker.fgraph.toposort()) > 0


def test_what_is_shown_needs_no_test_values():
    with theano.change_flags(compute_test_value="raise"):
        x = T.dmatrix("x")
        x.tag.test_value = np.ones((2, 2))
        f = theano.function([x], [T.dot(x, x[0]), T.nnet.softmax(x), x])
        assert {str(op) for op in ops(f)} >= {"Gemv{inplace}", "Softmax", "DeepCopyOp"}


def test_batch_normalization_is_shown_written_out():
    """Theano 1.0.5 replaced its abstract operations in every function."""
    x, scale, bias = T.dmatrices("x", "scale", "bias")
    out = T.nnet.bn.batch_normalization_train(x, scale, bias)
    f = theano.function([x, scale, bias], [*out, T.grad(out[0].sum(), x)])
    kinds = T.nnet.bn.AbstractBatchNormTrain, T.nnet.bn.AbstractBatchNormTrainGrad
    assert not holds(f, kinds) and isinstance(out[0].owner.op, kinds[0])


def test_axes_are_shown_moved_once():
    m, v = T.dmatrix("m"), T.dvector("v")
    f = theano.function([m, v], T.dot(v, m.T))
    (gemv,) = (node for node in f.maker.fgraph.toposort() if isinstance(node.op, blas.Gemv))
    assert gemv.inputs[2] is f.maker.fgraph.inputs[0]
    shown = f.maker.fgraph
    again = theano.function(shown.inputs, shown.outputs[0], accept_inplace=True)
    values = np.arange(6.0).reshape(2, 3), np.arange(3.0)
    np.testing.assert_array_equal(again(*values), f(*values))


def test_slices_of_whole_axes_are_not_shown():
    t, i = T.dtensor3("t"), T.lscalar("i")
    f = theano.function([t, i], [t[i, 1:, :], t[:, i, :, None], t[...]])
    shown = f.maker.fgraph
    assert [str(op) for op in ops(f) if "Subtensor" in str(op)] == [
        "Subtensor{int64, int64::}",
        "Subtensor{::, int64}",
    ]
    again = theano.function(shown.inputs, shown.outputs)
    value = np.arange(24.0).reshape(2, 3, 4)
    for one, other in zip(f(value, 1), again(value, 1), strict=True):
        np.testing.assert_array_equal(one, other)


def test_numbers_of_indices_are_inputs():
    """As where users write them: programs read `node.inputs` and `node.op.idx_list` together."""
    x, i = T.dmatrix("x"), T.lscalar("i")
    f = theano.function([x, i], [x[0, 1:i:2] + 1, T.inc_subtensor(x[i:, -1], 2.0)])
    shown = f.maker.fgraph
    read, written = (n for n in shown.toposort() if hasattr(n.op, "idx_list"))
    assert [str(v) for v in read.inputs] == ["x", "Constant{0}", "Constant{1}", "i", "Constant{2}"]
    assert [str(v) for v in written.inputs[2:]] == ["i", "Constant{-1}"]
    assert read.op == x[0, 1:i:2].owner.op
    again = theano.function(shown.inputs, shown.outputs)
    value = np.arange(12.0).reshape(3, 4)
    for one, other in zip(f(value, 2), again(value, 2), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_outer_product_with_itself_asks_for_one_length():
    v = T.dvector("v")
    f = theano.function([v], T.outer(v, v))
    assert sorted(str(op) for op in ops(f)) == ["Alloc", "Ger{destructive}", "Shape_i{0}"]
    np.testing.assert_array_equal(f([1.0, 2.0]), [[1, 2], [2, 4]])


@pytest.mark.parametrize("outs", [0, 1, 2])
@pytest.mark.parametrize("backwards", [False, True])
def test_new_values_come_in_the_order_of_the_inputs(outs, backwards):
    # Programs that look at graphs find by this which output is whose new value.
    v, s = (theano.shared(np.arange(3.0), name=name) for name in "vs")
    x = T.vector("x")
    updates = [(v, s + 1), (s, v * x)][:: -1 if backwards else 1]
    f = theano.function([x], [x + v, v][:outs], updates=updates)
    graph, inputs = f.maker.fgraph, f.maker.expanded_inputs
    kept = [k for k, spec in enumerate(inputs) if spec.update is not None]
    assert graph.update_mapping == {outs + k: place for k, place in enumerate(kept)}
    for out, place in graph.update_mapping.items():
        assert inputs[place].variable.name == graph.inputs[place].name
        names = {u.name for u in theano.gof.graph.inputs([graph.outputs[out]]) if u.name}
        assert names == {"v": {"s"}, "s": {"v", "x"}}[graph.inputs[place].name]
    again = f.copy()
    assert again.maker.fgraph.update_mapping == graph.update_mapping
    f(np.ones(3) * 2)
    assert v.get_value().tolist() == [1, 2, 3] and s.get_value().tolist() == [0, 2, 4]


def test_graphs_of_no_function_have_no_new_values():
    x = T.vector("x")
    assert theano.FunctionGraph([x], [x + 1]).update_mapping is None
    assert theano.function([x], x + 1).maker.fgraph.update_mapping == {}


def test_checks_of_lengths_are_no_operations():
    x, mask = T.lmatrix("x"), T.lmatrix("mask")
    f = theano.function([x, mask], T.switch(mask, x, x))
    assert [node.op for node in f.maker.fgraph.toposort()] == [deep_copy_op]
    assert f([[1]], [[0]]).tolist() == [[1]]
    with pytest.raises(ValueError):
        f([[1, 2]], [[0, 1, 1]])


def test_the_graph_that_is_shown_knows_the_lengths_of_its_variables():
    x = T.dmatrix("x")
    graph = theano.function([x], T.exp(x)[1:].sum(axis=1)).maker.fgraph
    (length,) = graph.shape_feature.shape_of[graph.outputs[0]]
    (leaf,) = graph.inputs
    assert length.eval({leaf: np.ones((4, 2))}) == 3


def test_what_elementwise_operations_repeat_is_not_filled():
    """As `local_elemwise_alloc` left it: loops read what is repeated, and check the lengths."""
    v, x, n = T.dvector("v"), T.dmatrix("x"), T.iscalar("n")
    t = T.dtensor3("t")

    def counts(inputs, out, **options):
        nodes = theano.function(inputs, out, **options).maker.fgraph.toposort()
        kinds = (T.Alloc, T.opt.Assert)
        return tuple(sum(isinstance(node.op, kind) for node in nodes) for kind in kinds)

    assert counts([v, x], T.alloc(v, 2, 2) + x) == (0, 1)
    assert counts([v, x], T.alloc(v, *x.shape) + x) == (0, 0)
    assert counts([v, t], T.alloc(v, 2, 2).dimshuffle(0, 1, "x") + t) == (0, 1)
    lengths = t.shape[0], t.shape[1]
    assert counts([v, t], T.alloc(v, *lengths).dimshuffle(0, 1, "x") + t) == (0, 0)
    assert counts([v, x], T.alloc(v, 5, 5) + T.alloc(x, 5, 5, 5)) == (1, 0)
    assert counts([v, x, n], T.alloc(v, n, n) + T.alloc(x, 5, 5, 5)) == (1, 1)
    assert counts([v], T.exp(T.alloc(v, 2, 2))) == (1, 0)
    assert counts([v, x], T.alloc(v, 2, 2) + x, mode="FAST_COMPILE") == (1, 0)
    mode = theano.compile.get_default_mode().excluding("local_elemwise_alloc")
    assert counts([v, x], T.alloc(v, 2, 2) + x, mode=mode) == (1, 0)
    f = theano.function([v, x], T.alloc(v, 2, 2) + x)
    assert f([1, 2], np.ones((2, 2))).tolist() == [[2, 3], [2, 3]]
    with pytest.raises(ValueError):
        f([1, 2], np.ones((3, 2)))


def test_a_split_into_one_part_is_the_array():
    x, sizes = T.dmatrix("x"), T.ivector("sizes")
    f = theano.function([x, sizes], T.split(x, sizes, 1))
    assert [type(node.op) for node in f.maker.fgraph.toposort()] == [DeepCopyOp]
    assert f([[1.0], [2.0]], [2]).tolist() == [[1.0], [2.0]]
    with pytest.raises(ValueError, match="add up to the length"):
        f([[1.0], [2.0]], [1])
    f = theano.function([x, sizes], T.split(x, sizes, 2))
    assert isinstance(f.maker.fgraph.toposort()[-1].op, T.Split)
