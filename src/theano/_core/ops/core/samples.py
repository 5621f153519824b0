"""Where the generic tests draw the inputs of an operation."""

from __future__ import annotations

from typing import NamedTuple


class Range(NamedTuple):
    """Values between `low` and `high`; integers where `integer`; zero left out where `nonzero`."""

    low: float
    high: float
    integer: bool = False
    nonzero: bool = False


def reals(low: float, high: float) -> Range:
    """Return real numbers between two bounds."""
    return Range(low, high)


anything = Range(-4, 4)
nonzero = Range(-4, 4, nonzero=True)
positive = Range(0.1, 5, nonzero=True)
small_integers = Range(-3, 4, integer=True)
booleans = Range(0, 2, integer=True)
