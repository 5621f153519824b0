"""The lengths of every variable of a graph, as rewrites written for Theano 1.0.5 ask for them."""

from __future__ import annotations

from typing import Any

from theano._core.ir.comparison import equal_computations
from theano._core.ir.function_graph import AlreadyThere
from theano._core.ir.graph import toposort
from theano._core.ir.variable import Constant, Variable
from theano._core.legacy.optimizers.toolbox import Feature
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.shaping import length


class Shapes(dict[Any, Any]):
    """Variable → tuple of int64 scalars, found when first asked for; None for what is no tensor."""

    def __missing__(self, variable: Variable) -> Any:
        for node in toposort([variable], self):
            input_shapes = [self._of_leaf(v) if v not in self else self[v] for v in node.inputs]
            output_shapes = node.rules.shape(node, [() if s is None else s for s in input_shapes])
            for out, lengths in zip(node.outputs, output_shapes, strict=True):
                self[out] = self._filled(out, lengths)
        return self[variable] if variable in self else self._of_leaf(variable)

    def _of_leaf(self, variable: Variable) -> Any:
        shape = variable.data.shape if isinstance(variable, Constant) else None
        ndim = getattr(variable.type, "ndim", 0)
        self[variable] = self._filled(variable, shape or (None,) * ndim)
        return self[variable]

    @staticmethod
    def _filled(variable: Any, lengths: Any) -> Any:
        if not variable.type.has_shape:
            return None
        ones = variable.type.broadcastable
        pairs = enumerate(zip(lengths, ones, strict=True))
        return tuple(
            as_int64(1 if one else length(variable, axis) if n is None else n)
            for axis, (n, one) in pairs
        )


class ShapeFeature(Feature):
    """Gives a graph `shape_feature`, this object.

    Attributes
    ----------
    shape_of : dict of Variable to tuple of scalar variables
        Expressions of the lengths of the inputs, where they are that.
    """

    def __init__(self) -> None:
        self.shape_of = Shapes()

    def on_attach(self, fgraph: Any) -> None:
        if hasattr(fgraph, "shape_feature"):
            raise AlreadyThere("ShapeFeature: the graph has one already")
        fgraph.shape_feature = self
        self.shape_of.clear()

    def on_detach(self, fgraph: Any) -> None:
        self.shape_of.clear()
        del fgraph.shape_feature

    def get_shape(self, var: Variable, idx: int) -> Any:
        """Return one length of a variable."""
        return self.shape_of[var][idx]

    def same_shape(
        self, x: Variable, y: Variable, dim_x: int | None = None, dim_y: int | None = None
    ) -> bool:
        """Tell whether two shapes, or one length of each, are known to be equal.

        Raises
        ------
        IndexError
            There is no such axis.
        """
        one, two = self.shape_of[x], self.shape_of[y]
        if one is None or two is None:
            return False
        one = one if dim_x is None else (one[dim_x],)
        two = two if dim_y is None else (two[dim_y],)
        return len(one) == len(two) and all(
            a is b or equal_computations([a], [b]) for a, b in zip(one, two, strict=True)
        )
