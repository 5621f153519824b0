"""Work in threads of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

# Seconds after which a thread is taken to hang.
PATIENCE = 60


def in_threads(*works: Callable[[], object]) -> list[BaseException]:
    """Run each in a thread of its own, wait for all, and return what they raised."""
    raised: list[BaseException] = []

    def guarded(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=guarded, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "a thread hangs"
    return raised
