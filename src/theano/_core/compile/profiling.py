"""Profiles: where compiling and calling functions spends its time.

The runtime adds up the time of calls and of their steps: a step is a fused loop, or one operation
that is none. `ProfileStats` reads these sums when it is asked.
"""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from theano._core.base.settings import config
from theano._core.ir.variable import Apply

_started = time.perf_counter()
_printed_at_exit: list[ProfileStats] = []


class ProfileStats:
    """The times of one function, or of several.

    Parameters
    ----------
    atexit_print : bool
        Print a summary when Python ends, if `config.profile` is set.
    flag_time_thunks : bool, optional
        Whether the steps of calls are timed; by default `config.profiling.time_thunks`.
    message : str
        What is profiled.

    Attributes
    ----------
    compile_time, optimizer_time, linker_time : float
        Seconds of `theano.function`: all, for rewriting, for lowering and machine code.
    nb_nodes : int
        Operations after rewriting.
    fct_callcount, fct_call_time, vm_call_time
        How many calls there were, and the seconds of them: all, and in machine code.
    apply_time, apply_callcount, apply_cimpl : dict of Apply
        Seconds, calls, and whether it is native, of each step, by its last operation.
    """

    def __init__(
        self,
        atexit_print: bool = True,
        flag_time_thunks: bool | None = None,
        gpu_checks: bool = True,
        message: str = "",
        **facts: object,
    ) -> None:
        self.flag_time_thunks = (
            config.profiling.time_thunks if flag_time_thunks is None else flag_time_thunks
        )
        self.message = message
        self.compile_time = self.optimizer_time = self.linker_time = 0.0
        self.nb_nodes = 0
        self._timed: list[tuple[Any, Sequence[Sequence[Any]]]] = []
        vars(self).update(facts)
        if atexit_print:
            _printed_at_exit.append(self)

    def add(self, program: object, steps: Sequence[Sequence[Apply]]) -> None:
        """Count what calls of a program take from now on; `steps` are the nodes of each."""
        self._timed.append((program, steps))

    def _total(self, part: int, what: int) -> int:
        return sum(program.timings[part][what] for program, _ in self._timed)

    @property
    def fct_callcount(self) -> int:
        return self._total(0, 1)

    @property
    def fct_call_time(self) -> float:
        return self._total(0, 0) * 1e-9

    @property
    def vm_call_time(self) -> float:
        return self._total(1, 0) * 1e-9

    def steps(self) -> list[tuple[Sequence[Any], float, int]]:
        """Return (operations, seconds, calls) of each step that ran, the longest first."""
        found = [
            (nodes, nanoseconds * 1e-9, calls)
            for program, steps in self._timed
            for nodes, (nanoseconds, calls) in zip(steps, program.timings[2:], strict=False)
            if calls
        ]
        return sorted(found, key=lambda step: -step[1])

    @property
    def apply_time(self) -> dict[Any, float]:
        return {nodes[-1]: seconds for nodes, seconds, _ in self.steps()}

    @property
    def apply_callcount(self) -> dict[Any, int]:
        return {nodes[-1]: calls for nodes, _, calls in self.steps()}

    @property
    def apply_cimpl(self) -> dict[Any, bool]:
        return {nodes[-1]: True for nodes, _, _ in self.steps()}

    def _sums(self, key: Callable[[Any], Any], values: dict[Any, Any]) -> dict[Any, Any]:
        sums: Counter[Any] = Counter()
        for node, value in values.items():
            sums[key(node)] += value
        return dict(sums)

    def op_time(self) -> dict[Any, float]:
        """Return the seconds of steps by their last operation."""
        return self._sums(lambda node: node.op, self.apply_time)

    def op_callcount(self) -> dict[Any, int]:
        """Return the calls of steps by their last operation."""
        return self._sums(lambda node: node.op, self.apply_callcount)

    def class_time(self) -> dict[type, float]:
        """Return the seconds of steps by the class of their last operation."""
        return self._sums(lambda node: type(node.op), self.apply_time)

    def class_callcount(self) -> dict[type, int]:
        """Return the calls of steps by the class of their last operation."""
        return self._sums(lambda node: type(node.op), self.apply_callcount)

    def summary(
        self,
        file: TextIO | None = None,
        n_ops_to_print: int | None = None,
        n_apply_to_print: int | None = None,
    ) -> None:
        """Print the times.

        Parameters
        ----------
        file : file, optional
            Where to; by default `config.profiling.destination`.
        n_ops_to_print, n_apply_to_print : int, optional
            How many operations and steps to list; by default `config.profiling.n_ops` and
            `n_apply`.
        """
        if file is None:
            with _destination() as file:
                self.summary(file, n_ops_to_print, n_apply_to_print)
            return
        ops = config.profiling.n_ops if n_ops_to_print is None else n_ops_to_print
        steps = config.profiling.n_apply if n_apply_to_print is None else n_apply_to_print
        for line in self._lines(ops, steps):
            print(line[: config.profiling.output_line_width], file=file)

    def _lines(self, most_ops: int, most_steps: int) -> list[str]:
        calls, seconds = self.fct_callcount, self.fct_call_time
        lines = ["Function profile", "==================", f"  Message: {self.message}"]
        lines.append(f"  Time in {calls} calls to Function.__call__: {seconds:e}s")
        if calls:
            inside = self.vm_call_time
            lines.append(f"  Time in machine code: {inside:e}s ({_percent(inside, seconds)})")
            lines.append(f"  Time of a call: {seconds / calls:e}s")
        lines.append(f"  Total compile time: {self.compile_time:e}s")
        lines.append(f"    Number of Apply nodes: {self.nb_nodes}")
        lines.append(f"    Rewriting: {self.optimizer_time:e}s")
        lines.append(f"    Lowering, machine code: {self.linker_time:e}s")
        found = self.steps()
        total = sum(seconds for _, seconds, _ in found)
        by_op = sorted(self.op_time().items(), key=lambda entry: -entry[1])
        lines += _table("Ops", "op", [(str(op), s, None) for op, s in by_op], total, most_ops)
        rows = [(_label(nodes), seconds, calls) for nodes, seconds, calls in found]
        lines += _table("Steps", "operations of one step", rows, total, most_steps)
        return [*lines, ""]


