"""Every Python block of the documents runs, in order; doctests of the package hold."""

import ast
import doctest
import importlib.util
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import theano
import theano.tensor as T

ROOT = Path(__file__).resolve().parents[2]
# The generated pages of the reference quote docstrings, whose doctests run below.
GENERATED = {ROOT / "docs" / "reference", ROOT / "docs" / "_build"}
PAGES = [p for p in sorted((ROOT / "docs").rglob("*.md")) if GENERATED.isdisjoint(p.parents)]
CHAPTERS = sorted((ROOT / "docs" / "how-it-works").rglob("*.py"))
DOCUMENTS = [ROOT / "README.md", *PAGES]
# What examples in docstrings take as imported.
USERS_NAMES = {"np": np, "theano": theano, "T": T}
MODULES = sorted(m.name for m in pkgutil.walk_packages(theano.__path__, "theano."))


def blocks_of(path, language):
    """Return the programs of a page in the order in which they stand there."""
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_blocks_run(path):
    blocks = blocks_of(path, "python")
    # Lists of pages have a table of contents instead.
    assert blocks or "```{toctree}" in path.read_text()
    names = {}
    for block in blocks:
        if ">>>" in block:
            runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
            test = doctest.DocTestParser().get_doctest(block, names, path.name, str(path), 0)
            runner.run(test, clear_globs=False)
            names.update(test.globs)
            assert runner.failures == 0
        else:
            exec(compile(block, str(path), "exec"), names)


@pytest.mark.parametrize("path", [p for p in PAGES if blocks_of(p, "py")], ids=lambda p: p.stem)
def test_blocks_of_other_libraries_run(path):
    """Those after ```py; in a process of its own, since they set their libraries up."""
    program = "\n".join(blocks_of(path, "py"))
    for name in set(re.findall(r"^import (\w+)", program, re.MULTILINE)):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_chapters_run(path):
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    real = re.findall(
        r"`(?:src|runtime)[^`]*`", ast.get_docstring(ast.parse(path.read_text())) or ""
    )
    assert real
    assert all((ROOT / name.strip("`")).exists() for name in real)


@pytest.mark.parametrize("name", MODULES)
def test_doctests(name):
    module = importlib.import_module(name)
    known = {n: v for n, v in USERS_NAMES.items() if n not in vars(module)}
    failures, _ = doctest.testmod(
        module, optionflags=doctest.NORMALIZE_WHITESPACE, extraglobs=known
    )
    assert failures == 0
