"""Long entry functions in several pieces: the same results, errors and memory."""

from __future__ import annotations

import re
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower.llvm.print import printer, split
from theano._core.lower.llvm.target import machine
from theano._core.lower.llvm.target.codegen import compile_text
from theano._core.lower.reference import evaluate
from theano._core.runtime.cache import CompileCache
from theano.ifelse import ifelse


@pytest.fixture(autouse=True)
def pieces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[int]:
    """Cut after 20 lines; return the numbers of functions that programs were cut into.

    A program is cut where there is no code of it yet.
    """
    cache = CompileCache(str(tmp_path))
    monkeypatch.setattr(machine, "_modules", OrderedDict())
    monkeypatch.setattr(machine, "cache", lambda: cache)
    counts: list[int] = []

    def counted(*parts: Any) -> Any:
        text = split.split(*parts)
        counts.append(sum(line.startswith("define internal") for line in text or ()))
        return text

    monkeypatch.setattr(split, "PIECE", 20)
    monkeypatch.setattr(split, "SHORTEST", 40)
    monkeypatch.setattr(printer, "split", counted)
    return counts


x, m = T.dvector("x"), T.dmatrix("m")
k = T.lscalar("k")
VECTOR, MATRIX = np.linspace(0.5, 2, 4), np.arange(12.0).reshape(3, 4) / 7


def scanned() -> Any:
    rows, _ = theano.scan(lambda a, h: T.tanh(a + h * k), sequences=m, outputs_info=x)
    return rows[-1].sum() + T.grad(rows.sum(), x).sum()


PROGRAMS = {
    "loops": lambda: T.sort(T.exp(T.dot(m, x))) + T.cumsum(T.tanh(T.dot(m, x))),
    "views": lambda: (m.T[1:, ::-1].reshape((3, 3)) * 2).sum(axis=0),
    "scalars": lambda: T.exp(T.sin(T.cos(x[0] * x[1])) + x[k]) * k + x.shape[0],
    "positions": lambda: T.exp(m)[:, [k, 0]] + T.dot(T.exp(m[:, [1, k]]).T, m)[-1, 0],
    "scan": scanned,
    "ifelse": lambda: ifelse(T.gt(k, 0), T.dot(m, x).sum(), T.exp(x).sum()),
    "writes": lambda: T.set_subtensor(T.inc_subtensor(m[1:, k], 3.0)[0, k], 7.0) * 2,
    "linear algebra": lambda: T.nlinalg.matrix_inverse(T.dot(m.T, m) + T.eye(4)).dot(x),
}


