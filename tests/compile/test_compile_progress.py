"""`config.compile_progress` tells where a compilation is that takes long."""

from __future__ import annotations

import time
from typing import Any

import pytest

import theano
import theano.tensor as T
from theano._core.compile import compile_progress
from theano._core.compile.maker import FunctionMaker


def compiled(number: float) -> Any:
    x = T.dvector("x")
    with theano.change_flags(compile_progress=True, cache_programs=False):
        return theano.function([x], T.tanh(x) * number, name="wave")


def test_what_is_short_tells_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert compiled(0.731)([0.0]).tolist() == [0.0]
    assert capsys.readouterr().err == ""


def test_what_is_long_tells_its_stages(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PATIENCE", "LOOK"):
        monkeypatch.setattr(compile_progress, name, 0.01)
    lowered = FunctionMaker._lowered

    def slow(self: Any, *args: Any) -> Any:
        time.sleep(0.2)
        text = lowered(self, *args)
        time.sleep(0.2)
        return text

    monkeypatch.setattr(FunctionMaker, "_lowered", slow)
    compiled(0.737)
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith("compiling wave: ") for line in lines)
    assert any("rewriting, " in line for line in lines)
    assert any("machine code" in line for line in lines)
    assert lines[-1].endswith(" s, done")
