"""Operations are native, for every item type."""

import numpy as np
import pytest
from registry import OPS
from test_structured import CASES

import theano
import theano.tensor as T
from theano._core.api.debug.checks import accepts
from theano._core.base import dtypes
from theano.tensor import fft

KINDS = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64", "complex64", "complex128"),
)
REAL = [k for k in KINDS if not dtypes.is_complex(k)]


def callbacks(inputs, out):
    return len(theano.function(inputs, out, on_unused_input="ignore").maker.callbacks)


@pytest.mark.parametrize("name", list(OPS))
def test_elementwise(name):
    op = OPS[name]
    for kind in KINDS:
        if accepts(op, [kind] * op.nin):
            inputs = [T.TensorType(kind, (False,))() for _ in range(op.nin)]
            assert callbacks(inputs, op(*inputs)) == 0, kind


REDUCTIONS = ("sum", "prod", "mean", "var", "min", "max", "argmin", "argmax", "any", "all", "ptp")


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name):
    for kind in REAL:
        x = T.TensorType(kind, (False, False))()
        try:
            out = getattr(T, name)(x, axis=1)
        except TypeError:
            continue
        assert callbacks([x], out) == 0, kind


@pytest.mark.parametrize("name", list(CASES))
def test_structured(name):
    build, _, arrays = CASES[name]
    arrays = [np.asarray(a) for a in arrays]
    inputs = [T.TensorType(str(a.dtype), (False,) * a.ndim)() for a in arrays]
    assert callbacks(inputs, build(*inputs)) == 0


@pytest.mark.parametrize(
    "name", ["matrix_inverse", "det", "svd", "qr", "pinv", "eigh", "eig", "expm", "trace", "diag"]
)
def test_linear_algebra(name):
    for kind in ("float32", "float64", "complex64", "complex128"):
        x = T.TensorType(kind, (False, False))()
        out = getattr(T.slinalg if name == "expm" else T.nlinalg, name)(x)
        assert callbacks([x], list(out) if isinstance(out, (list, tuple)) else out) == 0, kind


@pytest.mark.parametrize("name", ["sort", "argsort", "cumsum", "cumprod"])
def test_order_and_running_totals(name):
    for kind in KINDS:
        x = T.TensorType(kind, (False, False))()
        assert callbacks([x], getattr(T, name)(x, 0)) == 0, kind


def test_distinct_parts():
    for kind in KINDS:
        x = T.TensorType(kind, (False, False))()
        assert callbacks([x], T.extra_ops.Unique(True, True, True, axis=1)(x)) == 0, kind


def test_fourier_transforms():
    for kind in KINDS:
        x = T.TensorType(kind, (False, False))()
        outs = [fft.fft(x), fft.ifft(x, 7, axis=0)]
        if kind in REAL:
            outs += [fft.rfft(x), fft.irfft(fft.rfft(x), is_odd=True)]
        assert callbacks([x], outs) == 0, kind
