"""`docs/compat.md` says how each public name of Theano 1.0.5 is here."""

import pytest
from tool_loading import load


@pytest.fixture(scope="module")
def compat():
    return load("compat")


def test_the_page_is_current(compat):
    """If this fails, run `tools/compat.py`."""
    assert compat.PAGE.read_text() == compat.page()


def test_what_is_said_of_a_name(compat):
    assert compat.status("theano.tensor.exp") == ("same", "")
    assert compat.status("theano.tensor.topk")[0] == "differs"
    kind, advice = compat.status("theano.d3viz.formatting.apply_label")
    assert kind == "refused" and "pydotprint" in advice
    assert compat.status("theano.d3viz.d3viz")[0] == "same"
    assert compat.status("theano.tensor.nonsense")[0] == "missing"


def test_only_names_of_theano_differ(compat):
    known = {n for p in compat.surface.names().values() for names in p.values() for n in names}
    assert set(compat.DIFFERENCES) <= known
