"""Random expressions: reverse, forward, differences, `vectorize` and `OpFromGraph` must agree.

`python tests/fuzz/test_random_derivatives.py FIRST LAST` tries more seeds and prints those that
differ, each with the program that it stands for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.gradient import hessian_vector_product, jvp, vjp
from theano.ifelse import ifelse
from theano.tensor import nlinalg, slinalg

ROWS, COLUMNS = 3, 4


def _any_axis(x: Any, rng: np.random.Generator) -> Any:
    return int(rng.integers(x.ndim)) if x.ndim else None


def _apart(x: Any) -> Any:
    """Return `x` with different numbers added to its items: equal ones have no slope of a max."""
    return x + T.sqrt(2.0 + T.arange(x.size)).reshape(x.shape)


def _matrix(x: Any) -> Any:
    """Return a well-conditioned matrix made of `x`."""
    m = T.tanh(x.reshape((-1,))[:1].sum()) * T.eye(3) + 2 * T.eye(3)
    return m + 0.1 * T.outer(T.arange(3.0), T.ones(3))


def _loop(x: Any, y: Any) -> Any:
    rows, _ = theano.scan(
        lambda h, w: T.tanh(h + w.sum()), outputs_info=x, non_sequences=y, n_steps=3
    )
    return rows


def _over_rows(x: Any, y: Any) -> Any:
    rows, _ = theano.scan(
        lambda r, h, w: (T.sin(r).sum() + h * 0.5, r * w),
        sequences=x,
        outputs_info=[T.zeros(()), None],
        non_sequences=y.sum(),
    )
    return rows[1] + rows[0].reshape((-1,))[-1]


# Smooth wherever numbers drawn from a continuous distribution fall.
OPERATIONS: dict[str, Callable[[Any, Any, np.random.Generator], Any]] = {
    "x + y": lambda x, y, rng: x + y,
    "x * y": lambda x, y, rng: x * y,
    "x - y": lambda x, y, rng: x - y,
    "x / (2 + T.sqr(y))": lambda x, y, rng: x / (2 + T.sqr(y)),
    "T.tanh(x)": lambda x, y, rng: T.tanh(x),
    "T.nnet.sigmoid(x)": lambda x, y, rng: T.nnet.sigmoid(x),
    "T.exp(-T.sqr(x))": lambda x, y, rng: T.exp(-T.sqr(x)),
    "T.log1p(T.sqr(x))": lambda x, y, rng: T.log1p(T.sqr(x)),
    "T.sin(x) + T.cos(y)": lambda x, y, rng: T.sin(x) + T.cos(y),
    "T.arctan2(x, 3 + T.sqr(y))": lambda x, y, rng: T.arctan2(x, 3 + T.sqr(y)),
    "(2 + T.sin(x)) ** T.tanh(y)": lambda x, y, rng: (2 + T.sin(x)) ** T.tanh(y),
    "T.erf(x)": lambda x, y, rng: T.erf(x),
    "T.gammaln(2 + T.sqr(T.tanh(x)))": lambda x, y, rng: T.gammaln(2 + T.sqr(T.tanh(x))),
    "T.maximum(x, y + 0.1)": lambda x, y, rng: T.maximum(x, y + 0.1),
    "T.switch(x > 0, x * y, T.sin(y))": lambda x, y, rng: T.switch(x > 0, x * y, T.sin(y)),
    "T.clip(x, -0.7, 0.9)": lambda x, y, rng: T.clip(x, -0.7, 0.9),
    "x.sum(axis)": lambda x, y, rng: x.sum(axis=_any_axis(x, rng), keepdims=bool(rng.integers(2))),
    "x.mean()": lambda x, y, rng: x.mean(),
    "T.prod(1 + 0.1 * T.tanh(x), axis)": lambda x, y, rng: T.prod(
        1 + 0.1 * T.tanh(x), axis=_any_axis(x, rng)
    ),
    "x.max(axis)": lambda x, y, rng: _apart(x).max(axis=_any_axis(x, rng)),
    "T.var(x)": lambda x, y, rng: T.var(x),
    "T.nnet.softmax(x)": lambda x, y, rng: T.nnet.softmax(x) if x.ndim in (1, 2) else x,
    "x.T": lambda x, y, rng: x.T,
    "x[::-1]": lambda x, y, rng: x[::-1] if x.ndim else x,
    "x[1:, None]": lambda x, y, rng: x[1:, None] if x.ndim else x,
    "x[..., -1]": lambda x, y, rng: x[..., -1] if x.ndim else x,
    "x[[0, -1, 0]]": lambda x, y, rng: x[np.array([0, -1, 0])] if x.ndim else x,
    "x[:, [1, 1]]": lambda x, y, rng: x[:, np.array([1, 1])] if x.ndim > 1 else x,
    "x[mask]": lambda x, y, rng: x[(x > 0).nonzero()].sum() + x if x.ndim else x,
    "T.set_subtensor(x[:1], y.sum())": lambda x, y, rng: (
        T.set_subtensor(x[:1], y.sum()) if x.ndim else x
    ),
    "T.inc_subtensor(x[[0, 0]], T.sin(y).sum())": lambda x, y, rng: (
        T.inc_subtensor(x[np.array([0, 0])], T.sin(y).sum()) if x.ndim else x
    ),
    "x.reshape((-1,))": lambda x, y, rng: x.reshape((-1,)),
    "T.dot(x, y)": lambda x, y, rng: T.dot(x, y) if x.ndim and y.ndim else x * 2,
    "T.concatenate([x, x * 2])": lambda x, y, rng: (
        T.concatenate([x, x * 2], axis=0) if x.ndim else T.stack([x, y.sum()])
    ),
    "T.sort(x)": lambda x, y, rng: T.sort(x, axis=-1) if x.ndim else x,
    "T.cumsum(x)": lambda x, y, rng: T.cumsum(x, axis=0) if x.ndim else x,
    "T.cumprod(1 + 0.2 * T.sin(x))": lambda x, y, rng: (
        T.cumprod(1 + 0.2 * T.sin(x), axis=0) if x.ndim else x
    ),
    "slinalg.solve(A, b)": lambda x, y, rng: slinalg.solve(_matrix(x), T.ones(3) * y.sum()),
    "log det A": lambda x, y, rng: T.log(nlinalg.det(_matrix(x))) + y,
    "cholesky": lambda x, y, rng: slinalg.cholesky(T.dot(_matrix(x), _matrix(x).T)).sum() * y,
    "ifelse": lambda x, y, rng: ifelse(T.gt(x.sum(), 0), T.sin(y), T.sqr(y) + y.sum()),
    "loop": lambda x, y, rng: _loop(x, y),
    "loop over rows": lambda x, y, rng: _over_rows(x, y) if x.ndim else x,
    "checkpoint": lambda x, y, rng: theano.gradient.checkpoint(T.tanh(x)),
}


class Case:
    """The random expression of a seed, over a vector and a matrix."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.inputs = [T.dvector("v"), T.dmatrix("m")]
        self.arrays = [self.rng.normal(size=COLUMNS), self.rng.normal(size=(ROWS, COLUMNS))]
        self.program: list[str] = []
        out = self.build()
        # What has not all numbers small is beyond differences.
        self.out = T.tanh(out) if out.ndim <= 2 else T.tanh(out).sum(axis=0)

    def build(self) -> Any:
        pool: list[Any] = list(self.inputs)
        names = list(OPERATIONS)
        for _ in range(int(self.rng.integers(1, 9))):
            i, j = (int(k) for k in self.rng.integers(len(pool), size=2))
            name = names[self.rng.integers(len(names))]
            try:
                made = OPERATIONS[name](pool[i], pool[j], self.rng)
            except (TypeError, ValueError, IndexError, NotImplementedError):
                continue
            if made.ndim <= 3:
                self.program.append(f"p{len(pool)} = {name}  # x = p{i}, y = p{j}")
                pool.append(made)
        return pool[-1] + 0 * self.inputs[0].sum() + 0 * self.inputs[1].sum()

    def directions(self) -> list[np.ndarray]:
        return [self.rng.normal(size=a.shape) for a in self.arrays]


