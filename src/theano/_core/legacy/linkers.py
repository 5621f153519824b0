"""Linkers of Theano 1.0.5 as objects: what they are called, and functions made of graphs.

A linker names a backend. The compiler decides about thunks, their order and their memory, so the
options that were about those are taken and change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from copy import copy
from typing import Any

import numpy as np

from theano._core.compile.backends import updated_cells
from theano._core.compile.containers import Container as Cell
from theano._core.compile.function import function
from theano._core.compile.modes import LINKERS, Mode
from theano._core.ir.function_graph import FunctionGraph
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.legacy.ops.op_classes import Kind
from theano._core.ops.core.evaluation import apply_values, evaluate


class Container(Cell, metaclass=Kind):
    """Storage cells, made as in Theano; instances of this class come from old pickles only."""

    @classmethod
    def holds(cls, value: object) -> bool:
        """Tell whether something is a storage cell."""
        return isinstance(value, Cell)

    @classmethod
    def make(
        cls,
        r: Variable,
        storage: Sequence[object],
        readonly: bool = False,
        strict: bool = False,
        allow_downcast: bool | None = None,
        name: str | None = None,
    ) -> Cell:
        """Return a cell for values of the type of `r`, a variable or a type.

        Parameters
        ----------
        storage : list
            Its item is the first value; the cell does not write into the list.
        """
        type_ = getattr(r, "type", r)
        name = name or getattr(r, "name", None)
        return Cell(type_, storage[0], name, readonly, strict, allow_downcast)


class Linker:
    """Base: makes functions of a `FunctionGraph`, as it stands.

    Parameters
    ----------
    allow_gc : bool, optional
        Of no effect.
    schedule : callable, optional
        Of no effect.
    """

    known_as: Any = "cvm"

    def __init__(
        self, allow_gc: bool | None = None, schedule: object = None, **options: object
    ) -> None:
        self.allow_gc = allow_gc
        self.schedule = schedule
        self.fgraph: Any = None
        vars(self).update(options)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def clone(self, allow_gc: bool | None = None) -> Any:
        """Return an equal linker without a graph."""
        fresh = copy(self)
        fresh.fgraph = None
        fresh.allow_gc = self.allow_gc if allow_gc is None else allow_gc
        return fresh

    def accept(
        self, fgraph: FunctionGraph, no_recycling: object = None, profile: object = None
    ) -> Any:
        """Return a linker of this graph: this one, unless it has another."""
        linker = self if self.fgraph in (None, fgraph) else self.clone()
        linker.fgraph = fgraph
        return linker

    def _compiled(self, inputs: Sequence[Variable]) -> Callable[..., list[Any]]:
        mode = Mode(self, None)
        return function(
            inputs,
            self.fgraph.outputs,
            mode=mode,
            on_unused_input="ignore",
            accept_inplace=True,
        )

    def make_function(self, unpack_single: bool = True, **options: object) -> Callable[..., Any]:
        """Return a function of values of the inputs; a single result is not in a list."""
        compiled = self._compiled(self.fgraph.inputs)
        single = unpack_single and len(self.fgraph.outputs) == 1

        def execute(*args: object) -> Any:
            values = compiled(*args)
            return values[0] if single else values

        return execute

    def make_thunk(
        self, input_storage: Any = None, output_storage: Any = None, storage_map: Any = None
    ) -> tuple[Callable[[], None], list[Cell], list[Cell]]:
        """Return what computes, containers of the inputs and containers of the outputs."""
        graph = self.fgraph
        inputs, outputs = (_containers(v) for v in (graph.inputs, graph.outputs))
        # What is not used may stay empty, and constants have their values.
        needed = [graph.clients(v) and not isinstance(v, Constant) for v in graph.inputs]
        used = [k for k, one in enumerate(needed) if one]
        compiled = self._compiled([graph.inputs[k] for k in used])

        def thunk() -> None:
            values = compiled(*(inputs[k].value for k in used))
            for container, value in zip(outputs, values, strict=True):
                container.cell.value = value

        return thunk, inputs, outputs


def _containers(variables: Sequence[Variable]) -> list[Cell]:
    return [Cell(variable.type, name=variable.name) for variable in variables]


class LocalLinker(Linker):
    """Base of linkers that run one node after another."""

    updated_vars: Mapping[Variable, Variable] = {}

    def accept_var_updates(self, updated_vars: Mapping[Variable, Variable]) -> None:
        """Have what `make_all` returns write the values of outputs to inputs, by these."""
        self.updated_vars = dict(updated_vars)

    def make_all(
        self,
        profiler: object = None,
        input_storage: Sequence[list[Any]] | None = None,
        output_storage: Sequence[list[Any]] | None = None,
        storage_map: MutableMapping[Variable, list[Any]] | None = None,
    ) -> tuple[Callable[[], None], list[Cell], list[Cell], list[_Thunk], list[Apply]]:
        """Return what computes, containers, and what runs each node, with the nodes, in order.

        Lists of one value that are given are read before, and written after all is computed. What
        runs one node reads and writes lists of its own, those of `storage_map`.
        """
        graph: Any = self.fgraph
        run, inputs, outputs = self.make_thunk()
        pairs = [*zip(graph.inputs, input_storage or (), strict=False)]
        results = dict(zip(graph.outputs, outputs, strict=True))
        place = {v: k for k, v in enumerate(graph.inputs)}
        updates = [
            (v, new) for v, new in self.updated_vars.items() if v in place and new in results
        ]

        def compute() -> None:
            for container, (_, slot) in zip(inputs, pairs, strict=False):
                container.value = slot[0]
            run()
            for variable, new in updates:
                inputs[place[variable]].value = results[new].value
                if place[variable] < len(pairs):
                    pairs[place[variable]][1][0] = results[new].value
            for container, slot in zip(outputs, output_storage or (), strict=False):
                slot[0] = container.value

        schedule: Any = self.schedule
        order = graph.toposort() if schedule is None else list(schedule(graph))
        storage = {} if storage_map is None else storage_map
        storage.update(pair for pair in pairs if pair[0] not in storage)
        for variable in (v for node in order for v in (*node.inputs, *node.outputs)):
            storage.setdefault(variable, [getattr(variable, "data", None)])
        return compute, inputs, outputs, [_Thunk(node, storage) for node in order], order


class PerformLinker(LocalLinker):
    """Runs NumPy."""

    known_as = "py"


class CLinker(Linker):
    """Runs native code."""

    known_as = "c"


class OpWiseCLinker(LocalLinker):
    """Runs native code."""

    known_as = "c|py"


class VM_Linker(LocalLinker):  # noqa: N801
    """Runs native code.

    Parameters
    ----------
    allow_gc, use_cloop, lazy, schedule, c_thunks, allow_partial_eval
        Of no effect: branches are lazy, and outputs can be chosen, in any case.
    callback : callable, optional
        `callback(node=, thunk=, storage_map=, compute_map=)` is called after each node,
        which NumPy then runs: `thunk.inputs` and `thunk.outputs` are lists of [value], and the maps
        have those of the node.
    callback_input : callable, optional
        `callback_input(variable, value)` is called with each input.
    """

    def __init__(
        self,
        allow_gc: bool | None = None,
        use_cloop: bool = False,
        callback: object = None,
        callback_input: object = None,
        lazy: bool | None = None,
        schedule: object = None,
        c_thunks: bool | None = None,
        allow_partial_eval: bool | None = None,
    ) -> None:
        if callback is not None or callback_input is not None:
            self.known_as, self.runner = "py", self._watched
        super().__init__(allow_gc, schedule, use_cloop=use_cloop, lazy=lazy, c_thunks=c_thunks)
        self.allow_partial_eval = allow_partial_eval
        self.callback: Any = callback
        self.callback_input: Any = callback_input

    def _watched(self, maker: Any, rewritten: Sequence[Variable]) -> Callable[..., list[Any]]:
        """Return what computes a rewritten graph and calls the functions of the user."""

        def watch(node: Apply, inputs: Sequence[object], outputs: Sequence[object]) -> None:
            variables, values = [*node.inputs, *node.outputs], [*inputs, *outputs]
            storage = {v: [value] for v, value in zip(variables, values, strict=True)}
            self.callback(
                node=node,
                thunk=_Thunk(node, storage),
                storage_map=storage,
                compute_map={v: [True] for v in storage},
            )

        def run(*values: Any) -> list[Any]:
            if self.callback_input is not None:
                for variable, value in zip(maker.leaves, values, strict=True):
                    self.callback_input(variable, value)
            value_of = dict(zip(maker.leaves, values, strict=True))
            cells = updated_cells(maker)
            return evaluate(rewritten, value_of, watch if self.callback else None, cells=cells)

        return run


def _same(a: Sequence[Any], b: Sequence[Any]) -> None:
    if not np.allclose(a[0], b[0], equal_nan=True):
        raise ValueError("the two linkers differ", {"NumPy": a[0], "native": b[0]})


class DualLinker(Linker):
    """Runs NumPy and native code.

    Parameters
    ----------
    checker : callable, optional
        `checker(a, b)` of two results, each the item of a list, raises if they differ.
    """

    known_as = "c"

    def __init__(
        self, checker: Callable[[Any, Any], None] = _same, schedule: object = None
    ) -> None:
        super().__init__(schedule=schedule)
        self.checker = checker

    def _compiled(self, inputs: Sequence[Variable]) -> Callable[..., list[Any]]:
        native = super()._compiled(inputs)
        numpy = PerformLinker().accept(self.fgraph)._compiled(inputs)

        def both(*values: object) -> list[Any]:
            results = numpy(*values)
            for one, other in zip(results, native(*values), strict=True):
                self.checker([one], [other])
            return results

        return both


class WrapLinker(Linker):
    """Has a function of the user run the nodes.

    Parameters
    ----------
    linkers : list of Linker
        `wrapper` gets one thunk for each; all run NumPy.
    wrapper : callable
        `wrapper(i, node, *thunks)`: the number of a node, itself, and what runs it, which
        has `inputs` and `outputs`, lists of [value].
    """

    known_as = "py"

    def __init__(self, linkers: Sequence[Linker], wrapper: Callable[..., object]) -> None:
        super().__init__()
        self.linkers, self.wrapper = linkers, wrapper

    def _compiled(self, inputs: Sequence[Variable]) -> Callable[..., list[Any]]:
        run = self._through(self.fgraph.toposort(), inputs, self.fgraph.outputs)
        return lambda *values: run(
            *(v.type.filter(value) for v, value in zip(inputs, values, strict=True))
        )

    def runner(self, maker: Any, rewritten: Sequence[Variable]) -> Callable[..., list[Any]]:
        """Return what computes a rewritten graph, for `Mode`: by the nodes of `maker.fgraph`."""
        made: list[Callable[..., list[Any]]] = []

        def run(*values: object) -> list[Any]:
            if not made:
                graph = maker.fgraph
                made.append(self._through(graph.toposort(), graph.inputs, graph.outputs))
            return made[0](*values)

        return run

    def _through(
        self, nodes: Iterable[Apply], inputs: Sequence[Variable], outputs: Sequence[Variable]
    ) -> Callable[..., list[Any]]:
        nodes = list(nodes)
        variables = {*inputs, *outputs, *(v for n in nodes for v in (*n.inputs, *n.outputs))}

        def run(*values: object) -> list[Any]:
            storage = {v: [getattr(v, "data", None)] for v in variables}
            for variable, value in zip(inputs, values, strict=True):
                storage[variable][0] = value
            for i, node in enumerate(nodes):
                self.wrapper(i, node, *(_Thunk(node, storage) for _ in self.linkers))
            return [storage[variable][0] for variable in outputs]

        return run


def WrapLinkerMany(
    linkers: Sequence[Linker], wrappers: Sequence[Callable[..., Variable]]
) -> WrapLinker:
    """Return a `WrapLinker` whose wrapper calls several."""

    def wrapper(*args: object) -> None:
        for one in wrappers:
            one(*args)

    return WrapLinker(linkers, wrapper)


class _Thunk:
    """Runs one node on storage."""

    def __init__(self, node: Apply, storage: Mapping[Any, list[Any]]) -> None:
        self.node = node
        self.inputs = [storage[variable] for variable in node.inputs]
        self.outputs = [storage[variable] for variable in node.outputs]

    def __call__(self) -> None:
        values = apply_values(self.node, [cell[0] for cell in self.inputs])
        for cell, value in zip(self.outputs, values, strict=True):
            cell[0] = value


predefined_linkers = {
    "py": PerformLinker(),
    "c": CLinker(),
    "c|py": OpWiseCLinker(),
    "c|py_nogc": OpWiseCLinker(allow_gc=False),
    "vm": VM_Linker(),
    "cvm": VM_Linker(use_cloop=True),
    "vm_nogc": VM_Linker(allow_gc=False),
    "cvm_nogc": VM_Linker(allow_gc=False, use_cloop=True),
}


def register_linker(name: str, linker: Any) -> None:
    """Give a linker a name, by which `Mode` then takes it.

    Raises
    ------
    ValueError
        There is one of this name.
    """
    if name in LINKERS:
        raise ValueError(f"Linker name already taken: {name}")
    predefined_linkers[name] = linker
    LINKERS[name] = LINKERS[linker.known_as]


def linker_of(mode: Mode) -> Any:
    """Return the linker of a mode: an object if it was one in Theano, or else its name."""
    provided = mode.provided_linker
    return predefined_linkers.get(provided, provided) if isinstance(provided, str) else provided
