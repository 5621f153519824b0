"""A million random numbers under a fixed seed: nanoseconds for each of them.

NumPy's generator is its Philox, whose uniform numbers Theano's are bit for bit; `theano 4x32` is
the generator of 32-bit words. JAX and torch run the generators they have. NumPy's copy of as many
items is there for the speed of memory.
"""

from __future__ import annotations

import numpy as np
from figures import Figures, best_time, main

N = 1_000_000
MOMENTS = {"uniform": (0.5, 1 / 12), "normal": (0, 1), "gamma(2)": (2, 2), "poisson(30)": (30, 30)}
DRAWS = [
    ("uniform", "float64"),
    ("uniform", "float32"),
    ("normal", "float64"),
    ("normal", "float32"),
    ("gamma(2)", "float64"),
    ("poisson(30)", "int64"),
]


def check(name: str, dtype: str, got) -> None:
    got = np.asarray(got)
    assert got.dtype == dtype
    assert got.shape == (N,)
    mean, variance = MOMENTS[name]
    got = got.astype("float64")
    assert abs(got.mean() - mean) < 6 * np.sqrt(variance / N)
    assert abs(got.var() / variance - 1) < 0.01


def figures(make) -> Figures:
    """Time `make(name, dtype)()` for each draw; None: there is no such draw."""
    out: Figures = {}
    for name, dtype in DRAWS:
        call = make(name, dtype)
        if call is not None:
            check(name, dtype, call())
            out[f"{name}, {dtype}, each"] = (1e9 * best_time(call, 0.6) / N, "ns")
    return out


def numpy_case() -> Figures:
    rng = np.random.Generator(np.random.Philox(key=0))
    calls = {
        "uniform": lambda dtype: rng.random(N, dtype=dtype),
        "normal": lambda dtype: rng.standard_normal(N, dtype=dtype),
        "gamma(2)": lambda dtype: rng.standard_gamma(2.0, N),
        "poisson(30)": lambda dtype: rng.poisson(30.0, N),
    }
    out = figures(lambda name, dtype: lambda: calls[name](dtype))
    source, target = np.ones(N), np.empty(N)
    seconds = best_time(lambda: np.copyto(target, source), 0.6)
    return {"copy, float64, each": (1e9 * seconds / N, "ns"), **out}


def theano_case(generator: str = "philox4x64") -> Figures:
    import theano
    from theano.tensor import random

    # The key is an argument, so that nothing is known before the call.
    value = random.key(0, generator).data
    key = theano.tensor.TensorType(str(value.dtype), (False,))("key")
    draws = {
        "uniform": lambda dtype: random.uniform(key, (N,), dtype=dtype),
        "normal": lambda dtype: random.normal(key, (N,), dtype=dtype),
        "gamma(2)": lambda dtype: random.gamma(key, (N,), 2.0, dtype=dtype),
        "poisson(30)": lambda dtype: random.poisson(key, (N,), 30.0),
    }

    def make(name: str, dtype: str):
        f = theano.function([key], draws[name](dtype))
        return lambda: f(value)

    return figures(make)


def jax_case() -> Figures:
    import jax

    draws = {
        "uniform": lambda key, dtype: jax.random.uniform(key, (N,), dtype),
        "normal": lambda key, dtype: jax.random.normal(key, (N,), dtype),
        "gamma(2)": lambda key, dtype: jax.random.gamma(key, 2.0, (N,), dtype),
        "poisson(30)": lambda key, dtype: jax.random.poisson(key, 30.0, (N,), dtype),
    }
    value = jax.random.key(0)

    def make(name: str, dtype: str):
        f = jax.jit(lambda key: draws[name](key, dtype))
        return lambda: f(value).block_until_ready()

    return figures(make)


def torch_case() -> Figures:
    import torch

    draws = {"uniform": torch.rand, "normal": torch.randn}

    def make(name: str, dtype: str):
        if name not in draws:
            return None
        return lambda: draws[name](N, dtype=getattr(torch, dtype))

    return figures(make)


if __name__ == "__main__":
    main(
        {
            "numpy": numpy_case,
            "theano": theano_case,
            "theano 4x32": lambda: theano_case("philox4x32"),
            "jax": jax_case,
            "torch": torch_case,
        }
    )
