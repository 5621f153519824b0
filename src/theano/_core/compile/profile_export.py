"""Profiles as data: by lines of the user's, and for programs that draw them."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from theano._core.base.records import Record
from theano._core.ir.source import SourceLine
from theano._core.ir.variable import Apply
from theano._core.ops.core.op import Op

SPEEDSCOPE = "https://www.speedscope.app/file-format-schema.json"


# Timings of a program begin with those of calls, of machine code and of compiling: then come steps.
WHOLE, CODE, COMPILING, FIRST_STEP = range(4)


class Timed(Record):
    """A program whose calls are timed, its text (a `ProgramText`), and what made it."""

    program: Any
    text: Any
    maker: Any

    def step_times(self) -> Iterator[StepTime]:
        """Yield each step that ran, in their order."""
        return (step for _, step in self.numbered())

    def numbered(self) -> Iterator[tuple[int, StepTime]]:
        """Yield the number of each step that ran, and what it took."""
        timings = self.program.timings[FIRST_STEP:]
        inside: dict[int, list[int]] = {}
        for index, step in enumerate(self.text.inside, len(self.text.steps)):
            inside.setdefault(step.within, []).append(index)
        for index in range(len(self.text.steps)):
            if timings and timings[index][1]:
                yield index, self._step_time(index, timings, inside)

    def _step_time(self, number: int, timings: Any, inside: Mapping[int, list[int]]) -> StepTime:
        n_steps = len(self.text.steps)
        period, nodes = 1, self.text.steps[number] if number < n_steps else ()
        if number >= n_steps:
            _, nodes, period = self.text.inside[number - n_steps]
        nanoseconds, calls, nbytes, operations, helpers, waited = timings[number]
        within = [
            self._step_time(k, timings, inside) for k in inside.get(number, ()) if timings[k][1]
        ]
        seconds = nanoseconds * 1e-9 * period
        # What is sampled may come out longer than the whole.
        total = sum(step.seconds for step in within)
        within = [step.scaled(min(1, seconds / total)) for step in within if total]
        operations += sum(step.operations for step in within)
        times = (calls * period, nbytes, operations, helpers * 1e-9, waited * 1e-9)
        return StepTime(nodes, seconds, *times, tuple(sorted(within, key=lambda s: -s.seconds)))

    def peak(self) -> Peak | None:
        """Return when the buffers of a call were largest."""
        nbytes, ended, buffers = self.program.peak or (0, 0, ())
        if not nbytes:
            return None
        makers = self.text.makers_of_slots()
        held = [(size, self.text.steps[makers[slot]]) for slot, size in buffers if slot in makers]
        step = self.text.steps[min(ended + 1, len(self.text.steps) - 1)]
        return Peak(nbytes, step, sorted(held, key=lambda entry: -entry[0]))


class Peak(Record):
    """The moment at which the buffers of a call were largest.

    Attributes
    ----------
    bytes : int
        Of all buffers, results included; arguments and shared variables are not.
    step : sequence of Apply
        The step that ran.
    held : list of (int, sequence of Apply)
        The bytes of each buffer, and the step that it was allocated for, the largest first.
    """

    bytes: int
    step: Sequence[Apply]
    held: list[tuple[int, Sequence[Apply]]]


class StepTime(Record):
    """What calls took in one step.

    Attributes
    ----------
    nodes : sequence of Apply
    seconds : float
    calls : int
    bytes, operations : int
        What was read and written; about how many operations on numbers, 0: not known.
    helping, waiting : float
        Seconds that other threads worked, and that the calling one waited for them at the end.
    inside : tuple of StepTime
        Of a loop, the steps of its body: estimates from one of 16 steps of the loop.
    """

    nodes: Sequence[Apply]
    seconds: float
    calls: int
    bytes: int = 0
    operations: int = 0
    helping: float = 0.0
    waiting: float = 0.0
    inside: tuple[StepTime, ...] = ()

    @property
    def threads(self) -> float:
        """How many threads worked, on average."""
        working = self.seconds - self.waiting + self.helping
        return working / self.seconds if self.seconds else 1.0

    def scaled(self, factor: float) -> StepTime:
        """Return this with other times."""
        inside = tuple(step.scaled(factor) for step in self.inside)
        return self.replace(seconds=self.seconds * factor, inside=inside)


def all_steps(steps: Iterable[StepTime]) -> Iterator[tuple[StepTime, float]]:
    """Yield each step, those within loops too, with the seconds that are its own."""
    for step in steps:
        yield step, step.seconds - sum(inner.seconds for inner in step.inside)
        yield from all_steps(step.inside)


def label(nodes: Sequence[Apply]) -> str:
    """Return what a step is called: its last operation, the others, and the line of the last."""
    *before, last = (str(node.op) for node in nodes)
    line = nodes[-1].source
    made = f" ({os.path.basename(line.file)}:{line.line})" if line else ""
    return f"{last} with {', '.join(before)}{made}" if before else last + made


def lines_of(steps: Sequence[StepTime]) -> list[tuple[tuple[str, int], float]]:
    """Return ((file, line), seconds) of each line that made operations, the longest first."""
    sums: dict[tuple[str, int], float] = {}
    for source, seconds in _shares(steps):
        line = source.file, source.line
        sums[line] = sums.get(line, 0) + seconds
    return sorted(sums.items(), key=lambda entry: -entry[1])


def expressions_of(steps: Sequence[StepTime]) -> list[tuple[tuple[str, int, str], float]]:
    """Return ((file, line, text), seconds) of each expression of the user's, the longest first.

    Where Python does not tell which expression of a line it was, its text is ''.
    """
    sums: dict[SourceLine, float] = {}
    for source, seconds in _shares(steps):
        sums[source] = sums.get(source, 0) + seconds
    named: dict[tuple[str, int, str], float] = {}
    for source, seconds in sums.items():
        name = source.file, source.line, source.expression() or ""
        named[name] = named.get(name, 0) + seconds
    return sorted(named.items(), key=lambda entry: -entry[1])


def _shares(steps: Sequence[StepTime]) -> Iterator[tuple[SourceLine, float]]:
    """Yield what each operation took of its step, by its cost, with where it was written."""
    for step, seconds in all_steps(steps):
        costs = [_cost(node.op) for node in step.nodes]
        for node, cost in zip(step.nodes, costs, strict=True):
            if node.source is not None:
                yield node.source, seconds * cost / sum(costs)


def _cost(op: Op) -> int:
    cost = getattr(op, "cost", 1)
    return max(1, cost) if isinstance(cost, int) else 1


def as_data(facts: Mapping[str, object], steps: Sequence[StepTime]) -> dict[str, Any]:
    """Return facts of a profile with its steps and lines, as data that JSON holds."""
    return {
        **facts,
        "steps": [_step_data(step) for step in steps],
        "lines": [
            {"file": file, "line": number, "seconds": seconds}
            for (file, number), seconds in lines_of(steps)
        ],
        "expressions": [
            {"file": file, "line": number, "text": text, "seconds": seconds}
            for (file, number, text), seconds in expressions_of(steps)
        ],
    }


def _step_data(step: StepTime) -> dict[str, Any]:
    return {
        "label": label(step.nodes),
        "operations": [str(node.op) for node in step.nodes],
        "lines": sorted({_place(node.source) for node in step.nodes if node.source}),
        "seconds": step.seconds,
        "calls": step.calls,
        "bytes": step.bytes,
        "arithmetic": step.operations,
        "threads": step.threads,
        "waiting": step.waiting,
        "inside": [_step_data(inner) for inner in step.inside],
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

    def add(stack: list[int], step: StepTime, calls: int) -> None:
        stack = [*stack, frame(label(step.nodes), step.nodes[-1].source)]
        for inner in step.inside:
            add(stack, inner, calls)
        samples.append(stack)
        weights.append((step.seconds - sum(inner.seconds for inner in step.inside)) / calls)

    for function, step, _, _ in _average_call(message, functions):
        add([frame(function)], step, step.calls)
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
        _add_inside(events, step, start, step.calls)
    whole = [_event(name, "call", start, end - start, {}) for name, (start, end) in ends.items()]
    return {"traceEvents": [*whole, *events], "displayTimeUnit": "ns"}


def _add_inside(events: list[dict[str, Any]], step: StepTime, start: float, calls: int) -> None:
    """Add what the steps within a loop took in an average call, one after the other."""
    for inner in step.inside:
        seconds = inner.seconds / calls
        events.append(_event(label(inner.nodes), "inside", start, seconds, {"calls": inner.calls}))
        _add_inside(events, inner, start, calls)
        start += seconds


def _event(
    name: str, kind: str, start: float, seconds: float, arguments: Mapping[str, object]
) -> dict[str, Any]:
    first, end = start * 1e6, (start + seconds) * 1e6
    long = end - first
    # A viewer nests an event that begins before the one in front of it has ended.
    while first + long > end:
        long = math.nextafter(long, 0.0)
    times = {"ts": first, "dur": long}
    return {"name": name, "cat": kind, "ph": "X", "pid": 1, "tid": 1, **times, "args": arguments}


def written(data: dict[str, Any], path: str | None) -> dict[str, Any]:
    """Return data, after writing it to a file as JSON if there is a path."""
    if path is not None:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(data, file, indent=1)
    return data
