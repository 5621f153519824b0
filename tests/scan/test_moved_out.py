"""Products that no step reads are computed behind the loop, of the rows that steps hand on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.ops.array.products import Dot, Gemm
from theano._core.ops.control.scan import Loop
from theano.scan_module import until

rng = np.random.default_rng(4)
x, v = T.dmatrix("x"), T.dvector("v")
w, out = theano.shared(rng.normal(size=(3, 3)) / 2), theano.shared(rng.normal(size=(3, 5)))


def hidden(r: Any, h: Any) -> Any:
    return T.tanh(T.dot(h, w) + r)


def read(h: Any) -> Any:
    return T.nnet.softmax(T.dot(h, out))[0]


def loop(step: Any, start: Any = v, **options: Any) -> list[Any]:
    """Return the rows of the states, and of what is read of them."""
    return theano.scan(step, sequences=x, outputs_info=[start, None], **options)[0]


def older(r: Any, before: Any, h: Any) -> list[Any]:
    new = hidden(r + before, h)
    return [new, read(new)]


plain = loop(lambda r, h: [hidden(r, h), read(hidden(r, h))])
LOOPS: dict[str, Any] = {
    "both": plain,
    "the last state": [plain[0][-1], plain[1]],
    "the last two": [plain[0][-2:], plain[1][-2:]],
    "without the first": [plain[0][1:], plain[1][1:]],
    "older states": loop(older, {"initial": T.stack([v, v + 1]), "taps": [-2, -1]}),
    "backwards": loop(lambda r, h: [hidden(r, h), read(hidden(r, h))], go_backwards=True),
    "with the sequence": loop(lambda r, h: [hidden(r, h), read(hidden(r, h)) * r.sum()]),
}


def products_in_loops(f: Any) -> int:
    loops = [n.op for n in f.maker.fgraph.toposort() if isinstance(n.op, Loop)]
    return sum(isinstance(n.op, (Dot, Gemm)) for op in loops for n in op.body.nodes)


@pytest.mark.parametrize("steps", [0, 1, 2, 7])
@pytest.mark.parametrize("name", list(LOOPS))
def test_values_and_gradients(name: str, steps: int) -> None:
    outs = LOOPS[name]
    cost = sum(T.sum(T.sqr(o)) for o in outs)
    outs = [*outs, *T.grad(cost, [x, v, w, out])]
    values = rng.normal(size=(steps, 3)), rng.normal(size=3)
    written = theano.Mode(linker="py", optimizer=None)
    try:
        wanted = theano.function([x, v], outs, mode=written)(*values)
    except (IndexError, ValueError):
        with pytest.raises((IndexError, ValueError)):
            theano.function([x, v], outs)(*values)
        return
    for got, want in zip(theano.function([x, v], outs)(*values), wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", list(LOOPS))
def test_steps_multiply_once(name: str) -> None:
    states, rows = LOOPS[name]
    whole = products_in_loops(theano.function([x, v], [states, rows]))
    # For results alone no states are kept.
    assert whole == (2 if name in ("the last state", "the last two") else 1)
    assert products_in_loops(theano.function([x, v], rows)) == 2


def test_what_steps_read_stays() -> None:
    fed = theano.scan(
        lambda r, h, p: [hidden(r, h) + p.sum(), read(h)],
        sequences=x,
        outputs_info=[v, T.zeros(5)],
    )[0]
    ended = theano.scan(
        lambda r, h: ([hidden(r, h), read(h)], until(T.gt(h.sum(), 3))),
        sequences=x,
        outputs_info=[v, None],
    )[0]
    for outs in (fed, ended):
        f = theano.function([x, v], outs)
        plain = theano.function([x, v], outs, mode=theano.Mode(optimizer=None))
        values = rng.normal(size=(6, 3)), rng.normal(size=3)
        for got, want in zip(f(*values), plain(*values), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-12)


def test_logarithms_of_softmaxes_of_steps_are_finite() -> None:
    far = theano.shared(1e4 * rng.normal(size=(3, 5)))
    states, rows = loop(lambda r, h: [hidden(r, h), T.nnet.softmax(T.dot(hidden(r, h), far))[0]])
    logs = theano.function([x, v], [states, T.log(rows)])(rng.normal(size=(6, 3)), np.ones(3))[1]
    assert np.isfinite(logs).all()
