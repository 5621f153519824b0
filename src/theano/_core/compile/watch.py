"""What may look on while a function is compiled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from theano._core.ir.variable import Variable


class Watch(Protocol):
    """Looks at what each pass leaves, of rewriting and over the program."""

    def graph(self, name: str, outputs: Sequence[Variable]) -> None:
        """Look at the results of a pass of rewriting."""

    def program(self, name: str, program: Any) -> None:
        """Look at the program that a pass leaves."""
