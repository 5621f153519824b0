"""Which tests a run takes: those of the gate, the rest, or all.

A test with several `parametrize` decorators has the product of their values as cases. The gate
runs few of them: *each choice*, so that every value of every decorator occurs in a case at least
once (Ammann and Offutt, "Introduction to Software Testing", section 6.3). The rest runs the other
cases, and the tests marked `slow`. The choice depends on the names of the cases only, so that it is
the same in all workers, in any order, and a part is the complement of the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path

import pytest

PARTS = ("gate", "rest", "all")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("selection")
    group.addoption("--part", choices=PARTS, default="gate", help="which tests to run")
    group.addoption(
        "--passed",
        type=Path,
        metavar="FILE",
        help="leave out the tests named in FILE, and add those that pass: takes up a run again",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes long; runs with --part=rest and all")
    path = config.getoption("passed")
    # Reports of workers reach the process that started them.
    if path is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Passed(path))


def each_choice(cases: Sequence[tuple[Hashable, ...]]) -> set[int]:
    """Return the numbers of few cases in which every value at each place occurs.

    A case with many values that no chosen one has is taken before one with few; of equal ones, that
    whose values occur least so far.

    Examples
    --------
    >>> each_choice([(1, "a"), (1, "b"), (2, "a"), (2, "b")])
    {0, 3}
    """
    places = [tuple(enumerate(case)) for case in cases]
    used: Counter[tuple[int, Hashable]] = Counter()
    chosen: set[int] = set()
    waiting = {value for values in places for value in values}
    while waiting:
        best = min(
            (-len(waiting.intersection(values)), sum(used[v] for v in values), number)
            for number, values in enumerate(places)
            if number not in chosen
        )[-1]
        chosen.add(best)
        waiting.difference_update(places[best])
        used.update(places[best])
    return chosen


def _values(item: pytest.Item) -> tuple[Hashable, ...]:
    """Return what stands for the values that each `parametrize` decorator gives to a test."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    found = []
    for mark in item.iter_markers("parametrize"):
        names = mark.args[0] if mark.args else mark.kwargs["argnames"]
        names = [n.strip() for n in names.split(",")] if isinstance(names, str) else names
        # The cases of a decorator share its objects.
        found.append(tuple(id(params[name]) for name in names if name in params))
    return tuple(found)


def gate(items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """Return the tests that the gate runs."""
    tests: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("slow") is None:
            tests.setdefault(item.nodeid.partition("[")[0], []).append(item)
    found: set[pytest.Item] = set()
    for cases in tests.values():
        cases.sort(key=lambda item: item.nodeid)
        values = [_values(item) for item in cases]
        chosen = each_choice(values) if len(values[0]) > 1 else range(len(cases))
        found.update(cases[number] for number in chosen)
    return found


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    part = config.getoption("part")
    # A test that somebody names is run.
    named = any("::" in argument for argument in config.args)
    if part == "all" or (named and part == "gate"):
        keep = list(items)
    else:
        within = gate(items)
        keep = [item for item in items if (item in within) == (part == "gate")]
    if (path := config.getoption("passed")) is not None and path.exists():
        before = set(path.read_text().splitlines())
        keep = [item for item in keep if item.nodeid not in before]
    if len(keep) < len(items):
        kept = set(keep)
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = keep


class _Passed:
    """Adds the names of tests that pass to a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            with self.path.open("a") as file:
                file.write(report.nodeid + "\n")
