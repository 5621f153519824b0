"""The generator MRG31k3p: many independent streams, whose states are the rows of a matrix.

A state has six integers: three of a recurrence modulo `M1`, three of one modulo `M2`. Both
multipliers are sums of two powers of 2, so a step needs shifts and additions only.

References
----------
P. L'Ecuyer and R. Touzin, Fast combined multiple recursive generators with multipliers of the form
a = ±2^q ±2^r, Proceedings of the 2000 Winter Simulation Conference, 683-689.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.dims import as_length, lengths_of
from theano._core.ops.array.gradient import null_gradient
from theano._core.ops.array.shaping import vector_length
from theano._core.ops.core.fill import zeros_like_float
from theano._core.ops.core.op import Structured, as_variable, shape_of
from theano._core.ops.elementwise.elementwise import cast

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ops.core.protocols import Builder, ProgramValue

M1 = 2147483647
M2 = 2147462579
MASK12 = 511
MASK13 = 16777215
MASK2 = 65535
MULT2 = 21069
NORM = 2.0**-31
# A step of a state x of three is A @ x modulo M1 or M2.
A1 = np.array([[0, 4194304, 129], [1, 0, 0], [0, 1, 0]], dtype="int64")
A2 = np.array([[32768, 0, 32769], [1, 0, 0], [0, 1, 0]], dtype="int64")


def multiply(one: np.ndarray, two: np.ndarray, modulus: int) -> np.ndarray:
    """Return the product of int64 matrices of items below `modulus`, modulo `modulus`."""
    # Each product is below 2**62; a sum of three remainders fits as well.
    return ((one[:, :, None] * two[None, :, :]) % modulus).sum(axis=1) % modulus


# What moves a state 2**72 and 2**134 steps on: powers of A1 and A2 modulo M1 and M2.
A1p72 = np.array(
    [
        [1516919229, 758510237, 499121365],
        [1884998244, 1516919229, 335398200],
        [601897748, 1884998244, 358115744],
    ],
    dtype="int64",
)
A2p72 = np.array(
    [
        [1228857673, 1496414766, 954677935],
        [1133297478, 1407477216, 1496414766],
        [2002613992, 1639496704, 1407477216],
    ],
    dtype="int64",
)
A1p134 = np.array(
    [
        [1702500920, 1849582496, 1656874625],
        [828554832, 1702500920, 1512419905],
        [1143731069, 828554832, 102237247],
    ],
    dtype="int64",
)
A2p134 = np.array(
    [
        [796789021, 1464208080, 607337906],
        [1241679051, 1431130166, 1464208080],
        [1401213391, 1178684362, 1431130166],
    ],
    dtype="int64",
)

# Output dtype → (bits that count, what is added, factor): item = ((bits & mask) + offset) * factor.
# The factors of float16 and float32 are the largest that give items below 1.
MAPPINGS: dict[str, tuple[int, int, Any]] = {
    "float16": (0x7FFF, 1, float(np.float16(3.0458e-05))),
    "float32": (0xFFFFFFFF, 0, float(np.float32(4.6566126e-10))),
    "float64": (0xFFFFFFFF, 0, NORM),
}


def advance(state: np.ndarray) -> np.ndarray:
    """Move streams one step on, in place; return the integers drawn.

    Parameters
    ----------
    state : int32 array, shape (..., 6)

    Returns
    -------
    int32 array, shape (...)
        Between 1 and `M1`.
    """
    x = np.ascontiguousarray(np.moveaxis(state, -1, 0))
    wide = x.view("uint32")
    one = _reduced(
        ((wide[1] & MASK12) << 22)
        + (x[1] >> 9).view("uint32")
        + ((wide[2] & MASK13) << 7)
        + (x[2] >> 24).view("uint32"),
        M1,
    )
    one = _reduced(one + wide[2], M1)
    two = _reduced(_times_32768(x[5], wide[5]) + wide[5], M2)
    two = _reduced(two + _times_32768(x[3], wide[3]), M2)
    first, second = one.view("int32"), two.view("int32")
    state[..., 1:3] = state[..., 0:2].copy()
    state[..., 4:6] = state[..., 3:5].copy()
    state[..., 0], state[..., 3] = first, second
    drawn = one - two
    return np.where(first <= second, drawn + np.uint32(M1), drawn).view("int32")


def _reduced(x: np.ndarray, modulus: int) -> np.ndarray:
    return np.where(x >= modulus, x - np.uint32(modulus), x)


def _times_32768(x: np.ndarray, wide: np.ndarray) -> np.ndarray:
    high = (x >> 16).view("uint32") * np.uint32(MULT2)
    return _reduced(((wide & MASK2) << 15) + high, M2)


def to_unit_interval(drawn: np.ndarray, dtype: str) -> np.ndarray:
    """Return the numbers between 0 and 1 of `dtype` that the integers drawn stand for."""
    mask, offset, factor = MAPPINGS[dtype]
    if dtype == "float32":
        return drawn.astype("float32") * np.float32(factor)
    return (((drawn.astype("int64") & mask) + offset) * factor).astype(dtype)


class mrg_uniform(Structured):  # noqa: N801 - the name of Theano 1.0.5
    """Numbers between 0 and 1, from many streams in turn: item `i` from stream ``i % n``.

    Inputs: the states, an int32 matrix of shape (n, 6), and the lengths of the result. Outputs:
    the states after the draw, and the numbers.

    Parameters
    ----------
    output_type : TensorType
        dtype and rank of the numbers.
    inplace : bool
        Accepted for old programs: the memory planner decides.
    """

    __props__ = ("output_type",)

    def __init__(self, output_type: TensorType, inplace: bool = False) -> None:
        if output_type.dtype == "bool":
            raise TypeError("the numbers between 0 and 1 cannot be bool")
        self.output_type = output_type
        self.inplace = inplace

    @classmethod
    def new(cls, rstate: Variable, ndim: int | None, dtype: str, size: Any) -> Any:
        """Return [new states, numbers] of the lengths `size`; `ndim` is how many these are."""
        empty = isinstance(size, tuple) and not size
        size = as_variable(np.zeros(0, dtype="int64") if empty else size)
        rank = vector_length(size) if ndim is None else ndim
        return cls(TensorType(dtype, (False,) * rank))(rstate, size)

    def make_node(self, rstate: Variable, size: Variable) -> Apply:
        state, size = as_variable(rstate), as_variable(size)
        if state.type.ndim != 2 or state.type.dtype != "int32":
            raise TypeError(f"rstate must be an int32 matrix, got {state.type}")
        if size.type.ndim != 1 or not dtypes.is_discrete(size.type.dtype):
            raise TypeError(f"size must be a vector of integers, got {size.type}")
        rank = self.output_type.ndim
        lengths = (lengths_of(size, rank) + [None] * rank)[:rank]
        pattern = [n is not None and as_length(n) == 1 for n in lengths]
        type_ = TensorType(self.output_type.dtype, pattern)
        outputs = [state.type.output(), type_.output()]
        return Apply(self, [state, size], outputs)

    def _require_float(self) -> None:
        # As in Theano 1.0.5, what is never computed may have any dtype.
        if self.output_type.dtype not in MAPPINGS:
            raise ValueError(f"Unsupported data type for output: {self.output_type.dtype}")

    def compute(
        self, xp: ArrayModule, node: Apply, state: np.ndarray, size: np.ndarray
    ) -> tuple[Any, ...]:
        self._require_float()
        shape = tuple(int(n) for n in size)
        if len(shape) != self.output_type.ndim:
            raise ValueError(f"size must have length {self.output_type.ndim} (not {len(shape)})")
        if any(n < 0 for n in shape):
            raise ValueError(f"negative dimensions are not allowed: {shape}")
        total = int(np.prod(shape, dtype=object)) if shape else 1
        if total > M1:
            raise ValueError("rng_mrg does not support more then (2**31 -1) samples")
        if state.shape[1] != 6 or not len(state):
            raise ValueError(f"rstate must have 6 columns and some rows, got shape {state.shape}")
        state = state.copy()
        drawn = np.empty(total, dtype="int32")
        for start in range(0, total, len(state)):
            part = drawn[start : start + len(state)]
            part[...] = advance(state[: len(part)])
        return state, to_unit_interval(drawn, self.output_type.dtype).reshape(shape)

    def shape(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        rank = self.output_type.ndim
        lengths = lengths_of(node.inputs[1], rank)
        return [shapes[0], tuple(None if n is None else as_length(n) for n in lengths)]

    def connection(self, node: Apply) -> list[list[bool]]:
        return [[True, True], [False, True]]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        why = "No gradient defined through random sampling op"
        return [null_gradient(why) for _ in node.inputs]

    def emit(self, p: Builder, node: Apply, state: ProgramValue, size: ProgramValue) -> Any:
        self._require_float()
        return p.draw_uniforms(node, state, size)

    def __str__(self) -> str:
        return f"mrg_uniform{{{self.output_type},no_inplace}}"


class MultinomialFromUniform(Structured):
    """How often each outcome occurs: each uniform number picks one outcome of its row.

    Inputs: `pvals`, float, shape (rows, outcomes), the probabilities; `unis`, float, shape
    (rows * n,), numbers between 0 and 1; `n`, how many picks there are in a row. Number `i`
    belongs to row ``i % rows``, and picks the first outcome at which the sum of probabilities, in
    float64, exceeds it; none does if the probabilities add up to less.

    Parameters
    ----------
    odtype : str
        Item type of the counts; 'auto': that of `pvals`.
    """

    __props__: ClassVar[tuple[str, ...]] = ("odtype",)
    shape = shape_of(0)

    def __init__(self, odtype: str) -> None:
        self.odtype = odtype

    def _result(self, pvals: Variable) -> tuple[str, Sequence[bool]]:
        dtype = pvals.type.dtype if self.odtype == "auto" else self.odtype
        return dtype, pvals.type.broadcastable

    def make_node(self, pvals: Any, unis: TensorLike, n: TensorLike = 1) -> Apply:
        pvals, unis, n = as_variable(pvals), as_variable(unis), as_variable(n)
        if pvals.type.ndim != 2:
            raise NotImplementedError("pvals ndim should be 2", pvals.type.ndim)
        if unis.type.ndim != 1:
            raise NotImplementedError("unis ndim should be 1", unis.type.ndim)
        if n.type.ndim or not dtypes.is_discrete(n.type.dtype):
            raise TypeError(f"n must be an integer scalar, got {n.type}")
        dtype, pattern = self._result(pvals)
        if dtypes.is_discrete(pvals.type.dtype):
            pvals = cast(pvals, "float64")
        return self.one([pvals, unis, n], dtype, pattern)

    def compute(
        self, xp: ArrayModule, node: Apply, pvals: np.ndarray, unis: np.ndarray, n: np.ndarray
    ) -> tuple[Any, ...]:
        rows, count = pvals.shape[0], int(n)
        _check_uniforms(pvals, unis, count)
        out = np.zeros(pvals.shape, dtype=node.outputs[0].type.dtype)
        for i, u in enumerate(unis):
            picked = _first_above(pvals[i % rows], u)
            if picked is not None:
                out[i % rows, picked] += 1
        return (out,)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [zeros_like_float(v) for v in node.inputs]

    def emit(
        self, p: Builder, node: Apply, pvals: ProgramValue, unis: ProgramValue, n: ProgramValue
    ) -> Any:
        return p.pick_outcomes(node, pvals, unis, p.integer(n), "count")

    def __str__(self) -> str:
        return f"{type(self).__name__}{{{self.odtype}}}"


class ChoiceFromUniform(MultinomialFromUniform):
    """Which outcomes occur: each uniform number picks one outcome of its row.

    Inputs as those of `MultinomialFromUniform`; the result has shape (rows, n). An outcome that
    was picked is not picked again: its probability becomes 0 and the others are divided by their
    sum. A pick without any outcome is -1.

    Parameters
    ----------
    odtype : str
        Item type of the result; 'auto': int64.
    replace : bool
        Whether an outcome may be picked again.
    """

    __props__ = ("odtype", "replace")

    def __init__(self, odtype: str, replace: bool = False) -> None:
        super().__init__(odtype)
        self.replace = replace

    def _result(self, pvals: Variable) -> tuple[str, Sequence[bool]]:
        # Of one outcome there cannot be more than one pick.
        dtype = "int64" if self.odtype == "auto" else self.odtype
        return dtype, pvals.type.broadcastable

    def compute(
        self, xp: ArrayModule, node: Apply, pvals: np.ndarray, unis: np.ndarray, n: np.ndarray
    ) -> tuple[Any, ...]:
        rows, count = pvals.shape[0], int(n)
        if count > pvals.shape[1]:
            raise ValueError(
                "Cannot sample without replacement n samples bigger than the size of the "
                f"distribution: {count} of {pvals.shape[1]}."
            )
        _check_uniforms(pvals, unis, count)
        left = pvals.copy()
        out = np.full((rows, count), -1, dtype=node.outputs[0].type.dtype)
        for i, u in enumerate(unis):
            row = left[i % rows]
            picked = _first_above(row, u)
            if picked is None:
                continue
            out[i % rows, i // rows] = picked
            if not self.replace:
                _exclude(row, picked)
        return (out,)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [(shapes[0][0], as_length(node.inputs[2]))]

    def emit(
        self, p: Builder, node: Apply, pvals: ProgramValue, unis: ProgramValue, n: ProgramValue
    ) -> Any:
        how = "choose again" if self.replace else "choose"
        return p.pick_outcomes(node, pvals, unis, p.integer(n), how)


class MultinomialWOReplacementFromUniform(ChoiceFromUniform):
    """The old name of `ChoiceFromUniform`."""

    def __init__(self, odtype: str, replace: bool = False) -> None:
        warnings.warn(
            "MultinomialWOReplacementFromUniform is deprecated, use ChoiceFromUniform instead.",
            DeprecationWarning,
            stacklevel=2,
        )
        super().__init__(odtype, replace)


def _check_uniforms(pvals: np.ndarray, unis: np.ndarray, count: int) -> None:
    if unis.shape[0] != pvals.shape[0] * count:
        raise ValueError(
            f"unis.shape[0] != pvals.shape[0] * n: {unis.shape[0]}, {pvals.shape[0]} * {count}"
        )


def _first_above(row: np.ndarray, u: np.generic) -> int | None:
    above = np.add.accumulate(row, dtype="float64") > u
    return int(above.argmax()) if above.any() else None


def _exclude(row: np.ndarray, picked: int) -> None:
    """Make one probability 0 and divide the others by their sum, added up in the row's dtype."""
    sums = np.add.accumulate(row, dtype="float64")
    before = np.asarray(sums[picked] - row[picked], dtype=row.dtype)
    row[picked] = 0
    row /= np.add.accumulate(np.concatenate([before[None], row[picked:]]))[-1]


class PackTruncated(Structured):
    """Items of `z` between -2 and 2, in order, then ``radius * factor`` for each other item.

    Inputs: `z` and `factor`, float, shape (n,); `radius`, float, shape (m,), with an item for each
    item of `z` that lies outside. The result has shape (n,).
    """

    __props__ = ()
    shape = shape_of(0)

    def make_node(self, z: TensorLike, factor: TensorLike, radius: TensorLike) -> Apply:
        values = [as_variable(v) for v in (z, factor, radius)]
        return self.one(values, values[0].type.dtype, (False,))

    def compute(
        self, xp: ArrayModule, node: Apply, z: np.ndarray, factor: np.ndarray, radius: np.ndarray
    ) -> tuple[Any, ...]:
        outside = (z < -2) | (z > 2)
        return (xp.concatenate([z[~outside], radius * factor[outside]]),)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [null_gradient("a truncated draw is not differentiable") for _ in node.inputs]

    def emit(
        self, p: Builder, node: Apply, z: ProgramValue, factor: ProgramValue, radius: ProgramValue
    ) -> Any:
        return p.pack_truncated(node, z, factor, radius)
