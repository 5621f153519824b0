# The names of this module, and where each is: see theano/_core/base/stubs.py.

from theano import (
    gradient as gradient, ifelse as ifelse, printing as printing, scan_module as scan_module,
    tensor as tensor, updates as updates,
)
from theano._core.api.debug.debugprint import debugprint
from theano._core.api.debug.pretty import pp as pp, pprint as pprint
from theano._core.api.derivatives.forward_mode import Rop as Rop
from theano._core.api.derivatives.gradients import (
    Lop as Lop, sparse_grad as sparse_grad, subgraph_grad as subgraph_grad,
)
from theano._core.api.graph.cloning import clone as clone
from theano._core.api.graph.op_from_graph import OpFromGraph as OpFromGraph
from theano._core.api.scan.map_reduce import (
    foldl as foldl, foldr as foldr, map as map, reduce as reduce,
)
from theano._core.api.scan.scan import scan as scan, scan_checkpoints as scan_checkpoints
from theano._core.api.scan.updates import OrderedUpdates as OrderedUpdates
from theano._core.api.variable.shared import (
    shared as shared, shared_constructor as shared_constructor,
)
from theano._core.autodiff.reverse import grad as grad
from theano._core.base.settings import change_flags as change_flags, config as config
from theano._core.compile.function import Function as Function, function as function
from theano._core.compile.inputs import In as In, Out as Out, Param as Param
from theano._core.compile.modes import (
    FAST_COMPILE as FAST_COMPILE, FAST_RUN as FAST_RUN, Mode as Mode,
)
from theano._core.ir.function_graph import FunctionGraph as FunctionGraph
from theano._core.ir.types import Generic as Generic, generic as generic
from theano._core.ir.variable import Apply as Apply, Constant as Constant, Variable as Variable
from theano._core.legacy.compile_api import dot as dot
from theano._core.legacy.ops.function_op import as_op as as_op
from theano._core.legacy.user.op import Op as Op, OpenMPOp as OpenMPOp
from theano._core.legacy.user.type import Type as Type
from theano.version import version

__version__ = version
dp = debugprint

# Not in __all__

from theano import errors as errors, extend as extend, sandbox as sandbox, sparse as sparse
from theano._core.api.debug.explain import explain as explain
from theano._core.api.derivatives.vectorization import vectorize as vectorize
