"""What the cases share: timing, and printing figures for `run.py`."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
import time
from collections.abc import Callable


def best_time(call: Callable[[], object], seconds: float = 0.3) -> float:
    """Return the seconds of one call: the median of batches that fill `seconds`."""
    call()
    count, spent = 1, 0.0
    while spent < 0.005:
        count *= 2
        spent = batch(call, count)
    times = []
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline or len(times) < 3:
        times.append(batch(call, count) / count)
    return sorted(times)[len(times) // 2]


def batch(call: Callable[[], object], count: int) -> float:
    """Return the seconds that `count` calls take."""
    steps = range(count)
    start = time.perf_counter()
    for _ in steps:
        call()
    return time.perf_counter() - start


def report(framework: str, figures: dict[str, tuple[float, str]]) -> None:
    """Print figures, as (value, unit) by name, for `run.py` to read."""
    module = sys.modules.get(framework.split()[0])
    print(
        json.dumps(
            {
                "version": getattr(module, "__version__", ""),
                "figures": {name: value for name, (value, _) in figures.items()},
                "units": {name: unit for name, (_, unit) in figures.items()},
            }
        )
    )


def main(cases: dict[str, Callable[[], dict[str, tuple[float, str]]]]) -> None:
    """Run the framework named on the command line; exit with 3 if it is absent."""
    framework = sys.argv[1]
    if framework == "c":
        if shutil.which("cc") is None:
            print("no C compiler")
            sys.exit(3)
    else:
        try:
            importlib.import_module(framework.split()[0])
        except ImportError as error:
            print(error)
            sys.exit(3)
    if framework == "jax":
        sys.modules["jax"].config.update("jax_enable_x64", True)
    report(framework, cases[framework]())


Figures = dict[str, tuple[float, str]]
__all__ = ["Figures", "batch", "best_time", "main", "report"]
