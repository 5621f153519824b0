"""Handwritten digits by a multilayer perceptron.

    python docs/examples/mlp.py [--steps 2000] [--picture mlp.png]

An image of 8 × 8 numbers goes through two layers of 128 rectified units; the last layer gives a
logit for each digit. The loss is the cross-entropy of the softmax of these with the label. Theano
computes both together, so that no logarithm of zero can come up, in whatever way it is written.

One compiled function, `step`, computes the loss, its gradient for six parameters, and their
updates; what stays between calls lies in shared variables.
"""

from __future__ import annotations

from itertools import pairwise

import common
import matplotlib.pyplot as plt
import numpy as np

import theano
import theano.tensor as T

SIZES = (64, 128, 128, 10)


def build(rng):
    """Return the functions `step(images, labels)` and `predict(images)`."""
    x, labels = T.fmatrix("x"), T.ivector("labels")
    layers = [(common.weights(rng, a, b), common.zeros(b)) for a, b in pairwise(SIZES)]
    values = x
    for w, b in layers[:-1]:
        values = T.nnet.relu(T.dot(values, w) + b)
    w, b = layers[-1]
    logits = T.dot(values, w) + b
    loss = T.nnet.categorical_crossentropy(T.nnet.softmax(logits), labels).mean()
    parameters = [p for layer in layers for p in layer]
    step = theano.function([x, labels], loss, updates=common.momentum(loss, parameters, 0.05))
    return step, theano.function([x], logits.argmax(axis=1))


def main(steps: int = 2000, picture: str | None = None) -> float:
    """Train; return the share of test images that are recognised."""
    rng = np.random.default_rng(1)
    (images, labels), (test_images, test_labels) = common.digits()
    images, test_images = images.reshape(-1, 64), test_images.reshape(-1, 64)
    step, predict = build(rng)
    losses = common.train(steps, common.on_batches(rng, step, images, labels))
    guesses = predict(test_images)
    accuracy = float(np.mean(guesses == test_labels))
    print(f"{100 * accuracy:.1f} % of {len(test_labels)} test images")
    if picture:
        figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
        left.semilogy(losses)
        left.set(title="Training", xlabel="step", ylabel="cross-entropy (nat)")
        wrong = test_images[guesses != test_labels].reshape(-1, 8, 8)[:8]
        right.imshow(common.tiles(1 - wrong, max(len(wrong), 1)), cmap="gray")
        right.set(title="Test images that are mistaken", xticks=[], yticks=[])
        common.save(figure, picture)
    return accuracy


if __name__ == "__main__":
    common.command_line(main, 2000)
