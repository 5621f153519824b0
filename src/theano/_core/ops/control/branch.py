"""Branches: of two groups of values, the one that a condition names.

`IfElse` is what users write: both groups are expressions like any other. Before code is made,
rewriting moves what only one group needs into the bodies of a `Branch`, of which one is run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from theano._core.ir.graph import toposort
from theano._core.ir.text import label
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.control.body import Body
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.evaluation import evaluate
from theano._core.ops.core.fill import zeros_like_float
from theano._core.ops.core.naming import known_as
from theano._core.ops.core.op import Structured, as_variable
from theano._core.ops.elementwise.arithmetic import switch

if TYPE_CHECKING:
    import numpy as np

    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ops.core.protocols import Batching, Builder, ProgramValue, Trace


class IfElse(Structured):
    """The first group of its inputs after the condition if that holds, else the second group.

    Parameters
    ----------
    n_outs : int
        Values in a group.
    as_view, gpu
        Accepted for old programs.
    name : str, optional
    """

    __props__ = ("n_outs",)
    differentiates = True

    def __init__(
        self, n_outs: int, as_view: bool = False, gpu: bool = False, name: str | None = None
    ) -> None:
        self.n_outs = n_outs
        self.label = name

    def make_node(self, condition: Any, *values: Variable) -> Apply:
        condition = scalar_condition(condition)
        if len(values) != 2 * self.n_outs:
            raise ValueError(f"{self} takes {2 * self.n_outs} values, got {len(values)}")
        pairs = zip(values[: self.n_outs], values[self.n_outs :], strict=True)
        types = [_common_type(one, two) for one, two in pairs]
        return Apply(self, [condition, *values], [k.output() for k in types])

    def sides(self, node: Apply) -> tuple[list[Any], list[Any]]:
        """Return the two groups of values."""
        return node.inputs[1 : 1 + self.n_outs], node.inputs[1 + self.n_outs :]

    def compute(
        self, xp: ArrayModule, node: Apply, condition: np.ndarray, *values: np.ndarray
    ) -> tuple[Any, ...]:
        return values[: self.n_outs] if bool(condition) else values[self.n_outs :]

    def jax(
        self, j: Trace, node: Apply, condition: np.ndarray, *values: np.ndarray
    ) -> Sequence[Any]:
        if j.is_known(condition):
            return self.compute(j.numpy, node, condition, *values)
        pairs = list(zip(values[: self.n_outs], values[self.n_outs :], strict=True))
        if any(one.shape != two.shape for one, two in pairs):
            raise TypeError("the two sides have other shapes")
        return [j.numpy.where(condition != 0, one, two) for one, two in pairs]

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return common_shape(shapes[1 : 1 + self.n_outs], shapes[1 + self.n_outs :])

    def connection(self, node: Apply) -> list[list[bool]]:
        rows = [[i == j for j in range(self.n_outs)] for i in range(self.n_outs)]
        return [[True] * self.n_outs, *rows, *rows]

    def linear(self, node: Apply) -> list[list[int]]:
        return [list(range(1, len(node.inputs)))]

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        condition, *_ = values
        then, otherwise = self.sides(node)
        pairs = list(zip(then, otherwise, strict=True))
        if rows[0]:
            if not all(isinstance(v.type, TensorType) for v in node.outputs):
                return None
            return [_chosen(condition, batching.full(v), batching.full(w)) for v, w in pairs]
        both = [v in batching.rows or w in batching.rows for v, w in pairs]
        values = [
            batching.full(v) if row else batching.value(v)
            for v, row in zip(node.inputs[1:], both * 2, strict=True)
        ]
        return self.make_node(condition, *values).outputs

    def vjp(
        self,
        node: Apply,
        cotangents: Sequence[Variable],
        reverse: Callable[..., object] | None = None,
    ) -> list[Any]:
        condition = node.inputs[0]
        then, otherwise = self.sides(node)
        first: list[Any] = []
        second: list[Any] = []
        for g, one, two in zip(cotangents, then, otherwise, strict=True):
            has_gradient = g is not None and isinstance(one.type, TensorType)
            first.append(if_else(condition, g, zeros_like_float(one)) if has_gradient else None)
            second.append(if_else(condition, zeros_like_float(two), g) if has_gradient else None)
        # Next to almost every condition the same branch is taken.
        return [zeros_like_float(condition), *first, *second]

    def emit(self, p: Builder, node: Apply, *values: ProgramValue) -> Any:
        raise NotImplementedError("rewriting turns IfElse into Branch")

    def __str__(self) -> str:
        return _text(self.label)


def _text(label: str | None) -> str:
    return f"if{{{label or ''}}}"


def _chosen(condition: TensorLike, one: Any, two: Any) -> Any:
    """Return, per row, the one or the other."""
    return switch(dimshuffle(condition, [0, *["x"] * (one.type.ndim - 1)]), one, two)


@known_as("IfElse")
class Branch(Structured):
    """One of two bodies, run over the inputs after the condition.

    Made by rewriting only.
    """

    not_differentiated = "made by rewriting, after differentiation"

    __props__ = ("otherwise", "then")

    def __init__(self, then: Body, otherwise: Body, name: str | None = None) -> None:
        self.then = then
        self.otherwise = otherwise
        self.label = name

    def foldable(self) -> bool:
        """Tell whether its results for constants may be computed before the function runs."""
        return self.then.foldable() and self.otherwise.foldable()

    def make_node(self, condition: TensorLike, *values: Variable) -> Apply:
        outputs = [
            type_.output()
            for type_ in (
                _common_type(one, two)
                for one, two in zip(self.then.outputs, self.otherwise.outputs, strict=True)
            )
        ]
        return Apply(self, [scalar_condition(condition), *values], outputs)

    def compute(
        self, xp: ArrayModule, node: Apply, condition: np.ndarray, *values: np.ndarray
    ) -> tuple[Any, ...]:
        body = self.then if bool(condition) else self.otherwise
        return tuple(evaluate(body.outputs, dict(zip(body.inputs, values, strict=True))))

    def jax(self, j: Trace, node: Apply, condition: np.ndarray, *values: np.ndarray) -> list[Any]:
        if j.is_known(condition):
            body = self.then if condition else self.otherwise
            return j.run(body.outputs, dict(zip(body.inputs, values, strict=True)))
        results, passed = j.lax.cond(
            condition != 0,
            lambda: j.body(self.then, values),
            lambda: j.body(self.otherwise, values),
        )
        j.require(passed)
        return results

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        then, otherwise = (
            b.shape(shapes[1:], dict(zip(b.inputs, node.inputs[1:], strict=True)))
            for b in (self.then, self.otherwise)
        )
        return common_shape(then, otherwise)

    def emit(self, p: Builder, node: Apply, *values: ProgramValue) -> Any:
        return p.branch(node, values)

    def __str__(self) -> str:
        return _text(self.label)


def scalar_condition(value: Any) -> Any:
    """Return a condition as a scalar variable."""
    condition = as_variable(value)
    if not isinstance(condition.type, TensorType) or condition.type.ndim:
        raise TypeError(
            f"the condition of ifelse must be a scalar, got {label(condition)} of type "
            f"{condition.type}; theano.tensor.switch chooses item by item"
        )
    return condition


def _common_type(one: Any, two: Any) -> Any:
    if one.type == two.type:
        return one.type
    types = (one.type, two.type)
    if all(isinstance(k, TensorType) for k in types) and one.type.dtype == two.type.dtype:
        if one.type.ndim == two.type.ndim:
            pairs = zip(one.type.broadcastable, two.type.broadcastable, strict=True)
            return TensorType(one.type.dtype, [a and b for a, b in pairs])
    raise TypeError(f"The two branches should have identical types, but they are {types}.")


def common_shape(then: Sequence[Any], otherwise: Sequence[Any]) -> list[Any]:
    """Return lengths that are the same on both sides; None where they may differ."""
    return [
        tuple(_same_length(a, b) for a, b in zip(x, y, strict=True))
        for x, y in zip(then, otherwise, strict=True)
    ]


def _same_length(one: object, two: object) -> Any:
    return one if one is two or (isinstance(one, int) and one == two) else None


def needed_always(roots: Sequence[Variable], ends: Collection[Variable] = ()) -> set[Any]:
    """Return the variables that `roots` need whichever branches are taken; `ends` end the walk."""
    needed = set(roots)
    for node in reversed(toposort(roots, ends)):
        if not needed.isdisjoint(node.outputs):
            needed.update(node.inputs[:1] if isinstance(node.op, IfElse) else node.inputs)
    return needed


def if_else(condition: Variable, one: object, two: object) -> Any:
    """Return `one` if a scalar holds, else `two`; only that is computed."""
    return IfElse(1)(condition, one, two)
