"""What there is to know of an array."""

from __future__ import annotations

from typing import Any

import numpy as np


def one_number(data: object) -> Any:
    """Return the number that all items of an array are, bit by bit; None if there is none."""
    if not isinstance(data, np.ndarray) or not data.size:
        return None
    items = data.reshape(-1)
    # Of most arrays it is known at once that they have several.
    if items[0].tobytes() != items[-1].tobytes():
        return None
    rows = np.ascontiguousarray(items).view("uint8").reshape(len(items), -1)
    return items[0].item() if len(items) == 1 or (rows == rows[0]).all() else None
