"""A pause of Python's cyclic garbage collector."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# How many objects, at most, are held to be old at once: the search of what a first large function
# leaves takes a fortieth of the time that it takes to compile. What is garbage among them waits for
# the next search of everything, hence not more.
MOST_OLD = 200_000
_made_old = 0


@contextmanager
def paused_collector(all_stays: bool = False) -> Iterator[None]:
    """Make no search for unreachable cycles meanwhile, in any thread.

    Rewriting makes many objects that stay. Each search walks all of them again and finds nothing,
    which doubles the time for a graph of some ten thousand nodes.

    Parameters
    ----------
    all_stays : bool
        What is made meanwhile is never garbage: it is held to be old at once, however much. The
        first search would walk it, which takes an eighth of the time of `import theano`.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():
            _make_old(all_stays)
        gc.enable()


def _make_old(all_stays: bool) -> None:
    """Hold what was made lately to be old, unless that may be too much garbage."""
    global _made_old
    total = _made_old + gc.get_count()[0]
    if all_stays or total <= MOST_OLD:
        _made_old = _made_old if all_stays else total
        gc.freeze()
        gc.unfreeze()
