"""Profiles as data: by lines of the user's, and for programs that draw them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from theano._core.ir.source import SourceLine
from theano._core.ir.variable import Apply
from theano._core.ops.core.op import Op

SPEEDSCOPE = "https://www.speedscope.app/file-format-schema.json"


class Timed(NamedTuple):
    """A program whose calls are timed, the nodes of its steps, and what made it."""

    program: Any
    steps: Sequence[Sequence[Apply]]
    maker: Any

    def step_times(self) -> Iterator[StepTime]:
        """Yield each step that ran, in their order."""
        for nodes, entry in zip(self.steps, self.program.timings[2:], strict=False):
            if entry[1]:
                yield StepTime(nodes, entry[0] * 1e-9, *entry[1:])


class StepTime(NamedTuple):
    """What calls took in one step.

    Attributes
    ----------
    nodes : sequence of Apply
    seconds : float
    calls : int
    bytes, operations : int
        What was read and written; about how many operations on numbers, 0: not known.
    """

    nodes: Sequence[Apply]
    seconds: float
    calls: int
    bytes: int = 0
    operations: int = 0


def label(nodes: Sequence[Apply]) -> str:
    """Return what a step is called: its last operation, the others, and the line of the last."""
    *before, last = (str(node.op) for node in nodes)
    line = nodes[-1].source
    made = f" ({os.path.basename(line.file)}:{line.line})" if line else ""
    return f"{last} with {', '.join(before)}{made}" if before else last + made


def lines_of(steps: Sequence[StepTime]) -> list[tuple[tuple[str, int], float]]:
    """Return ((file, line), seconds) of each line that made operations, the longest first."""
    sums: dict[tuple[str, int], float] = {}
    for step in steps:
        costs = [_cost(node.op) for node in step.nodes]
        for node, cost in zip(step.nodes, costs, strict=True):
            if node.source is not None:
                line = node.source.file, node.source.line
                sums[line] = sums.get(line, 0) + step.seconds * cost / sum(costs)
    return sorted(sums.items(), key=lambda entry: -entry[1])


def _cost(op: Op) -> int:
    cost = getattr(op, "cost", 1)
    return max(1, cost) if isinstance(cost, int) else 1


def as_data(facts: Mapping[str, object], steps: Sequence[StepTime]) -> dict[str, Any]:
    """Return facts of a profile with its steps and lines, as data that JSON holds."""
    return {
        **facts,
        "steps": [
            {
                "label": label(step.nodes),
                "operations": [str(node.op) for node in step.nodes],
                "lines": sorted({_place(node.source) for node in step.nodes if node.source}),
                "seconds": step.seconds,
                "calls": step.calls,
                "bytes": step.bytes,
                "arithmetic": step.operations,
            }
            for step in steps
        ],
        "lines": [
            {"file": file, "line": number, "seconds": seconds}
            for (file, number), seconds in lines_of(steps)
        ],
    }


def _place(source: SourceLine) -> str:
    return f"{source.file}:{source.line}"


def _average_call(
    message: str, functions: Iterable[Timed]
) -> Iterator[tuple[str, StepTime, float, float]]:
    """Yield (function, step, start, seconds) of a call in which each step takes its mean."""
    start = 0.0
    for timed in functions:
        for step in timed.step_times():
            seconds = step.seconds / step.calls
            yield getattr(timed.maker, "name", message), step, start, seconds
            start += seconds


def as_speedscope(message: str, functions: Iterable[Timed]) -> dict[str, Any]:
    """Return an average call in the format of speedscope: the function, then each step of it."""
    frames: list[dict[str, Any]] = []
    places: dict[Any, int] = {}

    def frame(name: str, source: SourceLine | None = None) -> int:
        key = name, source and _place(source)
        if key not in places:
            places[key] = len(frames)
            place = {"file": source.file, "line": source.line} if source else {}
            frames.append({"name": name, **place})
        return places[key]

    samples, weights = [], []
    for function, step, _, seconds in _average_call(message, functions):
        samples.append([frame(function), frame(label(step.nodes), step.nodes[-1].source)])
        weights.append(seconds)
    return {
        "$schema": SPEEDSCOPE,
        "name": message,
        "exporter": "theano",
        "shared": {"frames": frames},
        "profiles": [
            {
                "type": "sampled",
                "name": f"an average call of {message}",
                "unit": "seconds",
                "startValue": 0,
                "endValue": sum(weights),
                "samples": samples,
                "weights": weights,
            }
        ],
    }


def as_chrome_trace(message: str, functions: Iterable[Timed]) -> dict[str, Any]:
    """Return an average call as trace events: complete events, in microseconds."""
    events: list[dict[str, Any]] = []
    ends: dict[str, tuple[float, float]] = {}
    for function, step, start, seconds in _average_call(message, functions):
        first, _ = ends.get(function, (start, start))
        ends[function] = first, start + seconds
        arguments: dict[str, Any] = {"calls": step.calls, "bytes": step.bytes // step.calls}
        if step.operations:
            arguments["operations"] = step.operations // step.calls
        source = step.nodes[-1].source
        if source is not None:
            arguments["line"] = _place(source)
        events.append(_event(label(step.nodes), "step", start, seconds, arguments))
    whole = [_event(name, "call", start, end - start, {}) for name, (start, end) in ends.items()]
    return {"traceEvents": [*whole, *events], "displayTimeUnit": "ns"}


def _event(
    name: str, kind: str, start: float, seconds: float, arguments: Mapping[str, object]
) -> dict[str, Any]:
    times = {"ts": start * 1e6, "dur": seconds * 1e6}
    return {"name": name, "cat": kind, "ph": "X", "pid": 1, "tid": 1, **times, "args": arguments}


def written(data: dict[str, Any], path: str | None) -> dict[str, Any]:
    """Return data, after writing it to a file as JSON if there is a path."""
    if path is not None:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(data, file, indent=1)
    return data
