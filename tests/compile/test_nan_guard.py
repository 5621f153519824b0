"""What `NanGuardMode` looks at in native code: no more than it must, and no less."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.compile import ranges
from theano._core.lower import program as ir
from theano._core.ops.elementwise.elementwise import Elementwise
from theano.compile.nanguardmode import NanGuardMode
from theano.ifelse import ifelse

x = T.dmatrix("x")


class ByNode(NanGuardMode):
    """Looks at each node, with NumPy."""

    def native(self, maker: Any, rewritten: Sequence[Any]) -> None:
        """Return no native graph."""


def runs(function: Any) -> list[list[Any]]:
    """Return, for each loop over steps, what a step of it runs."""
    loops = [i for i in ir.walk(function.maker.program_text.program.body) if isinstance(i, ir.For)]
    work = (ir.Launch, ir.Reduce, ir.Call)
    return [[i for i in ir.walk(loop.body) if isinstance(i, work)] for loop in loops]


def recurrent(width: int, mode: object) -> Any:
    """Return a training step of a small recurrent network."""
    inner, outer = (theano.shared(np.eye(width) / k) for k in (2, 3))
    bias = theano.shared(np.zeros(width))

    def step(a: Any, h: Any) -> Any:
        return T.tanh(T.dot(a, outer) + T.dot(h, inner) + bias)

    rows, _ = theano.scan(step, sequences=x, outputs_info=T.zeros((width,)))
    cost = (rows[-1] ** 2).sum()
    weights = [inner, outer, bias]
    updates = [(w, w - 0.1 * g) for w, g in zip(weights, T.grad(cost, weights), strict=True)]
    return theano.function([x], cost, updates=updates, mode=mode)


def test_steps_of_a_loop_look_at_what_they_compute_and_at_nothing_else() -> None:
    plain, guarded = (recurrent(16, mode) for mode in (None, NanGuardMode()))
    for one, two in zip(runs(plain), runs(guarded), strict=True):
        # Only the product that the next step reads has a loop of its own.
        assert len(two) <= len(one) + 1
    kernels = guarded.maker.program_text.program.kernels
    for step in runs(guarded):
        loops = [kernels[i.kernel].loop for i in step if not isinstance(i, ir.Call)]
        assert loops and all(loop.rank == 1 for loop in loops)  # no weights
    value = np.random.default_rng(3).normal(size=(20, 16))
    np.testing.assert_array_equal(guarded(value), plain(value))


def test_what_is_within_limits_of_necessity_is_not_looked_at() -> None:
    v = T.dvector("v")
    # The result too, in whose loop the others are compared, unless there is no other loop.
    for out, compared in (
        (T.tanh(v) * T.nnet.sigmoid(v) + 3, 2),  # v
        (T.exp(-(v**2)) * 2, 2),  # the square: v is good then, and what is made of it
        ((v**2).sum(), 1),  # the sum
        (T.switch(v > 0, v, -v), 2),  # v
        (v * v.sum(), 3),  # v, the sum, the product
    ):
        f = theano.function([v], out, mode=NanGuardMode())
        loops = [k.loop for k in f.maker.kernels if hasattr(k, "loop") and k.eager]
        numbers = [op.function for loop in loops for op in loop.body.operations]
        outside = [
            i for i in ir.walk(f.maker.program_text.program.body) if isinstance(i, ir.Compute)
        ]
        numbers += [op.function for i in outside for op in i.body.operations]
        assert sum(getattr(op, "name", op) == "le" for op in numbers) == compared, out


EDGES = np.array(
    [0, 1, -1, 0.5, 3.0, -7.5, 1e4, -1e4, 1e6, 7e9, -9e9, 2e10, np.inf, -np.inf, np.nan]
)
UNARY = (T.neg, abs, T.sqr, T.exp, T.sin, T.tanh, T.erf, T.erfc, T.arctan, T.sgn, T.nnet.sigmoid)
UNARY += (T.log, T.sqrt, lambda a: a.T, lambda a: a[::-1], lambda a: a.sum(0), lambda a: a[0])
UNARY += (lambda a: T.cast(T.cast(a, "float32"), "float64"), lambda a: T.cast(a, "float16"))
UNARY += (lambda a: T.cast(T.cast(T.clip(a, -1e9, 1e9), "int64") * 10**6, "float64"),)
UNARY += (lambda a: a.sum(1, keepdims=True), lambda a: a.max(0), T.nnet.softplus, lambda a: 1 - a)
BINARY = (T.add, T.sub, T.mul, T.maximum, T.minimum, T.true_div, T.arctan2, T.lt)
BINARY += (lambda a, b: T.switch(T.isnan(a), b, a), lambda a, b: T.clip(a, -b, b))
BINARY += (lambda a, b: T.concatenate([T.atleast_2d(a), T.atleast_2d(b)]),)


def in_steps(a: Any, b: Any) -> Any:
    """A loop that carries a value."""
    return theano.scan(lambda u, h: T.tanh(u) * h + u, sequences=a, outputs_info=b.sum(0) * 1.0)[0]


BINARY += (in_steps, lambda a, b: ifelse(T.gt(a.sum(), 1), a * 2, a - b))


def random_graph(rng: np.random.Generator) -> Any:
    made: list[Any] = [x, x * 0.25, T.tanh(x)]
    for _ in range(rng.integers(2, 8)):
        one, two = (made[rng.integers(len(made))] for _ in range(2))
        try:
            if rng.uniform() < 0.5:
                out = UNARY[rng.integers(len(UNARY))](one)
            else:
                out = BINARY[rng.integers(len(BINARY))](one, two)
        except (TypeError, ValueError, IndexError):
            continue
        made.append(out)
    return made[-1] + made[-2].sum() if rng.uniform() < 0.3 else made[-1]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("errors", [(True, True, True), (True, True, False), (True, False, False)])
def test_native_code_reports_what_a_look_at_each_node_does(
    seed: int, errors: tuple[bool, bool, bool]
) -> None:
    rng = np.random.default_rng(seed)
    reported = 0
    for _ in range(12):
        out = random_graph(rng)
        native, by_node = (
            theano.function([x], out, mode=mode(*errors), on_unused_input="ignore")
            for mode in (NanGuardMode, ByNode)
        )
        for few in range(4):
            value = rng.normal(size=(3, 3)) * 10.0 ** rng.integers(-2, 5)
            value.flat[rng.integers(9, size=few)] = EDGES[rng.integers(len(EDGES), size=few)]
            told = [_told(f, value) for f in (native, by_node)]
            if told[0] == "ValueError":
                # Lengths are looked at before numbers are.
                assert told[1] is not None
                continue
            assert told[0] == told[1], (theano.printing.debugprint(out, file="str"), value)
            reported += told[0] is not None
    assert reported > 2


def _told(function: Callable[..., object], value: np.ndarray) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            function(value)
        except AssertionError as error:
            return str(error)
        except (ValueError, TypeError, IndexError) as error:
            return type(error).__name__
    return None


def test_ranges_hold() -> None:
    rng = np.random.default_rng(0)
    names = {*ranges._FIXED, *ranges._CHOOSE, *ranges._COMPUTE}
    seen = set()
    ops = [op for op in (getattr(T, n, None) for n in names) if isinstance(op, Elementwise)]
    for op in [*ops, T.nnet.sigmoid, T.tensor_copy]:
        variables = [T.dvector() for _ in range(op.nin)]
        node = op(*variables).owner
        compute = theano.function(variables, node.outputs[0])
        for _ in range(30):
            ends = np.sort(rng.choice(EDGES[:-1], size=(op.nin, 2)), axis=1)
            found = ranges.of_result(node, [tuple(pair) for pair in ends])
            with np.errstate(all="ignore"):
                inner = [np.clip(rng.normal(size=40) * 10.0 ** rng.integers(11), *p) for p in ends]
                values = [np.concatenate([p, i]) for p, i in zip(ends, inner, strict=True)]
                got = compute(*np.stack([g.ravel() for g in np.meshgrid(*values)]))
            if found is None:
                continue
            seen.add(op.name)
            low, high = np.nextafter(found, (-np.inf, np.inf))
            assert ((got >= low) & (got <= high)).all(), (op, ends)
    assert seen == names


def test_a_cast_may_be_too_narrow() -> None:
    i = T.lvector("i")
    for out, good, bad in (
        (T.cast(T.cast(i, "float64") * 1.0, "float16"), 60000, 70000),
        (T.cast(i, "float64"), 2**30, 2**40),
        (T.cast(i, "float32"), 2**30, 2**40),
    ):
        f = theano.function([i], out, mode=NanGuardMode())
        f([good])
        with pytest.raises(AssertionError, match=r"(Inf|Big value) detected"):
            f([bad])
