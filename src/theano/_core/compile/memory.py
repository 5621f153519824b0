"""What memory a call of a function takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.compile import messages
from theano._core.compile.maker import HOOKS

if TYPE_CHECKING:
    from theano._core.lower.memory_plan import MemoryPlan


def memory_plan(self: Any, *args: object, **kwargs: object) -> MemoryPlan:
    """Return which memory a call with these arguments would take, without calling.

    Parameters
    ----------
    *args, **kwargs
        As for a call. Mostly their shapes matter, so that `numpy.empty` will do; items are only
        looked at where they decide about lengths or branches.

    Returns
    -------
    MemoryPlan
        Its `peak` is the most bytes that are allocated at one time, results included and arguments
        and shared variables not; `buffers` tells the size of each buffer, in which steps it is
        allocated and given back, and which buffers share memory. As text, it is a table.

    Raises
    ------
    TypeError
        The arguments are not those of the function.
    ValueError, IndexError
        They do not fit together.

    Examples
    --------
    >>> import numpy as np, theano, theano.tensor as T
    >>> x = T.dmatrix("x")
    >>> f = theano.function([x], T.dot(T.tanh(x), x))
    >>> f.memory_plan(np.empty((1024, 1024))).peak
    16777216
    """
    # Loaded when first asked for.
    from theano._core.lower.memory_plan import memory_plan as plan_of_program

    maker = self.maker
    values = _bound(self, args, kwargs)
    read = [False] * len(maker.arguments) + [True] * len(maker.shared)
    overwritable = [
        shared and isinstance(value, np.ndarray) and value.flags.carray
        for value, shared in zip(values, read, strict=True)
    ]
    return plan_of_program(maker.program_text, values, overwritable)


def _bound(function: Any, args: tuple[object, ...], kwargs: dict[str, object]) -> list[Any]:
    """Return the values of all arguments and shared variables."""
    maker = function.maker
    remaining, named = list(args[::-1]), dict(kwargs)
    values = []
    for index, (spec, container) in enumerate(zip(maker.arguments, maker.containers, strict=False)):
        if remaining and not spec.implicit:
            value = remaining.pop()
        elif spec.name in named:
            value = named.pop(spec.name)
        elif spec.value is not None or spec.implicit:
            values.append(container.cell.value)
            continue
        else:
            raise messages.bad_arguments(maker, args, kwargs)
        values.append(HOOKS["convert"](function, index, value))
    if remaining or named:
        raise messages.bad_arguments(maker, args, kwargs)
    return values + [variable.container.cell.value for variable in maker.shared]
