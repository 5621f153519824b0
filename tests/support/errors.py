"""Errors that a test expects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def refused(
    error: type[BaseException] | tuple[type[BaseException], ...], *words: str
) -> Iterator[None]:
    """Expect an error whose message holds each of the words, taken literally."""
    with pytest.raises(error) as caught:
        yield
    message = str(caught.value)
    missing = [word for word in words if word not in message]
    assert not missing, f"{missing} not in: {message}"
