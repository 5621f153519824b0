"""Write a page in Markdown for each public function, operation and class.

Run as `python tools/reference_pages.py [folder]`, by default into docs/reference; `make docs` does,
and `make site` with the tables of `reference_tables.py`. A page has the signature, the docstring,
and of an elementwise operation the dtypes of its results, whether it has a gradient, and the bound
on its error. Modules are listed by what their functions are about, as the engine's files are.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import theano.tensor as T
from theano._core.base.stubs import LISTED
from theano._core.ir.hooks import place_of
from theano._core.ops.core.op import Op
from theano._core.ops.core.samples import Range
from theano._core.ops.elementwise.elementwise import Elementwise

ROOT = Path(__file__).resolve().parent.parent
KINDS = ["bool", "int8", "int32", "int64", "uint8", "float16", "float32", "float64"]
KINDS += ["complex64", "complex128"]
# In this order; what two of them have is told under the first.
MODULES = {
    "theano": "Functions, shared variables, gradients, loops",
    "theano.tensor": "Functions of arrays",
    "theano.tensor.nnet": "Neural networks",
    "theano.tensor.nnet.bn": "Batch normalization",
    "theano.tensor.nnet.ctc": "Connectionist temporal classification",
    "theano.tensor.nnet.neighbours": "Patches of images",
    "theano.tensor.signal.pool": "Pools of images",
    "theano.tensor.nlinalg": "Linear algebra",
    "theano.tensor.slinalg": "Linear algebra: solutions and factors",
    "theano.tensor.fft": "Fourier transforms",
    "theano.tensor.random": "Random numbers as functions of a key",
    "theano.tensor.shared_randomstreams": "Random streams of NumPy's RandomState",
    "theano.sandbox.rng_mrg": "Random streams of MRG31k3p",
    "theano.gradient": "Derivatives",
    "theano.ifelse": "Branches",
    "theano.scan_module": "Loops",
    "theano.sparse": "Sparse matrices",
    "theano.printing": "Graphs as text and pictures",
    "theano.extend": "Operations, rules and backends of your own",
}
FIELDS = ("Parameters", "Returns", "Yields", "Raises", "Attributes")


def is_public(value: Any) -> bool:
    """Tell whether a value of a module has a page: an operation, a function or a class of ours."""
    ours = str(getattr(value, "__module__", "")).startswith("theano")
    return isinstance(value, Op) or (ours and (inspect.isfunction(value) or inspect.isclass(value)))


def listed(module: ModuleType) -> list[str]:
    """Return the names of a stub, or in `__all__` as the file has it, without old ones."""
    if module.__name__ in LISTED:
        return list(LISTED[module.__name__])
    for statement in ast.parse(inspect.getsource(module)).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
            return ast.literal_eval(statement.value)
    return []


def public_names(module: str = "theano.tensor") -> dict[str, Any]:
    """Return what a module has pages for, by name.

    Of `theano.tensor`, which lists NumPy's names in no `__all__`, all functions and operations; the
    classes of Theano 1.0.5 are in its list name by name.
    """
    space = importlib.import_module(module)
    whole = module == "theano.tensor"
    names = dir(space) if whole else listed(space)
    found = {name: getattr(space, name) for name in names if not name.startswith("_")}
    return {
        name: value
        for name, value in found.items()
        if is_public(value) and not (whole and inspect.isclass(value))
    }


@lru_cache(None)
def all_names() -> dict[str, dict[str, Any]]:
    """Return the names of each module; those that an earlier module has are left to it."""
    found: dict[str, dict[str, Any]] = {}
    seen: set[int] = set()
    for module in MODULES:
        found[module] = {n: v for n, v in public_names(module).items() if id(v) not in seen}
        seen |= {id(value) for value in found[module].values()}
    return {module: names for module, names in found.items() if names}


def signature(name: str, value: Any) -> str:
    """Return how a user calls it."""
    if isinstance(value, Elementwise):
        parameters = list(inspect.signature(value.function).parameters)[1:]
        return f"{name}({', '.join(parameters)})"
    target = value.make_node if isinstance(value, Op) else value
    try:
        parameters = inspect.signature(target).parameters.values()
    except ValueError:
        return f"{name}(...)"
    plain = [p.replace(annotation=p.empty) for p in parameters]
    return re.sub(r" at 0x\w+", "", f"{name}{inspect.Signature(plain)}")


def docstring(value: Any) -> str:
    """Return the docstring, of an operation with its class's if it has none of its own."""
    return inspect.cleandoc(value.__doc__ or "")


