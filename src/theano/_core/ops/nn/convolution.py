"""Convolutions: products of small kernels with the windows of images, and what derives from them.

Three operations are each other's derivatives: the convolution itself, and its gradients with
respect to images and to kernels. All of them are linear in each of two arrays out of three:

- *images*: items, channels, lengths of the image;
- *kernels*: channels of the result, channels of a group, lengths of the kernel; one that is not
  shared has the lengths of the result after its first axis;
- the *result*: items, channels of the result, its lengths.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from theano._core.base import dtypes
from theano._core.base.sequences import listed
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.shaping import (
    length,
    pattern_broadcast,
    reshape_op,
    vector_of as vector,
)
from theano._core.ops.core.op import connected, linear_in, python_int, tensor_operand
from theano._core.ops.elementwise.elementwise import cast
from theano._core.ops.nn.windows import (
    Extents,
    Shapes,
    WindowOp,
    Windows,
    assert_shape,
    at_most,
    border_mode_to_pad,
    equal,
    extent,
    is_length,
    items_of,
    over,
    placed,
    plus,
    positive_numbers,
    result_length,
    times,
    work_dtype,
    written,
)

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ops.core.protocols import Batching, Builder, ProgramValue


class BaseAbstractConv(WindowOp):
    """What a convolution and its two gradients share.

    Parameters
    ----------
    convdim : int
        Number of axes that are convolved: 1, 2 or 3.
    imshp, kshp : tuple of int or None, optional
        Lengths that images and kernels are to have, which `config.conv.assert_shape` has checked.
    border_mode : {'valid', 'full', 'half'}, int, or tuple of int and pairs of int
        Zeros around the images: none, so many that each window has an item of the image, half the
        length of the kernel, or the number itself.
    subsample : tuple of int
        Positions from window to window.
    filter_flip : bool
        Whether kernels are turned around, as the mathematical convolution has it.
    filter_dilation : tuple of int
        Positions from item to item of a kernel.
    num_groups : int
        Groups of channels: kernels of each see only the channels of their own.
    unshared : bool
        Whether each window has kernels of its own.
    """

    __props__ = (
        "convdim",
        "border_mode",
        "subsample",
        "filter_flip",
        "imshp",
        "kshp",
        "filter_dilation",
        "num_groups",
        "unshared",
    )
    # Of the operation with respect to which array the derivative is: 'result' is none.
    gives: ClassVar[str] = "result"
    linear = linear_in(0, 1)
    connection = connected(0, 1)

    def __init__(
        self,
        convdim: int,
        imshp: TensorLike | None = None,
        kshp: Sequence[None] | Sequence[int] | None = None,
        border_mode: Sequence[int] | int | str = "valid",
        subsample: Sequence[int] | None = None,
        filter_flip: bool = True,
        filter_dilation: Sequence[int] | None = None,
        num_groups: int = 1,
        unshared: bool = False,
    ) -> None:
        if convdim not in (1, 2, 3):
            raise ValueError(f"convolution dimension {convdim} is not supported: 1, 2 or 3 axes")
        if unshared and convdim != 2:
            raise NotImplementedError(f"Unshared convolution not implemented for {convdim}D")
        if not is_length(num_groups) or num_groups < 1:
            raise ValueError(f"num_groups must be a positive integer, got {num_groups!r}")
        self.convdim = convdim
        self.imshp = _known_shape("imshp", imshp, 2 + convdim)
        self.kshp = _known_shape("kshp", kshp, 2 + (2 if unshared else 1) * convdim)
        self.border_mode = _normal_border(border_mode, convdim)
        self.subsample = positive_numbers("subsample", subsample or (1,) * convdim, convdim)
        self.filter_flip = bool(filter_flip)
        dilation = filter_dilation or (1,) * convdim
        self.filter_dilation = positive_numbers("filter_dilation", dilation, convdim)
        self.num_groups = int(num_groups)
        self.unshared = bool(unshared)

    def _sibling(self, gives: str, **changes: object) -> Any:
        """Return the operation of the same geometry that gives one of the three arrays."""
        options = {name: getattr(self, name) for name in self.__props__ if name != "convdim"}
        return FAMILIES[self.convdim][gives](**options | changes)

    # -- lengths ----------------------------------------------------------------------------------

    def pads(self, kernels: Extents) -> tuple[tuple[Any, Any], ...]:
        """Return the zeros before and after each axis, for kernels of some lengths."""
        sizes = zip(kernels[-self.convdim :], self.filter_dilation, strict=True)
        reach = [extent(k, d) for k, d in sizes]
        return border_mode_to_pad(self.border_mode, self.convdim, reach)

    def windows(self, images: Extents, kernels: Extents) -> Extents:
        """Return how many windows there are along each axis."""
        pads, n = self.pads(kernels), self.convdim
        parts = (images[-n:], kernels[-n:], pads, self.subsample, self.filter_dilation)
        return tuple(result_length(*axis) for axis in zip(*parts, strict=True))

    def shapes(self, node: Apply, shapes: Sequence[Dims]) -> Shapes:
        """Return the lengths of the three arrays, from those of the inputs of a node."""
        raise NotImplementedError

    def is_dear(self, node: Apply) -> bool:
        return True

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [getattr(self.shapes(node, shapes), self.gives)]

    def conditions(self, s: Shapes) -> Iterator[tuple[Any, str]]:
        """Yield what must hold, each with what is wrong where it does not."""
        n, groups = self.convdim, self.num_groups
        channels = times(s.kernels[-n - 1], groups)
        yield equal(s.images[1], channels), "images and kernels must have the same stack size"
        whole = times(over(s.kernels[0], groups), groups)
        yield equal(s.kernels[0], whole), "the number of kernels is no multiple of num_groups"
        axes = zip(s.images[-n:], s.kernels[-n:], self.pads(s.kernels), strict=True)
        for (size, kernel, pad), dilation in zip(axes, self.filter_dilation, strict=True):
            yield at_most(1, kernel), "a kernel has no items"
            room = plus(plus(size, pad[0]), pad[1])
            fits = at_most(extent(kernel, dilation), room)
            yield fits, "the kernels are larger than the images with their borders"
        if self.gives != "result":
            wanted = (s.images[0], s.kernels[0], *self.windows(s.images, s.kernels))
            for own, needed in zip(s.result, wanted, strict=True):
                yield equal(own, needed), "the result has other lengths than the windows"
        if self.unshared:
            for own, needed in zip(s.kernels[1 : 1 + n], s.result[2:], strict=True):
                yield equal(own, needed), "there must be kernels for each window"

    def described(self, s: Shapes) -> str:
        return (
            f"images of shape {written(s.images)}, kernels of shape {written(s.kernels)}, result "
            f"of shape {written(s.result)}"
        )

    def split(self, facts: Sequence[int]) -> Shapes:
        rank = 2 + self.convdim
        return Shapes(tuple(facts[:rank]), tuple(facts[rank:-rank]), tuple(facts[-rank:]))

    def lowered(self, p: Any, node: Apply) -> Windows:
        """Return the geometry of a call, after checking that the lengths fit."""
        s = self.required(p, node)
        pads, n = self.pads(s.kernels), self.convdim
        padded = [
            plus(plus(size, one), two) for size, (one, two) in zip(s.images[-n:], pads, strict=True)
        ]
        s = s.replace(**{self.gives: p.rewriter.shape(node.outputs[0])})
        sizes = [tuple(map(p.size, part)) for part in (*s, [one for one, _ in pads], padded)]
        images, kernels, result, before, padded = sizes
        return Windows(
            images,
            kernels,
            result,
            before,
            padded,
            self.subsample,
            self.filter_dilation,
            self.filter_flip,
            self.num_groups,
            self.unshared,
        )

    # -- derivatives ------------------------------------------------------------------------------

    def _derived(self, gives: str, one: Variable, two: Variable, like: Variable) -> Any:
        """Return the sibling's value for a cotangent, in the lengths and the type of `like`."""
        rest = []
        if gives != "result":
            last = range(like.type.ndim - self.convdim, like.type.ndim)
            rest = [vector([as_int64(length(like, axis)) for axis in last])]
        return pattern_broadcast(self._sibling(gives)(one, two, *rest), like.type.broadcastable)

    # -- values -----------------------------------------------------------------------------------

    def _grouped(self, xp: ArrayModule, s: Shapes, work: str, **arrays: Any) -> dict[str, Any]:
        """Return arrays with an axis for the groups, images with their zeros around."""
        groups, result = self.num_groups, {}
        if "images" in arrays:
            zeros = [(0, 0), (0, 0), *self.pads(s.kernels)]
            x = xp.pad(arrays["images"].astype(work), zeros)
            channels = s.images[1] // groups
            result["images"] = x.reshape(x.shape[0], groups, channels, *x.shape[2:])
        if "kernels" in arrays:
            w = arrays["kernels"].astype(work)
            result["kernels"] = w.reshape(groups, s.kernels[0] // groups, *s.kernels[1:])
        if "result" in arrays:
            y = arrays["result"].astype(work)
            channels = s.kernels[0] // groups
            result["result"] = y.reshape(y.shape[0], groups, channels, *y.shape[2:])
        return result

    def _items(self, s: Shapes) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
        """Yield the position of each item of a kernel, and where it is in the first window."""
        sizes = s.kernels[-self.convdim :]
        for at in np.ndindex(*sizes):
            turned = [k - 1 - i for k, i in zip(sizes, at, strict=True)]
            places = turned if self.filter_flip else at
            yield at, tuple(i * d for i, d in zip(places, self.filter_dilation, strict=True))

    def _part(self, x: np.ndarray, s: Shapes, first: Sequence[int]) -> Any:
        """Return the item of each window of padded images that is `first` in the first window."""
        axes = zip(first, s.result[2:], self.subsample, strict=True)
        return x[(..., *(slice(i, i + (n - 1) * step + 1, step) for i, n, step in axes))]

    @property
    def _sum(self) -> tuple[str, str, str]:
        """Subscripts of images, of one item of each kernel, and of the result."""
        places = "xyz"[: self.convdim]
        return f"bgc{places}", f"go{places}c" if self.unshared else "goc", f"bgo{places}"


def _known_shape(name: str, shape: object, count: int) -> tuple[int | None, ...]:
    if shape is None:
        return (None,) * count
    shape = listed(shape)
    if isinstance(shape, Variable) or not isinstance(shape, (tuple, list, np.ndarray)):
        raise ValueError(f"{name} should be None or a tuple of constant int values, got {shape}")
    values = tuple(None if n is None else python_int(n) for n in shape)
    wanted = f"{name} should be None or {count} constant int values, got {shape}"
    unknown = any(n is not None and v is None for n, v in zip(shape, values, strict=True))
    if unknown or len(values) != count:
        raise ValueError(wanted)
    return values


def _normal_border(mode: Sequence[int] | int | str, convdim: int) -> Any:
    if isinstance(mode, str):
        border_mode_to_pad(mode, convdim, (1,) * convdim)
        return mode
    pads = border_mode_to_pad(mode, convdim, ())
    return tuple(one for one, _ in pads) if all(one == two for one, two in pads) else pads


def _operands(
    name: str, operands: Sequence[tuple[str, Variable, int, Sequence[int | None]]]
) -> list[Any]:
    """Return arrays of floats in one dtype, after checking how many axes they have.

    That they have the lengths which were stated is checked in calls, if settings say so.
    """
    values = [tensor_operand(name, value) for _, value, _, _ in operands]
    for (what, _, rank, _), value in zip(operands, values, strict=True):
        if value.type.ndim != rank:
            raise TypeError(f"{what} must be {rank}D tensor, got {value} of type {value.type}")
    dtype = dtypes.upcast(*(v.type.dtype for v in values))
    if not dtypes.is_float(dtype):
        # Theano 1.0.5 asserted it too.
        raise AssertionError(
            f"{name} takes floating-point numbers, got {', '.join(str(v.type) for v in values)}. "
            "Convert one of them: theano.tensor.cast(x, theano.config.floatX)."
        )
    return [
        assert_shape(cast(v, dtype), stated, f"{name}: {what} must have the shape {stated}.")
        for v, (what, _, _, stated) in zip(values, operands, strict=True)
    ]


def _shape_vector(convdim: int, shape: TensorLike) -> Any:
    value = tensor_operand("shape", shape)
    if value.type.ndim != 1 or not dtypes.is_discrete(value.type.dtype):
        raise TypeError(f"shape must be a vector of {convdim} integers, got {value.type}")
    return cast(value, "int64")


class AbstractConv(BaseAbstractConv):
    """Convolution of images `img` with kernels `kern`."""

    def make_node(self, img: Variable, kern: Variable) -> Apply:
        rank = 2 + self.convdim
        deep = rank + self.convdim if self.unshared else rank
        operands = [("img", img, rank, self.imshp), ("kern", kern, deep, self.kshp)]
        img, kern = _operands("convolution", operands)
        pattern = [img.type.broadcastable[0], kern.type.broadcastable[0]]
        return self.one([img, kern], img.type.dtype, [*pattern, *[False] * self.convdim])

    def shapes(self, node: Apply, shapes: Sequence[Dims]) -> Shapes:
        images, kernels = (tuple(s) for s in shapes[:2])
        return Shapes(images, kernels, (images[0], kernels[0], *self.windows(images, kernels)))

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        img, kern = node.inputs
        g = cotangents[0]
        return [self._derived("images", kern, g, img), self._derived("kernels", img, g, kern)]

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        if rows != [True, False]:
            return None
        shape = [as_int64(length(values[0], a)) for a in range(values[0].type.ndim)]
        every = reshape_op(values[0], [shape[0] * shape[1], *shape[2:]])
        out = self._sibling("result", imshp=None)(every, values[1])
        own = [as_int64(length(out, a)) for a in range(1, out.type.ndim)]
        return [reshape_op(out, [*shape[:2], *own])]

    def compute(self, xp: ArrayModule, node: Apply, img: Any, kern: np.ndarray) -> tuple[Any, ...]:
        s = self.shapes(node, [img.shape, kern.shape])
        self.check(s)
        grouped = self._grouped(xp, s, work_dtype(img.dtype), images=img, kernels=kern)
        x, w = grouped["images"], grouped["kernels"]
        subscripts = "{},{}->{}".format(*self._sum)
        total: Any = 0
        for at, first in self._items(s):
            total = total + xp.einsum(subscripts, self._part(x, s, first), w[(..., *at)])
        return (total.reshape(s.result).astype(img.dtype),)

    def emit(self, p: Builder, node: Apply, img: ProgramValue, kern: ProgramValue) -> Any:
        return p.convolve(node, self.lowered(p, node), img, kern)


class AbstractConv_gradInputs(BaseAbstractConv):  # noqa: N801
    """Gradient of a convolution with respect to images of which `shape` has the last lengths."""

    gives = "images"

    def make_node(
        self, kern: Variable, topgrad: Variable, shape: Any, add_assert_shape: bool = True
    ) -> Apply:
        rank = 2 + self.convdim
        deep = rank + self.convdim if self.unshared else rank
        operands = [("kern", kern, deep, self.kshp), ("topgrad", topgrad, rank, ())]
        kern, topgrad = _operands("gradient of a convolution", operands)
        shape = _shape_vector(self.convdim, shape)
        pattern = [topgrad.type.broadcastable[0], *[False] * (1 + self.convdim)]
        return self.one([kern, topgrad, shape], kern.type.dtype, pattern)

    def shapes(self, node: Apply, shapes: Sequence[Dims]) -> Shapes:
        kernels, result = (tuple(s) for s in shapes[:2])
        channels = times(kernels[-self.convdim - 1], self.num_groups)
        shape = items_of(node.inputs[2], self.convdim)
        return Shapes((result[0], channels, *shape), kernels, result)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        kern, top, _ = node.inputs
        h = cotangents[0]
        of_kern = self._derived("kernels", h, top, kern)
        return [of_kern, self._derived("result", h, kern, top), None]

    def compute(
        self, xp: ArrayModule, node: Apply, kern: Any, topgrad: np.ndarray, shape: np.ndarray
    ) -> tuple[Any, ...]:
        channels = kern.shape[-self.convdim - 1] * self.num_groups
        images = (topgrad.shape[0], channels, *(int(n) for n in shape))
        s = Shapes(images, kern.shape, topgrad.shape)
        self.check(s)
        grouped = self._grouped(xp, s, work_dtype(kern.dtype), kernels=kern, result=topgrad)
        w, y = grouped["kernels"], grouped["result"]
        of_images, of_kernels, of_result = self._sum
        pads = self.pads(s.kernels)
        padded = [n + sum(pad) for n, pad in zip(images[2:], pads, strict=True)]
        total: Any = 0
        for at, first in self._items(s):
            part = xp.einsum(f"{of_kernels},{of_result}->{of_images}", w[(..., *at)], y)
            total = total + placed(xp, part, first, self.subsample, padded)
        inside = tuple(slice(a, a + n) for (a, _), n in zip(pads, images[2:], strict=True))
        return (total[(..., *inside)].reshape(images).astype(kern.dtype),)

    def emit(
        self,
        p: Builder,
        node: Apply,
        kern: ProgramValue,
        topgrad: ProgramValue,
        shape: ProgramValue,
    ) -> Any:
        p.require_rank(node, shape, self.convdim)
        return p.convolve_images(node, self.lowered(p, node), kern, topgrad)


class AbstractConv_gradWeights(BaseAbstractConv):  # noqa: N801
    """Gradient of a convolution with respect to kernels of which `shape` has the last lengths."""

    gives = "kernels"

    def make_node(
        self, img: Variable, topgrad: Variable, shape: Variable, add_assert_shape: bool = True
    ) -> Apply:
        rank = 2 + self.convdim
        operands = [("img", img, rank, self.imshp), ("topgrad", topgrad, rank, ())]
        img, topgrad = _operands("gradient of a convolution", operands)
        shape = _shape_vector(self.convdim, shape)
        places = [False] * self.convdim if self.unshared else []
        channels = img.type.broadcastable[1] and self.num_groups == 1
        pattern = [topgrad.type.broadcastable[1], *places, channels, *[False] * self.convdim]
        return self.one([img, topgrad, shape], img.type.dtype, pattern)

    def shapes(self, node: Apply, shapes: Sequence[Dims]) -> Shapes:
        shape = items_of(node.inputs[2], self.convdim)
        return self._with_kernels(shapes[0], shapes[1], shape)

    def _with_kernels(self, images: Any, result: Any, shape: Dims) -> Shapes:
        places = result[2:] if self.unshared else ()
        channels = over(images[1], self.num_groups)
        return Shapes(tuple(images), (result[1], *places, channels, *shape), tuple(result))

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        img, top, _ = node.inputs
        h = cotangents[0]
        of_img = self._derived("images", h, top, img)
        return [of_img, self._derived("result", img, h, top), None]

    def compute(
        self, xp: ArrayModule, node: Apply, img: Any, topgrad: np.ndarray, shape: np.ndarray
    ) -> tuple[Any, ...]:
        s = self._with_kernels(img.shape, topgrad.shape, [int(n) for n in shape])
        self.check(s)
        grouped = self._grouped(xp, s, work_dtype(img.dtype), images=img, result=topgrad)
        x, y = grouped["images"], grouped["result"]
        of_images, of_kernels, of_result = self._sum
        subscripts = f"{of_images},{of_result}->{of_kernels}"
        parts = [xp.einsum(subscripts, self._part(x, s, first), y) for _, first in self._items(s)]
        return (xp.stack(parts, axis=-1).reshape(s.kernels).astype(img.dtype),)

    def emit(
        self, p: Builder, node: Apply, img: ProgramValue, topgrad: ProgramValue, shape: ProgramValue
    ) -> Any:
        p.require_rank(node, shape, self.convdim)
        return p.convolve_kernels(node, self.lowered(p, node), img, topgrad)


class AbstractConv2d(AbstractConv):
    """Convolution of images with two axes."""

    def __init__(self, *args: Any, **options: object) -> None:
        super().__init__(2, *args, **options)


class AbstractConv2d_gradInputs(AbstractConv_gradInputs):  # noqa: N801
    """Gradient of a convolution of images with two axes with respect to them."""

    def __init__(self, *args: Any, **options: object) -> None:
        super().__init__(2, *args, **options)


class AbstractConv2d_gradWeights(AbstractConv_gradWeights):  # noqa: N801
    """Gradient of a convolution of images with two axes with respect to the kernels."""

    def __init__(self, *args: Any, **options: object) -> None:
        super().__init__(2, *args, **options)


class AbstractConv3d(AbstractConv):
    """Convolution of images with three axes."""

    def __init__(self, *args: Any, **options: object) -> None:
        super().__init__(3, *args, **options)


class AbstractConv3d_gradInputs(AbstractConv_gradInputs):  # noqa: N801
    """Gradient of a convolution of images with three axes with respect to them."""

    def __init__(self, *args: Any, **options: object) -> None:
        super().__init__(3, *args, **options)


class AbstractConv3d_gradWeights(AbstractConv_gradWeights):  # noqa: N801
    """Gradient of a convolution of images with three axes with respect to the kernels."""

    def __init__(self, *args: Any, **options: object) -> None:
        super().__init__(3, *args, **options)


# The operations for so many axes, by what they give.
FAMILIES: dict[int, dict[str, Any]] = {
    1: {
        "result": partial(AbstractConv, 1),
        "images": partial(AbstractConv_gradInputs, 1),
        "kernels": partial(AbstractConv_gradWeights, 1),
    },
    2: {
        "result": AbstractConv2d,
        "images": AbstractConv2d_gradInputs,
        "kernels": AbstractConv2d_gradWeights,
    },
    3: {
        "result": AbstractConv3d,
        "images": AbstractConv3d_gradInputs,
        "kernels": AbstractConv3d_gradWeights,
    },
}
