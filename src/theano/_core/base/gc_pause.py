"""A pause of Python's cyclic garbage collector."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_collector() -> Iterator[None]:
    """Make no search for unreachable cycles meanwhile, in any thread.

    Rewriting makes many objects that stay. Each search walks all of them again and finds nothing,
    which doubles the time for a graph of some ten thousand nodes.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
