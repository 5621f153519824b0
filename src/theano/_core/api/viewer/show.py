"""Functions that show graphs: `d3viz`, `d3write`, and `show` of functions and variables."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from theano._core.api.debug.picture import graph_outputs
from theano._core.ir import hooks


def show(
    obj: object,
    outfile: str | None = None,
    arguments: Sequence[object] | None = None,
    open: bool = True,
) -> str:
    """Write a page that shows a graph or a compiled function, and open it in a browser.

    Of a function it has every stage: the expressions as written, what each pass of rewriting and of
    lowering left, by which rules, and the steps of a call with their loops, LLVM text and assembly;
    with times if calls were profiled.

    Parameters
    ----------
    obj : function, FunctionGraph, variable, Apply or list of variables
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

    Examples
    --------
    >>> import os, tempfile, theano, theano.tensor as T
    >>> x = T.dvector("x")
    >>> f = theano.function([x], T.tanh(x).sum())
    >>> path = f.show(os.path.join(tempfile.mkdtemp(), "f.html"), open=False)
    >>> os.path.getsize(path) > 10000
    True
    """
    text = page_of(obj, arguments)
    if outfile is None:
        import tempfile

        handle, outfile = tempfile.mkstemp(".html", "theano-")
        os.close(handle)
    folder = os.path.dirname(outfile)
    if folder:
        os.makedirs(folder, exist_ok=True)
    path = Path(outfile)
    path.write_text(text, encoding="utf-8")
    if open:
        import webbrowser

        webbrowser.open(path.absolute().as_uri())
    return outfile


def page_of(obj: object, arguments: Sequence[object] | None = None) -> str:
    """Return the page of a graph or a function, as `show` writes it."""
    from theano._core.api.viewer import page

    maker: Any = getattr(obj, "maker", None)
    if maker is None:
        outputs = graph_outputs(obj, "show")
        return page.graph_page(str(outputs[0]) if len(outputs) == 1 else "graph", outputs)
    from theano._core.api.viewer.stages import stages_of
    from theano._core.api.viewer.times import add_memory, add_times
    from theano._core.compile.profile_export import FIRST_STEP

    program: Any = getattr(obj, "program", None)
    timings = program.timings[FIRST_STEP:] if maker.profile else ()
    data = stages_of(maker, [nanoseconds * 1e-9 for nanoseconds, *_ in timings])
    add_times(data, maker, program)
    if arguments is not None:
        add_memory(data, obj, arguments)
    return page.page(f"{maker.name}", data)


hooks.show.fill(show)
