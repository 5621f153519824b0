"""The reference of `theano.tensor` is made from docstrings, which say what goes in and out."""

from __future__ import annotations

import importlib.util
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from theano._core.ops.core.op import Op

ROOT = Path(__file__).resolve().parents[2]


def load() -> ModuleType:
    found = importlib.util.spec_from_file_location("pages", ROOT / "tools" / "reference_pages.py")
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


PAGES = load()
NAMES: dict[str, Any] = PAGES.public_names()


@pytest.mark.parametrize("name", list(NAMES))
def test_docstring(name: str) -> None:
    value = NAMES[name]
    text = PAGES.docstring(value)
    first = text.splitlines()[0]
    assert first.endswith((".", "``")) and len(first) <= 100
    if isinstance(value, Op):
        return
    if inspect.signature(value).parameters:
        assert "Parameters\n----------\n" in text
    assert "Returns\n-------\n" in text


def test_pages_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    PAGES.main(tmp_path)
    assert f"{len(NAMES)} pages" in capsys.readouterr().out
    assert {p.stem for p in tmp_path.glob("*.md")} == {*NAMES, "README"}
    sine = (tmp_path / "sin.md").read_text()
    assert "theano.tensor.sin(x)" in sine
    assert "2 units in the last place" in sine
    assert "| int8 | float32 |" in sine
    assert "Gradient: yes." in sine
    assert "Gradient: zero" in (tmp_path / "floor.md").read_text()
    argmax = (tmp_path / "argmax.md").read_text()
    assert "theano.tensor.argmax(x, axis=None, keepdims=False)" in argmax
    assert "## Returns" in argmax and "- `tensor, int64`" in argmax
