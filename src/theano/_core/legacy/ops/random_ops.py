"""Operations of Theano's random generators that are functions here."""

from __future__ import annotations

from typing import Any

import numpy as np

from theano._core.api.random.mrg_states import matVecModM
from theano._core.ir.variable import Apply
from theano._core.legacy.user.op import Op
from theano._core.ops.core.op import as_variable


class DotModulo(Op):
    """Two products of a matrix and a vector, each modulo a number, one after the other."""

    __props__ = ()

    def make_node(self, A: Any, s: Any, m: Any, A2: Any, s2: Any, m2: Any) -> Apply:
        values = [as_variable(v) for v in (A, s, m, A2, s2, m2)]
        return Apply(self, values, [values[1].type()])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        A, s, m, A2, s2, m2 = inputs
        both = np.concatenate([matVecModM(A, s, m), matVecModM(A2, s2, m2)])
        output_storage[0][0] = both.astype(node.outputs[0].type.dtype)
