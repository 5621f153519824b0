"""Classes of operations of `theano.tensor` that are expressions here."""

import pickle

import numpy as np
import pytest
import scipy.sparse

import theano
import theano.tensor as T
from support.compiling import evaluate
from theano.misc.may_share_memory import may_share_memory
from theano.tensor import extra_ops, nlinalg, nnet
from theano.tensor.extra_ops import CumOp, RepeatOp, SearchsortedOp
from theano.tensor.sort import ArgSortOp, SortOp, TopKOp, argtopk
from theano.tensor.utils import hash_from_ndarray

X = np.array([[3.0, 1.0, 2.0], [4.0, 6.0, 5.0]])
V = np.array([1.0, 3.0, 5.0])
x, v = T.dmatrix("x"), T.dvector("v")
ONE, TWO = np.arange(24.0).reshape(2, 3, 4), np.arange(16.0).reshape(2, 4, 2)
EXPRESSIONS = [
    (CumOp(1, "mul")(X), np.cumprod(X, 1)),
    (extra_ops.CumsumOp()(X), np.cumsum(X)),
    (extra_ops.DiffOp(n=2)(X), np.diff(X, 2)),
    (RepeatOp(axis=0)(X, 2), np.repeat(X, 2, 0)),
    (SearchsortedOp("right")(V, [3.0, 4.0]), [2, 2]),
    (extra_ops.fill_diagonal_(X, 9.0), [[9, 1, 2], [4, 9, 5]]),
    (extra_ops.bartlett_(5), np.bartlett(5)),
    (extra_ops.UnravelIndex(ndim=2)([4], [2, 3])[1], [1]),
    (extra_ops.RavelMultiIndex()([1], [1], [2, 3]), [4]),
    (extra_ops.cpu_contiguous(X), X),
    (SortOp("quicksort")(X, 0), np.sort(X, 0)),
    (ArgSortOp("quicksort")(X, -1), np.argsort(X, -1)),
    (TopKOp(axis=1, return_indices=False)(X, 1), [[3], [6]]),
    (T.MaxAndArgmax([1])(X)[1], [0, 1]),
    (T.Mean(0)(T.constant(X)), X.mean(0)),
    (T.Split(2)(X, 1, [1, 2])[1], X[:, 1:]),
    (T.Flatten(1)(X), X.ravel()),
    (T.Tile(2)(X, (1, 2)), np.tile(X, (1, 2))),
    (T.Tri("int8")(2, 3, 0), np.tri(2, 3, 0, "int8")),
    (nlinalg.QRIncomplete("r")(X), np.linalg.qr(X, "r")),
    (nnet.softmax_op(X), nnet.softmax(X).eval()),
    (nnet.Prepend_scalar_constant_to_each_row(7)(X)[:, 0], [7, 7]),
    (T.basic.PermuteRowElements()(X, [2, 0, 1], True), X[:, [1, 2, 0]]),
    (T.advanced_subtensor(T.constant(X), [0, 1], [2, 0]), [2, 4]),
    (T.advanced_inc_subtensor(T.constant(V), 1.0, [0, 0]), [3, 3, 5]),
    # Products over axes by a function that multiplies.
    (T.basic._tensordot_as_dot(ONE, TWO, [[2], [1]], T.batched_dot, True), ONE @ TWO),
    (
        T.basic._tensordot_as_dot(ONE, TWO, [[2], [1]], T.dot, False),
        np.tensordot(ONE, TWO, [[2], [1]]),
    ),
]


def test_values():
    found = evaluate([out for out, _ in EXPRESSIONS])
    for value, (out, wanted) in zip(found, EXPRESSIONS, strict=True):
        np.testing.assert_allclose(value, wanted, rtol=1e-14, err_msg=str(out))


def test_kinds_equality_and_options():
    assert isinstance(T.cumsum(X, 0).owner.op, CumOp)
    assert isinstance(argtopk(T.constant(X), 1).owner.op, TopKOp)
    assert not isinstance(T.cumsum(X, 0).owner.op, TopKOp)
    assert CumOp(axis=1) == CumOp(1) != CumOp(0) and hash(CumOp(axis=1)) == hash(CumOp(1))
    assert CumOp(1).make_node(X).outputs[0].ndim == 2
    axis = T.iscalar()
    along = theano.function([axis], SortOp("quicksort")(X, axis))
    for given in (0, 1, -1):
        assert np.array_equal(along(given), np.sort(X, given))
    with pytest.raises(TypeError, match="CumOp takes axis, mode"):
        CumOp(along=1)
    with pytest.raises(ValueError, match="both False"):
        TopKOp(return_values=False, return_indices=False)(X, 1)
    with pytest.raises(ValueError, match="should not exceed 1"):
        T.repeat(T.dmatrix(), T.lmatrix())


def test_memory_may_be_shared():
    array, matrix = np.arange(25.0), scipy.sparse.csc_matrix(scipy.sparse.eye(3, 2))
    assert may_share_memory(array, array[1:]) and not may_share_memory(array, array.copy())
    assert may_share_memory(matrix, matrix.indices) and may_share_memory(matrix.data, matrix)
    assert not may_share_memory(array, matrix)
    for one, text in ((matrix, None), (array, "needs arrays")):
        with pytest.raises(TypeError, match=text):
            may_share_memory(one, 1)
    assert not may_share_memory(array, 1, raise_other_type=False)


