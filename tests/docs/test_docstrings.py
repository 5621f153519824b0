"""Public functions say what they take and give, and show it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest
from tool_loading import load

PAGES = load("reference_pages")

# Public functions that have no such section, and why.
LACKING: dict[str, set[str]] = {
    "Parameters": set(),
    "Returns": set(),
    # They warn that they are not to be used.
    "Examples": {"theano.Param", "theano.tensor.consider_constant"},
}


def functions() -> Iterator[tuple[str, object]]:
    for module, names in PAGES.all_names().items():
        for name, value in names.items():
            if inspect.isfunction(value):
                yield f"{module}.{name}", value


def lacking(section: str) -> list[str]:
    found = []
    for name, value in functions():
        needed = section != "Parameters" or inspect.signature(value).parameters
        if needed and f"{section}\n---" not in PAGES.docstring(value):
            found.append(name)
    return found


@pytest.mark.parametrize("section", LACKING)
def test_sections(section: str) -> None:
    assert set(lacking(section)) == LACKING[section]
