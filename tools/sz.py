"""Print how large the source is: lines per layer and file, long functions, untyped parameters.

    python3 tools/sz.py [number of rows]
    python3 tools/sz.py --check

Lines are those with code: comments, docstrings and empty lines do not count. `--check` fails if a
file has over 600 lines in all, a function over 60, or if more parameters are `Any` than were.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SKIP = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
FILE_LIMIT, FUNCTION_LIMIT = 600, 60
# The largest share of parameters whose type is, or contains, `Any`: it only gets smaller.
ANY_LIMIT = 0.102
PACKAGE = ROOT / "src" / "theano"
FILES = sorted(path for path in PACKAGE.rglob("*.py*") if path.suffix in (".py", ".pyi"))
Function = ast.FunctionDef | ast.AsyncFunctionDef


def docstrings(tree: ast.Module) -> set[int]:
    """Return the lines that docstrings take."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | Function) and ast.get_docstring(
            node, False
        ):
            text = node.body[0]
            lines.update(range(text.lineno, (text.end_lineno or text.lineno) + 1))
    return lines


def code_lines(source: str, tree: ast.Module) -> int:
    """Return the number of lines that hold code."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in SKIP:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - docstrings(tree))


def functions(tree: ast.Module, prefix: str = "") -> Iterator[tuple[int, str]]:
    """Yield (lines, name) of every function, docstring left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function):
            first = node.body[0]
            text = ast.get_docstring(node, False)
            doc = (first.end_lineno or 0) - first.lineno + 1 if text else 0
            yield (node.end_lineno or 0) - node.lineno + 1 - doc, prefix + node.name
            yield from functions(node, f"{prefix}{node.name}.")  # type: ignore[arg-type]
        elif isinstance(node, ast.ClassDef):
            yield from functions(node, f"{prefix}{node.name}.")  # type: ignore[arg-type]


def parameters(tree: ast.Module) -> Iterator[bool]:
    """Yield, for each parameter of a function, whether its type contains `Any`."""
    for node in ast.walk(tree):
        if not isinstance(node, Function):
            continue
        given = node.args
        every = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
        for parameter in every:
            if parameter is not None and parameter.arg not in ("self", "cls"):
                kind = parameter.annotation
                yield kind is None or "Any" in ast.unparse(kind)


def check() -> None:
    """Print what is over a limit, and fail if anything is."""
    over, untyped = [], []
    for path in FILES:
        source = path.read_text()
        tree = ast.parse(source)
        name = path.relative_to(PACKAGE)
        untyped += parameters(tree)
        if len(source.splitlines()) > FILE_LIMIT:
            over.append(f"{name} has {len(source.splitlines())} lines of {FILE_LIMIT}")
        over += [
            f"{name}: {function} has {count} lines of {FUNCTION_LIMIT}"
            for count, function in functions(tree)
            if count > FUNCTION_LIMIT
        ]
    share = sum(untyped) / len(untyped)
    if share > ANY_LIMIT:
        over.append(f"{share:.1%} of the parameters are Any, not {ANY_LIMIT:.0%}")
    print("\n".join(over) or f"sizes are within limits; {share:.1%} of the parameters are Any")
    sys.exit(bool(over))


def layer(path: Path) -> str:
    """Return the layer that a file of the package belongs to."""
    parts = path.relative_to(PACKAGE).parts
    if parts[0] != "_core":
        return "surface"
    return parts[1] if len(parts) > 2 else "_core"


def main(rows: int) -> None:
    """Print the tables."""
    layers: Counter[str] = Counter()
    files, longest = [], []
    for path in FILES:
        source = path.read_text()
        tree = ast.parse(source)
        size, total = code_lines(source, tree), len(source.splitlines())
        name = str(path.relative_to(PACKAGE))
        layers[layer(path)] += size
        files.append((size, total, name))
        longest += [(count, f"{name}: {function}") for count, function in functions(tree)]
    native = sum(len(p.read_text().splitlines()) for p in (ROOT / "runtime").rglob("*.[ch]*"))
    print("lines of code by layer")
    for name, size in layers.most_common():
        print(f"{size:8d}  {name}")
    print(f"{sum(layers.values()):8d}  all of Python\n{native:8d}  C++ runtime, all lines\n")
    print("longest files: lines of code, all lines")
    for size, total, name in sorted(files, reverse=True)[:rows]:
        print(f"{size:8d} {total:5d}  {name}{'   over' if total > FILE_LIMIT else ''}")
    print("\nlongest functions: lines without docstring")
    for size, name in sorted(longest, reverse=True)[:rows]:
        print(f"{size:8d}  {name}{'   over' if size > FUNCTION_LIMIT else ''}")


if __name__ == "__main__":
    if "--check" in sys.argv:
        check()
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
