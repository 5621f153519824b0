"""The reference of `theano.tensor` is made from docstrings, which say what goes in and out."""

import inspect

import pytest
from tool_loading import load

from theano._core.ops.core.op import Op

PAGES = load("reference_pages")
NAMES = PAGES.public_names()


@pytest.mark.parametrize("name", list(NAMES))
def test_docstring(name):
    value = NAMES[name]
    text = PAGES.docstring(value)
    first = text.splitlines()[0]
    assert first.endswith((".", "``")) and len(first) <= 100
    if isinstance(value, Op):
        return
    if inspect.signature(value).parameters:
        assert "Parameters\n----------\n" in text
    assert "Returns\n-------\n" in text


def test_pages_are_written(tmp_path, capsys):
    PAGES.main(tmp_path)
    assert f"{len(PAGES.pages())} pages" in capsys.readouterr().out
    tensor = tmp_path / "tensor"
    assert {p.stem for p in tensor.glob("*.md")} == {*PAGES.all_names()["theano.tensor"], "README"}
    assert len({str(p).lower() for p in tmp_path.rglob("*.md")}) == len(PAGES.pages())
    sine = (tensor / "sin.md").read_text()
    assert "# theano.tensor.sin\n" in sine and "{py:function} sin(x)" in sine
    assert "2 units in the last place" in sine
    assert "| int8 | float32 |" in sine
    assert "Gradient: yes." in sine and "array([-0.9093, " in sine
    assert "Gradient: zero" in (tensor / "floor.md").read_text()
    argmax = (tensor / "argmax.md").read_text()
    assert "{py:function} argmax(x, axis=None, keepdims=False)" in argmax
    assert "## Returns" in argmax and "- `tensor, int64`" in argmax
    function = (tmp_path / "theano" / "function.md").read_text()
    assert "{py:function} function(inputs, outputs=None" in function
    # What two modules have is told once.
    assert not (tensor / "grad.md").exists() and (tmp_path / "theano" / "grad.md").exists()
