"""Calls with arrays in any layout: what a function makes of one is what it makes of a plain copy.

    python tests/fuzz/fuzz_arrays.py FIRST LAST

makes the calls numbered FIRST to LAST - 1, and prints those that differ. Every elementwise
operation, and expressions of all others, are called with arrays of strange strides (of axes of
length 1 and of empty arrays above all), of no dimensions, empty, broadcast, reversed, overlapping,
unaligned, in the other byte order, read-only. What the values should be, other tests say.
"""

from __future__ import annotations

import itertools
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

TESTS = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path[:0] = [str(TESTS / folder) for folder in (".", "ops")]

from registry import OPS  # noqa: E402

import theano  # noqa: E402
import theano.tensor as T  # noqa: E402
from support.arrays import DTYPES, LAYOUTS, moderate, native_copy, numbers  # noqa: E402
from theano._core.api.debug.checks import accepts  # noqa: E402
from theano.tensor import extra_ops, nlinalg, slinalg  # noqa: E402

LENGTHS = [0, 1, 1, 1, 2, 3, 5, 8, 17, 33, 70]
# Calls of one function, which took longer to compile.
CALLS = 500
FLOATS = ["float32", "float64", "complex64", "complex128"]

Expression = Callable[..., Any]
# Of two arrays of one shape and any dtype; `axis` is one of theirs.
ANY: dict[str, Expression] = {
    "sum": lambda x, y, axis: x.sum(axis=axis),
    "sums": lambda x, y, axis: [x.sum(), x.sum(axis=axis), (x * y).sum(axis=axis)],
    "prod": lambda x, y, axis: x.prod(axis=axis),
    "mean": lambda x, y, axis: x.mean(axis=axis),
    "any, all": lambda x, y, axis: [x.any(axis=axis), T.neq(x, 0).all(axis=axis)],
    "sum without an axis": lambda x, y, axis: x.sum(axis=axis, keepdims=True) + y,
    "transposed": lambda x, y, axis: [x.T, x.T + 1, x.T.sum(axis=axis)],
    "reversed": lambda x, y, axis: x[::-1] + y[::-1],
    "part": lambda x, y, axis: [x[1:], x[::2], x[-2:], x[:0]],
    "write": lambda x, y, axis: [T.set_subtensor(x[1:], 1), T.inc_subtensor(x[::2], y[::2])],
    "flat": lambda x, y, axis: [x.flatten(), x.reshape((-1,))],
    "joined": lambda x, y, axis: T.concatenate([x, y, x], axis=axis),
    "stacked": lambda x, y, axis: T.stack([x, y]),
    "repeated": lambda x, y, axis: T.repeat(x, 2, axis=axis),
    "tiled": lambda x, y, axis: T.tile(x, (2,) * x.ndim),
    "rolled": lambda x, y, axis: T.roll(x, 1, axis=axis),
    "switch": lambda x, y, axis: T.switch(T.neq(x, 0), x, y),
    "cumsum": lambda x, y, axis: extra_ops.cumsum(x, axis=axis),
    "more axes": lambda x, y, axis: x.dimshuffle("x", *range(x.ndim), "x") + 1,
    "rows": lambda x, y, axis: x[T.constant(np.array([0, -1, 0]))] if x.ndim else x,
    "mask": lambda x, y, axis: x[T.neq(y, 0)],
    "places": lambda x, y, axis: T.nonzero(x) if x.ndim else [x],
    "fill": lambda x, y, axis: [T.zeros_like(x) + y, T.second(x, 1)],
}
# Of numbers that have an order.
ORDERED: dict[str, Expression] = {
    "max": lambda x, y, axis: [x.max(axis=axis), x.min(axis=axis)],
    "argmax": lambda x, y, axis: [x.argmax(axis=axis), x.argmin(axis=axis)],
    "sort": lambda x, y, axis: T.sort(x, axis=axis),
    "argsort": lambda x, y, axis: T.argsort(x, axis=axis, kind="mergesort"),
    "clip": lambda x, y, axis: T.clip(x, -2, 2) if x.dtype[0] != "u" else T.clip(x, 1, 2),
}
# Of floats.
SMOOTH: dict[str, Expression] = {
    "softmax": lambda x, y, axis: T.nnet.softmax(x) if x.ndim == 2 else T.exp(x),
    "norm": lambda x, y, axis: [x.norm(2, axis=axis), x.var(axis=axis), x.std(axis=axis)],
    "gradient": lambda x, y, axis: T.grad((T.tanh(x) * y).sum(), [x, y]),
    "gradient of sums": lambda x, y, axis: T.grad((x.sum(axis=axis) ** 2).sum(), x),
    "gradient of parts": lambda x, y, axis: T.grad((x[1:] * y[:-1]).sum(), [x, y]),
    "loop": lambda x, y, axis: theano.scan(lambda a, b, c: a + b * c, [x, y], T.zeros_like(x[0]))[
        0
    ],
    "loop of products": lambda x, y, axis: theano.scan(lambda a: (a * a).sum(), [x])[0],
}
# Of square matrices and stacks of them.
MATRICES: dict[str, Expression] = {
    "product": lambda x, y, axis: [T.dot(x, y), T.dot(x.T, y), T.dot(x, x.T), T.dot(x, y[0])],
    "product of stacks": lambda x, y, axis: T.batched_dot(x[None], y[None]),
    "tensordot": lambda x, y, axis: T.tensordot(x, y, axes=[[1], [0]]),
    "diagonal": lambda x, y, axis: [T.diagonal(x), nlinalg.trace(x), T.tril(x)],
    "solve": lambda x, y, axis: slinalg.solve(T.eye(x.shape[0]) * 999 + x, y),
    "inverse": lambda x, y, axis: nlinalg.matrix_inverse(T.eye(x.shape[0]) * 999 + x),
    "cholesky": lambda x, y, axis: slinalg.cholesky(T.eye(x.shape[0]) * 9999 + x + x.T),
}


