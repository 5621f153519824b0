"""Functions that make tensors: of one number, of ranges, and of other tensors put together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.array.shaping import float_dtype, shape_items
from theano._core.api.conversion import as_tensor_variable, cast
from theano._core.base import dtypes
from theano._core.base.near_misses import explain_functions
from theano._core.base.settings import config
from theano._core.ops.array import broadcasting, creation as ops, shaping
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.fill import second
from theano._core.ops.elementwise.arithmetic import ge, sub, switch

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable

fill, alloc = second, broadcasting.alloc


def zeros(shape: TensorLike, dtype: str | None = None) -> TensorVariable:
    """Return zeros.

    Parameters
    ----------
    shape : int, sequence of ints and scalars, or int vector of known length
    dtype : str, optional
        `config.floatX` by default.

    Returns
    -------
    tensor

    Examples
    --------
    >>> n = T.lscalar("n")
    >>> T.zeros((2, n), dtype="int64").eval({n: 3})
    array([[0, 0, 0],
           [0, 0, 0]])
    """
    return alloc(np.asarray(0, dtype=float_dtype(dtype)), *shape_items(shape))


def ones(shape: TensorLike, dtype: str | None = None) -> TensorVariable:
    """Return ones; arguments as for `zeros`.

    Parameters
    ----------
    shape : int, scalar variable, sequence or vector
    dtype : str, optional
        By default `config.floatX`.

    Returns
    -------
    tensor

    Examples
    --------
    >>> T.ones((2,), dtype="float32").eval()
    array([1., 1.], dtype=float32)
    """
    return alloc(np.asarray(1, dtype=float_dtype(dtype)), *shape_items(shape))


def _like(model: object, number: int, dtype: str | None) -> Any:
    x = as_tensor_variable(model)
    dtype = x.type.dtype if dtype is None else float_dtype(dtype)
    return second(x, np.asarray(number, dtype=dtype))


def zeros_like(model: TensorLike, dtype: str | None = None, opt: bool = False) -> TensorVariable:
    """Return zeros in the shape of `model` and, unless `dtype` says, of its dtype.

    `opt` is accepted for old programs: rewriting does what it asked for.

    Parameters
    ----------
    model : tensor
    dtype : str, optional
    opt : bool
        Accepted for old programs.

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.fvector("x")
    >>> T.zeros_like(x).eval({x: [1, 2]})
    array([0., 0.], dtype=float32)
    """
    return _like(model, 0, dtype)


def ones_like(model: TensorLike, dtype: str | None = None, opt: bool = False) -> TensorVariable:
    """Return ones in the shape of `model` and, unless `dtype` says, of its dtype.

    Parameters
    ----------
    model : tensor
    dtype : str, optional
    opt : bool
        Accepted for old programs.

    Returns
    -------
    tensor

    Examples
    --------
    >>> T.ones_like(T.constant([1.5, 2.5]), dtype="int8").eval()
    array([1, 1], dtype=int8)
    """
    return _like(model, 1, dtype)


def eye(
    n: TensorLike, m: TensorLike | None = None, k: TensorLike = 0, dtype: str | None = None
) -> TensorVariable:
    """Return a matrix of `n` rows and `m` (default `n`) columns with ones on diagonal `k`.

    Parameters
    ----------
    n, m : int or scalar variable
    k : int or scalar variable
        The diagonal; positive ones lie to the right.
    dtype : str, optional
        By default `config.floatX`.

    Returns
    -------
    tensor, matrix

    Examples
    --------
    >>> T.eye(2, 3, k=1, dtype="int64").eval()
    array([[0, 1, 0],
           [0, 0, 1]])
    """
    return ops.Eye(float_dtype(dtype))(n, n if m is None else m, k)


def identity_like(x: TensorLike) -> TensorVariable:
    """Return a matrix of the lengths and dtype of `x` with ones on the main diagonal.

    Parameters
    ----------
    x : tensor, matrix

    Returns
    -------
    tensor, matrix
        Of the dtype of `x`.

    Examples
    --------
    >>> T.identity_like(T.dmatrix("m")).dtype
    'float64'
    """
    x = as_tensor_variable(x)
    if x.type.ndim != 2:
        raise TypeError(f"identity_like needs a matrix, got {x.type}")
    return eye(shaping.length(x, 0), shaping.length(x, 1), dtype=x.type.dtype)


def tri(
    N: TensorLike, M: TensorLike | None = None, k: TensorLike = 0, dtype: str | None = None
) -> TensorVariable:
    """Return a matrix with ones on and below diagonal `k`, zeros elsewhere.

    Parameters
    ----------
    N, M : int or scalar variable
        Numbers of rows and columns; `M` is `N` by default.
    k : int or scalar variable
        The diagonal; positive ones lie to the right.
    dtype : str, optional
        By default `config.floatX`.

    Returns
    -------
    tensor, matrix

    Examples
    --------
    >>> T.tri(2, 3, dtype="int64").eval()
    array([[1, 0, 0],
           [1, 1, 0]])
    """
    return cast(ge(k, _diagonals(N, N if M is None else M)), float_dtype(dtype))


def _diagonals(rows: TensorLike, columns: TensorLike) -> Any:
    """Return the diagonal that each item of a matrix is on: no number that may be out of range."""
    down, across = arange(rows), arange(columns)
    return sub(dimshuffle(across, ("x", 0)), dimshuffle(down, (0, "x")))


def _matrix_for(name: str, m: TensorLike) -> TensorVariable:
    m = as_tensor_variable(m)
    if m.type.ndim < 2:
        raise ValueError(f"{name} needs a matrix, got {m.type}")
    return m


def tril(m: TensorLike, k: TensorLike = 0) -> TensorVariable:
    """Return the matrix `m` with zeros above diagonal `k`.

    Parameters
    ----------
    m : tensor, matrix
    k : int or scalar variable
        The diagonal; positive ones lie to the right.

    Returns
    -------
    tensor, matrix
        Of the dtype of `m`.

    Examples
    --------
    >>> T.tril(T.ones((2, 2))).eval()
    array([[1., 0.],
           [1., 1.]])
    """
    m = _matrix_for("tril", m)
    below = tri(shaping.length(m, 0), shaping.length(m, 1), k, "bool")
    return switch(below, m, np.asarray(0, m.type.dtype))


def triu(m: TensorLike, k: TensorLike = 0) -> TensorVariable:
    """Return the matrix `m` with zeros below diagonal `k`.

    Parameters
    ----------
    m : tensor, matrix
    k : int or scalar variable
        The diagonal; positive ones lie to the right.

    Returns
    -------
    tensor, matrix
        Of the dtype of `m`.

    Examples
    --------
    >>> T.triu(T.ones((2, 2))).eval()
    array([[1., 1.],
           [0., 1.]])
    """
    m = _matrix_for("triu", m)
    above = ge(_diagonals(shaping.length(m, 0), shaping.length(m, 1)), k)
    return switch(above, m, np.asarray(0, m.type.dtype))


@cache
def _arange_op(dtype: str) -> Any:
    # Old programs compare operations by identity.
    return ops.ARange(dtype)


def arange(
    start: TensorLike,
    stop: TensorLike | None = None,
    step: TensorLike = 1,
    dtype: str | None = None,
) -> TensorVariable:
    """Return numbers from `start` up to, but without, `stop`, `step` apart.

    Parameters
    ----------
    start, stop, step : scalar
        With one argument from 0 up to it.
    dtype : str, optional
        By default the common dtype of the bounds, at least int64 for integers.

    Returns
    -------
    TensorVariable, vector

    Examples
    --------
    >>> n = T.lscalar("n")
    >>> T.arange(n).eval({n: 4})
    array([0, 1, 2, 3])
    >>> T.arange(0.0, 1.0, 0.25, dtype="float64").eval()
    array([0.  , 0.25, 0.5 , 0.75])
    """
    if stop is None:
        start, stop = 0, start
    bounds = [as_tensor_variable(value) for value in (start, stop, step)]
    if dtype is None:
        dtype = _range_dtype(*(value.type.dtype for value in bounds))
    return _arange_op(dtypes.named(dtype))(*bounds)


def _range_dtype(*names: str) -> str:
    dtype = dtypes.upcast(*names)
    if dtypes.is_uint(dtype):
        return "uint64"
    if dtypes.is_discrete(dtype):
        return "int64"
    keep_float_x = config.cast_policy == "numpy+floatX" and config.floatX == "float32"
    return "float32" if keep_float_x and "float64" not in names else dtype


class Grid:
    """Grids of numbers, by slices of symbolic bounds: ``mgrid[0:n, 0:m]``.

    Parameters
    ----------
    sparse : bool
        Each grid has the numbers along its own axis only, and length 1 along the others.
    """

    def __init__(self, sparse: bool) -> None:
        self.sparse = sparse

    def __getitem__(self, key: Sequence[slice] | slice) -> list[Any]:
        parts = key if isinstance(key, tuple) else (key,)
        ranges = []
        for axis, part in enumerate(parts):
            if not isinstance(part, slice) or isinstance(part.step, complex):
                raise NotImplementedError(f"grids are made of slices with real steps, got {part}")
            steps = arange(
                0 if part.start is None else part.start,
                part.stop,
                1 if part.step is None else part.step,
            )
            order: list[Any] = ["x"] * len(parts)
            order[axis] = 0
            ranges.append(dimshuffle(steps, order))
        if self.sparse:
            return ranges
        dtype = dtypes.upcast(*(each.type.dtype for each in ranges))
        shape = [shaping.length(each, axis) for axis, each in enumerate(ranges)]
        return [alloc(cast(each, dtype), *shape) for each in ranges]


mgrid = Grid(sparse=False)
ogrid = Grid(sparse=True)


explain_functions(globals())
