"""Names of types for annotations only: nothing imports this while it runs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from os import PathLike
from types import ModuleType
from typing import Any, Protocol, TypeAlias, TypedDict, TypeVar

import numpy as np

from theano._core.ir.variable import Apply, Variable


class HoldsArray(Protocol):
    """An array of another library."""

    def __array__(self) -> np.ndarray: ...


# All that a tensor can be made of: see `as_variable`.
TensorLike: TypeAlias = (
    Variable | Apply[Any] | np.ndarray | np.generic | complex | HoldsArray | Sequence["TensorLike"]
)

# One variable or several: what comes of them is one, a list or a tuple as they are.
Variables: TypeAlias = Variable | Sequence[Variable]

# What a copy has the type of.
Cloned = TypeVar("Cloned", bound=Variable | Sequence[Variable])

# Variables and what stands in their place, as a dict or as pairs.
Replacements: TypeAlias = (
    Mapping[Any, Any] | Collection[Sequence[Any]] | Iterator[Sequence[Any]] | None
)


class GradientOptions(TypedDict, total=False):
    """What `grad` takes by keyword, after `disconnected_inputs`: see there."""

    add_names: bool
    known_grads: Mapping[Any, Any] | None
    return_disconnected: str
    null_gradients: str


# A length that is known, one that is computed, and one of which nothing is known.
Dim: TypeAlias = int | Variable | None
Dims: TypeAlias = Sequence[Dim]

# One axis, several, or all.
Axes: TypeAlias = int | Sequence[int] | None

# What names an item type.
DType: TypeAlias = str | np.dtype | type

# NumPy, `jax.numpy` or another module with their functions.
ArrayModule: TypeAlias = ModuleType

FilePath: TypeAlias = str | PathLike[str]


class SparseMatrix(Protocol):
    """A sparse matrix of SciPy."""

    format: str
    dtype: np.dtype
    shape: tuple[int, int]
    ndim: int
    nnz: int
    data: np.ndarray

    def __getattr__(self, name: str) -> Any: ...
    def __getitem__(self, key: object) -> Any: ...
    def __add__(self, other: object) -> Any: ...
    def __sub__(self, other: object) -> Any: ...
    def __mul__(self, other: object) -> Any: ...
    def __matmul__(self, other: object) -> Any: ...
