# The names of this module, and where each is: see theano/_core/base/stubs.py.

from theano._core.api.debug.checks import check as check, check_rule as check_rule
from theano._core.api.graph.extending import elementwise as elementwise
from theano._core.compile.backends import (
    add_backend as add_backend, remove_backend as remove_backend,
)
from theano._core.ir.types import TensorType as TensorType
from theano._core.ir.variable import Apply as Apply, Variable as Variable
from theano._core.legacy.ops.function_op import as_op as as_op
from theano._core.legacy.user.op import Op as Op
from theano._core.legacy.user.type import Type as Type
from theano._core.ops.core.dtype_rules import (
    compare as compare, same as same, same_float as same_float, same_real as same_real,
    to_float as to_float, to_real_float as to_real_float, upcast as upcast,
    upcast_real as upcast_real,
)
from theano._core.ops.core.op import as_variable as as_variable
from theano._core.ops.core.python_call import Called
from theano._core.ops.core.samples import (
    Range as Range, anything as anything, booleans as booleans, nonzero as nonzero,
    positive as positive, reals as reals, small_integers as small_integers,
)
from theano._core.ops.elementwise.elementwise import Elementwise as Elementwise
from theano._core.rewrite.rule import Rule as Rule
from theano._core.rewrite.own_rules import add_rule as add_rule, remove_rule as remove_rule
from theano._core.rewrite.pattern import pattern_rule, wild as wild

Structured = Called
rule = pattern_rule
