"""What an operation is: one declaration that every layer reads.

`Op` is the base. Three declarators build almost all operations:

- `elementwise` (`elementwise.py`): a scalar function applied to broadcast arrays;
- `reduction` (`reductions.py`): a binary scalar function reduced over axes;
- `Structured` subclasses: shape, indexing, products, creation.

Every operation says: what it means (`compute`, with NumPy or another array namespace), the type
of its outputs (`make_node`), their lengths (`shape`), its derivative (`vjp`), and how native code
does it (`llvm` for scalar functions, `emit` for the others). Broadcasting, the dtype of
gradients, in-place reuse and strides are the engine's business and appear in none of them.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from theano._core.base import dtypes
from theano._core.base.errors import AsTensorError
from theano._core.base.near_misses import misfit
from theano._core.base.settings import change_flags, config
from theano._core.ir import hooks
from theano._core.ir.graph import constant_data, toposort
from theano._core.ir.types import TensorType, array_of, holds_array, tensor_type
from theano._core.ir.variable import Apply, Constant, Variable

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ops.core.protocols import Batching, Builder, Forward, ProgramValue, Trace

# Results of folding larger than this stay expressions: constants travel with the compiled code.
FOLD_LIMIT = 4096

Guard = tuple["Op", Callable[[], list[Any]]]


class Op:
    """An operation. Equal classes with equal `__props__` are the same operation."""

    __props__: ClassVar[tuple[str, ...]] = ()
    default_output: int | None = None
    # INVARIANT: an op with `pure` False is never merged, folded or dropped for its equals.
    pure = True
    # Why it has no `vjp`, where it has none.
    not_differentiated: ClassVar[str] = ""
    # Whether inputs broadcast to the shape of the output; their cotangents are then summed back.
    broadcasts = False
    # Whether it has a body of its own to differentiate: `vjp` is then called with `reverse`, which
    # does that, and with None for cotangents that are not there.
    differentiates = False
    # Whether what `vjp` says is kept as one operation until rewriting starts: for long rules.
    long_rule = False
    # Whether its rule, a long one, needs to know how the cotangents depend on its outputs: `vjp` is
    # then called with what `limits` returns, and with None for cotangents that are not there.
    has_limits = False
    # Whether `vjp` of a sum of cotangents is the sum of what it says of each.
    additive = True
    # Whether a user has written the forward rule: where that says nothing, nothing passes.
    forward_by_user = False
    # Whether cotangents pass where its results are integers: a user's rule may be about that.
    through_integers = False
    # Whether a user has written `shape`, which may be wrong.
    shape_by_user = False
    # Whether it shows its first input: items of it and no others, which may lie in its memory.
    is_view = False
    # Whether it reads the lengths of its inputs alone, which are known without their values.
    measures = False
    # Whether `make_node` may be called again when more is known of the inputs: lengths of 1.
    remakes = True
    # Whether lengths that its outputs are known to have count as declared by the user.
    declares_sizes = False

    def props(self) -> tuple[Any, ...]:
        """Return the values of `__props__`."""
        return tuple([getattr(self, name) for name in self.__props__])

    def foldable(self) -> bool:
        """Tell whether `compute` may fold it; what must have the bits of native code is not."""
        return self.pure

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self is other or self.props() == other.props()  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((type(self), self.props()))

    def make_node(self, *inputs: TensorLike) -> Apply:
        """Return this operation applied to `inputs`; raises TypeError for unfit types."""
        raise NotImplementedError

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        name = options.pop("name", None)
        as_list = options.pop("return_list", False)
        try:
            node = self.make_node(*inputs, **options)
        except TypeError as error:
            # What comes from within the method has a frame of it.
            if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                raise
            raise TypeError(f"{self}: {misfit(self.make_node, inputs, options)}") from None
        if name is not None and len(node.outputs) == 1:
            node.outputs[0].name = name
        complete(node)
        if self.default_output is not None and not as_list:
            return node.outputs[self.default_output]
        if as_list or len(node.outputs) != 1:
            return node.outputs
        return node.outputs[0]

    def compute(self, xp: ArrayModule, node: Apply, *arrays: np.ndarray) -> tuple[Any, ...]:
        """Return the outputs for `arrays`, with the array namespace `xp`: the op's meaning."""
        raise NotImplementedError

    def jax(self, j: Trace, node: Apply, *arrays: np.ndarray) -> Sequence[Any]:
        """Return the outputs for arrays that JAX traces; `j` is a `Trace` of the JAX backend.

        `compute` with `jax.numpy`, unless that differs. What raises TypeError, IndexError or
        AttributeError is called on the host.
        """
        return self.compute(j.numpy, node, *arrays)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        """Return, per output, the tuple of lengths (int, scalar variable, or None: unknown)."""
        return [(None,) * out.ndim for out in node.outputs]

    def misfit(self, node: Apply, shapes: Sequence[Dims]) -> str | None:
        """Say what is wrong with operands whose lengths certainly do not fit, else return None."""
        return None

    def may_fail(self, node: Apply) -> bool:
        """Tell whether it may have `guards`."""
        return False

    def guards(self, node: Apply, shapes: Sequence[Dims]) -> list[Guard]:
        """Return what fails where this does: operations that hand on a first operand.

        Each with what makes its other operands. Rewriting leaves them behind.
        """
        return []

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        """Return the cotangent of each input, `None` where the output does not depend on it."""
        raise NotImplementedError(f"{self} has no derivative")

    def linear(self, node: Apply) -> list[list[int]]:
        """Return groups of inputs: the outputs are linear in each, the other inputs being fixed."""
        return []

    def jvp(
        self, node: Apply, tangents: Sequence[Variable | None], forward: Forward
    ) -> list[Any] | None:
        """Return the tangent of each output, None where it is zero, from those of the inputs.

        None for all: it is derived, from `linear` or by transposing `vjp`. An operation with a
        body differentiates that with `forward`.
        """
        return None

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        """Return the outputs for many rows at once; None: they are computed one by one.

        Parameters
        ----------
        node : Apply
            The operation on one row.
        values : list of variables
            Its inputs; those that `rows` names have a first axis for the rows.
        rows : list of bool
            At least one is True.
        batching : Batch
            Knows the number of rows; repeats values that have none; walks bodies.

        Returns
        -------
        list of variables
            Those with one more axis than the output of `node` have rows, others are for all rows.
        """
        return None

    def is_dear(self, node: Apply) -> bool:
        """Tell whether the value of `node` is better kept than computed twice."""
        return False

    def folds(self, node: Apply) -> bool:
        """Tell whether to compute the outputs at once, all inputs being constants."""
        lengths = self.shape(node, [tuple(data.shape) for data in constant_data(node)])
        return all(
            all(isinstance(n, int) for n in shape) and math.prod(shape) <= FOLD_LIMIT
            for shape in lengths
        )

    def connection(self, node: Apply) -> list[list[bool]]:
        """Return, per input, which outputs depend on its values (not only its shape)."""
        return [[True] * len(node.outputs) for _ in node.inputs]

    def emit(self, p: Builder, node: Apply, *values: ProgramValue) -> Any:
        """Emit native code through the program emitter `p`; return the value of each output."""
        raise NotImplementedError(f"{self} has no native form")

    def __str__(self) -> str:
        name = getattr(self, "name", None) or type(self).__name__
        if not self.__props__ or getattr(self, "name", None):
            return name
        inner = ", ".join(f"{n}={getattr(self, n)!r}" for n in self.__props__)
        return f"{name}{{{inner}}}"

    def __repr__(self) -> str:
        return str(self)

    def node_text(self, node: Apply) -> str:
        """Return the text of this operation in a printed graph."""
        return str(self)


