"""Convolutions and pools of random geometries, against definitions that walk through every window.

python tests/fuzz/fuzz_convolutions.py 0 500
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

import theano.tensor as T
from theano._core.compile.function import function
from theano._core.lower.reference import evaluate
from theano._core.ops.convolution import FAMILIES


class Geometry(NamedTuple):
    """A convolution: its lengths and options."""

    images: tuple[int, ...]
    kernels: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]
    options: dict[str, Any]


def geometry(rng: np.random.Generator) -> Geometry:
    """Draw a geometry in which the windows fit."""

    def several(low: int, high: int) -> tuple[int, ...]:
        return tuple(int(k) for k in rng.integers(low, high, n))

    n = int(rng.integers(1, 4))
    groups = int(rng.choice([1, 1, 2, 3]))
    unshared = n == 2 and bool(rng.random() < 0.3)
    dilation, steps = several(1, 3), several(1, 4)
    sizes = (1,) * n if rng.random() < 0.3 else several(1, 4)
    reach = [(k - 1) * d + 1 for k, d in zip(sizes, dilation, strict=True)]
    mode: Any = [
        "valid",
        "full",
        "half",
        several(0, 3),
        tuple(zip(several(0, 3), several(0, 3), strict=True)),
    ][rng.integers(5)]
    pads = {
        "valid": [(0, 0)] * n,
        "full": [(r - 1, r - 1) for r in reach],
        "half": [(r // 2, r // 2) for r in reach],
    }.get(mode if isinstance(mode, str) else "")
    pads = pads or [p if isinstance(p, tuple) else (p, p) for p in mode]
    lengths = [
        max(r - sum(p), 1) + int(rng.integers(0, 5)) for r, p in zip(reach, pads, strict=True)
    ]
    places = [
        (size + sum(p) - r) // s + 1
        for size, p, r, s in zip(lengths, pads, reach, steps, strict=True)
    ]
    channels = int(rng.integers(1, 3))
    kernels = (
        groups * int(rng.integers(1, 4)),
        *(places if unshared else ()),
        channels,
        *sizes,
    )
    images = (int(rng.integers(0, 4)), groups * channels, *lengths)
    options = {
        "border_mode": mode,
        "subsample": steps,
        "filter_dilation": dilation,
        "filter_flip": bool(rng.random() < 0.5),
        "num_groups": groups,
        "unshared": unshared,
    }
    return Geometry(images, kernels, tuple(pads), options)


def terms(g: Geometry) -> Iterator[tuple[Any, Any, Any]]:
    """Yield, for each product in the sums: where its factors are, and where its sum is.

    The positions are of one image and one channel of a kernel each; items are those of all images.
    """
    o, n = g.options, len(g.pads)
    sizes = g.kernels[-n:]
    per_group = g.kernels[0] // o["num_groups"]
    reach = [(k - 1) * d + 1 for k, d in zip(sizes, o["filter_dilation"], strict=True)]
    axes = zip(g.images[2:], g.pads, reach, o["subsample"], strict=True)
    places = [range((size + sum(p) - r) // s + 1) for size, p, r, s in axes]
    for out, channel in itertools.product(range(g.kernels[0]), range(g.kernels[-n - 1])):
        source = out // per_group * g.kernels[-n - 1] + channel
        for place, item in itertools.product(itertools.product(*places), np.ndindex(*sizes)):
            turned = [k - 1 - i for k, i in zip(sizes, item, strict=True)]
            used = turned if o["filter_flip"] else item
            at = [
                p * s + i * d - before
                for p, s, i, d, (before, _) in zip(
                    place, o["subsample"], used, o["filter_dilation"], g.pads, strict=True
                )
            ]
            if all(0 <= a < size for a, size in zip(at, g.images[2:], strict=True)):
                own = place if o["unshared"] else ()
                yield (
                    (slice(None), source, *at),
                    (out, *own, channel, *item),
                    (slice(None), out, *place),
                )


def defined(g: Geometry, x: Any, w: Any, y: Any) -> list[np.ndarray]:
    """Return the convolution of x with w, and its gradients for a cotangent y, in float64."""
    x, w, y = (v.astype("float64") for v in (x, w, y))
    out, of_x, of_w = np.zeros(y.shape), np.zeros(x.shape), np.zeros(w.shape)
    for image, kernel, result in terms(g):
        out[result] += x[image] * w[kernel]
        of_x[image] += y[result] * w[kernel]
        of_w[kernel] += (x[image] * y[result]).sum()
    return [out, of_x, of_w]


def check_convolution(rng: np.random.Generator) -> None:
    """Compare a convolution and its gradients with the definition: exactly, of small integers."""
    g = geometry(rng)
    op = FAMILIES[len(g.pads)]["result"](**g.options)
    dtype = str(rng.choice(["float16", "float32", "float64"]))
    x, w = (
        T.TensorType(dtype, (False,) * len(s))(name)
        for s, name in ((g.images, "x"), (g.kernels, "w"))
    )
    out = op(x, w)
    y = out.type("y")
    outputs = [out, *op.vjp(out.owner, [y])]
    result = (g.images[0], g.kernels[0], *op.windows(g.images, g.kernels))
    values = [rng.integers(-2, 3, size=s).astype(dtype) for s in (g.images, g.kernels, result)]
    wanted = defined(g, *values)
    turned = [np.asfortranarray(v) if rng.random() < 0.3 else v for v in values]
    found = function([x, w, y], outputs)(*turned)
    meant = evaluate(outputs, dict(zip([x, w, y], values, strict=True)))
    for name, a, b, c in zip(("result", "images", "kernels"), wanted, found, meant, strict=True):
        for kind, got in (("native code", b), ("compute", c)):
            assert got.dtype == dtype and got.shape == a.shape, (name, kind, got.shape, g)
            np.testing.assert_array_equal(got, a.astype(dtype), f"{name}, {kind}: {g}")


def main(first: int, last: int) -> None:
    """Check the geometries of some seeds."""
    for seed in range(first, last):
        try:
            check_convolution(np.random.default_rng(seed))
        except AssertionError as error:
            print(f"seed {seed}: {error}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
