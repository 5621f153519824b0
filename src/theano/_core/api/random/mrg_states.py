"""States of the generator MRG31k3p: seeds, steps and jumps, outside of graphs."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.ir.variable import Variable
from theano._core.ops.random import mrg as ops

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike

M1, M2 = np.asarray(np.int32(ops.M1)), np.asarray(np.int32(ops.M2))
# Streams of a draw whose length is not known when it is written down.
MANY_STREAMS = 60 * 256


def matVecModM(A: np.ndarray, s: np.ndarray, m: Any) -> np.ndarray:
    """Return ``A @ s`` modulo `m`, int32, of an int64 matrix and three integers below `m`.

    Parameters
    ----------
    A : int64 array, shape (3, 3)
    s : int array, shape (3,)
    m : int

    Returns
    -------
    int32 array, shape (3,)

    Examples
    --------
    >>> from theano.sandbox.rng_mrg import matVecModM
    >>> matVecModM(np.full((3, 3), 2), np.array([1, 2, 3]), 5).tolist()
    [2, 2, 2]
    """
    return np.asarray(((A * s) % int(m)).sum(axis=1) % int(m), dtype="int32")


def multMatVect(
    v: np.ndarray, A: np.ndarray, m1: TensorLike, B: np.ndarray, m2: TensorLike
) -> np.ndarray:
    """Return a state multiplied: ``v[:3]`` by `A` modulo `m1`, ``v[3:]`` by `B` modulo `m2`.

    Parameters
    ----------
    v : int array, shape (6,)
    A, B : int64 array, shape (3, 3)
    m1, m2 : int

    Returns
    -------
    int32 array, shape (6,)

    Examples
    --------
    >>> from theano.sandbox.rng_mrg import multMatVect
    >>> two = np.full((3, 3), 2)
    >>> multMatVect(np.arange(6), two, 5, two, 7).tolist()
    [1, 1, 1, 3, 3, 3]
    """
    return np.concatenate([matVecModM(A, v[:3], m1), matVecModM(B, v[3:], m2)])


def ff_2p134(rstate: np.ndarray) -> np.ndarray:
    """Return the state 2**134 steps on.

    Parameters
    ----------
    rstate : int32 array, shape (6,)

    Returns
    -------
    int32 array, shape (6,)

    Examples
    --------
    >>> from theano.sandbox.rng_mrg import ff_2p134
    >>> ff_2p134(np.array([1, 0, 0, 0, 0, 0]))[:2].tolist()
    [1702500920, 828554832]
    """
    return multMatVect(rstate, ops.A1p134, M1, ops.A2p134, M2)


def ff_2p72(rstate: np.ndarray) -> np.ndarray:
    """Return the state 2**72 steps on.

    Parameters
    ----------
    rstate : int32 array, shape (6,)

    Returns
    -------
    int32 array, shape (6,)

    Examples
    --------
    >>> from theano.sandbox.rng_mrg import ff_2p72
    >>> ff_2p72(np.array([1, 0, 0, 0, 0, 0]))[:2].tolist()
    [1516919229, 1884998244]
    """
    return multMatVect(rstate, ops.A1p72, M1, ops.A2p72, M2)


def mrg_next_value(
    rstate: np.ndarray, new_rstate: np.ndarray, NORM: Variable, mask: int, offset: int
) -> Any:
    """Draw one number in Python.

    Parameters
    ----------
    rstate : int32 array, shape (6,)
    new_rstate : int32 array, shape (6,)
        Receives the state after the draw; may be `rstate`.
    NORM : float
    mask, offset : int
        The result is ``((drawn & mask) + offset) * NORM`` of an integer drawn between 1 and M1.

    Returns
    -------
    float

    Examples
    --------
    >>> from theano.sandbox.rng_mrg import mrg_next_value
    >>> state = np.full(6, 12345, dtype="int32")
    >>> 0 < mrg_next_value(state, state, 1 / 2**31, 2**31 - 1, 0) < 1
    True
    """
    state = np.array(rstate, dtype="int32")[None]
    drawn = int(ops.advance(state)[0])
    new_rstate[...] = state[0]
    return ((drawn & int(mask)) + int(offset)) * NORM


def guess_n_streams(size: object, warn: bool = False) -> int:
    """Return how many streams suit a draw of `size`.

    Parameters
    ----------
    size : sequence of int, or anything else
    warn : bool
        Whether to warn when the size is not known; the answer is then 15360.

    Returns
    -------
    int

    Examples
    --------
    >>> from theano.sandbox.rng_mrg import guess_n_streams
    >>> guess_n_streams((10, 20))
    33
    """
    if isinstance(size, (tuple, list)) and all(isinstance(n, int) for n in size):
        count = math.prod(size)
        return min(count // 6 if count > 6 else count, MANY_STREAMS)
    if warn:
        warnings.warn(
            f"MRG_RandomStreams Can't determine #streams from size ({size}), guessing 60*256",
            stacklevel=3,
        )
    return MANY_STREAMS


def checked_state(seed: Any) -> np.ndarray:
    """Return the state that an integer or six integers stand for, int32, shape (6,)."""
    if isinstance(seed, (int, np.integer)):
        if seed == 0:
            raise ValueError("seed should not be 0", seed)
        if seed >= ops.M2:
            raise ValueError(f"seed should be less than {ops.M2}", seed)
        return np.full(6, seed, dtype="int32")
    if len(seed) != 6:
        raise TypeError(f"seed should be 1 integer or 6 integers, got {seed!r}")
    for part, name, modulus in ((seed[:3], "first", ops.M1), (seed[3:], "last", ops.M2)):
        if all(n == 0 for n in part):
            raise ValueError(f"The {name} 3 values of seed should not be all 0", seed)
        if any(n >= modulus for n in part):
            raise ValueError(f"The {name} 3 values of seed should be less than {modulus}", seed)
    return np.asarray(seed, dtype="int32")
