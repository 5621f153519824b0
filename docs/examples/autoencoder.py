"""A denoising autoencoder: images are put right again after half of their numbers were taken away.

    python docs/examples/autoencoder.py [--steps 4000] [--picture autoencoder.png]

What is between the two layers must know how digits look, since the input says only half of it
(Vincent et al., 2008). Which numbers are taken away is drawn anew at each call: a `RandomStreams`
is part of the graph, and the function keeps its state.
"""

from __future__ import annotations

import common
import matplotlib.pyplot as plt
import numpy as np

import theano
import theano.tensor as T
from theano.tensor.shared_randomstreams import RandomStreams

HIDDEN = 256


def build(rng):
    """Return `step(images)`, and `restore(images)`: images with holes, and what becomes of them."""
    x = T.fmatrix("x")
    streams = RandomStreams(1)
    kept = streams.binomial(x.shape, p=0.5, dtype="float32")
    w_in, b_in = common.weights(rng, 64, HIDDEN), common.zeros(HIDDEN)
    w_out, b_out = common.weights(rng, HIDDEN, 64), common.zeros(64)
    hidden = T.nnet.relu(T.dot(x * kept, w_in) + b_in)
    guess = T.nnet.sigmoid(T.dot(hidden, w_out) + b_out)
    loss = T.nnet.binary_crossentropy(guess, x).sum(axis=1).mean()
    step = theano.function([x], loss, updates=common.adam(loss, [w_in, b_in, w_out, b_out]))
    return step, theano.function([x], [x * kept, guess])


def main(steps: int = 4000, picture: str | None = None) -> float:
    """Train; return the mean square error of restored images over that of images with holes."""
    rng = np.random.default_rng(1)
    (images, _), (test_images, _) = common.digits()
    images, test_images = images.reshape(-1, 64), test_images.reshape(-1, 64)
    step, restore = build(rng)
    common.train(steps, common.on_batches(rng, step, images))
    noisy, restored = restore(test_images)
    error = float(np.mean((restored - test_images) ** 2) / np.mean((noisy - test_images) ** 2))
    print(f"the mean square error is {error:.2f} of that of the images with holes")
    if picture:
        rows = np.concatenate([m[:12].reshape(-1, 8, 8) for m in (test_images, noisy, restored)])
        figure, axes = plt.subplots(figsize=(10, 2.8))
        axes.imshow(common.tiles(1 - rows, 12), cmap="gray")
        axes.set(title="Images, what is left of them, and what is made of that", xticks=[])
        axes.set(yticks=[])
        common.save(figure, picture)
    return error


if __name__ == "__main__":
    common.command_line(main, 4000)
