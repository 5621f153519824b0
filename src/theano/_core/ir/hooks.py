"""All that a module calls of one that it cannot import: a layer above it, or a cycle.

Each row says which modules call, which fill it as they are imported, and why it is needed.
"""

from __future__ import annotations

from types import FunctionType, SimpleNamespace
from typing import Any


class Hook:
    """A function, or a class, that another module puts here.

    Parameters
    ----------
    called_by, filled_by : str
        Modules of the engine.
    why : str

    Attributes
    ----------
    value : object
        None until it is filled.
    """

    def __init__(self, called_by: str, filled_by: str, why: str) -> None:
        self.called_by = called_by
        self.filled_by = filled_by
        self.why = why
        self.value: Any = None

    def fill(self, value: object) -> Any:
        """Put a function or class here, and return it."""
        self.value = value
        return value

    def __call__(self, *arguments: object, **options: object) -> Any:
        return self.value(*arguments, **options)


class Modules(Hook):
    """Modules that others put here: `value` has each by its name."""

    def __init__(self, called_by: str, filled_by: str, why: str) -> None:
        super().__init__(called_by, filled_by, why)
        self.value = SimpleNamespace()

    def fill(self, **modules: object) -> None:
        """Put modules here."""
        vars(self.value).update(modules)


above = Modules(
    "ir.tensor",
    "ops.elementwise.operators api.variable.methods",
    "Operators and methods of tensors are functions of these modules, which make tensors.",
)
evaluate = Hook(
    "ir.variable", "api.variable.methods", "`eval` of every variable compiles a function."
)
show = Hook(
    "compile.described compile.profiling",
    "api.viewer.show",
    "Functions and profiles are shown as pages.",
)
change_pattern = Hook(
    "ir.types", "ops.array.shaping", "A variable becomes one of another type by an operation."
)
check_shape = Hook(
    "ir.types", "ops.array.static_shape", "It is checked to have the lengths of a type so."
)
stack = Hook(
    "ops.core.op", "ops.array.creation", "A list that holds variables is a tensor by an operation."
)
declare_shape = Hook(
    "ops.core.op",
    "ops.array.static_shape",
    "Lengths of outputs follow from declared ones by formulas of operations.",
)
compute_test_values = Hook(
    "ops.core.op", "compile.test_values", "Example values are computed as operations are applied."
)
compile_body = Hook(
    "ops.control.deferred", "compile.function", "An operation that is its body runs as compiled."
)
pretty = Hook("ir.graph ir.text", "api.debug.pretty", "Errors write expressions as users do.")
push_forward = Hook(
    "autodiff.reverse",
    "autodiff.forward",
    "Reverse rules may need directional derivatives; forward mode transposes reverse rules.",
)
restore_old_node = Hook(
    "ir.variable", "legacy.patches", "Nodes in pickles of Theano 1.0.5 become ones of today."
)
restore_old_output = Hook(
    "ir.variable compile.shared",
    "legacy.patches",
    "Such a variable is an output of one of those, or an input that one waits for.",
)
index_constant = Hook(
    "api.array.indexing legacy.graphs.numbers",
    "legacy.patches",
    "Numbers in an index are inputs of the node, of Theano's type of scalars.",
)
run_added_rewrites = Hook(
    "rewrite.added", "legacy.optimizers.optdb", "Users register rewrites by Theano's positions."
)
has_added_rewrites = Hook(
    "rewrite.added",
    "legacy.paths legacy.optimizers.optdb",
    "Without one, programs that are kept may be used.",
)

# Modules that give attributes to classes of others, and why.
EXTENDING = {
    "ops.array.indexing_batch": "Indexing of rows needs all operations of indexing.",
    "ops.sparse.functions": "Variables of sparse matrices have operators.",
    "compile.function": "What Python does with a compiled function, whose class is written in C++.",
    "legacy.homes": "Programs and pickles see classes in public modules.",
    "legacy.patches": "Attributes of Theano 1.0.5 that nothing in the engine uses.",
}


def extend(target: type | FunctionType, /, **attributes: object) -> None:
    """Give a class, or a function, attributes; only modules of `EXTENDING` do."""
    for name, value in attributes.items():
        setattr(target, name, value)


def place_of(thing: type | FunctionType) -> tuple[str, str]:
    """Return the module that defines a class or function, and its name there.

    `__module__` and `__qualname__` are where programs see it.
    """
    # Functions and classes that are made by `exec` may have no module.
    return vars(thing).get("_place") or (str(thing.__module__), thing.__qualname__)
