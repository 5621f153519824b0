"""C code of one item, which users give for functions of scalars, as an expression of the engine's.

`z = x > 0 ? x : expf(x) - 1;` says all there is to say. What is read is declarations, assignments
and `if`, over numbers and functions of `math.h`, with C's types; where there is more, `impl`
is called for each item instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.base.errors import MethodNotDefined
from theano._core.ir.graph import ancestors
from theano._core.ir.variable import Apply, Variable
from theano._core.legacy.user.op import Op
from theano._core.ops.core.op import constant
from theano._core.ops.elementwise.elementwise import cast, elementwise_ops

_OPS = elementwise_ops()
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?[fFlL]?)(?![\w.])"
    r"|(?P<name>[A-Za-z_](?:\w|::)*)"
    r"|(?P<sign>&&|\|\||[=!<>]=|[-+*/]=|[-+*/<>=!?:(){};,]))"
)
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_TYPES = {
    "double": "float64",
    "float": "float32",
    "int": "int32",
    "long": "int64",
    "npy_bool": "uint8",
    "npy_intp": "int64",
    **{f"npy_{name}": name for name in dtypes.all_dtypes if name not in ("bool", "float16")},
}
_CONSTANTS = {
    **dict.fromkeys(("M_PI", "NPY_PI"), np.pi),
    **dict.fromkeys(("INFINITY", "NPY_INFINITY", "HUGE_VAL"), np.inf),
    **dict.fromkeys(("NAN", "NPY_NAN"), np.nan),
}
# C's names of functions of floating-point numbers, where they are not the engine's.
_NAMES = {
    "acos": "arccos",
    "acosh": "arccosh",
    "asin": "arcsin",
    "asinh": "arcsinh",
    "atan": "arctan",
    "atan2": "arctan2",
    "atanh": "arctanh",
    "fabs": "abs_",
    "lgamma": "gammaln",
    "nearbyint": "round_half_to_even",
    "rint": "round_half_to_even",
    "round": "round_half_away_from_zero",
    "tgamma": "gamma",
}
_SAME = """
    ceil cos cosh erf erfc exp exp2 expm1 floor isinf isnan log log10 log1p log2 pow sin sinh sqrt
    tan tanh trunc
