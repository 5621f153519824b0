"""Expressions as operations, under the name and with the options of Theano 1.0.5."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from theano._core.compile.shared import SharedVariable
from theano._core.ir.graph import inputs as leaves_of
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.gradient import DisconnectedType, NullType
from theano._core.ops.control.body import Body
from theano._core.ops.control.inner_graph import InnerGraph, Override

DEFAULT = "default"


class OpFromGraph(InnerGraph):
    """An operation made of an expression.

    Where a function uses it, the expression is written out and fused with what stands around it.

    Parameters
    ----------
    inputs : list of variables
    outputs : list of variables
        Expressions of the inputs; shared variables and constants may occur in them.
    inline : bool
        Accepted for old programs: all are written out.
    lop_overrides : 'default', callable, OpFromGraph, variable, or list of these
        The gradient in place of the derived one: called as `f(inputs, outputs, output_gradients)`
        (an OpFromGraph with all of these one after another) it returns the gradients of the inputs.
        A variable of NullType or DisconnectedType says that there is none. The entries of a list
        belong to the inputs, one each; a callable then returns one gradient.
    grad_overrides
        The same, without the outputs; only one of the two may be given.
    rop_overrides : 'default', callable, OpFromGraph, variable, or list of these
        The forward mode: `f(inputs, tangents)` returns the tangents of the outputs.
    connection_pattern : list of lists of bool, optional
        For each input, which outputs depend on its values.
    name : str, optional
    **options
        Options of `theano.function`, accepted for old programs.

    Raises
    ------
    TypeError
        `inputs` or `outputs` is no list, one of them no variable, or `updates` or `givens` are
        given.
    ValueError
        Both `lop_overrides` and `grad_overrides` are given, or a list has another length than
        what it is for.
    MissingInputError
        An output needs a variable that is not among the inputs.

    Examples
    --------
    >>> import theano.tensor as T
    >>> x, y = T.dscalars("x", "y")
    >>> hypotenuse = OpFromGraph([x, y], [T.sqrt(x**2 + y**2)])
    >>> a, b = T.dscalars("a", "b")
    >>> float(hypotenuse(a, 2 * b).eval({a: 3.0, b: 2.0}))
    5.0
    """

    def __init__(
        self,
        inputs: Sequence[Any],
        outputs: Sequence[Any],
        inline: bool = False,
        lop_overrides: object = DEFAULT,
        grad_overrides: object = DEFAULT,
        rop_overrides: object = DEFAULT,
        connection_pattern: Any = None,
        name: str | None = None,
        **options: object,
    ) -> None:
        for option in ("updates", "givens"):
            if option in options:
                raise TypeError(f"{option} are not allowed in OpFromGraph")
        if not isinstance(inputs, (list, tuple)):
            raise TypeError(f"inputs must be list, got {type(inputs).__name__}")
        if not isinstance(outputs, list):
            raise TypeError(f"outputs must be list, got {type(outputs).__name__}")
        for variable in (*inputs, *outputs):
            if not isinstance(variable, Variable):
                raise TypeError(f"inputs and outputs must be variables, got {variable!r}")
        if name is not None and not isinstance(name, str):
            raise TypeError(f"name must be None or a string, got {name!r}")
        # As the user wrote them, where the body is a copy.
        self.inputs, self.outputs = list(inputs), list(outputs)
        self.input_types = [v.type for v in inputs]
        self.output_types = [v.type for v in outputs]
        own = set(inputs)
        leaves = leaves_of(outputs, inputs)
        self.shared_inputs = [v for v in leaves if isinstance(v, SharedVariable) and v not in own]
        super().__init__(Body([*inputs, *self.shared_inputs], outputs).fresh(), name)
        self.is_inline = inline
        self.pattern = connection_pattern
        if not _is_default(grad_overrides):
            if not _is_default(lop_overrides):
                raise ValueError("lop_overrides and grad_overrides are mutually exclusive")
            self.set_grad_overrides(grad_overrides)
        else:
            self.set_lop_overrides(lop_overrides)
        self.set_rop_overrides(rop_overrides)

    @property
    def local_inputs(self) -> list[Any]:
        """The inputs of the expression, the shared variables last."""
        return list(self.body.inputs)

    @property
    def local_outputs(self) -> list[Any]:
        """The outputs of the expression."""
        return list(self.body.outputs)

    def __str__(self) -> str:
        return f"{self.name or type(self).__name__}{{inline={self.is_inline}}}"

    def make_node(self, *inputs: Variable) -> Apply:
        # A copy of a node passes the shared variables too.
        if len(inputs) == len(self.body.inputs) - len(self.shared_inputs):
            inputs = (*inputs, *self.shared_inputs)
        return super().make_node(*inputs)

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Return, per input, which outputs depend on its values."""
        return self.connection(node)

    def set_lop_overrides(self, lop_overrides: object) -> None:
        """Set what stands for the gradient; see `lop_overrides`."""
        self.pullback = _override(
            lop_overrides, len(self.body.inputs), lambda node, g: (node.inputs, node.outputs, g)
        )

    def set_grad_overrides(self, grad_overrides: object) -> None:
        """Set what stands for the gradient; see `grad_overrides`."""
        self.pullback = _override(
            grad_overrides, len(self.body.inputs), lambda node, g: (node.inputs, g)
        )

    def set_rop_overrides(self, rop_overrides: object) -> None:
        """Set what stands for the forward mode; see `rop_overrides`."""
        self.pushforward = _override(
            rop_overrides, len(self.body.outputs), lambda node, t: (node.inputs, t)
        )


