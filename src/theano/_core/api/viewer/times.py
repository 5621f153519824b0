"""Times and memory of a function's steps, for its page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from theano._core.api.debug.machine_limits import machine_limits
from theano._core.compile.profile_export import all_steps, label

if TYPE_CHECKING:
    from theano._core.compile.maker import FunctionMaker


def add_times(data: dict[str, Any], maker: FunctionMaker, program: Any) -> None:
    """Add what profiling found: of calls, and of each step."""
    profile = maker.profile
    if not profile or not profile.flag_time_thunks or not program.timings[0][1]:
        return
    whole = program.timings[0]
    for number, step in profile.steps_of(program).items():
        data["steps"][number] |= {
            "seconds": step.seconds,
            "calls_made": step.calls,
            "bytes": step.bytes,
            "operations": step.operations,
            "threads": step.threads if step.helping else 1,
            "waiting": step.waiting,
            "inside": [[label(one.nodes), own] for one, own in all_steps(step.inside)],
        }
    data["limits"] = machine_limits()
    data["profile"] = {"seconds": whole[0] * 1e-9, "calls": whole[1]}


def add_memory(data: dict[str, Any], function: Any, arguments: Sequence[object]) -> None:
    """Add the memory that a call with some arguments would take."""
    if not data["programs"]:
        return
    plan = function.memory_plan(*arguments)
    for nbytes, made, _, _ in plan.buffers:
        step = data["steps"][made]
        step["memory"] = step.get("memory", 0) + (nbytes or 0)
    data["memory"] = {
        "peak": plan.peak,
        "exact": plan.exact,
        "buffers": [list(buffer) for buffer in plan.buffers],
        "steps": plan.steps,
    }