def complete(node: Apply) -> None:
    """Add to a new node what is known of its outputs: lengths and, if asked for, test values."""
    if node.rules.declares_sizes or any(v.type.sized for v in node.inputs):
        hooks.declare_shape(node)
    # Patterns of rules are made before there are test values.
    if config.compute_test_value != "off" and hooks.compute_test_values.value is not None:
        hooks.compute_test_values(node)


def complete_values(outputs: Sequence[object]) -> None:
    """Compute the test values that `outputs` and what they are made of lack, if asked for."""
    if config.compute_test_value == "off":
        return
    for node in toposort([v for v in outputs if isinstance(v, Variable)]):
        if not all(hasattr(out.tag, "test_value") for out in node.outputs):
            hooks.compute_test_values(node)


@contextlib.contextmanager
def inside_body(node: Apply) -> Iterator[None]:
    """Compute no test values if `node` has a body: there are none for the variables in it."""
    needed = node.rules.differentiates and config.compute_test_value != "off"
    with change_flags(compute_test_value="off") if needed else contextlib.nullcontext():
        yield


def shown(variable: Variable) -> Variable:
    """Return the variable in whose memory `variable` may lie."""
    while variable.owner is not None and variable.owner.op.is_view:
        variable = variable.owner.inputs[0]
    return variable