def test_hashes_of_arrays_depend_on_shape_and_dtype_not_on_layout():
    a = np.arange(25.0).reshape(5, 5)
    hashes = [hash_from_ndarray(v) for v in (a, a.T, a[1:], a[:4], a.astype("float32"), a[:0])]
    assert len(set(hashes)) == len(hashes)
    assert hash_from_ndarray(a[::2]) == hash_from_ndarray(a[::2].copy())


def test_softmax_is_one_operation_of_the_graph():
    for function, kind in ((nnet.softmax, nnet.Softmax), (nnet.logsoftmax, nnet.LogSoftmax)):
        made = function(x)
        assert isinstance(made.owner.op, kind) and isinstance(kind(), kind)
        assert made.owner.inputs == [x] and str(made.owner.op) == kind.__name__
        assert function(T.dmatrix()).owner.op == made.owner.op
        assert isinstance(function(v).owner.op, kind)
        assert not isinstance(T.exp(x).owner.op, kind)
        single = theano.clone(made, {x: T.fmatrix()}, strict=False)
        assert isinstance(single.owner.op, kind) and single.dtype == "float32"
    # Both are written out where they are compiled, and merge with what users write.
    f = theano.function([x], [nnet.softmax(x), nnet.softmax(x) + 1, T.log(nnet.softmax(x))])
    assert len([n for n in f.maker.graph.toposort() if n.op is T.exp]) == 1


@pytest.mark.parametrize("axis", [1, -2, 5])
def test_stacks_of_scalars_have_one_axis_whichever_is_asked_for(axis):
    x, y = T.dscalars("x", "y")
    stacked = T.stack([x, y, 3.0], axis=axis)
    assert stacked.type == T.dvector
    assert stacked.eval({x: 1.0, y: 2.0}).tolist() == [1, 2, 3]
    with pytest.raises(IndexError):
        T.stack([stacked, stacked], axis=5)


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        (T.basic.Join(), "Join"),
        (T.Split(2), "Split{2}"),
        (T.Flatten(1), "Flatten{1}"),
        (T.Eye("float32"), "Eye{dtype='float32'}"),
        (CumOp(0, "add"), "CumOp{0, add}"),
        (SearchsortedOp(), "SearchsortedOp{side='left'}"),
        (T.basic.Mean([0, 1]), "Mean{0, 1}"),
        (T.basic.Mean(), "Mean"),
        (T.Rebroadcast((0, True), (2, False)), "Rebroadcast{1,?,0}"),
        (T.basic.AllocEmpty("float32"), "AllocEmpty{dtype='float32'}"),
        (T.basic.AllocDiag(), "AllocDiag{offset=0, axis1=0, axis2=1}"),
        (T.basic.ExtractDiag(1), "ExtractDiag{offset=1, axis1=0, axis2=1, view=False}"),
        (nlinalg.TensorSolve(), "TensorSolve{axes=None}"),
        (T.elemwise.CAReduce(theano.scalar.add, axis=[0, 1]), "Reduce{add}{0, 1}"),
        (T.elemwise.CAReduce(theano.scalar.add), "Reduce{add}"),
    ],
    ids=str,
)
def test_operations_print_their_options_and_are_equal_by_them(operation, text):
    again = pickle.loads(pickle.dumps(operation))
    assert str(operation) == repr(operation) == text
    assert operation == again and hash(operation) == hash(again)
    assert operation != T.Split(3) and operation != text


@pytest.mark.parametrize("inverse", [False, True])
def test_rows_in_another_order_are_one_operation_until_rewriting(inverse):
    order = T.ivector()
    out = T.basic.permute_row_elements(x, order, inverse)
    assert isinstance(out.owner.op, T.basic.PermuteRowElements)
    assert str(out.owner.op) == "PermuteRowElements"
    given = {x: X, order: np.array([2, 0, 1], "int32")}
    found, gradient, lengths = evaluate([out, T.grad((out**2).sum(), x), out.shape], given)
    np.testing.assert_array_equal(found, X[:, [1, 2, 0] if inverse else [2, 0, 1]])
    np.testing.assert_array_equal(gradient, 2 * X)
    assert lengths.tolist() == [2, 3]


@pytest.mark.parametrize(
    ("made", "op"),
    [
        (T.nnet.softmax(x), nnet.softmax_op),
        (T.nnet.logsoftmax(x), nnet.logsoftmax_op),
        (T.argmax(x, 1), T.Argmax(axis=(1,))),
        (T.join(1, x, x), T.Join()),
        (T.cumprod(x, 0), T.extra_ops.CumOp(axis=0, mode="mul")),
        (T.shape(x), T.shape),
        (T.alloc(x, 2, 2, 3), T.alloc),
        (T.diag(v), T.basic.AllocDiag()),
        (T.addbroadcast(x, 0), T.Rebroadcast((0, True))),
    ],
)
def test_operations_of_nodes_are_equal_to_those_of_the_module(made, op):
    own = made.owner.op
    assert own == op and op == own and not own != op  # noqa: SIM202
    assert own not in (T.exp, CumOp(axis=1), T.basic.AllocDiag(1), T.Rebroadcast((0, False)))


def test_declared_lengths_of_one():
    assert isinstance(T.Rebroadcast((0, True)), T.Rebroadcast)
    assert T.Rebroadcast((0, True))(x).type == T.drow().type
    with pytest.raises(ValueError, match="non-existent dimension"):
        T.Rebroadcast((2, True))(x)
