"""Where memory is given back, by what reads and writes it."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower import program as ir, spec
from theano._core.lower.passes.lifetimes import lifetimes
from theano._core.lower.text import parse, text_of
from theano._core.runtime import native
from theano.ifelse import ifelse

HEAD = """program with 2 words for kernels
stack %arguments0: 32
stack %list: 32
stack %stack1: 8
result in frame[4]
%n = frame[0]: int64
%x = frame[1]: ptr
%c = eq (%n, 3): bool
"""

# What a program with frees is; without them it is what operations record.
TEXT = """
# behind the last kernel that reads it
%a = alloc %n in frame[7]
words (%n, %a): (int64, ptr) at %block
kernel 0 %block over %n, %n points of 8, unit 1
words (%n, %a, %x): (int64, ptr, ptr) at %block
kernel 1 %block over %n, %n points of 8, unit 1
free frame[7]
words (%n, %x): (int64, ptr) at %block
kernel 0 %block over %n, %n points of 8, unit 1
# a result stays
%a = alloc %n in frame[4]
store 1.0<float64> at %a
# a result that is an operand of another
%a = alloc %n in frame[4]
store 1.0<float64> at %a
%b = alloc %n in frame[7]
store 1.0<float64> at %b
%d = load %b: float64
free frame[7]
store %d<float64> at %a
# what nothing reads
%a = alloc %n in frame[7]
%b = ne (%a, null): ptr
free frame[7]
check %b else too_large (%n) of 0
# a view outlives its array
%a = alloc %n in frame[7]
%b = moved (%a, 8): int64
store 1.0<float64> at %a
%d = load %b: float64
free frame[7]
%e = add (%n, 1): int64
# one of two, found at run time
%a = alloc %n in frame[7]
%b = alloc %n in frame[8]
%d = select (%c, %a, %b): ptr
%e = load %d: float64
free frame[7]
free frame[8]
# by a descriptor
%a = alloc %n in frame[7]
frame[9] = (%a): (ptr)
%d = slot (9): int64
%e = call copy (12, 1, %x, %d)
free frame[7]
%f = eq (%e, 0): int32
# by a list of descriptors, for Python
%a = alloc %n in frame[7]
frame[9] = (%a): (ptr)
words (9): (int64) at %list
%d = call callback (0, 1, %list, 0, %stack1)
free frame[7]
%f = eq (%d, 0): int32
# by a list of descriptors, for LAPACK
%a = alloc %n in frame[7]
frame[9] = (%a): (ptr)
words (9, 2, 2): (int64, int64, int64) at %list
%d = call lapack (0, 12, 0, 1, %list, %stack1)
free frame[7]
%f = eq (%d, 0): int32
# by arguments of arguments
%a = alloc %n in frame[7]
words (%n, %a): (int64, ptr) at %arguments0
words (%arguments0): (ptr) at %stack1
%d = call multiply_packed (%stack1)
free frame[7]
%f = eq (%d, 0): int32
# by an address that a kernel reads as a number
%a = alloc %n in frame[7]
%b = number (%a): ptr
store %b<int64> at %stack1
words (%n, %stack1): (int64, ptr) at %block
kernel 0 %block over %n, %n points of 8, unit 1
free frame[7]
# behind a branch that reads it
%a = alloc %n in frame[7]
if %c
  store 1.0<float64> at %a
else
end
free frame[7]
%d = add (%n, 1): int64
# in a branch
if %c
  %a = alloc %n in frame[7]
  store 1.0<float64> at %a
  free frame[7]
else
  %b = alloc 8 in frame[8]
  %d = load %b: float64
  free frame[8]
end
# what a branch hands on
%a = alloc %n in frame[7]
if %c
  %b = alloc %n in frame[8]
  store 1.0<float64> at %b
else
giving %d: ptr = %b or %a
end
%e = load %d: float64
free frame[7]
free frame[8]
%f = add (%n, 1): int64
# what both sides of a branch hand to a slot outside
if %c
  %a = alloc %n in frame[7]
  hand %a in frame[7] to frame[9]
else
  %b = alloc 8 in frame[8]
  hand %b in frame[8] to frame[9]
giving %d: ptr = %a or %b
end
%e = load %d: float64
free frame[9]
%f = add (%n, 1): int64
# from a branch in a branch
if %c
  if %c
    %a = alloc %n in frame[7]
    hand %a in frame[7] to frame[8]
  else
    %b = alloc %n in frame[6]
    hand %b in frame[6] to frame[8]
  giving %d: ptr = %a or %b
  end
  %e = load %d: float64
  hand %d in frame[8] to frame[9]
else
  %f = alloc %n in frame[5]
  hand %f in frame[5] to frame[9]
giving %g: ptr = %d or %f
end
store 1.0<float64> at %g
free frame[9]
%h = add (%n, 1): int64
# a branch hands a result on
if %c
  %a = alloc %n in frame[7]
  hand %a in frame[7] to frame[4]
else
  %b = alloc 8 in frame[8]
  hand %b in frame[8] to frame[4]
giving %d: ptr = %a or %b
end
%e = load %d: float64
# behind a loop that reads it
%a = alloc %n in frame[7]
for %i below %n
  %b = load %a: float64
