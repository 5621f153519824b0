"""Helpers with which old programs test their operations: `theano.tests.unittest_tools`."""

from __future__ import annotations

import unittest
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from theano._core.api import gradients
from theano._core.base.settings import config
from theano._core.compile.function import function
from theano._core.ir.types import TensorType


def fetch_seed(pseed: Any = None) -> int | None:
    """Return the seed of a test: `pseed`, or the setting `unittests.rseed`; None for 'random'."""
    seed = pseed or config.unittests.rseed
    return None if seed == "random" else int(seed)


def seed_rng(pseed: Any = None) -> int | None:
    """Seed `numpy.random` with `fetch_seed(pseed)`, and return that."""
    seed = fetch_seed(pseed)
    np.random.seed(seed)
    return seed


def verify_grad(
    op: Callable[..., Any], pt: Sequence[Any], n_tests: int = 2, rng: Any = None, **options: Any
) -> None:
    """Compare a gradient with finite differences; see `theano.gradient.verify_grad`."""
    rng = np.random.RandomState(fetch_seed()) if rng is None else rng
    gradients.verify_grad(op, pt, n_tests, rng, **options)


def assert_allclose(
    expected: Any, value: Any, rtol: float | None = None, atol: float | None = None
) -> None:
    """Raise AssertionError unless two arrays are equal up to rounding."""
    expected, value = np.asarray(expected), np.asarray(value)
    kind = TensorType(str(expected.dtype), (False,) * expected.ndim)
    if not kind.values_eq_approx(expected, value, rtol=rtol, atol=atol):
        raise AssertionError(f"expected {expected!r}, got {value!r}")


class InferShapeTester(unittest.TestCase):
    """Base of tests of `infer_shape`."""

    def setUp(self) -> None:
        seed_rng()

    def _compile_and_check(
        self,
        inputs: Sequence[Any],
        outputs: Sequence[Any],
        numeric_inputs: Sequence[Any],
        cls: type,
        excluding: Any = None,
        warn: bool = True,
        check_topo: bool = True,
    ) -> None:
        """Compare the shapes of outputs with those found without running the operation `cls`."""
        values = function(inputs, outputs, on_unused_input="ignore")
        shapes = function(inputs, [out.shape for out in outputs], on_unused_input="ignore")
        if check_topo:
            left = [node for node in shapes.maker.fgraph.toposort() if isinstance(node.op, cls)]
            assert not left, f"the shape still needs {left}"
        found = zip(values(*numeric_inputs), shapes(*numeric_inputs), outputs, strict=True)
        for value, shape, out in found:
            assert tuple(shape) == value.shape, (out, shape, value.shape)
            for axis, one in enumerate(out.type.broadcastable):
                assert not one or value.shape[axis] == 1, (out, value.shape)
