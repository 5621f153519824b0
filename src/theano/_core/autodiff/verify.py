"""Derivatives by finite differences, and how far others are from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike

_STEPS = {"float64": 1e-7, "float32": 3e-4, "float16": 1e-1}


class NumericGradient:
    """The gradient of a scalar function of arrays, measured by moving one item at a time.

    Parameters
    ----------
    f : callable
        Takes the arrays of `pt`, returns a number.
    pt : list of ndarray, float, or one ndarray
        Where to measure.
    eps : float, optional
        How far an item is moved; by default 1e-7 in float64, 3e-4 in float32, 0.1 in float16.
    out_type : str, optional
        dtype that `f` computes in, if it is less precise than its arguments.

    Attributes
    ----------
    gf : list of ndarray, or one ndarray
        The gradient with respect to each array, as `pt`.
    type_eps : dict
        How far an item is moved, by its dtype and the name of it.
    """

    type_eps: ClassVar[dict[Any, float]] = {
        **_STEPS,
        **{np.dtype(name): step for name, step in _STEPS.items()},
    }

    def __init__(
        self,
        f: Callable[..., object],
        pt: Sequence[np.ndarray],
        eps: float | None = None,
        out_type: str | None = None,
    ) -> None:
        single = not isinstance(pt, (list, tuple))
        points = [np.array(p) for p in ([pt] if single else pt)]
        for point in points:
            if str(point.dtype) not in _STEPS:
                raise TypeError(f"points must have a float dtype, got {point.dtype}")
        names = [str(p.dtype) for p in points] + ([out_type] if out_type in _STEPS else [])
        step = max(_STEPS[name] for name in names) if eps is None else eps
        gradients = [self._one(f, points, which, step) for which in range(len(points))]
        self.gf: Any = gradients[0] if single else gradients

    @staticmethod
    def _one(f: Callable[..., Any], points: list[Any], which: int, step: float) -> np.ndarray:
        base = float(np.asarray(f(*(p.copy() for p in points))))
        point = points[which]
        result = np.zeros(point.shape, dtype=point.dtype)
        for index in np.ndindex(point.shape):
            moved = [p.copy() for p in points]
            moved[which][index] += step
            # What was really added, after rounding.
            width = float(moved[which][index]) - float(point[index])
            result[index] = (float(np.asarray(f(*moved))) - base) / width
        return result

    @staticmethod
    def abs_rel_err(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the absolute error between arrays, and the error relative to their size."""
        absolute = np.abs(a - b)
        # The bound keeps two zeros from dividing by zero.
        return absolute, absolute / np.maximum(np.abs(a) + np.abs(b), 1e-8)

    def abs_rel_errors(self, g_pt: Sequence[Any]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return the errors of `g_pt`, an estimate of `gf`.

        Raises
        ------
        ValueError
            The number of arrays or a shape differs.
        """
        mine = self.gf if isinstance(self.gf, list) else [self.gf]
        if len(g_pt) != len(mine):
            raise ValueError(f"argument has wrong number of elements: {len(g_pt)}, not {len(mine)}")
        for position, (theirs, own) in enumerate(zip(g_pt, mine, strict=True)):
            if theirs.shape != own.shape:
                raise ValueError(
                    f"argument element {position} has wrong shapes {theirs.shape}, {own.shape}"
                )
        return [self.abs_rel_err(a, b) for a, b in zip(g_pt, mine, strict=True)]

    def max_err(
        self, g_pt: Sequence[TensorLike], abs_tol: float, rel_tol: float
    ) -> tuple[int, int, float, float]:
        """Return (argument, flat position, absolute error, relative error) of the worst item.

        An item is as bad as the better of its two errors, each over its tolerance.
        """
        worst = (0, 0, 0.0, 0.0)
        worst_measure = -1.0
        for position, (absolute, relative) in enumerate(self.abs_rel_errors(g_pt)):
            if not absolute.size:
                continue
            measure = np.minimum(absolute / abs_tol, relative / rel_tol)
            at = int(np.argmax(measure))
            value = float(measure.flat[at])
            if not np.isfinite(value):
                # NaN or infinity in either gradient: nothing can be worse.
                value = np.inf
            if value > worst_measure:
                worst_measure = value
                worst = (position, at, float(absolute.flat[at]), float(relative.flat[at]))
        return worst


numeric_grad = NumericGradient
