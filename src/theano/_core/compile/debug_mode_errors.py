"""What `DebugMode` raises: faults of the compiler, of rewrites and of operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from theano._core.base import errors
from theano._core.ir.source import made_at
from theano._core.ir.variable import Apply, Variable

DebugModeError, StochasticOrder = errors.DebugModeError, errors.StochasticOrder


class BadThunkOutput(errors.BadThunkOutput):
    """Two ways to compute one variable differ."""

    def __init__(
        self,
        r: Any,
        thunk1: str,
        val1: np.ndarray,
        thunk2: str,
        val2: np.ndarray,
        inputs_val: Sequence[np.ndarray] = (),
    ) -> None:
        super().__init__(
            f"{r.owner} is {val1!r} by {thunk1}, and {val2!r} by {thunk2}; inputs: {inputs_val!r}"
        )
        self.r, self.thunk1, self.val1 = r, thunk1, val1
        self.thunk2, self.val2, self.inputs_val = thunk2, val2, inputs_val

    def offending_op(self) -> Any:
        """Return the operation that was computed."""
        return self.r.owner.op


class BadOptimization(errors.BadOptimization):
    """A rewrite changed a value."""

    def __init__(
        self,
        old_r: Variable,
        new_r: Any,
        old_r_val: np.ndarray,
        new_r_val: np.ndarray,
        reason: str,
        old_graph: str = "",
        new_graph: str = "",
    ) -> None:
        super().__init__(
            f"the rewrite {reason!s} replaced {old_r.owner or old_r} by {new_r.owner or new_r}: "
            f"the value was {old_r_val!r} and is {new_r_val!r}"
        )
        self.old_r, self.new_r = old_r, new_r
        self.old_r_val, self.new_r_val, self.reason = old_r_val, new_r_val, reason
        self.old_graph, self.new_graph = old_graph, new_graph


class BadDestroyMap(errors.BadDestroyMap):
    """An operation changed an input that its `destroy_map` does not name."""

    def __init__(
        self,
        node: Apply,
        idx: int,
        old_val: np.ndarray,
        new_val: np.ndarray,
        perform: Callable[..., object],
    ) -> None:
        super().__init__(
            f"{node} changed its input {idx}, which its destroy_map does not name: it was "
            f"{old_val!r} and is {new_val!r}"
        )
        self.node, self.idx, self.perform = node, idx, perform
        self.old_val, self.new_val = old_val, new_val


class BadViewMap(errors.BadViewMap):
    """An output shares memory with what its operation's `view_map` does not name.

    That is an input, or another output if both are used and show no input in common.
    """

    def __init__(
        self,
        node: Apply,
        output_idx: int,
        out_storage: Sequence[np.ndarray],
        in_alias_idx: int | None = None,
        out_alias_idx: object = None,
    ) -> None:
        other = f"its input {in_alias_idx}"
        if out_alias_idx is not None:
            other = f"its output {out_alias_idx}"
        super().__init__(
            f"output {output_idx} of {node} shares memory with {other}, which its view_map does "
            "not name"
        )
        self.node, self.output_idx, self.out_storage = node, output_idx, out_storage
        self.in_alias_idx, self.out_alias_idx = in_alias_idx, out_alias_idx


class InvalidValueError(errors.InvalidValueError):
    """A value does not fit the type of its variable, or has a NaN or an infinity."""

    def __init__(
        self,
        r: Any,
        v: object = None,
        client_node: object = None,
        hint: str = "none",
        specific_hint: str = "none",
    ) -> None:
        super().__init__(
            f"{r} of type {r.type} has the value {v!r}: {hint}. It is made by {r.owner}."
            f"{made_at(r.owner or r)}"
        )
        self.r, self.v, self.client_node = r, v, client_node
        self.hint, self.specific_hint = hint, specific_hint
