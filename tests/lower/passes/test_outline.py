"""Long programs in routines: the same results, errors and memory."""

from types import SimpleNamespace

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.comparison import assert_same
from theano._core.lower import interpreter, program as ir, spec, text
from theano._core.lower.kernel.expression import Body
from theano._core.lower.llvm.print.printer import FEW_RUNS, printed
from theano._core.lower.llvm.target.codegen import compile_text
from theano._core.lower.passes import outline
from theano._core.lower.passes.outline import inlined
from theano._core.lower.reference import evaluate
from theano.ifelse import ifelse


@pytest.fixture(autouse=True)
def lines(monkeypatch):
    """Cut after 20 lines; return what changes that."""

    def after(lines):
        monkeypatch.setattr(outline, "ROUTINE", lines)
        monkeypatch.setattr(outline, "SHORTEST", 2 * lines)
        monkeypatch.setattr(outline, "LONGEST", 0)

    # A program that is kept was made with other limits.
    monkeypatch.setattr(theano.config, "cache_programs", False)
    after(20)
    return after


x, m = T.dvector("x"), T.dmatrix("m")
k = T.lscalar("k")
VECTOR, MATRIX = np.linspace(0.5, 2, 4), np.arange(12.0).reshape(3, 4) / 7


rows, _ = theano.scan(lambda a, h: T.tanh(a + h * k), sequences=m, outputs_info=x)
PROGRAMS = {
    "loops": lambda: T.sort(T.exp(T.dot(m, x))) + T.cumsum(T.tanh(T.dot(m, x))),
    "views": lambda: (m.T[1:, ::-1].reshape((3, 3)) * 2).sum(axis=0),
    "scalars": lambda: T.exp(T.sin(T.cos(x[0] * x[1])) + x[k]) * k + x.shape[0],
    "positions": lambda: T.exp(m)[:, [k, 0]] + T.dot(T.exp(m[:, [1, k]]).T, m)[-1, 0],
    "scan": lambda: rows[-1].sum() + T.grad(rows.sum(), x).sum(),
    "ifelse": lambda: ifelse(T.gt(k, 0), T.dot(m, x).sum(), T.exp(x).sum()),
    "writes": lambda: T.set_subtensor(T.inc_subtensor(m[1:, k], 3.0)[0, k], 7.0) * 2,
    "linear algebra": lambda: T.nlinalg.matrix_inverse(T.dot(m.T, m) + T.eye(4)).dot(x),
}


@pytest.mark.parametrize("name", list(PROGRAMS))
def test_same_results(name, lines):
    out = PROGRAMS[name]()
    f = theano.function([x, m, k], out, on_unused_input="ignore")
    program = f.maker.program_text.program
    assert len(program.routines) > 1
    lines(10**9)
    whole = theano.function([x, m, k], out, on_unused_input="ignore")
    assert not whole.maker.program_text.program.routines
    for step in (1, 2, 1):
        np.testing.assert_array_equal(f(VECTOR, MATRIX, step), whole(VECTOR, MATRIX, step))
    spec.check(program)
    assert text.parse(text.text_of(program), text.bodies_of(program), program.kernels) == program
    assert without_names(inlined(program)) == without_names(whole.maker.program_text.program)


def without_names(program):
    """Return a program as a pattern: registers by their order."""
    part = outline._Part(program.body)
    return part.pattern, part.numbers, program.stacks, program.results


def nested_sines(v):
    y = v[0]
    for _ in range(70):
        y = T.sin(y) + 0.3 * v[0]
    return T.grad(y, v[0])


def kinematics(v):
    angle = at = 0.0
    for q in v[:60]:
        angle = angle + q
        at = at + T.cos(angle) * (1 + T.sin(angle))
    return sum(T.grad(at, v[:60]))


def pendulum(v):
    angle, speed = v[:2]
    for _ in range(50):
        speed = speed - 0.05 * T.sin(angle)
        angle = angle + 0.05 * speed
    return angle * speed


def complex_chain(v):
    z = T.complex(v[0], v[1])
    for q in v[:20]:
        z = T.exp(T.sin(z) * 0.3) + T.log(z + q + 3)
    return abs(z)


