"""Every elementwise operation: native code against its meaning, over dtypes and layouts."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from registry import OPS, accepts, assert_close, draw, layouts, tensor

from theano._core.base import dtypes
from theano._core.compile.function import function
from theano._core.lower.reference import evaluate

SHAPES = [(), (0,), (1,), (5,), (37,), (3, 4), (2, 0, 3)]
KINDS = [
    "bool",
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]
CASES = [(name, kind) for name, op in OPS.items() for kind in KINDS if accepts(op, [kind] * op.nin)]


def seeded(*parts: object) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(repr(parts).encode()))


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_native_code_means_what_the_declaration_says(name: str, kind: str) -> None:
    op = OPS[name]
    rng = seeded(name, kind)
    for rank in range(4):
        shapes = [s for s in SHAPES if len(s) == rank]
        if not shapes:
            continue
        inputs = [tensor(kind, shapes[0], f"x{i}") for i in range(op.nin)]
        out = op(*inputs)
        f = function(inputs, out)
        for shape in shapes:
            arrays = [draw(rng, where, kind, shape) for where in op.samples]
            wanted = evaluate([out], dict(zip(inputs, arrays, strict=True)))[0]
            for layout in layouts(arrays[0]):
                given = [layouts(a)[layout] for a in arrays]
                assert_close(f(*given), wanted, op.ulp)


@pytest.mark.parametrize("name", [n for n, op in OPS.items() if op.nin == 2])
def test_dtypes_mix(name: str) -> None:
    op = OPS[name]
    rng = seeded(name)
    pairs = [(a, b) for a in KINDS for b in KINDS if a != b and accepts(op, [a, b])]
    chosen = [pairs[i] for i in rng.permutation(len(pairs))[:12]]
    for a, b in chosen:
        inputs = [tensor(a, (4,), "x"), tensor(b, (4,), "y")]
        out = op(*inputs)
        arrays = [
            draw(rng, where, kind, (4,)) for where, kind in zip(op.samples, (a, b), strict=True)
        ]
        wanted = evaluate([out], dict(zip(inputs, arrays, strict=True)))[0]
        assert_close(function(inputs, out)(*arrays), wanted, op.ulp)


@pytest.mark.parametrize(
    "name", [n for n, op in OPS.items() if op.nin == 2 and accepts(op, ["float64"] * 2)]
)
def test_broadcasting(name: str) -> None:
    op = OPS[name]
    rng = seeded(name, "broadcast")
    for one, two in [
        ((3, 1), (1, 4)),
        ((1, 1), (3, 4)),
        ((3, 4), (1, 4)),
        ((2, 1, 5), (2, 7, 1)),
        ((1, 0), (3, 1)),
    ]:
        inputs = [tensor("float64", one, "x", True), tensor("float64", two, "y", True)]
        out = op(*inputs)
        arrays = [draw(rng, w, "float64", s) for w, s in zip(op.samples, (one, two), strict=True)]
        wanted = evaluate([out], dict(zip(inputs, arrays, strict=True)))[0]
        f = function(inputs, out)
        assert_close(f(*arrays), wanted, op.ulp)
        assert_close(f(*(layouts(a)["strided"] for a in arrays)), wanted, op.ulp)


@pytest.mark.parametrize("source", KINDS)
def test_casts(source: str) -> None:
    from theano._core.ops.arithmetic import cast

    rng = seeded(source)
    x = tensor(source, (9,))
    values = np.append(draw(rng, OPS["add"].samples[0], source, (7,)), [0, 1]).astype(source)
    for target in KINDS:
        if dtypes.is_complex(source) and not dtypes.is_complex(target):
            continue
        with np.errstate(all="ignore"):
            wanted = values.astype(target)
        if target.startswith("u") and dtypes.is_float(source):
            keep = values >= 0
            values, wanted = (
                np.where(keep, values, 0).astype(source),
                np.where(keep, wanted, 0).astype(target),
            )
        got = function([x], cast(x, target))(values)
        assert_close(got, wanted, 0)
