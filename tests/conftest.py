"""Every program that a test compiles is checked against its contract (`lower/spec.py`)."""

import os
import signal

os.environ.setdefault("THEANO_CHECK", "1")
# A shell starts what runs in the background with interrupts ignored; tests send some.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
