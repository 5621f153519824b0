"""Operations of your own, declared as ours are.

`elementwise` declares a scalar function that fuses into native loops; classes derived from
`Structured` are operations on whole arrays; classes derived from `Op` are written as in Theano
1.0.5, and `as_op` makes one of a function. `check` runs the generic tests of an operation.
`rule` writes a rewriting rule as two expressions, `add_rule` has the compiler use it, and
`add_backend` runs functions by other means than native code.
"""

from theano._core.api.debug.checks import check, check_rule
from theano._core.api.graph.extending import elementwise
from theano._core.compile.backends import add_backend, remove_backend
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.legacy.ops.function_op import as_op
from theano._core.legacy.user.op import Op
from theano._core.legacy.user.type import Type
from theano._core.ops.core.dtype_rules import (
    compare,
    same,
    same_float,
    same_real,
    to_float,
    to_real_float,
    upcast,
    upcast_real,
)
from theano._core.ops.core.op import as_variable
from theano._core.ops.core.python_call import Called as Structured
from theano._core.ops.core.samples import (
    Range,
    anything,
    booleans,
    nonzero,
    positive,
    reals,
    small_integers,
)
from theano._core.ops.elementwise.elementwise import Elementwise
from theano._core.rewrite.engine import Rule
from theano._core.rewrite.own_rules import add_rule, remove_rule
from theano._core.rewrite.pattern import pattern_rule as rule, wild

__all__ = [
    "Apply",
    "Elementwise",
    "Op",
    "Range",
    "Rule",
    "Structured",
    "TensorType",
    "Type",
    "Variable",
    "add_backend",
    "add_rule",
    "anything",
    "as_op",
    "as_variable",
    "booleans",
    "check",
    "check_rule",
    "compare",
    "elementwise",
    "nonzero",
    "positive",
    "reals",
    "remove_backend",
    "remove_rule",
    "rule",
    "same",
    "same_float",
    "same_real",
    "small_integers",
    "to_float",
    "to_real_float",
    "upcast",
    "upcast_real",
    "wild",
]
