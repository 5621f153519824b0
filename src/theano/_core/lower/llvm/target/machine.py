"""Machine code for the text of a program: from memory, from the cache on disk, or from LLVM."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import chain, islice
from queue import SimpleQueue
from threading import Thread
from time import perf_counter
from typing import TYPE_CHECKING, Any

from theano._core.base.records import Record
from theano._core.base.settings import config
from theano._core.lower.llvm.target import joint
from theano._core.runtime import native
from theano._core.runtime.cache import CompileCache

if TYPE_CHECKING:
    from theano._core.lower.program_text import ProgramText

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
_ahead: dict[str, bytes] = {}
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


def load_ahead() -> None:
    """Begin to load what a program that is not kept needs, on another thread."""
    from theano._core.lower.llvm.target import libllvm

    if native.get_threads() > 1 and libllvm.has_memory(FOR_THREADS):
        libllvm.load_ahead()


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
        data = _compiled([(key, text)], vector_bits)[key]
        module = _remember(key, Module(key, native.load_object(data)))
    return module


def load_kernel(kernel: Any, vector_bits: int) -> Module:
    """Return the loaded machine code of a kernel: that of an equal one, without its text."""
    if kernel.key is None:
        return load(kernel.text, vector_bits)
    key = kernel.key, vector_bits
    return _remembered(key) or _remember(key, load(kernel.text, vector_bits))


def kept(key: str) -> Module | None:
    """Return the module of a key from memory or from disk, if one of them has it."""
    module = _remembered(key)
    if module is not None:
        return module
    data = _ahead.pop(key, None) or _on_disk(key)
    if data is None:
        return None
    if not data.startswith(PART):
        return _remember(key, Module(key, native.load_object(data)))
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


def _on_disk(key: str) -> bytes | None:
    data = cache().get(key)
    Statistics.from_disk += data is not None
    return data


def _compiled(texts: Iterable[tuple[str, str]], vector_bits: int) -> dict[str, bytes]:
    """Return the objects of texts by their keys, and keep them on disk.

    Each is compiled as soon as there is its text, on as many threads as may run.
    """
    from theano._core.lower.llvm.target.codegen import compile_text

    def compiled(text: str) -> tuple[bytes, float]:
        start = perf_counter()
        return compile_text(text, vector_bits or WIDEST), perf_counter() - start

    objects = {}
    for key, (data, seconds) in _on_threads(compiled, texts).items():
        cache().put(key, data)
        objects[key] = data
        Statistics.seconds += seconds
        Statistics.compiled += 1
    return objects


def _on_threads(
    work: Callable[[str], object], jobs: Iterable[tuple[str, str]], most: int | None = None
) -> dict[str, Any]:
    """Return what `work` makes of each of `jobs`, by their names; raises its first error."""
    from theano._core.lower.llvm.target.libllvm import has_memory

    most = native.get_threads() if most is None else most
    jobs = iter(jobs)
    first = list(islice(jobs, 2))
    jobs = chain(first, jobs)
    # Starting a thread takes a tenth of the time that a small function takes. Where memory runs out
    # in another one, Python ends the process.
    if most < 2 or len(first) < 2 or not has_memory(FOR_THREADS):
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
                most = _start(Thread(target=run, daemon=True), threads, most)
    finally:
        for _ in threads:
            waiting.put(None)
        # An interrupt may have come while one was started.
        for thread in filter(Thread.is_alive, threads):
            thread.join()
    waiting.put(None)
    run()
    for name in filter(errors.get, names):
        raise errors[name]
    return {name: results[name] for name in names}


def _start(thread: Thread, threads: list[Thread], most: int) -> int:
    """Start a thread and add it to `threads`; return how many there may be at most."""
    threads.append(thread)
    try:
        thread.start()
    except RuntimeError:
        # The system gives no more.
        threads.pop()
        return len(threads)
    return most


class MachineProgram(Record):
    """A program ready to run: addresses, what owns the code, and the keys of the modules.

    Kernels that are not loaded yet have the address 0 and no key.
    """

    entry: int
    kernels: tuple[int, ...]
    owners: tuple[Any, ...]
    keys: tuple[str | None, ...]


def _compile_ahead(entry: str, program: ProgramText, vector_bits: int) -> None:
    """Compile what a program needs at once, so that `load` finds it; `entry` is its text's key."""
    new: dict[Any, Any] = {}
    for kernel in program.kernels:
        if kernel.eager and ((key := kernel.key), vector_bits) not in _modules:
            # Of equal ones the first, since it is the one whose text `load_kernel` asks for.
            new.setdefault(key or kernel, kernel)
    if not new and entry in _modules:
        return

    def missing() -> Iterator[tuple[str, str]]:
        seen: set[str] = set()
        # The longest first.
        texts = ((key_of(k.text, vector_bits), k.text) for k in new.values())
        for key, text in chain([(entry, program.text)], texts):
            if key in seen or key in _modules:
                continue
            seen.add(key)
            data = _on_disk(key)
            if data is None:
                yield key, text
            else:
                _ahead[key] = data

    single = missing()
    size = joint.size_of_groups(len(new), native.get_threads())
    places: dict[str, tuple[str, int]] = {}
    groups = joint.in_groups(single, size, partial(key_of, vector_bits=vector_bits), places)
    # The entry alone.
    _ahead.update(_compiled(chain(islice(single, 1), groups), vector_bits))
    for key, (whole, number) in places.items():
        _ahead[key] = PART + f"{whole}{number}".encode()
        cache().put(key, _ahead[key])


def assemble(program: ProgramText, vector_bits: int) -> MachineProgram:
    """Return the machine code of the entry function and of the kernels of a `ProgramText`.

    Kernels that are not `eager` have address 0 until they are asked for.
    """
    key = key_of(program.text, vector_bits)
    _compile_ahead(key, program, vector_bits)
    modules: list[Module | None] = [load(program.text, vector_bits, key)]
    modules += [load_kernel(k, vector_bits) if k.eager else None for k in program.kernels]
    return linked(modules, [kernel.symbol for kernel in program.kernels])


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
