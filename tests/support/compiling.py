"""Compiling and comparing: with NumPy, and with what the definitions of operations say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

import theano
from support.arrays import layouts, variables
from support.comparison import EXACT, ROUNDING, Tolerance, assert_close, assert_same
from theano._core.lower import program as ir

# Neither rewriting nor native code: each operation as it is declared.
DEFINITION = theano.Mode("py", optimizer=None)


def evaluate(outputs: Any, given: Mapping[Any, Any] | None = None, mode: Any = None) -> Any:
    """Compile a function of the variables in `given`, and return its results for their values."""
    given = given or {}
    f = theano.function(list(given), outputs, mode=mode, on_unused_input="ignore")
    return f(*given.values())


def check(
    build: Callable[..., Any],
    reference: Callable[..., Any],
    *arrays: np.ndarray,
    tolerance: Tolerance = ROUNDING,
    mode: Any = None,
) -> Any:
    """Compile `build(*variables)` once, and compare with `reference(*arrays)` in every layout.

    One result or a list of them; with `EXACT`, dtypes and signs of zero must agree too. Returns the
    compiled function.
    """
    f = compiled(build, *arrays, mode=mode)
    wanted = reference(*arrays)
    for given in zip(*_as_long(map(layouts, arrays)), strict=True):
        found = f(*given)
        if tolerance is EXACT:
            assert_same(found, wanted)
        else:
            assert_close(found, wanted, tolerance)
    return f


def _as_long(many: Iterable[Iterable[Any]]) -> list[list[Any]]:
    lists = [list(one) for one in many]
    longest = max(map(len, lists), default=0)
    return [one if len(one) == longest else one * longest for one in lists]


def compiled(build: Callable[..., Any], *arrays: np.ndarray, mode: Any = None) -> Any:
    """Compile `build` of a variable for each array."""
    inputs = variables(*arrays)
    return theano.function(inputs, build(*inputs), mode=mode, on_unused_input="ignore")


def kernels(f: Any) -> list[Any]:
    """Return what each launch of a function's program runs: a kernel, or a loop's name."""
    body = f.maker.program_text.program.body
    return [each.kernel for each in ir.walk(body) if isinstance(each, ir.Launch)]


def ops(f: Any, kind: type | tuple[type, ...]) -> list[Any]:
    """Return the operations of a kind in the rewritten graph of a function, in order."""
    return [node.op for node in f.maker.fgraph.toposort() if isinstance(node.op, kind)]


def program_text(f: Any) -> str:
    """Return the text of a function's program."""
    return theano.printing.debugprint(f, program=True, file="str")
