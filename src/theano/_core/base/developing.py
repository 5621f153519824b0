"""What those who work on the compiler switch on by the environment.

Of each function that is compiled THEANO_DEBUG=2 prints how many nodes each pass of rewriting
leaves, 3 the graphs too, 4 the program, 5 its LLVM text.
THEANO_CHECK=1 checks each program against its contract, and has LLVM check what is written of it;
2 checks the program between all passes.
"""

from __future__ import annotations

import os


def _level(name: str) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isdecimal() else int(bool(text))


DEBUG = _level("THEANO_DEBUG")
CHECK = _level("THEANO_CHECK")
COUNTS, GRAPHS, PROGRAMS, LLVM = 2, 3, 4, 5
