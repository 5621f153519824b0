"""`f.maker.fgraph`: what a function computes, in the operations that Theano 1.0.5 had."""

import numpy as np
import pytest
import scipy.sparse

import theano
import theano.tensor as T
from support.arrays import variables
from theano import sparse
from theano.compile.ops import DeepCopyOp, deep_copy_op
from theano.tensor import blas
from theano.tensor.basic import Join
from theano.tensor.extra_ops import DiffOp, RepeatOp
from theano.tensor.fourier import Fourier
from theano.tensor.nnet import bn, corr, corr3d
from theano.tensor.nnet.conv import ConvOp
from theano.tensor.nnet.neighbours import Images2Neibs, images2neibs
from theano.tensor.nnet.nnet import (
    CrossentropyCategorical1HotGrad,
    LogSoftmax,
    Softmax,
    SoftmaxWithBias,
)
from theano.tensor.sort import TopKOp

a, b, m = T.dmatrices("abm")
v, w = T.dvectors("vw")
s, t = T.dscalars("st")
tensor, i = T.dtensor3("tensor"), T.lscalar("i")
DEFAULT = theano.compile.get_default_mode()
ROWS = np.arange(6.0).reshape(2, 3)
equal = np.testing.assert_array_equal


def ops(f):
    return [node.op for node in f.maker.fgraph.toposort()]


def shown(inputs, out, **options):
    """Return the operations that a function shows."""
    return ops(theano.function(inputs, out, **options))


def holds(found, cls):
    return any(isinstance(op, cls) for op in found)


