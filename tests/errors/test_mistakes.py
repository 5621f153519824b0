"""Typical mistakes: what each message says, whole, so that it can be read.

`mistakes.txt` holds them: a title, a few lines of program, after `|` the message as a user sees it,
and after `+` what to write instead, where that needs saying. The page of errors shows all three,
under headings after `##`.
`python tests/errors/test_mistakes.py` writes the messages of the present version; read each.
"""

import linecache
import math
import re
import sys
import traceback
import warnings
from pathlib import Path

import numpy as np
import pytest

import theano
import theano.tensor as T

TABLE = Path(__file__).with_name("mistakes.txt")
# What a message may take by default: those of functions quote the line and show the operands.
MOST_LINES = 12
# Programs that are right since they were collected; they stay so.
FINE = "no error\n"


def mistakes():
    """Return the programs, their messages and their remedies by title."""
    found = {}
    for part in re.split("^=== ", re.sub("(?m)^## .*\n", "", TABLE.read_text()), flags=re.M)[1:]:
        title, _, rest = part.partition("\n")
        lines = rest.splitlines()
        program = "".join(f"{line}\n" for line in lines if line[:1] not in ("|", "+"))
        remedy = "".join(f"{line[2:]}\n" for line in lines if line.startswith("+"))
        message = "".join(f"{line[2:]}\n" for line in lines if line.startswith("|"))
        assert title not in found, title
        found[title] = program, message, remedy
    return found


def message_of(program, remedy=""):
    """Return what Python prints of the error that a program ends with.

    What is to be written instead then runs where the program has stopped.
    """
    file = "mistake.py"
    linecache.cache[file] = (len(program), None, program.splitlines(keepends=True), file)
    names = {"np": np, "math": math, "theano": theano, "T": T}
    with warnings.catch_warnings(), theano.config.change_flags(floatX="float64"):
        warnings.simplefilter("ignore")
        try:
            exec(compile(program, file, "exec"), names)
        except Exception as error:
            text = "".join(traceback.format_exception_only(error))
        else:
            text = FINE
        exec(compile(remedy, "remedy.py", "exec"), names)
    return re.sub(r"[ \t]+\n", "\n", text)


MISTAKES = mistakes()


@pytest.mark.parametrize("title", MISTAKES)
def test_the_message_is_as_it_was_read(title):
    program, message, remedy = MISTAKES[title]
    found = message_of(program, remedy)
    assert remedy or message == FINE
    assert found == message
    assert found.count("\n") <= MOST_LINES
    # What rewriting makes of an expression is nothing that a user wrote.
    first = found.partition("\n")[0]
    assert not re.search(r"Elemwise\{|InplaceDimShuffle|Gemm|Subtensor\{|Reshape\{", first), first


def _write():
    headings = dict(re.findall("^## (.*)\n=== (.*)$", TABLE.read_text(), re.M))
    before = {title: f"## {heading}\n" for heading, title in headings.items()}
    parts = []
    for title, (program, _, remedy) in MISTAKES.items():
        said = "".join(f"| {line}\n" for line in message_of(program).splitlines())
        said += "".join(f"+ {line}\n" for line in remedy.splitlines())
        parts.append(f"{before.get(title, '')}=== {title}\n{program}{said}")
    TABLE.write_text("".join(parts))


if __name__ == "__main__":
    sys.exit(_write())
