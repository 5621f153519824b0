"""Reductions of an array over some of its axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base import dtypes
from theano._core.base.errors import InternalError
from theano._core.base.records import Record
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.dims import as_int64
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.fill import fill, zeros_like_float
from theano._core.ops.core.naming import hashed_as, known_as, variant
from theano._core.ops.core.op import Guard, Structured, tensor_operand
from theano._core.ops.core.samples import Range, anything, booleans
from theano._core.ops.elementwise.arithmetic import eq, neq, switch
from theano._core.ops.elementwise.elementwise import cast, conjugate

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ops.core.protocols import Batching, Builder, Forward, ProgramValue


class Reducer(Record):
    """What one kind of reduction does.

    `combine` names the builder's method, `identity` gives its neutral element for a dtype (None:
    an empty axis is an error), `accumulator` the dtype it is carried in, `output` that of the
    result.
    """

    name: str
    doc: str
    combine: str
    numpy: str
    identity: Callable[[str], Any] | None
    accumulator: Callable[[str], str]
    output: Callable[[str], str]
    samples: Range


def _lowest(dtype: str) -> Any:
    if dtypes.is_complex(dtype):
        return complex(-np.inf, -np.inf)
    return False if dtype == "bool" else -np.inf if dtypes.is_float(dtype) else np.iinfo(dtype).min


def _highest(dtype: str) -> Any:
    if dtypes.is_complex(dtype):
        return complex(np.inf, np.inf)
    return True if dtype == "bool" else np.inf if dtypes.is_float(dtype) else np.iinfo(dtype).max


def _same(dtype: str) -> str:
    return dtype


def _computed(dtype: str) -> str:
    """Return the dtype that processors compute in, which has all items of a dtype."""
    return "float32" if dtype == "float16" else dtype


REDUCERS = {
    reducer.name: reducer
    for reducer in (
        Reducer(
            "sum",
            "Sum over axes; of nothing 0.",
            "add",
            "sum",
            lambda d: 0,
            dtypes.accumulator_dtype,
            dtypes.sum_dtype,
            anything,
        ),
        Reducer(
            "prod",
            "Product over axes; of nothing 1.",
            "mul",
            "prod",
            lambda d: 1,
            dtypes.accumulator_dtype,
            dtypes.sum_dtype,
            anything,
        ),
        Reducer(
            "max",
            "Largest item over axes; NaN if any is.",
            "maximum",
            "max",
            None,
            _computed,
            _same,
            anything,
        ),
        Reducer(
            "supremum",
            "Largest item over axes, of nothing the lowest number; NaN if any item is.",
            "maximum",
            "max",
            _lowest,
            _computed,
            _same,
            anything,
        ),
        Reducer(
            "min",
            "Smallest item over axes; NaN if any is.",
            "minimum",
            "min",
            None,
            _computed,
            _same,
            anything,
        ),
        Reducer(
            "infimum",
            "Smallest item over axes, of nothing the highest number; NaN if any item is.",
            "minimum",
            "min",
            _highest,
            _computed,
            _same,
            anything,
        ),
        Reducer(
            "all",
            "Whether all items hold.",
            "and_",
            "all",
            lambda d: True,
            lambda d: "bool",
            lambda d: "bool",
            booleans,
        ),
        Reducer(
            "any",
            "Whether any item holds.",
            "or_",
            "any",
            lambda d: False,
            lambda d: "bool",
            lambda d: "bool",
            booleans,
        ),
    )
}
STARTS = {"max": _lowest, "min": _highest}
EXTREMES = ("max", "supremum", "min", "infimum")
# Kinds that have a class of their own in Theano 1.0.5.
KNOWN_AS = {"sum": "Sum", "prod": "Prod", "all": "All", "any": "Any"}


@known_as("CAReduce")
class Reduction(Structured):
    """A reduction over `axis`.

    Parameters
    ----------
    kind : str
        Key of `REDUCERS`.
    axis : tuple of int or None
        Sorted, not negative; None: all axes.
    dtype : str or None
        Item type of the result.
    acc_dtype : str or None
        Item type the reduction is carried in.

    Notes
    -----
    The operation of a node knows both for sums and products, as in Theano 1.0.5, but it is the same
    operation as the one that they were asked of.
    """

    __props__ = ("kind", "axis", "dtype", "acc_dtype")

    def __init__(
        self,
        kind: str,
        axis: Sequence[int] | None = None,
        dtype: str | None = None,
        acc_dtype: str | None = None,
    ) -> None:
        self.kind = kind
        self.axis = None if axis is None else tuple(sorted({int(a) for a in axis}))
        self.asked = dtype, acc_dtype
        self.dtype = dtype
        self.acc_dtype = acc_dtype
        self.long_rule = kind == "prod"
        if kind in KNOWN_AS:
            self.__class__ = variant(Reduction, KNOWN_AS[kind])

    def props(self) -> tuple[Any, ...]:
        return self.kind, self.axis, self.asked

    def _settled(self, dtype: str) -> Reduction:
        if self.kind not in ("sum", "prod"):
            return self
        op = Reduction(self.kind, self.axis, *self.asked)
        op.acc_dtype, op.dtype = self.types(dtype)
        return op

    @property
    def through_integers(self) -> bool:  # type: ignore[override]
        """Whether it is the largest or smallest item, which is one of its operand."""
        return self.kind in EXTREMES

    @property
    def reducer(self) -> Reducer:
        """What this kind of reduction does."""
        return REDUCERS[self.kind]

    def axes(self, rank: int) -> tuple[int, ...]:
        """Return the reduced axes of an array of `rank` axes."""
        return tuple(range(rank)) if self.axis is None else self.axis

    def types(self, dtype: str) -> tuple[str, str]:
        """Return (accumulator dtype, output dtype) for an input dtype."""
        asked, asked_acc = self.asked
        out = asked or self.reducer.output(dtype)
        acc = asked_acc or self.reducer.accumulator(dtype)
        if dtypes.is_continuous(out) and dtypes.is_discrete(acc):
            # More than Theano 1.0.5 did: whole numbers do not overflow on the way.
            acc = self.reducer.accumulator(out)
        return acc, out

    def make_node(self, x: TensorLike) -> Apply:
        x = tensor_operand(self.kind, x)
        rank = x.type.ndim
        if self.axis is not None and any(-rank <= axis < 0 for axis in self.axis):
            axes = [axis + rank if axis < 0 else axis for axis in self.axis]
            return Reduction(self.kind, axes, *self.asked).make_node(x)
        for axis in self.axes(rank):
            if not 0 <= axis < rank:
                raise ValueError(f"Not enough dimensions on {x} to reduce on axis {axis}")
        _, out = self.types(x.type.dtype)
        if (
            dtypes.is_complex(x.type.dtype)
            and not dtypes.is_complex(out)
            and self.kind in ("sum", "prod")
        ):
            raise TypeError(f"a {self.kind} of complex numbers cannot be carried in {out}")
        pattern = [b for axis, b in enumerate(x.type.broadcastable) if axis not in self.axes(rank)]
        return self._settled(x.type.dtype).one([x], out, pattern)

    def compute(self, xp: ArrayModule, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        acc, out = self.types(node.inputs[0].type.dtype)
        axes = self.axes(x.ndim)
        if self.reducer.identity is None and any(x.shape[a] == 0 for a in axes):
            raise ValueError(
                f"zero-size array to reduction operation {self.kind} which has no identity"
            )
        if not axes:
            return (x.astype(out),)
        if self.reducer.identity is None and x.size == 0:
            return (xp.zeros([n for a, n in enumerate(x.shape) if a not in axes], dtype=out),)
        function = getattr(xp, self.reducer.numpy)
        identity = self.reducer.identity
        if self.kind in EXTREMES and identity is not None:
            return (function(x, axis=axes, initial=identity(acc)),)
        value = (
            function(x, axis=axes, dtype=acc)
            if self.kind in ("sum", "prod")
            else function(x, axis=axes)
        )
        return (xp.asarray(value).astype(out),)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        axes = self.axes(node.inputs[0].type.ndim)
        return [tuple(n for axis, n in enumerate(shapes[0]) if axis not in axes)]

    def may_fail(self, node: Apply) -> bool:
        return self.reducer.identity is None

    def guards(self, node: Apply, shapes: Sequence[Dims]) -> list[Guard]:
        text = f"zero-size array to reduction operation {self.kind} which has no identity"
        return _not_empty(text, shapes, self.axes(node.inputs[0].type.ndim))

    def emit(self, p: Builder, node: Apply, x: ProgramValue) -> Any:
        # Reductions of arrays are loops of the engine; that of a scalar is the scalar.
        if node.inputs[0].type.ndim:
            raise InternalError(f"{self} of an array is asked for as if it were a number")
        acc, out = self.types(node.inputs[0].type.dtype)
        return p.cast_scalar(p.cast_scalar(x, acc), out)

    def expand(self, x: Any, reduced: Variable) -> Any:
        """Return `reduced` with broadcastable axes where `x` was reduced."""
        axes = self.axes(x.type.ndim)
        kept = iter(range(x.type.ndim))
        return dimshuffle(
            reduced, ["x" if axis in axes else next(kept) for axis in range(x.type.ndim)]
        )

    def linear(self, node: Apply) -> list[list[int]]:
        return [[0]] if self.kind == "sum" else []

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        axes = tuple(a + 1 for a in self.axes(node.inputs[0].type.ndim))
        return [Reduction(self.kind, axes, *self.asked)(values[0])]

    def jvp(
        self, node: Apply, tangents: Sequence[Variable | None], forward: Forward
    ) -> list[Any] | None:
        if self.kind != "prod" or dtypes.is_discrete(node.inputs[0].type.dtype):
            return None
        # Reductions that need one pass: the sum of dx / x; where one item is 0, the product of the
        # rest times the change of that item.
        x, tangent = node.inputs[0], tangents[0]
        zero = eq(x, 0)
        count = Reduction("sum", self.axis, "int64")(zero)
        rest = switch(zero, np.asarray(1, x.type.dtype), x)
        nothing = np.asarray(0, x.type.dtype)
        total = Reduction("sum", self.axis)
        at_zero = self(rest) * total(switch(zero, tangent, nothing))
        slope = node.outputs[0] * total(switch(zero, nothing, tangent / rest))
        return [switch(eq(count, 0), slope, switch(eq(count, 1), at_zero, nothing))]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        x, out, g = node.inputs[0], node.outputs[0], cotangents[0]
        if self.kind in ("all", "any"):
            return [zeros_like_float(x)]
        g = self.expand(x, g)
        if self.kind == "sum":
            return [fill(x, g)]
        y = self.expand(x, out)
        if self.kind in EXTREMES:
            return [eq(y, x) * g]
        return [g * conjugate(_others(self, x, y))]

    def __str__(self) -> str:
        name = self.kind.capitalize()
        axes = None if self.axis is None else list(self.axis)
        if self.kind == "sum":
            parts = [] if axes is None else [f"axis={axes}"]
            parts += [] if self.acc_dtype is None else [f"acc_dtype={self.acc_dtype}"]
            return f"Sum{{{', '.join(parts)}}}" if parts else name
        if self.kind == "prod":
            return f"Prod{{axis={self.axis}, dtype={self.dtype!r}, acc_dtype={self.acc_dtype!r}}}"
        return name if axes is None else f"{name}{{{', '.join(map(str, axes))}}}"


def _not_empty(text: str, shapes: Sequence[Dims], axes: Sequence[int]) -> list[Guard]:
    """Return the guards of an operation that needs items along some axes."""
    reduced_lengths = [shapes[0][a] for a in axes]
    if all(isinstance(n, int) and n > 0 for n in reduced_lengths):
        return []
    return [(Require(text), lambda: [neq(as_int64(n), 0) for n in reduced_lengths])]


def _others(op: Reduction, x: Variable, y: Variable) -> Any:
    """Return, per item, the product of the other items: right also where some are zero."""
    zero = eq(x, 0)
    count = op.expand(x, Reduction("sum", op.axis, "int64")(zero))
    rest = op.expand(
        x,
        Reduction("prod", op.axis, *op.asked)(switch(zero, np.asarray(1, x.type.dtype), x)),
    )
    with_zero = switch(zero, switch(eq(count, 1), rest, 0), 0)
    return switch(eq(count, 0), y / switch(zero, np.asarray(1, x.type.dtype), x), with_zero)


@known_as("Argmax")
@hashed_as("Argmax")
class ArgExtreme(Structured):
    """Position of the largest or smallest item over `axis` (flattened in C order if several).

    Of equal items the first is taken; a NaN wins. Native code has the items found `with_items`.
    """

    __props__ = ("axis", "kind", "with_items")

    def __init__(
        self, kind: str, axis: Sequence[int] | None = None, with_items: bool = False
    ) -> None:
        self.kind = kind
        self.axis = None if axis is None else tuple(sorted({int(a) for a in axis}))
        self.with_items = with_items

    def axes(self, rank: int) -> tuple[int, ...]:
        """Return the searched axes of an array of `rank` axes."""
        return tuple(range(rank)) if self.axis is None else self.axis

    def make_node(self, x: TensorLike) -> Apply:
        x = tensor_operand(self.kind, x)
        axes = self.axes(x.type.ndim)
        if any(not 0 <= axis < x.type.ndim for axis in axes):
            raise ValueError(f"axis {axes} is out of range for {x.type}")
        pattern = [b for axis, b in enumerate(x.type.broadcastable) if axis not in axes]
        kinds = ("int64", x.type.dtype) if self.with_items else ("int64",)
        return Apply(self, [x], [TensorType(kind, pattern).output() for kind in kinds])

    def compute(self, xp: ArrayModule, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        axes = self.axes(x.ndim)
        kept = [a for a in range(x.ndim) if a not in axes]
        if any(x.shape[a] == 0 for a in axes):
            raise ValueError(f"attempt to get {self.kind} of an empty sequence")
        shape = [x.shape[a] for a in kept]
        if x.size == 0:
            return tuple(xp.zeros(shape, dtype=out.type.dtype) for out in node.outputs)
        moved = xp.transpose(x, (*kept, *axes)).reshape((*shape, -1))
        where = xp.asarray(getattr(xp, self.kind)(moved, axis=-1), dtype="int64")
        if not self.with_items:
            return (where,)
        return where, xp.take_along_axis(moved, where[..., None], -1)[..., 0]

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        axes = self.axes(node.inputs[0].type.ndim)
        kept = tuple(n for axis, n in enumerate(shapes[0]) if axis not in axes)
        return [kept] * len(node.outputs)

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        axes = tuple(a + 1 for a in self.axes(node.inputs[0].type.ndim))
        return [ArgExtreme(self.kind, axes)(values[0])]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [zeros_like_float(node.inputs[0])]

    def may_fail(self, node: Apply) -> bool:
        return True

    def guards(self, node: Apply, shapes: Sequence[Dims]) -> list[Guard]:
        text = f"attempt to get {self.kind} of an empty sequence"
        return _not_empty(text, shapes, self.axes(node.inputs[0].type.ndim))

    def emit(self, p: Builder, node: Apply, x: ProgramValue) -> Any:
        return p.arg_extreme(node, x, self.kind, self.axes(node.inputs[0].type.ndim))

    def __str__(self) -> str:
        return f"{self.kind.capitalize()}{{axis={self.axis}}}"


def reduce(
    kind: str,
    x: Any,
    axis: Sequence[int] | None = None,
    dtype: str | None = None,
    acc_dtype: str | None = None,
) -> Any:
    """Return a reduction of `x` over `axis` (normalised: a tuple of non-negative ints, or None)."""
    if isinstance(x.type, TensorType) and x.type.dtype != "bool" and kind in ("all", "any"):
        x = cast(x, "bool") if not dtypes.is_complex(x.type.dtype) else eq(eq(x, 0), 0)
    return Reduction(kind, axis, dtype, acc_dtype)(x)
