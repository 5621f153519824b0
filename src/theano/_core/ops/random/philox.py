"""Random numbers that are a function of a key and of their position: Philox 4x64-10 and 4x32-10.

A key is a vector of two words; their dtype, uint64 or uint32, tells the generator. Under a key, a
counter of four words gives a block of four random words. A counter is made of two numbers of 64
bits and a domain, so that what is made for one purpose never meets what is made for another:

- `STREAM`: number n + 1 gives block n of the stream that dense draws take, 64 bits of it (or half
  as many) for each item. Of 64-bit words, this is the stream of `numpy.random.Philox(key=key)`.
- `ATTEMPTS`: an attempt and a position give 256 bits for one attempt of a rejection sampler at one
  position, whatever happens at others.
- `SPLIT` and `FOLD_IN`: the first two words of a block are a new key.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base import dtypes
from theano._core.base.records import Record
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.dims import as_length, checked_shape
from theano._core.ops.core import dtype_rules
from theano._core.ops.core.op import Structured, as_variable, connected, no_cotangents, python_int
from theano._core.ops.core.samples import Range
from theano._core.ops.elementwise.elementwise import cast, elementwise
from theano._core.ops.elementwise.normal_quantile import upper_quantile

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ops.core.protocols import Builder, ProgramValue

STREAM, ATTEMPTS, SPLIT, FOLD_IN = range(4)

# Salmon et al., Parallel random numbers: as easy as 1, 2, 3 (SC11): the factors of a round, and
# what is added to the key after it.
ROUNDS = 10
MULTIPLIERS = {
    "uint64": (0xD2E7470EE14C6C93, 0xCA5A826395121157),
    "uint32": (0xD2511F53, 0xCD9E8D57),
}
KEY_STEPS = {
    "uint64": (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B),
    "uint32": (0x9E3779B9, 0xBB67AE85),
}

# Words of 64 bits in a block, by the dtype of the key.
WORDS = {"uint64": 4, "uint32": 2}


def _word(xp: ArrayModule, value: int) -> Any:
    return xp.asarray(value, dtype="uint64")


def multiply_high_words(xp: ArrayModule, x: np.ndarray, y: np.ndarray) -> Any:
    """Return the upper words of the products of two arrays of words."""
    low, half = _word(xp, (1 << 32) - 1), _word(xp, 32)
    x0, x1, y0, y1 = x & low, x >> half, y & low, y >> half
    middle = x1 * y0 + (x0 * y0 >> half)
    other = x0 * y1 + (middle & low)
    return x1 * y1 + (middle >> half) + (other >> half)


def _wide_product(xp: ArrayModule, x: Any, y: int) -> tuple[Any, Any]:
    """Return the upper and the lower words of the products of an array of words with a word."""
    if x.dtype == "uint64":
        factor = _word(xp, y)
        return multiply_high_words(xp, factor, x), x * factor
    product = x.astype("uint64") * _word(xp, y)
    return (product >> _word(xp, 32)).astype("uint32"), product.astype("uint32")


def philox(xp: ArrayModule, counter: Sequence[TensorLike], key: np.ndarray) -> tuple[Any, ...]:
    """Return the four words of each block.

    Parameters
    ----------
    xp : module
        NumPy, or another array namespace.
    counter : four arrays of the dtype of the key
        Their shapes broadcast.
    key : array of uint64 or uint32, shape (2,)
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key[0], key[1]
    dtype = str(key.dtype)
    steps = [xp.asarray(step, dtype=dtype) for step in KEY_STEPS[dtype]]
    for index in range(ROUNDS):
        if index:
            # One item, not a number of NumPy, whose overflow would warn.
            k0, k1 = ((k.reshape(1) + s).reshape(()) for k, s in zip((k0, k1), steps, strict=True))
        upper0, lower0 = _wide_product(xp, c0, MULTIPLIERS[dtype][0])
        upper1, lower1 = _wide_product(xp, c2, MULTIPLIERS[dtype][1])
        c0, c1, c2, c3 = upper1 ^ c1 ^ k0, lower1, upper0 ^ c3 ^ k1, lower0
    return c0, c1, c2, c3


