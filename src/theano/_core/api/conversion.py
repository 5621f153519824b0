"""From Python and NumPy values to variables, and from variables to what is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import numpy as np

from theano._core.base import dtypes
from theano._core.base.errors import AsTensorError, EmptyConstantError, NotScalarConstantError
from theano._core.ir.text import label
from theano._core.ir.types import NoneType, TensorType
from theano._core.ir.variable import Constant, Variable
from theano._core.ops.array.assertions import Assert
from theano._core.ops.array.index_form import join_index
from theano._core.ops.array.indexing import Subtensor
from theano._core.ops.array.shaping import (
    Length,
    MakeVector,
    ShapeOf,
    length,
)
from theano._core.ops.core import op as ops
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.fill import Second
from theano._core.ops.elementwise.elementwise import Elementwise, cast as convert

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable

__all__ = [
    "NoneConst",
    "as_tensor_variable",
    "cast",
    "constant",
    "extract_constant",
    "get_scalar_constant_value",
    "none_type_t",
    "numpy_scalar",
    "wrap_constant",
]

none_type_t = NoneType()
NoneConst = none_type_t.make_constant(None, name="NoneConst")


def as_tensor_variable(x: Any, name: str | None = None, ndim: int | None = None) -> TensorVariable:
    """Return `x` as a tensor variable.

    Parameters
    ----------
    x : Variable, Apply, number, array_like, or a list that holds variables
        A node must have one output, or name its default one. A list of variables is stacked:
        numbers to a vector, arrays along a new first axis.
    name : str, optional
        Name of the variable, if `x` is not one yet.
    ndim : int, optional
        Rank of the result: broadcastable axes are added on the left, or dropped from it.

    Returns
    -------
    TensorVariable

    Raises
    ------
    AsTensorError
        `x` cannot be an array: a string, None, a Python bool, or a variable of another kind.
    ValueError
        More axes than `ndim`, and one of the leading ones is not broadcastable.

    Examples
    --------
    >>> as_tensor_variable([1, 2]).type
    TensorType(int64, vector)
    """
    if not _is_symbolic(x):
        return _constant(ops.as_variable(x), name, ndim)
    variable: Any = ops.as_variable(x)
    if not isinstance(variable.type, TensorType):
        raise AsTensorError(
            f"Variable type field must be a TensorType, got {variable} of type {variable.type}"
        )
    return variable if ndim is None else _with_rank(variable, ndim)


def _is_symbolic(x: object) -> bool:
    return not isinstance(x, (int, float, complex, np.ndarray, np.generic))


def _with_rank(x: Variable, ndim: int) -> Any:
    extra = x.type.ndim - ndim
    if extra < 0:
        return dimshuffle(x, ["x"] * -extra + list(range(x.type.ndim)))
    if not all(x.type.broadcastable[:extra]):
        raise ValueError(f"TensorType could not be cast to have {ndim} dimensions", x.type)
    return dimshuffle(x, range(extra, x.type.ndim))


def _constant(fresh: Any, name: str | None, ndim: int | None) -> Any:
    if ndim is not None and fresh.type.ndim != ndim:
        extra = fresh.type.ndim - ndim
        if extra < 0:
            data = fresh.data.reshape((1,) * -extra + fresh.data.shape)
        elif all(fresh.type.broadcastable[:extra]):
            data = fresh.data.reshape(fresh.data.shape[extra:])
        else:
            raise ValueError(f"ndarray could not be cast to constant with {ndim} dimensions")
        fresh = ops.constant(data)
    if name is not None:
        fresh.name = name
        return fresh
    return _shared(fresh)


def is_small_number(constant: Constant) -> bool:
    """Tell whether a tensor constant is of those that programs know as one where they are equal."""
    data = constant.data
    return data.size == 1 and data.dtype.kind in "iuf" and -10 <= data.item() <= 10


_in_use: WeakValueDictionary[Any, Any] = WeakValueDictionary()


def _shared(fresh: Constant) -> Constant:
    """Return the one constant for a small number that is in use, else `fresh`.

    Programs tell constants apart by `is`. One that was given a name is somebody's own.
    """
    if not is_small_number(fresh):
        return fresh
    shared = _in_use.setdefault(fresh.signature(), fresh)
    if shared.name is None and not vars(shared.tag):
        return shared
    _in_use[fresh.signature()] = fresh
    return fresh


def constant(
    x: TensorLike, name: str | None = None, ndim: int | None = None, dtype: str | None = None
) -> TensorVariable:
    """Return a tensor constant; axes of length 1 are broadcastable.

    Parameters
    ----------
    x : number or array_like
        A Python int takes the smallest integer type that holds it, a Python float `floatX` or
        float32, as `config.cast_policy` says.
    name : str, optional
    ndim : int, optional
        Rank: axes of length 1 are added or dropped on the left.
    dtype : str, optional

    Returns
    -------
    TensorConstant

    Raises
    ------
    TypeError
        `x` is a variable, or does not make a numeric array.

    Examples
    --------
    >>> T.constant(100).dtype, T.constant(100, dtype="float64").dtype
    ('int8', 'float64')
    """
    if isinstance(x, Variable):
        raise TypeError(
            f"Could not convert {label(x)} to a constant: it is a variable, and goes where a "
            "constant goes; theano.tensor.as_tensor_variable takes both"
        )
    dtype = None if dtype is None else dtypes.named(dtype)
    return _constant(ops.constant(x, dtype=dtype), name, ndim)


def wrap_constant(x: Any) -> TensorVariable:
    """Return `x` if it is a variable, else `x` as a constant.

    Parameters
    ----------
    x : variable or array_like

    Returns
    -------
    variable

    Examples
    --------
    >>> x = T.dscalar("x")
    >>> T.wrap_constant(x) is x, T.wrap_constant(2).dtype
    (True, 'int8')
    """
    variable: Any = x if isinstance(x, Variable) else constant(x)
    return variable


def cast(x: object, dtype: str) -> TensorVariable:
    """Return `x` converted to `dtype` ('floatX' stands for `config.floatX`), as a C cast does.

    Parameters
    ----------
    x : tensor
    dtype : str

    Returns
    -------
    tensor
        `x` itself if it has that dtype.

    Raises
    ------
    TypeError
        From complex to real, or an unknown dtype.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.cast(x, "int32").eval({x: [1.9, -1.9]})
    array([ 1, -1], dtype=int32)
    """
    return convert(as_tensor_variable(x), dtypes.named(dtype))


def numpy_scalar(data: TensorLike) -> Any:
    """Return the only item of an array, or raise NotScalarConstantError.

    Parameters
    ----------
    data : array_like

    Returns
    -------
    numpy scalar

    Examples
    --------
    >>> float(T.numpy_scalar(np.array(3.0)))
    3.0
    """
    array = np.asarray(data)
    if array.size == 0:
        raise EmptyConstantError("a number was asked for, and the array is empty", data)
    if array.ndim:
        raise NotScalarConstantError(f"a number was asked for, got an array of shape {array.shape}")
    return array


def get_scalar_constant_value(
    orig_v: object, elemwise: bool = True, only_process_constants: bool = False, max_recur: int = 10
) -> Any:
    """Return the number that `orig_v` certainly is, wherever it stands in the array.

    Parameters
    ----------
    orig_v : variable, number or array
    elemwise : bool
        Also look through elementwise operations.
    only_process_constants : bool
        Look at constants only, not through operations.
    max_recur : int
        How many operations to look through.

    Returns
    -------
    ndarray, shape ()

    Raises
    ------
    NotScalarConstantError
        The value is not known while the graph is being built.
    EmptyConstantError
        The constant has no items.

    Examples
    --------
    >>> int(T.get_scalar_constant_value(T.constant(2) * 3))
    6
    """
    if not isinstance(orig_v, Variable):
        if orig_v is None:
            raise NotScalarConstantError(orig_v)
        return _number(np.asarray(orig_v), orig_v)
    v = orig_v
    for _ in range(max_recur + 1):
        if isinstance(v, Constant):
            return _number(np.asarray(v.data), v)
        if v.owner is None or only_process_constants:
            break
        seen_through = _look_through(v, elemwise, max_recur)
        if not isinstance(seen_through, Variable):
            return np.asarray(seen_through, dtype=v.type.dtype)
        if seen_through is v:
            break
        v = seen_through
    raise NotScalarConstantError(f"{orig_v} is not known while the graph is being built")


def _number(array: np.ndarray, value: object) -> Any:
    if array.size == 0:
        raise EmptyConstantError(f"{value} has no items")
    first = array.reshape(-1)[0]
    if array.dtype.kind not in "biufc" or (array.size > 1 and not (array == first).all()):
        raise NotScalarConstantError(f"{value} is not one number")
    return np.array(first)


def _look_through(v: Variable, elemwise: bool, depth: int) -> Any:
    """Return a number, a variable of the same value, or `v` itself: not known."""
    node = v.owner
    op = node.op
    if isinstance(op, Assert) and not all(_holds(v) for v in node.inputs[1:]):
        return v
    if isinstance(op, Subtensor):
        return _item(v)
    if op.is_view:
        return node.inputs[0]
    if isinstance(op, Second):
        return node.inputs[1]
    if isinstance(op, Length):
        axis_length = length(node.inputs[0], op.axis)
        return axis_length if isinstance(axis_length, int) else v
    if isinstance(op, Elementwise) and elemwise:
        values = [get_scalar_constant_value(i, max_recur=depth - 1) for i in node.inputs]
        ones = (1,) * v.type.ndim
        with np.errstate(all="ignore"):
            return node.rules.compute(np, node, *(x.reshape(ones) for x in values))[0].reshape(())
    return v


def _holds(condition: TensorLike) -> bool:
    try:
        return bool(get_scalar_constant_value(condition))
    except NotScalarConstantError:
        return False


def _item(v: Variable) -> Any:
    """Look through the choice of one item of a vector, or of any of a constant."""
    node = v.owner
    vector = node.inputs[0]
    form = join_index(node.op.index, node.inputs[1:])
    if v.type.ndim == 0 and all(isinstance(i, Constant) for i in node.inputs):
        return vector.data[tuple(int(ops.python_int(at)) for at in form)]  # type: ignore[arg-type]
    if v.type.ndim or vector.type.ndim != 1:
        return v
    at = ops.python_int(form[0])
    if at is None:
        return v
    if isinstance(vector, Constant):
        return vector.data[at]
    if vector.owner is None:
        return v
    if isinstance(vector.owner.op, MakeVector):
        return vector.owner.inputs[at]
    if isinstance(vector.owner.op, ShapeOf):
        array = vector.owner.inputs[0]
        axis_length = array.type.shape[at]
        return v if axis_length is None else axis_length
    return v


def extract_constant(x: object, elemwise: bool = True, only_process_constants: bool = False) -> Any:
    """As `get_scalar_constant_value`, but return `x` itself where the value is not known.

    Parameters
    ----------
    x : variable or number
    elemwise : bool
        Whether to compute through elementwise operations.
    only_process_constants : bool
        Whether to look at constants only.

    Returns
    -------
    number or variable

    Examples
    --------
    >>> x = T.dscalar("x")
    >>> T.extract_constant(T.constant(3) + 1), T.extract_constant(x) is x
    (array(4, dtype=int8), True)
    """
    try:
        return get_scalar_constant_value(x, elemwise, only_process_constants)
    except NotScalarConstantError:
        return x
