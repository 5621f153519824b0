"""Profiles: where compiling and calling functions spends its time.

The runtime adds up the time of calls and of their steps: a step is a fused loop, or one operation
that is none. `ProfileStats` reads these sums when it is asked; `profile_export.py` writes them for
other programs.
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
from theano._core.compile import profile_export
from theano._core.compile.profile_export import Peak, StepTime, Timed
from theano._core.ir import hooks

_started = time.perf_counter()
PRINTED_AT_EXIT: list[ProfileStats] = []


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
        self._timed: list[Timed] = []
        vars(self).update(facts)
        if atexit_print:
            PRINTED_AT_EXIT.append(self)

    def __repr__(self) -> str:
        calls, seconds = self.fct_callcount, self.fct_call_time
        return f"<profile of {self.message or 'functions'}: {calls} calls, {seconds:.3g} s>"

    def _repr_html_(self) -> str:
        from html import escape

        lines = self._lines(config.profiling.n_ops, config.profiling.n_apply)
        return f"<pre>{escape(chr(10).join(lines))}</pre>"

    def add(self, program: object, text: object, maker: object = None) -> None:
        """Count what calls of a program take from now on; `text` is its `ProgramText`."""
        self._timed.append(Timed(program, text, maker))

    def _total(self, part: int, what: int) -> int:
        return sum(timed.program.timings[part][what] for timed in self._timed)

    @property
    def fct_callcount(self) -> int:
        return self._total(0, 1)

    @property
    def fct_call_time(self) -> float:
        return self._total(0, 0) * 1e-9

    @property
    def vm_call_time(self) -> float:
        return self._total(profile_export.CODE, 0) * 1e-9

    @property
    def fct_compile_time(self) -> float:
        """Seconds within calls for kernels that were compiled when they were first needed."""
        return self._total(profile_export.COMPILING, 0) * 1e-9

    def peak(self) -> Peak | None:
        """Return when the buffers of a call were largest, and what they held.

        Returns
        -------
        Peak or None
            Its bytes, the step that ran, and the bytes of each buffer with the step that it was
            allocated for. None if no call allocated anything.
        """
        peaks = [peak for timed in self._timed if (peak := timed.peak()) is not None]
        return max(peaks, key=lambda peak: peak.bytes, default=None)

    def step_times(self) -> list[StepTime]:
        """Return each step that ran, the longest first.

        Returns
        -------
        list of StepTime
            Operations, seconds, calls, bytes read and written, about how many operations on
            numbers (0 where that is not known), seconds of other threads and of waiting for them,
            and of a loop the steps of its body. Kernels that a call compiled are not in the times.
        """
        steps = [step for timed in self._timed for step in timed.step_times()]
        return sorted(steps, key=lambda step: -step.seconds)

    def steps_of(self, program: object) -> dict[int, StepTime]:
        """Return what each step took of one program that ran, by its number."""
        mine = (timed for timed in self._timed if timed.program is program)
        return {number: step for timed in mine for number, step in timed.numbered()}

    def steps(self) -> list[tuple[Sequence[Any], float, int]]:
        """Return (operations, seconds, calls) of each step that ran, the longest first."""
        return [(step.nodes, step.seconds, step.calls) for step in self.step_times()]

    def lines(self) -> list[tuple[tuple[str, int], float]]:
        """Return ((file, line), seconds) of each line of the user's, the longest first.

        What several lines made that run as one loop is shared by the costs of the operations.
        """
        return profile_export.lines_of(self.step_times())

    def expressions(self) -> list[tuple[tuple[str, int, str], float]]:
        """Return ((file, line, text), seconds) of each expression of the user's, longest first.

        The text is that of the expression in its line, '' where Python does not tell it.
        """
        return profile_export.expressions_of(self.step_times())

    def json(self, path: str | None = None) -> dict[str, Any]:
        """Return everything as data that JSON holds, and write it to a file if there is a path."""
        facts = {
            "message": self.message,
            "calls": self.fct_callcount,
            "seconds": self.fct_call_time,
            "machine_code_seconds": self.vm_call_time,
            "kernel_compile_seconds": self.fct_compile_time,
            "peak": _peak_data(self.peak()),
            "compile_seconds": self.compile_time,
            "rewriting_seconds": self.optimizer_time,
            "lowering_seconds": self.linker_time,
            "nodes": self.nb_nodes,
        }
        return profile_export.written(profile_export.as_data(facts, self.step_times()), path)

    def speedscope(self, path: str | None = None) -> dict[str, Any]:
        """Return an average call for speedscope, https://speedscope.app; written as by `json`."""
        data = profile_export.as_speedscope(self.message, self._timed)
        return profile_export.written(data, path)

    def chrome_trace(self, path: str | None = None) -> dict[str, Any]:
        """Return an average call as an event trace, for Perfetto and Chrome; written as by `json`.

        Only sums of times are kept: steps stand in the order they run in, with their means.
        """
        data = profile_export.as_chrome_trace(self.message, self._timed)
        return profile_export.written(data, path)

    def html(self, outfile: str | None = None, open: bool = False) -> str:
        """Write the page of `f.show()` with the times; of several functions, the longest one's.

        Parameters
        ----------
        outfile : str, optional
            By default a file in the folder for temporary files.
        open : bool
            Whether to open it in a browser.

        Returns
        -------
        str
            The path of the page.

        Raises
        ------
        ValueError
            No function is profiled.
        """
        compiled = [timed for timed in self._timed if timed.maker is not None]
        if not compiled:
            raise ValueError(f"the profile {self.message!r} is that of no function so far")
        longest = max(compiled, key=lambda timed: timed.program.timings[0][0])
        return hooks.show(longest, outfile, None, open)

    @property
    def apply_time(self) -> dict[Any, float]:
        return {step.nodes[-1]: step.seconds for step in self.step_times()}

    @property
    def apply_callcount(self) -> dict[Any, int]:
        return {step.nodes[-1]: step.calls for step in self.step_times()}

    @property
    def apply_cimpl(self) -> dict[Any, bool]:
        return {step.nodes[-1]: True for step in self.step_times()}

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
        lines = ["Function profiling", "==================", f"  Message: {self.message}"]
        lines.append(f"  Time in {calls} calls to Function.__call__: {seconds:e}s")
        if calls:
            inside = self.vm_call_time
            lines.append(f"  Time in machine code: {inside:e}s ({_percent(inside, seconds)})")
            lines.append(f"  Time of a call: {seconds / calls:e}s")
            if self.fct_compile_time:
                lines.append(f"  Kernels compiled at first need: {self.fct_compile_time:e}s")
            lines += _peak_lines(self.peak())
        lines.append(f"  Total compile time: {self.compile_time:e}s")
        lines.append(f"    Number of Apply nodes: {self.nb_nodes}")
        lines.append(f"    Rewriting: {self.optimizer_time:e}s")
        lines.append(f"    Lowering, machine code: {self.linker_time:e}s")
        steps = self.step_times()
        total = sum(step.seconds for step in steps)
        by_op = sorted(self.op_time().items(), key=lambda entry: -entry[1])
        lines += _table("Ops", "op", [(s, [], str(op)) for op, s in by_op], total, most_ops)
        lines += _table("Lines", "line that wrote it", _places(self.lines()), total, most_ops)
        parts = _places(self.expressions())
        lines += _table("Expressions", "as they were written", parts, total, most_ops)
        columns = ["calls", "GB/s", "GFLOP/s", "threads", "waiting"]
        rows = [(step.seconds, _rates(step), profile_export.label(step.nodes)) for step in steps]
        lines += _table("Steps", "operations of one step", rows, total, most_steps, columns)
        within = [
            (step.seconds, _rates(step)[:3], profile_export.label(step.nodes))
            for loop in steps
            for step, _ in profile_export.all_steps(loop.inside)
        ]
        within.sort(key=lambda row: -row[0])
        title = "Steps within loops, from one of 16"
        lines += _table(title, "operations of one step", within, total, most_steps, columns[:3])
        return [*lines, ""]


