"""Which loops have a form for rows that fit a register, and what that does."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import values
from support.comparison import Tolerance
from support.compiling import DEFINITION, evaluate
from support.loops import assert_agree
from theano._core.lower import program as ir, spec
from theano._core.lower.passes.registers import registers
from theano._core.lower.text import parse, text_of

CLOSE = Tolerance(4096, "errors of elementary functions grow with the steps")
x, m, n = T.dvector("x"), T.dmatrix("m"), T.lscalar("n")


def recorded(inputs, outputs):
    """Return the program of a function before any pass."""
    from theano._core.lower.builder import program as builder

    found = []
    run = builder.pipeline.run
    builder.pipeline.run = lambda program, watch=None: run(found.append(program) or program, watch)
    try:
        with theano.change_flags(cache_programs=False):
            theano.function(inputs, outputs, on_unused_input="ignore")
    finally:
        builder.pipeline.run = run
    return found[-1]


def scan(*arguments, **options):
    return theano.scan(*arguments, **options)[0]


def shared_out(t):
    return t / (1 + (t * t).sum())


def sums(of):
    return scan(lambda r, h: [T.tanh(h) + r, of(r, h)], m, [m[0], None])[1][-1]


# Loops that have other forms.
SHORT = {
    "a sum of the row": lambda: scan(lambda h: T.tanh(h) / h.sum(), outputs_info=x, n_steps=n)[-1],
    "all rows": lambda: scan(lambda a, h: T.sin(h) * a, m, m[0]),
    "the last two": lambda: scan(
        lambda a, b: a * 0.9 - b * 0.5, None, {"initial": m[:2], "taps": [-1, -2]}, n_steps=n
    )[-2:],
    "two states": lambda: scan(lambda r, h, c: [T.tanh(c), c * 0.9 + r], m, [m[0], m[1]])[0],
    "one that is handed on": lambda: scan(lambda r, a, b: [a + b + r, a], m, [m[0], m[1]])[1][-1],
    "memory of a step": lambda: scan(lambda a, h: shared_out(T.tanh(a + h)), m, m[0])[-1],
    "what stays": lambda: scan(lambda h, a: T.tanh(h * a), None, m[0], m[1], n_steps=n),
    "a sum that is no state": lambda: sums(lambda r, h: (r * h).sum() + 1),
    "a sum that is the result": lambda: sums(lambda r, h: (r * h).sum()),
    "a number beside the row": lambda: scan(
        lambda r, h, s: [h * s + r, s * 0.5 + r.sum()], m, [m[0], T.constant(1.0)]
    ),
}
# And those that have not.
LONG = {
    "two lengths": lambda: scan(lambda h, a: [T.tanh(h), a * 0.5], None, [x, m[0]], n_steps=n),
    "backwards": lambda: scan(lambda h: h[::-1] * 0.5, outputs_info=x, n_steps=n),
    "one item of it": lambda: scan(lambda h: h * h[1], outputs_info=x, n_steps=n),
    "its first item": lambda: scan(lambda h: h * h[0], outputs_info=x, n_steps=n),
    "an end that a step finds": lambda: scan(
        lambda h: (h * 2, theano.scan_module.until(h.sum() > 9)), outputs_info=x, n_steps=n
    ),
    "the largest item": lambda: scan(lambda h: h / h.max(), outputs_info=x, n_steps=n),
    "a product": lambda: scan(lambda h, a: T.dot(a, h), outputs_info=x, non_sequences=m, n_steps=n),
    "complex numbers": lambda: scan(lambda h: h * h, outputs_info=x + 1j, n_steps=n),
    "rows of complex numbers that are moved": lambda: scan(
        lambda r: T.arcsin(r / (1 + abs(r))).reshape((-1,)), (m + 1j)[:, None]
    ),
    "an item of a table": lambda: scan(lambda k, h: h + m[k], T.arange(n), m[0]),
}


def forms(program):
    """Return the loops that hand rows on in registers."""
    loops = [i for i in ir.walk(program.body) if isinstance(i, ir.For)]
    return [i for i in loops if any("x" in c.type for c in i.carried)]


@pytest.mark.parametrize("name", SHORT)
def test_short_rows_are_in_registers(name):
    out = SHORT[name]()
    program = registers(recorded([x, m, n], out))
    spec.check(program)
    found = forms(program)
    assert found
    for loop in found:
        assert not any(isinstance(i, (ir.Launch, ir.Reduce, ir.Alloc)) for i in ir.walk(loop.body))
    f, wanted = (
        theano.function([x, m, n], out, mode=mode, on_unused_input="ignore")
        for mode in ("FAST_RUN", "FAST_COMPILE")
    )
    for length in (0, 1, 3, 4, 5, 8, 9, 30):
        for steps in (2, 3, 6):
            given = values(length), values((steps, length)), steps
            assert_agree(f(*given), wanted(*given), CLOSE)


@pytest.mark.parametrize("name", LONG)
def test_other_loops_are_as_they_were(name):
    program = recorded([x, m, n], LONG[name]())
    assert not forms(registers(program))


HEAD = """program with 1 words for kernels
stack %arguments0: 24
%n = frame[0]: int64
%k = frame[1]: int64
%x = frame[2]: ptr
%y = frame[3]: ptr
%s = alloc 64 in frame[4]
"""
LOOP = """for %i below %n of rows %k
carrying %h: ptr = %x, then %t
  %o = mul (%i, 64): int64
  %t = moved (%s, %o): int64
  %c = eq (%k, 8): int64
  check %c else elementwise (0, 0, %k, 1, 8, %i) of 1
  words (%k, {read}, {written}): (int64, ptr, ptr) at %arguments0
  kernel 0 %arguments0 over %k, %k points of 7, unit 1
