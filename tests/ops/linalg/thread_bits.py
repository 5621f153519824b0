"""Prints the bits of products and factorisations; run under other numbers of threads."""

import hashlib
import warnings

import numpy as np

import theano
import theano.tensor as T
from theano.tensor import nlinalg as nl, slinalg as sl

PRODUCTS = {
    "product": lambda x: T.dot(x, x[::-1] + 1),
    "product with a transpose": lambda x: T.dot(x, x.T),
    "matrix and vector": lambda x: T.dot(x, x[0]),
    "vector and matrix": lambda x: T.dot(x[0], x),
    "vectors": lambda x: T.dot(x[0], x[-1]),
    "outer": lambda x: x + T.outer(x[0], x[-1]),
    "added": lambda x: x + 0.5 * T.dot(x, x),
}
ROUTINES = {
    "cholesky": lambda x: sl.cholesky(positive(x)),
    "cholesky upper": lambda x: sl.Cholesky(lower=False)(positive(x)),
    "solve": lambda x: sl.solve(x, x + 1),
    "solve positive": lambda x: sl.solve_positive_definite(positive(x), x),
    "solve lower": lambda x: sl.solve_lower_triangular(positive(x), x),
    "solve upper": lambda x: sl.solve_upper_triangular(positive(x), x),
    "inverse": nl.matrix_inverse,
    "inverse and determinant": lambda x: [nl.matrix_inverse(x), nl.det(x), nl.slogdet(x)[1]],
    "det": nl.det,
    "slogdet": nl.slogdet,
    "lu": sl.lu,
    "qr": nl.qr,
    "qr complete": lambda x: nl.qr(x, "complete"),
    "eigh": lambda x: nl.eigh(positive(x)),
    "eigvalsh": lambda x: sl.eigvalsh(positive(x), None),
    "svd": nl.svd,
    "singular values": lambda x: nl.svd(x, 0, 0),
    "pinv": nl.pinv,
    "expm": lambda x: sl.expm(x / 64),
    "eig": lambda x: nl.eig(positive(x)),
}
SIZES = {"float64": [1, 2, 3, 8, 33, 64, 65, 130, 257, 520], "other": [3, 65, 200]}
SLOW = {"eig": 65, "expm": 257}


def positive(x):
    """Return a Hermitian matrix whose diagonal outweighs the rest."""
    size = T.cast(x.shape[-1] * 4, "float32")
    diagonal = T.cast(T.eye(x.shape[-1]), "float32") * size
    turned = T.conj(x.dimshuffle(*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))
    return x + turned + T.cast(diagonal, x.dtype)


def numbers(shape, dtype):
    """Return numbers that need no arithmetic whose bits might depend on threads."""
    rng = np.random.RandomState(0)
    x = rng.randint(-64, 64, shape) / 64
    return (x + 1j * rng.randint(-64, 64, shape) / 64 if "complex" in dtype else x).astype(dtype)


def bits(results):
    parts = results if isinstance(results, list) else [results]
    return hashlib.sha256(b"".join(np.ascontiguousarray(p).tobytes() for p in parts)).hexdigest()


def main():
    warnings.simplefilter("ignore")
    for dtype in ("float64", "float32", "complex128", "complex64"):
        x, stack = (T.TensorType(dtype, (False,) * rank)() for rank in (2, 3))
        for name, build in {**PRODUCTS, **ROUTINES}.items():
            f = theano.function([x], build(x))
            for n in SIZES.get(dtype, SIZES["other"]):
                if n <= SLOW.get(name, n):
                    print(dtype, name, n, bits(f(numbers((n, n), dtype))))
            if dtype == "float64" and name not in SLOW:
                slow = theano.function([x], build(x), mode=theano.Mode(linker="py"))
                print("NumPy", name, bits(slow(numbers((257, 257), dtype))))
        for name in ("cholesky", "inverse", "det", "eigh", "svd", "solve", "qr", "expm"):
            f = theano.function([stack], ROUTINES[name](stack))
            for shape in ((50, 7, 7), (5, 70, 70)):
                print(dtype, name, shape, bits(f(numbers(shape, dtype))))


if __name__ == "__main__":
    main()
