"""Methods of tensor variables: the functions of `theano.tensor` in another form."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from theano._core.api import conversion
from theano._core.api.array import (
    creation,
    elementwise,
    extra_ops,
    indexing,
    joining,
    products,
    reductions,
    shaping,
    sorting,
)
from theano._core.api.array.indexing import take
from theano._core.api.variable.operators import Operators
from theano._core.api.viewer.show import show
from theano._core.base.near_misses import explain_methods
from theano._core.compile.described import variable_html, variable_svg
from theano._core.ops.core.dimshuffle import DimShuffle
from theano._core.ops.core.op import Op
from theano._core.ops.elementwise import arithmetic as a, transcendental as t
from theano._core.ops.elementwise.elementwise import conj as conj_

if TYPE_CHECKING:
    from theano._core.ir.annotations import Axes, TensorLike, TensorVariable


def _unary(op: Op) -> Callable[[Any], TensorVariable]:
    def method(self: Any) -> Any:
        return op(self)

    method.__name__ = getattr(op, "name", "")
    method.__doc__ = op.__doc__
    return method


class Methods(Operators):
    """Methods of tensor variables. Arguments are those of the functions of the same name."""

    type: Any

    exp = _unary(t.exp)
    exp2 = _unary(t.exp2)
    expm1 = _unary(t.expm1)
    log = _unary(t.log)
    log2 = _unary(t.log2)
    log10 = _unary(t.log10)
    log1p = _unary(t.log1p)
    sqrt = _unary(t.sqrt)
    sin = _unary(t.sin)
    cos = _unary(t.cos)
    tan = _unary(t.tan)
    sinh = _unary(t.sinh)
    cosh = _unary(t.cosh)
    tanh = _unary(t.tanh)
    arcsin = _unary(t.arcsin)
    arccos = _unary(t.arccos)
    arctan = _unary(t.arctan)
    arcsinh = _unary(t.arcsinh)
    arccosh = _unary(t.arccosh)
    arctanh = _unary(t.arctanh)
    deg2rad = _unary(t.deg2rad)
    rad2deg = _unary(t.rad2deg)
    ceil = _unary(a.ceil)
    floor = _unary(a.floor)
    trunc = _unary(a.trunc)
    conj = _unary(conj_)
    conjugate = _unary(conj_)

    def _repr_html_(self) -> str:
        return variable_html(self)

    def _repr_svg_(self) -> str | None:
        return variable_svg(self)

    def show(self, outfile: str | None = None, open: bool = True) -> str:
        """Write a page that shows the graph of the variable, and open it in a browser.

        Parameters
        ----------
        outfile : str, optional
            By default a file in the folder for temporary files.
        open : bool
            Whether to open it.

        Returns
        -------
        str
            The path of the page.
        """
        return show(self, outfile, open=open)

    def reshape(self, shape: TensorLike, *more: Any, ndim: int | None = None) -> TensorVariable:
        """Return the tensor with other lengths, items in C order.

        Parameters
        ----------
        shape : sequence of int, or int64 vector
        *more
            Theano's second argument `ndim`, if `shape` is a sequence or this is 1; or further
            lengths, as NumPy has them: ``x.reshape(2, 3)``.
        ndim : int, optional
            Number of lengths, where `shape` does not tell.
        """
        several = isinstance(shape, (list, tuple)) or getattr(shape, "ndim", 0) == 1
        if len(more) == 1 and (several or more[0] == 1):
            (ndim,) = more
        elif more:
            shape = (shape, *more)
        return shaping.reshape(self, shape, ndim)

    def dimshuffle(self, *pattern: object) -> TensorVariable:
        """Return the tensor with its axes reordered.

        Parameters
        ----------
        *pattern : int or 'x', or one sequence of them
            An int is an axis of this tensor, 'x' a new broadcastable one. Axes left out must be
            broadcastable.
        """
        if len(pattern) == 1 and isinstance(pattern[0], (list, tuple)):
            pattern = tuple(pattern[0])
        return DimShuffle(self.type.broadcastable, pattern)(self)

    def transpose(self, *axes: object) -> TensorVariable:
        """Return the tensor with its axes reordered, by default reversed."""
        if not axes:
            return shaping.transpose(self)
        if len(axes) == 1 and isinstance(axes[0], (list, tuple)):
            axes = tuple(axes[0])
        return shaping.transpose(self, axes)

    def swapaxes(self, axis1: int, axis2: int) -> TensorVariable:
        """Return the tensor with two axes exchanged."""
        return shaping.swapaxes(self, axis1, axis2)

    def flatten(self, ndim: int = 1) -> TensorVariable:
        """Return the tensor with `ndim` axes, the last ones joined."""
        return shaping.flatten(self, ndim)

    def ravel(self) -> TensorVariable:
        """Return the items as a vector."""
        return shaping.flatten(self)

    def squeeze(self) -> TensorVariable:
        """Return the tensor without its broadcastable axes."""
        return shaping.squeeze(self)

    def sum(
        self,
        axis: TensorLike | None = None,
        dtype: str | None = None,
        keepdims: bool = False,
        acc_dtype: str | None = None,
    ) -> TensorVariable:
        """Return the sum over axes."""
        return reductions.sum(self, axis, dtype, keepdims, acc_dtype)

    def prod(
        self,
        axis: Axes = None,
        dtype: str | None = None,
        keepdims: bool = False,
        acc_dtype: str | None = None,
    ) -> TensorVariable:
        """Return the product over axes."""
        return reductions.prod(self, axis, dtype, keepdims, acc_dtype)

    def mean(
        self,
        axis: TensorLike | None = None,
        dtype: str | None = None,
        keepdims: bool = False,
        acc_dtype: str | None = None,
    ) -> TensorVariable:
        """Return the mean over axes."""
        return reductions.mean(self, axis, dtype, False, keepdims, acc_dtype)

    def var(
        self,
        axis: TensorLike | None = None,
        ddof: int = 0,
        keepdims: bool = False,
        corrected: bool = False,
    ) -> TensorVariable:
        """Return the variance over axes."""
        return reductions.var(self, axis, ddof, keepdims, corrected)

    def std(
        self, axis: Axes = None, ddof: int = 0, keepdims: bool = False, corrected: bool = False
    ) -> TensorVariable:
        """Return the standard deviation over axes."""
        return reductions.std(self, axis, ddof, keepdims, corrected)

    def min(self, axis: Axes = None, keepdims: bool = False) -> TensorVariable:
        """Return the smallest item over axes."""
        return reductions.min(self, axis, keepdims)

    def max(self, axis: TensorLike | None = None, keepdims: bool = False) -> TensorVariable:
        """Return the largest item over axes."""
        return reductions.max(self, axis, keepdims)

    def argmin(self, axis: TensorLike | None = None, keepdims: bool = False) -> TensorVariable:
        """Return the position of the smallest item over axes."""
        return reductions.argmin(self, axis, keepdims)

    def argmax(self, axis: Axes = None, keepdims: bool = False) -> TensorVariable:
        """Return the position of the largest item over axes."""
        return reductions.argmax(self, axis, keepdims)

    def any(self, axis: Axes = None, keepdims: bool = False) -> TensorVariable:
        """Return whether any item over axes is not zero."""
        return reductions.any(self, axis, keepdims)

    def all(self, axis: Axes = None, keepdims: bool = False) -> TensorVariable:
        """Return whether all items over axes are not zero."""
        return reductions.all(self, axis, keepdims)

    def ptp(self, axis: Axes = None) -> TensorVariable:
        """Return the largest less the smallest item over axes."""
        return reductions.ptp(self, axis)

    def norm(
        self, L: float, axis: TensorLike | None = None, keepdims: bool = False
    ) -> TensorVariable:
        """Return the `L`-norm over axes."""
        return reductions.norm(self, L, axis, keepdims)

    def dot(self, right: TensorLike) -> TensorVariable:
        """Return the product with `right`, summed over neighbouring axes."""
        return products.dot(self, right)

    def trace(self) -> TensorVariable:
        """Return the sum of the main diagonal of a matrix."""
        return products.trace(self)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> TensorVariable:
        """Return the items on a diagonal."""
        return products.diagonal(self, offset, axis1, axis2)

    def astype(self, dtype: str) -> TensorVariable:
        """Return the tensor converted to `dtype`."""
        return conversion.cast(self, dtype)

    def copy(self, name: str | None = None) -> TensorVariable:
        """Return a variable of its own with the same value."""
        fresh = elementwise.identity_copy(self)
        fresh.name = name
        return fresh

    def clip(
        self, a_min: TensorLike | None = None, a_max: TensorLike | None = None
    ) -> TensorVariable:
        """Return the items held between two bounds, None for no bound."""
        return elementwise.clipped(self, a_min, a_max)

    def fill(self, value: object) -> TensorVariable:
        """Return `value` in the shape of this tensor."""
        return creation.fill(self, value)

    def repeat(self, repeats: TensorLike, axis: int | None = None) -> TensorVariable:
        """Return the tensor with each item repeated."""
        return joining.repeat(self, repeats, axis)

    def round(self, mode: str | None = None) -> TensorVariable:
        """Return the items rounded to integers, in their own dtype."""
        return elementwise.round(self, mode)

    def take(
        self, indices: TensorLike, axis: int | None = None, mode: str = "raise"
    ) -> TensorVariable:
        """Return the items at `indices` along `axis`."""
        return take(self, indices, axis, mode)

    def sort(
        self, axis: TensorLike = -1, kind: str = "quicksort", order: Any = None
    ) -> TensorVariable:
        """Return the tensor with its items along `axis` in rising order."""
        return sorting.sort(self, axis, kind, order)

    def argsort(
        self, axis: TensorLike = -1, kind: str = "quicksort", order: TensorLike | None = None
    ) -> TensorVariable:
        """Return the positions along `axis` that sort the tensor."""
        return sorting.argsort(self, axis, kind, order)

    def searchsorted(
        self, v: TensorLike, side: str = "left", sorter: TensorLike | None = None
    ) -> TensorVariable:
        """Return where the items of `v` belong in this sorted vector."""
        return sorting.searchsorted(self, v, side, sorter)

    def cumsum(self, axis: int | None = None) -> TensorVariable:
        """Return the sums along `axis` up to each position."""
        return extra_ops.cumsum(self, axis)

    def cumprod(self, axis: int | None = None) -> TensorVariable:
        """Return the products along `axis` up to each position."""
        return extra_ops.cumprod(self, axis)

    def choose(
        self, choices: Any, out: TensorLike | None = None, mode: str = "raise"
    ) -> TensorVariable:
        """Return items of the arrays whose numbers this tensor holds."""
        return extra_ops.choose(self, choices, out, mode)

    def compress(self, a: TensorLike, axis: int | None = None) -> TensorVariable:
        """Return the parts of `a` where this vector holds."""
        return extra_ops.compress(self, a, axis)

    def nonzero(self, return_matrix: bool = False) -> Any:
        """Return where the items are not zero."""
        return indexing.nonzero(self, return_matrix)

    def nonzero_values(self) -> TensorVariable:
        """Return the items that are not zero."""
        return indexing.nonzero_values(self)

    def zeros_like(self, dtype: str | None = None) -> TensorVariable:
        """Return zeros in the shape of this tensor."""
        return creation.zeros_like(self, dtype)

    def ones_like(self, dtype: str | None = None) -> TensorVariable:
        """Return ones in the shape of this tensor."""
        return creation.ones_like(self, dtype)

    def get_scalar_constant_value(self) -> Any:
        """Return the number that this variable certainly is."""
        return conversion.get_scalar_constant_value(self)

    def transfer(self, target: str) -> Any:
        """Return the variable on the device `target`; all live on 'cpu' here."""
        if target != "cpu":
            raise ValueError(f"Can't transfer to target {target}: only 'cpu' is known")
        return self


explain_methods(Methods)
