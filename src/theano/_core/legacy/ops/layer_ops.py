"""Layers of Theano 1.0.5 that are expressions here, as operations: classes that make them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from theano._core.api.conversion import as_tensor_variable
from theano._core.api.nn import blocksparse, neighbours, normalization
from theano._core.legacy.ops.array_ops import built
from theano._core.legacy.ops.op_classes import Kind
from theano._core.ops.array.shaping import pattern_broadcast
from theano._core.ops.nn.normalization import BatchNorm, batch_gradients
from theano._core.ops.nn.pooling import AveragePoolGrad, MaxPoolGrad

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ops.core.op import Op

Images2Neibs = built(
    "Images2Neibs",
    "The patches of images.",
    lambda op, x, shape, step=None: neighbours.images2neibs(x, shape, step, op.mode),
    neighbours.Images2Neibs,
    mode="valid",
)
SparseBlockGemv = built(
    "SparseBlockGemv",
    "Products of chosen blocks.",
    lambda op, *inputs: blocksparse.sparse_block_gemv(*inputs),
    blocksparse.SparseBlockGemv,
    inplace=False,
)
SparseBlockOuter = built(
    "SparseBlockOuter",
    "Outer products added to chosen blocks.",
    lambda op, *inputs: blocksparse.sparse_block_outer(*inputs),
    blocksparse.SparseBlockOuter,
    inplace=False,
)
sparse_block_gemv, sparse_block_gemv_inplace = SparseBlockGemv(False), SparseBlockGemv(True)
sparse_block_outer, sparse_block_outer_inplace = SparseBlockOuter(False), SparseBlockOuter(True)


def _along(axes: Sequence[int], parameter: TensorLike) -> Any:
    """Return a parameter that broadcasts along the normalized axes."""
    parameter = as_tensor_variable(parameter)
    kept = enumerate(parameter.type.broadcastable)
    return pattern_broadcast(parameter, [one or axis in axes for axis, one in kept])


def _trained(
    op: Any,
    x: TensorLike,
    scale: TensorLike,
    bias: TensorLike,
    epsilon: TensorLike = 1e-4,
    running_average_factor: TensorLike = 0.1,
    running_mean: TensorLike | None = None,
    running_var: TensorLike | None = None,
) -> list[Any]:
    return list(
        normalization.batch_normalization_train(
            x, scale, bias, op.axes, epsilon, running_average_factor, running_mean, running_var
        )
    )


def _gradients(
    op: Any,
    x: TensorLike,
    dy: TensorLike,
    scale: TensorLike,
    x_mean: TensorLike,
    x_invstd: TensorLike,
    epsilon: TensorLike = 1e-4,
) -> list[Any]:
    parameters = [as_tensor_variable(v) for v in (scale, x_mean, x_invstd)]
    batch, dy = as_tensor_variable(x), as_tensor_variable(dy)
    gamma, mean, inverse = (_along(op.axes, v) for v in parameters)
    gradients = batch_gradients(batch, dy, gamma, mean, inverse, op.axes)
    pattern = parameters[0].type.broadcastable
    return [gradients[0], *(pattern_broadcast(g, pattern) for g in gradients[1:])]


AbstractBatchNormTrain = built(
    "AbstractBatchNormTrain",
    "A batch normalized by its own statistics.",
    _trained,
    BatchNorm,
    axes=(0,),
)
AbstractBatchNormTrainGrad = built(
    "AbstractBatchNormTrainGrad",
    "Gradients of a normalized batch with respect to itself, the scale and the bias.",
    _gradients,
    axes=(0,),
)
AbstractBatchNormInference = built(
    "AbstractBatchNormInference",
    "A batch normalized by given statistics.",
    lambda op, x, scale, bias, mean, var, epsilon=1e-4: normalization.batch_normalization_test(
        x, scale, bias, mean, var, op.axes, epsilon
    ),
    axes=(0,),
)


class PoolGrad(metaclass=Kind):
    """Gradient of a pool with respect to the images."""

    @classmethod
    def holds(cls, op: Op) -> bool:
        """Tell whether an operation is of this kind."""
        return isinstance(op, (AveragePoolGrad, MaxPoolGrad))

    @classmethod
    def make(
        cls,
        ignore_border: bool,
        mode: str = "max",
        ndim: int = 2,
        openmp: bool | None = None,
    ) -> Any:
        """Return the operation for a kind of pool."""
        if mode == "max":
            return MaxPoolGrad(ignore_border, ndim)
        return AveragePoolGrad(ignore_border, mode, ndim)
