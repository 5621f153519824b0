"""The expression graph: variables, constants, and the nodes that make them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import numpy as np

from theano._core.base.arrays import one_number
from theano._core.base.near_misses import explained, missing
from theano._core.base.settings import config
from theano._core.ir import hooks
from theano._core.ir.node import Node
from theano._core.ir.source import SourceLine, made_at, user_line

# What others note in a variable: compiled functions, and the graph object it is part of.
_NOT_KEPT = ("_fn_cache", "clients", "fgraph")


class Tag:
    """Free attributes of a variable or node, such as `test_value`; and where that was made."""

    # The line is none of the free attributes, which programs list and copy.
    __slots__ = ("__dict__", "source")

    def __init__(self, source: SourceLine | None) -> None:
        self.source = source

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: object) -> None: ...

    def __repr__(self) -> str:
        return f"scratchpad{vars(self)}"

    def __getstate__(self) -> tuple[dict[str, Any], dict[str, Any]]:
        left_out = () if config.pickle_test_value else ("test_value",)
        free = {name: value for name, value in vars(self).items() if name not in left_out}
        return free, {"source": getattr(self, "source", None)}


class Type:
    """What a variable may hold. Two types are equal if every value of one fits the other."""

    # What variables and constants of this type are.
    variable_class: ClassVar[type[Variable]]
    constant_class: ClassVar[type[Constant]]
    # What types of arrays have; who asks for it knows that it is one.
    dtype: str
    broadcastable: tuple[bool, ...]
    shape: tuple[int | None, ...]
    numpy_dtype: np.dtype
    # What the type of sparse matrices has.
    format: str
    ndim = 0
    # Whether values have `ndim` lengths.
    has_shape = False
    # Whether lengths other than 1 are declared.
    sized = False

    def filter(
        self, value: object, strict: bool = False, allow_downcast: bool | None = None
    ) -> Any:
        """Return `value` as this type stores it, or raise TypeError."""
        raise NotImplementedError

    def is_valid_value(self, value: object) -> bool:
        """Tell whether `value` is stored as it is."""
        try:
            self.filter(value, strict=True)
        except (TypeError, ValueError):
            return False
        return True

    def filter_variable(self, other: object, allow_convert: bool = True) -> Variable:
        """Return `other` as a variable of this type, or raise TypeError."""
        if not isinstance(other, Variable):
            other = self.constant_class(self, self.filter(other))
        if other.type != self and allow_convert:
            converted = self.convert_variable(other)
            if converted is not None:
                other = converted
        if other.type != self:
            raise TypeError(
                f"Cannot convert Type {other.type} (of Variable {other}) into Type {self}. "
                f"You can try to manually convert {other} into a {self}."
            )
        return other

    def accepts(self, other: Type) -> bool:
        """Tell whether every value of the type `other` is one of this type."""
        return self == other

    def convert_variable(self, variable: Variable) -> Variable | None:
        """Return `variable` as this type if that loses nothing, else None."""
        return variable if variable.type == self else None

    @property
    def unsized(self) -> Any:
        """The type without declared lengths other than 1."""
        return self

    def own(self, variable: Variable) -> Any:
        """Return what a function returns: itself, or a copy of what may belong to others."""
        return variable

    def make_variable(self, name: str | None = None) -> Any:
        """Return a new variable of this type."""
        return self.variable_class(self, name=name)

    def output(self, name: str | None = None) -> Any:
        """Return a new variable for a node to make, which knows where in the program that was."""
        cls = self.variable_class
        # Who observes what is made looks for its line.
        if cls.__init__ is not Variable.__init__ or Variable.construction_observers:
            return cls(self, name=name)
        variable = cls.__new__(cls)
        variable._begin(self, name, None)
        return variable

    def make_constant(self, value: object, name: str | None = None) -> Any:
        """Return a constant of this type."""
        return self.constant_class(self, self.filter(value), name=name)

    @explained
    def __call__(self, name: str | None = None) -> Any:
        return self.make_variable(name)

    @staticmethod
    def values_eq(a: object, b: object) -> bool:
        """Tell whether two values are equal."""
        return bool(a == b)

    def values_eq_approx(self, a: object, b: object) -> bool:
        """Tell whether two values are equal up to rounding."""
        return self.values_eq(a, b)

    @staticmethod
    def may_share_memory(a: object, b: object) -> bool:
        """Tell whether changing one value in place may change the other."""
        return a is b


if TYPE_CHECKING:
    from theano._core.ir.operator_types import Operators

    class _Operators(Node, Operators["Variable"]): ...
else:
    _Operators = Node


class Variable(_Operators):
    """A value in an expression: an input, or one output of a node.

    Attributes
    ----------
    type : Type
    owner : Apply or None
        The node that computes it; None for an input.
    index : int or None
        Which output of `owner` it is.
    name : str or None
    source : SourceLine or None
        Where the user's program made it.
    tag : Tag
    auto_name : str
        Of no other variable in a process. This and `tag` are made when they are asked for.
    """

    tag: Tag
    auto_name: str
    # Of variables that older pickles have.
    source: SourceLine | None = None

    def __init__(
        self,
        type: Type,
        owner: Apply | None = None,
        index: int | None = None,
        name: str | None = None,
    ) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(
                f"name must be a string, got {name!r}; lengths are told as in "
                "theano.tensor.matrix('x', shape=(2, None))"
            )
        self._begin(type, name, owner.source if owner is not None else user_line())
        self.owner, self.index = owner, index
        for observer in Variable.construction_observers:
            observer(self)

    def _begin(self, type: Type, name: str | None, source: SourceLine | None) -> None:
        self.type: Type = type
        # Apply or None: what asks for the attributes of the node knows that there is one.
        self.owner: Apply | Any = None
        self.index: int | None = None
        self.name = name
        self.source = source
        self._count = next(Variable.__count__)

    # Where the numbers in `auto_name` come from.
    __count__: ClassVar[Iterator[int]] = itertools.count(1)
    # Called with every variable that is made.
    construction_observers: ClassVar[list[Callable[[Variable], None]]] = []

    @classmethod
    def append_construction_observer(cls, observer: Callable[[Variable], None]) -> None:
        """Have `observer` called with every variable that is made."""
        Variable.construction_observers.append(observer)

    @classmethod
    def remove_construction_observer(cls, observer: Callable[[Variable], None]) -> None:
        """Have `observer` called no more."""
        Variable.construction_observers.remove(observer)

    @property
    def dtype(self) -> str:
        """Item type."""
        return self.type.dtype

    @property
    def broadcastable(self) -> tuple[bool, ...]:
        """Which axes have a declared length of 1."""
        return self.type.broadcastable

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.type.ndim

    def get_test_value(self) -> Any:
        """Return the test value; AttributeError if there is none, TypeError if it does not fit."""
        tag: Any = self.tag
        if not hasattr(tag, "test_value"):
            raise AttributeError(f"{self} has no test value.{made_at(self)}")
        try:
            return self.type.filter(tag.test_value)
        except Exception as error:
            made = "" if self.source is None else f"It was made at {self.source}.\n"
            error.args = (
                "For compute_test_value, one input test value does not have the requested type.\n"
                f"{made}The error when converting the test value to that variable type:\n"
                + "\n".join(str(a) for a in error.args),
            )
            raise

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name == "tag":
                return vars(self).setdefault(name, Tag(self.source))
            if name == "auto_name":
                return vars(self).setdefault(name, f"auto_{self._count}")
            return missing(self, name)

    def eval(
        self, inputs_to_values: Mapping[Variable, object] | None = None, **kwargs: object
    ) -> Any:
        """Return the value for the given values of inputs.

        Parameters
        ----------
        inputs_to_values : dict of variable to value, optional

        Notes
        -----
        A function is compiled for each set of inputs and kept with the variable.

        Raises
        ------
        MissingInputError
            The variable depends on an input without value.
        """
        return hooks.evaluate(self, {} if inputs_to_values is None else inputs_to_values, **kwargs)

    def clone(self) -> Variable:
        """Return a new input of the same type and name."""
        copy = self.type.variable_class(self.type, name=self.name)
        copy.tag.__dict__.update(self.tag.__dict__)
        return copy

    def __copy__(self) -> Any:
        copy = type(self).__new__(type(self))
        # They have one tag.
        copy.tag = self.tag
        copy.__dict__.update(self.__dict__)
        return copy

    def __getstate__(self) -> dict[str, Any]:
        # Functions that `eval` has compiled are made again when they are needed.
        return {k: x for k, x in vars(self).items() if k not in _NOT_KEPT}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update({"owner": None, "index": None, **state})
        if self.owner is not None or "readers" in self.__dict__:
            hooks.restore_old_output(self)

    def __reduce_ex__(self, protocol: int) -> Any:
        # Nodes come inputs first, so that pickling a deep graph needs no deep recursion.
        if self.owner is None:
            return super().__reduce_ex__(protocol)
        return _output_of, (tuple(_milestones(self.owner)), self.owner, self.index)

    def get_parents(self) -> list[Apply]:
        """Return the node that computes this variable, as a list."""
        return [] if self.owner is None else [self.owner]

    def __str__(self) -> str:
        if self.name is not None:
            return self.name
        if self.owner is not None:
            op = self.owner.op
            default = getattr(op, "default_output", None)
            return f"{op}.{'out' if self.index == default else self.index}"
        return f"<{self.type}>"

    def __repr__(self) -> str:
        if not config.print_test_value:
            return str(self)
        try:
            return f"{self}\n{self.get_test_value()!r}"
        except AttributeError:
            return str(self)


class Constant(Variable):
    """A variable whose value is known: `data`."""

    _signature: Any = None
    # The number of all items, or None, once that was asked for.
    _number: tuple[Any] | None = None

    def __init__(self, type: Type, data: object, name: str | None = None) -> None:
        super().__init__(type, name=name)
        # As types of users want it; arrays are what the engine makes.
        data = data if isinstance(data, np.ndarray) else type.filter(data)
        if isinstance(data, np.ndarray):
            data = data.copy() if data.flags.writeable else data
            data.flags.writeable = False
        self.data: Any = data

    @property
    def value(self) -> Any:
        """The value; a read-only array."""
        return self.data

    def get_test_value(self) -> Any:
        return self.data

    def signature(self) -> Any:
        """Return a hashable key: equal keys, equal constants."""
        if self._signature is None:
            data = self.data
            if isinstance(data, np.ndarray):
                self._signature = (self.type, data.shape, data.tobytes())
            else:
                try:
                    hash(data)
                    self._signature = (self.type, type(data), data)
                except TypeError:
                    self._signature = (self.type, id(data))
        return self._signature

    def number(self) -> Any:
        """Return the number that all items of an array are, bit by bit; None if there is none."""
        if self._number is None:
            self._number = (one_number(self.data),)
        return self._number[0]

    def equals(self, other: object) -> bool:
        """Tell whether `other` is a constant of the same type and value."""
        return isinstance(other, Constant) and self.signature() == other.signature()

    def clone(self) -> Any:
        return type(self)(self.type, self.data, self.name)

    def __str__(self) -> str:
        if self.name is not None:
            return self.name
        text = str(self.data)
        if len(text) > 20:
            text = f"{text[:10]}...{text[-10:]}"
        return f"{type(self).__name__}{{{text}}}"


Type.variable_class = Variable
Type.constant_class = Constant


OpT = TypeVar("OpT", covariant=True)


def _listed(name: str, values: Iterable[Variable]) -> list[Any]:
    listed = [None] if isinstance(values, Variable) else list(values)
    for v in listed:
        if not isinstance(v, Variable):
            wanted = "a list of Variable instances"
            raise TypeError(f"The {name!r} of Apply must be {wanted}, not {values}")
    return listed


class Apply(Node, Generic[OpT]):
    """An operation applied to variables; `Apply[Dot]` for annotations is one of that class.

    Attributes
    ----------
    op : Op
    inputs, outputs : list of Variable
    tag : Tag
    source : SourceLine or None
    """

    # The graph object that it is part of, if any, writes itself into `fgraph`.
    __slots__ = ("__weakref__", "fgraph", "inputs", "op", "outputs", "rules", "source", "tag")
    tag: Tag

    def __init__(self, op: OpT, inputs: Iterable[Variable], outputs: Iterable[Variable]) -> None:
        self.op = op
        # What the engine asks of the operation: one that a user wrote may have attributes of these
        # names that mean something else.
        rules: Any = op
        self.rules: Any = rules._rules if hasattr(type(op), "_rules") else rules
        self.inputs: list[Variable] = _listed("inputs", inputs)
        self.source: SourceLine | None = user_line()
        self.outputs: list[Variable] = []
        for index, output in enumerate(_listed("outputs", outputs)):
            if output.owner is not None or output in self.inputs:
                raise ValueError("An output of Apply is an input or of another Apply", output)
            output.owner = self
            output.index = index
            output.source = self.source
            self.outputs.append(output)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name != "tag":
                return object.__getattribute__(self, name)
            self.tag = Tag(self.source)
            return self.tag

    def __reduce__(self) -> Any:
        inputs = [v if v.owner is None else (v.owner, v.index) for v in self.inputs]
        types = [(type(v), v.type) for v in self.outputs]
        own = [
            {k: x for k, x in v.__getstate__().items() if k not in ("owner", "index", "type")}
            for v in self.outputs
        ]
        return _restored, (self.op, inputs, types), (vars(self.tag), self.source, own)

    def __setstate__(
        self,
        state: dict[str, object]
        | tuple[dict[str, object], SourceLine | None, list[dict[str, object]]],
    ) -> None:
        if isinstance(state, dict):
            hooks.restore_old_node(self, state)
            return
        tag, self.source, own = state
        self.tag.__dict__.update(tag)
        for output, attributes in zip(self.outputs, own, strict=True):
            output.__dict__.update(attributes)

    @property
    def out(self) -> Variable:
        """The default output: the only one, or the one that the op names."""
        return self.default_output()

    def default_output(self) -> Variable:
        """Return the output that a call of the op returns."""
        choice = getattr(self.op, "default_output", None)
        if choice is None and len(self.outputs) == 1:
            return self.outputs[0]
        if not isinstance(choice, int) or not 0 <= choice < len(self.outputs):
            raise AttributeError(
                f"{self.op}.default_output should be an output index, is {choice!r}: there are "
                f"{len(self.outputs)} outputs"
            )
        return self.outputs[choice]

    def clone(self) -> Apply:
        """Return the op applied to the same inputs, with new outputs."""
        return self.clone_with_new_inputs(self.inputs, strict=False)

    def clone_with_new_inputs(self, inputs: Iterable[Variable], strict: bool = True) -> Apply:
        """Return the op applied to `inputs`.

        With `strict`, an input of another type is converted or refused with TypeError.
        """
        new, types = list(inputs), [old.type for old in self.inputs]
        if strict and types != [value.type for value in new]:
            new = [
                value if value.type == type_ else type_.filter_variable(value)
                for type_, value in zip(types, new, strict=True)
            ]
        if types == [value.type for value in new]:
            outputs = [out.type.output(out.name) for out in self.outputs]
            node = Apply(self.op, new, outputs)
        else:
            op: Any = self.op
            node = op.make_node(*new)
        node.take_over(self)
        return node

    def take_over(self, other: Apply) -> None:
        """Take the names, tags and lines of another node, in whose place it is put."""
        self.source = other.source
        for out, old in zip(self.outputs, other.outputs, strict=True):
            out.source = old.source
            out.name = old.name
            if "tag" in vars(old):
                out.tag.__dict__.update(old.tag.__dict__)
        if free := vars(other.tag):
            self.tag.__dict__.update(free)

    def get_parents(self) -> list[Variable]:
        """Return the inputs."""
        return list(self.inputs)

    def __str__(self) -> str:
        return f"{self.op}({', '.join(str(i) for i in self.inputs)})"

    __repr__ = __str__


def _milestones(last: Apply, distance: int = 16) -> list[Apply]:
    """Return some of the nodes that `last` needs, inputs first, each near to the next."""
    done: set[Apply] = set()
    order: list[Apply] = []
    stack = [(last, iter(last.inputs))]
    while stack:
        node, parents = stack[-1]
        parent = next((v.owner for v in parents if v.owner and v.owner not in done), None)
        if parent is not None:
            stack.append((parent, iter(parent.inputs)))
            continue
        stack.pop()
        done.add(node)
        order.append(node)
    return order[distance - 1 :: distance]


def _output_of(_milestones: Sequence[Apply], node: Apply, index: int) -> Variable:
    return node.outputs[index]


def _restored(
    op: object,
    inputs: Sequence[Variable | tuple[Apply, int]],
    types: Sequence[tuple[type[Variable], Type]],
) -> Apply:
    parents = [v if isinstance(v, Variable) else v[0].outputs[v[1]] for v in inputs]
    outputs = []
    for cls, type_ in types:
        output = cls.__new__(cls)
        output.type, output.owner, output.index = type_, None, None
        outputs.append(output)
    return Apply(op, parents, outputs)