def sections(text: str) -> list[str]:
    """Return the lines of a numpydoc docstring as Markdown."""
    lines: list[str] = []
    source = text.splitlines()
    section, example = "", False
    for line, after in zip(source, [*source[1:], ""], strict=True):
        if example and not line.strip():
            lines.append("```")
            example = False
        if after and set(after) == {"-"}:
            section = line
            lines += [f"## {line}", ""]
        elif section and line and set(line) == {"-"}:
            continue
        elif line.startswith(">>> ") and not example:
            lines += ["```python", line]
            example = True
        elif section in FIELDS and line[:1].strip():
            head, _, kind = line.partition(" : ")
            told = "\\" if after[:1] == " " else ""  # what it is stands in a line of its own
            lines.append(f"- `{head}`" + (f" : {kind}" if kind else "") + told)
        elif section in FIELDS:
            lines.append(f"  {line.strip()}" if line else "")
        else:
            lines.append(line)
    return [*lines, "```"] if example else lines


def _points(where: Range, turned: bool) -> list[float]:
    """Return three numbers that an operation takes, for an example."""
    nice = [-3, -2, -1, 0, 1, 2, 3] if where.integer else [-2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 3.0]
    good = [n for n in nice if where.low <= n < where.high + (not where.integer)]
    some = [good[0], good[len(good) // 2], good[-1]]
    return some[::-1] if turned else some


def example(name: str, op: Elementwise, module: str) -> list[str]:
    """Return an example of an elementwise operation, with the values that it gives now."""
    letters = "xyz"[: op.nin]
    given = {k: _points(r, k == "y") for k, r in zip(letters, op.samples, strict=True)}
    variables = {
        k: T.lvector(k) if r.integer else T.dvector(k)
        for k, r in zip(letters, op.samples, strict=True)
    }
    value = np.asarray(op(*variables.values()).eval({variables[k]: v for k, v in given.items()}))
    rounded = ".round(4)" if value.dtype.kind in "fc" else ""
    declared = ", ".join(
        f'T.{"l" if r.integer else "d"}vector("{k}")'
        for k, r in zip(letters, op.samples, strict=True)
    )
    called = f"{module.replace('theano.tensor', 'T')}.{name}({', '.join(letters)})"
    values = ", ".join(f"{k}: {v}" for k, v in given.items())
    lines = ["## Examples", "", "```python", f">>> {', '.join(letters)} = {declared}"]
    lines += [f">>> {called}.eval({{{values}}}){rounded}"]
    return [*lines, repr(value.round(4) if rounded else value), "```", ""]


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


def facts(name: str, value: Op, module: str) -> list[str]:
    """Return what the declaration of an operation says: shape, gradient, an example, dtypes."""
    lines = []
    if isinstance(value, Elementwise):
        one = value.nin == 1
        shape = "that of the operand" if one else "operands broadcast, as their types say"
        lines += [f"Shape: {shape}.", ""]
    answer = "yes" if has_gradient(value) else "zero: the result changes by jumps, or never"
    lines += [f"Gradient: {answer}.", ""]
    if isinstance(value, Elementwise):
        lines += [*example(name, value, module), *dtypes_of(value)]
    return lines


def methods(value: type) -> list[str]:
    """Return the methods and properties of a class that have a docstring, one line each."""
    rows = []
    for name, method in inspect.getmembers(value):
        ours = str(getattr(method, "__module__", "theano")).startswith("theano")
        text = inspect.getdoc(method) if ours and not name.startswith("_") else None
        if not text or not (inspect.isroutine(method) or isinstance(method, property)):
            continue
        called = signature(name, method) if inspect.isfunction(method) else name
        rows.append(f"- `{re.sub(r'[(]self(, )?', '(', called)}`: {text.splitlines()[0]}")
    return ["## Methods", "", *rows, ""] if rows else []


def page(name: str, value: Any, module: str = "theano.tensor") -> str:
    """Return the page of a name."""
    kind = "class" if inspect.isclass(value) else "function"
    called = re.sub(r"\s+", " ", signature(name, value))
    lines = [f"# {module}.{name}", "", f"```{{py:currentmodule}} {module}", "```", ""]
    lines += [f"```{{py:{kind}}} {called}", "```", ""]
    lines += [*sections(docstring(value)), ""]
    if isinstance(value, Op):
        lines += facts(name, value, module)
    if inspect.isclass(value):
        lines += methods(value)
    if module == "theano.tensor" and callable(getattr(np, name, None)):
        # A link where NumPy's inventory can be read, else its name.
        lines += [f"In NumPy: {{py:obj}}`numpy.{name}`.", ""]
    path, line = source(value)
    lines += [f"Source: [{path}](../files/{path}.md), line {line}.", ""]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


def home(value: Any) -> str:
    """Return the module that defines a value, whatever name programs see it under."""
    if isinstance(value, Elementwise):
        return value.function.__module__
    if inspect.isfunction(value):
        return inspect.unwrap(value).__globals__["__name__"]
    kind = value if inspect.isclass(value) else type(value)
    # Some classes name another module in their body, for pickles; most of their functions do not.
    own = [inspect.unwrap(v) for v in vars(kind).values() if inspect.isfunction(v)]
    names = [place_of(kind)[0], *(v.__globals__["__name__"] for v in own)]
    pattern = _definition(kind)
    return next((n for n in names if re.search(pattern, _text(n), re.MULTILINE)), names[0])


@lru_cache(None)
def _text(module: str) -> str:
    file = getattr(sys.modules.get(module), "__file__", None)
    return Path(file).read_text() if file and "_core" in file else ""


def _definition(value: Any) -> str:
    """Return a pattern of the line that defines a value."""
    if isinstance(value, Elementwise):
        name = re.escape(value.name)
        return rf'^{name}_? = |^ *"{name}",'
    if inspect.isfunction(value):
        name = re.escape(inspect.unwrap(value).__code__.co_name)
        return rf"^ *(?:def {name}\b|{name} = )"
    kind = value if inspect.isclass(value) else type(value)
    name = place_of(kind)[1].rpartition(".")[2]
    return rf'^ *class {name}\b|^{name} = |^ *"{name}"'


def source(value: Any) -> tuple[str, int]:
    """Return the file that defines a value, by its path in the repository, and the line."""
    module = home(value)
    text = _text(module)
    found = re.search(_definition(value), text, re.MULTILINE)
    line = text.count("\n", 0, found.start()) + 1 if found else 1
    return f"src/{module.replace('.', '/')}.py", line


def subject(value: Any) -> str:
    """Return what the file that defines a value is about: the first line of its docstring."""
    text = inspect.getdoc(sys.modules.get(home(value))) or "Other."
    return text.splitlines()[0].rstrip(".")


def module_page(module: str, names: dict[str, Any]) -> str:
    """Return the list of what a module has, by subject."""
    by: dict[str, dict[str, list[str]]] = {}
    for name, value in names.items():
        first = (docstring(value).splitlines() or [""])[0]
        # Names of which the same is said, such as `dmatrices` and `fmatrices`, share a line.
        by.setdefault(subject(value), {}).setdefault(first, []).append(
            f"[{name}]({file_of(name, value)}.md)"
        )
    lines = [f"# {module}: {MODULES[module][0].lower()}{MODULES[module][1:]}", ""]
    for title, rows in sorted(by.items()):
        lines += [f"## {title}" if len(by) > 1 else "", ""]
        lines += [f"- {', '.join(links)}: {first}" for first, links in rows.items()] + [""]
    entries = [f"{name} <{file_of(name, value)}>" for name, value in names.items()]
    tree = ["```{toctree}", ":hidden:", "", *entries, "```"]
    return "\n".join([*lines, *tree]) + "\n"


def file_of(name: str, value: Any) -> str:
    """Return the name of a page; `Cholesky` and `cholesky` are one file to some systems."""
    return f"{name}-class" if inspect.isclass(value) else name


def folder_of(module: str) -> str:
    """Return the folder of a module's pages."""
    return module.removeprefix("theano.")


def sources() -> set[str]:
    """Return the files that pages name as sources."""
    return {source(value)[0] for names in all_names().values() for value in names.values()}


def pages() -> dict[str, str]:
    """Return the text of each page by its path."""
    found = {}
    for module, names in all_names().items():
        for name, value in names.items():
            found[f"{folder_of(module)}/{file_of(name, value)}.md"] = page(name, value, module)
        found[f"{folder_of(module)}/README.md"] = module_page(module, names)
    return found


def main(folder: Path) -> None:
    """Write all pages."""
    texts = pages()
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    print(f"{len(texts)} pages in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "reference")
