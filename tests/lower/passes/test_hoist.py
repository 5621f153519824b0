"""What the pass moves out of loops, and what it leaves there."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower import program as ir, spec
from theano._core.lower.passes.hoist import hoist
from theano._core.lower.text import parse, text_of

HEAD = """program with 1 words for kernels
stack %arguments0: 32
%n = frame[0]: int64
%x = frame[1]: ptr
"""

# What a loop does; what is done before it, in it, and behind it.
TEXT = """
# arithmetic of what is outside
%a = times (%n, 8): int64
%b = mul (%i, %a): int64
-- before
%a = times (%n, 8): int64
-- kept
%b = mul (%i, %a): int64
# divisions only by numbers
%a = sdiv (%n, 8): int64
%b = sdiv (8, %n): int64
%c = add (%b, 1): int64
-- before
%a = sdiv (%n, 8): int64
-- kept
%b = sdiv (8, %n): int64
%c = add (%b, 1): int64
# words of kernels
%a = moved (%x, %i): int64
words (%n, %a, 3): (int64, ptr, int64) at %arguments0
words (%n, 3): (int64, int64) at %block
-- before
words (%n, _, 3): (int64, ptr, int64) at %arguments0
-- kept
%a = moved (%x, %i): int64
words (_, %a, _): (int64, ptr, int64) at %arguments0
words (%n, 3): (int64, int64) at %block
# memory, whose error is of the first step
%a = alloc %n in frame[7]
%b = ne (%a, null): ptr
check %b else too_large (%n, %i) of 0
%c = moved (%a, %i): int64
free frame[7]
-- before
%a = alloc %n in frame[7]
%b = ne (%a, null): ptr
check %b else too_large (%n, 0) of 0
-- kept
%c = moved (%a, %i): int64
-- behind
free frame[7]
# not the check of it, of lengths that differ
%l = add (%i, 1): int64
%a = alloc %n in frame[7]
%b = ne (%a, null): ptr
check %b else too_large (%n, %l) of 0
free frame[7]
-- before
%a = alloc %n in frame[7]
%b = ne (%a, null): ptr
-- kept
%l = add (%i, 1): int64
check %b else too_large (%n, %l) of 0
-- behind
free frame[7]
# memory of one size, which is shared
%a = alloc %n in frame[7]
%b = alloc %n in frame[8]
free frame[7]
%c = alloc %n in frame[9]
%d = alloc 8 in frame[10]
free frame[8]
free frame[9]
free frame[10]
-- before
%a = alloc %n in frame[7]
%b = alloc %n in frame[8]
%c = moved (%a, 0): int64
%d = alloc 8 in frame[10]
-- behind
free frame[7]
free frame[8]
free frame[10]
# not memory of a size that changes
%a = alloc %i in frame[7]
free frame[7]
-- kept
%a = alloc %i in frame[7]
free frame[7]
# not memory that is handed over
%a = alloc %n in frame[7]
hand %a in frame[7] to frame[8]
free frame[8]
-- kept
%a = alloc %n in frame[7]
hand %a in frame[7] to frame[8]
free frame[8]
# not other checks
%a = eq (%n, 3): int64
check %a else scan_steps (%n) of 0
-- before
%a = eq (%n, 3): int64
-- kept
check %a else scan_steps (%n) of 0
# from branches
%a = eq (%i, 3): int64
if %a
  %b = alloc %n in frame[7]
  %c = add (%n, 1): int64
  free frame[7]
else
giving %d: int64 = %c or %n
end
%e = add (%d, 1): int64
-- before
%b = alloc %n in frame[7]
%c = add (%n, 1): int64
-- kept
%a = eq (%i, 3): int64
if %a
else
giving %d: int64 = %c or %n
end
%e = add (%d, 1): int64
-- behind
free frame[7]
# what is done once
if 1
  once before %i
    %a = alloc %n in frame[7]
    %b = frame[3]: int64
    %c = alloc 8 in frame[8]
    free frame[8]
  end
else
end
%d = add (%b, 1): int64
-- before
%a = alloc %n in frame[7]
%b = frame[3]: int64
%c = alloc 8 in frame[8]
free frame[8]
%d = add (%b, 1): int64
-- kept
if 1
else
end
-- behind
free frame[7]
# from loops within
for %j below %n
  %a = add (%n, 1): int64
  %b = add (%i, 1): int64
  %c = add (%j, 1): int64
  once before %i
    %d = alloc %n in frame[7]
  end
  %e = alloc %b in frame[8]
  free frame[8]
end
-- before
%a = add (%n, 1): int64
%d = alloc %n in frame[7]
-- kept
%b = add (%i, 1): int64
%e = alloc %b in frame[8]
for %j below %n
  %c = add (%j, 1): int64
end
free frame[8]
-- behind
free frame[7]
"""
CASES = dict(case.split("\n", 1) for case in TEXT.split("\n# ")[1:])


@pytest.mark.parametrize("name", CASES)
def test_what_is_moved(name):
    body, *parts = CASES[name].split("-- ")
    part = {"before": "", "kept": "", "behind": ""} | dict(p.split("\n", 1) for p in parts)
    program = parse(f"{HEAD}for %i below %n\n{body}\nend\n")
    loop = f"for %i below %n\n{part['kept']}\nend\n"
    wanted = parse(f"{HEAD}{part['before']}\n{loop}{part['behind']}")
    assert text_of(hoist(program)) == text_of(wanted)


def test_loops_of_real_programs_allocate_nothing():
    m, n = T.dmatrix("m"), T.lscalar("n")

    def step(h, w):
        return T.tanh(T.dot(h, w) * T.exp(h).sum(axis=0)) + T.dot(h * 2, w)

    rows, _ = theano.scan(step, outputs_info=m, non_sequences=m, n_steps=n)
    f = theano.function([m, n], [rows[-1], T.grad(rows[-1].sum(), m)])
    loops = [i for i in ir.walk(f.maker.program_text.program.body) if isinstance(i, ir.For)]
    assert len(loops) >= 2
    assert not any(isinstance(i, (ir.Alloc, ir.Free)) for loop in loops for i in ir.walk(loop.body))
    spec.check(f.maker.program_text.program)
    np.testing.assert_array_equal(f(np.zeros((3, 3)), 4)[0], np.zeros((3, 3)))
