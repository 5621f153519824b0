"""Test values: computed while the graph is built, as Theano 1.0.5 does (its source and runs)."""

import traceback
import warnings

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import evaluate
from theano import change_flags
from theano.gof.op import (
    debug_assert,
    debug_error_message,
    get_debug_values,
    get_test_value,
    missing_test_message,
)
from theano.ifelse import ifelse


@pytest.fixture(autouse=True)
def raising():
    with change_flags(compute_test_value="raise"):
        yield


def given(variable, value):
    variable.tag.test_value = np.asarray(value)
    return variable


def found(*expressions):
    return [expression.tag.test_value.tolist() for expression in expressions]


def test_values_of_expressions():
    x = given(T.dmatrix("x"), np.arange(6.0).reshape(2, 3))
    s = theano.shared(np.ones((3, 2)))
    out = T.dot(x, s) * 2 + np.ones(2)
    assert found(out, T.grad(out.sum(), x)) == [[[7, 7], [25, 25]], [[4.0] * 3] * 2]
    np.testing.assert_array_equal(evaluate(out, {x: x.tag.test_value}), out.tag.test_value)
    condition = given(T.dscalar(), 3.0)
    out = ifelse(condition > 2, condition * 2, condition * 3)
    assert found(out, T.grad(out, condition)) == [6, 2]


def test_missing_values(monkeypatch):
    x, message = T.dmatrix("x"), r"(?s)Cannot compute test value: input 0 \(x\) of Op .* missing"
    with pytest.raises(ValueError, match=message + r" default value.*line"):
        T.exp(x)
    with change_flags(compute_test_value="warn"):
        with pytest.warns(UserWarning, match=r"Warning, Cannot compute test value: input 0 \(x\)"):
            out = T.exp(x)
        assert not hasattr(out.tag, "test_value")
    for quiet in ("ignore", "off"):
        with change_flags(compute_test_value=quiet), warnings.catch_warnings():
            warnings.simplefilter("error")
            out = T.exp(x) + given(T.dvector(), [1.0])
        assert not hasattr(out.tag, "test_value")
    with change_flags(compute_test_value="off"):
        assert not hasattr((given(T.dvector(), [1.0]) + 1).tag, "test_value")
    seen = []
    monkeypatch.setattr("pdb.post_mortem", seen.append)
    with change_flags(compute_test_value="pdb"):
        T.exp(x)
    assert len(seen) == 1


def test_an_error_shows_the_line_and_the_operation():
    x, y = given(T.dmatrix("x"), np.ones((2, 3))), given(T.dmatrix("y"), np.ones((4, 2)))
    with pytest.raises(ValueError, match="not aligned") as caught:
        T.dot(x, y)
    frames = [frame.name for frame in traceback.extract_tb(caught.tb)]
    assert "test_an_error_shows_the_line_and_the_operation" in frames
    assert "dot(x, y)" in caught.value.__notes__[0]
    assert "[(2, 3), (4, 2)]" in caught.value.__notes__[0]
    with pytest.raises(ValueError, match="mis-match"):
        x * y
    s = theano.shared(np.ones((5, 6)))
    for operands in ((x, s), (np.ones((2, 4)), s)):
        with pytest.raises(ValueError, match="not aligned"):
            T.dot(*operands)


def test_a_value_of_another_type():
    x = given(T.fmatrix("x"), np.ones((3, 4)))
    with pytest.raises(TypeError, match="one input test value does not have the requested type"):
        T.exp(x)


def test_get_test_value():
    np.testing.assert_array_equal(get_test_value([1, 2]), [1, 2])
    values = [T.constant(3.0), theano.shared(4.0), given(T.dscalar(), 5.0)]
    assert [get_test_value(v) for v in values] == [3, 4, 5]
    with pytest.raises(AttributeError, match="x has no test value"):
        get_test_value(T.dscalar("x"))


def test_get_debug_values():
    x, y = given(T.dscalar("x"), 1.0), given(T.dscalar("y"), 2.0)
    assert get_debug_values(x) == [1]
    assert get_debug_values(x, y) == [(1, 2)]
    with pytest.raises(AttributeError, match=r"Argument 1\('z'\) has no test value"):
        get_debug_values(x, T.dscalar("z"))
    with change_flags(compute_test_value="ignore"):
        assert get_debug_values(T.dscalar()) == []
    with change_flags(compute_test_value="off"):
        assert get_debug_values(x) == []


