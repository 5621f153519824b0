"""Sparse matrices: products with dense ones, and a step of logistic regression, in milliseconds.

The matrix of the products has 100,000 rows and columns and a million items; that of the regression
the size of 20 newsgroups (11,314 texts, 130,107 words, 20 classes). JAX's are BCOO, torch's CSR.
Beside times of products stands how many bytes a second they read and write, were none found in a
cache, and in the same process how fast two threads copy and add memory.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from figures import Figures, best_time, main

N, ITEMS, COLUMNS = 100_000, 1_000_000, 64
TEXTS, WORDS, CLASSES, STORED = 11_314, 130_107, 20, 1_800_000
RATE = 0.1


def drawn(rows: int, columns: int, items: int, dtype: str = "float64") -> Any:
    """Return a matrix by rows with at most so many items, none of which is there twice."""
    r = np.random.default_rng(0)
    places = r.integers(0, rows, items), r.integers(0, columns, items)
    matrix = scipy.sparse.coo_matrix((r.random(items), places), (rows, columns)).tocsr()
    return matrix.astype(dtype)


@dataclass
class Texts:
    """What is known of texts: words in each, and the class as a row of one 1."""

    words: Any
    classes: np.ndarray

    def step(self, weights: np.ndarray) -> tuple[Any, Any]:
        """Return the loss, and the weights after a step."""
        scores = self.words @ weights
        scores -= scores.max(axis=1, keepdims=True)
        p = np.exp(scores)
        p /= p.sum(axis=1, keepdims=True)
        loss = -np.log((p * self.classes).sum(axis=1)).mean()
        return loss, weights - RATE * (self.words.T @ ((p - self.classes) / TEXTS))


def texts() -> Texts:
    classes = np.random.default_rng(1).integers(0, CLASSES, TEXTS)
    return Texts(drawn(TEXTS, WORDS, STORED), np.eye(CLASSES)[classes])


def memory() -> Figures:
    """Return how fast two threads copy a large array, and add two to a third, as STREAM counts."""
    count, parts = 1 << 24, 2
    a, b, c = (np.full((parts, count), x) for x in (1.0, 2.0, 3.0))
    works = {
        "memory, copy": (2, lambda i: np.copyto(a[i], b[i])),
        "memory, add": (3, lambda i: np.add(b[i], c[i], out=a[i])),
    }
    with ThreadPoolExecutor(parts) as pool:
        return {
            name: (arrays * a.nbytes / best_time(lambda w=w: list(pool.map(w, range(parts)))), UNIT)
            for name, (arrays, w) in works.items()
        }


Make = Callable[[Any, np.ndarray], Callable[[], Any]]
UNIT = "bytes/s"


def figures(
    product: Make,
    step: Callable[[Texts], Callable[[], Any]],
    chain: Make | None = None,
) -> Figures:
    """Time `product(matrix, dense)()` and `step(texts)()`, which returns the loss.

    `chain(matrix, dense)()` returns the sum of the product of the sigmoids of stored items, twice,
    with a dense matrix.
    """
    out: Figures = memory()
    for name, dtype, columns in (
        ("matrix × 64 columns, float64", "float64", COLUMNS),
        ("matrix × 64 columns, float32", "float32", COLUMNS),
        ("matrix × vector, float64", "float64", 0),
    ):
        matrix = drawn(N, N, ITEMS, dtype)
        shape = (N, columns) if columns else (N,)
        dense = np.random.default_rng(2).normal(size=shape).astype(dtype)
        call = product(matrix, dense)
        close = 1e-9 if dtype == "float64" else 1e-3
        np.testing.assert_allclose(np.asarray(call()), matrix @ dense, rtol=close, atol=close)
        seconds = best_time(call, 1.0)
        out[name] = (1e3 * seconds, "ms")
        row = max(columns, 1) * dense.itemsize
        read = matrix.nnz * (dense.itemsize + 4 + row)
        out[f"{name}, memory"] = ((read + N * row) / seconds, UNIT)
        if chain is not None and columns and dtype == "float64":
            call = chain(matrix, dense)
            sigmoid = matrix.copy()
            sigmoid.data = 2 / (1 + np.exp(-matrix.data))
            np.testing.assert_allclose(float(call()), (sigmoid @ dense).sum(), rtol=1e-6)
            out["sigmoid(matrix) × 64 columns, sum"] = (1e3 * best_time(call, 1.0), "ms")
    data = texts()
    call = step(data)
    weights = np.zeros((WORDS, CLASSES))
    for _ in range(3):
        loss, weights = data.step(weights)
        np.testing.assert_allclose(float(call()), loss, rtol=1e-6)
    out["logistic regression, a step"] = (1e3 * best_time(call, 1.0), "ms")
    return out


def scipy_case() -> Figures:
    def step(data: Texts) -> Callable[[], Any]:
        weights = np.zeros((WORDS, CLASSES))

        def call() -> Any:
            nonlocal weights
            loss, weights = data.step(weights)
            return loss

        return call

    def chain(matrix: Any, dense: np.ndarray) -> Callable[[], Any]:
        def call() -> Any:
            made = matrix.copy()
            made.data = 2 / (1 + np.exp(-matrix.data))
            return (made @ dense).sum()

        return call

    return figures(lambda matrix, dense: lambda: matrix @ dense, step, chain)


def graph_case(module: Any, sparse: Any) -> Figures:
    """Time Theano, or a library that writes programs as it does."""
    T = module.tensor

    def product(matrix: Any, dense: np.ndarray) -> Callable[[], Any]:
        x = sparse.csr_matrix("x", dtype=str(matrix.dtype))
        y = T.TensorType(str(dense.dtype), (None,) * dense.ndim)("y")
        f = module.function([x, y], sparse.structured_dot(x, y) if dense.ndim == 2 else dot(x, y))
        return lambda: f(matrix, dense)

    def dot(x: Any, y: Any) -> Any:
        return sparse.dot(x, y)

    def step(data: Texts) -> Callable[[], Any]:
        x, classes = sparse.csr_matrix("x", dtype="float64"), T.matrix("classes", dtype="float64")
        weights = module.shared(np.zeros((WORDS, CLASSES)), "weights")
        scores = sparse.dot(x, weights)
        scores = scores - scores.max(axis=1, keepdims=True)
        p = T.exp(scores) / T.exp(scores).sum(axis=1, keepdims=True)
        loss = -T.log((p * classes).sum(axis=1)).mean()
        change = RATE * module.grad(loss, weights)
        f = module.function([x, classes], loss, updates=[(weights, weights - change)])
        return lambda: f(data.words, data.classes)

    def chain(matrix: Any, dense: np.ndarray) -> Callable[[], Any]:
        x, y = sparse.csr_matrix("x", dtype=str(matrix.dtype)), T.matrix("y", dtype="float64")
        made = sparse.structured_dot(sparse.structured_sigmoid(x) * 2.0, y)
        f = module.function([x, y], made.sum())
        return lambda: f(matrix, dense)

    return figures(product, step, chain)


def theano_case() -> Figures:
    import theano
    import theano.sparse

    return graph_case(theano, theano.sparse)


def pytensor_case() -> Figures:
    import pytensor
    import pytensor.sparse

    return graph_case(pytensor, pytensor.sparse)


def jax_case() -> Figures:
    import jax
    import jax.numpy as jnp
    from jax.experimental.sparse import BCOO

    def product(matrix: Any, dense: np.ndarray) -> Callable[[], Any]:
        a, b = BCOO.from_scipy_sparse(matrix), jnp.asarray(dense)
        f = jax.jit(lambda a, b: a @ b)
        return lambda: f(a, b).block_until_ready()

    def step(data: Texts) -> Callable[[], Any]:
        words, classes = BCOO.from_scipy_sparse(data.words), jnp.asarray(data.classes)
        weights = jnp.zeros((WORDS, CLASSES))

        def loss_of(weights: Any, words: Any) -> Any:
            return -(jax.nn.log_softmax(words @ weights) * classes).sum(axis=1).mean()

        @jax.jit
        def train(weights: Any, words: Any) -> Any:
            loss, g = jax.value_and_grad(loss_of)(weights, words)
            return loss, weights - RATE * g

        def call() -> Any:
            nonlocal weights
            loss, weights = train(weights, words)
            return loss.block_until_ready()

        return call

    return figures(product, step)


def torch_case() -> Figures:
    import torch

    def by_rows(matrix: Any) -> Any:
        parts = (torch.from_numpy(v) for v in (matrix.indptr, matrix.indices, matrix.data))
        return torch.sparse_csr_tensor(*parts, size=matrix.shape)

    def product(matrix: Any, dense: np.ndarray) -> Callable[[], Any]:
        a, b = by_rows(matrix), torch.from_numpy(dense)
        return lambda: a @ b

    def step(data: Texts) -> Callable[[], Any]:
        # The derivative of torch's own product transposes the matrix anew each time.
        words, turned = by_rows(data.words), by_rows(data.words.T.tocsr())
        classes = torch.from_numpy(data.classes)
        weights = torch.zeros((WORDS, CLASSES), dtype=torch.float64)

        def call() -> Any:
            p = torch.softmax(words @ weights, dim=1)
            loss = -torch.log((p * classes).sum(dim=1)).mean()
            weights.sub_(turned @ ((p - classes) / TEXTS), alpha=RATE)
            return loss

        return call

    return figures(product, step)


if __name__ == "__main__":
    main(
        {
            "scipy": scipy_case,
            "theano": theano_case,
            "pytensor": pytensor_case,
            "jax": jax_case,
            "torch": torch_case,
        }
    )