def _places(entries: Sequence[Any]) -> list[tuple[float, list[str], str]]:
    """Return rows of a table of what lines and expressions took."""
    rows: list[tuple[float, list[str], str]] = []
    for (file, number, *text), seconds in entries:
        place = f"{os.path.basename(file)}:{number}"
        rows.append((seconds, [], f"{text[0]} ({place})" if text and text[0] else place))
    return rows


def _peak_lines(peak: Peak | None) -> list[str]:
    """Return lines that tell what held memory when most was held."""
    if peak is None:
        return []
    lines = [
        f"  Memory of a call, at most: {peak.bytes} bytes, in step "
        f"{profile_export.label(peak.step)}"
    ]
    lines += [f"    {size} bytes: {profile_export.label(step)}" for size, step in peak.held[:3]]
    if len(peak.held) > 3:
        rest = sum(size for size, _ in peak.held[3:])
        lines.append(f"    {rest} bytes: {len(peak.held) - 3} more buffers")
    return lines


def _peak_data(peak: Peak | None) -> dict[str, Any] | None:
    """Return what is known of the most memory, as data that JSON holds."""
    if peak is None:
        return None
    held = [{"bytes": size, "label": profile_export.label(step)} for size, step in peak.held]
    return {"bytes": peak.bytes, "step": profile_export.label(peak.step), "held": held}


def _rates(step: StepTime) -> list[str]:
    """Return how often a step ran, how fast it moved and computed numbers, and its threads."""
    rates = (step.bytes, step.operations)
    nanoseconds = step.seconds * 1e9
    texts = [f"{rate / nanoseconds:.3g}" if rate and nanoseconds else "" for rate in rates]
    shared = [f"{step.threads:.2f}", _percent(step.waiting, step.seconds)] if step.helping else []
    return [str(step.calls), *texts, *(shared or ["1", ""])]


def _table(
    title: str,
    what: str,
    rows: Sequence[tuple[float, Sequence[str], str]],
    total: float,
    most: int,
    columns: Sequence[str] = (),
) -> list[str]:
    """Return a table of (seconds, texts of the columns, label)."""
    if not rows:
        return []
    head = "".join(f" {name:>8}" for name in columns)
    lines = ["", title, "-" * len(title), f"  {'time':>6} {'seconds':>10}{head}  {what}"]
    for seconds, texts, label in rows[:most]:
        middle = "".join(f" {text:>8}" for text in texts)
        lines.append(f"  {_percent(seconds, total):>6} {seconds:10.3e}{middle}  {label}")
    rest = rows[most:]
    if rest:
        left = sum(seconds for seconds, _, _ in rest)
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
    every = ProfileStats(atexit_print=False, message=f"Sum of all {len(PRINTED_AT_EXIT)} profiles")
    for profile in PRINTED_AT_EXIT:
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
    for profile in PRINTED_AT_EXIT:
        if profile.fct_callcount:
            profile.summary()
    if len(PRINTED_AT_EXIT) > 1:
        _all_profiles().summary()


atexit.register(_print_at_exit)
