"""Parts of joins are computed where they end."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.comparison import Tolerance
from support.compiling import DEFINITION
from support.loops import assert_agree
from theano._core.lower import program as ir
from theano.ifelse import ifelse

x, y = T.dvectors("x", "y")
m, w = T.dmatrices("m", "w")
n = T.lscalar("n")
both = T.concatenate([T.tanh(x), T.exp(y)])
t = T.tanh(x)
filled = x[T.nonzero(x > 0)]
steps = theano.scan(lambda r, h: T.concatenate([h[1:] * 2, r[:1] + 1]), m, x)[0]
gradients = T.grad((T.tanh(m.dot(w)) ** 2).sum(), [m, w])
chosen = ifelse(n > 0, T.concatenate([T.exp(x) * 2, T.tanh(y)]), T.concatenate([x, y]))
written_over = theano.scan(
    lambda h: T.set_subtensor(T.concatenate([h[:2] * 2, h[2:] + 1])[:2], h[2:4] * 3),
    outputs_info=T.concatenate([x, x]),
    n_steps=3,
)[0]
first = T.set_subtensor(T.AllocEmpty("float64")(5)[:3], T.exp(x[:3]))

# Outputs, and how many copies are left.
JOINS = {
    "vectors": (both, 0),
    "three": (T.concatenate([T.tanh(x), x * 2, T.exp(y)]), 0),
    "an input": (T.concatenate([T.tanh(x), y]), 1),
    "rows": (T.concatenate([m + 1, T.exp(m[:2])]), 0),
    "stacked": (T.stack([T.tanh(x), T.exp(x)]), 0),
    "gradients": (T.concatenate([g.flatten() for g in gradients]), 0),
    "sums": (T.concatenate([m.sum(axis=0), m.sum(axis=1), T.exp(x)]), 0),
    "narrow": (T.concatenate([T.cast(x, "int8"), T.cast(y * 2, "int8")]), 0),
    "joined again": (T.concatenate([both * 2, both[::-1]]), 1),
    "of joins": (T.concatenate([T.stack([t * 2, t * 3]).flatten(), T.exp(y) * t.sum()]), 1),
    "used elsewhere": ([T.concatenate([t, T.exp(y)]), t], 1),
    "used later": (T.cumsum(T.concatenate([t, T.exp(y)])).sum() * t, 1),
    "twice": (T.concatenate([t, t]), 1),
    "length of a value": (T.concatenate([T.tanh(y), filled * 2]), 1),
    "columns": (T.concatenate([m + 1, m * 2], axis=1), 0),
    "in a row of a state": (steps, 3),
    "on a side": (chosen, 2),
    "written over": (T.set_subtensor(T.stack([x, x + 1, t])[:1], t), 3),
    "written over in a state": (written_over, 6),
    "overlapping": (T.set_subtensor(first[2:], T.tanh(y[:3])), 3),
}
X, Y, M = np.linspace(-1, 2, 4), np.linspace(1, 2, 3), np.linspace(-1, 1, 12).reshape(3, 4)
VALUES = {
    "usual": (X, Y, M, M.T, 1),
    "apart": (np.repeat(X, 2)[::2], Y[::-1], np.asfortranarray(M), M.T[:, ::-1], -1),
    "empty": (X[:0], Y[:0], M[:, :0], M.T[:0], 0),
}


def copies(f):
    """Return how many kernels that copy a function runs, and copies by the runtime."""
    program = f.maker.program_text.program
    run = [i.kernel for i in ir.walk(program.body) if isinstance(i, ir.Launch)]
    kernels = [program.kernels[kernel] for kernel in run if isinstance(kernel, int)]
    return run.count("copy") + sum(
        k.layout == "packed"
        and not (k.loop.body.operations or k.loop.reductions)
        and all(k.loop.operands[0][1].isdisjoint(axes) for axes in k.groups)
        for k in kernels
    )


def function(outputs, mode="FAST_RUN"):
    return theano.function([x, y, m, w, n], outputs, mode=mode, on_unused_input="ignore")


@pytest.mark.parametrize("name", JOINS)
@pytest.mark.parametrize("kind", VALUES)
def test_values(name, kind):
    outputs, values = JOINS[name][0], VALUES[kind]
    if kind == "empty" and name in ("in a row of a state", "overlapping"):
        values = (X, Y, M[:0], M.T, 0)
    got, wanted = function(outputs)(*values), function(outputs, DEFINITION)(*values)
    assert_agree(got, wanted, Tolerance(500, "errors of elementary functions", floor=500))


@pytest.mark.parametrize("name", JOINS)
def test_copies_that_are_left(name, monkeypatch):
    monkeypatch.setattr(theano.config, "cache_programs", False)
    outputs, left = JOINS[name]
    assert copies(function(outputs)) == left


MISFITS = {
    "computed": T.concatenate([m, w * 2]),
    "first": T.concatenate([w * 2, m]),
    "both": T.concatenate([m + 1, w * 2]),
    "sums": T.concatenate([m.sum(axis=0, keepdims=True), w * 2]),
    "column": T.concatenate([T.addbroadcast(m[:, :1], 1), w * 2]),
    "stacked": T.stack([m[0], w[0] * 2]),
    "checked before": [w[:3] + m, T.concatenate([m, w[:3] * 2])],
    "of joins": T.concatenate([T.concatenate([m * 2, m * 3]), T.concatenate([w + 1, w + 2])]),
}


@pytest.mark.parametrize("name", MISFITS)
def test_what_does_not_fit_is_refused_before_a_part_is_written(name, monkeypatch):
    monkeypatch.setattr(theano.config, "cache_programs", False)
    f = function(MISFITS[name])
    body = list(ir.walk(f.maker.program_text.program.body))
    checks = [at for at, i in enumerate(body) if isinstance(i, ir.Check) and "joi" in i.fault]
    launches = [at for at, i in enumerate(body) if isinstance(i, (ir.Launch, ir.Reduce))]
    # Joins of joins are parts of the whole only when they are made.
    assert name in ("checked before", "of joins") or max(checks) < launches[0]
    for _ in range(20):
        with pytest.raises(ValueError, match=r"must match|mis-match"):
            f(X, Y, M[:, :2], np.ones((60, 400)), 1)
