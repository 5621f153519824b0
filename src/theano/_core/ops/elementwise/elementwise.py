"""Elementwise operations: a scalar function applied at each position of broadcast arrays.

Two of them stand here, since the derivatives of all others need them: the conversion to another
dtype and the complex conjugate.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache, reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base import dtypes
from theano._core.base.near_misses import OwnSignature, did_you_mean
from theano._core.base.other_names import call_for
from theano._core.base.settings import change_flags, config
from theano._core.ir.text import label
from theano._core.ir.types import TensorType, tensor_type
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.core import dtype_rules
from theano._core.ops.core.dimshuffle import pad_left
from theano._core.ops.core.fill import zeros_like_float
from theano._core.ops.core.in_place import overwriting
from theano._core.ops.core.naming import known_as
from theano._core.ops.core.op import Op, constant, tensor_operand
from theano._core.ops.core.samples import Range, anything, small_integers

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ir.tensor import TensorVariable
    from theano._core.ops.core.protocols import Batching, Builder, Trace

Rule = Callable[..., tuple[tuple[str, ...], str]]

# The cost of a function such as `exp`, in instructions; of any that takes about as long or longer.
DEAR = 12
# Those that print their names alone, as in Theano: programs and documents quote their texts.
BARE = {"sigmoid", "softplus", "softsign", "ultra_fast_sigmoid", "xlogx", "xlogy0"}


def as_number(value: float, x: Variable) -> Any:
    """Return a constant that does not widen the float dtype of `x`."""
    return constant(np.asarray(value, dtypes.to_float(x.type.dtype)))


@known_as("Elemwise")
class Elementwise(Op):
    """A scalar function applied at each position of broadcast arrays.

    Parameters
    ----------
    name : str
    compute : callable
        `compute(xp, *arrays)`; the arrays have the dtypes that `dtype` says.
    dtype : callable
        `dtype(*input dtypes)` → (dtypes the inputs are cast to, output dtype).
    grad : callable or None
        `grad(g, *inputs, output)` → cotangent per input; None: derivative zero everywhere.
    llvm : callable or None
        `llvm(b, *values)` with the instruction builder of the native backend.
    samples : tuple
        Ranges of the inputs for the generic tests, one per input.
    commutative : bool
    ulp : float
        Bound on the error of the native form, units in the last place.
    error : str
        What the docstring says of the error where `ulp` is not the whole story.
    associative : bool
        Whether it may be called with any number of arguments.
    cost : int
        Rough number of instructions of the native form; see `is_dear`.
    library : str or None
        Where `llvm` is None: a C function of `scipy.special.cython_special` to call item by item.
        Without one, `compute` is called for whole arrays.
    module : str or None
        Where a user declared it; None: the engine.
    holomorphic : bool
        Whether it is differentiable in the complex sense, so that what `grad` multiplies by is the
        derivative; cotangents of complex inputs are then multiplied by its conjugate.
    jax : callable or None
        `jax(j, *arrays)`: what JAX traces, if that is not `compute` with `jax.numpy`; `j` has
        `numpy`, `lax` and `special`.
    """

    broadcasts = True

    def __init__(
        self,
        name: str,
        nin: int,
        doc: str,
        compute: Callable[..., object],
        dtype: Rule,
        grad: Callable[..., Any] | None,
        llvm: Callable[..., object] | None,
        samples: tuple[Range, ...],
        commutative: bool = False,
        ulp: float = 0.5,
        associative: bool = False,
        cost: int = 1,
        library: str | None = None,
        module: str | None = None,
        error: str = "",
        holomorphic: bool = True,
        jax: Callable[..., object] | None = None,
    ) -> None:
        self.name = name
        self._hash = hash(name)
        self.nin = nin
        if not error and ulp > 0.5:
            error = f"Its error is at most {ulp:g} units in the last place."
        self.__doc__ = f"{doc}\n\n{error}".rstrip()
        self.function = compute
        self.dtype = dtype
        self.gradient = grad
        self.native = llvm
        self.samples = samples
        self.commutative = commutative
        self.associative = associative
        self.ulp = ulp
        self.cost = cost
        self.library = library
        self.module = module
        self.holomorphic = holomorphic
        self.traced = jax

    def __eq__(self, other: object) -> bool:
        # A user may declare a function anew under its name: the old one is another one.
        return self is other or (
            self.module is None and isinstance(other, Elementwise) and self.name == other.name
        )

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> Any:
        target = vars(self).get("overwrites")
        return _registered, (self.name, self.module, *(() if target is None else (target,)))

    @property
    def is_cast(self) -> bool:
        """Whether it converts to another dtype, and does nothing else."""
        return self.name.startswith("Cast{")

    def is_dear(self, node: Apply) -> bool:
        return self.cost >= DEAR

    def make_node(self, *inputs: TensorLike) -> Apply:
        if self.associative and len(inputs) > 2:
            node: Apply = self._fold(inputs, {}).owner
            return node
        if len(inputs) != self.nin:
            count = f"{self.nin} argument{'s' * (self.nin != 1)}"
            other = call_for(self.name, len(inputs))
            raise TypeError(f"{self.called()} takes {count}, got {len(inputs)}{other}")
        values = same_rank([tensor_operand(self.name, value) for value in inputs])
        try:
            _, out = self.dtype(*(v.type.dtype for v in values))
        except TypeError as error:
            raise type(error)(f"{self.called()} of {_told(inputs, values)}: {error}") from None
        patterns = [v.type.broadcastable for v in values]
        if len(patterns) == 1:
            pattern = patterns[0]
        else:
            pattern = tuple(all(axis) for axis in zip(*patterns, strict=True))
        return Apply(self, values, [tensor_type(out, pattern).output()])

    def __call__(self, *inputs: object, **options: object) -> TensorVariable:
        options.pop("dtype", None)
        if options and (unknown := options.keys() - {"name", "return_list"}):
            near = did_you_mean(sorted(unknown)[0], ["name", "return_list"])
            raise TypeError(
                f"{self.called()} takes its arguments by position, got {sorted(unknown)}.{near}"
            )
        if self.associative and len(inputs) not in (0, 2):
            return self._fold(inputs, options)
        target = vars(self).get("overwrites")
        if target is not None:
            return self._over(target, inputs, options)
        return super().__call__(*inputs, **options)

    def called(self) -> str:
        """Return how it is called: its name and its arguments."""
        names = ", ".join(self.function.__code__.co_varnames[1 : self.nin + 1])
        return f"{self.name}({names})"

    def _signature(self) -> inspect.Signature:
        names = self.function.__code__.co_varnames[1 : self.nin + 1]
        kind = inspect.Parameter.POSITIONAL_ONLY
        return inspect.Signature([inspect.Parameter(name, kind) for name in names])

    __signature__ = OwnSignature(_signature)

    def _over(self, target: int, inputs: Sequence[Any], options: dict[str, object]) -> Any:
        """Return the result as it fits into the memory of the input that it may overwrite."""
        as_list = options.pop("return_list", False)
        values = [tensor_operand(self.name, value) for value in inputs]
        written = values[target]
        out = super().__call__(*values, **options)
        if out.type.broadcastable != written.type.broadcastable:
            raise ValueError(
                f"Operation cannot be done inplace on an input with broadcasted dimensions: "
                f"{self.name} of {', '.join(str(v.type) for v in values)} is {out.type}"
            )
        if out.type.dtype != written.type.dtype:
            out = cast(out, written.type.dtype)
            out.tag.overwrites = (0, target)
        return [out] if as_list else out

    def _fold(self, inputs: Sequence[Any], options: dict[str, object]) -> Any:
        result = tensor_operand(self.name, inputs[0])
        if len(inputs) == 1:
            # A variable of its own: who names the sum of a list names no item of it.
            return _registered("identity")(result, **options)
        rest = [tensor_operand(self.name, value) for value in inputs[1:]]
        # Integers are joined in the dtype of the whole, in which they fit better.
        if dtypes.is_discrete(result.type.dtype):
            # What has no dtype is refused below.
            with suppress(TypeError):
                result = cast(result, reduce(self._joint, [v.type.dtype for v in (result, *rest)]))
        for value in rest[:-1]:
            result = self(result, value)
        return self(result, rest[-1], **options)

    def _joint(self, one: str, two: str) -> str:
        return self.dtype(one, two)[1]

    def compute(self, xp: ArrayModule, node: Apply, *arrays: object) -> tuple[Any, ...]:
        return self._applied(self.function, xp, node, arrays)

    def jax(self, j: Trace, node: Apply, *arrays: np.ndarray) -> tuple[Any, ...]:
        traced = self.traced
        if traced is None:
            return self.compute(j.numpy, node, *arrays)
        return self._applied(lambda _, *args: traced(j, *args), j.numpy, node, arrays)

    def _applied(
        self,
        function: Callable[..., object],
        xp: ArrayModule,
        node: Apply,
        arrays: Sequence[object],
    ) -> tuple[Any]:
        check_shape(node, arrays)
        casts, out = self.dtype(*(v.type.dtype for v in node.inputs))
        args = [_as_dtype(a, dtype) for a, dtype in zip(arrays, casts, strict=True)]
        return (_as_dtype(xp.asarray(function(xp, *args)), out),)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [broadcast_shape([v.type.broadcastable for v in node.inputs], shapes)]

    def batch(
        self, node: Apply, values: list[Any], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        return self.make_node(*values).outputs

    def misfit(self, node: Apply, shapes: Sequence[Dims]) -> str | None:
        patterns = [v.type.broadcastable for v in node.inputs]
        for axis in range(node.outputs[0].type.ndim):
            pairs = zip(shapes, patterns, strict=True)
            problem = unequal([(s, axis) for s, ones in pairs if not ones[axis]])
            if problem is not None:
                return problem
        return None

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        if self.gradient is None:
            return [zeros_like_float(v) for v in node.inputs]
        values = (*self._differentiated(node), node.outputs[0])
        if not self.holomorphic or not any(dtypes.is_complex(v.type.dtype) for v in node.inputs):
            return list(self.derivatives(cotangents[0], *values))
        return [conjugate(g) for g in self.derivatives(conjugate(cotangents[0]), *values)]

    def derivatives(self, g: Variable, *values: Variable) -> Sequence[Any]:
        """Return what `grad` says; numbers in it are narrow, whatever those of users are."""
        assert self.gradient is not None
        if self.module is None and config.cast_policy != "custom":
            with change_flags(cast_policy="custom"):
                return self.gradient(g, *values)
        return self.gradient(g, *values)

    def _differentiated(self, node: Apply) -> list[Any]:
        """Return the inputs as real numbers where they are integers and the function is real."""
        if dtypes.is_discrete(node.outputs[0].type.dtype):
            return node.inputs
        wanted, _ = self.dtype(*(v.type.dtype for v in node.inputs))
        return [
            cast(v, dtype) if dtypes.is_discrete(v.type.dtype) else v
            for v, dtype in zip(node.inputs, wanted, strict=True)
        ]

    def emit(self, p: Builder, node: Apply, *values: Any) -> Any:
        if self.library is None:
            return p.call_compute(node, values)
        return p.call_items(node, self.library, values)

    def __str__(self) -> str:
        if self.name in BARE:
            return self.name
        if "overwrites" in vars(self):
            return f"{self.name}_inplace"
        bare = self.name == "identity" or self.name.startswith("Cast")
        return f"Elemwise{{{self.name}}}" if bare else f"Elemwise{{{self.name},no_inplace}}"


def _told(inputs: Sequence[object], values: Sequence[Variable]) -> str:
    """Return the operands of a call that is refused, with their dtypes."""
    return ", ".join(
        f"{label(operand) if isinstance(operand, Variable) else operand} ({v.type.dtype})"
        for operand, v in zip(inputs, values, strict=True)
    )


def _as_dtype(array: Any, dtype: str) -> Any:
    return array if dtypes.name_of(array.dtype) == dtype else array.astype(dtype)


def check_shape(node: Apply, arrays: Sequence[Any]) -> None:
    """Refuse arrays that NumPy would broadcast along an axis that is not declared to."""
    for axis in range(node.outputs[0].ndim):
        shape = {
            array.shape[axis]
            for variable, array in zip(node.inputs, arrays, strict=True)
            if not variable.type.broadcastable[axis]
        }
        if len(shape) > 1:
            raise ValueError(
                f"Input dimension mis-match along axis {axis}: shapes {[a.shape for a in arrays]}"
            )


def broadcast_shape(
    patterns: Sequence[tuple[bool, ...]], shapes: Sequence[Dims]
) -> tuple[Any, ...]:
    """Return the lengths of the broadcast of several shapes.

    Of several lengths that must agree, a known one is taken first; the check is the caller's.
    """
    first = shapes[0]
    if True not in patterns[0]:
        # Mostly the others have the same lengths, or broadcast.
        for ones, shape in zip(patterns, shapes, strict=True):
            if shape != first and False in ones:
                break
        else:
            return tuple(first)
    result: list[Any] = []
    for axis in range(len(patterns[0])):
        long_length: tuple[Any, ...] = ()
        for ones, shape in zip(patterns, shapes, strict=True):
            if not ones[axis]:
                length = shape[axis]
                if isinstance(length, int):
                    long_length = (length,)
                    break
                long_length = long_length or (length,)
        result.append(long_length[0] if long_length else 1)
    return tuple(result)


def unequal(shape: Sequence[tuple[Any, int]]) -> str | None:
    """Say which of some lengths, given as (shape, axis), differ; None if they may be equal."""
    stated = [(s[axis], axis) for s, axis in shape if isinstance(s[axis], int)]
    for length, axis in stated[1:]:
        if length != stated[0][0]:
            return (
                f"operands do not fit together, axis {stated[0][1]} has length {stated[0][0]} and "
                f"axis {axis} length {length}"
            )
    return None


def same_rank(values: list[Any]) -> list[Any]:
    """Pad each variable on the left with broadcastable axes to the largest rank."""
    rank = max(v.type.ndim for v in values)
    return [v if v.type.ndim == rank else pad_left(v, rank) for v in values]


_registry: dict[str, Elementwise] = {}


def _registered(name: str, module: str | None = None, target: int | None = None) -> Elementwise:
    if name not in _registry and module is not None:
        # What a user declares is there once the user's module is.
        importlib.import_module(module)
    return _registry[name] if target is None else overwriting(_registry[name], target)


def elementwise(name: str, op_class: type[Elementwise] = Elementwise, **fields: Any) -> Elementwise:
    """Declare an elementwise operation; see `Elementwise` for the fields."""
    compute = fields["compute"]
    nin = compute.__code__.co_argcount - 1
    op = op_class(
        name,
        nin,
        fields.pop("doc"),
        fields.pop("compute"),
        fields.pop("dtype"),
        fields.pop("grad", None),
        fields.pop("llvm", None),
        fields.pop("samples"),
        **fields,
    )
    registered = _registry.get(name)
    if registered is not None and (registered.module is None or op.module is None):
        raise ValueError(f"two operations are called {name}")
    _registry[name] = op
    return op


def elementwise_ops() -> dict[str, Elementwise]:
    """Return every elementwise operation of the engine by name."""
    return {name: op for name, op in _registry.items() if op.module is None}


@lru_cache(None)
def cast_op(dtype: str) -> Elementwise:
    """Return the operation that converts to `dtype`, as a C cast does."""
    if dtype not in dtypes.all_dtypes:
        near = did_you_mean(dtype, dtypes.all_dtypes)
        raise TypeError(f"cannot cast to {dtype!r}; dtypes: {', '.join(dtypes.all_dtypes)}.{near}")
    return elementwise(
        f"Cast{{{dtype}}}",
        doc=f"`x` converted to {dtype}.",
        compute=lambda xp, x: x,
        dtype=lambda name: ((name,), dtype),
        grad=lambda g, x, y: (g,) if not dtypes.is_discrete(dtype) else (zeros_like_float(x),),
        llvm=lambda b, x: b.cast(x, dtype),
        samples=(small_integers,),
    )


def cast(x: Any, dtype: str) -> Any:
    """Return the variable `x` converted to `dtype`; `x` itself if it has that dtype."""
    if x.type.dtype == dtype:
        return x
    if dtypes.is_complex(x.type.dtype) and not dtypes.is_complex(dtype):
        raise TypeError(
            "Casting from complex to real is ambiguous: consider real(), imag(), angle() or abs()"
        )
    if isinstance(x, Constant) and x.ndim == 0 and dtypes.is_discrete(x.dtype):
        # Lengths given as numbers stay known.
        return constant(x.data.astype(dtype))
    return cast_op(dtype)(x)


conj = elementwise(
    "conj",
    doc="Complex conjugate of `x`.",
    compute=lambda xp, x: xp.conjugate(x),
    dtype=dtype_rules.upcast_min8,
    grad=lambda g, x, y: (conjugate(g),),
    llvm=lambda b, x: b.conj(x),
    samples=(anything,),
    holomorphic=False,
)


def conjugate(x: object) -> Any:
    """Return the complex conjugate; what is not complex as it is."""
    type_ = getattr(x, "type", None)
    is_complex = isinstance(type_, TensorType) and dtypes.is_complex(type_.dtype)
    return conj(x) if is_complex else x
