"""Python programs in processes of their own, with a clean home."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

# What a developer's own environment could say to a test.
_OURS = ("THEANO_FLAGS", "THEANORC")


def run_python(
    program: str | list[str],
    *arguments: str,
    home: Path | None = None,
    flags: str = "",
    environment: dict[str, str] | None = None,
    folder: Path | None = None,
    fails: bool = False,
    timeout: float = 300,
) -> str:
    """Run a program, and return what it prints, without white space around it.

    Parameters
    ----------
    program : str or list of str
        Source, which may be indented, or arguments of the interpreter such as ``["-m", "theano"]``.
    home : Path, optional
        A folder that stands in for the user's: settings and kept programs of the tests' own user
        play no part. Without it compiled code is shared with other tests.
    flags : str
        ``THEANO_FLAGS``.
    environment : dict, optional
        Further variables of the environment.
    folder : Path, optional
        Where it runs.
    fails : bool
        Whether it ends with an error; what it writes to its error stream is returned then.
    timeout : float
        Seconds.
    """
    outside = {name: value for name, value in os.environ.items() if name not in _OURS}
    if home is not None:
        outside |= {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "THEANORC": ""}
    outside |= {"THEANO_FLAGS": flags, **(environment or {})}
    given = ["-c", textwrap.dedent(program)] if isinstance(program, str) else program
    done = subprocess.run(
        [sys.executable, *given, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=outside,
        cwd=folder,
        timeout=timeout,
    )
    assert (done.returncode != 0) == fails, f"ended with {done.returncode}: {done.stderr}"
    return (done.stderr if fails else done.stdout).strip()
