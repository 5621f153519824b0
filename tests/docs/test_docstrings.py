"""Public functions say what they take and give, and show it; those that do not grow fewer."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest
from tool_loading import load

PAGES = load("reference_pages")

# How many public functions have no such section: write one, then lower the number.
LACKING = {"Parameters": 14, "Returns": 27, "Examples": 50}


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
    found = lacking(section)
    assert len(found) <= LACKING[section], found
