"""What is tried with lengths, offsets, steps, positions and counts, and what NumPy makes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import theano
import theano.tensor as T
import theano.tensor.extra_ops as E
from theano.tensor import random as counter
from theano.tensor.nnet.neighbours import images2neibs
from theano.tensor.shared_randomstreams import RandomStreams

TOP = 2**63 - 1
VALUES = [0, 1, -1, 2, -2, 3, 5, 6, 7, -6, -7, TOP, TOP - 1, -(2**63), -(2**63) + 1]
VALUES += [
    sign * (2**power + more) for power in (31, 32, 62) for more in (-1, 0, 1) for sign in (1, -1)
]
# Bytes that an array may take.
ROOM = 1 << 30

x = np.arange(6.0) + 0.5
m = np.arange(6.0).reshape(2, 3)
none = np.zeros((0, 3))
ints = np.array([3, 0, 5, 1])


class Case(NamedTuple):
    """What an operation and NumPy make of some integers.

    Attributes
    ----------
    ours, numpys : callable
    kinds : str
        One letter for each argument: `n` any integer, `p` one that is not negative, `i` one that is
        small, `f` a float, `w` an array of that length which takes no memory.
    lazy : bool
        There may be an answer without memory for the arrays that it is about.
    unsigned : bool
        Whether it takes uint64.
    """

    ours: Callable[..., Any]
    numpys: Callable[..., Any]
    kinds: str
    lazy: bool = False
    unsigned: bool = True


def wide(count: int) -> np.ndarray:
    """Return an array of any length that takes no memory."""
    return np.broadcast_to(np.int8(1), (count,))


def small(count: int) -> int:
    """Return a number that NumPy makes an array of; it does not notice all that are too large."""
    if count > ROOM:
        raise MemoryError("too large")
    return count


def joined(counts: list[int]) -> np.ndarray:
    """Return ones joined."""
    if min(counts) < 0:
        raise ValueError("negative")
    return np.ones(small(sum(counts)))


def written(to: np.ndarray, key: Any, value: Any, add: bool = False) -> np.ndarray:
    out = np.array(to)
    out[key] = out[key] + value if add else value
    return out


def parts_of(array: np.ndarray, sizes: list[int]) -> list[np.ndarray]:
    if min(sizes) < 0 or sum(sizes) != len(array):
        raise ValueError("sizes")
    ends = np.cumsum(sizes)
    return [array[end - n : end] for n, end in zip(sizes, ends, strict=True)]


def tri(n: int, m: int, k: int) -> np.ndarray:
    """Return what `np.tri` does, which does not take all offsets."""
    n, m = max(n, 0), max(m, 0)
    if max(n, 1) * max(m, 1) * 8 > ROOM:
        raise MemoryError("tri")
    return np.array([[float(j - i <= k) for j in range(m)] for i in range(n)]).reshape(n, m)


def eye(n: int, m: int, k: int) -> np.ndarray:
    """Return what `np.eye` does, which does not take all offsets."""
    if n < 0 or m < 0:
        raise ValueError("eye")
    if n * m == 0:
        return np.zeros((n, m))
    if n * m * 8 > ROOM:
        raise MemoryError("eye")
    return np.array([[float(j - i == k) for j in range(m)] for i in range(n)]).reshape(n, m)


def float_range(first: float, stop: float, step: float) -> np.ndarray:
    """Return a range of floats; NumPy takes a count that does not fit an int64 for none."""
    count = (stop - first) / step if step else 0.0
    if 2.0**63 <= count < np.inf:
        raise ValueError("too many")
    return np.arange(first, stop, step)


def arange(start: Any, stop: Any, step: Any) -> np.ndarray:
    """Return the numbers of a range of integers exactly."""
    count = len(range(min(len_of(start, stop, step), TOP)))
    if count * 8 > ROOM:
        raise MemoryError("arange")
    return np.array([start + i * step for i in range(count)], "int64")


def len_of(start: int, stop: int, step: int) -> int:
    if step == 0:
        raise ValueError("step")
    return max(0, -((start - stop) // step))


def scanned(n: Any) -> Any:
    return theano.scan(lambda v, s: v + s, T.constant(x), [np.float64(0)], n_steps=n)[0]


def accumulated(n: int) -> np.ndarray:
    if n == -1:
        raise Endless  # Theano runs one step
    if n < 0 or n > len(x):
        raise ValueError("steps")
    return np.cumsum(x[:n])


def times(n: int) -> int:
    """Return a number of repetitions, which NumPy multiplies before it looks at it."""
    if n < 0:
        raise ValueError("negative")
    return small(n)


def tiled(array: np.ndarray, *counts: int) -> np.ndarray:
    if min(counts) < 0:
        raise ValueError("negative")
    shape = [n * k for n, k in zip(array.shape, counts, strict=True)]
    return np.zeros(shape) if 0 in shape else np.tile(array, [small(k) for k in counts])


def unravelled(a: int, b: int, c: int) -> Any:
    if min(b, c) < 0:
        # NumPy takes them and returns nonsense.
        raise ValueError("negative")
    return np.unravel_index([a], (b, c))


def repeated(array: np.ndarray, count: int) -> np.ndarray:
    return joined([len(array) * (times(count) if len(array) or count < 0 else 0)])


def every(array: np.ndarray, step: int) -> np.ndarray:
    return np.array(array[::step][:3])


def largest_few(k: int) -> np.ndarray:
    """Return what Theano's function does: the largest for k > 0, the smallest for k < 0."""
    if k == 0 or abs(k) > len(x):
        raise ValueError("k")
    return np.sort(x)[::-1][:k] if k > 0 else np.sort(x)[:-k][::-1]


