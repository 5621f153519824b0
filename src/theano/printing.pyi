# The names of this module, and where each is: see theano/_core/base/stubs.py.

from theano._core.api.debug.debugprint import (
    debugprint as debugprint, min_informative_str as min_informative_str,
)
from theano._core.api.debug.machine_limits import machine_limits as machine_limits
from theano._core.api.debug.picture import pydotprint as pydotprint
from theano._core.api.debug.pretty import PPrinter as PPrinter, pp as pp, pprint as pprint
from theano._core.api.viewer.show import show as show
from theano._core.legacy.graphs.descriptions import (
    hex_digest as hex_digest, position_independent_str as position_independent_str,
    var_descriptor as var_descriptor,
)
from theano._core.legacy.graphs.printers import (
    DefaultPrinter as DefaultPrinter, FunctionPrinter as FunctionPrinter,
    IgnorePrinter as IgnorePrinter, LeafPrinter as LeafPrinter, OperatorPrinter as OperatorPrinter,
    PatternPrinter as PatternPrinter, PrinterState as PrinterState, VALID_ASSOC as VALID_ASSOC,
    default_printer as default_printer, greek as greek, leaf_printer as leaf_printer,
    special as special, use_ascii as use_ascii,
)
from theano._core.ops.array.print_breakpoint import Print as Print
