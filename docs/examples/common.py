"""What the examples share: where parameters start, how they are updated, data, progress, pictures.

None of this is part of the library. Each function is short enough to be copied and changed.
"""

from __future__ import annotations

import argparse
import pydoc_data.topics
from collections.abc import Callable, Iterator

import matplotlib as mpl
import numpy as np
from sklearn.datasets import load_digits
from tqdm import trange

import theano
import theano.tensor as T

mpl.use("Agg")
import matplotlib.pyplot as plt

theano.config.floatX = floatx = "float32"


# -- parameters and their updates -----------------------------------------------------------------


def weights(rng: np.random.Generator, *shape: int, scale: float | None = None):
    """Return a shared array of normal numbers, by default 1/√(inputs) of them."""
    deviation = shape[0] ** -0.5 if scale is None else scale
    return theano.shared((rng.normal(size=shape) * deviation).astype(floatx))


def zeros(*shape: int):
    """Return a shared array of zeros."""
    return theano.shared(np.zeros(shape, floatx))


def like(parameter):
    """Return a shared array of zeros in the shape of another one."""
    return theano.shared(np.zeros_like(parameter.get_value()))


def sgd(loss, parameters, rate=0.1):
    """Gradient descent."""
    gradients = T.grad(loss, parameters)
    return [(p, p - rate * g) for p, g in zip(parameters, gradients, strict=True)]


def momentum(loss, parameters, rate=0.1, keep=0.9):
    """Gradient descent with a velocity."""
    updates = []
    for p, g in zip(parameters, T.grad(loss, parameters), strict=True):
        velocity = like(p)
        step = keep * velocity - rate * g
        updates += [(velocity, step), (p, p + step)]
    return updates


def rmsprop(loss, parameters, rate=1e-3, keep=0.9):
    """Steps over the root of the mean square of the latest gradients (Hinton, 2012)."""
    updates = []
    for p, g in zip(parameters, T.grad(loss, parameters), strict=True):
        square = like(p)
        mean = keep * square + (1 - keep) * g**2
        updates += [(square, mean), (p, p - rate * g / T.sqrt(mean + 1e-8))]
    return updates


def adam(loss, parameters, rate=1e-3, b1=0.9, b2=0.999):
    """Momentum over the root of the mean square, both without their bias (Kingma & Ba, 2014)."""
    count = theano.shared(np.float32(0))
    t = count + 1
    rate = rate * T.sqrt(1 - b2**t) / (1 - b1**t)
    updates = [(count, t)]
    for p, g in zip(parameters, T.grad(loss, parameters), strict=True):
        mean, square = like(p), like(p)
        m, v = b1 * mean + (1 - b1) * g, b2 * square + (1 - b2) * g**2
        updates += [(mean, m), (square, v), (p, p - rate * m / (T.sqrt(v) + 1e-8))]
    return updates


# -- data -----------------------------------------------------------------------------------------


def digits():
    """Return 1,500 training and 297 test images of 8 × 8 numbers in [0, 1], with their labels."""
    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    images = (data.images[order] / 16).astype(floatx)
    labels = data.target[order].astype("int32")
    return (images[:1500], labels[:1500]), (images[1500:], labels[1500:])


def manual() -> str:
    """Return the text of Python's own reference on its topics: about half a million characters."""
    topics = pydoc_data.topics.topics
    return "\n".join(topics[name] for name in sorted(topics))


def batches(rng: np.random.Generator, count: int, size: int) -> Iterator[np.ndarray]:
    """Yield arrays of `size` positions below `count` for ever, each position once in an epoch."""
    while True:
        order = rng.permutation(count)
        for start in range(0, count - size + 1, size):
            yield order[start : start + size]


def codes() -> tuple[np.ndarray, list[str]]:
    """Return the manual as numbers of characters, and the character of each number."""
    text = manual()
    alphabet = sorted(set(text))
    number = {character: i for i, character in enumerate(alphabet)}
    return np.array([number[character] for character in text], "int32"), alphabet


def on_batches(
    rng: np.random.Generator, step: Callable[..., float], *arrays: np.ndarray
) -> Callable[[], float]:
    """Return what calls `step` with the next 100 rows of some arrays."""
    chosen = batches(rng, len(arrays[0]), 100)

    def one() -> float:
        rows = next(chosen)
        return step(*(array[rows] for array in arrays))

    return one


# -- running --------------------------------------------------------------------------------------


def train(steps: int, step: Callable[[], float]) -> list[float]:
    """Call `step` so many times under a progress bar; return the losses."""
    losses = []
    for i in (bar := trange(steps, unit="step")):
        losses.append(float(step()))
        if i % 20 == 0:
            bar.set_postfix(loss=f"{np.mean(losses[-20:]):.4f}")
    return losses


def command_line(main: Callable[..., object], steps: int) -> None:
    """Run `main(steps, picture)` with what stands on the command line."""
    parser = argparse.ArgumentParser(description="See the text at the top of this file.")
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--picture", help="file for the picture")
    options = parser.parse_args()
    main(options.steps, options.picture)


def tiles(images: np.ndarray, columns: int) -> np.ndarray:
    """Return images as one image, so many in a row."""
    n, height, width = images.shape
    rows = images[: n // columns * columns].reshape(-1, columns, height, width)
    return (
        np.pad(rows, ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=1)
        .transpose(0, 2, 1, 3)
        .reshape(-1, columns * (width + 1))
    )


def save(figure: plt.Figure, picture: str) -> None:
    """Write a figure to a file."""
    figure.tight_layout()
    figure.savefig(picture, dpi=80)
    plt.close(figure)
