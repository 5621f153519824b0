"""Gives tensors Python's operators: those that are elementwise operations.

Formulas of the engine, such as gradients and rules, are written with them.
"""

from theano._core.ir import hooks
from theano._core.ops.core import op
from theano._core.ops.elementwise import arithmetic, elementwise, transcendental

hooks.above.fill(
    arithmetic=arithmetic, elementwise_op=elementwise, op=op, transcendental=transcendental
)
