"""What functions of a program's numbers are worth where some operands are known.

`applied` is the meaning of each function; `simplest` says what needs no instruction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from theano._core.lower import program as ir
from theano._core.lower.program import Size
from theano._core.ops.array.dims import LARGEST

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": lambda x, y: x == y,
    "ne": lambda x, y: x != y,
    "lt": lambda x, y: x < y,
    "le": lambda x, y: x <= y,
    "gt": lambda x, y: x > y,
    "ge": lambda x, y: x >= y,
    # Without sign, in as many bits as any type has.
    "below": lambda x, y: x % 2**128 < y % 2**128,
    "at_most": lambda x, y: x % 2**128 <= y % 2**128,
}
_ARITHMETIC: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "sdiv": lambda x, y: abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1),
    "udiv": lambda x, y: x % 2**64 // (y % 2**64),
    "and": lambda x, y: x & y,
    "or": lambda x, y: x | y,
    "xor": lambda x, y: x ^ y,
    "not": lambda x: not x,
    "minimum": min,
    "maximum": max,
    "select": lambda c, x, y: x if c else y,
    "signed": lambda x: x,
    "unsigned": lambda x: x % 2**64,
    "low": lambda x: x,
    "moved": lambda x, y: x + y,
    "word": lambda x, y: x + 8 * y,
    "number": lambda x: x,
}
# Where an operand is a number: the other one, or a number.
_OTHER = "the other operand"
_WITH_NUMBER: dict[tuple[str, int], Size] = {
    **{(name, 0): _OTHER for name in ("add", "plus", "sub", "or", "xor", "moved", "word")},
    **{(name, 1): _OTHER for name in ("mul", "times", "sdiv", "udiv")},
    **{(name, 0): 0 for name in ("mul", "times", "and")},
}
_OF_EQUALS: dict[str, Size] = {
    **dict.fromkeys(("eq", "le", "ge", "at_most"), 1),
    **dict.fromkeys(("ne", "lt", "gt", "below", "sub", "xor"), 0),
    **dict.fromkeys(("and", "or", "minimum", "maximum"), _OTHER),
}
# Of a number that is not negative, and one that is.
_OF_SIGNS = {"eq": 0, "ne": 1, "lt": 0, "le": 0, "gt": 1, "ge": 1}
# Functions whose operands may change places.
COMMUTATIVE = frozenset(
    ("add", "plus", "mul", "times", "and", "or", "xor", "minimum", "maximum", "eq", "ne")
)


def applied(function: str, type_: str, operands: Sequence[int]) -> int:
    """Return what a function, other than `slot`, makes of numbers of a type."""
    if function in _COMPARISONS:
        return int(_COMPARISONS[function](*operands))
    if function in ("plus", "times"):
        one, two = operands
        exact = one + two if function == "plus" else one * two
        return max(-LARGEST - 1, min(LARGEST, exact))
    result = int(_ARITHMETIC[function](*operands))
    if (ir.FUNCTIONS[function].result or type_) == "int64":
        result = (result + 2**63) % 2**64 - 2**63
    return result


def simplest(
    function: str, operands: Sequence[Size], type_: str, lengths: Collection[Size]
) -> Size | None:
    """Return the number or the operand that a function is worth; None: neither is known.

    Of functions that may change the places of their operands, a number is the second one.
    `lengths` are registers of integers that are not negative.
    """
    if function == "select":
        condition, one, two = operands
        if isinstance(condition, int):
            return one if condition else two
        return one if one == two else None
    # Of most functions the first is a register.
    numbers = isinstance(operands[0], int) and all(isinstance(x, int) for x in operands)
    if numbers and function not in ("slot", "word"):
        by_zero = function in ("sdiv", "udiv") and operands[1] == 0
        return None if by_zero else applied(function, type_, operands)  # type: ignore[arg-type]
    if len(operands) != 2:
        return None
    x, y = operands
    worth = _OF_EQUALS.get(function) if x == y else None
    if isinstance(y, int) and worth is None:
        worth = _WITH_NUMBER.get((function, y))
        if type_ == "bool" and y:
            worth = {"and": _OTHER, "or": 1}.get(function)
        elif worth is None and y <= 0 and x in lengths:
            worth = _of_length(function, y)
    return x if worth == _OTHER else worth


def _of_length(function: str, number: int) -> Size | None:
    """Return what a function of a number that is not negative is, and one that is not positive."""
    if number and function in _OF_SIGNS:
        return _OF_SIGNS[function]
    return {"lt": 0, "ge": 1, "maximum": _OTHER, "minimum": number}.get(function)


def is_length(function: str, operands: Sequence[Size], lengths: Collection[Size]) -> bool:
    """Tell whether a function of int64 numbers is certainly not negative."""
    if function not in ("plus", "times", "minimum", "maximum", "sdiv", "select"):
        return False
    nonnegative = [x >= 0 if isinstance(x, int) else x in lengths for x in operands]
    if function == "maximum":
        return any(nonnegative)
    return all(nonnegative[1:] if function == "select" else nonnegative)
