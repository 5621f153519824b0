"""Convolutions of images in two and three axes, their gradients, and what is made of them."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from theano._core.api.conversion import as_tensor_variable
from theano._core.base.near_misses import explain_functions, near_keyword
from theano._core.base.sequences import listed
from theano._core.ops.array.indexing import subtensor
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.op import python_int
from theano._core.ops.nn.convolution import (
    AbstractConv2d,
    AbstractConv2d_gradInputs,
    AbstractConv2d_gradWeights,
    AbstractConv3d,
    AbstractConv3d_gradInputs,
    AbstractConv3d_gradWeights,
)

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable


def _constants(shape: object, count: int) -> tuple[int | None, ...] | None:
    """Return the lengths that are constants, None in place of others."""
    if shape is None:
        return None
    shape = listed(shape)
    if not isinstance(shape, (tuple, list)):
        raise ValueError(f"a shape should be None or a tuple of {count} lengths, got {shape}")
    return tuple(None if n is None else python_int(n) for n in shape)


def abstract_conv2d(
    input: TensorLike,
    filters: TensorLike,
    input_shape: object = None,
    filter_shape: TensorLike | None = None,
    border_mode: object = "valid",
    subsample: TensorLike = (1, 1),
    filter_flip: bool = True,
    filter_dilation: TensorLike = (1, 1),
    num_groups: int = 1,
    unshared: bool = False,
) -> TensorVariable:
    """Return the convolution of images with kernels.

    Parameters
    ----------
    input : tensor of 4 axes, float
        Images, channels, rows, columns.
    filters : tensor of 4 axes, float
        Channels of the result, channels of a group, rows, columns. With `unshared` it has 6: rows
        and columns of the result stand after the first one.
    input_shape, filter_shape : tuple of int or None, optional
        Lengths that are known; arrays that have others are refused.
    border_mode : {'valid', 'full', 'half'}, int, pair of int, or pair of pairs of int
        Zeros around the images: none, so many that each window has an item of the image, half the
        length of the kernel, or the number itself, also for rows and columns, before and after.
    subsample : pair of int
        Rows and columns from window to window.
    filter_flip : bool
        Whether kernels are turned around, as the mathematical convolution has it.
    filter_dilation : pair of int
        Rows and columns from item to item of a kernel.
    num_groups : int
        Groups of channels; kernels of each see only its channels.
    unshared : bool
        Whether each window has kernels of its own.

    Returns
    -------
    TensorVariable of 4 axes
        Images, channels of the result, rows, columns.

    Raises
    ------
    ValueError
        An option is out of range, or, when the function runs, lengths do not fit together.
    TypeError
        Arrays have other numbers of axes.
    AssertionError
        They are not of floats.

    Examples
    --------
    >>> x, k = T.dtensor4("x"), T.dtensor4("k")
    >>> out = T.nnet.abstract_conv2d(x, k, subsample=(2, 2))
    >>> out.eval({x: np.ones((1, 1, 4, 4)), k: np.ones((1, 1, 2, 2))})[0, 0]
    array([[4., 4.],
           [4., 4.]])
    """
    op = AbstractConv2d(
        input_shape,
        filter_shape,
        border_mode,
        subsample,
        filter_flip,
        filter_dilation,
        num_groups,
        unshared,
    )
    return op(input, filters)


def conv2d(
    input: TensorLike,
    filters: TensorLike,
    input_shape: object = None,
    filter_shape: TensorLike | None = None,
    border_mode: object = "valid",
    subsample: TensorLike = (1, 1),
    filter_flip: bool = True,
    image_shape: TensorLike | None = None,
    filter_dilation: TensorLike = (1, 1),
    num_groups: int = 1,
    unshared: bool = False,
    **kwargs: TensorLike,
) -> TensorVariable:
    """Return the convolution of images with kernels: `abstract_conv.conv2d`.

    `image_shape` is an old name of `input_shape`. Options that chose an implementation are ignored
    with a warning.

    Parameters
    ----------
    input : tensor of 4 axes, float
        Images, channels, rows, columns.
    filters : tensor of 4 axes, float
        Channels of the result, channels of a group, rows, columns.
    input_shape, filter_shape : tuple of int or None, optional
        Lengths that are known; arrays that have others are refused.
    border_mode : {'valid', 'full', 'half'}, int, or tuple
        Zeros around the images; 'half' keeps their lengths for kernels of odd lengths.
    subsample : tuple of int
        Items from window to window.
    filter_flip : bool
        Whether kernels are turned around, as the mathematical convolution has it.
    image_shape : tuple, optional
        An old name of `input_shape`.
    filter_dilation : tuple of int
        Items from item to item of a kernel.
    num_groups : int
        Groups of channels; kernels of each see only its channels.
    unshared : bool
        Whether each window has kernels of its own.
    **kwargs : object
        Options that chose an implementation.

    Returns
    -------
    tensor of 4 axes
        Images, channels of the result, rows, columns.

    Examples
    --------
    >>> x, k = T.dtensor4("x"), T.dtensor4("k")
    >>> f = theano.function([x, k], T.nnet.conv2d(x, k, border_mode="half"))
    >>> f(np.ones((1, 1, 3, 3)), np.ones((1, 1, 3, 3)))[0, 0]
    array([[4., 6., 4.],
           [6., 9., 6.],
           [4., 6., 4.]])
    """
    if "imshp_logical" in kwargs or "kshp_logical" in kwargs:
        raise ValueError(
            "Keyword arguments 'imshp_logical' and 'kshp_logical' for conv2d are not supported "
            "anymore (and have not been a good idea since the beginning). Please use subsample."
        )
    if not {"stride", "padding", "dilation", "groups"}.isdisjoint(kwargs):
        name = next(iter(kwargs))
        near = near_keyword(name, inspect.signature(abstract_conv2d).parameters)
        raise TypeError(f"conv2d() got an unexpected keyword argument {name!r}.{near}")
    if kwargs:
        warnings.warn(
            f"Keyword arguments of conv2d without effect: {', '.join(kwargs)}", stacklevel=2
        )
    if image_shape is not None:
        if input_shape is not None:
            raise ValueError("input_shape and image_shape should not be provided at the same time.")
        input_shape = image_shape
    return abstract_conv2d(
        input,
        filters,
        input_shape,
        filter_shape,
        border_mode,
        subsample,
        filter_flip,
        filter_dilation,
        num_groups,
        unshared,
    )


def conv3d(
    input: TensorLike,
    filters: TensorLike,
    input_shape: TensorLike | None = None,
    filter_shape: TensorLike | None = None,
    border_mode: Sequence[int] | str = "valid",
    subsample: TensorLike = (1, 1, 1),
    filter_flip: bool = True,
    filter_dilation: TensorLike = (1, 1, 1),
    num_groups: int = 1,
) -> TensorVariable:
    """Return the convolution of images of three axes with kernels.

    Parameters
    ----------
    input : tensor of 5 axes, float
        Images, channels, and three lengths.
    filters : tensor of 5 axes, float
        Channels of the result, channels of a group, and three lengths.
    input_shape, filter_shape, border_mode, subsample, filter_flip, filter_dilation, num_groups
        As of `conv2d`, with three numbers.

    Returns
    -------
    tensor of 5 axes
        Images, channels of the result, and three axes of the image.

    Examples
    --------
    >>> x, k = T.dtensor5("x"), T.dtensor5("k")
    >>> f = theano.function([x, k], T.nnet.conv3d(x, k))
    >>> f(np.ones((1, 1, 3, 3, 3)), np.ones((1, 1, 3, 3, 3))).ravel()
    array([27.])
    """
    op = AbstractConv3d(
        input_shape, filter_shape, border_mode, subsample, filter_flip, filter_dilation, num_groups
    )
    return op(input, filters)


def _shape_of_gradient(name: str, shape: Any, convdim: int) -> Any:
    """Return the last lengths of a shape as a vector."""
    last = [shape[axis] for axis in range(-convdim, 0)]
    for axis, size in enumerate(last, len(shape) - convdim):
        if size is None:
            raise ValueError(f"{name}[{axis}] must be a symbolic variable, a constant or None.")
    lengths = [python_int(n) for n in last]
    return as_tensor_variable(last if None in lengths else lengths)


def _gradient_inputs(
    cls: type,
    convdim: int,
    output_grad: TensorLike,
    filters: TensorLike,
    input_shape: object,
    filter_shape: TensorLike | None,
    *options: object,
) -> Any:
    shape = _shape_of_gradient("input_shape", input_shape, convdim)
    op = cls(_constants(input_shape, 2 + convdim), _constants(filter_shape, 2 + convdim), *options)
    return op(filters, output_grad, shape)


def _gradient_weights(
    cls: type,
    convdim: int,
    input: TensorLike,
    output_grad: TensorLike,
    filter_shape: Sequence[int | None],
    input_shape: object,
    *options: object,
) -> Any:
    shape = _shape_of_gradient("filter_shape", filter_shape, convdim)
    op = cls(_constants(input_shape, 2 + convdim), _constants(filter_shape, 2 + convdim), *options)
    return op(input, output_grad, shape)


def conv2d_grad_wrt_inputs(
    output_grad: TensorLike,
    filters: TensorLike,
    input_shape: object,
    filter_shape: TensorLike | None = None,
    border_mode: object = "valid",
    subsample: TensorLike = (1, 1),
    filter_flip: bool = True,
    filter_dilation: TensorLike = (1, 1),
    num_groups: int = 1,
    unshared: bool = False,
) -> TensorVariable:
    """Return the gradient of a convolution with respect to the images.

    Parameters
    ----------
    output_grad : tensor of 4 axes, float
        Gradient with respect to the result.
    filters : tensor of 4 axes, float; with `unshared` of 6
    input_shape : tuple of int, scalar variable or None
        Lengths of the images; the last two are needed.
    filter_shape, border_mode, subsample, filter_flip, filter_dilation, num_groups, unshared
        As of `conv2d`.

    Returns
    -------
    TensorVariable of 4 axes

    Examples
    --------
    >>> g, k = T.dtensor4("g"), T.dtensor4("k")
    >>> out = T.nnet.conv2d_grad_wrt_inputs(g, k, (1, 1, 3, 3))
    >>> out.eval({g: np.ones((1, 1, 2, 2)), k: np.ones((1, 1, 2, 2))})[0, 0]
    array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]])
    """
    options = (border_mode, subsample, filter_flip, filter_dilation, num_groups, unshared)
    cls = AbstractConv2d_gradInputs
    return _gradient_inputs(cls, 2, output_grad, filters, input_shape, filter_shape, *options)


def conv3d_grad_wrt_inputs(
    output_grad: TensorLike,
    filters: TensorLike,
    input_shape: Sequence[int | None],
    filter_shape: TensorLike | None = None,
    border_mode: str = "valid",
    subsample: TensorLike = (1, 1, 1),
    filter_flip: bool = True,
    filter_dilation: TensorLike = (1, 1, 1),
    num_groups: int = 1,
) -> Any:
    """Return the gradient of `conv3d` with respect to the images; see `conv2d_grad_wrt_inputs`."""
    options = (border_mode, subsample, filter_flip, filter_dilation, num_groups)
    cls = AbstractConv3d_gradInputs
    return _gradient_inputs(cls, 3, output_grad, filters, input_shape, filter_shape, *options)


def conv2d_grad_wrt_weights(
    input: TensorLike,
    output_grad: TensorLike,
    filter_shape: Sequence[int | None],
    input_shape: TensorLike | None = None,
    border_mode: str = "valid",
    subsample: TensorLike = (1, 1),
    filter_flip: bool = True,
    filter_dilation: TensorLike = (1, 1),
    num_groups: int = 1,
    unshared: bool = False,
) -> TensorVariable:
    """Return the gradient of a convolution with respect to the kernels.

    Parameters
    ----------
    input : tensor of 4 axes, float
        Images.
    output_grad : tensor of 4 axes, float
        Gradient with respect to the result.
    filter_shape : tuple of int, scalar variable or None
        Lengths of the kernels; the last two are needed.
    input_shape, border_mode, subsample, filter_flip, filter_dilation, num_groups, unshared
        As of `conv2d`.

    Returns
    -------
    TensorVariable of 4 axes; with `unshared` of 6
    """
    options = (border_mode, subsample, filter_flip, filter_dilation, num_groups, unshared)
    cls = AbstractConv2d_gradWeights
    return _gradient_weights(cls, 2, input, output_grad, filter_shape, input_shape, *options)


def conv3d_grad_wrt_weights(
    input: TensorLike,
    output_grad: TensorLike,
    filter_shape: Sequence[int | None],
    input_shape: TensorLike | None = None,
    border_mode: str = "valid",
    subsample: TensorLike = (1, 1, 1),
    filter_flip: bool = True,
    filter_dilation: TensorLike = (1, 1, 1),
    num_groups: int = 1,
) -> Any:
    """Return the gradient of `conv3d` with respect to the kernels: `conv2d_grad_wrt_weights`."""
    options = (border_mode, subsample, filter_flip, filter_dilation, num_groups)
    cls = AbstractConv3d_gradWeights
    return _gradient_weights(cls, 3, input, output_grad, filter_shape, input_shape, *options)


def conv2d_transpose(
    input: TensorLike,
    filters: TensorLike,
    output_shape: TensorLike,
    filter_shape: TensorLike | None = None,
    border_mode: object = "valid",
    input_dilation: TensorLike = (1, 1),
    filter_flip: bool = True,
    filter_dilation: TensorLike = (1, 1),
    num_groups: int = 1,
    unshared: bool = False,
) -> TensorVariable:
    """Return the transposed convolution, which makes images of `output_shape`.

    Parameters
    ----------
    input : tensor of 4 axes, float
    filters : tensor of 4 axes, float
        Channels of `input`, channels of the result, rows, columns.
    output_shape : tuple of int, scalar variable or None
        Lengths of the result; the last two are needed.
    filter_shape, border_mode, filter_flip, filter_dilation, num_groups, unshared
        As of `conv2d`, which the operation transposes.
    input_dilation : pair of int
        The `subsample` of that convolution: how far items of `input` are apart in the result.

    Returns
    -------
    TensorVariable of 4 axes

    Examples
    --------
    >>> x, k = T.dtensor4("x"), T.dtensor4("k")
    >>> out = T.nnet.conv2d_transpose(x, k, output_shape=(1, 1, 4, 4), filter_shape=(1, 1, 3, 3))
    >>> out.eval({x: np.ones((1, 1, 2, 2)), k: np.ones((1, 1, 3, 3))})[0, 0, 0]
    array([1., 2., 2., 1.])
    """
    return conv2d_grad_wrt_inputs(
        input,
        filters,
        output_shape,
        filter_shape,
        border_mode,
        input_dilation,
        filter_flip,
        filter_dilation,
        num_groups,
        unshared,
    )


def separable_conv2d(
    input: TensorLike,
    depthwise_filters: TensorLike,
    pointwise_filters: TensorLike,
    num_channels: int,
    input_shape: TensorLike | None = None,
    depthwise_filter_shape: TensorLike | None = None,
    pointwise_filter_shape: TensorLike | None = None,
    border_mode: str = "valid",
    subsample: TensorLike = (1, 1),
    filter_flip: bool = True,
    filter_dilation: TensorLike = (1, 1),
) -> Any:
    """Return a convolution of each channel, followed by one of single items across channels.

    Parameters
    ----------
    input : tensor of 4 axes, float
    depthwise_filters : tensor of 4 axes, float
        Channels in between, 1, rows, columns.
    pointwise_filters : tensor of 4 axes, float
        Channels of the result, channels in between, 1, 1.
    num_channels : int
        Channels of `input`.
    input_shape, depthwise_filter_shape, pointwise_filter_shape : tuple of int or None, optional
    border_mode, subsample, filter_flip, filter_dilation
        Of the first convolution; see `conv2d`.

    Returns
    -------
    tensor of 4 axes
        Images, channels of the result, rows, columns.

    Examples
    --------
    >>> x, depth, point = T.dtensor4("x"), T.dtensor4("depth"), T.dtensor4("point")
    >>> out = T.nnet.separable_conv2d(x, depth, point, num_channels=2)
    >>> f = theano.function([x, depth, point], out)
    >>> f(np.ones((1, 2, 4, 4)), np.ones((2, 1, 3, 3)), np.ones((5, 2, 1, 1))).shape
    (1, 5, 2, 2)
    """
    between = abstract_conv2d(
        input,
        depthwise_filters,
        input_shape,
        depthwise_filter_shape,
        border_mode,
        subsample,
        filter_flip,
        filter_dilation,
        num_channels,
    )
    return abstract_conv2d(between, pointwise_filters, None, pointwise_filter_shape)


def separable_conv3d(
    input: TensorLike,
    depthwise_filters: TensorLike,
    pointwise_filters: TensorLike,
    num_channels: int,
    input_shape: TensorLike | None = None,
    depthwise_filter_shape: TensorLike | None = None,
    pointwise_filter_shape: TensorLike | None = None,
    border_mode: str = "valid",
    subsample: TensorLike = (1, 1, 1),
    filter_flip: bool = True,
    filter_dilation: TensorLike = (1, 1, 1),
) -> Any:
    """Return `separable_conv2d` of images of three axes."""
    between = conv3d(
        input,
        depthwise_filters,
        input_shape,
        depthwise_filter_shape,
        border_mode,
        subsample,
        filter_flip,
        filter_dilation,
        num_channels,
    )
    return conv3d(between, pointwise_filters, None, pointwise_filter_shape)


def causal_conv1d(
    input: TensorLike,
    filters: TensorLike,
    filter_shape: Sequence[int],
    input_shape: Any = None,
    subsample: int = 1,
    filter_flip: bool = True,
    filter_dilation: int = 1,
    num_groups: int = 1,
    unshared: bool = False,
) -> TensorVariable:
    """Return the convolution of sequences in which an item depends on no later ones.

    Parameters
    ----------
    input : tensor of 3 axes, float
        Sequences, channels, items.
    filters : tensor of 3 axes, float
        Channels of the result, channels of a group, items. With `unshared` it has 4: items of the
        result stand after the first one.
    filter_shape : tuple of int
        Shape of `filters`; its last length is needed.
    input_shape : tuple of int or None, optional
    subsample, filter_dilation, num_groups : int
    filter_flip, unshared : bool
        As of `conv2d`.

    Returns
    -------
    TensorVariable of 3 axes
    """
    sequences, kernels = as_tensor_variable(input), as_tensor_variable(filters)
    if sequences.type.ndim != 3:
        raise ValueError(f"input must have 3 axes, got {sequences.type}")
    items = python_int(filter_shape[-1])
    if items is None:
        raise TypeError(f"the number of items of filter_shape is needed, got {filter_shape}")
    order = (0, 1, "x", 2, 3, "x") if unshared else (0, 1, 2, "x")
    shape = tuple(filter_shape)
    shape = (*shape[:2], 1, *shape[2:], 1) if unshared else (*shape, 1)
    out = abstract_conv2d(
        dimshuffle(sequences, (0, 1, 2, "x")),
        dimshuffle(kernels, order),
        None if input_shape is None else (*input_shape, 1),
        shape,
        ((filter_dilation * (items - 1), 0), 0),
        (subsample, 1),
        filter_flip,
        (filter_dilation, 1),
        num_groups,
        unshared,
    )
    return subtensor(out, [slice(None)] * 3 + [0])


explain_functions(globals())
