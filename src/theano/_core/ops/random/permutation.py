"""Permutations and multinomial counts: random numbers of which each depends on those before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.ir.variable import Apply
from theano._core.ops.core.op import Structured, as_variable, connected, no_cotangents, shape_of
from theano._core.ops.elementwise.elementwise import cast
from theano._core.ops.random.array_math import ArrayMath
from theano._core.ops.random.philox import (
    KeyedOp,
    attempt_words,
    checked_key,
    multiply_high_words,
    random_key,
)
from theano._core.ops.random.rejection import binomial

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, TensorLike
    from theano._core.ops.core.protocols import Builder, ProgramValue


class WordsToPermutation(Structured):
    """A permutation of the integers below n, of n random words.

    Word i tells which of the first i + 1 places item i takes; what was there moves to place i
    (Fisher & Yates, from the inside out).
    """

    shape = shape_of(0)
    connection = connected()
    vjp = no_cotangents

    def make_node(self, words: TensorLike) -> Apply:
        words = as_variable(words)
        if words.type.dtype != "uint64" or words.type.ndim != 1:
            raise TypeError(f"a permutation needs a vector of uint64, got {words.type}")
        return self.one([words], "int64", words.type.broadcastable)

    def compute(self, xp: ArrayModule, node: Apply, words: np.ndarray) -> tuple[Any, ...]:
        counts = np.arange(1, len(words) + 1, dtype="uint64")
        places = multiply_high_words(np, np.asarray(words), counts).astype("int64")
        out = np.zeros(len(words), dtype="int64")
        for i, place in enumerate(places):
            out[i] = out[place]
            out[place] = i
        return (xp.asarray(out),)

    def emit(self, p: Builder, node: Apply, words: ProgramValue) -> Any:
        return p.permutation_of_words(node, words)


words_to_permutation = WordsToPermutation()


class MultinomialDraw(KeyedOp):
    """How often each of k outcomes occurs in n trials; int64, shape (rows, k).

    Inputs: the key, the trials (int64, shape (rows,)), the probabilities (float64, shape
    (rows, k)). Each count is binomial, given those before it.
    """

    pure = False
    shape = shape_of(2)

    def make_node(self, key: Any, n: Any, p: Any) -> Apply:
        n, p = cast(as_variable(n), "float64"), cast(as_variable(p), "float64")
        if n.type.ndim != 1 or p.type.ndim != 2:
            raise TypeError(f"a vector and a matrix are needed, got {n.type} and {p.type}")
        return self.one([random_key(key), n, p], "int64", p.type.broadcastable)

    def compute(
        self, xp: ArrayModule, node: Apply, key: np.ndarray, n: np.ndarray, p: np.ndarray
    ) -> tuple[Any, ...]:
        if len(n) != len(p):
            raise ValueError(f"multinomial: {len(n)} numbers of trials for {len(p)} rows")
        rows, outcomes = p.shape
        left, rest, counts = n, xp.ones(rows), []
        for outcome in range(outcomes):
            positions = xp.arange(rows, dtype="uint64") * xp.asarray(outcomes, dtype="uint64")
            words = attempt_words(xp, checked_key(key), positions + xp.asarray(outcome, "uint64"))
            count = binomial(
                ArrayMath(xp), words, left, _share(xp, p[:, outcome], rest, outcome, outcomes)
            )
            counts.append(count)
            left, rest = left - count, rest - p[:, outcome]
        stacked = xp.stack(counts, axis=1) if counts else xp.zeros((rows, 0))
        return (stacked.astype("int64"),)

    def emit(
        self,
        p: Builder,
        node: Apply,
        key: ProgramValue,
        n: ProgramValue,
        probabilities: ProgramValue,
    ) -> Any:
        return p.draw_multinomial(node, key, n, probabilities, binomial)


def _share(xp: ArrayModule, p: np.ndarray, rest: np.ndarray, outcome: int, outcomes: int) -> Any:
    if outcome == outcomes - 1:
        return p * 0 + 1
    return xp.where(p < rest, p / xp.where(p < rest, rest, 1), 1.0)
