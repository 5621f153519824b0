"""Local rewrites in the manner of Theano 1.0.5: of one node, by a function or a pattern."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from inspect import signature
from typing import Any

from theano._core.ir.graph import constant_data
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.legacy.user.op import Op as UserOp
from theano._core.ops.core.evaluation import apply_values
from theano._core.ops.core.op import Op, as_variable


class LocalOptimizer:
    """Base of what replaces one node: subclasses write `transform`, some also `tracks`."""

    name: Any = None

    def tracks(self) -> Sequence[Any] | None:
        """Return the operations, or classes of them, that it looks at; None: all."""
        return None

    def transform(self, node: Apply) -> Any:
        """Return False for no change, a variable for each output, or a dict of replacements."""
        raise NotImplementedError(f"{type(self).__name__}.transform")

    def add_requirements(self, fgraph: Any) -> None:
        """Attach features that `transform` needs."""

    def looks_at(self, node: Apply) -> bool:
        """Tell whether a node is of an operation that it tracks, or of a class."""
        tracked, op = self.tracks(), node.op
        # A user's class stands for itself alone, as in Theano; one of ours may be made of several.
        exact = UserOp in type(op).__mro__
        return tracked is None or any(
            (type(op) is t if exact else isinstance(op, t)) if isinstance(t, type) else op == t
            for t in tracked
        )

    def __str__(self) -> str:
        return str(self.name or getattr(self, "__name__", None) or type(self).__name__)


class FromFunctionLocalOptimizer(LocalOptimizer):
    """A function of a node as a local optimizer."""

    def __init__(
        self,
        fn: Callable[..., Any],
        tracks: Any = None,
        requirements: Iterable[Callable[[Any], None]] = (),
    ) -> None:
        self.transform = _of_a_node(fn)  # type: ignore[method-assign]
        self.name = self.__name__ = getattr(fn, "__name__", str(fn))
        self.__doc__ = fn.__doc__
        self._tracks = tracks
        self.requirements = tuple(requirements)

    def tracks(self) -> Sequence[Any] | None:
        return self._tracks

    def add_requirements(self, fgraph: Any) -> None:
        for require in self.requirements:
            require(fgraph)

    def __call__(self, *args: Any) -> Any:
        return self.transform(*args)


def _of_a_node(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of a node; those of Theano-PyMC are told the graph before it."""
    try:
        parameters = signature(fn).parameters.values()
    except (TypeError, ValueError):
        return fn
    needed = [p for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    if len(needed) != 2:
        return fn
    return lambda *args: fn(args[-1].fgraph, args[-1])


def local_optimizer(
    tracks: Sequence[Any] | None,
    inplace: bool = False,
    requirements: Iterable[Callable[[Any], None]] = (),
) -> Callable[[Callable[..., Any]], FromFunctionLocalOptimizer]:
    """Return a decorator that makes a local optimizer of a function of a node.

    Parameters
    ----------
    tracks : list of operations, or classes of them, or None
        What it looks at; None: every node.
    inplace : bool
        Accepted for old programs: reuse of memory is planned by the engine.
    requirements : sequence of callable
        Called with the graph, to attach features.

    Raises
    ------
    ValueError
        `tracks` is an empty list.
    """
    if tracks is not None and len(tracks) == 0:
        raise ValueError("Use None instead of an empty list to apply to all nodes.")

    def decorator(f: Callable[..., object]) -> FromFunctionLocalOptimizer:
        return FromFunctionLocalOptimizer(f, tracks, requirements)

    return decorator


@local_optimizer(None)
def constant_folding(node: Apply) -> Any:
    """Replace a node to constants by its values."""
    if not node.inputs or not all(isinstance(v, Constant) for v in node.inputs):
        return False
    if not node.rules.foldable():
        return False
    values = apply_values(node, constant_data(node))
    return [out.type.make_constant(v) for out, v in zip(node.outputs, values, strict=True)]


class LocalOptGroup(LocalOptimizer):
    """The first of several local optimizers that changes something.

    Parameters
    ----------
    *optimizers : LocalOptimizer
    apply_all_opts : bool
        Whether the others then look at what the first made.
    """

    def __init__(self, *optimizers: Any, apply_all_opts: bool = False, **options: object) -> None:
        if len(optimizers) == 1 and isinstance(optimizers[0], (list, tuple)):
            optimizers = tuple(optimizers[0])
        self.opts = list(optimizers)
        self.apply_all_opts = apply_all_opts
        self.name = f"LocalOptGroup({','.join(str(o) for o in self.opts)})"

    def tracks(self) -> Sequence[Any] | None:
        tracked: list[Any] = []
        for each in self.opts:
            own = each.tracks()
            if own is None:
                return None
            tracked += own
        return tracked

    def add_requirements(self, fgraph: Any) -> None:
        for each in self.opts:
            each.add_requirements(fgraph)

    def transform(self, node: Apply) -> Any:
        result: Any = False
        for each in self.opts:
            if not each.looks_at(node):
                continue
            replaced = each.transform(node)
            if not replaced:
                continue
            result = replaced
            last = replaced[0] if isinstance(replaced, (list, tuple)) else None
            if not self.apply_all_opts or last is None or last.owner is None:
                break
            node = last.owner
        return result


class OpSub(LocalOptimizer):
    """Replaces an operation by another with inputs of the same types."""

    def __init__(self, op1: object, op2: Any, transfer_tags: bool = True) -> None:
        self.op1, self.op2, self.transfer_tags = op1, op2, transfer_tags

    def tracks(self) -> Sequence[Any]:
        return [self.op1]

    def op_key(self) -> Any:
        """Return the operation that it looks at."""
        return self.op1

    def transform(self, node: Apply) -> Any:
        if node.op != self.op1:
            return False
        new = self.op2.make_node(*node.inputs)
        if self.transfer_tags:
            vars(new.tag).update(vars(node.tag))
            for out, old in zip(new.outputs, node.outputs, strict=True):
                vars(out.tag).update(vars(old.tag))
        return new.outputs

    def __str__(self) -> str:
        return f"{self.op1} -> {self.op2}"


class OpRemove(LocalOptimizer):
    """Replaces the outputs of an operation by its inputs."""

    def __init__(self, op: Op) -> None:
        self.op = op

    def tracks(self) -> Sequence[Any]:
        return [self.op]

    def op_key(self) -> Any:
        """Return the operation that it looks at."""
        return self.op

    def transform(self, node: Apply) -> Any:
        return list(node.inputs) if node.op == self.op else False

    def __str__(self) -> str:
        return f"{self.op}(x) -> x"


class PatternSub(LocalOptimizer):
    """Replaces what a pattern matches.

    Parameters
    ----------
    in_pattern : tuple or dict
        `(op, part, part, ...)`. A part is such a pattern; a string, which stands for any variable,
        the same wherever it occurs; a number or a Constant, which stands for equal constants; or
        `{'pattern': part, 'constraint': f}`, where `f(variable)` must hold as well.
    out_pattern : tuple, str, number or callable
        `(op, part, ...)` over the strings of `in_pattern`.
    allow_multiple_clients : bool
        Whether what is inside the pattern may be used elsewhere too.
    skip_identities_fn : callable, optional
        Returns what a variable stands for when it does not match itself.
    name : str, optional
    pdb : bool
        Whether a debugger starts where the operation of the pattern occurs.
    tracks : sequence, optional
        What it looks at in place of the operation of the pattern; `get_nodes(node)` then returns
        the nodes to match.
    values_eq_approx : callable, optional
        Becomes the attribute of the tag of what is put there.

    Examples
    --------
    >>> import theano.tensor as T
    >>> print(PatternSub((T.neg, (T.neg, 'x')), 'x', name='neg_neg'), PatternSub(('f', 'x'), 'x'))
    neg_neg f(x) -> x
    """

    def __init__(
        self,
        in_pattern: object,
        out_pattern: object,
        allow_multiple_clients: bool = False,
        skip_identities_fn: Callable[[Variable], Variable] | None = None,
        name: str | None = None,
        pdb: bool = False,
        tracks: Sequence[Any] = (),
        get_nodes: Callable[[Apply], Iterable[Apply]] | None = None,
        values_eq_approx: object = None,
    ) -> None:
        head = in_pattern["pattern"] if isinstance(in_pattern, dict) else in_pattern
        if not isinstance(head, (list, tuple)):
            raise TypeError(
                "The pattern to search for must start with a specific Op instance, got "
                f"{in_pattern!r}"
            )
        self.in_pattern, self.out_pattern = in_pattern, out_pattern
        self.op = head[0]
        self.allow_multiple_clients = allow_multiple_clients
        self.skip_identities_fn = skip_identities_fn
        self.pdb = pdb
        self._tracks = list(tracks)
        self.get_nodes = get_nodes
        self.values_eq_approx = values_eq_approx
        self.name = self.__name__ = (
            name or f"{_pattern_text(in_pattern)} -> {_pattern_text(out_pattern)}"
        )
        if tracks and get_nodes is None:
            raise ValueError("PatternSub: `tracks` needs `get_nodes`")

    def tracks(self) -> Sequence[Any]:
        return self._tracks or [self.op]

    def op_key(self) -> Any:
        """Return the operation that it looks at."""
        return self.op

    def transform(self, node: Apply, get_nodes: bool = True) -> Any:
        if get_nodes and self.get_nodes is not None:
            return self._elsewhere([n for n in self.get_nodes(node) if n != "output"])
        if node.op != self.op or len(node.outputs) != 1:
            return False
        if self.pdb:
            breakpoint()
        bindings = self._match(self.in_pattern, node.outputs[0], {}, True)
        if bindings is None:
            return False
        new = self._build(self.out_pattern, bindings)
        new = new if isinstance(new, Variable) else as_variable(new)
        if new.type != node.outputs[0].type:
            converted = node.outputs[0].type.convert_variable(new)
            if converted is None:
                return False
            new = converted
        if self.values_eq_approx is not None:
            vars(new.tag)["values_eq_approx"] = self.values_eq_approx
        return [new]

    def _elsewhere(self, nodes: Iterable[Apply]) -> Any:
        """Return the replacements at the first of some nodes that match."""
        for node in nodes:
            new_outputs = self.transform(node, get_nodes=False)
            if new_outputs:
                return dict(zip(node.outputs, new_outputs, strict=True))
        return False

    def _match(
        self, pattern: Any, variable: Any, bindings: dict[str, Any], outermost: bool = False
    ) -> dict[str, Any] | None:
        """Return what the strings stand for, with `bindings`; None if it does not match."""
        if isinstance(pattern, dict):
            if not pattern["constraint"](variable):
                return None
            return self._match(pattern["pattern"], variable, bindings, outermost)
        if isinstance(pattern, str):
            bound = bindings.get(pattern)
            if bound is None:
                return {**bindings, pattern: variable}
            return bindings if bound is variable else self._skip(pattern, variable, bindings)
        if isinstance(pattern, (int, float, Constant)):
            same = _equals(pattern, variable)
            return bindings if same else self._skip(pattern, variable, bindings)
        node = variable.owner
        alone = outermost or self.allow_multiple_clients or len(_uses(variable)) <= 1
        if node is None or node.op != pattern[0] or len(node.inputs) != len(pattern) - 1:
            return self._skip(pattern, variable, bindings)
        if not alone:
            return None
        result: dict[str, Any] | None = bindings
        for part, value in zip(pattern[1:], node.inputs, strict=True):
            result = self._match(part, value, result)  # type: ignore[arg-type]
            if result is None:
                return self._skip(pattern, variable, bindings)
        return result

    def _skip(
        self, pattern: object, variable: Any, bindings: dict[str, Any]
    ) -> dict[str, Any] | None:
        """Match what the variable stands for, if that is known."""
        if self.skip_identities_fn is None:
            return None
        other = self.skip_identities_fn(variable)
        return None if not isinstance(other, Variable) else self._match(pattern, other, bindings)

    def _build(self, pattern: object, bindings: dict[str, Any]) -> Any:
        if isinstance(pattern, (list, tuple)):
            return pattern[0](*(self._build(part, bindings) for part in pattern[1:]))
        return bindings[pattern] if isinstance(pattern, str) else pattern


def _uses(variable: object) -> Sequence[Any]:
    return getattr(variable, "clients", ())


def _pattern_text(pattern: object) -> str:
    """Return a pattern as users read expressions."""
    if isinstance(pattern, (list, tuple)):
        return f"{pattern[0]}({', '.join(map(_pattern_text, pattern[1:]))})"
    if isinstance(pattern, dict):
        constraint = pattern["constraint"]
        return f"{_pattern_text(pattern['pattern'])} subject to {constraint}"
    return str(pattern)


def _equals(pattern: object, variable: Any) -> bool:
    """Tell whether a variable is the constant that a pattern asks for."""
    if isinstance(pattern, Constant):
        return pattern.equals(variable)
    while variable.owner is not None and type(variable.owner.op).__name__ == "DimShuffle":
        variable = variable.owner.inputs[0]
    data = getattr(variable, "data", None)
    return data is not None and getattr(data, "size", 0) == 1 and bool((data == pattern).all())
