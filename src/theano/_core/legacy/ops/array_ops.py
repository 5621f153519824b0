"""Operations of Theano 1.0.5 that are expressions here: classes that make them when called."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from theano._core.api.array import (
    creation,
    extra_ops,
    fourier,
    joining,
    permutations,
    reductions as r,
    sorting,
)
from theano._core.api.conversion import as_tensor_variable
from theano._core.api.nn import cross_entropy, nnet
from theano._core.api.nn.ctc import ctc
from theano._core.base.dtypes import all_dtypes
from theano._core.ir.variable import Apply, Constant
from theano._core.legacy.ops.elemwise_classes import CAReduce
from theano._core.legacy.ops.whole import OfMaker, whole
from theano._core.ops.array.creation import Eye as EngineEye, Join as EngineJoin
from theano._core.ops.array.multi_index import (
    RavelMultiIndex as EngineRavelMultiIndex,
    UnravelIndex as EngineUnravelIndex,
)
from theano._core.ops.array.reductions import ArgExtreme
from theano._core.ops.control.inner_graph import (
    LogSoftmax as EngineLogSoftmax,
    Maker,
    Named,
    Softmax as EngineSoftmax,
    Whole,
    results,
)
from theano._core.ops.core.naming import variant
from theano._core.ops.core.op import as_variable, complete
from theano._core.ops.cumulative import Cumulative
from theano._core.ops.elementwise.elementwise import cast_op
from theano._core.ops.linalg.factors import QR
from theano._core.ops.nn.pooling import DownsampleFactorMaxGradGrad, Pool
from theano._core.ops.sorting import ArgSort, SearchSorted, Sort, TopK

if TYPE_CHECKING:
    from theano._core.ir.annotations import Axes, TensorLike


class Built(Maker, metaclass=OfMaker):
    """A function of variables with the options that the operation took when it was made."""

    counts: ClassVar[tuple[type, ...]] = ()
    options: ClassVar[dict[str, Any]] = {}
    build: ClassVar[Callable[..., Any]]

    def __init__(self, *args: object, **named: object) -> None:
        if len(args) > len(self.options) or not set(named) <= set(self.options):
            raise TypeError(
                f"{type(self).__name__} takes {', '.join(self.options) or 'no options'}, "
                f"got {args} and {named}"
            )
        values = {**self.options, **dict(zip(self.options, args, strict=False)), **named}
        for name, value in values.items():
            setattr(self, name, value)

    def __call__(self, *inputs: TensorLike | None, **named: object) -> Any:
        """Return the expression."""
        # What is no operand, a bool or None, chooses among expressions.
        operands = [v for v in inputs if v is not None and not isinstance(v, bool)]
        if named or not operands or len(operands) < len(inputs):
            return type(self).build(self, *inputs, **named)
        if self.counts:
            made = type(self).build(self, *inputs)
            root = _root(made)
            if root is None or isinstance(root.op, type(self)):
                return made
        node = self.make_node(*operands)
        complete(node)
        return node.outputs[0] if len(node.outputs) == 1 else node.outputs

    def make_node(self, *inputs: TensorLike) -> Apply:
        """Return the node of the expression, which holds it as one operation."""
        if self.counts:
            root = _root(type(self).build(self, *inputs))
            if root is not None and isinstance(root.op, type(self)):
                return root
        values = [as_variable(v) for v in inputs]
        return whole(self, partial(type(self).build, self), values)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, self.counts) and not isinstance(other, Whole):
            return all(getattr(other, name, own) == own for name, own in vars(self).items())
        return super().__eq__(other.maker if isinstance(other, Named) else other)

    __hash__ = Maker.__hash__


def _root(made: object) -> Any:
    return results(made)[0].owner


def built(
    name: str, what: str, build: Callable[..., Any], *counts: type, **options: Any
) -> type[Built]:
    """Return the class of an operation that takes `options` when it is made.

    `build(op, *inputs)` returns the expression; operations of `counts` are instances, too.
    """
    fields = {"build": staticmethod(build), "counts": counts, "options": options, "__doc__": what}
    return OfMaker(name, (Built,), {**fields, "__module__": __name__})


def _calling(name: str, what: str, function: Callable[..., object], *counts: type) -> type[Built]:
    """Return the class of an operation without options that a function stands for."""
    kind = built(name, what, lambda op, *inputs, **named: function(*inputs, **named), *counts)
    # The operation has the documents and the arguments of the function.
    kind.__doc__, kind.__wrapped__ = function.__doc__, staticmethod(function)  # type: ignore[attr-defined]
    return kind


def _cumulated(op: Any, x: Any) -> Any:
    return (extra_ops.cumprod if op.mode == "mul" else extra_ops.cumsum)(x, op.axis)


CumOp = built("CumOp", "Sums or products so far.", _cumulated, Cumulative, axis=None, mode="add")
CumsumOp = built("CumsumOp", "Sums so far.", lambda op, x: extra_ops.cumsum(x, op.axis), axis=None)
CumprodOp = built(
    "CumprodOp", "Products so far.", lambda op, x: extra_ops.cumprod(x, op.axis), axis=None
)
DiffOp = built(
    "DiffOp", "Differences.", lambda op, x: extra_ops.diff(x, op.n, op.axis), Whole, n=1, axis=-1
)
RepeatOp = built(
    "RepeatOp", "Items repeated.", lambda op, x, n: joining.repeat(x, n, op.axis), Whole, axis=None
)
SearchsortedOp = built(
    "SearchsortedOp",
    "Where items belong in a sorted vector.",
    lambda op, x, v, sorter=None: sorting.searchsorted(x, v, op.side, sorter),
    SearchSorted,
    side="left",
)
Bartlett = built("Bartlett", "A triangular window.", lambda op, m: extra_ops.bartlett(m), Whole)
FillDiagonal = built(
    "FillDiagonal", "A diagonal written.", lambda op, a, val: extra_ops.fill_diagonal(a, val), Whole
)
FillDiagonalOffset = built(
    "FillDiagonalOffset",
    "Another diagonal written.",
    lambda op, a, val, offset: extra_ops.fill_diagonal_offset(a, val, offset),
    Whole,
)
CpuContiguous = built(
    "CpuContiguous",
    "A copy in C order: results are so.",
    lambda op, x: as_tensor_variable(x).copy(),
)
UnravelIndex = built(
    "UnravelIndex",
    "Where numbered items are.",
    lambda op, indices, dims: list(extra_ops.unravel_index(indices, dims, op.order, op.ndim)),
    EngineUnravelIndex,
    ndim=None,
    order="C",
)


def _numbered(op: Any, *inputs: Any) -> Any:
    return extra_ops.ravel_multi_index(inputs[:-1], inputs[-1], op.mode, op.order)


RavelMultiIndex = built(
    "RavelMultiIndex",
    "The numbers of items.",
    _numbered,
    EngineRavelMultiIndex,
    mode="raise",
    order="C",
)
bartlett_, fill_diagonal_, fill_diagonal_offset_ = Bartlett(), FillDiagonal(), FillDiagonalOffset()
cpu_contiguous = CpuContiguous()


def numeric_allclose(a: Any, b: Any, rtol: float | None = None, atol: float | None = None) -> bool:
    """Tell whether arrays are close, by default as the less precise of their dtypes allows."""
    small = {"float16": 5e-3, "complex64": 1e-3, "float32": 1e-3}
    names = {str(np.asarray(v).dtype) for v in (a, b)}
    bound = max((small[name] for name in names if name in small), default=1e-5)
    slack = 1e-5 if names & {"float32", "complex64"} else 5e-3 if "float16" in names else 1e-8
    with np.errstate(all="ignore"):
        return np.allclose(a, b, bound if rtol is None else rtol, slack if atol is None else atol)


def _axis_value(axis: TensorLike) -> Any:
    """Return an axis as a number, if it is known."""
    if axis is None:
        return None
    axis = as_tensor_variable(axis)
    return int(axis.data) if isinstance(axis, Constant) else axis


SortOp = built(
    "SortOp",
    "Sorted items.",
    lambda op, x, axis=-1: sorting.sort(x, _axis_value(axis), op.kind, op.order),
    Sort,
    kind="quicksort",
    order=None,
)
ArgSortOp = built(
    "ArgSortOp",
    "Where sorted items were.",
    lambda op, x, axis=-1: sorting.argsort(x, _axis_value(axis), op.kind, op.order),
    ArgSort,
    kind="quicksort",
    order=None,
)


def _largest(op: Any, x: Any, kth: Any) -> Any:
    if not (op.return_values or op.return_indices):
        raise ValueError("TopKOp: return_values and return_indices are both False")
    if not op.return_indices:
        return sorting.topk(x, kth, op.axis, op.sorted, op.idx_dtype)
    if not op.return_values:
        return sorting.argtopk(x, kth, op.axis, op.sorted, op.idx_dtype)
    return sorting.topk_and_argtopk(x, kth, op.axis, op.sorted, op.idx_dtype)


TopKOp = built(
    "TopKOp",
    "The largest items, and where they are.",
    _largest,
    TopK,
    axis=-1,
    sorted=True,
    idx_dtype="int64",
    return_values=True,
    return_indices=True,
)


Fourier = built(
    "Fourier",
    "Fourier transform along an axis.",
    lambda op, a, n, axis: fourier.fourier_fft(a, n, axis),
    Whole,
)


def _extreme(op: Any, x: Any) -> Any:
    return r.max_and_argmax(x, axis=op.axis)


MaxAndArgmax = built("MaxAndArgmax", "The largest items and where.", _extreme, axis=None)
Argmax = built(
    "Argmax",
    "Where the largest items are.",
    lambda op, x: r.argmax(x, axis=op.axis),
    ArgExtreme,
    axis=None,
)


class Mean(CAReduce):
    """Mean over axes."""

    @classmethod
    def holds(cls, op: Any) -> bool:
        """Tell whether an operation is of this kind: a mean is a sum and a quotient here."""
        return False

    @classmethod
    def make(cls, axis: Axes = None) -> Any:  # type: ignore[override]
        """Return a function of a tensor."""
        return _Mean(axis)


class _Mean(Maker):
    def __init__(self, axis: Axes) -> None:
        self.axis = axis

    def __call__(self, x: TensorLike) -> Any:
        return r.mean(x, axis=self.axis)

    def __str__(self) -> str:
        axes = "" if self.axis is None else ", ".join(map(str, np.ravel(self.axis)))
        return f"Mean{{{axes}}}" if axes else "Mean"


Tri = built(
    "Tri", "Ones below a diagonal.", lambda op, n, m, k: creation.tri(n, m, k, op.dtype), dtype=None
)
Eye = built(
    "Eye",
    "Ones on a diagonal.",
    lambda op, n, m, k: creation.eye(n, m, k, op.dtype),
    EngineEye,
    dtype=None,
)
Join = built(
    "Join",
    "Tensors one after another.",
    lambda op, axis, *tensors: joining.join(axis, *tensors),
    EngineJoin,
    Whole,
    view=-1,
)
Split = built(
    "Split",
    "Parts of a tensor.",
    lambda op, x, axis, sizes: joining.split(x, sizes, op.len_splits, _axis_value(axis)),
    Whole,
    len_splits=1,
)
Flatten = built(
    "Flatten", "Fewer axes.", lambda op, x: as_tensor_variable(x).flatten(op.outdim), outdim=1
)
Tile = built(
    "Tile", "A tensor repeated.", lambda op, x, reps: joining.tile(x, reps, op.ndim), ndim=None
)
PermuteRowElements = _calling(
    "PermuteRowElements", "Rows in another order.", permutations.permute_row_elements, Whole
)
QRFull = built(
    "QRFull",
    "Q and R of a matrix.",
    lambda op, x: QR(op.mode)(x),
    variant(QR, "QRFull"),
    mode="reduced",
)
QRIncomplete = built(
    "QRIncomplete",
    "R of a matrix.",
    lambda op, x: QR(op.mode)(x),
    variant(QR, "QRIncomplete"),
    mode="r",
)

Softmax = _calling("Softmax", "Rows as probabilities.", nnet.softmax, EngineSoftmax)
LogSoftmax = _calling("LogSoftmax", "Their logarithms.", nnet.logsoftmax, EngineLogSoftmax)
SoftmaxWithBias = _calling("SoftmaxWithBias", "Shifted rows so.", nnet.softmax_with_bias)
SoftmaxGrad = _calling("SoftmaxGrad", "Its cotangent.", nnet.softmax_grad)
CrossentropySoftmaxArgmax1HotWithBias = _calling(
    "CrossentropySoftmaxArgmax1HotWithBias",
    "Loss, probabilities and the most probable class.",
    cross_entropy.crossentropy_softmax_argmax_1hot_with_bias,
)
CrossentropySoftmax1HotWithBiasDx = _calling(
    "CrossentropySoftmax1HotWithBiasDx",
    "Its cotangent.",
    cross_entropy.crossentropy_softmax_1hot_with_bias_dx,
)
CrossentropyCategorical1Hot = _calling(
    "CrossentropyCategorical1Hot",
    "Loss of probabilities.",
    cross_entropy.crossentropy_categorical_1hot,
)
CrossentropyCategorical1HotGrad = _calling(
    "CrossentropyCategorical1HotGrad",
    "Its cotangent.",
    cross_entropy.crossentropy_categorical_1hot_grad,
)
Prepend_scalar_to_each_row = _calling(
    "Prepend_scalar_to_each_row", "A column in front.", cross_entropy.prepend_scalar_to_each_row
)
Prepend_scalar_constant_to_each_row = built(
    "Prepend_scalar_constant_to_each_row",
    "A column of one number in front.",
    lambda op, mat: cross_entropy.prepend_scalar_to_each_row(as_tensor_variable(op.val), mat),
    val=0,
)
softmax_op, logsoftmax_op = Softmax(), LogSoftmax()
softmax_with_bias, softmax_grad = SoftmaxWithBias(), SoftmaxGrad()
crossentropy_softmax_argmax_1hot_with_bias = CrossentropySoftmaxArgmax1HotWithBias()
crossentropy_softmax_1hot_with_bias_dx = CrossentropySoftmax1HotWithBiasDx()
crossentropy_categorical_1hot = CrossentropyCategorical1Hot()
crossentropy_categorical_1hot_grad = CrossentropyCategorical1HotGrad()
prepend_scalar_to_each_row = Prepend_scalar_to_each_row()


def _moved_pool(op: Any, x: Any, eval_point: Any, *vectors: Any) -> Any:
    pool = Pool(op.ignore_border, op.mode, op.ndim)
    if op.mode != "max":
        return pool(eval_point, *vectors)
    forward = DownsampleFactorMaxGradGrad(op.ignore_border, ndim=op.ndim)
    return forward(x, pool(x, *vectors), eval_point, *vectors)


MaxPoolRop = built(
    "MaxPoolRop",
    "What a pool gains along a direction.",
    _moved_pool,
    ignore_border=False,
    mode="max",
    ndim=2,
    openmp=None,
)
ConnectionistTemporalClassification = built(
    "ConnectionistTemporalClassification",
    "Loss of labels without times.",
    lambda op, *inputs: ctc(*inputs),
    compute_grad=True,
    openmp=None,
)


def ctc_available() -> bool:
    """Tell whether `ctc` works: always, since it needs no other library.

    Returns
    -------
    bool

    Examples
    --------
    >>> T.nnet.ctc.ctc_available()
    True
    """
    return True


ctc_present = ctc_available
# Theano 1.0.5 told here why it did not, and where the library was.
ctc_available.msg = ctc_available.path = None  # type: ignore[attr-defined]

_cast_mapping = {dtype: cast_op(dtype) for dtype in all_dtypes}
globals().update({f"_convert_to_{dtype}": op for dtype, op in _cast_mapping.items()})
