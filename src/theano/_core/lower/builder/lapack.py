"""Calls of LAPACK: one routine for each matrix of a stack."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from theano._core.base.dtypes import typenum
from theano._core.ir.variable import Apply, Variable
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import copies, libraries
from theano._core.lower.builder.core import Core
from theano._core.lower.builder.lapack_work import RIGHT_SIDES

# In the order of runtime/include/theano_runtime.h; routine → what it reports of a matrix that has
# no result.
ROUTINES = {
    "cholesky": "not_positive",
    "solve": "singular",
    "solve_triangular": "singular",
    "solve_positive": "not_positive",
    "inverse": "singular",
    "det": "singular",
    "slogdet": "singular",
    "lu": "singular",
    "eigh": "no_eigenvalues",
    "svd": "no_singular_values",
    "qr": "singular",
    "factor": "singular",
    "factor_solve": "singular",
    "factor_inverse": "singular",
    "factor_det": "singular",
    "factor_slogdet": "singular",
    "factor_adjugate": "singular",
    "pinv": "no_singular_values",
    "cholesky_tangent": "singular",
    "eig": "no_eigenvectors",
    "expm": "singular",
    "expm_tangent": "singular",
    "qr_raw": "singular",
    "cholesky_cotangent": "singular",
    "symmetric_product": "singular",
    "product_symmetric": "singular",
}
# In the order of runtime/include/theano_runtime.h.
ALONG = {"sort": 0, "argsort": 3, "cumsum": 6, "cumprod": 7, "argsort_rows": 8}
NUMBERS = {name: index for index, name in enumerate(ROUTINES)}
FLAGS = {name: 1 << bit for bit, name in enumerate(("lower", "nan", "vectors", "full", "adjoint"))}
PRODUCTS = ("symmetric_product", "product_symmetric")
# Those that take any matrix; the others need a square one.
RECTANGULAR = ("lu", "svd", "qr", "qr_raw", "pinv")
# Those whose operands have one shape.
OF_ONE_SHAPE = ("cholesky_tangent", "cholesky_cotangent", "expm_tangent")


def lapack(
    p: Core,
    node: Apply,
    routine: str,
    flags: Sequence[str],
    arrays: Sequence[Array],
    cores: Sequence[int],
) -> list[Array]:
    """Return what a routine makes of the stacks `arrays`; see `ops.linalg_base.MatrixOp`."""
    _check_matrices(p, node, routine, arrays, cores)
    outs = [_written(p, out) for out in node.outputs]
    words: list[Size] = []
    for array, core in zip([*arrays, *outs], cores, strict=True):
        words += [p.descriptor(array), array.ndim, core]
    operands = p.listed(words)
    work = p.product([*arrays[0].shape, arrays[0].shape[-1]])
    libraries.release_if_long(p, work)
    facts = p.stack(16)
    number = sum(FLAGS[flag] for flag in flags)
    kind = typenum(arrays[0].dtype)
    got = p.call("lapack", NUMBERS[routine], kind, number, len(cores), operands, facts)
    p.or_no_memory(p.let("ge", got, 0, type="int32"))
    numbers = [p.load(p.let("word", facts, i), "int64").name for i in range(2)]
    p.check(node, p.let("eq", got, 0, type="int32"), ROUTINES[routine], numbers)
    return outs


def _written(p: Core, variable: Variable) -> Array:
    return p.memory_for(variable, [p.size(n) for n in p.rewriter.shape(variable)])


def along(p: Core, node: Apply, operation: str, x: Array, axis: int, kind: int = 0) -> Array:
    """Return what an operation of `ALONG` makes of `x` along an axis.

    `kind` is NumPy's number of a way to sort.
    """
    out = _written(p, node.outputs[0])
    work = p.product([*x.shape, 16])
    libraries.release_if_long(p, work)
    at = p.frame_pointer(p.descriptor(x))
    number = ALONG[operation] + kind
    p.call_or_no_memory("along", number, typenum(x.dtype), x.ndim, axis, p.pointer(out), at)
    return out


def select(p: Core, node: Apply, x: Array, axis: int, first: Size, count: Size) -> Array:
    """Return `count` positions from `first` on of the order of `x` along an axis."""
    n = x.shape[axis]
    p.check_least(node, first, 0, "index", (first, axis, n))
    end = p.let("add", first, count)
    # INVARIANT: the difference of two lengths does not overflow, as their sum may.
    p.check(node, p.let("le", count, p.let("sub", n, first)), "index", (end, axis, n))
    out = _written(p, node.outputs[0])
    libraries.release_if_long(p, p.product([*x.shape, 16]))
    at = p.frame_pointer(p.descriptor(x))
    kind = typenum(x.dtype)
    p.call_or_no_memory("select", kind, x.ndim, axis, first, count, p.pointer(out), at)
    return out


def search(p: Core, node: Apply, x: Array, v: Array, right: bool) -> Array:
    """Return where the items of `v` belong in the sorted vector `x`, of the same dtype."""
    out, v = _written(p, node.outputs[0]), copies.contiguous(p, v)
    count, step = p.product(v.shape), p.strides(x)[0]
    sorted_items, wanted = p.pointer(x), p.pointer(v)
    kind = typenum(x.dtype)
    p.call_or_no_memory(
        "search", int(right), kind, x.shape[0], step, sorted_items, count, wanted, out.data
    )
    return out


def _check_matrices(
    p: Core, node: Apply, routine: str, arrays: Sequence[Array], cores: Sequence[int]
) -> None:
    first = arrays[0]
    rows, columns = first.shape[-2:]
    if routine not in RECTANGULAR:
        p.check_equal(node, rows, columns, "not_square", (rows, columns))
    right = RIGHT_SIDES.get(routine)
    if right is None:
        if routine in OF_ONE_SHAPE:
            _check_shapes(p, node, arrays, range(first.ndim))
        return
    other = arrays[right]
    wanted: Size = other.shape[-1 if routine == "product_symmetric" else -cores[right]]
    fault = "matmul" if routine in PRODUCTS else "solve_rows"
    p.check_equal(node, columns, wanted, fault, (columns, wanted))
    _check_shapes(p, node, arrays, range(first.ndim - 2), right)


def _check_shapes(
    p: Core, node: Apply, arrays: Sequence[Array], axes: Iterable[int], right: int = 1
) -> None:
    """Check that the first operand and another have equal lengths, or one broadcasts."""
    patterns = [node.inputs[i].type.broadcastable for i in (0, right)]
    for axis in axes:
        if not any(pattern[axis] for pattern in patterns):
            one, two = arrays[0].shape[axis], arrays[right].shape[axis]
            p.check_equal(node, one, two, "elementwise", (0, axis, one, right, two))
