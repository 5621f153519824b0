"""`f.memory_plan`: what it foretells is what the pool is asked for."""

import gc

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.errors import refused
from theano._core.runtime import native
from theano.ifelse import ifelse

x, n, v, lengths = T.dmatrix("x"), T.lscalar("n"), T.dvector("v"), T.lvector("lengths")
# Blocks of these sizes are not rounded up, and are given back to lists that all threads share.
SQUARE = np.random.RandomState(0).randn(256, 256) / 16
NBYTES = SQUARE.nbytes


def mixed(h):
    """Return what needs two matrices; products would take more for a moment."""
    return T.tanh(h + T.concatenate([h[128:], h[:128]]) * T.cumsum(h, axis=0))


def looped():
    rows, _ = theano.scan(mixed, outputs_info=x, n_steps=n)
    return theano.function([x, n], T.grad(rows[-1].sum(), x))


def growing():
    """Return a loop whose last step takes most."""
    step = lambda i, v: T.cumsum(T.cumsum(v[:i])).sum()
    sums, _ = theano.scan(step, sequences=lengths, non_sequences=v)
    return theano.function([v, lengths], sums)


def updated():
    w = theano.shared(SQUARE, "w")
    cost = (mixed(x * w) ** 2).sum()
    return theano.function([x], cost, updates=[(w, w - 0.1 * T.grad(cost, w))])


def held():
    """Return an update in new memory, since the old value is a result."""
    w = theano.shared(SQUARE, "w")
    return theano.function([], w, updates=[(w, T.exp(w))])


def of(inputs, output):
    return lambda: theano.function(inputs, output)


chain, branch = of([x], mixed(mixed(mixed(x)) * 2).T), ifelse(n > 0, mixed(x), x[::2] * 2)
CASES = {
    "chain": (chain, [SQUARE]),
    "transposed": (chain, [SQUARE.T]),
    "loop": (looped, [SQUARE, 7]),
    "loop of one step": (looped, [SQUARE, 1]),
    "loop whose steps take more and more": (growing, [np.ones(1 << 16), np.arange(9) << 13]),
    "update in place": (updated, [SQUARE]),
    "update in new memory": (held, []),
    "branch": (of([x, n], branch), [SQUARE, 0]),
    "other branch": (of([x, n], branch), [SQUARE, 1]),
    "lengths that are elements": (of([v, n], T.outer(v[:n], v[:n])), [np.ones(1000), 512]),
    "outputs that are inputs": (of([x], [x, x.T, x * 2]), [SQUARE]),
}


def most_bytes(f, arguments):
    """Return the most bytes that the pool has in a call, and had not before."""
    limit = native.pool_stats()["limit"]
    try:
        # Memory goes back to the system at once.
        native.set_pool_limit(0)
        f(*arguments)
        gc.collect()
        native.trim_pool()
        before = native.pool_stats()["system_bytes"]
        f(*arguments)
        return native.pool_stats()["most_bytes"] - before
    finally:
        native.set_pool_limit(limit)


@pytest.mark.parametrize(("make", "arguments"), CASES.values(), ids=CASES)
def test_the_peak_is_what_the_pool_had(make, arguments):
    f = make()
    plan = f.memory_plan(*arguments)
    assert plan.exact
    # Small blocks are rounded up to 64 bytes, and come from caches of threads.
    assert plan.peak >= NBYTES / 2
    assert abs(most_bytes(f, arguments) - plan.peak) < 4096


def test_buffers_and_what_they_share():
    plan = of([x], T.dot(T.dot(T.dot(x, x), x), x))().memory_plan(np.empty((64, 64)))
    assert [b.nbytes for b in plan.buffers] == [1 << 15] * 3
    assert [(b.made, b.freed) for b in plan.buffers] == [(0, 1), (1, 2), (2, -1)]
    assert [b.block for b in plan.buffers] == [0, 1, 0]
    assert plan.peak == 2 << 15
    assert str(plan).splitlines() == [
        "65536 bytes at once; buffers: 3, blocks: 2",
        "buffer        bytes block  allocated in step                 given back in step",
        "     0        32768     0  0 dot                             1 dot",
        "     1        32768     1  1 dot                             2 dot",
        "     2        32768     0  2 dot                             (result)",
    ]


def test_what_is_not_known_before():
    plan = of([x], x[x > 0])().memory_plan(SQUARE)
    assert not plan.exact
    assert None in [b.nbytes for b in plan.buffers]
    assert "as far as sizes are known" in str(plan) and "?" in str(plan)
    # A condition that is computed.
    f = theano.function([x], ifelse(T.exp(x).sum() > 0, mixed(x), x[:1] * 2))
    plan = f.memory_plan(SQUARE)
    assert not plan.exact
    assert plan.peak >= most_bytes(f, [SQUARE]) - 4096


def test_arguments_are_those_of_a_call():
    f = theano.function([x, theano.In(n, value=2, name="n")], T.dot(x[:n], x))
    assert f.memory_plan(np.ones((4, 4))).peak == 64
    assert f.memory_plan(np.ones((4, 4)), n=4).peak == 128
    assert f.memory_plan([[1, 2], [3, 4]]).peak == 32
    for arguments, error, words in (
        ([], TypeError, "Missing required input: x"),
        ([np.ones((4, 4)), 1, 2], TypeError, "3 given, it takes 2"),
        (["none"], ValueError, "Bad input argument"),
        ([np.ones((4, 3))], ValueError, "Shape mismatch"),
    ):
        with refused(error, words):
            f.memory_plan(*arguments)


def test_no_value_changes():
    w = theano.shared(np.ones(3))
    f = theano.function([], w.sum(), updates=[(w, w + 1)])
    assert f.memory_plan().peak == 8
    assert w.get_value().tolist() == [1, 1, 1]
