"""Modes that look at every value: for NaN, for users' functions, and for faults of the compiler.

They run a graph one node after the other with NumPy, those in loops and branches too.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from theano._core.base.settings import config
from theano._core.compile.backends import updated_cells
from theano._core.compile.debug_mode_errors import (
    BadDestroyMap,
    BadOptimization,
    BadThunkOutput,
    BadViewMap,
    InvalidValueError,
    StochasticOrder,
)
from theano._core.compile.function import function
from theano._core.compile.modes import Mode, predefined_modes
from theano._core.compile.nan_guard import AllGood, asserted, with_flag
from theano._core.ir.graph import copy_graph, toposort
from theano._core.ir.source import made_at
from theano._core.ir.text import listing
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.core.evaluation import evaluate
from theano._core.ops.core.op import Op
from theano._core.ops.core.python_call import CallError
from theano._core.rewrite.pipeline import rewrite

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike


class WatchedMode(Mode):
    """Base of modes that run functions with NumPy and look at each node."""

    def __init__(self, optimizer: str = "default", linker: object = None) -> None:
        super().__init__("py", optimizer)

    def watch(self) -> Any:
        """Return what `evaluate` calls for each node of one call."""
        raise NotImplementedError

    def check_inputs(self, variables: Sequence[Variable], values: Sequence[object]) -> None:
        """Look at the values of the inputs."""

    def runner(self, maker: Any, rewritten: Sequence[object]) -> Callable[..., Any]:
        """Return what computes a rewritten graph."""
        leaves = maker.leaves

        def run(*values: np.ndarray) -> list[Any]:
            self.check_inputs(maker.all_inputs, values)
            value_of = dict(zip(leaves, values, strict=True))
            cells = updated_cells(maker)
            return evaluate(rewritten, value_of, self.watch(), failed=CallError, cells=cells)

        return run

    def _with(self, **changes: object) -> Mode:
        fresh = type(self).__new__(type(self))
        vars(fresh).update(vars(self))
        vars(fresh).update(changes)
        return fresh

    def _key(self) -> tuple[Any, ...]:
        return (*super()._key(), type(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(optimizer={self.provided_optimizer!r})"


# -- NaN ------------------------------------------------------------------------------------------

BIG = 1e10


def contains_nan(arr: Any, node: object = None, var: object = None) -> bool:
    """Tell whether an array of floating-point numbers has a NaN.

    `node` and `var`, for what made it, are of no effect.
    """
    return _is_floating(arr) and bool(np.isnan(arr).any())


def contains_inf(arr: Any, node: object = None, var: object = None) -> bool:
    """Tell whether an array of floating-point numbers has an infinity; see `contains_nan`."""
    return _is_floating(arr) and bool(np.isinf(arr).any())


def _is_floating(value: np.ndarray) -> bool:
    return isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "fc"


class NanGuardMode(WatchedMode):
    """A mode that reports the first NaN, infinity or very large number, and where it was made.

    Native code looks at all numbers while it computes them. Only where one is wrong is the graph
    run again, node by node with NumPy, to find the first.

    Parameters
    ----------
    nan_is_error, inf_is_error, big_is_error : bool, optional
        What is reported; big are numbers beyond 1e10. By default as `config.NanGuardMode` says.
    optimizer, linker
        As of `Mode`.

    Notes
    -----
    `config.NanGuardMode.action` says what a report is: an AssertionError, a warning, or the start
    of `pdb`.
    """

    def __init__(
        self,
        nan_is_error: bool | None = None,
        inf_is_error: bool | None = None,
        big_is_error: bool | None = None,
        optimizer: str = "default",
        linker: object = None,
    ) -> None:
        super().__init__(optimizer, linker)
        own = config.NanGuardMode
        self.nan_is_error = own.nan_is_error if nan_is_error is None else nan_is_error
        self.inf_is_error = own.inf_is_error if inf_is_error is None else inf_is_error
        self.big_is_error = own.big_is_error if big_is_error is None else big_is_error
        # The graphs of functions, while these are there.
        self.graphs: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    def _key(self) -> tuple[Any, ...]:
        return (*super()._key(), self.nan_is_error, self.inf_is_error, self.big_is_error)

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"graphs": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.graphs = WeakKeyDictionary()

    def watch(self) -> Any:
        return self._after

    @property
    def overwrites(self) -> bool:
        """Never: what a call starts from is what it is done again from."""
        return False

    def native(self, maker: Any, rewritten: Sequence[Variable]) -> list[Any] | None:
        """Return the graph with a check; None if it cannot be run twice."""
        if not all(node.op.pure for node in toposort(rewritten)):
            return None
        largest = float(np.finfo("float64").max) if self.inf_is_error else np.inf
        flagged = with_flag(rewritten, maker.leaves, BIG if self.big_is_error else largest)
        checked = asserted(flagged)
        if checked is not None:
            self.graphs[maker] = rewritten
        return checked

    def again(self, maker: Any, failed: Op, values: Sequence[object]) -> list[Any] | None:
        """Run a graph of which native code said that a number is wrong, node by node."""
        if not isinstance(failed, AllGood):
            return None
        return self.runner(maker, self.graphs[maker])(*values)

    def check_inputs(self, variables: Sequence[Variable], values: Sequence[object]) -> None:
        for variable, value in zip(variables, values, strict=True):
            self._check(value, variable, None)

    def _after(self, node: Apply, inputs: Sequence[object], outputs: Sequence[object]) -> None:
        for variable, value in zip(node.inputs, inputs, strict=True):
            if isinstance(variable, Constant):
                self._check(value, variable, node)
        for variable, value in zip(node.outputs, outputs, strict=True):
            self._check(value, variable, node)

    def _check(self, value: Any, variable: Variable, node: Apply | None) -> None:
        if not _is_floating(value) or getattr(variable.tag, "nan_guard_mode_check", True) is False:
            return
        problems = []
        if self.nan_is_error and contains_nan(value):
            problems.append("NaN detected")
        if self.inf_is_error and contains_inf(value):
            problems.append("Inf detected")
        # Infinity is big, too; a NaN is not.
        if self.big_is_error and np.fmax.reduce(np.abs(value), None, initial=0) > np.float64(BIG):
            problems.append("Big value detected")
        if problems:
            _report(problems, value, variable, node)


def _report(problems: list[str], value: np.ndarray, variable: Variable, node: Apply | None) -> None:
    lines = list(problems)
    if node is None:
        lines.append(f"NanGuardMode found an error in an input of the graph: {variable}")
    elif variable in node.inputs:
        lines.append(f"NanGuardMode found an error in an input of a node: {variable}")
    else:
        lines.append("NanGuardMode found an error in the output of a node in this variable:")
        lines.append(f"    {variable} {variable.type}, shape {np.shape(value)}")
    if node is not None:
        lines.append(f"Node: {node}")
    made = made_at(variable if node is None else node)
    lines += [made.strip()] if made else []
    message = "\n".join(lines)
    action = config.NanGuardMode.action
    if action == "raise":
        raise AssertionError(message)
    if action == "pdb":
        import pdb

        print(message)
        pdb.set_trace()
    else:
        warnings.warn(message, stacklevel=2)


# -- functions of the user ------------------------------------------------------------------------


class Observed:
    """What functions of `MonitorMode` get as the third argument: storage of inputs and outputs.

    Attributes
    ----------
    inputs, outputs : list of [value]
    """

    def __init__(self, inputs: Sequence[object], outputs: Sequence[object]) -> None:
        self.inputs = [[value] for value in inputs]
        self.outputs = [[value] for value in outputs]


class _Monitor:
    """Calls the functions of a mode for one call."""

    def __init__(self, mode: MonitorMode) -> None:
        self.mode = mode
        self.number = 0

    def before(self, node: Apply, inputs: Sequence[object]) -> None:
        """Call the function that comes before."""
        if self.mode.pre_func is not None:
            self.mode.pre_func(self.number, node, Observed(inputs, [None] * len(node.outputs)))

    def __call__(
        self, node: Apply, inputs: Sequence[TensorLike], outputs: Sequence[object]
    ) -> None:
        if self.mode.post_func is not None:
            self.mode.post_func(self.number, node, Observed(inputs, outputs))
        self.number += 1


class MonitorMode(WatchedMode):
    """A mode that calls functions of the user before and after each node.

    Parameters
    ----------
    pre_func, post_func : callable, optional
        `pre_func(i, node, fn)`: the number of the node in this call, the node, and
        `fn.inputs` and `fn.outputs`, lists of storage: ``fn.outputs[0][0]`` is a value.
    optimizer, linker
        As of `Mode`; functions run with NumPy whatever the linker is.
    """

    def __init__(
        self,
        pre_func: Callable[..., object] | None = None,
        post_func: Callable[..., object] | None = None,
        optimizer: str = "default",
        linker: object = None,
    ) -> None:
        super().__init__(optimizer, linker)
        self.pre_func = pre_func
        self.post_func = post_func

    def _key(self) -> tuple[Any, ...]:
        return (*super()._key(), self.pre_func, self.post_func)

    def watch(self) -> Any:
        return _Monitor(self)


def detect_nan(i: int, node: Apply, fn: Observed) -> None:
    """Print a node whose outputs have a NaN: for `MonitorMode(post_func=detect_nan)`."""
    if any(contains_nan(storage[0]) for storage in fn.outputs):
        print("*** NaN detected ***")
        print(node)
        print(f"Inputs : {[storage[0] for storage in fn.inputs]}")
        print(f"Outputs: {[storage[0] for storage in fn.outputs]}")


# -- faults of the compiler and of operations -----------------------------------------------------


class DebugMode(WatchedMode):
    """A mode that computes everything in several ways and compares.

    The graph as it was written, as it is after rewriting, and the native code of that must agree;
    if they do not, the rule or the operation that is to blame is named. Operations of users must
    say what they overwrite and what they return views of. It is slow.

    Parameters
    ----------
    optimizer : str
    stability_patience : int, optional
        How often a graph is rewritten to see that this always gives the same.
    check_c_code, check_py_code : bool, optional
        Whether native code is compared, and the definitions with NumPy.
    check_isfinite : bool, optional
        Whether a NaN or an infinity is an error.
    check_preallocated_output, require_matching_strides
        Accepted for old programs: memory of results is the engine's business.
    linker
        None: it has its own.

    Notes
    -----
    Defaults are those of `config.DebugMode`.
    """

    def __init__(
        self,
        optimizer: str = "fast_run",
        stability_patience: int | None = None,
        check_c_code: bool | None = None,
        check_py_code: bool | None = None,
        check_isfinite: bool | None = None,
        check_preallocated_output: object = None,
        require_matching_strides: object = None,
        linker: object = None,
    ) -> None:
        if linker is not None:
            raise ValueError(f"DebugMode has a linker of its own: leave {linker!r} out")
        super().__init__(optimizer)
        own = config.DebugMode
        self.stability_patience = own.patience if stability_patience is None else stability_patience
        self.check_c_code = own.check_c if check_c_code is None else check_c_code
        self.check_py_code = own.check_py if check_py_code is None else check_py_code
        self.check_isfinite = own.check_finite if check_isfinite is None else check_isfinite
        if not (self.check_c_code or self.check_py_code):
            raise ValueError("DebugMode has to check at least one of c and py code")

    def _key(self) -> tuple[Any, ...]:
        checks = (self.check_c_code, self.check_py_code, self.check_isfinite)
        return (*super()._key(), self.stability_patience, *checks)

    def runner(self, maker: object, rewritten: Sequence[object]) -> Callable[..., Any]:
        """Return what computes a graph in several ways."""
        return _Comparison(self, maker, rewritten)


# Where optimizers of users note what they replace: the variable, the new one and the reason.
replacements: ContextVar[list[tuple[Any, Any, Any]] | None] = ContextVar("replacements")


class _Values:
    """Looks at the values of one call of `DebugMode`."""

    def __init__(self, mode: DebugMode, outputs: Sequence[Any]) -> None:
        self.mode = mode
        # Results of the function may share memory: nothing overwrites them.
        self.read = {v for node in toposort(outputs) for v in node.inputs}

    def before(self, node: Apply, inputs: Sequence[object]) -> None:
        """Check what an operation of the user says of memory."""
        # Our own operations have the one or the other, for old programs.
        if all(hasattr(node.op, name) for name in ("view_map", "destroy_map", "perform")):
            used = [i for i, out in enumerate(node.outputs) if out in self.read]
            _check_declarations(node, inputs, used)

    def __call__(
        self, node: Apply, inputs: Sequence[TensorLike], outputs: Sequence[object]
    ) -> None:
        for variable, value in zip(node.outputs, outputs, strict=True):
            if self.mode.check_isfinite and (contains_nan(value) or contains_inf(value)):
                raise InvalidValueError(variable, value, None, "it is not finite")


class _Comparison:
    """One function of `DebugMode`."""

    def __init__(self, mode: DebugMode, maker: Any, rewritten: Sequence[object]) -> None:
        self.mode = mode
        self.leaves = maker.leaves
        self.written = maker.written()
        self.rewritten = list(rewritten)
        text = listing(rewritten)
        self.log: Sequence[Any] = ()
        for _ in range(max(1, mode.stability_patience)):
            rewriter = maker.rewriter(True)
            self.replaced: list[tuple[Any, Any, Any]] = []
            token = replacements.set(self.replaced)
            try:
                again = rewrite(self.written, mode.passes, rewriter, mode.selection)
            finally:
                replacements.reset(token)
            if listing(again) != text:
                raise StochasticOrder(f"one graph became\n{text}\nand also\n{listing(again)}")
            self.log = rewriter.log
        self.pure = all(node.op.pure for node in toposort(self.written))
        self.native = None
        if mode.check_c_code:
            self.native = _native(self.leaves, self.rewritten)

    def __call__(self, *values: np.ndarray) -> list[Any]:
        value_of = dict(zip(self.leaves, values, strict=True))
        try:
            results = evaluate(
                self.rewritten, value_of, _Values(self.mode, self.rewritten), failed=CallError
            )
        except CallError as failure:
            misfit = getattr(failure.error, "misfit", None)
            if misfit is not None:
                raise InvalidValueError(*misfit, hint="it does not fit that type") from None
            self._blame(failure.error, value_of)
            raise
        if self.mode.check_py_code and self.pure:
            before = evaluate(self.written, value_of, failed=CallError)
            for old, new, one, two in zip(
                self.written, self.rewritten, before, results, strict=True
            ):
                if not _same(old, one, two):
                    raise self._bad_rewrite(value_of) or BadOptimization(
                        old, new, one, two, "unknown"
                    )
        if self.native is not None and self.pure:
            for variable, one, two in zip(
                self.rewritten, results, self.native(*values), strict=True
            ):
                if not _same(variable, one, two):
                    raise self._bad_native(value_of) or _differs(variable, one, two, ())
        return results

    def _rewrites(self) -> Iterator[tuple[Sequence[Any], Sequence[Any], str]]:
        """Yield what each rewrite took away, what it put there, and its name, in order."""
        for rule, node, news in self.log:
            yield node.outputs, news, rule.name
        for a, b, reason in self.replaced:
            yield [a], [b], reason

    def _blame(self, error: Exception, value_of: dict[Any, Any]) -> None:
        """Say in an error which rewrite made what raises it of what does not."""
        for olds, news, name in self._rewrites():
            try:
                evaluate(olds, value_of)
            except Exception:
                continue
            try:
                evaluate(news, value_of)
            except type(error):
                error.add_note(f"The optimization '{name}' made what fails.")
                break
            except Exception:
                continue

    def _bad_rewrite(self, value_of: dict[Any, Any]) -> BadOptimization | None:
        """Return the first rewrite that changes a value."""
        for olds, news, name in self._rewrites():
            try:
                old = evaluate(olds, value_of)
                new = evaluate(news, value_of)
            except (KeyError, ValueError):
                # What is in the body of a loop has no value of its own.
                continue
            for a, b, one, two in zip(olds, news, old, new, strict=True):
                if not _same(a, one, two):
                    return BadOptimization(a, b, one, two, name)
        return None

    def _bad_native(self, value_of: dict[Any, Any]) -> BadThunkOutput | None:
        """Return the first node whose native code differs from its definition."""
        values = dict(value_of)

        def look(node: Apply, inputs: Sequence[object], outputs: Sequence[object]) -> None:
            steps.append((node, list(inputs), list(outputs)))

        steps: list[Any] = []
        evaluate(self.rewritten, values, look)
        for node, inputs, outputs in steps:
            fresh = [v if isinstance(v, Constant) else v.type() for v in node.inputs]
            alone = node.op.make_node(*fresh)
            pairs = zip(fresh, inputs, strict=True)
            operands = [(v, x) for v, x in pairs if not isinstance(v, Constant)]
            made = _native([v for v, _ in operands], alone.outputs)(*(x for _, x in operands))
            for variable, one, two in zip(node.outputs, outputs, made, strict=True):
                if not _same(variable, one, two):
                    return _differs(variable, one, two, inputs)
        return None


def _native(inputs: Sequence[Variable], outputs: Sequence[Any]) -> Callable[..., list[Any]]:
    # Shared variables are no inputs: others stand for them.
    fresh = [v.type() for v in inputs]
    made = copy_graph(outputs, dict(zip(inputs, fresh, strict=True)))
    return function(fresh, made, mode=Mode("llvm", None), on_unused_input="ignore")


def _same(variable: Any, one: np.ndarray, two: np.ndarray) -> bool:
    if not isinstance(variable.type, TensorType):
        return True
    return np.shape(one) == np.shape(two) and variable.type.values_eq_approx(
        one, np.asarray(two, one.dtype), allow_remove_nan=False
    )


def _differs(
    variable: object, one: np.ndarray, two: np.ndarray, inputs: Sequence[np.ndarray]
) -> BadThunkOutput:
    return BadThunkOutput(variable, "perform", one, "native code", two, inputs)


def _check_declarations(node: Apply, inputs: Sequence[Any], used: Sequence[int]) -> None:
    """Run `perform` of a user's operation on copies, and see what it changes and shares."""
    op = node.op
    copies = [v.copy() if isinstance(v, np.ndarray) else v for v in inputs]
    storage: list[list[Any]] = [[None] for _ in node.outputs]
    op.perform(node, list(copies), storage)
    destroyed = {i for listed in (op.destroy_map or {}).values() for i in listed}
    for position, (old, new) in enumerate(zip(inputs, copies, strict=True)):
        if position in destroyed or not isinstance(old, np.ndarray):
            continue
        if not np.array_equal(old, new, equal_nan=old.dtype.kind in "fc"):
            raise BadDestroyMap(node, position, old, new, op.perform)
    for index, cell in enumerate(storage):
        allowed = {*(op.view_map or {}).get(index, ()), *(op.destroy_map or {}).get(index, ())}
        for position, value in enumerate(copies):
            arrays = isinstance(value, np.ndarray) and isinstance(cell[0], np.ndarray)
            if arrays and position not in allowed and np.may_share_memory(value, cell[0]):
                raise BadViewMap(node, index, cell, position)
    shown = {i: set((op.view_map or {}).get(i, ())) for i in used}
    for one, two in itertools.combinations(used, 2):
        arrays = all(isinstance(storage[i][0], np.ndarray) for i in (one, two))
        if arrays and not shown[one] & shown[two]:
            if np.may_share_memory(storage[one][0], storage[two][0]):
                raise BadViewMap(node, one, storage[one], out_alias_idx=two)


def register() -> None:
    """Give the modes the names that `theano.function` and `config.mode` take."""
    predefined_modes["DebugMode"] = predefined_modes["DEBUG_MODE"] = DebugMode()
    predefined_modes["NanGuardMode"] = NanGuardMode()
