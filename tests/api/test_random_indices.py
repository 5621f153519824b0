"""Random indices, against NumPy: reads, writes and gradients of all kinds of entries mixed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import theano.tensor as T
from theano._core.compile.function import function

LENGTHS = (4, 3, 5)


class Draw:
    """One random index: as NumPy takes it, as variables, and the values of those."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.plain: list[Any] = []
        self.symbolic: list[Any] = []
        self.given: dict[Any, Any] = {}
        self.count = int(self.rng.integers(0, 4))
        axis = 0
        dots = int(self.rng.integers(0, 4))
        while axis < 3:
            if axis == dots and self.rng.random() < 0.3:
                dots = -1
                self.add(Ellipsis, Ellipsis)
                axis += int(self.rng.integers(0, 3 - axis + 1))
                continue
            kind = self.rng.choice(["int", "slice", "array", "mask", "new", "stop"])
            if kind == "stop":
                if dots == -1:
                    # What follows an Ellipsis reaches to the last axis.
                    continue
                break
            axis += getattr(self, f"_{kind}")(axis)
        if not self.plain:
            self.add(Ellipsis, Ellipsis)

    def add(self, plain: Any, symbolic: Any) -> None:
        self.plain.append(plain)
        self.symbolic.append(symbolic)

    def variable(self, value: Any) -> Any:
        array = np.asarray(value)
        kind = T.TensorType(str(array.dtype), (False,) * array.ndim)
        variable = kind()
        self.given[variable] = array
        return variable

    def perhaps(self, value: int | None) -> Any:
        if value is None or self.rng.random() < 0.5:
            return value
        return self.variable(np.int64(value))

    def _int(self, axis: int) -> int:
        value = int(self.rng.integers(-LENGTHS[axis], LENGTHS[axis]))
        self.add(value, self.perhaps(value))
        return 1

    def _slice(self, axis: int) -> int:
        parts = [
            None if self.rng.random() < 0.4 else int(self.rng.integers(-7, 8)) for _ in range(2)
        ]
        step = [None, 1, 2, -1, -2, 3][self.rng.integers(0, 6)]
        self.add(slice(*parts, step), slice(*map(self.perhaps, [*parts, step])))
        return 1

    def _array(self, axis: int) -> int:
        shape = (self.count,) if self.rng.random() < 0.6 else (2, self.count)
        values = self.rng.integers(-LENGTHS[axis], LENGTHS[axis], shape)
        self.add(values, self.variable(values) if self.rng.random() < 0.7 else T.constant(values))
        return 1

    def _mask(self, axis: int) -> int:
        if any(isinstance(p, np.ndarray) for p in self.plain):
            # Masks of unequal counts do not broadcast.
            return self._int(axis)
        rank = int(self.rng.integers(1, 3 - axis + 1))
        values = self.rng.random(LENGTHS[axis : axis + rank]) < 0.5
        self.count = int(values.sum())
        self.add(values, self.variable(values))
        return rank

    def _new(self, axis: int) -> int:
        self.add(None, None)
        return 0


@pytest.mark.parametrize("seed", range(100))
def test_random_index(seed: int) -> None:
    draw = Draw(seed)
    rng = np.random.default_rng(seed)
    array = rng.standard_normal(LENGTHS)
    at = tuple(draw.plain)
    part = array[at]
    value = rng.standard_normal(part.shape)
    x, y = T.dtensor3("x"), T.TensorType("float64", (False,) * part.ndim)("y")
    read = x[tuple(draw.symbolic)]
    outs = [read, T.grad((read**2).sum(), x)]
    outs += [T.set_subtensor(read, y), T.inc_subtensor(read, y), T.inc_subtensor(read, 1)]
    f = function([x, y, *draw.given], outs, on_unused_input="ignore")
    added, counted, changed = array.copy(), array.copy(), array.copy()
    np.add.at(added, at, value)
    np.add.at(counted, at, 1)
    changed[at] = value
    slope = np.zeros_like(array)
    np.add.at(slope, at, 2 * part)
    strided = np.repeat(array, 2, axis=2)[:, :, ::2]
    for given in (array, strided):
        got = f(given, value, *draw.given.values())
        for one, wanted in zip(got, (part, slope, changed, added, counted), strict=True):
            assert one.shape == wanted.shape
            np.testing.assert_allclose(one, wanted, rtol=1e-14, atol=1e-15)
