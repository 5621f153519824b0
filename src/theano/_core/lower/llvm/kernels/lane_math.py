"""Formulas written with operators, as LLVM text: the namespace of `ops/random/array_math.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from theano._core.lower.llvm.builder import Builder
from theano._core.lower.llvm.text.emitter import Value

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike


class Lanes:
    """A value with the operators of an array.

    Parameters
    ----------
    b : Builder
        Writes the instructions.
    value : Value
    """

    def __init__(self, b: Builder, value: Value) -> None:
        self.b = b
        self.value = value

    def _binary(self, name: str, other: object, swapped: bool = False) -> Lanes:
        x, y = self.value, _bare(other)
        first, second = (y, x) if swapped else (x, y)
        return Lanes(self.b, getattr(self.b, name)(first, second))

    def __add__(self, other: Lanes | float) -> Lanes:
        return self._binary("add", other)

    def __radd__(self, other: object) -> Lanes:
        return self._binary("add", other, swapped=True)

    def __sub__(self, other: Lanes | float) -> Lanes:
        return self._binary("sub", other)

    def __rsub__(self, other: object) -> Lanes:
        return self._binary("sub", other, swapped=True)

    def __mul__(self, other: Lanes | float) -> Lanes:
        return self._binary("mul", other)

    def __rmul__(self, other: object) -> Lanes:
        return self._binary("mul", other, swapped=True)

    def __truediv__(self, other: Lanes) -> Lanes:
        return self._binary("divide", other)

    def __rtruediv__(self, other: float) -> Lanes:
        return self._binary("divide", other, swapped=True)

    def __neg__(self) -> Lanes:
        return Lanes(self.b, self.b.neg(self.value))

    def __and__(self, other: Lanes) -> Lanes:
        return self._binary("bit_and", other)

    def __or__(self, other: Lanes) -> Lanes:
        return self._binary("bit_or", other)

    def __lt__(self, other: TensorLike) -> Lanes:
        return self._binary("lt", other)

    def __le__(self, other: Lanes | float) -> Lanes:
        return self._binary("le", other)

    def __gt__(self, other: Lanes | float) -> Lanes:
        return self._binary("gt", other)

    def __ge__(self, other: Lanes) -> Lanes:
        return self._binary("ge", other)

    def __eq__(self, other: object) -> Any:
        return self._binary("eq", other)

    # INVARIANT: comparison gives lanes, so equality of objects must not be asked for.
    __hash__ = None  # type: ignore[assignment]


def _bare(x: object) -> Any:
    return x.value if isinstance(x, Lanes) else x


class LaneMath:
    """The functions of such formulas; `ArrayMath` says what they mean."""

    def __init__(self, b: Builder) -> None:
        self.b = b

    def __getattr__(self, name: str) -> Callable[..., Lanes]:
        # The elementary functions: log, log1p, exp, sqrt, floor.
        function = getattr(self.b, name)
        return lambda *arguments: self.of(function(*map(_bare, arguments)))

    def of(self, value: Value) -> Lanes:
        """Return a value with operators."""
        return Lanes(self.b, value)

    def where(self, condition: Lanes, x: Lanes, y: Lanes | float) -> Lanes:
        """Return `x` where a condition holds, else `y`."""
        x, y = _bare(x), _bare(y)
        return self.of(self.b.select(condition.value, x, y))

    def open_interval(self, words: Lanes) -> Lanes:
        """Return numbers in (0, 1)."""
        return self.of(self.b.open_interval(words.value, "float64"))

    def normal(self, words: Lanes) -> Lanes:
        """Return normal numbers."""
        return self.of(self.b.normal(words.value, "float64"))

    def when(self, condition: Lanes, then: Callable[[], Lanes], otherwise: Lanes) -> Lanes:
        """Return `then()` where a condition holds, else `otherwise`; a branch if none does."""

        def rare() -> tuple[Value]:
            return (self.b.select(condition.value, then().value, otherwise.value),)

        return self.of(self.b.when_any(condition.value, (otherwise.value,), rare)[0])

    def repeat(
        self, state: tuple[Lanes, ...], step: Callable[..., tuple[tuple[Any, ...], Any]], most: int
    ) -> tuple[Lanes, ...]:
        """Run a step while its condition holds in any lane; a lane stays once it does not."""
        b, lanes = self.b, state[0].value.lanes

        def turn(*values: Value) -> tuple[tuple[Value, ...], Value]:
            number, going, *old = values
            new, more = step(self.of(number), *map(self.of, old))
            kept = [b.select(going, n.value, o) for n, o in zip(new, old, strict=True)]
            going = b.bit_and(going, more.value)
            after = b.add(number, 1)
            left = b.lt(after, most)
            again = b.bit_and(b.any(going), left)
            return (after, going, *kept), again

        first = (b.const(0, "uint64", 1), b.const(1, "bool", lanes))
        result = b.repeat_while_any((*first, *(v.value for v in state)), turn)
        return tuple(self.of(v) for v in result[2:])
