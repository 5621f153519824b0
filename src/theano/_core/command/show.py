"""`python -m theano show`: runs a program, and shows the functions that it compiles."""

from __future__ import annotations

import os
import runpy
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

from theano._core.base.settings import change_flags
from theano._core.compile import profiling


def run(
    file: str, arguments: Sequence[str], name: str | None, page: str | None, opens: bool
) -> int:
    """Run a program with profiles; write the page of a function of it, and tell of all.

    Parameters
    ----------
    file : str
        The program.
    arguments : sequence of str
        What it finds in `sys.argv`.
    name : str or None
        Of the function, or a part of it; None: the one that took longest.
    page : str or None
        Where the page is written to; None: a new file.
    opens : bool
        Whether to open it in a browser.

    Returns
    -------
    int
        0: there is a page.
    """
    profiles = _profiles_of(file, arguments)
    if not profiles:
        print(f"{file} compiles no function of Theano", file=sys.stderr)
        return 1
    print(f"{'function':<40} {'calls':>8} {'seconds':>10}  compiled in")
    for profile in profiles:
        seconds = f"{profile.fct_call_time:>10.4g}  {profile.compile_time:.2g} s"
        print(f"{profile.message:<40} {profile.fct_callcount:>8} {seconds}")
    chosen = [profile for profile in profiles if name is None or name in profile.message]
    if not chosen:
        print(f"\nno function is called {name}", file=sys.stderr)
        return 1
    longest = max(chosen, key=lambda profile: profile.fct_call_time)
    if page is None:
        page = os.path.join(tempfile.mkdtemp(prefix="theano-"), "function.html")
    longest.html(page, opens)
    print(f"\n{longest.message}: {page}")
    return 0


def _profiles_of(file: str, arguments: Sequence[str]) -> list[Any]:
    """Run a program as `python file` does; return the profiles of its functions."""
    first, argv, path = len(profiling.PRINTED_AT_EXIT), sys.argv, list(sys.path)
    sys.argv = [file, *arguments]
    sys.path.insert(0, os.path.dirname(os.path.abspath(file)))
    try:
        with change_flags(profile=True):
            runpy.run_path(file, run_name="__main__")
    except SystemExit as error:
        if error.code:
            print(f"{file} ended with {error.code}", file=sys.stderr)
    finally:
        sys.argv, sys.path[:] = argv, path
    return profiling.PRINTED_AT_EXIT[first:]
