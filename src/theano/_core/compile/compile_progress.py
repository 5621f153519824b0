"""Where a compilation is that takes long, told on the standard error: `config.compile_progress`."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from theano._core.ir.graph import toposort
from theano._core.ir.variable import Variable
from theano._core.lower.pipeline import PASSES

# Seconds: what takes less shows nothing; how often it is looked at; how long until a stage that
# goes on is told of again.
PATIENCE, LOOK, AGAIN = 2.0, 0.5, 5.0


class CompileProgress:
    """Looks on while a function is compiled, and tells what is done if that takes long.

    Parameters
    ----------
    name : str
        Of the function.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.stage = "reading the graph"
        self._begun = time.monotonic()
        self._over = threading.Event()
        self._told = False

    def graph(self, name: str, outputs: Sequence[Variable]) -> None:
        """Look at the results of a pass of rewriting."""
        # The last one leaves what is lowered.
        what = "lowering" if name == "native_form" else f"rewriting, {name} is done"
        self.stage = f"{what}: {len(toposort(outputs))} operations"

    def program(self, name: str, program: object) -> None:
        """Look at the program that a pass leaves."""
        last = name == PASSES[-1].name
        self.stage = "machine code" if last else f"lowering, {name} is done"

    def wait(self) -> None:
        """Tell of stages, until the function is there."""
        pause, told, when = PATIENCE, "", 0.0
        while not self._over.wait(pause):
            now, stage = time.monotonic(), self.stage
            if stage != told or now - when >= AGAIN:
                self._tell(stage)
                told, when = stage, now
            pause = LOOK

    def end(self) -> None:
        """Say how long it took, if it was long."""
        self._over.set()
        if self._told:
            self._tell("done")

    def _tell(self, what: str) -> None:
        self._told = True
        passed = time.monotonic() - self._begun
        print(f"compiling {self.name}: {passed:.1f} s, {what}", file=sys.stderr, flush=True)


def told(name: str, create: Callable[..., Any], containers: object) -> Any:
    """Return what `create(containers, progress)` makes; tell how far it is, if it takes over 2 s.

    Parameters
    ----------
    name : str
        Of the function that is compiled.
    create : callable
    containers : object
    """
    progress = CompileProgress(name)
    thread = threading.Thread(target=progress.wait, name="theano compile progress", daemon=True)
    thread.start()
    try:
        return create(containers, progress)
    finally:
        progress.end()
        thread.join()
