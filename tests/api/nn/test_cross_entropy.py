"""Cross-entropies of softmax refuse numbers that are no class's, as Theano 1.0.5 did."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.tensor import nnet

x, b, y = T.dmatrix("x"), T.dvector("b"), T.ivector("y")
PROBABILITIES = nnet.softmax(T.dot(x, T.eye(3)) + b)
AT = (T.arange(y.shape[0]), y)
X, B = np.random.default_rng(0).random((3, 3)), np.ones(3)
CHECKED = {
    "categorical": nnet.categorical_crossentropy(PROBABILITIES, y),
    "log of rows": -T.log(PROBABILITIES[AT]),
    "rows of log": -T.log(PROBABILITIES)[AT],
    "long numbers": -T.log(PROBABILITIES)[T.arange(y.shape[0]), T.cast(y, "int64")],
    "softmax": nnet.crossentropy_softmax_1hot_with_bias(x, b, y)[0],
    "its probabilities": nnet.crossentropy_softmax_1hot(x, y)[1],
    "its best class": nnet.crossentropy_softmax_argmax_1hot_with_bias(x, b, y)[2],
    "its largest": nnet.crossentropy_softmax_max_and_argmax_1hot(x, y)[2],
    "its derivative": nnet.crossentropy_softmax_1hot_with_bias_dx(b, x, y),
}
NOT_CHECKED = {
    "other probabilities": nnet.crossentropy_categorical_1hot(x, y),
    "without a logarithm": PROBABILITIES[AT],
    "logsoftmax": nnet.logsoftmax(x)[AT],
}


def run(out, numbers, rows=3):
    f = theano.function([x, b, y], out, on_unused_input="ignore")
    return f(
        X[:rows], B[:rows] if out is CHECKED["its derivative"] else B, np.array(numbers, "int32")
    )


@pytest.mark.parametrize("name", list(CHECKED))
@pytest.mark.parametrize("numbers", [[0, 1, -1], [3, 0, 0], [-4, 0, 2]])
def test_refused(name, numbers):
    with pytest.raises(ValueError, match="y_i value out of bounds"):
        run(CHECKED[name], numbers)
    if not name.startswith("its"):
        with pytest.raises(ValueError, match="y_i value out of bounds"):
            run(T.grad(CHECKED[name].sum(), x), numbers)


@pytest.mark.parametrize("name", list(CHECKED))
def test_accepted(name):
    out = CHECKED[name]
    found = theano.function([x, b, y], out, on_unused_input="ignore")
    unchecked = theano.function([x, b, y], out, mode="FAST_COMPILE", on_unused_input="ignore")
    for numbers in ([0, 1, 2], [2, 2, 2]):
        values = X, B, np.array(numbers, "int32")
        np.testing.assert_allclose(found(*values), unchecked(*values))
    assert len(run(out, [], 0)) == 0


@pytest.mark.parametrize("name", list(NOT_CHECKED))
def test_counted_from_the_end(name):
    out = NOT_CHECKED[name]
    np.testing.assert_array_equal(run(out, [0, 1, -1]), run(out, [0, 1, 2]))


def test_one_number_for_each_row():
    for name in ("categorical", "softmax", "its probabilities"):
        with pytest.raises(ValueError, match="same number of rows as x: it has 2, x has 3"):
            run(CHECKED[name], [0, 1])


def test_numbers_are_used_by_every_output():
    for out in nnet.crossentropy_softmax_argmax_1hot_with_bias(x, b, y):
        theano.function([x, b, y], out)


def test_two_classes_may_be_truth_values():
    # Theano 1.0.5 took them here, but not for the plain cross-entropy of probabilities.
    two, truth = T.bvector("two"), T.TensorType("bool", (False,))("truth")
    b2, cut, chosen = b[:2], x[:, :2], np.array([True, False, True])
    for crossentropy in (
        nnet.crossentropy_softmax_1hot,
        lambda rows, labels: nnet.crossentropy_softmax_argmax_1hot_with_bias(rows, b2, labels),
    ):
        outputs = [crossentropy(cut, labels) for labels in (two, truth)]
        every = [v for several in outputs for v in several]
        f = theano.function([x, b, two, truth], every, on_unused_input="ignore")
        results = f(X, B, chosen.astype("int8"), chosen)
        half = len(results) // 2
        for number, value in zip(results[:half], results[half:], strict=True):
            np.testing.assert_array_equal(number, value)
