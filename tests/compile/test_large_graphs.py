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
from theano._core.lower.llvm.target import machine
from theano._core.ops.array.dims import not_negative
from theano._core.ops.array.shaping import Length
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pipeline import rewrite
from theano._core.runtime.cache import CompileCache
from theano.ifelse import ifelse

x = T.dvector("x")


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
    for i in range(n):
        out = T.tanh(out) * 1.25 if i % 2 else out + x * 0.5
    return out


def calls(work):
    """Return how many calls of functions something takes: its time, but the same every time."""
    profile = cProfile.Profile()
    profile.runcall(work)
    return pstats.Stats(profile).total_calls


@pytest.mark.slow
def test_ten_thousand_operations():
    out = sums(10_000)
    gradient = T.grad(out.sum(), x)
    f = theano.function([x], [out, gradient])
    value = np.array([1.0, 2.0])
    np.testing.assert_array_equal(f(value), [value * 10_001, [10_001, 10_001]])
    assert theano.pp(out).count("+") == 10_000
    file = io.StringIO()
    theano.printing.debugprint(out, file=file)
    assert file.getvalue().count("Elemwise{add") == 10_000
    copy = pickle.loads(pickle.dumps(out))
    assert theano.printing.var_descriptor(copy) == theano.printing.var_descriptor(out)
    assert len(theano.gof.graph.ancestors([theano.clone(out, {x: x * 2})])) > 10_000


def test_a_long_chain_runs():
    f = theano.function([x], functions(2000))
    value = 0.3
    for i in range(2000):
        value = np.tanh(value) * 1.25 if i % 2 else value + 0.3 * 0.5
    np.testing.assert_allclose(f([0.3]), [value], rtol=1e-12)


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
    for i in range(100):
        total = total + T.dot(m, m * i)
    f = theano.function([m, y], y + total)
    value = np.random.RandomState(0).randn(3, 3)
    np.testing.assert_allclose(f(value, value), value + value @ value * 4951, rtol=1e-10)


def residual_network(blocks):
    m = T.dmatrix("m")
    h, parameters = m, []
    for _ in range(blocks):
        w, scale = theano.shared(np.eye(4) / 8), theano.shared(np.ones(4))
        parameters += [w, scale]
        z = T.dot(h, w)
        h = h + T.nnet.relu((z - z.mean(0)) / T.sqrt(z.var(0) + 1e-5) * scale)
    cost = (h**2).mean()
    return (
        m,
        cost,
        [(p, p - 0.1 * g) for p, g in zip(parameters, T.grad(cost, parameters), strict=True)],
    )


@pytest.mark.slow
def test_updates_of_twice_the_parameters_are_at_most_2_2_times_the_work(forget_code):
    def work(blocks):
        forget_code()
        m, cost, updates = residual_network(blocks)
        return calls(lambda: theano.function([m], cost, updates=updates))

    work(20)
    small, large = work(20), work(40)
    assert large <= 2.2 * small


@pytest.mark.slow
def test_the_gradient_of_a_join_of_twice_the_vectors_is_at_most_2_3_times_the_work(forget_code):
    def work(count):
        forget_code()
        parts = [T.dvector() for _ in range(count)]
        gradients = T.grad((T.concatenate(parts) ** 2).sum(), parts)
        return calls(lambda: theano.function(parts, gradients))

    work(100)
    small, large = work(100), work(200)
    assert large <= 2.3 * small


def test_the_sign_of_a_sum_of_many_lengths_is_known():
    shape = [Length(0)(T.dvector()) for _ in range(5000)]
    total = shape[0]
    for length in shape[1:]:
        total = total + length
    assert not_negative(total)
    assert not not_negative(total + T.lscalar())
    assert not_negative(T.maximum(T.lscalar(), total))


@pytest.mark.slow
def test_branches_in_twice_as_many_branches_are_at_most_2_3_times_the_work(forget_code):
    i = T.iscalar("i")

    def nested(n):
        out = x
        for k in range(n):
            out = ifelse(i > k, out * 2.0, out + 1.0)
        forget_code()
        return calls(lambda: theano.function([x, i], out))

    nested(10)
    # From here on what repeats becomes routines.
    assert nested(320) < 2.3 * nested(160)


