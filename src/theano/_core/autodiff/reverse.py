"""Reverse-mode differentiation of expression graphs.

One walk over the nodes, last first. Each operation says the cotangents of its inputs; here,
once for all of them, broadcasting is undone, dtypes are settled, and what is disconnected or
undefined is told apart from zero.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, overload

from theano._core.autodiff.arguments import (
    check_choice,
    check_defined,
    checked_targets,
    first_gradients,
    gradient_of,
    report_disconnected,
)
from theano._core.autodiff.equal_nodes import through_others
from theano._core.autodiff.recomputation import Recomputation
from theano._core.base import dtypes
from theano._core.base.gc_pause import paused_collector
from theano._core.base.near_misses import explain_functions
from theano._core.base.settings import change_flags, config
from theano._core.ir import hooks
from theano._core.ir.graph import toposort
from theano._core.ir.source import at_line, user_line
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.array.gradient import DisconnectedType, NullType
from theano._core.ops.array.indexing import sum_to
from theano._core.ops.array.shaping import pattern_broadcast
from theano._core.ops.control.inner_graph import as_one
from theano._core.ops.core.fill import continuous_dtype, second, zeros_like_float
from theano._core.ops.core.op import as_variable, complete_values, inside_body
from theano._core.ops.elementwise.arithmetic import real
from theano._core.ops.elementwise.elementwise import cast

if TYPE_CHECKING:
    from typing import Unpack

    from theano._core.ir.annotations import GradientOptions
    from theano._core.ir.tensor import TensorVariable


@overload
def grad(
    cost: Callable[..., object],
    wrt: int | Sequence[int] | None = None,
    consider_constant: Iterable[Variable] | None = None,
    disconnected_inputs: str = "raise",
    **options: Unpack[GradientOptions],
) -> Callable[..., Any]: ...
@overload
def grad(
    cost: Variable | None,
    wrt: Variable,
    consider_constant: Iterable[Variable] | None = None,
    disconnected_inputs: str = "raise",
    **options: Unpack[GradientOptions],
) -> TensorVariable: ...
@overload
def grad(
    cost: Variable | None,
    wrt: list[Any],
    consider_constant: Iterable[Variable] | None = None,
    disconnected_inputs: str = "raise",
    **options: Unpack[GradientOptions],
) -> list[TensorVariable]: ...
@overload
def grad(
    cost: Variable | None,
    wrt: tuple[Any, ...],
    consider_constant: Iterable[Variable] | None = None,
    disconnected_inputs: str = "raise",
    **options: Unpack[GradientOptions],
) -> tuple[TensorVariable, ...]: ...
def grad(
    cost: Any,
    wrt: Any = None,
    consider_constant: Iterable[Variable] | None = None,
    disconnected_inputs: str = "raise",
    add_names: bool = True,
    known_grads: Mapping[Any, Any] | None = None,
    return_disconnected: str = "zero",
    null_gradients: str = "raise",
) -> Any:
    """Return the gradient of a scalar with respect to one or several variables.

    Parameters
    ----------
    cost : TensorVariable, scalar, None, or function
        What to differentiate; None if `known_grads` is given. Of a function of variables that
        returns a scalar, the result is the function that returns its gradient.
    wrt : variable or sequence of variables
        Of a function: the positions of its arguments, an int or several; by default the first.
    consider_constant : sequence of variables, optional
        No gradient flows through these.
    disconnected_inputs : {'raise', 'warn', 'ignore'}
        What to do for a `wrt` that `cost` does not depend on.
    add_names : bool
        Name the results `(dcost/dx)` where both have names.
    known_grads : dict of variable to variable, optional
        Gradients of intermediate variables to start from.
    return_disconnected : {'zero', 'None', 'Disconnected'}
        What stands for the gradient of a disconnected `wrt`; in letters of any case.
    null_gradients : {'raise', 'return'}
        What to do for a gradient that is not defined.

    Returns
    -------
    variable, list or tuple
        As `wrt`: each of the type of its `wrt` (of a float type where that is an integer).

    Raises
    ------
    TypeError
        `cost` is not a scalar, or `wrt` is no variable.
    DisconnectedInputError
        `cost` does not depend on a `wrt`.
    NullTypeGradError
        A gradient is not defined.
    ValueError
        Another keyword has no such value, or a known gradient has too many dimensions.
    AssertionError
        There is neither a cost nor a known gradient, or `return_disconnected` has no such value.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> theano.grad((x**2).sum(), x).eval({x: [1.0, 2.0]})
    array([2., 4.])

    With respect to several variables, also to what is computed from others:

    >>> y = T.sin(x)
    >>> gx, gy = theano.grad((y * x).sum(), [x, y])
    >>> gy.eval({x: [0.0, 1.0]})
    array([0., 1.])

    Of a function, in the manner of JAX:

    >>> theano.grad(lambda x: (x**2).sum())(x).eval({x: [1.0, 2.0]})
    array([2., 4.])
    """
    if callable(cost) and not isinstance(cost, Variable):
        options = (consider_constant, disconnected_inputs, add_names, known_grads)
        return gradient_of(grad, cost, wrt, *options, return_disconnected, null_gradients)
    check_choice("disconnected_inputs", disconnected_inputs, ("raise", "warn", "ignore"))
    return_disconnected = return_disconnected.lower()
    if return_disconnected not in ("zero", "none", "disconnected"):
        raise AssertionError(
            "return_disconnected must be 'zero', 'None' or 'Disconnected', got "
            f"{return_disconnected!r}"
        )
    check_choice("null_gradients", null_gradients, ("raise", "return"))
    targets = checked_targets(wrt, grad)
    seeds = first_gradients(cost, known_grads)
    with at_line(user_line()), paused_collector():
        gradients = Reverse(seeds, targets, set(consider_constant or ())).run()
    results = []
    for target in targets:
        result = gradients.get(target)
        if result is None:
            report_disconnected(cost, target, disconnected_inputs)
            result = _stand_in(target, return_disconnected)
        elif null_gradients == "raise":
            check_defined(result)
        if add_names and result is not None and cost is not None and cost.name and target.name:
            if result.name is None:
                result.name = f"(d{cost.name}/d{target.name})"
        results.append(result)
    if isinstance(wrt, tuple):
        return tuple(results)
    return results if isinstance(wrt, list) else results[0]


def _stand_in(target: object, choice: str) -> Any:
    if choice == "zero":
        return _zeros(target)
    if choice == "none":
        return None
    type_ = DisconnectedType()
    return type_.make_variable()


class Reverse:
    """One reverse walk: from cotangents of `seeds` to cotangents of everything they depend on."""

    def __init__(
        self,
        seeds: Mapping[Variable, Variable],
        targets: Sequence[object],
        constants: set[Variable],
        replace: bool = True,
    ) -> None:
        self.seeds = seeds
        # Whether a seed stands for all that a variable receives, or is added to it.
        self.replace = replace
        self.constants = constants
        self.targets = targets
        self.asked = frozenset(targets)
        self.terms: dict[Any, list[Any]] = {v: [g] for v, g in seeds.items()}
        self.done: dict[Any, Any] = {}

    def run(self) -> dict[Any, Any]:
        """Return the cotangent of each variable that has one."""
        order = toposort(self.seeds, self.constants)
        order, instead = through_others(order, {*self.seeds, *self.asked, *self.constants})
        useful = self._reaching(order)
        recomputation = Recomputation(order)
        for node in reversed(order):
            if not any(node_input in useful for node_input in node.inputs):
                continue
            if node in instead:
                for out, same in zip(node.outputs, instead[node].outputs, strict=True):
                    self.terms.setdefault(same, []).extend(self.terms.pop(out, ()))
                continue
            cotangents = [
                None if out in self.constants else _as_tensor(self.total(out), out)
                for out in node.outputs
            ]
            if all(g is None for g in cotangents):
                continue
            self._visit(node, recomputation.stand_in(node, cotangents), cotangents, useful)
        for target in self.targets:
            self.total(target)
        return self.done

    def _reaching(self, order: Sequence[Apply]) -> set[Any]:
        """Return the variables from which a target is reached."""
        useful: set[Any] = set(self.asked)
        for node in order:
            if any(v in useful for v in node.inputs):
                useful.update(v for v in node.outputs if v not in self.constants)
        return useful

    def total(self, variable: object) -> Any:
        """Return the cotangent of a variable: the sum of the terms of its uses, or None."""
        if variable in self.done:
            return self.done[variable]
        terms = self.terms.pop(variable, None)
        if not terms:
            return None
        if variable in self.seeds and self.replace:
            terms = terms[:1]
        null = next((t for t in terms if isinstance(t.type, NullType)), None)
        result = null if null is not None else reduce(add, terms)
        self.done[variable] = result
        return result

    def _visit(
        self, node: Apply, stand_in: Apply, cotangents: list[Variable | None], useful: set[Variable]
    ) -> None:
        arriving = [
            [g for u, g in zip(uses, cotangents, strict=True) if u and g is not None]
            for uses in node.rules.connection(node)
        ]
        if not any(g and v in useful for v, g in zip(node.inputs, arriving, strict=True)):
            return
        results = self._cotangents_of_inputs(stand_in, cotangents)
        if (count := len(results)) != len(node.inputs):
            raise ValueError(f"{node.op} returned {count} gradients for {len(node.inputs)} inputs")
        for variable, result, incoming in zip(node.inputs, results, arriving, strict=True):
            result = next((g for g in incoming if isinstance(g.type, NullType)), result)
            if variable not in useful or result is None or not incoming:
                continue
            if isinstance(result.type, DisconnectedType):
                continue
            if not isinstance(result, Variable):
                result = as_variable(result)
            self.terms.setdefault(variable, []).append(_settle(node, variable, result))

    def _cotangents_of_inputs(
        self, node: Apply, cotangents: list[Variable | None]
    ) -> Sequence[Any]:
        """Return what a node says of its inputs, from the cotangents that are defined."""
        defined = [None if g is None or isinstance(g.type, NullType) else g for g in cotangents]
        if all(g is None for g in defined):
            return [None] * len(node.inputs)
        if not node.rules.through_integers and all(
            isinstance(out.type, TensorType) and dtypes.is_discrete(out.type.dtype)
            for out in node.outputs
        ):
            return [_zeros(v, self.asked) for v in node.inputs]
        if node.rules.differentiates:
            # What it makes in its body has no test values; what it returns has.
            with inside_body(node):
                results = node.rules.vjp(node, defined, reverse=pull_back)
            complete_values(results)
            return results
        if node.rules.has_limits:
            with change_flags(compute_test_value="off"):
                limits = node.rules.limits(node, defined, hooks.push_forward)
                results = as_one(node, defined, limits)
            complete_values(results)
            return results
        filled = [
            _zero_cotangent(out) if g is None else g
            for out, g in zip(node.outputs, defined, strict=True)
        ]
        if not node.rules.long_rule:
            return node.rules.vjp(node, filled)
        with change_flags(compute_test_value="off"):
            results = as_one(node, filled)
        complete_values(results)
        return results


def pull_back(
    cotangents: Mapping[Variable, Variable], targets: Sequence[Variable]
) -> dict[Any, Any]:
    """Return the cotangents of all variables between some outputs and `targets`."""
    return Reverse(cotangents, targets, set(), replace=False).run()


def _zeros(variable: Any, asked: Collection[object] = ()) -> Any:
    """Return a gradient of zero for any variable that can have one, else None.

    A constant that is no tensor has one if it is asked for.
    """
    if isinstance(variable.type, TensorType):
        return zeros_like_float(variable)
    unasked = isinstance(variable, Constant) and variable not in asked
    zeros_like = None if unasked else getattr(variable, "zeros_like", None)
    if zeros_like is None:
        return None
    return zeros_like(continuous_dtype(getattr(variable.type, "dtype", "bool")))


def _zero_cotangent(out: Variable) -> Any:
    return zeros_like_float(out) if isinstance(out.type, TensorType) else None


def _settle(node: Apply, variable: Variable, g: Variable) -> Any:
    """Undo broadcasting and give the cotangent the dtype of its variable."""
    type_ = variable.type
    if isinstance(g.type, NullType) or not isinstance(type_, TensorType):
        return g
    if node.rules.broadcasts:
        g = sum_to(_full(g, node.outputs[0]), variable)
    if not dtypes.is_discrete(type_.dtype):
        if dtypes.is_complex(g.type.dtype) and not dtypes.is_complex(type_.dtype):
            g = real(g)
        g = cast(g, type_.dtype)
    elif dtypes.is_discrete(g.type.dtype):
        g = cast(g, config.floatX)
    if g.type.ndim != type_.ndim:
        raise ValueError(
            f"{node.op}: the gradient with respect to {variable} has {g.type.ndim} dimensions, the "
            f"variable {type_.ndim}"
        )
    # A length of 1 that the variable declares, and an operation such as rfft forgets.
    pattern = [a or b for a, b in zip(type_.broadcastable, g.type.broadcastable, strict=True)]
    return pattern_broadcast(g, pattern) if isinstance(g.type, TensorType) else g


def _as_tensor(g: Any, variable: Variable) -> Any:
    """Return the cotangent of a tensor as one: that of chosen rows may be a sparse matrix."""
    if g is None or isinstance(g.type, TensorType) or not isinstance(variable.type, TensorType):
        return g
    return g.toarray() if hasattr(g, "toarray") else g


def _full(g: Variable, out: Variable) -> Any:
    """Return a cotangent broadcast to the pattern of the output it belongs to."""
    if g.type.broadcastable == out.type.broadcastable:
        return g
    return second(out, g)


explain_functions(globals())
