"""Every elementwise operation: native code against its meaning, over dtypes and layouts."""

from __future__ import annotations

import numpy as np
import pytest
from registry import OPS

from theano._core.api.checks import (
    accepts,
    assert_close,
    check_broadcasting,
    check_mixed_dtypes,
    check_values,
    draw,
    kinds_of,
    seeded,
    tensor,
)
from theano._core.base import dtypes
from theano._core.compile.function import function

KINDS = dtypes.all_dtypes
CASES = [(name, kind) for name, op in OPS.items() for kind in kinds_of(op)]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_native_code_means_what_the_declaration_says(name: str, kind: str) -> None:
    check_values(OPS[name], kind)


@pytest.mark.parametrize("name", [n for n, op in OPS.items() if op.nin == 2])
def test_dtypes_mix(name: str) -> None:
    check_mixed_dtypes(OPS[name])


@pytest.mark.parametrize(
    "name", [n for n, op in OPS.items() if op.nin == 2 and accepts(op, ["float64"] * 2)]
)
def test_broadcasting(name: str) -> None:
    check_broadcasting(OPS[name])


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
