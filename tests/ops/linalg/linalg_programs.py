"""Programs of linear algebra that have derivatives, with arguments far from singular."""

from collections.abc import Callable

import numpy as np

from theano.tensor import nlinalg as nl, slinalg as sl

rng = np.random.default_rng(5)


def random(*shape, dtype="float64"):
    real = rng.normal(size=shape)
    return real if dtype == "float64" else real + 1j * rng.normal(size=shape)


def positive(*shape, dtype="float64"):
    a = random(*shape, dtype=dtype)
    return a @ np.conj(np.swapaxes(a, -1, -2)) + np.eye(shape[-1])


def well(*shape, dtype="float64"):
    """Matrices far from singular, with eigenvalues apart."""
    return random(*shape, dtype=dtype) + np.diag(3.0 * np.arange(1, shape[-1] + 1))


def real_eigenvalues(n):
    v = random(n, n) + 2 * np.eye(n)
    return v @ np.diag(np.arange(1.0, n + 1)) @ np.linalg.inv(v)


# name: (what, makers of its arguments)
Maker = Callable[..., np.ndarray]
CASES = {
    "cholesky": (sl.cholesky, (positive(3, 3),)),
    "cholesky of a stack": (sl.cholesky, (positive(2, 3, 3),)),
    "cholesky upper": (sl.Cholesky(lower=False), (positive(3, 3),)),
    "solve": (sl.solve, (well(3, 3), random(3, 2))),
    "solve vector": (sl.solve, (well(3, 3), random(3))),
    "solve stack": (sl.solve, (well(2, 3, 3), random(2, 3, 2))),
    "solve stack of vector": (sl.solve, (well(2, 3, 3), random(3))),
    "solve stack of matrix": (sl.solve, (well(2, 3, 3), random(3, 2))),
    "solve one matrix, stack": (sl.solve, (well(3, 3), random(2, 3, 2))),
    "solve lower": (sl.solve_lower_triangular, (well(3, 3), random(3, 2))),
    "solve upper vector": (sl.solve_upper_triangular, (well(3, 3), random(3))),
    "solve positive": (sl.solve_positive_definite, (positive(3, 3), random(3, 2))),
    "solve positive upper": (sl.Solve("positive_definite"), (positive(3, 3), random(3))),
    "inverse": (nl.matrix_inverse, (well(3, 3),)),
    "inverse of a stack": (nl.matrix_inverse, (well(2, 2, 3, 3),)),
    "det": (nl.det, (well(3, 3),)),
    "det of a stack": (nl.det, (well(2, 3, 3),)),
    "logdet": (lambda x: nl.slogdet(x)[1], (well(3, 3),)),
    "lu": (lambda x: sl.lu(x)[1:], (well(3, 3),)),
    "lu of a stack": (lambda x: sl.lu(x)[1:], (well(2, 3, 3),)),
    "eigh": (nl.eigh, (positive(3, 3),)),
    "eigh upper, stack": (lambda x: nl.eigh(x, "U"), (positive(2, 3, 3),)),
    "eigvalsh": (sl.eigvalsh, (positive(3, 3),)),
    "eigvalsh of a pair": (sl.eigvalsh, (positive(3, 3), positive(3, 3))),
    "eigvalsh upper": (lambda a, b: sl.eigvalsh(a, b, False), (positive(3, 3), positive(3, 3))),
    "eig": (nl.eig, (real_eigenvalues(3),)),
    "svd": (nl.svd, (random(3, 3),)),
    "svd tall": (lambda x: nl.svd(x, 0), (random(4, 3),)),
    "svd wide": (lambda x: nl.svd(x, 0), (random(3, 4),)),
    "svd of a stack": (lambda x: nl.svd(x, 0), (random(2, 3, 2),)),
    "singular values": (lambda x: nl.svd(x, 1, 0), (random(3, 4),)),
    "qr": (nl.qr, (random(3, 3),)),
    "qr tall": (nl.qr, (random(4, 3),)),
    "qr wide": (nl.qr, (random(2, 4),)),
    "qr of a stack": (nl.qr, (random(2, 3, 2),)),
    "qr complete": (lambda x: nl.qr(x, "complete"), (random(3, 4),)),
    "r": (lambda x: nl.qr(x, "r"), (random(4, 3),)),
    "pinv": (nl.pinv, (random(4, 3),)),
    "pinv wide": (nl.pinv, (random(2, 3, 4),)),
    "lstsq": (lambda a, b: nl.lstsq()(a, b, -1)[0], (random(4, 3), random(4, 2))),
    "lstsq vector": (lambda a, b: nl.lstsq()(a, b, -1)[0], (random(3, 4), random(3))),
    "expm": (sl.expm, (random(3, 3),)),
    "expm of a stack": (sl.expm, (random(2, 3, 3),)),
    "kron": (sl.kron, (random(2, 3), random(3, 2))),
    "trace": (nl.trace, (random(3, 4),)),
    "diag of vector": (nl.diag, (random(3),)),
    "diag of matrix": (nl.diag, (random(3, 4),)),
    "alloc_diag": (nl.AllocDiag(1, 0, 2), (random(2, 3),)),
    "extract_diag": (nl.ExtractDiag(1, 1, 2), (random(2, 3, 3),)),
    "matrix_power": (lambda x: nl.matrix_power(x, 5), (random(3, 3),)),
    "matrix_power of the inverse": (lambda x: nl.matrix_power(x, -2), (well(3, 3),)),
    "matrix_dot": (nl.matrix_dot, (random(2, 3), random(3, 3), random(3))),
    "tensorinv": (nl.tensorinv, (well(6, 6).reshape(2, 3, 3, 2),)),
    "tensorsolve": (nl.tensorsolve, (well(6, 6).reshape(2, 3, 6), random(2, 3))),
    **{
        f"norm {order}": (lambda x, order=order: nl.norm(x, order), (random(3, 4),))
        for order in (None, "fro", "nuc", "inf", "-inf", 1, -1, 2, -2)
    },
    **{
        f"norm of a vector {order}": (lambda x, order=order: nl.norm(x, order), (random(4),))
        for order in (None, "inf", "-inf", 1, 2, 3, 2.5)
    },
}
