"""Copies of graphs, with replacements, in the bodies of operations too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from theano._core.api.graph.op_from_graph import OpFromGraph
from theano._core.ir.graph import ancestors, copy_graph, inputs, toposort
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.control.body import Body
from theano._core.ops.control.inner_graph import InnerGraph
from theano._core.ops.control.scan import Loop
from theano._core.ops.core.op import as_variable

if TYPE_CHECKING:
    from theano._core.ir.annotations import Cloned, Replacements


def clone(
    output: Cloned,
    replace: Replacements = None,
    strict: bool = True,
    share_inputs: bool = True,
    copy_inputs: bool | None = None,
) -> Cloned:
    """Return a copy of expressions.

    Parameters
    ----------
    output : variable or list of variables
    replace : dict or list of pairs, optional
        Variables, and what stands in their place in the copy: variables, or values of theirs.
    strict : bool
        Whether a replacement must have the type of what it replaces.
    share_inputs : bool
        Whether the copy has the same inputs, or new ones; a new shared variable has the storage
        of the old.
    copy_inputs : bool, optional
        Old name of `share_inputs`.

    Returns
    -------
    variable, or list of them
        As `output`.

    Raises
    ------
    TypeError
        With `strict`, a replacement of another type; or `output` is no variable.
    ValueError
        `replace` is neither a dict nor a sequence of pairs.

    Examples
    --------
    >>> x, y = T.dvectors("x", "y")
    >>> theano.clone(x**2 + 1, replace={x: y + 1}).eval({y: [1.0, 2.0]})
    array([ 5., 10.])
    """
    if copy_inputs is not None:
        share_inputs = copy_inputs
    outputs: list[Any] = list(output) if isinstance(output, (list, tuple)) else [output]
    for variable in outputs:
        if not isinstance(variable, Variable):
            raise TypeError(f"clone copies variables, got {variable!r}")
    if not isinstance(replace, (Mapping, list, tuple, type(None))):
        raise ValueError(f"replace must be a dict or a list of pairs, got {replace!r}")
    pairs = replace.items() if isinstance(replace, Mapping) else (replace or [])
    new: dict[Any, Any] = {}
    used = set(ancestors(outputs))
    for old, value in pairs:
        if old in used:
            # What is an output itself has no operation that needs its type.
            filtered = strict and old not in outputs
            new[old] = old.type.filter_variable(value) if filtered else as_variable(value)
    if not share_inputs:
        leaves = inputs([*outputs, *new.values()])
        fresh = {v: v.clone() for v in leaves if not isinstance(v, Constant)}
        replaced = copy_graph(list(new.values()), fresh)
        new = {**fresh, **dict(zip(new, replaced, strict=True))}
    copies = copy_graph(outputs, new, strict, whole=True)
    made: Any = copies if isinstance(output, (list, tuple)) else copies[0]
    return made


def map_variables(
    replacer: Callable[[Variable], Variable],
    graphs: Iterable[Variable],
    additional_inputs: Iterable[Variable] = (),
) -> list[Any]:
    """Return copies of graphs in which a function has replaced variables, in bodies of loops too.

    Parameters
    ----------
    replacer : callable
        Takes a variable, whose inputs have been replaced already, and returns what stands in its
        place: another variable, or itself.
    graphs : iterable of variables
    additional_inputs : iterable of variables
        Accepted for old programs: replacements may use any variable.

    Raises
    ------
    NotImplementedError
        A replacement brings a shared variable that has an update into such a body.
    """
    return _Replacement(replacer).of(list(graphs))


class _Replacement:
    """One call of `map_variables`."""

    def __init__(self, replacer: Callable[[Variable], Variable]) -> None:
        self.replacer = replacer
        self.table: dict[Any, Any] = {}

    def of(self, graphs: list[Any]) -> list[Any]:
        """Return graphs with their variables replaced."""
        for variable in inputs(graphs):
            self.table.setdefault(variable, self.replacer(variable))
        for node in toposort(graphs):
            if node.outputs[0] in self.table:
                continue
            values = [self.table[v] for v in node.inputs]
            if isinstance(node.op, (Loop, InnerGraph)):
                outputs = self._with_body(node, values).outputs
            elif any(a is not b for a, b in zip(values, node.inputs, strict=True)):
                outputs = node.clone_with_new_inputs(values, strict=False).outputs
            else:
                outputs = node.outputs
            self.table.update(
                (old, self.replacer(new)) for old, new in zip(node.outputs, outputs, strict=True)
            )
        return [self.table[v] for v in graphs]

    def _with_body(self, node: Apply, values: list[Any]) -> Apply:
        """Return the node of a loop, or of a graph as an operation, with another body."""
        op, body = node.op, node.op.body
        if isinstance(op, OpFromGraph):
            # Replacements may name the variables that the user wrote it with.
            body = Body([*op.inputs, *op.shared_inputs], op.outputs)
        outputs = _Replacement(self.replacer).of(list(body.outputs))
        if all(a is b for a, b in zip(outputs, body.outputs, strict=True)):
            return node.clone_with_new_inputs(values, strict=False)
        # What the new body needs from outside comes in as further values that do not change.
        ends = set(body.inputs)
        foreign = [v for v in inputs(outputs, ends) if v not in ends]
        foreign = [v for v in foreign if not isinstance(v, Constant)]
        for v in foreign:
            if hasattr(v, "default_update") or hasattr(v, "update"):
                raise NotImplementedError(
                    f"map_variables: a replacement brings the shared variable {v}, which has an "
                    f"update, into the body of {node.op}"
                )
        inside = {v: v.type(v.name) for v in foreign}
        new = Body([*body.inputs, *inside.values()], copy_graph(outputs, inside))
        # Derivatives that a user gave for the old body do not hold for the new one.
        op = op.replaced(new) if isinstance(op, Loop) else InnerGraph(new, op.name)
        return op.make_node(*values, *foreign)
