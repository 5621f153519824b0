"""`theano.function`, and what users do with the functions it makes."""

from __future__ import annotations

import copy
import os
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base.errors import UnusedInputError
from theano._core.base.near_misses import OwnSignature, explained, missing
from theano._core.base.settings import config
from theano._core.compile import described
from theano._core.compile.containers import Container
from theano._core.compile.inputs import In, Out, read_inputs, read_updates
from theano._core.compile.maker import FunctionMaker
from theano._core.compile.memory import memory_plan
from theano._core.compile.modes import get_mode
from theano._core.compile.overwriting import refuse_overwriting, with_overwriting
from theano._core.compile.profiling import ProfileStats
from theano._core.compile.shared import SharedVariable, copied
from theano._core.compile.storage_views import ContainerView, Thunk, ValueView
from theano._core.ir import hooks
from theano._core.ir.graph import ancestors, check_inputs, copy_graph, toposort
from theano._core.ir.hooks import extend
from theano._core.ir.source import advice_on_unused, user_line
from theano._core.ir.text import label
from theano._core.ir.variable import Apply, Variable
from theano._core.runtime import native

if TYPE_CHECKING:
    from theano._core.compile.function_type import Function, Outputs
    from theano._core.compile.modes import Mode
    from theano._core.ir.annotations import Replacements

if not TYPE_CHECKING:
    Function = native.Function


@explained
def function(
    inputs: Sequence[Variable | In | tuple[Variable, object]],
    outputs: Outputs = None,
    mode: str | Mode | None = None,
    updates: Replacements = None,
    givens: Replacements = None,
    no_default_updates: bool | Sequence[Variable] = False,
    accept_inplace: bool = False,
    name: str | None = None,
    rebuild_strict: bool = True,
    allow_input_downcast: bool | None = None,
    profile: bool | str | ProfileStats | None = None,
    on_unused_input: str | None = None,
) -> Function:
    """Compile expressions into one native function.

    Parameters
    ----------
    inputs : list of variable, In, or (variable, default)
    outputs : variable, Out, list, dict of str, or None
        What a call returns: an array, a list, a dict, or an empty list.
    mode : str or Mode, optional
        How to rewrite and run; by default `config.mode`.
    updates : dict or list of pairs, optional
        New values of shared variables; all are computed from the old ones.
    givens : dict or list of pairs, optional
        Replacements in the graph, made before anything else.
    no_default_updates : bool or list of shared variables
        Whose `default_update` is not used.
    accept_inplace : bool
        Whether operations may overwrite their inputs: `*_inplace` functions, and those with a
        `destroy_map`; arguments that are not mutable, too.
    name : str, optional
        For messages; by default file and line of the call.
    rebuild_strict : bool
        Whether replacements of `givens` must have the type of what they replace.
    allow_input_downcast : bool or None
        `In.allow_downcast` of the inputs that are not written as `In`.
    profile : bool, str or ProfileStats, optional
        Time the calls and their steps: `f.profile.summary()` prints what was found. A string is
        its title; several functions may share a `ProfileStats`. By default `config.profile`, which
        also prints it all when Python ends.
    on_unused_input : {'raise', 'warn', 'ignore'}, optional
        By default `config.on_unused_input`.

    Returns
    -------
    Function

    Raises
    ------
    MissingInputError
        An output needs a variable that is not given.
    UnusedInputError
        An input is not needed, or is given twice.
    TypeError
        An argument, an update or a replacement has the wrong type, or an operation overwrites an
        input without `accept_inplace`.

    Examples
    --------
    >>> x, y = T.dscalars("x", "y")
    >>> f = theano.function([x, theano.In(y, value=1.0)], [x + y, x * y])
    >>> [float(v) for v in f(3.0)]
    [4.0, 3.0]

    An update is computed with the old values, and is there for the next call:

    >>> count = theano.shared(0)
    >>> step = theano.function([], count, updates=[(count, count + 1)])
    >>> int(step()), int(step())
    (0, 1)
    """
    specs = read_inputs(inputs, allow_input_downcast)
    result, results = _read_outputs(outputs)
    pairs = read_updates(updates)
    replacements = _read_givens(givens, rebuild_strict, {s.variable for s in specs})
    if name is None:
        line = user_line()
        name = f"{os.path.basename(line.file)}:{line.line}" if line else "function"
    graph = _collect(specs, results, pairs, replacements, no_default_updates, rebuild_strict)
    results, pairs, shared, nodes = graph
    _check_inputs(specs, results, pairs, shared, nodes, on_unused_input or config.on_unused_input)
    if not accept_inplace:
        refuse_overwriting(nodes)
    mode = get_mode(mode)
    if mode.overwrites and mode.backend != "jax":
        results, pairs = with_overwriting(specs, results, pairs, accept_inplace, shared)
    return FunctionMaker(specs, shared, results, pairs, result, mode, name, profile).create()


