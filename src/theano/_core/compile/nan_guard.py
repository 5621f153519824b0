"""Graphs that tell whether all that they compute is finite: what `NanGuardMode` runs natively.

A graph gets one more result, which is true if no number in it is a NaN, an infinity or too large.
It is made of comparisons that run in the loops that compute the numbers. It may be false without
need, and then the graph is run once more, node by node.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.graph import toposort
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.array.broadcasting import Alloc
from theano._core.ops.array.indexing import Subtensor
from theano._core.ops.array.reductions import reduce
from theano._core.ops.array.shaping import Rebroadcast, Reshape
from theano._core.ops.control.body import Body
from theano._core.ops.control.branch import Branch
from theano._core.ops.control.scan import Loop
from theano._core.ops.control.scan_state import State
from theano._core.ops.core.dimshuffle import DimShuffle
from theano._core.ops.core.op import Structured, as_variable, shape_of
from theano._core.ops.elementwise.arithmetic import abs_, and_, imag, le, real
from theano._core.ops.elementwise.elementwise import Elementwise, cast

# Their items are items of their first input.
_SHOWS = (Alloc, DimShuffle, Rebroadcast, Reshape, Subtensor)
# Their results are in the range if their arguments are.
_BOUNDED = frozenset(
    (
        *("abs_", "arctan", "arctan2", "cos", "erf", "erfc", "identity", "maximum", "minimum"),
        *("neg", "sgn", "sigmoid", "sin", "switch", "tanh"),
    )
)


def with_flag(outputs: Sequence[Variable], inputs: Sequence[Variable], largest: float) -> list[Any]:
    """Return `outputs`, and then whether all numbers are in the range up to `largest`.

    Parameters
    ----------
    outputs, inputs : sequence of Variable
    largest : float
        What is beyond in absolute value, or NaN, makes the flag false; infinity: only NaN does.
    """
    return _Guarded(outputs, inputs, largest).results()


def is_checked(variable: Variable) -> bool:
    """Tell whether a variable holds floating-point numbers that the user wants looked at."""
    type_ = variable.type
    return (
        isinstance(type_, TensorType)
        and dtypes.is_continuous(type_.dtype)
        and getattr(variable.tag, "nan_guard_mode_check", True) is not False
    )


class AllGood(Structured):
    """Its first input, if the second says that all numbers of a graph are in the range."""

    not_differentiated = "made when a function is compiled"
    shape = shape_of(0)

    def make_node(self, value: Variable, flag: Variable | np.ndarray) -> Apply:
        return Apply(self, [value, as_variable(flag)], [value.type.variable_class(value.type)])

    def compute(self, xp: Any, node: Apply, value: np.ndarray, flag: np.ndarray) -> tuple[Any, ...]:
        return (value,)

    def may_fail(self, node: Apply) -> bool:
        return True

    def lower(self, p: Any, node: Apply, value: Any, flag: Any) -> Any:
        p.require(node, flag, "assert")
        return value


def asserted(flagged: Sequence[Variable]) -> list[Any] | None:
    """Return outputs of which one is there only if the flag after them is true; None: none can."""
    *outputs, flag = flagged
    for i, out in enumerate(outputs):
        if isinstance(out.type, TensorType):
            outputs[i] = AllGood()(out, flag)
            return outputs
    return None


class _Guarded:
    """A copy of a graph, and what is looked at in it."""

    def __init__(
        self, outputs: Sequence[Variable], inputs: Sequence[Variable], largest: float
    ) -> None:
        self.largest = largest
        self.flags: list[Any] = []
        self.order: dict[Any, int] = {}
        self.limits: dict[TensorType, Any] = {}
        # What is compared, each with those that are compared in the same loop.
        self.values: dict[Any, list[Any]] = {v: [] for v in inputs if is_checked(v)}
        self.table: dict[Any, Any] = {}
        for node in toposort(outputs, inputs):
            self._add(node)
        self.outputs = [self.table.get(v, v) for v in outputs]

    def results(self) -> list[Any]:
        """Return the outputs and the flag."""
        left_out = {v for value in self.values for v in _implied(value.owner)}
        looked_at = (value for value in self.values if value not in left_out)
        self.order = {value: k for k, value in enumerate(looked_at)}
        readers = self._readers()
        for value, reader in readers.items():
            self.values[reader].append(value)
        flags = [self._all(value) for value in self.values if value not in readers]
        flags += self.flags
        total = _conjunction(flags)
        return [*self.outputs, np.array(True) if total is None else total]

    def _add(self, node: Apply) -> None:
        for value in node.inputs:
            if isinstance(value, Constant) and is_checked(value):
                if not (np.abs(value.data) <= np.float64(self.largest)).all():
                    self.flags.append(_variable(np.array(False)))
        inputs = [self.table.get(v, v) for v in node.inputs]
        op = node.op
        if isinstance(op, (Loop, Branch)):
            both = self._loop(op, inputs) if isinstance(op, Loop) else self._branch(op, inputs)
            made, flag = both
            self.flags.append(flag)
        else:
            same = all(a is b for a, b in zip(inputs, node.inputs, strict=True))
            made = node.outputs if same else node.clone_with_new_inputs(inputs).outputs
            if not _follows(node):
                self.values.update((v, []) for v in made if is_checked(v))
        self.table.update(zip(node.outputs, made, strict=True))

    def _loop(self, loop: Loop, inputs: Sequence[Variable]) -> tuple[list[Any], Any]:
        """Return what a loop computes, and whether every step was good."""
        count = len(loop.states)
        results = with_flag(loop.body.outputs, loop.body.inputs, self.largest)
        outputs = [*results[:count], _variable(results[-1]), *results[count:-1]]
        op = loop.replaced(Body(loop.body.inputs, outputs), states=[*loop.states, State(())])
        made = op.make_node(*inputs).outputs
        return [*made[:count], *made[count + 1 :]], reduce("all", made[count])

    def _branch(self, branch: Branch, inputs: Sequence[Variable]) -> tuple[list[Any], Any]:
        """Return what a branch computes, and whether the body that was run was good."""
        bodies = []
        for body in (branch.then, branch.otherwise):
            *results, flag = with_flag(body.outputs, body.inputs, self.largest)
            bodies.append(Body(body.inputs, [*results, _variable(flag)]))
        then, otherwise = bodies
        *made, flag = Branch(then, otherwise, branch.label).make_node(*inputs).outputs
        return made, flag

    def _readers(self) -> dict[Any, Any]:
        """Return, for what is read by elementwise operations of its shape only, one of these.

        One loop computes them, and looks at all at once: what it needs for that is at hand.
        """
        reader_of: dict[Any, Any] = {}
        elsewhere: set[Any] = set()
        for node in toposort(self.outputs, [v for v in self.values if v.owner is None]):
            made = node.outputs[0]
            for v in node.inputs:
                if isinstance(node.op, Elementwise) and _alike(v, made):
                    if v in self.values and v not in reader_of:
                        reader_of[v] = made
                        self.values.setdefault(made, [])
                elif v.owner is not None and isinstance(v.owner.op, Elementwise):
                    elsewhere.add(v)
        return {v: reader for v, reader in reader_of.items() if v not in elsewhere}

    def _all(self, value: Variable) -> Any:
        """Return whether all items of a value, and of what is read with it, are good."""
        checked, waiting = [], [value]
        for variable in waiting:
            waiting += self.values[variable]
            checked += [variable] if variable in self.order else []
        # The first that is computed comes first, and need not be kept for the others.
        flag = _conjunction(map(self._good, sorted(checked, key=self.order.__getitem__)))
        return flag if flag is None or not flag.type.ndim else reduce("all", flag)

    def _good(self, value: Variable) -> Any:
        """Return for each item whether it is in the range."""
        most = self.largest
        if dtypes.is_complex(value.type.dtype):
            if not np.isfinite(most):
                return and_(self._good(real(value)), self._good(imag(value)))
            value = abs_(value)
        if np.isfinite(most):
            most = min(most, float(np.finfo(value.type.numpy_dtype).max))
        # One constant for all: it is made when everything has been rewritten.
        type_ = TensorType(value.type.dtype, (True,) * value.type.ndim)
        if type_ not in self.limits:
            limit = np.full((1,) * type_.ndim, most, type_.dtype)
            self.limits[type_] = type_.constant_class(type_, limit)
        return le(abs_(value), self.limits[type_])


def _follows(node: Apply) -> bool:
    """Tell whether the outputs of a node are in the range if its inputs are, which are checked."""
    read = node.inputs
    if isinstance(node.op, _SHOWS):
        read = read[:1]
    elif not (isinstance(node.op, Elementwise) and node.op.name in _BOUNDED):
        return False
    return all(is_checked(v) or dtypes.is_discrete(v.type.dtype) for v in read)


# What is never negative.
_POSITIVE = frozenset(("abs_", "exp", "sqr", "sqrt"))


def _implied(node: Apply | None) -> Sequence[Variable]:
    """Return inputs of a node that are in the range if its output is."""
    if node is None or not isinstance(node.op, Elementwise):
        return ()
    if node.op.name == "add" and all(_made_by(v, _POSITIVE) for v in node.inputs):
        return node.inputs
    return node.inputs if node.op.name == "sqr" else ()


def _made_by(variable: Variable, names: frozenset[str]) -> bool:
    node = variable.owner
    return node is not None and isinstance(node.op, Elementwise) and node.op.name in names


def _alike(one: Variable, other: Variable) -> bool:
    return one.type.broadcastable == other.type.broadcastable


def _variable(flag: Variable | np.ndarray) -> Any:
    return cast(flag, "bool") if hasattr(flag, "type") else Constant(TensorType("bool", ()), flag)


def _conjunction(flags: Iterable[Variable | None]) -> Any:
    total = None
    for flag in flags:
        if flag is not None:
            total = flag if total is None else and_(total, flag)
    return total
