"""`theano.d3viz`: pages that show graphs, under the names of Theano 1.0.5."""

from __future__ import annotations

from pathlib import Path

from theano._core.api.viewer.formatting import PyDotFormatter
from theano._core.api.viewer.show import show


def d3viz(fct: object, outfile: str, copy_deps: bool = True, *args: bool, **kwargs: bool) -> None:
    """Write a page that shows a function or a graph; `f.show()` also opens it.

    Parameters
    ----------
    fct : function, FunctionGraph, variable, Apply or list of variables
    outfile : str
        Path of the page; its folder is made if it is not there.
    copy_deps : bool
        Kept for old programs: a page needs no other file.
    *args, **kwargs
        Those of `PyDotFormatter`, for old programs. The page leaves variables between operations
        out, as `compact` does.

    Examples
    --------
    >>> import os, tempfile, theano.tensor as T
    >>> path = os.path.join(tempfile.mkdtemp(), "page.html")
    >>> d3viz(T.exp(T.dvector("x")), path)
    >>> os.path.getsize(path) > 10000
    True
    """
    PyDotFormatter.check(*args, **kwargs)
    show(fct, outfile, open=False)


def d3write(fct: object, path: str, *args: bool, **kwargs: bool) -> None:
    """Write a function or a graph as the text that Graphviz draws.

    Parameters
    ----------
    fct : function, FunctionGraph, variable, Apply or list of variables
    path : str
    *args, **kwargs
        Those of `PyDotFormatter`.

    Raises
    ------
    ImportError
        The package pydot is not installed.
    """
    graph = PyDotFormatter(*args, **kwargs)(fct)
    Path(path).write_text(graph.to_string(), encoding="utf-8")