def again(f, *values):
    """Check that the graph that is shown computes the same; return the results."""
    graph = f.maker.fgraph
    options = {"on_unused_input": "ignore", "accept_inplace": True}
    results = theano.function(graph.inputs, graph.outputs, **options)(*values)
    wanted = f(*values)
    wanted = wanted if isinstance(wanted, list) else [wanted]
    for one, other in zip(results[: len(wanted)], wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    return wanted


def checked(inputs, out, values, cls):
    """Check that a function shows an operation, that of lengths does not, and both compute."""
    f, shape = theano.function(inputs, out), theano.function(inputs, out.shape)
    assert holds(ops(f), cls) and not holds(ops(shape), cls)
    result = f(*values)
    equal(shape(*values), result.shape)
    if isinstance(result, np.ndarray):
        again(f, *values)


# -- operations that are written out here ---------------------------------------------------------


def test_expressions_of_the_engine_are_shown_as_one_operation():
    images, x = T.dtensor4("images"), sparse.csr_matrix("x", "float64")
    value = scipy.sparse.csr_matrix(np.diag([1.0, 2, 3])[:, :2])
    checked([a], T.nnet.softmax(a), [ROWS], Softmax)
    checked([v], Fourier()(v, 4, 0), [np.arange(3.0)], Fourier)
    patches = images2neibs(images, (2, 2))
    checked([images], patches, [np.arange(16.0).reshape(1, 1, 4, 4)], Images2Neibs)
    checked([x], sparse.sp_sum(x, 1), [value], sparse.SpSum)
    assert holds(shown([x], sparse.structured_sigmoid(-x)), sparse.Neg)
    f = theano.function([a], T.nnet.softmax(a))
    assert "Softmax" not in theano.printing.debugprint(f, file="str")
    assert f.maker.fgraph is f.maker.fgraph


@pytest.mark.parametrize(
    ("op", "arguments"),
    [
        (DiffOp(1, 0), [ROWS]),
        (RepeatOp(0), [ROWS, np.array([2, 1])]),
        (SoftmaxWithBias(), [ROWS, np.array([1.0, 2, 3])]),
        (CrossentropyCategorical1HotGrad(), [np.ones(2), ROWS / 3 + 1, np.array([2, 0])]),
    ],
    ids=lambda value: "" if isinstance(value, list) else str(value),
)
def test_expressions_of_old_operations_are_shown_as_one(op, arguments):
    inputs = variables(*arguments)
    out = op(*inputs)
    own = out.owner.op
    assert isinstance(own, type(op)) and own == op and hash(own) == hash(op)
    assert out.owner.inputs == inputs
    checked(inputs, out, arguments, type(op))


def test_operations_of_old_graphs_have_their_options_and_derivatives():
    out, row = DiffOp(2, 0)(a), T.drow("row")
    assert (out.owner.op.n, out.owner.op.axis) == (2, 0)
    values = np.arange(8.0).reshape(4, 2) ** 2
    equal(out.eval({a: values}), np.diff(values, 2, 0))
    T.verify_grad(DiffOp(1, 1), [values], rng=np.random.RandomState(1))
    # The same operation of another type is made anew.
    copy = theano.clone(DiffOp(1, 1)(a), {a: row}, strict=False)
    assert copy.owner.op == DiffOp(1, 1)
    equal(copy.eval({row: [[1.0, 4, 9]]}), [[3.0, 5]])


def test_graphs_as_operations_are_shown_closed_unless_they_are_inline():
    for inline in (False, True):
        op = theano.OpFromGraph([v, w], [v * w + 1], inline=inline)
        f = theano.function([v], op(v, 2 * v))
        assert holds(ops(f), theano.OpFromGraph) is not inline
        equal(f([3.0]), [19.0])


def test_operations_of_several_parts_are_made_as_the_engine_makes_them():
    assert [out.type.dtype for out in TopKOp()(v, 2)] == ["float64", "int64"]
    values = TopKOp(return_indices=False)(v, 2)
    assert sorted(values.eval({v: [3.0, 1, 2]})) == [2, 3]
    # One operand alone is what is joined.
    assert Join()(0, v) is v


def test_a_mode_that_asks_for_arrays_of_sparse_matrices_shows_them():
    x = sparse.csr_matrix("x", "float64")
    for mode, whole in ((DEFAULT, True), (DEFAULT.including("local_mul_s_d"), False)):
        assert holds(shown([x, a], sparse.mul(x, a), mode=mode), sparse.MulSD) is whole


def test_convolutions_are_of_the_kinds_that_compute_them():
    images, kernels = T.tensor4(), T.tensor4()
    out = T.nnet.conv2d(images, kernels)
    found = shown([images, kernels], [out, *T.grad(out.sum(), [images, kernels])])
    kinds = corr.CorrMM, corr.CorrMM_gradInputs, corr.CorrMM_gradWeights
    for kind in kinds:
        (op,) = [op for op in found if isinstance(op, kind)]
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


def test_the_logarithm_of_softmax_is_shown_as_one_operation():
    log, softmax = T.log(T.nnet.softmax(a)), T.nnet.softmax(a)
    found = shown([a], log)
    assert holds(found, LogSoftmax) and not holds(found, Softmax)
    found = shown([a], [log, softmax])
    assert holds(found, LogSoftmax) and holds(found, Softmax)


def test_batch_normalization_is_shown_written_out():
    """Theano 1.0.5 replaced its abstract operations in every function."""
    out = bn.batch_normalization_train(a, b, m)
    found = shown([a, b, m], [*out, T.grad(out[0].sum(), a)])
    kinds = bn.AbstractBatchNormTrain, bn.AbstractBatchNormTrainGrad
    assert not holds(found, kinds) and isinstance(out[0].owner.op, kinds[0])


# -- results --------------------------------------------------------------------------------------


def test_results_that_are_inputs_are_shown_as_copies():
    state = theano.shared(np.ones(2))
    for inputs, out in (
        ([a], a),
        ([a], a + 0),
        ([], state),
        ([], T.constant(2.0)),
        ([a], T.tensor_copy(a)),
    ):
        assert shown(inputs, out) == [deep_copy_op]
    assert shown([a], T.exp(T.tensor_copy(T.tanh(a)))) == [T.tanh, T.exp]
    twice, turned = theano.function([a], [a * 2, a * 2]), theano.function([a], a.T)
    assert len(ops(twice)) == 2 and len(shown([a], a * 2)) == 1
    assert not np.may_share_memory(*twice([[1.0]]))
    assert not np.may_share_memory(turned(ROWS), ROWS)
    for f in (twice, turned):
        assert isinstance(ops(f)[-1], DeepCopyOp)
    # A new value of a shared variable is no result.
    assert shown([], [], updates=[(state, state)]) == []


def test_conversions_that_undo_each_other_are_not_shown():
    s, i = T.bscalar(), theano.scalar.int8()
    out = T.tensor_from_scalar(T.scalar_from_tensor(s))
    assert shown([s], out) == [deep_copy_op] and shown([s], -out) == [T.neg]
    assert shown([i], T.scalar_from_tensor(T.tensor_from_scalar(i))) == [deep_copy_op]


def test_nodes_that_are_shown_as_they_are_have_their_times():
    f = theano.function([v], [T.exp(v).sum(), v], profile=True)
    f([1.0, 2.0])
    counts = f.profile.apply_callcount
    assert sum(counts.get(node, 0) for node in f.maker.fgraph.toposort()) > 0


def test_what_is_shown_needs_no_test_values():
    with theano.change_flags(compute_test_value="raise"):
        x = T.dmatrix("x")
        x.tag.test_value = np.ones((2, 2))
        found = shown([x], [T.dot(x, x[0]), T.nnet.softmax(x), x])
        assert {str(op) for op in found} >= {"Gemv{inplace}", "Softmax", "DeepCopyOp"}


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
    assert f.copy().maker.fgraph.update_mapping == graph.update_mapping
    f(np.ones(3) * 2)
    assert v.get_value().tolist() == [1, 2, 3] and s.get_value().tolist() == [0, 2, 4]


def test_graphs_of_no_function_have_no_new_values():
    assert theano.FunctionGraph([v], [v + 1]).update_mapping is None
    assert theano.function([v], v + 1).maker.fgraph.update_mapping == {}


# -- products -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "out", "wanted"),
    [
        ([a, v], T.dot(a, v), blas.gemv_inplace),
        ([v, a], T.dot(v, a), blas.gemv_inplace),
        ([v, w], T.dot(v, w), blas.gemv_inplace),
        ([s, a, v, t, w], s * T.dot(a, v) + t * w, blas.gemv_no_inplace),
        ([w, a, v], w + T.dot(a.T, v), blas.gemv_no_inplace),
        ([w, a, v], w + T.dot(v, a), blas.gemv_no_inplace),
        ([v, w], T.outer(v, w), blas.ger_destructive),
        ([a, v, w], a + 0.1 * T.outer(v, w), blas.ger),
        ([s, a, b], s * T.dot(a, b), blas._dot22scalar),
    ],
)
def test_products_have_the_names_of_blas(inputs, out, wanted):
    f = theano.function(inputs, out)
    found = ops(f)
    assert not holds(found, T.Dot)
    assert [str(op) for op in found if op == wanted] == [str(wanted)]
    assert wanted != blas.gemv_no_inplace or not hasattr(found[-1], "destroy_map")
    again(f, *(np.full((2,) * u.type.ndim, 2.0 + k) for k, u in enumerate(inputs)))


