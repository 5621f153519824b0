"""`theano.tensor.io`: arrays from files, and the names of what went through MPI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from theano._core.ops.array.disk import LoadFromDisk

if TYPE_CHECKING:
    from theano._core.ir.annotations import DType, TensorLike


def load(
    path: TensorLike, dtype: DType, broadcastable: Sequence[bool], mmap_mode: str | None = None
) -> Any:
    """Return the array in an .npy file, read when the function runs.

    Parameters
    ----------
    path : str or Generic variable
    dtype : dtype
        What the file must hold.
    broadcastable : sequence of bool
        Axes whose length is 1; also says how many there are.
    mmap_mode : {None, 'c'}
        'c' maps the file into memory.

    Raises
    ------
    ValueError
        Another mode.
    TypeError
        When the function runs: the file holds something else.

    Examples
    --------
    >>> import theano
    >>> path = theano.Variable(theano.generic)
    >>> twice = theano.function([path], load(path, "int64", (False,)) * 2)
    """
    return LoadFromDisk(dtype, broadcastable, mmap_mode)(path)


def _no_mpi(name: str) -> NoReturn:
    raise NotImplementedError(
        f"theano.tensor.io.{name}: functions do not exchange arrays through MPI. Exchange them "
        "between calls, for instance with mpi4py: comm.Send(f(x)) and f(comm.recv())."
    )


def send(var: TensorLike, dest: int, tag: int) -> NoReturn:
    """Raise NotImplementedError: functions do not exchange arrays through MPI."""
    _no_mpi("send")


def isend(var: TensorLike, dest: int, tag: int) -> NoReturn:
    """Raise NotImplementedError: functions do not exchange arrays through MPI."""
    _no_mpi("isend")


def recv(shape: TensorLike, dtype: DType, source: int, tag: int) -> NoReturn:
    """Raise NotImplementedError: functions do not exchange arrays through MPI."""
    _no_mpi("recv")


def irecv(shape: TensorLike, dtype: DType, source: int, tag: int) -> NoReturn:
    """Raise NotImplementedError: functions do not exchange arrays through MPI."""
    _no_mpi("irecv")
