"""Pages look as they did when someone last looked at them: pictures of them are compared.

`python tests/api/viewer/test_pictures.py` writes the pictures of the present version: look at each.
"""

import sys
from pathlib import Path

import numpy as np
import pytest
from chromium import CHROMIUM, picture, picture_of

import theano
import theano.tensor as T
from theano._core.api.viewer import times
from theano._core.api.viewer.show import page_of

KEPT = Path(__file__).with_name("pictures")
SITE = Path(__file__).resolve().parents[3] / "docs" / "_build" / "html" / "index.html"
# Text is drawn a little differently with other fonts: squares of this many points are compared.
SQUARE = 10

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium")

x = T.dmatrix("x")


def trained(**options):
    w = theano.shared(np.ones((3, 2)), "w")
    cost = T.tanh(T.dot(x, w)).sum()
    updates = [(w, w - 0.1 * T.grad(cost, w))]
    return theano.function([x], cost, updates=updates, name="train", **options)


def graph():
    return page_of(T.tanh(x).sum(axis=0, keepdims=True) + T.exp(x))


def function():
    return page_of(trained(), [np.empty((40, 3))])


def loop():
    rows, _ = theano.scan(lambda row, h: T.tanh(row + h), x, outputs_info=T.zeros(3))
    return page_of(theano.function([x], rows[-1], name="loop"))


def profile():
    """Return the page of a profile in which each step takes the same time on every machine."""
    train = trained(profile=True)
    train(np.ones((40, 3)))
    measured = times.add_times

    def fixed(data, maker, program):
        measured(data, maker, program)
        for number, step in enumerate(data["steps"]):
            if "seconds" in step:
                step |= {"seconds": (number + 1) * 1e-5, "bytes": 1000, "operations": 3000}
        data["limits"] = {"bytes_per_second": 1e10, "operations_per_second": 1e11}
        data["profile"]["seconds"] = 2e-4

    times.add_times = fixed
    try:
        return page_of(train)
    finally:
        times.add_times = measured


PAGES = {
    "graph": (graph, "", "900,600"),
    "function": (function, "", "900,600"),
    "first_stage_dark": (function, 'app.stage(0); app.theme("dark");', "900,600"),
    "loop_on_a_phone": (loop, "", "500,800"),
    "profile": (profile, "", "900,600"),
}


def squares(file):
    """Return the mean colour of each square of a picture."""
    image = pytest.importorskip("PIL.Image")
    pixels = np.asarray(image.open(file).convert("RGB"), dtype=float)
    rows, columns = (length // SQUARE for length in pixels.shape[:2])
    cut = pixels[: rows * SQUARE, : columns * SQUARE]
    return cut.reshape(rows, SQUARE, columns, SQUARE, 3).mean(axis=(1, 3))


def drawn(name, folder):
    file = folder / f"{name}.png"
    if name == "site":
        return picture_of(SITE, file, size="900,600")
    make, script, size = PAGES[name]
    return picture(make(), file, script, size=size)


@pytest.mark.parametrize("name", [*PAGES, "site"])
def test_a_page_looks_as_it_did(tmp_path, name):
    if name == "site" and not SITE.exists():
        pytest.skip("`make site` has not been run")
    found, kept = squares(drawn(name, tmp_path)), squares(KEPT / f"{name}.png")
    assert found.shape == kept.shape
    differences = np.abs(found - kept).max(axis=-1)
    assert differences.mean() < 3 and (differences > 60).mean() < 0.01, name


def test_what_moves_is_seen(tmp_path):
    page = graph().replace("</style>", "header { padding-top: 3rem !important; }</style>", 1)
    found = squares(picture(page, tmp_path / "moved.png", size="900,600"))
    assert np.abs(found - squares(KEPT / "graph.png")).max(axis=-1).mean() >= 3


def _write():
    image = pytest.importorskip("PIL.Image")
    KEPT.mkdir(exist_ok=True)
    for name in [*PAGES, *(["site"] if SITE.exists() else [])]:
        file = drawn(name, KEPT)
        # Few colours are as good, and a tenth of the size.
        image.open(file).convert("RGB").quantize(32).save(file, optimize=True)
        file.with_suffix(".html").unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(_write())