def test_sums_of_scaled_products_are_products_of_matrices():
    # What is scaled, too, is a sum of a matrix and a product.
    assert holds(shown([a, v, w], 0.2 * a + 0.1 * T.outer(v, w)), blas.Gemm)
    # A product that something else needs is not scaled on the way.
    assert blas._dot22scalar not in shown([s, a, b], [s * T.dot(a, b), T.dot(a, b)])


def test_products_that_overwrite_are_shown_so():
    state = theano.shared(np.ones(2))
    updates = [(state, state + T.dot(m, v))]
    f = theano.function([m, v], [], updates=updates)
    (op,) = ops(f)
    assert op == blas.gemv_inplace != blas.gemv_no_inplace
    assert op.inplace is True and op.destroy_map == {0: [0]}
    f([[1.0, 2], [3, 4]], [1.0, 1])
    equal(state.get_value(), [4.0, 8])
    # The old value is asked for besides.
    assert blas.gemv_no_inplace in shown([m, v], state * 2, updates=updates)


def test_products_of_integers_and_of_modes_without_blas_keep_their_name():
    x, y = T.lmatrix(), T.lvector()
    assert holds(shown([x, y], T.dot(x, y)), T.Dot)
    assert holds(shown([m, v], T.dot(m, v), mode="FAST_COMPILE"), T.Dot)