@pytest.mark.parametrize("name", list(PROGRAMS))
def test_same_results(name: str, pieces: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    out = PROGRAMS[name]()
    f = theano.function([x, m, k], out, on_unused_input="ignore")
    assert pieces[-1] > 1
    monkeypatch.setattr(split, "SHORTEST", 10**9)
    count = len(pieces)
    whole = theano.function([x, m, k], out, on_unused_input="ignore")
    assert len(pieces) == count
    for step in (1, 2, 1):
        np.testing.assert_array_equal(f(VECTOR, MATRIX, step), whole(VECTOR, MATRIX, step))


def sums_of_sines(v: Any) -> Any:
    return sum(T.sin(q) for q in v)


def nested_sines(v: Any) -> Any:
    y = v[0]
    for _ in range(70):
        y = T.sin(y) + 0.3 * v[0]
    return T.grad(y, v[0])


def kinematics(v: Any) -> Any:
    angle = at = 0.0
    for q in v[:60]:
        angle = angle + q
        at = at + T.cos(angle) * (1 + T.sin(angle))
    return sum(T.grad(at, v[:60]))


def pendulum(v: Any) -> Any:
    angle, speed = v[:2]
    for _ in range(50):
        speed = speed - 0.05 * T.sin(angle)
        angle = angle + 0.05 * speed
    return angle * speed


def fourier_sum(v: Any) -> Any:
    return sum(T.sin((2 * k + 1) * v[0]) / (2 * k + 1) for k in range(99))


def complex_chain(v: Any) -> Any:
    z = T.complex(v[0], v[1])
    for q in v[:20]:
        z = T.exp(T.sin(z) * 0.3) + T.log(z + q + 3)
    return abs(z)


LONG = [sums_of_sines, nested_sines, kinematics, pendulum, fourier_sum, complex_chain]


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
@pytest.mark.parametrize("program", LONG)
def test_long_scalar_programs(
    program: Any, mode: str, pieces: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    v = T.dscalars(120)
    out = program(v)
    f = theano.function(v, out, mode=mode, on_unused_input="ignore")
    numbers = np.linspace(0.01, 1, 120)
    at = dict(zip(v, map(np.asarray, numbers), strict=True))
    np.testing.assert_allclose(f(*numbers), evaluate([out], at)[0], rtol=1e-12)


def test_errors_come_from_any_piece(pieces: list[int]) -> None:
    f = theano.function([x, m, k], T.sort(T.exp(T.dot(m, x)))[k] + x[k + 2])
    assert pieces[-1] > 1
    f(VECTOR, MATRIX, 1)
    with pytest.raises(IndexError, match="Apply node"):
        f(VECTOR, MATRIX, 2)
    with pytest.raises(IndexError):
        f(VECTOR, MATRIX, 3)
    with pytest.raises(ValueError, match=r"Shape mismatch: in T.dot\(m, x\)"):
        f(VECTOR[:3], MATRIX, 0)


def test_a_short_function_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split, "SHORTEST", 4)
    assert not split.is_long(["  ret i32 0"])
    assert split.split((), ["  ret i32 0"], ()) is None


def cut(lines: list[str], cold: list[str] | tuple[str, ...] = (), header: Any = ()) -> list[str]:
    """Return the pieces of a body, which LLVM has accepted, each as one text."""
    text = split.split(header, [*lines, "  ret i32 0"], cold)
    assert text is not None
    compile_text("\n".join(text), 128)
    return "\n".join(text).split("define internal ")


def filler(name: str, count: int = 100) -> list[str]:
    """Return lines that are no pattern: no two pieces of them are equal."""
    return [f"  %{name}{i} = add i64 {i}, {ord(name[0]) * 1000 + i}" for i in range(count)]


def test_equal_pieces_are_one_function() -> None:
    """With operands, results and numbers of their own: twice as many are no more text."""

    def text(count: int) -> tuple[str, int]:
        body, header = ["  %s0 = add i64 0, 0"], ["  %frame = getelementptr i8, ptr %call, i64 0"]
        starts = []
        for i in range(count):
            starts.append(len(body))
            body += [f"  %p{i} = getelementptr i64, ptr %frame, i64 {7 * i}"]
            body += [f"  %v{i} = load i64, ptr %p{i}, align 8"]
            body += [f"  %s{i + 1} = add i64 %v{i}, %s{i}", f"  %c{i} = icmp slt i64 {i}, %s{i}"]
            body += [f"  br i1 %c{i}, label %ok{i}, label %bad{i}", f"ok{i}:"]
        body += [f"  %sum{i} = add i64 %s{i}, {i}" for i in range(1)]
        cold = []
        for i in range(count):
            cold += [f"bad{i}:", f"  store i64 {i + 5}, ptr %frame, align 8", "  ret i32 -1"]
        lines = split.split(header, [*body, "  ret i32 0"], cold, starts)
        assert lines is not None
        compile_text("\n".join(lines), 128)
        return "\n".join(lines), len(lines)

    short, count = text(50)
    long, twice = text(100)
    assert twice == count
    assert 1 < long.count("define internal") == short.count("define internal") < 5


def test_numbers_of_the_cases_of_a_switch_are_no_operands() -> None:
    body = []
    for i in range(40):
        body += [f"  switch i64 {i}, label %to{i} [i64 {i}, label %to{i}]", f"to{i}:"]
        body += [f"  %v{i} = add i64 {i}, 1"]
    text = "\n".join(cut(body))
    assert all(f"[i64 {i}, label" in text for i in range(40))


def piece_of(pieces: list[str], part: str) -> int:
    """Return which piece has a text; no other has."""
    (found,) = [i for i, piece in enumerate(pieces) if part in piece]
    return found


def test_branches_stay_with_where_they_lead() -> None:
    body = ["  br i1 true, label %far, label %near", "near:", *filler("a"), "  br label %far"]
    body += ["far:", *filler("b"), "  br label %loop", "loop:", *filler("c")]
    body += ["  br i1 true, label %loop, label %end", "end:", *filler("d")]
    pieces = cut(body)
    far, loop = "br label %far\nfar:", "br label %loop\nloop:"
    assert piece_of(pieces, "br i1 true, label %far") == piece_of(pieces, far)
    assert piece_of(pieces, loop) == piece_of(pieces, "label %loop, label %end")
    assert len(pieces) > 6


@pytest.mark.parametrize("label", ["entry", "here"])
def test_a_phi_finds_the_block_that_a_cut_fell_in(label: str) -> None:
    """Whether that block is the first of the function or another."""
    head = [] if label == "entry" else ["  br label %here", "here:"]
    body = ["  br i1 true, label %then, label %join", "then:", "  br label %join", "join:"]
    phi = f"  %p = phi i64 [%a9, %{label}], [%a3, %then]"
    pieces = cut([*head, *filler("a"), *body, phi, *filler("b"), "  %u = add i64 %p, %a1"])
    assert f"\n{label}:\n" in pieces[piece_of(pieces, phi)]


def test_blocks_of_a_switch_stay_together() -> None:
    body = ["  switch i64 %a1, label %other [i64 0, label %zero i64 1, label %one]"]
    for name in ("zero", "one", "other"):
        body += [f"{name}:", *filler(name), "  br label %join"]
    phi = "  %p = phi i64 [1, %zero], [2, %one], [3, %other]"
    pieces = cut([*filler("a"), *body, "join:", phi, *filler("b"), "  %u = add i64 %p, 1"])
    assert piece_of(pieces, "switch i64 %a1") == piece_of(pieces, phi)


def test_cold_blocks_may_lead_back_and_be_shared() -> None:
    cold = ["rare:", "  %r = add i64 %a1, 1", "  br label %back"]
    cold += ["bad:", "  %bad.at = add i64 %a2, 1", "  ret i32 -1"]
    check = "  br i1 true, label %{}, label %bad"
    body = [check.format("one"), "one:", *filler("b"), check.format("two"), "two:", *filler("c")]
    body += ["  br i1 true, label %rare, label %back", "back:"]
    phi = "  %p = phi i64 [%r, %rare], [%c1, %two]"
    pieces = cut([*filler("a"), *body, phi, *filler("d"), "  %u = add i64 %p, %b1"], cold)
    assert piece_of(pieces, "label %rare") == piece_of(pieces, phi)
    assert sum("\nbad:" in piece for piece in pieces) == 2


def test_what_is_no_word_stays_with_its_uses() -> None:
    wide = ["  %wide = fadd <8 x double> zeroinitializer, zeroinitializer"]
    use = ["  %use = fadd <8 x double> %wide, %wide"]
    pieces = cut([*filler("a"), *wide, *filler("b"), *use, *filler("c")])
    assert piece_of(pieces, "%wide = ") == piece_of(pieces, "%use = ")
    body = [*wide, *filler("a"), *use, "  ret i32 0"]
    assert split.split((), body, ()) is None


def test_members_of_structures_are_words() -> None:
    call = "call {i64, i1} @llvm.smul.with.overflow.i64(i64 %a1, i64 2)"
    body = [f"  %m = {call}", "  %n = extractvalue {i64, i1} %m, 0"]
    body += ["  %o = extractvalue {i64, i1} %m, 1", *filler("b")]
    body += ["  %u = select i1 %o, i64 %n, i64 1"]
    declared = "declare {i64, i1} @llvm.smul.with.overflow.i64(i64, i64)"
    text = split.split((), [*filler("a"), *body, "  ret i32 0"], ())
    assert text is not None
    compile_text("\n".join([*text, declared]), 128)
    pieces = "\n".join(text).split("define internal ")
    assert piece_of(pieces, "%n = extract") < piece_of(pieces, "%u = select")


@pytest.mark.parametrize("line", ["  %s = alloca i64, align 8", "  ret i32 0"])
def test_nothing_is_cut_behind_stack_memory_or_a_return(line: str) -> None:
    """The former ends with its function, and a return from a piece does not end the program."""
    after = ["done:"] if "ret" in line else []
    branch = ["  br i1 true, label %done, label %leave", "leave:"] if after else []
    pieces = cut([*filler("a"), *branch, line, *after, *filler("b")])
    last = pieces[-1]
    assert line in last
    assert "%b0 " in last
    assert len(pieces) > 3


def test_words_are_used_again() -> None:
    body: list[str] = ["  %v0 = add i64 0, 1"]
    for i in range(1, 400):
        body.append(f"  %v{i} = add i64 %v{i - 1}, 1")
    text = split.split((), [*body, "  ret i32 0"], ())
    assert text is not None
    words = re.search(r"%live = alloca \[(\d+) x i64\]", "\n".join(text))
    assert words is not None
    assert int(words[1]) <= 2


def test_what_a_report_alone_reads_is_loaded_there() -> None:
    cold = ["bad:", "  %bad.at = add i64 %a1, %a2", "  ret i32 -1"]
    body = ["  br i1 true, label %good, label %bad", "good:", "  %u = add i64 %a2, 1"]
    pieces = cut([*filler("a"), *body, *filler("b")], cold)
    lines = pieces[piece_of(pieces, "label %bad")].split("\n")
    assert lines.index("bad:") < lines.index("  %a1 = load i64, ptr %live.a1, align 8")
    assert lines.index("  %a2 = load i64, ptr %live.a2, align 8") < lines.index("good:")


def test_only_what_runs_often_is_improved() -> None:
    loop = ["  br label %again", "again:", *filler("b"), "  br i1 true, label %again, label %on"]
    pieces = cut([*filler("a"), *loop, "on:", *filler("c")])
    heads = {name: pieces[piece_of(pieces, f"%{name}50 = ")].split("\n")[0] for name in "abc"}
    assert {name: "optnone" in head for name, head in heads.items()} == {
        "a": True,
        "b": False,
        "c": True,
    }
    often = [f"  %s{i + 1} = add i64 %s{i}, {i % 7}" for i in range(400)]
    pieces = cut(["  %s0 = add i64 0, 0", *often])
    assert any("optnone" not in piece for piece in pieces[1:])