"""
_FUNCTIONS = {name: _OPS[name] for name in _SAME.split()}
_FUNCTIONS |= {name: _OPS[ours] for name, ours in _NAMES.items()}
_COMPARISONS = {"==": "eq", "!=": "neq", "<": "lt", ">": "gt", "<=": "le", ">=": "ge"}
_ARITHMETIC = {"+": "add", "-": "sub", "*": "mul", "/": "true_div"}


class _Unread(Exception):
    """The code has something that is not read here."""


def expression_of(op: Op, node: Apply, operands: Sequence[Variable]) -> list[Any] | None:
    """Return what the C code of a function of scalars computes; None if it has none that is read.

    Parameters
    ----------
    op : ScalarOp
    node : Apply
        The function applied to scalars.
    operands : list of tensor variables
        What stands for the scalars.
    """
    if type(op).c_code is Op.c_code:  # type: ignore[attr-defined]
        return None
    reads = [f"x{i}" for i in range(len(node.inputs))]
    writes = [f"z{i}" for i in range(len(node.outputs))]
    try:
        text = op.c_code(node, "item", reads, writes, {"fail": "#"})  # type: ignore[attr-defined]
        code = _Code(str(text), dict(zip(reads, operands, strict=True)))
        code.types = {z: out.type.dtype for z, out in zip(writes, node.outputs, strict=True)}
        values = code.run()
        results = [values[z] for z in writes]
    except (_Unread, MethodNotDefined, NotImplementedError, AttributeError, KeyError, TypeError):
        return None
    return [_of_shape(r, operands) for r in results]


def _of_shape(result: Variable, operands: Sequence[Variable]) -> Variable:
    """Return a result that has the shape of all operands, also of those that it does not use."""
    used = ancestors([result])
    for v in operands:
        if v not in used:
            result = _OPS["switch"](constant(np.True_), result, _as(v, result.type.dtype))
    return result


class _Code:
    """Some C code, and where it is read."""

    def __init__(self, text: str, values: dict[str, Any]) -> None:
        self.tokens = _tokens(_COMMENT.sub(" ", text))
        self.at = 0
        self.values = values
        self.reads = frozenset(values)
        self.types: dict[str, str] = {}
        for v in values.values():
            _checked(v.type.dtype)

    # -- statements -------------------------------------------------------------------------------

    def run(self) -> dict[str, Any]:
        """Return the value of each variable at the end."""
        while self._next() is not None:
            self._statement()
        return self.values

    def _statement(self) -> None:
        token = self._take()
        if token == "{":
            while not self._skip("}"):
                self._statement()
        elif token == "if":
            self._branch()
        elif token == "const" or token in _TYPES:
            dtype = _TYPES.get(self._take() if token == "const" else token)
            if dtype is None:
                raise _Unread
            self._declared(dtype)
        elif token != ";":
            self._assigned(token)
            self._expect(";")

    def _declared(self, dtype: str) -> None:
        while True:
            name = self._take()
            if name in self.types or name in self.reads or not name.isidentifier():
                raise _Unread
            self.types[name] = _checked(dtype)
            if self._next() == "=":
                self._assigned(name)
            if not self._skip(","):
                break
        self._expect(";")

    def _assigned(self, name: str) -> None:
        sign = self._take()
        if name not in self.types or sign not in ("=", "+=", "-=", "*=", "/="):
            raise _Unread
        value = self._expression()
        if sign != "=":
            value = _computed(sign[0], self._value(name), value)
        self.values[name] = _as(value, self.types[name])

    def _branch(self) -> None:
        self._expect("(")
        condition = _truth(self._expression())
        self._expect(")")
        before = dict(self.values)
        self._statement()
        then, self.values = self.values, dict(before)
        if self._skip("else"):
            self._statement()
        # What has no value on one side has none behind.
        both = then.keys() & self.values.keys()
        self.values = {
            name: then[name]
            if then[name] is self.values[name]
            else _OPS["switch"](condition, then[name], self.values[name])
            for name in both
        }

    # -- expressions ------------------------------------------------------------------------------

    def _expression(self) -> Any:
        condition = self._any()
        if not self._skip("?"):
            return condition
        then = self._expression()
        self._expect(":")
        otherwise = self._expression()
        a, b = _alike(then, otherwise)
        return _OPS["switch"](_truth(condition), a, b)

    def _any(self) -> Any:
        return self._joined(self._all, "||", "or_")

    def _all(self) -> Any:
        return self._joined(self._equal, "&&", "and_")

    def _joined(self, part: Callable[[], Any], sign: str, name: str) -> Any:
        value = part()
        while self._skip(sign):
            value = _OPS[name](_truth(value), _truth(part()))
        return value

    def _equal(self) -> Any:
        return self._chain(self._ordered, ("==", "!="))

    def _ordered(self) -> Any:
        return self._chain(self._sum, ("<", ">", "<=", ">="))

    def _sum(self) -> Any:
        return self._chain(self._product, ("+", "-"))

    def _product(self) -> Any:
        return self._chain(self._unary, ("*", "/"))

    def _chain(self, part: Callable[[], Any], signs: tuple[str, ...]) -> Any:
        value = part()
        while self._next() in signs:
            value = _computed(self._take(), value, part())
        return value

    def _unary(self) -> Any:
        if self._skip("-"):
            value = _promoted(self._unary())
            if value.type.dtype.startswith("u"):
                raise _Unread
            return _OPS["neg"](value)
        if self._skip("+"):
            return _promoted(self._unary())
        if self._skip("!"):
            return _OPS["eq"](_truth(self._unary()), constant(np.False_))
        if self._next() == "(" and self._next(1) in _TYPES and self._next(2) == ")":
            dtype = _TYPES[self.tokens[self.at + 1]]
            self.at += 3
            return _as(self._unary(), dtype)
        return self._primary()

    def _primary(self) -> Any:
        token = self._take()
        if token == "(":
            value = self._expression()
            self._expect(")")
            return value
        if token[0].isdigit() or token[0] == ".":
            return _number(token)
        if token in _CONSTANTS and token not in self.types:
            return constant(np.float64(_CONSTANTS[token]))
        return self._called(token) if self._skip("(") else self._value(token)

    def _called(self, name: str) -> Any:
        arguments = [self._expression()]
        while self._skip(","):
            arguments.append(self._expression())
        self._expect(")")
        name = name.removeprefix("std::")
        if name == "abs" and len(arguments) == 1:
            value = _promoted(arguments[0])
            return value if value.type.dtype.startswith("u") else _OPS["abs_"](value)
        single = name.endswith("f") and name[:-1] in _FUNCTIONS
        function = _FUNCTIONS.get(name[:-1] if single else name)
        if function is None or function.nin != len(arguments):
            raise _Unread
        single = single or all(v.type.dtype == "float32" for v in arguments)
        return function(*(_as(v, "float32" if single else "float64") for v in arguments))

    def _value(self, name: str) -> Any:
        if name not in self.values:
            raise _Unread
        return self.values[name]

    # -- tokens -----------------------------------------------------------------------------------

    def _next(self, further: int = 0) -> str | None:
        place = self.at + further
        return self.tokens[place] if place < len(self.tokens) else None

    def _take(self) -> str:
        token = self._next()
        if token is None:
            raise _Unread
        self.at += 1
        return token

    def _skip(self, token: str) -> bool:
        matches = self._next() == token
        self.at += matches
        return matches

    def _expect(self, token: str) -> None:
        if not self._skip(token):
            raise _Unread


def _tokens(text: str) -> list[str]:
    tokens, place = [], 0
    text = text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _Unread
        tokens.append(match[match.lastgroup or 0])
        place = match.end()
    return tokens


def _checked(dtype: str) -> str:
    # float16 is a number without arithmetic in C, and complex numbers are structures.
    if dtype == "float16" or dtypes.is_complex(dtype):
        raise _Unread
    return dtype


def _number(token: str) -> Any:
    suffix, digits = token[-1].lower(), token.rstrip("fFlL")
    if not digits.isdigit():
        if suffix == "l":
            raise _Unread
        return constant(np.float32(digits) if suffix == "f" else np.float64(digits))
    # A leading zero means octal.
    if suffix == "f" or len(digits) > 18 or (digits[0] == "0" and digits != "0"):
        raise _Unread
    small = int(digits) < 2**31 and suffix != "l"
    return constant(np.int32(digits) if small else np.int64(digits))


def _as(value: Variable, dtype: str) -> Any:
    return value if value.type.dtype == dtype else cast(value, _checked(dtype))


def _promoted(value: Variable) -> Any:
    """Return an operand of arithmetic: small integers are int."""
    small = dtypes.is_discrete(value.type.dtype) and np.dtype(value.type.dtype).itemsize < 4
    return _as(value, "int32") if small else value


def _alike(x: Variable, y: Variable) -> tuple[Any, Any]:
    """Return two numbers as ones of their common type."""
    x, y = _promoted(x), _promoted(y)
    one, two = np.dtype(x.type.dtype), np.dtype(y.type.dtype)
    # Floating-point numbers before integers, wide ones before narrow, unsigned before signed.
    common = max(one, two, key=lambda d: (d.kind == "f", d.itemsize, d.kind == "u")).name
    return _as(x, common), _as(y, common)


def _computed(sign: str, x: Variable, y: Variable) -> Any:
    x, y = _alike(x, y)
    if sign == "/" and dtypes.is_discrete(x.type.dtype):
        raise _Unread
    return _OPS[_COMPARISONS.get(sign) or _ARITHMETIC[sign]](x, y)


def _truth(value: Variable) -> Any:
    return value if value.type.dtype == "bool" else _OPS["neq"](value, constant(np.int8(0)))
