"""Machine code for the text of a program: from memory, from the cache on disk, or from LLVM."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from theano._core.base.settings import config
from theano._core.runtime import native
from theano._core.runtime.cache import CompileCache

# Without a setting, the widest registers that the processor has are used.
WIDEST = 512

# Modules of this process, the latest used last: by the hash of their text, those of kernels also by
# what makes two of them equal. A function keeps its own alive; each takes pages of memory, whose
# number the system limits, so that those long unused are let go.
_modules: OrderedDict[Any, Any] = OrderedDict()
MOST_MODULES = 4096


class Statistics:
    """What compilation cost in this process: counts, and seconds in LLVM."""

    compiled = 0
    from_disk = 0
    from_memory = 0
    seconds = 0.0


@lru_cache(1)
def _cache() -> CompileCache:
    return CompileCache(config.compiledir, config.cache_limit)


@lru_cache(8)
def _identity(vector_bits: int) -> bytes:
    from theano._core.lower.llvm.target import cpu_identity

    return f"{native.ABI_VERSION} {vector_bits} {cpu_identity()}\n".encode()


def load(text: str, vector_bits: int, cut: Callable[[], str] | None = None) -> Any:
    """Return the loaded machine code of an LLVM module.

    Parameters
    ----------
    text : str
    vector_bits : int
        Width of vectors; 0: the default of the target.
    cut : callable, optional
        Returns another text of the same meaning, for LLVM to read.
    """
    key = hashlib.sha256(_identity(vector_bits) + text.encode()).hexdigest()

    def find() -> Any:
        data = _cache().get(key)
        if data is not None:
            Statistics.from_disk += 1
        else:
            data = _compile(text if cut is None else cut(), vector_bits)
            _cache().put(key, data)
        return native.load_object(data)

    return _remembered(key, find)


def load_kernel(kernel: Any, vector_bits: int) -> Any:
    """Return the loaded machine code of a kernel: that of an equal one, without its text."""
    if kernel.key is None:
        return load(kernel.text, vector_bits)
    return _remembered((kernel.key, vector_bits), lambda: load(kernel.text, vector_bits))


def _remembered(key: Any, find: Callable[[], Any]) -> Any:
    code = _modules.get(key)
    if code is not None:
        _modules.move_to_end(key)
        Statistics.from_memory += 1
        return code
    code = _modules[key] = find()
    if len(_modules) > MOST_MODULES:
        _modules.popitem(last=False)
    return code


def _compile(text: str, vector_bits: int) -> bytes:
    from time import perf_counter

    from theano._core.lower.llvm.target import compile_text

    start = perf_counter()
    data = compile_text(text, vector_bits or WIDEST)
    Statistics.seconds += perf_counter() - start
    Statistics.compiled += 1
    return data


class MachineProgram(NamedTuple):
    """A program ready to run: addresses, and what owns the code."""

    entry: int
    kernels: tuple[int, ...]
    owners: tuple[Any, ...]


def assemble(program: Any, vector_bits: int) -> MachineProgram:
    """Return the machine code of the entry function and of the kernels of a `ProgramText`.

    Kernels that are not `eager` have address 0 until they are asked for.
    """
    code = load(program.text, vector_bits, program.cut)
    owners = [code]
    addresses = []
    for kernel in program.kernels:
        if not kernel.eager:
            addresses.append(0)
            continue
        module = load_kernel(kernel, vector_bits)
        owners.append(module)
        addresses.append(module.address(kernel.symbol))
    return MachineProgram(code.address("entry"), tuple(addresses), tuple(owners))
