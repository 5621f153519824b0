"""An elementwise expression on a million numbers: nanoseconds for each of them."""

from __future__ import annotations

import numpy as np
from figures import Figures, best_time, main

N = 1_000_000
DTYPES = ("float64", "float32")


def data(dtype: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.RandomState(0)
    return rng.randn(N).astype(dtype), rng.randn(N).astype(dtype)


def formula(xp, x, y):
    return 1 / (1 + xp.exp(-x)) * xp.tanh(y) + xp.log1p(x * x) - xp.sqrt(xp.abs(y))


def check(got, dtype: str) -> None:
    x, y = (a.astype("float64") for a in data(dtype))
    tolerance = 1e-12 if dtype == "float64" else 2e-5
    np.testing.assert_allclose(np.asarray(got), formula(np, x, y), rtol=tolerance, atol=tolerance)
    assert np.asarray(got).dtype == dtype


def figures(make) -> Figures:
    """Time `make(x, y)()` for both dtypes."""
    out = {}
    for dtype in DTYPES:
        call = make(*data(dtype))
        check(call(), dtype)
        out[f"1e6 numbers, {dtype}, each"] = (1e9 * best_time(call, 0.6) / N, "ns")
    return out


def numpy_case() -> Figures:
    return figures(lambda x, y: lambda: formula(np, x, y))


def numexpr_case() -> Figures:
    import numexpr

    text = "1 / (1 + exp(-x)) * tanh(y) + log1p(x * x) - sqrt(abs(y))"
    return figures(lambda x, y: lambda: numexpr.evaluate(text, {"x": x, "y": y}))


def symbolic(module, tensor) -> Figures:
    def make(x, y):
        v, w = tensor.vector("v", dtype=x.dtype.name), tensor.vector("w", dtype=x.dtype.name)
        f = module.function([v, w], formula(Names(tensor), v, w))
        return lambda: f(x, y)

    return figures(make)


class Names:
    """A tensor module with NumPy's names, where its own differ."""

    def __init__(self, module) -> None:
        self.module = module

    def __getattr__(self, name: str):
        return getattr(self.module, "abs_" if name == "abs" else name, None) or self.module.abs


def theano_case() -> Figures:
    import theano
    import theano.tensor

    return symbolic(theano, theano.tensor)


def pytensor_case() -> Figures:
    import pytensor
    import pytensor.tensor

    return symbolic(pytensor, pytensor.tensor)


def jax_case() -> Figures:
    import jax
    import jax.numpy as jnp

    f = jax.jit(lambda x, y: formula(jnp, x, y))

    def make(x, y):
        x, y = jnp.asarray(x), jnp.asarray(y)
        return lambda: f(x, y).block_until_ready()

    return figures(make)


def torch_case() -> Figures:
    import torch

    f = torch.compile(lambda x, y: formula(torch, x, y), dynamic=False)

    def make(x, y):
        x, y = torch.from_numpy(x), torch.from_numpy(y)
        return lambda: f(x, y)

    return figures(make)


if __name__ == "__main__":
    main(
        {
            "numpy": numpy_case,
            "theano": theano_case,
            "numexpr": numexpr_case,
            "pytensor": pytensor_case,
            "jax": jax_case,
            "torch": torch_case,
        }
    )