def test_results_that_are_written_into_arguments_are_shown_so():
    total, product = a + T.dot(b, m), a * b
    (op,) = shown([theano.In(a, mutable=True), b, m], total)
    assert op == blas.gemm_inplace != blas.gemm_no_inplace
    assert blas.gemm_inplace == op and blas.gemm_no_inplace != op
    (op,) = shown([a, b, m], total)
    assert op == blas.gemm_no_inplace != blas.gemm_inplace
    f = theano.function([theano.In(a, mutable=True), b], product)
    (op,) = ops(f)
    assert op.destroy_map == {0: [0]} and op.inplace_pattern == {0: 0} and op == T.mul
    value = np.full((2, 2), 3.0)
    result = f(value, np.full((2, 2), 2.0))
    assert value.tolist() == result.tolist() == [[6.0, 6.0]] * 2
    assert shown([a, b], product)[0].destroy_map == {}


def test_updates_are_shown_in_place():
    state = theano.shared(np.ones(3))
    (op,) = shown([], [], updates=[(state, 1 + state)])
    assert op.inplace_pattern == {0: op.destroy_map[0][0]}
    for new in (T.inc_subtensor(state[1:], 1), T.set_subtensor(state[[0, 2]], 1)):
        (op,) = shown([], [], updates=[(state, new)])
        assert op.inplace and op.destroy_map == {0: [0]}
        (op,) = shown([], new)
        assert not op.inplace and not hasattr(op, "destroy_map")
    # The old value is a result, too.
    *_, op = shown([], state + 2, updates=[(state, state + 1)])
    assert not getattr(op, "inplace_pattern", None)
    (op,) = shown([], [], updates=[(state, state + 1)], mode=DEFAULT.excluding("inplace"))
    assert op.inplace_pattern == {}


def test_products_of_matrices_are_none_of_dot():
    single, out = T.fmatrix(), T.dot(a, b)
    assert isinstance(out.owner.op, T.Dot) and not isinstance(out.owner.op, blas.Dot22)
    (op,) = shown([a, b], out)
    assert isinstance(op, blas.Dot22) and op == blas._dot22 and not isinstance(op, T.Dot)
    checked([a, b], blas._dot22(a, b), [np.ones((2, 3)), np.ones((3, 4))], blas.Dot22)
    with pytest.raises(TypeError, match="float32"):
        blas._dot22(a, single)
    assert holds(shown([a, single], T.dot(a, single)), T.Dot)
    assert issubclass(T.nlinalg.Eigh, T.nlinalg.Eig)


def test_an_outer_product_with_itself_asks_for_one_length():
    f = theano.function([v], T.outer(v, v))
    assert sorted(map(str, ops(f))) == ["Alloc", "Ger{destructive}", "Shape_i{0}"]
    equal(f([1.0, 2.0]), [[1, 2], [2, 4]])


# -- axes, parts and lengths ----------------------------------------------------------------------


def test_axes_are_shown_moved_once():
    f = theano.function([m, v], T.dot(v, m.T))
    graph = f.maker.fgraph
    (gemv,) = (node for node in graph.toposort() if isinstance(node.op, blas.Gemv))
    assert gemv.inputs[2] is graph.inputs[0]
    again(f, ROWS, np.arange(3.0))


