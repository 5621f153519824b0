"""Convolutions of Theano 1.0.5 by the names of their implementations, and older forms of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from theano._core.api.array.creation import zeros
from theano._core.api.array.indexing import set_subtensor
from theano._core.api.conversion import as_tensor_variable, get_scalar_constant_value
from theano._core.api.nn.convolution import conv2d as newer_conv2d
from theano._core.api.nn.convolution_shapes import (
    get_conv_gradinputs_shape,
    get_conv_gradweights_shape,
    get_conv_output_shape,
)
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.shaping import length
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.nn.convolution import FAMILIES, AbstractConv3d, BaseAbstractConv
from theano._core.ops.nn.windows import border_mode_to_pad, plus


def conv2d(
    input: Any,
    filters: Any,
    image_shape: Any = None,
    filter_shape: Any = None,
    border_mode: str = "valid",
    subsample: Any = (1, 1),
    **kargs: object,
) -> Any:
    """Return the convolution of images with kernels: the older form of `nnet.conv2d`.

    Parameters
    ----------
    input : tensor of 4 axes
    filters : tensor of 4 axes
    image_shape, filter_shape : tuple of int or None, optional
    border_mode : {'valid', 'full'}
    subsample : pair of int
    **kargs
        Options of an implementation that is no more; without effect.

    Raises
    ------
    NotImplementedError
        Another `border_mode`.
    NotScalarConstantError
        A length is no constant.
    """
    if border_mode not in ("valid", "full"):
        raise NotImplementedError(f"Mode {border_mode} not implemented")
    images, kernels = _constants(image_shape), _constants(filter_shape)
    return newer_conv2d(input, filters, images, kernels, border_mode, subsample)


def _constants(shape: Any) -> Any:
    """Return lengths as numbers; one that is not known is a NotScalarConstantError."""
    if shape is None:
        return None
    return [None if n is None else int(get_scalar_constant_value(n)) for n in shape]


def signal_conv2d(
    input: object,
    filters: object,
    image_shape: Any = None,
    filter_shape: Any = None,
    border_mode: str = "valid",
    subsample: object = (1, 1),
    **kargs: Any,
) -> Any:
    """Return the convolution of each image with each kernel.

    Parameters
    ----------
    input : matrix or tensor of 3 axes
        An image, or several.
    filters : matrix or tensor of 3 axes
        A kernel, or several.
    image_shape, filter_shape : tuple of int, optional
        Lengths that are known.
    border_mode : {'valid', 'full'}
    subsample : pair of int
    **kargs
        Without effect.

    Returns
    -------
    TensorVariable
        Images, kernels, rows, columns; without axes for what is a matrix.
    """
    images, kernels = as_tensor_variable(input), as_tensor_variable(filters)
    ranks = images.type.ndim, kernels.type.ndim
    # Theano 1.0.5 asserted it too.
    if not set(ranks) <= {2, 3}:
        raise AssertionError(f"signal.conv2d takes matrices or stacks of them, got ranks {ranks}")
    deep = [
        dimshuffle(v, ("x", "x", 0, 1) if v.type.ndim == 2 else (0, "x", 1, 2))
        for v in (images, kernels)
    ]
    shapes = [
        None if s is None else (1, 1, *s) if len(s) == 2 else (s[0], 1, *s[1:])
        for s in (image_shape, filter_shape)
    ]
    out = conv2d(*deep, *shapes, border_mode=border_mode, subsample=subsample)
    kept = [axis for axis, rank in enumerate(ranks) if rank == 3]
    return _without(out, [*kept, 2, 3])


def _without(x: Variable, kept: Sequence[int]) -> Any:
    """Return `x` with some of its axes; the others have length 1."""
    return x[tuple(slice(None) if axis in kept else 0 for axis in range(x.type.ndim))]


def conv3d(
    signals: Variable,
    filters: Variable,
    signals_shape: Any = None,
    filters_shape: Any = None,
    border_mode: Sequence[str] | str = "valid",
) -> Any:
    """Return the convolution of videos with kernels.

    Parameters
    ----------
    signals : tensor of 5 axes
        Videos, times, channels, rows, columns.
    filters : tensor of 5 axes
        Channels of the result, times, channels, rows, columns.
    signals_shape, filters_shape : tuple of int, optional
        Lengths that are known.
    border_mode : {'valid', 'full', 'half'}, or one of these for times, rows and columns each

    Returns
    -------
    TensorVariable of 5 axes
        Videos, times, channels of the result, rows, columns.
    """
    order = (0, 2, 1, 3, 4)
    videos, kernels = (dimshuffle(as_tensor_variable(v), order) for v in (signals, filters))
    shapes = [
        None if s is None else [s[axis] for axis in order] for s in (signals_shape, filters_shape)
    ]
    mode = border_mode
    if isinstance(mode, tuple) and len(set(mode)) == 1:
        mode = mode[0]
    if isinstance(mode, tuple):
        videos, mode, shapes[0] = _padded(videos, kernels, mode), "valid", None
    return dimshuffle(AbstractConv3d(*shapes, border_mode=mode)(videos, kernels), order)


def _padded(videos: Variable, kernels: Variable, modes: Sequence[object]) -> Any:
    """Return videos with the zeros of a border of its own kind for each axis."""
    pads = [
        border_mode_to_pad(mode if isinstance(mode, str) else (mode,), 1, (length(kernels, a),))[0]
        for a, mode in enumerate(modes, 2)
    ]
    sizes = [length(videos, axis) for axis in range(5)]
    wide = [plus(plus(n, a), b) for n, (a, b) in zip(sizes[2:], pads, strict=True)]
    inner = [slice(a, plus(a, n)) for n, (a, _) in zip(sizes[2:], pads, strict=True)]
    room = zeros((*sizes[:2], *wide), dtype=videos.type.dtype)
    return set_subtensor(room[(slice(None), slice(None), *inner)], videos)


class _Way(type):
    """Metaclass of a way to convolve: operations of the engine that give the same are of it."""

    convdim: int
    # What they give; None: any of the three arrays.
    gives: str | None

    def __instancecheck__(cls, op: object) -> bool:
        if isinstance(op, BaseAbstractConv):
            return op.convdim == cls.convdim and cls.gives in (None, op.gives)
        return super().__instancecheck__(op)


class ConvOp(metaclass=_Way):
    """The oldest convolution: what is made with it is an `AbstractConv2d`.

    Parameters
    ----------
    imshp : (channels, rows, columns), optional
    kshp : (rows, columns), optional
    nkern, bsize : int, optional
        How many kernels and images there are.
    dx, dy : int
        Rows and columns from window to window.
    output_mode : {'valid', 'full'}
    *implementation, **options
        Without effect.
    """

    convdim, gives = 2, "result"

    def __init__(
        self,
        imshp: Any = None,
        kshp: Any = None,
        nkern: int | None = None,
        bsize: int | None = None,
        dx: int = 1,
        dy: int = 1,
        output_mode: str = "valid",
        *implementation: object,
        **options: object,
    ) -> None:
        self.imshp, self.kshp, self.nkern, self.bsize = imshp, kshp, nkern, bsize
        self.dx, self.dy, self.out_mode = dx, dy, output_mode

    def __call__(self, inputs: Any, kerns: Any) -> Any:
        """Return the convolution of images with kernels."""
        images = None if self.imshp is None else (self.bsize, *self.imshp)
        channels = None if self.imshp is None else self.imshp[0]
        kernels = None if self.kshp is None else (self.nkern, channels, *self.kshp)
        return conv2d(inputs, kerns, images, kernels, self.out_mode, (self.dx, self.dy))

    def make_node(self, inputs: object, kerns: object) -> Apply:
        """Return the node of the convolution."""
        return self(inputs, kerns).owner

    @staticmethod
    def getOutputShape(
        inshp: Sequence[int],
        kshp: Sequence[int],
        stride: Sequence[int] = (1, 1),
        mode: str = "valid",
    ) -> tuple[Any, ...]:
        """Return how many windows there are along rows and columns.

        Parameters
        ----------
        inshp, kshp, stride : pair of int
        mode : {'valid', 'full'}
        """
        return get_conv_output_shape((1, 1, *inshp), (1, 1, *kshp), mode, stride)[2:]


class BaseCorrMM(metaclass=_Way):
    """Base of products of kernels with windows of images, which are not turned around.

    What is made with them is the convolution, or gradient of one, with `filter_flip` False.
    """

    gives: ClassVar[str | None] = None
    convdim: ClassVar[int] = 2
    __props__ = ("border_mode", "subsample", "filter_dilation", "num_groups", "unshared")

    def __init__(
        self,
        border_mode: str = "valid",
        subsample: Sequence[int] | None = None,
        filter_dilation: object = None,
        num_groups: int = 1,
        unshared: bool = False,
        openmp: bool | None = None,
    ) -> None:
        self._set(border_mode, subsample, filter_dilation, num_groups, unshared)

    def _set(self, *values: Any) -> None:
        border_mode, subsample, dilation, num_groups, unshared = values
        self.op = FAMILIES[self.convdim][self.gives or "result"](
            border_mode=border_mode,
            subsample=tuple(subsample or (1,) * self.convdim),
            filter_flip=False,
            filter_dilation=tuple(dilation or (1,) * self.convdim),
            num_groups=num_groups,
            unshared=unshared,
        )
        for name in BaseCorrMM.__props__:
            setattr(self, name, getattr(self.op, name))

    def __call__(self, one: Variable, two: Variable, shape: Any = None) -> Any:
        """Return the product, or its gradient in lengths that `shape` has."""
        return self.make_node(one, two, shape).default_output()

    def make_node(self, one: Variable, two: Variable, shape: object = None) -> Apply:
        """Return the node."""
        one, two = as_tensor_variable(one), as_tensor_variable(two)
        if self.gives in (None, "result"):
            return self.op.make_node(one, two)
        if shape is None:
            shape = self._lengths(one, two)
        return self.op.make_node(one, two, shape)

    def _lengths(self, one: Variable, two: Variable) -> Any:
        """Return the lengths that the operands leave open no choice of."""
        op, n = self.op, self.convdim
        if any(step != 1 for step in op.subsample):
            raise ValueError(f"shape must be given if subsample != {(1,) * n}")
        find: Any = get_conv_gradinputs_shape
        if self.gives == "kernels":
            find = get_conv_gradweights_shape
        sizes = [[length(v, axis) for axis in range(v.type.ndim)] for v in (one, two)]
        lengths = find(*sizes, op.border_mode, op.subsample, op.filter_dilation)[-n:]
        if None in lengths:
            raise ValueError(f"shape must be given if border_mode is {op.border_mode!r}")
        return as_tensor_variable(list(lengths))


class CorrMM(BaseCorrMM):
    """Product of kernels with windows of images of two axes."""

    gives = "result"


class CorrMM_gradInputs(BaseCorrMM):  # noqa: N801
    """Gradient with respect to images of two axes."""

    gives = "images"


class CorrMM_gradWeights(BaseCorrMM):  # noqa: N801
    """Gradient with respect to kernels of two axes."""

    gives = "kernels"


class BaseCorr3dMM(BaseCorrMM):
    """Base of products of kernels with windows of images of three axes."""

    convdim = 3
    __props__ = ("border_mode", "subsample", "filter_dilation", "num_groups")

    def __init__(
        self,
        border_mode: str = "valid",
        subsample: object = None,
        filter_dilation: object = None,
        openmp: bool | None = None,
        num_groups: int = 1,
    ) -> None:
        self._set(border_mode, subsample, filter_dilation, num_groups, False)


class Corr3dMM(BaseCorr3dMM):
    """Product of kernels with windows of images of three axes."""

    gives = "result"


class Corr3dMM_gradInputs(BaseCorr3dMM):  # noqa: N801
    """Gradient with respect to images of three axes."""

    gives = "images"


class Corr3dMM_gradWeights(BaseCorr3dMM):  # noqa: N801
    """Gradient with respect to kernels of three axes."""

    gives = "kernels"
