"""Lengths, offsets, steps, positions and counts at the ends of int64, against NumPy.

    python tests/fuzz/fuzz_lengths.py FIRST LAST

tries the seeds from FIRST to LAST - 1. Each runs in a process of little memory: where NumPy has no
memory for an array, a function must not have it either, and what crashes or hangs is a finding.
"""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from length_cases import CASES, ROOM, VALUES, Endless, wide

import theano
import theano.tensor as T

# What Python or NumPy raise where a number does not fit.
ERRORS = (ValueError, MemoryError, IndexError, ArithmeticError, TypeError, AssertionError)
# Seconds that a try may take.
PATIENCE = 20


class Try(NamedTuple):
    """A case, its arguments, and whether they are constants of the graph."""

    name: str
    values: tuple[Any, ...]
    dtype: str | None

    def __str__(self) -> str:
        how = "as constants" if self.dtype is None else f"as {self.dtype}"
        return f"{self.name}{self.values} {how}"


def make(seed: int) -> Try:
    """Return the try of a seed."""
    rng = np.random.default_rng(seed)
    names = list(CASES)
    name = names[seed % len(names)]
    values: list[Any] = []
    for kind in CASES[name].kinds:
        value = VALUES[rng.integers(len(VALUES))]
        if rng.random() < 0.4:
            value = VALUES[rng.integers(8)]
        if kind in "pw":
            value = max(value, -value - 1)
        if kind == "i":
            value = int(rng.integers(-3, 4))
        values.append(float(value) if kind == "f" else value)
        if kind == "f" and rng.random() < 0.2:
            values[-1] = [np.nan, np.inf, -np.inf, 1e300, 0.1, 1e-300][rng.integers(6)]
    dtype: str | None = "float64" if "f" in CASES[name].kinds else "int64"
    if rng.random() < 0.3:
        dtype = None
    elif dtype == "int64" and min(values) >= 0 and rng.random() < 0.3:
        dtype = "uint64" if CASES[name].unsigned else dtype
    return Try(name, tuple(values), dtype)


def found(call: Callable[[], Any]) -> list[np.ndarray] | str:
    """Return the results of a call, or its error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = call()
    except ERRORS as error:
        return f"{type(error).__name__}: {error}"
    result = result if isinstance(result, (list, tuple)) else [result]
    return [np.asarray(r) for r in result]


def arguments(one: Try) -> list[Any]:
    """Return the arguments of a try: numbers, and arrays of wide ones."""
    kinds = CASES[one.name].kinds
    return [wide(v) if k == "w" else v for k, v in zip(kinds, one.values, strict=True)]


def native(one: Try, mode: Any) -> list[np.ndarray] | str:
    """Return what a function compiled in a mode makes of a try."""

    def call() -> Any:
        inputs: dict[Any, np.ndarray] = {}
        operands = []
        for value in arguments(one):
            if isinstance(value, np.ndarray):
                operands.append(T.bvector())
                inputs[operands[-1]] = value
            elif one.dtype is None:
                operands.append(value)
            else:
                operands.append(T.scalar(dtype=one.dtype))
                inputs[operands[-1]] = np.asarray(value, one.dtype)
        outputs = CASES[one.name].ours(*operands)
        outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
        f = theano.function(list(inputs), outputs, mode=mode, on_unused_input="ignore")
        return f(*inputs.values())

    return found(call)


MODES = {
    "native": "FAST_RUN",
    "as written": theano.Mode("llvm", None),
    "reference": theano.Mode("py", None),
}


def difference(one: Try) -> str | None:
    """Return what is wrong with a try, or None."""
    try:
        wanted = found(lambda: CASES[one.name].numpys(*arguments(one)))
    except Endless:
        return None
    for name, mode in MODES.items():
        got = native(one, mode)
        if isinstance(got, str) and (isinstance(wanted, str) or no_room(one, got)):
            continue
        if isinstance(wanted, str) or isinstance(got, str) or not same(got, wanted):
            return f"{one}: {name}: {short(got)}; NumPy: {short(wanted)}"
    return None


def no_room(one: Try, error: str) -> bool:
    """Tell whether an error is that of an array which another way to compute does without."""
    case = CASES[one.name]
    return (case.lazy or "w" in case.kinds) and ("Memory" in error or "too big" in error)


def same(one: list[np.ndarray], two: list[np.ndarray]) -> bool:
    return len(one) == len(two) and all(
        a.shape == b.shape and (not a.size or np.allclose(a, b, rtol=1e-14, atol=0, equal_nan=True))
        for a, b in zip(one, two, strict=True)
    )


def short(result: list[np.ndarray] | str) -> str:
    if isinstance(result, str):
        return result[:150]
    return ", ".join(f"{r.shape} {r.ravel()[:6].tolist()}" for r in result)


def child(first: int, last: int) -> None:
    """Try seeds and print what happens: a line of JSON before and after each."""
    have = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (have + 2 * ROOM, have + 2 * ROOM))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for seed in range(first, last):
        print(json.dumps([seed]), flush=True)
        signal.alarm(PATIENCE)
        text = difference(make(seed))
        signal.alarm(0)
        print(json.dumps([seed, text]), flush=True)


def command(first: int, last: int) -> list[str]:
    """Return the command that tries seeds in a process of their own."""
    return [sys.executable, __file__, "--child", str(first), str(last)]


def problems(first: int, last: int) -> Iterator[str]:
    """Yield what is wrong with the tries of some seeds."""
    while first < last:
        run = subprocess.run(command(first, last), capture_output=True, text=True, check=False)
        for line in run.stdout.splitlines():
            first, *text = json.loads(line)
            if text and text[0]:
                yield f"seed {first}: {text[0]}"
        if run.returncode:
            yield f"seed {first}: {make(first)}: ended by {run.returncode}: {run.stderr[-300:]}"
        first += 1


if __name__ == "__main__":
    if sys.argv[1] == "--child":
        child(int(sys.argv[2]), int(sys.argv[3]))
    else:
        for problem in problems(int(sys.argv[1]), int(sys.argv[2])):
            print(problem, flush=True)