LONG = {
    "sums of sines": lambda v: sum(T.sin(q) for q in v),
    "Fourier sum": lambda v: sum(T.sin((2 * k + 1) * v[0]) / (2 * k + 1) for k in range(99)),
    **{f.__name__: f for f in (nested_sines, kinematics, pendulum, complex_chain)},
}


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
@pytest.mark.parametrize("program", LONG)
def test_long_scalar_programs(program, mode, lines):
    lines(1500)
    v, numbers = T.dscalars(120), np.linspace(0.01, 1, 120)
    out, at = LONG[program](v), dict(zip(v, map(np.asarray, numbers), strict=True))
    f = theano.function(v, out, mode=mode, on_unused_input="ignore")
    np.testing.assert_allclose(f(*numbers), evaluate([out], at)[0], rtol=1e-12)


def test_errors_come_from_any_routine():
    f = theano.function([x, m, k], T.sort(T.exp(T.dot(m, x)))[k] + x[k + 2])
    assert len(f.maker.program_text.program.routines) > 1
    f(VECTOR, MATRIX, 1)
    with pytest.raises(IndexError, match="Apply node"):
        f(VECTOR, MATRIX, 2)
    with pytest.raises(IndexError):
        f(VECTOR, MATRIX, 3)
    with pytest.raises(ValueError, match=r"Shape mismatch: in T.dot\(m, x\)"):
        f(VECTOR[:3], MATRIX, 0)


def made(body, *stacks):
    """Return a program in routines, which LLVM has accepted."""
    whole = ir.Program(body, stacks, 1, kernels=(SimpleNamespace(eager=True),) * 40)
    spec.check(whole)
    program = outline.outline(whole)
    spec.check(program)
    assert without_names(inlined(program)) == without_names(whole)
    compile_text(printed(program), 128)
    return program


def filler(name, count=100):
    """Return instructions that are no pattern: no two parts of them are equal."""
    functions = ("add", "sub", "mul", "and", "or", "xor", "minimum", "maximum")
    rng = np.random.default_rng(ord(name[0]))
    return [ir.Let(f"%{name}{i}", functions[rng.integers(8)], (i, 7)) for i in range(count)]


def routine_of(program, instruction):
    """Return which routine has an instruction; no other has."""
    (found,) = (i for i, each in enumerate(program.routines) if instruction in each.body)
    return found


def test_a_short_program_stays_whole():
    program = ir.Program(filler("a", 30), (), 1)
    assert outline.outline(program) is program
    assert inlined(program) == program


def test_what_level_0_does_quickly_stays_whole(monkeypatch):
    """Unless steps are alike, or a loop computes for itself, or there is too much of it."""
    monkeypatch.setattr(outline, "LONGEST", 1000)

    def steps(count, longest):
        parts = [[ir.Step(i), *filler(f"{chr(97 + i)}s", 1 + i % longest)] for i in range(count)]
        return [i for part in parts for i in part]

    def is_cut(body):
        program = ir.Program(body, (), 1)
        return outline.outline(program) is not program

    different = steps(20, 20)
    assert not is_cut(different)
    assert is_cut(steps(20, 4))
    assert is_cut([*different, ir.For("%i", 100, (), filler("z", 3))])
    monkeypatch.setattr(outline, "LONGEST", 100)
    assert is_cut(different)


def test_equal_parts_are_one_routine():
    """With operands, results and numbers of their own: twice as many are no more text."""

    def lines_of(count):
        body = [ir.Let("%s0", "add", (0, 0))]
        for i in range(count):
            body += [ir.Step(i), ir.FrameLoad(f"%f{i}", 7 * i, "int64")]
            body += [ir.Let(f"%s{i + 1}", "add", (f"%f{i}", f"%s{i}"))]
            body += [ir.Let(f"%c{i}", "lt", (i, f"%s{i}"))]
            body += [ir.Check(f"%c{i}", "index", (f"%s{i}", i), i + 5)]
        program = made(body)
        return len(program.routines), len(printed(program).split("\n"))

    short, long = lines_of(50), lines_of(100)
    assert short == long
    assert 1 < short[0] < 5


