"""Random loops: native code, rewritten or not, gives what one step at a time in NumPy gives."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.ifelse import ifelse
from theano.scan_module import until

REFERENCE = theano.Mode("py", None)
SEEDS = range(80)


class RandomLoop:
    """One loop, made from a seed: sequences, states with taps, fixed values, and a body of them."""

    def __init__(self, seed: int, depth: int = 0) -> None:
        self.rng = np.random.RandomState(seed)
        self.width = int(self.rng.randint(1, 6))
        self.depth = depth
        self.inputs: list[Any] = []
        self.values: list[Any] = []

    def pick(self, items: list[Any]) -> Any:
        return items[self.rng.randint(len(items))]

    def given(self, rank: int, lead: int = 0) -> Any:
        """Return a new input: items of `rank` axes, behind a first axis of `lead` unless 0."""
        shape = ([lead] if lead else []) + [self.width] * rank
        dtype = self.pick(["float64", "float64", "float32"])
        variable = T.TensorType(dtype, [False] * len(shape))()
        data = self.rng.uniform(-1, 1, shape).astype(dtype)
        if len(shape) > 1 and self.rng.rand() < 0.3:
            data = np.asfortranarray(data)
        self.inputs.append(variable)
        self.values.append(data)
        return variable

    def expression(self, terms: list[Any], rank: int) -> Any:
        """Return an expression of some terms whose items have `rank` axes."""
        value = self.raised(self.pick(terms), rank)
        for _ in range(self.rng.randint(1, 5)):
            other = self.raised(self.pick(terms), rank)
            value = self.pick(
                [
                    lambda a, b: a + b,
                    lambda a, b: a * b,
                    lambda a, b: a - 0.5 * b,
                    lambda a, b: T.tanh(a) + b,
                    lambda a, b: T.exp(-T.sqr(a)) * b,
                    lambda a, b: T.maximum(a, b),
                    lambda a, b: T.switch(T.gt(a, 0), a, b),
                    lambda a, b: self.mixed(a, b),
                ]
            )(value, other)
        return T.tanh(value)

    def mixed(self, a: Any, b: Any) -> Any:
        """Return something of two values that is more than item by item."""
        if a.ndim == 2:
            return T.dot(a, b) * 0.2
        if a.ndim == 1:
            return self.pick(
                [
                    lambda: a * T.dot(a, b),
                    lambda: T.concatenate([b[1:], a[:1]]),
                    lambda: T.set_subtensor(a[0], b[-1]),
                    lambda: a[::-1] + b.sum(),
                ]
            )()
        a, b = T.cast(a, "float64"), T.cast(b, "float64")
        return ifelse(T.gt(a, b), T.sin(a), T.cos(b))

    def raised(self, value: Any, rank: int) -> Any:
        """Return a value summed, or stretched, to `rank` axes."""
        while value.ndim > rank:
            value = value.sum(axis=0) / self.width
        while value.ndim < rank:
            value = T.outer(value, value) if value.ndim == 1 else value * T.ones((self.width,))
        return value

    def build(self) -> list[Any]:
        """Return the outputs and gradients."""
        steps = int(self.rng.randint(1, 7))
        sequences, infos, ranks = [], [], []
        for _ in range(self.rng.randint(0, 3)):
            taps = self.pick([[0], [0], [-1, 0], [0, 2]])
            rows = self.given(int(self.rng.randint(0, 3)), steps + 2)
            sequences.append({"input": rows, "taps": taps})
        for _ in range(self.rng.randint(1, 4)):
            rank = int(self.rng.randint(0, 3))
            taps = self.pick([[-1], [-1], [-2, -1], [-3], None])
            ranks.append(rank)
            if taps is None:
                infos.append(None)
                continue
            lead = 0 if taps == [-1] else -min(taps)
            infos.append({"initial": T.cast(self.given(rank, lead), "float64"), "taps": taps})
        fixed = [self.given(int(self.rng.randint(0, 3))) for _ in range(self.rng.randint(0, 3))]
        stop = self.rng.rand() < 0.2

        def step(*terms: Any) -> Any:
            outputs = [T.cast(self.expression(list(terms), rank), "float64") for rank in ranks]
            return (outputs, until(T.gt(outputs[0].sum(), 0.9))) if stop else outputs

        with_terms = bool(sequences or fixed or any(infos))
        rows, _ = theano.scan(
            step if with_terms else lambda: [T.ones([self.width] * r) for r in ranks],
            sequences=sequences,
            outputs_info=infos,
            non_sequences=fixed,
            n_steps=steps,
            go_backwards=bool(self.rng.rand() < 0.3),
            return_list=True,
            checkpoint=None if stop or self.rng.rand() < 0.7 else 2,
        )
        cost = sum(
            (self.pick([lambda r: r[-1].sum(), lambda r: T.sqr(r).sum(), lambda r: r[0].sum()]))(r)
            for r in rows
        )
        kept = [r if self.rng.rand() < 0.5 else r[-1] for r in rows]
        if not self.inputs:
            return kept
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            grads = T.grad(cost, self.inputs, disconnected_inputs="ignore")
        return [*kept, *grads]


@pytest.mark.parametrize("seed", SEEDS)
def test_random_loop(seed: int) -> None:
    loop = RandomLoop(seed)
    outputs = loop.build()
    tolerance = 2e-4 if any(v.dtype == "float32" for v in loop.values) else 1e-9
    options: Any = {"on_unused_input": "ignore"}
    wanted = theano.function(loop.inputs, outputs, mode=REFERENCE, **options)(*loop.values)
    for mode in (None, theano.Mode("llvm", None)):
        got = theano.function(loop.inputs, outputs, mode=mode, **options)(*loop.values)
        for one, two in zip(got, wanted, strict=True):
            assert one.shape == two.shape and one.dtype == two.dtype
            np.testing.assert_allclose(one, two, rtol=tolerance, atol=tolerance)
