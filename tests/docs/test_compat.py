"""`docs/compat.md` says how each public name of Theano 1.0.5 is here."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"


def load(name: str) -> Any:
    found = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def compat() -> Any:
    before = list(sys.path)
    yield load("compat")
    sys.path[:] = before


def test_the_page_is_current(compat: Any) -> None:
    """If this fails, run `tools/compat.py`."""
    assert compat.PAGE.read_text() == compat.page()


def test_what_is_said_of_a_name(compat: Any) -> None:
    assert compat.status("theano.tensor.exp") == ("same", "")
    assert compat.status("theano.tensor.topk")[0] == "differs"
    kind, advice = compat.status("theano.d3viz.formatting.PyDotFormatter")
    assert kind == "refused" and "pydotprint" in advice
    assert compat.status("theano.tensor.nonsense")[0] == "missing"


def test_only_names_of_theano_differ(compat: Any) -> None:
    known = {n for p in compat.surface.names().values() for names in p.values() for n in names}
    assert set(compat.DIFFERENCES) <= known
