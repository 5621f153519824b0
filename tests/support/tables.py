"""Tables of cases."""

from __future__ import annotations

from typing import Any


def case(*cells: Any) -> tuple[Any, ...]:
    """Return the cells of a row: a tuple whose cells may stand on one line, however long."""
    return cells
