"""Sums of scaled matrices, and what else `theano.tensor.blas` looked for to call BLAS."""

from __future__ import annotations

from typing import Any

import numpy as np

from theano._core.api.array.creation import zeros_like
from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Variable
from theano._core.legacy.ops import blas_ops
from theano._core.legacy.optimizers.local_optimizers import local_optimizer
from theano._core.ops.array.broadcasting import known_value
from theano._core.ops.array.products import Gemm
from theano._core.ops.core.dimshuffle import DimShuffle, dimshuffle
from theano._core.ops.core.op import Op
from theano._core.ops.elementwise.arithmetic import add, mul, neg, sub
from theano._core.ops.elementwise.elementwise import cast

_FLOATS = ("float16", "float32", "float64")
Scaled = list[tuple[Any, Any]]


def res_is_a(var: Variable, op: Op, maxclients: int | None = None) -> bool:
    """Tell whether a variable is made by an operation, and few nodes use it."""
    few = maxclients is None or len(getattr(var, "clients", ())) <= maxclients
    return few and var.owner is not None and var.owner.op == op


def _as_scalar(res: Variable, dtype: str | None = None) -> Any:
    """Return what has one item without its axes, as `dtype` if that holds it; None for others."""
    if not all(res.type.broadcastable):
        return None
    while made_by(res, DimShuffle) is not None:
        res = res.owner.inputs[0]
    if not all(res.type.broadcastable):
        return None
    if res.type.ndim:
        res = dimshuffle(res, ())
    if dtype is None or res.type.dtype == dtype:
        return res
    fits = np.promote_types(res.type.dtype, dtype) == dtype
    return cast(res, dtype) if fits else None


def _is_real_matrix(res: Variable) -> bool:
    return res.type.dtype in _FLOATS and res.type.broadcastable == (False, False)


def _is_real_vector(res: Variable) -> bool:
    return res.type.dtype in _FLOATS and res.type.broadcastable == (False,)


def _times(scale: Any, thing: Variable) -> Any:
    if isinstance(scale, (int, float)) and scale in {1, -1}:
        return thing if scale == 1 else neg(thing)
    return scale * thing


def _negated(scale: Any) -> Any:
    return -scale if isinstance(scale, (int, float)) else neg(scale)


def _gemm_canonicalize(r: Variable, scale: Any, rval: Scaled, maxclients: int) -> Scaled | None:
    """Append the terms of a sum of matrices and vectors to `rval`, each beside its scale.

    Terms that more than `maxclients` nodes use stay whole. None: `r` is no matrix of real numbers.
    """
    if r.type.ndim not in {1, 2} or r.type.dtype not in (*_FLOATS, "complex64", "complex128"):
        rval.append((scale, r))
        return rval
    node = None
    if not maxclients or len(getattr(r, "clients", ())) <= maxclients:
        node = made_by(r, add, sub, neg, mul)
    if node is None:
        rval.append((scale, r))
    elif node.op is mul:
        _append_product(r, node, scale, rval)
    else:
        other = _negated(scale)
        first = other if node.op is neg else scale
        scales = (first, other if node.op is sub else scale)
        for term, own in zip(node.inputs, scales, strict=False):
            _gemm_canonicalize(term, own, rval, 1)
    return rval


def _append_product(r: Variable, node: Apply, scale: Any, rval: Scaled) -> None:
    scalars = [_as_scalar(factor) for factor in node.inputs]
    wholes = [v for v, number in zip(node.inputs, scalars, strict=True) if number is None]
    numbers = [number for number in scalars if number is not None]
    if len(wholes) != 1 or not numbers:
        rval.append((scale, r))
        return
    for number in numbers:
        scale = _times(scale, number)
    _gemm_canonicalize(wholes[0], scale, rval, 1)


def _factor_canonicalized(lst: Scaled) -> Scaled:
    """Return terms with those of the same matrix added."""
    totals: dict[Any, Any] = {}
    for scale, term in lst:
        totals[term] = totals[term] + scale if term in totals else scale
    return [(scale, term) for term, scale in totals.items()]


def _vector_of(matrix: Variable, axis: int) -> Any:
    return dimshuffle(matrix, (1 - axis,))


@local_optimizer([Gemm])
def local_gemm_to_ger(node: Apply) -> Any:
    """Add an outer product where a product is of a column and a row, and nothing is scaled."""
    z, alpha, x, y, beta = node.inputs
    outer = x.type.broadcastable[1] and y.type.broadcastable[0]
    kept = known_value(beta)
    if not outer or kept not in {0, 1}:
        return False
    z = z if kept == 1 else zeros_like(z)
    return [blas_ops.ger(z, alpha, _vector_of(x, 1), _vector_of(y, 0))]


def _factors(value: Variable) -> list[Any]:
    node = made_by(value, mul)
    return [value] if node is None else [f for v in node.inputs for f in _factors(v)]


@local_optimizer([mul])
def local_dot22_to_dot22scalar(node: Apply) -> Any:
    """Scale a product of matrices by the first of its factors that is one number."""
    factors = [f for v in node.inputs for f in _factors(v)]
    products = [f for f in factors if f.owner is not None and f.owner.op == blas_ops._dot22]
    for product in products:
        for factor in factors:
            scale = _as_scalar(factor, product.type.dtype)
            if scale is None:
                continue
            value = blas_ops._dot22scalar(*product.owner.inputs, scale)
            for other in factors:
                if other is not product and other is not factor:
                    value = mul(value, other)
            return [value]
    return False
