"""Arrays that are hard to compute with: edges of each dtype, odd shapes, layouts NumPy accepts."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings, strategies as st

KINDS = [
    "bool",
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]
FLOATS = ["float16", "float32", "float64"]

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
        suppress_health_check=list(HealthCheck),
    )


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


_LAID_OUT = {
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
LAYOUTS = list(_LAID_OUT)


def laid_out(array: np.ndarray, layout: str) -> np.ndarray:
    """Return an array in a layout; its numbers are those of `array` unless parts overlap."""
    return _LAID_OUT[layout](array)


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
    layout = [draw(st.sampled_from(LAYOUTS)) for _ in chosen]
    return tuple(
        laid_out(numbers(rng, kind, shape), how) for kind, how in zip(chosen, layout, strict=True)
    )


def assert_same(got: Any, wanted: Any, ulp: float = 0, floor: float = 0) -> None:
    """Compare item by item: dtype, shape, NaN, sign of zero, numbers within `ulp` and `floor`.

    A result at the end of the range may overflow where the other does not.
    """
    assert got.dtype == wanted.dtype, (got.dtype, wanted.dtype)
    assert got.shape == wanted.shape, (got.shape, wanted.shape)
    if got.dtype.kind == "c":
        assert_near_in_plane(got, wanted, ulp, floor)
        return
    if got.dtype.kind != "f":
        np.testing.assert_array_equal(got, wanted)
        return
    info = np.finfo(got.dtype)
    largest = np.longdouble(info.max)
    with np.errstate(invalid="ignore"):
        wide, other = (np.clip(a.astype("longdouble"), -largest, largest) for a in (got, wanted))
        exponent = np.maximum(np.frexp(other)[1] - 1, info.minexp) - info.nmant
        good = abs(wide - other) <= ulp * np.ldexp(np.longdouble(1), exponent) + floor
    good |= np.isnan(got) & np.isnan(wanted)
    good &= (np.signbit(got) == np.signbit(wanted)) | (wanted != 0) | np.isnan(wanted)
    assert good.all(), (got[~good][:3], wanted[~good][:3])


def assert_near_in_plane(got: Any, wanted: Any, ulp: float, floor: float) -> None:
    """Compare complex numbers by the distance in the plane, and by which of them are NaN."""
    np.testing.assert_array_equal(np.isnan(got), np.isnan(wanted))
    finite = np.isfinite(wanted)
    good = np.isfinite(got) | ~finite
    info = np.finfo(got.dtype)
    size = np.where(finite, wanted, 0)
    distance = abs(np.where(finite, got, 0) - size)
    good &= distance <= 2 * ulp * info.eps * abs(size) + 4 * info.tiny + floor
    assert good.all(), (got[~good][:3], wanted[~good][:3])


def moderate(array: np.ndarray, most: float = 30) -> np.ndarray:
    """Return numbers below `most` whose sums and products are finite and not subnormal."""
    if array.dtype.kind not in "fc":
        return array
    with np.errstate(all="ignore"):
        usual = np.isfinite(array) & (abs(array) < most) & (abs(array) > 1e-2)
    return np.where(usual, array, np.asarray(1, array.dtype))
