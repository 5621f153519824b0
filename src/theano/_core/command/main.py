"""The commands of `python -m theano` and their arguments."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from theano._core.command import cache, compat, doctor
from theano._core.command.settings import show_settings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m theano", description="Look at Theano, its settings and its compiled code."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add = commands.add_parser("doctor", help="versions, processor, BLAS and a test, for reports")
    add.set_defaults(run=lambda given: doctor.examine())
    add = commands.add_parser("config", help="the settings, their values and what they decide")
    add.add_argument("names", nargs="*", metavar="NAME", help="settings, or parts of their names")
    add.set_defaults(run=lambda given: show_settings(given.names))
    add = commands.add_parser("cache", help="the compiled code that is kept on disk")
    cache.add_arguments(add)
    add.set_defaults(run=lambda given: cache.run(given.action))
    add = commands.add_parser(
        "compat", help="what a program for Theano 1.0.5 uses, and what differs"
    )
    add.add_argument("paths", nargs="+", metavar="FILE_OR_FOLDER")
    add.set_defaults(run=lambda given: compat.report(given.paths))
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process.

    Returns
    -------
    int
        0: all is well.
    """
    given = _parser().parse_args(arguments)
    try:
        return given.run(given)
    except BrokenPipeError:
        # Who read the output, such as `head`, has enough.
        return 0