def tables() -> Iterator[tuple[str, Expression, list[str], int]]:
    """Yield (name, expression, dtypes, number of axes), for all axes that it may have."""
    order = [k for k in DTYPES if not k.startswith("complex")]
    reals = ["float32", "float64"]
    for table, kinds, ranks in (
        (ANY, DTYPES, (1, 2, 3, 4)),
        (ORDERED, order, (1, 2, 3)),
        (SMOOTH, reals, (1, 2, 3)),
        (MATRICES, reals, (2,)),
    ):
        for (name, make), rank in itertools.product(table.items(), ranks):
            yield name, make, kinds, rank
    for name, op in OPS.items():
        kinds = [k for k in DTYPES if accepts(op, (k,) * op.nin)]
        for rank in (0, 1, 2, 3):
            yield name, op, kinds, rank


TABLE = list(tables())


@lru_cache(8)
def compiled(number: int) -> tuple[str, str, int, bool, Any]:
    """Return (name, dtype, number of axes, whether matrices are square, function) by its number."""
    rng = np.random.default_rng(number)
    name, make, kinds, rank = TABLE[number % len(TABLE)]
    kind = str(rng.choice(kinds))
    count = OPS[name].nin if name in OPS else 2
    inputs = [T.TensorType(kind, (False,) * rank)() for _ in range(count)]
    if name in OPS:
        out = make(*inputs)
    else:
        out = make(*inputs, int(rng.integers(rank)))
    square = name in MATRICES
    return name, kind, rank, square, theano.function(inputs, out, on_unused_input="ignore")


def same(got: Any, wanted: Any) -> bool:
    """Tell whether two results agree: all but the rounding of sums."""
    if got.dtype != wanted.dtype or got.shape != wanted.shape:
        return False
    if got.dtype.kind not in "fc":
        return bool((got == wanted).all())
    finite = got[np.isfinite(got)]
    limit = 1e3 * float(np.finfo(got.dtype).eps)
    return np.allclose(got, wanted, limit, limit * float(abs(finite).max(initial=0)), True)


def problem_of(call: int) -> str | None:
    """Return what is wrong with a call; None if nothing is."""
    number = call // CALLS
    name, kind, rank, square, function = compiled(number)
    rng = np.random.default_rng([call, 1])
    shape = tuple(int(n) for n in rng.choice(LENGTHS, rank))
    if square:
        shape = shape[:1] * 2
    layouts = [str(rng.choice(list(LAYOUTS))) for _ in range(len(function.maker.inputs))]
    arrays = [LAYOUTS[how](moderate(numbers(rng, kind, shape), 4)) for how in layouts]
    plain = [native_copy(a) for a in arrays]
    wanted, got = outcome(function, plain), outcome(function, arrays)
    if isinstance(wanted, str) or isinstance(got, str):
        good = wanted == got if isinstance(wanted, str) and isinstance(got, str) else False
    else:
        good = len(got) == len(wanted) and all(map(same, got, wanted))
    unchanged = all(
        np.array_equal(native_copy(a), p, True) for a, p in zip(arrays, plain, strict=True)
    )
    if good and unchanged:
        return None
    strides = [a.strides for a in arrays]
    return (
        f"call {call}: {name} of {kind} {shape}, {layouts}, strides {strides}: {got} for {wanted}"
    )


def outcome(function: Any, arguments: list[Any]) -> Any:
    """Return a list of results, or the name of the error."""
    try:
        result = function(*arguments)
    except Exception as error:
        return type(error).__name__
    return result if isinstance(result, list) else [result]


def problems(first: int, last: int) -> list[str]:
    """Return what is wrong with the calls from `first` to `last` - 1."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return [found for found in map(problem_of, range(first, last)) if found]


if __name__ == "__main__":
    start, end = map(int, sys.argv[1:])
    for begin in range(start, end, CALLS):
        for text in problems(begin, min(end, begin + CALLS)):
            print(text, flush=True)
        if begin % (100 * CALLS) == 0:
            print(f"call {begin}", flush=True)
    print(f"{end - start} calls of {-(-end // CALLS) - start // CALLS} functions")
