"""A variational autoencoder: a map of handwritten digits with two coordinates.

    python docs/examples/vae.py [--steps 6000] [--picture vae.png]

An encoder says of an image where on the map it lies, as a normal distribution; a decoder says which
image lies at a place. The loss is a bound on the likelihood of the images (Kingma & Welling, 2013):
what is lost on the way there and back, and the distance of each distribution from the standard one.
The draw is mean + deviation · noise, so that gradients reach both; noise is a node of the graph.
"""

from __future__ import annotations

import common
import matplotlib.pyplot as plt
import numpy as np

import theano
import theano.tensor as T
from theano.tensor.shared_randomstreams import RandomStreams

HIDDEN, COORDINATES = 256, 2


def build(rng):
    """Return `step(images)`, `encode(images)` and `decode(places)`."""
    x, place = T.fmatrix("x"), T.fmatrix("place")
    encoder = common.weights(rng, 64, HIDDEN), common.zeros(HIDDEN)
    mean_layer = common.weights(rng, HIDDEN, COORDINATES), common.zeros(COORDINATES)
    log_variance_layer = common.weights(rng, HIDDEN, COORDINATES), common.zeros(COORDINATES)
    decoder = common.weights(rng, COORDINATES, HIDDEN), common.zeros(HIDDEN)
    output = common.weights(rng, HIDDEN, 64), common.zeros(64)

    def dense(values, layer):
        return T.dot(values, layer[0]) + layer[1]

    def decoded(z):
        return dense(T.tanh(dense(z, decoder)), output)

    hidden = T.tanh(dense(x, encoder))
    mean, log_variance = dense(hidden, mean_layer), dense(hidden, log_variance_layer)
    noise = RandomStreams(1).normal(mean.shape, dtype="float32")
    logits = decoded(mean + T.exp(0.5 * log_variance) * noise)
    # softplus(l) - x l is the cross-entropy of x with sigmoid(l).
    lost = (T.nnet.softplus(logits) - x * logits).sum(axis=1)
    distance = 0.5 * (mean**2 + T.exp(log_variance) - 1 - log_variance).sum(axis=1)
    loss = (lost + distance).mean()
    layers = (encoder, mean_layer, log_variance_layer, decoder, output)
    parameters = [p for layer in layers for p in layer]
    step = theano.function([x], loss, updates=common.adam(loss, parameters))
    return (
        step,
        theano.function([x], mean),
        theano.function([place], T.nnet.sigmoid(decoded(place))),
    )


def main(steps: int = 6000, picture: str | None = None) -> float:
    """Train; return the loss of the last steps, in nats an image."""
    rng = np.random.default_rng(1)
    (images, labels), _ = common.digits()
    images = images.reshape(-1, 64)
    step, encode, decode = build(rng)
    losses = common.train(steps, common.on_batches(rng, step, images))
    loss = float(np.mean(losses[-50:]))
    print(f"bound on -log p: {losses[0]:.1f} nats at first, {loss:.1f} at the end")
    if picture:
        figure, (left, right) = plt.subplots(1, 2, figsize=(10, 5))
        places = encode(images)
        points = left.scatter(*places.T, c=labels, cmap="tab10", s=8)
        figure.colorbar(points, ax=left, label="digit")
        left.set(title="Where images lie", xlabel="first coordinate", ylabel="second coordinate")
        grid = np.linspace(2, -2, 15)
        square = np.array([(x, y) for y in grid for x in grid[::-1]], dtype="float32")
        right.imshow(common.tiles(1 - decode(square).reshape(-1, 8, 8), 15), cmap="gray")
        right.set(title="What lies where, from -2 to 2", xticks=[], yticks=[])
        common.save(figure, picture)
    return loss


if __name__ == "__main__":
    common.command_line(main, 6000)
