"""A restricted Boltzmann machine, trained by Gibbs sampling.

    python docs/examples/rbm.py [--steps 6000] [--picture rbm.png]

The machine gives every image v the energy  F(v) = -v·a - Σ log(1 + exp(b + v W)); likely images
have a low one. Its gradient on the data is exact; against it stands the gradient on images that the
machine dreams: hidden units are drawn given the visible ones, visible ones given the hidden ones,
again and again. `theano.scan` is that loop; the streams of `MRG_RandomStreams` are drawn by native
code within it. Chains go on where the last step left them (persistent contrastive divergence,
Tieleman, 2008): the gradient must not go through the drawing, which `consider_constant` says.
"""

from __future__ import annotations

import common
import matplotlib.pyplot as plt
import numpy as np

import theano
import theano.tensor as T
from theano.sandbox.rng_mrg import MRG_RandomStreams

HIDDEN, CHAINS = 128, 100


def build(rng):
    """Return `step(images)` and `dream(n)`: the chains after n rounds of Gibbs sampling."""
    v = T.fmatrix("v")
    n = T.iscalar("n")
    w, a, b = common.weights(rng, 64, HIDDEN, scale=0.05), common.zeros(64), common.zeros(HIDDEN)
    chains = theano.shared(rng.integers(0, 2, (CHAINS, 64)).astype("float32"))
    streams = MRG_RandomStreams(1)

    def energy(v):
        return -T.dot(v, a) - T.nnet.softplus(T.dot(v, w) + b).sum(axis=1)

    def gibbs(visible):
        p_hidden = T.nnet.sigmoid(T.dot(visible, w) + b)
        hidden = streams.binomial(p_hidden.shape, p=p_hidden, dtype="float32")
        p_visible = T.nnet.sigmoid(T.dot(hidden, w.T) + a)
        return streams.binomial(p_visible.shape, p=p_visible, dtype="float32"), p_visible

    def rounds(count):
        (visible, means), updates = theano.scan(gibbs, outputs_info=[chains, None], n_steps=count)
        return visible[-1], means[-1], updates

    dreamt, _, updates = rounds(5)
    loss = energy(v).mean() - energy(dreamt).mean()
    parameters = [w, a, b]
    gradients = T.grad(loss, parameters, consider_constant=[dreamt])
    for p, g in zip(parameters, gradients, strict=True):
        updates[p] = p - np.float32(0.02) * g
    updates[chains] = dreamt
    reconstruction = T.nnet.sigmoid(T.dot(T.nnet.sigmoid(T.dot(v, w) + b), w.T) + a)
    error = T.nnet.binary_crossentropy(reconstruction, v).sum(axis=1).mean()
    step = theano.function([v], error, updates=updates)
    last, means, updates = rounds(n)
    return step, theano.function([n], means, updates=[*updates.items(), (chains, last)])


def main(steps: int = 6000, picture: str | None = None) -> float:
    """Train; return the mean cross-entropy of images put together again (64 numbers), in nats."""
    rng = np.random.default_rng(1)
    (images, _), _ = common.digits()
    images = (images.reshape(-1, 64) > 0.4).astype("float32")
    step, dream = build(rng)
    errors = common.train(steps, common.on_batches(rng, step, images))
    error = float(np.mean(errors[-50:]))
    print(
        f"cross-entropy of reconstructions: {errors[0]:.1f} nats at first, {error:.1f} at the end"
    )
    if picture:
        seen, dreamt = images[:30].reshape(-1, 8, 8), dream(500)[:30].reshape(-1, 8, 8)
        figure, axes = plt.subplots(1, 2, figsize=(10, 3))
        for axis, which, title in zip(axes, (seen, dreamt), ("Images", "Dreamt"), strict=True):
            axis.imshow(common.tiles(1 - which, 10), cmap="gray")
            axis.set(title=title, xticks=[], yticks=[])
        common.save(figure, picture)
    return error


if __name__ == "__main__":
    common.command_line(main, 6000)
