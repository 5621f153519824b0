"""Python's operators on tensor variables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from theano._core.api.array import elementwise, products, shaping
from theano._core.api.array.indexing import get_item
from theano._core.ir.text import label
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.shaping import first_length
from theano._core.ops.elementwise import arithmetic as a
from theano._core.ops.elementwise.operators import ElementwiseOperators, binary

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike, TensorVariable


def _no_number(variable: Any, kind: str) -> TypeError:
    return TypeError(
        f"{label(variable)} is a variable of {variable.type} and cannot be {kind} here: it has no "
        "value before a function runs. Functions of theano.tensor take variables; "
        "variable.eval({...}) gives a value."
    )


class LengthError(TypeError, AttributeError):
    """What `len` of a variable raises."""

    # As users know it.
    __module__, __qualname__ = "builtins", "TypeError"


class NoLength:
    """`__len__` of variables: it says what to write, and yet variables have no such attribute.

    Programs ask for it with `hasattr` to tell lists from variables, which AttributeError denies;
    `len` shows the error as it is.
    """

    def __get__(self, variable: Any, cls: type) -> Any:
        if variable is None:
            raise AttributeError("__len__")
        text = label(variable)
        raise LengthError(
            f"{text} has no len(): it is a variable, which has no items before a function runs. "
            f"{text}.shape[0] is the length of its first axis, {text}.ndim the number of its axes."
        )


class Operators(ElementwiseOperators):
    """Operators of tensor variables, with NumPy's meaning; `==` and `!=` compare identity."""

    __divmod__ = binary(elementwise.divmod, "Floor of the quotient, and remainder.")
    __rdivmod__ = binary(elementwise.divmod, "Floor of the quotient, and remainder.", reverse=True)
    __matmul__ = binary(products.matmul, "Matrix product, as NumPy's `@`.")
    __rmatmul__ = binary(products.matmul, "Matrix product, as NumPy's `@`.", reverse=True)
    __div__ = binary(elementwise.div_proxy, "Python 2's quotient: see `config.int_division`.")
    __rdiv__ = binary(elementwise.div_proxy, "Python 2's quotient.", reverse=True)

    def __ceil__(self) -> Any:
        return a.ceil(self)

    def __floor__(self) -> Any:
        return a.floor(self)

    def __trunc__(self) -> Any:
        return a.trunc(self)

    def __dot__(self, other: TensorLike) -> Any:
        return products.dot(self, other)

    def __rdot__(self, other: TensorLike) -> Any:
        return products.dot(other, self)

    def __array_ufunc__(
        self, ufunc: object, method: str, *inputs: TensorLike, **kwargs: object
    ) -> Any:
        # Loaded when first asked for: programs that use `theano.tensor` alone never do.
        from theano._core.api.variable.numpy_functions import call_ufunc

        return call_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(
        self, function: object, types: Sequence[type], args: Any, kwargs: Any
    ) -> Any:
        from theano._core.api.variable.numpy_functions import call_function

        return call_function(function, args, kwargs)

    def __array__(self, dtype: object = None, copy: TensorLike | None = None) -> Any:
        from theano._core.api.variable.numpy_functions import held

        return held(self, dtype)

    def __getitem__(self, key: object) -> TensorVariable:
        return get_item(self, key)

    def __setitem__(self, key: object, value: object) -> None:
        raise TypeError(
            f"'{type(self).__name__}' object does not support item assignment: an expression never "
            "changes. A new one is theano.tensor.set_subtensor(x[...], value), or inc_subtensor."
        )

    def __delitem__(self, key: object) -> None:
        raise TypeError(
            f"'{type(self).__name__}' object does not support item deletion: an expression never "
            "changes. theano.tensor.concatenate([x[:i], x[i + 1:]]) leaves an item out."
        )

    def __float__(self) -> float:
        raise _no_number(self, "float")

    def __int__(self) -> int:
        raise _no_number(self, "int")

    def __format__(self, spec: str) -> str:
        if spec:
            raise _no_number(self, f"written as {spec!r}")
        return str(self)

    def __complex__(self) -> complex:
        raise _no_number(self, "complex")

    def __index__(self) -> int:
        raise _no_number(self, "an integer")

    if not TYPE_CHECKING:
        __len__ = NoLength()

    def __iter__(self) -> Iterator[Any]:
        try:
            count = shaping.get_vector_length(self)
        except ValueError as error:
            raise ValueError(
                f"length not known: {self}. A variable has no items before a function runs, so "
                "that Python cannot walk over them: theano.scan does, and x[0], x[1] are items."
            ) from error
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
    def T(self) -> TensorVariable:
        """The tensor with its axes reversed."""
        return shaping.transpose(self)

    @property
    def shape(self) -> TensorVariable:
        """Lengths of the axes, an int64 vector."""
        return shaping.shape(self)

    @shape.setter
    def shape(self, lengths: object) -> None:
        raise AttributeError(
            f"the shape of an expression never changes: x.reshape({lengths!r}) is a new one"
        )

    @property
    def size(self) -> TensorVariable:
        """Number of items, an int64 scalar."""
        size: Any = as_int64(shaping.size_of(self))
        return size

    @property
    def real(self) -> TensorVariable:
        """Real part."""
        return a.real(self)

    @property
    def imag(self) -> TensorVariable:
        """Imaginary part."""
        return a.imag(self)
