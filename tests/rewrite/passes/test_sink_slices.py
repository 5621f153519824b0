"""Slices of cheap elementwise results are computed of slices of the operands."""

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.agreement import agree
from support.comparison import EXACT, SUMS
from support.errors import refused
from theano._core.ir.graph import toposort
from theano._core.ops.array.index_form import Slice, merged_index
from theano._core.ops.array.indexing import Subtensor
from theano._core.ops.elementwise.elementwise import Elementwise

ENDS = (None, 0, 1, 2, 3, -1, -2, -3)


def taken(x, *entries):
    for entry in entries:
        try:
            x = x[entry]
        except IndexError:
            return None
    return x.tolist()


@pytest.mark.parametrize("start", ENDS)
@pytest.mark.parametrize("stop", ENDS)
def test_parts_of_parts(start, stop):
    found = 0
    outer = [slice(*s) for s in itertools.product(ENDS, ENDS, (None, 1, 2, -1))]
    for step, entry in itertools.product((None, 1, 2, -1), (*outer, 0, 1, -1)):
        form = Slice(entry.start, entry.stop, entry.step) if isinstance(entry, slice) else entry
        merged = merged_index((Slice(start, stop, step),), (form,))
        found += merged is not None
        for n in range(8) if merged is not None else ():
            x = np.arange(n)
            assert taken(x, slice(start, stop, step), entry) == taken(x, *merged)
    assert found


def flux(m, a, c):
    """Limited diffusion, as in weather models."""
    lap = 4 * a[1:-1, 1:-1] - (a[2:, 1:-1] + a[:-2, 1:-1] + a[1:-1, 2:] + a[1:-1, :-2])
    down, right = lap[1:, 1:-1] - lap[:-1, 1:-1], lap[1:-1, 1:] - lap[1:-1, :-1]
    down = m.where(down * (a[2:-1, 2:-2] - a[1:-2, 2:-2]) > 0, 0, down)
    right = m.where(right * (a[2:-2, 2:-1] - a[2:-2, 1:-2]) > 0, 0, right)
    return a[2:-2, 2:-2] - c[2:-2, 2:-2] * (down[1:] - down[:-1] + right[:, 1:] - right[:, :-1])


def of_known_ends(m, a, c):
    """Differences whose lengths are only known to fit when they are there."""
    one = a[:5, 1:] - a[:5, :-1]
    two = c[1:6, 1:] * one
    return two[1:] + two[:-1] * a[0:4, 1:]


