"""Machine code for the text of a program: from memory, from the cache on disk, or from LLVM."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from time import perf_counter
from typing import Any

from theano._core.base.records import Record
from theano._core.base.settings import config
from theano._core.lower.llvm.text import strided_items
from theano._core.runtime import native
from theano._core.runtime.cache import CompileCache

# Without a setting, the widest registers that the processor has are used.
WIDEST = 512

# Modules of this process, the latest used last: by the hash of their text, those of kernels also by
# what makes two of them equal. A function keeps its own alive; each takes pages of memory, whose
# number the system limits, so that those long unused are let go.
_modules: OrderedDict[Any, Any] = OrderedDict()
MOST_MODULES = 4096
# Bytes that several threads which compile should have.
FOR_THREADS = 96 << 20
# Objects that will be loaded next, by the hash of their text.
ahead: dict[str, bytes] = {}
# What stands for the object of a kernel that lies in a module with others: then comes the key of
# that, and what the name of the kernel has behind it there.
PART = b"part "


class Statistics:
    """What compilation cost in this process: counts, and seconds in LLVM."""

    compiled = 0
    from_disk = 0
    from_memory = 0
    seconds = 0.0


@lru_cache(1)
def cache() -> CompileCache:
    """Return the cache on disk."""
    return CompileCache(config.compiledir, config.cache_limit)


def load_ahead(warm: bool) -> None:
    """Begin to load what a program that is not kept needs, on another thread.

    If that is long, it is `warm` before it is needed: it has compiled something.
    """
    from theano._core.lower.llvm.target import codegen, libllvm

    if native.get_threads() > 1 and libllvm.has_memory(FOR_THREADS):
        libllvm.load_ahead(codegen.warm_up if warm else None)


@lru_cache(8)
def identity(vector_bits: int) -> str:
    """Return what machine code depends on besides the text that it was made from."""
    from theano._core.lower.llvm.target.codegen import cpu_identity

    return f"{native.ABI_VERSION} {vector_bits} {cpu_identity()}\n"


class Module(Record):
    """Loaded machine code, and the key under which the cache on disk has it.

    Code of several kernels is a module of each of them: `suffix` is what its name has behind it.
    """

    key: str
    code: Any
    suffix: str = ""

    def address(self, symbol: str) -> int:
        """Return where a function is."""
        return self.code.address(symbol + self.suffix)


def key_of(text: str, vector_bits: int) -> str:
    """Return the key of the module of a text."""
    return hashlib.sha256((identity(vector_bits) + text).encode()).hexdigest()


def load(text: str, vector_bits: int, key: str | None = None) -> Module:
    """Return the loaded machine code of an LLVM module.

    Parameters
    ----------
    text : str
    vector_bits : int
        Width of vectors; 0: the default of the target.
    key : str, optional
        The hash of the text.
    """
    key = key or key_of(text, vector_bits)
    module = kept(key)
    if module is None:
        module = _remember(key, Module(key, _loaded(_compiled(key, text, vector_bits))))
    return module


class _Shared(dict[str, int]):
    """Addresses of functions that kernels share, by name: each is there once a kernel needs it."""

    def __missing__(self, name: str) -> int:
        source = strided_items.module_of(f"@{name}")
        if source is None:
            raise KeyError(name)
        module = load(*source)
        # INVARIANT: code that others may call is never let go.
        _shared_modules.append(module)
        self[name] = module.address(name)
        return self[name]


_shared = _Shared()
_shared_modules: list[Module] = []


def _loaded(data: bytes) -> Any:
    return native.load_object(data, _shared)


def load_kernel(kernel: Any, vector_bits: int) -> Module:
    """Return the loaded machine code of a kernel: that of an equal one, without its text."""
    if kernel.key is None:
        return load(kernel.text, vector_bits)
    key = kernel.key, vector_bits
    return _remembered(key) or _remember(key, load(kernel.text, vector_bits))


def is_loaded(key: object) -> bool:
    """Tell whether the module of a key is in memory."""
    return key in _modules


def kept(key: str) -> Module | None:
    """Return the module of a key from memory or from disk, if one of them has it."""
    module = _remembered(key)
    if module is not None:
        return module
    data = ahead.pop(key, None) or on_disk(key)
    if data is None:
        return None
    if not data.startswith(PART):
        return _remember(key, Module(key, _loaded(data)))
    whole = kept(data[len(PART) : len(PART) + 64].decode())
    suffix = data[len(PART) + 64 :].decode()
    return None if whole is None else _remember(key, Module(key, whole.code, suffix))


def _remembered(key: object) -> Module | None:
    module = _modules.get(key)
    if module is not None:
        # Under both of its names, since it is used under either.
        for name in (key, module.key):
            _modules[name] = module
            _modules.move_to_end(name)
        Statistics.from_memory += 1
    return module


def _remember(key: object, module: Module) -> Module:
    _modules[key] = module
    if len(_modules) > MOST_MODULES:
        _modules.popitem(last=False)
    return module


def on_disk(key: str) -> bytes | None:
    """Return the object of a key from disk, if it is there."""
    data = cache().get(key)
    Statistics.from_disk += data is not None
    return data


def _compiled(key: str, text: str, vector_bits: int) -> bytes:
    """Return the object of a text, and keep it on disk."""
    from theano._core.lower.llvm.target.codegen import compile_text

    start = perf_counter()
    data = compile_text(text, vector_bits or WIDEST)
    keep(key, data, perf_counter() - start)
    return data


def keep(key: str, data: bytes, seconds: float) -> None:
    """Keep the object of a text, which took so many seconds, on disk."""
    cache().put(key, data)
    Statistics.seconds += seconds
    Statistics.compiled += 1


class MachineProgram(Record):
    """A program ready to run: addresses, what owns the code, and the keys of the modules.

    Kernels that are not loaded yet have the address 0 and no key.
    """

    entry: int
    kernels: tuple[int, ...]
    owners: tuple[Any, ...]
    keys: tuple[str | None, ...]


def linked(modules: Sequence[Module | None], symbols: Sequence[str]) -> MachineProgram:
    """Return the program of the module of an entry function and of those of its kernels."""
    entry, *kernels = modules
    assert entry is not None
    return MachineProgram(
        entry.address("entry"),
        tuple(
            0 if kernel is None else kernel.address(symbol)
            for kernel, symbol in zip(kernels, symbols, strict=True)
        ),
        tuple(module.code for module in modules if module is not None),
        tuple(None if module is None else module.key for module in modules),
    )
