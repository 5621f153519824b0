"""Long entry functions in several pieces: the same results, errors and memory."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower.llvm import program, split
from theano.ifelse import ifelse


@pytest.fixture(autouse=True)
def pieces(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Cut after 20 lines; return the numbers of pieces that programs were cut into."""
    counts: list[int] = []

    def counted(*parts: Any) -> Any:
        text = split.split(*parts)
        counts.append(sum(line.startswith("define internal") for line in text or ()))
        return text

    monkeypatch.setattr(split, "PIECE", 20)
    monkeypatch.setattr(split, "SHORTEST", 40)
    monkeypatch.setattr(program, "split", counted)
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
    whole = theano.function([x, m, k], out, on_unused_input="ignore")
    assert pieces[-1] == 0
    for step in (1, 2, 1):
        np.testing.assert_array_equal(f(VECTOR, MATRIX, step), whole(VECTOR, MATRIX, step))


def test_errors_come_from_any_piece(pieces: list[int]) -> None:
    f = theano.function([x, m, k], T.sort(T.exp(T.dot(m, x)))[k] + x[k + 2])
    assert pieces[-1] > 1
    f(VECTOR, MATRIX, 1)
    with pytest.raises(IndexError, match="Apply node"):
        f(VECTOR, MATRIX, 2)
    with pytest.raises(IndexError):
        f(VECTOR, MATRIX, 3)
    with pytest.raises(ValueError, match="last axis"):
        f(VECTOR[:3], MATRIX, 0)


def test_a_short_function_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split, "SHORTEST", 4)
    assert split.split((), ["  ret i32 0"], ()) is None


def test_cuts_leave_branches_together() -> None:
    body = ["  br label %far"]
    body += [f"  %a{i} = add i64 {i}, 1" for i in range(100)]
    body += ["far:"]
    body += [f"  %b{i} = add i64 {i}, 1" for i in range(100)]
    text = split.split((), [*body, "  ret i32 0"], ())
    assert text is not None
    first = text.index("begin:")
    assert "far:" in text[first : first + 105]


def test_values_that_do_not_fit_a_word_keep_a_function_whole() -> None:
    body = ["  %wide = fadd <8 x double> zeroinitializer, zeroinitializer"]
    body += [f"  %a{i} = add i64 {i}, 1" for i in range(100)]
    body += ["  %use = fadd <8 x double> %wide, %wide", "  ret i32 0"]
    assert split.split((), body, ()) is None


def test_words_are_used_again() -> None:
    body: list[str] = ["  %v0 = add i64 0, 1"]
    for i in range(1, 400):
        body.append(f"  %v{i} = add i64 %v{i - 1}, 1")
    text = split.split((), [*body, "  ret i32 0"], ())
    assert text is not None
    words = re.search(r"%live = alloca \[(\d+) x i64\]", "\n".join(text))
    assert words is not None
    assert int(words[1]) <= 2
