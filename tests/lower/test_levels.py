"""Which programs LLVM takes its time for: those that run something many times in a call."""

from __future__ import annotations

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower.llvm.print.routines import LITTLE
from theano._core.lower.llvm.target.codegen import RUNS_ONCE, compile_text
from theano._core.lower.reference import evaluate
from theano.ifelse import ifelse

x, v = T.dvector("x"), T.dscalar("v")


def loop(count: int) -> T.TensorVariable:
    return theano.scan(lambda h: T.tanh(h) + 1, outputs_info=v, n_steps=count)[0][-1]


CASES = {
    "a kernel": (T.exp(x * v), True),
    "kernels and a branch": (ifelse(v > 3, T.dot(x, x), T.exp(x).max()), True),
    "little arithmetic": ((v + 1) / (v * v), True),
    "much arithmetic": (sum(T.sin(v * n) for n in range(1, LITTLE)), False),
    "a loop": (loop(5), False),
    "a loop in a branch": (ifelse(v > 0, loop(5), v), False),
}


@pytest.mark.parametrize("name", CASES)
def test_level(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    result, once = CASES[name]
    # A program that is kept has no text.
    monkeypatch.setattr(theano.config, "cache_programs", False)
    f = theano.function([x, v], result, on_unused_input="ignore")
    text = f.maker.program_text.text
    assert text.startswith(RUNS_ONCE) == once
    values = {x: np.arange(6.0), v: np.array(0.5)}
    np.testing.assert_allclose(f(*values.values()), evaluate([result], values)[0], rtol=1e-14)


def test_the_heading_is_read() -> None:
    text = "define i64 @f(i64 %a) {\n  %b = mul i64 %a, 3\n  %c = add i64 %b, %a\n  ret i64 %c\n}\n"
    assert compile_text(f"{RUNS_ONCE}\n{text}", 256) != compile_text(text, 256)
