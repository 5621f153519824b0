"""Random expressions of sparse matrices: the default mode against the graph as it was written.

`python tests/fuzz/fuzz_sparse.py FIRST LAST` tries more.
"""

from __future__ import annotations

import fuzz_sparse
import numpy as np
import pytest
from fuzz_sparse import WORDS, Expression, difference, problems

from theano._core.ops.sparse.structure import Neg


@pytest.mark.parametrize("start", [0, pytest.param(100, marks=pytest.mark.slow)])
def test_as_written(start: int) -> None:
    assert list(problems(start, start + 100)) == []


@pytest.mark.slow
@pytest.mark.parametrize("start", range(100_000, 110_000, 500))
def test_many_as_written(start: int) -> None:
    assert list(problems(start, start + 500)) == []


def test_every_word_is_said() -> None:
    said = {word for seed in range(300) for word in Expression(seed).words}
    assert said >= set(WORDS)


def test_a_wrong_rule_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz_sparse, "WORDS", {"neg": WORDS["neg"]})
    assert not difference(1)
    monkeypatch.setattr(Neg, "arrays", lambda self, node, x: x.holding(x.data + 1))
    assert "not" in difference(1)
    monkeypatch.setattr(Neg, "arrays", lambda self, node, x: x.turned)
    assert any(difference(seed) for seed in range(5))


def test_places_of_zeros_count() -> None:
    rng = np.random.default_rng(0)
    x = fuzz_sparse.matrix(rng, (5, 5), "csr", "float64")
    x.data[0] = 0
    other = x.copy()
    other.eliminate_zeros()
    assert not fuzz_sparse.differ(x, x.copy())
    assert fuzz_sparse.differ(x, other)