def blocks(
    xp: ArrayModule, key: np.ndarray, number: np.ndarray, position: np.ndarray, domain: int
) -> tuple[Any, ...]:
    """Return the four words of the blocks of numbers and positions, both arrays of uint64.

    Of 32 bits, words of a counter are the lower and the upper half of each; the two in the middle
    share one, since no domain has numbers and positions that are both large.
    """
    last = xp.zeros(1, dtype="uint64") + _word(xp, domain)
    if key.dtype == "uint64":
        return philox(xp, (number, position, xp.zeros(1, dtype="uint64"), last), key)
    half = _word(xp, 32)
    counter = (number, number >> half | position, position >> half, last)
    return philox(xp, [word.astype("uint32") for word in counter], key)


def _joined(xp: ArrayModule, words: Sequence[Any]) -> list[Any]:
    """Return words of 64 bits, of two each if they have 32."""
    if words[0].dtype == "uint64":
        return list(words)
    wide = [word.astype("uint64") for word in words]
    return [a | b << _word(xp, 32) for a, b in zip(wide[::2], wide[1::2], strict=True)]


def stream_words(xp: ArrayModule, key: np.ndarray, count: int) -> Any:
    """Return the first `count` words of 64 bits of the stream of a key."""
    numbers = xp.arange(1, -(-count // WORDS[str(key.dtype)]) + 1, dtype="uint64")
    words = _joined(xp, blocks(xp, key, numbers, xp.zeros(1, dtype="uint64"), STREAM))
    return xp.stack(words, axis=-1).reshape(-1)[:count]


def attempt_words(
    xp: ArrayModule, key: np.ndarray, positions: np.ndarray
) -> Callable[[int], tuple[Any, ...]]:
    """Return the function that gives the four words of 64 bits of an attempt at each position."""
    flat, each = positions.reshape(-1), 4 // WORDS[str(key.dtype)]

    def words(number: int) -> tuple[Any, ...]:
        result: list[Any] = []
        for i in range(each * number, each * number + each):
            counter = xp.zeros(1, dtype="uint64") + _word(xp, i)
            result += _joined(xp, blocks(xp, key, counter, flat, ATTEMPTS))
        return tuple(word.reshape(positions.shape) for word in result)

    return words


class Source(Record):
    """How a word, or half of one, becomes an item.

    Attributes
    ----------
    compute : callable
        `compute(xp, words)`; the words have as many bits as the items.
    llvm : callable
        `llvm(b, word, dtype)`.
    exact : bool
        Whether every backend gives the same bits.
    """

    dtypes: tuple[str, ...]
    compute: Callable[..., Any]
    llvm: Callable[..., Any]
    exact: bool = True


_DIGITS = {"float32": 24, "float64": 53}


def _float_of(words: np.ndarray) -> str:
    return f"float{8 * words.dtype.itemsize}"


def _unit_interval(xp: ArrayModule, words: np.ndarray) -> Any:
    dtype, width = _float_of(words), 8 * words.dtype.itemsize
    upper = words >> xp.asarray(width - _DIGITS[dtype], dtype=words.dtype)
    return upper.astype(dtype) * xp.asarray(2.0 ** -_DIGITS[dtype], dtype=dtype)


def _open_interval(xp: ArrayModule, words: np.ndarray) -> Any:
    dtype, width = _float_of(words), 8 * words.dtype.itemsize
    upper = words >> xp.asarray(width - _DIGITS[dtype] + 1, dtype=words.dtype)
    number = upper.astype(dtype) + xp.asarray(0.5, dtype=dtype)
    return number * xp.asarray(2.0 ** (1 - _DIGITS[dtype]), dtype=dtype)


def _normal(xp: ArrayModule, words: np.ndarray) -> Any:
    dtype, bits = _float_of(words), 8 * words.dtype.itemsize - 1
    size = words & xp.asarray((1 << bits) - 1, dtype=words.dtype)
    half, scale = (xp.asarray(v, dtype=dtype) for v in (0.5, 2.0**-bits))
    q = (size.astype(dtype) + half) * scale
    z = upper_quantile(xp, q.astype("float64")).astype(dtype)
    return xp.where(words >> xp.asarray(bits, dtype=words.dtype) == 1, -z, z)


SOURCES = {
    "bits": Source(("uint32", "uint64"), lambda xp, words: words, lambda b, word, dtype: word),
    "unit_interval": Source(
        ("float32", "float64"),
        _unit_interval,
        lambda b, word, dtype: b.unit_interval(word, dtype),
    ),
    "open_interval": Source(
        ("float32", "float64"),
        _open_interval,
        lambda b, word, dtype: b.open_interval(word, dtype),
    ),
    "normal": Source(
        ("float32", "float64"),
        _normal,
        lambda b, word, dtype: b.normal(word, dtype),
        exact=False,
    ),
}


def random_key(value: Any) -> Any:
    """Return `value` as a key; raises TypeError unless it is a vector of uint64 or uint32."""
    key = as_variable(value)
    if getattr(key.type, "dtype", None) not in MULTIPLIERS or key.type.ndim != 1:
        raise TypeError(
            f"a random key is a vector of two uint64 or uint32, got {key} of type {key.type}: make "
            "one with theano.tensor.random.key(seed), or several with split(key, n); the methods "
            "of theano.tensor.random.Stream(seed) take none"
        )
    return key


def checked_key(key: np.ndarray) -> Any:
    """Return a key of two words, or raise ValueError."""
    if key.shape != (2,):
        raise ValueError(f"a random key has 2 words, got {key.shape[0]}")
    return key


class KeyedOp(Structured):
    """What operations on a key share: no gradient flows to it."""

    connection = connected()
    vjp = no_cotangents


class StreamDraw(KeyedOp):
    """An array filled from the stream of a key in C order.

    Inputs: the key, and the lengths of the result.

    Parameters
    ----------
    source : str
        Key of `SOURCES`.
    dtype : str
    """

    __props__ = ("source", "dtype")

    def __init__(self, source: str, dtype: str) -> None:
        if dtype not in SOURCES[source].dtypes:
            raise TypeError(f"{source} gives {' or '.join(SOURCES[source].dtypes)}, not {dtype}")
        self.source = source
        self.dtype = dtype
        # Folded, a draw could differ in its last bit from one that runs.
        self.pure = SOURCES[source].exact

    def make_node(self, key: TensorLike, *shape: TensorLike) -> Apply:
        sizes = [cast(as_variable(n), "int64") for n in shape]
        pattern = [python_int(n) == 1 for n in shape]
        return self.one([random_key(key), *sizes], self.dtype, pattern)

    def compute(
        self, xp: ArrayModule, node: Apply, key: np.ndarray, *lengths: np.ndarray
    ) -> tuple[Any, ...]:
        shape = checked_shape(lengths, self.dtype)
        if any(n < 0 for n in shape):
            raise ValueError(f"negative dimensions are not allowed: {shape}")
        count, size = math.prod(shape), np.dtype(self.dtype).itemsize
        words = stream_words(xp, checked_key(key), -(-count * size // 8))
        items = words.view(f"uint{8 * size}")[:count]
        return (SOURCES[self.source].compute(xp, items).reshape(shape),)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [tuple(as_length(n) for n in node.inputs[1:])]

    def emit(self, p: Builder, node: Apply, key: ProgramValue, *shape: ProgramValue) -> Any:
        return p.draw_stream(node, key, SOURCES[self.source].llvm)


class DeriveKeys(KeyedOp):
    """A new key for each item of `data`: the first words of the block of that number.

    Parameters
    ----------
    domain : int
        `SPLIT` or `FOLD_IN`.
    """

    __props__ = ("domain",)

    def __init__(self, domain: int) -> None:
        self.domain = domain

    def make_node(self, key: Any, data: Variable) -> Apply:
        data = as_variable(data)
        if not dtypes.is_discrete(data.type.dtype):
            raise TypeError(f"what is folded into a key must be integers, got {data.type}")
        key, data = random_key(key), cast(data, "uint64")
        return self.one([key, data], key.type.dtype, (*data.type.broadcastable, False))

    def compute(
        self, xp: ArrayModule, node: Apply, key: np.ndarray, data: np.ndarray
    ) -> tuple[Any, ...]:
        zero = xp.zeros(1, dtype="uint64")
        words = blocks(xp, checked_key(key), data.reshape(-1), zero, self.domain)
        return (xp.stack(words[:2], axis=-1).reshape((*data.shape, 2)),)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [(*shapes[1], 2)]

    def emit(self, p: Builder, node: Apply, key: ProgramValue, data: ProgramValue) -> Any:
        return p.derive_keys(node, key, data, self.domain)


def _words(*names: str) -> dtype_rules.Casts:
    if any(name != "uint64" for name in names):
        raise TypeError(f"multiply_high takes words of 64 bits, got {', '.join(names)}")
    return names, "uint64"


multiply_high = elementwise(
    "multiply_high",
    doc="The upper 64 bits of the product of two uint64.",
    compute=lambda xp, x, y: multiply_high_words(xp, x, y),
    dtype=_words,
    grad=None,
    llvm=lambda b, x, y: b.multiply_high(x, y),
    samples=(Range(2.0**40, 2.0**62, integer=True),) * 2,
)
