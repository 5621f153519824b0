"""Run the runtime's tests with AddressSanitizer and UndefinedBehaviorSanitizer built in.

    python tools/sanitize.py [--threads] [arguments of pytest]

With `--threads` it is ThreadSanitizer, and the tests of shared variables in several threads.

The C++ runtime is built once more, with the sanitizers, into a copy of the package's tree. Python
itself is not instrumented, so the sanitizer's library has to be loaded before it, and leaks cannot
be told from what Python keeps until it ends; the tests measure leaks themselves.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from build_tree import build_tree

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(sys.prefix) / "sanitize"
# pytest takes what a process prints, and a process that a sanitizer ends cannot give it back.
REPORT = BUILD / "report"
START = """
import sys
# An editable install would give the package without sanitizers.
sys.meta_path = [f for f in sys.meta_path if "editable" not in type(f).__module__]
sys.path.insert(0, {tree!r})
import theano._core.runtime.native as native
assert native.__file__.startswith({tree!r}), native.__file__
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""


class Sanitizer(NamedTuple):
    """What is built in, what is loaded for it, its settings, and the tests that it is for."""

    kinds: str
    library: str
    environ: dict[str, str]
    tests: tuple[str, ...]


MEMORY = Sanitizer(
    "address,undefined",
    "libasan.so",
    {
        # Tests ask for too much memory on purpose, and measure what stays: freed memory is only
        # held back for a while.
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:quarantine_size_mb=4:"
        f"thread_local_quarantine_size_kb=64:log_path={REPORT}",
        "UBSAN_OPTIONS": f"halt_on_error=1:print_stacktrace=1:log_path={REPORT}",
        # Python's own allocator hides what happens to small blocks.
        "PYTHONMALLOC": "malloc",
    },
    ("tests/runtime",),
)
THREADS = Sanitizer(
    "thread",
    "libtsan.so",
    {"TSAN_OPTIONS": f"exitcode=66:log_path={REPORT}"},
    # The child of a process with several threads hangs in the sanitizer.
    (
        "tests/compile/test_threads.py",
        "tests/runtime/test_threads.py",
        "-k",
        "not child and not fork",
    ),
)


def build(sanitizer: Sanitizer) -> Path:
    """Build the sanitized runtime; return the folder to import `theano` from."""
    options = [f"-Db_sanitize={sanitizer.kinds}", "-Db_lundef=false", "-Dbuildtype=debug"]
    return build_tree(ROOT, BUILD / sanitizer.kinds, [*options, "-Doptimization=1"])


def library(name: str) -> str:
    """Return the path of one of the compiler's libraries."""
    out = subprocess.run(
        [os.environ.get("CXX", "g++"), f"-print-file-name={name}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return out.stdout.strip()


def main(arguments: list[str]) -> int:
    """Build, then run pytest; return its exit status."""
    sanitizer = THREADS if "--threads" in arguments else MEMORY
    tree = build(sanitizer)
    for old in BUILD.glob("report.*"):
        old.unlink()
    loaded = f"{library(sanitizer.library)} {library('libstdc++.so.6')}"
    environ = {**os.environ, **sanitizer.environ, "LD_PRELOAD": loaded}
    start = START.format(tree=str(tree))
    tests = [a for a in arguments if a != "--threads"] or sanitizer.tests
    command = [sys.executable, "-c", start, "-p", "no:cacheprovider", *tests]
    status = subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode
    for report in sorted(BUILD.glob("report.*")):
        print(report.read_text())
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
