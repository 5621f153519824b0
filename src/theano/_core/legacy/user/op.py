"""Operations that users write as in Theano 1.0.5: one adapter to the engine's own protocol.

| a user defines | the engine asks |
| --- | --- |
| `perform` or `make_thunk` | `compute`, `emit` |
| `grad` or `L_op` | `vjp` |
| `R_op` | `jvp` |
| `infer_shape` | `shape` |
| `connection_pattern` | `connection` |
| `do_constant_folding` | `folds` |
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from theano._core.base.errors import MethodNotDefined, ShapeError
from theano._core.base.settings import config
from theano._core.compile.test_values import get_test_value
from theano._core.ir.graph import toposort
from theano._core.ir.hooks import place_of
from theano._core.ir.source import user_line
from theano._core.ir.variable import Apply, Variable
from theano._core.legacy.user.perform import Performed, Thunk, params_of, performed
from theano._core.legacy.user.properties import Counting, add_methods_of_props
from theano._core.ops.array.dims import as_int64, as_length
from theano._core.ops.array.gradient import DisconnectedType
from theano._core.ops.array.indexing import Subtensor
from theano._core.ops.array.shaping import Length, MakeVector
from theano._core.ops.core.op import Op as EngineOp, as_variable, complete
from theano._core.ops.elementwise.elementwise import Elementwise

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims


class Op(EngineOp, metaclass=Counting, counts=EngineOp):
    """Base of operations that users write.

    A subclass defines `make_node`, or the lists of types `itypes` and `otypes`, and `perform`. All
    else is optional: `grad` or `L_op`, `R_op`, `infer_shape`, `connection_pattern`.

    Attributes
    ----------
    __props__ : tuple of str
        Names of the attributes that make two operations of one class equal. Without it, an
        operation equals only itself.
    default_output : int or None
        Which output a call returns; None: all of them.
    view_map, destroy_map : dict of int to list of int
        For outputs: inputs whose memory they may share, and inputs that `perform` overwrites. An
        input that is overwritten is a copy.

    Notes
    -----
    Arrays that `perform` gets are read-only. Operations of the engine count as instances.
    """

    __props__: ClassVar[Any] = None
    default_output: int | None = None
    view_map: ClassVar[Any] = {}
    destroy_map: ClassVar[Any] = {}
    differentiates = True
    # A user's rule may be about the size of what flows back.
    additive = False
    shape_by_user = True
    remakes = False
    _get_test_value = staticmethod(get_test_value)  # PyMC3 calls it

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        add_methods_of_props(cls)

    def __getattr__(self, name: str) -> Any:
        # What a class does not define, its operations do not have.
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def _rules(self) -> Any:
        """What the engine asks of it."""
        return _Rules(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return object.__hash__(self)

    def __str__(self) -> str:
        return type(self).__name__

    # -- what users call and override -------------------------------------------------------------

    def make_node(self, *inputs: Any) -> Apply:
        """Return this operation applied to inputs of the types `itypes`.

        Raises
        ------
        TypeError
            The inputs have other types.
        ValueError
            There are more or fewer of them.
        NotImplementedError
            The class defines neither this method nor `itypes` and `otypes`.
        """
        if not hasattr(self, "itypes") or not hasattr(self, "otypes"):
            raise NotImplementedError(
                f"{self}: You can either define itypes and otypes, or implement make_node"
            )
        itypes: Any = self.itypes  # type: ignore[attr-defined]
        if len(inputs) != len(itypes):
            raise ValueError(f"We expected {len(itypes)} inputs but got {len(inputs)}.")
        values = [v if isinstance(v, Variable) else as_variable(v) for v in inputs]
        if any(v.type != type_ for v, type_ in zip(values, itypes, strict=True)):
            raise TypeError(
                f"We expected inputs of types '{itypes}' but got types '{[v.type for v in values]}'"
            )
        return Apply(self, values, [type_() for type_ in self.otypes])  # type: ignore[attr-defined]

    def __call__(self, *inputs: object, **options: object) -> Any:
        as_list = options.pop("return_list", False)
        node = self.make_node(*inputs, **options)
        # The line that asked for the operation, not one of `make_node`.
        node.source = user_line()
        for out in node.outputs:
            out.source = node.source
        complete(node)
        if self.default_output is not None:
            out = node.outputs[self.default_output]
            return [out] if as_list else out
        return list(node.outputs) if as_list or len(node.outputs) != 1 else node.outputs[0]

    def perform(
        self,
        node: Apply,
        inputs: list[Variable],
        output_storage: list[list[object]],
        params: object = None,
    ) -> None:
        """Put the outputs for `inputs` into `output_storage[i][0]`."""
        raise MethodNotDefined("perform", type(self), type(self).__name__)

    def L_op(
        self, inputs: list[Variable], outputs: list[Variable], output_grads: object
    ) -> list[Any]:
        """Return the gradient with respect to each input; by default what `grad` returns."""
        grad = getattr(self, "grad", None)
        if grad is None:
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute 'grad': {self} was applied where "
                "a gradient is asked for, and its class defines neither grad nor L_op"
            )
        return grad(inputs, output_grads)

    def R_op(self, inputs: list[Variable], eval_points: list[object]) -> list[Any]:
        """Return the Jacobian of each output times `eval_points`, None for inputs at rest."""
        raise NotImplementedError(f"{self} of class {type(self).__name__} does not implement R_op.")

    def do_constant_folding(self, node: Apply) -> bool:
        """Tell whether to run `perform` at once where all inputs are constants."""
        return True

    def get_params(self, node: Apply) -> Any:
        """Return what `perform` gets as `params`; by default the attributes of `params_type`."""
        type_ = getattr(self, "params_type", None)
        if type_ is None or not hasattr(type_, "get_params"):
            raise MethodNotDefined("get_params", type(self), type(self).__name__)
        return type_.get_params(self)

    def prepare_node(
        self, node: Apply, storage_map: object, compute_map: object, impl: object
    ) -> None:
        """Do what must be done once before `perform`; by default nothing."""

    def make_thunk(
        self,
        node: Apply,
        storage_map: dict[Variable, list[Variable]],
        compute_map: dict[Variable, list[bool]],
        no_recycling: Sequence[object],
        impl: str | None = None,
    ) -> Any:
        """Return a function without arguments that computes the outputs in `storage_map`."""
        self.prepare_node(node, storage_map=storage_map, compute_map=compute_map, impl="py")
        params = params_of(node)

        def thunk() -> None:
            values = [storage_map[v][0] for v in node.inputs]
            cells = [storage_map[v] for v in node.outputs]
            for cell, value in zip(cells, performed(node, values, cells, params), strict=True):
                cell[0] = value
            for v in node.outputs:
                compute_map[v][0] = True

        thunk.inputs = [storage_map[v] for v in node.inputs]  # type: ignore[attr-defined]
        thunk.outputs = [storage_map[v] for v in node.outputs]  # type: ignore[attr-defined]
        thunk.lazy = False  # type: ignore[attr-defined]
        return thunk

    make_py_thunk = make_thunk

    @staticmethod
    def _get_test_value(v: Variable) -> Any:
        """Return the test value of a variable; AttributeError if there is none."""
        return v.get_test_value()

    @staticmethod
    def add_tag_trace(thing: object, user_line: int | None = None) -> Any:
        """Return `thing`: variables know their line by themselves."""
        return thing

    def c_code_cache_version(self) -> tuple[Any, ...]:
        """Return the version of the C code: none."""
        return ()

    # -- what the engine asks ---------------------------------------------------------------------

    def compute(self, xp: ArrayModule, node: Apply, *arrays: object) -> tuple[Any, ...]:
        if self._has_thunk():
            return Thunk(node).run(arrays)
        return performed(node, arrays, [[None] for _ in node.outputs], params_of(node))

    def _has_thunk(self) -> bool:
        return _defines(self, "make_thunk")

    def emit(self, p: Any, node: Apply, *values: Any) -> Any:
        if not self._has_thunk() and not _defines(self, "perform"):
            raise MethodNotDefined(
                "perform",
                type(self),
                f"{self} has no perform. C code of operations is not compiled: write perform, or "
                "an elementwise operation with theano.extend.",
            )
        if not self._has_thunk():
            self.prepare_node(node, storage_map={}, compute_map={}, impl="py")
        made = Thunk(node) if self._has_thunk() else Performed(node)
        return p.call_checked(node, made, values)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        infer = getattr(self, "infer_shape", None)
        unknown = [(None,) * out.type.ndim for out in node.outputs]
        if infer is None:
            return unknown
        input_shapes = [
            tuple(as_int64(n) for n in shape) if v.type.has_shape else None
            for v, shape in zip(node.inputs, shapes, strict=True)
        ]
        input_lengths = {n for shape in input_shapes for n in shape or ()}
        try:
            return _lengths(node, infer(node, input_shapes), input_lengths)
        except (NotImplementedError, ShapeError):
            return unknown
        except Exception as error:
            if config.on_shape_error == "raise":
                raise
            warnings.warn(
                f"infer_shape of {self} failed: {type(error).__name__}: {error}. The shapes will "
                "be those of the results.",
                stacklevel=2,
            )
            return unknown

    def vjp(self, node: Apply, cotangents: Sequence[Variable], reverse: object = None) -> list[Any]:
        grads = [_disconnected() if g is None else g for g in cotangents]
        results = self.L_op(list(node.inputs), list(node.outputs), grads)
        if not isinstance(results, (list, tuple)):
            raise TypeError(
                f"{self}.grad returned {type(results).__name__}: a list with one gradient for each "
                "input is needed"
            )
        if any(result is None for result in results):
            raise TypeError(
                f"{self}.grad returned None for a gradient term, this is prohibited. Instead of "
                "None, return zeros_like(input), disconnected_type(), or a NullType variable such "
                "as those made with grad_undefined or grad_not_implemented."
            )
        return list(results)

    @property
    def through_integers(self) -> bool:  # type: ignore[override]
        """Whether there is a `grad`, or an `L_op`."""
        return hasattr(self, "grad") or _defines(self, "L_op")

    @property
    def forward_by_user(self) -> bool:  # type: ignore[override]
        """Whether there is an `R_op`."""
        return _defines(self, "R_op")

    def jvp(
        self, node: Apply, tangents: Sequence[Variable | None], forward: object
    ) -> list[Any] | None:
        # Without a gradient to follow from, `R_op` says what is missing.
        reversible = node.rules.through_integers or _defines(self, "vjp")
        if not node.rules.forward_by_user and reversible:
            return None
        results = self.R_op(list(node.inputs), list(tangents))
        if not isinstance(results, (list, tuple)):
            return [results]
        # Programs return what `grad` does, one for each input: what is beyond is never looked at.
        return list(results[: len(node.outputs)])

    def connection(self, node: Apply) -> list[list[bool]]:
        pattern = getattr(self, "connection_pattern", None)
        if pattern is None:
            return super().connection(node)
        rows = [list(row) for row in pattern(node)]
        if [len(row) for row in rows] != [len(node.outputs)] * len(node.inputs):
            raise ValueError(
                f"{self}.connection_pattern must return a list for each of {len(node.inputs)} "
                f"inputs, with an entry for each of {len(node.outputs)} outputs; got {rows}"
            )
        return rows

    def folds(self, node: Apply) -> bool:
        return bool(self.do_constant_folding(node))


def _defines(op: EngineOp, name: str) -> bool:
    """Tell whether an operation has a method of its own: of its class, or put on it alone."""
    return name in vars(op) or getattr(type(op), name) is not getattr(Op, name)


class _Rules:
    """An operation of a user as the engine sees it, whatever attributes of its own it has."""

    __slots__ = ("op",)
    by_user = True

    def __init__(self, op: Op) -> None:
        self.op = op

    def __getattr__(self, name: str) -> Any:
        for cls in type(self.op).__mro__:
            if name in vars(cls) and place_of(cls)[0].startswith(_ENGINE):
                attribute = vars(cls)[name]
                bind = getattr(attribute, "__get__", None)
                return attribute if bind is None else bind(self.op)
        raise AttributeError(f"{type(self.op).__name__!r} object has no attribute {name!r}")


_ENGINE = EngineOp.__module__.partition(".")[0] + "._core."


def _no_c_code(name: str) -> Any:
    def method(self: Any, *args: object, **kwargs: object) -> Any:
        raise MethodNotDefined(f"{type(self).__name__}.{name}")

    method.__name__ = name
    method.__doc__ = "Not called here: nothing is compiled with a C compiler."
    return method


for _name in (
    "c_cleanup_code_struct",
    "c_code",
    "c_code_cleanup",
    "c_code_cache_version_apply",
    "c_compile_args",
    "c_header_dirs",
    "c_headers",
    "c_init_code",
    "c_init_code_apply",
    "c_init_code_struct",
    "c_lib_dirs",
    "c_libraries",
    "c_no_compile_args",
    "c_support_code",
    "c_support_code_apply",
    "c_support_code_struct",
):
    setattr(Op, _name, _no_c_code(_name))


def _disconnected() -> Any:
    type_ = DisconnectedType()
    return type_.make_variable()


def _lengths(node: Apply, shapes: object, input_lengths: set[Variable]) -> list[Any]:
    """Return what `infer_shape` says as the engine's lengths."""
    if not isinstance(shapes, (list, tuple)) or len(shapes) != len(node.outputs):
        raise ValueError(
            f"{node.op}.infer_shape must return one tuple of lengths for each of "
            f"{len(node.outputs)} outputs, got {shapes!r}"
        )
    result = []
    for position, (out, shape) in enumerate(zip(node.outputs, shapes, strict=True)):
        if not out.type.has_shape:
            result.append(())
            continue
        if shape is None:
            result.append((None,) * out.type.ndim)
            continue
        if not isinstance(shape, (list, tuple)) or len(shape) != out.type.ndim:
            raise ValueError(
                f"{node.op}.infer_shape returned {shape!r} for output {position}, which has "
                f"{out.type.ndim} dimensions"
            )
        if any(getattr(n, "ndim", 0) for n in shape):
            raise ValueError(f"{node.op}.infer_shape returned lengths that are arrays: {shape!r}")
        # A length that takes loops to compute is left to the result.
        result.append(
            tuple(as_length(n) if _is_cheap(n, input_lengths, node) else None for n in shape)
        )
    return result


def _is_cheap(length: object, input_lengths: set[Variable], node: Apply) -> bool:
    """Tell whether a length is a formula of lengths and of items of the inputs."""
    if not isinstance(length, Variable):
        return length is not None
    return all(
        isinstance(n.op, (Length, MakeVector))
        or (isinstance(n.op, (Elementwise, Subtensor)) and n.outputs[0].type.ndim == 0)
        for n in toposort([length], {*input_lengths, *node.inputs})
    )


class COp(Op):
    """An operation written in C. It can be applied and has gradients, but cannot run here.

    Parameters
    ----------
    func_files : str or list of str
    func_name : str, optional
    """

    def __init__(self, func_files: object, func_name: str | None = None) -> None:
        self.func_files = func_files if isinstance(func_files, list) else [func_files]
        self.func_name = func_name


class OpenMPOp(Op):
    """An operation whose C code may use several threads.

    Parameters
    ----------
    openmp : bool, optional
    """

    def __init__(self, openmp: bool | None = None) -> None:
        self.openmp = config.openmp if openmp is None else openmp
