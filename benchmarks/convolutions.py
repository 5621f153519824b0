"""Convolutional networks and single layers, float32: the cost alone, and a training step.

The cost is the sum of the squares of what comes out. A step computes it with its gradients: by the
weights and, in what would be the midst of a network, by the images. That of LeNet updates weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from figures import Figures, best_time, main

RATE = np.float32(1e-6)
CHANNELS = 64


class Case(NamedTuple):
    """A network: the shapes of its images and weights, and how it is built of `ops`."""

    images: tuple[int, ...]
    weights: Sequence[tuple[int, ...]]
    build: Callable[..., Any]
    of_images: bool = True
    trained: bool = False


def lenet(o, x, w1, b1, w2, b2, w3, b3, w4, b4):
    h = o.pool(o.tanh(o.conv(x, w1) + o.channels(b1)))
    h = o.pool(o.tanh(o.conv(h, w2) + o.channels(b2)))
    return o.dot(o.tanh(o.dot(o.flat(h), w3) + b3), w4) + b4


def layer(**options):
    return lambda o, x, w: o.conv(x, w, **options)


def resnet_block(o, x, w1, b1, w2, b2):
    h = o.relu(o.conv(x, w1, pad=1) + o.channels(b1))
    return o.relu(o.conv(h, w2, pad=1) + o.channels(b2) + x)


def separable_block(o, x, w1, b1, w2, b2):
    h = o.relu(o.conv(x, w1, pad=1, groups=CHANNELS) + o.channels(b1))
    return o.relu(o.conv(h, w2) + o.channels(b2))


LENET = [(20, 1, 5, 5), (20,), (50, 20, 5, 5), (50,), (800, 500), (500,), (500, 10), (10,)]
CASES = {
    "LeNet, batch 64": Case((64, 1, 28, 28), LENET, lenet, False, True),
    "3x3, 64 to 64, 56x56": Case((8, 64, 56, 56), [(64, 64, 3, 3)], layer(pad=1)),
    "3x3, 256 to 256, 14x14": Case((8, 256, 14, 14), [(256, 256, 3, 3)], layer(pad=1)),
    "1x1, 64 to 256, 56x56": Case((4, 64, 56, 56), [(256, 64, 1, 1)], layer()),
    "7x7/2, 3 to 64, 224x224": Case((4, 3, 224, 224), [(64, 3, 7, 7)], layer(step=2, pad=3), False),
    "3x3x3, 16 to 32, 32x32x32": Case((2, 16, 32, 32, 32), [(32, 16, 3, 3, 3)], layer(pad=1)),
    "text, 4 words of 300 to 100": Case((32, 1, 64, 300), [(100, 1, 4, 300)], layer()),
    "ResNet block, 64, 56x56": Case((4, 64, 56, 56), [(64, 64, 3, 3), (64,)] * 2, resnet_block),
    "separable block, 64 to 128, 56x56": Case(
        (4, 64, 56, 56), [(64, 1, 3, 3), (64,), (128, 64, 1, 1), (128,)], separable_block
    ),
}


def arrays(case: Case) -> list[np.ndarray]:
    """Return the images and the weights."""
    rng = np.random.RandomState(0)
    sizes = [1.0, *(1 / np.sqrt(max(1, np.prod(s[1:]))) for s in case.weights)]
    shapes = [case.images, *case.weights]
    return [(rng.randn(*s) * a).astype("float32") for s, a in zip(shapes, sizes, strict=True)]


class NumPyOps:
    """Layers in float64, for the numbers that all must give."""

    tanh, dot = staticmethod(np.tanh), staticmethod(np.dot)

    @staticmethod
    def relu(x):
        return np.maximum(x, 0)

    @staticmethod
    def conv(x, w, step=1, pad=0, groups=1):
        n = w.ndim - 2
        x = np.pad(x, [(0, 0)] * 2 + [(pad, pad)] * n)
        axes = tuple(range(2, n + 2))
        windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axes)
        windows = windows[(slice(None), slice(None), *[slice(None, None, step)] * n)]
        # Of one image: channels, places, kernel; summed over all but places.
        summed = (1, *axes), (0, *range(n + 1, 2 * n + 1))
        pairs = zip(np.split(w, groups), np.split(windows, groups, 1), strict=True)
        parts = [np.stack([np.tensordot(own, p, summed) for p in part]) for own, part in pairs]
        return np.concatenate(parts, 1)

    @staticmethod
    def pool(x):
        n, c, h, w = x.shape
        return x.reshape(n, c, h // 2, 2, w // 2, 2).max((3, 5))

    @staticmethod
    def channels(b):
        return b[:, None, None]

    @staticmethod
    def flat(x):
        return x.reshape(len(x), -1)


def expected(case: Case) -> float:
    """Return the cost, computed with NumPy in float64."""
    given = [a.astype("float64") for a in arrays(case)]
    return float((case.build(NumPyOps, *given) ** 2).sum())


def figures(build: Callable[[Case], tuple[Callable[[], Any], Callable[[], Any]]]) -> Figures:
    """Time what `build` makes of each case: (cost, step)."""
    found = {}
    for name, case in CASES.items():
        cost, step = build(case)
        np.testing.assert_allclose(float(cost()), expected(case), rtol=1e-4)
        found[f"{name}, forward"] = (1e3 * best_time(cost, 0.4), "ms")
        found[f"{name}, step"] = (1e3 * best_time(step, 0.8), "ms")
    return found


def theano_case() -> Figures:
    import theano
    import theano.tensor as tt
    from theano.tensor.signal.pool import pool_2d

    class Ops:
        tanh, dot, relu = tt.tanh, tt.dot, tt.nnet.relu

        @staticmethod
        def conv(x, w, step=1, pad=0, groups=1):
            options = {"border_mode": pad, "filter_flip": False, "num_groups": groups}
            if w.ndim == 5:
                return tt.nnet.conv3d(x, w, subsample=(step,) * 3, **options)
            return tt.nnet.conv2d(x, w, subsample=(step,) * 2, **options)

        @staticmethod
        def pool(x):
            return pool_2d(x, (2, 2), ignore_border=True)

        @staticmethod
        def channels(b):
            return b.dimshuffle("x", 0, "x", "x")

        @staticmethod
        def flat(x):
            return x.flatten(2)

    def build(case: Case):
        given = [theano.shared(a) for a in arrays(case)]
        cost = (case.build(Ops, *given) ** 2).sum()
        wanted = given if case.of_images else given[1:]
        gradients = tt.grad(cost, wanted)
        alone = theano.function([], cost)
        if not case.trained:
            return alone, theano.function([], [cost, *gradients])
        updates = [(w, w - RATE * g) for w, g in zip(wanted, gradients, strict=True)]
        return alone, theano.function([], cost, updates=updates)

    return figures(build)


def jax_case() -> Figures:
    import jax
    import jax.numpy as jnp
    from jax import lax

    class Ops:
        tanh, dot = jnp.tanh, jnp.dot
        relu = jax.nn.relu

        @staticmethod
        def conv(x, w, step=1, pad=0, groups=1):
            n = w.ndim - 2
            return lax.conv_general_dilated(
                x, w, (step,) * n, [(pad, pad)] * n, feature_group_count=groups
            )

        @staticmethod
        def pool(x):
            window = (1, 1, 2, 2)
            return lax.reduce_window(x, -np.float32(np.inf), lax.max, window, window, "VALID")

        channels, flat = NumPyOps.channels, NumPyOps.flat

    def build(case: Case):
        given = [jnp.asarray(a) for a in arrays(case)]

        def cost(*values):
            return (case.build(Ops, *values) ** 2).sum()

        wanted = range(0 if case.of_images else 1, len(given))
        both = jax.value_and_grad(cost, tuple(wanted))

        def trained(*values):
            total, gradients = both(*values)
            return total, [w - RATE * g for w, g in zip(values[1:], gradients, strict=True)]

        f, g = jax.jit(cost), jax.jit(trained if case.trained else both)
        return (
            lambda: jax.block_until_ready(f(*given)),
            lambda: jax.block_until_ready(g(*given)),
        )

    return figures(build)


def torch_calls(ops, case: Case):
    import torch

    given = [torch.from_numpy(a) for a in arrays(case)]
    wanted = given if case.of_images else given[1:]
    for value in wanted:
        value.requires_grad_()

    def cost():
        with torch.no_grad():
            return (case.build(ops, *given) ** 2).sum()

    def step():
        for value in wanted:
            value.grad = None
        (case.build(ops, *given) ** 2).sum().backward()
        if case.trained:
            with torch.no_grad():
                for value in wanted:
                    value -= RATE * value.grad

    return cost, step


def torch_case() -> Figures:
    import torch
    from torch.nn import functional

    class Ops:
        tanh, dot, relu = torch.tanh, torch.mm, torch.relu
        channels = NumPyOps.channels

        @staticmethod
        def conv(x, w, step=1, pad=0, groups=1):
            call = functional.conv3d if w.ndim == 5 else functional.conv2d
            return call(x, w, stride=step, padding=pad, groups=groups)

        @staticmethod
        def pool(x):
            return functional.max_pool2d(x, 2)

        @staticmethod
        def flat(x):
            return x.flatten(1)

    return figures(partial(torch_calls, Ops))


if __name__ == "__main__":
    main({"theano": theano_case, "jax": jax_case, "torch": torch_case})
