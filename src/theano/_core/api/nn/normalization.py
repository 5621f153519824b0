"""Batch normalization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.array import reductions as r
from theano._core.api.conversion import as_tensor_variable, cast
from theano._core.base.near_misses import explain_functions
from theano._core.base.sequences import listed
from theano._core.base.settings import config
from theano._core.ir.variable import Variable
from theano._core.ops.array import shaping
from theano._core.ops.array.dims import as_int64, product
from theano._core.ops.control.inner_graph import body_over
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.elementwise.arithmetic import add, mul, reciprocal, sub, true_div
from theano._core.ops.elementwise.transcendental import sqrt
from theano._core.ops.nn.normalization import BatchNorm

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike

LEAST_EPSILON = 1e-5


def _normalized_axes(axes: Any, ndim: int) -> tuple[int, ...]:
    if isinstance(axes, str):
        if axes == "per-activation":
            return (0,)
        if axes == "spatial":
            return (0, *range(2, ndim))
        raise ValueError(f"invalid axes: {axes!r} is neither 'per-activation' nor 'spatial'")
    axes = listed(axes)
    result = tuple(
        int(a) for a in (axes if isinstance(axes, (tuple, list, np.ndarray)) else [axes])
    )
    if not result:
        raise ValueError(f"there should be at least one normalization axis, got {axes!r}")
    if any(not 0 <= axis < ndim for axis in result):
        raise ValueError(f"axes should be less than ndim (<{ndim}), but {result} given")
    return result


class _Layout:
    """Which axes are normalized, and how parameters of other ranks lie along the others."""

    def __init__(
        self,
        x: Variable,
        axes: Sequence[int] | str,
        epsilon: TensorLike,
        parameters: Sequence[Variable],
    ) -> None:
        if not hasattr(epsilon, "type") and np.any(np.asarray(epsilon) < LEAST_EPSILON):
            raise ValueError(f"epsilon must be at least {LEAST_EPSILON}, got {epsilon}")
        self.ndim = x.type.ndim
        self.axes = _normalized_axes(axes, self.ndim)
        self.rest = [axis for axis in range(self.ndim) if axis not in self.axes]
        ranks = {p.type.ndim for p in parameters}
        if len(ranks) != 1 or not ranks <= {self.ndim, len(self.rest)}:
            raise ValueError(
                "gamma and beta dimensionality must match the number of non-normalized axes, or "
                "have the same number of dimensions as the inputs; got "
                f"{sorted(ranks)} instead of {len(self.rest)} or {self.ndim}"
            )
        self.full = ranks == {self.ndim}

    def spread(self, parameter: Variable) -> Any:
        """Return a parameter with axes as the input's, broadcastable along the normalized ones."""
        if self.full:
            pattern = list(parameter.type.broadcastable)
            for axis in self.axes:
                pattern[axis] = True
            return shaping.pattern_broadcast(parameter, pattern)
        order: list[Any] = ["x"] * self.ndim
        for position, axis in enumerate(self.rest):
            order[axis] = position
        return dimshuffle(parameter, order)

    def gathered(self, statistic: TensorLike) -> Any:
        """Return a statistic in the form of the parameters."""
        return statistic if self.full else dimshuffle(statistic, self.rest)


