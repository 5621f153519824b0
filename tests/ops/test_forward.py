"""Forward mode: against the reverse mode, which is its transpose, and against differences."""

import importlib

import numpy as np
import pytest
from registry import OPS

import theano
import theano.tensor as T
from support.arrays import values
from theano._core.api.debug.checks import accepts, draw, tensor
from theano.gradient import (
    DisconnectedInputError,
    NullTypeGradError,
    hessian_vector_product,
    jvp,
    undefined_grad,
    value_and_grad,
    vjp,
)
from theano.ifelse import ifelse
from theano.tensor import fft

structured = importlib.import_module("test_structured")

KINDS = ["float32", "float64", "complex128"]
CASES = [
    (name, kind)
    for name, op in OPS.items()
    for kind in KINDS
    if accepts(op, [kind] * op.nin) and op.dtype(*[kind] * op.nin)[1][0] in "fc"
]
STRUCTURED = {
    name: arrays
    for name, (build, _, arrays) in structured.CASES.items()
    if build(*(tensor(str(a.dtype), a.shape) for a in arrays)).dtype == "float64"
    and any(a.dtype.kind == "f" for a in arrays)
}


def inner(x, y):
    """Return the product of two arrays as vectors of real numbers."""
    return float(np.sum(np.real(x) * np.real(y) + np.imag(x) * np.imag(y)))


def check_transposed(out, inputs, arrays, rtol):
    """Compare <J t, g> with <t, J^T g> for random t and g."""
    along, g = [v.type() for v in inputs], out.type()
    forward, backward = jvp(out, inputs, along), vjp(out, inputs, g)
    assert forward.type == out.type
    f = theano.function([*inputs, *along, g], [out, forward, *backward], on_unused_input="ignore")
    directions = [values(a.shape, a.dtype.name, seed) for seed, a in enumerate(arrays)]
    shape = theano.function(inputs, out.shape, on_unused_input="ignore")(*arrays)
    weights = values(tuple(shape), out.dtype, seed=9)
    value, pushed, *pulled = f(*arrays, *directions, weights)
    assert pushed.shape == value.shape
    parts = [inner(d, p) for d, p in zip(directions, pulled, strict=True)]
    size = sum(abs(p) for p in parts) + np.sum(abs(pushed) * abs(weights)) + 1e-30
    assert abs(inner(pushed, weights) - sum(parts)) < rtol * size


@pytest.mark.parametrize("name, kind", CASES)
def test_elementwise(name, kind):
    op = OPS[name]
    rng = np.random.default_rng(3)
    shapes = [[(3, 4), (1, 4), (3, 1)][: op.nin], [(3, 4)] * op.nin, [(0, 1)] * op.nin]
    for given in shapes[op.nin == 1 : 3 if kind == "float64" else 2]:
        inputs = [tensor(kind, shape, broadcast=True) for shape in given]
        arrays = [draw(rng, where, kind, s) for where, s in zip(op.samples, given, strict=True)]
        out = op(*inputs)
        try:
            T.grad(None, inputs, known_grads={out: out.type()})
        except NullTypeGradError:
            with pytest.raises(NullTypeGradError):
                jvp(out, inputs, inputs)
            return
        check_transposed(out, inputs, arrays, 1e-3 if "32" in kind else 1e-9)


@pytest.mark.parametrize("name", STRUCTURED)
def test_structured(name):
    build, arrays = structured.CASES[name][0], STRUCTURED[name]
    inputs = [tensor(str(a.dtype), a.shape) for a in arrays]
    out = build(*inputs)
    real = [k for k, a in enumerate(arrays) if a.dtype.kind == "f"]
    givens = {inputs[k]: T.constant(a) for k, a in enumerate(arrays) if k not in real}
    out = theano.clone(out, replace=givens, strict=False)
    check_transposed(out, [inputs[k] for k in real], [arrays[k] for k in real], 1e-12)


POINT = np.random.default_rng(7).normal(size=(4, 3))
REDUCTIONS = {
    "sum": lambda x: T.sum(x, axis=0),
    "prod": lambda x: T.prod(x, axis=1),
    "prod with zeros": lambda x: T.prod(x * [0, 1, 1], axis=1),
    "max": lambda x: T.max(x, axis=1),
    "min": lambda x: T.min(x),
    "mean": T.mean,
    "variance": lambda x: T.var(x, axis=0),
    "norm": lambda x: x.norm(2),
    "sort": lambda x: T.sort(x, axis=1),
    "largest": lambda x: T.topk(x, 2, axis=0),
    "cumulative sum": lambda x: T.cumsum(x, axis=1),
    "cumulative product": lambda x: T.cumprod(x, axis=0),
    "softmax": T.nnet.softmax,
    "log of a sum": lambda x: T.log(T.exp(x).sum(axis=1)),
    "transform": lambda x: fft.rfft(x),
    "inverse transform": lambda x: fft.irfft(fft.rfft(x) ** 2),
    "unique": lambda x: T.extra_ops.Unique()(x),
    "printed": lambda x: theano.printing.Print("x", attrs=())(x) * 2,
    "checked": lambda x: T.opt.Assert()(x, T.gt(x.sum(), -99)) ** 2,
    "both ways": lambda x: ifelse(T.gt(x[0, 0], 9), T.exp(x), T.sin(x) * x),
    "range": lambda x: T.arange(x[0, 0], x[0, 0] + 3, 0.5 + 0 * x[0, 1]),
}


