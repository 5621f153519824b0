"""Keys of counter-based random numbers, and what all draws under a key share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.array.creation import arange
from theano._core.api.array.reductions import all as all_of
from theano._core.api.array.shaping import float_dtype, shape_items
from theano._core.api.conversion import as_tensor_variable, cast, constant
from theano._core.base import dtypes
from theano._core.ir.variable import Constant
from theano._core.ops.array import shaping
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.shaping import MakeVector
from theano._core.ops.core.dimshuffle import pad_left
from theano._core.ops.random import philox
from theano._core.ops.random.rejection import RejectionDraw

if TYPE_CHECKING:
    from theano._core.ir.annotations import Dims, TensorLike
    from theano._core.ir.tensor import TensorVariable

# Dtype of the keys of each generator.
GENERATORS = {"philox4x64": "uint64", "philox4x32": "uint32"}


def key(seed: TensorLike, generator: str = "philox4x64") -> TensorVariable:
    """Return the key of a seed.

    Parameters
    ----------
    seed : int, or integer scalar
        An int, not negative, of up to 128 bits (64 for 'philox4x32'). Its lower half is the first
        word of the key. An item of a variable is taken modulo 2**64.
    generator : {'philox4x64', 'philox4x32'}
        What all draws under the key, and under keys made of it, come from. With words of 64 bits
        they are those of NumPy's Philox; with words of 32 bits uniform ones take half the time.

    Returns
    -------
    vector of 2 words
        uint64 or uint32, which tells the generator. ``numpy.random.Philox(key=seed)`` has the same
        key of 64-bit words.

    Raises
    ------
    TypeError
        `seed` is not an integer scalar.
    ValueError
        It is negative, or has too many bits; there is no such generator.

    Notes
    -----
    The same key always gives the same numbers: use each for one draw only, and make others with
    `split` or `fold_in`.

    Examples
    --------
    >>> key(42).eval()
    array([42,  0], dtype=uint64)
    """
    if generator not in GENERATORS:
        raise ValueError(f"key: generator is one of {', '.join(GENERATORS)}, not {generator!r}")
    dtype = GENERATORS[generator]
    bits = 8 * np.dtype(dtype).itemsize
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool):
        seed = int(seed)
        if not 0 <= seed < 1 << 2 * bits:
            raise ValueError(f"key: a seed is an int from 0 to 2**{2 * bits} - 1, got {seed}")
        return constant(np.asarray([seed & ((1 << bits) - 1), seed >> bits], dtype=dtype))
    variable = as_tensor_variable(seed)
    if variable.type.ndim or not dtypes.is_discrete(variable.type.dtype):
        raise TypeError(f"key: a seed is an integer scalar, got {variable} of {variable.type}")
    whole = cast(variable, "uint64")
    upper = whole // np.uint64(1 << 32) if bits == 32 else constant(0, dtype="uint64")
    return MakeVector(dtype)(cast(whole, dtype), cast(upper, dtype))


def split(key: TensorLike, n: TensorLike = 2) -> TensorVariable:
    """Return new keys, independent of each other and of what the old one draws.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    n : int or integer scalar
        How many.

    Returns
    -------
    matrix of the dtype of `key`, shape (n, 2)
        Of an int `n`, it can be unpacked: ``first, second = split(key, 2)``.

    Raises
    ------
    ValueError
        `n` is a negative int.

    Notes
    -----
    Key i does not depend on `n`. It is the first two words of the Philox block of counter
    (i, 0, 0, 2) under the old key (of 32-bit words, i is the first two).

    Examples
    --------
    >>> from theano.tensor import random
    >>> first, second = random.split(random.key(42), 2)
    >>> bool((random.uniform(first, (3,)).eval() != random.uniform(second, (3,)).eval()).all())
    True
    """
    if not isinstance(n, (int, np.integer)):
        return philox.DeriveKeys(philox.SPLIT)(key, arange(n))
    if n < 0:
        raise ValueError(f"split: cannot make {n} keys")
    return philox.DeriveKeys(philox.SPLIT)(key, np.arange(n, dtype="uint64"))


def fold_in(key: TensorLike, data: TensorLike) -> TensorVariable:
    """Return a new key for `data`: the number of a step, of a layer, of a worker.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    data : integer scalar, or array of integers
        Taken modulo 2**64.

    Returns
    -------
    tensor of the dtype of `key`
        A key; for an array of `data`, keys along a new last axis.

    Raises
    ------
    TypeError
        `data` are not integers.

    Notes
    -----
    It is the first two words of the Philox block of counter (data, 0, 0, 3) under the old key (of
    32-bit words, `data` are the first two).

    Examples
    --------
    >>> from theano.tensor import random
    >>> step = T.lscalar("step")
    >>> draw = random.uniform(random.fold_in(random.key(42), step), ())
    >>> bool(draw.eval({step: 1}) == draw.eval({step: 1}))
    True
    """
    return philox.DeriveKeys(philox.FOLD_IN)(key, data)


def bits(key: TensorLike, shape: TensorLike = (), dtype: str = "uint32") -> TensorVariable:
    """Return random integers of which every bit is 0 or 1 with the same chance.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, or int vector
    dtype : {'uint8', 'uint16', 'uint32', 'uint64'}
        Of 64 bits, they are ``numpy.random.Philox(key=key).random_raw(n)`` under a key of 64-bit
        words; of 32 bits the lower and the upper half of each of these in turn; fewer are the lower
        bits of 32.

    Returns
    -------
    tensor of `dtype`, shape `shape`

    Raises
    ------
    TypeError
        Another `dtype`.

    Examples
    --------
    >>> from theano.tensor import random
    >>> random.bits(random.key(42), (3,)).eval().dtype
    dtype('uint32')
    """
    if dtype not in ("uint8", "uint16", "uint32", "uint64"):
        raise TypeError(f"bits: dtype is one of uint8, uint16, uint32, uint64, not {dtype}")
    wide = "uint64" if dtype == "uint64" else "uint32"
    return cast(stream_draw("bits", wide, key, result_shape(shape, ())), dtype)


# -- what draws share -------------------------------------------------------------------------


def stream_draw(source: str, dtype: str, key: object, shape: Dims) -> Any:
    """Return an array of the given shape from the stream of a key."""
    return philox.StreamDraw(source, dtype)(key, *shape)


def integer_dtype(name: str, dtype: str) -> str:
    """Return `dtype` if it is one of counts, or raise TypeError."""
    if dtype == "bool" or dtype not in dtypes.all_dtypes or dtypes.is_complex(dtype):
        raise TypeError(f"{name}: dtype is an integer or a float, not {dtype}")
    return dtype


def real_parameter(name: str, what: str, value: object) -> Any:
    """Return a parameter as a variable; raises TypeError for complex numbers."""
    variable = as_tensor_variable(value)
    if dtypes.is_complex(variable.type.dtype):
        raise TypeError(f"{name}: {what} must be real, got {variable.type}")
    return variable


def parameter(
    name: str, what: str, value: object, dtype: str, holds: Callable[[Any], Any], rule: str
) -> Any:
    """Return a parameter as a variable that is checked.

    Parameters
    ----------
    name : str
        The function that has the parameter.
    what : str
        Name of the parameter.
    value : tensor
    dtype : str
        Item type it is used in.
    holds : callable
        Whether an array, or a variable, is in range; the check is made at once for constants, and
        when the function is called for others.
    rule : str
        What `holds` asks for, for the message.
    """
    variable = real_parameter(name, what, value)
    text = f"{name}: {what} must be {rule}"
    if isinstance(variable, Constant):
        if not np.all(holds(variable.data)):
            raise ValueError(f"{text}, got {variable.data}")
        return cast(variable, dtype)
    return cast(Require(text)(variable, all_of(holds(variable))), dtype)


def positive(name: str, what: str, value: object, dtype: str) -> Any:
    """Return a parameter above 0."""
    return parameter(name, what, value, dtype, lambda v: v > 0, "positive")


def not_negative(name: str, what: str, value: TensorLike, dtype: str) -> Any:
    """Return a parameter that is 0 or more."""
    return parameter(name, what, value, dtype, lambda v: v >= 0, "0 or more")


def probability(name: str, what: str, value: TensorLike, dtype: str = "float64") -> Any:
    """Return a parameter between 0 and 1."""
    return parameter(name, what, value, dtype, lambda v: (v >= 0) & (v <= 1), "between 0 and 1")


def result_shape(shape: object, parameters: Sequence[Any]) -> list[Any]:
    """Return the shape of a result: that of `shape`, or what the parameters broadcast to.

    Raises
    ------
    TypeError
        A length is not an integer.
    ValueError
        A length is negative, or the parameters have more axes than `shape`.
    """
    rank = max((v.type.ndim for v in parameters), default=0)
    if shape is None:
        return [_length_of_axis(axis - rank, parameters) for axis in range(rank)]
    result = shape_items(shape)
    for n in result:
        if isinstance(n, (int, np.integer)) and n < 0:
            raise ValueError(f"negative dimensions are not allowed: shape {tuple(result)}")
        variable = as_tensor_variable(n)
        if variable.type.ndim or not dtypes.is_discrete(variable.type.dtype):
            raise TypeError(f"a shape holds integers, got {n} of type {variable.type}")
    if rank > len(result):
        raise ValueError(
            f"the parameters have {rank} dimensions and shape {len(result)}: leave out shape, or "
            "give all lengths of the result"
        )
    return result


def _length_of_axis(axis: int, parameters: Sequence[Any]) -> Any:
    for v in parameters:
        if v.type.ndim >= -axis and not v.type.broadcastable[axis]:
            return shaping.length(v, v.type.ndim + axis)
    return 1


def check_fit(name: str, variables: Sequence[Any], shape: Sequence[Any]) -> None:
    """Raise ValueError where a length of the result is 1 and a variable is not so declared."""
    for variable in variables:
        pattern = variable.type.broadcastable
        for axis in range(1, len(pattern) + 1):
            n = shape[-axis]
            if isinstance(n, (int, np.integer)) and n == 1 and not pattern[-axis]:
                raise ValueError(
                    f"{name}: shape has length 1 along axis -{axis}, where a parameter has more"
                )


class FloatDraw:
    """The parameters of one draw of floats, and the steps that all of them take.

    Parameters
    ----------
    name : str
        The function, for messages.
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, int vector, or None
    dtype : str or None
        Of the result.
    """

    def __init__(self, name: str, key: object, shape: TensorLike | None, dtype: str | None) -> None:
        self.name = name
        # Looked at first: what is left out in front moves all arguments.
        self.key = philox.random_key(key)
        self.shape = shape
        self.out = float_dtype(dtype)
        if self.out not in ("float16", "float32", "float64"):
            raise TypeError(f"{name}: dtype is a float, not {self.out}")
        # The item type of the arithmetic.
        self.work = "float64" if self.out == "float64" else "float32"
        self.parameters: list[Any] = []

    def _add(self, variable: TensorLike) -> Any:
        self.parameters.append(variable)
        return variable

    def location(self, what: str, value: object) -> Any:
        """Return a parameter that is any real number; NaN gives NaN."""
        return self._add(cast(real_parameter(self.name, what, value), self.work))

    def positive(self, what: str, value: object) -> Any:
        """Return a parameter above 0."""
        return self._add(positive(self.name, what, value, self.work))

    def not_negative(self, what: str, value: TensorLike) -> Any:
        """Return a parameter that is 0 or more."""
        return self._add(not_negative(self.name, what, value, self.work))

    @property
    def result_shape(self) -> list[Any]:
        """The shape of the result; known once all parameters are given."""
        shape = result_shape(self.shape, self.parameters)
        check_fit(self.name, self.parameters, shape)
        return shape

    def stream(self, source: str, key: TensorLike | None = None) -> Any:
        """Return an array of the result's shape from the stream of a key."""
        return stream_draw(source, self.work, self.key if key is None else key, self.result_shape)

    def by_rejection(
        self, sampler: str, parameter: TensorLike, key: TensorLike | None = None
    ) -> Any:
        """Return an array of the result's shape from a sampler."""
        used = self.key if key is None else key
        return rejection_draw(self.name, sampler, self.work, used, self.result_shape, [parameter])

    def moved(self, z: Any, loc: TensorLike, scale: TensorLike) -> Any:
        """Return loc + scale z, in the dtype asked for; the numbers 0 and 1 change nothing."""
        # All parameters are needed for the shape, so `z` is a function.
        scaled = None if _is(scale, 1.0) else self.not_negative("scale", scale)
        added = None if _is(loc, 0.0) else self.location("loc", loc)
        result = z() if scaled is None else z() * scaled
        return self.result(result if added is None else result + added)

    def result(self, value: TensorLike) -> Any:
        """Return what was drawn in the dtype asked for."""
        return cast(value, self.out)


def _is(value: TensorLike, number: float) -> bool:
    return isinstance(value, (int, float)) and value == number


def rejection_draw(
    name: str, sampler: str, dtype: str, key: object, shape: Dims, parameters: Sequence[object]
) -> Any:
    """Return an array of the given shape from a sampler."""
    check_fit(name, parameters, shape)
    rank = len(shape)
    wide = [pad_left(cast(v, "float64"), rank) for v in parameters]
    return RejectionDraw(sampler, dtype, rank)(key, *shape, *wide)
