"""Random programs: rewritten native code, plain native code and the reference must agree.

`python tests/fuzz/fuzz_programs.py FIRST LAST` tries more seeds and prints the smallest program of
each that fails.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import fuzz_programs
import numpy as np
import pytest
from fuzz_programs import Input, Program, problem_of, shrunk

import theano
import theano.tensor as T


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    """Numbers at the ends of ranges warn in NumPy."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def problems(first: int, last: int) -> str:
    return "\n".join(filter(None, map(problem_of, range(first, last))))


@pytest.mark.parametrize(
    "start", [0, 20, *(pytest.param(s, marks=pytest.mark.slow) for s in (40, 60))]
)
def test_random_programs(start: int) -> None:
    assert problems(start, start + 20) == ""


@pytest.mark.slow
@pytest.mark.parametrize("start", range(100_000, 110_000, 250))
def test_many_random_programs(start: int) -> None:
    assert problems(start, start + 250) == ""


def test_a_failure_is_shrunk_and_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend that computes tanh wrongly is found in a long program, and nothing else."""
    right = fuzz_programs.values_of

    def wrong(program: Program, mode: Any) -> Any:
        results = right(program, mode)
        if mode is None or "tanh" not in program.text_from() or isinstance(results, str):
            return results
        return [r + 1 if r.dtype.kind == "f" else r for r in results]

    monkeypatch.setattr(fuzz_programs, "values_of", wrong)
    inputs = (Input("float64", (5, 3), "transposed", 1), Input("float32", (3,), "strided", 2))
    steps = ("v0 * 2", "T.sin(v1)", "op('tanh')(v2)", "v4[::-1]", "v5 + v3")
    small = shrunk(Program(inputs, steps, (3, 6), True))
    assert small.steps == ("op('tanh')(v0)",)
    assert [(one.shape, one.layout) for one in small.inputs] == [((1, 1), "contiguous")]
    assert "v1 = op('tanh')(v0)" in str(small)


def test_lengths_of_what_does_not_exist_yet() -> None:
    """A loop must not take its length from a value that is computed from it."""
    v, w = T.dvector("v"), T.dmatrix("w")
    flat = (v * w).reshape((-1,))
    f = theano.function([v, w], flat / (1 + T.sqr(w)))
    np.testing.assert_allclose(f(np.ones(3), np.full((1, 3), 2.0)), np.full((1, 3), 0.4))
