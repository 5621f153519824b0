"""Programs as data: what they say, as text and back, and what the checker finds."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower import interpreter, program as ir, spec
from theano._core.lower.arrays import Array
from theano._core.lower.builder.core import Core
from theano._core.lower.text import bodies_of, parse, text_of
from theano.ifelse import ifelse
from theano.tensor.signal.pool import pool_2d

x, y, m = T.dvector("x"), T.dvector("y"), T.dmatrix("m")
z, n = T.zvector("z"), T.lscalar("n")


def program_of(*args: Any, **options: Any) -> ir.Program:
    return theano.function(*args, **options).maker.program_text.program


def loop() -> ir.Program:
    rows, _ = theano.scan(
        lambda h, w: T.tanh(T.dot(h, w)), outputs_info=m, non_sequences=m, n_steps=n
    )
    return program_of([m, n], [rows[-1], T.grad(rows[-1].sum(), m)])


def short_rows() -> ir.Program:
    rows, _ = theano.scan(lambda a, h: T.tanh(a + h) / h.sum(), sequences=m, outputs_info=m[0])
    program = program_of([m], rows[-1])
    # Rows of two arguments, whose lengths may differ, would not be in registers.
    assert any(isinstance(i, ir.ReduceRow) for i in ir.walk(program.body))
    return program


def stops() -> ir.Program:
    rows, _ = theano.scan(
        lambda v: (v * 2, theano.scan_module.until(v > 1e3)),
        outputs_info=T.constant(1.0),
        n_steps=n,
    )
    return program_of([n], rows[-1])


def update() -> ir.Program:
    w = theano.shared(np.ones((3, 3)))
    cost = T.tanh(T.dot(m, w)).sum()
    return program_of([m], cost, updates=[(w, w - 0.1 * T.grad(cost, w))])


PROGRAMS: dict[str, Callable[[], ir.Program]] = {
    "loop": loop,
    "rows in registers": short_rows,
    "until": stops,
    "update": update,
    "branch": lambda: program_of(
        [x, y, n], ifelse(n > 0, x.dot(y) * 1j + z.sum(), z[0]), givens={z: x + 0j}
    ),
    "sum": lambda: program_of([m], m.sum(axis=0)),
    "slices": lambda: program_of([x, n], T.set_subtensor(x[n:], x[:-n] * 2)),
    "range": lambda: program_of([n, y], T.arange(n, 2.5 * n, y[0])),
    "linear algebra": lambda: program_of([m], theano.tensor.nlinalg.matrix_inverse(m)),
    "numbers": lambda: program_of(
        [y], [y[0] * np.float64("nan"), y[0] + np.float32(0.1), T.isnan(y[0])]
    ),
    "positions": lambda: program_of([m, n], m[:, [n, 0]]),
    "random numbers": lambda: program_of(
        [], theano.tensor.random.normal(theano.tensor.random.key(1), (3,))
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_text_reads_back_to_the_same_program(name: str) -> None:
    program = PROGRAMS[name]()
    spec.check(program)
    text = text_of(program)
    again = parse(text, bodies_of(program), program.kernels)
    assert again == program
    assert text_of(again) == text


def test_text_of_a_small_program() -> None:
    f = theano.function([x, y], T.exp(x) * y)
    lines = theano.printing.debugprint(f, program=True, file="str").splitlines()
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


def test_only_functions_have_a_program() -> None:
    with pytest.raises(TypeError, match="only functions have a program"):
        theano.printing.debugprint(x, program=True)


def test_no_instruction() -> None:
    with pytest.raises(ValueError, match="this is no instruction: add 1 and 2"):
        parse("add 1 and 2")


def changed(
    program: ir.Program, find: Callable[[Any], bool], put: Callable[[Any], Any]
) -> ir.Program:
    """Return a program with what `put` makes of the first instruction that is found."""
    block = list(program.body)
    at = next(i for i, instruction in enumerate(block) if find(instruction))
    block[at : at + 1] = put(block[at])
    return program.replace(body=block)


def is_let(i: Any) -> bool:
    return isinstance(i, ir.Let) and i.function == "times"


MISTAKES: dict[str, tuple[str, Callable[[Any], bool], Callable[[Any], Any]]] = {
    "is defined twice": ("sum", is_let, lambda i: [i, i]),
    "is not defined here": ("sum", is_let, lambda i: []),
    "is ptr, not int64": ("sum", is_let, lambda i: [i.replace(operands=("%block", 1))]),
    "was given back before": (
        "loop",
        lambda i: isinstance(i, ir.Alloc),
        lambda i: [i, ir.Free(i.slot)],
    ),
    "the result in slot .* is given back": (
        "sum",
        lambda i: isinstance(i, ir.Alloc),
        lambda i: [i, ir.Free(i.slot)],
    ),
    "is given back twice": ("update", lambda i: isinstance(i, ir.Free), lambda i: [i, i]),
    "may fail below the fence": (
        "update",
        lambda i: isinstance(i, ir.Fence),
        lambda i: [i, ir.Alloc("%other", 1, 8)],
    ),
    "there is no fault 'bad luck'": (
        "sum",
        lambda i: isinstance(i, ir.Check),
        lambda i: [i.replace(fault="bad luck")],
    ),
    "is float64, not int64": (
        "range",
        lambda i: isinstance(i, ir.Check),
        lambda i: [ir.Load("%item", "float64", "%block"), i.replace(facts=("%item",))],
    ),
    "not of the dtypes": (
        "range",
        lambda i: isinstance(i, ir.Compute),
        lambda i: [i.replace(operands=())],
    ),
    "gives back memory of all steps": (
        "loop",
        lambda i: isinstance(i, ir.For) and i.polls,
        lambda i: [i.replace(body=[*i.body, ir.Free(0)])],
    ),
}


@pytest.mark.parametrize("message", MISTAKES)
def test_the_checker_finds_mistakes(message: str) -> None:
    name, find, put = MISTAKES[message]
    broken = changed(PROGRAMS[name](), find, put)
    with pytest.raises(spec.ProgramError, match=message):
        spec.check(broken)


def test_equal_lengths_are_computed_once() -> None:
    program = program_of([m], [m * 2, m.T + 1])
    products = [i for i in program.body if isinstance(i, ir.Let) and i.function == "times"]
    assert len(products) == len({(i.operands) for i in products})


def interpreted(f: Any, *values: Any) -> list[Any]:
    """Return what the interpreter makes of a function: its outputs, then its updates."""
    maker = f.maker
    shared = [v.get_value() for v in maker.shared]
    types = [v.type for v in maker.results] + [target.type for target, _ in maker.updates]
    arrays = [
        np.asarray(v, s.variable.type.dtype) for v, s in zip(values, maker.arguments, strict=True)
    ]
    return interpreter.run(maker.program_text, [*arrays, *shared], types)


V, M = np.linspace(-1.0, 2.0, 5), np.arange(12.0).reshape(3, 4) / 7 - 0.5
w = T.fmatrix("w")
image, kernel = m.dimshuffle("x", "x", 0, 1), m[:2, :3].dimshuffle("x", "x", 0, 1)
convolved = T.nnet.conv2d(image, kernel, border_mode=(1, 0))
pooled = pool_2d(convolved, (2, 2), ignore_border=False, mode="average_inc_pad")
EXPRESSIONS: dict[str, tuple[list[Any], Any, list[Any]]] = {
    "fused": ([x, y], T.exp(-x) * y + T.switch(x > 0, x, y), [V, V[::-1]]),
    "reductions": ([m], [m.sum(), m.max(axis=0), m.prod(axis=1), (m > 0).any(axis=1)], [M]),
    "views": ([m, n], m.T[1:, ::-1][:, n:].reshape((-1,)), [M, 1]),
    "written": ([m, n], T.set_subtensor(m[n:, ::2], -1.0), [M, -2]),
    "joined": ([x, y], T.concatenate([x, y[::-1], x[:0]]), [V, V]),
    "products": ([m, x], [T.dot(m.T, m), T.dot(m, x[1:]), T.dot(x, x)], [M, V]),
    "both sides": ([m, x], T.dot(m.T, T.exp(T.dot(m, x[1:]))) * 2 + x[1:], [M, V]),
    "steps": (
        [m, x],
        theano.scan(lambda a, h: T.tanh(a.sum() + h), sequences=m, outputs_info=x)[0],
        [M, V],
    ),
    "rows": (
        [m, x],
        theano.scan(lambda a, h: T.tanh(a + h) / h.sum(), sequences=m, outputs_info=x)[0],
        [M, V[1:]],
    ),
    "either": ([x, n], ifelse(n > 0, x * 2, x[:2]), [V, 0]),
    "ranges": ([n], [T.arange(n, 20, 3), T.arange(0.5, n)], [4]),
    "integers": ([n], [n // 3, n % -3, T.bitwise_and(n, 6), T.cast(n, "int8")], [-200]),
    "complex": ([x], [x * 1j, (x + 1j) / (x - 1j)], [V]),
    "narrow": ([w], [T.tanh(w).sum(axis=1), T.cast(w, "float16")], [M.astype("float32")]),
    "far apart": ([m], [T.exp(m), m.sum(axis=0), m.mean()], [np.asfortranarray(M)[::-1]]),
    "windows": ([m], [convolved, pooled, T.grad((pooled**2).sum(), m)], [M]),
    "transforms": (
        [m],
        [
            T.fft.rfft(m),
            T.fft.irfft(T.fft.rfft(m)),
            T.fft.ifft(m * 1j, 5, axis=0),
            T.fft.fft(m, norm="ortho"),
        ],
        [M],
    ),
    "extremes": ([m], [m.argmax(axis=0), m.max(axis=0), m[:, :3].argmin(axis=1)], [M]),
    "empty": ([m], [m.sum(axis=1), m.T + 1, T.dot(m, m.T)], [M[:0]]),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_the_interpreter_agrees_with_machine_code(name: str) -> None:
    inputs, outputs, values = EXPRESSIONS[name]
    f = theano.function(inputs, outputs, mode="FAST_RUN")
    got = f(*values)
    for one, two in zip(
        got if isinstance(got, list) else [got], interpreted(f, *values), strict=True
    ):
        assert one.dtype == two.dtype
        np.testing.assert_allclose(one, two, 1e-6 if one.dtype.itemsize < 8 else 1e-13, 1e-15)


def test_the_interpreter_runs_updates() -> None:
    s = theano.shared(np.ones((4, 4)))
    cost = T.tanh(T.dot(m, s)).sum()
    f = theano.function([m], cost, updates=[(s, s - 0.1 * T.grad(cost, s))])
    expected = interpreted(f, M)
    assert np.allclose(f(M), expected[0])
    assert np.allclose(s.get_value(), expected[1])


def test_the_interpreter_fails_as_machine_code_does() -> None:
    f = theano.function([x, n], x[n] * 2)
    with pytest.raises(IndexError, match="index 7 is out of bounds for axis 0 with size 5"):
        interpreted(f, V, 7)


def test_what_the_interpreter_does_not_know() -> None:
    f = theano.function([m], theano.tensor.nlinalg.matrix_inverse(m))
    with pytest.raises(NotImplementedError, match="call of lapack"):
        interpreted(f, np.eye(3))


def test_a_kernel_that_is_not_there_is_found() -> None:
    program = program_of([x], T.exp(x))
    with pytest.raises(spec.ProgramError, match="there is no kernel 1"):
        spec.check(program.replace(kernels=program.kernels[:1]))


def test_a_stride_that_one_way_computes_is_unknown_on_others() -> None:
    p = Core([], [], [], set(), SimpleNamespace(shape=None))
    length = p.fresh()
    array = Array("float32", (2, length), "%data")
    inside: list[Any] = []
    p.if_else(p.fresh(), lambda: inside.append(p.strides(array)))
    outside = p.strides(array)
    assert outside != inside[0] and p.block[-1].name == outside[0]
    # Within a block, and in those inside it, it is computed once.
    assert p.strides(array) == outside
    p.if_else(p.fresh(), lambda: inside.append(p.strides(array)))
    assert inside[1] == outside


def test_a_small_reduction_of_everything_is_called_without_the_runtime() -> None:
    for length, runs in ((64, ir.Launch), (65, ir.Reduce)):
        w = theano.shared(np.arange(float(length)))
        w = T.specify_shape(w, (length,))
        program = program_of([], [w.sum(), w.max(), T.all(w > 1)])
        every = [i for i in ir.walk(program.body) if isinstance(i, (ir.Launch, ir.Reduce))]
        # The first kernel, for items side by side.
        assert {type(i) for i in every if i.kernel == 0} == {runs}
        got = theano.function([], [w.sum(), w.max(), T.all(w > -1), T.all(w > 0)])()
        assert [v.item() for v in got] == [length * (length - 1) / 2, length - 1, True, False]


@pytest.mark.parametrize("length", [3, 16, 64, 100, 1000])
def test_whether_all_or_any_hold_is_told_by_one_number_of_bits(length: int) -> None:
    f = theano.function([x], [T.all(x > 0), T.any(x > 0)])
    kernels = [k for k in f.maker.kernels if hasattr(k, "loop") and k.eager]
    assert any(f"i{k.lanes}" in k.text and "bitcast <" in k.text for k in kernels)
    value = np.ones(length)
    assert [v.item() for v in f(value)] == [True, True]
    assert [v.item() for v in f(-value)] == [False, False]
    for place in (0, length // 2, length - 1):
        mixed = value.copy()
        mixed[place] = -1
        assert [v.item() for v in f(mixed)] == [False, True]
        assert [v.item() for v in f(-mixed)] == [False, True]
