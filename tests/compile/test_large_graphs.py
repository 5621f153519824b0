"""Graphs of ten thousand operations: no recursion, and work that grows as they do."""

import cProfile
import io
import pickle
import pstats
import tempfile
from collections import OrderedDict

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import evaluate
from theano._core.lower.llvm.target import machine
from theano._core.ops.array.dims import not_negative
from theano._core.ops.array.shaping import Length
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pipeline import rewrite
from theano._core.runtime.cache import CompileCache
from theano.ifelse import ifelse

x, matrix, i = T.dvector("x"), T.dmatrix("matrix"), T.iscalar("i")


@pytest.fixture(autouse=True)
def forget_code(monkeypatch, tmp_path):
    """Return what has all code compiled anew, in a cache that nothing else fills or trims."""

    def forget():
        cache = CompileCache(tempfile.mkdtemp(dir=tmp_path))
        monkeypatch.setattr(machine, "cache", lambda: cache)
        monkeypatch.setattr(machine, "_modules", OrderedDict())

    forget()
    return forget


def sums(n):
    out = x
    for _ in range(n):
        out = out + x
    return out


def functions(n):
    out = x
    for k in range(n):
        out = T.tanh(out) * 1.25 if k % 2 else out + x * 0.5
    return out


def calls(work):
    """Return how many calls of functions something takes: its time, but the same every time."""
    profile = cProfile.Profile()
    profile.runcall(work)
    return pstats.Stats(profile).total_calls


@pytest.mark.slow
def test_ten_thousand_operations():
    out = sums(10_000)
    value = np.array([1.0, 2.0])
    found = evaluate([out, T.grad(out.sum(), x)], {x: value})
    np.testing.assert_array_equal(found, [value * 10_001, [10_001, 10_001]])
    assert theano.pp(out).count("+") == 10_000
    assert theano.printing.debugprint(out, file="str").count("Elemwise{add") == 10_000
    copy = pickle.loads(pickle.dumps(out))
    assert theano.printing.var_descriptor(copy) == theano.printing.var_descriptor(out)
    assert len(theano.gof.graph.ancestors([theano.clone(out, {x: x * 2})])) > 10_000


def test_a_long_chain_runs():
    value = 0.3
    for k in range(2000):
        value = np.tanh(value) * 1.25 if k % 2 else value + 0.3 * 0.5
    np.testing.assert_allclose(evaluate(functions(2000), {x: [0.3]}), [value], rtol=1e-12)


WORK = {
    "grad": lambda out: T.grad(out.sum(), x),
    "rewrite": lambda out: rewrite([out.sum()], rewriter=Rewriter()),
    "rewrite gradients": lambda out: rewrite([T.grad(out.sum(), x)], rewriter=Rewriter()),
    "compile": lambda out: theano.function([x], out, mode="FAST_COMPILE"),
    "pickle": lambda out: pickle.loads(pickle.dumps(out)),
    "debugprint": lambda out: theano.printing.debugprint(out, file=io.StringIO()),
    "pp": theano.pp,
}


@pytest.mark.parametrize("build", [sums, functions])
@pytest.mark.parametrize("name", list(WORK))
def test_twice_the_size_is_at_most_2_2_times_the_work(name, build):
    work = WORK[name]
    work(build(20))
    small, large = build(400), build(800)
    assert calls(lambda: work(large)) <= 2.2 * calls(lambda: work(small))


def test_a_sum_of_many_products():
    m, y = T.dmatrices("m", "y")
    total = T.dot(m, m)
    for k in range(100):
        total = total + T.dot(m, m * k)
    value = np.random.RandomState(0).randn(3, 3)
    found = evaluate(y + total, {m: value, y: value})
    np.testing.assert_allclose(found, value + value @ value * 4951, rtol=1e-10)


def test_the_sign_of_a_sum_of_many_lengths_is_known():
    total, *others = [Length(0)(T.dvector()) for _ in range(5000)]
    for length in others:
        total = total + length
    assert not_negative(total)
    assert not not_negative(total + T.lscalar())
    assert not_negative(T.maximum(T.lscalar(), total))


def steps(parameters, cost):
    gradients = T.grad(cost, parameters)
    return [(p, p - 0.1 * g) for p, g in zip(parameters, gradients, strict=True)]


