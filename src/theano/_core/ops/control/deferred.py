"""Expressions for rare cases: they are neither made nor compiled before they are needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base import dtypes
from theano._core.base.settings import change_flags
from theano._core.ir import hooks
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.control.body import Body
from theano._core.ops.core.fill import zeros_like_float
from theano._core.ops.core.python_call import Called

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims
    from theano._core.ops.core.protocols import Forward, Trace


class Deferred(Called):
    """The outputs of a body, which is made and compiled in the first call.

    It belongs on the side of a branch that is rarely taken. Its derivatives are deferred too. Two
    are equal only if they are one.

    Parameters
    ----------
    make : callable
        Returns the Body. Can be pickled.
    likes : sequence of int
        For each output, the input whose type and shape it has.
    """

    differentiates = True

    def __init__(self, make: Callable[[], Body], likes: Sequence[int]) -> None:
        self.make = make
        self.likes = tuple(likes)
        self._body: Body | None = None
        self._function: Any = None

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __reduce__(self) -> Any:
        return type(self), (self.make, self.likes)

    def body(self) -> Body:
        """What it computes."""
        if self._body is None:
            with change_flags(compute_test_value="off"):
                self._body = self.make()
        return self._body

    def make_node(self, *inputs: Any) -> Apply:
        types = [inputs[i].type for i in self.likes]
        return Apply(self, list(inputs), [type_.output() for type_ in types])

    def compute(self, xp: ArrayModule, node: Apply, *arrays: np.ndarray) -> tuple[Any, ...]:
        if self._function is None:
            body = self.body()
            self._function = hooks.compile_body(body.inputs, body.outputs)
        results = self._function(*arrays)
        return tuple(
            np.broadcast_to(value, np.shape(arrays[i]))
            for i, value in zip(self.likes, results, strict=True)
        )

    def jax(self, j: Trace, node: Apply, *arrays: np.ndarray) -> Sequence[Any]:
        results, passed = j.body(self.body(), arrays)
        j.require(passed)
        pairs = zip(self.likes, results, strict=True)
        return [j.numpy.broadcast_to(value, arrays[i].shape) for i, value in pairs]

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [shapes[i] for i in self.likes]

    def vjp(self, node: Apply, cotangents: Sequence[Variable], reverse: object = None) -> list[Any]:
        seeded = [i for i, g in enumerate(cotangents) if g is not None]
        targets = [i for i, v in enumerate(node.inputs) if _is_float(v)]
        op = Deferred(partial(_pulled_back, self, seeded, targets, reverse), targets)
        made = op.make_node(*node.inputs, *(cotangents[i] for i in seeded)).outputs
        results: list[Any] = [None] * len(node.inputs)
        for i, out in zip(targets, made, strict=True):
            results[i] = out
        return results

    def jvp(self, node: Apply, tangents: Sequence[Variable | None], forward: Forward) -> list[Any]:
        seeded = [i for i, t in enumerate(tangents) if t is not None]
        op = Deferred(partial(_pushed_forward, self, seeded, forward), self.likes)
        return op.make_node(*node.inputs, *(tangents[i] for i in seeded)).outputs


def _is_float(v: Variable) -> bool:
    return isinstance(v.type, TensorType) and not dtypes.is_discrete(v.type.dtype)


def _like(v: Variable) -> Any:
    return v.type.make_variable()


def _pulled_back(op: Deferred, seeded: Sequence[int], targets: Sequence[int], reverse: Any) -> Body:
    body = op.body()
    seeds = [_like(body.outputs[i]) for i in seeded]
    totals: dict[Any, Any] = {}
    for i, seed in zip(seeded, seeds, strict=True):
        out = body.outputs[i]
        totals[out] = totals[out] + seed if out in totals else seed
    wanted = [body.inputs[i] for i in targets]
    gradients = reverse(totals, wanted)
    outputs = [zeros_like_float(v) if gradients.get(v) is None else gradients[v] for v in wanted]
    return Body([*body.inputs, *seeds], outputs)


def _pushed_forward(op: Deferred, seeded: Sequence[int], forward: Forward) -> Body:
    body = op.body()
    tangents = [_like(body.inputs[i]) for i in seeded]
    places = [body.inputs[i] for i in seeded]
    pushed = forward(body.outputs, dict(zip(places, tangents, strict=True)))
    outputs = [
        zeros_like_float(v) if t is None else t for v, t in zip(body.outputs, pushed, strict=True)
    ]
    return Body([*body.inputs, *tangents], outputs)
