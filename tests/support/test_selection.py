"""Which cases of a test the gate runs."""

from __future__ import annotations

import itertools

import pytest

from support.selection import each_choice

pytest_plugins = ["pytester"]

PROGRAM = """
import pytest

@pytest.mark.parametrize("x", [1, 2, 3])
@pytest.mark.parametrize("y", "abcd")
def test_product(x, y): pass

@pytest.mark.slow
def test_long(): pass

@pytest.mark.parametrize("x, y", [(1, 2), (1, 3), (1, 4)])
def test_rows(x, y): pass
"""


def test_each_value_is_chosen_and_few_cases_are() -> None:
    cases = list(itertools.product(range(5), "abc", (True, False)))
    chosen = [cases[number] for number in each_choice(cases)]
    assert len(chosen) == 5
    assert [set(place) for place in zip(*chosen, strict=True)] == [
        {0, 1, 2, 3, 4},
        {"a", "b", "c"},
        {True, False},
    ]


def test_no_cases_and_cases_without_values() -> None:
    assert each_choice([]) == set()
    assert each_choice([()]) == set()


def test_parts_and_taking_up_again(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(PROGRAM)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(*arguments: str, **outcomes: int) -> None:
        done = pytester.runpytest_inprocess("-p", "support.selection", *arguments)
        done.assert_outcomes(**outcomes)

    run(passed=4 + 3, deselected=9)
    run("--part=all", passed=16)
    run("--part=rest", "--passed=done", passed=9, deselected=7)
    run("--part=rest", "--passed=done", deselected=16)
