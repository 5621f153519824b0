"""Random loops: native code, rewritten or not, gives what one step at a time in NumPy gives."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower import program as ir
from theano.ifelse import ifelse
from theano.scan_module import until

REFERENCE = theano.Mode("py", None)
SEEDS = range(15)


class RandomLoop:
    """One loop, made from a seed: sequences, states with taps, fixed values, and a body of them.

    Some loops are complex, some have no step, some have no items in a row, some update a shared
    variable or draw random numbers. With `one_argument` all vectors are rows of one matrix, so that
    they are known to have one length, and whatever is done item by item may be done in registers.
    """

    def __init__(self, seed: int, one_argument: bool = False) -> None:
        self.rng = np.random.RandomState(seed)
        self.one_argument, self.table = one_argument, None
        self.width = self.pick([0, 1, 2, 3, 4, 5, 5] + [7, 8, 9, 17] * one_argument)
        self.steps = self.pick([0, 1, 2, 3, 4, 5, 6])
        self.complex = not one_argument and self.chance(0.1)
        self.inputs: list[Any] = []
        self.values: list[Any] = []
        self.shared: Any = None
        self.updates: Any = {}

    def pick(self, items: list[Any]) -> Any:
        return items[self.rng.randint(len(items))]

    def chance(self, probability: float) -> bool:
        return bool(self.rng.rand() < probability)

    # -- inputs ---------------------------------------------------------------------------------

    def given(self, rank: int, lead: int | None = None) -> Any:
        """Return a new input: items of `rank` axes, behind a first axis of `lead` unless None."""
        if self.one_argument and rank:
            if self.table is None:
                self.table = T.dmatrix()
                self.inputs.append(self.table)
                self.values.append(self.strided(self.numbers("float64", [20, self.width])))
            first = self.rng.randint(20 - (lead or 0))
            return self.table[first] if lead is None else self.table[first : first + lead]
        shape = ([] if lead is None else [lead]) + [self.width] * rank
        dtype = self.pick(["float64", "float64", "float64", "float32", "int64", "int8"])
        if self.complex and self.chance(0.5):
            dtype = "complex128"
        variable = T.TensorType(dtype, [False] * len(shape))()
        self.inputs.append(variable)
        self.values.append(self.strided(self.numbers(dtype, shape)))
        return variable

    def numbers(self, dtype: str, shape: list[int]) -> Any:
        if dtype.startswith("int"):
            return self.rng.randint(-2, 3, shape).astype(dtype)
        data = self.rng.uniform(-1, 1, shape)
        if dtype.startswith("complex"):
            data = data + 1j * self.rng.uniform(-1, 1, shape)
        return np.asarray(data, dtype=dtype)

    def strided(self, data: Any) -> Any:
        """Return the same numbers, laid out in one of several ways."""
        if not data.ndim or self.chance(0.5):
            return data
        layout = self.rng.randint(4)
        if layout == 0:
            return np.asfortranarray(data)
        if layout == 1:
            return np.repeat(data, 2, axis=0)[::2]
        if layout == 2:
            return np.repeat(data, 3, axis=-1)[..., ::3]
        return data[::-1].copy()[::-1]

    # -- expressions ----------------------------------------------------------------------------

    def expression(self, terms: list[Any], rank: int) -> Any:
        """Return an expression of some terms whose items have `rank` axes."""
        value = self.raised(self.pick(terms), rank)
        for _ in range(self.rng.randint(1, 5)):
            other = self.raised(self.pick(terms), rank)
            value = self.pick(self.functions)(self, value, other)
        return value / (1.0 + abs(value)) if self.complex else T.tanh(value)

    @property
    def functions(self) -> list[Any]:
        """What a step may make of two values."""
        if self.one_argument:
            return [*REAL[:-1], lambda loop, a, b: a + (a * b).sum() / (self.width + 1)]
        return COMPLEX if self.complex else REAL

    def mixed(self, a: Any, b: Any) -> Any:
        """Return something of two values that is more than item by item."""
        if a.dtype != b.dtype:
            a, b = (T.cast(v, "complex128" if self.complex else "float64") for v in (a, b))
        if a.ndim == 2:
            return T.dot(a, b) * 0.2
        if a.ndim == 1:
            ways = [lambda: a * T.dot(a, b), lambda: T.concatenate([b[1:], a[:1]])]
            ways += [lambda: a[::-1] + b.sum(), lambda: self.nested(a, b)]
            if self.width:
                ways.append(lambda: T.set_subtensor(a[0], b[-1]))
            return self.pick(ways)()
        if self.complex:
            return a * T.conj(b)
        a, b = T.cast(a, "float64"), T.cast(b, "float64")
        return ifelse(T.gt(a, b + ASIDE), T.sin(a), T.cos(b))

    def nested(self, a: Any, b: Any) -> Any:
        """Return what a loop within the step makes of two vectors."""
        start = b.sum() / (self.width + 1.0)
        kind = start.dtype

        def inner(item: Any, state: Any, whole: Any) -> Any:
            return T.cast((state * item + whole.sum()) / (2.0 + abs(state)), kind)

        rows, _ = theano.scan(inner, a, start, b, go_backwards=self.chance(0.3))
        return rows * 0.5

    def raised(self, value: Any, rank: int) -> Any:
        """Return a value summed, or broadcast, to `rank` axes."""
        while value.ndim > rank:
            value = value.sum(axis=0) / max(self.width, 1)
        while value.ndim < rank:
            if self.one_argument:
                return value + 0 * self.given(1)
            value = T.outer(value, value) if value.ndim == 1 else value * T.ones((self.width,))
        return value

    # -- the loop -------------------------------------------------------------------------------

    def rank(self) -> int:
        return int(self.rng.randint(0, 3)) if not self.one_argument else self.pick([0, 1, 1, 1])

    def build(self) -> list[Any]:
        """Return the outputs and gradients."""
        sequences = []
        for _ in range(self.rng.randint(0, 3)):
            taps = self.pick([[0], [0], [-1, 0], [0, 2]])
            rows = self.given(self.rank(), self.steps + 2)
            sequences.append({"input": rows, "taps": taps})
        self.state_types: list[tuple[int, str]] = []
        infos = [self.state() for _ in range(self.rng.randint(1, 4))]
        fixed = [self.given(self.rank()) for _ in range(self.rng.randint(0, 3))]
        self.stops = not (self.complex or self.one_argument) and self.chance(0.2)
        if not (sequences or fixed or any(infos)):
            fixed.append(self.given(1))
        if not self.one_argument and self.chance(0.2):
            self.shared = theano.shared(self.numbers("float64", [self.width]))
        self.draws = not self.one_argument and self.chance(0.15)
        if self.draws:
            sequences.insert(0, T.random.split(T.random.key(7), self.steps + 2)[: self.steps + 2])
        no_gradients = self.stops or self.shared is not None
        rows, self.updates = theano.scan(
            self.step,
            sequences=sequences,
            outputs_info=infos,
            non_sequences=fixed,
            n_steps=self.steps,
            go_backwards=self.chance(0.3),
            return_list=True,
            checkpoint=None if no_gradients or self.chance(0.7) else 2,
            truncate_gradient=-1,
        )
        return self.results(rows)

    def state(self) -> Any:
        """Return how a new output starts; None if the step does not read it."""
        rank = self.rank()
        dtype = "complex128" if self.complex else self.pick(["float64"] * 5 + ["int64"])
        self.state_types.append((rank, dtype))
        taps = self.pick([[-1], [-1], [-2, -1], [-3], None])
        if taps is None:
            return None
        start = self.given(rank, None if taps == [-1] else -min(taps))
        return {"initial": T.cast(start, dtype), "taps": taps}

    def step(self, *given: Any) -> Any:
        terms = list(given)
        if self.draws:
            terms.append(T.random.uniform(terms.pop(0), (self.width,)))
        if self.shared is not None:
            terms.append(self.shared)
        outputs = []
        for rank, dtype in self.state_types:
            value = self.expression(terms, rank)
            outputs.append(T.cast(value * 3 if dtype == "int64" else value, dtype))
        result: list[Any] = [outputs]
        if self.shared is not None:
            value = self.expression(terms, 1)
            result.append({self.shared: T.cast(T.real(value), "float64")})
        if self.stops:
            result.append(until(T.gt(outputs[0].sum(), 0.9)))
        return tuple(result) if len(result) > 1 else outputs

    def results(self, rows: list[Any]) -> list[Any]:
        """Return some rows of the states, and the gradient of a cost of all by every input."""
        ways = [lambda r: T.sqr(r).sum(), lambda r: (r * 0.5).sum()]
        if self.steps:
            ways += [lambda r: r[-1].sum(), lambda r: r[0].sum()]
        parts = [self.pick(ways)(r) for r in rows]
        cost = sum(T.real(p) if p.dtype.startswith("complex") else p for p in parts)
        kept = [r if not self.steps or self.chance(0.5) else r[-1] for r in rows]
        targets = [v for v in self.inputs if "int" not in v.dtype]
        if not targets or "int" in cost.dtype:
            return kept
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            grads = T.grad(cost, targets, disconnected_inputs="ignore")
        return [*kept, *grads]

    def run(self, outputs: list[Any], mode: Any) -> list[Any]:
        """Return the values of the outputs, and of the shared variable after the call."""
        kept = None if self.shared is None else self.shared.get_value()
        options: Any = {"on_unused_input": "ignore", "updates": self.updates}
        results = theano.function(self.inputs, outputs, mode=mode, **options)(*self.values)
        if kept is not None:
            results.append(self.shared.get_value())
            self.shared.set_value(kept)
        return results


# Sums of integers are often equal but for rounding: comparisons are made aside of that.
ASIDE = 0.137
# What a step makes of two values of one rank.
COMPLEX = [
    lambda loop, a, b: a + b,
    lambda loop, a, b: a * b,
    lambda loop, a, b: a - 0.5 * b,
    lambda loop, a, b: T.conj(a) * b + 1,
    lambda loop, a, b: loop.mixed(a, b),
]
REAL = [
    *COMPLEX[:3],
    lambda loop, a, b: T.tanh(a) + b,
    lambda loop, a, b: T.exp(-T.sqr(a)) * b,
    lambda loop, a, b: T.maximum(a, b + ASIDE),
    lambda loop, a, b: T.switch(T.gt(a, ASIDE), a, b),
    lambda loop, a, b: loop.mixed(a, b),
]


@pytest.mark.parametrize(
    ("seed", "one_argument"),
    # Seed 79: LLVM 22 got a sum wrong whose items were taken together in every lane of a register.
    [
        *((s, False) for s in SEEDS),
        *((s, True) for s in [*SEEDS[:10], 79]),
        *(
            pytest.param(s, one, marks=pytest.mark.slow)
            for s in range(SEEDS.stop, 400)
            for one in (False, True)
            if (s, one) != (79, True)
        ),
    ],
)
def test_random_loop(seed: int, one_argument: bool) -> None:
    loop = RandomLoop(seed, one_argument)
    outputs = loop.build()
    # Functions of int8 are float32.
    narrow = any(v.dtype in ("float32", "int8") for v in loop.values)
    tolerance = 2e-4 if narrow else 1e-9
    wanted = loop.run(outputs, REFERENCE)
    for mode in (None, theano.Mode("llvm", None)):
        for one, two in zip(loop.run(outputs, mode), wanted, strict=True):
            assert one.shape == two.shape and one.dtype == two.dtype
            np.testing.assert_allclose(one, two, rtol=tolerance, atol=tolerance)


def test_many_loops_of_one_argument_are_in_registers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theano.config, "cache_programs", False)
    short = 0
    for seed in SEEDS[:20]:
        loop = RandomLoop(seed, one_argument=True)
        f = theano.function(loop.inputs, loop.build(), on_unused_input="ignore")
        program = f.maker.program_text.program
        short += any(isinstance(i, ir.Mask) for i in ir.walk(program.body))
    assert short >= 8
