"""From LLVM text to the machine code of this machine, through llvmlite.

llvmlite takes 50 ms to import and is needed only where the compile cache has no answer, so it is
imported at the first compilation. Several threads may compile at once.
"""

import contextlib
import ctypes
import functools
import importlib.util
import os
import platform
import re
import sys
from collections.abc import Iterator
from threading import Thread
from typing import Any

# Levels 1, 2 and 3 of the back end took the same time, and wrote code of the same speed, on a loop
# of four elementary functions.
OPTIMIZATION_LEVEL = 2


class CodeGenerationError(Exception):
    """LLVM refused text that this package wrote: an error of the package, never of its user."""


def lanes_of(itemsize: int, bits: int) -> int:
    """Numbers that a vector of so many bits holds, of 512 bits if settings do not say (0).

    On 256-bit hardware such a vector is two registers. Two independent chains of instructions hide
    each other's latency.
    """
    return max(1, (bits or 512) // 8 // itemsize)


def widest_vectors() -> int:
    """Bits of the widest vectors that code without a setting may use; found without llvmlite."""
    return 512 if " avx512f " in f"{cpu_identity()} " else 256


def cpu_identity() -> str:
    """What the machine code depends on besides its text: processor, features, LLVM.

    Part of the key of the compile cache; found without llvmlite.
    """
    return _cpu_identity()


@functools.cache
def _cpu_identity() -> str:
    return f"{sys.platform} {_machine()} llvmlite {_llvmlite_version()} {_processor()}"


def _llvmlite_version() -> str:
    """The version from llvmlite's version file: importing it, or its metadata, takes too long."""
    folder = _llvmlite_folder()
    if not folder:
        return "none"
    try:
        with open(os.path.join(folder, "_version.py"), encoding="utf-8") as file:
            found = re.search(r"version = '([^']*)'", file.read())
    except OSError:
        found = None
    init = os.path.join(folder, "__init__.py")
    return found.group(1) if found else str(os.stat(init).st_mtime_ns)


def _llvmlite_folder() -> str:
    spec = importlib.util.find_spec("llvmlite")
    return "" if spec is None or spec.origin is None else os.path.dirname(spec.origin)


def _processor() -> str:
    """The lines of /proc/cpuinfo that tell processors apart, of the first processor."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            text = file.read(16384)
    except OSError:
        return platform.processor()
    first = text.split("\n\n", 1)[0]
    wanted = ("vendor_id", "cpu family", "model\t", "stepping", "flags", "Features", "CPU ")
    return "\n".join(line for line in first.splitlines() if line.startswith(wanted))


def _machine() -> str:
    """The processor family as triples name it."""
    # Not platform.machine(), which takes milliseconds to load what it does not need here.
    machine = os.uname().machine if hasattr(os, "uname") else platform.machine()
    return {"amd64": "x86_64", "AMD64": "x86_64", "arm64": "aarch64"}.get(machine, machine)


@functools.cache
def has_avx512(vector_bits: int) -> bool:
    """Whether code for vectors of this width (0: the widest) uses AVX-512: 32 registers, masks."""
    return vector_bits in (0, 512) and {"avx512bw", "avx512vl"} <= set(_processor().split())


@functools.cache
def smallest_masked_item(vector_bits: int) -> int:
    """Bytes of the smallest item whose vectors are read and written under a mask; 0: none are.

    LLVM writes a branch for each item where the processor has no such instruction.
    """
    if has_avx512(vector_bits):
        return 1
    return 4 if "avx2" in _processor().split() else 0


def target_features(vector_bits: int) -> str:
    """The feature string of this machine, without the vectors that are wider than asked for."""
    import llvmlite.binding as llvm

    features = dict(llvm.get_host_cpu_features())
    if vector_bits < 512:
        # Without the prefix LLVM would still use the wide registers.
        features = {
            name: on and not name.startswith(("avx512", "avx10", "evex512"))
            for name, on in features.items()
        }
    return ",".join(("+" if on else "-") + name for name, on in sorted(features.items()))


@functools.cache
def load_ahead() -> None:
    """Have a thread load LLVM's library, while a first program is rewritten and lowered.

    It is a sixth of the time that such a program takes. The import finds it loaded, or waits.
    """
    if os.name == "posix" and "llvmlite" not in sys.modules:
        path = os.path.join(_llvmlite_folder(), "binding", "libllvmlite.so")
        # Not ctypes.CDLL(path), which holds Python's lock meanwhile.
        load = ctypes.CDLL(None).dlopen
        thread = Thread(target=load, args=(os.fsencode(path), os.RTLD_NOW), daemon=True)
        thread.start()
        # A child would find the library half loaded.
        os.register_at_fork(before=thread.join)


@functools.cache
def prepare() -> None:
    """Import llvmlite and set LLVM up: to be called before other threads compile."""
    import llvmlite.binding as llvm

    # Looking for equal ends of blocks takes time with the square of the number of blocks that end
    # alike, and the entry function of a long program has hundreds: 70 of 180 ms.
    llvm.set_option("theano", "-tail-merge-threshold=10")
    # An eighth of the time: the order of independent instructions, which processors choose anew.
    llvm.set_option("theano", "-post-RA-scheduler=false")
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


# Those that no thread uses now, by the width of vectors.
_idle: dict[int, list[tuple[Any, Any]]] = {}


@contextlib.contextmanager
def _target_machine(vector_bits: int) -> Iterator[tuple[Any, Any]]:
    """Give a target machine and a context that no other thread uses meanwhile."""
    import llvmlite.binding as llvm

    prepare()
    idle = _idle.setdefault(vector_bits, [])
    try:
        own = idle.pop()
    except IndexError:
        own = _new_machine(vector_bits), llvm.create_context()
    try:
        yield own
    finally:
        idle.append(own)


def _new_machine(vector_bits: int) -> Any:
    import llvmlite.binding as llvm

    return llvm.Target.from_triple(elf_triple()).create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=target_features(vector_bits),
        opt=OPTIMIZATION_LEVEL,
        reloc="pic",
        codemodel="small",
    )


@functools.cache
def _emit() -> Any:
    """The function of llvmlite's library that writes an object, without the lock of its wrapper.

    Python's lock is not held in it either. None where this llvmlite has no such names.
    """
    import llvmlite.binding.ffi as ffi

    try:
        wrapped = ffi.lib.LLVMPY_TargetMachineEmitToMemory
        function = ctypes.CDLL(ffi.lib._name).LLVMPY_TargetMachineEmitToMemory
        function.argtypes, function.restype = wrapped.argtypes, wrapped.restype
    except (AttributeError, OSError):
        return None
    return function


def _object_of(machine: Any, module: Any) -> bytes:
    """Return what `machine.emit_object(module)` does, while other threads do the same."""
    import llvmlite.binding.ffi as ffi

    emit = _emit()
    if emit is None:
        return machine.emit_object(module)
    with ffi.OutputString() as error:
        buffer = emit(machine, module, 1, error)
        if not buffer:
            raise CodeGenerationError(f"LLVM cannot write the code of a module: {error}")
    try:
        size = ffi.lib.LLVMPY_GetBufferSize(buffer)
        return ctypes.string_at(ffi.lib.LLVMPY_GetBufferStart(buffer), size)
    finally:
        ffi.lib.LLVMPY_DisposeMemoryBuffer(buffer)


def elf_triple() -> str:
    """The triple of this machine's processor with ELF objects, which our loader reads."""
    return f"{_machine()}-unknown-linux-gnu"


def compile_text(text: str, vector_bits: int) -> bytes:
    """The object file of a module.

    Parameters
    ----------
    text : str
        An LLVM module.
    vector_bits : int
        The widest vector register to use, in bits: 128, 256 or 512.

    Raises
    ------
    CodeGenerationError
        LLVM cannot read the text; the message quotes the line.
    """
    with _parsed(text, vector_bits) as (machine, module):
        return _object_of(machine, module)


def assembly_of(text: str, vector_bits: int) -> str:
    """The machine code of a module as a person reads it; parameters as of `compile_text`."""
    with _parsed(text, vector_bits) as (machine, module):
        return machine.emit_assembly(module)


@contextlib.contextmanager
def _parsed(text: str, vector_bits: int) -> Iterator[tuple[Any, Any]]:
    """Give a target machine and the module of a text."""
    import llvmlite.binding as llvm

    with _target_machine(vector_bits) as (machine, context):
        try:
            module = llvm.parse_assembly(text, context)
            module.verify()
        except RuntimeError as error:
            raise CodeGenerationError(
                f"LLVM cannot read the text written for it: {error}"
            ) from error
        module.triple = elf_triple()
        module.data_layout = str(machine.target_data)
        yield machine, module
