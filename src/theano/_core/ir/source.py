"""Where in the user's program a variable was made."""

from __future__ import annotations

import linecache
import os
import sys
import threading
from itertools import islice
from types import CodeType, FrameType
from typing import Any

from theano._core.base.records import Record

_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep


class SourceLine(Record):
    """A line of a user's program; in the process that ran it, also which of its expressions."""

    file: str
    line: int
    function: str
    code: CodeType | None = None
    # Offset in the bytecode.
    instruction: int = -1

    def __str__(self) -> str:
        return f'File "{self.file}", line {self.line}, in {self.function}'

    def __reduce__(self) -> Any:
        return SourceLine, (self.file, self.line, self.function)

    def quoted(self) -> str:
        """Return the place, its text and a mark under the expression, as tracebacks show them."""
        text = linecache.getline(self.file, self.line).rstrip()
        if not text:
            return str(self)
        indent = len(text) - len(text.lstrip())
        lines = [str(self), f"    {text[indent:]}"]
        columns = self.columns()
        # No mark under a whole line.
        if columns is not None and columns != (indent, len(text)):
            start, end = columns
            lines.append(f"    {' ' * (start - indent)}{'^' * (end - start)}")
        return "\n  ".join(lines)

    def expression(self) -> str | None:
        """Return the text of the expression; None if it is not known, or a whole statement."""
        text = linecache.getline(self.file, self.line).rstrip()
        columns = self.columns()
        if columns is None or columns == (len(text) - len(text.lstrip()), len(text)):
            return None
        return text[slice(*columns)]

    def columns(self) -> tuple[int, int] | None:
        """Return where the expression begins and ends in its line; None if that is not known."""
        text = linecache.getline(self.file, self.line).rstrip()
        if self.code is None or not text:
            return None
        at = self.instruction // 2
        for first, last, start, end in islice(self.code.co_positions(), at, at + 1):
            if first == last == self.line and start is not None and end is not None:
                # They count bytes.
                data = text.encode()
                return len(data[:start].decode()), len(data[:end].decode())
        return None


def made_at(thing: object) -> str:
    """Return a sentence, after a blank, with the line that made a variable or node; '' for none."""
    source = getattr(thing, "source", None)
    return f" It was made at {source}." if source else ""


def advice_on_unused(variable: Any, whose: str) -> str:
    """Return a sentence, after a blank, on an expression that `whose` do not hold; '' for none."""
    if variable.owner is None:
        return ""
    return f" An expression that is written again is another variable: give the one in {whose}."


_thread = threading.local()
# Files of this package that were met on the stack.
_own_files: set[str] = set()


class at_line:  # noqa: N801
    """Have `user_line` return a line that is known, in this thread: finding it takes time."""

    __slots__ = ("before", "line")

    def __init__(self, line: SourceLine | None) -> None:
        self.line = line

    def __enter__(self) -> None:
        self.before = getattr(_thread, "fixed", ())
        _thread.fixed = (self.line,)

    def __exit__(self, *error: object) -> None:
        _thread.fixed = self.before


def without_lines() -> at_line:
    """Have `user_line` return None in this thread: rewriting keeps the lines of what was there."""
    return at_line(None)


def user_line() -> SourceLine | None:
    """Return the innermost line on the call stack that lies outside this package.

    None of what a module of it makes when it is imported: the line is Python's own.
    """
    fixed = getattr(_thread, "fixed", ())
    if fixed:
        return fixed[0]
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if file not in _own_files:
            if not file.startswith(_PACKAGE):
                code = frame.f_code
                if file.startswith("<frozen importlib"):
                    return None
                return SourceLine(file, frame.f_lineno, code.co_name, code, frame.f_lasti)
            _own_files.add(file)
        frame = frame.f_back
    return None
