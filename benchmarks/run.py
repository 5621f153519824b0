"""Measure Theano against its peers, all in one run, on one thread each or on several.

    python benchmarks/run.py [--only call,step] [--rounds 15] [--threads 4] [--json results.json]
    python benchmarks/run.py --only programs --rows 'Cholesky|softmax'

It measures the copy of Theano that `make bench` has installed in `.venv/installed`.

Every case runs in one process of its own for each framework, several times, in turn: a round runs
all frameworks once before the next round starts, so that a slow spell of the machine meets them
all. A ratio is the median over rounds of (framework / NumPy or reference in the same round).
Frameworks that are not installed are reported as absent.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).resolve().parent
# Each case: the file, the frameworks in the order of the table; the first is what others divide by.
CASES = {
    "call": ["numpy", "theano", "pytensor", "jax", "torch"],
    "step": ["numpy", "theano", "pytensor", "jax", "torch"],
    "expression": ["numpy", "theano", "numexpr", "pytensor", "jax", "torch"],
    "reductions": ["numpy", "theano", "theano on 2 threads", "jax"],
    "loops": ["c", "theano", "pytensor", "jax"],
    "networks": ["jax", "theano", "pytensor", "torch"],
    "convolutions": ["torch", "theano", "jax"],
    "random_numbers": ["numpy", "theano", "theano 4x32", "jax", "torch"],
    "sparse_matrices": ["scipy", "theano", "pytensor", "jax", "torch"],
    "programs": ["numpy", "theano", "pytensor", "jax", "torch"],
    "startup": ["jax", "theano", "pytensor", "torch"],
    "compile": ["jax", "theano"],
}
# What is told apart from times of calls: a table of its own for each.
APART = {"compiling: ": "compiling, CPU", "memory: ": "memory of a call"}
# These measure a process from its start, in which some frameworks compile on all processors.
NOT_PINNED = {"startup", "compile"}
THREAD_SETTINGS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
# The editable install, if there is one, stands aside.
INSTALLED = {
    "MESONPY_EDITABLE_SKIP": str(HERE.parent / ".venv" / "build"),
    "PYTHONPATH": str(HERE.parent / ".venv" / "installed"),
}


# Not the first, which serves interrupts.
PROCESSOR = max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else -1


def settings(threads: int) -> dict[str, str]:
    """Return the environment in which frameworks use so many threads of the processor."""
    several = "true" if threads > 1 else "false"
    flags = f"--xla_cpu_multi_thread_eigen={several} intra_op_parallelism_threads={threads}"
    limits = dict.fromkeys(THREAD_SETTINGS, str(threads))
    return {**limits, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu", **INSTALLED}


def measure(case: str, framework: str, threads: int) -> dict[str, Any]:
    """Run one case for one framework in a fresh process; return its figures."""
    command = [sys.executable, str(HERE / f"{case}.py"), framework]
    # XLA's flags alone do not hold JAX to one thread.
    alone = threads == 1 and case not in NOT_PINNED and "threads" not in framework
    pin = partial(os.sched_setaffinity, 0, {PROCESSOR}) if alone and PROCESSOR >= 0 else None
    environ = {**os.environ, **settings(threads)}
    # Compiling the sources anew at each import is not what users see, and a setting that holds
    # OpenBLAS back would slow some frameworks and not others.
    for name in ("PYTHONDONTWRITEBYTECODE", "OPENBLAS_CORETYPE"):
        environ.pop(name, None)
    done = subprocess.run(
        command,
        env=environ,
        capture_output=True,
        text=True,
        preexec_fn=pin,
    )
    if done.returncode == 3:
        return {"absent": done.stdout.strip()}
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1:]}
    return json.loads(done.stdout.splitlines()[-1])


def run_case(case: str, rounds: int, threads: int) -> dict[str, Any]:
    """Return {framework: {figure: {median, ratio}}} for one case."""
    frameworks = CASES[case]
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in frameworks}
    for i in range(rounds):
        for name in frameworks:
            before = found[name][-1:]
            if before and ("absent" in before[0] or "failed" in before[0]):
                continue
            found[name].append(measure(case, name, threads))
            print(f"\r{case}: round {i + 1} of {rounds}, {name:10}", end="", file=sys.stderr)
    print(file=sys.stderr)
    return {name: summary(results, found[frameworks[0]]) for name, results in found.items()}


def summary(results: list[dict[str, Any]], reference: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the median of each figure, and of its ratio to the reference of the same round."""
    if not isinstance(results[0].get("figures"), dict):
        return results[0]
    out = {}
    for figure, unit in results[0]["units"].items():
        values = [result["figures"][figure] for result in results]
        base = [result["figures"].get(figure) for result in reference]
        ratios = [v / b for v, b in zip(values, base, strict=False) if b]
        out[figure] = {
            "median": median(values),
            "unit": unit,
            "ratio": median(ratios) if ratios else None,
            "spread": [min(values), max(values)],
        }
    return {"version": results[0]["version"], "figures": out}


def tables(case: str, results: dict[str, Any]) -> str:
    """Return Markdown tables: a row for each figure, a column for each framework that has one."""
    figures = dict.fromkeys(f for r in results.values() for f in r.get("figures", {}))
    kinds: dict[str, list[str]] = {}
    for figure in figures:
        kinds.setdefault(next((k for k in APART if figure.startswith(k)), ""), []).append(figure)
    return "\n\n".join(
        table(f"{case}, {APART[kind]}" if kind else case, kind, rows, results)
        for kind, rows in kinds.items()
    )


def table(head: str, kind: str, figures: list[str], results: dict[str, Any]) -> str:
    """Return one table; what all its rows begin with is left out."""
    names = [
        name
        for name, result in results.items()
        if "figures" not in result or result["figures"].keys() & set(figures)
    ]
    rows = [f"| {head} | " + " | ".join(names) + " |", "| --- |" + " ---: |" * len(names)]
    for figure in figures:
        cells = [cell(results[name], figure) for name in names]
        rows.append(f"| {figure[len(kind) :]} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def cell(result: dict[str, Any], figure: str) -> str:
    """Return one cell: the median, and how many times the reference it is."""
    if "figures" not in result:
        return "absent" if "absent" in result else f"failed: {result['failed']}"
    if figure not in result["figures"]:
        return ""
    entry = result["figures"][figure]
    ratio = "" if entry["ratio"] is None else f" ({entry['ratio']:.2f}×)"
    return f"{entry['median']:.3g} {entry['unit']}{ratio}"


def processor() -> str:
    """Return the name of the processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def main() -> None:
    """Run what was asked for, print Markdown, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(CASES), help="cases, joined by commas")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="threads of each framework")
    parser.add_argument("--rows", default="", help="of programs: a regular expression")
    parser.add_argument("--json", type=Path, default=HERE / "results.json")
    options = parser.parse_args()
    os.environ["THEANO_BENCHMARK_ROWS"] = options.rows
    many = "one thread" if options.threads == 1 else f"{options.threads} threads"
    print(f"{processor()}, Python {platform.python_version()}, {many}, ", end="")
    print(f"medians of {options.rounds} rounds, {time.strftime('%Y-%m-%d')}.\n")
    results = {}
    for case in options.only.split(","):
        results[case] = run_case(case, options.rounds, options.threads)
        print(tables(case, results[case]), "\n", flush=True)
    options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
