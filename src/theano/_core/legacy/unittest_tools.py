"""Helpers with which old programs test their operations: `theano.tests.unittest_tools`."""

from __future__ import annotations

import sys
import unittest
from collections.abc import Callable, Sequence
from copy import copy, deepcopy
from functools import wraps
from typing import TYPE_CHECKING, Any
from unittest import SkipTest

import numpy as np

from theano._core.api.derivatives import verification
from theano._core.base.errors import GradientError
from theano._core.base.settings import config
from theano._core.compile.function import function
from theano._core.ir.variable import Variable
from theano._core.legacy.graphs.gof_utils import tolerances
from theano._core.ops.core.op import Op
from theano._core.ops.elementwise.arithmetic import add

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike


def fetch_seed(pseed: Any = None) -> int | None:
    """Return the seed of a test: `pseed`, or the setting `unittests.rseed`; None for 'random'."""
    seed = pseed or config.unittests.rseed
    return None if seed == "random" else int(seed)


def seed_rng(pseed: object = None) -> int | None:
    """Seed `numpy.random` with `fetch_seed(pseed)`, and return that."""
    seed = fetch_seed(pseed)
    np.random.seed(seed)
    return seed


def verify_grad(
    op: Callable[..., object],
    pt: Sequence[TensorLike],
    n_tests: int = 2,
    rng: Any = None,
    **options: Any,
) -> None:
    """Compare a gradient with finite differences; see `theano.gradient.verify_grad`."""
    rng = np.random.RandomState(fetch_seed()) if rng is None else rng
    verification.verify_grad(op, pt, n_tests, rng, **options)


verify_grad.E_grad = GradientError  # type: ignore[attr-defined]


class WrongValue(AssertionError):
    """Two arrays are further apart than `assert_allclose` allows."""

    def __init__(self, expected_val: object, val: object, rtol: object, atol: object) -> None:
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
        inputs: Sequence[Variable],
        outputs: Sequence[Variable],
        numeric_inputs: Sequence[object],
        cls: type,
        excluding: object = None,
        warn: bool = True,
        check_topo: bool = True,
    ) -> None:
        """Compare the shapes of outputs with those found without running the operation `cls`."""
        values = function(inputs, outputs, on_unused_input="ignore")
        shapes: Any = function(inputs, [out.shape for out in outputs], on_unused_input="ignore")
        if check_topo:
            left = [node for node in shapes.maker.fgraph.toposort() if isinstance(node.op, cls)]
            assert not left, f"the shape still needs {left}"
        triples = zip(values(*numeric_inputs), shapes(*numeric_inputs), outputs, strict=True)
        for value, shape, out in triples:
            assert tuple(shape) == value.shape, (out, shape, value.shape)
            for axis, one in enumerate(out.type.broadcastable):
                assert not one or value.shape[axis] == 1, (out, value.shape)


def attr(*names: str, **values: object) -> Callable[[Any], Any]:
    """Return a decorator that gives a test attributes, by which runners of tests select."""

    def mark(test: object) -> Any:
        for name, value in (*((name, True) for name in names), *values.items()):
            setattr(test, name, value)
        return test

    return mark


def custom_name_func(testcase_func: Any, param_num: int, param: Any) -> str:
    """Return the name of one of the tests that `parameterized.expand` makes."""
    values = "_".join(map(str, param.args))
    safe = "".join(c if c.isascii() and c.isalnum() else "_" for c in values)
    return f"{testcase_func.__name__}_{safe}"


def assertFailure_fast(f: Callable[..., object]) -> Callable[..., Any]:
    """Expect that a test fails if `config.cycle_detection` is 'fast'; else return it."""
    if config.cycle_detection != "fast":
        return f

    def fails(*args: object, **options: object) -> None:
        try:
            f(*args, **options)
        except Exception:
            return
        raise AssertionError(f"{f} does not fail")

    return fails


class MockRandomState:
    """Draws the least numbers that there can be if `val` is 0, else the greatest."""

    def __init__(self, val: float) -> None:
        self.val = val

    def rand(self, *shape: int) -> np.ndarray:
        """Return `val` in an array."""
        return np.full(shape, self.val, np.float64)

    def randint(self, minval: int, maxval: int | None = None, size: Any = 1) -> np.ndarray:
        """Return the least or the greatest integer in an array."""
        low, high = (0, minval) if maxval is None else (minval, maxval)
        return np.full(size, low if self.val == 0 else high - 1, np.int64)


