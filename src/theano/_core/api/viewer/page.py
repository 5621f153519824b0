"""One page that shows a graph or a compiled function: HTML that needs nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from theano._core.ir.variable import Variable

_HERE = Path(__file__).parent
_SCRIPTS = ("layout.js", "model.js", "view.js", "pane.js", "charts.js", "main.js")
_FIELD = re.compile(r"\{\{(\w+)\}\}")

# What a page says that has Dagre in it.
NOTICE = """Dagre, from the package netron {version} (MIT license, Copyright (c) Lutz Roeder);
https://github.com/dagrejs/dagre: MIT license, Copyright (c) 2012-2014 Chris Pettitt.

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions: The above copyright notice and this
permission notice shall be included in all copies or substantial portions of the Software. THE
SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT
LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT.
IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE."""


def page(title: str, data: Mapping[str, object]) -> str:
    """Return a page.

    Parameters
    ----------
    title : str
    data : mapping
        What `stages_of` returns, and perhaps `profile`, `limits` and `memory`.
    """
    script = "\n".join(_file(name) for name in _SCRIPTS)
    parts = {
        "title": escape(title),
        "style": _file("page.css"),
        "data": json.dumps({"title": title, **data}, separators=(",", ":")).replace("<", "\\u003c"),
        "library": layout_library(),
        "script": script,
    }
    return _FIELD.sub(lambda field: parts[field[1]], _file("page.html"))


def graph_page(title: str, outputs: Sequence[Variable]) -> str:
    """Return a page of a graph that is not compiled."""
    from theano._core.api.viewer.graph_data import GraphData

    data = GraphData()
    references = data.add(outputs)
    stage = {"name": "graph", "why": "", "outputs": references, "rules": []}
    return page(
        title,
        {
            "nodes": data.nodes,
            "stages": [stage],
            "programs": [],
            "outputs": [v.name or f"result {k}" for k, v in enumerate(outputs)],
            "sources": data.sources,
            "files": data.files(),
        },
    )


def _file(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


@cache
def layout_library() -> str:
    """Return the script that lays graphs out; '' if the package that has it is not installed.

    Pages then lay graphs out by layers alone, with more edges that cross.
    """
    try:
        package = distribution("netron")
        text = Path(str(package.locate_file("netron/dagre.js"))).read_text(encoding="utf-8")
    except (PackageNotFoundError, OSError):
        return ""
    # A module of which a page takes the one object.
    body = re.sub(r"^export .*$", "", text, flags=re.MULTILINE).replace("</script", "<\\/script")
    notice = NOTICE.format(version=package.version)
    script = f"const dagre = (() => {{\n{body}\nreturn dagre; }})();"
    return f"<script>\n/* {notice} */\n{script}\n</script>"