end
free frame[7]
%d = add (%n, 1): int64
# in each step
for %i below %n
  %a = alloc %n in frame[7]
  store 1.0<float64> at %a
  free frame[7]
  %b = add (%n, %i): int64
end
# what a loop carries
%a = alloc %n in frame[7]
%b = alloc %n in frame[8]
for %i below %n
carrying %p: ptr = %a, then %q
carrying %q: ptr = %b, then %p
  store 1.0<float64> at %q
end
%d = load %p: float64
free frame[7]
free frame[8]
# only what it may be in the end
%a = alloc %n in frame[7]
%b = alloc %n in frame[8]
for %i below %n
carrying %p: ptr = %x, then %r
  store 1.0<float64> at %a
  %r = moved (%b, %i): int64
end
free frame[7]
%d = load %p: float64
free frame[8]
# not where a loop in a branch carries it
%a = alloc %n in frame[7]
if %c
  for %i below %n
  carrying %p: ptr = %x, then %a
    store 1.0<float64> at %p
  end
else
  if %c
  else
  giving %d: ptr = %x or %a
  end
giving %e: ptr = %x or %d
end
%f = load %a: float64
free frame[7]
# what the first step allocates
for %i below %n
carrying %p: ptr = null, then %d
until %s: bool = 0, then %c
  %m = eq (%p, null): ptr
  if %m
    %a = alloc %n in frame[7]
  else
  giving %d: ptr = %a or %p
  end
  store 1.0<float64> at %d
end
%e = load %p: float64
free frame[7]
# what is done once serves all steps
for %i below %n
  once before %i
    %a = alloc %n in frame[7]
    if %c
      %b = alloc 8 in frame[8]
      free frame[8]
    else
    end
  end
  %d = load %a: float64
end
# a loop in a loop
for %i below %n
  %a = alloc %n in frame[7]
  for %j below %n
    %b = alloc %n in frame[8]
    %d = load %a: float64
    store %d<float64> at %b
    free frame[8]
  end
  free frame[7]
  %e = add (%i, 1): int64
end
# below the fence
%a = alloc %n in frame[7]
fence: below nothing fails
words (%n, %a, %x): (int64, ptr, ptr) at %block
kernel 0 %block over %n, %n points of 8, unit 1
free frame[7]
"""
CASES = dict(case.split("\n", 1) for case in TEXT.split("\n# ")[1:])


@pytest.mark.parametrize("name", CASES)
def test_where_memory_is_given_back(name):
    wanted = HEAD + CASES[name]
    lines = wanted.splitlines()
    recorded = "\n".join(line for line in lines if not line.strip().startswith("free "))
    assert text_of(lifetimes(parse(recorded))) == text_of(parse(wanted))


x, n, m = T.dvector("x"), T.lscalar("n"), T.dmatrix("m")


def looped(**options):
    def step(h):
        new = T.tanh(T.dot(h, h)[::-1] * T.exp(h).sum(axis=0))
        return (new, theano.scan_module.until(new.sum() > n)) if options.get("until") else new

    rows, _ = theano.scan(step, outputs_info=m, n_steps=n)
    return rows if options.get("all") else rows[-1:]


PROGRAMS = {
    "chain": lambda: theano.function([m], T.dot(T.exp(T.dot(m, m)), m).sum(axis=0)),
    "branch": lambda: theano.function([x, n], ifelse(n > 0, T.exp(x[::-1]) * 2, x[:2]).sum()),
    "loop": lambda: theano.function([m, n], looped()),
    "loop of all rows": lambda: theano.function([m, n], looped(all=True)),
    "loop that stops": lambda: theano.function([m, n], looped(until=True)),
    "gradient of a loop": lambda: theano.function([m, n], T.grad(looped().sum(), m)),
    "output that is an input": lambda: theano.function([m], [m, m.T, m * 2]),
    "one output twice": lambda: theano.function([m], [m * 2, m * 2, (m * 2).T]),
    "Python": lambda: theano.function([m], T.nlinalg.eig(T.dot(m, m))[0] * 2),
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("steps", [0, 1, 3])
def test_all_but_results_is_given_back(name, steps):
    """And it can be called."""
    f = PROGRAMS[name]()
    program = f.maker.program_text.program
    spec.check(program)
    every = list(ir.walk(program.body))
    handed = [i for i in every if isinstance(i, ir.Hand)]
    made = {i.slot for i in every if isinstance(i, ir.Alloc)} - {i.slot for i in handed}
    made |= {i.to for i in handed}
    assert made - {i.slot for i in every if isinstance(i, ir.Free)} == made & {*program.results}
    given = {x: np.ones(3), n: steps, m: np.eye(3)}
    f(*(given[v.variable] for v in f.maker.arguments))


def test_a_failing_call_gives_everything_back():
    y = T.dvector("y")
    f = theano.function([m, x, y], T.dot(T.exp(T.dot(m, m)), x) + T.exp(y))
    wrong = np.ones((400, 400)), np.ones(400), np.ones(3)

    def fails():
        with pytest.raises(ValueError, match="mis-match"):
            f(*wrong)

    def in_use():
        # Blocks of this size are given back to lists that all threads share.
        stats = native.pool_stats()
        return stats["system_bytes"] - stats["kept_bytes"]

    fails()
    before = in_use()
    fails()
    assert in_use() == before
