"""Every operation has a reverse, a forward and a batching rule, or says why not."""

import importlib
import pkgutil

import pytest

from theano._core import ops
from theano._core.ir.hooks import place_of
from theano._core.ops.core.op import Op
from theano._core.ops.elementwise.elementwise import Elementwise, elementwise_ops

# Bases, of which no operation is made.
BASES = {"Called", "CallbackOp", "Composed", "KeyedOp", "MatrixOp", "SpectralOp"}
BASES |= {
    "BothSparse",
    "SameType",
    "Comparison",
    "ComparisonSD",
    "ComparisonSS",
    "Drawn",
    "Scale",
    "SparseOp",
    "Stack",
}
BASES |= {"BaseAbstractConv", "PoolOp", "WindowOp", "_OfMaximum", "Structured", "_AlongAxis"}


def classes(base):
    """Yield the subclasses of an operation that the engine declares."""
    for kind in base.__subclasses__():
        if place_of(kind)[0].startswith(ops.__name__) and kind.__name__ not in BASES:
            yield kind
        yield from classes(kind)


for module in pkgutil.walk_packages(ops.__path__, f"{ops.__name__}."):
    importlib.import_module(module.name)
KINDS = sorted(set(classes(Op)), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", KINDS)
def test_reverse_rule(kind):
    has_rule = kind.vjp is not Op.vjp
    assert has_rule != bool(kind.not_differentiated)


@pytest.mark.parametrize("kind", KINDS)
def test_forward_rule(kind):
    """Given, or by being linear, or from the reverse rule."""
    given = kind.jvp is not Op.jvp or kind.linear is not Op.linear
    assert given or kind.vjp is not Op.vjp or kind.not_differentiated
    # Only an operation with a body cannot be transposed through its reverse rule.
    assert given or not kind.differentiates or kind is Elementwise


@pytest.mark.parametrize("kind", KINDS)
def test_batching_rule(kind):
    """Given, or row by row in a loop: only what has a body that loops see needs one of its own."""
    assert kind.batch is not Op.batch or not kind.differentiates or kind.__name__ == "Deferred"


def test_elementwise_operations_differentiate():
    """Only those whose derivative is zero wherever it exists have no gradient."""
    flat = {name for name, op in elementwise_ops().items() if op.gradient is None}
    discrete = {"eq", "neq", "lt", "le", "gt", "ge", "isnan", "isinf"}
    bits = {"and_", "or_", "xor", "invert", "multiply_high"}
    rounding = {"floor", "ceil", "trunc", "round_half_to_even", "round_half_away_from_zero"}
    assert flat - {"sgn", "int_div"} <= discrete | bits | rounding
