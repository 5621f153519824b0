"""Convolutions: by the runtime or, where each window has kernels of its own, products of matrices.

Then the windows of all images at one place become the rows of a matrix, which is multiplied by the
kernels of that place. The memory needed besides padded images is that of one such matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from theano._core.base.dtypes import itemsize
from theano._core.base.records import Record
from theano._core.base.settings import config
from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import copies, kernel_call, libraries, orders, views
from theano._core.lower.builder.core import Core
from theano._core.lower.builder.window_memory import (
    converted,
    copy_converted,
    filled,
    in_dtype,
    part,
    walk,
)
from theano._core.ops.nn.windows import Windows, work_dtype

# What the runtime writes, and how many axes it takes: see `convolution.h`.
GIVES = ("result", "images", "kernels")
AXES = 3
# Of at least so many groups, of so few kernels times channels, channels may lie behind the axes.
MANY_GROUPS, FEW_TERMS = 16, 8


class ConvolvedAxis(Record):
    """What the runtime is told of an axis: `Axis` of `convolution.h`."""

    image: Size
    kernel: Size
    result: Size
    before: Size
    step: Size
    dilation: Size


class ConvolutionNumbers(Record):
    """What the runtime is told besides: `Work` of `convolution.h`, but for axes and addresses."""

    gives: Size
    itemsize: Size
    bits: Size
    flip: Size
    tiles: Size
    image_last: Size
    result_last: Size
    items: Size
    groups: Size
    channels: Size
    kernels: Size


def convolve(p: Core, node: Apply, w: Windows, images: Array, kernels: Array) -> Array:
    """Return the convolution of images with kernels."""
    out = _Work(p, w, images.dtype)
    if not w.unshared:
        images, last = out.in_either_order(images)
        kernels, result = out.plain(kernels), out.new_in_order(w.result, last)
        return out.by_runtime("result", images, kernels, result, last, last)
    result = p.new_array(out.dtype, w.result)
    out.run(out.padded(images), out.plain(kernels), result, out.forward_at_place)
    return out.finished(result)


def convolve_images(p: Core, node: Apply, w: Windows, kernels: Array, result: Array) -> Array:
    """Return the gradient with respect to the images."""
    out = _Work(p, w, kernels.dtype)
    matrix = out.plain(kernels)
    if not w.unshared:
        result, last = out.in_either_order(result)
        images = out.new_in_order(w.images, last)
        return out.by_runtime("images", images, matrix, result, last, last)
    result = out.plain(result)
    x = filled(p, out.dtype, (*w.images[:2], *w.padded))
    out.run(x, matrix, result, out.images_at_place)
    return out.finished(out.inside(x))


def convolve_kernels(p: Core, node: Apply, w: Windows, images: Array, result: Array) -> Array:
    """Return the gradient with respect to the kernels."""
    out = _Work(p, w, images.dtype)
    if not w.unshared:
        matrix = p.new_array(out.dtype, w.kernels)
        images, one = out.in_either_order(images)
        result, two = out.in_either_order(result)
        return out.by_runtime("kernels", images, matrix, result, one, two)
    matrix = filled(p, out.dtype, w.kernels)
    out.run(out.padded(images), matrix, out.plain(result), out.kernels_at_place)
    return out.finished(matrix)


def _channels_last(rank: int) -> tuple[int, ...]:
    """Return the order of the axes of images whose channels lie behind the others."""
    return (0, *range(2, rank), 1)


class _Work:
    """One convolution, or gradient of one, that is written."""

    def __init__(self, p: Core, w: Windows, dtype: str) -> None:
        self.p, self.w = p, w
        self.result_dtype, self.dtype = dtype, work_dtype(dtype)
        n, size = len(w.steps), itemsize(self.dtype)
        self.n, self.size = n, size
        self.kernel_shape = w.kernels[-n:]
        self.channels = w.kernels[-n - 1]
        self.kernels = w.kernels[0]
        if w.groups > 1:
            self.kernels = p.let("sdiv", w.kernels[0], w.groups)
        self.terms = p.product([self.channels, *self.kernel_shape])
        self.places = p.product(w.result[2:])
        work = p.product([w.result[0], w.kernels[0], self.terms, self.places])
        libraries.release_if_long(p, work)

    # -- arrays -----------------------------------------------------------------------------------

    def plain(self, x: Array) -> Array:
        """Return an array in C order, in the dtype of the sums."""
        if x.dtype != self.dtype:
            return converted(self.p, x, self.dtype)
        return copies.contiguous(self.p, x)

    def in_either_order(self, x: Array) -> tuple[Array, Size]:
        """Return an array in C order, or with its channels behind its axes; and which it is.

        It is the array itself if it turns out to lie so, and there are many groups of few channels.
        """
        p = self.p
        if self.w.groups < MANY_GROUPS or x.contiguous is True or x.dtype != self.dtype:
            return self.plain(x), 0
        if x.broadcast_axes:
            return self.plain(x), 0
        last = p.let("le", p.multiply(self.channels, self.kernels), FEW_TERMS)
        if isinstance(x.contiguous, str):
            last = p.both(last, p.let("not", x.contiguous, type="bool"))
        wanted = orders.strides_in(p, _channels_last(x.ndim), x.dtype, x.shape)
        for length, stride, step in zip(x.shape, p.strides(x), wanted, strict=True):
            if length != 1:
                last = p.both(last, p.let("eq", stride, step))
        pointers = (lambda: (p.pointer(x),), lambda: (p.pointer(self.plain(x)),))
        (data,) = p.if_else(last, *pointers, ("ptr",))
        return Array(x.dtype, x.shape, data, buffer=x.buffer), last

    def new_in_order(self, shape: Sequence[Size], last: Size) -> Array:
        """Return a fresh array in C order, or with its channels behind its axes if `last`."""
        p = self.p
        out = p.new_array(self.dtype, shape)
        if last == 0:
            return out
        return orders.ordered(p, out, orders.Order(last, _channels_last(out.ndim)))

    def finished(self, result: Array) -> Array:
        """Return the result in the dtype that it is to have."""
        return in_dtype(self.p, result, self.result_dtype)

    def inside(self, x: Array) -> Array:
        """Return the part of padded images that is no border."""
        w = self.w
        if w.padded == w.images[2:]:
            return x
        view = part(self.p, x, (0, 0, *w.before), w.images, self.p.strides(x))
        view.buffer = x.buffer
        return view

    def padded(self, images: Array) -> Array:
        """Return images with zeros around them."""
        if self.w.padded == self.w.images[2:]:
            return self.plain(images)
        x = filled(self.p, self.dtype, (*self.w.images[:2], *self.w.padded))
        copy_converted(self.p, images, self.inside(x))
        return x

    # -- kernels that all places share ------------------------------------------------------------

    def by_runtime(
        self,
        gives: str,
        images: Array,
        kernels: Array,
        result: Array,
        image_last: Size,
        result_last: Size,
    ) -> Array:
        """Have the runtime write one of three arrays without gaps; return it."""
        p, w = self.p, self.w
        numbers = ConvolutionNumbers(
            gives=GIVES.index(gives),
            itemsize=self.size,
            bits=p.vector_bits,
            flip=int(w.flip),
            tiles=int(config.conv.winograd),
            image_last=p.let("select", image_last, 1, 0),
            result_last=p.let("select", result_last, 1, 0),
            items=w.images[0],
            groups=w.groups,
            channels=self.channels,
            kernels=self.kernels,
        )
        shape = (w.images[2:], self.kernel_shape, w.result[2:], w.before, w.steps, w.dilation)
        axes = [ConvolvedAxis(1, 1, 1, 0, 1, 1)] * (AXES - self.n)
        axes += [ConvolvedAxis(*axis) for axis in zip(*shape, strict=True)]
        words = [*numbers, *(n for axis in axes for n in axis)]
        arrays = list(map(p.pointer, (images, kernels, result)))
        types = kernel_call.types_of(len(words), len(words) + len(arrays))
        p.call_or_fail("convolve", kernel_call.arguments(p, [*words, *arrays], types))
        return self.finished({"images": images, "kernels": kernels, "result": result}[gives])

    # -- the walk through places and groups -------------------------------------------------------

    def run(self, x: Array, kernels: Array, result: Array, step: Callable[..., None]) -> None:
        """Write `step` for each place of a window and each group of channels."""
        p, w = self.p, self.w
        for array in (x, kernels, result):
            p.strides(array)
            p.pointer(array)
        columns = p.new_array(self.dtype, (self.terms, w.result[0]))
        product = p.new_array(self.dtype, self._product_shape(step))
        with walk(p, w.result[2:], polls=True) as place, p.counted(w.groups) as group:
            step(x, kernels, result, columns, product, place, group)

    def _product_shape(self, step: Callable[..., None]) -> tuple[Size, Size]:
        if step == self.forward_at_place:
            return self.w.result[0], self.kernels
        return self.kernels, self.terms

    def _origin(self, x: Array, at: Sequence[Size]) -> tuple[str, list[Size], list[Size]]:
        """Return where the windows of padded images begin, and the strides of kernel and places.

        `at` are positions along the first axes of the images.
        """
        p, w = self.p, self.w
        data, own = p.pointer(x), p.strides(x)
        for position, step in zip(at, own, strict=False):
            data = views.moved(p, data, p.offset(position, step))
        within: list[Size] = []
        for kernel, dilation, step in zip(self.kernel_shape, w.dilation, own[2:], strict=True):
            stride = p.offset(dilation, step)
            if w.flip:
                last = p.offset(p.position(kernel, -1), stride)
                data, stride = views.moved(p, data, last), p.offset(-1, stride)
            within.append(stride)
        across = [p.offset(s, step) for s, step in zip(w.steps, own[2:], strict=True)]
        return data, within, across

    # -- kernels of each place --------------------------------------------------------------------

    def _place_windows(self, x: Array, place: Sequence[Size], group: Size) -> Array:
        """Return a view of the windows of all images at a place: images, channels, kernel."""
        p = self.p
        at = [p.offset(s, i) for s, i in zip(self.w.steps, place, strict=True)]
        first = p.multiply(self.channels, group)
        data, within, _ = self._origin(x, (0, first, *at))
        shape = (self.w.images[0], self.channels, *self.kernel_shape)
        return Array(x.dtype, shape, data, (*p.strides(x)[:2], *within), False)

    def _place_rows(self, x: Array, columns: Array, place: Sequence[Size], group: Size) -> Array:
        windows = self._place_windows(x, place, group)
        copy_converted(self.p, windows, Array(self.dtype, windows.shape, columns.data))
        return Array(self.dtype, (self.w.images[0], self.terms), columns.data)

    def _place_kernels(self, kernels: Array, place: Sequence[Size], group: Size) -> Array:
        p, own = self.p, self.p.strides(kernels)
        first = p.multiply(self.kernels, group)
        return part(p, kernels, (first, *place), (self.kernels, self.terms), (own[0], self.size))

    def _place_result(self, result: Array, place: Sequence[Size], group: Size) -> Array:
        p, own = self.p, self.p.strides(result)
        first = p.multiply(self.kernels, group)
        return part(p, result, (0, first, *place), (self.w.result[0], self.kernels), own[:2])

    def forward_at_place(
        self,
        x: Array,
        kernels: Array,
        result: Array,
        columns: Array,
        product: Array,
        place: Sequence[Size],
        group: Size,
    ) -> None:
        """Multiply the windows at a place by its kernels."""
        rows = self._place_rows(x, columns, place, group)
        own = self._turned(self._place_kernels(kernels, place, group))
        target = Array(self.dtype, product.shape, product.data)
        self._multiply(rows, own, target)
        copy_converted(self.p, target, self._place_result(result, place, group))

    def kernels_at_place(
        self,
        x: Array,
        kernels: Array,
        result: Array,
        columns: Array,
        product: Array,
        place: Sequence[Size],
        group: Size,
    ) -> None:
        """Write the gradient of the kernels at a place."""
        rows = self._place_rows(x, columns, place, group)
        gradient = self._turned(self._place_result(result, place, group))
        target = Array(self.dtype, product.shape, product.data)
        self._multiply(gradient, rows, target)
        copy_converted(self.p, target, self._place_kernels(kernels, place, group))

    def images_at_place(
        self,
        x: Array,
        kernels: Array,
        result: Array,
        columns: Array,
        product: Array,
        place: Sequence[Size],
        group: Size,
    ) -> None:
        """Add the gradients of the windows at a place."""
        target = Array(self.dtype, (self.w.images[0], self.terms), columns.data)
        own = self._place_kernels(kernels, place, group)
        self._multiply(self._place_result(result, place, group), own, target)
        windows = self._place_windows(x, place, group)
        self._add(windows, Array(self.dtype, windows.shape, columns.data))

    def _add(self, target: Array, source: Array) -> None:
        moving = [(target, frozenset[int]()), (source, frozenset[int]())]
        copies.simple_loop(self.p, target, target.shape, moving, lambda w, x, y: w.add(x, y))

    # -- products ---------------------------------------------------------------------------------

    def _turned(self, x: Array) -> Array:
        """Return the view of a matrix with its axes exchanged."""
        return Array(x.dtype, x.shape[::-1], x.data, self.p.strides(x)[::-1], False)

    def _multiply(self, x: Array, y: Array, out: Array, keep: str = "null") -> None:
        """Write the product of two matrices, added to `keep` times what is there."""
        libraries.multiply_into(self.p, x, y, out, keep)
