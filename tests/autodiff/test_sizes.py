"""How many nodes gradients have before rewriting: at most five for each of the cost.

Counted are those that the gradients of all inputs need and the cost does not have. Bodies of loops,
of `OpFromGraph`, of softmax and of what is whole count; a long rule is one node.
"""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import variables
from support.compiling import DEFINITION
from theano._core.api.debug.checks import accepts
from theano._core.base import dtypes
from theano._core.ir.graph import toposort
from theano._core.ops.control.inner_graph import Softmax, Whole
from theano._core.ops.control.scan import Loop
from theano._core.ops.core.python_call import Composed
from theano._core.ops.elementwise.elementwise import elementwise_ops
from theano.ifelse import ifelse
from theano.tensor import fft, nlinalg as nl

TESTS = Path(__file__).parent.parent
sys.path += [str(TESTS / "ops"), str(TESTS / "linalg")]
structured = importlib.import_module("test_structured")
linalg = importlib.import_module("linalg_programs")

LIMIT = 5


def counts(outs, wrt):
    """Return the number of nodes of a cost made of `outs`, and of its gradients."""
    outs = outs if isinstance(outs, (list, tuple)) else [outs]
    smooth = [o for o in outs if not dtypes.is_discrete(o.type.dtype)]
    cost = T.add(0.0, *(abs(o).sum() if "complex" in o.type.dtype else o.sum() for o in smooth))
    gradients = T.grad(cost, wrt, disconnected_inputs="ignore")
    own = set(toposort([cost]))
    return size(own), size(node for node in toposort(gradients) if node not in own)


def size(nodes):
    total = 0
    for node in nodes:
        inside = isinstance(node.op, (theano.OpFromGraph, Softmax, Whole, Loop))
        total += 1 + (size(node.op.body.nodes) if inside else 0)
    return total


def check(outs, wrt):
    n, m = counts(outs, wrt)
    assert m <= LIMIT * n, f"{m} for {n}: {m / n:.1f}"


def floats(values):
    return [v for v in values if not dtypes.is_discrete(v.type.dtype)]


SMOOTH = [
    name
    for name, op in elementwise_ops().items()
    if op.gradient is not None
    # One node that stands for several.
    and not isinstance(op, Composed)
    and accepts(op, ["float64"] * op.nin)
    and dtypes.is_float(op.dtype(*["float64"] * op.nin)[1])
    # Not differentiated by one input, or once only.
    and name not in ("jv", "iv", "tetra_gamma")
]


@pytest.mark.parametrize("name", SMOOTH)
def test_elementwise(name):
    op = elementwise_ops()[name]
    inputs = [T.dmatrix() for _ in range(op.nin)]
    check(op(*inputs), inputs)


@pytest.mark.parametrize("name", structured.CASES)
def test_structured(name):
    build, _, arrays = structured.CASES[name]
    inputs = variables(*arrays)
    out = build(*inputs)
    if dtypes.is_discrete(out.type.dtype) or not floats(inputs):
        pytest.skip("no derivative")
    check(out, floats(inputs))


@pytest.mark.parametrize("name", linalg.CASES)
def test_linear_algebra(name):
    build, arrays = linalg.CASES[name]
    inputs = variables(*arrays)
    check(build(*inputs), inputs)


scan = lambda *arguments, **options: theano.scan(*arguments, **options)[0]
ends = lambda h, w: (h * w, theano.scan_module.until(h.sum() > 9))


