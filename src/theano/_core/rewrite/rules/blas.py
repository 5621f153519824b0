"""Products that absorb the scaling and the sum around them: one BLAS call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.broadcasting import known_value
from theano._core.ops.array.products import Dot, Gemm, dot, gemm
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.array.shaping import Reshape, reshape_op
from theano._core.ops.core.dimshuffle import (
    DimShuffle,
    dimshuffle,
    matrix_transpose,
    transpose_of,
)
from theano._core.ops.core.op import as_variable
from theano._core.ops.elementwise.arithmetic import add, mul, neg, sub
from theano._core.ops.elementwise.elementwise import Elementwise
from theano._core.ops.linalg.matrices import SymmetricProduct
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Rules

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike

RULES = Rules("blas")
rule = RULES.rule
# Products added to each other that another sum is carried below, to the one that is computed first.
# Carrying it further would take time with the square of their number.
MOST_PRODUCTS = 4
# A sum of a matrix and its transpose costs about as much as a product with so many columns.
MANY_COLUMNS = 32
# Terms of a product with a vector that a loop adds up.
FEW_TERMS = 4
LAPACK_DTYPES = ("float32", "float64", "complex64", "complex128")


def _scaled(value: Variable, uses: dict[Variable, int], dtype: str) -> tuple[Any, Any] | None:
    """Return (scalar factor, node) if `value` is a scaled dot or gemm used only here, else None."""
    node = value.owner
    if node is None or uses.get(value, 0) > 1 or value.type.dtype != dtype:
        return None
    if isinstance(node.op, (Dot, Gemm)):
        return _one(dtype), node
    if node.op is neg:
        inner = _scaled(node.inputs[0], uses, dtype)
        return None if inner is None else (neg(inner[0]), inner[1])
    if node.op is not mul:
        return None
    for index, factor in enumerate(node.inputs):
        other = node.inputs[1 - index]
        if all(factor.type.broadcastable) and not all(other.type.broadcastable):
            inner = _scaled(other, uses, dtype)
            if inner is not None:
                return mul(_scalar(factor, dtype), inner[0]), inner[1]
    return None


def _one(dtype: str) -> Any:
    return np.ones((), dtype=dtype)


def _scalar(value: Variable, dtype: str) -> Any:
    constant = known_value(value)
    if constant is not None:
        return np.asarray(constant, dtype=dtype)
    return dimshuffle(value, ())


def _scaled_array(value: Variable, dtype: str) -> tuple[Any, Any]:
    """Return (scalar factor, array) with `value` = factor * array."""
    node = value.owner
    if node is not None and node.op is mul and value.type.dtype == dtype:
        for index, factor in enumerate(node.inputs):
            other = node.inputs[1 - index]
            if all(factor.type.broadcastable) and other.type == value.type:
                return _scalar(factor, dtype), other
    return _one(dtype), value


def _turned(value: Any) -> Any:
    """Return the transpose of a matrix: what it is the transpose of, if it is one."""
    whole = transpose_of(value)
    return matrix_transpose(value) if whole is None else whole


def _factors(value: Variable, uses: dict[Variable, int]) -> tuple[Any, Any] | None:
    """Return the factors of a product of matrices, or of its transpose, that is used only here."""
    if value.type.ndim != 2 or uses.get(value, 0) > 1:
        return None
    if made_by(value, Dot):
        return value.owner.inputs[0], value.owner.inputs[1]
    whole = transpose_of(value)
    inner = None if whole is None else _factors(whole, uses)
    return None if inner is None else (_turned(inner[1]), _turned(inner[0]))


@rule(
    "dot(x, y).T → dot(y.T, x.T)",
    on=DimShuffle,
    phase="canonical",
    keeps="rounding",
    why="sums take it in, as gradients of weights that are multiplied as w.T",
)
def _transpose_of_product(rewriter: Rewriter, node: Apply) -> Any:
    product = transpose_of(node.outputs[0])
    factors = None if product is None else _factors(product, rewriter.uses)
    return None if factors is None else dot(_turned(factors[1]), _turned(factors[0]))


@rule(
    "dot(x, y) + dot(x.T, y) → dot(x + x.T, y)",
    on=(add,),
    why="one product instead of two, where they have many columns: a sum of matrices costs as much "
    "as a product with thirty",
)
def _product_of_sum(rewriter: Rewriter, node: Apply) -> Any:
    one, two = (_factors(value, rewriter.uses) for value in node.inputs)
    if one is None or two is None:
        return None
    for left, right in ((one, two), (two, one)):
        if _same(left[1], right[1]) and _is_turned(right[0], left[0]):
            return _with_symmetric(rewriter, left[0], left[1], False)
        if _same(left[0], right[0]) and _is_turned(right[1], left[1]):
            return _with_symmetric(rewriter, left[1], left[0], True)
    return None


def _with_symmetric(rewriter: Rewriter, x: Variable, y: Variable, on_right: bool) -> Any:
    """Return (x + x.T) y, or y (x + x.T); None where two products cost less."""
    width = rewriter.shape(y)[0 if on_right else 1]
    if isinstance(width, int) and width < MANY_COLUMNS:
        return None
    if isinstance(width, int) or any(width is n for n in rewriter.shape(x)):
        whole = add(x, _turned(x))
        return dot(y, whole) if on_right else dot(whole, y)
    if x.type.dtype in LAPACK_DTYPES and x.type.dtype == y.type.dtype:
        # How many columns there are is seen when it runs.
        return SymmetricProduct(on_right)(x, y)
    return None


@rule(
    "dot(x, few items) → sum(x few items)",
    on=Dot,
    why="a loop, which other loops join; a vector of so few terms is mostly empty",
)
def _product_of_few_terms(rewriter: Rewriter, node: Apply) -> Any:
    x, y = node.inputs
    dtype, column = node.outputs[0].type.dtype, y.type.ndim == 2
    if x.type.ndim != 2 or dtype not in ("float32", "float64"):
        return None
    if column and not y.type.broadcastable[1]:
        return None
    terms, single = rewriter.shape(y)[0], x.type.broadcastable[1] or y.type.broadcastable[0]
    if single or not isinstance(terms, int) or not 1 < terms <= FEW_TERMS:
        return None
    whole = x
    # Pixels of an image, say: its other axes are joined for a product of matrices only.
    if made_by(x, Reshape) and x.owner.inputs[0].type.ndim > 2:
        inner = x.owner.inputs[0]
        if rewriter.shape(inner)[-1] is rewriter.shape(x)[1] and not inner.type.broadcastable[-1]:
            whole = inner
    rank = whole.type.ndim
    total = Reduction("sum", (rank - 1,), dtype, dtype)(
        mul(whole, dimshuffle(y, [*["x"] * (rank - 1), 0]))
    )
    if whole is not x:
        total = reshape_op(total, [rewriter.shape(x)[0]])
    return dimshuffle(total, [0, "x"]) if column else total


def _same(one: Variable, two: Variable) -> bool:
    """Tell whether two matrices are one, or transposes of one."""
    whole = transpose_of(one)
    return one is two or (whole is not None and whole is transpose_of(two))


def _is_turned(value: Variable, other: Variable) -> bool:
    """Tell whether a matrix is the transpose of another one."""
    return transpose_of(value) is other and value.type == other.type


@rule(
    "beta z + alpha dot(x, y) → gemm",
    on=(add, sub),
    why="one pass over the result instead of three",
)
def _sum_with_product(rewriter: Rewriter, node: Apply) -> Any:
    out = node.outputs[0]
    dtype = out.type.dtype
    if not (dtypes.is_float(dtype) or dtypes.is_complex(dtype)) or out.type.ndim == 0:
        return None
    for index in (1, 0):
        scaled = _scaled(node.inputs[index], rewriter.uses, dtype)
        z = node.inputs[1 - index]
        if scaled is None or z.type != out.type:
            continue
        alpha, product = scaled
        if product.outputs[0].type != out.type:
            continue
        beta, z = _scaled_array(z, dtype)
        if made_by(z, Elementwise) and rewriter.uses.get(z, 0) <= 1:
            # A loop makes it, which can as well add the product, and go on from there.
            continue
        if node.op is sub:
            alpha, beta = (neg(alpha), beta) if index == 1 else (alpha, neg(beta))
        if isinstance(product.op, Dot):
            return gemm(z, alpha, *product.inputs, beta)
        if _few_products(product, rewriter.uses):
            return _around_gemm(z, beta, alpha, product)
    return None


def _few_products(node: Apply, uses: dict[Variable, int]) -> bool:
    """Tell whether the sum of products that ends with `node` is short."""
    for _ in range(MOST_PRODUCTS):
        value = node.inputs[0]
        scaled = _scaled(value, uses, value.type.dtype) if isinstance(node.op, Gemm) else None
        if scaled is None:
            return True
        node = scaled[1]
    return False


def _around_gemm(z: Variable, beta: TensorLike, factor: TensorLike, product: Apply) -> Any:
    """Beta z + factor gemm(…) → one gemm."""
    inner_z, alpha, x, y, inner_beta = product.inputs
    alpha, inner_beta = mul(factor, alpha), mul(factor, inner_beta)
    if inner_z is z:
        return gemm(z, alpha, x, y, add(beta, inner_beta))
    pattern = ["x"] * z.type.ndim
    scaled = add(
        mul(dimshuffle(as_variable(beta), pattern), z),
        mul(dimshuffle(inner_beta, pattern), inner_z),
    )
    return gemm(scaled, alpha, x, y, _one(z.type.dtype))
