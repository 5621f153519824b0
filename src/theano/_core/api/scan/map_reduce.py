"""`map`, `reduce`, `foldl` and `foldr`: what `scan` does most often."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from theano._core.api.scan.scan import scan
from theano._core.api.scan.updates import OrderedUpdates
from theano._core.base.near_misses import explain_functions

if TYPE_CHECKING:
    pass


def map(
    fn: Callable[..., object],
    sequences: object,
    non_sequences: object = None,
    truncate_gradient: int = -1,
    go_backwards: bool = False,
    mode: object = None,
    name: str | None = None,
) -> tuple[Any, OrderedUpdates]:
    """Apply a function to each item of sequences; see `scan` for the parameters.

    Parameters
    ----------
    fn : callable
        Makes the expressions of one step from the variables of that step.
    sequences : variable or list of variables
        One item of each goes to a step.
    non_sequences : variable or list of variables, optional
        The same in every step.
    truncate_gradient : int
        Steps that gradients flow back through; -1: all.
    go_backwards : bool
        Whether to begin with the last items.
    mode : Mode or str, optional
        How the step is compiled.
    name : str, optional
        For messages and profiles.

    Returns
    -------
    tuple of (outputs of all steps, updates)
        What a step returns, and the updates of shared variables, as `scan` has them.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> squares, _ = theano.map(lambda item: item**2, sequences=x)
    >>> squares.eval({x: [1.0, 2.0]})
    array([1., 4.])
    """
    return scan(
        fn,
        sequences,
        [],
        non_sequences,
        truncate_gradient=truncate_gradient,
        go_backwards=go_backwards,
        mode=mode,
        name=name,
    )


def reduce(
    fn: Callable[..., object],
    sequences: object,
    outputs_info: object,
    non_sequences: object = None,
    go_backwards: bool = False,
    mode: object = None,
    name: str | None = None,
) -> tuple[Any, OrderedUpdates]:
    """Fold sequences into the value after the last step; see `scan` for the parameters.

    Parameters
    ----------
    fn : callable
        Makes the expressions of one step from the variables of that step.
    sequences : variable or list of variables
        One item of each goes to a step.
    outputs_info : variable, list or dict
        What the first step gets.
    non_sequences : variable or list of variables, optional
        The same in every step.
    go_backwards : bool
        Whether to begin with the last items.
    mode : Mode or str, optional
        How the step is compiled.
    name : str, optional
        For messages and profiles.

    Returns
    -------
    tuple of (outputs of the last step, updates)
        What a step returns, and the updates of shared variables, as `scan` has them.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> start = T.constant(0.0, dtype="float64")
    >>> total, _ = theano.reduce(lambda item, total: item - total, sequences=x, outputs_info=start)
    >>> total.eval({x: [1.0, 2.0, 4.0]})
    array(3.)
    """
    rows, updates = scan(
        fn,
        sequences,
        outputs_info,
        non_sequences,
        go_backwards=go_backwards,
        mode=mode,
        name=name,
    )
    if isinstance(rows, list):
        return [r[-1] for r in rows], updates
    return rows[-1], updates


def foldl(
    fn: Callable[..., object],
    sequences: object,
    outputs_info: object,
    non_sequences: object = None,
    mode: object = None,
    name: str | None = None,
) -> tuple[Any, OrderedUpdates]:
    """Fold sequences from their first item to their last; see `reduce`.

    Parameters
    ----------
    fn : callable
        Makes the expressions of one step from the variables of that step.
    sequences : variable or list of variables
        One item of each goes to a step.
    outputs_info : variable, list or dict
        What the first step gets.
    non_sequences : variable or list of variables, optional
        The same in every step.
    mode : Mode or str, optional
        How the step is compiled.
    name : str, optional
        For messages and profiles.

    Returns
    -------
    tuple of (outputs of the last step, updates)
        What a step returns, and the updates of shared variables, as `scan` has them.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> start = T.constant(0.0, dtype="float64")
    >>> total, _ = theano.foldl(lambda item, total: item - total, sequences=x, outputs_info=start)
    >>> total.eval({x: [1.0, 2.0, 4.0]})
    array(3.)
    """
    return reduce(fn, sequences, outputs_info, non_sequences, False, mode, name)


def foldr(
    fn: Callable[..., object],
    sequences: object,
    outputs_info: object,
    non_sequences: object = None,
    mode: object = None,
    name: str | None = None,
) -> tuple[Any, OrderedUpdates]:
    """Fold sequences from their last item to their first; see `reduce`.

    Parameters
    ----------
    fn : callable
        Makes the expressions of one step from the variables of that step.
    sequences : variable or list of variables
        One item of each goes to a step.
    outputs_info : variable, list or dict
        What the first step gets.
    non_sequences : variable or list of variables, optional
        The same in every step.
    mode : Mode or str, optional
        How the step is compiled.
    name : str, optional
        For messages and profiles.

    Returns
    -------
    tuple of (outputs of the last step, updates)
        What a step returns, and the updates of shared variables, as `scan` has them.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> start = T.constant(0.0, dtype="float64")
    >>> total, _ = theano.foldr(lambda item, total: item - total, sequences=x, outputs_info=start)
    >>> total.eval({x: [1.0, 2.0, 4.0]})
    array(3.)
    """
    return reduce(fn, sequences, outputs_info, non_sequences, True, mode, name)


explain_functions(globals())
