"""Running `perform` and thunks of users' operations: what they get, and what they may leave."""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base.errors import MethodNotDefined
from theano._core.base.settings import config
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.core.python_call import NumPyCall, shared

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike


def performed(
    node: Apply,
    values: Sequence[object],
    storage: list[list[Any]],
    params: tuple[Variable, ...],
    free: Collection[int] = (),
) -> tuple[Any, ...]:
    """Return the outputs that `perform` of a user's operation puts into `storage`.

    `params` is what `params_of` says. Outputs that are `free` may have any type.

    Raises
    ------
    ValueError
        It changed an input that `destroy_map` does not name, or left an output empty.
    TypeError
        An output does not fit its type.
    """
    op = node.op
    inputs = protected(op, values)
    try:
        op.perform(node, inputs, storage, *params)
    except ValueError as error:
        if "read-only" in str(error):
            error.args = (
                f"{error}. {op} may only change inputs that its destroy_map names: copy the input, "
                "or declare destroy_map = {output: [input]}.",
            )
        raise
    return collected(node, storage, free)


def protected(op: Any, values: Sequence[object]) -> list[Any]:
    """Return the inputs of `perform`: copies of those that it may destroy, others read-only."""
    destroyed = {i for listed in (op.destroy_map or {}).values() for i in listed}
    inputs = []
    for position, value in enumerate(values):
        if position in destroyed:
            value = value.copy() if isinstance(value, np.ndarray) else copy.deepcopy(value)
        elif isinstance(value, np.ndarray) and value.flags.writeable:
            value = value.view()
            value.flags.writeable = False
        inputs.append(value)
    return inputs


def params_of(node: Apply) -> tuple[Any, ...]:
    """Return the argument `params` that `perform` gets, alone in a tuple; () for none."""
    try:
        params = node.op.get_params(node)
    except MethodNotDefined:
        return ()
    type_ = getattr(node.op, "params_type", None)
    return (params if type_ is None else type_.filter(params),)


def collected(
    node: Apply, storage: Sequence[TensorLike], free: Collection[int] = ()
) -> tuple[Any, ...]:
    """Return what an operation left in its storage cells, checked unless it is `free`."""
    if len(storage) != len(node.outputs):
        raise ValueError(
            f"{node.op} changed the list of storage cells: it has {len(storage)} of them for "
            f"{len(node.outputs)} outputs"
        )
    return tuple(_output(node, i, cell, i in free) for i, cell in enumerate(storage))


def _output(node: Apply, position: int, cell: object, free: bool) -> Any:
    if not isinstance(cell, list) or len(cell) != 1:
        raise TypeError(
            f"{node.op} replaced the cell of output {position} by {cell!r}: a result goes into "
            f"output_storage[{position}][0]"
        )
    type_, value = node.outputs[position].type, cell[0]
    if not isinstance(type_, TensorType):
        return value
    if value is None:
        raise ValueError(
            f"{node.op} left output {position} empty: output_storage[{position}][0] is None, and "
            f"the output was declared as {type_}"
        )
    try:
        if isinstance(value, np.ndarray):
            array = np.asarray(value)
            if not array.flags.aligned or not array.dtype.isnative:
                array = array.astype(array.dtype.newbyteorder("="))
            return type_.filter(array, strict=True)
        if type_.ndim == 0 and isinstance(value, (bool, int, float, complex, np.generic)):
            return type_.filter(value)
        raise TypeError(f"an array is needed, got {type(value).__name__}")
    except TypeError as error:
        if free:
            return value
        misfit = TypeError(
            f"output {position} of {node.op} does not fit the type {type_} that it was declared "
            f"with: {error.args[0]}"
        )
        # DebugMode has an error of its own for it.
        misfit.misfit = node.outputs[position], value  # type: ignore[attr-defined]
        raise misfit from None


class Performed(NumPyCall):
    """What computes one node of a user's operation inside a compiled function.

    A storage cell holds the value of the call before only while `config.allow_gc` is False, and
    only if nothing else refers to that value.
    """

    hands_back: Collection[int] | None = ()

    def __init__(self, node: Apply) -> None:
        super().__init__(node)
        self.params = params_of(node)
        self.keep = not config.allow_gc
        # What calls that have ended left. A call takes it out, which no other can do as well.
        self.idle: list[list[list[Any]]] = []

    def run(self, values: tuple[object, ...]) -> tuple[Any, ...]:
        """Return the outputs."""
        storage = taken(self.idle) or [[None] for _ in self.node.outputs]
        for cell in storage:
            if shared(cell)[0]:
                cell[0] = None
        outputs = performed(self.node, values, storage, self.params, self.hands_back or ())
        if self.keep:
            self.idle.append([[value] for value in outputs])
        return outputs


def taken(idle: list[Any]) -> Any:
    """Return what is taken out of a list that threads share, or None."""
    try:
        return idle.pop()
    except IndexError:
        return None


class Thunk(NumPyCall):
    """What computes a node whose operation makes its own thunk."""

    hands_back: Collection[int] | None = ()

    def __init__(self, node: Apply) -> None:
        super().__init__(node)
        self.idle = [self._made()]

    def _made(self) -> tuple[Any, dict[Any, Any], dict[Any, Any]]:
        variables = [*self.node.inputs, *self.node.outputs]
        storage: dict[Any, list[Any]] = {v: [None] for v in variables}
        computed = {v: [v.owner is not self.node] for v in variables}
        thunk = self.node.op.make_thunk(self.node, storage, computed, [], impl=None)
        return thunk, storage, computed

    def run(self, values: tuple[object, ...]) -> tuple[Any, ...]:
        """Return the outputs."""
        thunk, storage, computed = made = taken(self.idle) or self._made()
        for variable, value in zip(self.node.inputs, protected(self.node.op, values), strict=True):
            storage[variable][0] = value
        thunk()
        outputs = collected(
            self.node, [storage[v] for v in self.node.outputs], self.hands_back or ()
        )
        for cell in storage.values():
            cell[0] = None
        for variable in self.node.outputs:
            computed[variable][0] = False
        self.idle.append(made)
        return outputs
