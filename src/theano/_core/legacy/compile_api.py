"""The steps of `theano.function` that old programs called one by one, and small old helpers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api import conversion
from theano._core.api.array import products
from theano._core.api.conversion import as_tensor_variable
from theano._core.api.variable.shared import shared
from theano._core.base.errors import InconsistencyError
from theano._core.compile.function import function
from theano._core.compile.inputs import In, Out, fit_update, read_updates
from theano._core.compile.overwriting import refuse_overwriting
from theano._core.compile.shared import SharedVariable
from theano._core.ir.function_graph import FunctionGraph
from theano._core.ir.graph import toposort
from theano._core.ir.variable import Variable
from theano._core.legacy.optimizers.destroyhandler import DestroyHandler
from theano._core.legacy.optimizers.toolbox import PreserveVariableAttributes

if TYPE_CHECKING:
    from theano._core.compile.modes import Mode
    from theano._core.ir.annotations import DType, Replacements, SparseMatrix, TensorLike


def orig_function(
    inputs: Any,
    outputs: Any,
    mode: str | Mode | None = None,
    accept_inplace: bool = False,
    name: str | None = None,
    profile: Any = None,
    on_unused_input: str | None = None,
    output_keys: Any = None,
) -> Any:
    """Return a function of inputs that are written out, shared variables included.

    Parameters
    ----------
    inputs : list of In
    outputs : Variable, Out or list of them
    output_keys : sequence of str, optional
        Keys of the results, which are then returned as a dict.
    """
    if output_keys is not None:
        outputs = dict(zip(output_keys, outputs, strict=True))
    # Shared variables among the inputs are found by themselves; their updates are kept.
    own = [
        spec for spec in inputs if not isinstance(getattr(spec, "variable", spec), SharedVariable)
    ]
    updates = [
        (spec.variable, spec.update)
        for spec in inputs
        if isinstance(getattr(spec, "variable", None), SharedVariable) and spec.update is not None
    ]
    return function(
        own,
        outputs,
        mode=mode,
        updates=updates,
        no_default_updates=True,
        accept_inplace=accept_inplace,
        name=name,
        profile=profile,
        on_unused_input=on_unused_input,
    )


def rebuild_collect_shared(
    outputs: object,
    inputs: object = None,
    replace: object = None,
    updates: object = None,
    rebuild_strict: bool = True,
    copy_inputs_over: bool = True,
    no_default_updates: bool | list[Variable] = False,
) -> tuple[list[Any], Any, list[Any]]:
    """Replace parts of graphs, and find the shared variables and updates that they need.

    Parameters
    ----------
    outputs : Variable, Out, list of them, or None
    inputs : list of Variable, optional
    replace : dict or list of pairs, optional
    updates : dict or list of pairs, optional
        New values of shared variables.
    rebuild_strict : bool
        Whether what is replaced and its replacement must have one type.
    copy_inputs_over : bool
        Use the inputs themselves; else new variables in their places.
    no_default_updates : bool or list of shared variables

    Returns
    -------
    input_variables : list of Variable
    cloned_outputs
        Of the form of `outputs`.
    more : list
        The dict of replacements, the dict of updates, the list of updates, the shared variables.
    """
    return _Rebuild(rebuild_strict, copy_inputs_over, no_default_updates).run(
        outputs, inputs or (), replace, updates
    )


class _Rebuild:
    def __init__(
        self, strict: bool, keep_inputs: bool, refused: bool | Collection[Variable]
    ) -> None:
        self.strict = strict
        self.keep_inputs = keep_inputs
        self.refused = refused
        self.table: dict[Any, Any] = {}
        self.updates: dict[Any, Any] = {}
        self.pairs: list[tuple[Any, Any]] = []
        self.shared: list[Any] = []

    def run(self, outputs: object, inputs: Any, replace: object, updates: object) -> Any:
        pairs: Any = replace or ()
        replacements = list(pairs.items()) if hasattr(pairs, "items") else list(pairs)
        for old, new in replacements:
            if not isinstance(old, Variable):
                raise TypeError("given keys must be Variable", old)
            if old in self.table:
                raise AssertionError(
                    f"a replacement may not use a variable that another one replaces: {old}"
                )
            self.table[old] = self.copied(new if isinstance(new, Variable) else shared(new))
        variables = [self.leaf(v) for v in inputs]
        for variable in variables:
            if isinstance(variable, SharedVariable):
                raise TypeError(f"Cannot use a shared variable ({variable}) as explicit input.")
        for target, value in read_updates(updates):
            self.updates[target] = value
            self.pairs.append((target, value))
        results = self.outputs(outputs)
        for target, value in self.pairs:  # it grows while it is walked
            self.updates[target] = self.copied(value)
            if target not in self.shared:
                self.shared.append(target)
        return variables, results, [self.table, self.updates, self.pairs, self.shared]

    def outputs(self, outputs: object) -> Any:
        if outputs is None:
            return []
        if isinstance(outputs, list):
            return [self.outputs(out) for out in outputs]
        if isinstance(outputs, Out):
            return Out(self.copied(outputs.variable), borrow=outputs.borrow)
        if isinstance(outputs, Variable):
            return self.copied(outputs)
        raise TypeError(f"Outputs must be theano Variable or Out instances. Received {outputs!r}")

    def copied(self, variable: Variable) -> Any:
        """Return a variable over the replacements."""
        for node in toposort([variable], self.table):
            copy = node.clone_with_new_inputs([self.leaf(v) for v in node.inputs], self.strict)
            self.table[node] = copy
            for old, new in zip(node.outputs, copy.outputs, strict=True):
                self.table.setdefault(old, new)
        return self.leaf(variable)

    def leaf(self, variable: Variable) -> Any:
        if variable in self.table:
            return self.table[variable]
        if isinstance(variable, SharedVariable):
            self.note(variable)
        self.table[variable] = variable if self.keep_inputs else variable.clone()
        return self.table[variable]

    def note(self, variable: Any) -> None:
        if variable not in self.shared:
            self.shared.append(variable)
        refused = self.refused if isinstance(self.refused, bool) else variable in self.refused
        if refused or variable in self.updates or not hasattr(variable, "default_update"):
            return
        value = fit_update(variable, variable.default_update)
        self.updates[variable] = value
        self.pairs.append((variable, value))


class Supervisor:
    """Does not agree to a graph that overwrites its outputs, or one of other variables.

    Parameters
    ----------
    protected : iterable of Variable
    """

    def __init__(self, protected: Any) -> None:
        self.protected = list(protected)

    def validate(self, fgraph: Any) -> bool:
        """Raise InconsistencyError if the graph's `DestroyHandler` knows of such an operation."""
        if not hasattr(fgraph, "destroyers"):
            return True
        for variable in [*self.protected, *fgraph.outputs]:
            if fgraph.destroyers(variable):
                raise InconsistencyError("Trying to destroy a protected Variable.", variable)
        return True


