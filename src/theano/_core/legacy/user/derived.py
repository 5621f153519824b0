"""Operations that users derive from one of the engine's, with methods as in Theano 1.0.5.

In Theano these were classes with `perform` and `grad` of their own, and programs overrode some of
them: `class SymmetricEigh(theano.tensor.nlinalg.Eig)`. What such a class does not define stays what
the engine knows of its base.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from theano._core.legacy.user.op import Op as UserOp
from theano._core.ops.core.op import Op

# What it computes is its own: nothing that the engine knows of values holds any more.
_COMPUTED = (
    *("compute", "emit", "_has_thunk", "make_thunk", "make_py_thunk", "prepare_node"),
    *("get_params", "params_type", "folds", "do_constant_folding", "destroy_map", "view_map"),
    *("remakes", "jax", "misfit", "may_fail", "guards", "linear", "jvp", "batch", "is_dear"),
)
_DIFFERENTIATED = (
    *("vjp", "L_op", "differentiates", "has_limits", "long_rule", "linear", "jvp"),
    *("through_integers", "additive"),
)
# A method of a user → what the engine asks that goes with it.
RULES: dict[str, tuple[str, ...]] = {
    "perform": _COMPUTED,
    "make_thunk": (*_COMPUTED, "perform"),
    "grad": _DIFFERENTIATED,
    "L_op": _DIFFERENTIATED,
    "R_op": ("jvp", "forward_by_user"),
    "infer_shape": ("shape", "shape_by_user"),
    "connection_pattern": ("connection",),
}


def adopt(cls: type[Op]) -> None:
    """Have the engine ask a class for what it defines as in Theano."""
    if UserOp in cls.__mro__:
        return
    own = set(vars(cls))
    for name, attribute in _asked(own).items():
        setattr(cls, name, attribute)


def put_on(
    op: Op, method: str, function: Callable[..., Any] | None, among: Collection[str]
) -> None:
    """Have the engine ask one operation for a method that a user puts on it: `T.exp.R_op = f`.

    None takes it away again; those of `among` that were put on it before stay.
    """
    own = vars(op)
    methods = {method, *(name for name in among if name in own)}
    for name in (method, *_asked(methods)):
        own.pop(name, None)
    if function is not None:
        own[method] = function
    for name, attribute in _asked(methods & own.keys()).items():
        bind = getattr(attribute, "__get__", None)
        own[name] = attribute if bind is None else bind(op)


def _asked(own: Collection[str]) -> dict[str, Any]:
    """Return what the engine asks that goes with methods of a user."""
    attributes = {}
    for method in RULES.keys() & own:
        for name in set(RULES[method]).difference(own):
            # Without an `R_op`, the derivative follows from the new gradient.
            source = Op if name == "jvp" and "R_op" not in own else UserOp
            attribute = vars(source).get(name, vars(Op).get(name))
            if attribute is not None:
                attributes[name] = attribute
    return attributes
