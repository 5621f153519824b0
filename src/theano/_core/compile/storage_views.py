"""What a compiled function keeps: values of its inputs and shared variables, and of a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from theano._core.compile.messages import named_inputs
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.core.python_call import NumPyCall


class ContainerView:
    """Values of a function's inputs and shared variables, by name, variable or position."""

    def __init__(self, function: Any) -> None:
        self._function = function

    def _find(self, key: Any) -> Any:
        maker = self._function.maker
        table = list(
            zip(
                [
                    *(s.name or s.ambiguous for s in maker.arguments),
                    *(v.name for v in maker.shared),
                ],
                maker.all_inputs,
                maker.containers,
                strict=True,
            )
        )
        matches = [
            entry[2]
            for i, entry in enumerate(table)
            if entry[1] is key
            or (isinstance(key, str) and entry[0] == key)
            or (type(key) is int and i == key)
        ]
        if not matches:
            raise KeyError(f"Unknown input or state: {key}")
        if len(matches) > 1:
            raise TypeError(
                f"Ambiguous name: {key} - please check the names of the inputs of your function for"
                " duplicates."
            )
        return matches[0]

    def __getitem__(self, key: Variable) -> Any:
        return self._find(key)

    def __contains__(self, key: object) -> bool:
        try:
            self._find(key)
        except KeyError:
            return False
        except TypeError:
            return True
        return True


class ValueView(ContainerView):
    """As `ContainerView`, the values themselves; they can be assigned."""

    def __getitem__(self, key: Variable | str) -> Any:
        return self._container(key).value

    def __setitem__(self, key: Variable | str, value: Any) -> None:
        self._container(key).value = value

    def _container(self, key: Variable | str) -> Any:
        try:
            return self._find(key)
        except KeyError:
            names = [s.name for s in self._function.maker.arguments if s.name]
            raise TypeError(f"Unknown input or state: {key}. {named_inputs(names)}") from None


class NodeThunk:
    """A node of a function alone: NumPy computes it from what is in the storage of its inputs.

    Attributes
    ----------
    inputs, outputs : list of [value]
        Shared with the thunks of other nodes, and with the function.
    """

    lazy = False

    def __init__(
        self,
        node: Apply,
        storage: Mapping[Variable, list[Any]],
        computed: Mapping[Variable, list[bool]] | None = None,
    ) -> None:
        self._node = node
        self._computed = [] if computed is None else [computed[v] for v in node.outputs]
        self.inputs = [storage[v] for v in node.inputs]
        self.outputs = [storage[v] for v in node.outputs]

    def __call__(self) -> None:
        made = NumPyCall(self._node).run(tuple(cell[0] for cell in self.inputs))
        for cell, value in zip(self.outputs, made, strict=True):
            cell[0] = value
        for flag in self._computed:
            flag[0] = True


class Thunk:
    """A call with the arguments in `input_storage` that leaves results in `output_storage`."""

    def __init__(self, function: Any) -> None:
        self._function = function

    @property
    def options(self) -> dict[str, Any]:
        """What programs have set of this function's thunk."""
        return vars(self._function.maker).setdefault("thunk_options", {})

    @property
    def profile(self) -> Any:
        """The profile of the function, or None."""
        return self._function.profile

    @property
    def compute_map(self) -> dict[Any, list[bool]]:
        """For each variable whether it has a value before a call."""
        return {variable: [variable.owner is None] for variable in self.storage_map}

    @property
    def storage_map(self) -> dict[Any, Any]:
        """The storage of each variable: a list of one item, which calls leave empty inside."""
        maker = self._function.maker
        graph = maker.fgraph
        storage = {v: c.storage for v, c in zip(graph.inputs, maker.containers, strict=True)}
        storage |= {v: [v.data] for v in graph.variables if isinstance(v, Constant)}
        for variable, container in zip(graph.outputs, self._function.output_storage, strict=False):
            storage.setdefault(variable, container.storage)
        inside = vars(maker).setdefault("storage_inside", {})
        for variable in graph.variables:
            if variable not in storage:
                storage[variable] = inside.setdefault(variable, [None])
        return storage

    @property
    def nodes(self) -> list[Any]:
        """The nodes of the rewritten graph, inputs first."""
        return self._function.maker.fgraph.toposort()

    @property
    def thunks(self) -> list[NodeThunk]:
        """What computes each of `nodes`; calls of the function do not use them."""
        storage = self.storage_map
        return [NodeThunk(node, storage) for node in self.nodes]

    def __call__(self, n_calls: int = 1, output_subset: Sequence[int] | None = None) -> None:
        for _ in range(n_calls):
            self._call(output_subset)

    def _call(self, output_subset: Sequence[int] | None) -> None:
        function = self._function
        maker = function.maker
        pairs = zip(maker.arguments, maker.containers, strict=False)
        values = [container.cell.value for spec, container in pairs if not spec.implicit]
        count = len(maker.results)
        wanted = range(count) if output_subset is None else output_subset
        if maker.result == "single":
            results = [function(*values)]
        elif isinstance(maker.result, tuple):
            table = function(*values)
            results = [table[key] for key in maker.result]
        else:
            results = function(*values)
        for index in wanted:
            function.output_storage[index].cell.value = results[index]
