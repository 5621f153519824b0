"""Short versions of the programs in `docs/examples` learn what they should."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from theano import config

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "examples"
# Program → steps → what `main` returns then, at the worst. Before the first step:
CASES: dict[str, tuple[int, Callable[[float], bool]]] = {
    "mlp": (200, lambda share: share > 0.93),  # 0.1
    "lenet": (60, lambda share: share > 0.8),  # 0.1
    "autoencoder": (200, lambda error: error < 0.4),  # 1
    "rbm": (200, lambda nats: nats < 27),  # 44
    "vae": (200, lambda nats: nats < 30),  # 48
    "lstm": (120, lambda bits: bits < 4.6),  # 6.6
    "transformer": (100, lambda bits: bits < 4.4),  # 7.5
    "ctc": (400, lambda share: share > 0.3),  # 0
    "embeddings": (2000, lambda loss: loss < 3.6),  # 4.2
    "hmc": (200, lambda accepted: 0.5 < accepted < 0.95),
    "gaussian_process": (20, lambda error: error < 0.85),  # 1
    "ode": (50, lambda error: error < 0.3),  # 0.4
}


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    """Put back what the programs change: they are not made to live beside others."""
    before = config.floatX
    sys.path.insert(0, str(FOLDER))
    yield
    sys.path.remove(str(FOLDER))
    config.floatX = before


def test_each_program_is_here() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == {*CASES, "common"}


@pytest.mark.parametrize("name", CASES)
def test_program(name: str, tmp_path: Path) -> None:
    common = importlib.import_module("common")
    config.floatX = common.floatx
    steps, good = CASES[name]
    picture = tmp_path / f"{name}.png"
    learnt = importlib.import_module(name).main(steps, str(picture))
    print(learnt)
    assert good(learnt)
    assert picture.stat().st_size > 1000


def test_the_gallery_shows_each_program() -> None:
    text = (FOLDER / "README.md").read_text()
    for name in CASES:
        assert f"({name}.py)" in text
        assert f"({name}.png)" in text
        assert (FOLDER / f"{name}.png").exists()
