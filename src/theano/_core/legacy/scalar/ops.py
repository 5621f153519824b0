"""The functions of `theano.scalar`: one table, and classes and instances made of it.

`scalar_ops.NAME` finds them by name, since some have the names of Python's own functions.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.variable import Variable
from theano._core.legacy.scalar.composed import Composite, KnownOp
from theano._core.legacy.scalar.elementwise import ElementwiseCalls, Expanded
from theano._core.legacy.scalar.names import BASIC, SPECIAL
from theano._core.legacy.scalar.type import OPS, as_scalar, get_scalar_type, specific_out
from theano._core.legacy.scalar.user_op import BinaryScalarOp, ScalarOp, UnaryScalarOp
from theano._core.ops import composed as composed
from theano._core.ops.core.fill import second as second_tensor
from theano._core.ops.core.op import Op, tensor_operand
from theano._core.ops.elementwise import arithmetic as a
from theano._core.ops.elementwise.elementwise import Elementwise, elementwise_ops

if TYPE_CHECKING:
    from theano._core.legacy.scalar.type import Scalar

# With those that `composed` declares.
_ENGINE = elementwise_ops()


def _without_zeros(x: Variable, y: Variable) -> Any:
    return a.switch(a.eq(x, 0), y, a.switch(a.eq(y, 0), x, a.mul(x, y)))


# What is not an operation of the engine under the same name.
_FORMS: dict[str, Callable[..., Any]] = {
    "second": second_tensor,
    "mul_without_zeros": _without_zeros,
    "scalar_sigmoid": _ENGINE["sigmoid"],
    "scalar_softplus": _ENGINE["softplus"],
    "scalar_softsign": _ENGINE["softsign"],
    "scalar_xlogx": _ENGINE["xlogx"],
    "scalar_xlogy0": _ENGINE["xlogy0"],
    "ultra_fast_scalar_sigmoid": _ENGINE["ultra_fast_sigmoid"],
}
# Binary functions: neutral element, whether they commute, whether they associate.
_FACTS: dict[str, tuple[Any, bool, bool]] = {
    "add": (0, True, True),
    "mul": (1, True, True),
    "mul_without_zeros": (1, True, True),
    "or_": (0, True, True),
    "xor": (0, True, True),
    "and_": (-1, True, True),
    "maximum": (None, True, True),
    "minimum": (None, True, True),
    "eq": (None, True, False),
    "neq": (None, True, False),
}
CLASSES: dict[str, Any] = {}
_instance_of: dict[Any, str] = {}


def _declare(cls: str, name: str) -> None:
    form = _FORMS.get(name) or _ENGINE[name]
    native = isinstance(form, Elementwise)
    nin = form.nin if native else len(inspect.signature(form).parameters)
    fields: dict[str, Any] = {
        "form": staticmethod(form),
        "nin": -1 if native and form.associative else nin,
        "__doc__": f"`{name}` of scalars.",
        "__module__": __name__,
    }
    if name in _FACTS:
        facts = ("identity", "commutative", "associative")
        fields.update(zip(facts, _FACTS[name], strict=True))
    bases = {1: (KnownOp, UnaryScalarOp), 2: (KnownOp, BinaryScalarOp)}
    CLASSES[cls] = type(cls, bases.get(nin, (KnownOp,)), fields)
    OPS[name] = CLASSES[cls](name=None if name in _NAMELESS else name)
    if native:
        _instance_of[form] = name


_OURS = {
    "MulWithoutZeros": "mul_without_zeros",
    "ScalarSigmoid": "scalar_sigmoid",
    "ScalarSoftplus": "scalar_softplus",
    "ScalarSoftsign": "scalar_softsign",
    "UltraFastScalarSigmoid": "ultra_fast_scalar_sigmoid",
    "XlogX": "scalar_xlogx",
    "XlogY0": "scalar_xlogy0",
}
# Those without a name of their own in Theano: they print their classes.
_NAMELESS = {
    *("abs_", "and_", "eq", "ge", "gt", "invert", "isinf", "isnan", "le", "lt", "neq", "or_"),
    *("round_half_away_from_zero", "round_half_to_even", "switch", "xor"),
}
for _cls, _name in {**BASIC, **SPECIAL, **_OURS}.items():
    _declare(_cls, _name)
OPS["floor_div"] = OPS["int_div"]


def div_proxy(x: Variable, y: Variable) -> Any:
    """Return Python 2's ``x / y``: for integers what `config.int_division` says."""
    x, y = as_scalar(x), as_scalar(y)
    return OPS[f"{dtypes.division(x.type.dtype, y.type.dtype)}_div"](x, y)


