"""Operations on sparse matrices, with values, and what they are of dense arrays."""

import numpy as np
import scipy.sparse as sp

import theano.sparse as S
from support.arrays import variable as tensor

FORMATS = ("csr", "csc")
DTYPES = ("float64", "float32", "complex128", "int32", "int8", "uint64")


def some(rows, columns, seed=0):
    """Return a sparse matrix with an empty row and column."""
    rng = np.random.default_rng(seed)
    dense = np.where(rng.random((rows, columns)) < 0.5, rng.integers(1, 9, (rows, columns)) / 4, 0)
    dense[1], dense[:, 2] = 0, 0
    return sp.csr_matrix(dense)


def items(value):
    return value.toarray() if sp.issparse(value) else np.asarray(value)


def variable(value):
    if sp.issparse(value):
        return S.matrix(value.format, dtype=str(value.dtype))
    return tensor(np.asarray(value))


A, B, SQUARE = some(4, 5), some(4, 5, 1), some(5, 5, 2)
D, V, W = np.arange(20.0).reshape(4, 5) / 8, np.arange(1.0, 6) / 4, np.arange(1.0, 5) / 4
LEFT, RIGHT = np.arange(12.0).reshape(3, 4) / 8, np.arange(10.0).reshape(5, 2) / 8

# Name → (function of variables, function of dense arrays, values).
CASES = {
    "neg": (lambda a: -a, np.negative, (A,)),
    "transpose": (lambda a: a.T, np.transpose, (A,)),
    "toarray": (lambda a: a.toarray(), lambda a: a, (A,)),
    "add": (lambda a, b: a + b, np.add, (A, B)),
    "add dense": (lambda a, d: a + d, np.add, (A, D)),
    "dense add": (lambda d, a: d + a, np.add, (D, A)),
    "sub": (lambda a, b: a - b, np.subtract, (A, B)),
    "sub dense": (lambda a, d: a - d, np.subtract, (A, D)),
    "dense sub": (lambda d, a: d - a, np.subtract, (D, A)),
    "add data": (lambda a: S.add_s_s_data(a, a), lambda a: a + a, (A,)),
    "mul": (lambda a, b: a * b, np.multiply, (A, B)),
    "mul dense": (lambda a, d: a * d, np.multiply, (A, D)),
    "dense mul": (lambda d, a: d * a, np.multiply, (D, A)),
    "mul number": (lambda a: a * 2, lambda a: a * 2, (A,)),
    "mul vector": (S.mul_s_v, np.multiply, (A, V)),
    "add vector": (S.structured_add_s_v, lambda a, v: np.where(a, a + v, 0), (A, V)),
    "col_scale": (S.col_scale, np.multiply, (A, V)),
    "row_scale": (S.row_scale, lambda a, w: a * w[:, None], (A, W)),
    "sum": (S.sp_sum, np.sum, (A,)),
    "sum 0": (lambda a: S.sp_sum(a, 0), lambda a: a.sum(0), (A,)),
    "sum 1": (lambda a: a.sum(1), lambda a: a.sum(1), (A,)),
    "dot": (S.dot, np.dot, (A, RIGHT)),
    "dot of dense": (S.dot, np.dot, (LEFT, A)),
    "dot of both": (S.dot, np.dot, (A, SQUARE)),
    "dot vector": (S.dot, np.dot, (A, V)),
    "vector dot": (S.dot, np.dot, (W, A)),
    "matmul": (lambda a, y: a @ y, np.dot, (A, RIGHT)),
    "true_dot": (S.true_dot, np.dot, (A, SQUARE)),
    "true_dot dense": (S.true_dot, np.dot, (A, RIGHT)),
    "dense true_dot": (S.true_dot, np.dot, (LEFT, A)),
    "usmm": (
        lambda a, y, z: S.usmm(0.5, a, y, z),
        lambda a, y, z: 0.5 * a @ y + z,
        (A, RIGHT, D[:, :2]),
    ),
    "sampling_dot": (
        S.sampling_dot,
        lambda x, y, a: a * (x @ y.T),
        (D[:, :3], SQUARE.toarray()[:, :3], A),
    ),
    "diag": (S.diag, np.diag, (SQUARE,)),
    "square_diagonal": (S.square_diagonal, np.diag, (V,)),
    "hstack": (lambda a, b: S.hstack([a, b]), lambda a, b: np.hstack([a, b]), (A, B)),
    "vstack": (lambda a, b: S.vstack([a, b], "csr"), lambda a, b: np.vstack([a, b]), (A, B)),
    "from dense": (S.csr_from_dense, lambda d: d, (D,)),
    "from vector": (S.csc_from_dense, lambda v: v[None], (V,)),
    "rows": (lambda a: a[1:3], lambda a: a[1:3], (A,)),
    "part": (lambda a: a[::2, -3:-1], lambda a: a[::2, -3:-1], (A,)),
    "reversed": (lambda a: a[::-1, ::-2], lambda a: a[::-1, ::-2], (A,)),
    "item": (lambda a: a[0, -1], lambda a: a[0, -1], (A,)),
    "list": (lambda a: a[[2, 0, 2, -1]], lambda a: a[[2, 0, 2, -1]], (A,)),
    "lists": (lambda a: a[[0, 3, 0], [1, -1, 1]], lambda a: a[[0, 3, 0], [1, -1, 1]], (A,)),
    "tanh": (S.tanh, np.tanh, (A,)),
    "pow": (lambda a: S.structured_pow(a, 2), np.square, (A,)),
    "exp": (S.structured_exp, lambda a: np.where(a, np.exp(a), 0), (A,)),
    "chain": (lambda a: S.sqr(S.sin(S.tanh(a * 2))), lambda a: np.sin(np.tanh(2 * a)) ** 2, (A,)),
    "clean": (S.clean, lambda a: a, (A,)),
    "from rows": (
        lambda d, r: S.construct_sparse_from_list(d, r, [3, 1]),
        lambda d, r: np.stack([0 * r[0], r[1], 0 * r[0], r[0]]),
        (D, D[:2]),
    ),
    "items": (S.csm_data, lambda a: a[a != 0], (A,)),
}  # fmt: skip
