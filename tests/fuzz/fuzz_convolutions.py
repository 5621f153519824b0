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
from theano._core.ops.nn.convolution import FAMILIES
from theano._core.ops.nn.pooling import MODES, Pool

# So many lengths are tried of each function: none is compiled again for others.
LENGTHS = 16


class Geometry(NamedTuple):
    """A convolution: its lengths and options."""

    images: tuple[int, ...]
    kernels: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]
    options: dict[str, Any]


def several(rng: np.random.Generator, n: int, low: int, high: int) -> tuple[int, ...]:
    """Draw `n` integers."""
    return tuple(int(k) for k in rng.integers(low, high, n))


def options(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Draw what a convolution along `n` axes is made with."""
    mode: Any = [
        "valid",
        "full",
        "half",
        several(rng, n, 0, 3),
        tuple(zip(several(rng, n, 0, 3), several(rng, n, 0, 3), strict=True)),
    ][rng.integers(5)]
    return {
        "border_mode": mode,
        "subsample": several(rng, n, 1, 4),
        "filter_dilation": several(rng, n, 1, 3),
        "filter_flip": bool(rng.random() < 0.5),
        "num_groups": int(rng.choice([1, 1, 2, 3, 18])),
        "unshared": n == 2 and bool(rng.random() < 0.3),
    }


def geometry(rng: np.random.Generator, o: dict[str, Any]) -> Geometry:
    """Draw lengths for which the windows fit."""
    n, mode = len(o["subsample"]), o["border_mode"]
    sizes = (1,) * n if rng.random() < 0.3 else several(rng, n, 1, 4)
    reach = [(k - 1) * d + 1 for k, d in zip(sizes, o["filter_dilation"], strict=True)]
    pads = {
        "valid": [(0, 0)] * n,
        "full": [(r - 1, r - 1) for r in reach],
        "half": [(r // 2, r // 2) for r in reach],
    }.get(mode if isinstance(mode, str) else "")
    pads = pads or [p if isinstance(p, tuple) else (p, p) for p in mode]
    shape = [max(r - sum(p), 1) + int(rng.integers(0, 5)) for r, p in zip(reach, pads, strict=True)]
    axes = zip(shape, pads, reach, o["subsample"], strict=True)
    places = [(size + sum(p) - r) // s + 1 for size, p, r, s in axes]
    channels, groups = int(rng.integers(1, 3)), o["num_groups"]
    kernels = (
        groups * int(rng.integers(1, 4)),
        *(places if o["unshared"] else ()),
        channels,
        *sizes,
    )
    images = (int(rng.integers(0, 4)), groups * channels, *shape)
    return Geometry(images, kernels, tuple(pads), o)


def tiled(rng: np.random.Generator) -> tuple[int, dict[str, Any], Geometry]:
    """Return axes, options and lengths of windows of 3 × 3 items, so many that tiles make them."""
    n = int(rng.integers(2, 4))
    groups, outer = int(rng.choice([1, 1, 2])), n - 2
    pads = tuple((int(rng.integers(0, 4)), int(rng.integers(0, 4))) for _ in range(n))
    o = {
        "border_mode": pads,
        "subsample": (int(rng.integers(1, 3)),) * outer + (1, 1),
        "filter_dilation": (int(rng.integers(1, 3)),) * outer + (1, 1),
        "filter_flip": bool(rng.random() < 0.5),
        "num_groups": groups,
        "unshared": False,
    }
    channels, rows = several(rng, 2, 12, 40)
    kernels = (groups * rows, channels, *several(rng, outer, 1, 4), 3, 3)
    shape = (*several(rng, outer, 6, 10), *several(rng, 2, 6, 40))
    images = (int(rng.integers(1, 6)), groups * channels, *shape)
    return n, o, Geometry(images, kernels, pads, o)


def terms(g: Geometry) -> Iterator[tuple[Any, Any, Any]]:
    """Yield where a window, an item of the kernels and what they add to lie, of one group.

    What is there has the axes (images, channels), (kernels, channels) and (images, kernels).
    """
    o, n = g.options, len(g.pads)
    sizes, channels = g.kernels[-n:], g.kernels[-n - 1]
    per_group = g.kernels[0] // o["num_groups"]
    reach = [(k - 1) * d + 1 for k, d in zip(sizes, o["filter_dilation"], strict=True)]
    axes = zip(g.images[2:], g.pads, reach, o["subsample"], strict=True)
    places = [range((size + sum(p) - r) // s + 1) for size, p, r, s in axes]
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
            for group in range(o["num_groups"]):
                read = slice(group * channels, (group + 1) * channels)
                made = slice(group * per_group, (group + 1) * per_group)
                yield (
                    (slice(None), read, *at),
                    (made, *own, slice(None), *item),
                    (slice(None), made, *place),
                )


def defined(g: Geometry, x: Any, w: Any, y: Any) -> list[np.ndarray]:
    """Return the convolution of x with w, and its gradients for a cotangent y, in float64."""
    x, w, y = (v.astype("float64") for v in (x, w, y))
    out, of_x, of_w = np.zeros(y.shape), np.zeros(x.shape), np.zeros(w.shape)
    for image, kernel, result in terms(g):
        out[result] += x[image] @ w[kernel].T
        of_x[image] += y[result] @ w[kernel]
        of_w[kernel] += y[result].T @ x[image]
    return [out, of_x, of_w]


def check_convolution(rng: np.random.Generator) -> None:
    """Compare a convolution and its gradients with the definition: exactly, of small integers."""
    n, large = int(rng.integers(1, 4)), None
    o = options(rng, n)
    if rng.random() < 0.15:
        n, o, large = tiled(rng)
    op = FAMILIES[n]["result"](**o)
    dtype = str(rng.choice(["float16", "float32", "float64"]))
    rank = n + 2
    x = T.TensorType(dtype, (False,) * rank)("x")
    w = T.TensorType(dtype, (False,) * (rank + n if o["unshared"] else rank))("w")
    out = op(x, w)
    y = out.type("y")
    outputs = [out, *op.vjp(out.owner, [y])]
    compiled = function([x, w, y], outputs)
    for g in [large] if large else [geometry(rng, o) for _ in range(LENGTHS)]:
        result = (g.images[0], g.kernels[0], *op.windows(g.images, g.kernels))
        values = [rng.integers(-2, 3, size=s).astype(dtype) for s in (g.images, g.kernels, result)]
        wanted = defined(g, *values)
        turned = [np.asfortranarray(v) if rng.random() < 0.3 else v for v in values]
        if rng.random() < 0.5:
            behind = [np.ascontiguousarray(np.moveaxis(v, 1, -1)) for v in values]
            turned[::2] = [np.moveaxis(v, -1, 1) for v in behind[::2]]
        found = compiled(*turned)
        meant = evaluate(outputs, dict(zip([x, w, y], values, strict=True)))
        names = ("result", "images", "kernels")
        for name, a, b, c in zip(names, wanted, found, meant, strict=True):
            for kind, got in (("native code", b), ("compute", c)):
                assert got.dtype == dtype and got.shape == a.shape, (name, kind, got.shape, g)
                np.testing.assert_array_equal(got, a.astype(dtype), f"{name}, {kind}: {g}")


def pooled(
    mode: str, exact: np.ndarray, windows: Any, steps: Any, pads: Any, ignore_border: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return a pool, and the gradient of the sum of its items times 1, 2, 3 and so on."""
    n = len(windows)
    sizes = exact.shape[exact.ndim - n :]
    counts = []
    for size, w, s, pad in zip(sizes, windows, steps, pads, strict=True):
        starts = range(0, size + 2 * pad, s)
        if ignore_border:
            kept = [a for a in starts if a + w <= size + 2 * pad]
        else:
            # A window is there for each item that those before it have not reached.
            kept = [a for a in starts if a == 0 or s >= w or a - s + w < size]
            kept = [a for a in kept if a < size]
        counts.append(kept)
    lead = exact.shape[: exact.ndim - n]
    out, slope = np.zeros((*lead, *map(len, counts))), np.zeros(exact.shape)
    weights = np.arange(1.0, out.size + 1).reshape(out.shape)
    for place in np.ndindex(*map(len, counts)):
        first = [kept[i] for kept, i in zip(counts, place, strict=True)]
        ends = [a + w for a, w in zip(first, windows, strict=True)]
        inside = tuple(
            slice(max(a - pad, 0), min(b - pad, size))
            for a, b, pad, size in zip(first, ends, pads, sizes, strict=True)
        )
        for row in np.ndindex(*lead):
            part, g = exact[row][inside], weights[(*row, *place)]
            axes = zip(first, ends, sizes, pads, strict=True)
            whole = np.prod([min(b, size + 2 * pad) - a for a, b, size, pad in axes])
            if mode == "max":
                out[(*row, *place)] = part.max()
                slope[row][inside] += g * (part == part.max())
                continue
            divisor = {"sum": 1, "average_inc_pad": whole, "average_exc_pad": part.size}[mode]
            out[(*row, *place)] = part.sum() / divisor
            slope[row][inside] += g / divisor
    return out, slope


def check_pool(rng: np.random.Generator) -> None:
    """Compare a pool and its gradient with the definition."""
    n = int(rng.integers(1, 4))
    windows, steps = several(rng, n, 1, 4), several(rng, n, 1, 4)
    ignore_border = bool(rng.random() < 0.6)
    pads = tuple(int(rng.integers(0, w)) if ignore_border else 0 for w in windows)
    leading = int(rng.integers(0, 3))
    mode, dtype = str(rng.choice(MODES)), str(rng.choice(["float32", "float64"]))
    x = T.TensorType(dtype, (False,) * (leading + n))("x")
    ws = T.lvector("ws") if rng.random() < 0.3 else np.array(windows)
    out = Pool(ignore_border, mode, n)(x, ws, steps, pads)
    weights = T.arange(1, out.size + 1).reshape(out.shape)
    outputs = [out, T.grad((out * weights).sum(), x)]
    inputs = [v for v in (x, ws) if isinstance(v, type(x))]
    compiled = function(inputs, outputs)
    for _ in range(LENGTHS):
        shape = (*several(rng, leading, 0, 3), *several(rng, n, 1, 8))
        value = rng.integers(-3, 4, size=shape).astype(dtype)
        given = [value, np.array(windows)][: len(inputs)]
        wanted = pooled(mode, value.astype("float64"), windows, steps, pads, ignore_border)
        found = compiled(*given)
        meant = evaluate(outputs, dict(zip(inputs, given, strict=True)))
        note = f"{mode} {windows} {steps} {pads} {ignore_border} {shape}"
        for a, b, c in zip(wanted, found, meant, strict=True):
            for got in (b, c):
                assert got.dtype == dtype and got.shape == a.shape, (got.shape, a.shape, note)
                np.testing.assert_allclose(got, a, rtol=1e-5, atol=1e-5, err_msg=note)


def main(first: int, last: int) -> None:
    """Check the functions of some seeds, each for several lengths."""
    for seed in range(first, last):
        try:
            check_convolution(np.random.default_rng(seed))
            check_pool(np.random.default_rng(seed))
        except AssertionError as error:
            print(f"seed {seed}: {error}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
