"""Pictures of graphs, as the text that Graphviz draws."""

import re
import sys

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.printing import pydotprint

x, w = T.dmatrix("x"), theano.shared(np.ones((1, 1)), name="w")
out = T.tanh(T.dot(x, w) + 2)


def text_of(graph, **options):
    return pydotprint(graph, format="dot", return_image=True, **options)


def labels(text):
    return re.findall(r'label="?([^"\n]*?)"? (?:color|shape)', text)


def test_shapes_and_arrows():
    text = text_of(out)
    assert text.startswith("digraph")
    assert {"dot", "Elemwise{tanh,no_inplace}", "x TensorType(float64, matrix)"} <= {*labels(text)}
    assert "color=lightgreen" in text and "color=cyan" in text and "color=dodgerblue" in text
    assert '[label="0 TensorType(float64, matrix)"]' in text  # the sum reads the product
    assert text.count("->") == 7
    assert len(labels(text_of(out, compact=False))) == len(labels(text)) + 3


@pytest.mark.parametrize(
    "make", [lambda: theano.function([x], out), lambda: [out, x], lambda: out.owner]
)
def test_what_is_drawn(make):
    assert "tanh" in text_of(make())


def test_labels():
    assert any(label.endswith("id=1") for label in labels(text_of(out, with_ids=True)))
    assert "x" in labels(text_of(out, var_with_name_simple=True))
    assert max(map(len, labels(text_of(out, max_label_size=12)))) == 12
    assert "color=pink" in text_of(out, colorCodes={"dot": "pink"})
    assert "filled" not in text_of(out, high_contrast=False)


def test_files(tmp_path, capsys):
    rows, _ = theano.scan(lambda v: T.exp(v), x)
    pydotprint(rows, str(tmp_path / "loop"), format="dot", scan_graphs=True)
    assert {p.name for p in tmp_path.iterdir()} == {"loop.dot", "loop_scan_fn_0.dot"}
    assert "exp" in (tmp_path / "loop_scan_fn_0.dot").read_text()
    assert f"The output file is available at {tmp_path / 'loop.dot'}" in capsys.readouterr().out


def test_what_is_missing(monkeypatch):
    with pytest.raises(ValueError, match=r"pydotprint expects as input a theano.function"):
        pydotprint(3)
    monkeypatch.setenv("PATH", "")
    assert not theano.printing.pydot_imported
    assert "graphviz" in theano.printing.pydot_imported_msg
    with pytest.raises(RuntimeError, match="apt-get install graphviz"):
        pydotprint(out, format="png", return_image=True)
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(RuntimeError, match="pip install graphviz"):
        text_of(out)
