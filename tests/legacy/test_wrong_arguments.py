"""What wrong arguments are answered with: the class of error of Theano 1.0.5, and why."""

import copy

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import evaluate
from theano.gradient import DisconnectedInputError, hessian, jacobian
from theano.tensor import nnet
from theano.tensor.nnet.abstract_conv import bilinear_upsampling

s, v, m, t = T.dscalar("s"), T.dvector("v"), T.dmatrix("m"), T.dtensor3("t")
n, i = T.iscalar("n"), T.lvector("i")
SCANS = {
    "what does not change": lambda: theano.scan(lambda a: a * 2, non_sequences=v, n_steps=n)[0],
    "its last": lambda: theano.scan(lambda a: a * 2, non_sequences=v, n_steps=n)[0][-1],
    "of sequences": lambda: theano.scan(lambda a: a * 2, v, n_steps=n)[0],
    "of itself": lambda: theano.scan(lambda a: a * 2, outputs_info=v, n_steps=n)[0],
    "of both": lambda: theano.scan(lambda a: (a * 2, a), outputs_info=[v, None], n_steps=n)[0][1],
}


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
@pytest.mark.parametrize("kind", SCANS)
def test_negative_number_of_steps(kind, mode):
    f = theano.function([v, n], SCANS[kind](), mode=mode)
    assert len(f(np.ones(2), 2)) == 2
    with pytest.raises(IndexError, match="negative number of step -1"):
        f(np.ones(2), -1)


def test_lengths_are_no_steps_to_check():
    rows, _ = theano.scan(lambda a: a * 2, non_sequences=s, n_steps=T.minimum(v.size, m.shape[0]))
    f = theano.function([s, v, m], rows)
    assert "CheckedSteps" not in theano.printing.debugprint(f, file="str")
    assert f(2, np.ones(3), np.ones((2, 0))).tolist() == [4, 4]


@pytest.mark.parametrize("wrt", [3, "v", None, np.ones(3), [v, None], T.exp], ids=repr)
def test_derivatives_with_respect_to_no_variable(wrt):
    for derivative, error, text in (
        (lambda: T.grad((v**2).sum(), wrt), TypeError, "wrt"),
        (lambda: T.Lop(v**2, wrt, v), TypeError, "wrt"),
        (lambda: hessian((v**2).sum(), wrt), AssertionError, "variables to differentiate by"),
        (lambda: jacobian(v**2, wrt), (TypeError, DisconnectedInputError), None),
    ):
        with pytest.raises(error, match=text):
            derivative()


def test_directions_of_constants():
    # As Theano 1.0.5 took them.
    assert T.Rop(v**2, np.ones(3), v).eval({v: [1.0, 2, 3]}).tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="1 dimensions, but the variable 0"):
        T.Rop(v**2, 3, v)
    for wrt in ("v", None, T.exp):
        with pytest.raises(TypeError, match="Cannot convert"):
            T.Rop(v**2, wrt, v)


@pytest.mark.parametrize("value", [s, v, np.ones(3), 1.0, t], ids=str)
def test_triangles_and_traces_of_no_matrix(value):
    for name in ("tril", "triu") if value is not t else ():
        with pytest.raises(ValueError, match=f"{name} needs a matrix, got TensorType"):
            getattr(T, name)(value)
    with pytest.raises(ValueError, match="trace needs a matrix"):
        T.as_tensor_variable(value).trace()


def test_entropies_of_softmax_are_lists_and_take_one_row():
    for results in (
        nnet.crossentropy_softmax_1hot(m, i),
        nnet.crossentropy_softmax_1hot_with_bias(m, v, i),
    ):
        assert isinstance(results, list) and len(results) == 2
    results = nnet.crossentropy_softmax_argmax_1hot_with_bias(v, v, i)
    assert [len(result) for result in evaluate(results, {v: np.zeros(2), i: [1]})] == [1, 1, 1]


@pytest.mark.parametrize("wrong", [T.lscalar(), v, T.lmatrix()], ids=str)
def test_class_numbers_that_are_no_integer_vector(wrong):
    text = "integer vector required for argument: y_idx"
    with pytest.raises(ValueError, match=text):
        nnet.crossentropy_softmax_1hot(m, wrong)
    with pytest.raises(ValueError, match=text):
        nnet.crossentropy_softmax_argmax_1hot_with_bias(m, v, wrong)
    for probabilities in (m, nnet.softmax(m)):
        with pytest.raises(TypeError, match="true_one_of_n"):
            nnet.crossentropy_categorical_1hot(probabilities, wrong)


@pytest.mark.parametrize("floatX", ["float32", "float64"])
def test_weights_of_upsampling_are_of_floatX(floatX):
    with theano.config.change_flags(floatX=floatX):
        for dtype in ("float16", "float32", "float64"):
            large = bilinear_upsampling(T.tensor4(dtype=dtype), ratio=2)
            assert large.dtype == theano.scalar.upcast(dtype, floatX)


def test_shared_variables_that_hold_themselves():
    own, held = theano.shared({"a": 1}), theano.shared([1])
    own.set_value(own, borrow=True)
    assert own.get_value(borrow=True) is own
    for fresh in (own.get_value(), copy.deepcopy(own)):
        assert fresh is not own and fresh.get_value(borrow=True) is fresh
    held.get_value(borrow=True).append(held)
    assert copy.deepcopy(held).get_value(borrow=True)[0] == 1


def test_inputs_without_names_are_told_by_types_and_operands_by_position():
    f = theano.function([v.type(), s], s, on_unused_input="ignore")
    with pytest.raises(TypeError, match=r"3 given, it takes 2 \(<TensorType\(.*\)>, s\)"):
        f(1, 2, 3)
    text = r"add\(x, y\) takes its arguments by position, got \['y'\]"
    with pytest.raises(TypeError, match=text):
        T.add(v, y=v)