def test_what_a_number_stands_for_may_be_the_pattern():
    """Constants of a condition, and of loops that are too short to be shared among threads."""
    body = []
    for i in range(40):
        body.append(ir.Let(f"%s{i}", "select", (i % 2, i, 3)))
        body.append(ir.Launch(i, "%block", 1, 7 + i, 1, 1))
    for i in range(40):
        body.append(ir.Launch(i, "%block", 1, 700 + i, 1, 1))
    program = made(body)
    inside = [i for routine in program.routines for i in routine.body]
    selects = {i.operands[0] for i in inside if isinstance(i, ir.Let) and i.function == "select"}
    totals = {i.total for i in inside if isinstance(i, ir.Launch)}
    assert selects == {0, 1}
    assert totals > set(range(7, 47))
    assert "%row.0" in totals or "%row.1" in totals


def test_what_is_no_word_stays_with_its_uses():
    row = ir.Widen("%wide", ir.Number("float64", bytes(8)), 8)
    same = Body(("float64",), (), (0,), ())
    use = ir.Compute("%use", "float64", same, (ir.Register("%wide", "float64", 8),), 8)
    program = made([*filler("a"), row, *filler("b"), use, *filler("c")])
    assert routine_of(program, row) == routine_of(program, use)
    assert len(program.routines) > 4
    load = ir.Load("%z", "complex128", "%block")
    store = ir.Store("%block", ir.Register("%z", "complex128"))
    program = made([*filler("a"), load, *filler("b"), store, *filler("c")])
    assert routine_of(program, load) == routine_of(program, store)
    assert outline.outline(ir.Program([load, *filler("a"), store], (), 1)).routines == ()


@pytest.mark.parametrize("kind", ["bool", "int8", "float16", "float32", "float64", "ptr"])
def test_values_of_any_word(kind):
    make = ir.FrameLoad("%value", 3, kind)
    use = ir.FrameStore(4, ("%value",), (kind,))
    program = made([make, *filler("a"), use, *filler("b")])
    loads = [i for r in program.routines for i in r.body if isinstance(i, ir.LiveLoad)]
    assert kind in {i.type for i in loads}


def test_places_on_the_stack_are_shared():
    write = [ir.Words("%stack0", (1, 2), ("int64", "int64"))]
    read = [ir.Reduce(0, "%stack0", (0,) * 10)]
    program = made([*write, *filler("a"), *read, *filler("b")], ("%stack0", 16))
    assert isinstance(program.body[0], ir.LiveStore)
    assert sum("alloca [32 x i8]" in line for line in printed(program).split("\n")) == 1


def test_words_are_used_again():
    body = [ir.Let(f"%w{i}", "add", (f"%w{i - 1}" if i else 0, 1)) for i in range(400)]
    assert made(body).live_words <= 3


def test_what_a_report_alone_reads_is_loaded_there():
    facts = ir.Check("%c", "index", ("%a1", "%a2"), 0)
    body = [ir.Let("%c", "lt", (1, 2)), facts, ir.Let("%u", "add", ("%a2", 1))]
    program = made([*filler("a"), *body, *filler("b")])
    routine = program.routines[routine_of(program, facts)]
    late = {i.name: i.late for i in routine.body if isinstance(i, ir.LiveLoad)}
    assert late == {"%a1": True, "%a2": False}
    lines = printed(program).split("\n")
    bad = lines.index("  %u = add i64 %a2, 1")
    assert not any(line.startswith("  %a1 = load") for line in lines)
    assert any("fact0 = load i64" in line for line in lines[bad:])


def test_only_what_runs_often_is_improved():
    loop = ir.For("%i", 9, (), filler("b"))
    program = made([*filler("a"), loop, *filler("c")])
    heads = [line for line in printed(program).split("\n") if line.startswith("define internal")]
    # The loop is in one routine, its body in others.
    often = [
        routine.runs > FEW_RUNS or any(isinstance(i, ir.For) for i in routine.body)
        for routine in program.routines
    ]
    assert ["optnone" in head for head in heads] == [not it for it in often]
    body = {i.routine for i in looped(program).body if isinstance(i, ir.Run)}
    assert len(body) > 1
    assert {n for n, routine in enumerate(program.routines) if routine.runs == ir.MANY} == body
    often = [ir.Let(f"%s{i + 1}", "add", (f"%s{i}", i % 7)) for i in range(400)]
    text_of_often = printed(made([ir.Let("%s0", "add", (0, 0)), *often]))
    assert "noinline {" in text_of_often


def looped(program):
    """Return the loop of a program, of which it has one."""
    blocks = [routine.body for routine in program.routines]
    (found,) = (i for block in blocks for i in block if isinstance(i, ir.For))
    return found


