"""How a function is rewritten and run."""

from __future__ import annotations

from typing import Any

from theano._core.base.settings import accept_mode_class, config
from theano._core.rewrite.pipeline import LEVELS

BACKENDS = {
    "llvm": "llvm",
    "py": "reference",
    "vm": "llvm",
    "cvm": "llvm",
    "c": "llvm",
    "c|py": "llvm",
    "c|py_nogc": "llvm",
    "vm_nogc": "llvm",
    "cvm_nogc": "llvm",
    "reference": "reference",
}
OPTIMIZERS = {
    None: "merge",
    "None": "merge",
    "none": "merge",
    "merge": "merge",
    "o1": "fast_compile",
    "fast_compile": "fast_compile",
    "o2": "fast_run",
    "o3": "fast_run",
    "o4": "fast_run",
    "fast_run": "fast_run",
    "unsafe": "fast_run",
}


class Mode:
    """A backend and a level of rewriting.

    Parameters
    ----------
    linker : str or None
        'llvm' (also Theano's names for compiled code) runs native code; 'py' runs NumPy, one
        operation at a time. None: `config.linker`.
    optimizer : str or None
        'fast_run', 'fast_compile', 'merge', or Theano's o1 to o4; 'default': `config.optimizer`.

    Raises
    ------
    ValueError
        A name is not known.
    """

    def __init__(self, linker: Any = None, optimizer: Any = "default") -> None:
        linker = config.linker if linker is None else linker
        optimizer = config.optimizer if optimizer == "default" else optimizer
        if linker not in BACKENDS:
            raise ValueError(f"unknown linker {linker!r}; known: {', '.join(BACKENDS)}")
        if optimizer not in OPTIMIZERS:
            raise ValueError(
                f"unknown optimizer {optimizer!r}; known: {', '.join(map(str, OPTIMIZERS))}"
            )
        self.provided_linker = linker
        self.provided_optimizer = optimizer
        self.backend = BACKENDS[linker]
        self.level = OPTIMIZERS[optimizer]
        self.excluded: frozenset[str] = frozenset()

    @property
    def phases(self) -> tuple[str, ...]:
        """Names of the phases of rewriting."""
        return LEVELS[self.level]

    def _with(self, excluded: frozenset[str]) -> Mode:
        fresh = Mode(self.provided_linker, self.provided_optimizer)
        fresh.excluded = excluded
        return fresh

    def excluding(self, *names: str) -> Mode:
        """Return this mode without some rules."""
        return self._with(self.excluded | frozenset(names))

    def including(self, *names: str) -> Mode:
        """Return this mode with some rules back."""
        return self._with(self.excluded - frozenset(names))

    requiring = including

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mode) and (self.backend, self.level, self.excluded) == (
            other.backend,
            other.level,
            other.excluded,
        )

    def __hash__(self) -> int:
        return hash((self.backend, self.level, self.excluded))

    def __repr__(self) -> str:
        return f"Mode(linker={self.provided_linker!r}, optimizer={self.provided_optimizer!r})"


accept_mode_class(Mode)

FAST_RUN = Mode("llvm", "fast_run")
FAST_COMPILE = Mode("llvm", "fast_compile")
predefined_modes = {"FAST_RUN": FAST_RUN, "FAST_COMPILE": FAST_COMPILE}


def get_mode(mode: Any = None) -> Mode:
    """Return a mode by name; None: `config.mode`.

    Raises
    ------
    ValueError
        There is no mode of this name.
    """
    mode = config.mode if mode is None else mode
    if isinstance(mode, Mode):
        return mode
    if mode == "Mode":
        return Mode()
    if mode in predefined_modes:
        return predefined_modes[mode]
    raise ValueError(
        f"No predefined mode exists for string: {mode!r}; known: {', '.join(predefined_modes)},"
        " Mode"
    )


def get_default_mode() -> Mode:
    """Return the mode that `config` asks for."""
    return get_mode(None)
