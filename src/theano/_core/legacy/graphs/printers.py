"""Printers for `theano.pprint.assign` in the manner of Theano 1.0.5.

A printer has `process(variable, state)`; `state.pprinter.process(operand, state)` is the text of an
operand. Everything that has operands is in parentheses, so precedences change nothing.
"""

from __future__ import annotations

from typing import Any

from theano._core.ir.variable import Variable
from theano._core.legacy.user.properties import scratchpad

VALID_ASSOC = {"left", "right", "either"}
use_ascii = True
special = {"middle_dot": "\\dot", "big_sigma": "\\Sigma"}
greek = {name: f"\\{name}" for name in ("alpha", "beta", "gamma", "delta", "epsilon")}


class PrinterState(scratchpad):  # type: ignore[misc]
    """What printers share: any attributes, and `memo`, the texts that are known."""

    def __init__(self, props: Any = None, **more_props: Any) -> None:
        attributes = vars(props) if isinstance(props, scratchpad) else props or {}
        vars(self).update(attributes, **more_props)
        self.memo: dict[Any, str] = {}


class _Printer:
    """Base of printers: texts of operands, and the text that is made of them."""

    what = "printer"

    def process(self, output: Any, pstate: Any) -> str:
        """Return the text of a variable."""
        if output.owner is None:
            raise TypeError(
                f"{self.what} cannot represent a variable that is not the result of an operation",
                output,
            )
        parts = [pstate.pprinter.process(each, pstate) for each in output.owner.inputs]
        return self._join(output, parts)

    def _join(self, output: object, parts: list[str]) -> str:
        raise NotImplementedError


class OperatorPrinter(_Printer):
    """Writes operands with an operator between them, or before one.

    Parameters
    ----------
    operator : str
    precedence : int
        Of no effect.
    assoc : {'left', 'right', 'either'}
        Of no effect.
    """

    def __init__(self, operator: str, precedence: float, assoc: str = "left") -> None:
        assert assoc in VALID_ASSOC
        self.operator, self.precedence, self.assoc = operator, precedence, assoc
        self.what = f"operator {operator}"

    def _join(self, output: object, parts: list[str]) -> str:
        text = f" {self.operator} ".join(parts) if len(parts) > 1 else self.operator + parts[0]
        return f"({text})"


class PatternPrinter(_Printer):
    """Writes operands into a pattern.

    Parameters
    ----------
    *patterns : str, or tuple of str and precedences
        One for each output, such as '|%(0)s|': the numbers are those of the operands.
    """

    def __init__(self, *patterns: Any) -> None:
        self.patterns = [
            (each, ()) if isinstance(each, str) else (each[0], each[1:]) for each in patterns
        ]
        self.what = f"patterns {self.patterns}"

    def _join(self, output: Any, parts: list[str]) -> str:
        pattern, _ = self.patterns[output.index]
        return pattern % {str(i): part for i, part in enumerate(parts)}


class FunctionPrinter(_Printer):
    """Writes operands as the arguments of a function; one name for each output."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.what = f"function {names}"

    def _join(self, output: Any, parts: list[str]) -> str:
        return f"{self.names[output.index]}({', '.join(parts)})"


class IgnorePrinter(_Printer):
    """Writes the first operand alone."""

    def _join(self, output: object, parts: list[str]) -> str:
        return parts[0]


class LeafPrinter:
    """Writes a variable by its name."""

    def process(self, output: Any, pstate: object) -> str:
        """Return the text of a variable."""
        return greek.get(output.name, str(output))


class DefaultPrinter(_Printer):
    """Writes operands as the arguments of the operation."""

    def process(self, output: Variable, pstate: object) -> str:
        """Return the text of a variable."""
        if output.owner is None:
            return leaf_printer.process(output, pstate)
        return super().process(output, pstate)

    def _join(self, output: Any, parts: list[str]) -> str:
        return f"{output.owner.op}({', '.join(parts)})"


leaf_printer = LeafPrinter()
default_printer = DefaultPrinter()