def std_fgraph(
    input_specs: Sequence[In], output_specs: Sequence[Out], accept_inplace: bool = False
) -> tuple[FunctionGraph, list[Out]]:
    """Return the graph of inputs and outputs, copied, and outputs for the updates of inputs.

    Operations that overwrite are accepted as in `orig_function`; inputs that are not mutable are
    protected from them. `std_fgraph.features` are attached.
    """
    updates = [spec.update for spec in input_specs if spec.update is not None]
    outputs = [*(spec.variable for spec in output_specs), *updates]
    graph: Any = FunctionGraph([spec.variable for spec in input_specs], outputs)
    places = [k for k, spec in enumerate(input_specs) if spec.update is not None]
    graph.update_mapping = dict(enumerate(places, len(output_specs)))
    overwrites = [n for n in graph.apply_nodes if getattr(n.op, "destroy_map", None)]
    if not accept_inplace:
        refuse_overwriting(graph.apply_nodes)
    if overwrites:
        graph.attach_feature(DestroyHandler())
    pairs = zip(input_specs, graph.inputs, strict=True)
    kept = [v for spec, v in pairs if not spec.mutable]
    graph.attach_feature(Supervisor(v for v in kept if not (overwrites and graph.destroyers(v))))
    for feature in std_fgraph.features:  # type: ignore[attr-defined]
        graph.attach_feature(feature())
    return graph, [Out(v) for v in updates]


std_fgraph.features = [PreserveVariableAttributes]  # type: ignore[attr-defined]


def _asarray(a: Sequence[int] | np.ndarray, dtype: DType, order: str | None = None) -> np.ndarray:
    """Return `a` as an array of exactly `dtype` ('floatX' stands for `config.floatX`).

    Parameters
    ----------
    a : array_like
    dtype : dtype
        Of two types of one width, such as C's long and long long, NumPy may return the other one;
        this is the one that was asked for.
    order : {'C', 'F'}, optional
    """
    from theano._core.base.settings import config

    kind = np.dtype(config.floatX if isinstance(dtype, str) and dtype == "floatX" else dtype)
    array = np.asarray(a, dtype=kind, order=order)  # type: ignore[call-overload]
    return array if array.dtype.num == kind.num else array.view(kind)


