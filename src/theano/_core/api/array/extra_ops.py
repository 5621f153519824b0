"""Counting, cumulating, selecting and numbering the items of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.array import products, reductions as r
from theano._core.api.array.creation import arange
from theano._core.api.array.indexing import flatnonzero, set_subtensor, take
from theano._core.api.array.joining import join
from theano._core.api.array.shaping import squeeze
from theano._core.api.conversion import as_tensor_variable, cast
from theano._core.base import dtypes
from theano._core.base.near_misses import explain_functions
from theano._core.ir.variable import Variable
from theano._core.ops.array import shaping
from theano._core.ops.array.assertions import Assert, Require
from theano._core.ops.array.broadcasting import alloc
from theano._core.ops.array.dims import broadcast_shape, total
from theano._core.ops.array.indexing import scatter_add
from theano._core.ops.array.multi_index import Choose, RavelMultiIndex, UnravelIndex
from theano._core.ops.array.reductions import reduce
from theano._core.ops.array.shaping import length
from theano._core.ops.control.inner_graph import whole
from theano._core.ops.core.dimshuffle import dimshuffle, pad_left
from theano._core.ops.cumulative import Cumulative, difference
from theano._core.ops.elementwise import arithmetic as a_

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable


def _cumulative(mode: str, items: object, axis: int | None) -> Any:
    x: Any = as_tensor_variable(items)
    if axis is None:
        x, axis = (x if x.type.ndim == 1 else shaping.reshape_op(x, [-1])), 0
    result: Any = Cumulative(shaping.axis_of(f"cum{mode}", x, axis), mode)(x)
    return a_.neq(result, 0) if x.type.dtype == "bool" else result


def cumsum(x: TensorLike, axis: int | None = None) -> TensorVariable:
    """Return the sums of the items along `axis` up to each position, in the dtype of `x`.

    Of truth values: whether any holds up to there; `x.astype("int64")` counts them.

    Parameters
    ----------
    x : tensor
    axis : int or None
        None: of the flattened array.

    Returns
    -------
    tensor
        Of the shape of `x`; flat if `axis` is None.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.cumsum(x).eval({x: [1.0, 2.0, 3.0]})
    array([1., 3., 6.])
    """
    return _cumulative("add", x, axis)


def cumprod(x: object, axis: int | None = None) -> TensorVariable:
    """Return the products of the items along `axis` up to each position; as `cumsum`.

    Of truth values: whether all hold up to there. The gradient is right where items are zero, too.

    Parameters
    ----------
    x : tensor
    axis : int or None
        None: the flattened array.

    Returns
    -------
    tensor
        Of the shape of `x`; flat if `axis` is None.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.cumprod(x).eval({x: [1.0, 2.0, 3.0]})
    array([1., 2., 6.])
    """
    return _cumulative("mul", x, axis)


def diff(x: TensorLike, n: int = 1, axis: int = -1) -> TensorVariable:
    """Return the `n`-th differences of neighbouring items along `axis`.

    Parameters
    ----------
    x : tensor
    n : int
        How many times.
    axis : int

    Returns
    -------
    tensor
        Shorter by `n` along `axis`.

    Raises
    ------
    ValueError
        `n` is negative, or there is no such axis.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.diff(x).eval({x: [1.0, 4.0, 9.0]})
    array([3., 5.])
    """
    return whole("DiffOp", partial(_diff, n, axis), [as_tensor_variable(x)], n=n, axis=axis)


def _diff(n: int, axis: int, x: Variable) -> Any:
    if n < 0:
        raise ValueError(f"diff: n must not be negative, got {n}")
    along = shaping.axis_of("diff", x, axis)
    result: Any = x
    for _ in range(n):
        result = difference(result, along)
    return result


def bincount(
    x: TensorLike,
    weights: TensorLike | None = None,
    minlength: TensorLike | None = None,
    assert_nonneg: bool = False,
) -> TensorVariable:
    """Return how often each number from 0 to the largest occurs.

    Parameters
    ----------
    x : int vector
        Not negative (AssertionError).
    weights : vector, optional
        What each occurrence counts.
    minlength : int or integer scalar, optional
        Least length of the result.
    assert_nonneg : bool
        Accepted for old programs: it is always checked.

    Returns
    -------
    TensorVariable, vector
        int64, or of the dtype of `weights`.

    Raises
    ------
    TypeError
        `x` is not an integer vector.

    Examples
    --------
    >>> T.extra_ops.bincount(T.constant([0, 2, 2], dtype="int64")).eval()
    array([1, 0, 2])
    """
    x = as_tensor_variable(x)
    if x.type.ndim != 1:
        raise TypeError(f"Inputs must be of dimension 1, got {x.type}")
    if not dtypes.is_discrete(x.type.dtype):
        raise TypeError(f"bincount needs integers, got {x.type}")
    x = cast(x, "int64")
    smallest, largest = reduce("infimum", x), reduce("supremum", x)
    checked = Assert("Input to bincount has negative values!")
    x, largest = (checked(v, a_.ge(smallest, 0)) for v in (x, largest))
    count = total([a_.maximum(largest, -1), 1])
    if minlength is not None:
        least = cast(as_tensor_variable(minlength), "int64")
        text = "bincount: minlength must not be negative, got {0}"
        count = a_.maximum(count, Require(text, 1)(least, least, a_.ge(least, 0)))
    weights = as_tensor_variable(np.asarray(1, "int64") if weights is None else weights)
    empty = alloc(np.zeros((), dtype=weights.type.dtype), count)
    return scatter_add(empty, weights, x)


def compress(condition: TensorLike, x: TensorLike, axis: int | None = None) -> TensorVariable:
    """Return the parts of `x` along `axis` where the vector `condition` holds.

    With `axis` None the items of the flattened array are taken. `condition` may be shorter.
    """
    return take(x, flatnonzero(condition), axis)


def fill_diagonal(a: TensorLike, val: TensorLike) -> TensorVariable:
    """Return `a` with the scalar `val` on its main diagonal.

    Parameters
    ----------
    a : tensor, at least two axes
        Of more than two axes all must have one length (AssertionError).
    val : scalar

    Returns
    -------
    tensor
        Of the dtype and shape of `a`.

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.fill_diagonal(x, 9.0).eval({x: np.zeros((2, 2))})
    array([[9., 0.],
           [0., 9.]])
    """
    return whole("FillDiagonal", _fill_diagonal, [as_tensor_variable(v) for v in (a, val)])


def _fill_diagonal(x: Variable, val: Variable) -> Any:
    if x.type.ndim < 2:
        raise TypeError("FillDiagonal: first parameter must have at least two dimensions")
    val = _scalar_for("FillDiagonal", x, val)
    shape = [length(x, axis) for axis in range(x.type.ndim)]
    count = a_.minimum(shape[0], shape[1])
    if x.type.ndim > 2:
        equal = [a_.eq(shape[0], n) for n in shape[1:]]
        x = Assert("All dimensions of input must be of equal length")(x, *equal)
    steps = arange(count)
    return set_subtensor(x[(steps,) * x.type.ndim], val)


def fill_diagonal_offset(a: TensorLike, val: TensorLike, offset: TensorLike) -> TensorVariable:
    """Return the matrix `a` with the scalar `val` on the diagonal that lies `offset` to the right.

    Parameters
    ----------
    a : matrix
    val : scalar
    offset : int or integer scalar
        Negative: below the main diagonal.

    Returns
    -------
    tensor
        Of the dtype and shape of `a`.

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.fill_diagonal_offset(x, 9.0, 1).eval({x: np.zeros((2, 2))})
    array([[0., 9.],
           [0., 0.]])
    """
    values = [as_tensor_variable(v) for v in (a, val, offset)]
    return whole("FillDiagonalOffset", _fill_diagonal_offset, values)


def _fill_diagonal_offset(x: Variable, val: Variable, offset: Variable) -> Any:
    if x.type.ndim != 2:
        raise TypeError("FillDiagonalOffset: first parameter must have exactly two dimensions")
    if offset.type.ndim or not dtypes.is_integer(offset.type.dtype):
        raise TypeError(f"FillDiagonalOffset: the offset must be an integer, got {offset.type}")
    val = _scalar_for("FillDiagonalOffset", x, val)
    # Diagonals beyond are as empty as the first one there.
    offset = cast(a_.clip(offset, a_.neg(length(x, 0)), length(x, 1)), "int64")
    row, column = a_.maximum(a_.neg(offset), 0), a_.maximum(offset, 0)
    room = a_.minimum(a_.sub(length(x, 0), row), a_.sub(length(x, 1), column))
    steps = arange(a_.maximum(room, 0))
    return set_subtensor(x[a_.add(steps, row), a_.add(steps, column)], val)


def _scalar_for(name: str, x: Variable, val: Variable) -> Any:
    if val.type.ndim:
        raise TypeError(f"{name}: second parameter must be a scalar, got {val.type}")
    if dtypes.upcast(x.type.dtype, val.type.dtype) != x.type.dtype:
        raise TypeError(
            f"{name}: type of second parameter must be the same as the first's: "
            f"{val.type.dtype} does not fit {x.type.dtype}"
        )
    return cast(val, x.type.dtype)


def unravel_index(
    indices: TensorLike, dims: TensorLike, order: str = "C", ndim: int | None = None
) -> Any:
    """Return where the items numbered `indices` are in an array of lengths `dims`.

    Parameters
    ----------
    indices : int tensor
    dims : int vector, or sequence of int
    order : {'C', 'F'}
        How items are numbered: the last axis fastest, or the first.
    ndim : int, optional
        Length of `dims`, where the graph does not say it.

    Returns
    -------
    tuple of TensorVariable
        int64, one for each axis, of the shape of `indices`.

    Examples
    --------
    >>> i = T.lvector("i")
    >>> rows, columns = T.unravel_index(i, (2, 3))
    >>> rows.eval({i: [0, 4]}), columns.eval({i: [0, 4]})
    (array([0, 1]), array([0, 1]))
    """
    dims = as_tensor_variable(dims)
    count = shaping.vector_length(dims) if ndim is None else ndim
    results = UnravelIndex(count, order)(indices, dims)
    return tuple(results) if isinstance(results, (list, tuple)) else (results,)


def ravel_multi_index(
    multi_index: Sequence[object],
    dims: object,
    mode: Sequence[str] | str = "raise",
    order: str = "C",
) -> TensorVariable:
    """Return the numbers of the items at `multi_index` in an array of lengths `dims`.

    Parameters
    ----------
    multi_index : sequence of int tensors
        Positions along each axis.
    dims : int vector, or sequence of int
    mode : {'raise', 'wrap', 'clip'}, or a sequence of them
        What becomes of positions outside: ValueError, counted modulo the length, or the nearest.
    order : {'C', 'F'}

    Returns
    -------
    tensor, int64

    Examples
    --------
    >>> i, j = T.lvectors("i", "j")
    >>> T.ravel_multi_index((i, j), (2, 3)).eval({i: [0, 1], j: [0, 1]})
    array([0, 4])
    """
    return RavelMultiIndex(mode, order)(*multi_index, as_tensor_variable(dims))


def choose(
    a: TensorLike,
    choices: Variable | Sequence[Variable | float] | Sequence[Variable],
    out: TensorLike | None = None,
    mode: str = "raise",
) -> TensorVariable:
    """Return, for each position, the item there of the array whose number `a` holds.

    Parameters
    ----------
    a : int tensor
    choices : sequence of tensors, or tensor whose first axis counts them
        They and `a` broadcast.
    out : None
        Accepted for old programs.
    mode : {'raise', 'wrap', 'clip'}
        What becomes of other numbers: ValueError, counted modulo their count, or the nearest.

    Returns
    -------
    tensor
        Of the common dtype of the choices.

    Examples
    --------
    >>> a, x, y = T.lvector("a"), T.dvector("x"), T.dvector("y")
    >>> T.choose(a, [x, y]).eval({a: [0, 1], x: [1.0, 2.0], y: [3.0, 4.0]})
    array([1., 4.])
    """
    if out is not None:
        raise ValueError("choose: out must be None: results are new arrays")
    if isinstance(choices, (list, tuple)):
        choices = _stacked([as_tensor_variable(each) for each in choices])
    return Choose(mode)(a, choices)


def _stacked(arrays: list[Variable]) -> Any:
    """Return arrays, broadcast to one shape, along a new first axis."""
    rank = max(x.type.ndim for x in arrays)
    arrays = [pad_left(x, rank) for x in arrays]
    patterns = [x.type.broadcastable for x in arrays]
    if rank:
        shapes = [[length(x, axis) for axis in range(rank)] for x in arrays]
        whole = broadcast_shape(patterns, shapes)
        arrays = [alloc(x, *whole) for x in arrays]
    return as_tensor_variable(arrays)


def bartlett(M: TensorLike) -> TensorVariable:
    """Return a triangular window of `M` items that is 0 at both ends; float64.

    Parameters
    ----------
    M : integer scalar
        Length of the window.

    Returns
    -------
    tensor, float64 vector

    Examples
    --------
    >>> T.bartlett(3).eval()
    array([0., 1., 0.])
    """
    return whole("Bartlett", _bartlett, [as_tensor_variable(M)])


def _bartlett(count: Variable) -> Any:
    if count.type.ndim:
        raise TypeError(f"M must be a scalar, got {count.type}")
    if not dtypes.is_integer(count.type.dtype):
        raise TypeError(f"M must be an integer, got {count.type}")
    steps = cast(arange(cast(count, "int64")), "float64")
    # Of a single item the window is 1.
    last = cast(a_.maximum(a_.sub(cast(count, "int64"), 1), 1), "float64")
    rise = a_.true_div(a_.mul(steps, 2.0), last)
    window = a_.switch(a_.le(rise, 1.0), rise, a_.sub(2.0, rise))
    return a_.switch(a_.eq(count, 1), 1.0, window)


def cov(
    m: TensorLike,
    y: TensorLike | None = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: TensorLike | None = None,
    aweights: TensorLike | None = None,
) -> TensorVariable:
    """Return the covariance matrix of variables.

    Parameters
    ----------
    m : tensor, at most two axes
        Each row is a variable, each column an observation.
    y : tensor, optional
        More variables, in the same form.
    rowvar : bool
        False: each column is a variable.
    bias : bool
        Divide by the number of observations rather than by one less.
    ddof : int, optional
        Divide by the number of observations less this; overrides `bias`.
    fweights, aweights : vector, optional
        How often each observation occurred; how much each counts.

    Returns
    -------
    tensor, float matrix

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.cov(x).eval({x: [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]})
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    if ddof is not None and int(ddof) != ddof:
        raise ValueError(f"ddof must be integer, got {ddof}")
    x = _variables(m, rowvar)
    if y is not None:
        x = join(0, x, _variables(y, rowvar))
    shift = (0 if bias else 1) if ddof is None else int(ddof)
    weight_factors = [as_tensor_variable(w) for w in (fweights, aweights) if w is not None]
    weights = a_.mul(*weight_factors) if weight_factors else None
    if weights is None:
        centred = a_.sub(x, r.mean(x, axis=1, keepdims=True))
        divisor: Any = a_.sub(length(x, 1), shift)
        right = centred
    else:
        whole = r.sum(weights)
        average = a_.true_div(r.sum(a_.mul(x, weights), axis=1, keepdims=True), whole)
        centred = a_.sub(x, average)
        # The mean of the weights that are no counts, weighted by themselves.
        unit = 1 if aweights is None else a_.true_div(r.sum(a_.mul(weights, aweights)), whole)
        divisor = a_.sub(whole, a_.mul(unit, shift))
        right = a_.mul(centred, weights)
    product = products.dot(centred, dimshuffle(right, (1, 0)))
    return squeeze(a_.true_div(product, divisor))


def _variables(m: TensorLike, rowvar: bool) -> Any:
    x = as_tensor_variable(m)
    if x.type.ndim > 2:
        raise ValueError(f"m has more than 2 dimensions: {x.type}")
    x = pad_left(x, 2)
    return x if rowvar or as_tensor_variable(m).type.ndim < 2 else dimshuffle(x, (1, 0))


explain_functions(globals())
