"""The elementwise operations that the generic tests run over."""

# Importing these declares the operations.
from theano._core.ops.elementwise.elementwise import elementwise_ops

OPS = {name: op for name, op in elementwise_ops().items() if not name.startswith("Cast{")}
