"""The elementwise operations that the generic tests run over."""

from __future__ import annotations

# Importing these declares the operations.
import theano._core.ops.special
import theano._core.ops.transcendental  # noqa: F401
from theano._core.ops.elementwise import elementwise_ops

OPS = {name: op for name, op in elementwise_ops().items() if not name.startswith("Cast{")}
