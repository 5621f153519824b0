"""Convolutions and pools of random geometries."""

from __future__ import annotations

import numpy as np
import pytest
from fuzz_convolutions import check_convolution, check_pool


@pytest.mark.parametrize("seed", range(24))
def test_convolution(seed: int) -> None:
    check_convolution(np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(24))
def test_pool(seed: int) -> None:
    check_pool(np.random.default_rng(seed))
