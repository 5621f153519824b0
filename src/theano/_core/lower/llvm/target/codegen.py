"""From LLVM text to the machine code of this machine. Several threads may compile at once."""

import functools
import os
import platform
import sys

from theano._core.lower.llvm.target import libllvm
from theano._core.lower.llvm.target.libllvm import CodeGenerationError as CodeGenerationError

# Levels 1, 2 and 3 of the back end took the same time, and wrote code of the same speed, on a loop
# of four elementary functions.
OPTIMIZATION_LEVEL = 2
# How a module begins that is compiled at level 0, in a fifth of the time: see `lower/effort.py`.
LITTLE_EFFORT = "; little effort"


def lanes_of(itemsize: int, bits: int) -> int:
    """Numbers that a vector of so many bits holds, of 512 bits if settings do not say (0).

    On 256-bit hardware such a vector is two registers. Two independent chains of instructions hide
    each other's latency.
    """
    return max(1, (bits or 512) // 8 // itemsize)


def widest_vectors() -> int:
    """Bits of the widest vectors that code without a setting may use; found without LLVM."""
    return 512 if " avx512f " in f"{cpu_identity()} " else 256


def cpu_identity() -> str:
    """What the machine code depends on besides its text: processor, features, LLVM, its options.

    Part of the key of the compile cache; found without LLVM.
    """
    return _cpu_identity()


@functools.cache
def _cpu_identity() -> str:
    llvm = " ".join((libllvm.version(), *libllvm.OPTIONS))
    return f"{sys.platform} {_machine()} llvmlite {llvm} {_processor()}"


def _processor() -> str:
    """The lines of /proc/cpuinfo that tell processors apart, of the first processor."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
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
def has_fast_gathers(vector_bits: int) -> bool:
    """Whether code for vectors of this width reads at addresses apart by one instruction.

    Intel's processors with numbers of 16 bits are those that need no mitigation of Gather Data
    Sampling, which makes that instruction slower than a load for each item. AMD's were not tried.
    """
    return has_avx512(vector_bits) and "avx512_fp16" in _processor().split()


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
    features = libllvm.host_features()
    if vector_bits < 512:
        # Without the prefix LLVM would still use the wide registers.
        features = {
            name: on and not name.startswith(("avx512", "avx10", "evex512"))
            for name, on in features.items()
        }
    return ",".join(("+" if on else "-") + name for name, on in sorted(features.items()))


# Those that no thread uses now, by the width of vectors and the level.
_idle: dict[tuple[int, int], list[tuple[int, int]]] = {}


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
    MemoryError
        There is too little for LLVM.
    """
    return _compiled(text, vector_bits)


def assembly_of(text: str, vector_bits: int) -> str:
    """The machine code of a module as a person reads it; parameters as of `compile_text`."""
    return _compiled(text, vector_bits, readable=True).decode()


def _compiled(text: str, vector_bits: int, readable: bool = False) -> bytes:
    """Compile with a target machine and a context that no other thread uses meanwhile."""
    libllvm.require_memory(len(text))
    level = 0 if text.startswith(LITTLE_EFFORT) else OPTIMIZATION_LEVEL
    own = take_target(vector_bits, level)
    try:
        return libllvm.compiled(*own, elf_triple(), text, readable)
    finally:
        give_back(own, vector_bits, level)


# A loop over vectors, and a call.
_LITTLE = """
define void @little(ptr %x, i64 %n) nounwind {
entry:
  br label %head
head:
  %i = phi i64 [0, %entry], [%next, %body]
  %more = icmp slt i64 %i, %n
  br i1 %more, label %body, label %done
body:
  %at = getelementptr double, ptr %x, i64 %i
  %old = load <8 x double>, ptr %at, align 1
  %low = fcmp olt <8 x double> %old, splat (double 1.5)
  %two = fmul <8 x double> %old, %old
  %new = select <8 x i1> %low, <8 x double> %two, <8 x double> %old
  store <8 x double> %new, ptr %at, align 1
  %next = add nsw i64 %i, 8
  br label %head
done:
  %less = select i1 %more, i64 0, i64 1
  call void @llvm.memset.p0.i64(ptr %x, i8 0, i64 %less, i1 false)
  ret void
}
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
"""


def warm_up() -> None:
    """Compile a little in both ways: the first time takes ten milliseconds more than others."""
    for head in ("", f"{LITTLE_EFFORT}\n"):
        compile_text(head + _LITTLE, 512)


def take_target(vector_bits: int, level: int = OPTIMIZATION_LEVEL) -> tuple[int, int]:
    """Return a target machine and a context that no other thread uses until they are given back."""
    libllvm.prepare()
    try:
        return _idle.setdefault((vector_bits, level), []).pop()
    except IndexError:
        features = target_features(vector_bits)
        machine = libllvm.new_target_machine(elf_triple(), features, level)
        return machine, libllvm.new_context()


def give_back(own: tuple[int, int], vector_bits: int, level: int = OPTIMIZATION_LEVEL) -> None:
    """Let others use what `take_target` returned."""
    _idle.setdefault((vector_bits, level), []).append(own)


def elf_triple() -> str:
    """The triple of this machine's processor with ELF objects, which our loader reads."""
    return f"{_machine()}-unknown-linux-gnu"
