"""The classes of tensor variables."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from theano._core.api.variable.evaluation import evaluate
from theano._core.api.variable.methods import Methods
from theano._core.base.settings import config
from theano._core.ir import hooks
from theano._core.ir.hooks import extend
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Constant, Variable

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike


class TensorVariable(Methods, Variable):
    """A symbolic array.

    Attributes
    ----------
    type : TensorType
    dtype : str
    broadcastable : tuple of bool
    ndim : int
    shape : TensorVariable, int64 vector
    """


class TensorConstant(Methods, Constant):
    """A symbolic array whose value is known."""

    def __init__(self, type: TensorType, data: TensorLike, name: str | None = None) -> None:
        data = np.asarray(data)
        if data.ndim != type.ndim or str(data.dtype) != type.dtype:
            data = type.filter(data)
        Constant.__init__(self, type, data, name)

    def __str__(self) -> str:
        if self.name is not None:
            return self.name
        data = self.data
        if data.ndim and data.size and bool(np.all(data == data.flat[0])):
            text = f"{data.shape} of {data.flat[0]}"
        else:
            text = str(data)
        if len(text) > 20:
            text = f"{text[:10]}..{text[-10:]}"
        return f"{type(self).__name__}{{{text}}}"


def _float64_made(variable: Variable) -> None:
    # What rewriting makes has no line of the user's.
    own = isinstance(variable, TensorVariable) and variable.source is not None
    if not own or variable.type.dtype != "float64":
        return
    message = (
        f"A float64 variable is made at {variable.source}, and config.warn_float64 is"
        f" {config.warn_float64!r}. Choose its dtype, or let config.floatX choose."
    )
    if config.warn_float64 == "raise":
        raise Exception(message)
    if config.warn_float64 == "pdb":
        breakpoint()
    else:
        warnings.warn(message, stacklevel=2)


def _watch_float64(action: str) -> None:
    observers = Variable.construction_observers
    if _float64_made in observers:
        observers.remove(_float64_made)
    if action != "ignore":
        observers.append(_float64_made)


config.watch("warn_float64", _watch_float64)
extend(TensorType, variable_class=TensorVariable, constant_class=TensorConstant)
hooks.evaluate.fill(evaluate)