STENCILS = {
    "flux": flux,
    "known ends": of_known_ends,
    "rows and columns": lambda m, a, c: (lambda z: z[1:] * z[:-1])(a[:, 0][:, None] - c[0] + 1),
    "steps": lambda m, a, c: (lambda z: z[::2] * 2 + z[::2])(a * 3),
    "gaps": lambda m, a, c: (lambda z: z[:-1:2] + z[1::2])(a[: a.shape[0] // 2 * 2] + c[:6]),
    "backwards": lambda m, a, c: (lambda z: z[::-1] + z[::-1, ::-1])(a + c),
    "items": lambda m, a, c: (lambda z: z[0] + z[-1] + z[:, 1].sum())(a + c * 2),
    "an axis of its own": lambda m, a, c: (lambda z: z[:, :, 0] * z[:, :, 1])(a[:, None] - c),
    "a whole": lambda m, a, c: (lambda z: z[1:] + z[:-1] + z.sum())(a + c),
    "of a dear one": lambda m, a, c: (lambda z: z[1:] + z[:-1])(m.exp(a) + c),
    "items of a dear one": lambda m, a, c: (lambda z: z[:, :, 0] * z[:, :, 1] - z[0, 0, 2])(
        m.exp(a[:, None] / 9) - m.exp(c / 9)
    ),
    "the same items of a dear one": lambda m, a, c: (lambda z: z[:, 0] * z[0] + z[:, 1])(
        m.exp(a / 9) + c
    ),
    "items for products": lambda m, a, c: (lambda z: m.dot(z[0], c.T) + m.dot(z[1], a.T))(
        m.exp(a / 9) + c
    ),
    "chosen": lambda m, a, c: (lambda z: z[1:, 1:] - z[:-1, :-1])(m.where(a > c, a, c)),
    "chain": lambda m, a, c: (lambda d: (lambda e: e[1:] - e[:-1])(d[1:] - d[:-1]))(a[1:] - a[:-1]),
}
SHAPES = [(6, 7), (6, 6), (5, 5), (4, 9), (1, 3), (2, 2), (0, 4), (4, 0)]


@pytest.mark.parametrize("name", STENCILS)
@pytest.mark.parametrize("dtype", ["float64", "int8"])
def test_values(name, dtype):
    a, c = (T.TensorType(dtype, (False, False))(n) for n in "ac")
    rng, cases = np.random.default_rng(1), []
    for shape in SHAPES:
        x, y = (rng.integers(-9, 9, shape).astype(dtype) for _ in "ac")
        cases += [(x, y), (x[::-1], np.asfortranarray(y)), (np.repeat(x, 2, 1)[:, ::2], y)]
    # NumPy's exp is not ours.
    tolerance = SUMS if "dear" in name or "products" in name else EXACT
    agree([a, c], STENCILS[name](T, a, c), *cases, tolerance=tolerance)


def test_of_known_sizes_is_checked():
    a, c = T.dmatrices("ac")
    f = theano.function([a, c], of_known_ends(T, a, c))
    x = np.arange(42.0).reshape(6, 7)
    np.testing.assert_array_equal(f(x, x), of_known_ends(np, x, x))
    for one, two in ((x[:3], x), (x, x[:5]), (x[:, :5], x)):
        with refused(ValueError, "mis-match"):
            f(one, two)


def test_lengths_of_three_operands_are_all_compared():
    """None of them has all the axes; one slice of each would fit."""
    patterns = (False, True, False), (True, False, False), (False, False, True)
    a, b, c = (T.TensorType("float64", pattern)() for pattern in patterns)
    z = -T.switch(a > 0, b, c)
    f = theano.function([a, b, c], z[:, :1] + z[:, 1:2])
    assert f(np.ones((2, 1, 3)), np.ones((1, 4, 3)), np.ones((2, 4, 1))).shape == (2, 1, 3)
    with pytest.raises(ValueError, match="mis-match"):
        f(np.ones((2, 1, 3)), np.ones((1, 4, 3)), np.ones((2, 3, 1)))


def loops(f):
    """Return how many arrays a function computes, its result included."""
    nodes = f.maker.graph.toposort()
    made = [n for n in nodes if isinstance(n.op, Elementwise) and n.outputs[0].type.ndim]
    kept = set(f.maker.graph.outputs)
    kept |= {v for n in nodes if not isinstance(n.op, Elementwise) for v in n.inputs}
    return sum(n.outputs[0] in kept for n in made)


@pytest.mark.parametrize(
    ("name", "arrays"),
    [
        ("flux", 2),
        ("known ends", 1),
        ("chosen", 1),
        ("chain", 1),
        ("of a dear one", 2),
        # Of each column and of the one item.
        ("items of a dear one", 2),
        ("the same items of a dear one", 2),
        ("items for products", 1),
    ],
)
def test_few_are_stored(name, arrays):
    a, c = T.dmatrices("ac")
    f = theano.function([a, c], STENCILS[name](T, a, c), on_unused_input="ignore")
    assert loops(f) == arrays


def test_in_the_steps_of_a_loop():
    start = T.dvector("start")

    def step(h):
        once = h[1:] - h[:-1]
        return T.set_subtensor(h[1:-1], h[1:-1] + 0.1 * (once[1:] - once[:-1]))

    rows, _ = theano.scan(step, outputs_info=start, n_steps=4)
    f = theano.function([start], rows)
    (loop,) = [n for n in f.maker.graph.toposort() if hasattr(n.op, "body")]
    slices = [n for n in toposort(loop.op.body.outputs) if isinstance(n.op, Subtensor)]
    assert all(n.inputs[0].owner is None for n in slices)
    value = np.array([0.0, 1.0, 4.0, 9.0, 1.0])
    for _ in range(4):
        value = np.concatenate([value[:1], value[1:-1] + 0.1 * np.diff(value, 2), value[-1:]])
    np.testing.assert_allclose(f([0.0, 1.0, 4.0, 9.0, 1.0])[-1], value, rtol=1e-14)
