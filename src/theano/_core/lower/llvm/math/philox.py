"""The Philox generators, and numbers made of their words.

Salmon, Moraes, Dror & Shaw, Parallel random numbers: as easy as 1, 2, 3 (SC11): ten rounds of two
products of words turn a counter of four words into four words that look random.
"""

from collections.abc import Sequence
from functools import reduce

from theano._core.lower.llvm.math import normal_quantile
from theano._core.lower.llvm.math.integer import LOW, wide_product
from theano._core.lower.llvm.text.emitter import FORMATS, Emitter, Value
from theano._core.ops.random.philox import KEY_STEPS, MULTIPLIERS, ROUNDS


def _product_of_halves(b: Emitter, x: Value, y: int) -> tuple[Value, Value]:
    """The upper half of the product of the lower half of a word, and the product."""
    product = b.mul(b.bit_and(x, LOW), y)
    return b.shift_right(product, 32), product


class RandomNumbers(Emitter):
    """The part of the builder that makes random numbers."""

    def multiply_high(self, x: Value, y: Value) -> Value:
        """The upper word of the product of two words, uint64."""
        return wide_product(self, x, y)[0]

    def random_words(
        self, dtype: str, key: Sequence[Value], number: Value, position: Value, domain: int
    ) -> tuple[Value, ...]:
        """The words of 64 bits in the block of a number and a position; all uint64.

        Four of them under a key of uint64, two under one of uint32. What is the same in all lanes
        may have one: products of it are not made of vectors.
        """
        zero, last = (self.const(v, "uint64", 1) for v in (0, domain))
        if dtype == "uint64":
            return self._philox(dtype, (number, position, zero, last), key)
        middle = self._exclusive_or(self.shift_right(number, 32), position)
        counter = (number, middle, self.shift_right(position, 32), last)
        c0, c1, c2, c3 = self._philox(dtype, counter, key)
        return self._halves(c0, c1), self._halves(c2, c3)

    def _halves(self, lower: Value, upper: Value) -> Value:
        return self.bit_or(self.bit_and(lower, LOW), self.shift_left(upper, 32))

    def _philox(
        self, dtype: str, counter: Sequence[Value], key: Sequence[Value]
    ) -> tuple[Value, ...]:
        """The words of a block; if they have 32 bits, what is above these means nothing."""
        words = self._rounds(dtype, (*counter, *key), 2)
        if all(word.lanes == 1 for word in words):
            return self._rounds(dtype, words, ROUNDS - 2)[:4]

        # A loop, since the code for vectors is six times as long.
        def turn(*state: Value) -> tuple[tuple[Value, ...], Value]:
            *words, number = state
            after = self.add(number, 2)
            return (*self._rounds(dtype, words, 2), after), self.lt(after, ROUNDS)

        wide = (w if w.lanes > 1 else self.broadcast(w) for w in words[:4])
        start = (*wide, *words[4:], self.const(2, "int64", 1))
        return self.repeat_while_any(start, turn)[:4]

    def _rounds(self, dtype: str, words: Sequence[Value], count: int) -> tuple[Value, ...]:
        """Return a counter and a key after some rounds."""
        product = wide_product if dtype == "uint64" else _product_of_halves
        for _ in range(count):
            c0, c1, c2, c3, k0, k1 = words
            upper0, lower0 = product(self, c0, MULTIPLIERS[dtype][0])
            upper1, lower1 = product(self, c2, MULTIPLIERS[dtype][1])
            c0, c2 = self._exclusive_or(upper1, c1, k0), self._exclusive_or(upper0, c3, k1)
            k0, k1 = self.add(k0, KEY_STEPS[dtype][0]), self.add(k1, KEY_STEPS[dtype][1])
            words = (c0, lower1, c2, lower0, k0, k1)
        return tuple(words)

    def _exclusive_or(self, *words: Value) -> Value:
        single = [w for w in words if w.lanes == 1]
        wide = [w for w in words if w.lanes > 1]
        if single and wide:
            wide.append(self.broadcast(reduce(self.bit_xor, single)))
        return reduce(self.bit_xor, wide or single)

    def unit_interval(self, word: Value, dtype: str) -> Value:
        """A multiple of 2**-53 (float32: 2**-24) in [0, 1), from the upper bits of `word`."""
        digits = FORMATS[dtype].fraction + 1
        upper = self.shift_right(word, (64 if dtype == "float64" else 32) - digits)
        signed = Value(upper.text, FORMATS[dtype].integer, word.lanes)
        return self.mul(self.convert("sitofp", signed, dtype), 2.0**-digits)

    def open_interval(self, word: Value, dtype: str) -> Value:
        """An odd multiple of 2**-53 (float32: 2**-24) in (0, 1), from the upper bits of `word`."""
        form = FORMATS[dtype]
        upper = self.shift_right(word, (64 if dtype == "float64" else 32) - form.fraction)
        signed = Value(upper.text, form.integer, word.lanes)
        # Planted as the fraction of a number in [1, 2).
        planted = self.from_bits(self.bit_or(signed, form.bias << form.fraction))
        return self.sub(planted, 1 - 2.0 ** -(form.fraction + 1))

    def normal(self, word: Value, dtype: str) -> Value:
        """A normal number; see `normal_quantile.normal`."""
        return normal_quantile.normal(self, word, dtype)