def difference(seed: int) -> str | None:
    """Return what disagrees in the expression of a seed, or None."""
    case = Case(seed)
    run = theano.function(case.inputs, case.out)
    try:
        value = run(*case.arrays)
    except (ValueError, IndexError):
        return None  # the shapes do not fit
    checks = (_forward_and_reverse, _second_order, _rows, _named)
    for check in checks:
        try:
            wrong = check(case, run, value)
        except Exception as error:
            wrong = None if _unfit_as_written(case) else f"raised {error!r}"
        if wrong is not None:
            return "\n  ".join([f"{check.__name__}: {wrong}", *case.program])
    return None


def _unfit_as_written(case: Case) -> bool:
    """Tell whether shapes do not fit in what rewriting leaves out, such as x in x - x."""
    try:
        theano.function(case.inputs, case.out, mode=theano.Mode(optimizer=None))(*case.arrays)
    except (ValueError, IndexError):
        return True
    return False


def _near(got: Any, wanted: Any, tolerance: float) -> bool:
    scale = max(1.0, float(np.max(np.abs(wanted), initial=0)))
    return bool(np.allclose(got, wanted, rtol=0, atol=tolerance * scale, equal_nan=True))


def _slope(f: Any, arrays: list[np.ndarray], along: list[np.ndarray]) -> tuple[Any, bool]:
    """Return a central difference, and whether it can be trusted."""
    parts = []
    for h in (1e-4, 2e-4):
        up, down = (f(*(a + s * d for a, d in zip(arrays, along, strict=True))) for s in (h, -h))
        if np.shape(up) != np.shape(down):
            return None, False
        parts.append((np.asarray(up) - np.asarray(down)) / (2 * h))
    fine = (4 * parts[0] - parts[1]) / 3
    return fine, _near(parts[0], parts[1], 1e-5)


