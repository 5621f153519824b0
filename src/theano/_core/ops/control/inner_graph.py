"""Graphs as operations: an expression under a name, with derivatives that may be its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any

from theano._core.base.settings import change_flags, config
from theano._core.ir.comparison import io_connection_pattern
from theano._core.ir.graph import ancestors, copy_graph
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.control.body import Body
from theano._core.ops.core.evaluation import evaluate
from theano._core.ops.core.fill import zeros_like_float
from theano._core.ops.core.naming import hashed_as, variant
from theano._core.ops.core.op import Structured

if TYPE_CHECKING:
    import numpy as np

    from theano._core.ir.annotations import ArrayModule, Dims
    from theano._core.ops.control.batching import Batch
    from theano._core.ops.core.protocols import Builder, Forward, ProgramValue, Trace

# A rule that the user gives: from a node, the cotangents of its outputs (or tangents of its
# inputs) and a function that returns the derived results to the results.
Override = Callable[[Apply, list[Any], Callable[[], list[Any]]], list[Any]]


class InnerGraph(Structured):
    """The outputs of a body over its inputs.

    Rewriting writes the body out where it is used. Two of them are equal only if they are one.

    Parameters
    ----------
    body : Body
    name : str or None
    """

    differentiates = True
    # What stands for the derived rules where the user gave some.
    pullback: Override | None = None
    pushforward: Override | None = None
    pattern: list[list[bool]] | None = None

    def __init__(self, body: Body, name: str | None = None) -> None:
        self.body = body
        self.name = name

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    @property
    def additive(self) -> bool:  # type: ignore[override]
        """Whether its gradient follows from a body of which this holds."""
        return self.pullback is None and self.body.additive

    def foldable(self) -> bool:
        """Tell whether its results for constants may be computed before the function runs."""
        return self.body.foldable()

    def make_node(self, *inputs: Variable) -> Apply:
        wanted = self.body.inputs
        if len(inputs) != len(wanted):
            raise ValueError(f"{self} takes {len(wanted)} inputs, got {len(inputs)}")
        values = [w.type.filter_variable(v) for w, v in zip(wanted, inputs, strict=True)]
        outputs = [out.type.output() for out in self.body.outputs]
        return Apply(self, values, outputs)

    def compute(self, xp: ArrayModule, node: Apply, *arrays: np.ndarray) -> tuple[Any, ...]:
        values = dict(zip(self.body.inputs, arrays, strict=True))
        return tuple(evaluate(self.body.outputs, values))

    def jax(self, j: Trace, node: Apply, *arrays: np.ndarray) -> list[Any]:
        results, passed = j.body(self.body, arrays)
        j.require(passed)
        return results

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return self.body.shape(shapes, dict(zip(self.body.inputs, node.inputs, strict=True)))

    def connection(self, node: Apply) -> list[list[bool]]:
        return self.pattern or io_connection_pattern(self.body.inputs, self.body.outputs)

    def vjp(
        self,
        node: Apply,
        cotangents: Sequence[Variable],
        reverse: Callable[..., object] | None = None,
    ) -> list[Any]:
        derived = partial(self._derived_vjp, node, cotangents, reverse)
        if self.pullback is None:
            return derived()
        return self.pullback(node, _or_zeros(cotangents, node.outputs), derived)

    def _derived_vjp(
        self, node: Apply, cotangents: Sequence[Variable | None], reverse: Any
    ) -> list[Any]:
        seeds: dict[Any, Any] = {}
        for out, g in zip(self.body.outputs, cotangents, strict=True):
            if g is not None:
                seeds[out] = seeds[out] + g if out in seeds else g
        gradients = reverse(seeds, self.body.inputs)
        return self._outside(node, [gradients.get(v) for v in self.body.inputs], cotangents)

    def jvp(self, node: Apply, tangents: Sequence[Variable | None], forward: Forward) -> list[Any]:
        derived = partial(self._derived_jvp, node, tangents, forward)
        if self.pushforward is None:
            return derived()
        return self.pushforward(node, _or_zeros(tangents, node.inputs), derived)

    def _derived_jvp(
        self, node: Apply, tangents: Sequence[Variable | None], forward: Forward
    ) -> list[Any]:
        pushed = forward(self.body.outputs, dict(zip(self.body.inputs, tangents, strict=True)))
        return self._outside(node, pushed, tangents)

    def _outside(
        self, node: Apply, values: Sequence[Any], outside: Iterable[Variable | None]
    ) -> list[Any]:
        """Return expressions over the body as expressions over a node; None stays.

        What `outside` is made of is not walked: it may be long, and has nothing of the body.
        """
        table = {v: v for v in outside if v is not None}
        table.update(zip(self.body.outputs, node.outputs, strict=True))
        table.update(zip(self.body.inputs, node.inputs, strict=True))
        there = iter(copy_graph([v for v in values if v is not None], table))
        return [None if v is None else next(there) for v in values]

    def batch(
        self, node: Apply, values: Sequence[Variable], rows: list[bool], batching: Batch
    ) -> list[Any] | None:
        inside = batching.inside(batching.size, dict(zip(self.body.inputs, values, strict=True)))
        inside.add(self.body.outputs)
        return [inside.value(v) for v in self.body.outputs]

    def emit(self, p: Builder, node: Apply, *values: ProgramValue) -> Any:
        raise NotImplementedError("rewriting writes inner graphs out")

    def __str__(self) -> str:
        return self.name or type(self).__name__


def body_over(
    outside: Sequence[Variable], build: Callable[..., Any], *, constants_known: bool = False
) -> Body:
    """Return the body of what `build` makes of stand-ins for some values, one or a list.

    They have no test values: what an operation with the body gives has. With `constants_known`,
    constants are given to `build` themselves: lengths and axes that are known decide on types.
    """
    inside = [v.type.make_variable() for v in outside]
    values = inside
    if constants_known:
        pairs = zip(outside, inside, strict=True)
        values = [v if isinstance(v, Constant) else stand_in for v, stand_in in pairs]
    off = config.compute_test_value == "off"
    with nullcontext() if off else change_flags(compute_test_value="off"):
        return Body(inside, results(build(*values)))


def results(made: object) -> list[Any]:
    """Return what an expression has made as a list."""
    return list(made) if isinstance(made, (list, tuple)) else [made]


class Expression(InnerGraph):
    """An expression under a name. Those that say the same are equal."""

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self is other or self.body == other.body  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((type(self), self.body))


class Named(Expression):
    """An expression that an operation of an old program made.

    Parameters
    ----------
    body : Body
    maker
        What made it: called with the inputs, it does so again. Programs find its options here, and
        compare it with this.
    """

    def __init__(self, body: Body, maker: object) -> None:
        super().__init__(body, str(maker))
        self.maker: Any = maker
        self.__class__ = variant(Named, type(maker).__name__)
        places = getattr(maker, "destroy_map", {}).get(0)
        if places:
            self.overwrites = places[0]

    def make_node(self, *inputs: Variable) -> Apply:
        # What it holds follows from their types, and from those that are known.
        return self.maker.make_node(*inputs)

    def __getattr__(self, name: str) -> Any:
        # None while it is copied or unpickled.
        if name in getattr(vars(self).get("maker"), "options", ()):
            return getattr(self.maker, name)
        return super().__getattr__(name)  # type: ignore[misc]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Named):
            return self.maker == other.maker and self.body == other.body
        return bool(self.maker == other)

    def __hash__(self) -> int:
        return hash(self.maker)


class ReverseRule(Expression):
    """What a reverse rule says."""


class _Retyped(Expression):
    """An expression that follows the types of its inputs."""

    def make_node(self, *inputs: Variable) -> Apply:
        inner = self.body.inputs
        types = [getattr(v, "type", w.type) for v, w in zip(inputs, inner, strict=False)]
        own = [w.type for w in inner]
        ranks = [[getattr(t, "ndim", None) for t in ts] for ts in (types, own)]
        if types == own or ranks[0] != ranks[1]:
            return super().make_node(*inputs)

        def build(*values: Variable) -> list[Any]:
            copy_of: dict[Any, Any] = dict(zip(inner, values, strict=True))
            for node in self.body.nodes:
                new = node.clone_with_new_inputs([copy_of.get(v, v) for v in node.inputs], False)
                copy_of.update(zip(node.outputs, new.outputs, strict=True))
            return [copy_of[v] for v in self.body.outputs]

        values = [
            v if isinstance(v, Variable) else t.filter_variable(v)
            for v, t in zip(inputs, own, strict=True)
        ]
        made = copy(self)
        made.body = body_over(values, build)
        return made.make_node(*values)


@hashed_as("Softmax")
class Softmax(_Retyped):
    """``exp(x) / sum(exp(x))`` of every row."""


@hashed_as("LogSoftmax")
class LogSoftmax(_Retyped):
    """``x - log(sum(exp(x)))`` of every row."""


class Whole(_Retyped):
    """An expression that a public function makes, under the name of Theano's operation for it.

    Parameters
    ----------
    body : Body
    name : str
    options : dict
        What that operation took when it was made.

    Notes
    -----
    Its class has the name, too: programs print and compare those.
    """

    name: str

    def __new__(cls, body: Body, name: str, options: dict[str, Any]) -> Whole:
        return object.__new__(variant(Whole, name))

    def __init__(self, body: Body, name: str, options: dict[str, Any]) -> None:
        super().__init__(body, name)
        self.options = options

    def __getattr__(self, name: str) -> Any:
        # None while it is copied or unpickled.
        options = vars(self).get("options") or {}
        return options[name] if name in options else super().__getattr__(name)  # type: ignore[misc]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Whole):
            return NotImplemented
        same = (self.name, self.options) == (other.name, other.options)
        return same and self.body == other.body

    def __hash__(self) -> int:
        # As those of a `Maker`, and not of the options: theano.tensor has some with fewer.
        return hash(self.name)

    def __str__(self) -> str:
        return _with_options(self.name, self.options)


# What operations with options print, where that is not their names and values.
TEXTS = {
    "CumOp": "{axis}, {mode}",
    "Flatten": "{outdim}",
    "Join": "",
    "Split": "{len_splits}",
    "SortOp": "{kind}, {order}",
    "ArgSortOp": "{kind}, {order}",
    "Prepend_scalar_constant_to_each_row": "Constant{{{val}}}",
}


def _with_options(name: str, options: dict[str, Any]) -> str:
    if name in TEXTS:
        return f"{name}{{{TEXTS[name].format_map(options)}}}" if TEXTS[name] else name
    text = ", ".join(f"{option}={value!r}" for option, value in options.items())
    return f"{name}{{{text}}}" if text else name


class Maker:
    """An operation of Theano as a function of variables, with the options that it was made with.

    It is equal to its like, and to what is whole under its name.
    """

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Whole):
            return (other.name, other.options) == (type(self).__name__, vars(self))
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash(type(self).__name__)

    def __str__(self) -> str:
        return _with_options(type(self).__name__, vars(self))

    def __repr__(self) -> str:
        return str(self)


class WholeByName(type):
    """Metaclass: what is whole under the name of the class is an instance, too."""

    def __instancecheck__(cls, op: object) -> bool:
        own = isinstance(op, Whole) and op.name == cls.__name__
        return own or type.__instancecheck__(cls, op)

    def __eq__(cls, other: object) -> bool:
        return cls is other or other is variant(Whole, cls.__name__)

    def __hash__(cls) -> int:
        return hash(variant(Whole, cls.__name__))


def whole(
    name: str, function: Callable[..., Any], inputs: Sequence[Variable], **options: object
) -> Any:
    """Return what `function` makes of inputs as one operation, `Whole`, with `options`.

    That is a variable, or a list of several.
    """
    body = body_over(inputs, function, constants_known=True)
    return Whole(body, name, options)(*inputs)


def as_one(
    node: Apply, cotangents: Sequence[Variable | None], limits: Sequence[Variable] | None = None
) -> list[Any]:
    """Return what the reverse rule of a node says, as the outputs of one operation.

    It is written out when rewriting starts, and before that differentiated as what it holds.
    `limits` goes to the rule, if it takes some.
    """
    present = [g for g in cotangents if g is not None]
    outside = [*node.inputs, *node.outputs, *present, *(limits or ())]
    inside = [v.type.make_variable() for v in outside]
    n, m = len(node.inputs), len(node.inputs) + len(node.outputs)
    stand_in = Apply(node.op, inside[:n], inside[n:m])
    end = m + len(present)
    left = iter(inside[m:end])
    seeds = [None if g is None else next(left) for g in cotangents]
    more = () if limits is None else (inside[end:],)
    results = node.rules.vjp(stand_in, seeds, *more)
    gradients = [v for v in results if v is not None]
    needed = set(ancestors(gradients, inside))
    used = [(v, o) for v, o in zip(inside, outside, strict=True) if v in needed]
    name = f"{node.op.name if hasattr(node.op, 'name') else type(node.op).__name__}Grad"
    op = ReverseRule(Body([v for v, _ in used], gradients).fresh(), name)
    there = iter(op.make_node(*(o for _, o in used)).outputs)
    return [None if v is None else next(there) for v in results]


def _or_zeros(values: Sequence[Variable | None], variables: Sequence[Variable]) -> list[Any]:
    pairs = zip(values, variables, strict=True)
    return [zeros_like_float(v) if value is None else value for value, v in pairs]
