"""Arrays from files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.ir.types import ObjectType, generic
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.core.op import connected, no_cotangents
from theano._core.ops.core.python_call import Called

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, TensorLike


class LoadFromDisk(Called):
    """The array in an .npy file whose path is the input.

    Parameters
    ----------
    dtype : str
    broadcastable : sequence of bool
    mmap_mode : {None, 'c'}
        'c' maps the file into memory: only what is used is read.
    """

    __props__ = ("dtype", "broadcastable", "mmap_mode")
    # The file may change between calls.
    pure = False
    connection = connected()
    vjp = no_cotangents

    def __init__(
        self, dtype: Any, broadcastable: Sequence[bool], mmap_mode: str | None = None
    ) -> None:
        if mmap_mode not in (None, "c"):
            raise ValueError(
                "The only supported values for mmap_mode are None and 'c', got "
                f"{mmap_mode!r}: other modes let a function write to the file."
            )
        self.dtype = str(np.dtype(dtype))
        self.broadcastable = tuple(bool(b) for b in broadcastable)
        self.mmap_mode = mmap_mode

    def make_node(self, path: TensorLike) -> Apply:
        if isinstance(path, str):
            path = Constant(generic, path)
        if not isinstance(path, Variable) or not isinstance(path.type, ObjectType):
            raise TypeError(f"the path of load must be a string or a Generic variable, got {path}")
        return self.one([path], self.dtype, self.broadcastable)

    def compute(self, xp: ArrayModule, node: Apply, path: str) -> tuple[Any, ...]:
        if not isinstance(path, (str, os.PathLike)):
            raise TypeError(f"the path of a file is needed, got {path!r}")
        array = np.load(path, mmap_mode=self.mmap_mode)  # type: ignore[arg-type]
        pattern = tuple(n == 1 for n in array.shape)
        fits = len(pattern) == len(self.broadcastable) and all(
            one or not asked for one, asked in zip(pattern, self.broadcastable, strict=True)
        )
        if str(array.dtype) != self.dtype or not fits:
            raise TypeError(
                f"an array of dtype {self.dtype} and broadcastable {self.broadcastable} was "
                f"expected in {path}, it has dtype {array.dtype} and shape {array.shape}"
            )
        return (np.asarray(array),)

    def __str__(self) -> str:
        return f"Load{{{self.dtype}, {self.broadcastable}, mmap_mode={self.mmap_mode}}}"
