"""What users hold of a compiled function, for annotations only: nothing imports this while it runs.

The class is made in C++, and `compile.function` gives it what Python knows of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from theano._core.compile.inputs import Out
from theano._core.compile.maker import FunctionMaker
from theano._core.compile.profiling import ProfileStats
from theano._core.compile.shared import SharedVariable
from theano._core.compile.storage_views import ContainerView, Thunk, ValueView
from theano._core.ir.variable import Variable
from theano._core.lower.memory_plan import MemoryPlan

if TYPE_CHECKING:
    from theano._core.runtime.native import Function as Native
else:
    # The class itself has no others below it.
    Native = object

# What a function is made of, and what a call returns: one, a list, or a dict.
Outputs: TypeAlias = Variable | Out | Sequence[Variable | Out] | Mapping[str, Any] | None


class Function(Native):
    """A compiled function: called with arrays, it returns arrays."""

    name: str
    maker: FunctionMaker
    # None without `profile=True`: who asks for it has profiled.
    profile: ProfileStats
    trust_input: bool
    inputs: list[Variable]
    outputs: list[Variable]
    input_storage: list[Any]
    output_storage: list[Any]
    n_returned_outputs: int
    output_keys: list[str] | None
    # By name, variable or position: `f.container[x]`, `f.value["x"]`.
    container: ContainerView
    value: ValueView
    fn: Thunk

    def copy(
        self,
        share_memory: bool = False,
        swap: Mapping[Any, SharedVariable] | None = None,
        delete_updates: bool = False,
        name: str | None = None,
        profile: bool | str | ProfileStats | None = None,
    ) -> Function: ...
    def memory_plan(self, *args: object, **kwargs: object) -> MemoryPlan: ...
    def show(
        self,
        outfile: str | None = None,
        arguments: Sequence[object] | None = None,
        open: bool = True,
    ) -> str: ...
    def get_shared(self) -> list[SharedVariable]: ...
    def free(self) -> None: ...
    def sync_shared(self) -> None: ...
    def __getitem__(self, key: object) -> Any: ...
    def __setitem__(self, key: object, value: object) -> None: ...
    def __contains__(self, key: object) -> bool: ...
