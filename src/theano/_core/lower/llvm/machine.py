"""Machine code for the text of a program: from memory, from the cache on disk, or from LLVM."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from operator import attrgetter
from queue import SimpleQueue
from threading import Thread
from time import perf_counter
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
# Objects that will be loaded next, by the hash of their text.
_ahead: dict[str, bytes] = {}


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
    key = _key(text, vector_bits)

    def find() -> Any:
        data = _ahead.pop(key, None) or _on_disk(key)
        if data is None:
            data = _compiled([(key, text if cut is None else cut())], vector_bits)[key]
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


def _key(text: str, vector_bits: int) -> str:
    return hashlib.sha256(_identity(vector_bits) + text.encode()).hexdigest()


def _on_disk(key: str) -> bytes | None:
    data = _cache().get(key)
    Statistics.from_disk += data is not None
    return data


def _compiled(texts: Iterable[tuple[str, str]], vector_bits: int) -> dict[str, bytes]:
    """Return the objects of texts by their keys, and keep them on disk.

    Each is compiled as soon as there is its text, on as many threads as may run.
    """
    from theano._core.lower.llvm.target import compile_text, prepare

    def prepared() -> Iterator[tuple[str, str]]:
        for text in texts:
            prepare()
            yield text

    def compiled(text: str) -> tuple[bytes, float]:
        start = perf_counter()
        return compile_text(text, vector_bits or WIDEST), perf_counter() - start

    objects = {}
    for key, (data, seconds) in _on_threads(compiled, prepared()).items():
        _cache().put(key, data)
        objects[key] = data
        Statistics.seconds += seconds
        Statistics.compiled += 1
    return objects


def _on_threads(
    work: Callable[[str], Any], jobs: Iterable[tuple[str, str]], most: int | None = None
) -> dict[str, Any]:
    """Return what `work` makes of each of `jobs`, by their names; raises its first error."""
    most = native.get_threads() if most is None else most
    if most < 2:
        return {name: work(job) for name, job in jobs}
    waiting: SimpleQueue[tuple[str, str] | None] = SimpleQueue()
    results: dict[str, Any] = {}
    errors: dict[str, BaseException] = {}

    def run() -> None:
        while (job := waiting.get()) is not None:
            try:
                results[job[0]] = work(job[1])
            except BaseException as error:
                errors[job[0]] = error

    names: list[str] = []
    threads: list[Thread] = []
    try:
        for job in jobs:
            names.append(job[0])
            waiting.put(job)
            if len(threads) < most:
                threads.append(Thread(target=run, daemon=True))
                threads[-1].start()
    finally:
        for _ in threads:
            waiting.put(None)
        for thread in threads:
            thread.join()
    for name in filter(errors.get, names):
        raise errors[name]
    return {name: results[name] for name in names}


class MachineProgram(NamedTuple):
    """A program ready to run: addresses, and what owns the code."""

    entry: int
    kernels: tuple[int, ...]
    owners: tuple[Any, ...]


def _compile_ahead(program: Any, vector_bits: int) -> None:
    """Compile what a program needs at once, so that `load` finds it."""
    # Of equal kernels the first, since it is the one whose text `load_kernel` asks for.
    kernels: dict[Any, Any] = {}
    for kernel in filter(attrgetter("eager"), program.kernels):
        kernels.setdefault(kernel.key or kernel, kernel)
    new = [k for key, k in kernels.items() if (key, vector_bits) not in _modules]

    def missing() -> Iterator[tuple[str, str]]:
        seen: set[str] = set()
        # The longest first.
        for text, cut in ((program.text, program.cut), *((k.text, None) for k in new)):
            key = _key(text, vector_bits)
            if key in seen or key in _modules:
                continue
            seen.add(key)
            data = _on_disk(key)
            if data is None:
                yield key, text if cut is None else cut()
            else:
                _ahead[key] = data

    _ahead.update(_compiled(missing(), vector_bits))


def assemble(program: Any, vector_bits: int) -> MachineProgram:
    """Return the machine code of the entry function and of the kernels of a `ProgramText`.

    Kernels that are not `eager` have address 0 until they are asked for.
    """
    _compile_ahead(program, vector_bits)
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
