"""Deep module paths of Theano 1.0.5: one table, served by one import finder.

Old programs reach engine objects through modules that are not part of the documented surface, such
as `theano.gof.graph` or `theano.tensor.var`. Such a module is made when it is first asked for; it
holds the objects that the table names and nothing else.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from functools import partial
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_GRAPH = {
    "Apply": "ir.variable:Apply",
    "Constant": "ir.variable:Constant",
    "Variable": "ir.variable:Variable",
    "equal_computations": "ir.comparison:equal_computations",
    "io_connection_pattern": "ir.comparison:io_connection_pattern",
    "is_same_graph": "ir.comparison:is_same_graph",
    **{
        name: f"legacy.graphs:{name}"
        for name in (
            "ancestors",
            "clone",
            "clone_get_equiv",
            "inputs",
            "io_toposort",
            "list_of_nodes",
            "ops",
            "orphans",
            "stack_search",
            "variables",
        )
    },
}
_FUNCTION_GRAPH = {
    "FunctionGraph": "ir.graph:FunctionGraph",
    "MissingInputError": "base.errors:MissingInputError",
    "InconsistencyError": "base.errors:InconsistencyError",
}
_FUNCTION = {
    "Function": "compile.function:Function",
    "FunctionMaker": "compile.maker:FunctionMaker",
    "UnusedInputError": "base.errors:UnusedInputError",
}
_SHARED = {
    "SharedVariable": "compile.shared:SharedVariable",
    "generic": "ir.types:generic",
    "shared": "compile.shared:shared",
    "shared_constructor": "compile.shared:shared_constructor",
}
_MODES = {
    "FAST_COMPILE": "compile.modes:FAST_COMPILE",
    "FAST_RUN": "compile.modes:FAST_RUN",
    "Mode": "compile.modes:Mode",
    "get_default_mode": "compile.modes:get_default_mode",
    "get_mode": "compile.modes:get_mode",
    "predefined_modes": "compile.modes:predefined_modes",
}
_INPUTS = {
    "In": "compile.inputs:In",
    "Out": "compile.inputs:Out",
    "SymbolicInput": "compile.inputs:SymbolicInput",
    "SymbolicOutput": "compile.inputs:SymbolicOutput",
}
_VARIABLES = {
    "AsTensorError": "base.errors:AsTensorError",
    "TensorConstant": "api.variables:TensorConstant",
    "TensorVariable": "api.variables:TensorVariable",
}

# Module → its names → where the engine has them.
MODULES: dict[str, dict[str, str]] = {
    "theano.gof": {
        **_GRAPH,
        **_FUNCTION_GRAPH,
        "Generic": "ir.types:Generic",
        "Op": "ops.op:Op",
        "Type": "ir.types:Type",
        "generic": "ir.types:generic",
    },
    "theano.gof.graph": _GRAPH,
    "theano.gof.fg": _FUNCTION_GRAPH,
    "theano.gof.null_type": {
        "NullType": "ops.gradient:NullType",
        "null_type": "ops.gradient:null_type",
    },
    "theano.gof.op": {"Op": "ops.op:Op"},
    "theano.gof.type": {
        "Generic": "ir.types:Generic",
        "Type": "ir.types:Type",
        "generic": "ir.types:generic",
    },
    "theano.compile": {
        **_FUNCTION,
        **_SHARED,
        **_MODES,
        **_INPUTS,
        "function": "compile.function:function",
    },
    "theano.compile.function_module": _FUNCTION,
    "theano.compile.io": _INPUTS,
    "theano.compile.mode": _MODES,
    "theano.compile.pfunc": {**_SHARED, "Param": "compile.inputs:Param"},
    "theano.compile.sharedvalue": _SHARED,
    "theano.scan_module.scan": {"scan": "api.scan:scan"},
    "theano.scan_module.scan_checkpoints": {"scan_checkpoints": "api.scan:scan_checkpoints"},
    "theano.scan_module.scan_op": {"Scan": "ops.loop:Loop"},
    "theano.scan_module.scan_utils": {
        "clone": "api.cloning:clone",
        "equal_computations": "ir.comparison:equal_computations",
        "expand_empty": "api.scan_utilities:expand_empty",
        "get_updates_and_outputs": "api.scan:read_step",
        "isNaN_or_Inf_or_None": "api.scan_utilities:is_not_a_number",
        "map_variables": "api.cloning:map_variables",
        "safe_new": "api.scan_utilities:safe_new",
        "until": "api.scan:until",
    },
    "theano.scan_module.scan_views": {
        name: f"api.scan:{name}" for name in ("foldl", "foldr", "map", "reduce")
    },
    "theano.tests": {},
    "theano.tests.breakpoint": {"PdbBreakpoint": "ops.observing:PdbBreakpoint"},
    "theano.configparser": {"change_flags": "base.settings:change_flags"},
    "theano.sandbox.multinomial": {
        "ChoiceFromUniform": "ops.mrg:ChoiceFromUniform",
        "MultinomialFromUniform": "ops.mrg:MultinomialFromUniform",
        "MultinomialWOReplacementFromUniform": "ops.mrg:MultinomialWOReplacementFromUniform",
    },
    "theano.tensor.var": _VARIABLES,
}


class OldPaths(MetaPathFinder, Loader):
    """Finds the modules of the table."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to make a module of the table; None for others."""
        if fullname not in MODULES:
            return None
        package = any(name.startswith(f"{fullname}.") for name in MODULES)
        return ModuleSpec(fullname, self, is_package=package)

    def exec_module(self, module: ModuleType) -> None:
        """Fill a module with the objects that the table names."""
        names = MODULES[module.__name__]
        for name, place in names.items():
            setattr(module, name, _object(place))
        module.__doc__ = f"Names of `{module.__name__}` in Theano 1.0.5."
        module.__dict__["__all__"] = sorted(names)
        # As in Theano, `theano.compile.mode` is there without an import of its own.
        module.__dict__["__getattr__"] = partial(attribute, module.__name__)


def _object(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(f"theano._core.{module}"), name)


def attribute(package: str, name: str) -> Any:
    """Return `package.name` if that is a module of the table, or raise AttributeError."""
    path = f"{package}.{name}"
    if path not in MODULES:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    return importlib.import_module(path)


class _Package(ModuleType):
    """A package with a function that has the name of a module of the table.

    `theano.tensor.var` stays the variance when `import` has made the module `theano.tensor.var`.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType) and callable(self.__dict__.get(name)):
            return
        super().__setattr__(name, value)


def install() -> None:
    """Have `import` look into the table, after everything else."""
    for path in MODULES:
        package, _, name = path.rpartition(".")
        if callable(getattr(sys.modules.get(package), "__dict__", {}).get(name)):
            sys.modules[package].__class__ = _Package
    if not any(isinstance(finder, OldPaths) for finder in sys.meta_path):
        sys.meta_path.append(OldPaths())
