"""`python -m theano compat`: what programs for Theano 1.0.5 use, what differs, what is refused.

Programs are read and not run: imports of Theano's modules, and the names that follow.
"""

from __future__ import annotations

import ast
import importlib
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from theano._core.base.records import Record
from theano._core.legacy.differences import DIFFERENCES
from theano._core.legacy.refused import advice


class Use(Record):
    """A name of Theano's in a program."""

    name: str
    file: str
    line: int


def uses(tree: ast.Module, file: str) -> Iterator[Use]:
    """Yield what a program uses of Theano, each place."""
    full_name_of: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name, called in _imported(node):
                full_name_of[called] = name if called != "theano" else "theano"
                yield Use(name, file, node.lineno)
    inner = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and id(node) not in inner:
            name = _dotted(node, full_name_of)
            if name is not None:
                yield Use(name, file, node.lineno)


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """Yield the names of Theano's that a statement imports, and what each is called then."""
    module = getattr(node, "module", None) or ""
    for alias in node.names:
        if isinstance(node, ast.Import):
            if alias.name.split(".")[0] == "theano":
                yield alias.name, alias.asname or "theano"
        elif module.split(".")[0] == "theano" and not node.level and alias.name != "*":
            yield f"{module}.{alias.name}", alias.asname or alias.name


def _dotted(node: ast.expr, full_name_of: dict[str, str]) -> str | None:
    """Return the full name of an expression such as `T.nnet.conv`, by the imports."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in full_name_of:
        return None
    return ".".join([full_name_of[node.id], *reversed(parts)])


def verdict(name: str) -> tuple[str, str]:
    """Say of a name 'there', 'differs', 'refused' or 'absent', and what to know."""
    parts = name.split(".")
    value: object = importlib.import_module("theano")
    for end in range(2, len(parts) + 1):
        path = ".".join(parts[:end])
        refusal = advice(path)
        if refusal is not None:
            return "refused", refusal
        if not isinstance(value, ModuleType):
            # What objects have is not looked at: settings and methods of variables.
            break
        try:
            value = getattr(value, parts[end - 1])
        except AttributeError as error:
            try:
                value = importlib.import_module(path)
            except ImportError:
                return "absent", str(error)
    if name in DIFFERENCES:
        return "differs", DIFFERENCES[name]
    return "there", ""


def _files(paths: Sequence[str]) -> Iterator[Path]:
    for each in map(Path, paths):
        yield from sorted(each.rglob("*.py")) if each.is_dir() else [each]


def report(paths: Sequence[str]) -> int:
    """Print what the programs under `paths` use; return 1 if something is refused or absent."""
    places: dict[str, list[Use]] = {}
    unread = 0
    for file in _files(paths):
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"))
        except (OSError, SyntaxError, UnicodeDecodeError) as error:
            unread += 1
            hint = " (programs for Python 2 go through 2to3 first)"
            print(f"{file}: cannot be read: {error}{hint * isinstance(error, SyntaxError)}")
            continue
        for use in uses(tree, str(file)):
            places.setdefault(use.name, []).append(use)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        verdicts = {name: verdict(name) for name in sorted(places)}
    for kind, title in (
        ("absent", "Not there"),
        ("refused", "There to be imported, and refused when used"),
        ("differs", "There, with a difference"),
    ):
        chosen = [name for name, (how, _) in verdicts.items() if how == kind]
        if chosen:
            print(f"{title}:")
        for name in chosen:
            at = places[name][0]
            more = len(places[name]) - 1
            also = f" and {more} more" if more else ""
            print(f"  {name}  ({at.file}:{at.line}{also})\n      {verdicts[name][1]}")
    counts = {kind: sum(how == kind for how, _ in verdicts.values()) for kind in _KINDS}
    print(", ".join(f"{n} {kind}" for kind, n in counts.items()) + f" of {len(verdicts)} names")
    return 1 if unread or counts["absent"] or counts["refused"] else 0


_KINDS = ("there", "differs", "refused", "absent")
