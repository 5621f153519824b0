"""Graphs as values: the body of a loop or branch, closed over its inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from theano._core.base.settings import change_flags
from theano._core.ir.graph import check_inputs, copy_graph, toposort
from theano._core.ir.source import without_lines
from theano._core.ir.variable import Constant, Variable
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.shaping import Length, length


class Body:
    """A graph with its inputs in order. Bodies that say the same are equal.

    INVARIANT: it needs nothing but `inputs` and constants, and it is never changed.

    Parameters
    ----------
    inputs, outputs : sequence of Variable

    Raises
    ------
    MissingInputError
        An output needs a variable that is not among the inputs.
    """

    def __init__(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self._key: Any = None
        self._hash: int | None = None
        # Inputs first.
        self.nodes = check_inputs(self.outputs, self.inputs)

    def foldable(self) -> bool:
        """Tell whether all operations are `foldable`."""
        return all(node.rules.foldable() for node in self.nodes)

    @property
    def additive(self) -> bool:
        """Whether all operations are `additive`."""
        return all(node.rules.additive for node in self.nodes)

    @property
    def key(self) -> Any:
        """What is equal for equal bodies."""
        if self._key is None:
            names: dict[Any, Any] = {v: i for i, v in enumerate(self.inputs)}

            def name(variable: Variable) -> Any:
                if isinstance(variable, Constant) and variable not in names:
                    return variable.signature()
                return names[variable]

            rows = []
            for number, node in enumerate(self.nodes):
                rows.append((node.op, tuple(name(v) for v in node.inputs)))
                for index, out in enumerate(node.outputs):
                    names.setdefault(out, (number, index))
            self._key = (
                tuple(v.type for v in self.inputs),
                tuple(rows),
                tuple(name(v) for v in self.outputs),
            )
        return self._key

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Body) and self.key == other.key)

    def __hash__(self) -> int:
        # Tuples do not keep theirs, and every phase looks for an equal loop.
        if self._hash is None:
            self._hash = hash(self.key)
        return self._hash

    def __reduce__(self) -> Any:
        return type(self), (self.inputs, self.outputs)

    def __repr__(self) -> str:
        return f"<body of {len(self.nodes)} operations>"

    def fresh(self, constant: Callable[[Any], Any] | None = None) -> Body:
        """Return an equal body that shares no variable with this one but constants.

        `constant` returns the one that stands for all equal constants.
        """
        copies = [v.clone() for v in self.inputs]
        copy_of: dict[Any, Any] = dict(zip(self.inputs, copies, strict=True))
        if constant is not None:
            leaves = (v for node in self.nodes for v in node.inputs)
            copy_of.update((v, constant(v)) for v in leaves if isinstance(v, Constant))
        for node in self.nodes:
            copy = node.clone_with_new_inputs([copy_of.get(v, v) for v in node.inputs], False)
            copy_of.update(zip(node.outputs, copy.outputs, strict=True))
        return Body(copies, [copy_of.get(v, v) for v in self.outputs])

    def apply(self, values: Sequence[Any]) -> list[Any]:
        """Return the outputs over `values` in place of the inputs."""
        return copy_graph(self.outputs, dict(zip(self.inputs, values, strict=True)))

    def shape(self, shapes: Sequence[Any], outside: Mapping[Any, Any]) -> list[Any]:
        """Return the lengths of each output, for inputs of the lengths `shapes`.

        `outside` has what inputs are outside. None stands for a length that depends on a value
        which only exists inside.
        """
        shape_of: dict[Any, Any] = dict(zip(self.inputs, shapes, strict=True))

        def of(variable: Any) -> Any:
            if variable not in shape_of:
                shape_of[variable] = tuple(int(n) for n in variable.data.shape)
            return shape_of[variable]

        # Lengths that the body computes with are those that the inputs have outside.
        scalars: dict[Any, Any] = {}
        for node in self.nodes:
            if isinstance(node.op, Length):
                scalars[node.outputs[0]] = as_int64(of(node.inputs[0])[node.op.axis])
            input_shapes = [of(v) if v.type.has_shape else () for v in node.inputs]
            for out, out_shape in zip(
                node.outputs, node.rules.shape(node, input_shapes), strict=True
            ):
                if out.type.has_shape:
                    shape_of[out] = tuple(
                        length(out, axis) if n is None else n for axis, n in enumerate(out_shape)
                    )
        scalars.update(outside)
        # Walks end at what is known outside.
        ends = {n: n for shape in shapes for n in shape if isinstance(n, Variable)}
        out_shapes = [of(v) if v.type.has_shape else () for v in self.outputs]
        lengths = {n: n for shape in out_shapes for n in shape if isinstance(n, Variable)}
        copies = copy_graph(list(lengths), {**ends, **scalars})
        inside = set(self.inputs)
        for node in toposort(copies, ends):
            if not inside.isdisjoint(node.inputs):
                inside.update(node.outputs)
        known_outside = {
            n: None if copy in inside else copy for n, copy in zip(lengths, copies, strict=True)
        }
        return [tuple(known_outside.get(n, n) for n in shape) for shape in out_shapes]


def changing_shapes(
    values: Sequence[Any], rows: Mapping[Any, Any], fixed: Mapping[Any, Any]
) -> set[Any]:
    """Return those of some values of the body of a loop that may change their shape by step.

    Parameters
    ----------
    values : sequence of variable
    rows, fixed : mapping of variable to variable
        From inputs of the body to what they are outside: items of it, or it itself.
    """
    if not values:
        return set()
    with without_lines(), change_flags(compute_test_value="off"):
        shapes = [
            tuple(length(v, axis) for axis in range(first, v.type.ndim)) if v.type.has_shape else ()
            for first, table in ((1, rows), (0, fixed))
            for v in table.values()
        ]
        value_shapes = Body([*rows, *fixed], values).shape(shapes, fixed)
    return {v for v, lengths in zip(values, value_shapes, strict=True) if None in lengths}
