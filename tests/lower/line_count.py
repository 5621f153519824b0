"""How much work something is, the same every time: lines of a module that run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any


def lines_run(module: ModuleType, work: Callable[[], Any]) -> tuple[int, Any]:
    """Return how many lines of a module run meanwhile, and what `work` returns."""
    lines = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal lines
        if frame.f_code.co_filename != module.__file__:
            return None
        lines += event == "line"
        return trace

    sys.settrace(trace)
    try:
        result = work()
    finally:
        sys.settrace(None)
    return lines, result
