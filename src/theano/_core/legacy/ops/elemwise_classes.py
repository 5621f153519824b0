"""Classes of Theano 1.0.5 that apply functions of scalars to tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base.dtypes import is_discrete
from theano._core.ir.variable import Apply, Variable
from theano._core.legacy.ops.op_classes import Kind, axes_of
from theano._core.legacy.scalar.elementwise import ElementwiseCalls, Expanded
from theano._core.legacy.scalar.type import get_scalar_type
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.core.fill import Second
from theano._core.ops.core.in_place import overwriting
from theano._core.ops.core.op import Op, tensor_operand
from theano._core.ops.core.python_call import Called
from theano._core.ops.elementwise.arithmetic import eq, invert, switch
from theano._core.ops.elementwise.elementwise import Elementwise

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike

# Function of scalars → kind of reduction.
_REDUCTIONS = {"add": "sum", "mul": "prod", "maximum": "max", "minimum": "min"}
# Function of scalars → what NumPy reduces with. Others are called for each item.
_FUNCTIONS = {
    "add": np.add,
    "mul": np.multiply,
    "and_": np.bitwise_and,
    "or_": np.bitwise_or,
    "xor": np.bitwise_xor,
}


class Elemwise(metaclass=Kind):
    """A function of scalars applied to tensors item by item."""

    own = Elementwise

    @classmethod
    def holds(cls, op: Op) -> bool:
        """Tell whether an operation is of this kind."""
        return isinstance(op, (Elementwise, ElementwiseCalls, Expanded, Second))

    @classmethod
    def make(
        cls,
        scalar_op: object,
        inplace_pattern: Mapping[int, int] | None = None,
        name: str | None = None,
        nfunc_spec: object = None,
        openmp: bool | None = None,
    ) -> Any:
        """Return the operation.

        Parameters
        ----------
        scalar_op : ScalarOp
            One that the engine has, or an expression of those, becomes native code; the `impl` of
            others is called for each item.
        inplace_pattern : dict of int to int, optional
            If the output overwrites an input: {0: number of the input}.
        openmp
            Of no effect.
        name : str, optional
        nfunc_spec : tuple of (str, int, int), optional
            A NumPy function to use instead of `impl`, and its numbers of inputs and outputs.
        """
        from theano._core.legacy.scalar.ops import elementwise

        op = elementwise(scalar_op, name, nfunc_spec)
        if inplace_pattern:
            op = overwriting(op)
            op.overwrites = inplace_pattern[0]
        return op


class CAReduce(metaclass=Kind):
    """A commutative and associative function of scalars reduced over axes."""

    own = Reduction

    @classmethod
    def holds(cls, op: Op) -> bool:
        """Tell whether an operation is of this kind."""
        return isinstance(op, (Reduction, ReductionByCalls))

    @classmethod
    def make(cls, scalar_op: Any, axis: Any = None) -> Any:
        """Return the operation over `axis`: an int, a sequence of ints, or None for all."""
        from theano._core.legacy.scalar.ops import elementwise

        if scalar_op.nin not in (-1, 2) or scalar_op.nout != 1:
            raise NotImplementedError(
                "CAReduce only supports binary functions with a single output"
            )
        axes = axes_of(axis)
        native = elementwise(scalar_op)
        if not isinstance(native, Elementwise):
            return ReductionByCalls(scalar_op, axes)
        kind, function = _REDUCTIONS.get(native.name), _FUNCTIONS.get(native.name)
        if kind is not None and function is None:
            return Reduction(kind, axes)
        return ReductionByCalls(scalar_op, axes, function, kind)


class CAReduceDtype(CAReduce):
    """A reduction that is carried in one dtype and returned in another."""

    @classmethod
    def make(
        cls,
        scalar_op: object,
        axis: Any = None,
        dtype: str | None = None,
        acc_dtype: str | None = None,
    ) -> Any:
        """Return the operation over `axis`."""
        op = CAReduce.make(scalar_op, axis)
        return op if op.kind is None else Reduction(op.kind, op.axis, dtype, acc_dtype)


class ReductionByCalls(Called):
    """A binary function of scalars reduced over axes, which does not change the dtype.

    Parameters
    ----------
    scalar_op : ScalarOp
    axis : tuple of int or None
    function : numpy.ufunc, optional
        Reduces whole arrays.
    kind : str, optional
        The reduction that is the same for floats.
    """

    __props__ = ("axis", "scalar_op")

    def __init__(
        self,
        scalar_op: Any,
        axis: Any = None,
        function: np.ufunc | None = None,
        kind: str | None = None,
    ) -> None:
        self.scalar_op = scalar_op
        self.function = function
        self.kind = kind
        self.axis = None if axis is None else tuple(sorted({int(a) for a in axis}))

    def _axes(self, rank: int) -> tuple[int, ...]:
        axes = range(rank) if self.axis is None else self.axis
        return tuple(sorted(axis + rank if axis < 0 else axis for axis in axes))

    def make_node(self, x: TensorLike) -> Apply:
        x = tensor_operand(str(self), x)
        axes, rank = self._axes(x.type.ndim), x.type.ndim
        if any(not 0 <= axis < rank for axis in axes):
            raise ValueError(f"Not enough dimensions on {x} to reduce on axes {self.axis}")
        if self.kind is not None and not is_discrete(x.type.dtype):
            return Reduction(self.kind, axes).make_node(x)
        type_ = get_scalar_type(x.type.dtype)
        out = self.scalar_op.make_node(type_(), type_()).outputs[0].type.dtype
        return self.one([x], out, [b for i, b in enumerate(x.type.broadcastable) if i not in axes])

    def compute(self, xp: ArrayModule, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        function, result = self.function, x
        start: dict[str, Any] = {"dtype": node.outputs[0].type.dtype}
        if function is None:
            function, result = np.frompyfunc(self.scalar_op.impl, 2, 1), x.astype(object)
            identity = getattr(self.scalar_op, "identity", None)
            start = {} if identity is None else {"initial": identity}
        for axis in reversed(self._axes(x.ndim)):
            result = np.asarray(function.reduce(result, axis=axis, **start))
        return (np.asarray(result).astype(node.outputs[0].type.dtype),)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        axes = self._axes(node.inputs[0].type.ndim)
        return [tuple(n for i, n in enumerate(shapes[0]) if i not in axes)]

    def __str__(self) -> str:
        axes = "" if self.axis is None else f"{{{', '.join(map(str, self.axis))}}}"
        return f"Reduce{{{self.scalar_op}}}{axes}"


class ProdWithoutZeros:
    """Product over axes of the items that are not zero; 0 where there is none.

    Parameters
    ----------
    axis : int, sequence of int, or None
    dtype, acc_dtype : str, optional
    """

    def __init__(
        self, axis: Any = None, dtype: str | None = None, acc_dtype: str | None = None
    ) -> None:
        self.axis, self.dtype, self.acc_dtype = axes_of(axis), dtype, acc_dtype
        self.product = Reduction("prod", self.axis, dtype, acc_dtype)
        self.any = Reduction("any", self.axis)

    def __str__(self) -> str:
        options = f"axis={self.axis}, dtype={self.dtype!r}, acc_dtype={self.acc_dtype!r}"
        return f"ProdWithoutZeros{{{options}}}"

    def __call__(self, x: Variable) -> Any:
        """Return the product of the items of `x`."""
        x = tensor_operand("ProdWithoutZeros", x)
        is_zero = eq(x, np.zeros((), dtype=x.type.dtype))
        product = self.product(switch(is_zero, np.ones((), dtype=x.type.dtype), x))
        return switch(self.any(invert(is_zero)), product, np.zeros((), dtype=product.type.dtype))
