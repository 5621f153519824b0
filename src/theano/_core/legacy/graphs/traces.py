"""Where variables were made, as lists of lines on the stack: `x.tag.trace`."""

from __future__ import annotations

import linecache
import traceback
from collections.abc import Sequence
from typing import Any

from theano._core.ir import source
from theano._core.ir.variable import Tag, Variable

# File, number of the line, function, text of the line.
Line = tuple[str, int, str, str]


class Trace:
    """The attribute `trace` of tags: a list of traces, each of lines, the innermost last.

    Only the innermost line of the user's program is known. Programs may assign another trace.
    """

    def __get__(self, tag: Tag, cls: object = None) -> list[list[Line]]:
        line = getattr(tag, "source", None)
        if line is None:
            return []
        text = linecache.getline(line.file, line.line).strip()
        return [[(line.file, line.line, line.function, text)]]


def add_tag_trace(thing: Any, user_line: int | None = None) -> Any:
    """Let a variable or node without a line have that of the caller; return it."""
    if thing.source is None:
        thing.source = thing.tag.source = source.user_line()
    return thing


def simple_extract_stack(
    f: Any = None, limit: int | None = None, skips: Sequence[str] = ()
) -> list[Line]:
    """Return lines on the stack, the innermost last, without those of files that are skipped."""
    frames = traceback.extract_stack(f, limit)[: -1 if f is None else None]
    return [
        (frame.filename, frame.lineno or 0, frame.name, frame.line or "")
        for frame in frames
        if not any(skip in frame.filename for skip in skips)
    ]


def get_variable_trace_string(v: Variable) -> str:
    """Return a text that shows where a variable was made; an empty one if that is not known."""
    traces = v.tag.trace
    if not traces:
        return ""
    lines = [line for trace in traces for line in traceback.format_list(trace)]
    return "\nBacktrace when that variable is created:\n\n" + "".join(lines)
