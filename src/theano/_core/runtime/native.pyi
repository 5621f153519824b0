from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Literal, TypeAlias, TypedDict, final

import numpy as np
from typing_extensions import Buffer

ABI_VERSION: int
FILTERED: int
IMPLICIT: int
MUTABLE: int
STRICT: int
CONTIGUOUS: int
OVERWRITABLE: int

Kind: TypeAlias = Literal["array", "object"]
Source: TypeAlias = Literal["buffer", "turned", "copy", "array", "object", "alias"]
# kind, typenum, ndim
ValueRecord: TypeAlias = tuple[Kind, int, int]
# kind, typenum, ndim, broadcast, name, offset, cell, flags[, lengths]
InputRecord: TypeAlias = (
    tuple[Kind, int, int, int, str | None, int, int, int]
    | tuple[Kind, int, int, int, str | None, int, int, int, tuple[int, ...]]
)
# source, typenum, ndim, offset, slot
OutputRecord: TypeAlias = tuple[Source, int, int, int, int]
# cell, source, typenum, ndim, offset, slot
UpdateRecord: TypeAlias = tuple[int, Source, int, int, int, int]
CallbackRecord: TypeAlias = tuple[
    Callable[..., tuple[Any, ...]], Iterable[ValueRecord], Iterable[ValueRecord]
]

class Hooks(TypedDict, total=False):
    convert: Callable[[Function, int, Any], Any] | None
    bad_arguments: Callable[[Function, tuple[Any, ...], dict[str, Any]], Any] | None
    on_error: Callable[[Function, int, int, tuple[int, ...], tuple[Any, ...]], Any] | None
    on_callback_error: Callable[[Function, int, BaseException], Any] | None
    on_failure: Callable[[Function, bytes], Any] | None
    on_variant: Callable[[Function, int], int | tuple[int, object]] | None

@final
class Code:
    def __init__(self, data: Buffer, symbols: Mapping[str, int] = ...) -> None: ...
    def address(self, symbol: str, /) -> int: ...
    @property
    def symbols(self) -> tuple[str, ...]: ...
    @property
    def size(self) -> int: ...

@final
class Cell:
    value: Any
    def __init__(self, value: Any = None) -> None: ...
    def read(self, function: Callable[[Any], Any], /) -> Any: ...

@final
class Program:
    def __init__(
        self,
        *,
        entry: int,
        code: Iterable[object],
        kernels: Iterable[int],
        frame_size: int,
        buffer_slots: Iterable[int],
        inputs: Iterable[InputRecord],
        shared: Iterable[InputRecord],
        outputs: Iterable[OutputRecord],
        updates: Iterable[UpdateRecord],
        callbacks: Iterable[CallbackRecord],
        result: Literal["single", "list", "none"] | tuple[Hashable, ...],
        timed_steps: int,
    ) -> None: ...
    @property
    def timings(self) -> tuple[tuple[int, int, int, int, int, int], ...]: ...
    @property
    def peak(self) -> tuple[int, int, tuple[tuple[int, int], ...]] | None: ...
    @property
    def kernels(self) -> tuple[int, ...]: ...

class Function:
    # What `compile` keeps in it.
    maker: Any
    trust_input: bool
    profile: Any
    output_storage: Any
    def __init__(self, program: Program, cells: Iterable[Cell], hooks: Hooks = ...) -> None: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
    @property
    def program(self) -> Program: ...
    @property
    def cells(self) -> tuple[Cell, ...]: ...
    @property
    def hooks(self) -> Hooks: ...

class PoolStats(TypedDict):
    system_bytes: int
    most_bytes: int
    kept_bytes: int
    system_allocations: int
    limit: int

class Compiler:
    def __new__(cls, functions: tuple[int, ...], triple: str, /) -> Compiler: ...
    def start(self, machine: int, context: int, /) -> bool: ...
    def add(self, text: str, /) -> None: ...
    def waiting(self) -> int: ...
    def finish(self, machine: int, context: int, /) -> list[tuple[bytes | str, float]]: ...

def load_object(data: Buffer, symbols: Mapping[str, int] = ...) -> Code: ...
def compile_module(
    functions: tuple[int, ...],
    machine: int,
    context: int,
    triple: str,
    text: str,
    object: bool,
    /,
) -> bytes | str: ...
def set_threads(count: int, /) -> None: ...
def set_patience(seconds: float, /) -> None: ...
def get_threads() -> int: ...
def set_pool_limit(bytes: int, /) -> None: ...
def pool_stats() -> PoolStats: ...
def trim_pool() -> None: ...
def pooled(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any: ...
def chunk_items(n: int, work: float, unit: int, /) -> int: ...
def block_rows(rows: int, n: int, unit: int, total: int, /) -> int: ...
def fail_allocations(after: int, count: int, /) -> int: ...
def blas_info() -> dict[str, Any]: ...
def panel_width(itemsize: int, bits: int, /) -> int: ...
def one_blas_thread(flag: bool, /) -> None: ...
def also_blas_of(path: str, /) -> None: ...
def sparse_matmul(
    by_rows: bool,
    data: np.ndarray,
    indices: np.ndarray,
    indptr: np.ndarray,
    dense: np.ndarray,
    rows: int,
    /,
) -> np.ndarray: ...
def sparse_fit(indices: np.ndarray, indptr: np.ndarray, items: int, most: int, /) -> bool: ...
def numpy_symbol(name: str, /) -> int: ...
