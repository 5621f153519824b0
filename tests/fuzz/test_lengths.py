"""Lengths, offsets, steps, positions and counts at the ends of int64, against NumPy.

`python tests/fuzz/fuzz_lengths.py FIRST LAST` tries more.
"""

from __future__ import annotations

import fuzz_lengths
import numpy as np
import pytest
from fuzz_lengths import Try, difference, problems
from length_cases import CASES, TOP, Case

import theano.tensor as T


@pytest.mark.parametrize("start", [0, pytest.param(200, marks=pytest.mark.slow)])
def test_numbers_at_the_ends(start: int) -> None:
    assert list(problems(start, start + 200)) == []


@pytest.mark.slow
@pytest.mark.parametrize("start", range(100_000, 160_000, 1_000))
def test_many_numbers_at_the_ends(start: int) -> None:
    assert list(problems(start, start + 1_000)) == []


def test_a_wrong_number_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sum that wraps around, and one that is empty where NumPy has no memory."""
    wraps = Case(lambda a: T.as_tensor_variable(a) * 2, lambda a: np.asarray(int(a) * 2), "n")
    empty = Case(lambda a: T.zeros((0,)), lambda a: np.zeros((a, a)), "n")
    monkeypatch.setitem(CASES, "wraps", wraps)
    monkeypatch.setitem(CASES, "empty", empty)
    assert difference(Try("wraps", (3,), "int64")) is None
    assert difference(Try("wraps", (TOP,), "int64")) is not None
    assert difference(Try("empty", (2**62,), "int64")) is not None


def test_what_ends_the_process_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A try that does not come back is reported, and the next ones are run."""
    command = [fuzz_lengths.sys.executable, "-c", "import os; print('[7]', flush=True); os.abort()"]
    monkeypatch.setattr(fuzz_lengths, "command", lambda first, last: command)
    found = list(problems(7, 8))
    assert len(found) == 1 and "seed 7" in found[0] and "ended by" in found[0]
