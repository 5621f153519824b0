"""What those who work on the compiler switch on by the environment.

THEANO_DEBUG=4 prints the program of each function that is compiled, 5 its LLVM text too.
THEANO_CHECK=1 checks each program against its contract.
"""

from __future__ import annotations

import os


def _level(name: str) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isdecimal() else int(bool(text))


DEBUG = _level("THEANO_DEBUG")
CHECK = _level("THEANO_CHECK")
PROGRAMS, LLVM = 4, 5