class Cast(KnownOp, UnaryScalarOp):
    """Its input as another dtype.

    Parameters
    ----------
    o_type : Scalar
    """

    form: ClassVar[Any] = staticmethod(lambda x: x)

    def __init__(self, o_type: Scalar, name: str | None = None) -> None:
        self.o_type = o_type
        super().__init__(specific_out(o_type), name or f"convert_to_{o_type.dtype}")

    def __str__(self) -> str:
        return f"Cast{{{self.o_type.dtype}}}"


class InRange(KnownOp):
    """Whether a scalar lies between two others.

    Parameters
    ----------
    openlow, openhi : bool
        Whether the lower and the upper bound themselves lie outside.
    """

    nin = 3

    def __init__(self, openlow: bool, openhi: bool, name: str | None = None) -> None:
        self.openlow = openlow
        self.openhi = openhi
        super().__init__(name=name)

    def applied(self, *tensors: Any) -> list[Any]:
        x, low, high = (tensor_operand(str(self), v) for v in tensors)
        after = a.gt(x, low) if self.openlow else a.ge(x, low)
        before = a.lt(x, high) if self.openhi else a.le(x, high)
        return [a.and_(after, before)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InRange) and (self.openlow, self.openhi) == (
            other.openlow,
            other.openhi,
        )

    def __hash__(self) -> int:
        return hash((InRange, self.openlow, self.openhi))


CLASSES.update(Cast=Cast, InRange=InRange)
OPS["inopenrange"] = InRange(True, True)
OPS["inclosedrange"] = InRange(False, False)
for _dtype in dtypes.all_dtypes:
    OPS[f"convert_to_{_dtype}"] = Cast(get_scalar_type(_dtype))


def round_half_away_from_zero_(a: float) -> Any:
    """Return a number rounded to the nearest integer, halves away from zero."""
    return np.floor(a + 0.5) if a > 0 else np.ceil(a - 0.5)


def round_half_away_from_zero_vec(a: object) -> np.ndarray:
    """Return the items of an array rounded so; float32 stays float32, all else is double."""
    dtype = np.float32 if getattr(a, "dtype", None) == np.float32 else np.float64
    return np.vectorize(round_half_away_from_zero_, otypes=[dtype])(a)


def cast(x: object, dtype: str) -> Any:
    """Return a scalar as another dtype."""
    dtype = get_scalar_type(dtype).dtype
    return OPS[f"convert_to_{dtype}"](x)


OPS["cast"] = cast


def __getattr__(name: str) -> Any:
    for place in (OPS, CLASSES):
        if name in place:
            return place[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def elementwise(
    scalar_op: object, name: str | None = None, nfunc_spec: object = None
) -> Elementwise | ElementwiseCalls | Expanded:
    """Return a function of scalars as one of tensors: the engine's operation where it has it."""
    if not isinstance(scalar_op, ScalarOp):
        raise TypeError(f"Elemwise needs a function of scalars, got {scalar_op!r}")
    native = _native(scalar_op)
    if native is not None:
        return native
    if not hasattr(scalar_op, "applied") or not _unchanged(scalar_op):
        return ElementwiseCalls(scalar_op, name, nfunc_spec)
    return Expanded(scalar_op, name)


def _native(op: Any) -> Elementwise | None:
    """Return the engine's operation that is the same function, with the same dtypes."""
    form = getattr(type(op), "form", None) if type(op) in CLASSES.values() else None
    if not isinstance(form, Elementwise) or op.output_types_preference is not None:
        return None
    return form


def _unchanged(op: Op) -> bool:
    """Tell whether a subclass of a known class leaves its function alone."""
    base = InRange if isinstance(op, InRange) else KnownOp if isinstance(op, KnownOp) else Composite
    return all(
        getattr(type(op), name) is getattr(base, name)
        for name in ("impl", "L_op", "grad", "applied")
    )


def scalar_op_of(op: Elementwise) -> Any:
    """Return the function of scalars that an elementwise operation applies."""
    if op.is_cast:
        return OPS[f"convert_to_{op.name[5:-1]}"]
    name = _instance_of.get(op)
    if name is None:
        raise AttributeError(f"theano.scalar has no function for {op}")
    return OPS[name]
