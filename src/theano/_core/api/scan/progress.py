"""How far a loop is, shown while it runs."""

from __future__ import annotations

import sys
import time
from typing import Any

# Loops that take less, in seconds, show nothing; lines are printed so often.
DELAY = 0.5


class ProgressBar:
    """Shows the steps of a loop on the standard error: with `tqdm`, or else as lines.

    Parameters
    ----------
    name : str
        Of the loop.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._begun = self._shown = 0.0
        self._bar: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {"name": self.name}

    def __setstate__(self, state: dict[str, Any]) -> None:
        ProgressBar.__init__(self, **state)

    def __call__(self, done: int, n_steps: int) -> None:
        """Take note that so many steps of so many are done; both are equal at the end."""
        now = time.monotonic()
        if done == 0:
            # The loop before this one may have failed.
            self._close()
            self._begun = self._shown = now
        elif self._bar is not None or now - self._begun >= DELAY:
            self._show(done, n_steps, now)
        if done == n_steps:
            self._close()

    def _show(self, done: int, n_steps: int, now: float) -> None:
        try:
            from tqdm import tqdm
        except ImportError:
            if now - self._shown >= DELAY or done == n_steps:
                self._shown = now
                percent = f"{100 * done / max(n_steps, 1):.0f} %"
                passed = f"{now - self._begun:.1f} s"
                print(
                    f"{self.name}: step {done} of {n_steps}, {percent}, {passed}", file=sys.stderr
                )
            return
        if self._bar is None:
            self._bar = tqdm(total=n_steps, desc=self.name, unit="step", file=sys.stderr)
            # Begun before it is shown.
            self._bar.start_t -= now - self._begun
        self._bar.total = n_steps
        self._bar.update(done - self._bar.n)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
