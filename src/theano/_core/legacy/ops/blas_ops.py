"""Operations of BLAS by their names in `theano.tensor.blas`.

Each builds the expression that it stands for; rewriting makes one call of BLAS of it.
"""

from __future__ import annotations

from typing import Any, ClassVar

from theano._core.api.array.products import batched_tensordot, tensordot
from theano._core.api.conversion import as_tensor_variable
from theano._core.base.dtypes import is_continuous
from theano._core.base.errors import InconsistencyError
from theano._core.ir.variable import Apply, Constant
from theano._core.legacy.graphs.walks import view_roots
from theano._core.legacy.ops.op_classes import Kind
from theano._core.legacy.ops.whole import OfMaker, whole
from theano._core.ops.array.products import Gemm as EngineGemm, dot, gemm, outer
from theano._core.ops.control.inner_graph import Named
from theano._core.ops.core.in_place import overwriting
from theano._core.ops.core.naming import known_as
from theano._core.ops.core.op import complete
from theano._core.ops.elementwise.arithmetic import add, mul


def _tensordot_as_dot(a: Any, b: Any, axes: Any, dot: object, batched: bool) -> Any:
    """Return `tensordot`, or `batched_tensordot`; which function multiplies has no effect."""
    return (batched_tensordot if batched else tensordot)(a, b, axes)


class _Checks:
    """What operations of BLAS refuse, in words that programs compare."""

    E_rank = "gemm only works for rank 2"
    E_scalar = "gemm requires scalar argument"
    E_z_uniq = "argument z aliased to x or y"
    E_mixed = "gemm requires matching dtypes"
    E_float = "gemm requires floating-point dtypes"


def _checked(name: str, ranks: dict[str, int], values: tuple[Any, ...]) -> list[Any]:
    if len(values) != len(ranks):
        raise TypeError(f"{name} takes {', '.join(ranks)}; got {len(values)} arguments")
    variables = [as_tensor_variable(v) for v in values]
    for (what, rank), variable in zip(ranks.items(), variables, strict=True):
        if variable.type.ndim != rank:
            problem = _Checks.E_rank if rank == 2 else _Checks.E_scalar
            text = f"{name}: {what} must have {rank} axes, got {variable.type}"
            raise TypeError(text) if rank == 1 else TypeError(problem, text)
    # A number takes the dtype of the others.
    dtypes = {v.type.dtype for v in variables if v.type.ndim or not isinstance(v, Constant)}
    if len(dtypes) > 1:
        raise TypeError(_Checks.E_mixed, f"{name}: {', '.join(str(v.type) for v in variables)}")
    if not all(map(is_continuous, dtypes)):
        raise TypeError(_Checks.E_float, f"{name}: {', '.join(dtypes)}")
    return variables


class _Built(metaclass=OfMaker):
    counts: ClassVar[tuple[type, ...]] = ()
    ranks: ClassVar[dict[str, int]]
    # How its only option is told.
    words: ClassVar[dict[bool, str]] = {True: "inplace", False: "no_inplace"}
    # What programs ask of the operation of a node.
    options = ("inplace", "destructive", "destroy_map")

    def __init__(self) -> None:
        """Take no options."""

    def build(self, *values: object) -> Any:
        """Return the expression."""
        raise NotImplementedError

    def __call__(self, *values: Any) -> Any:
        """Return the expression; TypeError for operands of another rank or of several dtypes."""
        node = self.make_node(*values)
        complete(node)
        return node.outputs[0]

    def make_node(self, *values: object) -> Apply:
        """Return the node of the expression, which holds it as one operation."""
        return whole(self, self.build, _checked(type(self).__name__, self.ranks, values))

    def _overwrites(self) -> None:
        self.destroy_map = {0: [0]}

    def __eq__(self, other: object) -> bool:
        other = other.maker if isinstance(other, Named) else other
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((type(self), *(v for v in vars(self).values() if isinstance(v, bool))))

    def __str__(self) -> str:
        texts = [self.words[v] for v in vars(self).values() if isinstance(v, bool)]
        return f"{type(self).__name__}{{{texts[0]}}}" if texts else type(self).__name__

    __repr__ = __str__