def neighbours(a: int, b: int) -> np.ndarray:
    if a <= 0 or b <= 0:
        raise ValueError("steps")
    return m.reshape(1, 6)


def known(*shape: int) -> tuple[int, ...]:
    """Return lengths of which NumPy takes all negative ones for -1."""
    if min(shape) < -1:
        raise ValueError("negative")
    return shape


def limited(count: int) -> int:
    """Return a number of items that there can be."""
    if count > TOP:
        raise MemoryError("items")
    return count


def finite(count: int) -> int:
    """Return a number of items that can be walked through."""
    if count > 2**28:
        raise Endless
    return count


def column_sums(a: int, b: int) -> np.ndarray:
    """Return the sums along the columns of ones, for which no ones are needed."""
    if min(a, b) < 0:
        raise ValueError("negative")
    finite(a * b)
    return np.full(small(b), float(a))


def largest(a: int, b: int) -> np.ndarray:
    if b == 0 and a >= 0:
        return np.zeros((min(a, 1), 0)).max(axis=1)
    if a == 0 and b > 0:
        return np.zeros(0)
    whole = np.broadcast_to(0.0, (a, b))
    finite(whole.size)
    return np.zeros(whole.shape[:1])


class Endless(Exception):
    """An answer would take too long."""


def ravelled(a: int, b: int, c: int, d: int, mode: Any = "raise") -> Any:
    if min(c, d) < 0:
        # NumPy takes them and returns nonsense.
        raise ValueError("negative")
    if c * d == TOP:
        raise Endless  # NumPy takes it; products of lengths stop there
    return np.ravel_multi_index(([a], [b]), (c, d), mode=mode)


