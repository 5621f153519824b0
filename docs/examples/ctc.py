"""Rows of handwritten digits are read, without being told where each digit stands.

    python docs/examples/ctc.py [--steps 2000] [--picture ctc.png]

Four or five digits stand in a row, at any distance. A recurrent network looks at the columns of the
image from the left and from the right, and says for each column which digit it sees, or none.
Connectionist temporal classification (Graves et al., 2006) sums the probability of all ways to say
the right digits in the right order: that is the loss, and where the digits are is found on the way.
"""

from __future__ import annotations

import common
import matplotlib.pyplot as plt
import numpy as np

import theano
import theano.tensor as T
from theano.tensor.nnet import ctc

HIDDEN, WIDTH, BATCH = 64, 60, 32


def rows(rng, images, labels):
    """Return images of digits in a row as (columns, batch, 8), and their labels, -1 for no more."""
    canvas = np.zeros((BATCH, 8, WIDTH), "float32")
    truth = np.full((BATCH, 5), -1, "int32")
    for row in range(BATCH):
        count = rng.integers(4, 6)
        chosen = rng.integers(0, len(images), count)
        gaps = rng.multinomial(WIDTH - 8 * count, np.ones(count + 1) / (count + 1))
        at = 0
        for i, digit in enumerate(chosen):
            at += gaps[i]
            canvas[row, :, at : at + 8] = images[digit]
            at += 8
        # Class 0 says: no digit here.
        truth[row, :count] = labels[chosen] + 1
    return canvas.transpose(2, 0, 1), truth


def build(rng):
    """Return `step(columns, truth)` and `read(columns)`: the class of each column."""
    columns, truth = T.ftensor3("columns"), T.imatrix("truth")
    # Each column is seen with four on each side.
    padded = T.concatenate([T.zeros_like(columns[:4]), columns, T.zeros_like(columns[:4])])
    seen = T.concatenate([padded[i : padded.shape[0] - 8 + i] for i in range(9)], axis=2)
    parameters, states = [], []
    for backwards in (False, True):
        w, u = common.weights(rng, 72, 2 * HIDDEN), common.weights(rng, HIDDEN, 2 * HIDDEN)
        b = common.zeros(2 * HIDDEN)
        parameters += [w, u, b]

        def step(inputs, state, u=u):
            both = inputs + T.dot(state, u)
            gate = T.nnet.sigmoid(both[:, :HIDDEN])
            return gate * state + (1 - gate) * T.tanh(both[:, HIDDEN:])

        start = T.zeros((columns.shape[1], HIDDEN), "float32")
        found, _ = theano.scan(step, T.dot(seen, w) + b, [start], go_backwards=backwards)
        states.append(found[::-1] if backwards else found)
    output, bias = common.weights(rng, 2 * HIDDEN, 11), common.zeros(11)
    parameters += [output, bias]
    logits = T.dot(T.concatenate(states, axis=2), output) + bias
    lengths = T.zeros_like(truth[:, 0]) + T.cast(columns.shape[0], "int32")
    loss = ctc.ctc(logits, truth, lengths).mean()
    train = theano.function([columns, truth], loss, updates=common.adam(loss, parameters, 3e-3))
    return train, theano.function([columns], logits.argmax(axis=2))


def spoken(classes) -> list[int]:
    """Return the digits that a row of classes says: repetitions count once, class 0 for nothing."""
    return [a - 1 for a, b in zip(classes, [0, *classes[:-1]], strict=True) if a and a != b]


def main(steps: int = 2000, picture: str | None = None) -> float:
    """Train; return the share of rows that are read without a mistake."""
    rng = np.random.default_rng(1)
    (images, labels), (test_images, test_labels) = common.digits()
    train, read = build(rng)
    common.train(steps, lambda: train(*rows(rng, images, labels)))
    right = total = 0
    for _ in range(20):
        columns, truth = rows(rng, test_images, test_labels)
        classes = read(columns)
        for i in range(BATCH):
            right += spoken(list(classes[:, i])) == [t - 1 for t in truth[i] if t > 0]
            total += 1
    print(f"{100 * right / total:.1f} % of {total} rows of test digits are read without a mistake")
    if picture:
        figure, axes = plt.subplots(6, 1, figsize=(7, 6))
        for i, axis in enumerate(axes):
            axis.imshow(1 - columns[:, i].T, cmap="gray")
            for at, digit in enumerate(classes[:, i]):
                if digit and (at == 0 or classes[at - 1, i] != digit):
                    axis.text(at, -1, str(digit - 1), color="tab:red", ha="center")
            axis.axis("off")
        common.save(figure, picture)
    return right / total


if __name__ == "__main__":
    common.command_line(main, 2000)
