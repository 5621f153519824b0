"""Write a page in Markdown for each operation and function of `theano.tensor`.

Run as `python tools/reference_pages.py [folder]`, by default into docs/reference; `make docs` does.
A page has the signature, the docstring, and of an elementwise operation the dtypes of its results,
whether it has a gradient, and the bound on its error.
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import Any

import theano.tensor as T
from theano._core.ops.core.op import Op
from theano._core.ops.elementwise.elementwise import Elementwise

ROOT = Path(__file__).resolve().parent.parent
KINDS = ["bool", "int8", "int32", "int64", "uint8", "float16", "float32", "float64"]
KINDS += ["complex64", "complex128"]


def public_names() -> dict[str, Any]:
    """Return the operations and functions of `theano.tensor` by name."""
    found = {}
    for name in dir(T):
        value = getattr(T, name)
        ours = getattr(value, "__module__", "").startswith("theano")
        if not name.startswith("_") and (
            isinstance(value, Op) or (inspect.isfunction(value) and ours)
        ):
            found[name] = value
    return found


def signature(name: str, value: Any) -> str:
    """Return how a user calls it."""
    if isinstance(value, Elementwise):
        parameters = list(inspect.signature(value.function).parameters)[1:]
        return f"{name}({', '.join(parameters)})"
    target = value.make_node if isinstance(value, Op) else value
    plain = [p.replace(annotation=p.empty) for p in inspect.signature(target).parameters.values()]
    return f"{name}{inspect.Signature(plain)}"


def docstring(value: Any) -> str:
    """Return the docstring, of an operation with its class's if it has none of its own."""
    return inspect.cleandoc(value.__doc__ or "")


def sections(text: str) -> list[str]:
    """Return the lines of a numpydoc docstring as Markdown."""
    lines: list[str] = []
    source = text.splitlines()
    section = ""
    for line, after in zip(source, [*source[1:], ""], strict=True):
        if after and set(after) == {"-"}:
            section = line
            lines += [f"## {line}", ""]
        elif section and line and set(line) == {"-"}:
            continue
        elif section in ("Parameters", "Returns", "Raises") and line[:1].strip():
            head, _, kind = line.partition(" : ")
            lines.append(f"- `{head}`" + (f" : {kind}" if kind else ""))
        elif section in ("Parameters", "Returns", "Raises"):
            lines.append(f"  {line.strip()}" if line else "")
        else:
            lines.append(line)
    return lines


def dtypes_of(op: Elementwise) -> list[str]:
    """Return a table of the dtypes that an operation gives for operands of one dtype."""
    rows = ["| operands | result |", "| --- | --- |"]
    for kind in KINDS:
        try:
            result = op.dtype(*[kind] * op.nin)[1]
        except (TypeError, NotImplementedError):
            result = "TypeError"
        rows.append(f"| {kind} | {result} |")
    rule = inspect.cleandoc(op.dtype.__doc__ or "")
    return ["## dtypes", "", *([rule, ""] if rule else []), *rows, ""]


def has_gradient(op: Op) -> bool:
    """Tell whether an operation has a derivative other than zero."""
    if isinstance(op, Elementwise):
        return op.gradient is not None
    return type(op).vjp is not Op.vjp


def page(name: str, value: Any) -> str:
    """Return the page of a name."""
    lines = [f"# {name}", "", "```", f"theano.tensor.{signature(name, value)}", "```", ""]
    lines += [*sections(docstring(value)), ""]
    if isinstance(value, Elementwise):
        lines += dtypes_of(value)
    if isinstance(value, Op):
        answer = "yes" if has_gradient(value) else "zero: the result changes by jumps, or never"
        lines += [f"Gradient: {answer}.", ""]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


def main(folder: Path) -> None:
    """Write all pages, and an index of them."""
    folder.mkdir(parents=True, exist_ok=True)
    index = ["# Reference of theano.tensor", ""]
    for name, value in public_names().items():
        (folder / f"{name}.md").write_text(page(name, value))
        index.append(f"- [{name}]({name}.md): {docstring(value).splitlines()[0]}")
    (folder / "README.md").write_text("\n".join(index) + "\n")
    print(f"{len(index) - 2} pages in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "reference")