CASES: dict[str, Case] = {
    "slice": Case(lambda a, b: T.constant(x)[a:b], lambda a, b: x[a:b], "nn"),
    "slice, step": Case(lambda a, b, c: T.constant(x)[a:b:c], lambda a, b, c: x[a:b:c], "nnn"),
    "every": Case(lambda a: T.constant(x)[::a], lambda a: x[::a], "n"),
    "rows, columns": Case(
        lambda a, b, c: T.constant(m)[::a, b:c], lambda a, b, c: m[::a, b:c], "nnn"
    ),
    "set every": Case(
        lambda a: T.set_subtensor(T.constant(x)[::a], 7),
        lambda a: written(x, slice(None, None, a), 7),
        "n",
    ),
    "add to a slice": Case(
        lambda a, b, c: T.inc_subtensor(T.constant(x)[a:b:c], 7),
        lambda a, b, c: written(x, slice(a, b, c), 7, True),
        "nnn",
    ),
    "item": Case(lambda a: T.constant(x)[a], lambda a: x[a], "n"),
    "items": Case(lambda a, b: T.constant(m)[a, b], lambda a, b: m[a, b], "nn"),
    "set an item": Case(
        lambda a: T.set_subtensor(T.constant(x)[a], 7), lambda a: written(x, a, 7), "n"
    ),
    "at positions": Case(
        lambda a, b: T.constant(x)[T.stack([a, b])], lambda a, b: x[np.array([a, b])], "nn"
    ),
    "set at positions": Case(
        lambda a, b: T.set_subtensor(T.constant(x)[T.stack([a, b])], 7),
        lambda a, b: written(x, np.array([a, b]), 7),
        "nn",
    ),
    "take, wrapped": Case(
        lambda a, b: T.take(T.constant(x), T.stack([a, b]), mode="wrap"),
        lambda a, b: x[[a % 6, b % 6]],
        "nn",
    ),
    "take, clipped": Case(
        lambda a, b: T.take(T.constant(x), T.stack([a, b]), mode="clip"),
        lambda a, b: np.take(x, [a, b], mode="clip"),
        "nn",
    ),
    "range": Case(lambda a, b, c: T.arange(a, b, c), arange, "nnn"),
    "range of step 1": Case(lambda a, b: T.arange(a, b), lambda a, b: arange(a, b, 1), "nn"),
    "range from 0": Case(lambda a: T.arange(a), lambda a: arange(0, a, 1), "n"),
    "range of floats": Case(lambda a, b, c: T.arange(a, b, c), float_range, "fff", True),
    "repeat": Case(
        lambda a: T.repeat(T.constant(x), a),
        lambda a: np.repeat(x, times(a)),
        "n",
        unsigned=False,
    ),
    "repeat rows": Case(
        lambda a: T.repeat(T.constant(m), a, axis=1),
        lambda a: np.repeat(m, times(a), axis=1),
        "n",
        unsigned=False,
    ),
    "repeat each": Case(
        lambda a, b, c: T.repeat(T.constant(x[:4]), T.stack([a, b, c, a])),
        lambda a, b, c: np.repeat(x[:4], [times(a), times(b), times(c), times(a)]),
        "nnn",
        unsigned=False,
    ),
    "split": Case(
        lambda a, b, c: T.split(T.constant(x), T.stack([a, b, c]), 3),
        lambda a, b, c: parts_of(x, [a, b, c]),
        "nnn",
    ),
    "join": Case(
        lambda a: T.concatenate([T.constant(x), T.zeros((a,))]),
        lambda a: np.concatenate([x, np.zeros(a)]),
        "n",
    ),
    "join of broadcast": Case(
        lambda a, b: T.concatenate([T.alloc(np.int8(1), a), T.alloc(np.int8(1), b)]),
        lambda a, b: joined([a, b]),
        "nn",
    ),
    "join of many": Case(
        lambda a: T.concatenate([T.alloc(np.float32(1), a)] * 4),
        lambda a: joined([a] * 4),
        "n",
    ),
    "stack": Case(
        lambda a: T.stack([T.alloc(np.int8(1), a)] * 4),
        lambda a: joined([a] * 4).reshape(4, a),
        "n",
    ),
    "length of a join": Case(
        lambda a, b: T.concatenate([T.zeros((a,)), T.zeros((b,))]).shape[0],
        lambda a, b: limited(abs(a) + abs(b)),
        "pp",
        True,
    ),
    "tile": Case(
        lambda a: T.tile(T.constant(x), a, 1),
        lambda a: tiled(x, a),
        "n",
    ),
    "tile both": Case(
        lambda a, b: T.tile(T.constant(m), (a, b)), lambda a, b: tiled(m, a, b), "nn"
    ),
    "reshape": Case(
        lambda a, b: T.constant(x).reshape((a, b)), lambda a, b: x.reshape(known(a, b)), "nn"
    ),
    "reshape to three": Case(
        lambda a, b, c: T.constant(x).reshape((a, b, c)),
        lambda a, b, c: x.reshape(known(a, b, c)),
        "nnn",
    ),
    "reshape nothing": Case(
        lambda a, b: T.constant(none).reshape((a, b)), lambda a, b: none.reshape(known(a, b)), "nn"
    ),
    "zeros": Case(lambda a, b: T.zeros((a, b)), lambda a, b: np.zeros((a, b)), "nn"),
    "zeros, three": Case(
        lambda a, b, c: T.zeros((a, b, c)), lambda a, b, c: np.zeros((a, b, c)), "nnn"
    ),
    "items of zeros": Case(
        lambda a, b: T.zeros((a, b)).size, lambda a, b: limited(a * b), "pp", True
    ),
    "sum of ones": Case(
        lambda a, b: T.alloc(np.float64(1), a, b).sum(),
        lambda a, b: float(limited(a * b if min(a, b) >= 0 else TOP + 1)),
        "nn",
        True,
    ),
    "sums of ones": Case(
        lambda a, b: T.alloc(np.float64(1), a, b).sum(axis=0),
        lambda a, b: column_sums(a, b),
        "nn",
        True,
    ),
    "alloc": Case(
        lambda a, b: T.alloc(T.constant(m), a, b, 3),
        lambda a, b: np.array(np.broadcast_to(m, (a, b, 3))),
        "nn",
    ),
    "identity": Case(lambda a, b, c: T.eye(a, b, c), eye, "nnn"),
    "identity, offset": Case(lambda a: T.eye(3, 4, a), lambda a: eye(3, 4, a), "n"),
    "triangle": Case(lambda a, b, c: T.tri(a, b, c), tri, "nnn"),
    "triangle, offset": Case(lambda a: T.tri(3, 4, a), lambda a: tri(3, 4, a), "n"),
    "lower": Case(lambda a: T.tril(T.constant(m), a), lambda a: np.where(tri(2, 3, a), m, 0), "n"),
    "upper": Case(
        lambda a: T.triu(T.constant(m), a), lambda a: np.where(tri(2, 3, a - 1), 0, m), "n"
    ),
    "roll": Case(lambda a: T.roll(T.constant(x), a), lambda a: np.roll(x, a % 6), "n"),
    "roll columns": Case(
        lambda a: T.roll(T.constant(m), a, axis=1), lambda a: np.roll(m, a % 3, axis=1), "n"
    ),
    "bincount": Case(
        lambda a: E.bincount(T.constant(ints), minlength=a),
        lambda a: np.bincount(ints, minlength=small(a)),
        "n",
    ),
    "bincount of": Case(
        lambda a, b: E.bincount(T.stack([a, b])),
        lambda a, b: np.bincount([small(a), small(b)]),
        "nn",
    ),
    "unravel": Case(
        lambda a, b, c: E.unravel_index(T.stack([a]), T.stack([b, c]), ndim=2),
        unravelled,
        "nnn",
    ),
    "ravel": Case(
        lambda a, b, c, d: E.ravel_multi_index((T.stack([a]), T.stack([b])), T.stack([c, d])),
        ravelled,
        "nnnn",
    ),
    "ravel, clipped": Case(
        lambda a, b, c, d: E.ravel_multi_index(
            (T.stack([a]), T.stack([b])), T.stack([c, d]), mode="clip"
        ),
        lambda a, b, c, d: ravelled(a, b, c, d, "clip"),
        "nnnn",
    ),
    "choose": Case(
        lambda a, b: T.choose(T.stack([a, b]), T.constant(m.T)[:, :]),
        lambda a, b: np.choose([a, b], m.T),
        "nn",
    ),
    "choose, wrapped": Case(
        lambda a, b: T.choose(T.stack([a, b]), T.constant(m.T), mode="wrap"),
        lambda a, b: np.choose([a % 3, b % 3], m.T),
        "nn",
    ),
    "sums of rows of nothing": Case(
        lambda a, b: T.cumsum(T.zeros((a, b)), axis=1),
        lambda a, b: np.cumsum(np.zeros((a, b)), axis=1),
        "nn",
    ),
    "largest of rows": Case(lambda a, b: T.zeros((a, b)).max(axis=1), largest, "nn", True),
    "scan": Case(scanned, accumulated, "n"),
    "first of a scan": Case(lambda a: scanned(a)[0], lambda a: accumulated(a)[0], "n"),
    "last of a scan": Case(lambda a: scanned(a)[-1], lambda a: accumulated(a)[-1], "n"),
    "sum with broadcast": Case(
        lambda a, b: (T.alloc(np.int8(1), a)[:, None] + T.alloc(np.int8(1), b)).sum(),
        lambda a, b: 2 * finite(np.broadcast_to(np.int8(1), (a, b)).size),
        "nn",
        True,
    ),
    "one hot": Case(
        lambda a: E.to_one_hot(T.constant(ints), a),
        lambda a: one_hot(a),
        "n",
    ),
    "diagonal": Case(
        lambda a: E.fill_diagonal_offset(T.constant(m), 7, a),
        lambda a: np.where(eye(2, 3, a), 7, m),
        "n",
    ),
    "window": Case(lambda a: T.bartlett(a), lambda a: np.bartlett(small(a)), "n"),
    "length of wide": Case(lambda w: w.shape[0] + 0, lambda w: len(w), "w"),
    "item of wide": Case(lambda w, a: w[a], lambda w, a: w[a], "wn"),
    "items of wide": Case(
        lambda w, a, b: w[T.stack([a, b])], lambda w, a, b: w[np.array([a, b])], "wnn"
    ),
    "few of wide": Case(lambda w, a, b: w[a:b][:3], lambda w, a, b: np.array(w[a:b][:3]), "wnn"),
    "every of wide": Case(
        lambda w, a: w[:: T.cast(a, "int64") * 2**31][:3], lambda w, a: every(w, a * 2**31), "wi"
    ),
    "end of wide": Case(lambda w: w[-2:], lambda w: w[-2:], "w"),
    "joined wide": Case(
        lambda w, v: T.concatenate([w, v, w]), lambda w, v: joined([len(w), len(v), len(w)]), "ww"
    ),
    "stacked wide": Case(
        lambda w: T.stack([w, w]), lambda w: joined([len(w)] * 2).reshape(2, -1), "w"
    ),
    "set in wide": Case(
        lambda w: T.set_subtensor(w[1], 5), lambda w: written(w[: small(len(w))], 1, 5), "w"
    ),
    "wide in two axes": Case(
        lambda w, a, b: w.reshape((a, b)),
        lambda w, a, b: np.ones(small(len(w)), "int8").reshape(known(a, b)),
        "wnn",
    ),
    "wide repeated": Case(
        lambda w, a: T.repeat(w, a), lambda w, a: repeated(w, a), "wn", unsigned=False
    ),
    "wide tiled": Case(lambda w, a: T.tile(w, a, 1), lambda w, a: repeated(w, a), "wn"),
    "wide rolled": Case(lambda w, a: T.roll(w, a), lambda w, a: joined([len(w)]), "wn"),
    "wide and one more": Case(
        lambda w: T.concatenate([w, T.ones((1,), "int8")]), lambda w: joined([len(w), 1]), "w"
    ),
    "outer of wide": Case(
        lambda w, v: (w.dimshuffle(0, "x") + v).sum(axis=1),
        lambda w, v: np.full(small(len(w)), 2 * finite(len(w) * len(v)) // max(len(w), 1)),
        "ww",
        True,
    ),
    "largest few": Case(lambda a: T.topk(T.constant(x), a), lambda a: largest_few(a), "n"),
    "differences": Case(lambda a: T.diff(T.zeros((a,)), 2), lambda a: np.diff(np.zeros(a), 2), "n"),
    "uniform": Case(
        lambda a, b: RandomStreams(1).uniform((a, b), ndim=2) * 0,
        lambda a, b: np.random.RandomState(1).uniform(size=(a, b)) * 0,
        "nn",
    ),
    "normal by counter": Case(
        lambda a, b: counter.normal(np.array([1, 2], "uint32"), (a, b)) * 0,
        lambda a, b: np.zeros((a, b)),
        "nn",
    ),
    "neighbours": Case(
        lambda a, b: images2neibs(T.constant(m[None, None]), (2, 3), (a, b)),
        neighbours,
        "nn",
    ),
    "shape checked": Case(
        lambda a, b: T.specify_shape(T.constant(m), (a, b)),
        lambda a, b: m.reshape(checked(a, b)),
        "nn",
    ),
    "search": Case(
        lambda a, b: E.searchsorted(T.constant(ints[[1, 3, 0, 2]]), T.stack([a, b])),
        lambda a, b: np.searchsorted(np.sort(ints), [a, b]),
        "nn",
    ),
}


def checked(a: int, b: int) -> tuple[int, int]:
    if (a, b) != m.shape:
        raise AssertionError("shape")
    return a, b


def one_hot(count: int) -> np.ndarray:
    out = np.zeros((len(ints), count))
    out[np.arange(len(ints)), ints] = 1
    return out