def residual_network(blocks):
    h, parameters = matrix, []
    for _ in range(blocks):
        w, scale = theano.shared(np.eye(4) / 8), theano.shared(np.ones(4))
        parameters += [w, scale]
        z = T.dot(h, w)
        h = h + T.nnet.relu((z - z.mean(0)) / T.sqrt(z.var(0) + 1e-5) * scale)
    cost = (h**2).mean()
    return [matrix], cost, steps(parameters, cost)


def joined_gradient(count):
    parts = [T.dvector() for _ in range(count)]
    return parts, T.grad((T.concatenate(parts) ** 2).sum(), parts), []


def nested_branches(count):
    out = x
    for k in range(count):
        out = ifelse(i > k, out * 2.0, out + 1.0)
    return [x, i], out, []


def branches_side_by_side(count, alike):
    parameters = [theano.shared(np.full(2, float(k))) for k in range(count)]
    total, same = 0.0, x[0] > 0
    for k, w in enumerate(parameters):
        branches = T.tanh(x * w).sum(), (T.exp(-x) * w).sum()
        total = total + ifelse(same if alike else x[0] > k, *branches)
    return [x], total, list(zip(parameters, T.grad(total, parameters), strict=True))


def gradients_in_branches(count):
    parameters = [theano.shared(np.full(2, 1.0 + k)) for k in range(count)]
    out = x
    for k, w in enumerate(parameters):
        out = ifelse(T.eq(i, k), T.tanh(x * w), out * w)
    return [x, i], T.grad(out.sum(), parameters), []


def loops(count, chained):
    total, rows = matrix.sum(), matrix
    for k in range(count):
        read = rows if chained else matrix
        rows, _ = theano.scan(lambda a, h, k=k: T.tanh(a + h) * k, read * k, matrix[0])
        total = total + rows.sum()
    return [matrix], [total, T.grad(total, matrix)], []


CHAINS = {
    "slices": lambda y, k: T.tanh(y[1:]) * k,
    "softmax": lambda y, k: T.nnet.softmax(y) + k,
    "batches": lambda y, k: T.nnet.relu((y - y.mean(0)) / T.sqrt(y.var(0) + 1e-3) * k),
    "sums of all": lambda y, k: y * y.sum() + k,
    "rolls": lambda y, k: T.roll(y, 1, axis=k % 2) * k + matrix,
    "joins": lambda y, k: T.concatenate([y[:5], T.tanh(y[:5]) * k]),
}


def chain(length, link):
    out = matrix
    for k in range(length):
        out = link(out, k)
    return [matrix], out, []


# What is compiled for a size, the size from which on it is doubled, and the most work that takes.
GROWTH = {
    "updates": (residual_network, 20, 2.2),
    "gradient of a join": (joined_gradient, 100, 2.3),
    # From here on what repeats becomes routines.
    "branches in branches": (nested_branches, 160, 2.3),
    "branches side by side": (lambda n: branches_side_by_side(n, False), 80, 2.3),
    "branches on one condition": (lambda n: branches_side_by_side(n, True), 80, 2.3),
    "gradients in branches": (gradients_in_branches, 40, 2.3),
    "loops": (lambda n: loops(n, False), 30, 2.3),
    "chained loops": (lambda n: loops(n, True), 30, 2.3),
    **{name: (lambda n, link=link: chain(n, link), 100, 2.3) for name, link in CHAINS.items()},
}


@pytest.mark.slow
@pytest.mark.parametrize(("build", "size", "most"), GROWTH.values(), ids=GROWTH)
def test_compiling_twice_the_size_is_not_much_more_than_twice_the_work(
    build, size, most, forget_code
):
    def work(count):
        inputs, outputs, updates = build(count)
        forget_code()
        return calls(lambda: theano.function(inputs, outputs, updates=updates))

    work(size // 10)
    assert work(2 * size) <= most * work(size)


@pytest.mark.slow
def test_gradients_of_many_branches_in_branches():
    inputs, outputs, _ = gradients_in_branches(80)
    value = np.array([0.01, -0.02])
    expected = np.zeros((80, 2))
    expected[77] = (1 - np.tanh(value * 78) ** 2) * value * 79 * 80
    expected[78] = np.tanh(value * 78) * 80
    expected[79] = np.tanh(value * 78) * 79
    np.testing.assert_allclose(theano.function(inputs, outputs)(value, 77), expected, rtol=1e-12)
