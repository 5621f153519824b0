"""Operations that users derive from classes that are not those of one operation here.

`theano.tensor.Sum` makes a reduction, `CumOp` an expression. A class that is derived from one of
them has methods that do what the one that it stands for does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from theano._core.autodiff.forward import push_forward
from theano._core.autodiff.reverse import grad as gradients_of
from theano._core.ir.graph import copy_graph
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.legacy.user.op import Op
from theano._core.ops.array.gradient import DisconnectedType
from theano._core.ops.control.inner_graph import results
from theano._core.ops.core.evaluation import evaluate
from theano._core.ops.core.op import as_variable

if TYPE_CHECKING:
    from theano._core.ir.annotations import Dims


def pulled_back(
    applied: Callable[..., list[Any]],
    inputs: Sequence[Any],
    outputs: Sequence[Any] | None,
    output_grads: Sequence[Any],
) -> list[Any]:
    """Return the gradient of an operation, `applied`, with respect to each of its inputs."""
    # Stand-ins keep an input that is given twice, or that another one is made of, apart.
    inputs = [v if isinstance(v, Constant) else as_variable(v) for v in inputs]
    own = [v if isinstance(v, Constant) else v.type() for v in inputs]
    made = applied(*own)
    outputs = applied(*inputs) if outputs is None else outputs
    known_cotangents = {
        out: g
        for out, g in zip(made, output_grads, strict=True)
        if g is not None and not isinstance(g.type, DisconnectedType)
    }
    gradients = gradients_of(
        None,
        own,
        None,
        "ignore",
        add_names=False,
        known_grads=known_cotangents,
        return_disconnected="disconnected",
        null_gradients="return",
    )
    table = dict(zip([*own, *made], [*inputs, *outputs], strict=True))
    return copy_graph(gradients, {a: b for a, b in table.items() if a is not b})


def pushed_forward(
    applied: Callable[..., list[Any]],
    inputs: Sequence[Any],
    eval_points: Sequence[Variable | None],
) -> list[Any]:
    """Return the derivatives of an operation, `applied`, along `eval_points`; None is no change."""
    inputs = [as_variable(v) for v in inputs]
    own = [v if isinstance(v, Constant) else v.type() for v in inputs]
    made = applied(*own)
    tangents = {v: t for v, t in zip(own, eval_points, strict=True) if t is not None}
    if not tangents:
        return [None] * len(made)
    return copy_graph(push_forward(made, tangents), dict(zip(own, inputs, strict=True)))


class Expressed(Op):
    """An operation of a class that a user derives; its arguments are those of `stands_for`."""

    stands_for: ClassVar[Any] = None
    __props__ = ("_applied",)

    def __init__(self, *arguments: object, **options: object) -> None:
        self._applied = self.stands_for(*arguments, **options)
        if options.get("name"):
            self.name = options["name"]

    def __getattr__(self, name: str) -> Any:
        # None while it is copied or unpickled.
        applied = vars(self).get("_applied")
        own = getattr(applied, "__dict__", ())
        if applied and (name in own or name in ("idx_list", "inplace_pattern", "scalar_op")):
            return getattr(applied, name)
        return super().__getattr__(name)

    def _expression(self, *inputs: Variable) -> list[Any]:
        return results(self._applied(*inputs))

    def make_node(self, *inputs: Any) -> Apply:
        values = [v if isinstance(v, Variable) else as_variable(v) for v in inputs]
        return Apply(self, values, [out.type() for out in self._expression(*values)])

    def perform(
        self, node: Apply, inputs: Sequence[Any], output_storage: Any, params: object = None
    ) -> None:
        own = [v if isinstance(v, Constant) else v.type() for v in node.inputs]
        values = evaluate(self._expression(*own), dict(zip(own, inputs, strict=True)))
        for out, cell, value in zip(node.outputs, output_storage, values, strict=True):
            cell[0] = np.array(value) if isinstance(out.type, TensorType) else value

    def infer_shape(self, node: Apply, input_shapes: Sequence[Dims]) -> list[Any]:
        made = self._expression(*node.inputs)
        return [tuple(out.shape[axis] for axis in range(out.type.ndim)) for out in made]

    def grad(self, inputs: Sequence[Variable], output_grads: Sequence[Variable]) -> list[Any]:
        return pulled_back(self._expression, inputs, None, output_grads)

    def R_op(self, inputs: list[Variable], eval_points: list[Any]) -> list[Any]:
        return pushed_forward(self._expression, inputs, eval_points)

    @property
    def forward_by_user(self) -> bool:  # type: ignore[override]
        """Whether there is an `R_op` other than that of the base, which follows from gradients."""
        return type(self).R_op is not Expressed.R_op

    def __str__(self) -> str:
        return str(vars(self).get("name", self._applied))


@cache
def expressed(kind: type) -> type[Expressed]:
    """Return the class from which those are derived that a user derives from `kind`."""
    fields = {"stands_for": kind, "__module__": __name__, "__doc__": kind.__doc__}
    return type(kind.__name__, (Expressed,), fields)


def derived(meta: type, name: str, bases: tuple[type, ...], fields: dict[str, Any]) -> Any:
    """Return a class that a user derives from some of the metaclass `meta`; None: it is no user."""
    if fields.get("__module__", "").startswith("theano._core."):
        return None
    own: Any = tuple(expressed(base) if isinstance(base, meta) else base for base in bases)
    return type(own[0])(name, own, fields)


class StandIn(type):
    """Metaclass of classes that stand for operations, with the methods of those derived from them.

    So `Elemwise.__init__(self, scalar_op)` and `Sum.grad(self, …)` run in a class of a user. One is
    equal to `own`, the class of the operations that it stands for, if they are of one alone.
    """

    own: Any = None

    def __new__(cls, name: str, bases: tuple[type, ...], fields: dict[str, Any]) -> Any:
        own = fields if bases else {"__init__": Expressed.__init__, **fields}
        return derived(cls, name, bases, fields) or super().__new__(cls, name, bases, own)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_") or not hasattr(Expressed, name):
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        return getattr(expressed(cls), name)

    def __eq__(cls, other: object) -> bool:
        return cls is other or (cls.own is not None and cls.own is other)

    def __hash__(cls) -> int:
        return type.__hash__(cls) if cls.own is None else hash(cls.own)
