"""Whole programs, each checked against NumPy: time of a call, seconds of compiling, memory.

Compiling is counted in seconds of the processor, from the program's description to the end of the
first call, with empty caches; torch's is not told, since its compiler works in other processes. It
runs a program compiled where that works and is faster, else eagerly. Memory is the most that a call
adds to what the process has between calls; JAX's is not told, which keeps what it once had.

    python benchmarks/run.py --only programs --rows 'Cholesky|softmax'
"""

from __future__ import annotations

import ctypes
import gc
import os
import re
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import program_arrays  # noqa: F401
import program_loops  # noqa: F401
import program_models  # noqa: F401
from figures import Figures, best_time, main
from frameworks import FRAMEWORKS, WithNumPy
from program_table import PROGRAMS, Program

ROWS = os.environ.get("THEANO_BENCHMARK_ROWS", "")


# -- what the results must be ----------------------------------------------------------------------


def expected(program: Program, arrays: list[np.ndarray]) -> list[Any]:
    """Return what NumPy computes, as someone writes it."""
    arrays = [a.copy() for a in arrays]
    if program.by_hand is None:
        found = program.build(WithNumPy(), *arrays)
        return list(found) if isinstance(found, (list, tuple)) else [found]
    before = [arrays[i].copy() for i in program.wrt]
    found = program.by_hand(*arrays)
    if not program.rate:
        return found
    return [found, *moved(program, before, [arrays[i] for i in program.wrt])]


def moved(program: Program, before: list[Any], after: list[Any]) -> list[Any]:
    """Return the gradients that have changed states."""
    return [(old - np.asarray(new)) / program.rate for old, new in zip(before, after, strict=True)]


def slope(program: Program, arrays: list[np.ndarray], ways: list[np.ndarray]) -> float:
    """Return the derivative along a direction, by differences of what NumPy computes."""
    ends = []
    for sign in (-1, 1):
        there = [a.copy() for a in arrays]
        for i, way in zip(program.wrt, ways, strict=True):
            there[i] = there[i] + sign * 1e-6 * way
        ends.append(float(program.build(WithNumPy(), *there)))
    return (ends[1] - ends[0]) / 2e-6


def check(program: Program, arrays: list[np.ndarray], results: list[Any]) -> None:
    """Refuse results that are not NumPy's but for rounding."""
    close = 2e-3 if any(a.dtype == "float32" for a in arrays) else 1e-7
    right = expected(program, arrays)
    if len(right) < len(results):
        state = np.random.RandomState(1)
        ways = [state.randn(*arrays[i].shape) for i in program.wrt]
        along = sum((np.asarray(g) * way).sum() for g, way in zip(results[1:], ways, strict=True))
        np.testing.assert_allclose(along, slope(program, arrays, ways), rtol=1e-4, atol=1e-6)
    for got, wanted in zip(results, right, strict=False):
        got, wanted = np.asarray(got), np.asarray(wanted)
        assert got.shape == wanted.shape, (program.name, got.shape, wanted.shape)
        largest = max(float(np.abs(wanted).max(initial=0)), 1e-30)
        np.testing.assert_allclose(got, wanted, rtol=close, atol=close * largest)


# -- what is run -----------------------------------------------------------------------------------


def made(words: Any, program: Program, arrays: list[np.ndarray]) -> tuple[Callable[[], Any], Any]:
    """Return what runs a program, and what returns its states, if it has some."""
    if isinstance(words, WithNumPy):
        mine = [a.copy() for a in arrays]
        if program.by_hand is None:
            return words.function(program.build, mine), None
        return (lambda: program.by_hand(*mine)), lambda: [mine[i] for i in program.wrt]
    if program.rate:
        return words.train(program.build, arrays, program.wrt, program.rate)
    if program.derivative != "gradient":
        return words.second(program.derivative, program.build, arrays, program.wrt[0]), None
    if program.wrt:
        return words.gradient(program.build, arrays, program.wrt), None
    return words.function(program.build, arrays), None


def first_call(
    words: Any, program: Program, arrays: list[np.ndarray]
) -> tuple[Callable[[], Any], float]:
    """Return what runs a program, once its results are right, and what its first call took.

    That is seconds of the processor from the expression to its results.
    """
    start = spent()
    call, states = made(words, program, arrays)
    results = call()
    seconds = spent() - start
    if program.rate:
        results = [results, *moved(program, [arrays[i] for i in program.wrt], states())]
    elif not isinstance(results, (list, tuple)):
        results = [results]
    check(program, arrays, results)
    return call, seconds


def runnable(
    words: Any, program: Program, arrays: list[np.ndarray]
) -> tuple[Callable[[], Any], float]:
    """Return what `first_call` does; of torch the faster one of two ways."""
    if not hasattr(words, "compiled"):
        return first_call(words, program, arrays)
    words.compiled = False
    calls = [first_call(words, program, arrays)]
    if not program.loops:
        words.compiled = True
        with suppress(Exception):
            calls.append(first_call(words, program, arrays))
    return min(calls, key=lambda one: best_time(one[0], 0.05))


# -- what is measured ------------------------------------------------------------------------------


def spent() -> float:
    """Return the seconds of the processor that this process and those it waited for have used."""
    others = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + others.ru_utime + others.ru_stime


def memory(which: str) -> float:
    """Return the megabytes of this process: 'VmRSS', those it has, or 'VmHWM', the most it had."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(which)), 0.0)


def settle() -> None:
    """Give back what is free, and forget the most memory there was."""
    gc.collect()
    if "theano" in sys.modules:
        from theano._core.runtime import native

        native.trim_pool()
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")


def figures_of(words: Any, framework: str, program: Program) -> Figures:
    """Return the figures of one program."""
    arrays = program.arrays(program.sizes)
    call, compiling = runnable(words, program, arrays)
    settle()
    had = memory("VmRSS")
    call()
    most = memory("VmHWM") - had
    found: Figures = {program.name: (1e3 * best_time(call, 0.3), "ms")}
    if framework in ("theano", "jax"):
        found[f"compiling: {program.name}"] = (compiling, "s")
    if framework != "jax":
        found[f"memory: {program.name}"] = (max(most, 0.0), "MB")
    return found


def case(framework: str) -> Figures:
    """Return the figures of all programs, or of those that `--rows` chose."""
    warnings.simplefilter("ignore")
    found: Figures = {}
    words = FRAMEWORKS[framework]()
    if framework == "torch":
        words.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    for name, program in PROGRAMS.items():
        by_numpy = program.by_hand or not program.wrt
        if re.search(ROWS, name) and (by_numpy or framework != "numpy"):
            # A framework that cannot run a program has no figure, and goes on with the others.
            try:
                found.update(figures_of(words, framework, program))
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
                print(framework, name, reason.strip()[:300], file=sys.stderr)
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as cache:
        os.environ["THEANO_FLAGS"] = f"base_compiledir={cache}"
        main({name: partial(case, name) for name in FRAMEWORKS})
