"""`ifelse`: of two expressions, compute one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from theano._core.api.conversion import as_tensor_variable
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Variable
from theano._core.ops.control.branch import IfElse

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable


@overload
def ifelse(
    condition: TensorLike, then_branch: TensorLike, else_branch: Any, name: str | None = None
) -> TensorVariable: ...
@overload
def ifelse(
    condition: TensorLike, then_branch: list[Any], else_branch: Any, name: str | None = None
) -> list[TensorVariable]: ...
@overload
def ifelse(
    condition: TensorLike, then_branch: tuple[Any, ...], else_branch: Any, name: str | None = None
) -> tuple[TensorVariable, ...]: ...
def ifelse(
    condition: TensorLike, then_branch: Any, else_branch: Any, name: str | None = None
) -> Any:
    """Return the values of one of two branches; what only the other needs is not computed.

    Parameters
    ----------
    condition : scalar
        0 stands for the second branch, everything else for the first.
    then_branch, else_branch : variable, or list or tuple of variables
        As many on both sides, pair by pair of one type.
    name : str, optional
        For printed graphs.

    Returns
    -------
    variable, list or tuple
        As `then_branch`.

    Raises
    ------
    TypeError
        A pair has different types, or the condition is not a scalar.
    ValueError
        One branch has more values.

    Examples
    --------
    >>> from theano.ifelse import ifelse
    >>> c, x = T.iscalar("c"), T.dvector("x")
    >>> f = theano.function([c, x], ifelse(c, x.sum(), x.prod()))
    >>> f(1, [3.0, 4.0]), f(0, [3.0, 4.0])
    (array(7.), array(12.))
    """
    cls = type(then_branch) if isinstance(then_branch, (list, tuple)) else None
    then = list(then_branch) if cls else [then_branch]
    otherwise = list(else_branch) if isinstance(else_branch, (list, tuple)) else [else_branch]
    pairs = [_same_type(a, b) for a, b in zip(then, otherwise, strict=False)]
    if len(then) != len(otherwise):
        raise ValueError(
            "The number of values on the `then` branch should have the same number of variables as "
            f"the `else` branch : (variables on `then` {len(then)}, variables on `else` "
            f"{len(otherwise)})"
        )
    values = [a for a, _ in pairs] + [b for _, b in pairs]
    outputs = IfElse(len(pairs), name=name)(condition, *values, return_list=True)
    if cls is None:
        return outputs[0]
    return tuple(outputs) if cls is tuple else list(outputs)


def _same_type(one: object, two: TensorLike) -> tuple[Any, Any]:
    one, two = (v if isinstance(v, Variable) else as_tensor_variable(v) for v in (one, two))
    if one.type != two.type:
        if isinstance(one.type, TensorType) and not isinstance(two.type, TensorType):
            two = one.type.filter_variable(two)
        elif isinstance(two.type, TensorType) and not isinstance(one.type, TensorType):
            one = two.type.filter_variable(one)
    if one.type.unsized != two.type.unsized:
        raise TypeError(
            f"The two branches should have identical types, but they are {one.type} and "
            f"{two.type} respectively. This error could be raised if for example you provided a "
            "one element list on the `then` branch but a tensor on the `else` branch."
        )
    return one, two
