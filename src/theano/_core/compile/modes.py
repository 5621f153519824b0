"""How a function is rewritten and run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.base.errors import UnknownModeError
from theano._core.base.near_misses import did_you_mean
from theano._core.base.settings import accept_mode_class, config
from theano._core.ir.variable import Variable
from theano._core.ops.core.op import Op
from theano._core.rewrite.known_as import KNOWN_AS
from theano._core.rewrite.pipeline import LEVELS, RULE_PHASES, Selection

# What runs functions, by the name of a linker.
LINKERS = {
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
    "jax": "jax",
}
# What has been registered is an object, all else a level.
OPTIMIZERS: dict[Any, Any] = {
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
    "fast_run_stable": "fast_run",
    "stabilize": "fast_run",
    "unsafe": "fast_run",
}


# Passes that a backend does without: XLA has no arrays whose lengths depend on values.
LACKING = {"jax": frozenset({"sparse"})}
# A position behind every other.
AFTER_ALL = 1e6
# Theano's tags of what our passes do.
PASS_TAGS = {
    "canonicalize": "canonical",
    "local_set_to_inc_subtensor": "add_repeated",
    "specialize": "special",
    "stabilize": "stable",
}
# Theano's tag and name of the rewrite, off unless a mode includes it, that leaves assertions out.
UNSAFE = frozenset({"unsafe", "local_remove_all_assert"})
# Theano's tags and names of what lowering does.
FUSION_TAGS = frozenset({"fusion", "local_elemwise_fusion", "elemwise_fusion"})
IN_PLACE_TAGS = frozenset({"inplace", "inplace_opt", "inplace_elemwise_optimizer"})


class Mode:
    """A backend and a level of rewriting.

    Parameters
    ----------
    linker : str or None
        'llvm' (also Theano's names for compiled code) runs native code; 'py' runs NumPy, one
        operation at a time; 'jax' has XLA compile it; `theano.extend.add_backend` adds others.
        None: `config.linker`.
    optimizer : str, None, Query or Optimizer
        'fast_run', 'fast_compile', 'merge', or Theano's o1 to o4; 'unsafe': 'fast_run' without
        the conditions of `Assert`; 'default': `config.optimizer`.
        A query names tags to include and exclude; an optimizer is the only one to run.

    Raises
    ------
    UnknownModeError
        A name is not known.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> exact = theano.compile.get_default_mode().excluding("rounding")
    >>> theano.function([x], T.log(1 + x), mode=exact)([0.0])
    array([0.])
    """

    # What runs functions in place of the backend: a method `runner(maker, rewritten)`.
    runner: Any = None

    def __init__(self, linker: Any = None, optimizer: object = "default") -> None:
        linker = config.linker if linker is None else linker
        optimizer = config.optimizer if optimizer == "default" else optimizer
        # Old programs have objects, which know what they are called.
        known_as = getattr(linker, "known_as", linker)
        if known_as not in LINKERS:
            near = did_you_mean(linker, LINKERS)
            choices = ", ".join(LINKERS)
            raise UnknownModeError(f"unknown linker {linker!r}; known: {choices}.{near}")
        self.provided_linker = linker
        self.provided_optimizer = optimizer
        self.backend = LINKERS[known_as]
        if hasattr(linker, "runner"):
            self.runner = linker.runner
        self.included: frozenset[str] = frozenset()
        self.excluded: frozenset[str] = frozenset()
        self.extra: tuple[Any, ...] = ()
        self.level = self._read(optimizer)

    def _read(self, optimizer: Any) -> str:
        """Return the level of an optimizer, and note what it asks for besides."""
        if hasattr(optimizer, "include") and hasattr(optimizer, "exclude"):
            self.included, self.excluded = optimizer.include, optimizer.exclude
            self.extra = tuple(optimizer.extra_optimizations)
            levels = ("fast_run", "fast_compile", "merge")
            return next((level for level in levels if level in optimizer.include), "none")
        if hasattr(optimizer, "optimize"):
            self.extra = ((optimizer, AFTER_ALL),)
            return "none"
        if optimizer == "unsafe":
            self.included = frozenset({"unsafe"})
        try:
            predefined = OPTIMIZERS[optimizer]
        except (KeyError, TypeError):
            choices = ", ".join(dict.fromkeys(map(str, OPTIMIZERS)))
            raise UnknownModeError(
                f"unknown optimizer {optimizer!r}; known: {choices}."
                f"{did_you_mean(optimizer, OPTIMIZERS)}"
            ) from None
        return predefined if isinstance(predefined, str) else self._read(predefined)

    @property
    def passes(self) -> tuple[str, ...]:
        """Names of the passes of rewriting, besides those that always run."""
        left_out = {PASS_TAGS.get(tag, tag) for tag in self.excluded}
        left_out |= LACKING.get(self.backend, frozenset())
        asked = [PASS_TAGS[tag] for tag in sorted(self.included & PASS_TAGS.keys())]
        chosen = dict.fromkeys([*LEVELS[self.level], *asked])
        names = [name for name in chosen if name not in left_out]
        if UNSAFE & self.included and not UNSAFE & self.excluded:
            names.append("remove_assertions")
        if not set(RULE_PHASES) & set(names):
            names.append("merge")
        return tuple(names)

    @property
    def fuses(self) -> bool:
        """Whether elementwise operations and reductions share loops."""
        return config.tensor.local_elemwise_fusion and not FUSION_TAGS & self.excluded

    @property
    def overwrites(self) -> bool:
        """Whether shared variables are updated in place."""
        return not IN_PLACE_TAGS & self.excluded

    def native(self, maker: Any, rewritten: Sequence[Variable]) -> Sequence[Any] | None:
        """Return what native code computes for a rewritten graph; None: something else runs it."""
        return rewritten if self.backend == "llvm" else None

    def again(self, maker: Any, failed: Op, values: Sequence[object]) -> list[Any] | None:
        """Return the results that another way gives where an operation failed; None: there is none.

        Raises CallError for what it finds instead.
        """
        return None

    @property
    def selection(self) -> Selection:
        """What is asked for besides the passes."""
        rules = (KNOWN_AS[name] for name in self.excluded if name in KNOWN_AS)
        excluded = self.excluded.union(*rules)
        return Selection(self.included | {self.level}, excluded, self.extra)

    def _with(self, **changes: object) -> Mode:
        fresh = Mode(self.provided_linker, self.provided_optimizer)
        vars(fresh).update(vars(self))
        vars(fresh).update(changes)
        return fresh

    def excluding(self, *names: str) -> Mode:
        """Return this mode without some rules or passes, by their names or tags.

        Names that rewrites had in Theano 1.0.5 leave out the rules that do what they did.
        'rounding' and 'nan' name the rules that may change the last digits, and the results where
        NaN or infinity occur; 'fusion' and 'inplace' what lowering does.
        """
        gone = frozenset(names)
        if not gone:
            return self
        return self._with(included=self.included - gone, excluded=self.excluded | gone)

    def including(self, *names: str) -> Mode:
        """Return this mode with some rules back, or with rewrites that have one of these tags."""
        more = frozenset(names)
        if not more:
            return self
        return self._with(included=self.included | more, excluded=self.excluded - more)

    requiring = including

    def register(self, *optimizations: tuple[Variable, float]) -> Mode:
        """Return this mode with (optimizer, position) pairs of its own."""
        return self._with(extra=(*self.extra, *optimizations))

    def clone(self, link_kwargs: object = None, optimizer: object = "", **kwargs: object) -> Mode:
        """Return an equal mode, or one with another optimizer in place of its own.

        Other options are of no effect: linkers have none.
        """
        if optimizer == "":
            return self._with()
        other = vars(Mode(self.provided_linker, optimizer))
        read = ("provided_optimizer", "level", "included", "excluded", "extra")
        return self._with(**{name: other[name] for name in read})

    def _key(self) -> tuple[Any, ...]:
        own = vars(self).get("runner")
        return (self.backend, self.level, self.included, self.excluded, self.extra, own)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mode) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Mode(linker={self.provided_linker!r}, optimizer={self.provided_optimizer!r})"


accept_mode_class(Mode)

FAST_RUN = Mode("llvm", "fast_run")
FAST_COMPILE = Mode("llvm", "fast_compile")
predefined_modes = {
    "FAST_RUN": FAST_RUN,
    "FAST_COMPILE": FAST_COMPILE,
    "JAX": Mode("jax", "fast_run"),
}


def get_mode(mode: Any = None) -> Mode:
    """Return a mode by name; None: `config.mode`.

    Raises
    ------
    UnknownModeError
        There is no mode of this name.
    """
    mode = config.mode if mode is None else mode
    if isinstance(mode, Mode):
        return mode
    predefined = Mode() if mode == "Mode" else predefined_modes.get(mode)
    if predefined is not None:
        more = f"{config.optimizer_including}:{config.optimizer_requiring}".split(":")
        gone = config.optimizer_excluding.split(":")
        return predefined.including(*filter(None, more)).excluding(*filter(None, gone))
    raise UnknownModeError(
        f"No predefined mode exists for string: {mode!r}; known: {', '.join(predefined_modes)},"
        f" Mode.{did_you_mean(mode, predefined_modes)}"
    )


def get_default_mode() -> Mode:
    """Return the mode that `config` asks for."""
    return get_mode(None)


def register_mode(name: str, mode: Mode) -> None:
    """Give a mode a name, by which `theano.function` then takes it.

    Raises
    ------
    ValueError
        There is a mode of this name.
    """
    if name in predefined_modes:
        raise ValueError(f"Mode name already taken: {name}")
    predefined_modes[name] = mode


def register_optimizer(name: str, opt: object) -> None:
    """Give a query or an optimizer a name, by which `Mode` then takes it.

    Raises
    ------
    ValueError
        There is one of this name.
    """
    if name in OPTIMIZERS:
        raise ValueError(f"Optimizer name already taken: {name}")
    OPTIMIZERS[name] = opt