def test_bodies_of_loops_and_branches_are_cut():
    inside = [
        ir.Let("%n0", "add", ("%h", "%i")),
        ir.Words("%place", ("%n0",), ("int64",)),
        *[ir.Let(f"%n{k + 1}", "add", (f"%n{k}", "%a1")) for k in range(60)],
    ]
    branch = ir.If(
        "%c",
        [*filler("d"), ir.Let("%one", "add", ("%d7", "%n60"))],
        filler("e", 10),
        (ir.Merge("%m", "int64", "%one", "%n5"),),
    )
    body = [*inside, ir.Let("%c", "eq", ("%n60", 9), "int64"), branch]
    carried = (ir.Carried("%h", "int64", "%a0", "%m"), ir.Carried("%k", "int64", 0, 5))
    loop = ir.For("%i", 9, carried, body, ir.Carried("%stop", "bool", 0, "%c"))
    program = made([*filler("a"), loop, ir.Let("%u", "add", ("%h", "%a2"))], ("%place", 8))
    cut = looped(program)
    assert sum(isinstance(i, ir.Run) for i in cut.body) > 2
    assert {"%m", "%c"} <= {i.name for i in cut.body if isinstance(i, ir.LiveLoad)}
    runs = [i for routine in program.routines for i in ir.walk(routine.body)]
    assert any(isinstance(i, ir.Run) for i in runs)
    assert text.parse(text.text_of(program), text.bodies_of(program), program.kernels) == program


def test_what_is_no_word_keeps_a_body_whole():
    wide = ir.Carried("%r", "float64x8", ir.Register("%r0", "float64", 8), "%r")
    row = ir.Widen("%r0", ir.Number("float64", bytes(8)), 8)
    body = [*filler("b"), ir.StoreRow("%p", ir.Register("%r", "float64", 8), "%mask")]
    given = [ir.FrameLoad("%p", 3, "ptr"), ir.Mask("%mask", 5, 8), row]
    program = made([*filler("a"), *given, ir.For("%i", 9, (wide,), body)])
    assert not any(isinstance(i, ir.Run) for i in looped(program).body)


@pytest.mark.parametrize("kind", ["float64", "complex128", "int8", "bool"])
def test_long_steps_of_loops(kind, lines):
    state = T.TensorType(kind, (False,))("state")

    def step(row, h, n):
        for _ in range(6):
            h = T.cast(h * 2 + T.cast(row, kind).sum(), kind)
            n = n + T.cast(T.abs_(h).sum(), "float64")
        return [ifelse(T.gt(n, 3), h, T.zeros_like(h)), n]

    rows, _ = theano.scan(step, sequences=m, outputs_info=[state, np.float64(0.0)])
    outputs = [rows[0], rows[1][-1]]
    arguments = [np.ones(3, kind), MATRIX]
    cut = theano.function([state, m], outputs)
    routines = cut.maker.program_text.program.routines
    assert any(isinstance(i, ir.For) for r in routines for i in ir.walk(r.body))
    lines(10**6)
    whole = theano.function([state, m], outputs)
    assert not whole.maker.program_text.program.routines
    assert_same(cut(*arguments), whole(*arguments))


def test_routines_that_are_wrong_are_refused():
    program = made([*filler("a"), ir.Let("%u", "add", ("%a1", "%a2")), *filler("b")])
    first = next(n for n, i in enumerate(program.body) if isinstance(i, ir.Run))
    for body in (
        [i for n, i in enumerate(program.body) if n != first],
        [*program.body[:-1], ir.Run(program.body[-1].routine, (1,) * 99)],
    ):
        with pytest.raises(spec.ProgramError):
            spec.check(program.replace(body=body))
    with pytest.raises(spec.ProgramError, match="no such word"):
        spec.check(program.replace(live_words=1))


def test_the_interpreter_runs_routines():
    f = theano.function([x, m], T.exp(T.dot(m, x)) + T.tanh(m).sum(axis=1))
    program = f.maker.program_text
    assert program.program.routines
    (found,) = interpreter.run(program, [VECTOR, MATRIX], [T.dvector])
    np.testing.assert_allclose(found, f(VECTOR, MATRIX), rtol=1e-14)
    assert f.memory_plan(VECTOR, MATRIX).peak > 0
