"""Python's operators on tensor variables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from theano._core.api import elementwise, products, shaping
from theano._core.api.indexing import get_item
from theano._core.base.errors import AsTensorError, ComplexError
from theano._core.ir.types import TensorType
from theano._core.ops import arithmetic as a
from theano._core.ops import transcendental as t
from theano._core.ops.lengths import as_int64
from theano._core.ops.op import as_variable
from theano._core.ops.shaping import first_length


def _binary(function: Callable[..., Any], doc: str, reverse: bool = False) -> Callable[..., Any]:
    def method(self: Any, other: Any) -> Any:
        # Operands that are no tensors, such as sparse matrices, have their own operators.
        try:
            other = as_variable(other)
            if not isinstance(other.type, TensorType):
                return NotImplemented
            return function(other, self) if reverse else function(self, other)
        except ComplexError:
            raise
        except (NotImplementedError, AsTensorError):
            return NotImplemented

    method.__doc__ = doc
    return method


def _strict(function: Callable[..., Any], doc: str, reverse: bool = False) -> Callable[..., Any]:
    def method(self: Any, other: Any) -> Any:
        return function(other, self) if reverse else function(self, other)

    method.__doc__ = doc
    return method


def _comparison(function: Callable[..., Any], doc: str) -> Callable[..., Any]:
    def method(self: Any, other: Any) -> Any:
        result = function(self, other)
        # `a < b < c` asks for the truth of `a < b`, which does not exist.
        result._truth = None
        return result

    method.__doc__ = doc
    return method


class Operators:
    """Operators of tensor variables, with NumPy's meaning; `==` and `!=` compare identity."""

    __array_priority__ = 1000
    # What `bool` says; None: it raises.
    _truth: bool | None = True

    __add__ = _binary(a.add, "Sum.")
    __radd__ = _binary(a.add, "Sum.", reverse=True)
    __sub__ = _binary(a.sub, "Difference.")
    __rsub__ = _binary(a.sub, "Difference.", reverse=True)
    __mul__ = _binary(a.mul, "Product.")
    __rmul__ = _binary(a.mul, "Product.", reverse=True)
    __truediv__ = _binary(a.true_div, "Quotient; integers give a float.")
    __rtruediv__ = _binary(a.true_div, "Quotient; integers give a float.", reverse=True)
    __floordiv__ = _binary(a.int_div, "Floor of the quotient.")
    __rfloordiv__ = _binary(a.int_div, "Floor of the quotient.", reverse=True)
    __mod__ = _binary(elementwise.mod_check, "Remainder.")
    __rmod__ = _binary(elementwise.mod_check, "Remainder.", reverse=True)
    __divmod__ = _binary(elementwise.divmod, "Floor of the quotient, and remainder.")
    __rdivmod__ = _binary(elementwise.divmod, "Floor of the quotient, and remainder.", reverse=True)
    __pow__ = _binary(t.pow, "Power.")
    __rpow__ = _binary(t.pow, "Power.", reverse=True)
    __matmul__ = _binary(products.matmul, "Matrix product, as NumPy's `@`.")
    __rmatmul__ = _binary(products.matmul, "Matrix product, as NumPy's `@`.", reverse=True)
    __div__ = _binary(elementwise.div_proxy, "Python 2's quotient: see `config.int_division`.")
    __rdiv__ = _binary(elementwise.div_proxy, "Python 2's quotient.", reverse=True)

    __and__ = _strict(a.and_, "Bitwise and.")
    __rand__ = _strict(a.and_, "Bitwise and.", reverse=True)
    __or__ = _strict(a.or_, "Bitwise or.")
    __ror__ = _strict(a.or_, "Bitwise or.", reverse=True)
    __xor__ = _strict(a.xor, "Bitwise exclusive or.")
    __rxor__ = _strict(a.xor, "Bitwise exclusive or.", reverse=True)

    __lt__ = _comparison(a.lt, "Whether items are smaller.")
    __le__ = _comparison(a.le, "Whether items are smaller or equal.")
    __gt__ = _comparison(a.gt, "Whether items are larger.")
    __ge__ = _comparison(a.ge, "Whether items are larger or equal.")

    def __abs__(self) -> Any:
        return a.abs_(self)

    def __neg__(self) -> Any:
        return a.neg(self)

    def __pos__(self) -> Any:
        return self

    def __invert__(self) -> Any:
        return a.invert(self)

    def __ceil__(self) -> Any:
        return a.ceil(self)

    def __floor__(self) -> Any:
        return a.floor(self)

    def __trunc__(self) -> Any:
        return a.trunc(self)

    def __dot__(self, other: Any) -> Any:
        return products.dot(self, other)

    def __rdot__(self, other: Any) -> Any:
        return products.dot(other, self)

    def __bool__(self) -> bool:
        if self._truth is not None:
            return self._truth
        raise TypeError(
            "Variables do not support boolean operations: the result of a comparison is known only "
            "when a function runs. theano.tensor.switch chooses between values, T.and_ and T.or_ "
            "join conditions."
        )

    __nonzero__ = __bool__

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        # Loaded when first asked for: programs that use `theano.tensor` alone never do.
        from theano._core.api.numpy_functions import call_ufunc

        return call_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from theano._core.api.numpy_functions import call_function

        return call_function(function, args, kwargs)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        from theano._core.api.numpy_functions import held

        return held(self, dtype)

    def __getitem__(self, key: Any) -> Any:
        return get_item(self, key)

    def __iter__(self) -> Iterator[Any]:
        try:
            count = shaping.get_vector_length(self)
        except TypeError:
            # sum(x) and max(x) of Python would walk over the items.
            count = first_length(self)
        if count is None:
            raise TypeError(
                "TensorType does not support iteration. Maybe you are using builtin.sum instead of "
                "theano.tensor.sum? (Maybe .max?)"
            )
        return (self[i] for i in range(count))

    @property
    def T(self) -> Any:
        """The tensor with its axes reversed."""
        return shaping.transpose(self)

    @property
    def shape(self) -> Any:
        """Lengths of the axes, an int64 vector."""
        return shaping.shape(self)

    @property
    def size(self) -> Any:
        """Number of items, an int64 scalar."""
        return as_int64(shaping.size_of(self))

    @property
    def real(self) -> Any:
        """Real part."""
        return a.real(self)

    @property
    def imag(self) -> Any:
        """Imaginary part."""
        return a.imag(self)
