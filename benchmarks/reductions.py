"""Sums of ten million numbers along each axis of matrices, wide and narrow: milliseconds."""

from __future__ import annotations

import numpy as np
from figures import Figures, best_time, main

SHAPES = [(10, 1_000_000), (1000, 10_000), (10_000, 1000), (100_000, 100), (1_000_000, 10)]


def figures(make) -> Figures:
    """Time `make(x, axis)()` for every shape."""
    out = {}
    for shape in SHAPES:
        x = np.random.default_rng(0).normal(size=shape)
        for axis in (0, 1):
            call = make(x, axis)
            np.testing.assert_allclose(np.asarray(call()), x.sum(axis), rtol=1e-9, atol=1e-7)
            name = f"{shape[0]:,} × {shape[1]:,}, axis {axis}"
            out[name] = (1e3 * best_time(call, 0.4), "ms")
    return out


def numpy_case() -> Figures:
    return figures(lambda x, axis: lambda: x.sum(axis))


def theano_case(threads: int = 1) -> Figures:
    import theano
    import theano.tensor as T

    theano.config.threads = threads

    def make(x, axis):
        v = T.dmatrix()
        f = theano.function([v], v.sum(axis=axis))
        return lambda: f(x)

    return figures(make)


def jax_case() -> Figures:
    import jax
    import jax.numpy as jnp

    f = jax.jit(lambda x, axis: x.sum(axis), static_argnums=1)

    def make(x, axis):
        x = jnp.asarray(x)
        return lambda: f(x, axis).block_until_ready()

    return figures(make)


if __name__ == "__main__":
    main(
        {
            "numpy": numpy_case,
            "theano": theano_case,
            "theano on 2 threads": lambda: theano_case(2),
            "jax": jax_case,
        }
    )
