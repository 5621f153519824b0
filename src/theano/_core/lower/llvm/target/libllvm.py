"""LLVM: the functions of llvmlite's library that turn a text into machine code.

They are called without `llvmlite.binding`, whose import takes as long as a small function takes to
compile, and whose one lock lets no two threads parse at once. A context is used by one thread.
"""

import ctypes
import functools
import importlib.util
import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Lock, Thread
from typing import Any

from theano._core.base import developing
from theano._core.runtime import native

_POINTER, _STRING = ctypes.c_void_p, ctypes.c_char_p
# Where a function leaves a string: an error, or what it was asked.
_RETURNED = ctypes.POINTER(ctypes.c_char_p)

# What each function gives and takes; their names begin with LLVMPY_.
PROTOTYPES: dict[str, tuple[Any, ...]] = {
    "SetCommandLine": (ctypes.c_int, _STRING, _STRING),
    "InitializeNativeTarget": (ctypes.c_int,),
    "InitializeNativeAsmPrinter": (ctypes.c_int,),
    "GetHostCPUName": (ctypes.c_int, _RETURNED),
    "GetHostCPUFeatures": (ctypes.c_int, _RETURNED),
    "DisposeString": (ctypes.c_int, _STRING),
    "GetTargetFromTriple": (_POINTER, _STRING, _RETURNED),
    # The target, its triple, processor, features, level of optimization, relocation, code model,
    # whether to print, whether for LLVM's own loader, and the ABI.
    "CreateTargetMachine": (
        *(_POINTER, _POINTER, _STRING, _STRING, _STRING, ctypes.c_int),
        *(_STRING, _STRING, ctypes.c_int, ctypes.c_int, _STRING),
    ),
    "ContextCreate": (_POINTER,),
    "ParseAssembly": (_POINTER, _POINTER, _STRING, _RETURNED),
    "VerifyModule": (ctypes.c_bool, _POINTER, _RETURNED),
    "SetTarget": (ctypes.c_int, _POINTER, _STRING),
    "DisposeModule": (ctypes.c_int, _POINTER),
    "TargetMachineEmitToMemory": (_POINTER, _POINTER, _POINTER, ctypes.c_int, _RETURNED),
    "GetBufferStart": (_POINTER, _POINTER),
    "GetBufferSize": (ctypes.c_size_t, _POINTER),
    "DisposeMemoryBuffer": (ctypes.c_int, _POINTER),
}
# Those that the runtime calls, in the order of its llvm.cpp.
_COMPILING = (
    *("ParseAssembly", "SetTarget", "TargetMachineEmitToMemory", "GetBufferStart"),
    *("GetBufferSize", "DisposeMemoryBuffer", "DisposeModule", "DisposeString", "VerifyModule"),
)
# LLVM is told with them what is not worth its time; machine code depends on them.
OPTIONS = (
    # Looking for equal ends of blocks takes time with the square of the number of blocks that end
    # alike, and the entry function of a long program has hundreds: 70 of 180 ms.
    "-tail-merge-threshold=10",
    # An eighth of the time: the order of independent instructions, which processors choose anew.
    "-post-RA-scheduler=false",
    # The same before registers are chosen, a tenth: it is enough that instructions are selected in
    # an order that suits. As they are written, long formulas are a tenth slower.
    "-enable-misched=false",
    "-pre-RA-sched=list-ilp",
    # A twentieth: computing addresses in the blocks that use them, as it is written already.
    "-disable-cgp",
    # A third of the time of a kernel: finding pointers that move by a stride, as ours do already.
    "-disable-lsr",
)
# The versions of llvmlite that are known to have them. Others are asked.
KNOWN = tuple(f"0.{minor}." for minor in range(45, 51))


class CodeGenerationError(Exception):
    """LLVM refused text that this package wrote: an error of the package, never of its user."""


def version() -> str:
    """The version in llvmlite's file: importing it, or its metadata, takes too long."""
    folder = _folder()
    if not folder:
        return "none"
    try:
        with open(os.path.join(folder, "_version.py"), encoding="utf-8") as file:
            match = re.search(r"version = '([^']*)'", file.read())
    except OSError:
        match = None
    init = os.path.join(folder, "__init__.py")
    return match.group(1) if match else str(os.stat(init).st_mtime_ns)


def _folder() -> str:
    spec = importlib.util.find_spec("llvmlite")
    return "" if spec is None or spec.origin is None else os.path.dirname(spec.origin)


def _path() -> str:
    return os.path.join(_folder(), "binding", "libllvmlite.so")


@functools.cache
def load_ahead(then: Callable[[], object] | None = None) -> None:
    """Have a thread load the library, while a first program is rewritten and lowered.

    It is a sixth of the time that such a program takes. Who needs it finds it loaded, or waits. If
    nobody needs it by then, the thread does what comes `then`.
    """

    def load() -> None:
        # Not ctypes.CDLL(path), which holds Python's lock meanwhile.
        ctypes.CDLL(None).dlopen(os.fsencode(_path()), os.RTLD_NOW)
        # Who compiles in earnest is told what is wrong.
        with suppress(ImportError, MemoryError, CodeGenerationError):
            if then is not None and not library.cache_info().currsize:
                then()

    if os.name == "posix":
        thread = Thread(target=load, daemon=True)
        # The system may give no thread.
        with suppress(RuntimeError):
            thread.start()
            # A child would find the library half loaded.
            os.register_at_fork(before=thread.join)
            _loading.append(thread)


_loading: list[Thread] = []


def is_loaded() -> bool:
    """Tell whether nobody has to wait for the library while a thread loads it."""
    return not any(thread.is_alive() for thread in _loading)