Arguments = Callable[[Apply, list[Any]], tuple[list[Any], ...]]


def _override(overrides: object, count: int, arguments: Arguments) -> Override | None:
    """Return the rule that `overrides` say, which has `count` results; None for the derived one."""
    if _is_default(overrides):
        return None
    entries = overrides if isinstance(overrides, list) else [overrides]
    if isinstance(overrides, list) and len(entries) != count:
        raise ValueError(f"Need to override {count} gradients, got {len(entries)}: {entries}")
    for entry in entries:
        _check(entry)

    def rule(
        node: Apply, variables: list[Variable], derived: Callable[[], list[Variable]]
    ) -> list[Any]:
        groups = [list(group) for group in arguments(node, variables)]
        if not isinstance(overrides, list):
            results = _call(overrides, groups)
            if isinstance(overrides, Variable):
                results = [results] * count
            if not isinstance(results, (list, tuple)) or len(results) != count:
                raise ValueError(
                    f"{node.op}: an overriding function should return a list of {count} variables, "
                    f"got {results!r}"
                )
            return list(results)
        rest = derived() if any(_is_default(e) for e in overrides) else []
        return [
            rest[k] if _is_default(entry) else _single(_call(entry, groups))
            for k, entry in enumerate(overrides)
        ]

    return rule


def _call(entry: Any, groups: list[list[Any]]) -> Any:
    """Return what an override gives; an OpFromGraph, the list of its outputs."""
    if isinstance(entry, Variable):
        return entry
    if isinstance(entry, OpFromGraph):
        return entry(*(v for group in groups for v in group), return_list=True)
    return entry(*(list(group) for group in groups))


def _single(result: Variable) -> Any:
    return result[0] if isinstance(result, (list, tuple)) else result


def _is_default(entry: object) -> bool:
    return isinstance(entry, str) and entry == DEFAULT


def _check(entry: object) -> None:
    if isinstance(entry, Variable):
        if not isinstance(entry.type, (NullType, DisconnectedType)):
            raise ValueError(
                f"an overriding variable must be of NullType or DisconnectedType, got {entry.type}"
            )
    elif not callable(entry) and not _is_default(entry):
        raise TypeError(
            "an override must be 'default', a function, an OpFromGraph, a variable or a list of "
            f"these, got {entry!r}"
        )
