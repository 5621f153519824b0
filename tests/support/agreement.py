"""Comparison of a function with the same graph as it is written, without rewriting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

import theano
from support.comparison import EXACT, ROUNDING, Tolerance, assert_close, assert_same
from support.compiling import DEFINITION


def agree(
    inputs: Sequence[Any],
    outputs: Any,
    *cases: Iterable[Any],
    tolerance: Tolerance = ROUNDING,
    mode: Any = None,
    plain: Any = DEFINITION,
) -> Any:
    """Check that rewriting changes no result, dtype, shape or class of an error.

    Each case holds a value for each input. Returns the function that is rewritten.
    """
    f, g = (
        theano.function(list(inputs), outputs, mode=m, on_unused_input="ignore")
        for m in (mode, plain)
    )
    for case in cases:
        values = list(case)
        found, wanted = _outcome(f, values), _outcome(g, values)
        assert type(found) is type(wanted), (found, wanted)
        if isinstance(wanted, Exception):
            continue
        if tolerance is EXACT:
            assert_same(found, wanted)
        else:
            assert_close(found, wanted, tolerance)
            assert _dtypes(found) == _dtypes(wanted)
    return f


def _outcome(function: Any, values: list[Any]) -> Any:
    """Return what a function returns or raises."""
    try:
        return function(*values)
    except (ValueError, IndexError, AssertionError) as error:
        return error


def _dtypes(results: Any) -> list[np.dtype]:
    return [np.asarray(r).dtype for r in (results if isinstance(results, list) else [results])]