def _read_outputs(outputs: Any) -> tuple[Any, list[Any]]:
    """Return (how a call returns its results, the variables)."""
    if outputs is None:
        return "none", []
    if isinstance(outputs, dict):
        for key in outputs:
            if not isinstance(key, str):
                raise AssertionError(
                    f"keys of the dictionary of outputs must be strings, got {key!r}"
                )
        keys = tuple(sorted(outputs))
        return keys, [_output(outputs[key]) for key in keys]
    if isinstance(outputs, (list, tuple)):
        return "list", [_output(out) for out in outputs]
    return "single", [_output(outputs)]


def _output(value: object) -> Any:
    if isinstance(value, Out):
        return value.variable
    if isinstance(value, Variable):
        return value
    raise TypeError(
        f"Outputs must be theano Variable or Out instances. Received {value!r} of type"
        f" {type(value)}.{_meant(value)}"
    )


def _meant(value: object) -> str:
    """Return, after a blank, what becomes a variable of what is none; '' if nobody knows."""
    if isinstance(value, Mapping):
        return " theano.scan returns a pair: outputs, updates = theano.scan(...)."
    if callable(value):
        return " A function is called first, with the inputs."
    if isinstance(value, (bool, int, float, complex, np.ndarray, np.generic)):
        return " theano.tensor.constant(value) is a variable."
    return ""


def _read_givens(givens: Any, strict: bool, own: set[Any]) -> dict[Any, Any]:
    if givens is None:
        return {}
    pairs = givens.items() if hasattr(givens, "items") else givens
    result: dict[Any, Any] = {}
    read: set[Any] = set()
    for pair in pairs:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise ValueError(f"givens must be pairs (variable, replacement), got {pair!r}")
        old, new = pair
        if not isinstance(old, Variable):
            raise TypeError(f"givens: what is replaced must be a variable, got {old!r}")
        if old in own:
            raise RuntimeError(
                f"You are trying to replace variable '{old}' through the `givens` parameter, but"
                " this variable is an input to your function. Replacing inputs is currently"
                " forbidden because it has no effect."
            )
        if old in read:
            raise AssertionError(
                "givens may not use a variable that another pair replaces, nor replace one twice:"
                f" {old} is used by the pairs before its own. {{a: b, b: a + 1}}, for instance, is"
                " not allowed; make new variables for the values instead."
            )
        if not isinstance(new, Variable) or strict:
            new = old.type.filter_variable(new)
        read.update(ancestors([new]))
        read.add(old)
        result[old] = _replaced([new], result, strict)[0]
    return result


def _collect(
    specs: Sequence[In],
    results: list[Variable],
    pairs: list[tuple[Variable, Variable]],
    replacements: dict[Variable, Variable],
    no_default_updates: bool | Sequence[Variable],
    strict: bool,
) -> tuple[list[Any], list[tuple[Any, Any]], list[Any], list[Apply]]:
    """Apply replacements and default updates; return outputs, updates, shared variables, nodes."""
    own = {s.variable for s in specs}
    updates = [(s.variable, s.update) for s in specs if s.update is not None] + pairs
    updated = {target for target, _ in updates}
    values = [value for _, value in updates]
    graph = _replaced([*results, *values], replacements, strict)
    results, values = graph[: len(results)], graph[len(results) :]
    updates = [(target, value) for (target, _), value in zip(updates, values, strict=True)]
    shared: dict[Any, None] = {}
    nodes: list[Apply] = []
    pending = [*results, *values]
    while pending:
        walked = toposort(pending, own)
        nodes += walked
        read = (*(v for node in walked for v in node.inputs), *pending)
        shared_read = (v for v in read if isinstance(v, SharedVariable))
        fresh = [v for v in dict.fromkeys(shared_read) if v not in shared and v not in own]
        pending = []
        for variable in fresh:
            shared[variable] = None
            update = getattr(variable, "default_update", None)
            if update is None or variable in updated or _refused(variable, no_default_updates):
                continue
            updated.add(variable)
            new = _replaced([update], replacements, strict)[0]
            updates.append((variable, new))
            pending.append(new)
    for target, _ in updates:
        if target not in own:
            shared.setdefault(target)
    return results, updates, list(shared), nodes


