"""Graphs as text."""

from theano._core.api.debugprint import (
    debugprint,
    min_informative_str,
)
from theano._core.api.picture import (
    pydotprint,
)
from theano._core.api.pretty import (
    PPrinter,
    pp,
    pprint,
)
from theano._core.legacy.descriptions import (
    hex_digest,
    position_independent_str,
    var_descriptor,
)
from theano._core.ops.observing import Print

__all__ = [
    "PPrinter",
    "Print",
    "debugprint",
    "hex_digest",
    "min_informative_str",
    "position_independent_str",
    "pp",
    "pprint",
    "pydotprint",
    "var_descriptor",
]
