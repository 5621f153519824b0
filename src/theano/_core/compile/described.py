"""What Python shows of a compiled function: its text, its signature, names that it has not."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from theano._core.ir import hooks
from theano._core.ir.text import label

if TYPE_CHECKING:
    from theano._core.compile.maker import FunctionMaker
    from theano._core.ir.variable import Variable
    from theano._core.runtime.native import Function


def signature_of(function: Function) -> inspect.Signature:
    """Return the signature of a compiled function: its inputs, by name where they have one."""
    Parameter = inspect.Parameter
    specs = [spec for spec in function.maker.arguments if not spec.implicit]
    names = [spec.name for spec in specs]
    by_name = [bool(name) and name.isidentifier() and names.count(name) == 1 for name in names]
    parameters = []
    for index, spec in enumerate(specs):
        # Before an input without a name, all are shown by their positions only.
        keyword = all(by_name[index:])
        parameters.append(
            Parameter(
                spec.name if by_name[index] else f"input_{index}",
                Parameter.POSITIONAL_OR_KEYWORD if keyword else Parameter.POSITIONAL_ONLY,
                default=Parameter.empty if spec.value is None else _default(spec.value),
                annotation=spec.variable.type,
            )
        )
    if any(p.default is Parameter.empty for p in parameters):
        # A default before an input without one cannot be left out.
        last = max(k for k, p in enumerate(parameters) if p.default is Parameter.empty)
        parameters[:last] = [p.replace(default=Parameter.empty) for p in parameters[:last]]
    return inspect.Signature(parameters, return_annotation=_returned(function.maker))


def _default(value: object) -> Any:
    cell = getattr(value, "cell", None)
    return value if cell is None else cell.value


def _returned(maker: FunctionMaker) -> Any:
    kinds = [v.type for v in maker.results]
    if maker.result == "none":
        return []
    if maker.result == "single":
        return kinds[0]
    return kinds if maker.result == "list" else dict(zip(maker.result, kinds, strict=False))


def text_of(function: Function) -> str:
    """Return a function as one line: its name, inputs, outputs, updates, and where it was made."""
    maker = function.maker
    if maker is None:
        return object.__repr__(function)
    inputs = ", ".join(
        f"{spec.name or f'input {index}'}: {_kind(spec.variable)}"
        for index, spec in enumerate(maker.arguments)
        if not spec.implicit
    )
    outputs = ", ".join(_kind(v) for v in maker.results)
    if maker.result != "single":
        outputs = f"[{outputs}]"
    changed = [str(target) for target, _ in maker.updates]
    updates = f", updates {', '.join(changed[:4])}{', ...' * (len(changed) > 4)}" if changed else ""
    made = f", made at {maker.source.file}:{maker.source.line}" if maker.source else ""
    return f"<theano function {maker.name}({inputs}) -> {outputs}{updates}{made}>"


def _kind(variable: Variable) -> str:
    return str(variable.type).removeprefix("TensorType(").removesuffix(")").replace(", ", " ")


def table(title: str, rows: Sequence[tuple[str, str]]) -> str:
    """Return a table of what is known of something, as notebooks show it.

    Parameters
    ----------
    title : str
    rows : sequence of (what, text)
        Texts of several lines, such as a line of code with a mark, keep their form.
    """
    from html import escape

    body = "".join(
        f"<tr><th style='text-align:left'>{escape(what)}</th>"
        f"<td style='text-align:left'><pre style='margin:0'>{escape(text)}</pre></td></tr>"
        for what, text in rows
        if text
    )
    return f"<table><caption>{escape(title)}</caption>{body}</table>"


def function_html(function: Function) -> str:
    """Return what notebooks show of a compiled function."""
    maker = function.maker
    rows = [
        (f"input {spec.name or index}", _kind(spec.variable))
        for index, spec in enumerate(maker.arguments)
        if not spec.implicit
    ]
    rows += [(f"output {k}", f"{_kind(v)}  {label(v)}") for k, v in enumerate(maker.results)]
    rows += [(f"update of {target}", label(value)) for target, value in maker.updates]
    rows.append(("made at", maker.source.quoted() if maker.source else ""))
    picture = _picture([*maker.results, *(value for _, value in maker.updates)])
    return table(f"theano function {maker.name}", rows) + picture


def function_svg(function: Function) -> str | None:
    """Return a small picture of what a compiled function computes, as it was written."""
    maker = function.maker
    return _picture([*maker.results, *(value for _, value in maker.updates)]) or None


def show_function(
    function: Function,
    outfile: str | None = None,
    arguments: Sequence[object] | None = None,
    open: bool = True,
) -> str:
    """Write a page that shows the function, and open it in a browser.

    It has every stage of compiling with the rules that made it, the kernels down to assembly, and
    the times of calls if they were profiled.

    Parameters
    ----------
    function : Function
    outfile : str, optional
        By default a file in the folder for temporary files.
    arguments : sequence, optional
        Arguments of a call, for the memory that it takes: only their shapes matter.
    open : bool
        Whether to open it.

    Returns
    -------
    str
        The path of the page.
    """
    return hooks.show(function, outfile, arguments, open)


def variable_html(variable: Any) -> str:
    """Return what notebooks show of a variable."""
    source = variable.source
    rows = [
        ("type", str(variable.type)),
        ("expression", label(variable) if variable.owner is not None else ""),
        ("made at", source.quoted() if source is not None else ""),
    ]
    picture = (variable_svg(variable) if variable.owner is not None else None) or ""
    return table(str(variable) if variable.name else "theano variable", rows) + picture


def variable_svg(variable: Any) -> str | None:
    """Return a small picture of the graph of a variable."""
    return _picture([variable]) or None


def _picture(outputs: Sequence[Variable]) -> str:
    from theano._core.ir.small_picture import svg

    return svg(outputs)
