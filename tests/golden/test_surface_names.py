"""How many public names of Theano 1.0.5 exist here: the numbers may only rise."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "tools"))
import surface

# `tools/surface.py` prints the table; raise a number here when it has grown.
AT_LEAST = {
    "Tensor creation and types": 195,
    "TensorVariable": 118,
    "Elementwise functions": 111,
    "Reductions and statistics": 31,
    "Indexing": 13,
    "Shape": 25,
    "Products and linear algebra": 6,
    "Sorting": 5,
    "Neural networks": 31,
    "Random numbers": 24,
    "Scan": 8,
    "function": 21,
    "Shared variables": 9,
    "Gradients": 27,
    "Modes and linkers": 6,
    "Printing and drawing": 6,
    "Extending": 13,
    "Graph API": 11,
    "Miscellaneous": 5,
    "Exceptions that users meet": 11,
}


@pytest.mark.parametrize("section", list(surface.names()))
def test_names_resolve(section: str) -> None:
    absent = surface.missing(surface.names()[section])
    total = sum(map(len, surface.names()[section].values()))
    assert total - sum(map(len, absent.values())) >= AT_LEAST.get(section, 0), absent


def test_what_counts_as_resolved() -> None:
    assert surface.resolves("theano.tensor.nnet.softmax")
    assert surface.resolves("theano.tensor.TensorVariable.sum")
    assert not surface.resolves("theano.tensor.no_such_name")
    assert not surface.resolves("theano.no_such_module.name")
