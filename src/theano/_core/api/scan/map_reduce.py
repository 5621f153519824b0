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
    """Apply a function to each item of sequences; see `scan` for the parameters."""
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
    """Fold sequences into the value after the last step; see `scan` for the parameters."""
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
    """Fold sequences from their first item to their last; see `reduce`."""
    return reduce(fn, sequences, outputs_info, non_sequences, False, mode, name)


def foldr(
    fn: Callable[..., object],
    sequences: object,
    outputs_info: object,
    non_sequences: object = None,
    mode: object = None,
    name: str | None = None,
) -> tuple[Any, OrderedUpdates]:
    """Fold sequences from their last item to their first; see `reduce`."""
    return reduce(fn, sequences, outputs_info, non_sequences, True, mode, name)


explain_functions(globals())
