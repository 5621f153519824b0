"""Every program that a test compiles is checked against its contract (`lower/spec.py`)."""

import os

os.environ.setdefault("THEANO_CHECK", "1")
