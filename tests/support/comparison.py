"""Comparison of results: bit for bit, or within a tolerance that says why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Tolerance:
    """How far a result may lie from the expected one.

    Parameters
    ----------
    units : float
        Of the machine epsilon of the result's dtype, relative to each expected value.
    why : str
        What is rounded in another way. It stands in the message of a failure.
    floor : float
        Of the epsilon, relative to the largest expected value: where terms cancel.
    """

    units: float
    why: str
    floor: float = 0


EXACT = Tolerance(0, "the same operations in the same order")
ROUNDING = Tolerance(8, "a few operations are rounded in another order")
SUMS = Tolerance(64, "terms are added in another order", floor=64)
DERIVATIVES = Tolerance(2**12, "a derivative is computed along another path", floor=2**12)
SOLUTIONS = Tolerance(2**16, "the error of a solution grows with the condition", floor=2**16)


def assert_close(found: Any, wanted: Any, tolerance: Tolerance = ROUNDING) -> None:
    """Compare arrays, or lists of them, item by item; NaN equals NaN.

    Shapes must agree. The dtype of the result decides the epsilon, so that `wanted` may be
    computed in a wider one.
    """
    if isinstance(found, (list, tuple)):
        for one, other in zip(found, wanted, strict=True):
            assert_close(one, other, tolerance)
        return
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert found.shape == wanted.shape, (found.shape, wanted.shape)
    if found.dtype.kind not in "fc":
        np.testing.assert_array_equal(found, wanted)
        return
    epsilon = float(np.finfo(found.dtype).eps)
    finite = abs(wanted[np.isfinite(wanted)])
    largest = float(finite.max(initial=0))
    np.testing.assert_allclose(
        found.astype(np.result_type(found, wanted)),
        wanted,
        rtol=tolerance.units * epsilon,
        atol=tolerance.floor * epsilon * largest,
        err_msg=f"allowed: {tolerance.why}",
    )


def assert_same(got: Any, wanted: Any, ulp: float = 0, floor: float = 0) -> None:
    """Compare item by item: dtype, shape, NaN, sign of zero, numbers within `ulp` and `floor`.

    A result at the end of the range may overflow where the other does not.
    """
    if isinstance(got, (list, tuple)):
        for one, other in zip(got, wanted, strict=True):
            assert_same(one, other, ulp, floor)
        return
    got, wanted = np.asarray(got), np.asarray(wanted)
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
