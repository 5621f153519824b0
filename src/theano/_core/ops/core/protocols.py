"""What operations know of the layers above that call their rules; for annotations only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any, Protocol, TypeAlias

import numpy as np

from theano._core.ir.variable import Apply, Variable

# A length in a program: a number, or the register that holds it.
Size: TypeAlias = int | str


class ProgramValue(Protocol):
    """A value of a program that is built: an array, a scalar or a Python object."""

    dtype: str
    ndim: int


class Builder(Protocol):
    """A program that is built: what a method `emit(p, node, *values)` may say to it.

    Words without a line of their own are those of the modules of `lower/builder`. `inputs` are the
    arguments and shared variables of the program.
    """

    inputs: Sequence[Variable]

    def __getattr__(self, word: str) -> Callable[..., Any]: ...

    def value(self, variable: Variable) -> ProgramValue:
        """Return the value of a variable."""
        ...

    def size(self, length: int | Variable | None) -> Size:
        """Return a length as a number or a register."""
        ...

    def integer(self, array: ProgramValue) -> Size:
        """Return the integer in a scalar."""
        ...

    def scalar(self, size: Size) -> ProgramValue:
        """Return a size as a scalar."""
        ...

    def length(self, array: ProgramValue, axis: int) -> Size:
        """Return the length of an axis."""
        ...

    def product(self, sizes: Sequence[Size]) -> Size:
        """Return the product of sizes."""
        ...

    def integers(self, vector: ProgramValue, count: int | None = None) -> list[Size]:
        """Return the items of a short vector of integers."""
        ...

    def call_compute(self, node: Apply, values: Sequence[ProgramValue]) -> list[ProgramValue]:
        """Have the operation's `compute` called when the function runs."""
        ...


class Trace(Protocol):
    """A walk of JAX through a graph: what a rule `jax(j, node, *arrays)` may ask of it.

    Attributes
    ----------
    numpy, lax, special, linalg : module
        `jax.numpy`, `jax.lax`, `jax.scipy.special`, `jax.scipy.linalg`.
    """

    numpy: ModuleType
    lax: ModuleType
    special: ModuleType
    linalg: ModuleType

    def is_known(self, value: object) -> bool:
        """Tell whether a value is there while code is made: lengths are."""
        ...

    def require(self, condition: object) -> None:
        """Have NumPy compute the function, and raise the error, unless a condition holds."""
        ...

    def body(self, body: Any, values: Sequence[np.ndarray]) -> tuple[list[Any], Any]:
        """Return the outputs of a body, and whether all that it requires holds."""
        ...

    def like(self, function: Callable[..., Any], *arguments: object) -> Any:
        """Return zeros in the shapes of what a function returns."""
        ...

    def on_host(self, node: Apply, values: Sequence[np.ndarray], effect: bool = False) -> list[Any]:
        """Return the outputs of a node that NumPy computes when the function runs."""
        ...

    def run(self, outputs: Iterable[Variable], value_of: dict[Any, Any]) -> list[Any]:
        """Return the values of `outputs`."""
        ...


class Batching(Protocol):
    """A graph that is computed for many rows at once: what a rule `batch` may ask of it.

    Attributes
    ----------
    size : int64 scalar
        The number of rows.
    rows : set of Variable
        What has a row for each.
    """

    size: Variable
    rows: Any

    def value(self, variable: Variable) -> Variable:
        """Return what stands for a variable."""
        ...

    def full(self, variable: Variable) -> Variable:
        """Return what stands for a variable, repeated if it has no rows."""
        ...

    def inside(self, size: Variable, table: Mapping[Variable, Variable]) -> Batching:
        """Return the batching of a body."""
        ...

    def all_of(self, condition: Variable) -> Variable:
        """Return whether a condition holds in all rows."""
        ...

    def give_up(self) -> None:
        """Leave it to a loop over the rows."""
        ...

    def check_last_row(self, variable: Variable, depth: int) -> None:
        """Check as the last row would."""
        ...

    def joined(self, values: Sequence[Variable], axis: int) -> Variable:
        """Return values joined along an axis of theirs."""
        ...

    def items(self, vector: Variable, count: int) -> list[Variable]:
        """Return the items of a vector, for each row."""
        ...


# `forward(outputs, tangents)` → the tangent of each output.
Forward: TypeAlias = Callable[[Sequence[Any], Mapping[Any, Any]], Sequence[Any]]
