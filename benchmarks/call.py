"""What one call costs: two float64 numbers, and two vectors of five."""

from __future__ import annotations

import numpy as np
from figures import Figures, best_time, main

x5, y5 = np.arange(5.0), np.ones(5)


def figures(scalars, vectors) -> Figures:
    return {
        "f(1.0, 2.0)": (1e9 * best_time(scalars), "ns"),
        "f(x, y), 5 numbers each": (1e9 * best_time(vectors), "ns"),
    }


def numpy_case() -> Figures:
    x, y = np.array(1.0), np.array(2.0)
    return figures(lambda: x + y, lambda: x5 + y5)


def symbolic(module, tensor) -> Figures:
    x, y = tensor.dscalar("x"), tensor.dscalar("y")
    v, w = tensor.dvector("v"), tensor.dvector("w")
    f, g = module.function([x, y], x + y), module.function([v, w], v + w)
    assert f(1.0, 2.0) == 3.0
    return figures(lambda: f(1.0, 2.0), lambda: g(x5, y5))


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

    f = jax.jit(lambda x, y: x + y)
    return figures(lambda: f(1.0, 2.0).block_until_ready(), lambda: f(x5, y5).block_until_ready())


def torch_case() -> Figures:
    import torch

    f = torch.compile(lambda x, y: x + y)
    one, two = torch.tensor(1.0).double(), torch.tensor(2.0).double()
    v, w = torch.from_numpy(x5), torch.from_numpy(y5)
    return figures(lambda: f(one, two), lambda: f(v, w))


if __name__ == "__main__":
    main(
        {
            "numpy": numpy_case,
            "theano": theano_case,
            "pytensor": pytensor_case,
            "jax": jax_case,
            "torch": torch_case,
        }
    )
