"""Programs as data: what they say, as text and back, and what the checker finds."""

from types import SimpleNamespace

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import program_text
from theano._core.lower import interpreter, program as ir, spec
from theano._core.lower.arrays import Array
from theano._core.lower.builder.core import Core
from theano._core.lower.text import bodies_of, parse, text_of
from theano.ifelse import ifelse
from theano.tensor import random
from theano.tensor.signal.pool import pool_2d

x, y, m, w = T.dvector("x"), T.dvector("y"), T.dmatrix("m"), T.fmatrix("w")
z, n = T.zvector("z"), T.lscalar("n")


def program_of(*arguments, **options):
    return theano.function(*arguments, **options).maker.program_text.program


def scan(*arguments, **options):
    return theano.scan(*arguments, **options)[0]


def loop():
    last = scan(lambda h, w: T.tanh(T.dot(h, w)), None, m, m, n_steps=n)[-1]
    return program_of([m, n], [last, T.grad(last.sum(), m)])


def short_rows():
    rows = scan(lambda a, h: T.tanh(a + h) / h.sum(), sequences=m, outputs_info=m[0])
    program = program_of([m], rows[-1])
    # Rows of two arguments, whose lengths may differ, would not be in registers.
    assert any(isinstance(i, ir.ReduceRow) for i in ir.walk(program.body))
    return program


def stops():
    def step(v):
        return v * 2, theano.scan_module.until(v > 1e3)

    return program_of([n], scan(step, outputs_info=T.constant(1.0), n_steps=n)[-1])


def update():
    w = theano.shared(np.ones((3, 3)))
    cost = T.tanh(T.dot(m, w)).sum()
    return program_of([m], cost, updates=[(w, w - 0.1 * T.grad(cost, w))])


def branch():
    chosen = ifelse(n > 0, x.dot(y) * 1j + z.sum(), z[0])
    return program_of([x, y, n], chosen, givens={z: x + 0j})


