"""Where the generic tests draw the inputs of an operation."""

from __future__ import annotations

from theano._core.base.records import Record


class Range(Record):
    """Values between `low` and `high`; integers where `integer`; zero left out where `nonzero`."""

    low: float
    high: float
    integer: bool = False
    nonzero: bool = False


def reals(low: float, high: float) -> Range:
    """Return real numbers between two bounds.

    Parameters
    ----------
    low, high : float
        The bounds, which belong to the range.

    Returns
    -------
    Range
        Where tests draw samples of an operation from.

    Examples
    --------
    >>> theano.extend.reals(0.0, 1.0)
    Range(low=0.0, high=1.0, integer=False, nonzero=False)
    """
    return Range(low, high)


anything = Range(-4, 4)
nonzero = Range(-4, 4, nonzero=True)
positive = Range(0.1, 5, nonzero=True)
small_integers = Range(-3, 4, integer=True)
booleans = Range(0, 2, integer=True)
