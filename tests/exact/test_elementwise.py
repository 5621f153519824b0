"""Every elementwise operation, of any dtypes, on edges of their ranges and in any layout."""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from registry import OPS

import theano
from support.arrays import DTYPES, array_sets, budget, native_copy
from support.comparison import assert_same
from theano._core.api.debug.checks import accepts, tensor
from theano._core.compile.function import function
from theano._core.lower.reference import evaluate
from theano._core.ops.elementwise.elementwise import cast

# Where both NumPy's float functions and ours err, each within its bound.
BOTH = 2
# Near zeros of these what counts is the size of the terms that cancel, below 0 or everywhere.
CANCELLING = {"gammaln": BOTH * 4, "psi": 40, "tetra_gamma": 40, "tri_gamma": 40}
# Quotients of numbers near both ends of the range are NaN in NumPy and here.
AS_NUMPY_DIVIDES = {"inv"}
# 2**z is exp(z * log(2)), as in NumPy: the product is rounded, and up to 150.
ROUNDED_ARGUMENT = 150
# Which of two zeros NumPy takes depends on the processor.
EITHER_ZERO = {"maximum", "minimum"}


@lru_cache(None)
def compiled(name: str, kinds: tuple[str, ...], rank: int, width: int = 0) -> tuple[Any, Any, Any]:
    inputs = [tensor(kind, (2,) * rank, f"x{k}") for k, kind in enumerate(kinds)]
    out = OPS[name](*inputs)
    with theano.config.change_flags(vector_width=width):
        return inputs, out, function(inputs, out)


def kinds_of(name: str) -> list[tuple[str, ...]]:
    """Return the sets of dtypes that an operation takes: equal ones, and some mixtures."""
    op = OPS[name]
    sets = [(kind,) * op.nin for kind in DTYPES]
    if op.nin > 1:
        mixed = list(itertools.product(DTYPES, repeat=op.nin))
        sets += [mixed[k] for k in np.random.default_rng(0).permutation(len(mixed))[:60]]
    return [kinds for kinds in sets if accepts(op, kinds)]


def check(name: str, arrays: tuple[np.ndarray, ...]) -> None:
    kinds = tuple(str(a.dtype.newbyteorder("=")) for a in arrays)
    inputs, out, f = compiled(name, kinds, arrays[0].ndim)
    plain = [native_copy(a) for a in arrays]
    with np.errstate(all="ignore"):
        wanted = evaluate([out], dict(zip(inputs, plain, strict=True)))[0]
    got = f(*arrays)
    if wanted.dtype.kind == "c" and name == "pow":
        return assert_powers(got, wanted, plain)
    if wanted.dtype.kind == "c" and len(arrays) == 1 and name not in AS_NUMPY_DIVIDES:
        wanted = of_wide_numbers(name, plain, wanted)
    if name in EITHER_ZERO:
        got, wanted = (np.where(a == 0, 0, a).astype(a.dtype) for a in (got, wanted))
    ulp = ROUNDED_ARGUMENT if name == "exp2" and wanted.dtype.kind == "c" else OPS[name].ulp
    if name == "abs_" and plain[0].dtype.kind != "c":
        ulp = 0
    floor = 0.0
    if name in CANCELLING:
        floor = CANCELLING[name] * float(np.finfo(wanted.dtype).eps)
    return assert_same(got, wanted, ulp if ulp <= 0.5 else BOTH * ulp, floor)


def of_wide_numbers(name: str, arrays: list[np.ndarray], narrow: np.ndarray) -> np.ndarray:
    """Return what NumPy gives in extended precision: its complex functions lose digits."""
    with np.errstate(all="ignore"):
        exact = np.asarray(OPS[name].function(np, arrays[0].astype("clongdouble")))
        return exact.astype(narrow.dtype) if exact.dtype.kind == "c" else narrow


def assert_powers(got: Any, wanted: Any, arrays: list[np.ndarray]) -> None:
    """Compare complex powers of moderate size: of others, what NumPy gives is the C library's."""
    x, y = (np.asarray(a).astype("complex128") for a in arrays)
    moderate = (abs(x) > 1e-3) & (abs(x) < 30) & (abs(y) < 8)
    np.testing.assert_allclose(
        got[moderate], wanted[moderate], rtol=400 * np.finfo(wanted.dtype).eps
    )


@pytest.mark.parametrize("name", list(OPS))
def test_elementwise(name: str) -> None:
    @budget(14)
    @given(array_sets(kinds_of(name)))
    def agrees(arrays: tuple[np.ndarray, ...]) -> None:
        check(name, arrays)

    agrees()


@pytest.mark.slow
@pytest.mark.parametrize("name", list(OPS))
def test_elementwise_at_length(name: str) -> None:
    @budget(400)
    @given(array_sets(kinds_of(name)))
    def agrees(arrays: tuple[np.ndarray, ...]) -> None:
        check(name, arrays)

    agrees()


@pytest.mark.parametrize("name", list(OPS))
@pytest.mark.parametrize("width", [128, 256, 512])
def test_every_width_gives_the_same_bits(name: str, width: int) -> None:
    @budget(3)
    @given(array_sets(kinds_of(name), [(67,), (3, 17)]))
    def agrees(arrays: tuple[np.ndarray, ...]) -> None:
        kinds = tuple(str(a.dtype.newbyteorder("=")) for a in arrays)
        one, other = (compiled(name, kinds, arrays[0].ndim, w)[2](*arrays) for w in (0, width))
        assert_same(other, one)

    agrees()


@pytest.mark.parametrize("source", DTYPES)
def test_casts(source: str) -> None:
    """Where C defines a cast: of a float to an integer that holds it, and all others."""

    @budget(20)
    @given(array_sets([(source,)]), st.sampled_from(DTYPES))
    def agrees(arrays: tuple[np.ndarray, ...], target: str) -> None:
        if source.startswith("complex") and not target.startswith("complex"):
            return
        array = arrays[0]
        if source.startswith("float") and "int" in target:
            info, real = np.iinfo(target), np.finfo(source)
            low, high = max(info.min, float(real.min)), min(info.max, float(real.max))
            wide = np.nan_to_num(native_copy(array).astype("float64"))
            array = np.asarray(np.clip(wide, low / 2, high / 2).astype(source))
        x = tensor(source, array.shape)
        with np.errstate(all="ignore"):
            wanted = native_copy(array).astype(target)
        assert_same(function([x], cast(x, target))(array), wanted)

    agrees()
