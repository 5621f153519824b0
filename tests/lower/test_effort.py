"""Which programs LLVM takes its time for: those that run something many times in a call."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower.effort import LITTLE
from theano._core.lower.llvm.target.codegen import LITTLE_EFFORT, compile_text
from theano._core.lower.reference import evaluate
from theano.ifelse import ifelse

x, v, m = T.dvector("x"), T.dscalar("v"), T.dmatrix("m")


def loop(count):
    return theano.scan(lambda h: T.tanh(h) + 1, outputs_info=v, n_steps=count)[0][-1]


def calling(long):
    """Return a loop that calls kernels, in a program that is long or short."""
    steps = theano.scan(lambda h: T.tanh(T.dot(h, m)), outputs_info=x, n_steps=9)[0][-1]
    return T.concatenate([steps, *(T.cumsum(x + n) for n in range(60 if long else 1))]).sum()


def roll(count):
    """Return arrays turned round: where they are cut takes more arithmetic than `LITTLE`."""
    return sum(T.roll(x, n) * x for n in range(1, 1 + count)).sum()


CASES = {
    "a kernel": (T.exp(x * v), True),
    "kernels and a branch": (ifelse(v > 3, T.dot(x, x), T.exp(x).max()), True),
    "little arithmetic": ((v + 1) / (v * v), True),
    "much arithmetic": (sum(T.sin(v * n) for n in range(1, LITTLE)), False),
    "much arithmetic beside more calls": (roll(4), True),
    "a loop": (loop(5), False),
    "a loop in a branch": (ifelse(v > 0, loop(5), v), False),
    "a loop of calls": (calling(long=False), False),
    "a loop of calls in a long program": (calling(long=True), True),
    "a loop in a long program": (calling(long=True) + loop(5), False),
}


@pytest.mark.parametrize("name", CASES)
def test_level(name, monkeypatch):
    result, once = CASES[name]
    # A program that is kept has no text.
    monkeypatch.setattr(theano.config, "cache_programs", False)
    f = theano.function([x, v, m], result, on_unused_input="ignore")
    text = f.maker.program_text.text
    assert text.startswith(LITTLE_EFFORT) == once
    values = {x: np.arange(6.0), v: np.array(0.5), m: np.eye(6) / 2}
    np.testing.assert_allclose(f(*values.values()), evaluate([result], values)[0], rtol=1e-14)


def test_the_heading_is_read():
    text = "define i64 @f(i64 %a) {\n  %b = mul i64 %a, 3\n  %c = add i64 %b, %a\n  ret i64 %c\n}\n"
    assert compile_text(f"{LITTLE_EFFORT}\n{text}", 256) != compile_text(text, 256)
