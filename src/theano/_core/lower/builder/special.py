"""Calls of SciPy's C functions, item by item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array
from theano._core.lower.builder import copies, kernel_choice
from theano._core.lower.builder.core import Core
from theano._core.lower.function_address import FunctionAddress
from theano._core.lower.kernel.expression import Emitted
from theano._core.lower.llvm.text.emitter import Value

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike


def call_items(p: Core, node: Apply, name: str, values: Sequence[Array]) -> Array:
    """Return the values of a C function at each position of broadcast arrays."""
    # A constant, because the text of a program must be the same in every process.
    offset = p.reserve(4)
    p.constants.append(FunctionAddress(name, len(values)))
    p.constant_offsets.append(offset)
    address = p.load(p.frame_load(offset, "ptr"), "int64")
    casts, dtype = node.op.dtype(*(v.type.dtype for v in node.inputs))

    def call(b: Any, at: Value, *items: TensorLike) -> Any:
        wide = [b.cast(b.cast(v, type_), "float64") for v, type_ in zip(items, casts, strict=True)]
        arguments = "".join(f"double {v.text}, " for v in wide)
        function = b.emit(f"inttoptr i64 {at.text} to ptr")
        result = Value(b.emit(f"call double {function}({arguments}i32 0)"), "float64", 1)
        return b.cast(result, dtype)

    function = Emitted(
        name, (tuple(casts), dtype), lambda b, index, *items: call(b, *items), node.op.cost
    )
    rank = node.outputs[0].type.ndim
    if not rank:
        items = map(p.register, values)
        return Array(dtype, (), register=p.compute(function.body(dtype), address, *items))
    p.check_operands(node)
    shape = [p.size(n) for n in p.rewriter.shape(node.outputs[0])]
    operands = [(Array("int64", (), register=address), frozenset(range(rank)))]
    for variable, array in zip(node.inputs, values, strict=True):
        operands.append((array, kernel_choice.broadcast_axes_of(variable, array)))
    out = p.new_array(dtype, shape)
    copies.simple_loop(p, out, shape, operands, function.body(dtype), lanes=1)
    return out