class Gemm(_Checks, metaclass=Kind):
    """`beta` z + `alpha` x y: `Gemm(inplace)(z, alpha, x, y, beta)`."""

    @classmethod
    def holds(cls, op: Any) -> bool:
        """Tell whether an operation is of this kind."""
        return isinstance(op, (EngineGemm, GemmCall))

    @classmethod
    def make(cls, inplace: bool) -> GemmCall:
        """Return the operation; with `inplace` it overwrites `z`."""
        return GemmCall(inplace)


@known_as("Gemm")
class GemmCall(_Built, _Checks):
    """One of the two operations of the kind `Gemm`."""

    ranks = {"z": 2, "alpha": 0, "x": 2, "y": 2, "beta": 0}

    def __init__(self, inplace: bool) -> None:
        self.inplace = inplace
        if inplace:
            self.destroy_map = {0: [0]}

    def __call__(self, *values: Any) -> Any:
        """Return the expression.

        Raises
        ------
        InconsistencyError
            `z`, which it overwrites, shows the memory of `x` or `y`.
        TypeError
            Operands have another rank, or several dtypes.
        """
        variables = [as_tensor_variable(v) for v in values]
        if self.inplace and len(variables) == len(self.ranks):
            z, _, x, y, _ = variables
            if set(view_roots(z)) & {*view_roots(x), *view_roots(y)}:
                raise InconsistencyError(self.E_z_uniq, (z, x, y))
        return self.build(*_checked(type(self).__name__, self.ranks, tuple(variables)))

    def make_node(self, *values: object) -> Apply:
        """Return the node."""
        return self(*values).owner

    def build(self, *values: Any) -> Any:
        return (overwriting(gemm) if self.inplace else gemm)(*values)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, EngineGemm):
            return self.inplace == ("overwrites" in vars(other))
        return super().__eq__(other)

    def __hash__(self) -> int:
        return hash(gemm)

    def __str__(self) -> str:
        return "Gemm{inplace}" if self.inplace else "Gemm{no_inplace}"

    __repr__ = __str__


class Gemv(_Built):
    """`beta` y + `alpha` A x for a matrix `A` and vectors `x` and `y`.

    Parameters
    ----------
    inplace : bool
        Whether it overwrites `y`.
    """

    ranks = {"y": 1, "alpha": 0, "A": 2, "x": 1, "beta": 0}

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace
        if inplace:
            self._overwrites()

    def build(self, *values: object) -> Any:
        y, alpha, a, x, beta = values
        return add(mul(beta, y), mul(alpha, dot(a, x)))


class Ger(_Built):
    """A + `alpha` x yᵀ for a matrix `A` and vectors `x` and `y`.

    Parameters
    ----------
    destructive : bool
        Whether it overwrites `A`.
    """

    ranks = {"A": 2, "alpha": 0, "x": 1, "y": 1}
    words = {True: "destructive", False: "non-destructive"}

    def __init__(self, destructive: bool = False) -> None:
        self.destructive = destructive
        if destructive:
            self._overwrites()

    def build(self, *values: object) -> Any:
        a, alpha, x, y = values
        return add(a, mul(alpha, outer(x, y)))


class Dot22(_Built):
    """x y for matrices `x` and `y` of one dtype."""

    ranks = {"x": 2, "y": 2}

    def build(self, *values: object) -> Any:
        return dot(*values)


class Dot22Scalar(_Built):
    """`a` x y for matrices `x` and `y` and a scalar `a`."""

    ranks = {"x": 2, "y": 2, "a": 0}

    def build(self, *values: object) -> Any:
        x, y, a = values
        return mul(a, dot(x, y))


gemm_no_inplace, gemm_inplace = Gemm(inplace=False), Gemm(inplace=True)
gemv_no_inplace = gemv = Gemv(inplace=False)
gemv_inplace = Gemv(inplace=True)
ger = Ger(destructive=False)
ger_destructive = Ger(destructive=True)
_dot22, _dot22scalar = Dot22(), Dot22Scalar()