def _replaced(
    graph: Sequence[Any], replacements: dict[Variable, Variable], strict: bool
) -> list[Any]:
    if not replacements:
        return list(graph)
    return copy_graph(graph, replacements, strict)


def _refused(variable: Variable, choice: Sequence[Variable] | bool) -> bool:
    if isinstance(choice, bool):
        return choice
    if not isinstance(choice, (list, tuple, set)):
        raise TypeError("no_default_update should be either a boolean or a list")
    return variable in choice


def _check_inputs(
    specs: Sequence[In],
    results: Sequence[Variable],
    pairs: Sequence[Any],
    shared: Sequence[Variable],
    nodes: list[Apply],
    policy: str,
) -> None:
    if policy not in ("raise", "warn", "ignore"):
        raise ValueError(
            f"Invalid value for keyword on_unused_input of theano.function: {policy!r}. Valid"
            " values are 'raise', 'warn', and 'ignore'."
        )
    variables = _check_repeated(specs)
    graph = [*results, *(value for _, value in pairs)]
    used = {*graph, *(v for node in nodes for v in node.inputs)}
    for index, spec in enumerate(specs):
        if spec.variable in used or spec.update is not None:
            continue
        message = (
            "theano.function was asked to create a function computing outputs given certain"
            f" inputs, but the provided input variable at index {index} is not part of the"
            f" computational graph needed to compute the outputs: {label(spec.variable)}.\nTo make"
            " this error into a warning, you can pass the parameter on_unused_input='warn' to"
            " theano.function. To disable it completely, use on_unused_input='ignore'."
            f"{advice_on_unused(spec.variable, 'outputs')}"
        )
        if policy == "raise":
            raise UnusedInputError(message)
        if policy == "warn":
            warnings.warn(message, stacklevel=3)
    check_inputs(graph, [*variables, *shared], nodes)


def _check_repeated(specs: Sequence[In]) -> list[Any]:
    """Return the variables of the inputs; take names away that would stand for two of them."""
    position: dict[Any, int] = {}
    names = Counter(spec.name for spec in specs)
    for index, spec in enumerate(specs):
        if spec.variable in position:
            raise UnusedInputError(
                f"Variable {spec.variable} is used twice in inputs to theano.function, at indices"
                f" {position[spec.variable]} and {index}: one of the two values"
                " would be ignored. Give each input once."
            )
        position[spec.variable] = index
        if spec.name and names[spec.name] > 1:
            spec.name, spec.ambiguous = None, spec.name
    return list(position)


# -- methods of functions ---------------------------------------------------------------------


def _copy(
    self: Any,
    share_memory: bool = False,
    swap: dict[Variable, Variable] | None = None,
    delete_updates: bool = False,
    name: str | None = None,
    profile: object = None,
) -> Any:
    """Return another function of the same graph.

    Parameters
    ----------
    share_memory : bool
        Kept for old programs; functions share no memory between calls.
    swap : dict of shared variable to shared variable, optional
        Shared variables to use instead.
    delete_updates : bool
        Leave out all updates.
    name : str, optional
        By default that of the function and " copy".
    profile : optional
        As for `function`: a copy is not profiled with the function.

    Raises
    ------
    UnusedInputError
        Without the updates an input is not needed, and it was not made with
        `on_unused_input='warn'` or 'ignore'.
    ValueError
        A shared variable to swap is not used by the function.
    AssertionError
        A shared variable is swapped with one of another type.
    """
    maker = self.maker
    swap = dict(swap or {})
    for old, new in swap.items():
        if not isinstance(old, SharedVariable) or not isinstance(new, SharedVariable):
            raise TypeError(f"swap takes shared variables, got {old!r} and {new!r}")
        if old not in maker.shared:
            raise ValueError(f"SharedVariable {old} is not used by the function")
        if old.type != new.type:
            raise AssertionError(
                f"swap: {old} has type {old.type}, which conflicts with {new} of type {new.type}"
            )
    updates = [] if delete_updates else maker.updates
    graph = copy_graph([*maker.results, *(v for _, v in updates)], swap)
    outputs, values = graph[: len(maker.results)], graph[len(maker.results) :]
    new_updates = [(swap.get(t, t), v) for (t, _), v in zip(updates, values, strict=True)]
    used = set(ancestors(graph)) | {t for t, _ in new_updates}
    shared = [swap.get(v, v) for v in maker.shared if swap.get(v, v) in used]
    fresh = FunctionMaker(
        maker.arguments,
        shared,
        outputs,
        new_updates,
        # As in Theano 1.0.5, a copy returns a list of one result.
        "list" if maker.result == "single" else maker.result,
        maker.mode,
        name or f"{maker.name} copy",
        profile,
    )
    return fresh.create()


