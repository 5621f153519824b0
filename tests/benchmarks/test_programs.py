"""The whole programs of `benchmarks` compute, in small, what NumPy computes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from theano import config

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


def module(name: str) -> Any:
    sys.path.insert(0, str(FOLDER))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(FOLDER))


programs = module("programs")


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    """Put back what the programs change: they are not made to live beside others."""
    before = config.floatX
    yield
    config.floatX = before


def test_there_are_forty() -> None:
    assert len(programs.PROGRAMS) >= 40


@pytest.mark.parametrize("name", programs.PROGRAMS)
def test_program(name: str) -> None:
    program = programs.PROGRAMS[name]
    # Raises if a result is not NumPy's.
    programs.first_call(programs.FRAMEWORKS["theano"](), program, program.arrays(program.tiny))


@pytest.mark.parametrize(
    "name", [name for name, p in programs.PROGRAMS.items() if p.by_hand and not p.wrt]
)
def test_results_by_hand(name: str) -> None:
    program = programs.PROGRAMS[name]
    programs.first_call(programs.FRAMEWORKS["numpy"](), program, program.arrays(program.tiny))


def has_gradients_by_hand(program: Any) -> bool:
    written = program.by_hand is not None and not program.rate and program.wrt
    return written and program.derivative == "gradient"


@pytest.mark.parametrize(
    "name", [name for name, p in programs.PROGRAMS.items() if has_gradients_by_hand(p)]
)
def test_gradients_by_hand(name: str) -> None:
    program = programs.PROGRAMS[name]
    arrays = [
        a.astype("float64") if a.dtype == "float32" else a for a in program.arrays(program.tiny)
    ]
    cost, *gradients = program.by_hand(*arrays)
    np.testing.assert_allclose(cost, program.build(programs.WithNumPy(), *arrays), rtol=1e-6)
    along = sum(g.sum() for g in gradients)
    slope = programs.slope(program, arrays, [np.ones_like(g) for g in gradients])
    np.testing.assert_allclose(along, slope, rtol=1e-4, atol=1e-5)


def test_wrong_results_are_refused() -> None:
    program = programs.PROGRAMS["softmax of rows"]
    arrays = program.arrays(program.tiny)
    (right,) = programs.expected(program, arrays)
    programs.check(program, arrays, [right])
    with pytest.raises(AssertionError):
        programs.check(program, arrays, [right + 1e-3])
    program = programs.PROGRAMS["mixture density network, with gradients"]
    arrays = program.arrays(program.tiny)
    (cost,) = programs.expected(program, arrays)
    with pytest.raises(AssertionError):
        programs.check(program, arrays, [cost, *(np.ones_like(arrays[i]) for i in program.wrt)])
