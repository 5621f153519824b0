"""The commands of `python -m theano` and their arguments."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from theano._core.command import bench, cache, compat, doctor, show
from theano._core.command.settings import show_settings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m theano", description="Look at Theano, its settings and its compiled code."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add = commands.add_parser("doctor", help="versions, processor, BLAS and a test, for reports")
    add.set_defaults(run=lambda options: doctor.examine())
    add = commands.add_parser("config", help="the settings, their values and what they decide")
    add.add_argument("names", nargs="*", metavar="NAME", help="settings, or parts of their names")
    add.set_defaults(run=lambda options: show_settings(options.names))
    add = commands.add_parser("cache", help="the compiled code that is kept on disk")
    cache.add_arguments(add)
    add.set_defaults(run=lambda options: cache.run(options.action))
    add = commands.add_parser(
        "compat", help="what a program for Theano 1.0.5 uses, and what differs"
    )
    add.add_argument("paths", nargs="+", metavar="FILE_OR_FOLDER")
    add.set_defaults(run=lambda options: compat.report(options.paths))
    add = commands.add_parser("bench", help="NumPy and Theano on this machine, in a minute")
    add.set_defaults(run=lambda options: bench.measure())
    add = commands.add_parser("show", help="run a program, and show a function that it compiles")
    add.add_argument("file", metavar="FILE", help="a program in Python")
    add.add_argument("arguments", nargs=argparse.REMAINDER, help="what the program is given")
    add.add_argument("--function", metavar="NAME", help="by default the one that takes longest")
    add.add_argument("--page", metavar="FILE", help="where to write the page")
    add.add_argument("--no-open", action="store_true", help="do not open it in a browser")
    add.set_defaults(
        run=lambda options: show.run(
            options.file, options.arguments, options.function, options.page, not options.no_open
        )
    )
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
    options = _parser().parse_args(arguments)
    return cache.unless_closed(lambda: options.run(options))
