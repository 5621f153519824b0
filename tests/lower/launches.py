"""What runs the loops of a function, and arrays that lie in many ways, for tests of copies."""

from __future__ import annotations

import numpy as np

import theano
from theano._core.lower import program as ir

RANDOM = np.random.default_rng(7)
LAYOUTS = {
    "packed": lambda x: x,
    "column by column": np.asfortranarray,
    "backwards": lambda x: x[..., ::-1, ::-1],
    "every second": lambda x: np.repeat(np.repeat(x, 2, -2), 2, -1)[..., ::2, ::2],
    "beside others": lambda x: np.concatenate([x, x], -1)[..., x.shape[-1] :],
    "one for all": lambda x: np.broadcast_to(x[..., :1, :], x.shape),
}


def kernels(f: theano.compile.Function) -> list[object]:
    """Return what runs the loops of a function."""
    return [
        i.kernel for i in ir.walk(f.maker.program_text.program.body) if isinstance(i, ir.Launch)
    ]


def values(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    return (RANDOM.random(shape) * 100).astype(dtype)