def _set_name(self: Any, name: str) -> None:
    self.maker.name = name


def _output_keys(self: Any) -> list[str] | None:
    result = self.maker.result
    return list(result) if isinstance(result, tuple) else None


def _get_shared(self: Any) -> list[Any]:
    """Return the shared variables that the function reads or updates."""
    return list(self.maker.shared)


def _free(self: Any) -> None:
    """Give back memory kept between calls: the pool keeps it for all functions."""
    native.trim_pool()


def _sync_shared(self: Any) -> None:
    """Wait until the shared variables have their values: they always have."""


def _reduce(self: Any) -> Any:
    containers = self.maker.containers[: len(self.maker.arguments)]
    return _unpickled, (self.maker, containers, self.trust_input)


def _unpickled(maker: FunctionMaker, containers: Sequence[Container], trust_input: bool) -> Any:
    return _made(maker, containers, trust_input) if config.unpickle_function else None


def _deepcopy(self: Any, memo: dict[int, Any]) -> Any:
    memo[id(self.maker.mode)] = self.maker.mode
    return _made(*copy.deepcopy(_reduce(self)[1], memo))


def _shallow_copy(self: Any) -> Any:
    _, (maker, containers, trust_input) = _reduce(self)
    own = [copy.copy(container) for container in containers]
    for spec, container in zip(maker.arguments, own, strict=True):
        # Values that calls leave alone are shared.
        changes = spec.mutable or spec.update is not None
        container.cell = native.Cell(container.cell.read(copied if changes else lambda x: x))
    made = _made(copy.copy(maker), own, trust_input)
    made.name = f"{self.name} copy"
    return made


def _made(maker: FunctionMaker, containers: Sequence[Container], trust_input: bool) -> Any:
    made = maker.create(containers)
    made.trust_input = trust_input
    return made


extend(
    Function,
    __repr__=described.text_of,
    _repr_html_=described.function_html,
    _repr_svg_=described.function_svg,
    __signature__=OwnSignature(described.signature_of),
    __getattr__=missing,
    name=property(lambda self: self.maker.name, _set_name),
    copy=_copy,
    memory_plan=memory_plan,
    show=described.show_function,
    __copy__=_shallow_copy,
    __deepcopy__=_deepcopy,
    get_shared=_get_shared,
    free=_free,
    sync_shared=_sync_shared,
    # Every function has its own.
    maker=None,
    output_storage=None,
    __reduce__=_reduce,
    container=property(ContainerView),
    inv_finder=property(lambda self: dict(zip(self.input_storage, self.inputs, strict=True))),
    indices=property(lambda self: [[spec, None, [spec]] for spec in self.inputs]),
    value=property(ValueView),
    __getitem__=lambda self, key: ValueView(self)[key],
    __setitem__=lambda self, key, value: ValueView(self).__setitem__(key, value),
    __contains__=lambda self, key: key in ContainerView(self),
    fn=property(Thunk),
    input_storage=property(lambda self: list(self.maker.containers)),
    inputs=property(lambda self: self.maker.inputs),
    outputs=property(lambda self: self.maker.outputs),
    defaults=property(
        lambda self: [
            (
                s.value is None,
                s.value is not None and s.update is None and not s.implicit,
                None if s.update is not None or s.implicit else s.value,
            )
            for s in self.maker.arguments
        ]
    ),
    n_returned_outputs=property(lambda self: len(self.maker.results)),
    return_none=property(lambda self: self.maker.result == "none"),
    unpack_single=property(lambda self: self.maker.result == "single"),
    output_keys=property(_output_keys),
    # Whether arguments are looked at before each call, for memory that two of them share.
    _check_for_aliased_inputs=property(
        lambda self: any(spec.borrow or spec.mutable for spec in self.maker.arguments),
        # Old programs turn it off to save time, of which it takes none.
        lambda self, value: None,
    ),
)


@hooks.compile_body.fill
def _compiled(inputs: Sequence[Variable], outputs: Sequence[Variable]) -> Function:
    return function(list(inputs), list(outputs), mode="FAST_RUN", on_unused_input="ignore")
