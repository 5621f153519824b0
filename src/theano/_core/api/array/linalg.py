"""Functions of matrices and stacks of matrices, as users call them."""

from __future__ import annotations

import functools
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.array.products import diag as diag_of_tensor, diagonal, dot, matmul
from theano._core.api.conversion import as_tensor_variable
from theano._core.base.near_misses import explain_functions
from theano._core.ir.variable import Variable
from theano._core.ops.array import shaping
from theano._core.ops.array.broadcasting import alloc
from theano._core.ops.array.creation import identity_matrix, iota
from theano._core.ops.array.dims import product
from theano._core.ops.array.indexing import scatter_set
from theano._core.ops.array.reductions import reduce
from theano._core.ops.control.inner_graph import Maker, WholeByName
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.elementwise.arithmetic import abs_, neq, sqr
from theano._core.ops.elementwise.transcendental import pow, sqrt
from theano._core.ops.linalg.factors import QR, QRRaw, lu_factor, permutation_matrix
from theano._core.ops.linalg.matrices import (
    hermitian,
    matrix_operand,
    on_diagonal,
    real_part,
    triangle,
)
from theano._core.ops.linalg.spectra import SVD, Eigh
from theano._core.ops.linalg.systems import cholesky, matrix_inverse, solve_lower_triangular

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable


def svd(a: TensorLike, full_matrices: TensorLike = 1, compute_uv: TensorLike = 1) -> Any:
    """Return the singular value decomposition A = U diag(s) V^H.

    Parameters
    ----------
    a : tensor, shape (..., m, n)
    full_matrices : bool
        Whether U has shape (..., m, m) and V^H (..., n, n), or (..., m, k) and (..., k, n), with
        k = min(m, n).
    compute_uv : bool
        Whether to return U and V^H too.

    Returns
    -------
    U, s, V^H : list of TensorVariable; or s alone, descending, shape (..., k)

    Raises
    ------
    LinAlgError
        The iteration did not converge.

    Notes
    -----
    Theano 1.0.5 had no gradient. With `full_matrices`, U and V^H have one where m = n.

    Examples
    --------
    >>> from theano.tensor import nlinalg
    >>> x = T.dmatrix("x")
    >>> u, s, vt = nlinalg.svd(x)
    >>> s.eval({x: [[3.0, 0.0], [0.0, 4.0]]})
    array([4., 3.])
    """
    return SVD(bool(full_matrices), bool(compute_uv))(a)


def qr(a: TensorLike, mode: str = "reduced") -> Any:
    """Return Q and R with A = Q R, Q's columns orthonormal and R upper triangular.

    Parameters
    ----------
    a : tensor, shape (..., m, n)
    mode : {'reduced', 'complete', 'r', 'raw'}
        Q of shape (..., m, min(m, n)); Q of shape (..., m, m); only R; what LAPACK's geqrf leaves.
        'full' and 'economic' are old names of 'reduced' and 'r'.

    Returns
    -------
    Q, R : list of TensorVariable, or R alone
        With 'raw', h of shape (..., n, m) and tau of shape (..., min(m, n)); see `numpy.linalg.qr`.

    Examples
    --------
    >>> from theano.tensor import nlinalg
    >>> x = T.dmatrix("x")
    >>> q, r = nlinalg.qr(x)
    >>> abs(r).eval({x: [[3.0, 0.0], [4.0, 5.0]]}).round(6)
    array([[5., 4.],
           [0., 3.]])
    """
    if mode == "raw":
        return QRRaw()(a)
    old = {"full": "reduced", "f": "reduced", "economic": "r", "e": "r"}
    return QR(old.get(mode, mode))(a)


def lu(a: TensorLike, permute_l: bool = False) -> list[Any]:
    """Return P, L and U with A = P L U, or P L and U.

    Parameters
    ----------
    a : tensor, shape (..., m, n)
    permute_l : bool
        Whether to return the product P L instead of both.

    Returns
    -------
    list of TensorVariable
        P, a permutation, shape (..., m, m); L, unit lower triangular, shape (..., m, k); U, upper
        triangular, shape (..., k, n); k = min(m, n).

    Notes
    -----
    The gradient is that of square matrices.

    Examples
    --------
    >>> a = T.dmatrix("a")
    >>> P, L, U = theano.function([a], T.slinalg.lu(a))([[0.0, 1.0], [2.0, 3.0]])
    >>> (P @ L @ U).tolist()
    [[0.0, 1.0], [2.0, 3.0]]
    """
    lower, upper, rows = lu_factor(a)
    permutation = permutation_matrix(rows, lower.type.dtype)
    if permute_l:
        return [matmul(permutation, lower), upper]
    return [permutation, lower, upper]