@pytest.mark.parametrize("name", REDUCTIONS)
def test_more(name):
    x = T.dmatrix("x")
    check_transposed(REDUCTIONS[name](x), [x], [POINT], 1e-11)


def _recurrence(x):
    rows, _ = theano.scan(lambda r, h: T.tanh(r + h * x[0]), sequences=x, outputs_info=x[0])
    return rows


def _taps(x):
    start = {"initial": x[:2], "taps": [-2, -1]}
    rows, _ = theano.scan(
        lambda one, two, w: T.sin(one) * two + w, outputs_info=start, non_sequences=x[1], n_steps=5
    )
    return rows[-1]


def _collected(x):
    (one, two), _ = theano.scan(
        lambda r, h: (T.exp(-h) + r.sum(), h * r), sequences=x[::-1], outputs_info=[x[0, 0], None]
    )
    return one.sum() + two[1:]


def _until(x):
    def step(h):
        return h * 1.5, theano.scan_module.until(T.gt(abs(h).sum(), 20))

    rows, _ = theano.scan(step, outputs_info=x[0], n_steps=50)
    return rows


def _nested(x):
    def outer(r, h):
        return theano.scan(lambda k: T.tanh(k * r), outputs_info=h, n_steps=2)[0][-1]

    return theano.scan(outer, sequences=x, outputs_info=x[0] * 2)[0]


def _checkpointed(x):
    return theano.scan(
        lambda r, h: T.tanh(r * h), sequences=x, outputs_info=x[0] + 1, checkpoint=2
    )[0][-1]


@pytest.mark.parametrize("build", [_recurrence, _taps, _collected, _until, _nested, _checkpointed])
def test_loops(build):
    x = T.dmatrix("x")
    check_transposed(build(x), [x], [POINT], 1e-11)


def test_a_loop_and_its_tangent_are_one_loop():
    x, t = T.dmatrices("x", "t")
    out = _recurrence(x)
    f = theano.function([x, t], [out, jvp(out, x, t)])
    assert sum("for" in str(n.op) for n in f.maker.graph.toposort()) == 1


def test_size_of_a_tangent_is_linear():
    x, t = T.dvectors("x", "t")
    out = x
    for _ in range(500):
        out = T.tanh(out) * x
    count = len(theano.gof.graph.ops([x], [out]))
    assert len(theano.gof.graph.ops([x, t], [jvp(out, x, t)])) <= 6 * count


def test_hessian_times_vector():
    x, w, t, u = T.dvector("x"), T.dmatrix("w"), T.dvector("t"), T.dmatrix("u")
    cost = T.exp(T.dot(w, x)).sum() * T.prod(x)
    at, along = ([values(3, seed=n), values((2, 3), seed=n)] for n in (1, 2))
    gradients = theano.function([x, w], T.grad(cost, [x, w]))
    both = hessian_vector_product(cost, [x, w], [t, u])
    got = theano.function([x, w, t, u], both)(*at, *along)
    up, down = (
        gradients(*(a + h * d for a, d in zip(at, along, strict=True))) for h in (1e-5, -1e-5)
    )
    for part, p, m in zip(got, up, down, strict=True):
        np.testing.assert_allclose(part, (p - m) / 2e-5, rtol=1e-7, atol=1e-8)
    assert hessian_vector_product(cost, x, t).ndim == 1


def test_values_and_gradients():
    x = T.dvector("x")
    value, slope = value_and_grad((x**2).sum(), x)
    f = theano.function([x], [value, slope])
    assert [r.tolist() for r in f([1.0, 2.0])] == [5.0, [2.0, 4.0]]
    y = T.dvector("y")
    assert value_and_grad(x.sum(), [x, y], disconnected_inputs="ignore")[1][1].ndim == 1


def test_directions_of_some_inputs_only():
    x, y, t = T.dvectors("x", "y", "t")
    got = T.Rop(x * y, [x, y], [t, None])
    f = theano.function([x, y, t], got)
    assert f([2.0], [3.0], [5.0]).tolist() == [15.0]


def test_directions_of_integers():
    k, t = T.ivector("k"), T.dvector("t")
    assert jvp(k * 2.5, k, t).eval({k: [1], t: [2.0]}).tolist() == [5.0]


def test_derivatives_of_a_derivative():
    x = T.dscalar("x")
    one = jvp(T.sin(x), x, T.ones_like(x))
    two = jvp(one, x, T.ones_like(x))
    three = T.grad(two, x)
    got = theano.function([x], [one, two, three])(0.7)
    np.testing.assert_allclose(got, [np.cos(0.7), -np.sin(0.7), -np.cos(0.7)])


def test_errors():
    x, t = T.dvectors("x", "t")
    with pytest.raises(NullTypeGradError):
        jvp(undefined_grad(x), x, t)
    with pytest.raises(DisconnectedInputError):
        T.Rop(t, x, t)
    with pytest.raises(AssertionError, match="2 wrt and 1 eval_points"):
        jvp(x, [x, t], [t])
    with pytest.raises(ValueError, match="complex"):
        jvp(x, x, T.zvector())
    assert T.Rop(t, x, t, disconnected_outputs="ignore", return_disconnected="None") is None
    with pytest.warns(UserWarning, match="depends on none"):
        T.Rop(t, x, t, disconnected_outputs="warn")
