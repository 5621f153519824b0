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
from theano._core.ops.observing import Print

__all__ = ["PPrinter", "Print", "debugprint", "min_informative_str", "pp", "pprint"]