end
"""


def kernel():
    """Return a kernel that doubles a row."""
    program = recorded([x, n], scan(lambda h: h * 2, outputs_info=x, n_steps=n))
    loops = [i for i in ir.walk(program.body) if isinstance(i, ir.For)]
    (number,) = {i.kernel for i in ir.walk(loops[0].body) if isinstance(i, ir.Launch)}
    return program.kernels[number]


def after(read, written):
    program = parse(HEAD + LOOP.format(read=read, written=written), (), (kernel(),))
    return text_of(registers(program)).split("alloc 64 in frame[4]\n")[1].split("kernel 0:")[0]


def test_a_row_is_carried_beside_its_address():
    text = after("%h", "%t")
    assert "%c = eq (%k, 8)" in text.split("if ")[0]
    assert "= at_most (%k, " in text
    inner = text.split("carrying ")[2].split("end")[0]
    assert "kernel" not in inner and "load" not in inner and "store" in inner


def test_memory_that_may_be_in_parts_stays():
    assert "mask" not in after("%s", "%t")
    assert "mask" not in after("%h", "%s")
    # The row that a step leaves at one place is that of the next step.
    assert "mask" not in after("%s", "%s")
    # What an argument has is no memory of the program.
    assert "mask" not in after("%h", "%y")


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "uint8", "float32", "float64"])
def test_numbers_that_each_step_lists(dtype):
    """They are new in each step, though they lie at one place."""
    row = T.vector("row", dtype)
    steps = {
        "stack": scan(lambda v: T.stack([v, v + v, v]), row),
        "list": scan(lambda v: T.as_tensor_variable([v, v * v]) * 2, row),
        "state": scan(lambda v, h: T.cast(T.stack([v, h[0], h[1]]), dtype), row, row[:3]),
        "lengths": scan(lambda v: T.stack([T.arange(T.cast(v, "int64")).shape[0], 1]), row),
    }
    numbers = np.array([1, 3, 2, 7], dtype)
    for name, out in steps.items():
        found, wanted = (evaluate(out, {row: numbers}, mode) for mode in (None, DEFINITION))
        np.testing.assert_array_equal(found, wanted, name)
