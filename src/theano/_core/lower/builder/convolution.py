"""Convolutions: windows of images copied side by side, and products of matrices.

Of one image and one group of channels the windows become a matrix with a column for each window,
by which the matrix of kernels is multiplied. Kernels that are not shared have a matrix for each
window; there the windows of all images at one place become the rows of a matrix. Either way the
memory needed besides padded images is that of one such matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from theano._core.base.dtypes import itemsize
from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import copies, libraries, views
from theano._core.lower.builder.core import Core
from theano._core.lower.builder.window_memory import (
    converted,
    copy_converted,
    discard,
    filled,
    part,
    walk,
)
from theano._core.ops.windows import Windows, work_dtype


def convolve(p: Core, node: Apply, w: Windows, images: Array, kernels: Array) -> Array:
    """Return the convolution of images with kernels."""
    out = _Work(p, w, images.dtype)
    x, matrix = out.padded(images), out.plain(kernels)
    result = p.new_array(out.dtype, w.result)
    out.run(x, matrix, result, out.forward_at_place if w.unshared else out.forward_of_image)
    return out.finished(result)


def convolve_images(p: Core, node: Apply, w: Windows, kernels: Array, result: Array) -> Array:
    """Return the gradient with respect to the images."""
    out = _Work(p, w, kernels.dtype)
    matrix, result = out.plain(kernels), out.plain(result)
    x = filled(p, out.dtype, (*w.images[:2], *w.padded))
    out.run(x, matrix, result, out.images_at_place if w.unshared else out.images_of_image)
    return out.finished(out.inside(x))


def convolve_kernels(p: Core, node: Apply, w: Windows, images: Array, result: Array) -> Array:
    """Return the gradient with respect to the kernels."""
    out = _Work(p, w, images.dtype)
    x, result = out.padded(images), out.plain(result)
    matrix = filled(p, out.dtype, w.kernels)
    out.run(x, matrix, result, out.kernels_at_place if w.unshared else out.kernels_of_image)
    return out.finished(matrix)


class _Work:
    """One convolution, or gradient of one, that is written."""

    def __init__(self, p: Core, w: Windows, dtype: str) -> None:
        self.p, self.w = p, w
        self.given, self.dtype = dtype, work_dtype(dtype)
        n, size = len(w.steps), itemsize(self.dtype)
        self.n, self.size = n, size
        self.temporary: list[Array] = []
        self.kernel_lengths = w.kernels[-n:]
        self.channels = w.kernels[-n - 1]
        self.kernels = w.kernels[0]
        if w.groups > 1:
            self.kernels = p.let("sdiv", w.kernels[0], w.groups)
        self.terms = p.product([self.channels, *self.kernel_lengths])
        self.places = p.product(w.result[2:])
        work = p.product([w.result[0], w.kernels[0], self.terms, self.places])
        libraries.release_if_long(p, work)

    # -- arrays -----------------------------------------------------------------------------------

    def until_done(self, x: Array) -> Array:
        """Return memory that is given back when the result is there."""
        self.temporary.append(x)
        return x

    def plain(self, x: Array) -> Array:
        """Return an array in C order, in the dtype of the sums."""
        if x.dtype != self.dtype:
            return self.until_done(converted(self.p, x, self.dtype))
        packed = copies.contiguous(self.p, x)
        return packed if packed.buffer is x.buffer else self.until_done(packed)

    def finished(self, result: Array) -> Array:
        """Return the result in the dtype that it is to have, and give other memory back."""
        if result.dtype != self.given:
            result = converted(self.p, self.until_done(result), self.given)
        for array in self.temporary:
            discard(self.p, array)
        return result

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
        x = self.until_done(filled(self.p, self.dtype, (*self.w.images[:2], *self.w.padded)))
        copy_converted(self.p, images, self.inside(x))
        return x

    # -- the walk through images, groups and places -----------------------------------------------

    def run(self, x: Array, kernels: Array, result: Array, step: Callable[..., None]) -> None:
        """Write `step` for each image, or each place of a window, and each group of channels."""
        p, w = self.p, self.w
        for array in (x, kernels, result):
            p.strides(array)
            p.pointer(array)
        first = w.result[0]
        rows = first if w.unshared else self.places
        columns = self.until_done(p.new_array(self.dtype, (self.terms, rows)))
        if w.unshared:
            product = self.until_done(p.new_array(self.dtype, self._product_lengths(step)))
            with walk(p, w.result[2:], polls=True) as place, p.counted(w.groups) as group:
                step(x, kernels, result, columns, product, place, group)
        else:
            with p.counted(first, polls=True) as image, p.counted(w.groups) as group:
                step(x, kernels, result, columns, image, group)

    def _product_lengths(self, step: Callable[..., None]) -> tuple[Size, Size]:
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
        for kernel, dilation, step in zip(self.kernel_lengths, w.dilation, own[2:], strict=True):
            stride = p.offset(dilation, step)
            if w.flip:
                last = p.offset(p.position(kernel, -1), stride)
                data, stride = views.moved(p, data, last), p.offset(-1, stride)
            within.append(stride)
        across = [p.offset(s, step) for s, step in zip(w.steps, own[2:], strict=True)]
        return data, within, across

    # -- kernels that all places share ------------------------------------------------------------

    def _image_windows(self, x: Array, image: Size, group: Size) -> Array:
        """Return a view of the windows of an image: channels, kernel, places."""
        first = self.p.multiply(self.channels, group)
        data, within, across = self._origin(x, (image, first))
        lengths = (self.channels, *self.kernel_lengths, *self.w.result[2:])
        strides = (self.p.strides(x)[1], *within, *across)
        return Array(x.dtype, lengths, data, strides, False)

    def _columns(self, x: Array, columns: Array, image: Size, group: Size) -> Array:
        """Return the windows of an image as a matrix: the image itself if that is one."""
        p = self.p

        def copied() -> tuple[str]:
            windows = self._image_windows(x, image, group)
            copy_converted(self.p, windows, Array(self.dtype, windows.lengths, columns.data))
            return (columns.data,)

        def itself() -> tuple[str]:
            first = p.multiply(self.channels, group)
            return (part(p, x, (image, first), (), ()).data,)

        return Array(self.dtype, columns.lengths, self._choose(itself, copied))

    def _choose(self, itself: Callable[[], tuple[str]], copied: Callable[[], tuple[str]]) -> str:
        """Return an address: that of the image where each window is one of its items."""
        p = self.p
        count = p.product(self.kernel_lengths)
        if any(n != 1 for n in self.w.steps) or (isinstance(count, int) and count != 1):
            return copied()[0]
        if count == 1:
            return itself()[0]
        return p.if_else(p.let("eq", count, 1), itself, copied, ("ptr",))[0]

    def _kernel_rows(self, kernels: Array, group: Size) -> Array:
        """Return the matrix of the kernels of a group."""
        first = self.p.multiply(self.kernels, group)
        at = part(self.p, kernels, (first,), (), ()).data
        return Array(self.dtype, (self.kernels, self.terms), at)

    def _result_rows(self, result: Array, image: Size, group: Size) -> Array:
        """Return the matrix of the result of an image and a group."""
        first = self.p.multiply(self.kernels, group)
        at = part(self.p, result, (image, first), (), ()).data
        return Array(self.dtype, (self.kernels, self.places), at)

    def forward_of_image(
        self, x: Array, kernels: Array, result: Array, columns: Array, image: Size, group: Size
    ) -> None:
        """Multiply kernels by the windows of an image."""
        windows = self._columns(x, columns, image, group)
        target = self._result_rows(result, image, group)
        self._multiply(self._kernel_rows(kernels, group), windows, target)

    def kernels_of_image(
        self, x: Array, kernels: Array, result: Array, columns: Array, image: Size, group: Size
    ) -> None:
        """Add what an image says of the gradient of kernels."""
        windows = self._turned(self._columns(x, columns, image, group))
        one = Array(self.dtype, (), register=self.p.literal(1, self.dtype))
        target = self._kernel_rows(kernels, group)
        self._multiply(
            self._result_rows(result, image, group), windows, target, self.p.pointer(one)
        )

    def images_of_image(
        self, x: Array, kernels: Array, result: Array, columns: Array, image: Size, group: Size
    ) -> None:
        """Add up the gradients of the windows of an image."""
        rows = self._turned(self._kernel_rows(kernels, group))
        given = self._result_rows(result, image, group)
        windows = self._image_windows(x, image, group)
        target = Array(self.dtype, columns.lengths, columns.data)
        self._multiply(rows, given, target)
        self._add_windows(windows, columns)

    def _add_windows(self, windows: Array, columns: Array) -> None:
        """Add the items of a matrix to the windows: one item of the kernel after the other."""
        p, n = self.p, self.n
        source = Array(self.dtype, windows.lengths, columns.data)
        kept = (0, *range(n + 1, 2 * n + 1))
        lengths = tuple(windows.lengths[a] for a in kept)
        every = [(view, p.strides(view)) for view in (windows, source)]
        with walk(p, self.kernel_lengths) as item:
            views_here = [
                part(p, view, (0, *item), lengths, [steps[a] for a in kept])
                for view, steps in every
            ]
            self._add(*views_here)

    def _add(self, target: Array, source: Array) -> None:
        moving = [(target, frozenset[int]()), (source, frozenset[int]())]
        copies.simple_loop(self.p, target, target.lengths, moving, lambda w, x, y: w.add(x, y))

    # -- kernels of each place --------------------------------------------------------------------

    def _place_windows(self, x: Array, place: Sequence[Size], group: Size) -> Array:
        """Return a view of the windows of all images at a place: images, channels, kernel."""
        p = self.p
        at = [p.offset(s, i) for s, i in zip(self.w.steps, place, strict=True)]
        first = p.multiply(self.channels, group)
        data, within, _ = self._origin(x, (0, first, *at))
        lengths = (self.w.images[0], self.channels, *self.kernel_lengths)
        return Array(x.dtype, lengths, data, (*p.strides(x)[:2], *within), False)

    def _place_rows(self, x: Array, columns: Array, place: Sequence[Size], group: Size) -> Array:
        windows = self._place_windows(x, place, group)
        copy_converted(self.p, windows, Array(self.dtype, windows.lengths, columns.data))
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
        target = Array(self.dtype, product.lengths, product.data)
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
        given = self._turned(self._place_result(result, place, group))
        target = Array(self.dtype, product.lengths, product.data)
        self._multiply(given, rows, target)
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
        self._add(windows, Array(self.dtype, windows.lengths, columns.data))

    # -- products ---------------------------------------------------------------------------------

    def _turned(self, x: Array) -> Array:
        """Return the view of a matrix with its axes exchanged."""
        return Array(x.dtype, x.lengths[::-1], x.data, self.p.strides(x)[::-1], False)

    def _multiply(self, x: Array, y: Array, out: Array, keep: str = "null") -> None:
        """Write the product of two matrices, added to `keep` times what is there."""
        libraries.multiply_into(self.p, x, y, out, keep)
