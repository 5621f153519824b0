"""Fourier transforms: of batches of real arrays, and along axes of complex arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from theano._core.api.array.shaping import unbroadcast
from theano._core.api.array.sorting import along_unknown, to_be_known
from theano._core.api.conversion import as_tensor_variable, cast
from theano._core.base import dtypes
from theano._core.ir.variable import Variable
from theano._core.ops.array import fourier as ops
from theano._core.ops.array.dims import as_int64, product
from theano._core.ops.array.shaping import axis_of, length
from theano._core.ops.control.inner_graph import whole
from theano._core.ops.core.op import python_int
from theano._core.ops.elementwise.arithmetic import add, mul, sub, true_div
from theano._core.ops.elementwise.transcendental import sqrt

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable

NORMS = (None, "ortho", "no_norm")


def _check_norm(norm: str | None) -> None:
    if norm not in NORMS:
        raise ValueError(f"Invalid value {norm} for norm, must be None, 'ortho' or 'no_norm'")


def _divided(x: Variable, count: TensorLike) -> Any:
    """Return transforms divided by the root of a number of items."""
    return true_div(x, sqrt(cast(as_tensor_variable(as_int64(count)), x.type.dtype)))


def rfft(inp: TensorLike, norm: str | None = None) -> TensorVariable:
    """Return the Fourier transform of real arrays.

    Parameters
    ----------
    inp : tensor, at least two axes
        The first axis counts the arrays.
    norm : {None, 'ortho', 'no_norm'}
        'ortho' divides by the square root of the number of items of an array.

    Returns
    -------
    TensorVariable, shape ``inp.shape[:-1] + (inp.shape[-1] // 2 + 1, 2)``
        The last axis holds real and imaginary parts; of the axis before it the half that says all.

    Raises
    ------
    TypeError
        Complex numbers, or fewer axes.

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.fft.rfft(x).eval({x: [[1.0, 0.0, 0.0, 0.0]]}).shape
    (1, 3, 2)
    """
    _check_norm(norm)
    out = ops.rfft(inp)
    if norm != "ortho":
        return out
    x = out.owner.inputs[0]
    return _divided(out, product([length(x, axis) for axis in range(1, x.type.ndim)]))


def irfft(inp: TensorLike, norm: str | None = None, is_odd: bool = False) -> TensorVariable:
    """Return the real arrays whose transform, as `rfft` gives it, is `inp`.

    Parameters
    ----------
    inp : tensor, at least three axes
        The first counts the arrays, the last holds real and imaginary parts.
    norm : {None, 'ortho', 'no_norm'}
        By default the result is divided by the number of items of an array, with 'ortho' by the
        square root of it, with 'no_norm' it is not.
    is_odd : bool
        Whether the last axis of the result has an odd length.

    Returns
    -------
    TensorVariable, shape ``inp.shape[:-2] + (2 * (inp.shape[-2] - 1) + is_odd,)``

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.fft.irfft(T.fft.rfft(x)).eval({x: [[1.0, 2.0, 3.0, 4.0]]})
    array([[1., 2., 3., 4.]])
    """
    _check_norm(norm)
    if is_odd not in (True, False):
        raise ValueError(f"Invalid value {is_odd} for is_odd, must be True or False")
    x = as_tensor_variable(inp)
    if x.type.ndim < 3:
        raise TypeError(f"irfft: input must have at least 3 axes, got {x.type}")
    half = length(x, x.type.ndim - 2)
    size = add(mul(sub(as_int64(half), 1), 2), int(is_odd))
    if norm != "ortho":
        return ops.IRFFT(divided=norm is None)(x, size)
    shape = [length(x, axis) for axis in range(1, x.type.ndim - 2)]
    return _divided(ops.irfft(x, size), product([*shape, size]))


def _transform(
    x: Variable, n: TensorLike | None, axis: int, norm: str | None, inverse: bool
) -> Any:
    if norm not in (None, "backward", "ortho", "forward"):
        raise ValueError(f"norm must be None, 'backward', 'ortho' or 'forward', got {norm!r}")
    single = x.type.dtype in ("float16", "float32", "complex64")
    n = length(x, axis) if n is None else n
    divided = (norm == "forward") is not inverse
    by = "root" if norm == "ortho" else "n" if divided else "1"
    return ops.DFT(axis, inverse, "complex64" if single else "complex128", by)(x, n)


def _one_axis(
    a: TensorLike, n: TensorLike | None, axis: TensorLike, norm: str | None, inverse: bool
) -> Any:
    x = as_tensor_variable(a)
    return _transform(x, n, axis_of("fft", x, axis), norm, inverse)


def _several_axes(a: TensorLike, s: Any, axes: Any, norm: str | None, inverse: bool) -> Any:
    x = as_tensor_variable(a)
    rank = x.type.ndim
    if axes is None:
        axes = range(rank) if s is None else range(rank - len(s), rank)
    axes = [axis_of("fft", x, axis) for axis in axes]
    sizes = [None] * len(axes) if s is None else list(s)
    if len(sizes) != len(axes):
        raise ValueError(f"{len(sizes)} lengths for {len(axes)} axes")
    for size, axis in zip(sizes, axes, strict=True):
        x = _transform(x, size, axis, norm, inverse)
    return x


def fft(
    a: TensorLike, n: TensorLike | None = None, axis: int = -1, norm: str | None = None
) -> TensorVariable:
    """Return the discrete Fourier transform along one axis.

    Parameters
    ----------
    a : tensor, at least one axis
    n : int or integer scalar, optional
        To how many items the axis is cut or filled with zeros first.
    axis : int
    norm : {None, 'backward', 'ortho', 'forward'}
        Where the division by `n` is done: in the inverse, by its root in both, or here.

    Returns
    -------
    TensorVariable, complex64 for items of up to 32 bits, else complex128

    Notes
    -----
    Computed in native code, with gradients of any order.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> abs(T.fft.fft(x)).eval({x: [1.0, 0.0]})
    array([1., 1.])
    """
    return _one_axis(a, n, axis, norm, False)


def ifft(
    a: TensorLike, n: TensorLike | None = None, axis: int = -1, norm: str | None = None
) -> TensorVariable:
    """Return the inverse of `fft`, with the same arguments.

    Parameters
    ----------
    a : tensor
    n : int, optional
        Length along `axis`.
    axis : int
    norm : str, optional

    Returns
    -------
    tensor, complex

    Examples
    --------
    >>> x = T.dvector("x")
    >>> abs(T.fft.ifft(T.fft.fft(x))).eval({x: [1.0, 2.0]})
    array([1., 2.])
    """
    return _one_axis(a, n, axis, norm, True)


def fftn(
    a: TensorLike,
    s: Sequence[object] | None = None,
    axes: Sequence[int] | None = None,
    norm: Any = None,
) -> TensorVariable:
    """Return the discrete Fourier transform along several axes.

    Parameters
    ----------
    a : tensor
    s : sequence of int or integer scalars, optional
        To how many items each axis is cut or filled with zeros first.
    axes : sequence of int, optional
        By default all, or as many of the last as `s` has items.
    norm : {None, 'backward', 'ortho', 'forward'}
        As for `fft`.

    Returns
    -------
    tensor, complex

    Examples
    --------
    >>> x = T.dtensor3("x")
    >>> T.fft.fftn(x).eval({x: np.ones((2, 3, 4))}).shape
    (2, 3, 4)
    """
    return _several_axes(a, s, axes, norm, False)


def ifftn(
    a: TensorLike,
    s: Sequence[object] | None = None,
    axes: Sequence[int] | None = None,
    norm: Any = None,
) -> TensorVariable:
    """Return the inverse of `fftn`, with the same arguments.

    Parameters
    ----------
    a : tensor
    s : tuple of int, optional
        Lengths along `axes`.
    axes : tuple of int, optional
    norm : str, optional

    Returns
    -------
    tensor, complex

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> abs(T.fft.ifftn(T.fft.fftn(x))).eval({x: [[1.0, 2.0]]})
    array([[1., 2.]])
    """
    return _several_axes(a, s, axes, norm, True)


def fft2(
    a: TensorLike,
    s: Sequence[object] | None = None,
    axes: Sequence[int] = (-2, -1),
    norm: Any = None,
) -> TensorVariable:
    """Return the discrete Fourier transform along two axes; arguments as for `fftn`.

    Parameters
    ----------
    a : tensor
    s : tuple of int, optional
        Lengths along `axes`.
    axes : tuple of int, optional
    norm : str, optional

    Returns
    -------
    tensor, complex

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> abs(T.fft.fft2(x)).eval({x: [[1.0, 0.0], [0.0, 0.0]]})
    array([[1., 1.],
           [1., 1.]])
    """
    return _several_axes(a, s, axes, norm, False)


def ifft2(
    a: TensorLike,
    s: Sequence[object] | None = None,
    axes: Sequence[int] = (-2, -1),
    norm: Any = None,
) -> TensorVariable:
    """Return the inverse of `fft2`, with the same arguments.

    Parameters
    ----------
    a : tensor
    s : tuple of int, optional
        Lengths along `axes`.
    axes : tuple of int, optional
    norm : str, optional

    Returns
    -------
    tensor, complex

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> abs(T.fft.ifft2(T.fft.fft2(x))).eval({x: [[1.0, 2.0], [3.0, 4.0]]})
    array([[1., 2.],
           [3., 4.]])
    """
    return _several_axes(a, s, axes, norm, True)


def fourier_fft(a: TensorLike, n: TensorLike, axis: TensorLike) -> TensorVariable:
    """Return the discrete Fourier transform along one axis; `theano.tensor.fourier.fft`.

    Parameters
    ----------
    a : tensor, at least one axis
    n : positive int or integer scalar, or None
        To how many items the axis is cut or filled with zeros first.
    axis : int or integer scalar, or None
        By default the last one.

    Returns
    -------
    TensorVariable, complex128

    Raises
    ------
    TypeError
        A scalar, an axis that does not exist, or a length that is not a positive integer.
    ValueError
        When the function is called: there is no such axis.
    """
    symbols = [v for v in (n, axis) if isinstance(v, Variable)]

    def transformed(x: Variable, *inner: Variable) -> Any:
        rest = iter(inner)
        return _fourier_fft(x, *(next(rest) if isinstance(v, Variable) else v for v in (n, axis)))

    return whole("Fourier", transformed, [as_tensor_variable(a), *symbols])


def _fourier_fft(x: Variable, n: TensorLike, axis: TensorLike) -> Any:
    if x.type.ndim < 1:
        raise TypeError("Fourier: input must be an array, not a scalar")
    if to_be_known(axis):
        x = unbroadcast(x, *range(x.type.ndim))
        return along_unknown("fft", x, axis, lambda at: lambda v: _fourier_fft(v, n, at))
    at = x.type.ndim - 1 if axis is None else python_int(as_tensor_variable(axis))
    if at is None or not 0 <= at < x.type.ndim:
        raise TypeError(
            "Fourier: index of the transformed axis must be a scalar not smaller than 0 and "
            f"smaller than dimension of array, got {axis} for {x.type}"
        )
    size = as_tensor_variable(as_int64(length(x, at)) if n is None else n)
    transform_length = python_int(size)
    if (
        not dtypes.is_discrete(size.type.dtype)
        or size.type.ndim
        or (transform_length or 1) < 1
        or transform_length == 0
    ):
        raise TypeError(
            f"Fourier: length of the transformed axis must be a strictly positive integer, got {n}"
        )
    return ops.DFT(at, False, "complex128")(x, size)