def eigh(a: TensorLike, UPLO: str = "L") -> list[TensorVariable]:
    """Return the eigenvalues, ascending, and eigenvectors (columns) of a Hermitian matrix.

    Parameters
    ----------
    a : tensor, shape (..., n, n)
    UPLO : {'L', 'U'}
        The triangle that is read; only it has a gradient.

    Returns
    -------
    list of a vector and a matrix
        Rising eigenvalues, and eigenvectors as columns.

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> values, vectors = T.nlinalg.eigh(x)
    >>> values.eval({x: [[2.0, 0.0], [0.0, 1.0]]})
    array([1., 2.])
    """
    return Eigh(UPLO)(a)


def eigvalsh(a: object, b: TensorLike | None = None, lower: bool = True) -> TensorVariable:
    """Return the eigenvalues, ascending, of a Hermitian matrix, or of the pair A v = w B v.

    Parameters
    ----------
    a : tensor, shape (..., n, n)
    b : tensor, shape (..., n, n), or None
        Positive definite; None: the identity.
    lower : bool
        Whether the lower triangles are read, or the upper.

    Returns
    -------
    vector

    Raises
    ------
    LinAlgError
        `b` is not positive definite.

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.slinalg.eigvalsh(x, None).eval({x: [[2.0, 0.0], [0.0, 1.0]]})
    array([1., 2.])
    """
    if b is None or getattr(b, "data", b) is None:
        return Eigh("L" if lower else "U", vectors=False)(a)
    a, b = (_from_triangle(matrix_operand("eigvalsh", x), lower) for x in (a, b))
    # B = L L^H: the eigenvalues are those of L^-1 A L^-H.
    factor = cholesky(b)
    half = hermitian(solve_lower_triangular(factor, a))
    return Eigh("L", vectors=False)(solve_lower_triangular(factor, half))


def _from_triangle(x: TensorLike, lower: bool) -> Any:
    strict = triangle(x, lower, strict=True)
    return strict + hermitian(strict) + on_diagonal(real_part(x))


def trace(X: TensorLike) -> TensorVariable:
    """Return the sum of the diagonal of a matrix, or of each matrix of a stack.

    Parameters
    ----------
    X : matrix

    Returns
    -------
    scalar

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.nlinalg.trace(x).eval({x: [[1.0, 2.0], [3.0, 4.0]]})
    array(5.)
    """
    x = as_tensor_variable(X)
    if x.type.ndim < 2:
        raise ValueError(f"trace needs a matrix, got {x.type}")
    items = diagonal(x, 0, x.type.ndim - 2, x.type.ndim - 1)
    return reduce("sum", items, (x.type.ndim - 2,))


def diag(x: TensorLike) -> TensorVariable:
    """Return the matrix with a vector on its diagonal, or the diagonal of a matrix.

    Parameters
    ----------
    x : vector or matrix

    Returns
    -------
    matrix of a vector, vector of a matrix

    Raises
    ------
    TypeError
        `x` is neither a vector nor a matrix.

    Examples
    --------
    >>> T.nlinalg.diag(T.constant([1.0, 2.0])).eval()
    array([[1., 0.],
           [0., 2.]])
    """
    x = as_tensor_variable(x)
    if x.type.ndim not in (1, 2):
        raise TypeError("diag requires vector or matrix argument", x)
    return diag_of_tensor(x)


class ExtractDiag(Maker, metaclass=WholeByName):
    """Takes a diagonal of two axes of an array: `ExtractDiag(offset, axis1, axis2)(x)`.

    Parameters
    ----------
    offset : int
        Distance from the main diagonal, upward.
    axis1, axis2 : int
    view : bool
        Accepted without effect: memory is the engine's affair.
    """

    def __init__(self, offset: int = 0, axis1: int = 0, axis2: int = 1, view: bool = False) -> None:
        self.offset, self.axis1, self.axis2 = index(offset), index(axis1), index(axis2)
        self.view = view

    def __call__(self, x: TensorLike) -> Any:
        """Return the items on the diagonal, as the last axis."""
        x = as_tensor_variable(x)
        if x.type.ndim < 2:
            raise ValueError(f"ExtractDiag needs an input with 2 or more dimensions, got {x.type}")
        return diagonal(x, self.offset, self.axis1, self.axis2)


