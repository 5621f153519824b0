"""Values while a program is written: where an array lies, and how its axes are walked."""

from __future__ import annotations

from typing import Any

# A length or stride: known, or the SSA name of an int64.
Size = int | str


class Buffer:
    """Memory that the program allocated: the frame slot that holds its address.

    `users` counts the values that lie in it and are still to be read: where one is the last, a
    result may be written over it. When memory is given back is not decided here, but by
    `passes/lifetimes.py`. `kept` buffers become outputs. `start` is the register of its address.
    Memory of all steps of a loop has no slot here.
    """

    __slots__ = ("kept", "slot", "start", "users")

    def __init__(self, slot: int | None, start: str, kept: bool = False) -> None:
        self.slot = slot
        self.start = start
        self.users = 0
        self.kept = kept


class Array:
    """An array value.

    Attributes
    ----------
    dtype : str
    shape : tuple of Size
    data : str
        SSA name of the address of the first item; '' while the value is only in `register`.
    strides : tuple of Size or None
        Bytes; None: C-contiguous.
    contiguous : bool or str
        Whether the data is C-contiguous over the axes that are not broadcast: known, or the SSA
        name of an i1.
    broadcast_axes : frozenset of int
        Axes known to have stride 0.
    register : Value or None
        The value itself, for a scalar that is in a register.
    buffer : Buffer or None
    descriptor : int or None
        Frame offset of a descriptor that says the same.
    rows_contiguous : bool or str
        Whether each item along the first axis is C-contiguous, where `contiguous` is not True.
    spaced : bool
        Whether items along the last axis are likely to be a few items apart, as those of a colour.
    scratch : bool
        Whether nothing will read the memory later, so that it may be overwritten.
    steady : object
        The loop in all of whose steps the array is the same.
    whole : bool
        Whether it is all of a buffer, in an order of axes that is not that of C.
    items : tuple of Size or None
        The items of a short vector of integers that is in registers.
    begun : tuple of str or None
        Set of a product that is made along with the one that is added to it: a condition, and the
        arguments of the kernel that makes it where that holds.
    """

    __slots__ = (
        *("begun", "broadcast_axes", "buffer", "contiguous", "data", "descriptor", "dtype"),
        *("items", "register", "rows_contiguous", "scratch", "shape", "spaced", "steady"),
        *("strides", "whole"),
    )

    def __init__(
        self,
        dtype: str,
        shape: tuple[Size, ...],
        data: str = "",
        strides: tuple[Size, ...] | None = None,
        contiguous: bool | str = True,
        broadcast_axes: frozenset[int] = frozenset(),
        register: Any = None,
        buffer: Buffer | None = None,
        descriptor: int | None = None,
        items: tuple[Size, ...] | None = None,
        rows_contiguous: bool | str = False,
        steady: Any = None,
        scratch: bool = False,
        whole: bool = False,
        begun: tuple[Size, str] | None = None,
        spaced: bool = False,
    ) -> None:
        self.dtype = dtype
        self.shape = shape
        self.data = data
        self.strides = strides
        self.contiguous = contiguous
        self.broadcast_axes = broadcast_axes
        self.register = register
        self.buffer = buffer
        self.descriptor = descriptor
        self.items = items
        self.rows_contiguous = rows_contiguous
        self.steady = steady
        self.scratch = scratch
        self.whole = whole
        self.begun = begun
        self.spaced = spaced

    def replace(self, **changes: object) -> Array:
        """Return one that is the same but for `changes`."""
        # A loop over the names takes three times as long.
        fresh = Array(
            *(self.dtype, self.shape, self.data, self.strides, self.contiguous),
            *(self.broadcast_axes, self.register, self.buffer, self.descriptor, self.items),
            *(self.rows_contiguous, self.steady, self.scratch, self.whole, self.begun),
            self.spaced,
        )
        for name, value in changes.items():
            setattr(fresh, name, value)
        return fresh

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def fills(self) -> bool:
        """Whether it is all of a buffer, in C order, that does not become an output."""
        buffer = self.buffer
        return (
            buffer is not None
            and not buffer.kept
            and self.contiguous is True
            and not self.broadcast_axes
            and self.data == buffer.start
        )

    @property
    def returnable(self) -> bool:
        """Whether it is all of a buffer, in any order, that no other output is."""
        turned = self.whole and self.buffer is not None and not self.buffer.kept
        return self.fills or turned

    @property
    def alone(self) -> bool:
        """Whether no other value lies in the buffer that it fills."""
        return self.fills and self.buffer is not None and self.buffer.users == 1


class Object:
    """A Python object value: the frame offset of its descriptor."""

    __slots__ = ("descriptor",)

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
