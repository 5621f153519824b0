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
    "Elementwise functions": 113,
    "Reductions and statistics": 31,
    "Indexing": 17,
    "Shape": 26,
    "Products and linear algebra": 42,
    "Sorting": 5,
    "Fourier transforms": 3,
    "Neural networks": 59,
    "Signal": 5,
    "Random numbers": 24,
    "Scan": 9,
    "Conditions": 3,
    "function": 29,
    "Shared variables": 12,
    "Gradients": 28,
    "Sparse": 85,
    "GPU": 5,
    "Modes and linkers": 20,
    "Printing and drawing": 10,
    "Profiling and run-time diagnosis": 2,
    "Extending": 13,
    "Graph API": 26,
    "Miscellaneous": 22,
    "Exceptions that users meet": 14,
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
