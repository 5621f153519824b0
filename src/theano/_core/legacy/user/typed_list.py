"""`theano.typed_list`: lists of values of one type, as variables.

INVARIANT: arrays in a list are never written to. They are copied on the way in and on the way out,
so that lists may share them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from theano._core.api.conversion import as_tensor_variable
from theano._core.base.dtypes import is_integer
from theano._core.base.settings import config
from theano._core.ir.types import TensorType, Type as EngineType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.legacy.user.op import Op
from theano._core.legacy.user.type import Type
from theano._core.ops.array.slices import SliceType, make_slice


class TypedListType(Type):
    """The type of lists whose items all have one type.

    Parameters
    ----------
    ttype : Type
        Of the items.
    depth : int
        How many lists more are around them.

    Raises
    ------
    TypeError
        `ttype` is no type.
    ValueError
        `depth` is negative.
    """

    def __init__(self, ttype: object, depth: int = 0) -> None:
        if depth < 0:
            raise ValueError(f"depth must be 0 or more, got {depth}")
        if not isinstance(ttype, EngineType):
            raise TypeError(f"Expected a Theano Type, got {ttype!r}")
        self.ttype: Any = TypedListType(ttype, depth - 1) if depth else ttype

    @property
    def dtype(self) -> Any:  # type: ignore[override]  # the name that programs read
        """Type of the items."""
        return self.ttype

    @property
    def ndim(self) -> int:
        """One more than the items have."""
        return self.ttype.ndim + 1

    def get_depth(self) -> int:
        """Return how many lists are around the items of a list: 0 if these are no lists."""
        return self.ttype.get_depth() + 1 if isinstance(self.ttype, TypedListType) else 0

    def filter(self, data: Any, strict: bool = False, allow_downcast: bool | None = None) -> Any:
        if strict and not isinstance(data, list):
            raise TypeError(f"Expected a python list, got {type(data).__name__}")
        return data if strict else [self.ttype.filter(item) for item in data]

    def values_eq(self, a: Any, b: Any) -> bool:  # type: ignore[override]
        return len(a) == len(b) and all(map(self.ttype.values_eq, a, b))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.ttype == other.ttype  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((type(self), self.ttype))

    def __str__(self) -> str:
        return f"TypedList <{self.ttype}>"


class _Operators:
    """What variables of lists can do; each returns a new variable."""

    # How many items there are is not known: Python must not try one position after another.
    __iter__ = None

    def __getitem__(self, index: Any) -> Any:
        return getitem(self, index)

    def __len__(self) -> Any:
        # `len(x)` itself is a TypeError: the length is known when a function runs.
        return length(self)

    def append(self, toAppend: object) -> Any:
        """Return the list with one item more."""
        return append(self, toAppend)

    def extend(self, toAppend: object) -> Any:
        """Return the list followed by another."""
        return extend(self, toAppend)

    def insert(self, index: object, toInsert: object) -> Any:
        """Return the list with an item before position `index`."""
        return insert(self, index, toInsert)

    def remove(self, toRemove: object) -> Any:
        """Return the list without the first item equal to `toRemove`."""
        return remove(self, toRemove)

    def reverse(self) -> Any:
        """Return the list backwards."""
        return reverse(self)

    def count(self, elem: object) -> Any:
        """Return how many items equal `elem`."""
        return count(self, elem)

    def ind(self, elem: object) -> Any:
        """Return the position of the first item equal to `elem`."""
        return index_(self, elem)


class TypedListVariable(_Operators, Variable):
    """A variable that is a list."""


class TypedListConstant(_Operators, Constant):
    """A list that is known."""


TypedListType.Variable = TypedListVariable
TypedListType.Constant = TypedListConstant


def _a_list(x: Variable) -> Any:
    if isinstance(x, Variable) and isinstance(x.type, TypedListType):
        return x
    raise TypeError(f"a variable of TypedListType is needed, got {x!r}")


def _of_type(type_: Any, x: Any) -> Variable:
    variable = x if isinstance(x, Variable) else type_.make_constant(type_.filter(x))
    if variable.type != type_:
        raise TypeError(f"the list has items of {type_}, got {variable} of {variable.type}")
    return variable


def _position(index: object) -> Any:
    variable = as_tensor_variable(index)
    if variable.type.ndim or not is_integer(variable.type.dtype):
        raise TypeError(f"Expected scalar or slice as index, got {index} of {variable.type}")
    return variable


class GetItem(Op):
    """The item at a position, or the list of those in a slice."""

    __props__ = ()

    def make_node(self, x: Variable, index: object) -> Apply:
        type_ = _a_list(x).type
        if isinstance(index, slice):
            index = make_slice(index)
        if isinstance(index, Variable) and isinstance(index.type, SliceType):
            return Apply(self, [x, index], [type_()])
        return Apply(self, [x, _position(index)], [type_.ttype()])

    def perform(self, node: Apply, inputs: Sequence[Any], outputs: Any, params: Any = None) -> None:
        x, index = inputs
        chosen = x[index] if isinstance(index, slice) else copy.deepcopy(x[int(index)])
        outputs[0][0] = chosen


class Edit(Op):
    """Base of what changes a list.

    Attributes
    ----------
    inplace : bool
        Change the list that is given instead of a copy.
    """

    __props__: ClassVar[tuple[str, ...]] = ("inplace",)

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace
        if inplace:
            self.destroy_map = {0: [0]}  # pyright: ignore[reportAttributeAccessIssue]

    def make_node(self, x: Variable, *arguments: object) -> Apply:
        type_ = _a_list(x).type
        return Apply(self, [x, *self.convert(type_, *arguments)], [type_()])

    def convert(self, type_: Any, *arguments: Any) -> list[Variable]:
        """Return the arguments as variables: by default items of the list."""
        return [_of_type(type_.ttype, argument) for argument in arguments]

    def perform(self, node: Apply, inputs: Sequence[Any], outputs: Any, params: Any = None) -> None:
        x, *arguments = inputs
        changed = x if self.inplace else list(x)
        type_: Any = node.inputs[0].type
        self.change(changed, type_.ttype, *arguments)
        outputs[0][0] = changed

    def change(self, items: list[Any], type_: object, *arguments: object) -> None:
        """Change `items`."""
        raise NotImplementedError


class Append(Edit):
    """One item more."""

    def change(self, items: list[Any], type_: object, *arguments: Any) -> None:
        items.append(copy.deepcopy(arguments[0]))


class Extend(Edit):
    """One list after another."""

    def convert(self, type_: object, *arguments: object) -> list[Variable]:
        return [_of_type(type_, argument) for argument in arguments]

    def change(self, items: list[Any], type_: object, *arguments: Any) -> None:
        items.extend(list(arguments[0]))


class Insert(Edit):
    """An item before a position."""

    def convert(self, type_: Any, *arguments: object) -> list[Variable]:
        index, item = arguments
        return [_position(index), _of_type(type_.ttype, item)]

    def change(self, items: list[Any], type_: object, *arguments: Any) -> None:
        items.insert(int(arguments[0]), copy.deepcopy(arguments[1]))


class Remove(Edit):
    """Without the first item that is equal; the list as it is if none is."""

    def change(self, items: list[Any], type_: Any, *arguments: Any) -> None:
        place = next((i for i, v in enumerate(items) if type_.values_eq(v, arguments[0])), None)
        if place is not None:
            del items[place]


class Reverse(Edit):
    """Backwards."""

    def change(self, items: list[Any], type_: object, *arguments: object) -> None:
        items.reverse()


class Search(Op):
    """Base of what counts or finds items that are equal to one."""

    __props__ = ()

    def make_node(self, x: Variable, item: object) -> Apply:
        type_ = _a_list(x).type.ttype
        return Apply(self, [x, _of_type(type_, item)], [TensorType(config.floatX, ())()])

    def perform(
        self, node: Apply, inputs: Sequence[Any], outputs: Any, params: object = None
    ) -> None:
        equal = [node.inputs[1].type.values_eq(item, inputs[1]) for item in inputs[0]]
        outputs[0][0] = np.asarray(self.result(equal), node.outputs[0].type.dtype)

    def result(self, equal: list[bool]) -> int:
        """Return the number, of which items are equal."""
        raise NotImplementedError


class Index(Search):
    """The position of the first item that is equal; ValueError if none is."""

    def result(self, equal: list[bool]) -> int:
        if True not in equal:
            raise ValueError(f"none of the {len(equal)} items of the list equals the one asked for")
        return equal.index(True)


class Count(Search):
    """How many items are equal."""

    def result(self, equal: list[bool]) -> int:
        return sum(equal)


class Length(Op):
    """The number of items."""

    __props__ = ()

    def make_node(self, x: Variable) -> Apply:
        return Apply(self, [_a_list(x)], [TensorType("int64", ())()])

    def perform(
        self, node: Apply, inputs: Sequence[Any], outputs: Any, params: object = None
    ) -> None:
        outputs[0][0] = np.asarray(len(inputs[0]), "int64")


class MakeList(Op):
    """A list of variables of one type."""

    __props__ = ()

    def make_node(self, a: Sequence[Variable]) -> Apply:
        items = [x if isinstance(x, Variable) else as_tensor_variable(x) for x in a]
        types = {x.type for x in items}
        if len(types) != 1:
            type_names = ", ".join(sorted(map(str, types))) or "none"
            raise TypeError(
                f"MakeList need all input variable to be of the same type, got {type_names}"
            )
        return Apply(self, items, [TypedListType(types.pop())()])

    def perform(
        self, node: Apply, inputs: Sequence[object], outputs: Any, params: object = None
    ) -> None:
        outputs[0][0] = copy.deepcopy(list(inputs))


getitem: Callable[..., Any] = GetItem()
append: Callable[..., Any] = Append()
extend: Callable[..., Any] = Extend()
insert: Callable[..., Any] = Insert()
remove: Callable[..., Any] = Remove()
reverse: Callable[..., Any] = Reverse()
index_: Callable[..., Any] = Index()
count: Callable[..., Any] = Count()
length: Callable[..., Any] = Length()
make_list: Callable[..., Any] = MakeList()
