"""Rewrites that only modes have which ask for them by name: sigmoids in forms that cost less."""

from __future__ import annotations

from typing import Any

from theano._core.api.nn.nnet import hard_sigmoid
from theano._core.ir.variable import Apply
from theano._core.legacy.optimizers.local_optimizers import local_optimizer
from theano._core.ops.composed import ultra_fast_sigmoid
from theano._core.ops.elementwise.transcendental import sigmoid


@local_optimizer([sigmoid])
def local_ultra_fast_sigmoid(node: Apply) -> Any:
    """`sigmoid(x)` → `ultra_fast_sigmoid(x)`."""
    return [ultra_fast_sigmoid(*node.inputs)]


@local_optimizer([sigmoid])
def local_hard_sigmoid(node: Apply) -> Any:
    """`sigmoid(x)` → `hard_sigmoid(x)`."""
    return [hard_sigmoid(*node.inputs)]
