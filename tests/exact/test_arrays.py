"""Every operation on whole arrays, of any dtype, on hard numbers, in any layout, against NumPy."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, strategies as st

import theano._core.ops
import theano.tensor as T
import theano.tensor.extra_ops as E
from support.arrays import DTYPES, array_sets, budget, moderate, native_copy
from support.comparison import assert_same
from theano._core.compile.function import function
from theano._core.ir.graph import toposort
from theano._core.ir.hooks import place_of
from theano._core.lower.reference import evaluate
from theano._core.ops.array.reductions import REDUCERS, reduce
from theano._core.ops.core.op import Op, Structured
from theano.tensor import fft, nlinalg, slinalg

REAL = [k for k in DTYPES if not k.startswith("complex")]
NUMBERS = [k for k in DTYPES if k != "bool"]
VECTORS = [(0,), (1,), (3,), (67,), (300,)]
MATRICES = [(1, 5), (4, 1), (3, 17), (2, 0), (0, 3)]
CUBES = [(2, 3, 35), (2, 0, 3), (4, 1, 3), (1, 1, 67)]
TENSORS = [*VECTORS, *MATRICES, *CUBES]
WIDE = ["float32", "float64"]


class Case(NamedTuple):
    """What an operation and NumPy make of an array `x` and two small numbers `k` and `axis`.

    `bound` is the error in units of the result's largest number times its precision; 0: same bits.
    """

    ours: Callable[[Any, int, int], Any]
    numpys: Callable[[Any, int, int], Any]
    kinds: list[str] = DTYPES
    shapes: list[tuple[int, ...]] = TENSORS
    bound: float = 0
    finite: bool = False


def write(x: Any, key: Any, value: Any) -> Any:
    """Return a copy of an array with items set."""
    x = x.copy()
    x[key] = value
    return x


def add_at(x: Any, key: Any, value: Any) -> Any:
    x = x.copy()
    np.add.at(x, key, value)
    return x


def at(x: Any, k: int) -> Any:
    """Return positions along the first axis: repeated, and counted from either end."""
    n = x.shape[0]
    return np.array([k, -1, 0, k, k - 1]) % n - n * np.array([0, 0, 1, 1, 0]) if n else np.arange(0)


# Positions depend on the array, which a graph does not know: they come as an argument `i`.
INDEXED: dict[str, Case] = {
    "take rows": Case(lambda x, i, axis: x[i], lambda x, i, axis: x[i]),
    "take": Case(
        lambda x, i, axis: T.take(x, i, axis=0, mode="wrap"),
        lambda x, i, axis: np.take(x, i, axis=0, mode="wrap") if len(x) else x[i],
    ),
    "take from all": Case(
        lambda x, i, axis: T.take(x, i),
        lambda x, i, axis: np.take(x, i),
        shapes=[(1,), (67,), (3, 17), (2, 3, 35)],
    ),
    "take clipped": Case(
        lambda x, i, axis: T.take(x, i * 5, axis=0, mode="clip"),
        lambda x, i, axis: np.take(x, i * 5, axis=0, mode="clip") if len(x) else x[i],
    ),
    "pairs": Case(
        lambda x, i, axis: x[i, i % x.shape[1]],
        lambda x, i, axis: x[i, i % x.shape[1]],
        shapes=[(3, 17), (4, 1)],
    ),
    "set rows": Case(
        lambda x, i, axis: T.set_subtensor(x[i], 1), lambda x, i, axis: write(x, i, 1), NUMBERS
    ),
    "add to rows": Case(
        lambda x, i, axis: T.inc_subtensor(x[i], 1),
        lambda x, i, axis: add_at(x, i, np.asarray(1, x.dtype)),
        NUMBERS,
    ),
}

CASES: dict[str, Case] = {
    "transpose": Case(lambda x, k, axis: x.T, lambda x, k, axis: x.T),
    "new axes": Case(
        lambda x, k, axis: x.dimshuffle("x", *range(x.ndim), "x"),
        lambda x, k, axis: x[None, ..., None],
    ),
    "flatten": Case(lambda x, k, axis: x.flatten(), lambda x, k, axis: x.ravel()),
    "reshape": Case(
        lambda x, k, axis: x.reshape(x.shape[::-1]), lambda x, k, axis: x.reshape(x.shape[::-1])
    ),
    "part": Case(
        lambda x, k, axis: x[k : -k or None : k + 1], lambda x, k, axis: x[k : -k or None : k + 1]
    ),
    "backwards": Case(lambda x, k, axis: x[..., :: -k - 1], lambda x, k, axis: x[..., :: -k - 1]),
    "set a part": Case(
        lambda x, k, axis: T.set_subtensor(x[::-2], 2),
        lambda x, k, axis: write(x, np.s_[::-2], 2),
        NUMBERS,
    ),
    "add to a part": Case(
        lambda x, k, axis: T.inc_subtensor(x[k:], x[k:]),
        lambda x, k, axis: write(x, np.s_[k:], x[k:] + x[k:]),
        NUMBERS,
    ),
    "join": Case(
        lambda x, k, axis: T.concatenate([x, x[::-1], x[:1]]),
        lambda x, k, axis: np.concatenate([x, x[::-1], x[:1]]),
    ),
    "join along the last axis": Case(
        lambda x, k, axis: T.concatenate([x, x], axis=-1),
        lambda x, k, axis: np.concatenate([x, x], axis=-1),
    ),
    "stack": Case(
        lambda x, k, axis: T.stack([x, x], axis=1), lambda x, k, axis: np.stack([x, x], axis=1)
    ),
    "split": Case(
        lambda x, k, axis: T.split(x, [1, 2], 2, axis=0)[1],
        lambda x, k, axis: x[1:],
        shapes=[(3,), (3, 17)],
    ),
    "repeat": Case(
        lambda x, k, axis: T.repeat(x, k, axis=axis), lambda x, k, axis: np.repeat(x, k, axis=axis)
    ),
    "tile": Case(
        lambda x, k, axis: T.tile(x, (2,) * x.ndim), lambda x, k, axis: np.tile(x, (2,) * x.ndim)
    ),
    "roll": Case(
        lambda x, k, axis: T.roll(x, k - 1, axis=axis),
        lambda x, k, axis: np.roll(x, k - 1, axis=axis),
    ),
    "alloc": Case(
        lambda x, k, axis: T.alloc(x, k, *[x.shape[i] for i in range(x.ndim)]),
        lambda x, k, axis: np.broadcast_to(x, (k, *x.shape)),
    ),
    "fill": Case(
        lambda x, k, axis: T.fill(x, T.cast(k, x.dtype)),
        lambda x, k, axis: np.full_like(x, k),
        NUMBERS,
    ),
    "shape": Case(lambda x, k, axis: x.shape, lambda x, k, axis: np.array(x.shape)),
    "size": Case(lambda x, k, axis: x.shape[0] * 2, lambda x, k, axis: np.array(len(x) * 2)),
    "specified shape": Case(lambda x, k, axis: T.specify_shape(x, x.shape), lambda x, k, axis: x),
    "asserted": Case(
        lambda x, k, axis: T.Assert("never")(x, T.ge(x.shape[0], 0)), lambda x, k, axis: x
    ),
    "broadcast": Case(
        lambda x, k, axis: T.addbroadcast(x[:1], 0) + x,
        lambda x, k, axis: x[:1] + x,
        NUMBERS,
        [(1,), (1, 5), (3, 17), (2, 3, 35)],
    ),
    "range": Case(
        lambda x, k, axis: T.arange(k - 3, x.shape[0] * 2, k + 1),
        lambda x, k, axis: np.arange(k - 3, len(x) * 2, k + 1),
    ),
    "eye": Case(
        lambda x, k, axis: T.eye(x.shape[0], 4, k - 1, dtype=x.dtype),
        lambda x, k, axis: np.eye(len(x), 4, k - 1, dtype=x.dtype),
        shapes=[(0,), (1,), (3,), (67,)],
    ),
    "diagonal": Case(
        lambda x, k, axis: T.diagonal(x, k - 1),
        lambda x, k, axis: np.diagonal(x, k - 1),
        shapes=MATRICES,
    ),
    "diagonal matrix": Case(
        lambda x, k, axis: T.diag(x), lambda x, k, axis: np.diag(x), shapes=[(0,), (1,), (3,)]
    ),
    "lower triangle": Case(
        lambda x, k, axis: T.tril(x, k - 1),
        lambda x, k, axis: np.tril(x, k - 1),
        shapes=MATRICES,
    ),
    "upper triangle": Case(
        lambda x, k, axis: T.triu(x, k - 1),
        lambda x, k, axis: np.triu(x, k - 1),
        shapes=MATRICES,
    ),
    "nonzero": Case(
        lambda x, k, axis: T.nonzero(x, return_matrix=True),
        lambda x, k, axis: np.stack(np.nonzero(x)),
    ),
    "mask": Case(lambda x, k, axis: x[T.neq(x, 0)], lambda x, k, axis: x[x != 0]),
    "set by a mask": Case(
        lambda x, k, axis: T.set_subtensor(x[T.neq(x, 0)], 1),
        lambda x, k, axis: np.where(x != 0, np.asarray(1, x.dtype), x),
        NUMBERS,
    ),
    "choose": Case(
        lambda x, k, axis: T.choose(T.cast(T.neq(x, 0), "int8"), [x, x * 0 + 1]),
        lambda x, k, axis: np.choose((x != 0).astype("int8"), [x, x * 0 + np.int8(1)]),
        DTYPES[1:9],
        VECTORS,
    ),
    "sort": Case(
        lambda x, k, axis: T.sort(x, axis=axis), lambda x, k, axis: np.sort(x, axis=axis), REAL
    ),
    "positions in order": Case(
        lambda x, k, axis: T.argsort(x, axis=axis, kind="stable"),
        lambda x, k, axis: np.argsort(x, axis=axis, kind="stable"),
        REAL,
    ),
    "largest": Case(
        lambda x, k, axis: T.sort(T.topk(x, 1 + k % 3, axis=0), axis=0),
        lambda x, k, axis: np.sort(x, axis=0)[-1 - k % 3 :],
        REAL[1:],
        [(3,), (67,), (300,), (3, 17)],
        finite=True,
    ),
    "unique": Case(
        lambda x, k, axis: E.Unique()(x), lambda x, k, axis: np.unique(x), REAL, VECTORS
    ),
    "searchsorted": Case(
        lambda x, k, axis: E.searchsorted(T.sort(x), x[::-1], side="right" if k % 2 else "left"),
        lambda x, k, axis: np.searchsorted(np.sort(x), x[::-1], side="right" if k % 2 else "left"),
        REAL[1:],
        VECTORS,
    ),
    "bincount": Case(
        lambda x, k, axis: T.bincount(T.cast(x % np.uint8(9), "int64"), minlength=k),
        lambda x, k, axis: np.bincount((x % np.uint8(9)).astype("int64"), minlength=k),
        ["uint8"],
        VECTORS,
    ),
    "unravelled": Case(
        lambda x, k, axis: E.unravel_index(T.cast(x, "int64"), (16, 16))[1],
        lambda x, k, axis: np.unravel_index(x.astype("int64"), (16, 16))[1],
        ["uint8"],
    ),
    "ravelled": Case(
        lambda x, k, axis: E.ravel_multi_index([T.cast(x, "int64")] * 2, (256, 256)),
        lambda x, k, axis: np.ravel_multi_index([x.astype("int64")] * 2, (256, 256)),
        ["uint8"],
    ),
    "one-hot": Case(
        lambda x, k, axis: E.to_one_hot(T.cast(x, "int64"), 256),
        lambda x, k, axis: np.eye(256)[x],
        ["uint8"],
        VECTORS,
    ),
    "cumsum": Case(
        lambda x, k, axis: T.cumsum(x, axis=axis),
        lambda x, k, axis: np.cumsum(x, axis=axis, dtype=x.dtype),
        NUMBERS,
        bound=40,
    ),
    "cumprod": Case(
        lambda x, k, axis: T.cumprod(x, axis=axis),
        lambda x, k, axis: np.cumprod(x, axis=axis, dtype=x.dtype),
        DTYPES[1:9],
    ),
    "diff": Case(
        lambda x, k, axis: T.diff(x, axis=axis), lambda x, k, axis: np.diff(x, axis=axis), NUMBERS
    ),
    "fill diagonal": Case(
        lambda x, k, axis: T.fill_diagonal(x, np.asarray(1, x.dtype)),
        lambda x, k, axis: write(x, np.diag_indices(min(x.shape)), 1),
        NUMBERS,
        MATRICES,
    ),
    "dot": Case(
        lambda x, k, axis: T.dot(x, x.T),
        lambda x, k, axis: x @ x.T if x.dtype != "float16" else half_product(x, x.T),
        NUMBERS,
        MATRICES,
        40,
        True,
    ),
    "dot of vectors": Case(
        lambda x, k, axis: T.dot(x, x[::-1]),
        lambda x, k, axis: np.asarray((x.astype(wide(x)) * x[::-1]).sum()).astype(x.dtype),
        NUMBERS,
        VECTORS,
        40,
        True,
    ),
    "products of a batch": Case(
        lambda x, k, axis: T.batched_dot(x, x.dimshuffle(0, 2, 1)),
        lambda x, k, axis: half_product(x, x.transpose(0, 2, 1)),
        NUMBERS,
        CUBES,
        40,
        True,
    ),
    "added product": Case(
        lambda x, k, axis: x - T.dot(T.dot(x, x.T), x),
        lambda x, k, axis: x - (x @ x.T) @ x,
        WIDE,
        MATRICES,
        80,
        True,
    ),
    "rfft": Case(
        lambda x, k, axis: fft.rfft(x),
        lambda x, k, axis: halves(np.fft.rfft(x), x.dtype),
        WIDE,
        [(1, 5), (4, 1), (3, 17)],
        40,
        True,
    ),
    "irfft": Case(
        lambda x, k, axis: fft.irfft(fft.rfft(x), is_odd=True),
        lambda x, k, axis: x,
        WIDE,
        [(1, 5), (3, 17)],
        40,
        True,
    ),
}


def wide(x: Any) -> str:
    """Return the dtype in which sums of items of `x` are compared."""
    return {"float16": "float32", "float32": "float64", "complex64": "complex128"}.get(
        str(x.dtype), str(x.dtype)
    )


def half_product(x: Any, y: Any) -> Any:
    with np.errstate(over="ignore"):
        return (x.astype(wide(x)) @ y.astype(wide(y))).astype(x.dtype)


def halves(z: Any, dtype: Any) -> Any:
    """Return complex numbers as two reals along a new axis."""
    return np.stack([z.real, z.imag], axis=-1).astype(dtype)


def check(case: Case, array: np.ndarray, k: int, positions: Any = None) -> None:
    """Compare the native code, and the meaning of the graph, with NumPy."""
    plain = native_copy(array)
    if case.finite or case.bound:
        plain = moderate(plain)
        array = plain if array.dtype.kind in "fc" else array
    axis = k % plain.ndim
    x = T.TensorType(str(plain.dtype), (False,) * plain.ndim)("x")
    i = T.lvector("i")
    inputs, arguments = ([x], [array]) if positions is None else ([x, i], [array, positions])
    out = case.ours(x, k if positions is None else i, axis)
    with np.errstate(all="ignore"):
        wanted = np.asarray(case.numpys(plain, k if positions is None else positions, axis))
        meant = evaluate([out], dict(zip(inputs, [plain, *arguments[1:]], strict=True)))[0]
    for got in (function(inputs, out)(*arguments), meant):
        agree(got, wanted, case.bound)


def agree(got: Any, wanted: Any, bound: float) -> None:
    wanted = wanted.astype(got.dtype) if wanted.dtype.kind in "iub" and not bound else wanted
    if not bound or wanted.dtype.kind not in "fc":
        assert_same(got, wanted)
        return
    assert (got.dtype, got.shape) == (wanted.dtype, wanted.shape)
    limit = bound * float(np.finfo(wanted.dtype).eps)
    finite = wanted[np.isfinite(wanted)]
    size = float(abs(finite).max(initial=0))
    np.testing.assert_allclose(got, wanted, rtol=limit, atol=limit * size)


@pytest.mark.parametrize("name", list(CASES))
def test_arrays(name: str) -> None:
    case = CASES[name]

    @budget(12)
    @given(array_sets([(kind,) for kind in case.kinds], case.shapes), st.integers(0, 3))
    def agrees(arrays: tuple[np.ndarray, ...], k: int) -> None:
        check(case, arrays[0], k)

    agrees()


@pytest.mark.parametrize("name", list(INDEXED))
def test_positions(name: str) -> None:
    case = INDEXED[name]

    @budget(12)
    @given(array_sets([(kind,) for kind in case.kinds], case.shapes), st.integers(0, 3))
    def agrees(arrays: tuple[np.ndarray, ...], k: int) -> None:
        check(case, arrays[0], k, at(arrays[0], k))

    agrees()


@pytest.mark.slow
@pytest.mark.parametrize("name", [*CASES, *INDEXED])
def test_arrays_at_length(name: str) -> None:
    case = {**CASES, **INDEXED}[name]

    @budget(400)
    @given(array_sets([(kind,) for kind in case.kinds], case.shapes), st.integers(0, 3))
    def agrees(arrays: tuple[np.ndarray, ...], k: int) -> None:
        check(case, arrays[0], k, at(arrays[0], k) if name in INDEXED else None)

    agrees()


# -- reductions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*REDUCERS, "argmax", "argmin", "ptp"])
def test_reductions(name: str) -> None:
    numpys = {"supremum": np.max, "infimum": np.min}.get(name) or getattr(np, name)
    kinds = [k for k in (REAL if name in HAVE_ORDER else DTYPES) if (name, k) != ("ptp", "bool")]

    @budget(25)
    @given(array_sets([(kind,) for kind in kinds], [(), *TENSORS]), st.integers(0, 3))
    def agrees(arrays: tuple[np.ndarray, ...], k: int) -> None:
        plain = native_copy(arrays[0])
        if name in ("sum", "prod"):
            plain = moderate(plain)
        axis = None if k == 3 or not plain.ndim else (k % plain.ndim,)
        shape = plain.shape if axis is None else [plain.shape[axis[0]]]
        if name in HAVE_ORDER and 0 in (*shape, plain.size):
            return
        x = T.TensorType(str(plain.dtype), (False,) * plain.ndim)("x")
        out = (
            reduce(name, x, axis)
            if name in REDUCERS
            else getattr(T, name)(x, axis=None if axis is None else axis[0])
        )
        with np.errstate(all="ignore"):
            where = axis if axis is None else axis[0]
            wanted = numpys(plain.astype(out.dtype) if name in ("sum", "prod") else plain, where)
        given = arrays[0] if name not in ("sum", "prod") else plain
        got = function([x], out)(given)
        bound = 60 if name in ("sum", "prod") else 0
        agree(
            got if bound else unsigned(got),
            np.asarray(wanted if bound else unsigned(wanted)),
            bound,
        )

    agrees()


HAVE_ORDER = {"max", "min", "supremum", "infimum", "argmax", "argmin", "ptp"}


def unsigned(array: Any) -> Any:
    """Return an array without signs of zero: which of two zeros is larger is not said."""
    return np.where(array == 0, np.zeros((), array.dtype), array)


# -- linear algebra --------------------------------------------------------------------------------

POSITIVE: dict[str, tuple[Any, Any]] = {
    "cholesky": (slinalg.cholesky, np.linalg.cholesky),
    "inverse": (nlinalg.matrix_inverse, np.linalg.inv),
    "pinv": (nlinalg.pinv, np.linalg.pinv),
    "det": (nlinalg.det, lambda a: np.asarray(np.linalg.det(a))),
    "slogdet": (lambda a: nlinalg.slogdet(a)[1], lambda a: np.asarray(np.linalg.slogdet(a)[1])),
    "solve": (lambda a: slinalg.solve(a, a.T[0]), lambda a: np.linalg.solve(a, a.T[0])),
    "eigh": (lambda a: nlinalg.eigh(a)[0], lambda a: np.linalg.eigh(a)[0]),
    "eig": (lambda a: T.sort(nlinalg.eig(a)[0].real), lambda a: np.sort(np.linalg.eigvals(a).real)),
    "svd": (lambda a: nlinalg.svd(a)[1], lambda a: np.linalg.svd(a)[1]),
    "qr raw": (lambda a: nlinalg.qr(a, "raw")[0], lambda a: np.linalg.qr(a, "raw")[0]),
    "qr": (lambda a: abs(nlinalg.qr(a)[1]), lambda a: abs(np.linalg.qr(a)[1])),
    "lu": (lambda a: slinalg.lu(a)[2], lambda a: scipy.linalg.lu(a)[2]),
    "expm": (lambda a: slinalg.expm(a / 8), lambda a: scipy.linalg.expm(a / 8)),
    "lstsq": (
        lambda a: nlinalg.lstsq()(a, a.T[0], 1e-9)[0],
        lambda a: np.linalg.lstsq(a, a.T[0], 1e-9)[0],
    ),
    "power": (lambda a: nlinalg.matrix_power(a, 3), lambda a: np.linalg.matrix_power(a, 3)),
    "kron": (lambda a: slinalg.kron(a, a), lambda a: np.kron(a, a)),
}


@pytest.mark.parametrize("name", list(POSITIVE))
def test_linear_algebra(name: str) -> None:
    ours, numpys = POSITIVE[name]

    @budget(12)
    @given(array_sets([(kind,) for kind in WIDE], [(1, 5), (4, 1), (3, 17), (9, 3)]), st.booleans())
    def agrees(arrays: tuple[np.ndarray, ...], turned: bool) -> None:
        a = np.tanh(moderate(native_copy(arrays[0])))
        a = a @ a.T + np.arange(1, len(a) + 1, dtype=a.dtype) * np.eye(len(a), dtype=a.dtype)
        x = T.TensorType(str(a.dtype), (False, False))("x")
        got = function([x], ours(x))(np.asfortranarray(a) if turned else a)
        agree(got, numpys(a).astype(got.dtype), 4000)

    agrees()


# -- nothing is left out ---------------------------------------------------------------------------

# Tested in tests/api/scan, tests/ops/random, or where their users are.
ELSEWHERE = {"Branch", "IfElse", "Loop", "Length", "CheckedSteps", "Called", "Checkpoint"}
ELSEWHERE |= {"Print", "PdbBreakpoint", "RandomFunction", "mrg_uniform", "ChoiceFromUniform"}
ELSEWHERE |= {"MultinomialFromUniform", "MultinomialWOReplacementFromUniform", "PackTruncated"}
ELSEWHERE |= {"StreamDraw", "DeriveKeys", "RejectionDraw", "MultinomialDraw", "WordsToPermutation"}
ELSEWHERE |= {
    "LogGammaDerivative",
    "Spread",
    "After",
    "LoadFromDisk",
    "DFT",
    "MakeSlice",
    "SliceParts",
}
ELSEWHERE |= {"ZeroGrad", "DisconnectedGrad", "UndefinedGrad", "GradScale", "GradClip"}
# Lengths: tests/fuzz/length_cases.py. Limits: tests/ops/linalg/test_spectra.py.
ELSEWHERE |= {"CountOfRange", "Deferred"}
# tests/ops/test_convolution.py, tests/ops/test_pooling.py, tests/fuzz/fuzz_convolutions.py.
ELSEWHERE |= {"Pool", "AveragePoolGrad", "MaxPoolGrad", "DownsampleFactorMaxGradGrad"}
ELSEWHERE |= {f"AbstractConv{n}d{of}" for n in (2, 3) for of in ("", "_gradInputs", "_gradWeights")}
# tests/compile/test_overwriting.py, tests/ops/test_sorting.py.
ELSEWHERE |= {"Overwrite", "RequireAxis"}
# Expressions with a name: tests/legacy/test_original_suite.py, tests/legacy/test_shown_graph.py.
ELSEWHERE |= {"BatchNorm", "Named"}
# Made by rewriting only: the graphs of these tests go through it, and tests/ops/linalg.
REWRITTEN = {
    "SameRows",
    "WindowsFit",
    "Gemm",
    "Within",
    "LUFactor",
    "FitsMask",
    "ArgSelect",
    "ArgSortRows",
}
# Made by derivatives: tests/ops/linalg/test_tangents.py, tests/autodiff/test_sizes.py.
ELSEWHERE |= {"CholeskyCotangent", "CholeskyTangent", "ExpmTangent", "Part", "ReverseRule"}
# Made by rewriting: tests/ops/linalg/test_matrices.py.
ELSEWHERE |= {"SymmetricProduct"}
# Of native code: tests/rewrite/passes/test_sums_of_parts.py, tests/lower/builder/test_views.py.
ELSEWHERE |= {"SumOfParts", "Diagonal", "WriteDiagonal"}
# Of complex numbers: tests/ops/test_special.py.
ELSEWHERE |= {"OfComplex", "_AlsoOfComplex"}
# Names of expressions, written out when rewriting starts: tests/legacy/ops/test_array_ops.py.
ELSEWHERE |= {"Expression", "LogSoftmax", "Softmax", "_OfRows"}
REWRITTEN |= {f"Factor{n}" for n in ("", "Adjugate", "Det", "Inverse", "SLogDet", "Solve")}


def classes(base: type) -> Iterator[type]:
    for kind in base.__subclasses__():
        yield kind
        yield from classes(kind)


def test_every_operation_has_a_case() -> None:
    for module in pkgutil.walk_packages(theano._core.ops.__path__, "theano._core.ops."):
        importlib.import_module(module.name)
    seen: set[str] = set()

    def note(out: Any) -> None:
        seen.update(place_of(type(node.op))[1] for node in toposort([out]))

    for case in CASES.values():
        x = T.TensorType(case.kinds[-1], (False,) * len(case.shapes[-1]))()
        note(case.ours(x, 1, 0))
    for case in INDEXED.values():
        note(
            case.ours(
                T.TensorType(case.kinds[-1], (False,) * len(case.shapes[-1]))(), T.lvector(), 0
            )
        )
    for ours, _ in POSITIVE.values():
        note(ours(T.dmatrix()))
    note(T.argmax(T.dvector()))
    ops = {
        place_of(k)[1] for k in classes(Op) if not list(k.__subclasses__()) and k is not Structured
    }
    ops = {name for name in ops if (Op in _class(name).__mro__) and _ours(name)}
    assert ops - seen - ELSEWHERE - REWRITTEN - {"ComposedElementwise", "Elementwise"} == set()


def _class(name: str) -> type:
    return next(k for k in classes(Op) if place_of(k)[1] == name)


def _ours(name: str) -> bool:
    module = place_of(_class(name))[0]
    # Those on sparse matrices have cases of their own: `tests/ops/sparse`.
    return module.startswith("theano._core.ops") and not module.startswith(
        "theano._core.ops.sparse"
    )
