"""Handwritten digits by a convolutional network, in the manner of LeNet.

    python docs/examples/lenet.py [--steps 1500] [--picture lenet.png]

Two layers of convolutions find what is alike wherever it stands; after each, a pool keeps the
largest of 2 × 2 numbers. Two dense layers follow. `conv2d` and `pool_2d` take four axes: images,
channels, rows and columns. `border_mode="half"` puts zeros around the images, so that they keep
their size.
"""

from __future__ import annotations

import common
import matplotlib.pyplot as plt
import numpy as np

import theano
import theano.tensor as T
from theano.tensor.nnet import conv2d
from theano.tensor.signal.pool import pool_2d


def build(rng):
    """Return `step(images, labels)`, `predict(images)`, and the kernels of the first layer."""
    x, labels = T.tensor4("x", dtype="float32"), T.ivector("labels")
    first = common.weights(rng, 20, 1, 3, 3, scale=1 / 3)
    second = common.weights(rng, 50, 20, 3, 3, scale=(20 * 9) ** -0.5)
    bias_1, bias_2 = common.zeros(20), common.zeros(50)
    hidden, output = common.weights(rng, 50 * 4, 100), common.weights(rng, 100, 10)
    bias_3, bias_4 = common.zeros(100), common.zeros(10)

    def layer(images, kernels, bias):
        found = conv2d(images, kernels, border_mode="half") + bias.dimshuffle("x", 0, "x", "x")
        return pool_2d(T.nnet.relu(found), (2, 2), ignore_border=True)

    values = layer(layer(x, first, bias_1), second, bias_2).flatten(2)
    logits = T.dot(T.nnet.relu(T.dot(values, hidden) + bias_3), output) + bias_4
    loss = T.nnet.categorical_crossentropy(T.nnet.softmax(logits), labels).mean()
    parameters = [first, bias_1, second, bias_2, hidden, bias_3, output, bias_4]
    step = theano.function([x, labels], loss, updates=common.adam(loss, parameters))
    return step, theano.function([x], logits.argmax(axis=1)), first


def main(steps: int = 1500, picture: str | None = None) -> float:
    """Train; return the share of test images that are recognised."""
    rng = np.random.default_rng(1)
    (images, labels), (test_images, test_labels) = common.digits()
    images, test_images = images[:, None], test_images[:, None]
    step, predict, kernels = build(rng)
    losses = common.train(steps, common.on_batches(rng, step, images, labels))
    accuracy = float(np.mean(predict(test_images) == test_labels))
    print(f"{100 * accuracy:.1f} % of {len(test_labels)} test images")
    if picture:
        figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
        left.semilogy(losses)
        left.set(title="Training", xlabel="step", ylabel="cross-entropy (nat)")
        right.imshow(common.tiles(kernels.get_value()[:, 0], 5), cmap="gray")
        right.set(title="Kernels of the first layer", xticks=[], yticks=[])
        common.save(figure, picture)
    return accuracy


if __name__ == "__main__":
    common.command_line(main, 1500)
