"""Random indices, against NumPy: reads, writes and gradients of all kinds of entries mixed."""

import numpy as np
import pytest

import theano.tensor as T
from support.arrays import strided, variable
from support.comparison import SUMS, assert_close
from theano._core.compile.function import function

LENGTHS = (4, 3, 5)


class Draw:
    """One random index: as NumPy takes it, as variables, and the values of those."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.plain = []
        self.symbolic = []
        self.given = {}
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

    def add(self, plain, symbolic):
        self.plain.append(plain)
        self.symbolic.append(symbolic)

    def variable(self, value):
        made = variable(np.asarray(value))
        self.given[made] = np.asarray(value)
        return made

    def perhaps(self, value):
        if value is None or self.rng.random() < 0.5:
            return value
        return self.variable(np.int64(value))

    def _int(self, axis):
        value = int(self.rng.integers(-LENGTHS[axis], LENGTHS[axis]))
        self.add(value, self.perhaps(value))
        return 1

    def _slice(self, axis):
        parts = [
            None if self.rng.random() < 0.4 else int(self.rng.integers(-7, 8)) for _ in range(2)
        ]
        step = [None, 1, 2, -1, -2, 3][self.rng.integers(0, 6)]
        self.add(slice(*parts, step), slice(*map(self.perhaps, [*parts, step])))
        return 1

    def _array(self, axis):
        shape = (self.count,) if self.rng.random() < 0.6 else (2, self.count)
        values = self.rng.integers(-LENGTHS[axis], LENGTHS[axis], shape)
        self.add(values, self.variable(values) if self.rng.random() < 0.7 else T.constant(values))
        return 1

    def _mask(self, axis):
        if any(isinstance(p, np.ndarray) for p in self.plain):
            # Masks of unequal counts do not broadcast.
            return self._int(axis)
        rank = int(self.rng.integers(1, 3 - axis + 1))
        values = self.rng.random(LENGTHS[axis : axis + rank]) < 0.5
        self.count = int(values.sum())
        self.add(values, self.variable(values))
        return rank

    def _new(self, axis):
        self.add(None, None)
        return 0


@pytest.mark.parametrize("seed", range(100))
def test_random_index(seed):
    draw = Draw(seed)
    rng = np.random.default_rng(seed)
    array = rng.standard_normal(LENGTHS)
    at = tuple(draw.plain)
    part = array[at]
    value = rng.standard_normal(part.shape)
    x, y = T.dtensor3("x"), variable(part)
    read = x[tuple(draw.symbolic)]
    outs = [read, T.grad((read**2).sum(), x)]
    outs += [T.set_subtensor(read, y), T.inc_subtensor(read, y), T.inc_subtensor(read, 1)]
    f = function([x, y, *draw.given], outs, on_unused_input="ignore")
    added, counted, changed, gradient = array.copy(), array.copy(), array.copy(), 0 * array
    np.add.at(added, at, value)
    np.add.at(counted, at, 1)
    np.add.at(gradient, at, 2 * part)
    changed[at] = value
    for given in (array, strided(array)):
        got = f(given, value, *draw.given.values())
        assert_close(got, [part, gradient, changed, added, counted], SUMS)
