"""Losses of probabilities that steps of a loop compute: finite, with gradients, for any logits."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.agreement import agree
from support.comparison import Tolerance
from theano.tensor import nnet

STEPS, INPUTS, UNITS, CLASSES, SEVERAL = 6, 3, 4, 5, 2
rng = np.random.default_rng(11)


def shared(*shape, scale=1.0):
    """Return a parameter; logits made by one of a large scale lie thousands apart."""
    return theano.shared((rng.standard_normal(shape) * scale).astype("float32"))


w_in, w_state = shared(INPUTS, UNITS), shared(UNITS, UNITS)
w_out, bias = shared(UNITS, CLASSES, scale=1e4), shared(CLASSES)
first = shared(UNITS)
x, y = T.fmatrix("x"), T.ivector("y")
targets = T.fmatrix("targets")
many, labels = T.ftensor3("many"), T.imatrix("labels")
count = x.shape[0]
classes = rng.integers(0, CLASSES, STEPS).astype("int32")
VALUES = {
    x: rng.standard_normal((STEPS, INPUTS)).astype("float32"),
    y: classes,
    targets: np.eye(CLASSES, dtype="float32")[classes],
    many: rng.standard_normal((STEPS, SEVERAL, INPUTS)).astype("float32"),
    labels: rng.integers(0, CLASSES, (STEPS, SEVERAL)).astype("int32"),
}


def state_of(x_t, h):
    """Return the next state of a recurrent layer."""
    return T.tanh(T.dot(x_t, w_in) + T.dot(h, w_state))


def logits_of(h):
    """Return the logits of classes."""
    return T.dot(h, w_out) + bias


def recurrent(output, sequences=x, start=first):
    """Return what `output` makes of each state."""

    def step(x_t, h):
        h = state_of(x_t, h)
        return [h, output(h)]

    return theano.scan(step, sequences=sequences, outputs_info=[start, None])[0][1]


as_row = recurrent(lambda h: nnet.softmax(logits_of(h)))[:, 0, :]
as_vector = recurrent(lambda h: nnet.softmax(logits_of(h))[0])
by_hand = recurrent(lambda h: T.exp(logits_of(h)) / T.exp(logits_of(h)).sum())
mapped = theano.map(lambda h: nnet.softmax(logits_of(h))[0], T.tanh(T.dot(x, w_in)))[0]
of_many = recurrent(
    lambda h: nnet.softmax(logits_of(h)), many, T.zeros((SEVERAL, UNITS), "float32")
)
each = T.arange(count)


def stable(logits, numbers):
    """Return the loss of each row, written so that nothing overflows."""
    apart = logits - logits.max(axis=-1, keepdims=True)
    return T.log(T.exp(apart).sum(axis=-1)) - apart[T.arange(numbers.shape[0]), numbers]


states = recurrent(lambda h: h)
OF_ONE = stable(logits_of(states), y).mean()
mapped_states = T.tanh(T.dot(x, w_in))
last = logits_of(states[-1:])
all_states = recurrent(lambda h: h, many, T.zeros((SEVERAL, UNITS), "float32"))
of_all = stable(logits_of(all_states).reshape((-1, CLASSES)), labels.flatten()).mean()
# The loss, and the same loss written so that nothing overflows.
LOSSES = {
    "logarithm of rows": (-T.mean(T.log(as_row)[each, y]), OF_ONE),
    "logarithm of items": (-T.mean(T.log(as_row[each, y])), OF_ONE),
    "categorical_crossentropy": (nnet.categorical_crossentropy(as_row, y).mean(), OF_ONE),
    "vectors": (-T.mean(T.log(as_vector)[each, y]), OF_ONE),
    "vectors, items": (-T.mean(T.log(as_vector[each, y])), OF_ONE),
    "by hand": (-T.mean(T.log(by_hand)[each, y]), OF_ONE),
    "targets": (-T.mean((targets * T.log(as_row)).sum(axis=1)), OF_ONE),
    "items of several rows": (
        -T.mean(T.log(of_many)[each[:, None], T.arange(SEVERAL), labels]),
        of_all,
    ),
    "rows of several": (
        -T.mean(T.log(of_many.reshape((-1, CLASSES)))[T.arange(labels.size), labels.flatten()]),
        of_all,
    ),
    "the last step": (-T.log(as_row[-1])[y[-1]], stable(last, y[-1:]).sum()),
    "the last item": (-T.log(as_vector[-1, y[-1]]), stable(last, y[-1:]).sum()),
    "map": (-T.mean(T.log(mapped)[each, y]), stable(logits_of(mapped_states), y).mean()),
    "several rows": (
        nnet.categorical_crossentropy(of_many.reshape((-1, CLASSES)), labels.flatten()).mean(),
        of_all,
    ),
    "in the step": (
        theano.scan(
            lambda h, y_t: -T.log(nnet.softmax(logits_of(h))[0, y_t]), sequences=[states, y]
        )[0].mean(),
        OF_ONE,
    ),
}
PARAMETERS = [w_out, bias, w_state, w_in]
NEAR = Tolerance(800, "a softmax is computed along another path", floor=80)


@pytest.mark.parametrize("name", list(LOSSES))
def test_far_logits(name):
    loss, wanted = LOSSES[name]
    got, expected = (
        theano.function(
            list(VALUES),
            [out, *T.grad(out, PARAMETERS, disconnected_inputs="ignore")],
            on_unused_input="ignore",
        )(*VALUES.values())
        for out in (loss, wanted)
    )
    for one, two in zip(got, expected, strict=True):
        np.testing.assert_allclose(one, two, rtol=2e-4, atol=1e-4 * abs(two).max())


@pytest.mark.parametrize("name", list(LOSSES))
def test_near_logits(name):
    """Where nothing overflows, it is what is computed without any rule."""
    before = w_out.get_value()
    w_out.set_value((before / 1e4).astype("float32"))
    outs = [LOSSES[name][0], *T.grad(LOSSES[name][0], PARAMETERS, disconnected_inputs="ignore")]
    try:
        agree(list(VALUES), outs, VALUES.values(), tolerance=NEAR)
    finally:
        w_out.set_value(before)
