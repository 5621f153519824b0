"""What a loop hands from one step to the next, while the loop is written."""

from __future__ import annotations

from typing import Any

from theano._core.ir.types import TensorType
from theano._core.lower.arrays import Size
from theano._core.ops.control.scan_state import ALL, NEW, State


class LateRows:
    """Rows whose lengths the first step tells: registers of their address and lengths.

    `base` and `shape` are their values at the start of a step, `next_…` at its end; `unknown` are
    the axes whose length is not known before.
    """

    __slots__ = ("base", "next_base", "next_shape", "shape", "slot", "unknown")

    def __init__(self, slot: int, base: str, shape: list[Any], unknown: list[int]) -> None:
        self.slot = slot
        self.base = base
        self.shape = shape
        self.unknown = unknown
        self.next_base = ""
        self.next_shape: list[Any] = []


class Carried:
    """A state while its loop is written.

    Attributes
    ----------
    shape : list of Size
        Of one row.
    taps : list of str or Value
        Addresses (values, of scalars) of the last rows at the start of a step, the nearest first.
    memory : Array or None
        The rows that are kept.
    target : str
        Address of the row that a step writes.
    descriptor : int
        Of an object.
    late : LateRows or None
        Set if only a step tells how long a row is.
    """

    def __init__(self, index: int, state: State, value: Any) -> None:
        self.index = index
        self.state = state
        self.value = value
        self.shape: list[Size] = []
        self.taps: list[Any] = []
        self.starts: list[Any] = []
        self.nexts: list[Any] = []
        self.memory: Any = None
        self.target = ""
        self.descriptor = -1
        self.late: Any = None

    @property
    def is_object(self) -> bool:
        return not isinstance(self.value.type, TensorType)

    @property
    def is_scalar(self) -> bool:
        return not self.is_object and self.value.type.ndim == 0

    @property
    def keeps_all(self) -> bool:
        """Whether every row is kept."""
        return self.state.keep in (ALL, NEW)

    @property
    def lead(self) -> int:
        """Initial rows that are kept in front of the new ones."""
        return self.state.depth if self.state.keep == ALL else 0
