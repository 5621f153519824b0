"""Where in the user's program a variable was made."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
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


@contextlib.contextmanager
def without_lines() -> Iterator[None]:
    """Have `user_line` return None in this thread: rewriting keeps the lines of what was there."""
    with at_line(None):
        yield


@contextlib.contextmanager
def at_line(line: SourceLine | None) -> Iterator[None]:
    """Have `user_line` return a line that is known, in this thread: finding it takes time."""
    before = getattr(_thread, "fixed", ())
    _thread.fixed = (line,)
    try:
        yield
    finally:
        _thread.fixed = before


def user_line() -> SourceLine | None:
    """Return the innermost line on the call stack that lies outside this package."""
    fixed = getattr(_thread, "fixed", ())
    if fixed:
        return fixed[0]
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if not code.co_filename.startswith(_PACKAGE):
            return SourceLine(code.co_filename, frame.f_lineno, code.co_name)
        frame = frame.f_back
    return None