def training_of_branches(count, *conditions):
    parameters = [theano.shared(np.full(2, float(k))) for k in range(count)]
    total = 0.0
    for k, w in enumerate(parameters):
        condition = conditions[k] if conditions else x[0] > k
        total = total + ifelse(condition, T.tanh(x * w).sum(), (T.exp(-x) * w).sum())
    return total, parameters


@pytest.mark.slow
@pytest.mark.parametrize("alike", [False, True])
def test_twice_as_many_branches_side_by_side_are_at_most_2_3_times_the_work(forget_code, alike):
    def work(count):
        total, parameters = training_of_branches(count, *([x[0] > 0] * count if alike else []))
        updates = list(zip(parameters, T.grad(total, parameters), strict=True))
        forget_code()
        return calls(lambda: theano.function([x], total, updates=updates))

    work(10)
    # From here on what repeats becomes routines.
    assert work(160) < 2.3 * work(80)


def gradients_in_branches(count, i):
    parameters = [theano.shared(np.full(2, 1.0 + k)) for k in range(count)]
    out = x
    for k, w in enumerate(parameters):
        out = ifelse(T.eq(i, k), T.tanh(x * w), out * w)
    return T.grad(out.sum(), parameters)


@pytest.mark.slow
def test_gradients_of_many_branches_in_branches(forget_code):
    i = T.iscalar("i")

    compiled = []

    def work(count):
        gradients = gradients_in_branches(count, i)
        forget_code()
        return calls(lambda: compiled.append(theano.function([x, i], gradients)))

    work(10)
    assert 2.3 * work(40) > work(80)
    f = compiled[-1]
    value = np.array([0.01, -0.02])
    expected = np.zeros((80, 2))
    expected[77] = (1 - np.tanh(value * 78) ** 2) * value * 79 * 80
    expected[78] = np.tanh(value * 78) * 80
    expected[79] = np.tanh(value * 78) * 79
    np.testing.assert_allclose(f(value, 77), expected, rtol=1e-12)


matrix = T.dmatrix("matrix")
CHAINS = {
    "slices": lambda y, k: T.tanh(y[1:]) * k,
    "softmax": lambda y, k: T.nnet.softmax(y) + k,
    "batches": lambda y, k: T.nnet.relu((y - y.mean(0)) / T.sqrt(y.var(0) + 1e-3) * k),
    "sums of all": lambda y, k: y * y.sum() + k,
    "rolls": lambda y, k: T.roll(y, 1, axis=k % 2) * k + matrix,
    "joins": lambda y, k: T.concatenate([y[:5], T.tanh(y[:5]) * k]),
}


# Those of some nodes a link take ten seconds each.


@pytest.mark.slow
@pytest.mark.parametrize("name", CHAINS)
def test_chains_of_twice_the_length_are_at_most_2_3_times_the_work(name, forget_code):
    def work(length):
        out = matrix
        for k in range(length):
            out = CHAINS[name](out, k)
        forget_code()
        return calls(lambda: theano.function([matrix], out))

    work(10)
    # From here on what repeats becomes routines.
    assert work(200) <= 2.3 * work(100)


@pytest.mark.slow
@pytest.mark.parametrize("chained", [True, False])
def test_twice_as_many_loops_with_gradients_are_at_most_2_3_times_the_work(chained, forget_code):
    def work(count):
        total, rows = matrix.sum(), matrix
        for k in range(count):
            read = rows if chained else matrix
            rows, _ = theano.scan(lambda a, h, k=k: T.tanh(a + h) * k, read * k, matrix[0])
            total = total + rows.sum()
        gradient = T.grad(total, matrix)
        forget_code()
        return calls(lambda: theano.function([matrix], [total, gradient]))

    work(5)
    assert work(60) <= 2.3 * work(30)