def transfer(var: Any, target: str) -> Any:
    """Return `var` on the device `target`; all live on 'cpu' here."""
    return as_tensor_variable(var).transfer(target)


def register_transfer(fn: Callable[[Variable, str], Variable]) -> None:
    """Accept a function that moves variables to a device: no device but 'cpu' is known here."""


def run_tests(
    verbose: int = 1,
    extra_argv: list[str] | None = None,
    coverage: bool = False,
    capture: bool = True,
    knownfailure: bool = True,
) -> bool:
    """Run Theano's tests with pytest: those of the checkout, or the examples of an installation.

    Parameters
    ----------
    verbose : int
        1 is quiet, larger numbers say more.
    extra_argv : list of str, optional
        More arguments for pytest.
    coverage : bool
        Report which lines ran; needs pytest-cov.
    capture : bool
        Show output of failing tests only.
    knownfailure : bool
        Accepted for old programs.

    Returns
    -------
    bool
        Whether all passed.
    """
    import subprocess
    import sys
    from pathlib import Path

    package = Path(__file__).resolve().parents[2]
    tests = package.parents[1] / "tests"
    checkout = tests.is_dir() and (package.parents[1] / "pyproject.toml").is_file()
    arguments = [str(tests)] if checkout else ["--doctest-modules", str(package / "_core" / "api")]
    arguments += ["-q"] if verbose <= 1 else ["-v"] * (verbose - 1)
    arguments += [] if capture else ["-s"]
    arguments += ["--cov=theano"] if coverage else []
    command = [sys.executable, "-m", "pytest", *arguments, *(extra_argv or ())]
    return subprocess.run(command, check=False).returncode == 0


def pfunc(
    params: Sequence[Any],
    outputs: Any = None,
    mode: str | Mode | None = None,
    updates: Replacements = None,
    givens: Replacements = None,
    no_default_updates: bool | Sequence[Variable] = False,
    accept_inplace: bool = False,
    name: str | None = None,
    rebuild_strict: bool = True,
    allow_input_downcast: bool | None = None,
    profile: Any = None,
    on_unused_input: str | None = None,
    output_keys: Any = None,
) -> Any:
    """Return a function, as `theano.function` does; `output_keys` makes it return a dict."""
    if output_keys is not None:
        outputs = dict(zip(output_keys, outputs, strict=True))
    return function(
        params,
        outputs,
        mode,
        updates,
        givens,
        no_default_updates,
        accept_inplace,
        name,
        rebuild_strict,
        allow_input_downcast,
        profile,
        on_unused_input,
    )


def dot(l: TensorLike, r: TensorLike) -> Any:
    """Return the product of two matrices, vectors or scalars, as `theano.tensor.dot` does.

    Parameters
    ----------
    l, r : tensor or sparse matrix

    Returns
    -------
    Variable

    Examples
    --------
    >>> theano.dot(np.eye(2), [1.0, 2.0]).eval()
    array([1., 2.])
    """
    return products.dot(l, r)


def get_scalar_constant_value(v: object) -> Any:
    """Return the number that `v` certainly is, as that of `theano.tensor` does."""
    return conversion.get_scalar_constant_value(v)


def python_int_bitwidth() -> int:
    """Return the bits of the integer that NumPy makes of a Python int."""
    return 8 * np.dtype(np.int_).itemsize


def may_share_memory(a: SparseMatrix | np.ndarray, b: Any, raise_other_type: bool = True) -> bool:
    """Tell whether two arrays may show the same memory; TypeError for other things."""
    matrices = [type(each).__module__.startswith("scipy.sparse") for each in (a, b)]
    have_memory = [m or isinstance(v, np.ndarray) for m, v in zip(matrices, (a, b), strict=True)]
    if not all(have_memory):
        if raise_other_type:
            raise TypeError(f"may_share_memory needs arrays, got {type(a)} and {type(b)}")
        return False
    if any(matrices):
        from theano._core.ops.sparse.type import SparseType

        return SparseType.may_share_memory(a, b)
    return bool(np.may_share_memory(a, b))


def hash_from_ndarray(data: np.ndarray) -> str:
    """Return a hash of the items, shape and dtype of an array; views and their copies share it."""
    facts = repr((data.shape, str(data.dtype)))
    return hashlib.sha256(facts.encode() + np.ascontiguousarray(data).tobytes()).hexdigest()
