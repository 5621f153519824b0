"""Sequences that programs pass as what yields their items."""

from __future__ import annotations

from collections.abc import Iterator, KeysView, ValuesView
from typing import Any


def listed(value: Any) -> Any:
    """Return what yields items, and is no sequence that can be kept, as a list; others as they are.

    That is what `map`, `zip`, `range` and `dict.values` return, which were lists in Python 2.
    """
    return list(value) if isinstance(value, (Iterator, KeysView, ValuesView, range)) else value