def test_messages_about_test_values():
    debug_assert(True)
    with pytest.raises(AttributeError, match="where is it"):
        missing_test_message("where is it")
    with pytest.raises(ValueError, match="wrong"):
        debug_error_message("wrong")
    with pytest.raises(AssertionError, match="debug_assert failed"):
        debug_assert(False)
    with change_flags(compute_test_value="warn"):
        for report in (missing_test_message, debug_error_message, lambda m: debug_assert(False, m)):
            with pytest.warns(UserWarning, match="hm"):
                report("hm")
    for quiet in ("ignore", "off"):
        with change_flags(compute_test_value=quiet):
            missing_test_message("nothing")
    with change_flags(compute_test_value="off"), pytest.raises(AssertionError):
        debug_error_message("never called while off")


def test_rewriting_computes_none():
    mean = theano.shared(np.zeros(5)).dimshuffle("x", 0)
    assert evaluate([mean])[0].shape == (1, 5)
    x = given(T.dvector("x"), [1.0, 2.0])
    with change_flags(compute_test_value_opt="raise"):
        g = theano.function([x], T.log(1 + T.exp(x)))
    assert hasattr(g.maker.graph.outputs[0].tag, "test_value")


def test_steps_of_scan_have_test_values():
    k, a = given(T.iscalar("k"), np.int32(3)), given(T.dvector("a"), np.array([1.0, 2.0]))
    seen = []

    def step(before, a):
        seen.append(before.tag.test_value)
        return before * a

    rows, _ = theano.scan(step, outputs_info=T.ones_like(a), non_sequences=a, n_steps=k)
    np.testing.assert_array_equal(seen[0], [1, 1])
    total = rows[-1].sum()
    assert found(rows[-1], T.grad(total, a)) == [[1, 8], [3, 12]]
    assert found(theano.gradient.hessian(total, a)) == [[[6, 0], [0, 12]]]


def test_steps_of_scan_with_taps_have_test_values():
    x = given(T.dvector("x"), np.arange(5.0))
    start = given(T.dvector("start"), np.array([10.0, 20.0]))
    seen = []

    def step(*values):
        seen.extend(found(*values))
        return sum(values)

    sequences, outputs = {"input": x, "taps": [0, 2]}, {"initial": start, "taps": [-2, -1]}
    theano.scan(step, sequences=sequences, outputs_info=outputs)
    assert seen == [0, 2, 10, 20]


def test_an_error_within_the_step_of_scan():
    a = given(T.dmatrix("a"), np.ones((5, 3)))

    def step(before, a):
        return T.dot(before, a)

    with pytest.raises(ValueError, match="not aligned") as caught:
        theano.scan(step, outputs_info=T.ones_like(a), non_sequences=a, n_steps=2)
    assert "step" in [frame.name for frame in traceback.extract_tb(caught.tb)]
    with pytest.raises(ValueError, match="shape"):
        theano.scan(step, outputs_info=T.ones_like(a.T), non_sequences=a, n_steps=2)


def test_random_streams_do_not_move():
    draw = T.shared_randomstreams.RandomStreams(3).normal((2,))
    np.testing.assert_array_equal(evaluate(draw), draw.tag.test_value)


def test_print_test_value():
    x = given(T.dvector("x"), np.array([1.0, 2.0]))
    assert repr(x) == "x"
    with change_flags(print_test_value=True):
        assert [repr(x), str(x), repr(T.dvector("y"))] == ["x\narray([1., 2.])", "x", "y"]


def test_operations_that_hold_expressions_have_test_values():
    x, v = given(T.dmatrix("x"), np.ones((2, 3))), given(T.dvector("v"), np.array([1.0, 2, 3]))
    k, images = given(T.lmatrix("k"), np.array([[0]])), given(T.dtensor4(), np.ones((1, 1, 4, 4)))
    blocks, bias = given(T.dtensor4(), np.ones((1, 1, 2, 3))), given(T.dmatrix(), np.ones((1, 3)))
    rows, nnet = given(T.dtensor3(), np.ones((1, 1, 2))), T.nnet
    made = [
        nnet.softmax(x),
        nnet.logsoftmax(v),
        *nnet.bn.batch_normalization_train(x, v, v),
        nnet.neighbours.images2neibs(images, (2, 2)),
        nnet.blocksparse.sparse_block_dot(blocks, rows, k, bias, k),
        T.extra_ops.DiffOp(1, 0)(x),
        T.blas.gemv_no_inplace(v, 1.0, T.dot(x.T, x), v, 0.5),
        theano.scan(lambda row: nnet.softmax(row), x)[0],
    ]
    for out in made:
        assert get_test_value(out).ndim == out.ndim
    T.grad(nnet.softmax(x)[0, 0] + made[2].sum(), x)


def test_compiling_needs_no_test_values():
    x = given(T.dmatrix("x"), np.ones((2, 3)))
    rows = given(T.lmatrix("rows"), np.array([[0, 1, 1]]))
    f = theano.function([x, rows], x[rows, T.arange(x.shape[1]).dimshuffle("x", 0)])
    assert f([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [[0, 1, 1]]).tolist() == [[1.0, 5.0, 6.0]]
