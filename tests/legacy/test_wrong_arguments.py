"""What wrong arguments are answered with: the class of error of Theano 1.0.5, and why."""

import copy

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.tensor import nnet
from theano.tensor.nnet.abstract_conv import bilinear_upsampling

s, v, m, t = T.dscalar("s"), T.dvector("v"), T.dmatrix("m"), T.dtensor3("t")
n, i = T.iscalar("n"), T.lvector("i")
NO_VARIABLES = [3, "v", None, np.ones(3), [v, None], T.exp]
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


@pytest.mark.parametrize("wrt", NO_VARIABLES, ids=repr)
def test_derivatives_with_respect_to_no_variable(wrt):
    with pytest.raises(TypeError, match="wrt"):
        T.grad((v**2).sum(), wrt)
    with pytest.raises(TypeError, match="wrt"):
        T.Lop(v**2, wrt, v)
    with pytest.raises(AssertionError, match="variables to differentiate by"):
        theano.gradient.hessian((v**2).sum(), wrt)
    with pytest.raises((TypeError, theano.gradient.DisconnectedInputError)):
        theano.gradient.jacobian(v**2, wrt)


def test_directions_of_constants():
    # As Theano 1.0.5 took them.
    assert T.Rop(v**2, np.ones(3), v).eval({v: [1.0, 2, 3]}).tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="1 dimensions, but the variable 0"):
        T.Rop(v**2, 3, v)
    for wrt in ("v", None, T.exp):
        with pytest.raises(TypeError, match="Cannot convert"):
            T.Rop(v**2, wrt, v)


@pytest.mark.parametrize("name", ["tril", "triu"])
def test_triangles_of_no_matrix(name):
    for value in (s, v, np.ones(3), 1.0):
        with pytest.raises(ValueError, match=f"{name} needs a matrix, got TensorType"):
            getattr(T, name)(value)


def test_traces_of_no_matrix():
    for value in (s, v, t):
        with pytest.raises(ValueError, match="trace needs a matrix"):
            value.trace()


def test_entropies_of_softmax_are_lists():
    for results in (
        nnet.crossentropy_softmax_1hot(m, i),
        nnet.crossentropy_softmax_1hot_with_bias(m, v, i),
    ):
        assert isinstance(results, list)
        assert len(results) == 2


def test_one_row_of_classes():
    given = {v: np.zeros(2), i: [1]}
    for result in nnet.crossentropy_softmax_argmax_1hot_with_bias(v, v, i):
        assert len(result.eval(given)) == 1


def test_class_numbers_that_are_no_integer_vector():
    for wrong in (T.lscalar(), v, T.lmatrix()):
        with pytest.raises(ValueError, match="integer vector required for argument: y_idx"):
            nnet.crossentropy_softmax_1hot(m, wrong)
        with pytest.raises(ValueError, match="integer vector required for argument: y_idx"):
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
    own = theano.shared({"a": 1})
    own.set_value(own, borrow=True)
    assert own.get_value(borrow=True) is own
    for fresh in (own.get_value(), copy.deepcopy(own)):
        assert fresh is not own
        assert fresh.get_value(borrow=True) is fresh
    held = theano.shared([1])
    held.get_value(borrow=True).append(held)
    assert copy.deepcopy(held).get_value(borrow=True)[0] == 1


def test_inputs_without_names_are_told_by_types():
    f = theano.function([v.type(), s], s, on_unused_input="ignore")
    with pytest.raises(TypeError, match=r"3 given, it takes 2 \(<TensorType\(.*\)>, s\)"):
        f(1, 2, 3)


def test_keywords_of_operations():
    with pytest.raises(
        TypeError, match=r"add\(x, y\) takes its arguments by position, got \['y'\]"
    ):
        T.add(v, y=v)
