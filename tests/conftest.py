"""Every program that a test compiles is checked against its contract (`lower/spec.py`)."""

import os
import signal

pytest_plugins = ["support.selection"]

os.environ.setdefault("THEANO_CHECK", "1")
# A shell starts what runs in the background with interrupts ignored; tests send some.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: object) -> None:
    if not hasattr(config, "workerinput"):
        # What changed in the runtime is compiled once, before workers would do it side by side.
        import theano  # noqa: F401