class AllocDiag(Maker, metaclass=WholeByName):
    """Makes matrices with given diagonals: `AllocDiag(offset, axis1, axis2)(v)`.

    Parameters
    ----------
    offset : int
        Distance from the main diagonal, upward.
    axis1, axis2 : int
        Where the two axes of the matrices come in the result.
    """

    def __init__(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> None:
        self.offset, self.axis1, self.axis2 = index(offset), index(axis1), index(axis2)

    def __call__(self, v: TensorLike) -> Any:
        """Return zeros with the last axis of `v` on the diagonal of two axes."""
        v = as_tensor_variable(v)
        rank = v.type.ndim
        if rank == 0:
            raise ValueError("AllocDiag needs a vector, got a scalar")
        if rank == 1:
            return diag_of_tensor(v, self.offset)
        stack = [shaping.length(v, axis) for axis in range(rank - 1)]
        count = shaping.length(v, rank - 1)
        n = count + abs(self.offset)
        empty = alloc(np.zeros((), dtype=v.type.dtype), n, n, *stack)
        steps = iota(count)
        rows, columns = steps + max(-self.offset, 0), steps + max(self.offset, 0)
        items = dimshuffle(v, [rank - 1, *range(rank - 1)])
        whole = scatter_set(empty, items, rows, columns)
        order: list[int] = list(range(2, rank + 1))
        for place, axis in sorted([(self.axis1, 0), (self.axis2, 1)]):
            order.insert(place, axis)
        return dimshuffle(whole, order)


def matrix_dot(*args: TensorLike) -> TensorVariable:
    """Return the product of several matrices: ``matrix_dot(a, b, c)`` is ``dot(dot(a, b), c)``.

    Parameters
    ----------
    *args : matrix

    Returns
    -------
    matrix

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.nlinalg.matrix_dot(x, x, x).eval({x: [[2.0, 0.0], [0.0, 1.0]]})
    array([[8., 0.],
           [0., 1.]])
    """
    product: Any = functools.reduce(dot, args)
    return product


def matrix_power(M: TensorLike, n: int) -> TensorVariable:
    """Return a square matrix, or each matrix of a stack, to an integer power.

    Parameters
    ----------
    M : tensor, shape (..., m, m)
    n : int
        0 gives the identity, a negative power that of the inverse.

    Returns
    -------
    matrix, or stack of matrices

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.nlinalg.matrix_power(x, 3).eval({x: [[2.0, 0.0], [0.0, 1.0]]})
    array([[8., 0.],
           [0., 1.]])
    """
    n = int(n)
    base = as_tensor_variable(M)
    if n < 0:
        base, n = matrix_inverse(base), -n
    result = None
    while n:
        if n & 1:
            result = base if result is None else matmul(result, base)
        n >>= 1
        if n:
            base = matmul(base, base)
    if result is not None:
        return result
    rows = shaping.length(base, base.type.ndim - 2)
    return base * 0 + identity_matrix(rows, rows, 0, base.type.dtype)


def kron(a: TensorLike, b: TensorLike) -> TensorVariable:
    """Return the Kronecker product, as `scipy.linalg.kron` for matrices.

    Parameters
    ----------
    a, b : tensor
        Together at least three axes.

    Returns
    -------
    TensorVariable, shape (a.shape[0] * b.shape[0], a.shape[1] * b.shape[1]) for matrices

    Raises
    ------
    TypeError
        Together fewer than three axes.

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.kron(x, [[1.0, 10.0]]).eval({x: [[1.0], [2.0]]})
    array([[ 1., 10.],
           [ 2., 20.]])
    """
    a, b = as_tensor_variable(a), as_tensor_variable(b)
    ranks = (a.type.ndim, b.type.ndim)
    if sum(ranks) <= 2:
        raise TypeError(
            f"kron: inputs dimensions must sum to 3 or more. You passed {ranks[0]} and {ranks[1]}."
        )
    total = sum(ranks)
    left = dimshuffle(a, [*range(ranks[0]), *["x"] * ranks[1]])
    right = dimshuffle(b, [*["x"] * ranks[0], *range(ranks[1])])
    shape = [shaping.length(x, axis) for x in (a, b) for axis in range(x.type.ndim)]
    order = [1, 0, 2] if total == 3 else [0, 2, 1, *range(3, total)]
    whole = dimshuffle(left * right, order)
    if total == 3:
        return shaping.reshape_op(whole, [-1])
    ordered = [shape[i] for i in order]
    joined = [product(ordered[:2]), product(ordered[2:4]), *ordered[4:]]
    return shaping.reshape_op(whole, joined)


def norm(x: TensorLike, ord: int | str | None = None) -> TensorVariable:
    """Return a norm of a vector or a matrix.

    Parameters
    ----------
    x : tensor, one or two axes
    ord : None, 'fro', 'nuc', 'inf', '-inf', or number
        As for `numpy.linalg.norm`; infinities may be given as text.

    Returns
    -------
    scalar

    Raises
    ------
    ValueError
        A scalar, or an `ord` that is not one of these.
    NotImplementedError
        More than two axes.

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.nlinalg.norm(x).eval({x: [[3.0, 4.0]]})
    array(5.)
    """
    x = as_tensor_variable(x)
    rank = x.type.ndim
    if rank == 0:
        raise ValueError("'axis' entry is out of bounds: a scalar has no norm.")
    if rank > 2:
        raise NotImplementedError(f"We don't support norm with ndim > 2, got {x.type}")
    if isinstance(ord, (int, float)) and np.isinf(ord):
        ord = "inf" if ord > 0 else "-inf"
    return _vector_norm(x, ord) if rank == 1 else _matrix_norm(x, ord)


def _vector_norm(x: Variable, ord: float | int | str | None) -> Any:
    if ord is None or ord == 2:
        return sqrt(reduce("sum", sqr(abs_(x))))
    if ord in ("inf", "-inf"):
        return reduce("max" if ord == "inf" else "min", abs_(x))
    if isinstance(ord, str):
        raise ValueError(f"Invalid norm order for vectors: {ord!r}.")
    if ord == 0:
        return reduce("sum", neq(x, 0))
    return pow(reduce("sum", pow(abs_(x), ord)), 1.0 / ord)


def _matrix_norm(x: Variable, ord: int | str | None) -> Any:
    if ord is None or ord == "fro":
        return sqrt(reduce("sum", sqr(abs_(x))))
    sums = {"inf": ("max", 1), "-inf": ("min", 1), 1: ("max", 0), -1: ("min", 0)}
    if ord in sums:
        kind, axis = sums[ord]
        return reduce(kind, reduce("sum", abs_(x), (axis,)))
    values = {2: "max", -2: "min", "nuc": "sum"}
    if ord in values:
        return reduce(values[ord], SVD(False, False)(x))
    raise ValueError(f"Invalid norm order for matrices: {ord!r}.")


def psd(v: TensorLike) -> Any:
    """Return `v`, said to be positive semi-definite: solutions do not use it."""
    return as_tensor_variable(v)


def spectral_radius_bound(X: TensorLike, log2_exponent: int) -> Any:
    """Return an upper bound of the largest eigenvalue of a positive semi-definite matrix.

    Parameters
    ----------
    X : tensor, matrix
    log2_exponent : int
        Positive: the bound is the trace of X to the power k, to the power 1/k, k = 2 to the power
        `log2_exponent`. The larger, the tighter.

    Notes
    -----
    V. Pan, "Estimating the extremal eigenvalues of a symmetric matrix", Computers and Mathematics
    with Applications 20 (1990).
    """
    x = as_tensor_variable(X)
    if x.type.ndim != 2:
        raise TypeError("spectral_radius_bound requires a matrix argument", x)
    if not isinstance(log2_exponent, int):
        raise TypeError("spectral_radius_bound requires an integer exponent", log2_exponent)
    if log2_exponent <= 0:
        raise ValueError("spectral_radius_bound requires a positive exponent", log2_exponent)
    whole = matrix_power(x, 2**log2_exponent)
    return pow(trace(whole), 2.0**-log2_exponent)


class Eigvalsh(Maker):
    """`eigvalsh` as an object: `Eigvalsh(lower)(a, b)`."""

    def __init__(self, lower: bool = True) -> None:
        self.lower = lower

    def __call__(self, a: TensorLike, b: TensorLike | None = None) -> Any:
        """Return the eigenvalues."""
        return eigvalsh(a, b, self.lower)


alloc_diag = AllocDiag()
extract_diag = ExtractDiag()


explain_functions(globals())
