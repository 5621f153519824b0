"""Arrays of any strides, against plain copies of them.

`python tests/fuzz/fuzz_arrays.py FIRST LAST` makes more calls and prints what differs.
"""

from __future__ import annotations

import fuzz_arrays
import numpy as np
import pytest
from fuzz_arrays import CALLS, TABLE, problems

from support.arrays import loosened


@pytest.mark.parametrize("calls", [4, pytest.param(12, marks=pytest.mark.slow)])
@pytest.mark.parametrize("first", range(0, len(TABLE), 50))
def test_calls(first: int, calls: int) -> None:
    found = []
    for number in range(first, min(first + 50, len(TABLE))):
        found += problems(number * CALLS, number * CALLS + calls)
    assert found == []


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1_000_000, 2_000_000, 10_000))
def test_many_calls(first: int) -> None:
    assert problems(first, first + 10_000) == []


def test_a_wrong_result_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def reads_strides(*arrays: np.ndarray) -> list[np.ndarray]:
        return [np.asarray(a.strides) for a in arrays]

    class Maker:
        inputs = (0,)

    reads_strides.maker = Maker  # type: ignore[attr-defined]
    monkeypatch.setattr(
        fuzz_arrays, "compiled", lambda number: ("strides", "float64", 3, False, reads_strides)
    )
    assert any(problems(0, 100))
    assert loosened(np.zeros((1, 1, 67))).strides != np.zeros((1, 1, 67)).strides