def _forward_and_reverse(case: Case, run: Any, value: Any) -> str | None:
    tangents, g = [v.type() for v in case.inputs], case.out.type()
    outs = [jvp(case.out, case.inputs, tangents), *vjp(case.out, case.inputs, g)]
    f = theano.function([*case.inputs, *tangents, g], outs, on_unused_input="ignore")
    along, weights = case.directions(), case.rng.normal(size=value.shape)
    pushed, *pulled = f(*case.arrays, *along, weights)
    one = float((pushed * weights).sum())
    two = sum(float((p * d).sum()) for p, d in zip(pulled, along, strict=True))
    size = 1 + abs(pushed * weights).sum()
    if not abs(one - two) <= 1e-9 * size:
        return f"forward {one}, reverse {two}"
    slope, trusted = _slope(run, case.arrays, along)
    if trusted and not _near(pushed, slope, 1e-5):
        return f"forward {pushed.ravel()[:4]}, difference {slope.ravel()[:4]}"
    return None


def _second_order(case: Case, run: Any, value: Any) -> str | None:
    cost, tangents = case.out.sum(), [v.type() for v in case.inputs]
    slopes = T.grad(cost, case.inputs)
    products = hessian_vector_product(cost, case.inputs, tangents)
    pairs = zip(slopes, tangents, strict=True)
    reverse = T.grad(sum(T.sum(s * t) for s, t in pairs), case.inputs, disconnected_inputs="ignore")
    f = theano.function([*case.inputs, *tangents], [*products, *reverse], on_unused_input="ignore")
    along = case.directions()
    found = f(*case.arrays, *along)
    for one, two in zip(found[:2], found[2:], strict=True):
        if not _near(one, two, 1e-8):
            return f"forward over reverse {one.ravel()[:4]}, reverse over reverse {two.ravel()[:4]}"
    gradient = theano.function(case.inputs, slopes)
    for k, product in enumerate(found[:2]):
        slope, trusted = _slope(lambda *a, k=k: gradient(*a)[k], case.arrays, along)
        if trusted and not _near(product, slope, 1e-4):
            return f"product {product.ravel()[:4]}, difference {slope.ravel()[:4]}"
    return None


def _rows(case: Case, run: Any, value: Any) -> str | None:
    which = [bool(b) for b in case.rng.integers(2, size=2)]
    which[case.rng.integers(2)] = True
    given = [
        np.stack([a, a + 0.1 * self]) if row else a
        for a, self, row in zip(case.arrays, case.directions(), which, strict=True)
    ]
    variables = [
        T.TensorType("float64", (False,) * np.ndim(a))(v.name)
        for a, v in zip(given, case.inputs, strict=True)
    ]
    axes = [0 if row else None for row in which]
    batched = theano.vectorize(
        [case.out, *T.grad(case.out.sum(), case.inputs)], axes, inputs=case.inputs
    )(*variables)
    single = theano.function(case.inputs, [case.out, *T.grad(case.out.sum(), case.inputs)])
    wanted = [
        single(*(a[k] if row else a for a, row in zip(given, which, strict=True))) for k in (0, 1)
    ]
    if any(one.shape != two.shape for one, two in zip(*wanted, strict=True)):
        return None
    got = theano.function(variables, batched, on_unused_input="ignore")(*given)
    for part, one, two in zip(got, *wanted, strict=True):
        if not _near(part, np.stack([one, two]), 1e-9):
            return f"rows {part.ravel()[:4]}, stacked {np.stack([one, two]).ravel()[:4]}"
    return None


def _named(case: Case, run: Any, value: Any) -> str | None:
    op = theano.OpFromGraph(case.inputs, [case.out])
    again = op(*case.inputs)
    slopes = T.grad(again.sum(), case.inputs)
    plain = T.grad(case.out.sum(), case.inputs)
    f = theano.function(case.inputs, [again, *slopes, case.out, *plain])
    found = f(*case.arrays)
    for one, two in zip(found[:3], found[3:], strict=True):
        if not _near(one, two, 1e-9):
            return f"OpFromGraph {one.ravel()[:4]}, inlined {two.ravel()[:4]}"
    return None


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    "start", [0, *(pytest.param(s, marks=pytest.mark.slow) for s in range(10, 400, 10))]
)
def test_random_derivatives(start: int) -> None:
    found = {seed: difference(seed) for seed in range(start, start + 10)}
    assert {seed: text for seed, text in found.items() if text is not None} == {}


if __name__ == "__main__":
    first, last = (int(a) for a in sys.argv[1:3])
    failed = 0
    for number in range(first, last):
        problem = difference(number)
        if problem is not None:
            failed += 1
            print(number, problem, flush=True)
    print(f"{last - first} expressions, {failed} failures")
