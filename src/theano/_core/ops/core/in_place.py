"""Operations that say which of their inputs they may overwrite."""

from __future__ import annotations

from typing import Any


def overwriting(op: object, target: int = 0) -> Any:
    """Return an equal operation that says that it may overwrite an input, by default its first."""
    # Operations of the engine are their own copies.
    fresh: Any = object.__new__(type(op))
    vars(fresh).update(vars(op), overwrites=target)
    return fresh
