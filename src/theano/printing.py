"""Graphs as text."""

from theano._core.api.debugprint import (
    debugprint,
    min_informative_str,
)
from theano._core.api.pretty import (
    PPrinter,
    pp,
    pprint,
)

__all__ = ["PPrinter", "debugprint", "min_informative_str", "pp", "pprint"]
