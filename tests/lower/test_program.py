"""Programs as data: what they say, as text and back, and what the checker finds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower import program as ir
from theano._core.lower import spec
from theano._core.lower.text import bodies_of, parse, text_of
from theano.ifelse import ifelse

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
    rows, _ = theano.scan(lambda a, h: T.tanh(a + h) / h.sum(), sequences=m, outputs_info=x)
    return program_of([m, x], rows[-1])


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
    assert parse(text, bodies_of(program)) == program
    assert text_of(parse(text, bodies_of(program))) == text


def test_text_of_a_small_program() -> None:
    f = theano.function([x, y], T.exp(x) * y)
    lines = theano.printing.debugprint(f, program=True, file="str").splitlines()
    assert lines[0].startswith("program with ")
    assert any(line.startswith("step 0:  # ") for line in lines)
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
    return program._replace(body=block)


def is_let(i: Any) -> bool:
    return isinstance(i, ir.Let) and i.function == "times"


MISTAKES: dict[str, tuple[str, Callable[[Any], bool], Callable[[Any], Any]]] = {
    "is defined twice": ("sum", is_let, lambda i: [i, i]),
    "is not defined here": ("sum", is_let, lambda i: []),
    "is ptr, not int64": ("sum", is_let, lambda i: [i._replace(operands=("%block", 1))]),
    "is given back twice": ("update", lambda i: isinstance(i, ir.Free), lambda i: [i, i]),
    "may fail below the fence": (
        "update",
        lambda i: isinstance(i, ir.Fence),
        lambda i: [i, ir.Alloc("%other", 1, 8)],
    ),
    "there is no fault 'bad luck'": (
        "sum",
        lambda i: isinstance(i, ir.Check),
        lambda i: [i._replace(fault="bad luck")],
    ),
    "is float64, not int64": (
        "range",
        lambda i: isinstance(i, ir.Check),
        lambda i: [ir.Load("%item", "float64", "%block"), i._replace(facts=("%item",))],
    ),
    "not of the dtypes": (
        "range",
        lambda i: isinstance(i, ir.Compute),
        lambda i: [i._replace(operands=())],
    ),
    "gives back memory of all steps": (
        "loop",
        lambda i: isinstance(i, ir.For) and i.polls,
        lambda i: [i._replace(body=[*i.body, ir.Free(0)])],
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
