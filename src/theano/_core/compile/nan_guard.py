"""Graphs that tell whether all that they compute is finite: what `NanGuardMode` runs natively.

A graph gets one more result, which is true if no number in it is a NaN, an infinity or too large.
It is made of comparisons that run in the loops that compute the numbers. It may be false without
need, and then the graph is run once more, node by node.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.compile import ranges
from theano._core.compile.ranges import Range
from theano._core.ir.graph import made_by, toposort
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.array.reductions import Reduction, reduce
from theano._core.ops.control.body import Body
from theano._core.ops.control.branch import Branch
from theano._core.ops.control.scan import Loop
from theano._core.ops.control.scan_state import State
from theano._core.ops.core.op import Structured, as_variable, shape_of
from theano._core.ops.elementwise.arithmetic import abs_, and_, imag, le, real
from theano._core.ops.elementwise.elementwise import Elementwise, cast
from theano._core.ops.elementwise.transcendental import sqrt


def with_flag(outputs: Sequence[Variable], inputs: Sequence[Variable], largest: float) -> list[Any]:
    """Return `outputs`, and then whether all numbers are in the range up to `largest`.

    Parameters
    ----------
    outputs, inputs : sequence of Variable
    largest : float
        What is beyond in absolute value, or NaN, makes the flag false; infinity: only NaN does.
    """
    guarded = _Guarded(largest)
    for v in inputs:
        guarded.look_at(v, ranges.of_leaf(v))
    return guarded.results(outputs, inputs)


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
        return Apply(self, [value, as_variable(flag)], [value.type.output()])

    def compute(self, xp: Any, node: Apply, value: np.ndarray, flag: np.ndarray) -> tuple[Any, ...]:
        return (value,)

    def may_fail(self, node: Apply) -> bool:
        return True

    def emit(self, p: Any, node: Apply, value: Any, flag: Any) -> Any:
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

    def __init__(self, largest: float) -> None:
        self.largest = largest
        self.flags: list[Any] = []
        self.order: dict[Any, int] = {}
        self.limits: dict[TensorType, Any] = {}
        # What is compared, each with those that are compared in the same loop.
        self.values: dict[Any, list[Any]] = {}
        # Where numbers lie if all that is looked at is good.
        self.ranges: dict[Any, Range] = {}
        self.table: dict[Any, Any] = {}

    def look_at(self, variable: Variable, range_: Range) -> None:
        """Have a variable compared, unless it is within limits if it lies in a range."""
        if not isinstance(variable.type, TensorType) or dtypes.is_discrete(variable.type.dtype):
            return
        most = self._most(variable.type.dtype)
        low, high = (-np.inf, np.inf) if range_ is None else range_
        if range_ is None or max(-low, high) > most:
            if is_checked(variable):
                self.values[variable] = []
                range_ = max(low, -most), min(high, most)
            else:
                range_ = None
        self.ranges[variable] = range_

    def _most(self, dtype: str) -> float:
        """Return the largest number of a dtype that is good."""
        if not np.isfinite(self.largest):
            return self.largest
        return min(self.largest, float(np.finfo(dtype).max))

    def range_of(self, variable: Variable) -> Range:
        """Return where a variable lies."""
        return self.ranges.get(variable) or ranges.of_leaf(variable)

    def results(self, outputs: Sequence[Variable], inputs: Sequence[Variable]) -> list[Any]:
        """Return the outputs and the flag."""
        for node in toposort(outputs, inputs):
            self._add(node)
        made = [self.table.get(v, v) for v in outputs]
        left_out = {v for value in self.values for v in self._implied(value.owner)}
        looked_at = (value for value in self.values if value not in left_out)
        self.order = {value: k for k, value in enumerate(looked_at)}
        readers = self._readers(made)
        for value, reader in readers.items():
            self.values[reader].append(value)
        flags = [self._all(value) for value in self.values if value not in readers]
        flags += self.flags
        total = _conjunction(flags)
        return [*made, np.array(True) if total is None else total]

    def _add(self, node: Apply) -> None:
        for value in node.inputs:
            if isinstance(value, Constant) and is_checked(value):
                if not (np.abs(value.data) <= np.float64(self.largest)).all():
                    self.flags.append(_variable(np.array(False)))
        inputs = [self.table.get(v, v) for v in node.inputs]
        op = node.op
        if isinstance(op, Loop):
            made, output_ranges = self._loop(op, inputs)
        elif isinstance(op, Branch):
            made, output_ranges = self._branch(op, inputs)
        else:
            same = all(a is b for a, b in zip(inputs, node.inputs, strict=True))
            made = node.outputs if same else node.clone_with_new_inputs(inputs).outputs
            output_ranges = [ranges.of_result(node, [self.range_of(v) for v in inputs])]
        for v, range_ in itertools.zip_longest(made, output_ranges):
            self.look_at(v, range_)
        self.table.update(zip(node.outputs, made, strict=True))

    def _body(self, body: Body, input_ranges: Sequence[Range]) -> tuple[list[Any], list[Range]]:
        """Return the outputs of a body and its flag, and where the outputs lie.

        What its inputs hold has been looked at outside.
        """
        inner = _Guarded(self.largest)
        inner.ranges.update(zip(body.inputs, input_ranges, strict=True))
        results = inner.results(body.outputs, body.inputs)
        return results, [inner.range_of(v) for v in results[:-1]]

    def _loop(self, loop: Loop, inputs: Sequence[Variable]) -> tuple[list[Any], list[Range]]:
        """Return what a loop computes, and where that lies."""
        count = len(loop.states)
        inner, outer = loop.inner, loop.by_role(inputs, None)
        same = zip(inner.sequences + inner.fixed, outer.sequences + outer.fixed, strict=True)
        input_ranges: dict[Any, Range] = {v: self.range_of(w) for v, w in same}
        starts = [[self.range_of(v)] if v is not None else [] for v in outer.states]
        for taps, start, new in zip(inner.states, starts, loop.new_values, strict=True):
            # Later values are looked at in the steps that compute them.
            bounded = is_checked(new) and None not in start
            most = self._most(new.type.dtype) if bounded else 0.0
            input_ranges.update(dict.fromkeys(taps, (-most, most) if bounded else None))
        results, output_ranges = self._body(loop.body, [input_ranges[v] for v in loop.body.inputs])
        outputs = [*results[:count], _variable(results[-1]), *results[count:-1]]
        op = loop.replaced(Body(loop.body.inputs, outputs), states=[*loop.states, State(())])
        made = op.make_node(*inputs).outputs
        self.flags.append(reduce("all", made[count]))
        rows = [
            ranges.hull([*start, new]) for start, new in zip(starts, output_ranges, strict=False)
        ]
        return [*made[:count], *made[count + 1 :]], rows

    def _branch(self, branch: Branch, inputs: Sequence[Variable]) -> tuple[list[Any], list[Range]]:
        """Return what a branch computes, and where that lies."""
        input_ranges = [self.range_of(v) for v in inputs[1:]]
        bodies, output_ranges = [], []
        for body in (branch.then, branch.otherwise):
            (*results, flag), ranges_ = self._body(body, input_ranges)
            bodies.append(Body(body.inputs, [*results, _variable(flag)]))
            output_ranges.append(ranges_)
        then, otherwise = bodies
        *made, flag = Branch(then, otherwise, branch.label).make_node(*inputs).outputs
        self.flags.append(flag)
        return made, [ranges.hull(pair) for pair in zip(*output_ranges, strict=True)]

    def _implied(self, node: Apply | None) -> Sequence[Variable]:
        """Return inputs of a node that are in the range if its output is."""
        if node is None:
            return ()
        if isinstance(node.op, Elementwise) and node.op.name == "sqr":
            return node.inputs
        total = isinstance(node.op, Elementwise) and node.op.name == "add"
        if total or (isinstance(node.op, Reduction) and node.op.kind == "sum"):
            return node.inputs if all(map(self._is_positive, node.inputs)) else ()
        return ()

    def _is_positive(self, variable: Variable) -> bool:
        range_ = self.range_of(variable)
        return (range_ is not None and range_[0] >= 0) or made_by(variable, sqrt) is not None

    def _readers(self, outputs: Sequence[Variable]) -> dict[Any, Any]:
        """Return, for what is read by elementwise operations of its shape only, one of these.

        One loop computes them, and looks at all at once: what it needs for that is at hand.
        """
        reader_of: dict[Any, Any] = {}
        elsewhere: set[Any] = set()
        for node in toposort(outputs, [v for v in self.values if v.owner is None]):
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
        checked.sort(key=self.order.__getitem__)
        if checked and value not in self.order and dtypes.is_continuous(value.type.dtype):
            # It is good, but so the flag is made in the loop that makes it.
            checked.append(value)
        flag = _conjunction(map(self._good, checked))
        return flag if flag is None or not flag.type.ndim else reduce("all", flag)

    def _good(self, value: Variable) -> Any:
        """Return for each item whether it is in the range."""
        if dtypes.is_complex(value.type.dtype):
            if not np.isfinite(self.largest):
                return and_(self._good(real(value)), self._good(imag(value)))
            value = abs_(value)
        # One constant for all: it is made when everything has been rewritten.
        type_ = TensorType(value.type.dtype, (True,) * value.type.ndim)
        if type_ not in self.limits:
            limit = np.full((1,) * type_.ndim, self._most(type_.dtype), type_.dtype)
            self.limits[type_] = type_.constant_class(type_, limit)
        return le(abs_(value), self.limits[type_])


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
