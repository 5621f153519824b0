"""Every exception and warning of Theano, in one tree.

::

    Exception
    └── TheanoError                        everything we raise on purpose derives from it
        ├── AliasedMemoryError             two arguments share memory where they must not
        ├── ComplexError                   (NotImplementedError) no such complex operation
        ├── DebugModeError                 DebugMode found an operation that breaks its promises
        │   ├── BadDestroyMap              an operation wrote to an input without saying so
        │   ├── BadOptimization            a rewrite changed a value
        │   │   └── BadReplacement         (TypeError) … a type
        │   ├── BadThunkOutput             two implementations disagree
        │   ├── BadViewMap                 an output shares memory without saying so
        │   ├── InvalidValueError          a value does not fit its type
        │   └── StochasticOrder            the same graph was ordered in two ways
        ├── FixedSettingError              a setting that is read once was assigned later
        ├── GradientError                  a symbolic gradient differs from a numeric one
        ├── InconsistencyError             a graph breaks one of its invariants
        ├── IntegerDivisionError           int / int while config.int_division is "raise"
        ├── InternalError                  (RuntimeError) a mistake of ours, please report it
        ├── MethodNotDefined               an operation lacks this method
        ├── MissingInputError              a graph needs a variable that is not among its inputs
        ├── NotScalarConstantError         a value is not known while the graph is being built
        │   └── EmptyConstantError         … since the constant has no items
        ├── ShapeError                     shapes cannot be found or do not agree
        ├── UnusedInputError               an input of a function is not used by its outputs
        ├── (TypeError)
        │   ├── AdvancedBooleanIndexingError   the index holds a mask
        │   ├── AdvancedIndexingError      the index holds an array of numbers
        │   ├── AsTensorError              a value cannot become a tensor
        │   └── NullTypeGradError          a gradient that is not defined was asked for
        └── (ValueError)
            ├── DisconnectedInputError     the cost does not depend on the variable
            ├── InvalidSettingError        a setting does not accept this value
            ├── UnknownModeError           (KeyError) no mode, linker or optimizer has this name
            └── WindowError                (AssertionError) images, kernels or windows do not fit

    Warning
    └── TheanoConfigWarning                an entry of THEANO_FLAGS or .theanorc is not understood

A name in brackets is a built-in exception that the class derives from as well, so that programs
that catch the built-in keep working. Theano 1.0.5 had the same names and built-in bases;
`TheanoError` is ours and lets a program catch them all.

A message has four parts: what was asked, the offending values, where the variable was made, what to
try. All of them survive pickling with their arguments, notes and attributes.
"""

from __future__ import annotations

import warnings
from typing import Any

__all__ = [
    "AdvancedBooleanIndexingError",
    "AdvancedIndexingError",
    "AliasedMemoryError",
    "AsTensorError",
    "BadDestroyMap",
    "BadOptimization",
    "BadReplacement",
    "BadThunkOutput",
    "BadViewMap",
    "ComplexError",
    "DebugModeError",
    "DisconnectedInputError",
    "EmptyConstantError",
    "FixedSettingError",
    "GradientError",
    "InconsistencyError",
    "IntegerDivisionError",
    "InternalError",
    "InvalidSettingError",
    "InvalidValueError",
    "MethodNotDefined",
    "MissingInputError",
    "NotScalarConstantError",
    "NullTypeGradError",
    "ShapeError",
    "StochasticOrder",
    "TheanoConfigWarning",
    "TheanoError",
    "UnknownModeError",
    "UnusedInputError",
    "WindowError",
]


def _rebuild(cls: type[TheanoError], args: tuple[object, ...]) -> TheanoError:
    # Subclasses may ask for other constructor arguments than `args`: go round their __init__.
    error = cls.__new__(cls, *args)
    error.args = args
    return error


