"""Which products of one matrix from both sides are one step, that reads the matrix once.

A gradient of what is made of `X @ w` is `X.T @ r`, where `r` is made of that product item by item:
so it is in each linear model, and in products of Hessians and vectors. A few rows are multiplied by
`w`, pass through the loop between, and are added to the sums while they are in the cache.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from theano._core.base.records import Record
from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Variable
from theano._core.lower.computed_again import step_inputs
from theano._core.lower.joined import Joined
from theano._core.lower.schedule import Step, order
from theano._core.ops.array.products import Dot, Gemm
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.core.dimshuffle import DimShuffle, transpose_of

DTYPES = ("float32", "float64")


class Factors(Record):
    """A matrix and a vector, whose items are factors `of_rows` of it, or else of its columns."""

    matrix: Variable
    vector: Variable
    of_rows: bool


class MatrixPass(Joined):
    """Two products of a matrix, and the loop between that makes one vector of the other product.

    Attributes
    ----------
    parts : list of Step
        The first product, the loop unless there is none, and the second product, unless it is added
        to something: then that is the only thing that is left to its own step.
    first, last : Factors
        Those of both products.
    end : Apply
        The node of the second product.
    """

    __slots__ = ("end", "first", "last")

    writer = "matrix_pass"

    def __init__(self, parts: list[Step], first: Factors, last: Factors, end: Apply) -> None:
        super().__init__(parts)
        self.first, self.last, self.end = first, last, end


def in_matrix_passes(
    steps: list[Step], uses: dict[Any, int], alone: Collection[Any] = ()
) -> list[Step]:
    """Return steps of which those that multiply one matrix from both sides are one.

    `uses` counts the steps that read each value, and the program's results. What is `alone` is made
    by a step of its own.
    """
    products = {step: f for step in steps if (f := _factors(step)) is not None}
    if len({f.of_rows for f in products.values()}) < 2:
        return steps
    step_of = {node: step for step in steps for node in step.nodes}
    for last in products:
        between = step_of.get(products[last].vector.owner)
        first = _first(between, products[last], products, step_of)
        if first is None or between is None:
            continue
        loops = [] if between is first else _without_sums(between)
        parts = [first, *loops[:1]]
        if any(node.outputs[0] in alone for part in parts for node in part.nodes):
            continue
        end = last.nodes[0]
        if not isinstance(end.op, Gemm):
            parts.append(last)
        both = MatrixPass(parts, products[first], products[last], end)
        # Some steps between may need the sums of the loop, or the last product a step that does.
        with suppress(ValueError):
            steps, step_of = _replaced(steps, step_of, between, [both, *loops[1:]])
            # Some values are read by both loops now.
            for step, change in zip([between, *loops], (-1, 1, 1), strict=False) if loops else ():
                for variable in step_inputs(step):
                    uses[variable] = uses.get(variable, 0) + change
    return steps


def _replaced(
    steps: Sequence[Step], step_of: Mapping[Apply, Step], between: Step, new: Sequence[Step]
) -> tuple[list[Step], dict[Apply, Step]]:
    """Return steps in a valid order where `new` ones do what others did, and each node's step."""
    step_of = {**step_of, **{node: step for step in new for node in step.nodes}}
    every = [step_of[step.nodes[0]] for step in steps if step is not between]
    return order(list(dict.fromkeys([*every, *new])), step_of), step_of


def _factors(step: Step) -> Factors | None:
    """Return what a product of a matrix and a vector is one of."""
    node = step.nodes[0]
    made = node.outputs[0].type if isinstance(node.op, (Dot, Gemm)) else None
    if made is None or made.ndim != 1 or made.dtype not in DTYPES:
        return None
    x, y = factors = node.inputs[2:4] if isinstance(node.op, Gemm) else node.inputs
    if x.type.ndim + y.type.ndim != 3 or any(v.type.dtype != made.dtype for v in factors):
        return None
    matrix, vector, of_rows = (x, y, False) if x.type.ndim == 2 else (y, x, True)
    whole = transpose_of(matrix)
    if whole is not None:
        matrix, of_rows = whole, not of_rows
    elif made_by(matrix, DimShuffle):
        return None
    return Factors(matrix, vector, of_rows)


def _first(
    between: Step | None,
    last: Factors,
    products: Mapping[Step, Factors],
    step_of: Mapping[Apply, Step],
) -> Step | None:
    """Return the product with columns of a matrix of which the vector of another one is made."""
    if between is None or last.vector.type.broadcastable[0]:
        return None
    loop = between.is_loop and between.space is not None and len(between.space) == 1
    makers = [step_of.get(v.owner) for v in step_inputs(between)] if loop else [between]
    for step in makers:
        own = products.get(step) if step is not None else None
        if step is None or own is None or own.of_rows is last.of_rows:
            continue
        if own.matrix is last.matrix and not step.nodes[0].outputs[0].type.broadcastable[0]:
            return step
    return None


def _without_sums(loop: Step) -> list[Step]:
    """Return a loop without its reductions, and behind it, if there are some, one of these."""
    reductions = [node for node in loop.nodes if isinstance(node.op, Reduction)]
    if not reductions:
        return [loop]
    loops = []
    for nodes in ([node for node in loop.nodes if node not in reductions], reductions):
        own = Step(nodes[0], 0, loop.space, None, loop.weight)
        own.nodes, own.users, own.again = nodes, [*loop.users, *reductions], loop.again
        loops.append(own)
    loops[1].reductions = loop.reductions
    if not any(v.owner in loop.again for node in reductions for v in node.inputs):
        loops[1].again = {}
    return loops
