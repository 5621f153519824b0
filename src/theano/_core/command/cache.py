"""`python -m theano cache`, and the command `theano-cache` of Theano 1.0.5."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence

from theano._core.base.settings import config
from theano._core.runtime.cache import CompileCache

# What Theano 1.0.5 called them; a lock, which `unlock` takes away, there is not.
OLD = {"purge": "clear", "cleanup": "clear", "basecompiledir": "list", "print": "list"}
ACTIONS = ("list", "size", "clear")


def add_arguments(parser: argparse.ArgumentParser, old: bool = False) -> None:
    """Add what `run` is told."""
    parser.add_argument(
        "action",
        nargs="?",
        choices=(*ACTIONS, *OLD, "unlock") if old else ACTIONS,
        default="list",
        help="list the entries, tell their size, or delete them",
    )


def run(action: str) -> int:
    """List the cache, tell its size, or empty it."""
    action = OLD.get(action, action)
    if action == "unlock":
        print("there is no lock: processes write to the cache side by side")
        return 0
    cache = CompileCache(config.compiledir, config.cache_limit)
    entries = sorted(cache.entries(), reverse=True)
    if action == "clear":
        cache.clear()
        print(f"{len(entries)} entries deleted from {cache.folder}")
        return 0
    total = sum(size for _, size, _ in entries)
    if action == "list":
        for used, size, name in entries:
            day = time.strftime("%Y-%m-%d %H:%M", time.localtime(used))
            print(f"{day}  {size / 1024:9.1f} KiB  {name[:16]}")
    limit = cache.limit_bytes
    where = cache.folder or f"memory, for {config.compiledir} is refused"
    print(f"{len(entries)} entries, {total / 2**20:.1f} of {limit / 2**20:.0f} MiB, in {where}")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `theano-cache`."""
    parser = argparse.ArgumentParser(prog="theano-cache", description="Theano's compiled code.")
    add_arguments(parser, old=True)
    options = parser.parse_args(arguments)
    return unless_closed(lambda: run(options.action))


def unless_closed(command: Callable[[], int]) -> int:
    """Run a command; who reads its output, such as `head`, may have enough of it."""
    try:
        code = command()
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # Nor is anything written when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def folder_facts() -> str:
    """Say where the cache is and how large, for reports."""
    cache = CompileCache(config.compiledir, config.cache_limit)
    sizes = [size for _, size, _ in cache.entries()]
    where = cache.folder or "memory only"
    if cache.folder is not None:
        where = cache.folder.replace(os.path.expanduser("~"), "~")
    return f"{where}: {len(sizes)} entries, {sum(sizes) / 2**20:.1f} MiB"
