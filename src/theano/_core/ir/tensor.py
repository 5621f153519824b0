"""Tensors: variables with Python's operators and NumPy's methods.

They stand below the operations, so that formulas of these read as in a book. What an operator or a
method makes is an operation all the same: `above` has the modules of the functions that it calls.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from theano._core.base.errors import AsTensorError, ComplexError
from theano._core.base.near_misses import explain_methods
from theano._core.base.settings import config
from theano._core.ir import hooks
from theano._core.ir.no_value import NoValue
from theano._core.ir.variable import Constant, Type, Variable

if TYPE_CHECKING:
    from theano._core.ir.annotations import Axes, TensorLike

Operator: TypeAlias = Callable[..., "TensorVariable"]

above = hooks.above.value


def _unary(function: str) -> Callable[[Any], TensorVariable]:
    find, name = attrgetter(function), function.rpartition(".")[2]

    def method(self: Any) -> Any:
        return find(above)(self)

    method.__name__ = name
    method.__doc__ = f"Return `theano.tensor.{name}` of each item."
    return method


def _binary(function: str, doc: str, reverse: bool = False) -> Operator:
    """Return an operator that leaves what it does not know to the other operand."""
    find = attrgetter(function)

    def method(self: Any, other: TensorLike) -> Any:
        # Operands that are no tensors, such as sparse matrices, have their own operators.
        try:
            if type(other) is not type(self):
                variable: Variable = above.op.as_variable(other)
                if not issubclass(variable.type.variable_class, Methods):
                    return NotImplemented
                other = variable
            return find(above)(other, self) if reverse else find(above)(self, other)
        except ComplexError:
            raise
        except (NotImplementedError, AsTensorError):
            return NotImplemented

    method.__doc__ = doc
    return method


def _strict(function: str, doc: str, reverse: bool = False) -> Operator:
    find = attrgetter(function)

    def method(self: Any, other: Variable) -> Any:
        return find(above)(other, self) if reverse else find(above)(self, other)

    method.__doc__ = doc
    return method


def _comparison(function: str, doc: str) -> Operator:
    find = attrgetter(function)

    def method(self: Any, other: TensorLike) -> Any:
        result = find(above)(self, other)
        # `a < b < c` asks for the truth of `a < b`, which does not exist.
        result._truth = None
        return result

    method.__doc__ = doc
    return method


class _Ufuncs:
    """What NumPy's functions of items ask for: on the class, what they call.

    A variable itself has None, which says that operators wait for those of the variable. Masked
    arrays ask the variable, and would compute with what is under the mask by functions of arrays.
    """

    def __get__(self, variable: Any, owner: Any) -> Any:
        return _call_ufunc if variable is None else None


def _call_ufunc(
    self: Any, ufunc: object, method: str, *inputs: TensorLike, **kwargs: object
) -> Any:
    return above.numpy_functions.call_ufunc(ufunc, method, inputs, kwargs)


class Methods(NoValue):
    """Operators and methods of tensors, with NumPy's meaning; `==` and `!=` compare identity.

    Arguments of methods are those of the functions of the same name.
    """

    type: Any
    __array_priority__ = 1000

    __add__: Operator = _binary("arithmetic.add", "Sum.")
    __radd__: Operator = _binary("arithmetic.add", "Sum.", reverse=True)
    __sub__: Operator = _binary("arithmetic.sub", "Difference.")
    __rsub__: Operator = _binary("arithmetic.sub", "Difference.", reverse=True)
    __mul__: Operator = _binary("arithmetic.mul", "Product.")
    __rmul__: Operator = _binary("arithmetic.mul", "Product.", reverse=True)
    __truediv__: Operator = _binary("arithmetic.true_div", "Quotient; integers give a float.")
    __rtruediv__: Operator = _binary(
        "arithmetic.true_div", "Quotient; integers give a float.", reverse=True
    )
    __floordiv__: Operator = _binary("arithmetic.int_div", "Floor of the quotient.")
    __rfloordiv__: Operator = _binary("arithmetic.int_div", "Floor of the quotient.", reverse=True)
    __mod__: Operator = _binary("arithmetic.mod", "Remainder.")
    __rmod__: Operator = _binary("arithmetic.mod", "Remainder.", reverse=True)
    __pow__: Operator = _binary("transcendental.pow", "Power.")
    __rpow__: Operator = _binary("transcendental.pow", "Power.", reverse=True)
    __divmod__: Operator = _binary("elementwise.divmod", "Floor of the quotient, and remainder.")
    __rdivmod__: Operator = _binary(
        "elementwise.divmod", "Floor of the quotient, and remainder.", reverse=True
    )
    __matmul__: Operator = _binary("products.matmul", "Matrix product, as NumPy's `@`.")
    __rmatmul__: Operator = _binary(
        "products.matmul", "Matrix product, as NumPy's `@`.", reverse=True
    )
    __div__: Operator = _binary(
        "elementwise.div_proxy", "Python 2's quotient: see `config.int_division`."
    )
    __rdiv__: Operator = _binary("elementwise.div_proxy", "Python 2's quotient.", reverse=True)

    __and__: Operator = _strict("arithmetic.and_", "Bitwise and.")
    __rand__: Operator = _strict("arithmetic.and_", "Bitwise and.", reverse=True)
    __or__: Operator = _strict("arithmetic.or_", "Bitwise or.")
    __ror__: Operator = _strict("arithmetic.or_", "Bitwise or.", reverse=True)
    __xor__: Operator = _strict("arithmetic.xor", "Bitwise exclusive or.")
    __rxor__: Operator = _strict("arithmetic.xor", "Bitwise exclusive or.", reverse=True)

    __lt__: Operator = _comparison("arithmetic.lt", "Whether items are smaller.")
    __le__: Operator = _comparison("arithmetic.le", "Whether items are smaller or equal.")
    __gt__: Operator = _comparison("arithmetic.gt", "Whether items are larger.")
    __ge__: Operator = _comparison("arithmetic.ge", "Whether items are larger or equal.")

    def __abs__(self) -> TensorVariable:
        return above.arithmetic.abs_(self)

    def __neg__(self) -> TensorVariable:
        return above.arithmetic.neg(self)

    def __pos__(self) -> Any:
        return self

    def __invert__(self) -> TensorVariable:
        return above.arithmetic.invert(self)

    def __ceil__(self) -> Any:
        return above.arithmetic.ceil(self)

    def __floor__(self) -> Any:
        return above.arithmetic.floor(self)

    def __trunc__(self) -> Any:
        return above.arithmetic.trunc(self)

    def __dot__(self, other: TensorLike) -> Any:
        return above.products.dot(self, other)

    def __rdot__(self, other: TensorLike) -> Any:
        return above.products.dot(other, self)

    __array_ufunc__ = _Ufuncs()

    def __array_function__(
        self, function: object, types: Sequence[type], args: Any, kwargs: Any
    ) -> Any:
        return above.numpy_functions.call_function(function, args, kwargs)

    def __array__(self, dtype: object = None, copy: TensorLike | None = None) -> Any:
        return above.numpy_functions.held(self, dtype)

    def __getitem__(self, key: object) -> TensorVariable:
        return above.indexing.get_item(self, key)

    def __iter__(self) -> Iterator[Any]:
        return above.shaping.items(self)

    @property
    def T(self) -> TensorVariable:
        """The tensor with its axes reversed."""
        return above.shaping.transpose(self)

    @property
    def shape(self) -> TensorVariable:
        """Lengths of the axes, an int64 vector."""
        return above.shaping.shape(self)

    @shape.setter
    def shape(self, lengths: object) -> None:
        raise AttributeError(
            f"the shape of an expression never changes: x.reshape({lengths!r}) is a new one"
        )

    @property
    def size(self) -> TensorVariable:
        """Number of items, an int64 scalar."""
        return above.shaping.size_of(self)

    @property
    def real(self) -> TensorVariable:
        """Real part."""
        return above.arithmetic.real(self)

    @property
    def imag(self) -> TensorVariable:
        """Imaginary part."""
        return above.arithmetic.imag(self)

    exp = _unary("transcendental.exp")
    exp2 = _unary("transcendental.exp2")
    expm1 = _unary("transcendental.expm1")
    log = _unary("transcendental.log")
    log2 = _unary("transcendental.log2")
    log10 = _unary("transcendental.log10")
    log1p = _unary("transcendental.log1p")
    sqrt = _unary("transcendental.sqrt")
    sin = _unary("transcendental.sin")
    cos = _unary("transcendental.cos")
    tan = _unary("transcendental.tan")
    sinh = _unary("transcendental.sinh")
    cosh = _unary("transcendental.cosh")
    tanh = _unary("transcendental.tanh")
    arcsin = _unary("transcendental.arcsin")
    arccos = _unary("transcendental.arccos")
    arctan = _unary("transcendental.arctan")
    arcsinh = _unary("transcendental.arcsinh")
    arccosh = _unary("transcendental.arccosh")
    arctanh = _unary("transcendental.arctanh")
    deg2rad = _unary("transcendental.deg2rad")
    rad2deg = _unary("transcendental.rad2deg")
    ceil = _unary("arithmetic.ceil")
    floor = _unary("arithmetic.floor")
    trunc = _unary("arithmetic.trunc")
    conj = _unary("elementwise_op.conj")
    conjugate = _unary("elementwise_op.conj")

    def _repr_html_(self) -> str:
        return above.described.variable_html(self)

    def _repr_svg_(self) -> str | None:
        return above.described.variable_svg(self)

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
        return above.show.show(self, outfile, open=open)

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
        return above.shaping.reshape(self, shape, ndim)

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
        return above.dimshuffle.DimShuffle(self.type.broadcastable, pattern)(self)

    def transpose(self, *axes: object) -> TensorVariable:
        """Return the tensor with its axes reordered, by default reversed."""
        if not axes:
            return above.shaping.transpose(self)
        if len(axes) == 1 and isinstance(axes[0], (list, tuple, range)):
            axes = tuple(axes[0])
        return above.shaping.transpose(self, axes)

    def swapaxes(self, axis1: int, axis2: int) -> TensorVariable:
        """Return the tensor with two axes exchanged."""
        return above.shaping.swapaxes(self, axis1, axis2)

    def flatten(self, ndim: int = 1) -> TensorVariable:
        """Return the tensor with `ndim` axes, the last ones joined."""
        return above.shaping.flatten(self, ndim)

    def ravel(self) -> TensorVariable:
        """Return the items as a vector."""
        return above.shaping.flatten(self)

    def squeeze(self) -> TensorVariable:
        """Return the tensor without its broadcastable axes."""
        return above.shaping.squeeze(self)

    def sum(
        self,
        axis: TensorLike | None = None,
        dtype: str | None = None,
        keepdims: bool = False,
        acc_dtype: str | None = None,
    ) -> TensorVariable:
        """Return the sum over axes."""
        return above.reductions.sum(self, axis, dtype, keepdims, acc_dtype)

    def prod(
        self,
        axis: Axes = None,
        dtype: str | None = None,
        keepdims: bool = False,
        acc_dtype: str | None = None,
    ) -> TensorVariable:
        """Return the product over axes."""
        return above.reductions.prod(self, axis, dtype, keepdims, acc_dtype)

    def mean(
        self,
        axis: TensorLike | None = None,
        dtype: str | None = None,
        keepdims: bool = False,
        acc_dtype: str | None = None,
    ) -> TensorVariable:
        """Return the mean over axes."""
        return above.reductions.mean(self, axis, dtype, False, keepdims, acc_dtype)

    def var(
        self,
        axis: TensorLike | None = None,
        ddof: int = 0,
        keepdims: bool = False,
        corrected: bool = False,
    ) -> TensorVariable:
        """Return the variance over axes."""
        return above.reductions.var(self, axis, ddof, keepdims, corrected)

    def std(
        self, axis: Axes = None, ddof: int = 0, keepdims: bool = False, corrected: bool = False
    ) -> TensorVariable:
        """Return the standard deviation over axes."""
        return above.reductions.std(self, axis, ddof, keepdims, corrected)

    def min(self, axis: Axes = None, keepdims: bool = False) -> TensorVariable:
        """Return the smallest item over axes."""
        return above.reductions.min(self, axis, keepdims)

    def max(self, axis: TensorLike | None = None, keepdims: bool = False) -> TensorVariable:
        """Return the largest item over axes."""
        return above.reductions.max(self, axis, keepdims)

    def argmin(self, axis: TensorLike | None = None, keepdims: bool = False) -> TensorVariable:
        """Return the position of the smallest item over axes."""
        return above.reductions.argmin(self, axis, keepdims)

    def argmax(self, axis: Axes = None, keepdims: bool = False) -> TensorVariable:
        """Return the position of the largest item over axes."""
        return above.reductions.argmax(self, axis, keepdims)

    def any(self, axis: Axes = None, keepdims: bool = False) -> TensorVariable:
        """Return whether any item over axes is not zero."""
        return above.reductions.any(self, axis, keepdims)

    def all(self, axis: Axes = None, keepdims: bool = False) -> TensorVariable:
        """Return whether all items over axes are not zero."""
        return above.reductions.all(self, axis, keepdims)

    def ptp(self, axis: Axes = None) -> TensorVariable:
        """Return the largest less the smallest item over axes."""
        return above.reductions.ptp(self, axis)

    def norm(
        self, L: float, axis: TensorLike | None = None, keepdims: bool = False
    ) -> TensorVariable:
        """Return the `L`-norm over axes."""
        return above.reductions.norm(self, L, axis, keepdims)

    def dot(self, right: TensorLike) -> TensorVariable:
        """Return the product with `right`, summed over neighbouring axes."""
        return above.products.dot(self, right)

    def trace(self) -> TensorVariable:
        """Return the sum of the main diagonal of a matrix."""
        return above.products.trace(self)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> TensorVariable:
        """Return the items on a diagonal."""
        return above.products.diagonal(self, offset, axis1, axis2)

    def astype(self, dtype: str) -> TensorVariable:
        """Return the tensor converted to `dtype`."""
        return above.conversion.cast(self, dtype)

    def copy(self, name: str | None = None) -> TensorVariable:
        """Return a variable of its own with the same value."""
        fresh = above.elementwise.identity_copy(self)
        fresh.name = name
        return fresh

    def clip(
        self, a_min: TensorLike | None = None, a_max: TensorLike | None = None
    ) -> TensorVariable:
        """Return the items held between two bounds, None for no bound."""
        return above.elementwise.clipped(self, a_min, a_max)

    def fill(self, value: object) -> TensorVariable:
        """Return `value` in the shape of this tensor."""
        return above.creation.fill(self, value)

    def repeat(self, repeats: TensorLike, axis: int | None = None) -> TensorVariable:
        """Return the tensor with each item repeated."""
        return above.joining.repeat(self, repeats, axis)

    def round(self, mode: str | None = None) -> TensorVariable:
        """Return the items rounded to integers, in their own dtype."""
        return above.elementwise.round(self, mode)

    def take(
        self, indices: TensorLike, axis: int | None = None, mode: str = "raise"
    ) -> TensorVariable:
        """Return the items at `indices` along `axis`."""
        return above.indexing.take(self, indices, axis, mode)

    def sort(
        self, axis: TensorLike = -1, kind: str = "quicksort", order: Any = None
    ) -> TensorVariable:
        """Return the tensor with its items along `axis` in rising order."""
        return above.sorting.sort(self, axis, kind, order)

    def argsort(
        self, axis: TensorLike = -1, kind: str = "quicksort", order: TensorLike | None = None
    ) -> TensorVariable:
        """Return the positions along `axis` that sort the tensor."""
        return above.sorting.argsort(self, axis, kind, order)

    def searchsorted(
        self, v: TensorLike, side: str = "left", sorter: TensorLike | None = None
    ) -> TensorVariable:
        """Return where the items of `v` belong in this sorted vector."""
        return above.sorting.searchsorted(self, v, side, sorter)

    def cumsum(self, axis: int | None = None) -> TensorVariable:
        """Return the sums along `axis` up to each position."""
        return above.extra_ops.cumsum(self, axis)

    def cumprod(self, axis: int | None = None) -> TensorVariable:
        """Return the products along `axis` up to each position."""
        return above.extra_ops.cumprod(self, axis)

    def choose(
        self, choices: Any, out: TensorLike | None = None, mode: str = "raise"
    ) -> TensorVariable:
        """Return items of the arrays whose numbers this tensor holds."""
        return above.extra_ops.choose(self, choices, out, mode)

    def compress(self, a: TensorLike, axis: int | None = None) -> TensorVariable:
        """Return the parts of `a` where this vector holds."""
        return above.extra_ops.compress(self, a, axis)

    def nonzero(self, return_matrix: bool = False) -> Any:
        """Return where the items are not zero."""
        return above.indexing.nonzero(self, return_matrix)

    def nonzero_values(self) -> TensorVariable:
        """Return the items that are not zero."""
        return above.indexing.nonzero_values(self)

    def zeros_like(self, dtype: str | None = None) -> TensorVariable:
        """Return zeros in the shape of this tensor."""
        return above.creation.zeros_like(self, dtype)

    def ones_like(self, dtype: str | None = None) -> TensorVariable:
        """Return ones in the shape of this tensor."""
        return above.creation.ones_like(self, dtype)

    def get_scalar_constant_value(self) -> Any:
        """Return the number that this variable certainly is."""
        return above.conversion.get_scalar_constant_value(self)

    def transfer(self, target: str) -> Any:
        """Return the variable on the device `target`; all live on 'cpu' here."""
        if target != "cpu":
            raise ValueError(f"Can't transfer to target {target}: only 'cpu' is known")
        return self


explain_methods(Methods)


class TensorVariable(Methods, Variable):
    """A symbolic array.

    Attributes
    ----------
    type : TensorType
    dtype : str
    broadcastable : tuple of bool
    ndim : int
    shape : TensorVariable, int64 vector
    """


class TensorConstant(Methods, Constant):
    """A symbolic array whose value is known."""

    def __init__(self, type: Type, data: TensorLike, name: str | None = None) -> None:
        data = np.asarray(data)
        if data.ndim != type.ndim or str(data.dtype) != type.dtype:
            data = type.filter(data)
        Constant.__init__(self, type, data, name)

    def equals(self, other: object) -> bool:
        """Tell whether `other` is an array, number or constant of the same type and value."""
        if isinstance(other, np.ndarray | int | float):
            other = above.conversion.constant(other)
        return Constant.equals(self, other)

    def __str__(self) -> str:
        # Shown graphs tell the number, not the name, as Theano 1.0.5's.
        data = self.data
        if data.ndim and data.size and bool(np.all(data == data.flat[0])):
            text = f"{data.shape} of {data.flat[0]!s}"
        else:
            text = str(data)
        if len(text) > 20:
            text = f"{text[:10]}..{text[-10:]}"
        return f"{type(self).__name__}{{{text}}}"


def _float64_made(variable: Variable) -> None:
    # What rewriting makes has no line of the user's.
    own = isinstance(variable, TensorVariable) and variable.source is not None
    if not own or variable.type.dtype != "float64":
        return
    message = (
        f"A float64 variable is made at {variable.source}, and config.warn_float64 is"
        f" {config.warn_float64!r}. Choose its dtype, or let config.floatX choose."
    )
    if config.warn_float64 == "raise":
        raise Exception(message)
    if config.warn_float64 == "pdb":
        breakpoint()
    else:
        warnings.warn(message, stacklevel=2)


def _watch_float64(action: str) -> None:
    observers = Variable.construction_observers
    if _float64_made in observers:
        observers.remove(_float64_made)
    if action != "ignore":
        observers.append(_float64_made)


config.watch("warn_float64", _watch_float64)
