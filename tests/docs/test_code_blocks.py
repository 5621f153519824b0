"""Every Python block of the documents runs, in order; doctests of the package hold."""

from __future__ import annotations

import ast
import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import theano

ROOT = Path(__file__).resolve().parents[2]
# The generated pages of the reference quote docstrings, whose doctests run below.
REFERENCE = ROOT / "docs" / "reference"
PAGES = [p for p in sorted((ROOT / "docs").rglob("*.md")) if REFERENCE not in p.parents]
CHAPTERS = sorted((ROOT / "docs" / "how-it-works").rglob("*.py"))
DOCUMENTS = [ROOT / "README.md", *PAGES]
MODULES = sorted(m.name for m in pkgutil.walk_packages(theano.__path__, "theano."))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_blocks_run(path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE)
    assert blocks
    names: dict[str, object] = {}
    for block in blocks:
        if ">>>" in block:
            runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
            test = doctest.DocTestParser().get_doctest(block, names, path.name, str(path), 0)
            runner.run(test, clear_globs=False)
            names.update(test.globs)
            assert runner.failures == 0
        else:
            exec(compile(block, str(path), "exec"), names)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_chapters_run(path: Path) -> None:
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    real = re.findall(
        r"`(?:src|runtime)[^`]*`", ast.get_docstring(ast.parse(path.read_text())) or ""
    )
    assert real
    assert all((ROOT / name.strip("`")).exists() for name in real)


@pytest.mark.parametrize("name", MODULES)
def test_doctests(name: str) -> None:
    module = importlib.import_module(name)
    failures, _ = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert failures == 0
