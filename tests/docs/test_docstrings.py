"""Public functions say what they take and give, and show it."""

import inspect

import pytest
from tool_loading import load

PAGES = load("reference_pages")

# Public functions that have no such section, and why.
LACKING = {
    "Parameters": set(),
    "Returns": set(),
    # They warn that they are not to be used.
    "Examples": {"theano.Param", "theano.tensor.consider_constant"},
}


def functions():
    for module, names in PAGES.all_names().items():
        for name, value in names.items():
            if inspect.isfunction(value):
                yield f"{module}.{name}", value


def lacking(section):
    found = []
    for name, value in functions():
        needed = section != "Parameters" or inspect.signature(value).parameters
        if needed and f"{section}\n---" not in PAGES.docstring(value):
            found.append(name)
    return found


@pytest.mark.parametrize("section", LACKING)
def test_sections(section):
    assert set(lacking(section)) == LACKING[section]
