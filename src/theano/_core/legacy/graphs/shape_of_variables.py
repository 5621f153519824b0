"""Shapes of everything in a graph, from the shapes of its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base.errors import MissingInputError
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Constant
from theano._core.ops.array.shaping import Length
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pipeline import rules_of

if TYPE_CHECKING:
    from theano._core.ir.function_graph import FunctionGraph


def shape_of_variables(fgraph: FunctionGraph, input_shapes: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return the shape of each variable of a graph.

    Parameters
    ----------
    fgraph : FunctionGraph
    input_shapes : dict of Variable to sequence of int

    Returns
    -------
    dict of Variable to tuple of ndarray, shape ()

    Raises
    ------
    ValueError
        The shape of an input is not given.
    MissingInputError
        A length depends on a value.

    Examples
    --------
    >>> import theano, theano.tensor as T
    >>> x = T.dmatrix("x")
    >>> graph = theano.FunctionGraph([x], [x[2:]])
    >>> shapes = shape_of_variables(graph, {graph.inputs[0]: (5, 3)})
    >>> [int(n) for n in shapes[graph.outputs[0]]]
    [3, 3]
    """
    absent = [v for v in fgraph.inputs if v not in input_shapes and v.type.ndim]
    if absent:
        raise ValueError(f"input_shapes needs the shapes of all inputs, {absent} are missing")
    sizes: dict[Any, tuple[int | None, ...]] = {
        v: tuple(int(n) for n in shape) for v, shape in input_shapes.items()
    }
    wanted = [v for v in _variables(fgraph) if isinstance(v.type, TensorType)]
    axes = [(v, axis) for v in wanted for axis in range(v.type.ndim)]
    rewriter = Rewriter(sizes=sizes)
    lengths = rewriter.run(
        [Length(axis).make_node(v).outputs[0] for v, axis in axes],
        rules_of("canonical"),
        fgraph.inputs,
    )
    shapes: dict[Any, Any] = {v: [] for v in wanted}
    for (variable, axis), length in zip(axes, lengths, strict=True):
        if not isinstance(length, Constant):
            raise MissingInputError(
                f"The length of axis {axis} of {variable} depends on values: {length}.",
                variable=variable,
            )
        shapes[variable].append(np.asarray(length.data, dtype="int64"))
    return {variable: tuple(shape) for variable, shape in shapes.items()}


def _variables(fgraph: FunctionGraph) -> list[Any]:
    variables = dict.fromkeys(fgraph.inputs)
    for node in fgraph.toposort():
        variables.update(dict.fromkeys((*node.inputs, *node.outputs)))
    return list(variables)
