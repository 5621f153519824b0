"""Operations made of Python functions, and those that hand their input on."""

from __future__ import annotations

import copy
import importlib
import pickle
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from theano._core.ir.types import Type
from theano._core.ir.variable import Apply, Variable
from theano._core.legacy.user.op import Op
from theano._core.ops.array.gradient import GradientFilter


class FromFunctionOp(Op):
    """An operation that calls a Python function; `as_op` makes it.

    Parameters
    ----------
    fn : callable
        Takes the values of the inputs, returns that of the output, or a sequence of them.
    itypes, otypes : list of Type
    infer_shape : callable or None
        `infer_shape(node, input_shapes)` → list of tuples of lengths.
    """

    def __init__(
        self,
        fn: Callable[..., object],
        itypes: Sequence[Type],
        otypes: Sequence[Type],
        infer_shape: Callable[..., object] | None,
    ) -> None:
        self._fn = fn
        self.itypes = itypes
        self.otypes = otypes
        if infer_shape is not None:
            self.infer_shape = infer_shape

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._fn == other._fn  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((type(self), self._fn))

    def __str__(self) -> str:
        return f"FromFunctionOp{{{getattr(self._fn, '__name__', self._fn)}}}"

    def perform(
        self,
        node: Apply,
        inputs: Sequence[object],
        output_storage: list[list[object]],
        params: object = None,
    ) -> None:
        results = self._fn(*inputs)
        if not isinstance(results, (list, tuple)):
            results = (results,)
        if len(results) != len(output_storage):
            raise AssertionError(
                f"{self} returned {len(results)} results, and {len(output_storage)} were declared "
                "in otypes"
            )
        for cell, result in zip(output_storage, results, strict=True):
            cell[0] = result

    def __reduce__(self) -> Any:
        module, name = self._fn.__module__, self._fn.__name__
        try:
            loaded = load_back(module, name)
        except (ImportError, KeyError, AttributeError):
            raise pickle.PicklingError(
                f"Can't pickle as_op(), not found as {module}.{name}"
            ) from None
        if loaded is not self:
            raise pickle.PicklingError(f"Can't pickle as_op(), not the object at {module}.{name}")
        return load_back, (module, name)


def load_back(mod: str, name: str) -> Any:
    """Return the object called `name` of a module."""
    return getattr(importlib.import_module(mod), name)


def as_op(
    itypes: object, otypes: object, infer_shape: Callable[..., object] | None = None
) -> Callable[[Callable[..., Any]], FromFunctionOp]:
    """Return a decorator that makes an operation of a function.

    Parameters
    ----------
    itypes, otypes : Type or list of Type
        Types of the arguments and of the results.
    infer_shape : callable, optional
        `infer_shape(node, input_shapes)` → list of tuples of lengths.

    Returns
    -------
    callable
        The decorator.

    Raises
    ------
    TypeError
        `itypes` or `otypes` hold something else than types, or `infer_shape` cannot be called.

    Notes
    -----
    The operation has no gradient, and pickles only under the name of the function.

    Examples
    --------
    >>> import numpy, theano
    >>> import theano.tensor as T
    >>> @as_op(itypes=[T.dmatrix, T.dmatrix], otypes=[T.dmatrix])
    ... def numpy_dot(a, b):
    ...     return numpy.dot(a, b)
    >>> x = T.dmatrix()
    >>> theano.function([x], numpy_dot(x, x))([[0.0, 1.0], [1.0, 1.0]])
    array([[1., 1.],
           [1., 2.]])
    """
    itypes, otypes = _types("itypes", itypes), _types("otypes", otypes)
    if infer_shape is not None and not callable(infer_shape):
        raise TypeError("infer_shape needs to be a callable")
    return lambda fn: FromFunctionOp(fn, itypes, otypes, infer_shape)


def _types(name: str, types: Any) -> list[Type]:
    types = list(types) if isinstance(types, (list, tuple)) else [types]
    if any(not isinstance(type_, Type) for type_ in types):
        raise TypeError(f"{name} has to be a list of Theano types, got {types}")
    return types


class ViewOp(Op):
    """Its input. Subclasses give it another gradient."""

    __props__ = ()
    view_map: ClassVar[Any] = {0: [0]}
    # What the engine has for that: nothing is left of it once gradients are taken.
    plain: ClassVar[Any] = GradientFilter

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if cls.perform is not ViewOp.perform:
            cls.plain = cls

    def make_node(self, x: Variable) -> Apply:
        return Apply(self, [x], [x.type()])

    def perform(
        self,
        node: Apply,
        inputs: list[Variable],
        output_storage: list[list[object]],
        params: object = None,
    ) -> None:
        output_storage[0][0] = inputs[0]

    def emit(self, p: object, node: Apply, *values: object) -> Any:
        if type(self).perform is not ViewOp.perform:
            return super().emit(p, node, *values)
        return values[0]

    def __str__(self) -> str:
        return type(self).__name__

    def infer_shape(self, node: Apply, input_shapes: object) -> Any:
        return input_shapes

    def grad(self, args: object, g_outs: object) -> Any:
        return g_outs


class OutputGuard(ViewOp):
    """Its input."""


class Raise(Op):
    """Raises an exception when it runs.

    Parameters
    ----------
    msg : str
    exc : type of exception
    """

    __props__ = ("msg", "exc")

    def __init__(self, msg: str = "", exc: type[Exception] = NotImplementedError) -> None:
        self.msg = msg
        self.exc = exc

    def __str__(self) -> str:
        return f"Raise{{{self.exc}({self.msg})}}"

    def make_node(self, x: Variable) -> Apply:
        return Apply(self, [x], [x.type()])

    def perform(
        self,
        node: Apply,
        inputs: Sequence[object],
        output_storage: list[list[object]],
        params: object = None,
    ) -> None:
        raise self.exc(self.msg)


class DeepCopyOp(Op):
    """A copy of its input."""

    __props__ = ()

    def make_node(self, x: Variable) -> Apply:
        return Apply(self, [x], [x.type()])

    def perform(
        self, node: Apply, inputs: list[Any], output_storage: list[list[Any]], params: Any = None
    ) -> None:
        value = inputs[0]
        output_storage[0][0] = value.copy() if hasattr(value, "copy") else copy.deepcopy(value)


view_op = ViewOp()
deep_copy_op = DeepCopyOp()


def register_c_code(*args: object, **kwargs: object) -> None:
    """Do nothing: types need no C code to be viewed, copied or measured."""
