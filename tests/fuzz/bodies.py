"""What runs a program in bodies of loops, branches and inner graphs, one in another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import theano
import theano.tensor as T
from theano.compile.builders import OpFromGraph
from theano.ifelse import ifelse

# Steps of a loop.
STEPS = 3


@dataclass(frozen=True)
class Body:
    """A function of variables to variables, with values for its arguments.

    Attributes
    ----------
    types : list
        Of its arguments.
    values : list of arrays
    build : callable
        Variables for the arguments → variables of the results.
    pick : callable
        A result → the part of it that is the result of the program.
    """

    types: list[Any]
    values: list[np.ndarray]
    build: Callable[..., list[Any]]
    pick: Callable[[np.ndarray], np.ndarray] = lambda result: result

    def row(self, result: np.ndarray, number: int) -> np.ndarray:
        """Return what is picked of a row of a result of a loop over this body."""
        return self.pick(result[number])

    def results(self, mutable: bool = False) -> list[np.ndarray]:
        """Return the results of a function, which may overwrite its arguments."""
        variables = [type_() for type_ in self.types]
        given = [theano.In(v, mutable=True) for v in variables] if mutable else variables
        f = theano.function(given, self.build(*variables), on_unused_input="ignore")
        f(*(np.array(value) for value in self.values))
        return [self.pick(result) for result in f(*(np.array(value) for value in self.values))]


def listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def rows_of(type_: Any) -> Any:
    """Return the type of a sequence whose items are of a type."""
    return T.TensorType(type_.dtype, (False, *type_.broadcastable))


def in_loop(body: Body) -> Body:
    """In each step of a loop."""

    def build(*rows: Any) -> list[Any]:
        return listed(theano.scan(body.build, list(rows), n_steps=None if rows else STEPS)[0])

    types, values = map(rows_of, body.types), [np.stack([a] * STEPS) for a in body.values]
    return Body(list(types), values, build, lambda result: body.row(result, STEPS - 1))


def in_backward_loop(body: Body) -> Body:
    """In each step of a loop that goes backwards over some arguments; others stay the same."""

    def build(*given: Any) -> list[Any]:
        def step(*items: Any) -> list[Any]:
            half = (len(given) + 1) // 2
            both = zip(items[:half], (*items[half:], None), strict=False)
            return [v.copy() for v in body.build(*[v for pair in both for v in pair][: len(given)])]

        n_steps = None if given else STEPS
        loop = theano.scan(
            step, list(given[::2]), None, list(given[1::2]), n_steps=n_steps, go_backwards=True
        )
        return listed(loop[0])

    types = [type_ if k % 2 else rows_of(type_) for k, type_ in enumerate(body.types)]
    values = [a if k % 2 else np.stack([a] * STEPS) for k, a in enumerate(body.values)]
    return Body(types, values, build, lambda result: body.row(result, 0))


def in_counting_loop(body: Body) -> Body:
    """In each step of a loop that counts; of its results only the last rows are asked for."""

    def build(*given: Any) -> list[Any]:
        def step(count: Any, *given: Any) -> list[Any]:
            return [count + 1, *(v.copy() for v in body.build(*given))]

        starts = [np.int64(0), *(None for _ in body.build(*given))]
        found = theano.scan(step, None, starts, list(given), n_steps=STEPS)[0]
        return [rows[-1] for rows in found[1:]]

    return replace(body, build=build)


def in_branch(body: Body, taken: bool = True) -> Body:
    """In a branch that is taken."""

    def build(*given: Any) -> list[Any]:
        found = body.build(*given)
        zeros = [v.type.filter_variable(T.zeros_like(v)) for v in found]
        sides = (found, zeros) if taken else (zeros, found)
        return listed(ifelse(T.eq(theano.shared(int(taken)), 1), *sides))

    return replace(body, build=build)


def in_other_branch(body: Body) -> Body:
    """In a branch that is taken where its condition does not hold."""
    return in_branch(body, False)


def in_inner_graph(body: Body) -> Body:
    """In an operation of its own."""

    def build(*given: Any) -> list[Any]:
        own = [v.type() for v in given]
        found = body.build(*own)
        needed = set(theano.gof.graph.inputs(found))
        pairs = [(v, outer) for v, outer in zip(own, given, strict=True) if v in needed]
        if not pairs:
            return found
        op = OpFromGraph([v for v, _ in pairs], found)
        return listed(op(*(outer for _, outer in pairs)))

    return replace(body, build=build)


LEVELS = [
    *(in_loop, in_backward_loop, in_counting_loop),
    *(in_branch, in_other_branch, in_inner_graph),
]


def nested(body: Body, levels: Sequence[Callable[[Body], Body]]) -> Body:
    """Return a body within others, the last one outermost."""
    for level in levels:
        body = level(body)
    return body
