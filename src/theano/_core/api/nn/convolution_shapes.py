"""Lengths of what convolutions take and give, of numbers, variables, or None where unknown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from theano._core.ops.array.assertions import Assert
from theano._core.ops.core.op import as_variable, python_int
from theano._core.ops.elementwise.arithmetic import ge, gt
from theano._core.ops.nn.windows import (
    border_mode_to_pad,
    extent,
    minus,
    over,
    plus,
    result_length,
    times,
)

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike


def _axes(
    convdim: int,
    border_mode: object,
    subsample: Sequence[int],
    filter_dilation: Sequence[int] | None,
) -> list[tuple[Any, int, int]]:
    """Return (border, step, dilation) of each axis."""
    borders = border_mode if isinstance(border_mode, tuple) else (border_mode,) * convdim
    dilation = filter_dilation or (1,) * convdim
    return list(zip(borders, subsample, dilation, strict=True))


def _pad(border: Sequence[int] | str, kernel: object, dilation: int) -> tuple[Any, Any]:
    mode = border if isinstance(border, str) else (border,)
    return border_mode_to_pad(mode, 1, (extent(kernel, dilation),))[0]


def get_conv_shape_1axis(
    image_shape: object,
    kernel_shape: object,
    border_mode: Sequence[int] | str,
    subsample: int,
    dilation: int = 1,
) -> Any:
    """Return how many windows there are along one axis; None if a length is None.

    Parameters
    ----------
    image_shape, kernel_shape : int, scalar variable or None
    border_mode : {'valid', 'full', 'half'}, int, or pair of int
    subsample, dilation : int
    """
    if None in (image_shape, kernel_shape, border_mode, subsample, dilation):
        return None
    pad = _pad(border_mode, kernel_shape, dilation)
    return result_length(image_shape, kernel_shape, pad, subsample, dilation)


def get_conv_output_shape(
    image_shape: Sequence[object],
    kernel_shape: Sequence[object],
    border_mode: object,
    subsample: Sequence[int],
    filter_dilation: Sequence[int] | None = None,
) -> tuple[Any, ...]:
    """Return the shape of a convolution.

    Parameters
    ----------
    image_shape : sequence of int, scalar variable or None
        Images, channels, lengths.
    kernel_shape : sequence of int, scalar variable or None
        Channels of the result, channels, lengths; for kernels that are not shared, the lengths of
        the result stand before the channels.
    border_mode : {'valid', 'full', 'half'}, int, or tuple
    subsample, filter_dilation : sequence of int

    Returns
    -------
    tuple
        Images, channels of the result, lengths; None where one is not known.
    """
    n = len(image_shape) - 2
    axes = _axes(n, border_mode, subsample, filter_dilation)
    sizes = zip(image_shape[2:], kernel_shape[-n:], axes, strict=True)
    shape = tuple(get_conv_shape_1axis(i, k, *axis) for i, k, axis in sizes)
    return (image_shape[0], kernel_shape[0], *shape)


def get_conv_gradinputs_shape_1axis(
    kernel_shape: object, top_shape: object, border_mode: str, subsample: int, dilation: int
) -> Any:
    """Return the length of an image from that of the result; None if several have it."""
    if None in (kernel_shape, top_shape, border_mode, subsample, dilation) or subsample != 1:
        return None
    one, two = _pad(border_mode, kernel_shape, dilation)
    whole = plus(minus(top_shape, 1), extent(kernel_shape, dilation))
    return minus(minus(whole, one), two)


def get_conv_gradinputs_shape(
    kernel_shape: Sequence[object],
    top_shape: Sequence[object],
    border_mode: str,
    subsample: Sequence[int],
    filter_dilation: Sequence[int] | None = None,
    num_groups: int = 1,
) -> tuple[Any, ...]:
    """Return the shape of the images of a convolution; None where several lengths are possible.

    Parameters
    ----------
    kernel_shape, top_shape : sequence of int, scalar variable or None
        Of the kernels, and of the result.
    border_mode : {'valid', 'full', 'half'}, int, or tuple
    subsample, filter_dilation : sequence of int
    num_groups : int
    """
    n = len(top_shape) - 2
    axes = _axes(n, border_mode, subsample, filter_dilation)
    sizes = zip(kernel_shape[-n:], top_shape[2:], axes, strict=True)
    shape = tuple(get_conv_gradinputs_shape_1axis(k, t, *axis) for k, t, axis in sizes)
    channels = kernel_shape[-n - 1]
    return (top_shape[0], None if channels is None else times(channels, num_groups), *shape)


def get_conv_gradweights_shape_1axis(
    image_shape: object, top_shape: object, border_mode: str, subsample: int, dilation: int
) -> Any:
    """Return the length of a kernel from that of the result; None if several have it."""
    if None in (image_shape, top_shape, border_mode, subsample, dilation) or subsample != 1:
        return None
    if border_mode == "half":
        return None
    if border_mode == "full":
        reach = plus(minus(top_shape, image_shape), 1)
    else:
        one, two = _pad(border_mode, 1, 1)
        reach = plus(minus(plus(plus(image_shape, one), two), top_shape), 1)
    return plus(over(minus(reach, 1), dilation), 1)


def get_conv_gradweights_shape(
    image_shape: Sequence[object],
    top_shape: Sequence[object],
    border_mode: str,
    subsample: Sequence[int],
    filter_dilation: Sequence[int] | None = None,
    num_groups: int = 1,
    unshared: bool = False,
) -> tuple[Any, ...]:
    """Return the shape of the kernels of a convolution; None where several lengths are possible.

    Parameters
    ----------
    image_shape, top_shape : sequence of int, scalar variable or None
        Of the images, and of the result.
    border_mode : {'valid', 'full', 'half'}, int, or tuple
    subsample, filter_dilation : sequence of int
    num_groups : int
    unshared : bool
    """
    n = len(image_shape) - 2
    axes = _axes(n, border_mode, subsample, filter_dilation)
    sizes = zip(image_shape[2:], top_shape[2:], axes, strict=True)
    shape = tuple(get_conv_gradweights_shape_1axis(i, t, *axis) for i, t, axis in sizes)
    channels = None if image_shape[1] is None else over(image_shape[1], num_groups)
    places = tuple(top_shape[2:]) if unshared else ()
    return (top_shape[1], *places, channels, *shape)


def check_conv_gradinputs_shape(
    image_shape: Sequence[object],
    kernel_shape: Sequence[object],
    output_shape: Sequence[object],
    border_mode: str,
    subsample: Sequence[int],
    filter_dilation: Sequence[int] | None = None,
) -> bool:
    """Tell whether images, kernels and result of a convolution may have these shapes."""
    computed_shape = get_conv_output_shape(
        image_shape, kernel_shape, border_mode, subsample, filter_dilation
    )
    pairs = [
        (python_int(a), python_int(b)) for a, b in zip(computed_shape, output_shape, strict=True)
    ]
    return all(None in pair or pair[0] == pair[1] for pair in pairs)


def assert_conv_shape(shape: Sequence[TensorLike]) -> tuple[Any, ...]:
    """Return the shape of a convolution, after checking that it is one.

    Parameters
    ----------
    shape : sequence of int or scalar variable

    Raises
    ------
    ValueError
        A number is no length; a variable is checked (AssertionError) when the function runs.
    """
    result = []
    for axis, size in enumerate(shape):
        number = python_int(size)
        sign, holds = ("< 0", ge) if axis < 2 else ("<= 0", gt)
        if number is None:
            text = f"The convolution would produce an invalid shape (dim[{axis}] {sign})."
            result.append(Assert(text)(size, holds(as_variable(size), 0)))
        elif number < (0 if axis < 2 else 1):
            text = f"The convolution would produce an invalid shape (dim[{axis}]: {number} {sign})."
            raise ValueError(text)
        else:
            result.append(number)
    return tuple(result)
