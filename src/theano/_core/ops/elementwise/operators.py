"""Python's operators on tensors: those that are elementwise operations.

Formulas of the engine, such as gradients and rules, are written with them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from theano._core.base.errors import AsTensorError, ComplexError
from theano._core.ir.hooks import extend
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Constant, Variable
from theano._core.ops.core.op import as_variable
from theano._core.ops.elementwise import arithmetic as a
from theano._core.ops.elementwise.transcendental import pow

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike, TensorVariable


def binary(
    function: Callable[..., object], doc: str, reverse: bool = False
) -> Callable[..., TensorVariable]:
    """Return an operator that leaves what it does not know to the other operand."""

    def method(self: Any, other: TensorLike) -> Any:
        # Operands that are no tensors, such as sparse matrices, have their own operators.
        try:
            if type(other) is not type(self):
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


def _strict(
    function: Callable[..., object], doc: str, reverse: bool = False
) -> Callable[..., TensorVariable]:
    def method(self: Any, other: Variable) -> Any:
        return function(other, self) if reverse else function(self, other)

    method.__doc__ = doc
    return method


def _comparison(function: Callable[..., Any], doc: str) -> Callable[..., Any]:
    def method(self: Any, other: TensorLike) -> Any:
        result = function(self, other)
        # `a < b < c` asks for the truth of `a < b`, which does not exist.
        result._truth = None
        return result

    method.__doc__ = doc
    return method


class ElementwiseOperators:
    """Elementwise operators, with NumPy's meaning; `==` and `!=` compare identity."""

    __array_priority__ = 1000
    # What `bool` says; None: it raises.
    _truth: bool | None = True

    __add__ = binary(a.add, "Sum.")
    __radd__ = binary(a.add, "Sum.", reverse=True)
    __sub__ = binary(a.sub, "Difference.")
    __rsub__ = binary(a.sub, "Difference.", reverse=True)
    __mul__ = binary(a.mul, "Product.")
    __rmul__ = binary(a.mul, "Product.", reverse=True)
    __truediv__ = binary(a.true_div, "Quotient; integers give a float.")
    __rtruediv__ = binary(a.true_div, "Quotient; integers give a float.", reverse=True)
    __floordiv__ = binary(a.int_div, "Floor of the quotient.")
    __rfloordiv__ = binary(a.int_div, "Floor of the quotient.", reverse=True)
    __mod__ = binary(a.mod, "Remainder.")
    __rmod__ = binary(a.mod, "Remainder.", reverse=True)
    __pow__ = binary(pow, "Power.")
    __rpow__ = binary(pow, "Power.", reverse=True)

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

    def __abs__(self) -> TensorVariable:
        return a.abs_(self)

    def __neg__(self) -> TensorVariable:
        return a.neg(self)

    def __pos__(self) -> Any:
        return self

    def __invert__(self) -> TensorVariable:
        return a.invert(self)

    def __bool__(self) -> bool:
        if self._truth is not None:
            return self._truth
        raise TypeError(
            "Variables do not support boolean operations: the result of a comparison is known only "
            "when a function runs. theano.tensor.switch chooses between values, "
            "theano.ifelse.ifelse between scalar cases, theano.tensor.maximum takes the larger; "
            "`&`, `|` and `~` join conditions: (0 < x) & (x < 1)."
        )

    __nonzero__ = __bool__


class FormulaVariable(ElementwiseOperators, Variable):
    """A tensor of the engine's own formulas; those of users have methods, too."""


class FormulaConstant(ElementwiseOperators, Constant):
    """A number in one of the engine's own formulas."""


extend(TensorType, variable_class=FormulaVariable, constant_class=FormulaConstant)
