"""Classes of operations of `theano.tensor` that are expressions here."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import scipy.sparse

import theano
import theano.tensor as T
from theano.misc.may_share_memory import may_share_memory
from theano.tensor import extra_ops, nlinalg, nnet
from theano.tensor.extra_ops import CumOp, RepeatOp, SearchsortedOp
from theano.tensor.sort import ArgSortOp, SortOp, TopKOp, argtopk
from theano.tensor.utils import hash_from_ndarray

X = np.array([[3.0, 1.0, 2.0], [4.0, 6.0, 5.0]])
V = np.array([1.0, 3.0, 5.0])


def _values(expressions: Any) -> list[Any]:
    outs = expressions if isinstance(expressions, list) else [expressions]
    return [out.eval() for out in outs]


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        (lambda: CumOp(1, "mul")(X), np.cumprod(X, 1)),
        (lambda: extra_ops.CumsumOp()(X), np.cumsum(X)),
        (lambda: extra_ops.DiffOp(n=2)(X), np.diff(X, 2)),
        (lambda: RepeatOp(axis=0)(X, 2), np.repeat(X, 2, 0)),
        (lambda: SearchsortedOp("right")(V, [3.0, 4.0]), [2, 2]),
        (lambda: extra_ops.fill_diagonal_(X, 9.0), [[9, 1, 2], [4, 9, 5]]),
        (lambda: extra_ops.bartlett_(5), np.bartlett(5)),
        (lambda: extra_ops.UnravelIndex(ndim=2)([4], [2, 3])[1], [1]),
        (lambda: extra_ops.RavelMultiIndex()([1], [1], [2, 3]), [4]),
        (lambda: extra_ops.cpu_contiguous(X), X),
        (lambda: SortOp("quicksort")(X, 0), np.sort(X, 0)),
        (lambda: ArgSortOp("quicksort")(X, -1), np.argsort(X, -1)),
        (lambda: TopKOp(axis=1, return_indices=False)(X, 1), [[3], [6]]),
        (lambda: T.MaxAndArgmax([1])(X)[1], [0, 1]),
        (lambda: T.Mean(0)(T.constant(X)), X.mean(0)),
        (lambda: T.Split(2)(X, 1, [1, 2])[1], X[:, 1:]),
        (lambda: T.Flatten(1)(X), X.ravel()),
        (lambda: T.Tile(2)(X, (1, 2)), np.tile(X, (1, 2))),
        (lambda: T.Tri("int8")(2, 3, 0), np.tri(2, 3, 0, "int8")),
        (lambda: nlinalg.QRIncomplete("r")(X), np.linalg.qr(X, "r")),
        (lambda: nnet.softmax_op(X), nnet.softmax(X).eval()),
        (lambda: nnet.Prepend_scalar_constant_to_each_row(7)(X)[:, 0], [7, 7]),
        (lambda: T.basic.PermuteRowElements()(X, [2, 0, 1], True), X[:, [1, 2, 0]]),
        (lambda: T.advanced_subtensor(T.constant(X), [0, 1], [2, 0]), [2, 4]),
        (lambda: T.advanced_inc_subtensor(T.constant(V), 1.0, [0, 0]), [3, 3, 5]),
    ],
)
def test_values(expression: Any, wanted: Any) -> None:
    (got,) = _values(expression())
    np.testing.assert_allclose(got, wanted, rtol=1e-14)


def test_kinds_equality_and_options() -> None:
    assert isinstance(T.cumsum(X, 0).owner.op, CumOp)
    assert isinstance(argtopk(T.constant(X), 1).owner.op, TopKOp)
    assert not isinstance(T.cumsum(X, 0).owner.op, TopKOp)
    assert CumOp(axis=1) == CumOp(1) != CumOp(0)
    assert hash(CumOp(axis=1)) == hash(CumOp(1))
    assert CumOp(1).make_node(X).outputs[0].ndim == 2
    with pytest.raises(TypeError, match="CumOp takes axis, mode"):
        CumOp(along=1)
    with pytest.raises(ValueError, match="both False"):
        TopKOp(return_values=False, return_indices=False)(X, 1)
    axis = T.iscalar()
    along = theano.function([axis], SortOp("quicksort")(X, axis))
    for given in (0, 1, -1):
        assert np.array_equal(along(given), np.sort(X, given))


def test_small_old_helpers() -> None:
    x = np.arange(25.0).reshape(5, 5)
    assert theano.configdefaults.local_bitwidth() in (32, 64)
    assert theano.configdefaults.python_int_bitwidth() in (32, 64)
    assert may_share_memory(x, x[1:])
    assert not may_share_memory(x, x.copy())
    matrix = scipy.sparse.csc_matrix(scipy.sparse.eye(3, 2))
    assert may_share_memory(matrix, matrix.indices) and may_share_memory(matrix.data, matrix)
    assert not may_share_memory(x, matrix)
    with pytest.raises(TypeError):
        may_share_memory(matrix, 1)
    with pytest.raises(TypeError, match="needs arrays"):
        may_share_memory(x, 1)
    assert not may_share_memory(x, 1, raise_other_type=False)
    hashes = [hash_from_ndarray(v) for v in (x, x.T, x[1:], x[:4], x.astype("float32"), x[:0])]
    assert len(set(hashes)) == len(hashes)
    assert hash_from_ndarray(x[::2]) == hash_from_ndarray(x[::2].copy())
    assert T.basic._convert_to_int8(T.dvector()).dtype == "int8"
    with pytest.raises(ValueError, match="should not exceed 1"):
        T.repeat(T.dmatrix(), T.lmatrix())


def test_softmax_is_one_operation_of_the_graph() -> None:
    x, v = T.dmatrix(), T.dvector()
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
def test_stacks_of_scalars_have_one_axis_whichever_is_asked_for(axis: int) -> None:
    x, y = T.dscalars("x", "y")
    stacked = T.stack([x, y, 3.0], axis=axis)
    assert stacked.type == T.dvector
    assert stacked.eval({x: 1.0, y: 2.0}).tolist() == [1, 2, 3]
    with pytest.raises(IndexError):
        T.stack([stacked, stacked], axis=5)


def test_products_over_axes_by_a_function_that_multiplies() -> None:
    one, two = np.arange(24.0).reshape(2, 3, 4), np.arange(16.0).reshape(2, 4, 2)
    function = T.basic._tensordot_as_dot
    found = _values(
        [
            function(one, two, [[2], [1]], dot=T.batched_dot, batched=True),
            function(one, two, [[2], [1]], dot=T.dot, batched=False),
        ]
    )
    np.testing.assert_allclose(found[0], one @ two)
    np.testing.assert_allclose(found[1], np.tensordot(one, two, [[2], [1]]))


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
def test_operations_print_their_options_and_are_equal_by_them(operation: Any, text: str) -> None:
    again = pickle.loads(pickle.dumps(operation))
    assert str(operation) == repr(operation) == text
    assert operation == again and hash(operation) == hash(again)
    assert operation != T.Split(3) and operation != text


def test_operations_of_nodes_are_equal_to_what_made_them() -> None:
    v, m = T.dvector(), T.dmatrix()
    assert T.diag(v).owner.op == T.basic.AllocDiag() != T.basic.AllocDiag(1)
    declared = T.addbroadcast(m, 0).owner.op
    assert declared == T.Rebroadcast((0, True)) != T.Rebroadcast((0, False))
    assert isinstance(T.Rebroadcast((0, True)), T.Rebroadcast)
    assert T.Rebroadcast((0, True))(m).type == T.drow().type
    with pytest.raises(ValueError, match="non-existent dimension"):
        T.Rebroadcast((2, True))(m)


def test_rows_in_another_order_are_one_operation_until_rewriting() -> None:
    x, order = T.dmatrix(), T.ivector()
    for inverse in (False, True):
        out = T.basic.permute_row_elements(x, order, inverse)
        assert isinstance(out.owner.op, T.basic.PermuteRowElements)
        assert str(out.owner.op) == "PermuteRowElements"
        gradient, shape = T.grad((out**2).sum(), x), out.shape
        f = theano.function([x, order], [out, gradient, shape])
        found, slope, lengths = f(X, np.array([2, 0, 1], "int32"))
        np.testing.assert_array_equal(found, X[:, [1, 2, 0] if inverse else [2, 0, 1]])
        np.testing.assert_array_equal(slope, 2 * X)
        assert lengths.tolist() == [2, 3]


@pytest.mark.parametrize(
    ("made", "op"),
    [
        (lambda x: T.nnet.softmax(x), lambda: nnet.softmax_op),
        (lambda x: T.nnet.logsoftmax(x), lambda: nnet.logsoftmax_op),
        (lambda x: T.argmax(x, 1), lambda: T.Argmax(axis=(1,))),
        (lambda x: T.join(1, x, x), lambda: T.Join()),
        (lambda x: T.cumprod(x, 0), lambda: T.extra_ops.CumOp(axis=0, mode="mul")),
        (lambda x: T.shape(x), lambda: T.shape),
        (lambda x: T.alloc(x, 2, 2, 3), lambda: T.alloc),
    ],
)
def test_operations_of_nodes_are_equal_to_those_of_the_module(made: Any, op: Any) -> None:
    own = made(T.dmatrix("x")).owner.op
    assert own == op()
    assert op() == own
    assert not own != op()  # noqa: SIM202
    assert own != T.exp
    assert own != T.extra_ops.CumOp(axis=1)


def test_operations_print_as_theano_prints_them() -> None:
    texts = {
        "Alloc": T.alloc,
        "Shape": T.shape,
        "xlogx": T.xlogx.xlogx,
        "abs__inplace": theano.tensor.inplace.abs__inplace,
        "exp_inplace": theano.tensor.inplace.exp_inplace,
        "Cholesky{lower=True, destructive=False, on_error='raise'}": T.slinalg.cholesky,
        "Solve{A_structure='general', lower=False, overwrite_A=False, overwrite_b=False}": (
            T.slinalg.solve
        ),
    }
    assert {str(op): op for op in texts.values()} == texts
    assert type(T.erf).__name__ == type(T.chi2sf).__name__ == "Elemwise"
