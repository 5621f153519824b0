"""The machine code of a program, of which kernels are compiled while the rest is written."""

from __future__ import annotations

from functools import partial
from typing import Any

from theano._core.lower.llvm.target import codegen, joint, libllvm, machine
from theano._core.lower.llvm.text import strided_items
from theano._core.lower.program_text import ProgramText
from theano._core.runtime import native


class Assembler:
    """Makes the machine code of one program, on as many threads as may run.

    A context manager: its threads end with it.
    """

    def __init__(self, vector_bits: int) -> None:
        self._bits = vector_bits
        self._compiler: native.Compiler | None = None
        # What the threads of the compiler write code with.
        self._targets: list[tuple[int, int]] = []
        # Kernels, and keys of texts, that are seen to.
        self._seen: set[Any] = set()
        # Keys and texts that the compiler does not have yet, and the keys of the modules it has.
        self._waiting: list[tuple[str, str]] = []
        # INVARIANT: what kernels call is in no module with one of them, which needs it to load.
        self._called: list[tuple[str, str]] = []
        self._submitted: list[str] = []
        # The module that a kernel is in with others, and its number there.
        self._places: dict[str, tuple[str, int]] = {}

    def __enter__(self) -> Assembler:
        return self

    def __exit__(self, *_: object) -> None:
        # It waits for its threads. INVARIANT: nothing else refers to it, not even a traceback.
        self._compiler = None
        for target in self._targets:
            codegen.give_back(target, self._width)

    @property
    def _width(self) -> int:
        return self._bits or machine.WIDEST

    def offer(self, kernel: Any) -> None:
        """Have a kernel of the program compiled, if a thread has nothing to do."""
        self._want(kernel)
        if not self._waiting or native.get_threads() < 2 or not libllvm.is_loaded():
            return
        busy = self._compiler is not None and self._compiler.waiting() > 0
        if not busy or len(self._waiting) == joint.MOST_KERNELS:
            self._give(len(self._waiting))

    def assemble(self, program: ProgramText) -> machine.MachineProgram:
        """Return the machine code of the entry function and of the kernels of a program.

        Kernels that are not `eager` have address 0 until they are asked for.

        Raises
        ------
        CodeGenerationError
            LLVM cannot read a text.
        MemoryError
            There is too little for LLVM.
        """
        for kernel in program.kernels:
            if kernel.eager:
                self._want(kernel)
        if self._waiting or self._called:
            self._give(joint.size_of_groups(len(self._waiting), native.get_threads()))
        entry = machine.load(program.text, self._bits)
        self._finish()
        kernels = [machine.load_kernel(k, self._bits) if k.eager else None for k in program.kernels]
        return machine.linked([entry, *kernels], [kernel.symbol for kernel in program.kernels])

    def _want(self, kernel: Any) -> None:
        """Have a kernel wait for being compiled, unless there is an equal one."""
        own = kernel.key or kernel
        if own in self._seen or machine.is_loaded((kernel.key, self._bits)):
            return
        self._seen.add(own)
        # Of equal ones the first, since it is the one whose text `load_kernel` asks for.
        text = kernel.text
        self._want_text(text, self._waiting)
        for called, vector_bits in strided_items.modules_for(text):
            if vector_bits == self._bits:
                self._want_text(called, self._called)

    def _want_text(self, text: str, waiting: list[tuple[str, str]]) -> None:
        key = machine.key_of(text, self._bits)
        if key in self._seen or machine.is_loaded(key):
            return
        self._seen.add(key)
        data = machine.on_disk(key)
        if data is None:
            waiting.append((key, text))
        else:
            machine.ahead[key] = data

    def _give(self, size: int) -> None:
        """Have the compiler begin with what waits, so many kernels in a module."""
        if self._compiler is None:
            libllvm.prepare()
            self._compiler = native.Compiler(libllvm.compiling(), codegen.elf_triple())
        key_of = partial(machine.key_of, vector_bits=self._bits)
        groups = joint.in_groups(iter(self._waiting), size, key_of, self._places)
        for key, text in (*groups, *self._called):
            libllvm.require_memory(len(text))
            self._compiler.add(text)
            self._submitted.append(key)
            # One thread less than may run, beside this one.
            idle = len(self._targets) + 1 < native.get_threads() and self._compiler.waiting()
            # Where memory runs out in a thread, the process ends.
            if idle and libllvm.has_memory(machine.FOR_THREADS):
                target = codegen.take_target(self._width)
                self._targets.append(target)
                self._compiler.start(*target)
        self._waiting.clear()
        self._called.clear()

    def _finish(self) -> None:
        """Compile what no thread has begun with, and wait for the others."""
        if self._compiler is None:
            return
        target = codegen.take_target(self._width)
        try:
            results = self._compiler.finish(*target)
        finally:
            codegen.give_back(target, self._width)
        for key, (made, seconds) in zip(self._submitted, results, strict=True):
            data = machine.ahead[key] = libllvm.checked(made)
            machine.keep(key, data, seconds)
        for key, (whole, number) in self._places.items():
            data = machine.ahead[key] = machine.PART + f"{whole}{number}".encode()
            machine.cache().put(key, data)
