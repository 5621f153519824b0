"""Helpers with which old programs test their operations: `theano.tests.unittest_tools`."""

from __future__ import annotations

import unittest
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from theano._core.api import gradients
from theano._core.base.errors import GradientError
from theano._core.base.settings import config
from theano._core.compile.function import function
from theano._core.legacy.old_utils import tolerances


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


verify_grad.E_grad = GradientError  # type: ignore[attr-defined]


class WrongValue(AssertionError):
    """Two arrays are further apart than `assert_allclose` allows."""

    def __init__(self, expected_val: Any, val: Any, rtol: Any, atol: Any) -> None:
        super().__init__()
        self.val1, self.val2, self.rtol, self.atol = expected_val, val, rtol, atol

    def __str__(self) -> str:
        sides = (("expected", np.asarray(self.val1)), ("got", np.asarray(self.val2)))
        lines = [f"{side} {a.dtype} of shape {a.shape}:\n{a}" for side, a in sides]
        return "\n".join(["WrongValue", *lines, f"rtol: {self.rtol}, atol: {self.atol}"])


def assert_allclose(
    expected: Any, value: Any, rtol: float | None = None, atol: float | None = None
) -> None:
    """Raise `WrongValue` unless two arrays, broadcast to each other, are equal up to rounding.

    The dtypes may differ; the tolerances are those of the narrower float.
    """
    rtol, atol = tolerances(expected, value, rtol, atol)
    if not np.allclose(expected, value, rtol=rtol, atol=atol):
        raise WrongValue(expected, value, rtol, atol)


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
