"""Graphs as text."""

from theano._core.api.debug.debugprint import (
    debugprint,
    min_informative_str,
)
from theano._core.api.debug.machine_limits import machine_limits
from theano._core.api.debug.picture import (
    MISSING,
    can_draw,
    node_of_pydot,
    pydotprint,
)
from theano._core.api.debug.pretty import (
    PPrinter,
    pp,
    pprint,
)
from theano._core.api.viewer.show import show
from theano._core.legacy.graphs.descriptions import (
    hex_digest,
    position_independent_str,
    var_descriptor,
)
from theano._core.legacy.graphs.printers import (
    VALID_ASSOC,
    DefaultPrinter,
    FunctionPrinter,
    IgnorePrinter,
    LeafPrinter,
    OperatorPrinter,
    PatternPrinter,
    PrinterState,
    default_printer,
    greek,
    leaf_printer,
    special,
    use_ascii,
)
from theano._core.legacy.paths import old_names as _old_names
from theano._core.ops.array.print_breakpoint import Print

__all__ = [
    "VALID_ASSOC",
    "DefaultPrinter",
    "FunctionPrinter",
    "IgnorePrinter",
    "LeafPrinter",
    "OperatorPrinter",
    "PPrinter",
    "PatternPrinter",
    "Print",
    "PrinterState",
    "debugprint",
    "default_printer",
    "greek",
    "hex_digest",
    "leaf_printer",
    "machine_limits",
    "min_informative_str",
    "position_independent_str",
    "pp",
    "pprint",
    "pydotprint",
    "show",
    "special",
    "use_ascii",
    "var_descriptor",
]

_old_name = _old_names(__name__)


def __getattr__(name: str) -> object:
    # Old programs ask before they draw.
    if name == "pydot_imported":
        return can_draw()
    if name == "pydot_imported_msg":
        return "" if can_draw() else MISSING
    # Theano-PyMC has it, too; PyMC3 3.11 asks for it once it has imported pydot.
    if name == "Node" and (node := node_of_pydot()):
        return node
    return _old_name(name)
