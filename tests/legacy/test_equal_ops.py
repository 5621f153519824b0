"""Operations that `theano.tensor` and its like have by name, and those of nodes."""

from __future__ import annotations

import importlib
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.gof import InconsistencyError
from theano.tensor import nnet
from theano.tensor.nnet.nnet import scalar_softsign
from theano.tensor.nnet.sigm import ultra_fast_scalar_sigmoid
from theano.tensor.xlogx import scalar_xlogx

MODULES = (
    *("theano.compile.ops", "theano.scalar"),
    *("theano.tensor", "theano.tensor.blas", "theano.tensor.extra_ops", "theano.tensor.inplace"),
    *("theano.tensor.nlinalg", "theano.tensor.nnet", "theano.tensor.nnet.blocksparse"),
    *("theano.tensor.nnet.nnet", "theano.tensor.nnet.sigm", "theano.tensor.slinalg"),
    *("theano.tensor.sort", "theano.tensor.subtensor", "theano.tensor.xlogx"),
)


# What those say that take other operands.
REFUSALS = (
    AssertionError,
    IndexError,
    NotImplementedError,
    TypeError,
    ValueError,
    InconsistencyError,
)


def _public() -> Iterator[tuple[str, Any]]:
    for name in MODULES:
        module = importlib.import_module(name)
        for each in getattr(module, "__all__", dir(module)):
            value = getattr(module, each)
            if hasattr(value, "make_node") and not isinstance(value, type):
                yield f"{name}.{each}", value


def _operands() -> list[tuple[Any, ...]]:
    m, n, v, w = T.dmatrix(), T.dmatrix(), T.dvector(), T.dvector()
    i, j, im, s = T.lvector(), T.lscalar(), T.lmatrix(), T.dscalar()
    one, whole = theano.scalar.float64(), theano.scalar.int64()
    three, four = T.dtensor3(), T.dtensor4()
    return [
        *((m,), (v,), (i,), (im,), (three,), (m, n), (v, w), (m, v), (m, j), (v, i), (i, i)),
        *((s, m), (m, n, v), (m, v, i), (0, m, n), (m, n, s, s), (m, s, v, w), (v, s, m, w, s)),
        *((one,), (one, one), (one, one, one), (whole,), (whole, whole)),
        *((four, four, three, im, im), (three, four, three, im, im), (m, i, i), (m, n, i)),
    ]


def test_what_equals_the_operation_of_a_node_has_its_hash_and_can_be_pickled() -> None:
    found = set()
    for name, op in _public():
        for operands in _operands():
            try:
                made = op(*operands)
            except REFUSALS:
                continue
            first = made[0] if isinstance(made, (list, tuple)) and made else made
            if getattr(first, "owner", None) is None:
                continue
            own = first.owner.op
            assert (op == own) is (own == op), name
            if op == own:
                found.add(name)
                assert hash(op) == hash(own), name
                back = pickle.loads(pickle.dumps(op))
                assert back == op
                assert back == own
                assert str(back) == str(op), name
                assert hash(back) == hash(op)
    assert found >= {
        *("theano.tensor.join_", "theano.tensor.exp", "theano.tensor.inplace.exp_inplace"),
        *("theano.tensor.nnet.softmax_op", "theano.tensor.nnet.softmax_with_bias"),
        *("theano.tensor.nnet.blocksparse.sparse_block_gemv", "theano.scalar.and_"),
    }


@pytest.mark.parametrize(
    ("text", "op"),
    [
        ("Join", T.join_),
        ("CumOp{0, mul}", T.cumprod(T.dmatrix(), 0).owner.op),
        ("SortOp{quicksort, None}", T.sort(T.dmatrix()).owner.op),
        ("ArgSortOp{mergesort, None}", T.argsort(T.dmatrix(), kind="mergesort").owner.op),
        ("SoftmaxWithBias", nnet.softmax_with_bias),
        ("CrossentropyCategorical1Hot", nnet.crossentropy_categorical_1hot),
        ("softsign", nnet.softsign),
        ("ultra_fast_sigmoid", nnet.ultra_fast_sigmoid),
        ("AdvancedSubtensor", T.advanced_subtensor),
        (
            "AdvancedIncSubtensor{inplace=False,  set_instead_of_inc=True}",
            T.advanced_set_subtensor,
        ),
        ("AND", theano.scalar.and_),
        ("InRange{openlow=True, openhi=True}", theano.scalar.inopenrange),
        ("scalar_softsign", nnet.softsign.scalar_op),
        ("scalar_xlogx", T.xlogx.xlogx.scalar_op),
    ],
)
def test_they_print_as_those_of_theano(text: str, op: Any) -> None:
    assert str(op) == text


def test_a_softmax_with_a_bias_is_one_operation() -> None:
    x, b, y = T.dmatrix("x"), T.dvector("b"), T.lvector("y")
    p = nnet.softmax_with_bias(x, b)
    assert p.owner.op == nnet.softmax_with_bias
    assert isinstance(p.owner.op, nnet.nnet.SoftmaxWithBias)
    loss, same, best = nnet.crossentropy_softmax_argmax_1hot_with_bias(x, b, y)
    assert loss.owner is same.owner is best.owner
    values = ([[0.0, 1000.0]], [1.0, 0.0], [0])
    outs = [T.log(p), loss, same, best, T.grad(loss.sum(), b)]
    logs, l, q, k, slope = theano.function([x, b, y], outs)(*values)
    np.testing.assert_array_equal(logs, [[-999, 0]])
    np.testing.assert_array_equal(l, [999])
    np.testing.assert_array_equal(q, [[0, 1]])
    np.testing.assert_array_equal(k, [1])
    np.testing.assert_array_equal(slope, [-1, 1])


def test_functions_of_scalars_of_layers() -> None:
    x = theano.scalar.float64("x")
    assert scalar_softsign(x).eval({x: -3.0}) == -0.75
    assert scalar_xlogx(x).eval({x: 0.0}) == 0
    assert ultra_fast_scalar_sigmoid(x).eval({x: 2.0}) == nnet.ultra_fast_sigmoid(2.0).eval()
    v = T.dvector("v")
    found = T.grad(nnet.softsign(v).sum(), v).eval({v: [0.0, -1.0, np.inf]})
    np.testing.assert_array_equal(found, [1, 0.25, 0])
    steep = T.grad(nnet.ultra_fast_sigmoid(v).sum(), v).eval({v: [0.0, -4.0, 7.0]})
    np.testing.assert_allclose(steep, [0.375, 0.25 * 0.0458812946797165, 0])
