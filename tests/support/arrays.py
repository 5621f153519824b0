"""Arrays for tests: of every dtype, of odd shapes, in every layout that NumPy accepts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings, strategies as st

import theano.tensor as T

FLOATS = ["float16", "float32", "float64"]
COMPLEX = ["complex64", "complex128"]
SIGNED = ["int8", "int16", "int32", "int64"]
UNSIGNED = ["uint8", "uint16", "uint32", "uint64"]
DTYPES = ["bool", *SIGNED, *UNSIGNED, *FLOATS, *COMPLEX]

# 0-d, nothing, one item, a remainder of the vector loop, one vector and more, several rows.
SHAPES = [
    *[(), (0,), (1,), (3,), (67,), (300,)],
    *[(2, 0, 3), (1, 5), (4, 1), (3, 17), (4, 1, 3), (1, 1, 67), (2, 3, 35)],
]
# What NumPy leaves in the strides of axes of length 1 and of empty arrays: anything.
LOOSE = [0, 1, -8, 24, -(2**40) - 3, 2**62 + 5]


def budget(examples: int) -> settings:
    """Return settings for a test of so many examples, the same ones at each run."""
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def variable(like: np.ndarray | str, rank: int = 0, name: str | None = None) -> Any:
    """Return a variable of an array's dtype and rank, or of a dtype and a rank."""
    if not isinstance(like, str):
        like, rank = like.dtype.newbyteorder("=").name, like.ndim
    return T.TensorType(like, (False,) * rank)(name)


def variables(*arrays: np.ndarray) -> list[Any]:
    """Return a variable for each array; its name is `x0`, `x1` and so on."""
    return [variable(array, name=f"x{i}") for i, array in enumerate(arrays)]


def values(shape: tuple[int, ...] | int, dtype: str = "float64", seed: int = 0) -> np.ndarray:
    """Return ordinary values: normal floats, integers from -50 (0 if unsigned) to 49."""
    rng = np.random.default_rng(seed)
    kind = np.dtype(dtype).kind
    if kind in "biu":
        return rng.integers(
            {"b": 0, "u": 0, "i": -50}[kind], 2 if kind == "b" else 50, shape, dtype
        )
    found = rng.normal(size=shape)
    return np.asarray(found + 1j * rng.normal(size=shape) if kind == "c" else found, dtype)