@functools.cache
def library() -> Any:
    """The library, with `PROTOTYPES` set.

    Raises
    ------
    ImportError
        There is no such library, or its functions are not those of `PROTOTYPES`.
    MemoryError
        There is too little for it.
    """
    path = _path()
    supported = version().startswith(KNOWN) and os.path.exists(path)
    try:
        if not supported:
            path = _compared()
        loaded = ctypes.CDLL(path)
        for name, (result, *arguments) in PROTOTYPES.items():
            function = getattr(loaded, f"LLVMPY_{name}")
            function.restype, function.argtypes = result, arguments
    except (AttributeError, OSError) as error:
        size = os.path.getsize(path) if os.path.exists(path) else 0
        if not has_memory(size):
            raise MemoryError(f"LLVM takes {size >> 20} MB, which cannot be had") from error
        raise _unknown(str(error)) from error
    return loaded


def _compared() -> str:
    """Return the library's path once `llvmlite.binding` is found to call it as `PROTOTYPES` say."""
    import llvmlite.binding.ffi as ffi

    for name in different(ffi.lib):
        raise _unknown(f"LLVMPY_{name} is called in another way")
    return ffi.lib._name


def different(lib: Any) -> Iterator[str]:
    """Yield the functions that llvmlite's Python layer, whose `ffi.lib` is given, calls otherwise.

    Types are compared by their sizes: each of our pointers is of a class of its own there.
    """
    for name, (result, *arguments) in PROTOTYPES.items():
        function = getattr(lib, f"LLVMPY_{name}")
        # What takes any arguments says None.
        theirs = [
            function.restype,
            *(arguments if function.argtypes is None else function.argtypes),
        ]
        if [*map(ctypes.sizeof, theirs)] != [*map(ctypes.sizeof, (result, *arguments))]:
            yield name


def _unknown(reason: str) -> ImportError:
    return ImportError(
        f"llvmlite {version()} cannot be used to compile: {reason}. Versions that are known to "
        f"work are {', '.join(version_prefix + '*' for version_prefix in KNOWN)}"
    )


def call(name: str, *arguments: Any) -> tuple[Any, str]:
    """Return the result of a function that returns a string besides, and that string."""
    lib, text = library(), ctypes.c_char_p()
    result = getattr(lib, f"LLVMPY_{name}")(*arguments, ctypes.byref(text))
    try:
        return result, (text.value or b"").decode("utf-8", "replace")
    finally:
        if text:
            lib.LLVMPY_DisposeString(text)


def prepare() -> None:
    """Set LLVM up, once."""
    with _preparing:
        _prepare()


# Two threads may come with a first program each.
_preparing = Lock()


@functools.cache
def _prepare() -> None:
    lib = library()
    for option in OPTIONS:
        lib.LLVMPY_SetCommandLine(b"theano", option.encode())
    lib.LLVMPY_InitializeNativeTarget()
    lib.LLVMPY_InitializeNativeAsmPrinter()


def has_memory(size: int) -> bool:
    """Tell whether so many bytes can be had."""
    try:
        # Never touched, so that it takes microseconds.
        bytes(size)
    except MemoryError:
        return False
    return True


def require_memory(characters: int) -> None:
    """Raise MemoryError unless LLVM can have what a text of so many characters takes, and more.

    It ends the process where it lacks memory. What it took was at most ten bytes a character.
    """
    needed = (32 << 20) + 32 * characters
    if not has_memory(needed):
        raise MemoryError(
            f"compiling a part of the function takes up to {needed >> 20} MB, which cannot be had"
        )


def host_features() -> dict[str, bool]:
    """Return which features of processors this one has, by LLVM's names."""
    _, text = call("GetHostCPUFeatures")
    return {feature[1:]: feature[0] == "+" for feature in text.split(",") if feature}


def new_context() -> int:
    """Return a new context, in which one thread at a time may have modules."""
    return library().LLVMPY_ContextCreate()


def new_target_machine(triple: str, features: str, level: int) -> int:
    """Return what writes code for this processor; modules of any context may be given to it.

    Raises
    ------
    CodeGenerationError
        This LLVM has no such target.
    """
    target, reason = call("GetTargetFromTriple", triple.encode())
    processor = call("GetHostCPUName")[1].encode()
    arguments = (triple.encode(), processor, features.encode(), level, b"pic", b"small", 0, 0, b"")
    machine = target and library().LLVMPY_CreateTargetMachine(target, *arguments)
    if not machine:
        raise CodeGenerationError(f"LLVM cannot write code for {triple}: {reason}")
    return machine


def compiled(machine: int, context: int, triple: str, text: str, readable: bool = False) -> bytes:
    """Return the object file of a module, or its assembly where it is to be `readable`.

    Raises
    ------
    CodeGenerationError
        LLVM cannot read the text; the message quotes the line.
    """
    return checked(native.compile_module(compiling(), machine, context, triple, text, not readable))


def checked(made: bytes | str) -> bytes:
    """Return what was made of a text; raise CodeGenerationError if it says why there is nothing."""
    if isinstance(made, str):
        raise CodeGenerationError(f"LLVM cannot {made}")
    return made


@functools.cache
def compiling() -> tuple[int, ...]:
    """Return the addresses of the functions that turn a text into code."""
    functions = [getattr(library(), f"LLVMPY_{name}") for name in _COMPILING]
    addresses = [ctypes.cast(function, _POINTER).value or 0 for function in functions]
    # A text is checked where programs are: that takes a seventh of the time of an entry function.
    return (*addresses[:-1], addresses[-1] if developing.CHECK else 0)
