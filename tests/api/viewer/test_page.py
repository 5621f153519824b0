"""Pages that show graphs and functions, as data: what browsers are given."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.api.viewer import page as page_module
from theano._core.api.viewer.show import page_of
from theano.d3viz import d3viz, d3write
from theano.d3viz.formatting import PyDotFormatter

x = T.dmatrix("x")
w = theano.shared(np.ones((3, 2)), "w")


def data_of(obj, arguments=None):
    text = page_of(obj, arguments)
    return json.loads(re.findall(r'id="data">(.*?)</script>', text, re.DOTALL)[0])


def descent(**options):
    cost = T.tanh(T.dot(x, w)).sum()
    return theano.function([x], cost, updates=[(w, w - 0.1 * T.grad(cost, w))], **options)


def nodes_below(data, outputs):
    seen = set()
    stack = [out[0] if isinstance(out, list) else out for out in outputs]
    while stack:
        number = stack.pop()
        if number not in seen:
            seen.add(number)
            inputs = data["nodes"][number]["inputs"]
            stack += [ref[0] if isinstance(ref, list) else ref for ref in inputs]
    return seen


def test_a_page_needs_nothing_else():
    text = page_of(descent())
    assert text.startswith("<!DOCTYPE html>")
    assert not re.search(r"""(src|href)=["']""", text)
    assert "import(" not in text and "fetch(" not in text
    assert "{{" not in re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)


def test_stages_go_from_what_was_written_to_what_runs():
    data = data_of(descent())
    names = [stage["name"] for stage in data["stages"]]
    assert names[0] == "written" and "canonical" in names
    assert all(stage["why"] for stage in data["stages"])
    assert data["outputs"] == ["output 0", "new w"]
    canonical = data["stages"][names.index("canonical")]
    assert canonical["rules"] and all(rule["count"] and rule["why"] for rule in canonical["rules"])
    made = {number for rule in canonical["rules"] for number in rule["made"]}
    assert made & nodes_below(data, canonical["outputs"])
    programs = {program["name"]: program["text"] for program in data["programs"]}
    assert "alloc" in programs["recorded"] and "free" not in programs["recorded"]
    assert "free" in programs["lifetimes"]


def test_steps_are_nodes_of_the_last_stage_with_their_kernels():
    data = data_of(descent())
    below = nodes_below(data, data["stages"][-1]["outputs"])
    for step in data["steps"]:
        assert set(step["nodes"]) <= below
    fused = next(step for step in data["steps"] if len(step["nodes"]) > 1)
    kernel = data["kernels"][fused["kernels"][0]]
    assert "at each point, of weight" in kernel["loop"]
    assert "define void @kernel" in kernel["llvm"]
    assert "ret" in kernel["assembly"]
    assert any("BLAS" in step["calls"] for step in data["steps"])


def test_lines_of_the_user():
    out = T.exp(x)
    data = data_of(out)
    (node,) = (node for node in data["nodes"] if node["label"] == "exp")
    file, line, start, end, function = data["sources"][node["source"]]
    text = data["files"][file]["lines"][str(line)]
    assert data["files"][file]["name"] == __file__ and text[start:end] == "T.exp(x)"
    assert function == "test_lines_of_the_user"
    assert node["types"] == ["float64 (?, ?)"] and node["kind"] == "elementwise"


def test_loops_branches_and_inner_graphs_have_their_bodies():
    rows, _ = theano.scan(lambda v, h: T.tanh(v + h), x, [T.zeros_like(x[0])])
    inner = theano.OpFromGraph([x], [T.exp(x) * 2])
    out = theano.ifelse.ifelse(x.sum() > 0, rows[-1], rows[0]) + inner(x).sum()
    f = theano.function([x], out)
    data = data_of(f)
    titles = {b["title"] for node in data["nodes"] for b in node.get("bodies", ())}
    assert titles == {"each step", "if true", "if false", "what it is"}
    loop = next(n for n in data["nodes"] if "each step" in str(n.get("bodies")))
    inside = nodes_below(data, loop["bodies"][0]["outputs"])
    assert any("tanh" in data["nodes"][n]["label"] for n in inside)
    assert any(data["nodes"][n]["kind"] == "argument" for n in inside)


def test_times_and_memory():
    f = descent(profile=True)
    f(np.ones((40, 3)))
    data = data_of(f, [np.empty((40, 3))])
    assert data["profile"]["calls"] == 1
    # Views take no time of their own.
    timed = [step for step in data["steps"] if step["kernels"] or step["calls"]]
    assert timed and all(step["seconds"] > 0 and step["calls_made"] == 1 for step in timed)
    assert data["memory"]["peak"] == f.memory_plan(np.empty((40, 3))).peak
    assert any(step.get("memory") for step in data["steps"])
    assert data["limits"]["bytes_per_second"] > 0
    path = f.profile.html()
    assert '"profile":' in Path(path).read_text()


@pytest.mark.parametrize("mode", ["FAST_COMPILE", theano.Mode(linker="py"), "DebugMode"])
def test_other_modes(mode):
    data = data_of(theano.function([x], T.exp(x).sum(), mode=mode))
    assert data["stages"]


@pytest.mark.parametrize("obj", [T.exp(x), [T.exp(x), x], T.exp(x).owner, x])
def test_graphs(obj):
    data = data_of(obj)
    assert len(data["stages"]) == 1 and data["nodes"]


def test_what_cannot_be_shown():
    with pytest.raises(ValueError, match="show expects"):
        page_of(3)


def test_texts_end_no_script():
    evil = T.dvector("</script><b>")
    text = page_of(T.exp(evil))
    assert text.count("</script>") == page_of(T.exp(T.dvector("v"))).count("</script>")
    assert "<title>" in text


def test_files(tmp_path):
    f = descent()
    d3viz(f, str(tmp_path / "new" / "page.html"))
    assert "<canvas" in (tmp_path / "new" / "page.html").read_text()
    assert f.show(str(tmp_path / "f.html"), open=False) == str(tmp_path / "f.html")
    assert T.exp(x).show(str(tmp_path / "x.html"), open=False)
    d3write(f, str(tmp_path / "f.dot"))
    assert (tmp_path / "f.dot").read_text().startswith("digraph")


def test_without_the_library(monkeypatch):
    def absent(name):
        raise page_module.PackageNotFoundError(name)

    monkeypatch.setattr(page_module, "distribution", absent)
    monkeypatch.setattr(page_module, "layout_library", page_module.layout_library.__wrapped__)
    assert page_module.layout_library() == ""
    assert page_of(T.exp(x)).count("<script") == 2


def test_the_library_comes_with_its_license():
    pytest.importorskip("netron")
    text = page_module.layout_library()
    assert "Chris Pettitt" in text and "WITHOUT WARRANTY" in text
    assert "\nexport" not in text


def test_pydot():
    pydot = pytest.importorskip("pydot")
    graph = PyDotFormatter()(descent())
    assert isinstance(graph, pydot.Dot)
    kinds = [node.get("node_type") for node in graph.get_nodes()]
    assert kinds.count("output") == 2 and kinds.count("shared_input") == 1
    assert kinds.count("input") == 1 and kinds.count("apply") >= 5
    inner = theano.OpFromGraph([x], [T.exp(x)])
    nested = PyDotFormatter()(inner(x))
    (inside,) = nested.get_subgraph_list()
    assert [n.get("node_type") for n in inside.get_nodes()] == ["input", "apply", "output"]
    with pytest.raises(TypeError):
        d3viz(T.exp(x), "page.html", True, True, "more")
