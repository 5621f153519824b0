"""What THEANO_DEBUG prints of each function that is compiled."""

from __future__ import annotations

import pytest

import theano
import theano.tensor as T
from theano._core.base import developing

LEVELS = {2: "after ", 3: "return ", 4: "program with ", 5: "define i32 @entry"}


@pytest.mark.parametrize("level", [1, *LEVELS])
def test_levels_only_add(
    level: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(developing, "DEBUG", level)
    x = T.dvector("x")
    for _ in range(2):
        # The second is as new as the first: programs that are kept do not hide it.
        theano.function([x], [T.log(1 + T.exp(x)), x.sum()])
        shown = capsys.readouterr().out
        found = {n for n, start in LEVELS.items() if ("\n" + shown).count("\n" + start)}
        assert found == {n for n in LEVELS if n <= level}


def test_graph_after_each_pass(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(developing, "DEBUG", 3)
    x = T.dvector("x")
    theano.function([x], T.log(1 + T.exp(x)))
    shown = capsys.readouterr().out
    assert "after canonical: 3 nodes\n" in shown
    end = "after branches: 1 nodes\n%0: TensorType(float64, vector) = softplus(x)\nreturn %0\n"
    assert shown.endswith(end)


def test_our_own_views_are_run_too() -> None:
    x = T.dvector("x")
    f = theano.function([x], x.dimshuffle("x", 0)[:, ::-1] * 2, mode="DebugMode")
    assert f([1.0, 2.0]).tolist() == [[4.0, 2.0]]
