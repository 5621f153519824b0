"""Pools of images: the maximum, sum or average of each window."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from theano._core.api.conversion import as_tensor_variable
from theano._core.base.near_misses import explain_functions
from theano._core.base.sequences import listed
from theano._core.ops.nn.pooling import MaxPoolGrad, Pool, renamed

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable


def _pool(
    ndim: int,
    input: TensorLike,
    names: tuple[object, ...],
    ignore_border: bool | None,
    mode: str,
) -> Any:
    x = as_tensor_variable(input)
    ws, stride, pad = map(listed, renamed(*names))
    if x.type.ndim < ndim:
        raise NotImplementedError(f"pool_{ndim}d requires a dimension >= {ndim}")
    if ignore_border is None:
        warnings.warn(
            f"pool_{ndim}d() will have the parameter ignore_border default value changed to True "
            "(currently False). To have consistent behavior with all Theano version, explicitly "
            "add the parameter ignore_border=True.",
            stacklevel=3,
        )
        ignore_border = False
    return Pool(ignore_border, mode, ndim)(x, ws, stride, pad)


def pool_2d(
    input: TensorLike,
    ws: TensorLike | None = None,
    ignore_border: bool | None = None,
    stride: TensorLike | None = None,
    pad: TensorLike = (0, 0),
    mode: str = "max",
    ds: TensorLike | None = None,
    st: TensorLike | None = None,
    padding: TensorLike | None = None,
) -> TensorVariable:
    """Return one number of each window along the last two axes.

    Parameters
    ----------
    input : tensor of 2 axes or more
    ws : pair of int, or integer vector
        Rows and columns of a window.
    ignore_border : bool
        Whether windows that would go beyond the image are left out; else they are cut. None acts
        as False, with a warning.
    stride : pair of int, or integer vector, optional
        Rows and columns from window to window; by default they do not overlap.
    pad : pair of int, or integer vector
        Rows and columns of zeros (for maxima: of nothing) on each side; with `ignore_border` only.
    mode : {'max', 'sum', 'average_inc_pad', 'average_exc_pad'}
        What is made of a window; averages count the zeros of `pad`, or not.
    ds, st, padding
        Old names of `ws`, `stride` and `pad`.

    Returns
    -------
    TensorVariable of the dtype and the number of axes of `input`

    Raises
    ------
    NotImplementedError
        A border without `ignore_border`, or one that is not smaller than the window.
    ValueError
        Parameters are missing, given twice, or out of range.

    Examples
    --------
    >>> x = T.dtensor4("x")
    >>> f = theano.function([x], theano.tensor.signal.pool.pool_2d(x, (2, 2), ignore_border=True))
    >>> f(np.arange(16.0).reshape(1, 1, 4, 4))[0, 0]
    array([[ 5.,  7.],
           [13., 15.]])
    """
    return _pool(2, input, (ws, ds, stride, st, pad, padding), ignore_border, mode)


def pool_3d(
    input: TensorLike,
    ws: TensorLike | None = None,
    ignore_border: bool | None = None,
    stride: TensorLike | None = None,
    pad: TensorLike = (0, 0, 0),
    mode: str = "max",
    ds: TensorLike | None = None,
    st: TensorLike | None = None,
    padding: TensorLike | None = None,
) -> TensorVariable:
    """Return one number of each window along the last three axes; see `pool_2d`.

    Parameters
    ----------
    input : tensor of at least 3 axes
    ws : tuple of 3 ints, or int vector
        Lengths of a window.
    ignore_border : bool
        Whether to leave out windows that reach beyond the end.
    stride : tuple of 3 ints, optional
        From window to window; by default `ws`.
    pad : tuple of 3 ints
        Items of padding at both ends.
    mode : {'max', 'sum', 'average_inc_pad', 'average_exc_pad'}
    ds, st, padding : object
        Old names of `ws`, `stride` and `pad`.

    Returns
    -------
    tensor
        As many axes as `input`.

    Examples
    --------
    >>> x = T.dtensor3("x")
    >>> pooled = theano.tensor.signal.pool.pool_3d(x, (2, 2, 2), ignore_border=True)
    >>> pooled.eval({x: np.arange(8.0).reshape(2, 2, 2)})
    array([[[7.]]])
    """
    return _pool(3, input, (ws, ds, stride, st, pad, padding), ignore_border, mode)


def max_pool_2d_same_size(input: TensorLike, patch_size: TensorLike) -> TensorVariable:
    """Return images with zeros where an item is not the maximum of its patch.

    Parameters
    ----------
    input : tensor of 2 axes or more
    patch_size : pair of int
        Rows and columns of a patch; they do not overlap.

    Returns
    -------
    TensorVariable of the shape of `input`

    Examples
    --------
    >>> x = T.dtensor4("x")
    >>> out = theano.tensor.signal.pool.max_pool_2d_same_size(x, (2, 2))
    >>> out.eval({x: np.arange(4.0).reshape(1, 1, 2, 2)})[0, 0]
    array([[0., 0.],
           [0., 3.]])
    """
    x = as_tensor_variable(input)
    largest = Pool(True, "max")(x, patch_size)
    return MaxPoolGrad(True)(x, largest, largest, patch_size)


def max_pool_2d(
    input: TensorLike,
    ds: TensorLike,
    ignore_border: bool | None = None,
    st: TensorLike | None = None,
    padding: TensorLike = (0, 0),
    mode: str = "max",
) -> Any:
    """Return `pool_2d` of windows `ds`, steps `st` and borders `padding`: its older form."""
    return _pool(2, input, (ds, None, st, None, padding, None), ignore_border, mode)


explain_functions(globals())