def edges(kind: str) -> np.ndarray:
    """Return the numbers of a dtype where functions change or fail."""
    dtype = np.dtype(kind)
    if kind == "bool":
        return np.array([False, True])
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        near = {info.min, info.min + 1, info.max, info.max - 1, info.max // 2}
        small = {n for n in (-7, -3, -2, -1, 0, 1, 2, 3, 7) if n >= info.min}
        return np.array(sorted(near | small), dtype)
    real = np.finfo(dtype)
    near_zero = [0, real.smallest_subnormal, real.tiny / 2, real.tiny, real.eps]
    ordinary = [0.5, 1, 1.5, 2, 2.5, 3, 10, 25.5]
    size = np.array([*near_zero, *ordinary, real.max / 2, real.max, np.inf, np.nan], real.dtype)
    parts = np.concatenate([size, -size])
    if dtype.kind == "f":
        return parts
    # Products of complex numbers may overflow on the way where NumPy's fused ones do not.
    parts = parts[np.isfinite(parts) & (abs(parts) < 100)]
    return (parts[:, None] + np.zeros_like(parts)).ravel() + 1j * np.tile(parts, len(parts))


def numbers(rng: np.random.Generator, kind: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return edges, ordinary numbers and random bits, mixed."""
    dtype = np.dtype(kind)
    count = int(np.prod(shape))
    special = rng.choice(edges(kind), count)
    ordinary = rng.normal(size=count) * 10.0 ** rng.integers(-2, 3, count)
    if dtype.kind in "biu":
        usual = rng.integers(0, 2 if kind == "bool" else 100, count).astype(dtype)
        if dtype.kind == "i":
            usual = usual - dtype.type(50)
    elif dtype.kind == "f":
        usual = ordinary.astype(dtype)
        bits = rng.integers(0, 256, count * dtype.itemsize, "uint8").view(dtype)
        usual = np.where(rng.random(count) < 0.2, bits, usual)
    else:
        usual = (ordinary + 1j * rng.normal(size=count)).astype(dtype)
    with np.errstate(all="ignore"):
        mixed = np.where(rng.random(count) < rng.choice([0, 0.3, 1]), special, usual)
    return np.asarray(mixed.astype(dtype).reshape(shape))


def loosened(array: np.ndarray) -> np.ndarray:
    """Return an array with other strides where they have no meaning."""
    strides = [
        stride if length > 1 and array.size else LOOSE[(axis + sum(array.shape)) % len(LOOSE)]
        for axis, (length, stride) in enumerate(zip(array.shape, array.strides, strict=True))
    ]
    return np.lib.stride_tricks.as_strided(array, array.shape, strides)


def unaligned(array: np.ndarray) -> np.ndarray:
    """Return an array whose items lie at odd addresses."""
    memory = bytearray(b"\0" + array.tobytes())
    return np.frombuffer(memory, array.dtype, array.size, 1).reshape(array.shape)


def read_only(array: np.ndarray) -> np.ndarray:
    """Return a copy that must not be written to."""
    array = array.copy()
    array.flags.writeable = False
    return array


def strided(array: np.ndarray) -> np.ndarray:
    """Return an array of every other item of its last axis."""
    return np.repeat(array, 2, axis=-1)[..., ::2] if array.ndim else array


def strided_everywhere(array: np.ndarray) -> np.ndarray:
    """Return an array of every other item of each axis."""
    wide = np.zeros([2 * n for n in array.shape], array.dtype)
    part = wide[(slice(None, None, 2),) * array.ndim]
    part[...] = array
    return part


def reversed_everywhere(array: np.ndarray) -> np.ndarray:
    """Return an array of negative stride along every axis."""
    backwards = (slice(None, None, -1),) * array.ndim
    return array[backwards].copy()[backwards]


def part_of_wider(array: np.ndarray) -> np.ndarray:
    """Return the middle of an array with more items along the last axis."""
    return np.concatenate([array] * 3, -1)[..., len(array.T) : 2 * len(array.T)]


def reversed_items(array: np.ndarray) -> np.ndarray:
    """Return an array of negative stride along its last axis."""
    return array[..., ::-1].copy()[..., ::-1] if array.ndim else array


def broadcast(array: np.ndarray) -> np.ndarray:
    """Return the first row of an array in the place of each."""
    return np.broadcast_to(array[:1], array.shape) if array.size and array.ndim else array


def overlapping(array: np.ndarray) -> np.ndarray:
    """Return an array whose rows share memory."""
    if not array.size or not array.ndim:
        return array
    step = array.itemsize
    flat = np.resize(array.ravel(), sum(array.shape))
    return np.lib.stride_tricks.as_strided(flat, array.shape, (step,) * array.ndim)


LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "contiguous": lambda array: array,
    "strided": strided,
    "reversed": reversed_items,
    "transposed": lambda array: np.array(array, order="F"),
    "unaligned": unaligned,
    "read-only": read_only,
    "byte-swapped": lambda array: array.astype(array.dtype.newbyteorder(">")),
    "broadcast": broadcast,
    "overlapping": overlapping,
    "loose": loosened,
    "strided and loose": lambda array: loosened(strided(array)),
}


def layouts(array: np.ndarray) -> Iterator[np.ndarray]:
    """Yield an array in each layout that changes how loops run, but not its values.

    Contiguous in either order, with gaps, backwards, within a wider one, and with strides that mean
    nothing. A scalar array has but one layout.
    """
    yield array
    if array.ndim:
        yield np.asfortranarray(array)
        yield strided(array)
        yield strided_everywhere(array)
        yield reversed_everywhere(array)
        yield part_of_wider(array)
        yield loosened(array)


def native_copy(array: np.ndarray) -> np.ndarray:
    """Return the numbers of an array, contiguous and in the byte order of the machine."""
    return np.array(array, dtype=array.dtype.newbyteorder("="), order="C")


@st.composite
def array_sets(
    draw: st.DrawFn, kinds: list[tuple[str, ...]], shapes: list[tuple[int, ...]] | None = None
) -> tuple[np.ndarray, ...]:
    """Draw arrays of one shape, of one of the sets of dtypes `kinds`, each laid out in its way."""
    chosen = draw(st.sampled_from(kinds))
    shape = draw(st.sampled_from(SHAPES if shapes is None else shapes))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    layout = [draw(st.sampled_from(list(LAYOUTS))) for _ in chosen]
    return tuple(
        LAYOUTS[how](numbers(rng, kind, shape)) for kind, how in zip(chosen, layout, strict=True)
    )


def moderate(array: np.ndarray, most: float = 30) -> np.ndarray:
    """Return numbers below `most` whose sums and products are finite and not subnormal."""
    if array.dtype.kind not in "fc":
        return array
    with np.errstate(all="ignore"):
        usual = np.isfinite(array) & (abs(array) < most) & (abs(array) > 1e-2)
    return np.where(usual, array, np.asarray(1, array.dtype))
