"""Patches of images as rows of a matrix, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.array.creation import arange, zeros
from theano._core.api.array.indexing import get_item, set_subtensor
from theano._core.api.conversion import as_tensor_variable, cast
from theano._core.ir.variable import Variable
from theano._core.ops.array import shaping
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.dims import as_int64, product, total
from theano._core.ops.array.indexing import gather
from theano._core.ops.array.shaping import length
from theano._core.ops.control.body import Body
from theano._core.ops.control.inner_graph import Expression, body_over
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.naming import hashed_as
from theano._core.ops.elementwise.arithmetic import add, and_, eq, ge, int_div, mod, mul, neg, sub

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable


class Fits(Require):
    """`value`, after checking that every condition holds (TypeError with `msg` if not)."""

    error = TypeError
    fault = "misfit"


@hashed_as("Images2Neibs")
class Images2Neibs(Expression):
    """The patches of images, of the images and of the shapes and steps of patches.

    Parameters
    ----------
    body : Body
    mode : str
    """

    def __init__(self, body: Body, mode: str) -> None:
        super().__init__(body, f"Images2Neibs{{{mode}}}")
        self.mode = mode


MODES = ("full", "half", "ignore_borders", "valid", "wrap_centered")


def _pair(value: TensorLike) -> list[Any]:
    variable = as_tensor_variable(value)
    return [cast(get_item(variable, i), "int64") for i in range(2)]


def _padded(x: Variable, sizes: Sequence[Variable]) -> Any:
    """Return images with zeros around them: so many on each side of the last two axes."""
    shape = [length(x, axis) for axis in range(4)]
    wide = [total([n, p, p]) for n, p in zip(shape[2:], sizes, strict=True)]
    inner = [slice(p, total([n, p])) for n, p in zip(shape[2:], sizes, strict=True)]
    frame = zeros((*shape[:2], *wide), dtype=x.type.dtype)
    return set_subtensor(frame[(slice(None), slice(None), *inner)], x)


def images2neibs(
    ten4: TensorLike,
    neib_shape: TensorLike,
    neib_step: TensorLike | None = None,
    mode: str = "valid",
) -> TensorVariable:
    """Return the patches of images, one row each.

    Parameters
    ----------
    ten4 : tensor of 4 axes
        Images, channels, rows, columns.
    neib_shape : pair of int
        Rows and columns of a patch.
    neib_step : pair of int, optional
        Rows and columns from patch to patch; by default they do not overlap.
    mode : {'valid', 'ignore_borders', 'half', 'full', 'wrap_centered'}
        Patches inside the image, which they must fill exactly; what is left over is ignored; images
        are padded with zeros by half a patch, or by a patch less one; patches are centred at
        positions and go on at the opposite border.

    Returns
    -------
    TensorVariable, matrix
        Rows in the order of images, channels, patch rows, patch columns.

    Raises
    ------
    AssertionError
        `ten4` has not four axes.
    TypeError
        The patches do not fill the image, or, where they are centred, have an even length.

    Examples
    --------
    >>> x = T.dtensor4("x")
    >>> patches = T.nnet.neighbours.images2neibs(x, (2, 2))
    >>> patches.eval({x: np.arange(8.0).reshape(1, 1, 2, 4)})
    array([[0., 1., 4., 5.],
           [2., 3., 6., 7.]])
    """
    x = as_tensor_variable(ten4)
    if x.type.ndim != 4:
        raise AssertionError(f"images2neibs needs a tensor of 4 axes, got {x.type}")
    if mode not in MODES:
        raise NotImplementedError(
            f"Only modes {', '.join(MODES)} have been implemented for Images2Neibs, not {mode}"
        )
    shape = as_tensor_variable(neib_shape)
    outside = [x, shape, shape if neib_step is None else as_tensor_variable(neib_step)]

    def build(images: Variable, *pairs: Variable) -> Any:
        size, step = (_pair(v) for v in pairs)
        return _patches(images, size, size if neib_step is None else step, mode)

    return Images2Neibs(body_over(outside, build), mode)(*outside)


def _patches(x: Any, size: list[Any], step: list[Any], mode: str) -> Any:
    positive = [ge(n, 1) for n in (*size, *step)]
    x = Require("Images2Neibs: the lengths and steps of patches must be positive")(x, *positive)
    if mode in ("half", "full"):
        x = _padded(x, [int_div(n, 2) if mode == "half" else sub(n, 1) for n in size])
    if mode == "wrap_centered":
        odd = [eq(mod(n, 2), 1) for n in size]
        x = Fits("Images2Neibs: in mode wrap_centered need patch with odd shapes")(x, *odd)
        room = [ge(length(x, 2 + axis), n) for axis, n in enumerate(size)]
        x = Fits("Images2Neibs: in mode wrap_centered images cannot be smaller than patches")(
            x, *room
        )
    positions, counts = [], []
    for axis in range(2):
        extent = as_int64(length(x, 2 + axis))
        at, count, fits = _starts(extent, size[axis], step[axis], mode)
        if fits is not None:
            x = Fits(f"Images2Neibs: patches do not fill axis {2 + axis} of the images")(x, fits)
        inside = dimshuffle(arange(size[axis]), ("x", 0))
        index = add(dimshuffle(at, (0, "x")), inside)
        positions.append(mod(index, extent) if mode == "wrap_centered" else index)
        counts.append(count)
    rows = dimshuffle(positions[0], (0, "x", 1, "x"))
    columns = dimshuffle(positions[1], ("x", 0, "x", 1))
    patches = gather(x, rows, columns, axis=2)
    rows = product([length(x, 0), length(x, 1), *counts])
    return shaping.reshape_op(patches, [rows, product(size)])


def _starts(
    extent: TensorLike, size: TensorLike, step: TensorLike, mode: str
) -> tuple[Any, Any, Any]:
    """Return where patches start along an axis, how many there are, and whether they fill it."""
    if mode == "wrap_centered":
        count = neg(int_div(neg(extent), step))
        return sub(mul(arange(count), step), int_div(size, 2)), count, None
    room = sub(extent, size)
    count = add(int_div(room, step), 1)
    fits = and_(eq(mod(room, step), 0), eq(room >= 0, np.array(True)))
    return mul(arange(count), step), count, None if mode == "ignore_borders" else fits


def neibs2images(
    neibs: TensorLike, neib_shape: TensorLike, original_shape: TensorLike, mode: str = "valid"
) -> TensorVariable:
    """Return the images that patches were taken from, which did not overlap.

    Parameters
    ----------
    neibs : matrix
        One patch in each row, as `images2neibs` makes them.
    neib_shape : pair of int
    original_shape : four int
        Lengths of the images.
    mode : {'valid', 'ignore_borders'}
        With 'ignore_borders' what no patch covered is 0.

    Returns
    -------
    tensor of 4 axes

    Examples
    --------
    >>> from theano.tensor.nnet.neighbours import images2neibs, neibs2images
    >>> x = T.dtensor4("x")
    >>> again = neibs2images(images2neibs(x, (2, 2)), (2, 2), (1, 1, 4, 4))
    >>> value = np.arange(16.0).reshape(1, 1, 4, 4)
    >>> bool((again.eval({x: value}) == value).all())
    True
    """
    if mode not in ("valid", "ignore_borders"):
        raise NotImplementedError(f"neibs2images do not support mode={mode}")
    rows = as_tensor_variable(neibs)
    size = _pair(neib_shape)
    shape = as_tensor_variable(original_shape)
    whole = [cast(get_item(shape, i), "int64") for i in range(4)]
    counts = [int_div(n, k) for n, k in zip(whole[2:], size, strict=True)]
    parts = shaping.reshape_op(rows, [whole[0], whole[1], *counts, *size])
    covered = [mul(n, k) for n, k in zip(counts, size, strict=True)]
    images = shaping.reshape_op(
        dimshuffle(parts, (0, 1, 2, 4, 3, 5)), [whole[0], whole[1], *covered]
    )
    if mode == "valid":
        return images
    inner = (slice(None), slice(None), slice(None, covered[0]), slice(None, covered[1]))
    return set_subtensor(zeros(whole, dtype=rows.type.dtype)[inner], images)
