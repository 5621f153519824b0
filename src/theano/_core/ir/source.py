"""Where in the user's program a variable was made."""

from __future__ import annotations

import os
import sys
import threading
from types import FrameType
from typing import NamedTuple

_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep


class SourceLine(NamedTuple):
    """A line of a user's program."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f'File "{self.file}", line {self.line}, in {self.function}'


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
    """Return the innermost line on the call stack that lies outside this package."""
    fixed = getattr(_thread, "fixed", ())
    if fixed:
        return fixed[0]
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if file not in _own_files:
            if not file.startswith(_PACKAGE):
                return SourceLine(file, frame.f_lineno, frame.f_code.co_name)
            _own_files.add(file)
        frame = frame.f_back
    return None
