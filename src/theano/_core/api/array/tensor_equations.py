"""Inverses and solutions of arrays of any rank, as maps between their first and last axes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from theano._core.api.conversion import as_tensor_variable
from theano._core.base.near_misses import explain_functions
from theano._core.ops.array import shaping
from theano._core.ops.array.dims import product
from theano._core.ops.control.inner_graph import Maker, WholeByName, whole
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.linalg.systems import matrix_inverse, solve

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable
    from theano._core.ir.variable import Variable


def tensorinv(a: TensorLike, ind: int = 2) -> TensorVariable:
    """Return the inverse of an array, as a map from its last axes to its first `ind`.

    Parameters
    ----------
    a : tensor
        The product of its first `ind` lengths is that of the others.
    ind : int
        Positive.

    Returns
    -------
    TensorVariable, shape ``a.shape[ind:] + a.shape[:ind]``

    Raises
    ------
    LinAlgError
        The array, as a matrix, is singular or not square.

    Examples
    --------
    >>> a = np.eye(4).reshape(2, 2, 4)
    >>> T.nlinalg.tensorinv(a).eval().shape
    (4, 2, 2)
    """
    return whole("TensorInv", partial(_tensorinv, ind), [as_tensor_variable(a)], ind=ind)


def _tensorinv(ind: int, a: Variable) -> Any:
    if ind <= 0:
        raise ValueError(f"Invalid ind argument: it must be positive, got {ind}.")
    shape = [shaping.length(a, axis) for axis in range(a.type.ndim)]
    flat = shaping.reshape_op(a, [product(shape[:ind]), product(shape[ind:])])
    return shaping.reshape_op(matrix_inverse(flat), shape[ind:] + shape[:ind])


def tensorsolve(a: TensorLike, b: TensorLike, axes: Sequence[int] | None = None) -> TensorVariable:
    """Return the x with ``tensordot(a, x, x.ndim) == b``.

    Parameters
    ----------
    a : tensor, shape ``b.shape + x.shape``
    b : tensor
    axes : sequence of int, optional
        Axes of `a` to move to its end first.

    Returns
    -------
    tensor

    Raises
    ------
    LinAlgError
        `a`, as a matrix, is singular or not square.

    Examples
    --------
    >>> a = 2 * np.eye(4).reshape(2, 2, 4)
    >>> T.nlinalg.tensorsolve(a, np.ones((2, 2))).eval()
    array([0.5, 0.5, 0.5, 0.5])
    """
    a, b = as_tensor_variable(a), as_tensor_variable(b)
    if axes is not None:
        moved = [shaping.axis_of("tensorsolve", a, axis) for axis in axes]
        kept = [axis for axis in range(a.type.ndim) if axis not in moved]
        a = dimshuffle(a, kept + moved)
    shape = [shaping.length(a, axis) for axis in range(a.type.ndim)]
    split = b.type.ndim
    flat = shaping.reshape_op(a, [product(shape[:split]), product(shape[split:])])
    return shaping.reshape_op(solve(flat, shaping.reshape_op(b, [-1])), shape[split:])


class TensorInv(Maker, metaclass=WholeByName):
    """`tensorinv` as an object: `TensorInv(ind)(a)`."""

    def __init__(self, ind: int = 2) -> None:
        self.ind = ind

    def __call__(self, a: TensorLike) -> Any:
        """Return the inverse."""
        return tensorinv(a, self.ind)


class TensorSolve(Maker):
    """`tensorsolve` as an object: `TensorSolve(axes)(a, b)`."""

    def __init__(self, axes: Sequence[int] | None = None) -> None:
        self.axes = axes

    def __call__(self, a: TensorLike, b: TensorLike) -> Any:
        """Return the solution."""
        return tensorsolve(a, b, self.axes)


explain_functions(globals())