class TestOptimizationMixin:
    """Questions about the operations of a compiled function."""

    def _check(self, f: Any, is_one: Callable[[Variable], bool], least: int, most: int) -> None:
        nodes = f.maker.fgraph.toposort()
        matching = [node for node in nodes if is_one(node.op)]
        assert least <= len(matching) <= most, (nodes, matching, least, most)

    def assertFunctionContains(
        self, f: object, op: Op, min: int = 1, max: int = sys.maxsize
    ) -> None:
        """Check how many operations equal one."""
        self._check(f, lambda other: other == op, min, max)

    def assertFunctionContains0(self, f: object, op: Op) -> None:
        """Check that no operation equals one."""
        self.assertFunctionContains(f, op, 0, 0)

    def assertFunctionContains1(self, f: object, op: Op) -> None:
        """Check that one operation equals this one."""
        self.assertFunctionContains(f, op, 1, 1)

    def assertFunctionContainsN(self, f: object, op: Op, N: int) -> None:
        """Check that `N` operations equal one."""
        self.assertFunctionContains(f, op, N, N)

    def assertFunctionContainsClass(
        self, f: object, op: type, min: int = 1, max: int = sys.maxsize
    ) -> None:
        """Check how many operations are of a class."""
        self._check(f, lambda other: isinstance(other, op), min, max)

    def assertFunctionContainsClassN(self, f: object, op: type, N: int) -> None:
        """Check that `N` operations are of a class."""
        self.assertFunctionContainsClass(f, op, N, N)

    def SkipTest(self, msg: str = "Skip this test") -> None:
        """Leave the test out."""
        raise SkipTest(msg)


class T_OpContractMixin:  # noqa: N801
    """Tests that operations, `self.ops`, equal their copies and not each other.

    `self.clone(op)` makes an equal one.
    """

    other_op: Any = add
    ops: Sequence[Any] = ()

    def copy(self, x: object) -> Any:
        """Return a copy."""
        return copy(x)

    def deepcopy(self, x: object) -> Any:
        """Return a deep copy."""
        return deepcopy(x)

    def clone(self, op: Op) -> Any:
        """Return an operation that equals `op`."""
        raise NotImplementedError("clone")

    def _made_again(self, op: Op) -> tuple[Any, ...]:
        return op, self.copy(op), self.deepcopy(op), self.clone(op)

    def _others(self, op: Op) -> list[Any]:
        return [self.other_op, *(other for other in self.ops if other is not op)]

    def test_eq(self) -> None:
        """Check `==`."""
        for op in self.ops:
            assert all(op == again for again in self._made_again(op))
            assert not any(op == other for other in self._others(op))

    def test_hash(self) -> None:
        """Check `hash`."""
        for op in self.ops:
            assert {hash(again) for again in self._made_again(op)} == {hash(op)}
            assert hash(op) not in map(hash, self._others(op))

    def test_name(self) -> None:
        """Check that each has a text."""
        assert all(str(op) for op in self.ops)


def _run(test: Callable[..., object], args: tuple[Any, ...], options: dict[str, object]) -> None:
    """Run a test; if it is a method of a test case, with its preparations."""
    if not (args and hasattr(args[0], "_testMethodName")):
        test(*args, **options)
        return
    args[0].setUp()
    try:
        test(*args, **options)
    finally:
        args[0].tearDown()


class AttemptManyTimes:
    """Decorator of a test that may fail by chance: attempts with other seeds.

    Parameters
    ----------
    n_attempts : int
        The most attempts.
    n_req_successes : int
        How many must succeed.
    """

    def __init__(self, n_attempts: int, n_req_successes: int = 1) -> None:
        assert n_attempts >= n_req_successes
        self.n_attempts, self.n_req_successes = n_attempts, n_req_successes

    def __call__(self, fct: Callable[..., object]) -> Callable[..., None]:
        @wraps(fct)
        def attempts(*args: object, **options: object) -> None:
            seed = config.unittests.rseed
            failures = 0
            try:
                for attempt in range(self.n_attempts):
                    if seed != "random":
                        config.unittests.rseed = str(int(seed) + attempt)
                    try:
                        _run(fct, args, options)
                    except Exception:
                        failures += 1
                        if failures + self.n_req_successes > self.n_attempts:
                            raise
                    if attempt + 1 - failures == self.n_req_successes:
                        return
            finally:
                config.unittests.rseed = seed

        return attempts


def __getattr__(name: str) -> Any:
    if name == "parameterized":
        from parameterized import parameterized  # type: ignore[import-not-found]

        return parameterized
    raise AttributeError(name)
