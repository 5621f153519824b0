"""Random programs of many scalar operations, cut anywhere, against the reference.

`python tests/fuzz/fuzz_scalars.py FIRST LAST` tries more seeds and prints the shortest beginning of
each that fails.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest
from fuzz_scalars import problem_of

from theano._core.lower.llvm.print import routines


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    """Numbers at the ends of ranges warn in NumPy."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def problems(first: int, last: int, longest: int) -> str:
    return "\n".join(filter(None, (problem_of(seed, longest) for seed in range(first, last))))


@pytest.mark.parametrize("start", range(0, 12, 3))
def test_random_scalars(start: int) -> None:
    assert problems(start, start + 3, 120) == ""


@pytest.mark.slow
@pytest.mark.parametrize("start", range(1000, 1400, 10))
def test_many_random_scalars(start: int) -> None:
    assert problems(start, start + 10, 5000) == ""


def test_a_wrong_name_of_the_first_block_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """What walks through routines from a block of another name is found, in a short beginning."""
    monkeypatch.setattr(routines, "FIRST_BLOCK", "begin")
    found = [problem_of(seed, 60) for seed in range(3)]
    assert any(text and "begin" in text and text.count("\n") < 80 for text in found)
