"""A pause of Python's cyclic garbage collector."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_collector(all_stays: bool = False) -> Iterator[None]:
    """Make no search for unreachable cycles meanwhile, in any thread.

    Rewriting makes many objects that stay. Each search walks all of them again and finds nothing,
    which doubles the time for a graph of some ten thousand nodes.

    Parameters
    ----------
    all_stays : bool
        What is made meanwhile is never garbage: it is held to be old at once. The first search
        would walk it, which takes an eighth of the time of `import theano`.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if all_stays and not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()
        gc.enable()