class TheanoError(Exception):
    """Base of all exceptions that Theano raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args), self.__dict__ or None


class AliasedMemoryError(TheanoError):
    """Two arguments share memory although one of them may be overwritten."""


class ComplexError(TheanoError, NotImplementedError, TypeError):
    """The operation is not defined for complex numbers."""


class FixedSettingError(TheanoError):
    """A setting that can only be given before Theano starts was assigned."""


class GradientError(TheanoError):
    """A symbolic gradient differs from the one measured by finite differences.

    Parameters
    ----------
    arg : int
        Which input of the function.
    err_pos : int
        Flat index of the worst item.
    shape : tuple of int
        Shape of that input.
    val1, val2 : float
        Analytic and numeric gradient there.
    abs_err, rel_err : float
        Absolute and relative difference.
    abs_tol, rel_tol : float
        What was allowed.
    """

    def __init__(
        self,
        arg: int,
        err_pos: int,
        shape: tuple[int, ...],
        val1: float,
        val2: float,
        abs_err: float,
        rel_err: float,
        abs_tol: float,
        rel_tol: float,
    ) -> None:
        # `args` stays empty: programs add their own remarks to it before they raise again.
        super().__init__()
        self.arg, self.err_pos, self.shape = arg, err_pos, shape
        self.val1, self.val2 = val1, val2
        self.abs_err, self.rel_err = abs_err, rel_err
        self.abs_tol, self.rel_tol = abs_tol, rel_tol

    def __str__(self) -> str:
        remarks = "".join(f"\n{remark}" for remark in self.args)
        return (
            f"The symbolic gradient differs from the numeric one for argument {self.arg} "
            f"(shape {self.shape}) at flat position {self.err_pos}:\n"
            f"    symbolic {self.val1!s}, numeric {self.val2!s}\n"
            f"    absolute error {self.abs_err:g}, allowed {self.abs_tol:g}\n"
            f"    relative error {self.rel_err:g}, allowed {self.rel_tol:g}{remarks}"
        )


class InconsistencyError(TheanoError):
    """A change would break an invariant of the graph."""


class IntegerDivisionError(TheanoError):
    """Two integers were divided with `/` while `config.int_division` is "raise"."""


class InternalError(TheanoError, RuntimeError):
    """Theano broke one of its own rules. Please report it with the program that shows it."""


class MethodNotDefined(TheanoError):
    """An operation does not define the method that was called."""


class MissingInputError(TheanoError):
    """A graph depends on a variable that has no value and is not among the inputs.

    Parameters
    ----------
    *args : object
        The message, in parts that become its lines.
    variable : Variable, optional
        The variable that is missing; kept out of pickles.
    """

    def __init__(self, *args: object, variable: object = None) -> None:
        super().__init__("\n".join(str(part) for part in args))
        self.variable = variable

    def __reduce__(self) -> tuple[Any, ...]:
        # A variable drags its whole graph along, and other processes have no use for it.
        return _rebuild, (type(self), self.args), {**self.__dict__, "variable": None}


class NotScalarConstantError(TheanoError):
    """A number was needed while the graph is being built, and the variable is not a constant."""


class EmptyConstantError(NotScalarConstantError):
    """A number was needed, and the constant has no items."""


class ShapeError(TheanoError):
    """A shape cannot be found, or shapes do not agree."""


class UnusedInputError(TheanoError):
    """An input of `theano.function` is not used by outputs or updates."""


class AdvancedIndexingError(TheanoError, TypeError):
    """The index holds arrays, and was given where only numbers and slices fit."""


class AdvancedBooleanIndexingError(TheanoError, TypeError):
    """The index holds a mask, and was given where only numbers and slices fit."""


class AsTensorError(TheanoError, TypeError):
    """A value cannot be made a tensor variable."""


class NullTypeGradError(TheanoError, TypeError):
    """The gradient passes through an operation that does not define it."""


class DisconnectedInputError(TheanoError, ValueError):
    """A gradient was asked for with respect to a variable that the cost does not depend on."""


class InvalidSettingError(TheanoError, ValueError):
    """A setting does not accept the value."""


class UnknownModeError(TheanoError, ValueError, KeyError):
    """There is no mode, linker or optimizer of this name."""

    # That of KeyError would put quotes around the message.
    __str__ = Exception.__str__


class WindowError(TheanoError, ValueError, AssertionError):
    """The lengths of images, kernels and results of a convolution or a pool do not fit."""


class DebugModeError(TheanoError):
    """DebugMode found an operation or a rewrite that breaks its promises."""


class BadThunkOutput(DebugModeError):
    """Two implementations of one node disagree."""


class BadOptimization(DebugModeError):
    """A rewrite replaced a variable by one with another value."""


class BadReplacement(BadOptimization, TypeError):
    """A rewrite replaced a variable by one of another type."""


class BadDestroyMap(DebugModeError):
    """A node changed an input that it did not declare as overwritten."""


class BadViewMap(DebugModeError):
    """An output shares memory with an input that it did not declare as viewed."""


class StochasticOrder(DebugModeError):
    """The same graph was ordered in two ways."""


class InvalidValueError(DebugModeError):
    """A node made a value that does not fit the type of its output."""


class TheanoConfigWarning(Warning):
    """An entry of THEANO_FLAGS or of a settings file is not understood."""

    @classmethod
    def warn(cls, message: str, stacklevel: int = 0) -> None:
        """Issue this warning at the caller's line."""
        warnings.warn(message, cls, stacklevel=stacklevel + 2)


for _name in __all__:
    # Tracebacks and pickles name the module that programs import.
    globals()[_name].__module__ = "theano.errors"
