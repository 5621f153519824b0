"""Theano: array expressions, symbolic gradients, and one native function.

`theano.tensor` has the symbolic arrays, `theano.function` compiles expressions of them,
`theano.grad` differentiates, and `theano.shared` makes variables that keep a value between calls.
"""

import importlib
import sys

from theano._core.base.gc_pause import paused_collector as _paused_collector

with _paused_collector(all_stays=True):
    from theano import errors, gradient, ifelse, printing, scan_module, tensor, updates
    from theano._core.api.array.products import dot
    from theano._core.api.debug.debugprint import debugprint as dp
    from theano._core.api.debug.explain import explain
    from theano._core.api.debug.pretty import pp, pprint
    from theano._core.api.derivatives.forward_mode import Rop
    from theano._core.api.derivatives.gradients import Lop, sparse_grad, subgraph_grad
    from theano._core.api.derivatives.vectorization import vectorize
    from theano._core.api.graph.cloning import clone
    from theano._core.api.graph.op_from_graph import OpFromGraph
    from theano._core.api.scan.map_reduce import foldl, foldr, map, reduce
    from theano._core.api.scan.scan import scan, scan_checkpoints
    from theano._core.api.scan.updates import OrderedUpdates
    from theano._core.autodiff.reverse import grad
    from theano._core.base.settings import change_flags, config
    from theano._core.compile.function import Function, function
    from theano._core.compile.inputs import In, Out, Param
    from theano._core.compile.modes import FAST_COMPILE, FAST_RUN, Mode
    from theano._core.compile.shared import shared, shared_constructor
    from theano._core.ir.function_graph import FunctionGraph
    from theano._core.ir.types import Generic, generic
    from theano._core.ir.variable import Apply, Constant, Variable
    from theano._core.legacy import paths as _paths
    from theano._core.legacy.ops.function_op import as_op
    from theano._core.legacy.user.op import Op, OpenMPOp
    from theano._core.legacy.user.type import Type
    from theano.version import version as __version__

__all__ = [
    "FAST_COMPILE",
    "FAST_RUN",
    "Apply",
    "Constant",
    "Function",
    "FunctionGraph",
    "Generic",
    "In",
    "Lop",
    "Mode",
    "Op",
    "OpFromGraph",
    "OpenMPOp",
    "OrderedUpdates",
    "Out",
    "Param",
    "Rop",
    "Type",
    "Variable",
    "__version__",
    "as_op",
    "change_flags",
    "clone",
    "config",
    "dot",
    "dp",
    "errors",
    "explain",
    "foldl",
    "foldr",
    "function",
    "generic",
    "grad",
    "gradient",
    "ifelse",
    "map",
    "pp",
    "pprint",
    "printing",
    "reduce",
    "scan",
    "scan_checkpoints",
    "scan_module",
    "shared",
    "shared_constructor",
    "sparse_grad",
    "subgraph_grad",
    "tensor",
    "updates",
    "vectorize",
]

_paths.install()
_old_name = _paths.old_names(__name__)


def __getattr__(name: str) -> object:
    if name == "theano":
        # Old programs write `from theano import theano`.
        return sys.modules[__name__]
    if name in ("extend", "sparse"):
        # Loaded when it is first asked for.
        return importlib.import_module(f"theano.{name}")
    return _old_name(name)