MORE = {
    "recurrence": lambda x, w: scan(lambda a, h, w: T.tanh(a + T.dot(h, w)), [x], [x[0]], [w]),
    "power": lambda x, w: scan(lambda h, w: h * w, None, [x], [w], n_steps=5)[-1],
    "collected": lambda x, w: scan(lambda a, b: T.dot(a, b) ** 2, [x, w]),
    "taps": lambda x, w: scan(
        lambda a, b: T.sin(a) * b, None, {"initial": x, "taps": [-2, -1]}, n_steps=3
    ),
    "until": lambda x, w: scan(ends, None, [x], [w], n_steps=5),
    "nested": lambda x, w: scan(
        lambda a, w: scan(lambda b, s: s * b, [w], [a])[-1], [x], None, [w]
    ),
    "branch": lambda x, w: ifelse(T.gt(x[0, 0], 0), T.exp(x), T.dot(x, w)),
    "join": lambda x, w: T.concatenate([x, w, x], axis=1),
    "stack": lambda x, w: T.stack([x, w]),
    "split": lambda x, w: T.split(x, [1, 2], 2, axis=0)[1],
    "prod": lambda x, w: T.prod(x, axis=1),
    "cumprod": lambda x, w: T.cumprod(x, axis=1),
    "cumsum": lambda x, w: T.cumsum(x, axis=1),
    "max": lambda x, w: T.max(x, axis=1),
    "sort": lambda x, w: T.sort(x, axis=1),
    "topk": lambda x, w: T.topk(x, 2, axis=1),
    "transform": lambda x, w: fft.rfft(x),
    "inverse transform": lambda x, w: fft.irfft(fft.rfft(x)),
    "softmax": lambda x, w: T.nnet.softmax(x),
    "variance": lambda x, w: T.var(x, axis=1),
    "norm": lambda x, w: x.norm(2),
    "tensordot": lambda x, w: T.tensordot(x, w, 1),
    "batched_dot": T.batched_dot,
    "set_subtensor": lambda x, w: T.set_subtensor(x[1:], w[1:]),
    "inc_subtensor": lambda x, w: T.inc_subtensor(x[[0, 1]], w[[1, 0]]),
    "graph": lambda x, w: theano.OpFromGraph([x, w], [T.tanh(T.dot(x, w)) * x])(x, w),
    "least squares": lambda x, w: nl.lstsq()(x, w, -1)[0],
    "checkpoint": lambda x, w: theano.gradient.checkpoint(T.exp(x)) * w,
    "second derivative": lambda x, w: T.grad((T.sin(x) * T.dot(x, w)).sum(), x),
    "layers": lambda x, w: T.nnet.softmax(T.dot(T.tanh(T.dot(x, w) + w[0]), w)),
}


@pytest.mark.parametrize("name", MORE)
def test_more(name):
    x, w = T.dmatrices("x", "w")
    check(MORE[name](x, w), [x, w])


def test_a_long_rule_is_one_application_until_it_is_rewritten():
    x = T.dmatrix("x")
    u, s, v = nl.svd(x)
    out = T.grad((u * 2).sum() + s.sum() + v.sum(), x)
    assert [str(n.op) for n in toposort([out])].count("SVDGrad") == 1
    f = theano.function([x], out)
    assert "SVDGrad" not in [str(n.op) for n in f.maker.graph.toposort()]
    a = np.random.default_rng(0).normal(size=(3, 3))
    for mode in (None, "FAST_COMPILE", DEFINITION):
        other = theano.function([x], out, mode=mode)
        np.testing.assert_allclose(f(a), other(a), atol=1e-12)
    np.testing.assert_allclose(f(a), out.eval({x: a}), atol=1e-12)


def test_test_values_of_long_rules():
    with theano.change_flags(compute_test_value="raise"):
        x = T.dmatrix("x")
        x.tag.test_value = np.eye(3) * 2
        out = T.grad(T.slinalg.cholesky(x).sum(), x)
        np.testing.assert_allclose(out.tag.test_value, out.eval({x: np.eye(3) * 2}))


def test_a_second_use_of_a_rule_is_the_same():
    """Two gradients of one value share what they compute."""
    x = T.dmatrix("x")
    cost = T.slinalg.cholesky(x).sum()
    one, two = T.grad(cost, x), T.grad(cost, x)
    f = theano.function([x], [one, two])
    names = [type(node.op).__name__ for node in f.maker.graph.toposort()]
    assert names.count("CholeskyCotangent") == 1
    assert theano.gof.graph.is_same_graph(one, two)