def test_slices_of_whole_axes_are_not_shown():
    f = theano.function([tensor, i], [tensor[i, 1:, :], tensor[:, i, :, None], tensor[...]])
    found = [str(op) for op in ops(f) if "Subtensor" in str(op)]
    assert found == ["Subtensor{int64, int64::}", "Subtensor{::, int64}"]
    again(f, np.arange(24.0).reshape(2, 3, 4), 1)


def test_numbers_of_indices_are_inputs():
    """As where users write them: programs read `node.inputs` and `node.op.idx_list` together."""
    f = theano.function([a, i], [a[0, 1:i:2] + 1, T.inc_subtensor(a[i:, -1], 2.0)])
    read, written = (n for n in f.maker.fgraph.toposort() if hasattr(n.op, "idx_list"))
    assert [str(v) for v in read.inputs] == ["a", "Constant{0}", "Constant{1}", "i", "Constant{2}"]
    assert [str(v) for v in written.inputs[2:]] == ["i", "Constant{-1}"]
    assert read.op == a[0, 1:i:2].owner.op
    again(f, np.arange(12.0).reshape(3, 4), 2)


def test_checks_of_lengths_are_no_operations():
    x, mask = T.lmatrix("x"), T.lmatrix("mask")
    f = theano.function([x, mask], T.switch(mask, x, x))
    assert ops(f) == [deep_copy_op] and f([[1]], [[0]]).tolist() == [[1]]
    with pytest.raises(ValueError):
        f([[1, 2]], [[0, 1, 1]])


def test_a_split_into_one_part_is_the_array():
    sizes = T.ivector("sizes")
    f = theano.function([a, sizes], T.split(a, sizes, 1))
    assert list(map(type, ops(f))) == [DeepCopyOp]
    assert f([[1.0], [2.0]], [2]).tolist() == [[1.0], [2.0]]
    with pytest.raises(ValueError, match="add up to the length"):
        f([[1.0], [2.0]], [1])
    assert isinstance(shown([a, sizes], T.split(a, sizes, 2))[-1], T.Split)


LENGTHS, N = tensor.shape[:2], T.iscalar("n")
PLAIN = DEFAULT.excluding("local_elemwise_alloc")


@pytest.mark.parametrize(
    ("inputs", "out", "mode", "counts"),
    [
        ([v, a], T.alloc(v, 2, 2) + a, None, (0, 1)),
        ([v, a], T.alloc(v, *a.shape) + a, None, (0, 0)),
        ([v, tensor], T.alloc(v, 2, 2).dimshuffle(0, 1, "x") + tensor, None, (0, 1)),
        ([v, tensor], T.alloc(v, *LENGTHS).dimshuffle(0, 1, "x") + tensor, None, (0, 0)),
        ([v, a], T.alloc(v, 5, 5) + T.alloc(a, 5, 5, 5), None, (1, 0)),
        ([v, a, N], T.alloc(v, N, N) + T.alloc(a, 5, 5, 5), None, (1, 1)),
        ([v], T.exp(T.alloc(v, 2, 2)), None, (1, 0)),
        ([v, a], T.alloc(v, 2, 2) + a, "FAST_COMPILE", (1, 0)),
        ([v, a], T.alloc(v, 2, 2) + a, PLAIN, (1, 0)),
    ],
)
def test_what_elementwise_operations_repeat_is_not_filled(inputs, out, mode, counts):
    """As `local_elemwise_alloc` left it: loops read what is repeated, and check the lengths."""
    found = shown(inputs, out, mode=mode)
    assert (
        tuple(sum(isinstance(op, kind) for op in found) for kind in (T.Alloc, T.opt.Assert))
        == counts
    )


def test_lengths_of_what_is_repeated_are_checked():
    f = theano.function([v, a], T.alloc(v, 2, 2) + a)
    assert f([1, 2], np.ones((2, 2))).tolist() == [[2, 3], [2, 3]]
    with pytest.raises(ValueError):
        f([1, 2], np.ones((3, 2)))