NUMBERS = [y[0] * np.float64("nan"), y[0] + np.float32(0.1), T.isnan(y[0])]
PROGRAMS = {
    "loop": loop,
    "rows in registers": short_rows,
    "until": stops,
    "update": update,
    "branch": branch,
    "sum": lambda: program_of([m], m.sum(axis=0)),
    "slices": lambda: program_of([x, n], T.set_subtensor(x[n:], x[:-n] * 2)),
    "range": lambda: program_of([n, y], T.arange(n, 2.5 * n, y[0])),
    "linear algebra": lambda: program_of([m], T.nlinalg.matrix_inverse(m)),
    "numbers": lambda: program_of([y], NUMBERS),
    "positions": lambda: program_of([m, n], m[:, [n, 0]]),
    "random numbers": lambda: program_of([], random.normal(random.key(1), (3,))),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_text_reads_back_to_the_same_program(name):
    program = PROGRAMS[name]()
    spec.check(program)
    text = text_of(program)
    again = parse(text, bodies_of(program), program.kernels)
    assert again == program
    assert text_of(again) == text


def test_text_of_a_small_program():
    lines = program_text(theano.function([x, y], T.exp(x) * y)).splitlines()
    assert lines[0].startswith("program with ")
    assert any(line.startswith("step 0:  # ") for line in lines)
    kernel = lines.index("kernel 0: packed, 8 lanes")
    assert lines[kernel + 1 : kernel + 5] == [
        "| loop over 1 axes, as 1 nested loops [[0]]",
        "| read %0: float64",
        "| read %1: float64",
        "| write: float64",
    ]
    assert lines[-1].endswith("the loop of kernel 0")
    assert any(line.startswith("check %m") and "else elementwise (0, 0, " in line for line in lines)
    assert "test_program.py" in "".join(lines)


def test_only_functions_have_a_program_and_only_instructions_are_read():
    with pytest.raises(TypeError, match="only functions have a program"):
        theano.printing.debugprint(x, program=True)
    with pytest.raises(ValueError, match="this is no instruction: add 1 and 2"):
        parse("add 1 and 2")


def is_product(i):
    return isinstance(i, ir.Let) and i.function == "times"


def is_polled(i):
    return isinstance(i, ir.For) and i.polls


ITEM = ir.Load("%item", "float64", "%block")
# The message, the program, which instruction of it, and what stands there instead.
MISTAKES = [
    ("is defined twice", "sum", is_product, lambda i: [i, i]),
    ("is not defined here", "sum", is_product, lambda i: []),
    ("is ptr, not int64", "sum", is_product, lambda i: [i.replace(operands=("%block", 1))]),
    ("was given back before", "loop", ir.Alloc, lambda i: [i, ir.Free(i.slot)]),
    ("the result in slot .* is given back", "sum", ir.Alloc, lambda i: [i, ir.Free(i.slot)]),
    ("is given back twice", "update", ir.Free, lambda i: [i, i]),
    ("may fail below the fence", "update", ir.Fence, lambda i: [i, ir.Alloc("%other", 1, 8)]),
    ("there is no fault 'bad luck'", "sum", ir.Check, lambda i: [i.replace(fault="bad luck")]),
    ("is float64, not int64", "range", ir.Check, lambda i: [ITEM, i.replace(facts=("%item",))]),
    ("not of the dtypes", "range", ir.Compute, lambda i: [i.replace(operands=())]),
    (
        "gives back memory of all steps",
        "loop",
        is_polled,
        lambda i: [i.replace(body=[*i.body, ir.Free(0)])],
    ),
]


@pytest.mark.parametrize(("message", "name", "find", "put"), MISTAKES, ids=[m[0] for m in MISTAKES])
def test_the_checker_finds_mistakes(message, name, find, put):
    program = PROGRAMS[name]()
    block = list(program.body)
    matches = [isinstance(i, find) if isinstance(find, type) else find(i) for i in block]
    at = matches.index(True)
    block[at : at + 1] = put(block[at])
    with pytest.raises(spec.ProgramError, match=message):
        spec.check(program.replace(body=block))


def test_a_kernel_that_is_not_there_is_found():
    program = program_of([x], T.exp(x))
    with pytest.raises(spec.ProgramError, match="there is no kernel 1"):
        spec.check(program.replace(kernels=program.kernels[:1]))


def test_equal_lengths_are_computed_once():
    program = program_of([m], [m * 2, m.T + 1])
    products = [i for i in program.body if is_product(i)]
    assert len(products) == len({(i.operands) for i in products})


def interpreted(f, *values):
    """Return what the interpreter makes of a function: its outputs, then its updates."""
    maker = f.maker
    types = [v.type for v in maker.results] + [target.type for target, _ in maker.updates]
    pairs = zip(values, maker.arguments, strict=True)
    arrays = [np.asarray(v, s.variable.type.dtype) for v, s in pairs]
    shared = [v.get_value() for v in maker.shared]
    return interpreter.run(maker.program_text, [*arrays, *shared], types)


V, M = np.linspace(-1.0, 2.0, 5), np.arange(12.0).reshape(3, 4) / 7 - 0.5
image, kernel = m.dimshuffle("x", "x", 0, 1), m[:2, :3].dimshuffle("x", "x", 0, 1)
convolved = T.nnet.conv2d(image, kernel, border_mode=(1, 0))
pooled = pool_2d(convolved, (2, 2), ignore_border=False, mode="average_inc_pad")
spectra = [T.fft.rfft(m), T.fft.irfft(T.fft.rfft(m)), T.fft.fft(m, norm="ortho")]
EXPRESSIONS = {
    "fused": ([x, y], T.exp(-x) * y + T.switch(x > 0, x, y), [V, V[::-1]]),
    "reductions": ([m], [m.sum(), m.max(axis=0), m.prod(axis=1), (m > 0).any(axis=1)], [M]),
    "views": ([m, n], m.T[1:, ::-1][:, n:].reshape((-1,)), [M, 1]),
    "written": ([m, n], T.set_subtensor(m[n:, ::2], -1.0), [M, -2]),
    "joined": ([x, y], T.concatenate([x, y[::-1], x[:0]]), [V, V]),
    "products": ([m, x], [T.dot(m.T, m), T.dot(m, x[1:]), T.dot(x, x)], [M, V]),
    "both sides": ([m, x], T.dot(m.T, T.exp(T.dot(m, x[1:]))) * 2 + x[1:], [M, V]),
    "steps": ([m, x], scan(lambda a, h: T.tanh(a.sum() + h), m, x), [M, V]),
    "rows": ([m, x], scan(lambda a, h: T.tanh(a + h) / h.sum(), m, x), [M, V[1:]]),
    "either": ([x, n], ifelse(n > 0, x * 2, x[:2]), [V, 0]),
    "ranges": ([n], [T.arange(n, 20, 3), T.arange(0.5, n)], [4]),
    "integers": ([n], [n // 3, n % -3, T.bitwise_and(n, 6), T.cast(n, "int8")], [-200]),
    "complex": ([x], [x * 1j, (x + 1j) / (x - 1j)], [V]),
    "narrow": ([w], [T.tanh(w).sum(axis=1), T.cast(w, "float16")], [M.astype("float32")]),
    "far apart": ([m], [T.exp(m), m.sum(axis=0), m.mean()], [np.asfortranarray(M)[::-1]]),
    "windows": ([m], [convolved, pooled, T.grad((pooled**2).sum(), m)], [M]),
    "transforms": ([m], [*spectra, T.fft.ifft(m * 1j, 5, axis=0)], [M]),
    "extremes": ([m], [m.argmax(axis=0), m.max(axis=0), m[:, :3].argmin(axis=1)], [M]),
    "empty": ([m], [m.sum(axis=1), m.T + 1, T.dot(m, m.T)], [M[:0]]),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_the_interpreter_agrees_with_machine_code(name):
    inputs, outputs, values = EXPRESSIONS[name]
    f = theano.function(inputs, outputs if isinstance(outputs, list) else [outputs])
    for one, two in zip(f(*values), interpreted(f, *values), strict=True):
        assert one.dtype == two.dtype
        np.testing.assert_allclose(one, two, 1e-6 if one.dtype.itemsize < 8 else 1e-13, 1e-15)


def test_the_interpreter_runs_updates():
    s = theano.shared(np.ones((4, 4)))
    cost = T.tanh(T.dot(m, s)).sum()
    f = theano.function([m], cost, updates=[(s, s - 0.1 * T.grad(cost, s))])
    expected = interpreted(f, M)
    assert np.allclose(f(M), expected[0])
    assert np.allclose(s.get_value(), expected[1])


def test_the_interpreter_fails_as_machine_code_does_and_knows_no_libraries():
    f = theano.function([x, n], x[n] * 2)
    with pytest.raises(IndexError, match="index 7 is out of bounds for axis 0 with size 5"):
        interpreted(f, V, 7)
    f = theano.function([m], T.nlinalg.matrix_inverse(m))
    with pytest.raises(NotImplementedError, match="call of lapack"):
        interpreted(f, np.eye(3))


def test_a_stride_that_one_way_computes_is_unknown_on_others():
    p = Core([], [], [], set(), SimpleNamespace(shape=None))
    array, inside = Array("float32", (2, p.fresh()), "%data"), []
    p.if_else(p.fresh(), lambda: inside.append(p.strides(array)))
    outside = p.strides(array)
    assert outside != inside[0] and p.block[-1].name == outside[0]
    # Within a block, and in those inside it, it is computed once.
    assert p.strides(array) == outside
    p.if_else(p.fresh(), lambda: inside.append(p.strides(array)))
    assert inside[1] == outside


@pytest.mark.parametrize(("length", "runs"), [(64, ir.Launch), (65, ir.Reduce)])
def test_a_small_reduction_of_everything_is_called_without_the_runtime(length, runs):
    w = T.specify_shape(theano.shared(np.arange(float(length))), (length,))
    f = theano.function([], [w.sum(), w.max(), T.all(w > -1), T.all(w > 0)])
    every = ir.walk(f.maker.program_text.program.body)
    # The first kernel, for items side by side.
    reductions = [i for i in every if isinstance(i, (ir.Launch, ir.Reduce)) and i.kernel == 0]
    assert {type(i) for i in reductions} == {runs}
    assert [v.item() for v in f()] == [length * (length - 1) / 2, length - 1, True, False]


@pytest.mark.parametrize("length", [3, 16, 64, 100, 1000])
def test_whether_all_or_any_hold_is_told_by_one_number_of_bits(length):
    f = theano.function([x], [T.all(x > 0), T.any(x > 0)])
    kernels = [k for k in f.maker.kernels if hasattr(k, "loop") and k.eager]
    assert any(f"i{k.lanes}" in k.text and "bitcast <" in k.text for k in kernels)
    for place in (None, 0, length // 2, length - 1):
        value = np.ones(length)
        if place is not None:
            value[place] = -1
        for one in (value, -value):
            assert [v.item() for v in f(one)] == [(one > 0).all(), (one > 0).any()]
