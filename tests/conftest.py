"""Every program that a test compiles is checked against its contract (`lower/spec.py`).

The gate checks what the passes make, `make test-all` (THEANO_CHECK=2) what each of them makes.
"""

import os
import signal

import pytest

os.environ.setdefault("THEANO_CHECK", "1")
pytest_plugins = ["support.selection"]

# A shell starts what runs in the background with interrupts ignored; tests send some.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        # What changed in the runtime is compiled once, before workers would do it side by side.
        import theano  # noqa: F401