def _label(nodes: Sequence[Any]) -> str:
    *before, last = (str(node.op) for node in nodes)
    line = nodes[-1].source
    made = f" ({os.path.basename(line.file)}:{line.line})" if line else ""
    return f"{last} with {', '.join(before)}{made}" if before else last + made


def _table(
    title: str, what: str, rows: Sequence[tuple[str, float, int | None]], total: float, most: int
) -> list[str]:
    if not rows:
        return []
    lines = ["", title, "-" * len(title), f"  {'time':>6} {'seconds':>10} {'calls':>8}  {what}"]
    for label, seconds, calls in rows[:most]:
        count = "" if calls is None else calls
        lines.append(f"  {_percent(seconds, total):>6} {seconds:10.3e} {count:>8}  {label}")
    rest = rows[most:]
    if rest:
        left = sum(seconds for _, seconds, _ in rest)
        lines.append(f"  ... and {len(rest)} more, {_percent(left, total)}")
    return lines


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole if whole else 0:.1f}%"


def profile_of(profile: object, name: str) -> Any:
    """Return the `ProfileStats` that `theano.function` was asked for; None or False if none."""
    if profile is None and config.profile:
        profile = True
    if profile is None and config.print_global_stats:
        return ProfileStats(flag_time_thunks=False, message=name)
    if profile is True:
        profile = name
    return ProfileStats(message=profile) if isinstance(profile, str) else profile


@contextmanager
def _destination() -> Any:
    where = config.profiling.destination
    if where in ("stdout", "stderr"):
        yield getattr(sys, where)
    else:
        with open(where, "a") as file:
            yield file


def _all_profiles() -> ProfileStats:
    every = ProfileStats(atexit_print=False, message=f"Sum of all {len(_printed_at_exit)} profiles")
    for profile in _printed_at_exit:
        every.compile_time += profile.compile_time
        every.optimizer_time += profile.optimizer_time
        every.linker_time += profile.linker_time
        every.nb_nodes += profile.nb_nodes
        every._timed += profile._timed
    return every


def print_global_stats() -> None:
    """Print how much of the time since the import of Theano went into its functions."""
    every, passed = _all_profiles(), time.perf_counter() - _started
    inside, compiling = every.fct_call_time, every.compile_time
    with _destination() as file:
        print(f"Global stats: Time elapsed since Theano import = {passed:6.3f}s", file=file)
        print(
            f"Time spent in Theano functions = {inside:6.3f}s", _percent(inside, passed), file=file
        )
        print(f"Time compiling = {compiling:6.3f}s", _percent(compiling, passed), file=file)


def _print_at_exit() -> None:
    if config.print_global_stats:
        print_global_stats()
    if not config.profile:
        return
    for profile in _printed_at_exit:
        if profile.fct_callcount:
            profile.summary()
    if len(_printed_at_exit) > 1:
        _all_profiles().summary()


atexit.register(_print_at_exit)
