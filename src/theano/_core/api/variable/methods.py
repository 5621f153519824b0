"""Gives tensors all other operators, and their methods: the functions of `theano.tensor`."""

from __future__ import annotations

from typing import Any

from theano._core.api import conversion
from theano._core.api.array import (
    creation,
    elementwise,
    extra_ops,
    indexing,
    joining,
    products,
    reductions,
    shaping,
    sorting,
)
from theano._core.api.variable.evaluation import evaluate
from theano._core.api.viewer import show
from theano._core.compile import described
from theano._core.ir import hooks
from theano._core.ops.core import dimshuffle


class _NumpyFunctions:
    """Loads `numpy_functions` when first asked: programs with `theano.tensor` alone never do."""

    def __getattr__(self, name: str) -> Any:
        from theano._core.api.variable import numpy_functions

        return getattr(numpy_functions, name)


hooks.evaluate.fill(evaluate)
hooks.above.fill(
    conversion=conversion,
    creation=creation,
    described=described,
    dimshuffle=dimshuffle,
    elementwise=elementwise,
    extra_ops=extra_ops,
    indexing=indexing,
    joining=joining,
    numpy_functions=_NumpyFunctions(),
    products=products,
    reductions=reductions,
    shaping=shaping,
    show=show,
    sorting=sorting,
)
