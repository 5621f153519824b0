"""Images seen through affine maps of their planes: spatial transformers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from theano._core.api.array.creation import arange
from theano._core.api.conversion import as_tensor_variable, cast
from theano._core.base import dtypes
from theano._core.ops.elementwise.arithmetic import and_, ceil, clip, floor, ge, lt, maximum, switch

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable


def spatialtf(
    img: TensorLike, theta: TensorLike, scale_width: TensorLike = 1, scale_height: TensorLike = 1
) -> TensorVariable:
    """Return images of which each point is taken from where an affine map says.

    Coordinates go from -1 to 1 from the first column to the last one, and from the first row to the
    last one. Between items values are interpolated; outside the image they are 0.

    Parameters
    ----------
    img : tensor, float, shape (images, channels, rows, columns)
    theta : tensor, float, shape (images, 2, 3)
        Of each image, the matrix that takes (column, row, 1) of the result to a column and row.
    scale_width, scale_height : number
        How many columns and rows the result has for each of the image; their product is rounded up.

    Returns
    -------
    TensorVariable, shape (images, channels, rows, columns)

    Raises
    ------
    TypeError
        An argument has another rank or is not float.

    References
    ----------
    M. Jaderberg, K. Simonyan, A. Zisserman, K. Kavukcuoglu: Spatial transformer networks, 2015.

    Examples
    --------
    >>> images, maps = T.dtensor4("images"), T.dtensor3("maps")
    >>> out = T.nnet.spatialtf(images, maps)
    >>> turned = np.array([[[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]])  # by half a turn
    >>> out.eval({images: [[[[1.0, 2.0], [3.0, 4.0]]]], maps: turned})[0, 0].round(9)
    array([[4., 3.],
           [2., 1.]])
    """
    img, theta = as_tensor_variable(img), as_tensor_variable(theta)
    for name, value, rank in (("img", img, 4), ("theta", theta, 3)):
        if value.type.ndim != rank or not dtypes.is_float(value.type.dtype):
            raise TypeError(f"spatialtf: {name} must be float with {rank} axes, got {value.type}")
    images, _, height, width = (img.shape[axis] for axis in range(4))
    dtype = img.type.dtype
    rows, columns = (
        cast(ceil(size * scale), "int64")
        for size, scale in ((height, scale_height), (width, scale_width))
    )
    down = _from_minus_one(rows, dtype).dimshuffle("x", 0, "x")
    along = _from_minus_one(columns, dtype).dimshuffle("x", "x", 0)
    map_ = [[theta[:, i, j].dimshuffle(0, "x", "x") for j in range(3)] for i in range(2)]
    column, row = (a * along + b * down + c for a, b, c in map_)
    column, row = (column + 1) / 2 * (width - 1), (row + 1) / 2 * (height - 1)
    left, top = floor(column), floor(row)
    image = arange(images).dimshuffle(0, "x", "x")
    total: Any = 0
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        r, c = top + i, left + j
        weight = (1 - abs(row - r)) * (1 - abs(column - c))
        inside = and_(and_(ge(r, 0), lt(r, height)), and_(ge(c, 0), lt(c, width)))
        r, c = (cast(clip(v, 0, n - 1), "int64") for v, n in ((r, height), (c, width)))
        # Positions come first, channels last.
        items = img.dimshuffle(0, 2, 3, 1)[image, r, c]
        total = total + items * switch(inside, weight, 0).dimshuffle(0, 1, 2, "x")
    return total.dimshuffle(0, 3, 1, 2).astype(dtype)


def _from_minus_one(count: Any, dtype: str) -> Any:
    """Return so many numbers from -1 to 1, equally far apart."""
    steps = cast(maximum(count - 1, 1), dtype)
    return cast(arange(count), dtype) * 2 / steps - 1