def as_variable(value: TensorLike, dtype: str | None = None) -> Variable:
    """Return `value` as a tensor variable: numbers, arrays, variables and one-output nodes.

    Parameters
    ----------
    value : Variable, Apply, array_like
    dtype : str, optional
        Item type of a constant; by default Python numbers take the smallest type that holds them
        (`config.cast_policy`).

    Returns
    -------
    Variable
        `value` itself where it is one.

    Examples
    --------
    >>> theano.extend.as_variable(2.5).type
    TensorType(float32, scalar)
    """
    if isinstance(value, Variable):
        crosses = not isinstance(value.type, TensorType) and hasattr(value, "_as_TensorVariable")
        return value._as_TensorVariable() if crosses else value  # type: ignore[attr-defined]
    if isinstance(value, Apply):
        return as_variable(value.default_output())
    if isinstance(value, bool):
        raise AsTensorError(
            f"Cannot cast True or False as a tensor variable, got {value}. Please use "
            "np.array(True) or np.array(False) if you need these constants. `v == w` of two "
            "variables is such a bool: theano.tensor.eq(v, w) compares their items."
        )
    convert = getattr(value, "_as_TensorVariable", None)
    if convert is not None:
        return convert()
    if isinstance(value, (list, tuple)) and _holds_variables(value):
        return hooks.stack(value)
    return constant(value, dtype=dtype)


def _holds_variables(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return any(_holds_variables(item) for item in value)
    return isinstance(value, (Variable, Apply))


def constant(value: object, name: str | None = None, dtype: str | None = None) -> Constant:
    """Return a tensor constant. Axes of length 1 are broadcastable."""
    if dtype is not None:
        array = array_of(value)
        if array.dtype.kind == "c" and np.dtype(dtype).kind in "iuf" and not holds_array(value):
            raise TypeError(f"the complex {value!r} makes no constant of dtype {dtype}")
        array = np.asarray(array, dtype=dtype)
    elif isinstance(value, (np.ndarray, np.generic)):
        array = array_of(value)
        if not array.dtype.isnative:
            array = array.astype(array.dtype.newbyteorder("="))
    elif isinstance(value, (bool, int, float, complex)):
        array = np.asarray(value, dtype=dtypes.autocast(value))
    else:
        try:
            array = array_of(value)
        except ValueError as error:
            raise AsTensorError(f"Cannot convert {value!r} to TensorType: {error}") from None
        if array.size == 0 and not holds_array(value):
            # Nothing says what the items would be.
            array = array.astype(config.floatX)
    item = dtypes.name_of(array.dtype)
    if item not in dtypes.all_dtypes:
        hint = ". A function is called: its result is an operand" if callable(value) else ""
        raise AsTensorError(
            f"Cannot convert {value!r} of type {type(value).__name__} to TensorType: an operand is "
            f"a variable, a number, an array, or a list of these{hint}"
        )
    type_ = tensor_type(item, tuple([n == 1 for n in array.shape]))
    return type_.constant_class(type_, array, name)


def python_int(value: object) -> int | None:
    """Return the value of an integer constant, or None."""
    if isinstance(value, (int, np.integer)):
        return int(value)
    data = value.data if isinstance(value, Constant) else value
    if isinstance(data, np.integer):
        return int(data)
    return int(data.reshape(())) if isinstance(data, np.ndarray) and data.size == 1 else None


def tensor_operand(name: str, value: TensorLike) -> Variable:
    """Return `value` as a tensor variable, or raise AsTensorError naming the operation."""
    try:
        variable = as_variable(value)
    except AsTensorError as error:
        raise AsTensorError(f"{name}: {error}") from None
    if not isinstance(variable.type, TensorType):
        raise AsTensorError(f"{name} needs tensors, got {variable} of type {variable.type}")
    return variable


class Structured(Op):
    """Base of operations that are not elementwise."""

    def one(self, inputs: Sequence[Variable], dtype: str, broadcastable: Sequence[bool]) -> Apply:
        """Return a node with one tensor output."""
        type_ = tensor_type(dtypes.named(dtype), tuple(broadcastable))
        return Apply(self, inputs, [type_.output()])


# Methods that a class declares in a line, by the name of the method.


def shape_of(index: int) -> Any:
    """Return a `shape`: the one output has the lengths of an input."""
    return lambda self, node, shapes: [shapes[index]]


def scalar_shape(self: Op, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
    """Tell, as a `shape`, that the one output has no axes."""
    return [()]


def connected(*indices: int) -> Any:
    """Return a `connection`: the outputs depend on the values of some inputs only."""
    return lambda self, node: [[i in indices] * len(node.outputs) for i in range(len(node.inputs))]


def linear_in(*groups: int | Sequence[int]) -> Any:
    """Return a `linear`: the outputs are linear in each of some inputs, or groups of them."""
    listed = [[group] if isinstance(group, int) else list(group) for group in groups]
    return lambda self, node: listed


def no_cotangents(self: Op, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
    """Tell, as a `vjp`, that the outputs depend on the values of no input."""
    return [None] * len(node.inputs)