def batch_normalization_train(
    inputs: TensorLike,
    gamma: TensorLike,
    beta: TensorLike,
    axes: Sequence[int] | str = "per-activation",
    epsilon: TensorLike = 1e-4,
    running_average_factor: TensorLike = 0.1,
    running_mean: TensorLike | None = None,
    running_var: TensorLike | None = None,
) -> tuple[Any, ...]:
    """Normalize a batch by its own statistics.

    Parameters
    ----------
    inputs : tensor
    gamma, beta : tensor
        Scale and shift: one number for each position along the axes that are not normalized, or of
        the rank of `inputs`.
    axes : {'per-activation', 'spatial'} or sequence of int
        What statistics are taken over: the first axis; all but the second; or these axes.
    epsilon : float
        Added to the variance; at least 1e-5.
    running_average_factor : float
        Share of the new statistics in the running ones.
    running_mean, running_var : tensor, optional
        Running statistics, in the form of `gamma`; both or neither.

    Returns
    -------
    tuple of TensorVariable
        The normalized batch, its mean, and 1 / sqrt(variance + epsilon); with running statistics
        also their new values (the variance without bias).

    Raises
    ------
    ValueError
        The parameters do not fit, or `epsilon` is too small.

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> scale, shift = T.dvector("scale"), T.dvector("shift")
    >>> out, mean, inverse_std = T.nnet.bn.batch_normalization_train(x, scale, shift)
    >>> f = theano.function([x, scale, shift], out)
    >>> f([[1.0, 2.0], [3.0, 6.0]], [1.0, 2.0], [0.0, 1.0]).round(3)
    array([[-1., -1.],
           [ 1.,  3.]])
    """
    x, gamma, beta = (as_tensor_variable(v) for v in (inputs, gamma, beta))
    layout = _Layout(x, axes, epsilon, (gamma, beta))
    if (running_mean is None) != (running_var is None):
        raise ValueError("running_mean and running_var must either both be given or both be None")
    running = [as_tensor_variable(v) for v in (running_mean, running_var) if v is not None]
    if any(v.type.ndim != gamma.type.ndim for v in running):
        raise ValueError(
            "running_mean and running_var must have as many dimensions as gamma and beta, "
            f"{gamma.type.ndim}; got {' and '.join(str(v.type.ndim) for v in running)}"
        )
    if running:
        running.append(cast(as_tensor_variable(running_average_factor), config.floatX))
    out, mean, inverse, var, *old = batch_norm(
        x, layout.spread(gamma), layout.spread(beta), epsilon, layout.axes, running
    )
    results = [out, layout.gathered(mean), layout.gathered(inverse)]
    if not old:
        return tuple(results)
    *old, share = old
    shape = [shaping.length(x, axis) for axis in layout.axes]
    count = cast(as_tensor_variable(as_int64(product(shape))), config.floatX)
    whole = mul(layout.gathered(var), true_div(count, sub(count, 1)))
    for before, new in zip(old, (layout.gathered(mean), whole), strict=True):
        value = add(mul(before, sub(np.asarray(1, "int8"), share)), mul(new, share))
        type_ = before.type
        results.append(shaping.pattern_broadcast(cast(value, type_.dtype), type_.broadcastable))
    return tuple(results)


def batch_norm(
    x: Any, scale: Any, bias: Any, epsilon: Any, axes: Sequence[int], running: Sequence[Any] = ()
) -> list[Any]:
    """Return a normalized batch, its mean, 1 / sqrt(variance + epsilon) and the variance.

    Running statistics and their factor pass through the operation as they are: a shared variable
    that is one of them belongs to each function of the batch, which computes its `default_update`.
    """
    dtype = r.var(x, axes, keepdims=True).type.dtype
    outside = [x, scale, bias, cast(as_tensor_variable(epsilon), dtype), *running]

    def build(batch: Variable, gamma: Variable, beta: Variable, *rest: Variable) -> list[Any]:
        least, *passed = rest
        mean, var = (f(batch, axes, keepdims=True) for f in (r.mean, r.var))
        inverse = reciprocal(sqrt(add(var, least)))
        out = add(mul(sub(batch, mean), mul(gamma, inverse)), beta)
        return [out, mean, inverse, var, *passed]

    return BatchNorm(body_over(outside, build), axes)(*outside, return_list=True)


def batch_normalization_test(
    inputs: TensorLike,
    gamma: TensorLike,
    beta: TensorLike,
    mean: TensorLike,
    var: TensorLike,
    axes: Sequence[int] | str = "per-activation",
    epsilon: TensorLike = 1e-4,
) -> Any:
    """Normalize a batch by given statistics; parameters as for `batch_normalization_train`.

    Parameters
    ----------
    inputs : tensor
    gamma, beta : tensor
        The scale and the offset.
    mean, var : tensor
        Statistics of the data.
    axes : {'per-activation', 'spatial'} or sequence of int
        Axes that the statistics do not have.
    epsilon : float
        Added to `var`.

    Returns
    -------
    tensor, as `inputs`

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> one = np.ones(1)
    >>> y = T.nnet.bn.batch_normalization_test(x, one, 0 * one, 2 * one, 4 * one)
    >>> y.eval({x: [[4.0, 0.0]]}).round(3)
    array([[ 1., -1.]])
    """
    x = as_tensor_variable(inputs)
    parameters = [as_tensor_variable(v) for v in (gamma, beta, mean, var)]
    layout = _Layout(x, axes, epsilon, parameters)
    gamma, beta, mean, variance = (layout.spread(p) for p in parameters)
    spread = sqrt(add(variance, cast(as_tensor_variable(epsilon), variance.type.dtype)))
    return add(true_div(mul(sub(x, mean), gamma), spread), beta)


explain_functions(globals())
